/*
 * readahead.h
 *		What the planner needs of the read-ahead node to make one; the executor
 *		finds it through the node's methods.
 */
#ifndef PINECONE_READAHEAD_H
#define PINECONE_READAHEAD_H

#include "executor/execdesc.h"
#include "nodes/extensible.h"

#define PINECONE_READAHEAD_NAME "Pinecone Read Ahead"

/* What a plan's custom_private holds. */
enum PineconeReadAheadPrivate
{
	READ_AHEAD_EAGER /* Integer: all rows will be wanted, so start with many */
};

/* For the planner to put in its plans. */
extern const CustomScanMethods pinecone_readahead_methods;

/*
 * Around ExecutorStart: how many of these nodes have begun so far; and, when
 * more have since then, show them the scans below the other side of their loop.
 */
extern uint64 pinecone_readahead_begun(void);
extern void pinecone_readahead_introduce(QueryDesc *query, uint64 begun_before);

#endif /* PINECONE_READAHEAD_H */
