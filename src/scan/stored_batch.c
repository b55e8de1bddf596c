/*
 * stored_batch.c
 *		Batches of records, in the order they are returned, and fetches.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "base/setting.h"
#include "scan/score.h"
#include "scan/stored_part.h"

/* Bytes of JSON per vector component, and what a record has besides. */
#define BYTES_PER_VALUE 13
#define BYTES_PER_RECORD 100

#define MAX_BATCHES 32

/* So many ids that are given are fetched as many at a time as there can be */
#define MANY_IDS 2000

/* ---- Sizes ---- */

void
pinecone_stored_estimate(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	/* fetches bring vectors unless they are of documents, and name what they want */
	bool everything = spec->op != PINECONE_OP_QUERY && (spec->session->schema == NULL || spec->fields == NULL);

	stored->record_bytes = BYTES_PER_RECORD;
	if (everything || spec->want_values)
		stored->record_bytes += (double) spec->dimension * BYTES_PER_VALUE;
	if (everything || spec->want_metadata)
		stored->record_bytes += stored->metadata_bytes;
}

void
pinecone_stored_observe(PineconeStored *stored, const PineconePage *page)
{
	double bytes = 0;

	if (page->nrecords == 0)
		return;
	for (int i = 0; i < page->nrecords; i++)
		bytes += page->records[i].metadata_len;
	bytes /= page->nrecords;
	/* shrink slowly, grow at once: too large a page costs a refused request */
	stored->metadata_bytes = Max(bytes * 1.25, (stored->metadata_bytes + bytes) / 2);
	pinecone_stored_estimate(stored);
}

int
pinecone_stored_per_reply(PineconeStored *stored, int most)
{
	return Max(1, (int) Min((double) most, PINECONE_REPLY_BYTES / stored->record_bytes));
}

double
pinecone_stored_wanted(PineconeStored *stored)
{
	if (stored->spec.row_limit <= 0 || stored->returned >= stored->spec.row_limit)
		return PINECONE_MAX_TOP_K;
	return stored->spec.row_limit - stored->returned;
}

/* ---- Batches ---- */

static PineconeBatch *
add_batch(PineconeStored *stored, MemoryContext cxt)
{
	PineconeBatch *batch = MemoryContextAllocZero(cxt, sizeof(PineconeBatch));

	batch->cxt = cxt;
	dlist_push_tail(&stored->batches, &batch->node);
	stored->nbatches++;
	return batch;
}

PineconeBatch *
pinecone_stored_add_batch(PineconeStored *stored)
{
	return add_batch(stored, AllocSetContextCreate(stored->source.cxt, "pinecone batch",
												   ALLOCSET_DEFAULT_SIZES));
}

void
pinecone_stored_add_page(PineconeStored *stored, MemoryContext cxt, PineconePage *page)
{
	add_batch(stored, cxt)->page = page;
}

void
pinecone_stored_drop_batch(PineconeStored *stored, PineconeBatch *batch)
{
	/* after a sparse search come those that it does not bring */
	if (stored->spec.op == PINECONE_OP_QUERY &&
		(!stored->search_over || stored->spec.query.kind == PINECONE_SPARSE))
		pinecone_stored_remember(stored, batch);
	dlist_delete(&batch->node);
	stored->nbatches--;
	MemoryContextDelete(batch->cxt);
}

const PineconeProjection *
pinecone_stored_fields(PineconeStored *stored)
{
	static const PineconeProjection nothing = {0};

	return stored->spec.want_values || stored->spec.want_metadata || stored->spec.fields != NULL ? stored->spec.fields : &nothing;
}

static void
start_fetch(PineconeStored *stored, PineconeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	batch->call = pinecone_vectors_fetch(stored->spec.session, stored->spec.counters,
										 stored->spec.namespace_, batch->ids, batch->nids,
										 pinecone_stored_fields(stored), stored->spec.want_values);
	MemoryContextSwitchTo(old);
}

/* Take n of the waiting ids into a batch and ask for their records. */
static void
fetch_ids(PineconeStored *stored, int n)
{
	PineconeBatch *batch = pinecone_stored_add_batch(stored);
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	batch->nids = n;
	batch->ids = palloc(n * sizeof(char *));
	if (stored->scores)
		batch->scores = palloc(n * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		batch->ids[i] = pstrdup(stored->ids[stored->next_id]);
		if (stored->scores)
			batch->scores[i] = stored->scores[stored->next_id];
		stored->next_id++;
	}
	MemoryContextSwitchTo(old);
	stored->started += n;
	start_fetch(stored, batch);
}

int
pinecone_stored_ids_waiting(PineconeStored *stored)
{
	return stored->nids - stored->next_id;
}

bool
pinecone_stored_is_wide(const PineconeStored *stored)
{
	return stored->sweeping || stored->swept_ids != NULL || stored->spec.nids >= MANY_IDS ||
		   (stored->listing != NULL && pinecone_listing_is_wide(stored->listing));
}

/*
 * Start fetches while there is room for what they bring.  Where a namespace is
 * listed in many places at once, requests are what counts: then they are large,
 * and wait until there are ids enough.
 */
void
pinecone_stored_start_fetches(PineconeStored *stored)
{
	bool wide = pinecone_stored_is_wide(stored);

	while (pinecone_stored_ids_waiting(stored) > 0)
	{
		int waiting = pinecone_stored_ids_waiting(stored);
		int full = pinecone_stored_per_reply(stored, pinecone_vectors_max_fetch(stored->spec.session, wide));
		int n = pinecone_vectors_fetch_batch(stored->spec.session, stored->ids + stored->next_id, Min(full, waiting), full);
		double budget = pinecone_prefetch_kb * 1024.0 / Max(1, stored->spec.sharers);
		int most = Max(stored->spec.sharers > 1 ? 1 : 2,
					   (int) Min(MAX_BATCHES, budget / (Max(n, Min(full, PINECONE_FETCH_BATCH)) * stored->record_bytes)));
		double wanted = pinecone_stored_wanted(stored) - (stored->started - stored->returned);

		if (stored->nbatches >= most || (stored->nbatches > 0 && wanted < 1))
			return;
		/* one fetch is for several pages where these have few ids that are wanted, and where requests count */
		if (stored->spec.op != PINECONE_OP_FETCH && !stored->paging_done && n == waiting &&
			((stored->spec.wants_id != NULL && waiting < Min(full, wanted)) ||
			 (wide && n < full && stored->nbatches > 0)))
			return;
		/* ids that were asked for may not be there; one request for many costs little more */
		if (stored->spec.op != PINECONE_OP_FETCH)
			n = Max(1, Min(n, wanted));
		fetch_ids(stored, n);
	}
}

/*
 * Add the ids of a page to those waiting.  The ones already taken are freed:
 * a scan of any length holds a bounded number of ids.
 */
int
pinecone_stored_add_ids(PineconeStored *stored, const PineconePage *page, bool with_scores)
{
	int waiting = pinecone_stored_ids_waiting(stored);
	int n = waiting + page->nrecords;
	MemoryContext cxt = AllocSetContextCreate(stored->source.cxt, "pinecone ids",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	char **ids = palloc(Max(n, 1) * sizeof(char *));

	for (int i = 0; i < waiting; i++)
		ids[i] = pstrdup(stored->ids[stored->next_id + i]);
	n = waiting;
	for (int i = 0; i < page->nrecords; i++)
	{
		if (with_scores || stored->spec.wants_id == NULL ||
			stored->spec.wants_id(stored->spec.wants_id_context, page->records[i].id))
			ids[n++] = pstrdup(page->records[i].id);
	}

	stored->scores = NULL;
	if (with_scores)
	{
		Assert(waiting == 0);
		stored->scores = palloc(Max(n, 1) * sizeof(double));
		for (int i = 0; i < n; i++)
			stored->scores[i] = page->records[i].score;
	}
	MemoryContextSwitchTo(old);

	if (stored->ids_cxt)
		MemoryContextDelete(stored->ids_cxt);
	stored->ids_cxt = cxt;
	stored->ids = ids;
	stored->nids = n;
	stored->next_id = 0;
	return n - waiting;
}

/* A fetch of so many ids at most in place of one, and others right behind it for the rest. */
static void
split_batch(PineconeStored *stored, PineconeBatch *batch, int most)
{
	PineconeBatch *before = batch;

	for (int first = most; first < batch->nids; first += most)
	{
		PineconeBatch *rest = pinecone_stored_add_batch(stored);
		MemoryContext old = MemoryContextSwitchTo(rest->cxt);

		dlist_delete(&rest->node);
		dlist_insert_after(&before->node, &rest->node);
		before = rest;
		rest->nids = Min(most, batch->nids - first);
		rest->ids = palloc(rest->nids * sizeof(char *));
		for (int i = 0; i < rest->nids; i++)
			rest->ids[i] = pstrdup(batch->ids[first + i]);
		if (batch->scores)
		{
			rest->scores = palloc(rest->nids * sizeof(double));
			memcpy(rest->scores, batch->scores + first, rest->nids * sizeof(double));
		}
		MemoryContextSwitchTo(old);
		start_fetch(stored, rest);
	}
	batch->nids = most;
	pinecone_vectors_free(batch->call);
	start_fetch(stored, batch);
}

/* A fetch that is refused for its size is asked for again in smaller parts. */
static bool
is_split(PineconeStored *stored, PineconeBatch *batch)
{
	int ceiling;

	if (batch->nids <= 1)
		return false;
	switch (pinecone_vectors_failure(batch->call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
			split_batch(stored, batch, (batch->nids + 1) / 2);
			stored->metadata_bytes *= 2;
			pinecone_stored_estimate(stored);
			return true;
		case PINECONE_FAILURE_REJECTED:
			ceiling = pinecone_vectors_ceiling(batch->call, "ids", batch->nids, false);
			if (ceiling <= 0)
				return false;
			stored->spec.session->max_fetch = ceiling;
			split_batch(stored, batch, ceiling);
			return true;
		default:
			return false;
	}
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
order_fetched(PineconeBatch *batch)
{
	PineconePage *page = batch->page;
	PineconeRecord *ordered = palloc(Max(page->nrecords, 1) * sizeof(PineconeRecord));
	int n = 0;

	qsort(page->records, page->nrecords, sizeof(PineconeRecord), compare_records);
	/* not of a reply without any: its array may be NULL, which bsearch() must not be given */
	for (int i = 0; i < batch->nids && n < page->nrecords; i++)
	{
		PineconeRecord key = {.id = batch->ids[i]};
		PineconeRecord *found = bsearch(&key, page->records, page->nrecords,
										sizeof(PineconeRecord), compare_records);

		if (found == NULL)
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

/* ---- Replies ---- */

/* What has no vector, or none any more, has no place among the matches. */
void
pinecone_stored_rescore(PineconeStored *stored, PineconePage *page)
{
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		PineconeRecord *record = &page->records[i];

		pinecone_score_record(record, &stored->spec.query);
		if (record->has_score)
			page->records[n++] = *record;
	}
	page->nrecords = n;
}

/* Is the index that has been found elsewhere one of the same kind? */
static bool
index_is_alike(PineconeStored *stored)
{
	PineconeStats *stats = pinecone_session_stats(stored->spec.session, true, false);

	return stats->metric == stored->index_metric && stats->dimension == stored->dimension;
}

void
pinecone_stored_check_location(PineconeStored *stored, int location)
{
	if (location != stored->location &&
		(stored->answered || (stored->spec.op == PINECONE_OP_QUERY && !index_is_alike(stored))))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("Pinecone index \"%s\" was replaced while it was read",
						stored->spec.session->options->index ? stored->spec.session->options->index : stored->spec.session->options->host),
				 errhint("Repeat the statement.")));
	stored->location = location;
	stored->answered = true;
}


void
pinecone_stored_take_fetch(PineconeStored *stored, PineconeBatch *batch)
{
	MemoryContext old;

	if (is_split(stored, batch))
		return;
	old = MemoryContextSwitchTo(batch->cxt);
	batch->page = pinecone_vectors_page(batch->call);
	pinecone_stored_check_location(stored, pinecone_vectors_location(batch->call));
	order_fetched(batch);
	if (batch->scores != NULL)
		pinecone_stored_note_gone(stored, batch);
	if (stored->rescores)
		pinecone_stored_rescore(stored, batch->page);
	MemoryContextSwitchTo(old);
	/* ids that are not there are no longer on their way */
	stored->started -= batch->nids - batch->page->nrecords;
	pinecone_vectors_free(batch->call);
	batch->call = NULL;
	pinecone_stored_observe(stored, batch->page);
}
