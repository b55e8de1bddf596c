/*
 * stored.c
 *		Reads what Pinecone holds, some of it ahead.
 *
 * The source is a queue of batches.  A batch is either a page of records that
 * one call returned (query, list, fetch by metadata), or a slice of ids, known
 * from a list page, a search or the caller, whose records a fetch call brings.
 * Batches are started ahead of the reader, as many as fit a budget of bytes,
 * and read in order.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/stored_part.h"
#include "wire/schema.h"

static void
advance(PineconeStored *stored)
{
	switch (stored->spec.op)
	{
		case PINECONE_OP_FETCH:
			if (stored->sweeping)
				pinecone_stored_advance_sweep(stored);
			else
				pinecone_stored_start_fetches(stored);
			break;
		case PINECONE_OP_QUERY:
			if (stored->ids_only)
				pinecone_stored_start_fetches(stored);
			break;
		default:
			pinecone_stored_start_fetches(stored);
			pinecone_stored_advance_paging(stored);
			break;
	}
}

static int
stored_calls(PineconeSource *source, PineconeCall **calls)
{
	PineconeStored *stored = (PineconeStored *) source;
	int n = 0;

	if (!dlist_is_empty(&stored->batches))
	{
		PineconeBatch *head = dlist_head_element(PineconeBatch, node, &stored->batches);

		if (head->call)
			calls[n++] = head->call;
	}
	if (stored->page_call)
		calls[n++] = stored->page_call;
	if (stored->swept_ids)
		return n + pinecone_swept_ids_calls(stored->swept_ids, calls + n);
	if (stored->walk && !stored->paging_done)
		n += pinecone_id_walk_calls(stored->walk, calls + n);
	if (stored->descent && !stored->paging_done)
		n += pinecone_id_descent_calls(stored->descent, calls + n);
	if (stored->listing && !stored->paging_done)
		n += pinecone_listing_calls(stored->listing, calls + n);
	if (stored->sweeping)
		n += pinecone_sweep_calls(stored->sweep, calls + n);
	if (stored->settling)
		n += pinecone_known_calls(&stored->known, &stored->spec, calls + n);
	return n;
}

static void
wait_for_more(PineconeStored *stored)
{
	PineconeCall *calls[PINECONE_SOURCE_CALLS];
	int n = stored_calls(&stored->source, calls);

	if (n > 0)
		(void) pinecone_vectors_wait_any(calls, n);
	else if (!stored->settling && !stored->sweeping && stored->swept_ids == NULL)
		elog(ERROR, "nothing to wait for in a Pinecone source");
	/* else another source has taken what this one waited for */
}

/* May pages bring more? */
static bool
is_paging(PineconeStored *stored)
{
	return stored->sweeping || stored->page_call != NULL ||
		   ((stored->listing != NULL || stored->walk != NULL || stored->descent != NULL || stored->swept_ids != NULL) && !stored->paging_done);
}

/*
 * Return what the first batch has; when it is read, drop it; when it is not
 * there yet, take what has come, or wait.  With no batch left, and no page on
 * its way, a search may go on, and everything else is at its end.
 */
static PineconeSourceStatus
stored_next(PineconeSource *source, bool wait, PineconeRecord **record)
{
	PineconeStored *stored = (PineconeStored *) source;

	for (;;)
	{
		PineconeBatch *head = NULL;

		if (!dlist_is_empty(&stored->batches))
			head = dlist_head_element(PineconeBatch, node, &stored->batches);

		if (head != NULL && head->page != NULL)
		{
			if (head->next < head->page->nrecords)
			{
				*record = &head->page->records[head->next++];
				stored->returned++;
				return PINECONE_SOURCE_RECORD;
			}
			pinecone_stored_drop_batch(stored, head);
			advance(stored);
			continue;
		}

		advance(stored);
		if (head == NULL && !dlist_is_empty(&stored->batches))
			continue;
		if (head != NULL && head->call != NULL && pinecone_vectors_ready(head->call))
		{
			if (head->nids > 0)
				pinecone_stored_take_fetch(stored, head);
			else
				pinecone_stored_take_search(stored, head);
			continue;
		}
		if (head == NULL && !is_paging(stored))
		{
			PineconeSourceStatus status = PINECONE_SOURCE_END;

			if (stored->spec.op == PINECONE_OP_QUERY)
				status = pinecone_stored_grow(stored);
			if (status != PINECONE_SOURCE_PENDING)
				return status;
			if (!stored->settling)
				continue;
		}
		if (!wait)
			return PINECONE_SOURCE_PENDING;
		wait_for_more(stored);
	}
}

static bool
stored_seen(PineconeSource *source, const char *id)
{
	return pinecone_stored_seen((PineconeStored *) source, id);
}

static int
stored_top_k(PineconeSource *source)
{
	return ((PineconeStored *) source)->top_k;
}

static const PineconeSourceKind stored_kind = {
	.next = stored_next,
	.calls = stored_calls,
	.seen = stored_seen,
	.top_k = stored_top_k,
};

/*
 * What the scores of documents are by euclidean distance is not certain, only
 * that the nearest come first: so they are computed here, of the vectors.
 */
static void
compute_scores(PineconeStored *stored)
{
	const PineconeSchema *schema = stored->spec.session->schema;
	MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);
	PineconeProjection *fields = palloc0(sizeof(PineconeProjection));

	if (stored->spec.fields != NULL && (stored->spec.want_values || stored->spec.want_metadata))
	{
		for (int i = 0; i < stored->spec.fields->n; i++)
			pinecone_schema_project(fields, stored->spec.fields->names[i]);
	}
	pinecone_schema_project(fields, pstrdup(schema->dense->name));
	if (stored->spec.fields != NULL || !stored->spec.want_metadata)
		stored->spec.fields = fields;
	stored->spec.want_values = true;
	stored->rescores = true;
	MemoryContextSwitchTo(old);
}

/*
 * Open a source and start its first requests. What is known of the index is
 * taken as of now; where it is not known, it is asked for beside them and
 * checked before anything is returned.
 */
PineconeSource *
pinecone_stored_begin(const PineconeSourceSpec *spec)
{
	PineconeStored *stored = pinecone_source_create(&stored_kind, sizeof(PineconeStored));

	stored->spec = *spec;
	stored->metadata_bytes = spec->metadata_bytes > 0 ? spec->metadata_bytes : PINECONE_METADATA_BYTES;
	dlist_init(&stored->batches);
	if (spec->op == PINECONE_OP_QUERY && spec->session->schema != NULL && spec->clauses == NULL &&
		spec->query.kind == PINECONE_DENSE &&
		spec->session->schema->dense != NULL &&
		spec->session->schema->dense->metric == PINECONE_METRIC_EUCLIDEAN)
		compute_scores(stored);
	pinecone_stored_estimate(stored);
	if (spec->session->stats != NULL)
	{
		stored->metric = spec->query.kind == PINECONE_DENSE ? spec->session->stats->metric : spec->query.metric;
		stored->index_metric = spec->session->stats->metric;
		stored->dimension = spec->session->stats->dimension;
		stored->location = spec->session->stats_location;
	}
	else
	{
		/* they are asked for, and looked at before what comes is returned */
		stored->metric = stored->index_metric = spec->query.metric;
		stored->dimension = spec->query.nvalues;
		stored->location = spec->session->location;
	}

	switch (spec->op)
	{
		case PINECONE_OP_FETCH:
			pinecone_stored_begin_ids(stored);
			break;
		case PINECONE_OP_QUERY:
			stored->max_top_k = pinecone_session_top_k(spec->session);
			if (spec->rerank != NULL)
				stored->max_top_k = Min(stored->max_top_k, spec->candidates);
			stored->top_k = Max(1, Min(spec->top_k, stored->max_top_k));
			pinecone_stored_start_search(stored);
			break;
		case PINECONE_OP_LIST:
		case PINECONE_OP_LIST_FETCH:
		case PINECONE_OP_FILTER:
			break;
		default:
			elog(ERROR, "not an operation that brings records: %d", (int) spec->op);
	}
	advance(stored);
	return &stored->source;
}
