/*
 * bound.h
 *		Conditions that end a search: evaluated when it begins, and of each record.
 */
#ifndef PINECONE_BOUND_H
#define PINECONE_BOUND_H

#include "scan/scan.h"

/* Evaluate the bounds of the scan's request.  False: no record can meet them. */
extern bool pinecone_bound_begin(ForeignScanState *node);

/* Is a record, and so all that are no better, beyond a bound? */
extern bool pinecone_bound_is_beyond(PineconeScanState *state, const PineconeRecord *record,
									 double distance);

/* Do the bounds leave a distance of 0, which is a score of 0 as well? */
extern bool pinecone_bound_admits_zero(ForeignScanState *node);

#endif /* PINECONE_BOUND_H */
