/*
 * pending_log.c
 *		The log of a transaction's writes, and what it makes of a namespace.
 *
 * A view is an index of the log up to a position: which writes name an id, and
 * which concern all records that match a filter.  A statement reads up to
 * where the log ended when it started, so that it does not see what it writes
 * itself.  Readers of the same position share a view.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "convert_metadata.h"
#include "idset.h"
#include "match.h"
#include "pending_log.h"
#include "spool.h"

/* A write as it stands in the log; what it points to follows, id first. */
typedef struct Header
{
	PineconeWriteKind kind;
	int target;
	int idlen; /* lengths are in bytes without the terminator; -1: NULL */
	int nvalues;
	int nsparse;
	int metadata_len;
	int filter_len;
	int rest_len;
} Header;

typedef struct Target
{
	PineconeSession *session;
	char *namespace_;
	int batch_size;
	int concurrency;
	PineconePendingView *view; /* of the log up to view_end, or NULL */
} Target;

struct PineconePendingLog
{
	MemoryContext cxt;
	PineconeSpool *spool;
	int ntargets;
	int size;
	Target *targets;
	StringInfoData buffer; /* the write being added or read */
	bool viewed;		   /* are there views? */
	int64 view_end;		   /* what the targets' views know */
	uint64 generation;
};

/* One write of an id */
typedef struct Op
{
	int64 offset;
	PineconeWriteKind kind;
	int next; /* the id's next, or -1 */
	int last; /* in its first op: its last */
} Op;

/* A write to all records that match a filter */
typedef struct FilterOp
{
	int64 offset;
	PineconeWriteKind kind;
	PineconeMatcher *matcher;
	PineconeRecord set; /* metadata to set */
} FilterOp;

/* A reader of a view; it stops when the memory context it read in goes away. */
typedef struct Reader
{
	MemoryContextCallback callback;
	uint64 generation; /* of the log: later ones have nothing to do with it */
	PineconePendingView *view;
} Reader;

struct PineconePendingView
{
	PineconePendingLog *log;
	MemoryContext cxt;
	int readers;
	bool outdated;	 /* goes away with its last reader */
	double count;	 /* writes */
	bool emptied;	 /* nothing that is stored is left */
	idset_hash *ids; /* number: of the first op */
	Op *ops;
	int nops;
	int ops_size;
	FilterOp *filters;
	int nfilters;
};

/* Number of the transaction; the memory of earlier ones' logs has gone. */
static uint64 generation = 0;

/* ---- The log ---- */

PineconePendingLog *
pinecone_pending_log_create(ResourceOwner owner)
{
	PineconePendingLog *log = palloc0(sizeof(PineconePendingLog));

	log->generation = generation;

	log->cxt = CurrentMemoryContext;
	log->spool = pinecone_spool_create(owner);
	initStringInfo(&log->buffer);
	return log;
}

static Target *
find_target(PineconePendingLog *log, PineconeSession *session, const char *namespace_)
{
	for (int i = log->ntargets - 1; i >= 0; i--)
	{
		if (log->targets[i].session->mapping == session->mapping &&
			strcmp(log->targets[i].namespace_, namespace_) == 0)
			return &log->targets[i];
	}
	return NULL;
}

int
pinecone_pending_log_target(PineconePendingLog *log, PineconeSession *session,
							const char *namespace_, int batch_size, int concurrency)
{
	Target *target = find_target(log, session, namespace_);
	MemoryContext old;

	if (target != NULL)
		return target - log->targets;
	old = MemoryContextSwitchTo(log->cxt);
	if (log->ntargets == log->size)
	{
		log->size = Max(8, 2 * log->size);
		log->targets = log->targets ? repalloc(log->targets, log->size * sizeof(Target)) :
									  palloc(log->size * sizeof(Target));
	}
	target = &log->targets[log->ntargets];
	memset(target, 0, sizeof(Target));
	target->session = session;
	target->namespace_ = pstrdup(namespace_);
	target->batch_size = batch_size;
	target->concurrency = concurrency;
	MemoryContextSwitchTo(old);
	return log->ntargets++;
}

/* A string with its terminator, filled up so that floats can follow. */
static void
append_string(StringInfo buf, const char *string, int len)
{
	if (len < 0)
		return;
	appendBinaryStringInfo(buf, string, len);
	do
		appendStringInfoChar(buf, '\0');
	while (buf->len % sizeof(float) != 0);
}

static int
length_of(const char *string)
{
	return string ? (int) strlen(string) : -1;
}

/* Whoever reads next needs other views. */
static void
drop_views(PineconePendingLog *log)
{
	if (!log->viewed)
		return;
	log->viewed = false;
	for (int i = 0; i < log->ntargets; i++)
	{
		PineconePendingView *view = log->targets[i].view;

		log->targets[i].view = NULL;
		if (view == NULL)
			continue;
		view->outdated = true;
		if (view->readers == 0)
			MemoryContextDelete(view->cxt);
	}
}

void
pinecone_pending_log_add(PineconePendingLog *log, int target, const PineconeWrite *write)
{
	const PineconeRecord *record = &write->record;
	StringInfo buf = &log->buffer;
	Header header;

	memset(&header, 0, sizeof(header));
	header.kind = write->kind;
	header.target = target;
	header.idlen = record->id ? record->idlen : -1;
	header.nvalues = record->nvalues;
	header.nsparse = record->sparse.n;
	header.metadata_len = record->metadata ? record->metadata_len : -1;
	header.filter_len = length_of(write->filter);
	header.rest_len = length_of(write->rest);

	resetStringInfo(buf);
	appendBinaryStringInfo(buf, (char *) &header, sizeof(header));
	append_string(buf, record->id, header.idlen);
	appendBinaryStringInfo(buf, (const char *) record->values, record->nvalues * sizeof(float));
	appendBinaryStringInfo(buf, (const char *) record->sparse.indices,
						   record->sparse.n * sizeof(uint32));
	appendBinaryStringInfo(buf, (const char *) record->sparse.values,
						   record->sparse.n * sizeof(float));
	append_string(buf, record->metadata, header.metadata_len);
	append_string(buf, write->filter, header.filter_len);
	append_string(buf, write->rest, header.rest_len);
	pinecone_spool_append(log->spool, buf->data, buf->len);
}

static int
stored_length(int len)
{
	return len < 0 ? 0 : (len / (int) sizeof(float) + 1) * (int) sizeof(float);
}

/* Bytes of a write that follow its header. */
static int
body_length(const Header *header)
{
	return stored_length(header->idlen) +
		   (header->nvalues + header->nsparse) * (int) sizeof(float) +
		   header->nsparse * (int) sizeof(uint32) + stored_length(header->metadata_len) +
		   stored_length(header->filter_len) + stored_length(header->rest_len);
}

static char *
take(char **position, int len)
{
	char *start = *position;

	*position += len;
	return start;
}

static char *
take_string(char **position, int len)
{
	return len < 0 ? NULL : take(position, stored_length(len));
}

/* A write from the bytes after its header, into which it points. */
static void
decode_write(const Header *header, char *body, PineconeWrite *write)
{
	PineconeRecord *record = &write->record;
	char *p = body;

	memset(write, 0, sizeof(*write));
	write->kind = header->kind;
	record->id = take_string(&p, header->idlen);
	record->idlen = Max(header->idlen, 0);
	record->nvalues = header->nvalues;
	record->values = (float *) take(&p, header->nvalues * sizeof(float));
	record->sparse.n = header->nsparse;
	record->sparse.indices = (uint32 *) take(&p, header->nsparse * sizeof(uint32));
	record->sparse.values = (float *) take(&p, header->nsparse * sizeof(float));
	record->metadata = take_string(&p, header->metadata_len);
	record->metadata_len = Max(header->metadata_len, 0);
	write->filter = take_string(&p, header->filter_len);
	write->rest = take_string(&p, header->rest_len);
}

static void
read_header(PineconePendingLog *log, int64 offset, Header *header)
{
	pinecone_spool_read(log->spool, offset, (char *) header, sizeof(*header));
}

/* The write at an offset, in the current memory context. */
static void
read_write(PineconePendingLog *log, int64 offset, PineconeWrite *write)
{
	Header header;
	char *body;
	int len;

	read_header(log, offset, &header);
	len = body_length(&header);
	body = palloc(Max(len, 1));
	pinecone_spool_read(log->spool, offset + sizeof(header), body, len);
	decode_write(&header, body, write);
}

int64
pinecone_pending_log_size(const PineconePendingLog *log)
{
	return pinecone_spool_size(log->spool);
}

void
pinecone_pending_log_truncate(PineconePendingLog *log, int64 size)
{
	if (log->view_end > size)
		drop_views(log);
	pinecone_spool_truncate(log->spool, size);
}

void
pinecone_pending_log_close(PineconePendingLog *log)
{
	pinecone_spool_close(log->spool);
}

void
pinecone_pending_log_forget(void)
{
	generation++;
}

/* ---- Sending ---- */

static int
begin_target(Target *target, PineconeSend *send, PineconeCounters *counters)
{
	/* options may have changed since, or the user mapping may be gone */
	target->session = pinecone_session_get(target->session->serverid, target->session->userid);
	return pinecone_send_target(send, target->session, counters, target->namespace_,
								target->batch_size, target->concurrency);
}

void
pinecone_pending_log_send(PineconePendingLog *log, PineconeSend *send, PineconeCounters *counters)
{
	int *targets = palloc(Max(log->ntargets, 1) * sizeof(int));
	int64 size = pinecone_pending_log_size(log);
	StringInfo buf = &log->buffer;
	Header header;
	PineconeWrite write;

	for (int i = 0; i < log->ntargets; i++)
		targets[i] = -1;
	for (int64 offset = 0; offset < size;)
	{
		int len;

		read_header(log, offset, &header);
		len = body_length(&header);
		resetStringInfo(buf);
		enlargeStringInfo(buf, len);
		pinecone_spool_read(log->spool, offset + sizeof(header), buf->data, len);
		decode_write(&header, buf->data, &write);
		if (targets[header.target] < 0)
			targets[header.target] = begin_target(&log->targets[header.target], send, counters);
		pinecone_send_add(send, targets[header.target], &write);
		offset += sizeof(header) + len;
	}
}

/* ---- Views ---- */

static void
empty_view(PineconePendingView *view)
{
	view->ids = idset_create(view->cxt, 64, NULL);
	view->nops = 0;
	view->filters = NULL;
	view->nfilters = 0;
}

static PineconePendingView *
create_view(PineconePendingLog *log)
{
	MemoryContext cxt = AllocSetContextCreate(log->cxt, "pinecone pending view",
											  ALLOCSET_DEFAULT_SIZES);
	PineconePendingView *view = MemoryContextAllocZero(cxt, sizeof(PineconePendingView));

	view->log = log;
	view->cxt = cxt;
	empty_view(view);
	return view;
}

static void
view_id(PineconePendingView *view, const char *id, int64 offset, PineconeWriteKind kind)
{
	PineconeIdEntry *entry = idset_lookup(view->ids, id);
	Op *op;
	bool found;

	if (view->nops == view->ops_size)
	{
		view->ops_size = Max(64, 2 * view->ops_size);
		view->ops = view->ops ?
						repalloc_huge(view->ops, view->ops_size * sizeof(Op)) :
						MemoryContextAllocHuge(view->cxt, view->ops_size * sizeof(Op));
	}
	op = &view->ops[view->nops];
	op->offset = offset;
	op->kind = kind;
	op->next = -1;
	op->last = view->nops;
	if (entry == NULL)
	{
		entry = idset_insert(view->ids, MemoryContextStrdup(view->cxt, id), &found);
		entry->number = view->nops;
	}
	else if (kind != PINECONE_WRITE_UPDATE)
		entry->number = view->nops; /* what was before does not matter */
	else
	{
		Op *first = &view->ops[entry->number];

		view->ops[first->last].next = view->nops;
		first->last = view->nops;
	}
	view->nops++;
}

static void
view_filter(PineconePendingView *view, int64 offset)
{
	MemoryContext old = MemoryContextSwitchTo(view->cxt);
	FilterOp *op;
	PineconeWrite write;

	if (view->filters == NULL)
		view->filters = palloc(sizeof(FilterOp));
	else
		view->filters = repalloc(view->filters, (view->nfilters + 1) * sizeof(FilterOp));
	op = &view->filters[view->nfilters++];
	read_write(view->log, offset, &write);
	op->offset = offset;
	op->kind = write.kind;
	op->matcher = pinecone_match_compile(
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(write.filter))));
	op->set = write.record;
	MemoryContextSwitchTo(old);
}

/* Make views of the log up to a position. */
static void
create_views(PineconePendingLog *log, int64 end)
{
	char id[1024];

	/* from here on there may be some, also if this is interrupted */
	log->viewed = true;
	log->view_end = end;
	for (int64 offset = 0; offset < end;)
	{
		PineconePendingView *view;
		Target *target;
		Header header;

		read_header(log, offset, &header);
		target = &log->targets[header.target];
		if (target->view == NULL)
			target->view = create_view(log);
		view = target->view;
		view->count++;
		if (header.kind == PINECONE_WRITE_DELETE_ALL)
		{
			empty_view(view);
			view->emptied = true;
		}
		else if (pinecone_write_has_id(header.kind))
		{
			if (header.idlen >= (int) sizeof(id))
				elog(ERROR, "id of %d bytes in the log of pending writes", header.idlen);
			pinecone_spool_read(log->spool, offset + sizeof(header), id, header.idlen);
			id[header.idlen] = '\0';
			view_id(view, id, offset, header.kind);
		}
		else
			view_filter(view, offset);
		offset += sizeof(header) + body_length(&header);
	}
}

/* The context in which a view was read goes away. */
static void
release_view(void *arg)
{
	Reader *reader = arg;
	PineconePendingView *view = reader->view;

	if (reader->generation != generation)
		return; /* so has the view */
	if (--view->readers == 0 && view->outdated)
		MemoryContextDelete(view->cxt);
}

static void
make_views(PineconePendingLog *log, int64 end)
{
	if (log->viewed && log->view_end == end)
		return;
	drop_views(log);
	PG_TRY();
	{
		create_views(log, end);
	}
	PG_CATCH();
	{
		drop_views(log);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

PineconePendingView *
pinecone_pending_log_view(PineconePendingLog *log, PineconeSession *session,
						  const char *namespace_, int64 end)
{
	Target *target = find_target(log, session, namespace_);
	Reader *reader;

	end = Min(end, pinecone_pending_log_size(log));
	if (target == NULL || end == 0)
		return NULL;
	make_views(log, end);
	if (target->view == NULL)
		return NULL;
	reader = palloc(sizeof(Reader));
	reader->generation = log->generation;
	reader->view = target->view;
	reader->callback.func = release_view;
	reader->callback.arg = reader;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &reader->callback);
	target->view->readers++;
	return target->view;
}

double
pinecone_pending_log_count(PineconePendingLog *log, const PineconeTable *table)
{
	double count = 0;

	make_views(log, pinecone_pending_log_size(log));
	for (int i = 0; i < log->ntargets; i++)
	{
		Target *target = &log->targets[i];

		if (target->view && target->session->serverid == table->server->serverid &&
			pinecone_option_has_namespace(table, target->namespace_))
			count += target->view->count;
	}
	return count;
}

static int
compare_namespaces(const void *a, const void *b)
{
	return strcmp(((const PineconeNamespaceStats *) a)->name,
				  ((const PineconeNamespaceStats *) b)->name);
}

PineconeNamespaceStats *
pinecone_pending_log_add_namespaces(PineconePendingLog *log, PineconeSession *session,
									PineconeNamespaceStats *namespaces, int *n)
{
	int known = *n;
	PineconeNamespaceStats *all = palloc((known + log->ntargets + 1) * sizeof(*all));

	memcpy(all, namespaces, known * sizeof(*all));
	for (int i = 0; i < log->ntargets; i++)
	{
		PineconeNamespaceStats added = {log->targets[i].namespace_, -1};

		if (log->targets[i].session->mapping == session->mapping &&
			bsearch(&added, all, known, sizeof(*all), compare_namespaces) == NULL)
			all[(*n)++] = added;
	}
	qsort(all, *n, sizeof(*all), compare_namespaces);
	return all;
}

bool
pinecone_pending_is_emptied(PineconePendingView *view)
{
	return view->emptied;
}

bool
pinecone_pending_has_filters(PineconePendingView *view)
{
	return view->nfilters > 0;
}

bool
pinecone_pending_has_filter_updates(PineconePendingView *view)
{
	for (int i = 0; i < view->nfilters; i++)
	{
		if (view->filters[i].kind == PINECONE_WRITE_UPDATE_FILTER)
			return true;
	}
	return false;
}

PineconePendingFate
pinecone_pending_fate(PineconePendingView *view, const char *id)
{
	PineconeIdEntry *entry = idset_lookup(view->ids, id);

	if (view->emptied ||
		(entry != NULL && view->ops[entry->number].kind != PINECONE_WRITE_UPDATE))
		return PINECONE_PENDING_REPLACED;
	return entry == NULL ? PINECONE_PENDING_UNTOUCHED : PINECONE_PENDING_CHANGED;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

char **
pinecone_pending_ids(PineconePendingView *view, int *n)
{
	char **ids = MemoryContextAllocHuge(CurrentMemoryContext,
										Max(view->ids->members, 1) * sizeof(char *));
	idset_iterator iterator;
	PineconeIdEntry *entry;

	*n = 0;
	idset_start_iterate(view->ids, &iterator);
	while ((entry = idset_iterate(view->ids, &iterator)) != NULL)
		ids[(*n)++] = pstrdup(entry->id);
	qsort(ids, *n, sizeof(char *), compare_strings);
	return ids;
}

Jsonb *
pinecone_pending_metadata(const PineconeRecord *record)
{
	char *text;

	if (record->metadata == NULL)
		return NULL;
	text = pg_any_to_server(record->metadata, record->metadata_len, PG_UTF8);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* Set fields of a record's metadata. */
static void
set_metadata(PineconeRecord *record, const PineconeRecord *fields)
{
	PineconeMetadata metadata = {0};
	const char *reason;

	reason = pinecone_convert_metadata_add_stored(&metadata, record);
	if (reason == NULL)
		reason = pinecone_convert_metadata_add_stored(&metadata, fields);
	if (reason == NULL)
		reason = pinecone_convert_metadata_finish(&metadata, &record->metadata,
												  &record->metadata_len);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot store record \"%s\": %s", record->id, reason)));
}

bool
pinecone_pending_apply(PineconePendingView *view, const char *id, const PineconeRecord *stored,
					   PineconeRecord *result)
{
	PineconeIdEntry *entry = idset_lookup(view->ids, id);
	int next = entry ? (int) entry->number : -1;
	bool exists = stored != NULL && !view->emptied;
	int filter = 0;

	if (exists)
		*result = *stored;
	/* filters before the id was written anew do not matter */
	while (next >= 0 && view->ops[next].kind != PINECONE_WRITE_UPDATE &&
		   filter < view->nfilters && view->filters[filter].offset < view->ops[next].offset)
		filter++;

	while (next >= 0 || filter < view->nfilters)
	{
		if (next >= 0 && (filter >= view->nfilters ||
						  view->ops[next].offset < view->filters[filter].offset))
		{
			Op *op = &view->ops[next];
			PineconeWrite write;

			if (op->kind != PINECONE_WRITE_DELETE)
				read_write(view->log, op->offset, &write);
			if (op->kind == PINECONE_WRITE_UPSERT)
				*result = write.record;
			else if (op->kind == PINECONE_WRITE_UPDATE && exists)
				set_metadata(result, &write.record);
			exists = op->kind == PINECONE_WRITE_UPSERT ||
					 (op->kind == PINECONE_WRITE_UPDATE && exists);
			next = op->next;
		}
		else
		{
			FilterOp *op = &view->filters[filter++];

			if (!exists || !pinecone_match_holds(op->matcher, pinecone_pending_metadata(result)))
				continue;
			if (op->kind == PINECONE_WRITE_DELETE_FILTER)
				exists = false;
			else
				set_metadata(result, &op->set);
		}
	}
	return exists;
}
