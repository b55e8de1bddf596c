/*
 * pooled.h
 *		Fetches of a few ids each, gathered into fetches of many.
 *
 * Streams that begin with a pool add the ids they want to it; nothing is asked
 * until pinecone_pool_flush().  An id is asked for once as long as somebody
 * has a share in it.
 */
#ifndef PINECONE_POOLED_H
#define PINECONE_POOLED_H

#include "scan/stored.h"

typedef struct PineconePool PineconePool;
typedef struct PineconePoolEntry PineconePoolEntry;

/* In a child of the current memory context, which goes with all it holds. */
extern PineconePool *pinecone_pool_create(PineconeCounters *counters);

/*
 * Add the ids of a fetch; returns the entry of each, in the current memory
 * context.  They last until the share they were added under is given up.
 */
extern PineconePoolEntry **pinecone_pool_add(PineconePool *pool, const PineconeStreamSpec *spec);

/*
 * What is added from now on belongs to a new share, made in the current memory
 * context; a pointer to NIL to begin with.
 */
extern void pinecone_pool_begin_share(PineconePool *pool, List **share);
extern void pinecone_pool_give_up(PineconePool *pool, List *share);

/* Ids that have been added and not been asked for. */
extern int pinecone_pool_waiting(PineconePool *pool);

/* Ask for them. */
extern void pinecone_pool_flush(PineconePool *pool);

/*
 * An id's record, or NULL when there is none.  Returns false when it is not
 * known yet and may not be waited for.
 */
extern bool pinecone_pool_find(PineconePoolEntry *entry, bool wait, PineconeRecord **record);

/* The calls that finding it waits for, as pinecone_stream_calls(). */
extern int pinecone_pool_calls(PineconePoolEntry *entry, PineconeCall **calls);

#endif /* PINECONE_POOLED_H */
