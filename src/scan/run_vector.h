/*
 * run_vector.h
 *		What the distances of a run are measured to.
 */
#ifndef PINECONE_RUN_VECTOR_H
#define PINECONE_RUN_VECTOR_H

#include "request/filter.h"
#include "scan/scan.h"

/* Evaluate it; the run has none when the value is NULL.  A bad one is an error. */
extern void pinecone_run_evaluate_vector(ForeignScanState *node);

/*
 * The same of values that are known, for EXPLAIN too: false for NULL.  "table" names
 * columns in errors.
 */
extern bool pinecone_run_query_vector(const PineconeTable *table, const PineconeRequest *request,
									  const PineconeValues *values, PineconeQueryVector *query);

/*
 * Can a search be made of it?  A dense vector needs a direction if the metric does, and
 * a sparse one values.
 */
extern bool pinecone_run_can_search(const PineconeQueryVector *query);

/*
 * A dense index of vectors is searched by sparse ones together with a dense one of zeros,
 * of this dimension; 0: it is no such index.
 */
extern void pinecone_run_complete_vector(PineconeQueryVector *query, int dimension);

#endif /* PINECONE_RUN_VECTOR_H */
