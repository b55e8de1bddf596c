/*
 * heap.c
 *		The best matches of a search.
 */
#include "heap.h"

#include "facts.h"

#include <stdlib.h>

static uint64_t
tie(const Record *r)
{
	static _Atomic uint64_t seed;

	if (seed == 0)
		seed = random_u64() | 1;
	return hash_bytes(r->id.s, r->id.len) * seed;
}

/* Does a come before b in the answer? */
static inline bool
is_better(Match a, Match b)
{
	if (a.rank != b.rank)
		return a.rank > b.rank;
	if (fact(FACT_TIES) && tie(a.record) != tie(b.record))
		return tie(a.record) < tie(b.record);
	return str_compare(a.record->id, b.record->id) < 0;
}

static int
compare_matches(const void *a, const void *b)
{
	return is_better(*(const Match *) a, *(const Match *) b) ? -1 : 1;
}

static void
sift_down(Heap *heap)
{
	Match top = heap->matches[0];
	int i = 0;

	for (;;)
	{
		int child = 2 * i + 1;

		if (child + 1 < heap->count && is_better(heap->matches[child], heap->matches[child + 1]))
			child++;
		if (child >= heap->count || !is_better(top, heap->matches[child]))
			break;
		heap->matches[i] = heap->matches[child];
		i = child;
	}
	heap->matches[i] = top;
}

void
heap_add(Heap *heap, int top_k, Match match)
{
	int i;

	if (heap->count == top_k)
	{
		if (match.rank < heap->matches[0].rank || !is_better(match, heap->matches[0]))
			return;
		heap->matches[0] = match;
		sift_down(heap);
		return;
	}
	/* The heap is sized for top_k, but only touched as it fills */
	for (i = heap->count++; i > 0 && is_better(heap->matches[(i - 1) / 2], match); i = (i - 1) / 2)
		heap->matches[i] = heap->matches[(i - 1) / 2];
	heap->matches[i] = match;
}

void
matches_sort(Match *matches, int count)
{
	qsort(matches, (size_t) count, sizeof(Match), compare_matches);
}
