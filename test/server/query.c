/*
 * query.c
 *		Exact nearest neighbours, on both cores.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

/* Below this many products a second thread does not pay */
#define PARALLEL_WORK 2000000

typedef struct Worker
{
	Index *index;
	Namespace *ns;
	const Search *search;
	double query_norm;
	size_t from;
	size_t to;
	Hit *heap;					/* the worst of the best on top */
	int nheap;
} Worker;

__attribute__((target_clones("avx512f", "avx2", "default"))) static float
dot_product(const float *a, const float *b, int n)
{
	float sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

__attribute__((target_clones("avx512f", "avx2", "default"))) static float
squared_distance(const float *a, const float *b, int n)
{
	float sum = 0;

	for (int i = 0; i < n; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

static float
sparse_product(const Search *search, const Record *record)
{
	float sum = 0;
	int i = 0, j = 0;

	while (i < search->nsparse && j < record->nsparse)
	{
		if (search->indices[i] < record->indices[j])
			i++;
		else if (search->indices[i] > record->indices[j])
			j++;
		else
			sum += search->sparse[i++] * record->sparse[j++];
	}
	return sum;
}

static float
score_record(const Worker *worker, const Record *record)
{
	const Search *search = worker->search;
	int n = worker->index->dimension;

	if (worker->index->metric == EUCLIDEAN)
		return squared_distance(search->values, record->values, n);
	if (worker->index->metric == COSINE)
	{
		double norms = worker->query_norm * record->norm;

		return norms > 0 ? dot_product(search->values, record->values, n) / norms : 0;
	}
	return (search->values && record->values ? dot_product(search->values, record->values, n) : 0) +
		   (search->nsparse ? sparse_product(search, record) : 0);
}

/* Is a before b?  Ties go by id, so that results can be compared. */
static inline bool
better(const Worker *worker, const Hit *a, const Hit *b)
{
	if (a->score != b->score)
		return worker->index->metric == EUCLIDEAN ? a->score < b->score : a->score > b->score;
	return strcmp(a->record->id, b->record->id) < 0;
}

static void
sift_down(Worker *worker, int i)
{
	for (;;)
	{
		int worst = i;
		Hit swap;

		for (int child = 2 * i + 1; child <= 2 * i + 2 && child < worker->nheap; child++)
		{
			if (better(worker, &worker->heap[worst], &worker->heap[child]))
				worst = child;
		}
		if (worst == i)
			return;
		swap = worker->heap[i];
		worker->heap[i] = worker->heap[worst];
		worker->heap[worst] = swap;
		i = worst;
	}
}

static void
offer(Worker *worker, const Hit *hit)
{
	int i;

	if (worker->nheap == worker->search->top_k)
	{
		if (!better(worker, hit, &worker->heap[0]))
			return;
		worker->heap[0] = *hit;
		sift_down(worker, 0);
		return;
	}
	i = worker->nheap++;
	worker->heap[i] = *hit;
	while (i > 0 && better(worker, &worker->heap[(i - 1) / 2], &worker->heap[i]))
	{
		Hit swap = worker->heap[i];

		worker->heap[i] = worker->heap[(i - 1) / 2];
		worker->heap[(i - 1) / 2] = swap;
		i = (i - 1) / 2;
	}
}

static void *
search_slice(void *arg)
{
	Worker *worker = arg;
	const Search *search = worker->search;

	for (size_t i = worker->from; i < worker->to; i++)
	{
		Hit hit = {worker->ns->records[i], 0};

		if (search->filter && !filter_match(search->filter, hit.record->metadata))
			continue;
		hit.score = score_record(worker, hit.record);
		/* sparse searches return nothing that has nothing in common */
		if (worker->index->sparse && hit.score == 0)
			continue;
		offer(worker, &hit);
	}
	return NULL;
}

/* Take the heap apart, worst first, into best-first order. */
static void
drain(Worker *worker, Hit *hits)
{
	int n = worker->nheap;

	for (int i = n - 1; i >= 0; i--)
	{
		hits[i] = worker->heap[0];
		worker->heap[0] = worker->heap[--worker->nheap];
		sift_down(worker, 0);
	}
}

int
search_namespace(Index *index, Namespace *ns, const Search *search, Hit *hits)
{
	Worker workers[2] = {{0}};
	bool parallel = (double) ns->nrecords * (index->dimension + 10) > PARALLEL_WORK;
	pthread_t thread;
	double norm = 0;
	int n;

	for (int i = 0; search->values && i < index->dimension; i++)
		norm += (double) search->values[i] * search->values[i];
	for (int i = 0; i < 2; i++)
	{
		workers[i].index = index;
		workers[i].ns = ns;
		workers[i].search = search;
		workers[i].query_norm = sqrt(norm);
		workers[i].heap = malloc(sizeof(Hit) * (search->top_k + 1));
	}
	workers[0].to = parallel ? ns->nrecords / 2 : ns->nrecords;
	workers[1].from = workers[0].to;
	workers[1].to = ns->nrecords;
	if (parallel && pthread_create(&thread, NULL, search_slice, &workers[1]) == 0)
	{
		search_slice(&workers[0]);
		pthread_join(thread, NULL);
	}
	else
	{
		search_slice(&workers[0]);
		search_slice(&workers[1]);
	}
	for (int i = 0; i < workers[1].nheap; i++)
		offer(&workers[0], &workers[1].heap[i]);
	n = workers[0].nheap;
	drain(&workers[0], hits);
	free(workers[0].heap);
	free(workers[1].heap);
	return n;
}
