/*
 * growing_search.c
 *		Searches that grow for as long as their reader wants more.
 *
 * A search asks for as many matches as are likely to be read, and for twice as
 * many when these have been; for a cursor, of which nobody knows, for some, and
 * then for ten times as many.  What an index answers is approximate: a reply of
 * fewer matches than were asked for does not say that there are no others.  So
 * matches of such a reply are held back until one of these is known:
 *
 * - that they are all there are, as known_matches() tells;
 * - that they are fewer, but the reader has enough in them for now;
 * - that another search, for twice as many, brought nothing new, if nobody has
 *   counted them.
 *
 * A sparse search brings those alone that have something in common with the query, and
 * nobody counts them: of it the last of these holds.
 *
 * Else it is another search for twice as many, whose matches join those held
 * back; and when that cannot be, or has brought nothing new though there are
 * others, the search is capped, and what was held back is dropped.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "scan/known.h"
#include "scan/page_order.h"
#include "scan/score.h"
#include "scan/stored_part.h"

/* ---- Asking ---- */

void
pinecone_stored_start_search(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	PineconeSearch search = {0};
	PineconeBatch *batch = pinecone_stored_add_batch(stored);
	MemoryContext old;

	/* of an integrated index a search by words brings no vectors */
	if (spec->clauses != NULL && spec->session->schema == NULL && spec->want_values)
		stored->ids_only = true;
	stored->ids_only = (spec->want_values || spec->want_metadata) &&
					   (stored->ids_only || stored->top_k > pinecone_stored_per_reply(stored, PINECONE_MAX_TOP_K));

	search.namespace_ = spec->namespace_;
	search.top_k = stored->top_k;
	search.nvalues = spec->query.nvalues;
	search.values = spec->query.values;
	search.sparse = spec->query.sparse;
	search.id = spec->query_id;
	search.filter = spec->filter;
	search.include_values = spec->want_values && !stored->ids_only;
	search.include_metadata = spec->want_metadata && !stored->ids_only;
	search.fields = spec->fields;
	search.clauses = spec->clauses;
	search.rerank = spec->rerank;
	search.candidates = spec->rerank ? psprintf("%d", spec->candidates) : NULL;

	old = MemoryContextSwitchTo(batch->cxt);
	batch->call = pinecone_vectors_query(spec->session, spec->counters, &search);
	MemoryContextSwitchTo(old);
}

/* Ask for another number; what is held back stays so. */
static void
search_again(PineconeStored *stored, int top_k)
{
	stored->top_k = top_k;
	pinecone_stored_start_search(stored);
}

static bool
can_grow(PineconeStored *stored)
{
	return stored->top_k < stored->max_top_k;
}

static int
grown_top_k(PineconeStored *stored)
{
	/* a reader who may stop anywhere, and has not, is likely to read much */
	return (int) Min((double) stored->max_top_k, (stored->spec.gradual ? 10.0 : 2.0) * stored->top_k);
}

/* ---- What has come ---- */

/* Drop the matches that have been returned. */
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

/*
 * Join a page with what is held back, which it may bring again, in the current
 * memory context.  Says how many of its matches are new.
 */
static int
join_held(PineconeStored *stored, PineconePage *page)
{
	PineconePage *held = stored->held ? stored->held->page : NULL;
	int nnew = page->nrecords;
	PineconeRecord *records;
	idset_hash *ids;
	int n = page->nrecords;

	if (held == NULL)
		return nnew;
	ids = idset_create(CurrentMemoryContext, Max(n, 16), NULL);
	records = palloc(Max(n + held->nrecords, 1) * sizeof(PineconeRecord));
	for (int i = 0; i < n; i++)
	{
		bool found;

		records[i] = page->records[i];
		(void) idset_insert(ids, records[i].id, &found);
	}
	for (int i = 0; i < held->nrecords; i++)
	{
		if (idset_lookup(ids, held->records[i].id) != NULL)
			nnew--;
		else
			records[n++] = *pinecone_record_copy(&held->records[i]);
	}
	page->records = records;
	page->nrecords = n;
	idset_destroy(ids);
	return nnew;
}

static void
drop_held(PineconeStored *stored)
{
	if (stored->held)
		MemoryContextDelete(stored->held->cxt);
	stored->held = NULL;
}

/* Let the reader have what is held back, as records or as ids to fetch. */
static void
release(PineconeStored *stored)
{
	PineconeBatch *batch = stored->held;

	stored->held = NULL;
	stored->settling = false;
	if (stored->ids_only)
	{
		pinecone_stored_add_ids(stored, batch->page, true);
		MemoryContextDelete(batch->cxt);
		pinecone_stored_start_fetches(stored);
		return;
	}
	dlist_push_tail(&stored->batches, &batch->node);
	stored->nbatches++;
	if (stored->spec.want_metadata)
		pinecone_stored_observe(stored, batch->page);
}

/*
 * Refused: the reply would be too large, or the number is above a ceiling that
 * this deployment has.  Returns whether it is asked for again in another way.
 */
static bool
ask_for_less(PineconeStored *stored, PineconeBatch *batch)
{
	bool want_bodies = stored->spec.want_values || stored->spec.want_metadata;
	PineconeFailure failure = pinecone_vectors_failure(batch->call);
	int ceiling;

	/* it is not the matches asked for that are too many, but the candidates */
	if (stored->spec.rerank != NULL)
		return false;
	if (failure == PINECONE_FAILURE_TOO_LARGE && want_bodies && !stored->ids_only)
		stored->ids_only = true; /* ids and scores first */
	else if (failure == PINECONE_FAILURE_TOO_LARGE && stored->top_k > 1)
		stored->top_k = stored->max_top_k = stored->top_k / 2;
	else if (failure == PINECONE_FAILURE_REJECTED &&
			 (ceiling = pinecone_vectors_ceiling(batch->call, "topk", stored->top_k, true)) > 0)
		stored->top_k = stored->max_top_k = stored->spec.session->max_top_k = ceiling;
	else
		return false;
	pinecone_stored_drop_batch(stored, batch);
	pinecone_stored_start_search(stored);
	return true;
}

/* Do the matches that have come suffice the reader for now? */
static bool
reader_has_enough(PineconeStored *stored, double known)
{
	double wanted = stored->spec.row_limit;

	/* all that there are were asked for, and did not come */
	if (stored->top_k >= known || stored->nnew == 0)
		return false;
	/* a reader of everything would meet in the end what is missing now, out of order */
	if (wanted <= 0)
		return can_grow(stored);
	return stored->ncame >= wanted;
}

/*
 * Of the matches that came, those that a count may have otherwise, because of
 * what was written a moment ago.
 */
static int
unsure_matches(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	PineconePendingFate least = spec->filter ? PINECONE_PENDING_CHANGED : PINECONE_PENDING_REPLACED;
	const PineconePage *page = stored->held->page;
	int n = 0;

	if (spec->unseen == NULL)
		return 0;
	for (int i = 0; i < page->nrecords; i++)
		n += pinecone_pending_fate(spec->unseen, page->records[i].id) >= least;
	if (stored->seen != NULL)
	{
		idset_iterator iterator;
		PineconeIdEntry *entry;

		idset_start_iterate(stored->seen, &iterator);
		while ((entry = idset_iterate(stored->seen, &iterator)) != NULL)
			n += pinecone_pending_fate(spec->unseen, entry->id) >= least;
	}
	return n;
}

/*
 * Fewer matches came than were asked for.  Go on as the head of this file says,
 * as far as can be without waiting.
 */
static void
settle(PineconeStored *stored)
{
	bool sparse = stored->spec.query.kind == PINECONE_SPARSE;
	PineconeKnown known = {PINECONE_KNOWN_NOTHING, -1};

	if (!sparse)
	{
		MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);

		known = pinecone_known_matches(&stored->known, &stored->spec, stored->ncame, unsure_matches(stored));
		MemoryContextSwitchTo(old);
	}
	if (known.kind == PINECONE_KNOWN_ASKED)
		return;
	/* documents need not have a dense vector: those without are not the search's to bring */
	if (known.kind == PINECONE_KNOWN_ALL ||
		(known.kind == PINECONE_KNOWN_NOTHING && stored->doubted && stored->nnew == 0 &&
		 (sparse || stored->spec.session->schema == NULL)))
	{
		stored->search_over = true;
		release(stored);
		return;
	}

	if (known.kind == PINECONE_KNOWN_MORE)
	{
		if (stored->spec.counters)
			stored->spec.counters->short_searches++;
		if (reader_has_enough(stored, known.records))
		{
			release(stored);
			return;
		}
	}
	/* nothing else finds by meaning: what Pinecone brings is what there is */
	if (stored->spec.clauses != NULL && ((stored->doubted && stored->nnew == 0) || !can_grow(stored)))
	{
		stored->search_over = true;
		release(stored);
		return;
	}
	stored->settling = false;
	if ((stored->doubted && stored->nnew == 0) || (stored->spec.query_id != NULL && stored->ncame == 0))
		stored->capped = true;
	else if (can_grow(stored))
	{
		stored->doubted = true;
		search_again(stored, grown_top_k(stored));
	}
	else if (known.kind == PINECONE_KNOWN_NOTHING && !stored->doubted && stored->top_k > 1)
	{
		/* twice as many as came, for it cannot be twice as many as were asked for */
		stored->doubted = true;
		search_again(stored, (int) Min(Max(2.0 * stored->ncame, 1), stored->top_k - 1));
	}
	else
		stored->capped = true;
	if (stored->capped)
		drop_held(stored);
}

/* Best first; scores that come with ids alone may mean anything, and stay in their order. */
static void
tidy(PineconeStored *stored, PineconePage *page)
{
	if (stored->rescores && stored->ids_only)
		pinecone_page_order_drop_repeated(page);
	else
		pinecone_page_order_tidy(page, stored->metric == PINECONE_METRIC_EUCLIDEAN && stored->spec.clauses == NULL);
}

/*
 * By words there is no more to find than what matches; by the meaning of words,
 * each record that has a vector matches, and an approximate search may leave some
 * out that a larger one brings.
 */
static bool
ends_where_it_is_short(const PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;

	if (spec->clauses == NULL)
		return false;
	return spec->session->schema != NULL || spec->rerank != NULL ||
		   (spec->session->stats != NULL && spec->session->stats->sparse);
}

/*
 * Some match has a score beyond the range of float32, which the reply does not
 * tell: how it stands to the others is seen where all distances are computed here.
 */
static void
give_up_scores(PineconeStored *stored, PineconeBatch *batch)
{
	if (stored->spec.clauses != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail("A match of a search by words has no score.")));
	stored->capped = true;
	drop_held(stored);
	pinecone_stored_drop_batch(stored, batch);
}

/*
 * Take the reply of a search. A full page is released at once, less what earlier
 * ones brought; one that is not full is held until known.c tells whether it is
 * the end.
 */
void
pinecone_stored_take_search(PineconeStored *stored, PineconeBatch *batch)
{
	PineconePage *page;
	MemoryContext old;
	bool full;
	bool unscored;

	if (ask_for_less(stored, batch))
		return;

	old = MemoryContextSwitchTo(batch->cxt);
	page = pinecone_vectors_page(batch->call);
	unscored = page->unscored && !stored->rescores;
	full = page->nrecords >= stored->top_k;
	stored->spec.session->documents_found |= page->nrecords > 0;
	if (stored->rescores && !stored->ids_only)
		pinecone_stored_rescore(stored, page);
	if (stored->spec.clauses == NULL)
		pinecone_score_limit(page, stored->metric);
	tidy(stored, page);
	if (stored->seen != NULL || stored->gone != NULL)
		drop_seen(stored, page);
	stored->nnew = join_held(stored, page);
	if (stored->held != NULL)
		tidy(stored, page);
	MemoryContextSwitchTo(old);
	pinecone_stored_check_location(stored, pinecone_vectors_location(batch->call));
	pinecone_unseen_note_indexed(stored->spec.session, stored->spec.namespace_,
								 pinecone_vectors_indexed_lsn(batch->call));
	pinecone_vectors_free(batch->call);
	batch->call = NULL;
	batch->page = page;
	if (unscored)
	{
		give_up_scores(stored, batch);
		return;
	}

	/* out of the queue, in place of what was held back before */
	drop_held(stored);
	dlist_delete(&batch->node);
	stored->nbatches--;
	stored->held = batch;
	stored->ncame = page->nrecords + (stored->seen ? stored->seen->members : 0);
	if (!full && ends_where_it_is_short(stored))
		stored->search_over = true;
	/* one for fewer, where more could not be asked for, may be full and tell nothing */
	if (full && stored->doubted && stored->nnew == 0)
		full = false;
	if (full || stored->search_over)
	{
		release(stored);
		return;
	}
	stored->settling = true;
	pinecone_known_begin(&stored->known);
	settle(stored);
}

PineconeSourceStatus
pinecone_stored_grow(PineconeStored *stored)
{
	if (stored->settling)
	{
		settle(stored);
		return PINECONE_SOURCE_PENDING;
	}
	if (stored->search_over)
		return PINECONE_SOURCE_END;
	/* all candidates have come */
	if (stored->spec.rerank != NULL && !can_grow(stored))
		return PINECONE_SOURCE_END;
	if (stored->capped || !can_grow(stored))
	{
		stored->capped = true;
		return PINECONE_SOURCE_CAPPED;
	}
	stored->doubted = false;
	search_again(stored, grown_top_k(stored));
	return PINECONE_SOURCE_PENDING;
}
