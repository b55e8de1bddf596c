/*
 * run_count.h
 *		Begins, and reads, a run whose rows are counts.
 */
#ifndef PINECONE_RUN_COUNT_H
#define PINECONE_RUN_COUNT_H

#include "scan/scan.h"

/* Send what will tell the counts. */
extern void pinecone_count_start(ForeignScanState *node);

/*
 * The next row, or an empty slot at the end.  Under no_wait it may leave the
 * slot empty and the scan pending.
 */
extern TupleTableSlot *pinecone_count_next(ForeignScanState *node, TupleTableSlot *slot);

/* A dry run is a write to Pinecone, which keys that only read are refused: say so, and remember. */
extern void pinecone_count_note_refused(PineconeScanState *state);

#endif /* PINECONE_RUN_COUNT_H */
