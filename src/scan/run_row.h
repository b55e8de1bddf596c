/*
 * run_row.h
 *		Fills the arrays of a slot with what a record makes of them.
 */
#ifndef PINECONE_RUN_ROW_H
#define PINECONE_RUN_ROW_H

#include "storage/itemptr.h"

#include "scan/scan.h"

/* A record as a scan tuple, in the current memory context. */
extern void pinecone_run_form_row(PineconeScanState *state, const PineconeRecord *record,
								  Datum *values, bool *isnull);

/* The same in a slot, with where it is. */
extern void pinecone_run_store_row(PineconeScanState *state, const PineconeRecord *record,
								   TupleTableSlot *slot);

/* Put a distance where the scan tuple has a place for it. */
extern void pinecone_run_set_distance(PineconeScanState *state, double distance, Datum *values,
									  bool *isnull);

extern ItemPointerData pinecone_run_ctid(PineconeScanState *state, const PineconeRecord *record);

#endif /* PINECONE_RUN_ROW_H */
