/*
 * stored_page.c
 *		Paging through a namespace: list, and fetch by metadata.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/page_order.h"
#include "scan/stored_part.h"

/* So many pages without a record in a row are not on the way to one. */
#define MAX_EMPTY_PAGES 10000

static void
report_paging(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("invalid response from Pinecone"),
			 errdetail_internal("%s", detail)));
}

/*
 * Pages must come to an end.  The token of a page whose number is a power of
 * two is compared with those of later pages, until the next power: so tokens
 * that come round are found whatever their period.
 */
static void
check_progress(PineconeStored *stored, const PineconePage *page)
{
	stored->pages++;
	stored->empty_pages = page->nrecords > 0 ? 0 : stored->empty_pages + 1;
	if (page->next_token == NULL)
		return;
	if (stored->earlier_token != NULL && strcmp(stored->earlier_token, page->next_token) == 0)
		report_paging("The pages of a list come round: a pagination token was given twice.");
	if (stored->empty_pages >= MAX_EMPTY_PAGES)
		report_paging("The pages of a list are empty and do not end.");
	if (stored->pages >= stored->next_mark)
	{
		if (stored->earlier_token)
			pfree(stored->earlier_token);
		stored->earlier_token = MemoryContextStrdup(stored->source.cxt, page->next_token);
		stored->next_mark = Max(1, stored->next_mark * 2);
	}
}

/* Ids are listed in bytewise order (API 2025-10): drop what comes twice. */
static void
check_order(PineconeStored *stored, PineconePage *page)
{
	const char *last = stored->last_id;
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		int order = last ? strcmp(page->records[i].id, last) : 1;

		if (order < 0 && stored->spec.ordered)
			report_paging(psprintf("Ids are not listed in order: \"%s\" comes after \"%s\".",
								   page->records[i].id, last));
		if (order == 0)
			continue;
		last = page->records[i].id;
		page->records[n++] = page->records[i];
	}
	page->nrecords = n;
	if (last != NULL && last != stored->last_id)
	{
		if (stored->last_id)
			pfree(stored->last_id);
		stored->last_id = MemoryContextStrdup(stored->source.cxt, last);
	}
}

/* ---- Pages ---- */

static void
start_page(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	double wanted = pinecone_stored_wanted(stored) - (stored->listed - stored->returned);
	MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);

	/* nobody knows how many ids of a page are wanted */
	wanted = spec->wants_id != NULL ? PINECONE_LIST_PAGE : Max(1, wanted);
	if (spec->session->max_page[spec->op == PINECONE_OP_FILTER] > 0)
		wanted = Min(wanted, spec->session->max_page[spec->op == PINECONE_OP_FILTER]);
	if (spec->op == PINECONE_OP_FILTER)
	{
		stored->page_limit = (int) Min(wanted, pinecone_stored_per_reply(stored, PINECONE_FILTER_PAGE));
		stored->page_call =
			pinecone_vectors_fetch_by_metadata(spec->session, spec->counters, spec->namespace_,
											   spec->filter, stored->page_limit, stored->token,
											   pinecone_stored_fields(stored), spec->want_values);
	}
	else
	{
		stored->page_limit = (int) Min(wanted, PINECONE_LIST_PAGE);
		stored->page_call =
			pinecone_vectors_list(spec->session, spec->counters, spec->namespace_, spec->prefix,
								  stored->page_limit, stored->token);
	}
	MemoryContextSwitchTo(old);
}

/* Decode a page that has arrived, or ask for a smaller one. */
static void
take_page(PineconeStored *stored)
{
	PineconeBatch *batch;
	MemoryContext old;
	PineconePage *page;
	int ceiling;

	if (stored->spec.op == PINECONE_OP_FILTER &&
		pinecone_vectors_failure(stored->page_call) == PINECONE_FAILURE_TOO_LARGE &&
		pinecone_stored_per_reply(stored, PINECONE_FILTER_PAGE) > 1)
	{
		/* records are larger than thought */
		stored->metadata_bytes = 2 * stored->record_bytes;
		pinecone_stored_estimate(stored);
		pinecone_vectors_free(stored->page_call);
		start_page(stored);
		return;
	}

	if (pinecone_vectors_failure(stored->page_call) == PINECONE_FAILURE_REJECTED &&
		(ceiling = pinecone_vectors_ceiling(stored->page_call, "limit", stored->page_limit, true)) > 0)
	{
		stored->spec.session->max_page[stored->spec.op == PINECONE_OP_FILTER] = ceiling;
		pinecone_vectors_free(stored->page_call);
		start_page(stored);
		return;
	}

	batch = pinecone_stored_add_batch(stored);
	old = MemoryContextSwitchTo(batch->cxt);
	page = pinecone_vectors_page(stored->page_call);
	MemoryContextSwitchTo(old);
	pinecone_stored_check_location(stored, stored->page_call);
	check_progress(stored, page);
	pinecone_vectors_free(stored->page_call);
	stored->page_call = NULL;
	if (stored->spec.op != PINECONE_OP_FILTER)
		check_order(stored, page);

	if (stored->token)
		pfree(stored->token);
	stored->token = page->next_token ? MemoryContextStrdup(stored->source.cxt, page->next_token) : NULL;
	stored->paging_done = stored->token == NULL;

	if (stored->spec.op == PINECONE_OP_LIST_FETCH)
	{
		stored->listed += pinecone_stored_add_ids(stored, page, false);
		pinecone_stored_drop_batch(stored, batch);
		return;
	}
	stored->listed += page->nrecords;
	if (stored->spec.op == PINECONE_OP_FILTER)
	{
		pinecone_stored_observe(stored, page);
		pinecone_page_order_drop_repeated(page);
	}
	batch->page = page;
}

/* Have enough pages arrived, or more than enough? */
static bool
paged_enough(PineconeStored *stored)
{
	/* do not read beyond a limit before the reader does */
	if (stored->nbatches > 0 && stored->listed >= stored->spec.row_limit &&
		stored->returned < stored->spec.row_limit)
		return true;
	if (stored->spec.op == PINECONE_OP_LIST_FETCH)
		return pinecone_stored_ids_waiting(stored) >= PINECONE_LIST_PAGE * 4;
	return stored->nbatches > 1;
}

void
pinecone_stored_advance_paging(PineconeStored *stored)
{
	while (!stored->paging_done)
	{
		if (stored->page_call == NULL)
		{
			if (paged_enough(stored))
				return;
			start_page(stored);
		}
		if (!pinecone_vectors_ready(stored->page_call))
			return;
		take_page(stored);
		pinecone_stored_start_fetches(stored);
	}
}
