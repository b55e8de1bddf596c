/*
 * consistency.c
 *		Reading one's own writes.
 *
 * A write's reply carries a log sequence number, and a query's reply the one
 * up to which the namespace is indexed (API 2025-10, headers
 * x-pinecone-request-lsn and x-pinecone-max-indexed-lsn).  What this session
 * has written is visible when the second has reached the first.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/idset.h"
#include "client/vectors.h"
#include "pending/consistency.h"

/* Time between two looks, in ms */
#define FIRST_DELAY 20
#define LAST_DELAY 1000

/* The last write to each namespace that is not known to be visible. */
static idset_hash *written = NULL;

/* By where the server is: sequence numbers are an index's own. */
static char *
key_of(PineconeSession *session, const char *namespace_)
{
	const PineconeServerOptions *options = session->options;

	return psprintf("%u %s %s", session->serverid, options->host ? options->host : options->index,
					namespace_);
}

void
pinecone_consistency_note(PineconeSession *session, const char *namespace_, int64 lsn)
{
	PineconeIdEntry *entry;
	char *key;
	bool found;

	if (lsn < 0)
		return;
	if (written == NULL)
		written = idset_create(TopMemoryContext, 16, NULL);
	key = key_of(session, namespace_);
	entry = idset_lookup(written, key);
	if (entry == NULL)
	{
		entry = idset_insert(written, MemoryContextStrdup(TopMemoryContext, key), &found);
		entry->number = lsn;
	}
	entry->number = Max(entry->number, lsn);
	pfree(key);
}

/* How far the namespace is indexed, by a search for anything; -1: not told. */
static int64
indexed_lsn(PineconeSession *session, const char *namespace_)
{
	PineconeStats *stats = pinecone_session_stats(session, false, false);
	PineconeSearch search = {0};
	PineconeCall *call;
	uint32 index = 0;
	float one = 1;
	float *vector = palloc0(Max(stats->dimension, 1) * sizeof(float));
	int64 lsn;

	search.namespace_ = namespace_;
	search.top_k = 1;
	if (stats->sparse)
	{
		search.sparse.n = 1;
		search.sparse.indices = &index;
		search.sparse.values = &one;
	}
	else
	{
		vector[0] = 1;
		search.nvalues = stats->dimension;
		search.values = vector;
	}
	call = pinecone_vectors_query(session, NULL, &search);
	(void) pinecone_vectors_page(call);
	lsn = pinecone_vectors_indexed_lsn(call);
	pinecone_vectors_free(call);
	pfree(vector);
	return lsn;
}

static void
give_up(const PineconeTable *table, const char *namespace_, int64 wanted, int64 reached)
{
	ereport(table->consistency_warning ? WARNING : ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("Pinecone does not show this session's writes to foreign table \"%s\" yet",
					table->name),
			 reached < 0 ?
				 errdetail("Namespace \"%s\" does not tell how far it is indexed.", namespace_) :
				 errdetail("After %d ms namespace \"%s\" is indexed up to " INT64_FORMAT
						   ", the last write is " INT64_FORMAT ".",
						   table->consistency_timeout_ms, namespace_, reached, wanted),
			 errhint("Read again later, raise \"consistency_timeout\", or set \"on_consistency_timeout\".")));
}

static void
sleep_ms(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

void
pinecone_consistency_wait(PineconeSession *session, const PineconeTable *table,
						  const char *namespace_)
{
	PineconeTime start = pinecone_clock_now();
	long delay = FIRST_DELAY;
	PineconeIdEntry *entry;
	char *key;

	if (!table->session_consistency || written == NULL)
		return;
	key = key_of(session, namespace_);
	for (;;)
	{
		int64 reached;

		entry = idset_lookup(written, key);
		if (entry == NULL)
			break;
		reached = indexed_lsn(session, namespace_);
		if (reached >= entry->number)
		{
			(void) idset_delete(written, key);
			break;
		}
		if (reached < 0 || pinecone_clock_passed(start, table->consistency_timeout_ms))
		{
			give_up(table, namespace_, entry->number, reached);
			break;
		}
		sleep_ms(delay);
		delay = Min(LAST_DELAY, 2 * delay);
	}
	pfree(key);
}

char **
pinecone_consistency_namespaces(PineconeSession *session, int *n)
{
	char *prefix = key_of(session, "");
	size_t len = strlen(prefix);
	char **names;
	idset_iterator iterator;
	PineconeIdEntry *entry;

	*n = 0;
	if (written == NULL)
		return NULL;
	names = palloc(Max(written->members, 1) * sizeof(char *));
	idset_start_iterate(written, &iterator);
	while ((entry = idset_iterate(written, &iterator)) != NULL)
	{
		if (strncmp(entry->id, prefix, len) == 0)
			names[(*n)++] = pstrdup(entry->id + len);
	}
	return names;
}
