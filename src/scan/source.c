/*
 * source.c
 *		Chooses where the records of a namespace come from.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pending/consistency.h"
#include "pending/pending.h"
#include "scan/overlay.h"
#include "scan/pooled.h"
#include "scan/source.h"
#include "scan/stored.h"

PineconeSource *
pinecone_source_begin(const PineconeSourceSpec *spec)
{
	PineconePendingView *view;

	if (spec->op == PINECONE_OP_FETCH && spec->pool != NULL)
		return pinecone_pooled_begin(spec);
	if (spec->own_writes)
		pinecone_consistency_wait(spec->session, spec->own_writes, spec->namespace_);
	view = pinecone_pending_view(spec->session, spec->namespace_, spec->position);
	if (view == NULL)
		return pinecone_stored_begin(spec);
	return pinecone_overlay_begin(spec, view);
}

void *
pinecone_source_create(const PineconeSourceKind *kind, Size size)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone source",
											  ALLOCSET_START_SMALL_SIZES);
	PineconeSource *source = MemoryContextAllocZero(cxt, size);

	source->kind = kind;
	source->cxt = cxt;
	return source;
}

PineconeSourceStatus
pinecone_source_next(PineconeSource *source, bool wait, PineconeRecord **record)
{
	return source->kind->next(source, wait, record);
}

int
pinecone_source_calls(PineconeSource *source, PineconeCall **calls)
{
	return source->kind->calls(source, calls);
}

bool
pinecone_source_seen(PineconeSource *source, const char *id)
{
	return source->kind->seen != NULL && source->kind->seen(source, id);
}

int
pinecone_source_top_k(PineconeSource *source)
{
	return source->kind->top_k != NULL ? source->kind->top_k(source) : 0;
}

void
pinecone_source_end(PineconeSource *source)
{
	MemoryContextDelete(source->cxt);
}
