/*
 * sweep_part.c
 *		Parts of what a sweep is to bring: made, how large they may be, and counted.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/sweep_part.h"

int
pinecone_sweep_capacity(const PineconeSweep *sweep)
{
	PineconeSession *session = sweep->spec->session;
	double most = sweep->pages ? PINECONE_FILTER_PAGE : PINECONE_MAX_TOP_K;
	int ceiling = sweep->pages ? session->max_page[1] : session->max_top_k;

	if (ceiling > 0)
		most = Min(most, ceiling);
	return (int) Max(1, Min(most, PINECONE_REPLY_BYTES / sweep->match_bytes));
}

PineconeSweepPart *
pinecone_sweep_add(PineconeSweep *sweep, dlist_head *list, PineconeFilter filter, double expected, int depth)
{
	PineconeSweepPart *part = MemoryContextAllocZero(sweep->cxt, sizeof(PineconeSweepPart));

	part->filter = filter;
	if (filter.json != NULL)
		part->filter.json = MemoryContextStrdup(sweep->cxt, filter.json);
	part->expected = expected;
	part->depth = depth;
	dlist_push_tail(list, &part->node);
	sweep->nparts++;
	return part;
}

double
pinecone_sweep_take_count(PineconeSession *session, PineconeCall **call)
{
	double count = -1;

	switch (pinecone_vectors_failure(*call))
	{
		case PINECONE_FAILURE_NO_NAMESPACE:
			count = 0;
			break;
		case PINECONE_FAILURE_FORBIDDEN:
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
			session->no_dry_run = true; /* a key that may only read */
			break;
		case PINECONE_FAILURE_NONE:
			count = pinecone_vectors_count_result(*call);
			break;
		default:
			break;
	}
	pinecone_vectors_free(*call);
	*call = NULL;
	/* the greatest number that an update tells may stand for more */
	return count >= PINECONE_MAX_UPDATED ? -1 : count;
}
