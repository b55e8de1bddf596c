/*
 * consistency.c
 *		Waiting until one's own writes can be read.
 *
 * As a rule nothing waits: what the service may not show yet is laid over what
 * it shows (pending/unseen.c).  What cannot be, and under consistency 'session'
 * all where nothing is kept for that, is waited for until searches are told to
 * have reached its sequence number.
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
#include "pending/confirmed.h"
#include "pending/consistency.h"
#include "pending/indexed.h"
#include "pending/unseen.h"

/* Time between two looks, in ms */
#define FIRST_DELAY 20
#define LAST_DELAY 1000

/* The last write to each namespace that is not known to be visible. */
static idset_hash *written = NULL;

/* The last write to each namespace, for those who ask. */
static idset_hash *last_written = NULL;

/* By where the server is: sequence numbers are an index's own. */
static char *
key_of(PineconeSession *session, const char *namespace_)
{
	const PineconeServerOptions *options = session->options;

	return psprintf("%u %s %s", session->serverid, options->host ? options->host : options->index,
					namespace_);
}

static PineconeIdEntry *
entry_of(idset_hash **set, const char *key)
{
	PineconeIdEntry *entry;
	bool found;

	if (*set == NULL)
		*set = idset_create(TopMemoryContext, 16, NULL);
	entry = idset_lookup(*set, key);
	if (entry == NULL)
	{
		entry = idset_insert(*set, MemoryContextStrdup(TopMemoryContext, key), &found);
		entry->number = -1;
	}
	return entry;
}

void
pinecone_consistency_note(PineconeSession *session, const char *namespace_, int64 lsn)
{
	char *key = key_of(session, namespace_);
	PineconeIdEntry *last = entry_of(&last_written, key);

	last->number = lsn < 0 ? -1 : Max(last->number, lsn);
	if (lsn >= 0 && !pinecone_confirmed_are_kept())
	{
		PineconeIdEntry *entry = entry_of(&written, key);

		entry->number = Max(entry->number, lsn);
	}
	pfree(key);
}

static void
find_any(const char *namespace_, int64 lsn, void *arg)
{
	*(bool *) arg = true;
}

bool
pinecone_consistency_has_written(PineconeSession *session, const PineconeTable *table)
{
	bool found = false;

	pinecone_consistency_last_writes(session, table, find_any, &found);
	return found;
}

void
pinecone_consistency_last_writes(PineconeSession *session, const PineconeTable *table,
								 PineconeLastWriteReader reader, void *arg)
{
	char *prefix = key_of(session, "");
	size_t len = strlen(prefix);
	idset_iterator iterator;
	PineconeIdEntry *entry;

	if (last_written == NULL)
		return;
	idset_start_iterate(last_written, &iterator);
	while ((entry = idset_iterate(last_written, &iterator)) != NULL)
	{
		if (strncmp(entry->id, prefix, len) == 0 && pinecone_option_has_namespace(table, entry->id + len))
			reader(entry->id + len, entry->number, arg);
	}
}

static void
give_up(const PineconeTable *table, const char *namespace_, const char *whose, int64 wanted, int64 reached)
{
	ereport(table->consistency_warning ? WARNING : ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("Pinecone does not show %s writes to foreign table \"%s\" yet",
					whose, table->name),
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

/* Looking again and again, less and less often */
typedef struct Wait
{
	PineconeTime start;
	long delay;
	const char *whose; /* writes, for messages */
} Wait;

/* True: it has been reached, or the table's patience is at an end.  Else waits. */
static bool
is_over(Wait *wait, const PineconeTable *table, const char *namespace_, int64 lsn, int64 reached)
{
	if (reached >= lsn)
		return true;
	if (reached < 0 || pinecone_clock_passed(wait->start, table->consistency_timeout_ms))
	{
		give_up(table, namespace_, wait->whose, lsn, reached);
		return true;
	}
	sleep_ms(wait->delay);
	wait->delay = Min(LAST_DELAY, 2 * wait->delay);
	return false;
}

/* Wait for what this session has written, where nothing is kept. */
static void
wait_for_written(PineconeSession *session, const PineconeTable *table, const char *namespace_)
{
	Wait wait = {pinecone_clock_now(), FIRST_DELAY, "this session's"};
	PineconeIdEntry *entry;
	int64 reached;
	char *key;

	if (!table->session_consistency || written == NULL)
		return;
	key = key_of(session, namespace_);
	while ((entry = idset_lookup(written, key)) != NULL)
	{
		reached = pinecone_indexed_lsn(session, namespace_, false);
		if (!is_over(&wait, table, namespace_, entry->number, reached))
			continue;
		if (reached >= entry->number)
			(void) idset_delete(written, key);
		break;
	}
	pfree(key);
}

static void
sleep_counted(long ms, PineconeCounters *counters)
{
	instr_time start;
	instr_time end;

	INSTR_TIME_SET_CURRENT(start);
	sleep_ms(ms);
	INSTR_TIME_SET_CURRENT(end);
	if (counters != NULL)
		INSTR_TIME_ACCUM_DIFF(counters->unseen_time, end, start);
}

/* Wait for what cannot be laid over what the service shows, or for all. */
static void
wait_for_unseen(PineconeSession *session, PineconeCounters *counters, const PineconeTable *table,
				const char *namespace_, bool all)
{
	Wait wait = {pinecone_clock_now(), FIRST_DELAY, "this session's"};
	int64 lsn;
	int64 ms;
	int64 reached;

	while (pinecone_unseen_must_wait(session, namespace_, all, &lsn, &ms))
	{
		bool done;

		if (ms > 0)
		{
			sleep_counted(Min(ms, LAST_DELAY), counters);
			wait.start = pinecone_clock_now();
			continue;
		}
		reached = pinecone_indexed_lsn(session, namespace_, false);
		/* where it is not told, the time over which writes may be unseen has to do */
		done = reached < 0 || is_over(&wait, table, namespace_, lsn, reached);
		pinecone_unseen_note_indexed(session, namespace_, reached);
		if (done)
			break;
	}
}

void
pinecone_consistency_wait(PineconeSession *session, PineconeCounters *counters, const PineconeTable *table,
						  const char *namespace_)
{
	if (pinecone_confirmed_are_kept())
		wait_for_unseen(session, counters, table, namespace_, false);
	else
		wait_for_written(session, table, namespace_);
}

void
pinecone_consistency_wait_search(PineconeSession *session, const PineconeTable *table, const char *namespace_)
{
	Wait wait = {pinecone_clock_now(), FIRST_DELAY, "this session's"};
	int64 reached;
	int64 lsn;

	while (pinecone_confirmed_are_kept() && (lsn = pinecone_unseen_last_lsn(session, namespace_)) >= 0)
	{
		bool done;

		reached = pinecone_indexed_lsn(session, namespace_, false);
		done = is_over(&wait, table, namespace_, lsn, reached);
		pinecone_unseen_note_indexed(session, namespace_, reached);
		if (done)
			break;
	}
}

bool
pinecone_consistency_wait_for(PineconeSession *session, const PineconeTable *table, const char *namespace_, int64 lsn)
{
	Wait wait = {pinecone_clock_now(), FIRST_DELAY, "all of these"};
	int64 reached;

	do
		reached = pinecone_indexed_lsn(session, namespace_, false);
	while (!is_over(&wait, table, namespace_, lsn, reached));
	pinecone_unseen_note_indexed(session, namespace_, reached);
	return reached >= lsn;
}

void
pinecone_consistency_settle(PineconeSession *session, const PineconeTable *table,
							const char *namespace_)
{
	if (pinecone_confirmed_are_kept())
		wait_for_unseen(session, NULL, table, namespace_, true);
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
	if (last_written == NULL)
		return NULL;
	names = palloc(Max(last_written->members, 1) * sizeof(char *));
	idset_start_iterate(last_written, &iterator);
	while ((entry = idset_iterate(last_written, &iterator)) != NULL)
	{
		if (strncmp(entry->id, prefix, len) == 0)
			names[(*n)++] = pstrdup(entry->id + len);
	}
	return names;
}
