/*
 * inner_scans.h
 *		Finds the scans to ask ahead below an inner plan, and asks them for one
 *		outer row.
 */
#ifndef PINECONE_INNER_SCANS_H
#define PINECONE_INNER_SCANS_H

#include "scan/answers.h"

typedef struct PineconeInnerScans PineconeInnerScans;

/* NULL when there are none.  For the life of the query. */
extern PineconeInnerScans *pinecone_inner_scans_find(NestLoopState *loop);

/*
 * Have the scans ask what they will ask for this outer row.  The answers, in
 * the current memory context, are to be released.
 */
extern PineconeAnswer **pinecone_inner_scans_ask(PineconeInnerScans *served, TupleTableSlot *row);
extern void pinecone_inner_scans_release(PineconeInnerScans *served, PineconeAnswer **answers);

/* Are ids gathered for fetches, or filters, and how many are, at most by one scan? */
extern bool pinecone_inner_scans_gathers(PineconeInnerScans *served);
extern bool pinecone_inner_scans_gathers_filters(PineconeInnerScans *served);
extern int pinecone_inner_scans_waiting(PineconeInnerScans *served);

/* Ask for what has been gathered. */
extern void pinecone_inner_scans_flush(PineconeInnerScans *served);

/* Beyond so many rows asking ahead is of no use, or takes too much memory. */
extern double pinecone_inner_scans_most_rows(PineconeInnerScans *served);

/* The loop starts again. */
extern void pinecone_inner_scans_rescan(PineconeInnerScans *served);

/* What the scans have cost so far; 0 ids a request: none were fetched. */
extern void pinecone_inner_scans_cost(PineconeInnerScans *served, PineconeCounters *cost,
									  double *ids_per_request);

#endif /* PINECONE_INNER_SCANS_H */
