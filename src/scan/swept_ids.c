/*
 * swept_ids.c
 *		A sweep for ids alone, whose ids are kept until it is complete, and sorted.
 */
#include "postgres.h"

#include <float.h>

#include "utils/memutils.h"

#include "base/setting.h"
#include "scan/id_page.h"
#include "scan/sweep.h"
#include "scan/swept_ids.h"

/* What an id takes besides itself */
#define BYTES_PER_ID 24

struct PineconeSweptIds
{
	MemoryContext cxt;
	PineconeSourceSpec spec; /* of the sweep */
	const char *prefix;		 /* or NULL, */
	const char *after;		 /* likewise, */
	const char *last;		 /* likewise */
	PineconeSweep *sweep;	 /* NULL once it is over */
	bool failed;
	char **ids;
	int n;
	int size;
	Size bytes; /* of the ids */
	int next;	/* to be taken */
	int location;
};

PineconeSweptIds *
pinecone_swept_ids_begin(const PineconeSourceSpec *spec, double records, const char *last)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone swept ids", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconeSweptIds *ids = palloc0(sizeof(PineconeSweptIds));

	ids->cxt = cxt;
	ids->prefix = spec->prefix;
	ids->after = spec->after;
	ids->last = last ? pstrdup(last) : NULL;
	ids->spec = *spec;
	ids->spec.op = PINECONE_OP_LIST;
	ids->spec.prefix = ids->spec.after = NULL;
	ids->spec.ordered = false;
	ids->spec.want_values = ids->spec.want_metadata = false;
	ids->spec.fields = NULL;
	ids->spec.row_limit = 0;
	ids->sweep = pinecone_sweep_begin(&ids->spec, records, 0, false);
	MemoryContextSwitchTo(old);
	return ids;
}

static bool
is_wanted(const PineconeSweptIds *ids, const char *id)
{
	return (ids->prefix == NULL || strncmp(id, ids->prefix, strlen(ids->prefix)) == 0) &&
		   (ids->after == NULL || strcmp(id, ids->after) >= 0) &&
		   (ids->last == NULL || strcmp(id, ids->last) > 0);
}

/* Keep the ids of a page that are wanted. */
static void
keep(PineconeSweptIds *ids, const PineconePage *page)
{
	MemoryContext old = MemoryContextSwitchTo(ids->cxt);

	if (ids->ids == NULL)
	{
		ids->size = 1024;
		ids->ids = palloc(ids->size * sizeof(char *));
	}
	for (int i = 0; i < page->nrecords; i++)
	{
		if (!is_wanted(ids, page->records[i].id))
			continue;
		if (ids->n == ids->size)
		{
			ids->size *= 2;
			ids->ids = repalloc_huge(ids->ids, ids->size * sizeof(char *));
		}
		ids->ids[ids->n++] = pstrdup(page->records[i].id);
		ids->bytes += strlen(page->records[i].id) + BYTES_PER_ID;
	}
	MemoryContextSwitchTo(old);
	ids->failed = ids->bytes > pinecone_prefetch_kb * 1024.0;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

PineconeSweptIdsStatus
pinecone_swept_ids_advance(PineconeSweptIds *ids)
{
	MemoryContext cxt;
	PineconePage *page;

	if (ids->failed)
		return PINECONE_SWEPT_IDS_FAILED;
	if (ids->sweep == NULL)
		return PINECONE_SWEPT_IDS_READY;
	/* its room is that of pages that have not been taken */
	do
	{
		if (ids->failed)
			return PINECONE_SWEPT_IDS_FAILED;
		pinecone_sweep_advance(ids->sweep, DBL_MAX);
		page = pinecone_sweep_take(ids->sweep, ids->cxt, &cxt, &ids->location);
		if (page != NULL)
		{
			keep(ids, page);
			MemoryContextDelete(cxt);
		}
	}
	while (page != NULL);
	if (!pinecone_sweep_done(ids->sweep))
		return PINECONE_SWEPT_IDS_PENDING;
	ids->failed = !pinecone_sweep_is_complete(ids->sweep);
	ids->sweep = NULL;
	if (ids->n > 1)
		qsort(ids->ids, ids->n, sizeof(char *), compare_ids);
	return ids->failed ? PINECONE_SWEPT_IDS_FAILED : PINECONE_SWEPT_IDS_READY;
}

PineconePage *
pinecone_swept_ids_take(PineconeSweptIds *ids, MemoryContext parent, MemoryContext *cxt, int *location)
{
	int n = Min(PINECONE_PAGE_IDS, ids->n - ids->next);

	if (n <= 0)
		return NULL;
	*location = ids->location;
	ids->next += n;
	return pinecone_id_page_take(&ids->ids[ids->next - n], n, 1, parent, cxt);
}

bool
pinecone_swept_ids_done(const PineconeSweptIds *ids)
{
	return ids->next >= ids->n;
}

int
pinecone_swept_ids_calls(PineconeSweptIds *ids, PineconeCall **calls)
{
	return ids->sweep ? pinecone_sweep_calls(ids->sweep, calls) : 0;
}

void
pinecone_swept_ids_end(PineconeSweptIds *ids)
{
	MemoryContextDelete(ids->cxt);
}
