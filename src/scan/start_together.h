/*
 * start_together.h
 *		A scan says that it is about to start, and others start with it.
 */
#ifndef PINECONE_START_TOGETHER_H
#define PINECONE_START_TOGETHER_H

#include "executor/execdesc.h"
#include "nodes/execnodes.h"

/*
 * Before ExecutorRun: see which scans stand side by side.  With "all_rows" the
 * topmost node is going to be read to its end.
 */
extern void pinecone_start_together_find(QueryDesc *query, bool all_rows);

typedef struct PineconeScanGroup
{
	PlanState *node; /* above the scans: a Merge Append or an Append */
	bool drained;	 /* its rows are going to be read to the end */
	int nscans;
} PineconeScanGroup;

/*
 * A scan of this group is about to start its run: start it together with those
 * that are certain to follow.
 */
extern void pinecone_start_together_start(PineconeScanGroup *group);

#endif /* PINECONE_START_TOGETHER_H */
