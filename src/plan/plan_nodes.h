/*
 * plan_nodes.h
 *		How a finished plan will be read: for who would read some of it sooner.
 */
#ifndef PINECONE_PLAN_NODES_H
#define PINECONE_PLAN_NODES_H

#include "nodes/plannodes.h"

/* Plans below one that are neither its outer nor its inner side. */
extern List *pinecone_plan_children(Plan *plan);

/* Will a node read its outer side to the end, if it is read so itself or not? */
extern bool pinecone_plan_reads_whole(const Plan *plan, bool whole);

/*
 * Would it be noticed that more rows of a plan are read than are asked for?  It is where
 * they are locked, numbered by a sequence, or go through functions that write.
 */
extern bool pinecone_plan_reading_is_noticed(Plan *plan, List *subplans);

#endif /* PINECONE_PLAN_NODES_H */
