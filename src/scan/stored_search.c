/*
 * stored_search.c
 *		Searches that grow for as long as their reader wants more.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pending/unseen.h"
#include "scan/page_order.h"
#include "scan/stored_part.h"

void
pinecone_stored_start_search(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	PineconeSearch search = {0};
	PineconeBatch *batch = pinecone_stored_add_batch(stored);
	MemoryContext old;

	stored->ids_only = (spec->want_values || spec->want_metadata) &&
					   (stored->ids_only || stored->top_k > pinecone_stored_per_reply(stored, PINECONE_MAX_TOP_K));

	search.namespace_ = spec->namespace_;
	search.top_k = stored->top_k;
	search.nvalues = spec->nvalues;
	search.values = spec->values;
	search.id = spec->query_id;
	search.filter = spec->filter;
	search.include_values = spec->want_values && !stored->ids_only;
	search.include_metadata = spec->want_metadata && !stored->ids_only;

	old = MemoryContextSwitchTo(batch->cxt);
	batch->call = pinecone_vectors_query(spec->session, spec->counters, &search);
	MemoryContextSwitchTo(old);
}

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

bool
pinecone_stored_seen(PineconeStored *stored, const char *id)
{
	PineconeBatch *batch;

	if (stored->seen != NULL && idset_lookup(stored->seen, id) != NULL)
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

/* Drop the matches that an earlier search has brought. */
static void
drop_seen(PineconeStored *stored, PineconePage *page)
{
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		if (!pinecone_stored_seen(stored, page->records[i].id))
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
}

void
pinecone_stored_take_search(PineconeStored *stored, PineconeBatch *batch)
{
	bool want_bodies = stored->spec.want_values || stored->spec.want_metadata;
	PineconePage *page;
	MemoryContext old;

	if (pinecone_vectors_failure(batch->call) == PINECONE_FAILURE_TOO_LARGE &&
		((want_bodies && !stored->ids_only) || stored->top_k > 1))
	{
		/* ids and scores first; and if even these are too many, fewer */
		if (want_bodies && !stored->ids_only)
			stored->ids_only = true;
		else
			stored->top_k = stored->max_top_k = stored->top_k / 2;
		pinecone_stored_drop_batch(stored, batch);
		pinecone_stored_start_search(stored);
		return;
	}

	old = MemoryContextSwitchTo(batch->cxt);
	page = pinecone_vectors_page(batch->call);
	stored->search_over = page->nrecords < stored->top_k;
	pinecone_page_order_tidy(page, stored->metric == PINECONE_METRIC_EUCLIDEAN);
	MemoryContextSwitchTo(old);
	pinecone_stored_check_location(stored, batch->call);
	pinecone_unseen_note_indexed(stored->spec.session, stored->spec.namespace_,
								 pinecone_vectors_indexed_lsn(batch->call));
	pinecone_vectors_free(batch->call);
	batch->call = NULL;
	batch->page = page;

	if (stored->seen != NULL)
		drop_seen(stored, page);

	if (stored->ids_only)
	{
		pinecone_stored_add_ids(stored, page, true);
		pinecone_stored_drop_batch(stored, batch);
		pinecone_stored_start_fetches(stored);
	}
	else if (stored->spec.want_metadata)
		pinecone_stored_observe(stored, page);
}

PineconeSourceStatus
pinecone_stored_grow(PineconeStored *stored)
{
	if (stored->search_over)
		return PINECONE_SOURCE_END;
	if (stored->top_k >= stored->max_top_k)
		return PINECONE_SOURCE_CAPPED;
	stored->top_k = Min(stored->max_top_k, stored->top_k * 2);
	pinecone_stored_start_search(stored);
	return PINECONE_SOURCE_PENDING;
}
