/*
 * plan.h
 *		Planner callbacks: estimates, paths, plans, aggregate pushdown.
 */
#ifndef PINECONE_PLAN_H
#define PINECONE_PLAN_H

#include "foreign/fdwapi.h"

#include "translate.h"

extern void pineconeGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void pineconeGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *pineconeGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
										   ForeignPath *path, List *tlist, List *scan_clauses,
										   Plan *outer_plan);
extern void pineconeGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
										 RelOptInfo *input_rel, RelOptInfo *output_rel,
										 void *extra);

#endif							/* PINECONE_PLAN_H */
