/*
 * stored_seen.c
 *		Which records a search has returned, so that a larger one, or an
 *		exhaustive one, leaves them out.
 *
 * So it does with those that were not there when they were fetched, should they
 * turn up: rows that are further away have been returned since.
 */
#include "postgres.h"

#include "base/idset.h"
#include "scan/stored_part.h"

void
pinecone_stored_remember(PineconeStored *stored, PineconeBatch *batch)
{
	for (int i = 0; i < batch->next; i++)
	{
		const char *id = batch->page->records[i].id;
		bool found;

		if (stored->seen == NULL)
			stored->seen = idset_create(stored->source.cxt, 256, NULL);
		(void) idset_insert(stored->seen, MemoryContextStrdup(stored->source.cxt, id), &found);
	}
}

void
pinecone_stored_note_gone(PineconeStored *stored, const PineconeBatch *batch)
{
	const PineconePage *page = batch->page;
	int next = 0;

	for (int i = 0; i < batch->nids; i++)
	{
		bool found;

		if (next < page->nrecords && strcmp(page->records[next].id, batch->ids[i]) == 0)
		{
			next++;
			continue;
		}
		if (stored->gone == NULL)
			stored->gone = idset_create(stored->source.cxt, 16, NULL);
		(void) idset_insert(stored->gone, MemoryContextStrdup(stored->source.cxt, batch->ids[i]), &found);
	}
}

bool
pinecone_stored_seen(PineconeStored *stored, const char *id)
{
	PineconeBatch *batch;

	if (stored->seen != NULL && idset_lookup(stored->seen, id) != NULL)
		return true;
	if (stored->gone != NULL && idset_lookup(stored->gone, id) != NULL)
		return true;
	if (dlist_is_empty(&stored->batches))
		return false;
	batch = dlist_head_element(PineconeBatch, node, &stored->batches);
	for (int i = 0; i < batch->next; i++)
	{
		if (strcmp(batch->page->records[i].id, id) == 0)
			return true;
	}
	return false;
}
