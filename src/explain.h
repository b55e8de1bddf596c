/*
 * explain.h
 *		What EXPLAIN shows of a foreign scan.
 */
#ifndef PINECONE_EXPLAIN_H
#define PINECONE_EXPLAIN_H

#include "commands/explain.h"
#include "nodes/execnodes.h"

extern void pineconeExplainForeignScan(ForeignScanState *node, ExplainState *es);

#endif /* PINECONE_EXPLAIN_H */
