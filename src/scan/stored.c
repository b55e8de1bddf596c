/*
 * stored.c
 *		The records of one operation on one namespace, one after the other.
 *
 * A stream is a queue of batches.  A batch is either a page of records that
 * one call returned (query, list, fetch by metadata), or a slice of ids, known
 * from a list page, a search or the caller, whose records a fetch call brings.
 * Batches are started ahead of the reader, as many as fit a budget of bytes,
 * and read in order.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "base/idset.h"
#include "base/setting.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "scan/overlay.h"
#include "scan/page_order.h"
#include "scan/pooled.h"
#include "scan/stored.h"

/*
 * A reply of more than 4 MB is refused (API 2025-10).  Sizes are estimated, so
 * we aim below; a reply refused all the same is asked for in smaller parts.
 */
#define REPLY_BYTES (3 * 1024 * 1024)

/* Bytes of JSON per vector component, and what a record has besides. */
#define BYTES_PER_VALUE 13
#define BYTES_PER_RECORD 100
#define BYTES_PER_METADATA 400 /* until replies tell */

#define LIST_PAGE 100	  /* ids per list request, at most (API 2025-10) */
#define FETCH_BATCH 100	  /* ids per fetch request, for the URL's length */
#define FILTER_PAGE 10000 /* records per fetch-by-metadata page */
#define MAX_BATCHES 32

/* So many pages without a record in a row are not on the way to one. */
#define MAX_EMPTY_PAGES 10000

typedef struct Batch
{
	dlist_node node;
	MemoryContext cxt;
	PineconeCall *call; /* NULL once decoded */
	PineconePage *page; /* NULL before */
	int next;			/* record to return next */

	/* A slice of ids to fetch; else 0 */
	int nids;
	char **ids;
	double *scores; /* of a search, or NULL */
} Batch;

struct PineconeStored
{
	PineconeStoredSpec spec;
	MemoryContext cxt;
	dlist_head batches;
	int nbatches;
	double returned;	   /* records returned so far */
	double started;		   /* ids in fetches so far */
	double listed;		   /* ids or records that pages have brought */
	double record_bytes;   /* estimated size of a record in a reply */
	double metadata_bytes; /* of which metadata */

	/* Ids waiting to be put into fetch batches */
	MemoryContext ids_cxt;
	char **ids;
	double *scores;
	int nids;
	int next_id;

	/* The index, as the session knew it when the stream began, and where */
	PineconeMetric metric;
	int dimension;
	int location;
	bool answered; /* there has been a reply: the index may not move now */

	/* Paging through list or fetch-by-metadata */
	PineconeCall *page_call;
	char *token;
	bool paging_done;
	char *earlier_token; /* one that must not come again */
	double pages;
	double next_mark; /* number of the page whose token is the next such */
	double empty_pages;
	char *last_id; /* of the last list page */

	/* Searching */
	int top_k;
	int max_top_k;
	bool ids_only;		   /* bodies are fetched afterwards */
	bool search_full;	   /* the last search returned all it was asked for */
	PineconePage *matches; /* of the last search, in matches_cxt */
	MemoryContext matches_cxt;
	idset_hash *seen; /* ids returned by earlier, smaller searches */

	/* With the transaction's own writes: all of it is in there */
	PineconeOverlay *overlay; /* or NULL */

	/* Fetching as one of several streams */
	PineconePooledEntry **pooled; /* of the pool, one for each id */
	int next_pooled;
};

/* ---- Sizes ---- */

static void
estimate_record_bytes(PineconeStored *stream)
{
	const PineconeStoredSpec *spec = &stream->spec;
	bool everything = spec->op != PINECONE_OP_QUERY;

	stream->record_bytes = BYTES_PER_RECORD;
	if (everything || spec->want_values)
		stream->record_bytes += (double) spec->dimension * BYTES_PER_VALUE;
	if (everything || spec->want_metadata)
		stream->record_bytes += stream->metadata_bytes;
}

/* Learn how large metadata is from a page, so that later pages fit. */
static void
observe_page(PineconeStored *stream, const PineconePage *page)
{
	double bytes = 0;

	if (page->nrecords == 0)
		return;
	for (int i = 0; i < page->nrecords; i++)
		bytes += page->records[i].metadata_len;
	bytes /= page->nrecords;
	/* shrink slowly, grow at once: too large a page costs a refused request */
	stream->metadata_bytes = Max(bytes * 1.25, (stream->metadata_bytes + bytes) / 2);
	estimate_record_bytes(stream);
}

/* How many records of a reply fit. */
static int
records_per_reply(PineconeStored *stream, int most)
{
	return Max(1, (int) Min((double) most, REPLY_BYTES / stream->record_bytes));
}

/* Rows that the reader is likely to ask for still. */
static double
rows_wanted(PineconeStored *stream)
{
	if (stream->spec.row_limit <= 0 || stream->returned >= stream->spec.row_limit)
		return PINECONE_MAX_TOP_K;
	return stream->spec.row_limit - stream->returned;
}

/* ---- Batches ---- */

static Batch *
add_batch(PineconeStored *stream)
{
	MemoryContext cxt = AllocSetContextCreate(stream->cxt, "pinecone batch",
											  ALLOCSET_DEFAULT_SIZES);
	Batch *batch = MemoryContextAllocZero(cxt, sizeof(Batch));

	batch->cxt = cxt;
	dlist_push_tail(&stream->batches, &batch->node);
	stream->nbatches++;
	return batch;
}

static void
drop_batch(PineconeStored *stream, Batch *batch)
{
	dlist_delete(&batch->node);
	stream->nbatches--;
	MemoryContextDelete(batch->cxt);
}

static void
start_fetch(PineconeStored *stream, Batch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	batch->call = pinecone_vectors_fetch(stream->spec.session, stream->spec.counters,
										 stream->spec.namespace_, batch->ids, batch->nids,
										 stream->spec.want_values);
	MemoryContextSwitchTo(old);
}

/* Take n of the waiting ids into a batch and ask for their records. */
static void
fetch_ids(PineconeStored *stream, int n)
{
	Batch *batch = add_batch(stream);
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	batch->nids = n;
	batch->ids = palloc(n * sizeof(char *));
	if (stream->scores)
		batch->scores = palloc(n * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		batch->ids[i] = pstrdup(stream->ids[stream->next_id]);
		if (stream->scores)
			batch->scores[i] = stream->scores[stream->next_id];
		stream->next_id++;
	}
	MemoryContextSwitchTo(old);
	stream->started += n;
	start_fetch(stream, batch);
}

static int
ids_waiting(PineconeStored *stream)
{
	return stream->nids - stream->next_id;
}

/* Start fetches for waiting ids as far as the budget goes. */
static void
start_fetches(PineconeStored *stream)
{
	while (ids_waiting(stream) > 0)
	{
		int n = records_per_reply(stream, FETCH_BATCH);
		double batch_bytes = n * stream->record_bytes;
		double budget = pinecone_prefetch_kb * 1024.0 / Max(1, stream->spec.sharers);
		int most = Max(stream->spec.sharers > 1 ? 1 : 2,
					   (int) Min(MAX_BATCHES, budget / batch_bytes));
		double wanted = rows_wanted(stream) - (stream->started - stream->returned);

		if (stream->nbatches >= most || (stream->nbatches > 0 && wanted < 1))
			return;
		n = Min(n, ids_waiting(stream));
		/* ids that were asked for may not be there; one request for many costs little more */
		if (stream->spec.op != PINECONE_OP_FETCH)
			n = Max(1, Min(n, wanted));
		n = pinecone_vectors_fetch_batch(stream->ids + stream->next_id, n);
		fetch_ids(stream, n);
	}
}

/*
 * Add the ids of a page to those waiting.  The ones already taken are freed:
 * a scan of any length holds a bounded number of ids.
 */
static void
add_waiting_ids(PineconeStored *stream, const PineconePage *page, bool with_scores)
{
	int waiting = ids_waiting(stream);
	int n = waiting + page->nrecords;
	MemoryContext cxt = AllocSetContextCreate(stream->cxt, "pinecone ids",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	char **ids = palloc(Max(n, 1) * sizeof(char *));

	for (int i = 0; i < waiting; i++)
		ids[i] = pstrdup(stream->ids[stream->next_id + i]);
	for (int i = 0; i < page->nrecords; i++)
		ids[waiting + i] = pstrdup(page->records[i].id);

	stream->scores = NULL;
	if (with_scores)
	{
		Assert(waiting == 0);
		stream->scores = palloc(Max(n, 1) * sizeof(double));
		for (int i = 0; i < n; i++)
			stream->scores[i] = page->records[i].score;
	}
	MemoryContextSwitchTo(old);

	if (stream->ids_cxt)
		MemoryContextDelete(stream->ids_cxt);
	stream->ids_cxt = cxt;
	stream->ids = ids;
	stream->nids = n;
	stream->next_id = 0;
}

/* A fetch whose reply would be too large: the same in two halves. */
static void
split_batch(PineconeStored *stream, Batch *batch)
{
	int half = batch->nids / 2;
	Batch *rest = add_batch(stream);
	MemoryContext old;

	/* right behind the first half */
	dlist_delete(&rest->node);
	dlist_insert_after(&batch->node, &rest->node);

	old = MemoryContextSwitchTo(rest->cxt);
	rest->nids = batch->nids - half;
	rest->ids = palloc(rest->nids * sizeof(char *));
	for (int i = 0; i < rest->nids; i++)
		rest->ids[i] = pstrdup(batch->ids[half + i]);
	if (batch->scores)
	{
		rest->scores = palloc(rest->nids * sizeof(double));
		memcpy(rest->scores, batch->scores + half, rest->nids * sizeof(double));
	}
	MemoryContextSwitchTo(old);

	batch->nids = half;
	pinecone_vectors_free(batch->call);
	start_fetch(stream, batch);
	start_fetch(stream, rest);
	stream->metadata_bytes *= 2;
	estimate_record_bytes(stream);
}

static int
compare_records(const void *a, const void *b)
{
	return strcmp(((const PineconeRecord *) a)->id, ((const PineconeRecord *) b)->id);
}

/*
 * A fetch reply comes in any order and lacks the ids that do not exist: put
 * its records in the order of the ids, with the scores of the search.
 */
static void
order_fetched(Batch *batch)
{
	PineconePage *page = batch->page;
	PineconeRecord *ordered = palloc(Max(page->nrecords, 1) * sizeof(PineconeRecord));
	int n = 0;

	qsort(page->records, page->nrecords, sizeof(PineconeRecord), compare_records);
	for (int i = 0; i < batch->nids; i++)
	{
		PineconeRecord key = {.id = batch->ids[i]};
		PineconeRecord *found = bsearch(&key, page->records, page->nrecords,
										sizeof(PineconeRecord), compare_records);

		if (found == NULL || n >= page->nrecords)
			continue;
		ordered[n] = *found;
		if (batch->scores)
		{
			ordered[n].has_score = true;
			ordered[n].score = batch->scores[i];
		}
		n++;
	}
	page->records = ordered;
	page->nrecords = n;
}

/* ---- Replies that do not fit together ---- */

/* Is the index that has been found elsewhere one of the same kind? */
static bool
index_is_alike(PineconeStored *stream)
{
	PineconeStats *stats = pinecone_session_stats(stream->spec.session, true, false);

	return stats->metric == stream->metric && stats->dimension == stream->dimension;
}

/*
 * An index that is found elsewhere has been made anew.  Records of both in one
 * result, or distances by the metric of the other, would be wrong.
 */
static void
check_location(PineconeStored *stream, PineconeCall *call)
{
	int location = pinecone_vectors_location(call);

	if (location != stream->location &&
		(stream->answered || (stream->spec.op == PINECONE_OP_QUERY && !index_is_alike(stream))))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("Pinecone index \"%s\" was replaced while it was read",
						stream->spec.session->options->index),
				 errhint("Repeat the statement.")));
	stream->location = location;
	stream->answered = true;
}

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
check_progress(PineconeStored *stream, const PineconePage *page)
{
	stream->pages++;
	stream->empty_pages = page->nrecords > 0 ? 0 : stream->empty_pages + 1;
	if (page->next_token == NULL)
		return;
	if (stream->earlier_token != NULL && strcmp(stream->earlier_token, page->next_token) == 0)
		report_paging("The pages of a list come round: a pagination token was given twice.");
	if (stream->empty_pages >= MAX_EMPTY_PAGES)
		report_paging("The pages of a list are empty and do not end.");
	if (stream->pages >= stream->next_mark)
	{
		if (stream->earlier_token)
			pfree(stream->earlier_token);
		stream->earlier_token = MemoryContextStrdup(stream->cxt, page->next_token);
		stream->next_mark = Max(1, stream->next_mark * 2);
	}
}

/* Ids are listed in bytewise order (API 2025-10): drop what comes twice. */
static void
check_order(PineconeStored *stream, PineconePage *page)
{
	const char *last = stream->last_id;
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		int order = last ? strcmp(page->records[i].id, last) : 1;

		if (order < 0 && stream->spec.ordered)
			report_paging(psprintf("Ids are not listed in order: \"%s\" comes after \"%s\".",
								   page->records[i].id, last));
		if (order == 0)
			continue;
		last = page->records[i].id;
		page->records[n++] = page->records[i];
	}
	page->nrecords = n;
	if (last != NULL && last != stream->last_id)
	{
		if (stream->last_id)
			pfree(stream->last_id);
		stream->last_id = MemoryContextStrdup(stream->cxt, last);
	}
}

/*
 * Decode a batch whose call has finished.  Returns false when it had to be
 * asked for again in smaller parts.
 */
static bool
decode_batch(PineconeStored *stream, Batch *batch)
{
	MemoryContext old;

	if (pinecone_vectors_failure(batch->call) == PINECONE_FAILURE_TOO_LARGE && batch->nids > 1)
	{
		split_batch(stream, batch);
		return false;
	}
	old = MemoryContextSwitchTo(batch->cxt);
	batch->page = pinecone_vectors_page(batch->call);
	check_location(stream, batch->call);
	order_fetched(batch);
	MemoryContextSwitchTo(old);
	pinecone_vectors_free(batch->call);
	batch->call = NULL;
	observe_page(stream, batch->page);
	return true;
}

/* ---- Paging: list, and fetch by metadata ---- */

static void
start_page(PineconeStored *stream)
{
	const PineconeStoredSpec *spec = &stream->spec;
	double wanted = rows_wanted(stream) - (stream->listed - stream->returned);
	MemoryContext old = MemoryContextSwitchTo(stream->cxt);

	wanted = Max(1, wanted);
	if (spec->op == PINECONE_OP_FILTER)
		stream->page_call =
			pinecone_vectors_fetch_by_metadata(spec->session, spec->counters, spec->namespace_,
											   spec->filter,
											   (int) Min(wanted, records_per_reply(stream, FILTER_PAGE)),
											   stream->token, spec->want_values);
	else
		stream->page_call =
			pinecone_vectors_list(spec->session, spec->counters, spec->namespace_, spec->prefix,
								  (int) Min(wanted, LIST_PAGE), stream->token);
	MemoryContextSwitchTo(old);
}

/* Decode a page that has arrived, or ask for a smaller one. */
static void
take_page(PineconeStored *stream)
{
	Batch *batch;
	MemoryContext old;
	PineconePage *page;

	if (stream->spec.op == PINECONE_OP_FILTER &&
		pinecone_vectors_failure(stream->page_call) == PINECONE_FAILURE_TOO_LARGE &&
		records_per_reply(stream, FILTER_PAGE) > 1)
	{
		/* records are larger than thought */
		stream->metadata_bytes = 2 * stream->record_bytes;
		estimate_record_bytes(stream);
		pinecone_vectors_free(stream->page_call);
		start_page(stream);
		return;
	}

	batch = add_batch(stream);
	old = MemoryContextSwitchTo(batch->cxt);
	page = pinecone_vectors_page(stream->page_call);
	MemoryContextSwitchTo(old);
	check_location(stream, stream->page_call);
	check_progress(stream, page);
	pinecone_vectors_free(stream->page_call);
	stream->page_call = NULL;
	if (stream->spec.op != PINECONE_OP_FILTER)
		check_order(stream, page);

	if (stream->token)
		pfree(stream->token);
	stream->token = page->next_token ? MemoryContextStrdup(stream->cxt, page->next_token) : NULL;
	stream->paging_done = stream->token == NULL;

	stream->listed += page->nrecords;
	if (stream->spec.op == PINECONE_OP_LIST_FETCH)
	{
		add_waiting_ids(stream, page, false);
		drop_batch(stream, batch);
		return;
	}
	if (stream->spec.op == PINECONE_OP_FILTER)
	{
		observe_page(stream, page);
		pinecone_page_order_drop_repeated(page);
	}
	batch->page = page;
}

/* Have enough pages arrived, or more than enough? */
static bool
paged_enough(PineconeStored *stream)
{
	/* do not read beyond a limit before the reader does */
	if (stream->nbatches > 0 && stream->listed >= stream->spec.row_limit &&
		stream->returned < stream->spec.row_limit)
		return true;
	if (stream->spec.op == PINECONE_OP_LIST_FETCH)
		return ids_waiting(stream) >= LIST_PAGE * 4;
	return stream->nbatches > 1;
}

/* Keep a page ahead of the reader, and enough ids ahead of the fetches. */
static void
advance_paging(PineconeStored *stream)
{
	while (!stream->paging_done)
	{
		if (stream->page_call == NULL)
		{
			if (paged_enough(stream))
				return;
			start_page(stream);
		}
		if (!pinecone_vectors_ready(stream->page_call))
			return;
		take_page(stream);
		start_fetches(stream);
	}
}

/* ---- Searching ---- */

static void
start_search(PineconeStored *stream)
{
	const PineconeStoredSpec *spec = &stream->spec;
	PineconeSearch search = {0};
	Batch *batch = add_batch(stream);
	MemoryContext old;

	stream->ids_only = (spec->want_values || spec->want_metadata) &&
					   (stream->ids_only || stream->top_k > records_per_reply(stream, PINECONE_MAX_TOP_K));

	search.namespace_ = spec->namespace_;
	search.top_k = stream->top_k;
	search.nvalues = spec->nvalues;
	search.values = spec->values;
	search.id = spec->query_id;
	search.filter = spec->filter;
	search.include_values = spec->want_values && !stream->ids_only;
	search.include_metadata = spec->want_metadata && !stream->ids_only;

	old = MemoryContextSwitchTo(batch->cxt);
	batch->call = pinecone_vectors_query(spec->session, spec->counters, &search);
	MemoryContextSwitchTo(old);
}

/* Remember the last search's matches, before a larger one replaces it. */
static void
remember_matches(PineconeStored *stream)
{
	PineconePage *page = stream->matches;

	if (page == NULL)
		return;
	if (stream->seen == NULL)
		stream->seen = idset_create(stream->cxt, 256, NULL);
	for (int i = 0; i < page->nrecords; i++)
	{
		bool found;

		(void) idset_insert(stream->seen, MemoryContextStrdup(stream->cxt, page->records[i].id), &found);
	}
	stream->matches = NULL;
	MemoryContextReset(stream->matches_cxt);
}

/* A page's ids alone. */
static PineconePage *
copy_ids(const PineconePage *page)
{
	PineconePage *copy = palloc0(sizeof(PineconePage));

	copy->nrecords = page->nrecords;
	copy->records = palloc0(Max(page->nrecords, 1) * sizeof(PineconeRecord));
	for (int i = 0; i < page->nrecords; i++)
		copy->records[i].id = pstrdup(page->records[i].id);
	return copy;
}

/* Drop the matches that an earlier search has brought. */
static void
drop_seen(PineconeStored *stream, PineconePage *page)
{
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		if (!pinecone_stored_seen(stream, page->records[i].id))
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
}

/* A search has finished: its matches, as records or as ids to fetch. */
static void
take_search(PineconeStored *stream, Batch *batch)
{
	bool want_bodies = stream->spec.want_values || stream->spec.want_metadata;
	PineconePage *page;
	MemoryContext old;

	if (pinecone_vectors_failure(batch->call) == PINECONE_FAILURE_TOO_LARGE &&
		((want_bodies && !stream->ids_only) || stream->top_k > 1))
	{
		/* ids and scores first; and if even these are too many, fewer */
		if (want_bodies && !stream->ids_only)
			stream->ids_only = true;
		else
			stream->top_k = stream->max_top_k = stream->top_k / 2;
		drop_batch(stream, batch);
		start_search(stream);
		return;
	}

	old = MemoryContextSwitchTo(batch->cxt);
	page = pinecone_vectors_page(batch->call);
	stream->search_full = page->nrecords >= stream->top_k;
	pinecone_page_order_tidy(page, stream->metric == PINECONE_METRIC_EUCLIDEAN);
	MemoryContextSwitchTo(old);
	pinecone_unseen_note_indexed(stream->spec.session, stream->spec.namespace_,
								 pinecone_vectors_indexed_lsn(batch->call));
	check_location(stream, batch->call);
	pinecone_vectors_free(batch->call);
	batch->call = NULL;
	batch->page = page;

	if (stream->seen != NULL)
		drop_seen(stream, page);
	if (stream->search_full)
	{
		/* the ids may be needed when the batch is gone */
		old = MemoryContextSwitchTo(stream->matches_cxt);
		stream->matches = copy_ids(page);
		MemoryContextSwitchTo(old);
	}

	if (stream->ids_only)
	{
		add_waiting_ids(stream, page, true);
		drop_batch(stream, batch);
		start_fetches(stream);
	}
	else if (stream->spec.want_metadata)
		observe_page(stream, page);
}

/* ---- The stream ---- */

static void
advance(PineconeStored *stream)
{
	switch (stream->spec.op)
	{
		case PINECONE_OP_FETCH:
			start_fetches(stream);
			break;
		case PINECONE_OP_QUERY:
			if (stream->ids_only)
				start_fetches(stream);
			break;
		default:
			start_fetches(stream);
			advance_paging(stream);
			break;
	}
}

/* A stream of records that the pool fetches along with those of others. */
static PineconeStored *
begin_pooled(const PineconeStoredSpec *spec)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone stream",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconeStored *stream = palloc0(sizeof(PineconeStored));

	stream->cxt = cxt;
	stream->nids = spec->nids;
	stream->pooled = pinecone_pooled_add(spec->pool, spec);
	MemoryContextSwitchTo(old);
	return stream;
}

PineconeStored *
pinecone_stored_begin(const PineconeStoredSpec *spec)
{
	PineconePendingView *view;
	PineconeStored *stream;
	MemoryContext cxt;
	MemoryContext old;

	if (spec->op == PINECONE_OP_FETCH && spec->pool != NULL)
		return begin_pooled(spec);
	if (spec->own_writes)
		pinecone_consistency_wait(spec->session, spec->own_writes, spec->namespace_);
	view = pinecone_pending_view(spec->session, spec->namespace_, spec->position);
	if (view == NULL)
		return pinecone_stored_begin_stored(spec);
	cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone stream", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	stream = palloc0(sizeof(PineconeStored));
	stream->cxt = cxt;
	stream->overlay = pinecone_overlay_begin(spec, view);
	MemoryContextSwitchTo(old);
	return stream;
}

PineconeStored *
pinecone_stored_begin_stored(const PineconeStoredSpec *spec)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone stream",
											  ALLOCSET_DEFAULT_SIZES);
	PineconeStored *stream = MemoryContextAllocZero(cxt, sizeof(PineconeStored));

	stream->spec = *spec;
	stream->cxt = cxt;
	stream->matches_cxt = AllocSetContextCreate(cxt, "pinecone matches", ALLOCSET_DEFAULT_SIZES);
	stream->metadata_bytes = BYTES_PER_METADATA;
	dlist_init(&stream->batches);
	estimate_record_bytes(stream);
	if (spec->session->stats != NULL)
	{
		stream->metric = spec->session->stats->metric;
		stream->dimension = spec->session->stats->dimension;
		stream->location = spec->session->stats_location;
	}

	switch (spec->op)
	{
		case PINECONE_OP_FETCH:
			stream->ids = spec->ids;
			stream->nids = spec->nids;
			break;
		case PINECONE_OP_QUERY:
			stream->top_k = Max(1, Min(spec->top_k, PINECONE_MAX_TOP_K));
			stream->max_top_k = PINECONE_MAX_TOP_K;
			start_search(stream);
			break;
		case PINECONE_OP_LIST:
		case PINECONE_OP_LIST_FETCH:
		case PINECONE_OP_FILTER:
			break;
		default:
			elog(ERROR, "not a stream of records: operation %d", (int) spec->op);
	}
	advance(stream);
	return stream;
}

int
pinecone_stored_calls(PineconeStored *stream, PineconeCall **calls)
{
	int n = 0;

	if (stream->overlay)
		return pinecone_overlay_calls(stream->overlay, calls);
	if (stream->pooled)
		return stream->next_pooled < stream->nids ?
				   pinecone_pooled_calls(stream->pooled[stream->next_pooled], calls) :
				   0;

	if (!dlist_is_empty(&stream->batches))
	{
		Batch *head = dlist_head_element(Batch, node, &stream->batches);

		if (head->call)
			calls[n++] = head->call;
	}
	if (stream->page_call)
		calls[n++] = stream->page_call;
	return n;
}

/* Is something on its way that will bring a record? */
static bool
wait_for_more(PineconeStored *stream)
{
	PineconeCall *calls[PINECONE_STORED_CALLS];
	int n = pinecone_stored_calls(stream, calls);

	if (n == 0)
		return false;
	pinecone_vectors_wait_any(calls, n);
	return true;
}

/* All batches are read: a search may grow, everything else is at its end. */
static PineconeStoredStatus
finish_or_grow(PineconeStored *stream)
{
	if (stream->spec.op != PINECONE_OP_QUERY || !stream->search_full)
		return PINECONE_STORED_END;
	remember_matches(stream);
	if (stream->top_k >= stream->max_top_k)
		return PINECONE_STORED_CAPPED;
	stream->top_k = Min(stream->max_top_k, stream->top_k * 2);
	stream->search_full = false;
	start_search(stream);
	return PINECONE_STORED_PENDING;
}

/* The next record that the pool has found. */
static PineconeStoredStatus
next_pooled(PineconeStored *stream, bool wait, PineconeRecord **record)
{
	while (stream->next_pooled < stream->nids)
	{
		PineconePooledEntry *entry = stream->pooled[stream->next_pooled];

		if (!pinecone_pooled_find(entry, wait, record))
			return PINECONE_STORED_PENDING;
		stream->next_pooled++;
		if (*record != NULL)
			return PINECONE_STORED_RECORD;
	}
	return PINECONE_STORED_END;
}

PineconeStoredStatus
pinecone_stored_next(PineconeStored *stream, bool wait, PineconeRecord **record)
{
	if (stream->pooled)
		return next_pooled(stream, wait, record);
	if (stream->overlay)
		return pinecone_overlay_next(stream->overlay, wait, record);
	for (;;)
	{
		Batch *head = NULL;

		if (!dlist_is_empty(&stream->batches))
			head = dlist_head_element(Batch, node, &stream->batches);

		if (head != NULL && head->page != NULL)
		{
			if (head->next < head->page->nrecords)
			{
				*record = &head->page->records[head->next++];
				stream->returned++;
				return PINECONE_STORED_RECORD;
			}
			drop_batch(stream, head);
			advance(stream);
			continue;
		}

		advance(stream);
		if (head == NULL && !dlist_is_empty(&stream->batches))
			continue;
		if (head != NULL && head->call != NULL && pinecone_vectors_ready(head->call))
		{
			if (head->nids > 0)
				decode_batch(stream, head);
			else
				take_search(stream, head);
			continue;
		}
		if (head == NULL && stream->page_call == NULL)
		{
			PineconeStoredStatus status = finish_or_grow(stream);

			if (status != PINECONE_STORED_PENDING)
				return status;
			continue;
		}
		if (!wait)
			return PINECONE_STORED_PENDING;
		if (!wait_for_more(stream))
			elog(ERROR, "nothing to wait for in a Pinecone stream");
	}
}

bool
pinecone_stored_seen(PineconeStored *stream, const char *id)
{
	if (stream->overlay)
		return pinecone_overlay_seen(stream->overlay, id);
	return stream->seen != NULL && idset_lookup(stream->seen, id) != NULL;
}

int
pinecone_stored_top_k(PineconeStored *stream)
{
	if (stream->overlay)
		return pinecone_overlay_top_k(stream->overlay);
	return stream->top_k;
}

void
pinecone_stored_end(PineconeStored *stream)
{
	MemoryContextDelete(stream->cxt);
}
