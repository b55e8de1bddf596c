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
target_key(Oid serverid, Oid mapping, const char *namespace_)
{
	return psprintf("%u %u %s", serverid, mapping, namespace_);
}

/* The number kept with a key, or -1. */
static int
find_number(struct idset_hash *numbers, Oid serverid, Oid mapping, const char *namespace_)
{
	char *key = target_key(serverid, mapping, namespace_);
	PineconeIdEntry *entry = idset_lookup(numbers, key);
	int number = entry ? (int) entry->number : -1;

	pfree(key);
	return number;
}

static void
keep_number(struct idset_hash *numbers, Oid serverid, Oid mapping, const char *namespace_,
			int number)
{
	bool found;

	idset_insert(numbers, target_key(serverid, mapping, namespace_), &found)->number = number;
}

int
pinecone_pending_log_place(const PineconePendingLog *log, const PineconeSession *session,
						   const char *namespace_)
{
	return find_number(log->places, session ? session->serverid : InvalidOid, InvalidOid,
					   namespace_);
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

int
pinecone_pending_log_target(PineconePendingLog *log, PineconeSession *session,
							const char *namespace_, int batch_size, int concurrency)
{
	Oid serverid = session ? session->serverid : InvalidOid;
	Oid mapping = session ? session->mapping : InvalidOid;
	int number = find_number(log->numbers, serverid, mapping, namespace_);
	int place;
	MemoryContext old;
	PineconePendingTarget *target;

	if (number >= 0)
		return number;
	place = pinecone_pending_log_place(log, session, namespace_);
	old = MemoryContextSwitchTo(log->cxt);
	if (log->ntargets == log->size)
	{
		log->size = Max(8, 2 * log->size);
		log->targets = log->targets ? repalloc(log->targets, log->size * sizeof(PineconePendingTarget)) :
									  palloc(log->size * sizeof(PineconePendingTarget));
	}
	target = &log->targets[log->ntargets];
	memset(target, 0, sizeof(PineconePendingTarget));
	target->session = session;
	target->serverid = serverid;
	target->namespace_ = pstrdup(namespace_);
	target->place = place < 0 ? log->ntargets : place;
	target->batch_size = batch_size;
	target->concurrency = concurrency;
	keep_number(log->numbers, serverid, mapping, namespace_, log->ntargets);
	if (place < 0)
		keep_number(log->places, serverid, InvalidOid, namespace_, log->ntargets);
	MemoryContextSwitchTo(old);
	return log->ntargets++;
}

void
pinecone_pending_log_add(PineconePendingLog *log, int target, const PineconeWrite *write)
{
	StringInfo buf = &log->buffer;

	resetStringInfo(buf);
	pinecone_write_encode(buf, target, write);
	pinecone_spool_append(log->spool, buf->data, buf->len);
}

void
pinecone_pending_log_add_encoded(PineconePendingLog *log, int target, const char *data, int len)
{
	StringInfo buf = &log->buffer;

	resetStringInfo(buf);
	appendBinaryStringInfo(buf, data, len);
	((PineconeWriteHeader *) buf->data)->target = target;
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
