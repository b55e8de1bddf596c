/*
 * plan_way.h
 *		By what requests a scan is thought to read a namespace, and what these cost.
 *
 * The run decides anew, by what is known then; this is what the planner goes by,
 * and what EXPLAIN shows.
 */
#ifndef PINECONE_PLAN_WAY_H
#define PINECONE_PLAN_WAY_H

#include "plan/plan_info.h"
#include "scan/way.h"

/*
 * The way for an operation on all of a relation's records, or on so many of them
 * that meet a filter.  False where nothing is known that tells.
 */
extern bool pinecone_plan_way(RelOptInfo *rel, Bitmapset *used, PineconeOperation op, double records,
							  double limit, bool ordered, PineconeWayCost *cost);

/* In the planner's units: without what is done with the rows */
extern Cost pinecone_plan_way_cost(const PineconeWayCost *cost);

/* Keep with a request what was assumed. */
extern void pinecone_plan_way_note(PlannerInfo *root, RelOptInfo *rel, Bitmapset *used, double records,
								   PineconeRequest *request);

#endif /* PINECONE_PLAN_WAY_H */
