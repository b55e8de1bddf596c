/*
 * explain_expected.h
 *		How many requests EXPLAIN expects: about, for what is not known before.
 */
#ifndef PINECONE_EXPLAIN_EXPECTED_H
#define PINECONE_EXPLAIN_EXPECTED_H

#include "scan/scan.h"

/* Of one run of a scan; below a read-ahead several runs may share them. */
extern double pinecone_explain_expected_reads(const PineconeScanState *state, const PineconeValues *values);

/*
 * Of a statement's writes: one for each record, or for batches of them; with those
 * that fetch what they write over.
 */
extern double pinecone_explain_expected_writes(const ModifyTableState *mtstate, const PineconeTable *table,
											   bool by_record, bool fetched);

#endif /* PINECONE_EXPLAIN_EXPECTED_H */
