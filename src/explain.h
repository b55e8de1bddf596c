/*
 * explain.h
 *		What EXPLAIN shows of a foreign scan.
 */
#ifndef PINECONE_EXPLAIN_H
#define PINECONE_EXPLAIN_H

#include "nodes/execnodes.h"

struct ExplainState;

extern void pineconeExplainForeignScan(ForeignScanState *node, struct ExplainState *es);

#endif /* PINECONE_EXPLAIN_H */
