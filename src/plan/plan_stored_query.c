/*
 * plan_stored_query.c
 *		Searches by the vector of a stored record: by its id.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "option/column_type.h"
#include "plan/paths.h"

/*
 * The stored record whose vector an expression is: a scalar subquery for the
 * vector column of this very table by a single id.  Its plan, made already,
 * tells.  Returns the id's expression, or NULL.
 */
Expr *
pinecone_plan_stored_query(PlannerInfo *root, RelOptInfo *rel, Expr *vector)
{
	PineconeTable *table = ((PineconePlanInfo *) rel->fdw_private)->table;
	Param *param = (Param *) vector;
	ListCell *lc;

	if (!IsA(vector, Param) || param->paramkind != PARAM_EXEC)
		return NULL;
	/* of a halfvec column it is rounded, and what is stored is not */
	if (pinecone_column_type_is_halfvec(getBaseType(param->paramtype)))
		return NULL;
	/* in another namespace the id is another record's, or nobody's */
	if (table->namespace_attnum > 0)
		return NULL;
	foreach(lc, root->init_plans)
	{
		SubPlan *subplan = lfirst(lc);
		ForeignScan *scan;
		PlannerInfo *subroot;
		PineconeRequest *request;
		TargetEntry *entry;
		Expr *id;

		if (subplan->subLinkType != EXPR_SUBLINK ||
			list_length(subplan->setParam) != 1 ||
			linitial_int(subplan->setParam) != param->paramid)
			continue;
		scan = list_nth(root->glob->subplans, subplan->plan_id - 1);
		subroot = list_nth(root->glob->subroots, subplan->plan_id - 1);
		if (!IsA(scan, ForeignScan) || scan->scan.scanrelid == 0 ||
			planner_rt_fetch(scan->scan.scanrelid, subroot)->relid !=
				planner_rt_fetch(rel->relid, root)->relid ||
			scan->scan.plan.qual != NIL || scan->fdw_private == NIL)
			return NULL;
		request = pinecone_request_from_list(scan->fdw_private);
		entry = linitial(scan->scan.plan.targetlist);
		if (request->op != PINECONE_OP_FETCH || list_length(request->ids) != 1 ||
			!IsA(entry->expr, Var) ||
			((Var *) entry->expr)->varattno != table->values_attnum)
			return NULL;
		id = list_nth(scan->fdw_exprs, linitial_int(request->ids));
		if (exprType((Node *) id) != TEXTOID)
			return NULL;
		return IsA(id, Const) ||
					   (IsA(id, Param) && ((Param *) id)->paramkind == PARAM_EXTERN) ?
				   id :
				   NULL;
	}
	return NULL;
}
