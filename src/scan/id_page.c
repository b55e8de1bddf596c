/*
 * id_page.c
 *		Pages of ids for the reader, of ids that had to be kept until their order was
 *		known.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "scan/id_page.h"

PineconePage *
pinecone_id_page_take(char **ids, int n, int step, MemoryContext parent, MemoryContext *cxt)
{
	MemoryContext old;
	PineconePage *page;

	*cxt = AllocSetContextCreate(parent, "pinecone page of ids", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(*cxt);
	page = palloc0(sizeof(PineconePage));
	page->records = palloc0(n * sizeof(PineconeRecord));
	page->nrecords = n;
	for (int i = 0; i < n; i++)
	{
		char *id = ids[i * step];

		page->records[i].id = pstrdup(id);
		page->records[i].idlen = strlen(id);
		pfree(id);
	}
	MemoryContextSwitchTo(old);
	return page;
}
