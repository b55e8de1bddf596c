/*
 * page_order.c
 *		The matches of a search, as SQL wants them.
 *
 * A search is read as an index would be: best first, each record once.  The
 * service says that it answers so; an index that is being written to has been
 * seen to return both the old and the new version of a record.
 */
#include "postgres.h"

#include "base/idset.h"
#include "scan/page_order.h"

/* Records of which each can be compared with all others */
#define FEW 16

static bool
is_better(const PineconeRecord *x, const PineconeRecord *y, bool low_scores_first)
{
	return low_scores_first ? x->score < y->score : x->score > y->score;
}

/* By score, and those with the same as they came */
static int
compare_matches(const void *a, const void *b, void *arg)
{
	const PineconeRecord *x = *(PineconeRecord *const *) a;
	const PineconeRecord *y = *(PineconeRecord *const *) b;
	bool low_scores_first = *(bool *) arg;

	if (x->score == y->score)
		return x < y ? -1 : 1;
	return is_better(x, y, low_scores_first) ? -1 : 1;
}

static void
sort_matches(PineconePage *page, bool low_scores_first)
{
	PineconeRecord **order = palloc(page->nrecords * sizeof(PineconeRecord *));
	PineconeRecord *sorted = palloc(page->nrecords * sizeof(PineconeRecord));

	for (int i = 0; i < page->nrecords; i++)
		order[i] = &page->records[i];
	qsort_arg(order, page->nrecords, sizeof(PineconeRecord *), compare_matches, &low_scores_first);
	for (int i = 0; i < page->nrecords; i++)
		sorted[i] = *order[i];
	pfree(order);
	page->records = sorted;
}

/* Is a record one of the first n? */
static bool
is_among(const PineconeRecord *record, const PineconePage *page, int n)
{
	/* ids that are alike differ at their ends, most often */
	for (int i = 0; i < n; i++)
	{
		const PineconeRecord *other = &page->records[i];

		if (other->idlen == record->idlen &&
			(record->idlen == 0 || other->id[record->idlen - 1] == record->id[record->idlen - 1]) &&
			memcmp(other->id, record->id, record->idlen) == 0)
			return true;
	}
	return false;
}

void
pinecone_page_order_drop_repeated(PineconePage *page)
{
	/* a few are compared with each other: a set takes longer to make */
	idset_hash *seen = page->nrecords <= FEW ? NULL :
											   idset_create(CurrentMemoryContext, page->nrecords, NULL);
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		bool found;

		if (seen == NULL)
			found = is_among(&page->records[i], page, n);
		else
			(void) idset_insert(seen, page->records[i].id, &found);
		if (!found)
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
	if (seen != NULL)
		idset_destroy(seen);
}

void
pinecone_page_order_tidy(PineconePage *page, bool low_scores_first)
{
	for (int i = 1; i < page->nrecords; i++)
	{
		if (is_better(&page->records[i], &page->records[i - 1], low_scores_first))
		{
			sort_matches(page, low_scores_first);
			break;
		}
	}
	pinecone_page_order_drop_repeated(page);
}
