/*
 * plan_nodes.c
 *		What nodes of a finished plan read of those below them, and who notices.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

#include "plan/plan_nodes.h"

List *
pinecone_plan_children(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return ((Append *) plan)->appendplans;
		case T_MergeAppend:
			return ((MergeAppend *) plan)->mergeplans;
		case T_CustomScan:
			return ((CustomScan *) plan)->custom_plans;
		case T_SubqueryScan:
			return list_make1(((SubqueryScan *) plan)->subplan);
		default:
			return NIL;
	}
}

bool
pinecone_plan_reads_whole(const Plan *plan, bool whole)
{
	switch (nodeTag(plan))
	{
		case T_Sort:
		case T_Hash:
		case T_ModifyTable:
			return true;
		case T_Agg:
			return whole || ((const Agg *) plan)->aggstrategy == AGG_PLAIN || ((const Agg *) plan)->aggstrategy == AGG_HASHED;
		case T_Result:
		case T_ProjectSet:
		case T_SubqueryScan:
		case T_Append:
		case T_WindowAgg:
		case T_LockRows:
		case T_NestLoop:
			return whole;
		default:
			return false;
	}
}

static bool
has_noticed_subplan(Node *node, void *subplans)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) && pinecone_plan_reading_is_noticed(list_nth((List *) subplans, ((SubPlan *) node)->plan_id - 1), subplans))
		return true;
	return expression_tree_walker(node, has_noticed_subplan, subplans);
}

static bool
is_noticed(const void *expressions, List *subplans)
{
	return contain_volatile_functions((Node *) expressions) || has_noticed_subplan((Node *) expressions, subplans);
}

/* What is evaluated for the rows of one kind of node alone */
static bool
node_is_noticed(Plan *plan, List *subplans)
{
	switch (nodeTag(plan))
	{
		case T_LockRows:
			return true;
		case T_FunctionScan:
			return is_noticed(((FunctionScan *) plan)->functions, subplans);
		case T_TableFuncScan:
			return is_noticed(((TableFuncScan *) plan)->tablefunc, subplans);
		case T_ValuesScan:
			return is_noticed(((ValuesScan *) plan)->values_lists, subplans);
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return is_noticed(((Join *) plan)->joinqual, subplans);
		case T_CteScan:
			return pinecone_plan_reading_is_noticed(list_nth(subplans, ((CteScan *) plan)->ctePlanId - 1), subplans);
		default:
			return false;
	}
}

bool
pinecone_plan_reading_is_noticed(Plan *plan, List *subplans)
{
	ListCell *lc;

	if (plan == NULL)
		return false;
	if (is_noticed(plan->targetlist, subplans) || is_noticed(plan->qual, subplans) || node_is_noticed(plan, subplans))
		return true;
	foreach(lc, pinecone_plan_children(plan))
	{
		if (pinecone_plan_reading_is_noticed(lfirst(lc), subplans))
			return true;
	}
	/* the first row takes all of some */
	return (!pinecone_plan_reads_whole(plan, false) && pinecone_plan_reading_is_noticed(outerPlan(plan), subplans)) ||
		   pinecone_plan_reading_is_noticed(innerPlan(plan), subplans);
}
