/*
 * start_together.h
 *		Foreign scans that are certain to run start together.
 */
#ifndef PINECONE_START_TOGETHER_H
#define PINECONE_START_TOGETHER_H

#include "nodes/execnodes.h"

/* Hook into the executor, to see which scans stand side by side. */
extern void pinecone_start_together_init(void);

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
