/*
 * pending_log.c
 *		The log of a transaction's writes.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/idset.h"
#include "base/spool.h"
#include "pending/pending_log.h"
#include "pending/write_code.h"

struct PineconePendingLog
{
	MemoryContext cxt;
	PineconeSpool *spool;
	int ntargets;
	int size;
	PineconePendingTarget *targets;
	idset_hash *numbers;   /* of targets, by user and namespace */
	idset_hash *places;	   /* by namespace */
	StringInfoData buffer; /* the write being added or read */
};

static const PineconeAuthor nobody = {InvalidOid, InvalidOid};

/* ---- The log ---- */

PineconePendingLog *
pinecone_pending_log_create(ResourceOwner owner)
{
	PineconePendingLog *log = palloc0(sizeof(PineconePendingLog));

	log->cxt = CurrentMemoryContext;
	log->spool = pinecone_spool_create(owner);
	log->numbers = idset_create(log->cxt, 16, NULL);
	log->places = idset_create(log->cxt, 16, NULL);
	initStringInfo(&log->buffer);
	return log;
}

/* What tells namespaces, and users who write to them, apart; palloc'ed. */
static char *
target_key(Oid serverid, PineconeAuthor author, const char *namespace_)
{
	return psprintf("%u %u %u %s", serverid, author.userid, author.runner, namespace_);
}

/* The number kept with a key, or -1. */
static int
find_number(struct idset_hash *numbers, Oid serverid, PineconeAuthor author, const char *namespace_)
{
	char *key = target_key(serverid, author, namespace_);
	PineconeIdEntry *entry = idset_lookup(numbers, key);
	int number = entry ? (int) entry->number : -1;

	pfree(key);
	return number;
}

static void
keep_number(struct idset_hash *numbers, Oid serverid, PineconeAuthor author, const char *namespace_,
			int number)
{
	bool found;

	idset_insert(numbers, target_key(serverid, author, namespace_), &found)->number = number;
}

int
pinecone_pending_log_place(const PineconePendingLog *log, const PineconeSession *session,
						   const char *namespace_)
{
	return find_number(log->places, session ? session->serverid : InvalidOid, nobody, namespace_);
}

bool
pinecone_pending_log_has_server(const PineconePendingLog *log, Oid serverid)
{
	for (int i = 0; i < log->ntargets; i++)
	{
		if (log->targets[i].serverid == serverid)
			return true;
	}
	return false;
}

void
pinecone_pending_log_check_place(const PineconePendingLog *log, int place, const PineconeSession *session)
{
	const PineconePendingTarget *target = &log->targets[place];
	char *where;

	if (target->first < 0 || target->where == NULL)
		return;
	where = pinecone_option_where(session->options);
	if (strcmp(where, target->where) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" was altered after the transaction had written to it",
						session->options->servername),
				 errdetail("What it wrote to namespace \"%s\" was for %s; the server now has %s.",
						   target->namespace_, target->where, where),
				 errhint("Repeat the transaction.  If it is the one that alters the server, commit before or after that.")));
	pfree(where);
}

/* Nothing waits for the place: what comes goes where the session leads. */
static void
aim_place(PineconePendingLog *log, int place, const PineconeSession *session)
{
	MemoryContext old = MemoryContextSwitchTo(log->cxt);
	PineconePendingTarget *target = &log->targets[place];

	if (target->where != NULL)
		pfree(target->where);
	target->where = pinecone_option_where(session->options);
	MemoryContextSwitchTo(old);
}

static int
add_target(PineconePendingLog *log, Oid serverid, PineconeAuthor author, const char *namespace_)
{
	int place = find_number(log->places, serverid, nobody, namespace_);
	MemoryContext old = MemoryContextSwitchTo(log->cxt);
	PineconePendingTarget *target;

	if (log->ntargets == log->size)
	{
		log->size = Max(8, 2 * log->size);
		log->targets = log->targets ? repalloc(log->targets, log->size * sizeof(PineconePendingTarget)) :
									  palloc(log->size * sizeof(PineconePendingTarget));
	}
	target = &log->targets[log->ntargets];
	memset(target, 0, sizeof(PineconePendingTarget));
	target->serverid = serverid;
	target->author = author;
	target->namespace_ = pstrdup(namespace_);
	target->place = place < 0 ? log->ntargets : place;
	target->first = -1;
	keep_number(log->numbers, serverid, author, namespace_, log->ntargets);
	if (place < 0)
		keep_number(log->places, serverid, nobody, namespace_, log->ntargets);
	MemoryContextSwitchTo(old);
	return log->ntargets++;
}

int
pinecone_pending_log_target(PineconePendingLog *log, PineconeSession *session, const PineconeAuthor *author,
							const char *namespace_, int batch_size, int concurrency)
{
	Oid serverid = session ? session->serverid : InvalidOid;
	PineconeAuthor who = author ? *author : nobody;
	int number = find_number(log->numbers, serverid, who, namespace_);
	int place;

	if (number < 0)
	{
		number = add_target(log, serverid, who, namespace_);
		log->targets[number].batch_size = batch_size;
		log->targets[number].concurrency = concurrency;
	}
	place = log->targets[number].place;
	if (session != NULL && log->targets[place].first < 0)
		aim_place(log, place, session);
	else if (session != NULL)
		pinecone_pending_log_check_place(log, place, session);
	return number;
}

/* That a write to the target begins here. */
static void
note_first(PineconePendingLog *log, int target)
{
	PineconePendingTarget *place = &log->targets[log->targets[target].place];

	if (place->first < 0)
		place->first = pinecone_spool_size(log->spool);
}

void
pinecone_pending_log_add(PineconePendingLog *log, int target, const PineconeWrite *write)
{
	StringInfo buf = &log->buffer;

	resetStringInfo(buf);
	pinecone_write_encode(buf, target, write);
	note_first(log, target);
	pinecone_spool_append(log->spool, buf->data, buf->len);
}

void
pinecone_pending_log_add_encoded(PineconePendingLog *log, int target, const char *data, int len)
{
	StringInfo buf = &log->buffer;

	resetStringInfo(buf);
	appendBinaryStringInfo(buf, data, len);
	((PineconeWriteHeader *) buf->data)->target = target;
	note_first(log, target);
	pinecone_spool_append(log->spool, buf->data, buf->len);
}

static void
read_header(PineconePendingLog *log, int64 offset, PineconeWriteHeader *header)
{
	pinecone_spool_read(log->spool, offset, (char *) header, sizeof(*header));
}

void
pinecone_pending_log_read(PineconePendingLog *log, int64 offset, PineconeWrite *write)
{
	PineconeWriteHeader header;
	char *body;
	int len;

	read_header(log, offset, &header);
	len = pinecone_write_body_length(&header);
	body = palloc(Max(len, 1));
	pinecone_spool_read(log->spool, offset + sizeof(header), body, len);
	pinecone_write_decode(&header, body, write);
}

int64
pinecone_pending_log_peek(PineconePendingLog *log, int64 offset, PineconePendingEntry *entry)
{
	PineconeWriteHeader header;

	read_header(log, offset, &header);
	entry->place = log->targets[header.target].place;
	entry->kind = header.kind;
	entry->vectors = header.kind == PINECONE_WRITE_UPDATE && pinecone_write_changes_vectors(&header);
	entry->bare = pinecone_write_is_bare(&header);
	entry->id[0] = '\0';
	if (pinecone_write_has_id(header.kind))
	{
		if (header.idlen >= (int) sizeof(entry->id))
			elog(ERROR, "id of %d bytes in the log of pending writes", header.idlen);
		pinecone_spool_read(log->spool, offset + sizeof(header), entry->id, header.idlen);
		entry->id[header.idlen] = '\0';
	}
	return offset + sizeof(header) + pinecone_write_body_length(&header);
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
	for (int i = 0; i < log->ntargets; i++)
	{
		if (log->targets[i].first >= size)
			log->targets[i].first = -1;
	}
}

void
pinecone_pending_log_close(PineconePendingLog *log)
{
	pinecone_spool_close(log->spool);
}

int64
pinecone_pending_log_read_encoded(PineconePendingLog *log, int64 offset, StringInfo buf)
{
	PineconeWriteHeader header;
	int len;

	read_header(log, offset, &header);
	len = sizeof(header) + pinecone_write_body_length(&header);
	resetStringInfo(buf);
	enlargeStringInfo(buf, len);
	pinecone_spool_read(log->spool, offset, buf->data, len);
	buf->len = len;
	return offset + len;
}

PineconePendingTarget *
pinecone_pending_log_target_of(PineconePendingLog *log, int number)
{
	return &log->targets[number];
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
		   log->targets[place].serverid == table->server->serverid &&
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
			log->targets[i].serverid == (session ? session->serverid : InvalidOid) &&
			bsearch(&added, all, known, sizeof(*all), compare_namespaces) == NULL)
			all[(*n)++] = added;
	}
	qsort(all, *n, sizeof(*all), compare_namespaces);
	return all;
}
