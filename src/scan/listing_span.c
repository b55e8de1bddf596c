/*
 * listing_span.c
 *		Spans of ids: made by splitting others, queued, and freed.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/listing_part.h"

PineconeSpan *
pinecone_span_create(PineconeListing *listing, const char *id, int len, int byte)
{
	PineconeSpan *span = MemoryContextAllocZero(listing->cxt, sizeof(PineconeSpan));
	char *prefix = MemoryContextAlloc(listing->cxt, len + 2);

	memcpy(prefix, id, len);
	prefix[len] = (char) byte;
	prefix[len + 1] = '\0';
	span->prefix = prefix;
	span->bound = MemoryContextStrdup(listing->cxt, prefix);
	span->boundlen = strlen(prefix);
	dlist_init(&span->pages);
	return span;
}

/* The pages that it has, by the sample, before it has brought any. */
static double
expected_pages(const PineconeListing *listing, const PineconeSpan *span)
{
	int n = pinecone_sample_end(listing, span->prefix, strlen(span->prefix)) -
			pinecone_sample_begin(listing, span->prefix, strlen(span->prefix));

	return n * listing->scale / PINECONE_LIST_PAGE;
}

void
pinecone_span_enqueue(PineconeListing *listing, PineconeSpan *span)
{
	bool known = span->token != NULL || span->expected > 0;

	dlist_push_tail(known ? &listing->known : &listing->others, &span->queue_node);
	span->queued = true;
	listing->nqueued++;
}

void
pinecone_span_dequeue(PineconeListing *listing, PineconeSpan *span)
{
	if (!span->queued)
		return;
	dlist_delete(&span->queue_node);
	span->queued = false;
	listing->nqueued--;
}

static void
free_text(char **text)
{
	if (*text)
		pfree(*text);
	*text = NULL;
}

void
pinecone_span_free_if_finished(PineconeListing *listing, PineconeSpan *span)
{
	if (!span->done || !dlist_is_empty(&span->pages))
		return;
	Assert(span->call == NULL);
	pinecone_span_dequeue(listing, span);
	dlist_delete(&span->node);
	free_text(&span->prefix);
	free_text(&span->bound);
	free_text(&span->last);
	free_text(&span->token);
	free_text(&span->chain.earlier_token);
	pfree(span);
}

void
pinecone_span_end_call(PineconeListing *listing, PineconeSpan *span)
{
	pinecone_vectors_free(span->call);
	span->call = NULL;
	for (int i = 0; i < listing->nactive; i++)
	{
		if (listing->active[i] == span)
		{
			listing->active[i] = listing->active[--listing->nactive];
			break;
		}
	}
}

double
pinecone_span_split_cost(const PineconeSpan *span, int depth)
{
	double cost = 0;

	for (int i = span->boundlen; i <= depth; i++)
		cost += PINECONE_MAX_ID_BYTE - (unsigned char) span->last[i];
	return cost;
}

void
pinecone_span_split(PineconeListing *listing, PineconeSpan *span, int depth)
{
	dlist_node *after = &span->node;

	Assert(span->last != NULL && depth >= span->boundlen && depth <= (int) strlen(span->last));
	for (int i = depth; i >= span->boundlen; i--)
	{
		/* an id that ends here comes before all longer ones */
		for (int byte = (unsigned char) span->last[i] + 1; byte <= PINECONE_MAX_ID_BYTE; byte++)
		{
			PineconeSpan *child = pinecone_span_create(listing, span->last, i, byte);

			dlist_insert_after(after, &child->node);
			after = &child->node;
			child->expected = expected_pages(listing, child);
			pinecone_span_enqueue(listing, child);
			listing->extra++;
		}
	}
	span->splits++;
	span->since = 0;
	if (span->last[depth] == '\0')
	{
		/* only itself would be left */
		if (span->call)
			pinecone_span_end_call(listing, span);
		pinecone_span_dequeue(listing, span);
		span->done = true;
		return;
	}
	free_text(&span->bound);
	span->boundlen = depth + 1;
	span->bound = MemoryContextAllocZero(listing->cxt, span->boundlen + 1);
	memcpy(span->bound, span->last, span->boundlen);
}
