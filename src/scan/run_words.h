/*
 * run_words.h
 *		What a search by words asks for.
 */
#ifndef PINECONE_RUN_WORDS_H
#define PINECONE_RUN_WORDS_H

#include "nodes/execnodes.h"

#include "option/option_list.h"
#include "request/request.h"
#include "scan/source.h"

struct PineconeValues;
struct PineconeScanState;

/*
 * Fill in what a search is scored by, and how its matches are ranked anew, from the
 * values that are known.  "clauses" stays NULL where there are no words.
 */
extern void pinecone_run_words(const PineconeTable *table, const PineconeRequest *request,
							   const struct PineconeValues *values, PineconeSearch *search);

/* Evaluate all that, and fill in a source; false: there is nothing to find. */
extern bool pinecone_run_words_fill(ForeignScanState *node, PineconeSourceSpec *spec);

/*
 * The fields that a search of an integrated index is to bring; NULL: all.
 */
extern const PineconeProjection *pinecone_run_words_fields(struct PineconeScanState *state,
														   const struct PineconeValues *values);

#endif /* PINECONE_RUN_WORDS_H */
