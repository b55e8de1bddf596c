/*
 * plan_info.c
 *		Recognising the relations that are ours, and starting to translate their
 *		clauses.
 */
#include "postgres.h"

#include "plan/plan_info.h"

PineconeTranslate
pinecone_plan_translate(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = {0};

	cxt.root = root;
	cxt.varno = rel->relid;
	cxt.table = ((PineconePlanInfo *) rel->fdw_private)->table;
	return cxt;
}

/* Servers may have handlers of several installations, so a callback tells. */
bool
pinecone_plan_is_ours(const RelOptInfo *rel)
{
	return rel->fdwroutine != NULL &&
		   rel->fdwroutine->IsForeignPathAsyncCapable == pineconeIsForeignPathAsyncCapable;
}

bool
pineconeIsForeignPathAsyncCapable(ForeignPath *path)
{
	PineconePlanInfo *info = path->path.parent->fdw_private;

	return info->table->async_capable;
}
