/*
 * exhaustive.h
 *		A run that goes on by reading all there is, nearest first.
 */
#ifndef PINECONE_EXHAUSTIVE_H
#define PINECONE_EXHAUSTIVE_H

#include "scan/scan.h"

/* Read and sort; waits, and may take long. */
extern void pinecone_exhaustive_begin(ForeignScanState *node);

/* The next row into the slot; false at the end. */
extern bool pinecone_exhaustive_next(ForeignScanState *node, TupleTableSlot *slot);

/* Free the sort, if there is one. */
extern void pinecone_exhaustive_end(PineconeRun *run);

#endif /* PINECONE_EXHAUSTIVE_H */
