/*
 * source_kind.c
 *		The calls of a source, passed on to what kind it is.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "scan/source.h"

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
