/*
 * pending_log.c
 *		The log of a transaction's writes.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/spool.h"
#include "pending/pending_log.h"

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
	int place; /* the first target of the same namespace, whose user may be another */
	int batch_size;
	int concurrency;
} Target;

struct PineconePendingLog
{
	MemoryContext cxt;
	PineconeSpool *spool;
	int ntargets;
	int size;
	Target *targets;
	StringInfoData buffer; /* the write being added or read */
};

/* ---- The log ---- */

PineconePendingLog *
pinecone_pending_log_create(ResourceOwner owner)
{
	PineconePendingLog *log = palloc0(sizeof(PineconePendingLog));

	log->cxt = CurrentMemoryContext;
	log->spool = pinecone_spool_create(owner);
	initStringInfo(&log->buffer);
	return log;
}

/* The last target of a namespace, of any user or of one, or -1. */
static int
find_target(const PineconePendingLog *log, const PineconeSession *session, const char *namespace_,
			bool any_user)
{
	for (int i = log->ntargets - 1; i >= 0; i--)
	{
		const Target *target = &log->targets[i];

		if (target->session->serverid == session->serverid &&
			(any_user || target->session->mapping == session->mapping) &&
			strcmp(target->namespace_, namespace_) == 0)
			return i;
	}
	return -1;
}

int
pinecone_pending_log_place(const PineconePendingLog *log, const PineconeSession *session,
						   const char *namespace_)
{
	int number = find_target(log, session, namespace_, true);

	return number < 0 ? -1 : log->targets[number].place;
}

int
pinecone_pending_log_target(PineconePendingLog *log, PineconeSession *session,
							const char *namespace_, int batch_size, int concurrency)
{
	int number = find_target(log, session, namespace_, false);
	int place;
	MemoryContext old;
	Target *target;

	if (number >= 0)
		return number;
	place = pinecone_pending_log_place(log, session, namespace_);
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
	target->place = place < 0 ? log->ntargets : place;
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

void
pinecone_pending_log_read(PineconePendingLog *log, int64 offset, PineconeWrite *write)
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
pinecone_pending_log_peek(PineconePendingLog *log, int64 offset, PineconePendingEntry *entry)
{
	Header header;

	read_header(log, offset, &header);
	entry->place = log->targets[header.target].place;
	entry->kind = header.kind;
	entry->id[0] = '\0';
	if (pinecone_write_has_id(header.kind))
	{
		if (header.idlen >= (int) sizeof(entry->id))
			elog(ERROR, "id of %d bytes in the log of pending writes", header.idlen);
		pinecone_spool_read(log->spool, offset + sizeof(header), entry->id, header.idlen);
		entry->id[header.idlen] = '\0';
	}
	return offset + sizeof(header) + body_length(&header);
}

int64
pinecone_pending_log_size(const PineconePendingLog *log)
{
	return pinecone_spool_size(log->spool);
}

void
pinecone_pending_log_truncate(PineconePendingLog *log, int64 size)
{
	pinecone_spool_truncate(log->spool, size);
}

void
pinecone_pending_log_close(PineconePendingLog *log)
{
	pinecone_spool_close(log->spool);
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

/* ---- Namespaces ---- */

int
pinecone_pending_log_targets(const PineconePendingLog *log)
{
	return log->ntargets;
}

bool
pinecone_pending_log_is_of(const PineconePendingLog *log, int place, const PineconeTable *table)
{
	return log->targets[place].place == place &&
		   log->targets[place].session->serverid == table->server->serverid &&
		   pinecone_option_has_namespace(table, log->targets[place].namespace_);
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

		if (log->targets[i].place == i &&
			log->targets[i].session->serverid == session->serverid &&
			bsearch(&added, all, known, sizeof(*all), compare_namespaces) == NULL)
			all[(*n)++] = added;
	}
	qsort(all, *n, sizeof(*all), compare_namespaces);
	return all;
}
