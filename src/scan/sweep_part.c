/*
 * sweep_part.c
 *		Parts of what a sweep is to bring: made, and how large they may be.
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
