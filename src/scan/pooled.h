/*
 * pooled.h
 *		A place where streams leave the ids they want, and find their records.
 *
 * Streams that begin with a pool add the ids they want to it; nothing is asked
 * until pinecone_pooled_flush().  An id is asked for once as long as somebody
 * has a share in it.
 */
#ifndef PINECONE_POOLED_H
#define PINECONE_POOLED_H

#include "scan/stored.h"

typedef struct PineconePooled PineconePooled;
typedef struct PineconePooledEntry PineconePooledEntry;

/* In a child of the current memory context, which goes with all it holds. */
extern PineconePooled *pinecone_pooled_create(PineconeCounters *counters);

/*
 * Add the ids of a fetch; returns the entry of each, in the current memory
 * context.  They last until the share they were added under is given up.
 */
extern PineconePooledEntry **pinecone_pooled_add(PineconePooled *pool, const PineconeStoredSpec *spec);

/*
 * What is added from now on belongs to a new share, made in the current memory
 * context; a pointer to NIL to begin with.
 */
extern void pinecone_pooled_begin_share(PineconePooled *pool, List **share);
extern void pinecone_pooled_give_up(PineconePooled *pool, List *share);

/* Ids that have been added and not been asked for. */
extern int pinecone_pooled_waiting(PineconePooled *pool);

/* Ask for them. */
extern void pinecone_pooled_flush(PineconePooled *pool);

/*
 * An id's record, or NULL when there is none.  Returns false when it is not
 * known yet and may not be waited for.
 */
extern bool pinecone_pooled_find(PineconePooledEntry *entry, bool wait, PineconeRecord **record);

/* The calls that finding it waits for, as pinecone_stored_calls(). */
extern int pinecone_pooled_calls(PineconePooledEntry *entry, PineconeCall **calls);

#endif /* PINECONE_POOLED_H */
