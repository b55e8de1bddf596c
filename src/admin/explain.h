/*
 * explain.h
 *		What EXPLAIN shows of foreign scans and of writes.
 */
#ifndef PINECONE_EXPLAIN_H
#define PINECONE_EXPLAIN_H

#include "nodes/execnodes.h"

struct ExplainState;

extern void pineconeExplainForeignScan(ForeignScanState *node, struct ExplainState *es);
extern void pineconeExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
										 List *fdw_private, int subplan_index,
										 struct ExplainState *es);
extern void pineconeExplainDirectModify(ForeignScanState *node, struct ExplainState *es);

#endif /* PINECONE_EXPLAIN_H */
