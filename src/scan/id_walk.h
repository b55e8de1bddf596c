/*
 * id_walk.h
 *		The ids from some id on, in bytewise order, for those who want a few of them.
 *
 * As a listing (listing.h) in order whose first ids are left out, without asking
 * for these; the calls are the same.
 */
#ifndef PINECONE_ID_WALK_H
#define PINECONE_ID_WALK_H

#include "scan/source.h"

typedef struct PineconeIdWalk PineconeIdWalk;

/* By the spec's "after", which may be an id of its own, and its "prefix". */
extern PineconeIdWalk *pinecone_id_walk_begin(const PineconeSourceSpec *spec);

extern void pinecone_id_walk_advance(PineconeIdWalk *walk, double wanted);
extern PineconePage *pinecone_id_walk_take(PineconeIdWalk *walk, MemoryContext parent,
										   MemoryContext *cxt, int *location);
extern bool pinecone_id_walk_done(PineconeIdWalk *walk);

/* Has it asked for so many places in a row that have no id that there may be none to come? */
extern bool pinecone_id_walk_is_vain(const PineconeIdWalk *walk);

/* It is to go on all the same, as fast as may be. */
extern void pinecone_id_walk_widen(PineconeIdWalk *walk);

/* The last id that was taken, or NULL */
extern const char *pinecone_id_walk_last(const PineconeIdWalk *walk);

extern int pinecone_id_walk_calls(PineconeIdWalk *walk, PineconeCall **calls);

#endif /* PINECONE_ID_WALK_H */
