/*
 * import_spread.c
 *		Draws the records of a namespace that its columns go by.
 *
 * The first ids of a list are often those of one document.  A search that brings
 * nothing but ids brings 10,000 of them in one request: of a namespace that has no
 * more, all, and of another those nearest to several vectors that are near nothing in
 * particular.  From these some are drawn by a hash of the id, which has nothing to do
 * with where a record is from, and is the same each time.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "admin/import_spread.h"
#include "base/any_vector.h"
#include "base/limits.h"
#include "client/vectors.h"

/* Searches of a namespace that one cannot bring whole */
#define SEARCHES 5

typedef struct Drawn
{
	char *id;
	uint32 hash;
} Drawn;

static int
compare_drawn(const void *a, const void *b)
{
	const Drawn *x = a;
	const Drawn *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* There is no such search here, which the notice tells by naming what was looked at; other failures are errors. */
static bool
is_refused(PineconeFailure failure)
{
	return failure == PINECONE_FAILURE_REJECTED || failure == PINECONE_FAILURE_UNSUPPORTED ||
		   failure == PINECONE_FAILURE_TOO_LARGE;
}

/* Searches have come: keep the ids that are drawn. */
static void
draw(PineconeNamespaceSummary *summary, PineconeCall **calls, int ncalls, int sample_size)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext page_cxt = AllocSetContextCreate(cxt, "pinecone import ids", ALLOCSET_DEFAULT_SIZES);
	Drawn *drawn;
	int n = 0;

	MemoryContextSwitchTo(page_cxt);
	drawn = palloc(ncalls * PINECONE_MAX_TOP_K * sizeof(Drawn));
	for (int i = 0; i < ncalls; i++)
	{
		PineconePage *page;

		pinecone_vectors_wait(calls[i]);
		if (is_refused(pinecone_vectors_failure(calls[i])))
			continue;
		page = pinecone_vectors_page(calls[i]);
		for (int j = 0; j < Min(page->nrecords, PINECONE_MAX_TOP_K); j++, n++)
		{
			drawn[n].id = page->records[j].id;
			drawn[n].hash = hash_bytes((const unsigned char *) drawn[n].id, strlen(drawn[n].id));
		}
	}
	qsort(drawn, n, sizeof(Drawn), compare_drawn);
	MemoryContextSwitchTo(cxt);
	summary->ids = palloc(sample_size * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && strcmp(drawn[i].id, drawn[i - 1].id) == 0)
			continue;
		if (summary->nids < sample_size)
			summary->ids[summary->nids++] = pstrdup(drawn[i].id);
		summary->candidates++;
	}
	/* the first ones are more */
	if (summary->nids < sample_size)
		summary->nids = 0;
	MemoryContextDelete(page_cxt);
}

void
pinecone_import_draw(PineconeSession *session, const PineconeStats *stats, List *namespaces, int sample_size)
{
	int most = session->max_top_k > 0 ? session->max_top_k : PINECONE_MAX_TOP_K;
	int n = list_length(namespaces);
	PineconeCall **calls = palloc0(Max(n, 1) * SEARCHES * sizeof(PineconeCall *));
	int *ncalls = palloc0(Max(n, 1) * sizeof(int));

	if (stats->sparse || stats->dimension <= 0)
		return;
	for (int i = 0; i < n; i++)
	{
		PineconeNamespaceSummary *summary = list_nth(namespaces, i);
		PineconeSearch search = {.namespace_ = summary->name, .nvalues = stats->dimension};

		if (summary->records <= sample_size)
			continue;
		ncalls[i] = summary->records <= most ? 1 : SEARCHES;
		for (int j = 0; j < ncalls[i]; j++)
		{
			search.top_k = ncalls[i] == 1 ? most : Max(most / SEARCHES, Min(most, sample_size));
			search.values = pinecone_any_vector(stats->dimension, j);
			calls[i * SEARCHES + j] = pinecone_vectors_query(session, NULL, &search);
		}
	}
	for (int i = 0; i < n; i++)
	{
		if (ncalls[i] > 0)
			draw(list_nth(namespaces, i), calls + i * SEARCHES, ncalls[i], sample_size);
		for (int j = 0; j < ncalls[i]; j++)
			pinecone_vectors_free(calls[i * SEARCHES + j]);
	}
}
