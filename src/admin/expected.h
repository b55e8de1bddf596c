/*
 * expected.h
 *		What EXPLAIN expects a scan to cost in requests, read units and bytes.
 */
#ifndef PINECONE_EXPECTED_H
#define PINECONE_EXPECTED_H

#include "base/compat.h"
#include "scan/scan.h"

/*
 * Show that, for each time that the scan runs.  "namespaces" are those that are
 * asked as far as the plan tells, NIL for all of the table's.
 */
extern void pinecone_expected_explain(const PineconeScanState *state, const PineconeValues *values,
									  List *namespaces, ExplainState *es);

#endif /* PINECONE_EXPECTED_H */
