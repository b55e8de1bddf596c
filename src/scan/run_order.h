/*
 * run_order.h
 *		A run whose rows come in the order of a number.
 */
#ifndef PINECONE_RUN_ORDER_H
#define PINECONE_RUN_ORDER_H

#include "scan/scan.h"

/* Note what is asked, and ask how the numbers are spread. */
extern void pinecone_order_start(ForeignScanState *node);

/* The next row, in the scan's slot, or an empty one. */
extern TupleTableSlot *pinecone_order_next(ForeignScanState *node, TupleTableSlot *slot);

/* Forget the rows. */
extern void pinecone_order_end(PineconeRun *run);

#endif /* PINECONE_RUN_ORDER_H */
