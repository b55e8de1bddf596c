/*
 * listing.c
 *		Pages of ids, of one span or of many.
 *
 * Pages are asked for in the order of their ids where these must come in
 * order; else spans that are known to have some come first, so that the longest
 * do not come last.  How many wait for the reader is limited; the span that it
 * reads from may always go on.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "base/setting.h"
#include "scan/listing_part.h"

/* Of the memory that a scan may take, the share of ids that wait */
#define BUDGET_SHARE 4

/* Bytes of a page of ids, until one has come */
#define BYTES_PER_PAGE (4 * 1024)

/* Calls that wait for their turn */
#define MOST_WAITING 2

/* Fewer calls at a time are not worth a split */
#define LEAST_WIDTH 4

/* ---- Pages ---- */

static void
start_page(PineconeListing *listing, PineconeSpan *span, double wanted)
{
	const PineconeSourceSpec *spec = listing->spec;
	MemoryContext old = MemoryContextSwitchTo(listing->cxt);

	if (spec->session->max_page[0] > 0)
		wanted = Min(wanted, spec->session->max_page[0]);
	span->limit = (int) Max(1, Min(wanted, PINECONE_LIST_PAGE));
	span->call = pinecone_vectors_list(spec->session, spec->counters, spec->namespace_,
									   span->prefix[0] ? span->prefix : NULL, span->limit, span->token);
	listing->active[listing->nactive++] = span;
	pinecone_span_dequeue(listing, span);
	MemoryContextSwitchTo(old);
}

/*
 * Ids are listed in bytewise order (API 2025-10).  Drop what comes twice, and
 * what lies beyond the span; returns whether there was such.
 */
static bool
trim_page(PineconeListing *listing, PineconeSpan *span, PineconePage *page)
{
	const char *last = span->last;
	bool beyond = false;
	int n = 0;

	for (int i = 0; i < page->nrecords && !beyond; i++)
	{
		const char *id = page->records[i].id;
		int order = last ? strcmp(id, last) : 1;

		if (order == 0)
			continue;
		if (order < 0)
		{
			if (listing->spec->ordered || listing->state == PINECONE_LISTING_WIDE)
				pinecone_page_chain_report(psprintf("Ids are not listed in order: \"%s\" comes after \"%s\".",
													id, last));
			listing->disordered = true;
		}
		last = id;
		beyond = strncmp(id, span->bound, span->boundlen) != 0;
		if (!beyond)
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
	return beyond;
}

static int
common_length(const char *a, const char *b)
{
	int n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

/* Keep a page's ids for the reader. */
static void
add_page(PineconeListing *listing, PineconeSpan *span, const PineconePage *page, int location)
{
	Size bytes = sizeof(PineconeListPage);
	PineconeListPage *waiting;
	char *next;

	for (int i = 0; i < page->nrecords; i++)
		bytes += strlen(page->records[i].id) + 1;
	waiting = MemoryContextAlloc(listing->cxt, bytes);
	waiting->location = location;
	waiting->nids = page->nrecords;
	waiting->bytes = bytes;
	next = waiting->ids;
	for (int i = 0; i < page->nrecords; i++)
		next = stpcpy(next, page->records[i].id) + 1;

	dlist_push_tail(listing->spec->ordered ? &span->pages : &listing->any_pages, &waiting->node);
	listing->npages++;
	listing->bytes += bytes;
	listing->page_bytes = bytes;
}

/* How far a span has come. */
static void
note_progress(PineconeListing *listing, PineconeSpan *span, const PineconePage *page)
{
	listing->pages++;
	listing->listed += page->nrecords;
	span->since++;
	if (page->nrecords == 0)
		return;
	if (span->last)
		pfree(span->last);
	span->last = MemoryContextStrdup(listing->cxt, page->records[page->nrecords - 1].id);
	span->common = common_length(page->records[0].id, span->last);
}

/* Decode a page that has arrived, or ask for a smaller one. */
static void
take_page(PineconeListing *listing, PineconeSpan *span)
{
	PineconeSession *session = listing->spec->session;
	MemoryContext cxt;
	MemoryContext old;
	PineconePage *page;
	int location;
	int ceiling;

	if (pinecone_vectors_failure(span->call) == PINECONE_FAILURE_REJECTED &&
		(ceiling = pinecone_vectors_ceiling(span->call, "limit", span->limit, true)) > 0)
	{
		session->max_page[0] = ceiling;
		pinecone_span_end_call(listing, span);
		start_page(listing, span, span->limit);
		return;
	}

	cxt = AllocSetContextCreate(listing->cxt, "pinecone list page", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(cxt);
	page = pinecone_vectors_page(span->call);
	MemoryContextSwitchTo(old);
	location = pinecone_vectors_location(span->call);
	pinecone_page_chain_check(&span->chain, listing->cxt, page);
	pinecone_span_end_call(listing, span);

	if (span->token)
		pfree(span->token);
	span->token = NULL;
	if (trim_page(listing, span, page))
		span->done = true;
	else if (page->next_token)
		span->token = MemoryContextStrdup(listing->cxt, page->next_token);
	else
		span->done = true;
	/* of a byte that no id has nothing need be seen, but that it comes from the same index */
	if (page->nrecords > 0 || location != listing->location)
		add_page(listing, span, page, location);
	listing->location = location;
	note_progress(listing, span, page);
	MemoryContextDelete(cxt);
	if (!span->done)
		pinecone_listing_consider(listing, span);
	if (!span->done)
		pinecone_span_enqueue(listing, span);
	pinecone_span_free_if_finished(listing, span);
}

/* ---- Moving on ---- */

static bool
has_room(PineconeListing *listing)
{
	return listing->bytes + (listing->nactive + 1) * listing->page_bytes <= listing->max_bytes;
}

/*
 * May another call be started?  Not while some wait for their turn: the more
 * wait, the longer it takes each span to come to its next page.
 */
static bool
has_turns(PineconeListing *listing)
{
	int queued = 0;

	if (listing->nactive >= listing->width || listing->nqueued == 0)
		return false;
	for (int i = 0; i < listing->nactive; i++)
		queued += pinecone_vectors_is_queued(listing->active[i]->call);
	return queued < MOST_WAITING;
}

/* Start pages in order; the span that the reader waits for must go on. */
static void
start_in_order(PineconeListing *listing)
{
	dlist_iter iter;
	bool first = true;

	dlist_foreach(iter, &listing->spans)
	{
		PineconeSpan *span = dlist_container(PineconeSpan, node, iter.cur);

		if (!has_turns(listing) ||
			(!has_room(listing) && !(first && dlist_is_empty(&span->pages))))
			return;
		first = false;
		if (span->queued)
			start_page(listing, span, PINECONE_LIST_PAGE);
	}
}

/* The one that is thought to have most left: what begins last must not take longest. */
static PineconeSpan *
longest_known(PineconeListing *listing)
{
	PineconeSpan *longest = NULL;
	double most = 0;
	dlist_iter iter;

	dlist_foreach(iter, &listing->known)
	{
		PineconeSpan *span = dlist_container(PineconeSpan, queue_node, iter.cur);
		double left = span->expected - span->chain.pages;

		if (longest == NULL || left > most)
		{
			longest = span;
			most = left;
		}
	}
	return longest;
}

static void
start_in_any_order(PineconeListing *listing)
{
	while (has_turns(listing) && (has_room(listing) || listing->npages + listing->nactive == 0))
	{
		PineconeSpan *span = longest_known(listing);

		if (span == NULL)
			span = dlist_head_element(PineconeSpan, queue_node, &listing->others);
		start_page(listing, span, PINECONE_LIST_PAGE);
	}
}

static void
take_pages(PineconeListing *listing)
{
	/* one that is taken leaves its place to the last */
	for (int i = listing->nactive - 1; i >= 0; i--)
	{
		PineconeSpan *span = listing->active[i];

		if (pinecone_vectors_finished(span->call))
			take_page(listing, span);
	}
}

/* One page after the other: the next one when the last has been taken. */
static void
advance_narrow(PineconeListing *listing, double wanted)
{
	if (wanted <= 0 || listing->nactive > 0 || listing->nqueued == 0 || listing->npages > 0)
		return;
	if (listing->pages == 0)
		pinecone_listing_consider_sample(listing);
	start_page(listing, dlist_head_element(PineconeSpan, node, &listing->spans), wanted);
}

static void
advance_wide(PineconeListing *listing)
{
	pinecone_listing_widen(listing);
	if (listing->spec->ordered)
		start_in_order(listing);
	else
		start_in_any_order(listing);
}

void
pinecone_listing_advance(PineconeListing *listing, double wanted)
{
	int active;

	if (listing->nactive > 0 || listing->sample_call != NULL)
		pinecone_vectors_advance();
	if (listing->sample_call != NULL && pinecone_vectors_finished(listing->sample_call))
	{
		pinecone_sample_take(listing);
		pinecone_listing_decide(listing);
	}
	take_pages(listing);
	active = listing->nactive;
	if (listing->state != PINECONE_LISTING_WIDE)
		advance_narrow(listing, wanted);
	else
		advance_wide(listing);
	/* what has been started leaves at once, be the reader as slow as it likes */
	if (listing->nactive > active)
		pinecone_vectors_advance();
}

/* ---- For the reader ---- */

/* The page as it was decoded, in a context that the reader frees. */
static PineconePage *
unpack_page(const PineconeListPage *waiting, MemoryContext parent, MemoryContext *cxt)
{
	PineconePage *page;
	MemoryContext old;
	char *next;

	*cxt = AllocSetContextCreate(parent, "pinecone ids of a page", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(*cxt);
	page = palloc0(sizeof(PineconePage));
	page->nrecords = waiting->nids;
	page->records = palloc0(Max(waiting->nids, 1) * sizeof(PineconeRecord));
	next = palloc(waiting->bytes);
	memcpy(next, waiting->ids, waiting->bytes - sizeof(PineconeListPage));
	for (int i = 0; i < waiting->nids; i++)
	{
		page->records[i].id = next;
		page->records[i].idlen = strlen(next);
		next += page->records[i].idlen + 1;
	}
	MemoryContextSwitchTo(old);
	return page;
}

PineconePage *
pinecone_listing_take(PineconeListing *listing, MemoryContext parent, MemoryContext *cxt,
					  int *location)
{
	dlist_head *pages = &listing->any_pages;
	PineconeSpan *span = NULL;
	PineconeListPage *waiting;
	PineconePage *page;

	if (listing->spec->ordered && !dlist_is_empty(&listing->spans))
	{
		span = dlist_head_element(PineconeSpan, node, &listing->spans);
		pages = &span->pages;
	}
	if (dlist_is_empty(pages))
		return NULL;
	waiting = dlist_container(PineconeListPage, node, dlist_pop_head_node(pages));
	listing->npages--;
	listing->bytes -= waiting->bytes;
	if (span != NULL)
		pinecone_span_free_if_finished(listing, span);
	page = unpack_page(waiting, parent, cxt);
	*location = waiting->location;
	pfree(waiting);
	return page;
}

bool
pinecone_listing_done(PineconeListing *listing)
{
	return dlist_is_empty(&listing->spans) && listing->npages == 0;
}

bool
pinecone_listing_is_wide(PineconeListing *listing)
{
	return listing->state == PINECONE_LISTING_WIDE;
}

int
pinecone_listing_calls(PineconeListing *listing, PineconeCall **calls)
{
	int n = 0;

	if (listing->sample_call != NULL)
		calls[n++] = listing->sample_call;
	for (int i = 0; i < listing->nactive; i++)
		calls[n++] = listing->active[i]->call;
	return n;
}

PineconeListing *
pinecone_listing_begin(const PineconeSourceSpec *spec)
{
	PineconeListing *listing = palloc0(sizeof(PineconeListing));
	int sharers = Max(1, spec->sharers);
	PineconeSpan *span;

	listing->spec = spec;
	listing->cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone listing",
										 ALLOCSET_DEFAULT_SIZES);
	dlist_init(&listing->spans);
	dlist_init(&listing->known);
	dlist_init(&listing->others);
	dlist_init(&listing->any_pages);
	span = pinecone_span_create(listing, spec->prefix ? spec->prefix : "",
								spec->prefix ? strlen(spec->prefix) : 0, 0);
	dlist_push_tail(&listing->spans, &span->node);
	pinecone_span_enqueue(listing, span);
	listing->max_bytes = (Size) pinecone_prefetch_kb * 1024 / BUDGET_SHARE / sharers;
	listing->page_bytes = BYTES_PER_PAGE;
	listing->width = Min(PINECONE_LISTING_CALLS - 1, spec->session->options->max_concurrency / sharers);
	listing->total = spec->session->stats ?
						 pinecone_stats_records(spec->session->stats, spec->namespace_) :
						 -1;
	listing->records = spec->prefix ? -1 : listing->total;
	/* nothing says that documents are listed in order */
	listing->may_be_wide = pinecone_enable_wide_listing && spec->session->schema == NULL && listing->width >= LEAST_WIDTH &&
						   (spec->row_limit <= 0 || spec->row_limit >= pinecone_wide_listing_records) &&
						   (listing->total < 0 || listing->total >= pinecone_wide_listing_records);
	return listing;
}
