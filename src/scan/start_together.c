/*
 * start_together.c
 *		Foreign scans that are certain to run start together.
 *
 * A Merge Append asks its children for their first rows one after the other,
 * and so does an Append that is not asynchronous, because its children are
 * sorts, limits or aggregates of scans.  Each of our scans would wait for the
 * network while the next has not even sent its request.  So the first scan
 * below such a node that runs starts the others' requests as well.
 *
 * No request is sent that PostgreSQL would not have sent a moment later.  A
 * Merge Append needs the first row of every child, except those that pruning
 * at run time has excluded, before it can return anything.  An Append runs
 * every child when all of its rows are going to be read, which is so below a
 * node that reads its input to the end before it returns a row, or when the
 * query as a whole is run to its end.  From there a scan is reached through
 * nodes that read at least one row of their input.  It may not happen after
 * all only when an error ends the query.
 *
 * A Result that shows what subqueries return, such as those that PostgreSQL makes
 * of min() and max(), evaluates each of them for its one row, one after the
 * other: when the first of them runs, the others will.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/ours.h"
#include "scan/scan.h"
#include "scan/start_together.h"


static bool
scan_is_ours(PlanState *ps)
{
	return IsA(ps, ForeignScanState) &&
		   ((ForeignScan *) ps->plan)->operation == CMD_SELECT &&
		   pinecone_ours_is(((ForeignScanState *) ps)->fdwroutine);
}

/*
 * The input of a node that reads at least one row of it to give its first, or
 * NULL when it is not such a node.  *drained says whether the node's rows are
 * going to be read to the end, once the first is; it becomes what holds of the
 * input's.
 */
static PlanState *
certain_input(PlanState *ps, bool *drained)
{
	switch (nodeTag(ps))
	{
		case T_SubqueryScanState:
			return ((SubqueryScanState *) ps)->subplan;
		case T_SortState:
			*drained = true;
			return outerPlanState(ps);
		case T_AggState:
			*drained |= ((Agg *) ps->plan)->aggstrategy == AGG_PLAIN ||
						((Agg *) ps->plan)->aggstrategy == AGG_HASHED;
			return outerPlanState(ps);
		case T_LimitState:
		case T_WindowAggState:
			*drained = false;
			return outerPlanState(ps);
		case T_ResultState:
		case T_ProjectSetState:
		case T_MaterialState:
		case T_IncrementalSortState:
		case T_UniqueState:
		case T_GroupState:
		case T_LockRowsState:
		case T_ModifyTableState:
			return outerPlanState(ps);
		default:
			return NULL;
	}
}

/* ---- Subqueries of a Result ---- */

/* Parameters that an expression cannot be evaluated without */
static bool
find_certain_params(Node *node, void *context)
{
	Bitmapset **params = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Param:
			if (((Param *) node)->paramkind == PARAM_EXEC)
				*params = bms_add_member(*params, ((Param *) node)->paramid);
			return false;
		case T_List:
		case T_TargetEntry:
		case T_OpExpr:
		case T_FuncExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
			return expression_tree_walker(node, find_certain_params, context);
		default:
			/* it may not come to it */
			return false;
	}
}

/* Does a node evaluate its target list once, whatever it reads?  Then the parameters there. */
static Bitmapset *
certain_params(PlanState *ps)
{
	Bitmapset *params = NULL;

	if (IsA(ps, ResultState) && outerPlanState(ps) == NULL && ps->initPlan != NIL &&
		((Result *) ps->plan)->resconstantqual == NULL && ps->plan->qual == NIL)
		(void) find_certain_params((Node *) ps->plan->targetlist, &params);
	return params;
}

/* The subquery's plan, if it is certain to run, and for one row */
static PlanState *
certain_subquery(SubPlanState *subplan, Bitmapset *params)
{
	if (subplan->subplan->subLinkType != EXPR_SUBLINK || subplan->subplan->parParam != NIL ||
		list_length(subplan->subplan->setParam) != 1 ||
		!bms_is_member(linitial_int(subplan->subplan->setParam), params))
		return NULL;
	return subplan->planstate;
}

/* ---- Starting ---- */

typedef void (*ScanAction)(ForeignScanState *node);

static void act_below(PlanState *ps, bool drained, ScanAction action);

/* LIMIT 0 reads nothing, and expressions are left for the node to evaluate. */
static bool
limit_reads(LimitState *limit)
{
	Limit *plan = (Limit *) limit->ps.plan;
	bool isnull;
	Datum count;

	if (limit->lstate != LIMIT_INITIAL && limit->lstate != LIMIT_RESCAN)
		return false;
	if (plan->limitCount == NULL)
		return true;
	if (!IsA(plan->limitCount, Const) && !IsA(plan->limitCount, Param))
		return false;
	count = ExecEvalExprSwitchContext(limit->limitCount, limit->ps.ps_ExprContext, &isnull);
	return isnull || DatumGetInt64(count) > 0;
}

/* Will the next row asked of the node make it read its input? */
static bool
reads_input(PlanState *ps)
{
	switch (nodeTag(ps))
	{
		case T_SortState:
			return !((SortState *) ps)->sort_Done;
		case T_AggState:
			return !((AggState *) ps)->agg_done && !((AggState *) ps)->table_filled;
		case T_LimitState:
			return limit_reads((LimitState *) ps);
		case T_ResultState:
			return ((ResultState *) ps)->resconstantqual == NULL;
		default:
			return true;
	}
}

/*
 * The children that are known to be valid.  Which they are may depend on
 * pruning that has not been done yet; then none are.
 */
static void
act_below_children(PlanState **children, Bitmapset *valid, bool drained, ScanAction action)
{
	int i = -1;

	while ((i = bms_next_member(valid, i)) >= 0)
		act_below(children[i], drained, action);
}

/* Likewise below the subqueries that have not been evaluated yet. */
static void
act_below_subqueries(PlanState *ps, Bitmapset *params, ScanAction action)
{
	ListCell *lc;

	foreach(lc, ps->initPlan)
	{
		SubPlanState *subplan = lfirst(lc);
		PlanState *below = certain_subquery(subplan, params);

		if (below != NULL &&
			ps->state->es_param_exec_vals[linitial_int(subplan->subplan->setParam)].execPlan != NULL)
			act_below(below, false, action);
	}
}

/*
 * Prepare or start the scans below a node whose first row is certain to be
 * asked for; all of its rows, if it will be drained.
 */
static void
act_below(PlanState *ps, bool drained, ScanAction action)
{
	PlanState *input;
	Bitmapset *params;

	check_stack_depth();

	/* what ExecProcNode() does first; or the run would be ended again there */
	if (ps->chgParam != NULL)
		ExecReScan(ps);

	if (scan_is_ours(ps))
	{
		/* one that is not to run concurrently has no group */
		if (((PineconeScanState *) ((ForeignScanState *) ps)->fdw_state)->group != NULL)
			action((ForeignScanState *) ps);
	}
	else if (IsA(ps, MergeAppendState))
	{
		MergeAppendState *append = (MergeAppendState *) ps;

		if (!append->ms_initialized)
			act_below_children(append->mergeplans, append->ms_valid_subplans, drained, action);
	}
	else if (IsA(ps, AppendState))
	{
		AppendState *append = (AppendState *) ps;

		/* an asynchronous Append starts its scans itself */
		if (drained)
			act_below_children(append->appendplans, append->as_valid_subplans, true, action);
	}
	else if ((params = certain_params(ps)) != NULL)
		act_below_subqueries(ps, params, action);
	else if ((input = certain_input(ps, &drained)) != NULL && reads_input(ps))
		act_below(input, drained, action);
}

void
pinecone_start_together_start(PineconeScanGroup *group)
{
	/* a rescan below notes there what has changed; it is freed much later */
	MemoryContext old = MemoryContextSwitchTo(group->node->state->es_query_cxt);

	/* starting a scan may wait for what preparing asks for */
	act_below(group->node, group->drained, pinecone_scan_ask_ahead);
	act_below(group->node, group->drained, pinecone_scan_start);
	MemoryContextSwitchTo(old);
}

/* ---- Finding out which scans stand side by side ---- */

static void find_groups(PlanState *ps, PineconeScanGroup *group, bool drained);

/* A new group, unless the node is in one already. */
static PineconeScanGroup *
group_below(PlanState *ps, PineconeScanGroup *group, bool drained)
{
	if (group == NULL)
	{
		group = MemoryContextAllocZero(ps->state->es_query_cxt, sizeof(PineconeScanGroup));
		group->node = ps;
		group->drained = drained;
	}
	return group;
}

static void
find_groups_in_children(PlanState **children, int n, PineconeScanGroup *group, bool drained)
{
	for (int i = 0; i < n; i++)
		find_groups(children[i], group, drained);
}

/* Those that run together, if any, in the group of that node */
static void
find_groups_in_subplans(List *subplans, PlanState *ps, Bitmapset *together)
{
	PineconeScanGroup *group = NULL;
	ListCell *lc;

	foreach(lc, subplans)
	{
		SubPlanState *subplan = lfirst(lc);

		if (certain_subquery(subplan, together) != NULL)
			group = group_below(ps, group, false);
		find_groups(subplan->planstate, certain_subquery(subplan, together) != NULL ? group : NULL, false);
	}
}

static bool
find_groups_anew(PlanState *ps, void *context)
{
	find_groups(ps, NULL, false);
	return false;
}

/*
 * Tell each scan below a node whether it will be drained, and its group.  That
 * is headed by the topmost of the nodes above it that are certain to run all of
 * their children, provided that between it and the scan are only nodes that are
 * certain to read their input.
 */
static void
find_groups(PlanState *ps, PineconeScanGroup *group, bool drained)
{
	PlanState *input;

	check_stack_depth();
	Assert(ps != NULL);
	if (scan_is_ours(ps))
	{
		PineconeScanState *state = ((ForeignScanState *) ps)->fdw_state;

		state->drained = drained;
		state->group = state->table->async_capable ? group : NULL;
		if (state->group != NULL)
			group->nscans++;
	}

	if (IsA(ps, MergeAppendState))
	{
		MergeAppendState *append = (MergeAppendState *) ps;

		find_groups_in_children(append->mergeplans, append->ms_nplans,
								group_below(ps, group, drained), drained);
	}
	else if (IsA(ps, AppendState))
	{
		AppendState *append = (AppendState *) ps;

		find_groups_in_children(append->appendplans, append->as_nplans,
								drained ? group_below(ps, group, drained) : NULL, drained);
	}
	else if (certain_params(ps) != NULL)
		;
	else if ((input = certain_input(ps, &drained)) != NULL)
		find_groups(input, group, drained);
	else
	{
		(void) planstate_tree_walker(ps, find_groups_anew, NULL);
		return;
	}
	find_groups_in_subplans(ps->initPlan, ps, certain_params(ps));
	find_groups_in_subplans(ps->subPlan, ps, NULL);
}

void
pinecone_start_together_find(QueryDesc *query, bool all_rows)
{
	if (!query->already_executed && query->planstate != NULL)
		find_groups(query->planstate, NULL, all_rows);
}
