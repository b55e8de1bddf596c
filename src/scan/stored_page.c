/*
 * stored_page.c
 *		Paging through a namespace: lists of ids, and fetches by metadata.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/page_order.h"
#include "scan/stored_part.h"
#include "scan/sweep.h"

/* Ids that are listed ahead of the fetches: for four of them, or a large one */
#define IDS_AHEAD (PINECONE_LIST_PAGE * 4)
#define WIDE_IDS_AHEAD PINECONE_WIDE_FETCH_BATCH

/* Pages of ids that are only counted */
#define PAGES_SKIPPED_AHEAD 4

/* So many ids wait for fetches that no more need be listed. */
static int
ids_ahead(PineconeStored *stored)
{
	bool wide = pinecone_stored_is_wide(stored);
	int most = wide ? WIDE_IDS_AHEAD : IDS_AHEAD;

	/* a fetch may wait until there are ids for all of it */
	if (stored->spec.wants_id != NULL)
		most = Max(most, pinecone_vectors_max_fetch(stored->spec.session, wide));
	return most;
}

/* Have enough pages arrived, or more than enough? */
static bool
paged_enough(PineconeStored *stored)
{
	/* do not read beyond a limit before the reader does */
	if (stored->nbatches > 0 && stored->listed >= stored->spec.row_limit &&
		stored->returned < stored->spec.row_limit)
		return true;
	if (stored->listed < stored->spec.skip)
		return stored->nbatches > PAGES_SKIPPED_AHEAD;
	if (stored->spec.op == PINECONE_OP_LIST_FETCH)
		return pinecone_stored_ids_waiting(stored) >= ids_ahead(stored);
	return stored->nbatches > 1;
}

/* Records that pages are still to bring. */
static double
wanted_of_pages(PineconeStored *stored)
{
	/* nobody knows how many ids of a page are wanted */
	if (stored->spec.wants_id != NULL)
		return PINECONE_LIST_PAGE;
	return Max(1, pinecone_stored_wanted(stored) - (stored->listed - stored->returned));
}

/* ---- Fetch by metadata ---- */

static void
start_page(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	double wanted = wanted_of_pages(stored);
	MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);

	if (spec->session->max_page[1] > 0)
		wanted = Min(wanted, spec->session->max_page[1]);
	if (stored->page_most > 0)
		wanted = Min(wanted, stored->page_most);
	stored->page_limit = (int) Min(wanted, pinecone_stored_per_reply(stored, PINECONE_FILTER_PAGE));
	stored->page_call =
		pinecone_vectors_fetch_by_metadata(spec->session, spec->counters, spec->namespace_,
										   spec->filter, stored->page_limit, stored->token,
										   pinecone_stored_fields(stored), spec->want_values);
	MemoryContextSwitchTo(old);
}

/* Is the page to be asked for again, smaller? */
static bool
asks_too_much(PineconeStored *stored)
{
	int ceiling;

	switch (pinecone_vectors_failure(stored->page_call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
			if (stored->page_limit <= 1)
				return false;
			/* records are larger than thought, whatever is asked for of them */
			stored->page_most = stored->page_limit / 2;
			stored->metadata_bytes = 2 * stored->record_bytes;
			pinecone_stored_estimate(stored);
			return true;
		case PINECONE_FAILURE_REJECTED:
			ceiling = pinecone_vectors_ceiling(stored->page_call, "limit", stored->page_limit, true);
			if (ceiling > 0)
				stored->spec.session->max_page[1] = ceiling;
			return ceiling > 0;
		default:
			return false;
	}
}

/* Decode a page that has arrived, or ask for a smaller one. */
static void
take_page(PineconeStored *stored)
{
	PineconeBatch *batch;
	MemoryContext old;
	PineconePage *page;

	if (asks_too_much(stored))
	{
		pinecone_vectors_free(stored->page_call);
		start_page(stored);
		return;
	}

	batch = pinecone_stored_add_batch(stored);
	old = MemoryContextSwitchTo(batch->cxt);
	page = pinecone_vectors_page(stored->page_call);
	MemoryContextSwitchTo(old);
	pinecone_stored_check_location(stored, pinecone_vectors_location(stored->page_call));
	pinecone_page_chain_check(&stored->chain, stored->source.cxt, page);
	pinecone_vectors_free(stored->page_call);
	stored->page_call = NULL;

	if (stored->token)
		pfree(stored->token);
	stored->token = page->next_token ? MemoryContextStrdup(stored->source.cxt, page->next_token) : NULL;
	stored->paging_done = stored->token == NULL;

	pinecone_stored_observe(stored, page);
	pinecone_page_order_drop_repeated(page);
	if (stored->sweep != NULL)
		pinecone_sweep_drop_seen(stored->sweep, page);
	else
		pinecone_stored_note_come(stored, page);
	/* what is dropped is never returned, so it must not count as what waits for the reader */
	stored->listed += page->nrecords;
	batch->page = page;
}

static void
advance_pages(PineconeStored *stored)
{
	while (!stored->paging_done)
	{
		if (stored->page_call == NULL)
		{
			if (paged_enough(stored))
				return;
			if (pinecone_stored_leave_pages(stored))
			{
				pinecone_stored_advance_sweep(stored);
				if (stored->sweeping)
					return;
				continue;
			}
			start_page(stored);
		}
		if (!pinecone_vectors_ready(stored->page_call))
			return;
		take_page(stored);
	}
}

/* ---- Lists ---- */

/*
 * Return the first ids of a page as they are, if the reader only counts these, and
 * have the others fetched.  False where there are none such.
 */
static bool
skip_ids(PineconeStored *stored, MemoryContext cxt, PineconePage *page)
{
	/* searches may have brought some before */
	int n = (int) Min(page->nrecords, stored->spec.skip - stored->listed);
	PineconePage others = *page;

	if (n <= 0)
		return false;
	others.records = page->records + n;
	others.nrecords = page->nrecords - n;
	stored->listed += n + pinecone_stored_add_ids(stored, &others, false);
	page->nrecords = n;
	stored->started += n;
	pinecone_stored_add_page(stored, cxt, page);
	return true;
}

/* A page of ids: records to be returned, or ids to be fetched. */
static void
take_ids(PineconeStored *stored, MemoryContext cxt, PineconePage *page, int location)
{
	pinecone_stored_check_location(stored, location);
	if (stored->sweep != NULL)
		pinecone_sweep_drop_seen(stored->sweep, page);
	if (stored->spec.op == PINECONE_OP_LIST)
	{
		stored->listed += page->nrecords;
		pinecone_stored_add_page(stored, cxt, page);
		return;
	}
	if (!skip_ids(stored, cxt, page))
	{
		stored->listed += pinecone_stored_add_ids(stored, page, false);
		MemoryContextDelete(cxt);
	}
	pinecone_stored_start_fetches(stored);
}

static void
advance_ids(PineconeStored *stored, double wanted)
{
	if (stored->walk)
		pinecone_id_walk_advance(stored->walk, wanted);
	else if (stored->descent)
		pinecone_id_descent_advance(stored->descent, wanted);
	else
		pinecone_listing_advance(stored->listing, wanted);
}

static PineconePage *
next_ids(PineconeStored *stored, MemoryContext *cxt, int *location)
{
	return stored->walk	   ? pinecone_id_walk_take(stored->walk, stored->source.cxt, cxt, location) :
		   stored->descent ? pinecone_id_descent_take(stored->descent, stored->source.cxt, cxt, location) :
							 pinecone_listing_take(stored->listing, stored->source.cxt, cxt, location);
}

static bool
no_more_ids(PineconeStored *stored)
{
	return stored->walk	   ? pinecone_id_walk_done(stored->walk) :
		   stored->descent ? pinecone_id_descent_done(stored->descent) :
							 pinecone_listing_done(stored->listing);
}

static void
advance_listing(PineconeStored *stored)
{
	for (;;)
	{
		bool enough = paged_enough(stored);
		MemoryContext cxt;
		PineconePage *page;
		int location;

		advance_ids(stored, enough ? 0 : wanted_of_pages(stored));
		if (enough)
			return;
		page = next_ids(stored, &cxt, &location);
		if (page == NULL)
			break;
		take_ids(stored, cxt, page, location);
	}
	stored->paging_done = no_more_ids(stored);
	if (stored->paging_done)
		pinecone_stored_start_fetches(stored);
}

/* Go on with ids that are swept; if nothing comes of that they are listed. */
static void
advance_swept_ids(PineconeStored *stored)
{
	PineconeSweptIds *ids = stored->swept_ids;

	switch (pinecone_swept_ids_advance(ids))
	{
		case PINECONE_SWEPT_IDS_PENDING:
			return;
		case PINECONE_SWEPT_IDS_FAILED:
			pinecone_swept_ids_end(ids);
			stored->swept_ids = NULL;
			stored->ids_unswept = true;
			return;
		case PINECONE_SWEPT_IDS_READY:
			break;
	}
	while (!pinecone_swept_ids_done(ids) && !paged_enough(stored))
	{
		MemoryContext cxt;
		int location;
		PineconePage *page = pinecone_swept_ids_take(ids, stored->source.cxt, &cxt, &location);

		take_ids(stored, cxt, page, location);
	}
	stored->paging_done = pinecone_swept_ids_done(ids);
	if (stored->paging_done)
		pinecone_stored_start_fetches(stored);
}

void
pinecone_stored_advance_paging(PineconeStored *stored)
{
	if (stored->paging_done)
		return;
	if (!stored->way_chosen)
		pinecone_stored_choose_way(stored);
	if (stored->sweeping)
		pinecone_stored_advance_sweep(stored);
	if (stored->swept_ids != NULL)
		advance_swept_ids(stored);
	if (stored->sweeping || stored->swept_ids != NULL || stored->paging_done)
		return;
	if (stored->spec.op == PINECONE_OP_FILTER)
	{
		advance_pages(stored);
		return;
	}
	if (stored->listing == NULL && stored->walk == NULL && stored->descent == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);

		if (stored->spec.descending)
			stored->descent = pinecone_id_descent_begin(&stored->spec);
		else if (stored->spec.after != NULL)
			stored->walk = pinecone_id_walk_begin(&stored->spec);
		else
			stored->listing = pinecone_listing_begin(&stored->spec);
		MemoryContextSwitchTo(old);
	}
	advance_listing(stored);
	if (stored->walk != NULL && !stored->paging_done && !stored->ids_unswept && pinecone_id_walk_is_vain(stored->walk))
		pinecone_stored_leave_walk(stored);
}
