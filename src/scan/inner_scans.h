/*
 * inner_scans.h
 *		The foreign scans below a nested loop's inner side whose requests the
 *		loop's parameters decide, and which of them an outer row will run.
 */
#ifndef PINECONE_INNER_SCANS_H
#define PINECONE_INNER_SCANS_H

#include "scan/answer.h"

typedef struct PineconeServed PineconeServed;

/* NULL when there are none.  For the life of the query. */
extern PineconeServed *pinecone_served_find(NestLoopState *loop);

/*
 * Have the scans ask what they will ask for this outer row.  The answers, in
 * the current memory context, are to be released.
 */
extern PineconeAnswer **pinecone_served_ask(PineconeServed *served, TupleTableSlot *row);
extern void pinecone_served_release(PineconeServed *served, PineconeAnswer **answers);

/* Are ids gathered for fetches, and how many are, at most by one scan? */
extern bool pinecone_served_gathers(PineconeServed *served);
extern int pinecone_served_waiting(PineconeServed *served);

/* Fetch what has been gathered. */
extern void pinecone_served_flush(PineconeServed *served);

/* Beyond so many rows asking ahead is of no use, or takes too much memory. */
extern double pinecone_served_most_rows(PineconeServed *served);

/* The loop starts again. */
extern void pinecone_served_rescan(PineconeServed *served);

/* What the scans have cost so far. */
extern void pinecone_served_cost(PineconeServed *served, PineconeCounters *cost,
								 double *ids_per_request);

#endif /* PINECONE_INNER_SCANS_H */
