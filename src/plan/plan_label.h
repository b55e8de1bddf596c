/*
 * plan_label.h
 *		Custom scans in a finished plan, for modules that read it (PostgreSQL 19).
 *
 * Each that a plan was made with is announced while the planner makes it; the
 * labels are put in when the plan is complete and has not been read yet.
 */
#ifndef PINECONE_PLAN_LABEL_H
#define PINECONE_PLAN_LABEL_H

#include "base/compat.h"

#ifdef PINECONE_PLANNER_SHUTDOWN
extern void pinecone_plan_label(PlannerInfo *root, CustomScan *scan);
extern void pinecone_plan_labels_add(PlannerGlobal *glob, PlannedStmt *stmt);
#else
#define pinecone_plan_label(root, scan) ((void) 0)
#endif

#endif /* PINECONE_PLAN_LABEL_H */
