/*
 * listing_split.c
 *		Where a listing is split.
 *
 * Two ways lead to it.  A sample of ids says which prefixes have how many; for
 * several sizes that spans may have it is reckoned what splitting down to these
 * takes: rounds, one page after the other; requests, for bytes that no id has as
 * well; and turns, where requests per second are limited.  The best of them is
 * taken, or none.  And where spans go on for longer than thought, or no sample
 * could be had, the longest is split while there is room for more requests.
 *
 * What a listing may cost more than page after page is limited.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "base/limits.h"
#include "base/setting.h"
#include "scan/listing_part.h"

/* Ids and prefixes are so long at most (API 2025-10) */
#define MAX_ID_LENGTH 512

/* ms of a request that are not spent waiting, and what one more ought to save */
#define REQUEST_MS 0.15
#define REQUEST_WORTH_MS 1.0

/* Nearer than this many ms, it is not waiting that takes the time */
#define LEAST_LATENCY_MS 2.0

/* Wide, it takes this share of the time at most, or it is not worth it */
#define WORTH_SHARE 0.8

/* A span of so many samples is not looked into: chance would decide */
#define LEAST_SAMPLES 4

/* Pages after which a span may be one that goes on */
#define LONG_SPAN 8

/* Pages that a namespace of unknown size is read before it is thought large */
#define LARGE_SHARE 4

/* Where it is to be split for a test, so many spans are enough */
#define FORCED_SPANS 400

static bool
is_forced(void)
{
	return pinecone_wide_listing_records == 0;
}

/* Milliseconds that a request takes. */
static double
latency_ms(const PineconeListing *listing)
{
	return Max(listing->spec->session->latency_us / 1000.0, REQUEST_MS);
}

/* Pages that the listing takes one after the other, as far as is known. */
static double
all_pages(const PineconeListing *listing)
{
	return Max(listing->listed, listing->records) / PINECONE_LIST_PAGE + 1;
}

/* Requests that splits may cost. */
static double
allowed_extra(const PineconeListing *listing)
{
	return all_pages(listing) * pinecone_wide_listing_extra / 100.0;
}

/* ---- What the sample says ---- */

/* The ids of a span, from where it stood when it was decided how to split. */
static double
ids_of(const PineconeListing *listing, const PineconeSpan *span)
{
	int begin = pinecone_sample_begin(listing, span->bound, span->boundlen);
	int end = pinecone_sample_end(listing, span->bound, span->boundlen);

	return Max(0, end - Max(begin, span->first_sample)) * listing->scale;
}

/* ---- What a size of spans takes ---- */

typedef struct SplitPlan
{
	const PineconeListing *listing;
	double most;	/* ids of a span */
	double extra;	/* requests */
	double longest; /* rounds until the last span is at its end */
	double allowed;
} SplitPlan;

static void plan_span(SplitPlan *plan, int begin, int end, int depth, const char *last, double rounds);

/* The spans that a split at a depth makes of samples, which differ from "last" there. */
static void
plan_children(SplitPlan *plan, int begin, int end, int depth, const char *last, double rounds)
{
	char **sample = plan->listing->sample;

	plan->extra += PINECONE_MAX_ID_BYTE - (unsigned char) last[depth];
	while (begin < end)
	{
		int next = begin;

		while (next < end && sample[next][depth] == sample[begin][depth])
			next++;
		/* a page more or less, for the last one is not full */
		plan->extra -= 0.5;
		plan_span(plan, begin, next, depth + 1, NULL, rounds + 1);
		begin = next;
	}
}

/*
 * A span of samples that have their first "depth" bytes in common, and begin
 * after "last", or nobody knows where: then the first of them is as good.
 */
static void
plan_span(SplitPlan *plan, int begin, int end, int depth, const char *last, double rounds)
{
	const PineconeListing *listing = plan->listing;

	check_stack_depth();
	if (last == NULL)
		last = listing->sample[begin];
	while ((end - begin) * listing->scale > plan->most && last[depth] != '\0' &&
		   plan->extra <= plan->allowed)
	{
		int middle = end;

		while (middle > begin && strncmp(listing->sample[middle - 1], last, depth + 1) != 0)
			middle--;
		plan_children(plan, middle, end, depth, last, rounds);
		end = middle;
		depth++;
	}
	plan->longest = Max(plan->longest, rounds + (end - begin) * listing->scale / PINECONE_LIST_PAGE);
}

/* Milliseconds for so many requests, of which so many come one after the other. */
static double
time_of(const PineconeListing *listing, double requests, double rounds)
{
	PineconeSession *session = listing->spec->session;
	double rate = session->paced ? session->options->rates.limits[PINECONE_RATE_LIST] : 0;
	double ms = Max(rounds, requests / listing->width) * latency_ms(listing);

	ms = Max(ms, requests * REQUEST_MS);
	if (rate > 0)
		ms = Max(ms, (requests - rate) / rate * 1000);
	return ms;
}

/* The ids that a span may have, or 0 when it is best to leave all as one. */
static double
best_size(const PineconeListing *listing, const PineconeSpan *span)
{
	double left = ids_of(listing, span);
	double pages = left / PINECONE_LIST_PAGE;
	double least = time_of(listing, pages, pages) * WORTH_SHARE;
	double best = 0;

	for (double most = left / 2; most >= Max(2 * PINECONE_LIST_PAGE, LEAST_SAMPLES * listing->scale); most /= 1.4)
	{
		SplitPlan plan = {.listing = listing, .most = most, .allowed = allowed_extra(listing)};
		double ms;

		plan_span(&plan, span->first_sample,
				  pinecone_sample_end(listing, span->bound, span->boundlen), span->boundlen,
				  span->last, 0);
		if (plan.extra > plan.allowed)
			break;
		ms = time_of(listing, pages + plan.extra, plan.longest) + plan.extra * REQUEST_WORTH_MS;
		if (ms < least)
		{
			least = ms;
			best = most;
		}
	}
	return best;
}

/* ---- Splitting ---- */

/* May a span be split at that depth?  Where its last id ends that is seldom of use. */
static bool
can_split(const PineconeSpan *span, int depth)
{
	return span->last != NULL && depth < MAX_ID_LENGTH && span->last[depth] != '\0';
}

/* Split a span until what is left of it is small enough. */
static void
split_large(PineconeListing *listing, PineconeSpan *span)
{
	while (listing->most > 0 && can_split(span, span->boundlen) &&
		   ids_of(listing, span) > listing->most &&
		   listing->extra + pinecone_span_split_cost(span, span->boundlen) <= allowed_extra(listing) * 1.25)
		pinecone_span_split(listing, span, span->boundlen);
}

/* Anywhere, so that tests come across all there is. */
static void
split_for_test(PineconeListing *listing, PineconeSpan *span)
{
	int length = span->last ? (int) strlen(span->last) : 0;
	int depth;

	if (span->last == NULL || listing->extra >= FORCED_SPANS)
		return;
	depth = span->boundlen +
			DatumGetUInt32(hash_any((const unsigned char *) span->last, length)) % 3;
	depth = Min(Min(depth, length), MAX_ID_LENGTH - 1);
	if (depth >= span->boundlen)
		pinecone_span_split(listing, span, depth);
}

/* ---- When ---- */

/* Is the service so far away that waiting for it is what takes the time? */
static bool
is_far(const PineconeListing *listing)
{
	return latency_ms(listing) >= LEAST_LATENCY_MS;
}

static void
start_sampling(PineconeListing *listing)
{
	listing->state = PINECONE_LISTING_SAMPLING;
	pinecone_sample_start(listing);
}

/* The first page is there, and the sample, or there is none. */
void
pinecone_listing_decide(PineconeListing *listing)
{
	PineconeSpan *span;

	if (listing->state != PINECONE_LISTING_SAMPLING || listing->pages == 0 || listing->sample_call != NULL ||
		dlist_is_empty(&listing->spans))
		return;
	span = dlist_head_element(PineconeSpan, node, &listing->spans);
	if (listing->disordered || span->last == NULL || !is_far(listing))
	{
		listing->state = PINECONE_LISTING_NARROW;
		listing->may_be_wide = false;
		return;
	}
	listing->state = PINECONE_LISTING_WIDE;
	if (listing->nsample == 0)
		return;
	if (listing->total < 0)
		listing->total = Max(listing->listed, listing->nsample) * 2;
	listing->scale = Max(1, listing->total / listing->nsample);
	span->first_sample = pinecone_sample_after(listing, span->last);
	listing->records = listing->listed + ids_of(listing, span);
	span->expected = span->chain.pages + ids_of(listing, span) / PINECONE_LIST_PAGE;
	listing->most = best_size(listing, span);
	split_large(listing, span);
}

void
pinecone_listing_consider_sample(PineconeListing *listing)
{
	if (!listing->may_be_wide)
		return;
	if (is_forced())
		listing->state = PINECONE_LISTING_WIDE;
	else if (listing->records >= pinecone_wide_listing_records && is_far(listing))
		start_sampling(listing);
}

void
pinecone_listing_consider(PineconeListing *listing, PineconeSpan *span)
{
	if (listing->state == PINECONE_LISTING_SAMPLING)
		pinecone_listing_decide(listing);
	else if (listing->state == PINECONE_LISTING_NARROW)
	{
		/* statistics may be missing, or older than what is written */
		double many = listing->records < 0 ? pinecone_wide_listing_records / LARGE_SHARE : 0;

		if (listing->may_be_wide && !listing->disordered && listing->listed >= many && is_far(listing))
			start_sampling(listing);
		pinecone_listing_decide(listing);
	}
	else if (is_forced())
		split_for_test(listing, span);
	else
		split_large(listing, span);
}

/*
 * Pages that a span is thought to have left: where there was a sample it has been
 * split as that says, unless it turns out to be wrong; else as many as it has had.
 */
static double
pages_left(const PineconeListing *listing, const PineconeSpan *span)
{
	if (listing->nsample > 0 && span->chain.pages <= span->expected * 2)
		return 0;
	return span->since;
}

/*
 * Split the span that has gone on for longest.  Each time that this was in vain
 * it is tried at twice as many depths at once.
 */
void
pinecone_listing_widen(PineconeListing *listing)
{
	PineconeSpan *longest = NULL;
	double cost;
	int depth;

	if (listing->nqueued > 0 || listing->nactive * 2 > listing->width || is_forced())
		return;
	for (int i = 0; i < listing->nactive; i++)
	{
		PineconeSpan *span = listing->active[i];

		if (span->since >= LONG_SPAN && can_split(span, span->boundlen) &&
			(longest == NULL || span->since > longest->since))
			longest = span;
	}
	if (longest == NULL || pages_left(listing, longest) < LONG_SPAN)
		return;
	depth = longest->boundlen + (1 << Min(longest->splits, 4)) - 1;
	depth = Max(longest->boundlen, Min(depth, longest->common - 1));
	while (depth > longest->boundlen && !can_split(longest, depth))
		depth--;
	cost = pinecone_span_split_cost(longest, depth);
	if (listing->extra + cost > allowed_extra(listing) ||
		cost / listing->width > pages_left(listing, longest) / 2)
	{
		longest->since = 0; /* another time */
		return;
	}
	pinecone_span_split(listing, longest, depth);
}
