/*
 * run_values.h
 *		Evaluates a run's expressions, and makes of them what is to be asked for.
 */
#ifndef PINECONE_RUN_VALUES_H
#define PINECONE_RUN_VALUES_H

#include "nodes/execnodes.h"

#include "request/filter.h"
#include "request/request.h"
#include "scan/source.h"

struct PineconeRun;
struct PineconeScanState;

/* Evaluate an expression of the request: it stays valid for the run; false for NULL. */
extern bool pinecone_run_evaluate(ForeignScanState *node, int number);

/* Those of a list; those of a condition and its parts. */
extern void pinecone_run_evaluate_all(ForeignScanState *node, List *numbers);
extern void pinecone_run_evaluate_condition(ForeignScanState *node,
											const PineconeCondition *condition);

/*
 * What a column is to equal, by x and ANY (array): distinct, possible names,
 * in order.  Expressions are given by number.
 */
extern char **pinecone_run_evaluate_names(ForeignScanState *node, List *numbers,
										  bool (*is_possible)(const char *name), int *n);

/* A LIMIT or OFFSET, by number, that is known by now: -1 when there is none. */
extern double pinecone_run_evaluate_count(ForeignScanState *node, int number);

/* The rows to ask for on account of LIMIT and OFFSET, or 0 for all. */
extern double pinecone_run_evaluate_row_limit(ForeignScanState *node);

/* Can a record have this id?  Others need not be asked for (API 2025-10). */
extern bool pinecone_run_id_is_possible(const char *id);

/*
 * What a run asks for, by its values; EXPLAIN tells it from the known ones.
 * The ids are distinct, possible ones, in order.
 */
extern char **pinecone_run_ids(const PineconeRequest *request, const PineconeValues *values,
							   int *nids);

/* The prefix to list, or NULL for all ids; false when no id can have it. */
extern bool pinecone_run_prefix(const PineconeRequest *request, const PineconeValues *values,
								const char **prefix);

/* Rows to ask for by LIMIT and OFFSET (-1: none), or 0 for all. */
extern double pinecone_run_row_limit(const PineconeRequest *request, double limit, double offset);

/* How many neighbours to ask for first. */
extern int pinecone_run_top_k(const PineconeRequest *request, double row_limit, bool gradual);

/* May the reader stop anywhere, so that a search had better begin small?  Unless all rows are read for another reason. */
extern bool pinecone_run_is_gradual(const PineconeRequest *request, double row_limit);

/* An error where the index is not what the plan was made for. */
extern void pinecone_run_check_schema(struct PineconeScanState *state);

/*
 * The fields of documents that an operation is to bring; NULL: all, or they are
 * none of documents.
 */
extern const PineconeProjection *pinecone_run_projection(struct PineconeScanState *state,
														 PineconeOperation op);

/* The vectors of documents, besides what is asked for already. */
extern void pinecone_run_want_vectors(ForeignScanState *node, PineconeSourceSpec *spec);

/* Describe a source of the run's records, but for what its operation needs besides. */
extern void pinecone_run_fill_spec(ForeignScanState *node, PineconeOperation op,
								   PineconeSourceSpec *spec);

/* The operation that brings all that the run is about: by its filter, or else as is said. */
extern PineconeOperation pinecone_run_reading(const struct PineconeRun *run, PineconeOperation listed);

#endif /* PINECONE_RUN_VALUES_H */
