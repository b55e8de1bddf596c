/*
 * id_descent.c
 *		The ids from some id down: a stretch of them after the other.
 *
 * A list goes up.  So a search for some ids, without vectors and metadata, shows
 * where the last of them are likely to begin; from there on all are walked to
 * (id_walk.c), and returned in the opposite order.  If more are wanted, a longer
 * stretch before that is.  Each is read to its end, so that nothing depends on
 * what the search has brought but the time.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "base/any_vector.h"
#include "base/limits.h"
#include "scan/id_descent.h"
#include "scan/id_page.h"
#include "scan/id_walk.h"
#include "scan/listing.h"
#include "wire/stats.h"

/* Ids of the search: at least, and one of so many that there are */
#define LEAST_SAMPLE 1000
#define SAMPLE_SHARE 20

/* Each stretch is longer than the one before it, up to so many ids */
#define GROWTH 4
#define LONGEST 20000

struct PineconeIdDescent
{
	const PineconeSourceSpec *spec;
	MemoryContext cxt;
	double wanted; /* ids of the next stretch */

	/* Where ids may be, the last one first */
	PineconeCall *sample_call; /* or NULL */
	int top_k;
	char **sample;
	int nsample;
	int next_sample;
	double share; /* of all ids */

	/* The stretch that is being read: from "low", or the first id, to "high" */
	char *low;	/* or NULL */
	char *high; /* ids beyond it have come; NULL: none has */
	bool first; /* and it ends with the last id, which takes asking for what is not there */
	bool last;	/* none is to come after it */
	MemoryContext stretch_cxt;
	PineconeSourceSpec stretch_spec;
	PineconeIdWalk *walk;
	PineconeListing *listing;

	/* What it has brought, the next one to be taken at the end */
	char **ids;
	int n;
	int size;
	bool complete;
	int location;
};

/* ---- Where to begin ---- */

static void
send_sample(PineconeIdDescent *descent)
{
	const PineconeSourceSpec *spec = descent->spec;
	double records = pinecone_stats_records(spec->session->stats, spec->namespace_);
	PineconeSearch search = {.namespace_ = spec->namespace_};
	float *values = pinecone_any_vector(spec->session->stats->dimension, 0);

	descent->top_k = (int) Min(pinecone_session_top_k(spec->session), Max(LEAST_SAMPLE, records / SAMPLE_SHARE));
	search.top_k = descent->top_k;
	search.nvalues = spec->session->stats->dimension;
	search.values = values;
	descent->sample_call = pinecone_vectors_query(spec->session, spec->counters, &search);
	pfree(values);
}

static int
compare_descending(const void *a, const void *b)
{
	return strcmp(*(char *const *) b, *(char *const *) a);
}

/* Is it an id to begin a stretch with? */
static bool
is_between(const PineconeIdDescent *descent, const char *id)
{
	const PineconeSourceSpec *spec = descent->spec;
	size_t least = spec->prefix ? strlen(spec->prefix) : 0;

	return (spec->after == NULL || strcmp(id, spec->after) > 0) &&
		   (spec->before == NULL || strcmp(id, spec->before) <= 0) &&
		   (least == 0 || (strlen(id) > least && strncmp(id, spec->prefix, least) == 0));
}

static void
keep_sample(PineconeIdDescent *descent, const PineconePage *page)
{
	const PineconeSourceSpec *spec = descent->spec;
	double records = Max(pinecone_stats_records(spec->session->stats, spec->namespace_), page->nrecords);

	descent->share = page->nrecords >= descent->top_k ? page->nrecords / records : 1;
	descent->sample = palloc(Max(page->nrecords, 1) * sizeof(char *));
	for (int i = 0; i < page->nrecords; i++)
	{
		if (is_between(descent, page->records[i].id))
			descent->sample[descent->nsample++] = pstrdup(page->records[i].id);
	}
	qsort(descent->sample, descent->nsample, sizeof(char *), compare_descending);
}

/* What has been searched for; a search that fails has brought nothing. */
static void
take_sample(PineconeIdDescent *descent)
{
	MemoryContext cxt = AllocSetContextCreate(descent->cxt, "pinecone sample of ids", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconePage *page = NULL;

	switch (pinecone_vectors_failure(descent->sample_call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
		case PINECONE_FAILURE_FORBIDDEN:
			break;
		default:
			page = pinecone_vectors_page(descent->sample_call);
			break;
	}
	MemoryContextSwitchTo(descent->cxt);
	if (page != NULL)
		keep_sample(descent, page);
	MemoryContextSwitchTo(old);
	pinecone_vectors_free(descent->sample_call);
	descent->sample_call = NULL;
	MemoryContextDelete(cxt);
}

/* ---- Stretches ---- */

static void
begin_stretch(PineconeIdDescent *descent)
{
	const PineconeSourceSpec *spec = descent->spec;
	int step = (int) Max(1, ceil(1.2 * Min(descent->wanted, LONGEST) * descent->share)) + (descent->first ? 2 : 0);
	MemoryContext old;

	descent->stretch_cxt = AllocSetContextCreate(descent->cxt, "pinecone stretch of ids", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(descent->stretch_cxt);
	descent->last = descent->next_sample + step > descent->nsample;
	if (!descent->last)
		descent->next_sample += step;
	descent->low = descent->last ? unconstify(char *, spec->after) : descent->sample[descent->next_sample - 1];
	descent->stretch_spec = *spec;
	descent->stretch_spec.op = PINECONE_OP_LIST;
	descent->stretch_spec.descending = false;
	descent->stretch_spec.ordered = true;
	descent->stretch_spec.row_limit = 0;
	descent->stretch_spec.after = descent->low;
	if (descent->low != NULL)
		descent->walk = pinecone_id_walk_begin(&descent->stretch_spec);
	else
		descent->listing = pinecone_listing_begin(&descent->stretch_spec);
	if (descent->walk != NULL && descent->first && descent->high == NULL)
		pinecone_id_walk_widen(descent->walk);
	MemoryContextSwitchTo(old);
}

/* Keep a page's ids; false when the stretch is at its end. */
static bool
keep(PineconeIdDescent *descent, const PineconePage *page)
{
	MemoryContext old = MemoryContextSwitchTo(descent->cxt);
	bool beyond = false;

	for (int i = 0; i < page->nrecords; i++)
	{
		const char *id = page->records[i].id;

		beyond = descent->high != NULL && strcmp(id, descent->high) >= 0;
		if (beyond)
			break;
		if (descent->n == descent->size)
		{
			descent->size = Max(1024, 2 * descent->size);
			descent->ids = descent->ids ? repalloc_huge(descent->ids, descent->size * sizeof(char *)) :
										  palloc(descent->size * sizeof(char *));
		}
		descent->ids[descent->n++] = pstrdup(id);
	}
	MemoryContextSwitchTo(old);
	return !beyond;
}

static PineconePage *
take_of_stretch(PineconeIdDescent *descent, MemoryContext *cxt)
{
	return descent->walk ? pinecone_id_walk_take(descent->walk, descent->stretch_cxt, cxt, &descent->location) :
						   pinecone_listing_take(descent->listing, descent->stretch_cxt, cxt, &descent->location);
}

static void
end_stretch(PineconeIdDescent *descent)
{
	descent->complete = true;
	descent->first = false;
	descent->wanted *= GROWTH;
	if (descent->low != NULL)
		descent->high = MemoryContextStrdup(descent->cxt, descent->low);
	descent->walk = NULL;
	descent->listing = NULL;
	MemoryContextDelete(descent->stretch_cxt);
}

static void
advance_stretch(PineconeIdDescent *descent)
{
	bool goes_on = true;

	/* after the last id there is nothing but places without one */
	if (descent->walk && pinecone_id_walk_is_vain(descent->walk))
		pinecone_id_walk_widen(descent->walk);
	if (descent->walk)
		pinecone_id_walk_advance(descent->walk, LONGEST);
	else
		pinecone_listing_advance(descent->listing, LONGEST);
	while (goes_on)
	{
		MemoryContext cxt;
		PineconePage *page = take_of_stretch(descent, &cxt);

		if (page == NULL)
			break;
		goes_on = keep(descent, page);
		MemoryContextDelete(cxt);
		if (goes_on && descent->walk)
			pinecone_id_walk_advance(descent->walk, LONGEST);
		else if (goes_on)
			pinecone_listing_advance(descent->listing, LONGEST);
	}
	if (!goes_on || (descent->walk ? pinecone_id_walk_done(descent->walk) : pinecone_listing_done(descent->listing)))
		end_stretch(descent);
}

void
pinecone_id_descent_advance(PineconeIdDescent *descent, double wanted)
{
	if (descent->sample_call != NULL)
	{
		if (!pinecone_vectors_ready(descent->sample_call))
			return;
		take_sample(descent);
	}
	/* a stretch that has no id is no reason to wait */
	while (wanted > 0 && !(descent->complete && (descent->n > 0 || descent->last)))
	{
		if (descent->walk == NULL && descent->listing == NULL)
		{
			descent->complete = false;
			begin_stretch(descent);
		}
		advance_stretch(descent);
		if (!descent->complete)
			return;
	}
}

/* ---- For the reader ---- */

PineconePage *
pinecone_id_descent_take(PineconeIdDescent *descent, MemoryContext parent, MemoryContext *cxt, int *location)
{
	int n = descent->complete ? Min(PINECONE_PAGE_IDS, descent->n) : 0;

	if (n == 0)
		return NULL;
	*location = descent->location;
	descent->n -= n;
	return pinecone_id_page_take(&descent->ids[descent->n + n - 1], n, -1, parent, cxt);
}

bool
pinecone_id_descent_done(PineconeIdDescent *descent)
{
	return descent->complete && descent->last && descent->n == 0;
}

int
pinecone_id_descent_calls(PineconeIdDescent *descent, PineconeCall **calls)
{
	if (descent->sample_call != NULL)
	{
		calls[0] = descent->sample_call;
		return 1;
	}
	return descent->walk	? pinecone_id_walk_calls(descent->walk, calls) :
		   descent->listing ? pinecone_listing_calls(descent->listing, calls) :
							  0;
}

PineconeIdDescent *
pinecone_id_descent_begin(const PineconeSourceSpec *spec)
{
	PineconeIdDescent *descent = palloc0(sizeof(PineconeIdDescent));
	const PineconeStats *stats = spec->session->stats;

	descent->spec = spec;
	descent->cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone id descent", ALLOCSET_DEFAULT_SIZES);
	descent->wanted = spec->row_limit > 0 ? spec->row_limit : PINECONE_FIRST_TOP_K;
	descent->first = true;
	descent->share = 1;
	descent->location = spec->session->location;
	/* what begins with "before" and goes on comes after it */
	descent->high = spec->before ? psprintf("%s\001", spec->before) : NULL;
	if (stats != NULL && stats->dimension > 0 && !stats->sparse && spec->session->schema == NULL)
		send_sample(descent);
	return descent;
}
