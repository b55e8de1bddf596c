/*
 * index_stats.c
 *		What a session knows of its index: metric, dimension, namespaces and how
 *		many records they have.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/setting.h"
#include "client/account.h"
#include "client/alias.h"
#include "client/cache.h"
#include "client/call.h"
#include "client/hosts.h"
#include "client/idle.h"
#include "client/learned.h"
#include "client/session.h"
#include "wire/message.h"

/* They must not be out of date again when those who asked ahead look. */
#define MIN_TTL_TO_ASK_AHEAD_MS 1000

/* How long what planning was told is as good as asking again */
#define PLANNED_GOOD_MS 1000

/* How long who can do without statistics waits for them */
#define STATS_PATIENCE_MS 1000

/*
 * A statement that does without the statistics is not to ask for them again and
 * again, nor to spend most of its time on that: after a failure they are let
 * alone for so many times what it took, within these bounds.
 */
#define STATS_PAUSE_FACTOR 10
#define LEAST_STATS_PAUSE_MS 1000
#define MOST_STATS_PAUSE_MS 60000

void
pinecone_session_drop_stats_call(PineconeSession *session)
{
	PineconeCall *call = session->stats_call;

	session->stats_call = NULL;
	pinecone_vectors_free(call);
}

static PineconeStats *
copy_stats(PineconeSession *session, const PineconeStats *stats)
{
	PineconeStats *copy;
	MemoryContext old;

	/* as they came: what the schema says is our own knowledge */
	pinecone_hosts_note_stats(session, stats);
	session->stats = NULL;
	MemoryContextReset(session->stats_cxt);
	old = MemoryContextSwitchTo(session->stats_cxt);
	copy = palloc(sizeof(PineconeStats));
	*copy = *stats;
	copy->namespaces = palloc(Max(stats->nnamespaces, 1) * sizeof(PineconeNamespaceStats));
	for (int i = 0; i < stats->nnamespaces; i++)
	{
		copy->namespaces[i].name = pstrdup(stats->namespaces[i].name);
		copy->namespaces[i].records = stats->namespaces[i].records;
	}
	copy->fetched_at = pinecone_clock_now();
	/* of documents they need not tell of vectors */
	if (session->schema != NULL)
	{
		copy->metric = session->schema->dense ? session->schema->dense->metric : PINECONE_METRIC_UNKNOWN;
		copy->dimension = session->schema->dense ? session->schema->dense->dimension : 0;
		copy->sparse = false;
	}
	MemoryContextSwitchTo(old);
	session->stats = copy;
	session->stats_location = session->location;
	session->stats_retry_at = 0;
	return copy;
}

/* What the session asks to know the place, or NULL. */
static const PineconeCall *
asked_for_place(const PineconeSession *session)
{
	const PineconeFailover *failover = session->failover;

	if (failover != NULL && failover->probe != NULL)
		return failover->probe;
	if (failover != NULL && failover->lister != NULL && !pinecone_call_finished(failover->lister))
		return failover->lister;
	return session->resolver;
}

void
pinecone_session_wait_place(PineconeSession *session)
{
	PineconeProblem *problem = NULL;

	while (!pinecone_session_locate(session, &problem) && problem == NULL)
	{
		const PineconeCall *asked;

		/* a call that was asked may be gone then: another one of the session has taken the place */
		pinecone_call_advance(NULL);
		asked = asked_for_place(session);
		if (asked != NULL && !pinecone_call_finished(asked))
			pinecone_call_wait_a_moment(pinecone_session_patience(session));
	}
}

/*
 * What is known of the index, be it out of date: metric and dimension of an
 * index do not change.  Of one that may have been replaced it says nothing.
 */
static PineconeStats *
known_stats(PineconeSession *session)
{
	if (session->base_url == NULL || session->stats_location != session->location)
		return NULL;
	return session->stats;
}

/* Are the statistics recent? */
static bool
stats_are_current(PineconeSession *session)
{
	PineconeStats *stats = known_stats(session);

	return stats != NULL && stats->fetched_at != 0 &&
		   !pinecone_clock_passed(stats->fetched_at, pinecone_stats_ttl_ms);
}

/* Has asking for them failed a short while ago? */
static bool
stats_have_failed(PineconeSession *session)
{
	return session->stats_retry_at != 0 && pinecone_clock_now() < session->stats_retry_at;
}

/*
 * Another session may have been told what this one would have to ask for.  For
 * that it has to be known where the index is, which may take a question, too.
 */
static void
adopt_stats_of(PineconeSession *session, PineconeTime after)
{
	PineconeProblem *problem = NULL;
	PineconeTime asked_at;
	PineconeStats *stats;
	const char *reason;
	size_t len;
	char *body;

	if (!pinecone_learned_is_kept() || !pinecone_session_locate(session, &problem))
		return;
	body = pinecone_learned_get(session, PINECONE_LEARNED_STATS, after, &asked_at, &len);
	if (body != NULL && pinecone_message_decode_stats(body, len, &stats, &reason))
		copy_stats(session, stats)->fetched_at = asked_at;
	if (session->latency_us == 0 &&
		(body = pinecone_learned_get(session, PINECONE_LEARNED_LATENCY, 0, &asked_at, &len)) != NULL)
		session->latency_us = strtoi64(body, NULL, 10);
}

static void
adopt_stats(PineconeSession *session)
{
	if (!stats_are_current(session))
		adopt_stats_of(session, pinecone_clock_after_ms(pinecone_clock_now(), -(int64) pinecone_stats_ttl_ms));
}

/* Others may have what a call has brought. */
static void
share_stats(PineconeSession *session, PineconeCall *call)
{
	pinecone_learned_put(session, PINECONE_LEARNED_STATS, call->exchange->body,
						 call->exchange->body_len, call->sent_at);
	if (session->latency_us > 0 && pinecone_learned_is_kept())
	{
		char *latency = psprintf(INT64_FORMAT, session->latency_us);

		pinecone_learned_put(session, PINECONE_LEARNED_LATENCY, latency, strlen(latency), call->sent_at);
		pfree(latency);
	}
}

static void
ask_for_stats(PineconeSession *session, bool single_attempt)
{
	PineconeCall *call;

	pinecone_session_drop_stats_call(session);
	call = pinecone_vectors_stats_try(session, single_attempt);
	/* it outlives the statement, if that does not come to take its result */
	MemoryContextSetParent(call->cxt, TopMemoryContext);
	session->stats_call = call;
	session->stats_taken = false;
	session->stats_asked_at = pinecone_clock_now();
	session->stats_asked_in = GetCurrentStatementStartTimestamp();
}

/* Has what was asked for been answered, or not, and has nobody looked yet? */
static bool
stats_are_asked_for(PineconeSession *session)
{
	return session->stats_call != NULL && !session->stats_taken;
}

bool
pinecone_session_ask_stats(PineconeSession *session)
{
	if (stats_are_asked_for(session) || stats_have_failed(session))
		return false;
	ask_for_stats(session, true);
	return true;
}

void
pinecone_session_refresh(PineconeSession *session)
{
	adopt_stats(session);
	if (stats_are_asked_for(session) || stats_are_current(session) ||
		stats_have_failed(session) || pinecone_stats_ttl_ms < MIN_TTL_TO_ASK_AHEAD_MS)
		return;
	ask_for_stats(session, true);
}

bool
pinecone_session_stats_ready(PineconeSession *session)
{
	adopt_stats(session);
	return stats_are_asked_for(session) || stats_are_current(session);
}

static void
note_stats_failure(PineconeSession *session)
{
	PineconeTime now = pinecone_clock_now();
	int64 pause = STATS_PAUSE_FACTOR * (now - session->stats_asked_at) / 1000;

	pause = Max(LEAST_STATS_PAUSE_MS, Min(pause, MOST_STATS_PAUSE_MS));
	session->stats_retry_at = pinecone_clock_after_ms(now, pause);
}

/*
 * Take what has been asked for.  A failed call stays, for who cannot do without
 * and would otherwise wait a second time to be told the same.
 */
static void
take_stats(PineconeSession *session)
{
	PineconeStats *stats = pinecone_vectors_stats_try_result(session->stats_call);

	session->stats_taken = true;
	if (stats == NULL)
	{
		note_stats_failure(session);
		return;
	}
	copy_stats(session, stats)->fetched_at = session->stats_asked_at;
	share_stats(session, session->stats_call);
	pinecone_session_drop_stats_call(session);
}

bool
pinecone_session_take_stats(PineconeSession *session)
{
	if (!stats_are_asked_for(session))
		return true;
	if (!pinecone_vectors_ready(session->stats_call))
		return false;
	take_stats(session);
	return true;
}

/* Statistics for who can do without: not waited for long, old ones rather than none. */
static PineconeStats *
try_stats(PineconeSession *session)
{
	if (!stats_are_asked_for(session))
	{
		if (stats_have_failed(session))
			return known_stats(session);
		ask_for_stats(session, true);
	}
	if (pinecone_call_wait_until(session->stats_call,
								 pinecone_clock_after_ms(session->stats_asked_at, STATS_PATIENCE_MS)))
		take_stats(session);
	return known_stats(session);
}

static bool
asked_by_this_statement(PineconeSession *session)
{
	return session->stats_asked_in == GetCurrentStatementStartTimestamp();
}

/* Has this statement waited for them in vain, to no purpose of doing so again? */
static bool
statement_has_waited(PineconeSession *session)
{
	return session->stats_call != NULL && session->stats_taken &&
		   asked_by_this_statement(session) &&
		   session->stats_call->problem.outcome == PINECONE_HTTP_TIMED_OUT;
}

PineconeStats *
pinecone_session_stats(PineconeSession *session, bool fresh, bool try_only)
{
	PineconeStats *stats;
	PineconeCall *call;

	if (!fresh)
		adopt_stats(session);
	if (!fresh && stats_are_current(session))
		return session->stats;
	if (try_only || (!fresh && known_stats(session) != NULL))
		return try_stats(session);

	/* what an earlier statement has waited for in vain is asked for anew */
	if (stats_are_asked_for(session) && !asked_by_this_statement(session) &&
		!pinecone_call_finished(session->stats_call))
		pinecone_session_drop_stats_call(session);
	if (stats_are_asked_for(session))
	{
		take_stats(session);
		if (stats_are_current(session))
			return session->stats;
	}
	if (statement_has_waited(session))
		pinecone_vectors_report(session->stats_call, ERROR);
	call = pinecone_vectors_stats_try(session, false);
	stats = copy_stats(session, pinecone_vectors_stats_result(call));
	share_stats(session, call);
	pinecone_vectors_free(call);
	return stats;
}

PineconeStats *
pinecone_session_known_stats(PineconeSession *session)
{
	adopt_stats(session);
	(void) pinecone_session_take_stats(session);
	return known_stats(session);
}

/* ---- What a statement counts by ---- */

/*
 * A table with a cache may be counted by what was asked for earlier.  Where such
 * statistics are good, they are what the statement goes by; else it asks now.
 */
static PineconeTime
counts_from(PineconeSession *session, PineconeCounters *counters)
{
	PineconeTime from = pinecone_cache_counts_from(session, counters);

	if (counters->cache == NULL)
		return from;
	if (known_stats(session) == NULL || session->stats->fetched_at < from)
		adopt_stats_of(session, from);
	if (known_stats(session) != NULL && session->stats->fetched_at >= from)
	{
		counters->cache_hits++;
		pinecone_account_cache(session, "describe index stats", NULL, true);
		return from;
	}
	counters->cache_misses++;
	pinecone_account_cache(session, "describe index stats", NULL, false);
	return pinecone_clock_now();
}

/*
 * May those that were asked for to make the plan be what its run goes by?  They
 * are as good as what would be asked for now, but for the moment that planning
 * takes; and once only, for a plan may run again.
 */
static bool
planned_will_do(PineconeSession *session, PineconeTime planned_at)
{
	return planned_at != 0 && planned_at == session->stats_asked_at &&
		   planned_at != session->stats_spent_at &&
		   !pinecone_clock_passed(planned_at, PLANNED_GOOD_MS);
}

void
pinecone_session_begin_count(PineconeSession *session, PineconeCounters *counters,
							 PineconeTime planned_at)
{
	uint64 statement = pinecone_pins_serial(counters->pins);
	bool new_statement = statement == 0 || statement != session->count_statement;

	if (new_statement && planned_will_do(session, planned_at))
	{
		session->count_from = session->stats_spent_at = planned_at;
		counters->requests++;
	}
	else if (new_statement)
		session->count_from = counts_from(session, counters);
	session->count_statement = statement;
	if ((known_stats(session) != NULL && session->stats->fetched_at >= session->count_from) ||
		(stats_are_asked_for(session) && session->stats_asked_at >= session->count_from))
		return;
	ask_for_stats(session, false);
	counters->requests++;
}

/* Take what was asked for with all its attempts: an error if they failed. */
static void
take_counted(PineconeSession *session)
{
	session->stats_taken = true;
	copy_stats(session, pinecone_vectors_stats_result(session->stats_call))->fetched_at =
		session->stats_asked_at;
	share_stats(session, session->stats_call);
	pinecone_session_drop_stats_call(session);
}

bool
pinecone_session_count_is_answered(PineconeSession *session)
{
	return !stats_are_asked_for(session) || session->stats_asked_at < session->count_from ||
		   pinecone_vectors_ready(session->stats_call);
}

PineconeStats *
pinecone_session_count_stats(PineconeSession *session, PineconeCounters *counters)
{
	PineconeCall *call;
	PineconeStats *stats;

	if (stats_are_asked_for(session) && session->stats_asked_at >= session->count_from)
	{
		if (session->stats_call->single_attempt)
			take_stats(session);
		else
			take_counted(session);
	}
	if (known_stats(session) != NULL && session->stats->fetched_at >= session->count_from)
		return session->stats;
	if (statement_has_waited(session))
		pinecone_vectors_report(session->stats_call, ERROR);
	call = pinecone_vectors_stats(session, counters);
	stats = copy_stats(session, pinecone_vectors_stats_result(call));
	share_stats(session, call);
	pinecone_vectors_free(call);
	return stats;
}

PineconeNamespaceStats *
pinecone_session_namespaces(PineconeSession *session, PineconeTable *table, PineconeStats *stats,
							int *n)
{
	bool all = table->namespace_attnum > 0 && table->namespaces == NULL;
	char **names = table->namespace_attnum > 0 ? table->namespaces : &table->namespace_;
	PineconeNamespaceStats *result;

	*n = all ? stats->nnamespaces : table->namespace_attnum > 0 ? table->nnamespaces :
																  1;
	result = palloc(Max(*n, 1) * sizeof(PineconeNamespaceStats));
	for (int i = 0; i < *n; i++)
	{
		result[i].name = pstrdup(all ? stats->namespaces[i].name : names[i]);
		result[i].records = all ? stats->namespaces[i].records :
								  pinecone_alias_records(session, stats, names[i]);
	}
	return result;
}
