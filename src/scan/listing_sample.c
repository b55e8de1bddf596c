/*
 * listing_sample.c
 *		A sample of ids, from one search.
 *
 * The neighbours of no vector in particular, without their values and metadata:
 * some ten bytes each.  A namespace's ids are not drawn evenly that way, and
 * some are missing altogether; what goes by them must be right all the same.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/any_vector.h"
#include "base/limits.h"
#include "scan/listing_part.h"

/* Ids to ask for: at least, and one of so many */
#define LEAST_SAMPLE 1000
#define SAMPLE_SHARE 50

void
pinecone_sample_start(PineconeListing *listing)
{
	const PineconeSourceSpec *spec = listing->spec;
	PineconeSession *session = spec->session;
	PineconeSearch search = {0};
	MemoryContext old;

	if (session->stats == NULL || session->stats->sparse || session->stats->dimension <= 0)
		return;
	old = MemoryContextSwitchTo(listing->cxt);
	search.namespace_ = spec->namespace_;
	search.top_k = (int) Min(pinecone_session_top_k(session), Max(LEAST_SAMPLE, listing->records / SAMPLE_SHARE));
	search.nvalues = session->stats->dimension;
	search.values = pinecone_any_vector(search.nvalues, 0);
	listing->sample_call = pinecone_vectors_query(session, spec->counters, &search);
	MemoryContextSwitchTo(old);
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

void
pinecone_sample_take(PineconeListing *listing)
{
	PineconeCall *call = listing->sample_call;

	listing->sample_call = NULL;
	if (pinecone_vectors_failure(call) == PINECONE_FAILURE_NONE)
	{
		MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone sample",
												  ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(cxt);
		PineconePage *page = pinecone_vectors_page(call);

		MemoryContextSwitchTo(listing->cxt);
		listing->sample = palloc(Max(page->nrecords, 1) * sizeof(char *));
		for (int i = 0; i < page->nrecords; i++)
			listing->sample[i] = pstrdup(page->records[i].id);
		listing->nsample = page->nrecords;
		MemoryContextSwitchTo(old);
		MemoryContextDelete(cxt);
		qsort(listing->sample, listing->nsample, sizeof(char *), compare_ids);
	}
	pinecone_vectors_free(call);
}

/* The first of the sample that compares so with a text's first bytes, or more. */
static int
first_at_least(const PineconeListing *listing, const char *prefix, int len, int order)
{
	int low = 0;
	int high = listing->nsample;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (strncmp(listing->sample[middle], prefix, len) < order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
pinecone_sample_begin(const PineconeListing *listing, const char *prefix, int len)
{
	return first_at_least(listing, prefix, len, 0);
}

int
pinecone_sample_end(const PineconeListing *listing, const char *prefix, int len)
{
	return first_at_least(listing, prefix, len, 1);
}

int
pinecone_sample_after(const PineconeListing *listing, const char *id)
{
	return first_at_least(listing, id, strlen(id) + 1, 1);
}
