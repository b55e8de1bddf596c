/*
 * sweep_proof.c
 *		How many records there are, by counts that have to agree.
 *
 * Two are asked for while the searches are under way: a dry run of an update,
 * which counts what a filter finds in the index that searches are answered from,
 * and index statistics, which count what is stored.
 *
 * - Without a filter all records are counted by one that every record meets: a
 *   field exists, or it does not.  That the service sees it so is an assumption,
 *   which holds if statistics say the same.  If they do not, it is not made again.
 * - With a filter the dry run counts what meets it.  That index and storage are at
 *   the same point is told by the same check, of not long ago.
 *
 * Of documents statistics alone tell, and pages have to bring that many.
 *
 * What is too much for one dry run is counted part by part (sweep_census.c).
 *
 * Where statistics are behind what is stored, or searches are, the two differ,
 * and nothing is proved.  What this cluster has written and the service may not
 * show yet does not come here at all: see source.c.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "base/setting.h"
#include "scan/sweep_part.h"

/* A field that is as good as any where none is known */
#define SOME_FIELD "pinecone_fdw"

/* A statement may take long: statistics that it has asked for serve as new ones for so many ms */
#define RECENT_MS 1000

/* ---- Which namespaces are seen alike, and of which nothing comes of a sweep ---- */

#define REMEMBERED 64

typedef struct Note
{
	uint64 key; /* 0: free */
	PineconeTime agreed_at;
	PineconeTime failed_at[2]; /* of a sweep for all, and for a few */
	bool never;				   /* the assumption does not hold */
} Note;

static Note notes[REMEMBERED];
static int next_note;

/* ms after which a namespace may be swept again that could not be */
#define PAUSE_MS (5 * 60 * 1000)

static uint64
note_key(const PineconeSession *session, const char *namespace_)
{
	uint64 key = hash_combine64(hash_bytes_extended((const unsigned char *) namespace_, strlen(namespace_), 0),
								hash_combine64(session->mapping, session->host_hash));

	return Max(key, 1);
}

static Note *
find_note(const PineconeSession *session, const char *namespace_, bool make)
{
	uint64 key = note_key(session, namespace_);

	for (int i = 0; i < REMEMBERED; i++)
	{
		if (notes[i].key == key)
			return &notes[i];
	}
	if (!make)
		return NULL;
	next_note = (next_note + 1) % REMEMBERED;
	notes[next_note] = (Note){.key = key};
	return &notes[next_note];
}

bool
pinecone_sweep_has_failed(const PineconeSession *session, const char *namespace_, bool limited)
{
	Note *note = find_note(session, namespace_, false);
	PineconeTime at = note ? note->failed_at[limited] : 0;

	return note != NULL && ((note->never && !limited) || (at != 0 && !pinecone_clock_passed(at, PAUSE_MS)));
}

void
pinecone_proof_note_failure(const PineconeSweep *sweep)
{
	find_note(sweep->spec->session, sweep->spec->namespace_, true)->failed_at[sweep->limited] = pinecone_clock_now();
}

/* ---- Asking ---- */

bool
pinecone_sweep_can_count(const PineconeSourceSpec *spec)
{
	if (spec->session->schema != NULL)
		return true;
	return spec->may_dry_run && !spec->session->no_dry_run && !spec->session->dry_run_refused;
}

const char *
pinecone_proof_universal(const PineconeSweep *sweep)
{
	const char *field = sweep->field ? sweep->field : SOME_FIELD;

	return pinecone_filter_either(pinecone_filter_exists(field, true), pinecone_filter_exists(field, false)).json;
}

static bool
agreed_lately(const PineconeSweep *sweep)
{
	Note *note = find_note(sweep->spec->session, sweep->spec->namespace_, false);

	return note != NULL && note->agreed_at != 0 && !pinecone_clock_passed(note->agreed_at, pinecone_stats_ttl_ms);
}

/* Statistics that no earlier statement has asked for. */
static void
want_statistics(PineconeSweep *sweep)
{
	PineconeSession *session = sweep->spec->session;

	sweep->stats_wanted = true;
	sweep->stats_since = pinecone_clock_after_ms(pinecone_clock_now(), -RECENT_MS);
	if (session->stats != NULL && session->stats_asked_in == GetCurrentStatementStartTimestamp() &&
		session->stats_call == NULL && session->stats->fetched_at >= sweep->stats_since)
		return;
	if (pinecone_session_ask_stats(session) && sweep->spec->counters)
		sweep->spec->counters->requests++;
}

/* Are all records more than one dry run tells? */
static bool
is_large(const PineconeSweep *sweep)
{
	const PineconeSourceSpec *spec = sweep->spec;

	return spec->session->schema == NULL && spec->session->stats != NULL &&
		   pinecone_stats_records(spec->session->stats, spec->namespace_) >= PINECONE_COUNTED_AT_ONCE;
}

/* Count part by part, which takes a search that shows how to divide. */
static void
begin_census(PineconeSweep *sweep)
{
	if (sweep->census == NULL && sweep->dimension > 0)
		sweep->census = pinecone_census_begin(sweep, pinecone_stats_records(sweep->spec->session->stats, sweep->spec->namespace_));
}

void
pinecone_proof_begin(PineconeSweep *sweep)
{
	const PineconeSourceSpec *spec = sweep->spec;
	MemoryContext old;

	if (sweep->proof != PINECONE_PROOF_UNASKED)
		return;
	if (!pinecone_sweep_can_count(spec))
	{
		sweep->proof = PINECONE_PROOF_IMPOSSIBLE;
		return;
	}
	sweep->proof = PINECONE_PROOF_ASKED;
	old = MemoryContextSwitchTo(sweep->cxt);
	sweep->large = is_large(sweep);
	/* documents are counted by fetching them */
	if (spec->session->schema == NULL && (spec->filter != NULL || !sweep->large))
		sweep->count_call = pinecone_vectors_count(spec->session, spec->counters, spec->namespace_,
												   spec->filter ? spec->filter : pinecone_proof_universal(sweep));
	if (spec->filter == NULL || !agreed_lately(sweep))
		want_statistics(sweep);
	if (sweep->large && sweep->stats_wanted)
		begin_census(sweep);
	else if (spec->filter != NULL && sweep->stats_wanted)
		sweep->check_call = pinecone_vectors_count(spec->session, spec->counters, spec->namespace_,
												   pinecone_proof_universal(sweep));
	MemoryContextSwitchTo(old);
}

/* ---- Answers ---- */

/* What meets the filter has been counted, or is too much for that. */
static void
take_matches(PineconeSweep *sweep)
{
	bool counted = pinecone_vectors_failure(sweep->count_call) == PINECONE_FAILURE_NONE;
	MemoryContext old = MemoryContextSwitchTo(sweep->cxt);

	sweep->count = pinecone_sweep_take_count(sweep->spec->session, &sweep->count_call);
	sweep->many_match = counted && sweep->count < 0 && sweep->large;
	if (sweep->many_match)
		begin_census(sweep);
	if (sweep->many_match && sweep->census != NULL)
		pinecone_census_want_matches(sweep->census);
	MemoryContextSwitchTo(old);
}

bool
pinecone_proof_take(PineconeSweep *sweep)
{
	PineconeSession *session = sweep->spec->session;
	double all = -1;
	double matches = -1;

	if (sweep->proof != PINECONE_PROOF_ASKED)
		return true;
	if (sweep->count_call != NULL && pinecone_vectors_finished(sweep->count_call))
		take_matches(sweep);
	if (sweep->check_call != NULL && pinecone_vectors_finished(sweep->check_call))
		sweep->check = pinecone_sweep_take_count(session, &sweep->check_call);
	if (sweep->census != NULL && !pinecone_census_take(sweep->census, &all, &matches))
		return false;
	if (sweep->count_call != NULL || sweep->check_call != NULL ||
		(sweep->stats_wanted && !pinecone_session_take_stats(session)))
		return false;
	if (sweep->stats_wanted)
		sweep->records = session->stats != NULL && session->stats->fetched_at >= sweep->stats_since ?
							 pinecone_stats_records(session->stats, sweep->spec->namespace_) :
							 -1;
	/* they may be where none has been seen */
	if (sweep->census != NULL && all >= 0 && sweep->stats_wanted && all < sweep->records && pinecone_census_look_further(sweep->census))
	{
		(void) pinecone_census_take(sweep->census, &all, &matches);
		return false;
	}
	sweep->proof = PINECONE_PROOF_KNOWN;
	if (session->schema != NULL)
		sweep->count = sweep->records;
	if (sweep->large && sweep->stats_wanted)
		sweep->check = all;
	if (sweep->spec->filter == NULL)
		*(sweep->large ? &sweep->count : &sweep->check) = sweep->large ? sweep->check : sweep->count;
	else if (sweep->many_match)
		sweep->count = matches;
	return true;
}

/* Do dry runs and statistics see the same namespace? */
static bool
views_agree(PineconeSweep *sweep, const char **why)
{
	Note *note;

	if (!sweep->stats_wanted)
		return true;
	if (sweep->check < 0 || sweep->records < 0)
	{
		*why = "nobody counts its records";
		return false;
	}
	note = find_note(sweep->spec->session, sweep->spec->namespace_, true);
	if (sweep->check != sweep->records)
	{
		note->never = true;
		*why = "dry runs and statistics differ";
		return false;
	}
	note->agreed_at = pinecone_clock_now();
	return true;
}

bool
pinecone_proof_holds(PineconeSweep *sweep, double came, bool *missing, const char **why)
{
	*missing = false;
	if (sweep->proof != PINECONE_PROOF_KNOWN || sweep->count < 0)
	{
		*why = "matches cannot be counted";
		return false;
	}
	if (!views_agree(sweep, why))
		return false;
	*missing = sweep->count > came;
	if (sweep->spec->session->schema != NULL && *missing)
		find_note(sweep->spec->session, sweep->spec->namespace_, true)->never = true;
	if (sweep->count != came)
		*why = *missing ? "searches brought fewer records than are counted" :
						  "searches brought more records than are counted";
	return sweep->count == came;
}

int
pinecone_proof_calls(PineconeSweep *sweep, PineconeCall **calls)
{
	int n = 0;

	if (sweep->count_call != NULL)
		calls[n++] = sweep->count_call;
	if (sweep->check_call != NULL)
		calls[n++] = sweep->check_call;
	if (sweep->census != NULL && sweep->proof == PINECONE_PROOF_ASKED)
		n += pinecone_census_calls(sweep->census, calls + n);
	if (sweep->proof == PINECONE_PROOF_ASKED && sweep->stats_wanted &&
		sweep->spec->session->stats_call != NULL && !sweep->spec->session->stats_taken)
		calls[n++] = sweep->spec->session->stats_call;
	return n;
}

void
pinecone_proof_drop(PineconeSweep *sweep)
{
	pinecone_vectors_free(sweep->count_call);
	pinecone_vectors_free(sweep->check_call);
	sweep->count_call = sweep->check_call = NULL;
	if (sweep->census != NULL)
		pinecone_census_drop(sweep->census);
}
