/*
 * knn.c
 *		Exact nearest neighbours, filtered.
 *
 * The rows are dealt out in stretches; each thread keeps a heap of the best
 * matches it has seen, the worst on top, and the heaps are merged at the end.
 */
#include "knn.h"

#include "document.h"
#include "heap.h"
#include "kernel.h"
#include "pool.h"

#include <math.h>
#include <stdlib.h>

/* Rows handed out at a time, and scored at a time */
#define STRETCH 4096
#define BATCH 256

typedef struct Run
{
	const Search *search;
	Heap *heaps; /* by worker */
	float query_norm;
	_Atomic uint32_t counted;
} Run;

static float
sparse_dot(const Sparse *a, const Sparse *b)
{
	uint32_t i = 0, j = 0;
	float sum = 0;

	while (i < a->count && j < b->count)
	{
		if (a->indices[i] < b->indices[j])
			i++;
		else if (a->indices[i] > b->indices[j])
			j++;
		else
			sum += a->values[i++] * b->values[j++];
	}
	return sum;
}

/* Put the ranks of rows from..to, which lie in one block, into out. */
static void
score_rows(const Run *run, uint32_t row, uint32_t n, float *out)
{
	const Search *s = run->search;
	const float *rows;

	if (!s->vector)
	{
		memset(out, 0, n * sizeof(float));
		return;
	}
	rows = namespace_vector(s->index, s->ns, row);
	if (s->index->metric == METRIC_EUCLIDEAN)
	{
		kernel_square_distance(rows, n, (size_t) s->index->dimension, s->vector, out);
		for (uint32_t i = 0; i < n; i++)
			out[i] = -out[i];
		return;
	}
	kernel_dot(rows, n, (size_t) s->index->dimension, s->vector, out);
	if (s->index->metric == METRIC_COSINE)
	{
		for (uint32_t i = 0; i < n; i++)
		{
			float norms = s->ns->norms[row + i] * run->query_norm;

			out[i] = norms > 0 ? fmaxf(-1.0f, fminf(1.0f, out[i] / norms)) : 0;
		}
	}
}

static void
consider(const Run *run, Heap *heap, uint32_t row, float rank)
{
	const Search *s = run->search;
	Record *r = s->ns->rows[row];

	if (s->sparse && r->sparse)
		rank += sparse_dot(s->sparse, r->sparse);
	if (isnan(rank))
		rank = -INFINITY;
	/* A sparse search finds only what has something in common with the query */
	if (!s->vector && rank == 0)
		return;
	heap_add(heap, s->top_k, (Match){rank, r});
}

/* Is a row searched? */
static inline bool
is_chosen(const Search *s, uint32_t row)
{
	const Record *r = s->ns->rows[row];

	if (!r->document)
		return filter_matches(s->filter, r->metadata);
	return (!s->vector || r->document->has_dense) && (!s->filter || filter_matches_document(s->filter, r));
}

/* A batch: all of it, or what the filter leaves, in runs of neighbours. */
static void
search_batch(const Run *run, Heap *heap, uint32_t row, uint32_t end)
{
	const Search *s = run->search;
	float ranks[BATCH];
	bool choose = s->filter || s->index->fields;

	while (row < end)
	{
		uint32_t n = 0;
		uint32_t limit = end;

		if (choose)
		{
			while (row < end && !is_chosen(s, row))
				row++;
		}
		/* A block holds whole rows, and the next one lies elsewhere */
		if (s->index->dimension && limit > (row / s->index->rows_in_block + 1) * s->index->rows_in_block)
			limit = (row / s->index->rows_in_block + 1) * s->index->rows_in_block;
		if (!choose)
			n = limit - row;
		else
		{
			while (row + n < limit && (n == 0 || is_chosen(s, row + n)))
				n++;
		}
		if (n == 0)
			break;
		score_rows(run, row, n, ranks);
		for (uint32_t i = 0; i < n; i++)
		{
			/* Most are worse than all that the heap holds */
			if (heap->count < s->top_k || s->sparse || ranks[i] >= heap->matches[0].rank)
				consider(run, heap, row + i, ranks[i]);
		}
		row += n;
	}
}

static void
search_stretch(void *context, int worker, int n)
{
	Run *run = context;
	uint32_t row = (uint32_t) n * STRETCH;
	uint32_t end = row + STRETCH < run->search->ns->count ? row + STRETCH : run->search->ns->count;
	Heap *heap = &run->heaps[worker];

	if (!heap->matches)
		heap->matches = mem_alloc(sizeof(Match) * (size_t) run->search->top_k);
	for (; row < end; row += BATCH)
		search_batch(run, heap, row, row + BATCH < end ? row + BATCH : end);
}

int
knn_search(const Search *s, Match **matches)
{
	int nworkers = pool_threads() + 1;
	Run run = {.search = s, .heaps = mem_zero(sizeof(Heap) * (size_t) nworkers)};
	int count = 0, kept;

	if (s->vector)
	{
		double square = 0;

		for (int i = 0; i < s->index->dimension; i++)
			square += (double) s->vector[i] * s->vector[i];
		run.query_norm = (float) sqrt(square);
	}
	pool_parallel((int) ((s->ns->count + STRETCH - 1) / STRETCH), search_stretch, &run);

	for (int i = 0; i < nworkers; i++)
		count += run.heaps[i].count;
	*matches = mem_alloc(sizeof(Match) * (size_t) count);
	count = 0;
	for (int i = 0; i < nworkers; i++)
	{
		if (run.heaps[i].count)
			memcpy(*matches + count, run.heaps[i].matches, sizeof(Match) * (size_t) run.heaps[i].count);
		count += run.heaps[i].count;
		free(run.heaps[i].matches);
	}
	free(run.heaps);
	matches_sort(*matches, count);
	kept = count < s->top_k ? count : s->top_k;
	return kept;
}

float
knn_score(const Index *index, const Match *match)
{
	/* Not -0 for the distance of a vector to itself */
	return index->metric == METRIC_EUCLIDEAN ? 0.0f - match->rank : match->rank;
}

bool
knn_is_long(const Search *s)
{
	uint64_t work = (uint64_t) s->ns->count * (uint64_t) ((s->vector ? s->index->dimension : 0) + (s->filter || s->sparse ? 32 : 0));

	return work > 500000;
}

static void
count_stretch(void *context, int worker, int n)
{
	Run *run = context;
	uint32_t row = (uint32_t) n * STRETCH;
	uint32_t end = row + STRETCH < run->search->ns->count ? row + STRETCH : run->search->ns->count;
	uint32_t found = 0;

	(void) worker;
	for (; row < end; row++)
		found += record_matches(run->search->filter, run->search->ns->rows[row]);
	run->counted += found;
}

uint32_t
knn_count(const Namespace *ns, const Filter *filter)
{
	Search search = {.ns = ns, .filter = filter};
	Run run = {.search = &search};

	pool_parallel((int) ((ns->count + STRETCH - 1) / STRETCH), count_stretch, &run);
	return run.counted;
}
