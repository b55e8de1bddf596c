/*
 * plan_no_search.h
 *		What to tell of a relation whose distances are not searched by.
 */
#ifndef PINECONE_PLAN_NO_SEARCH_H
#define PINECONE_PLAN_NO_SEARCH_H

#include "plan/plan_info.h"

/* Of a relation that has no search: what keeps a distance of it from being one? */
extern PineconeNoSearch pinecone_plan_why_no_search(PlannerInfo *root, RelOptInfo *rel);

/* And does the query rely on the score of its rows, which is NULL?  Then say so, once a statement. */
extern void pinecone_plan_warn_of_no_score(PlannerInfo *root, RelOptInfo *rel);

#endif /* PINECONE_PLAN_NO_SEARCH_H */
