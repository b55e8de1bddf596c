/*
 * gathered_ids.h
 *		A place where streams leave the ids they want, and find their records.
 *
 * Sources that begin with a pool add the ids they want to it; nothing is asked
 * until pinecone_gathered_ids_flush().  An id is asked for once as long as somebody
 * has a share in it.
 */
#ifndef PINECONE_GATHERED_IDS_H
#define PINECONE_GATHERED_IDS_H

#include "scan/source.h"

typedef struct PineconePooled PineconePooled;

/* In a child of the current memory context, which goes with all it holds. */
extern PineconePooled *pinecone_gathered_ids_create(PineconeCounters *counters);

/* The records of a fetch, which the spec's pool asks for. */
extern PineconeSource *pinecone_gathered_ids_begin(const PineconeSourceSpec *spec);

/*
 * What is added from now on belongs to a new share, made in the current memory
 * context; a pointer to NIL to begin with.
 */
extern void pinecone_gathered_ids_begin_share(PineconePooled *pool, List **share);
extern void pinecone_gathered_ids_give_up(PineconePooled *pool, List *share);

/* Ids that have been added and not been asked for. */
extern int pinecone_gathered_ids_waiting(PineconePooled *pool);

/* Ask for them. */
extern void pinecone_gathered_ids_flush(PineconePooled *pool);

#endif /* PINECONE_GATHERED_IDS_H */
