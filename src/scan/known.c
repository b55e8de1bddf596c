/*
 * known.c
 *		Asks statistics and dry runs how many records match, and remembers.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/setting.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "scan/known.h"

/*
 * Dry runs of a statement: there may be five a second, and a join whose filters
 * all differ is not to wait for them.  What is not asked is searched for instead.
 */
#define MAX_DRY_RUNS 16

/* ---- Counts that a dry run brought ---- */

#define REMEMBERED 64

typedef struct Count
{
	char *key; /* in TopMemoryContext; NULL: free */
	uint32 hash;
	double records;
	PineconeTime counted_at;
} Count;

static Count counts[REMEMBERED];
static int next_count;

static TimestampTz dry_run_statement;
static int dry_runs;

static char *
count_key(const PineconeSourceSpec *spec)
{
	return psprintf("%u %s\n%s", spec->session->mapping, spec->namespace_, spec->filter);
}

static Count *
find_count(const char *key)
{
	uint32 hash = hash_bytes((const unsigned char *) key, strlen(key));

	for (int i = 0; i < REMEMBERED; i++)
	{
		if (counts[i].key != NULL && counts[i].hash == hash && strcmp(counts[i].key, key) == 0)
			return &counts[i];
	}
	return NULL;
}

static void
remember_count(const char *key, double records)
{
	Count *count = find_count(key);

	if (count == NULL)
	{
		char *copy = MemoryContextStrdup(TopMemoryContext, key);

		count = &counts[next_count];
		next_count = (next_count + 1) % REMEMBERED;
		if (count->key != NULL)
			pfree(count->key);
		count->key = copy;
		count->hash = hash_bytes((const unsigned char *) key, strlen(key));
	}
	count->records = records;
	count->counted_at = pinecone_clock_now();
}

/* Does what was counted then hold still? */
static bool
is_current(const PineconeSourceSpec *spec, PineconeTime at)
{
	return at != 0 && !pinecone_clock_passed(at, pinecone_stats_ttl_ms) && spec->unseen == NULL &&
		   pinecone_unseen_is_settled(spec->session, spec->own_name, at);
}

/*
 * Records of a namespace by statistics; -1 for one that they do not list, which
 * may be the alias of another.
 */
static double
listed_records(const PineconeSourceSpec *spec)
{
	double records = pinecone_stats_records(spec->session->stats, spec->namespace_);

	return records > 0 ? records : -1;
}

static bool
stats_are_current(const PineconeSourceSpec *spec)
{
	PineconeSession *session = spec->session;

	return session->stats != NULL && session->stats_location == session->location &&
		   is_current(spec, session->stats->fetched_at);
}

/* What the session remembers, or -1 */
static double
remembered_records(const PineconeSourceSpec *spec)
{
	double records = -1;

	if (spec->filter == NULL)
	{
		if (stats_are_current(spec))
			records = listed_records(spec);
	}
	else
	{
		char *key = count_key(spec);
		Count *count = find_count(key);

		if (count != NULL && is_current(spec, count->counted_at))
			records = count->records;
		pfree(key);
	}
	return records;
}

/* ---- Asking ---- */

static bool
may_dry_run(const PineconeSourceSpec *spec)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();

	if (!spec->may_dry_run || spec->session->no_dry_run)
		return false;
	if (statement != dry_run_statement)
		dry_runs = 0;
	dry_run_statement = statement;
	return dry_runs < MAX_DRY_RUNS;
}

/* False when there is nobody to ask. */
static bool
ask(PineconeKnownQuestion *question, const PineconeSourceSpec *spec)
{
	question->asked = true;
	if (spec->filter == NULL)
	{
		/* they would not list it this time either */
		if (stats_are_current(spec) && listed_records(spec) < 0)
			return false;
		question->before = spec->session->stats ? spec->session->stats->fetched_at : 0;
		if (pinecone_session_ask_stats(spec->session) && spec->counters)
			spec->counters->requests++;
		return true;
	}
	if (!may_dry_run(spec))
		return false;
	dry_runs++;
	question->call = pinecone_vectors_count(spec->session, spec->counters, spec->namespace_,
											spec->filter);
	return true;
}

/* What the dry run says, or -1. */
static double
take_dry_run(PineconeKnownQuestion *question, const PineconeSourceSpec *spec)
{
	PineconeFailure failure = pinecone_vectors_failure(question->call);
	double records = -1;

	if (failure == PINECONE_FAILURE_NONE)
	{
		char *key = count_key(spec);

		records = pinecone_vectors_count_result(question->call);
		remember_count(key, records);
		pfree(key);
	}
	else if (failure == PINECONE_FAILURE_NO_NAMESPACE)
		records = 0;
	else if (failure == PINECONE_FAILURE_REJECTED || failure == PINECONE_FAILURE_UNSUPPORTED)
		spec->session->no_dry_run = true; /* a key that may only read */
	pinecone_vectors_free(question->call);
	question->call = NULL;
	return records;
}

void
pinecone_known_begin(PineconeKnownQuestion *question)
{
	if (question->call != NULL)
		pinecone_vectors_free(question->call);
	memset(question, 0, sizeof(*question));
}

/*
 * So many are counted, and so many came, some of them unsure: what does that say?
 * Those that are sure are counted one and all; those that may be counted and did
 * not come are as many as have been written at most.
 */
static PineconeKnownKind
compare(const PineconeSourceSpec *spec, double records, double came, double unsure)
{
	int nwritten = 0;

	if (spec->unseen != NULL)
	{
		/* deleted by a filter, nobody knows which */
		if (pinecone_pending_has_filters(spec->unseen))
			return PINECONE_KNOWN_UNSURE;
		(void) pinecone_pending_ids(spec->unseen, &nwritten);
	}
	/* written since the search began */
	else if (!pinecone_unseen_is_settled(spec->session, spec->own_name, 0))
		return PINECONE_KNOWN_UNSURE;
	if (records == came - unsure)
		return PINECONE_KNOWN_ALL;
	if (records > came - unsure + nwritten)
		return PINECONE_KNOWN_MORE;
	/* fewer are counted than came: what is counted is out of date */
	return records < came - unsure ? PINECONE_KNOWN_NOTHING : PINECONE_KNOWN_UNSURE;
}

PineconeKnown
pinecone_known_matches(PineconeKnownQuestion *question, const PineconeSourceSpec *spec, double came, double unsure)
{
	PineconeKnown known = {PINECONE_KNOWN_NOTHING, -1};

	if (!question->asked)
	{
		if (remembered_records(spec) == came)
			return (PineconeKnown){PINECONE_KNOWN_ALL, came};
		if (!ask(question, spec))
			return known;
	}
	if (spec->filter != NULL)
	{
		if (question->call == NULL)
			return known;
		if (!pinecone_vectors_ready(question->call))
			return (PineconeKnown){PINECONE_KNOWN_ASKED, -1};
		known.records = take_dry_run(question, spec);
	}
	else
	{
		if (!pinecone_session_take_stats(spec->session))
			return (PineconeKnown){PINECONE_KNOWN_ASKED, -1};
		if (spec->session->stats != NULL && spec->session->stats->fetched_at != question->before)
			known.records = listed_records(spec);
	}
	if (known.records >= 0)
		known.kind = compare(spec, known.records, came, unsure);
	return known;
}

int
pinecone_known_calls(PineconeKnownQuestion *question, const PineconeSourceSpec *spec,
					 PineconeCall **calls)
{
	if (question->call != NULL)
		calls[0] = question->call;
	else if (question->asked && spec->filter == NULL && spec->session->stats_call != NULL &&
			 !spec->session->stats_taken)
		calls[0] = spec->session->stats_call;
	else
		return 0;
	return 1;
}
