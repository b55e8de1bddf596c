/*
 * sweep_census.c
 *		Counts of what is too much for one.
 *
 * A dry run tells 100,000 at most.  So all records are divided by filters, as a
 * search for some of them shows how, and counted part by part; and so is what
 * meets a filter, part by part.  A record that is in two parts makes the sum too
 * large, and one that is in none too small: as many as statistics tell, and as
 * many as came, they are only if each is in one, or if as many are left out as
 * are counted twice.  Then those that are left out have not come either.
 */
#include "postgres.h"

#include "base/any_vector.h"
#include "base/limits.h"
#include "scan/sweep_part.h"

/* Records that show how to divide; fewer where their metadata is large */
#define SAMPLE 1000
#define SMALL_SAMPLE 50

/* The sample's vector is another one than the sweep's */
#define SAMPLE_SEED 1

/* Calls that the reader waits for together */
#define MOST_AWAITED 24

/* A sum of counts, part by part */
typedef struct Tally
{
	bool wanted;
	bool all; /* parts that no record has shown are counted, too */
	int asked;
	int taken;
	PineconeCall *calls[PINECONE_COUNTED_PARTS];
	double sum; /* -1: somebody does not tell */
} Tally;

struct PineconeCensus
{
	PineconeSweep *sweep;
	double records; /* that are expected */
	int top_k;
	PineconeCall *sample;
	bool failed;

	PineconeFilter parts[PINECONE_COUNTED_PARTS];
	int nparts;
	int nlikely; /* of them, the first ones */

	Tally all;
	Tally matches; /* of the sweep's filter */
};

/* ---- Parts ---- */

static void
send_sample(PineconeCensus *census)
{
	const PineconeSourceSpec *spec = census->sweep->spec;
	PineconeSearch search = {.namespace_ = spec->namespace_, .include_metadata = true};
	float *values = pinecone_any_vector(census->sweep->dimension, SAMPLE_SEED);

	census->top_k = Min(census->top_k, pinecone_session_top_k(spec->session));
	search.top_k = census->top_k;
	search.nvalues = census->sweep->dimension;
	search.values = values;
	census->sample = pinecone_vectors_query(spec->session, spec->counters, &search);
	pfree(values);
}

static bool
keep_parts(PineconeCensus *census, dlist_head *parts)
{
	dlist_iter iter;

	dlist_foreach(iter, parts)
	{
		if (census->nparts == PINECONE_COUNTED_PARTS)
			return false;
		census->parts[census->nparts++] = dlist_container(PineconeSweepPart, node, iter.cur)->filter;
	}
	return true;
}

static void
make_parts(PineconeCensus *census, PineconePage *page)
{
	dlist_head likely;
	dlist_head unlikely;

	dlist_init(&likely);
	dlist_init(&unlikely);
	census->failed = !pinecone_sweep_divide(census->sweep, page, census->records, PINECONE_COUNTED_OF_PART, &likely, &unlikely) ||
					 !keep_parts(census, &likely);
	census->nlikely = census->nparts;
	census->failed = census->failed || !keep_parts(census, &unlikely);
}

/* The records that show how to divide have come, or have not. */
static void
take_sample(PineconeCensus *census)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone census", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	bool again = false;
	int ceiling;

	switch (pinecone_vectors_failure(census->sample))
	{
		case PINECONE_FAILURE_TOO_LARGE:
			again = census->top_k > SMALL_SAMPLE;
			census->top_k = SMALL_SAMPLE;
			census->failed = !again;
			break;
		case PINECONE_FAILURE_REJECTED:
			ceiling = pinecone_vectors_ceiling(census->sample, "topk", census->top_k, true);
			if (ceiling > 0)
				census->sweep->spec->session->max_top_k = ceiling;
			again = ceiling > 0;
			census->failed = !again;
			break;
		case PINECONE_FAILURE_UNSUPPORTED:
		case PINECONE_FAILURE_FORBIDDEN:
			census->failed = true;
			break;
		default:
			old = MemoryContextSwitchTo(cxt);
			make_parts(census, pinecone_vectors_page(census->sample));
			MemoryContextSwitchTo(old);
			break;
	}
	pinecone_vectors_free(census->sample);
	census->sample = NULL;
	if (again)
		send_sample(census);
	MemoryContextDelete(cxt);
}

/* ---- Counts ---- */

static void
ask(PineconeCensus *census, Tally *tally, const char *filter)
{
	const PineconeSourceSpec *spec = census->sweep->spec;
	int end = tally->all ? census->nparts : census->nlikely;

	for (; tally->wanted && tally->asked < end; tally->asked++)
	{
		PineconeFilter part = census->parts[tally->asked];

		if (filter != NULL)
			part = pinecone_filter_both((PineconeFilter){PINECONE_FILTER_JSON, unconstify(char *, filter)}, part);
		tally->calls[tally->asked] = pinecone_vectors_count(spec->session, spec->counters, spec->namespace_, part.json);
	}
}

/* False while something is on its way. */
static bool
take(PineconeCensus *census, Tally *tally)
{
	for (int i = 0; i < tally->asked; i++)
	{
		double count;

		if (tally->calls[i] == NULL || !pinecone_vectors_finished(tally->calls[i]))
			continue;
		count = pinecone_sweep_take_count(census->sweep->spec->session, &tally->calls[i]);
		tally->sum = count < 0 || tally->sum < 0 ? -1 : tally->sum + count;
		tally->taken++;
	}
	return tally->taken == tally->asked;
}

static void
drop(Tally *tally)
{
	for (int i = 0; i < tally->asked; i++)
	{
		pinecone_vectors_free(tally->calls[i]);
		tally->calls[i] = NULL;
	}
	tally->taken = tally->asked;
}

/* ---- For the sweep ---- */

PineconeCensus *
pinecone_census_begin(PineconeSweep *sweep, double records)
{
	PineconeCensus *census = palloc0(sizeof(PineconeCensus));

	census->sweep = sweep;
	census->records = records;
	census->top_k = Min(SAMPLE, PINECONE_MAX_TOP_K);
	census->all.wanted = sweep->stats_wanted;
	send_sample(census);
	return census;
}

void
pinecone_census_want_matches(PineconeCensus *census)
{
	census->matches.wanted = census->matches.all = true;
}

bool
pinecone_census_take(PineconeCensus *census, double *records, double *matches)
{
	MemoryContext old = MemoryContextSwitchTo(census->sweep->cxt);
	bool done;

	if (census->sample != NULL && pinecone_vectors_finished(census->sample))
		take_sample(census);
	if (census->sample == NULL && !census->failed)
	{
		ask(census, &census->all, NULL);
		ask(census, &census->matches, census->sweep->spec->filter);
	}
	done = take(census, &census->all);
	done = take(census, &census->matches) && done && census->sample == NULL;
	*records = census->failed ? -1 : census->all.sum;
	*matches = census->failed || !census->matches.wanted ? -1 : census->matches.sum;
	MemoryContextSwitchTo(old);
	return done;
}

bool
pinecone_census_look_further(PineconeCensus *census)
{
	if (census->failed || census->all.all || census->nlikely == census->nparts)
		return false;
	census->all.all = true;
	return true;
}

int
pinecone_census_calls(PineconeCensus *census, PineconeCall **calls)
{
	Tally *tallies[] = {&census->all, &census->matches};
	int n = 0;

	if (census->sample != NULL)
		calls[n++] = census->sample;
	for (int i = 0; i < lengthof(tallies); i++)
	{
		for (int j = 0; j < tallies[i]->asked && n < MOST_AWAITED; j++)
		{
			if (tallies[i]->calls[j] != NULL)
				calls[n++] = tallies[i]->calls[j];
		}
	}
	return n;
}

void
pinecone_census_drop(PineconeCensus *census)
{
	pinecone_vectors_free(census->sample);
	census->sample = NULL;
	census->failed = true;
	drop(&census->all);
	drop(&census->matches);
}
