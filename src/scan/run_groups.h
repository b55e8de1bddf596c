/*
 * run_groups.h
 *		A run whose rows are the values of a field, each with the number of
 *		records that have it; or those of the plan below, where that cannot be told.
 */
#ifndef PINECONE_RUN_GROUPS_H
#define PINECONE_RUN_GROUPS_H

#include "scan/scan.h"

/* Send the first requests. */
extern void pinecone_groups_start(ForeignScanState *node);

/* The next row, or an empty slot at the end. */
extern TupleTableSlot *pinecone_groups_next(ForeignScanState *node, TupleTableSlot *slot);

#endif /* PINECONE_RUN_GROUPS_H */
