/*
 * plan_label.h
 *		Telling readers of a plan which relations a custom scan stands for.
 */
#ifndef PINECONE_PLAN_LABEL_H
#define PINECONE_PLAN_LABEL_H

#include "base/compat.h"

#ifdef PINECONE_PLANNER_SHUTDOWN
/* While a plan is made: have a node of it labelled when it is complete. */
extern void pinecone_plan_label(PlannerInfo *root, CustomScan *scan);

/* Hook in, once. */
extern void pinecone_plan_label_init(void);
#else
#define pinecone_plan_label(root, scan) ((void) 0)
#define pinecone_plan_label_init() ((void) 0)
#endif

#endif /* PINECONE_PLAN_LABEL_H */
