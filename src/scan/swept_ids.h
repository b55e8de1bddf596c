/*
 * swept_ids.h
 *		All ids of a namespace in bytewise order, by searches.
 *
 * As a listing in order (listing.h), at once: nothing comes before all of them
 * have, and as many as are counted.  If they have not, there are none, and they
 * have to be listed.
 */
#ifndef PINECONE_SWEPT_IDS_H
#define PINECONE_SWEPT_IDS_H

#include "scan/source.h"

typedef struct PineconeSweptIds PineconeSweptIds;

typedef enum PineconeSweptIdsStatus
{
	PINECONE_SWEPT_IDS_PENDING,
	PINECONE_SWEPT_IDS_READY,
	PINECONE_SWEPT_IDS_FAILED
} PineconeSweptIdsStatus;

/*
 * Those with the spec's prefix that come after its "after", or after "last" if that
 * is not NULL.  So many records are expected.  "spec" must live as long; the rest
 * belongs to the current memory context.
 */
extern PineconeSweptIds *pinecone_swept_ids_begin(const PineconeSourceSpec *spec, double records, const char *last);

/* Move it on, never blocking. */
extern PineconeSweptIdsStatus pinecone_swept_ids_advance(PineconeSweptIds *ids);

/* Ids that are ready, some at a time, as pinecone_listing_take(). */
extern PineconePage *pinecone_swept_ids_take(PineconeSweptIds *ids, MemoryContext parent,
											 MemoryContext *cxt, int *location);

extern bool pinecone_swept_ids_done(const PineconeSweptIds *ids);

/* The calls that it waits for, at most PINECONE_SOURCE_CALLS. */
extern int pinecone_swept_ids_calls(PineconeSweptIds *ids, PineconeCall **calls);

/* Free it, with what is on its way. */
extern void pinecone_swept_ids_end(PineconeSweptIds *ids);

#endif /* PINECONE_SWEPT_IDS_H */
