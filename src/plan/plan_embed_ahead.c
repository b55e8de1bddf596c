/*
 * plan_embed_ahead.c
 *		Where a finished plan computes pinecone_embed() of every row, a custom scan
 *		below has the texts of many rows embedded together (scan/embed_ahead.c).
 *
 * A node that computes calls of its child's rows gets the custom scan as its child.
 * A scan or a join has no child that brings the rows: it returns what its
 * expressions are made of, and they are computed by a Result above the custom scan:
 *
 *		Seq Scan (id, pinecone_embed(body))		Result (id, pinecone_embed(body))
 *												  -> Pinecone Embed
 *													   -> Seq Scan (id, body)
 *
 * Only what is computed of every row counts, not what CASE and the like may pass over.
 *
 * This is done to a copy of the plan, when the executor starts, and not when it is
 * planned: a session's first statement has been planned before the module is there.
 * It is loaded by then, because the planner calls the functions' support function.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/paths.h"
#include "plan/plan_nodes.h"
#include "scan/embed_ahead.h"
#include "scan/readahead.h"

PG_FUNCTION_INFO_V1(pinecone_embed_support);

/* Has this backend planned a call?  Else no plan need be looked at. */
static bool planned_any = false;

typedef struct Walk
{
	int last_node_id;
	double bound;	/* rows that will be asked of the node at most; 0: nobody knows */
	bool whole;		/* it is certain that all of them will, */
	bool by_run;	/* or that so many will, if the statement is run to its end */
	List *subplans; /* of the statement */
} Walk;

/* ---- Calls ---- */

static bool
is_embed_function(Oid funcid)
{
	HeapTuple tuple;
	bool result = false;

	if (funcid < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return false;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId)
	{
		bool isnull;
		Datum source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
		char *name = isnull ? NULL : TextDatumGetCString(source);

		result = name != NULL && (strcmp(name, "pinecone_embed") == 0 || strcmp(name, "pinecone_embed_sparse") == 0);
	}
	ReleaseSysCache(tuple);
	return result;
}

typedef struct Calls
{
	bool of_child; /* of the outer plan's rows, or else of those that the node makes */
	List *found;
} Calls;

/* Can it be computed where the calls are to be asked ahead? */
static bool
has_foreign_parts(Node *node, void *of_child)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return *(bool *) of_child && ((Var *) node)->varno != OUTER_VAR;
	if (IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc) || IsA(node, SubPlan) ||
		IsA(node, AlternativeSubPlan))
		return *(bool *) of_child;
	return expression_tree_walker(node, has_foreign_parts, of_child);
}

static bool
is_of_rows(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, SubPlan))
		return true;
	return expression_tree_walker(node, is_of_rows, arg);
}

/* Calls in an expression that are made whatever the row is. */
static bool
find_calls(Node *node, void *arg)
{
	Calls *calls = arg;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			if (is_embed_function(((FuncExpr *) node)->funcid) && is_of_rows(node, NULL) &&
				!has_foreign_parts(node, &calls->of_child) && !contain_volatile_functions((Node *) ((FuncExpr *) node)->args))
			{
				calls->found = list_append_unique(calls->found, node);
				return false;
			}
			break;
		case T_CaseExpr:
		case T_SubPlan:
		case T_AlternativeSubPlan:
			return false;
		case T_CoalesceExpr:
			return find_calls(linitial(((CoalesceExpr *) node)->args), arg);
		case T_BoolExpr:
			return find_calls(linitial(((BoolExpr *) node)->args), arg);
		case T_Aggref:
			if (((Aggref *) node)->aggfilter != NULL || !calls->of_child)
				return false;
			break;
		case T_WindowFunc:
			if (((WindowFunc *) node)->aggfilter != NULL || !calls->of_child)
				return false;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, find_calls, arg);
}

static List *
calls_of(List *tlist, bool of_child)
{
	Calls calls = {of_child, NIL};

	(void) find_calls((Node *) tlist, &calls);
	return calls.found;
}

/* ---- Nodes ---- */

static void
copy_estimates(Plan *plan, const Plan *child, Walk *walk)
{
	plan->startup_cost = child->startup_cost;
	plan->total_cost = child->total_cost;
	plan->plan_rows = child->plan_rows;
	plan->plan_width = child->plan_width;
	plan->extParam = bms_copy(child->extParam);
	plan->allParam = bms_copy(child->allParam);
	plan->plan_node_id = ++walk->last_node_id;
}

/* The custom scan over a plan; calls are of that plan's output. */
static Plan *
embed_ahead_of(Plan *child, List *calls, Walk *walk)
{
	CustomScan *scan = makeNode(CustomScan);
	PineconeEmbedCare care;
	ListCell *lc;

	foreach(lc, child->targetlist)
	{
		TargetEntry *entry = lfirst(lc);
		Oid type = exprType((Node *) entry->expr);
		int32 typmod = exprTypmod((Node *) entry->expr);
		Oid collation = exprCollation((Node *) entry->expr);

		scan->custom_scan_tlist =
			lappend(scan->custom_scan_tlist,
					makeTargetEntry((Expr *) makeVar(OUTER_VAR, entry->resno, type, typmod, collation, 0),
									entry->resno, entry->resname, entry->resjunk));
		scan->scan.plan.targetlist =
			lappend(scan->scan.plan.targetlist,
					makeTargetEntry((Expr *) makeVar(INDEX_VAR, entry->resno, type, typmod, collation, 0),
									entry->resno, entry->resname, entry->resjunk));
	}
	outerPlan(scan) = child;
	scan->custom_exprs = calls;
	care = walk->whole || !pinecone_plan_reading_is_noticed(child, walk->subplans) ? PINECONE_EMBED_FREELY :
		   walk->by_run															   ? PINECONE_EMBED_BY_RUN :
																					 PINECONE_EMBED_ALONE;
	scan->custom_private = list_make3(makeFloat(psprintf("%.0f", walk->bound)), makeInteger(walk->whole), makeInteger(care));
	scan->methods = &pinecone_embed_ahead_methods;
	copy_estimates(&scan->scan.plan, child, walk);
	return &scan->scan.plan;
}

/* What the expressions of a target list are made of, in a list of its own, and Vars for it in them. */
static Node *
take_apart(Node *node, void *arg)
{
	List **parts = arg;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc) ||
		IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
	{
		int place = 0;

		while (place < list_length(*parts) && !equal(((TargetEntry *) list_nth(*parts, place))->expr, node))
			place++;
		if (place == list_length(*parts))
			*parts = lappend(*parts, makeTargetEntry((Expr *) node, place + 1, NULL, false));
		return (Node *) makeVar(OUTER_VAR, place + 1, exprType(node), exprTypmod(node), exprCollation(node), 0);
	}
	return expression_tree_mutator(node, take_apart, arg);
}

/* Have a node return the parts alone; a Result computes what it did. */
static Plan *
compute_above(Plan *plan, Walk *walk)
{
	Result *result = makeNode(Result);
	List *parts = NIL;

	result->plan.targetlist = (List *) take_apart((Node *) plan->targetlist, &parts);
	plan->targetlist = parts;
	plan->async_capable = false;
	outerPlan(result) = embed_ahead_of(plan, calls_of(result->plan.targetlist, true), walk);
	copy_estimates(&result->plan, plan, walk);
	return &result->plan;
}

static void step_below(const Plan *plan, Walk *walk);

/* ---- Searches of an inner side ---- */

/*
 * A search below a loop embeds what an outer row gives it, as a parameter.  The
 * calls as they would be on the outer side, whose rows the parameters are from.
 */
typedef struct InnerCalls
{
	List *params; /* NestLoopParams of the loop */
	List *found;
} InnerCalls;

static Node *
outer_of_param(Node *node, void *arg)
{
	InnerCalls *inner = arg;
	ListCell *lc;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
	{
		foreach(lc, inner->params)
		{
			NestLoopParam *param = lfirst(lc);

			if (param->paramno == ((Param *) node)->paramid)
				return (Node *) copyObject(param->paramval);
		}
	}
	return expression_tree_mutator(node, outer_of_param, arg);
}

static bool
has_param(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		return true;
	return expression_tree_walker(node, has_param, arg);
}

static bool
find_inner_calls(Node *node, void *arg)
{
	InnerCalls *inner = arg;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_embed_function(((FuncExpr *) node)->funcid) &&
		!contain_volatile_functions((Node *) ((FuncExpr *) node)->args))
	{
		Node *outer = outer_of_param(node, inner);
		bool of_child = true;

		if (is_of_rows(outer, NULL) && !has_param(outer, NULL) && !has_foreign_parts(outer, &of_child))
			inner->found = list_append_unique(inner->found, outer);
		return false;
	}
	return expression_tree_walker(node, find_inner_calls, arg);
}

static void
find_in_inner(Plan *plan, InnerCalls *inner)
{
	ListCell *lc;

	if (plan == NULL)
		return;
	if (IsA(plan, ForeignScan))
		(void) find_inner_calls((Node *) ((ForeignScan *) plan)->fdw_exprs, inner);
	find_in_inner(outerPlan(plan), inner);
	foreach(lc, pinecone_plan_children(plan))
		find_in_inner(lfirst(lc), inner);
}

/* Does it return its child's columns, in their places? */
static bool
passes_on(const CustomScan *scan)
{
	ListCell *lc;

	foreach(lc, scan->scan.plan.targetlist)
	{
		const TargetEntry *entry = lfirst(lc);

		if (!IsA(entry->expr, Var) || ((const Var *) entry->expr)->varattno != entry->resno)
			return false;
	}
	return list_length(scan->custom_scan_tlist) >= list_length(scan->scan.plan.targetlist);
}

/*
 * Embed on the outer side of a loop what its inner side will search for.  Where rows
 * are read ahead there it goes below that, lest each is asked for as it is read.
 */
static void
embed_for_inner(NestLoop *loop, Walk *walk)
{
	InnerCalls inner = {loop->nestParams, NIL};
	Plan *outer = outerPlan(loop);
	Walk above = *walk;

	find_in_inner(innerPlan(loop), &inner);
	if (inner.found == NIL)
		return;
	step_below(&loop->join.plan, walk);
	if (IsA(outer, CustomScan) && ((CustomScan *) outer)->methods == &pinecone_readahead_methods)
	{
		CustomScan *ahead = (CustomScan *) outer;
		Plan *child = linitial(ahead->custom_plans);

		if (!passes_on(ahead))
			return;
		linitial(ahead->custom_plans) = embed_ahead_of(child, inner.found, walk);
	}
	else
		outerPlan(loop) = embed_ahead_of(outer, inner.found, walk);
	walk->bound = above.bound;
	walk->whole = above.whole;
	walk->by_run = above.by_run;
}

/* ---- The plan ---- */

static Plan *embed_in(Plan *plan, bool may_mark, Walk *walk);

static void
embed_in_list(List *plans, Walk *walk)
{
	ListCell *lc;

	foreach(lc, plans)
		lfirst(lc) = embed_in(lfirst(lc), false, walk);
}

/* The most rows that a node asks of its outer side, if it asks for more than they are asked of it. */
static double
bound_below(const Plan *plan, double bound)
{
	const Limit *limit = (const Limit *) plan;

	if (IsA(plan, Limit) && limit->limitCount != NULL && IsA(limit->limitCount, Const) &&
		!((Const *) limit->limitCount)->constisnull && limit->limitOption == LIMIT_OPTION_COUNT &&
		(limit->limitOffset == NULL || (IsA(limit->limitOffset, Const) && !((Const *) limit->limitOffset)->constisnull)))
		return Max(1, (double) DatumGetInt64(((Const *) limit->limitCount)->constvalue) +
						  (limit->limitOffset ? (double) DatumGetInt64(((Const *) limit->limitOffset)->constvalue) : 0));
	return IsA(plan, Result) && plan->qual == NIL ? bound : 0;
}

/* Below a LIMIT as many as its bound are. */
static bool
by_run_below(const Plan *plan, const Walk *walk)
{
	if (IsA(plan, Limit) || walk->bound > 0)
		return walk->by_run && bound_below(plan, walk->bound) > 0;
	return pinecone_plan_reads_whole(plan, walk->by_run);
}

/* What a node asks of its outer side. */
static void
step_below(const Plan *plan, Walk *walk)
{
	walk->by_run = by_run_below(plan, walk);
	walk->bound = bound_below(plan, walk->bound);
	walk->whole = pinecone_plan_reads_whole(plan, walk->whole);
}

static void
embed_below(Plan *plan, Walk *walk)
{
	Walk above = *walk;

	step_below(plan, walk);
	if (outerPlan(plan) != NULL)
		outerPlan(plan) = embed_in(outerPlan(plan), false, walk);
	walk->bound = 0;
	if (!IsA(plan, Append) && !IsA(plan, SubqueryScan))
		walk->whole = walk->by_run = false;
	/* a merge join goes back to where it was on its inner side */
	if (innerPlan(plan) != NULL)
		innerPlan(plan) = embed_in(innerPlan(plan), IsA(plan, MergeJoin), walk);
	switch (nodeTag(plan))
	{
		case T_Append:
			embed_in_list(((Append *) plan)->appendplans, walk);
			break;
		case T_MergeAppend:
			embed_in_list(((MergeAppend *) plan)->mergeplans, walk);
			break;
		case T_SubqueryScan:
			((SubqueryScan *) plan)->subplan = embed_in(((SubqueryScan *) plan)->subplan, false, walk);
			break;
		case T_CustomScan:
			embed_in_list(((CustomScan *) plan)->custom_plans, walk);
			break;
		default:
			break;
	}
	walk->bound = above.bound;
	walk->whole = above.whole;
	walk->by_run = above.by_run;
}

/* Does a node compute its target list itself, of rows that come from elsewhere? */
static bool
can_compute_above(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_TableFuncScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_ForeignScan:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Agg:
		case T_Group:
		case T_WindowAgg:
		case T_Gather:
		case T_GatherMerge:
			return true;
		default:
			return false;
	}
}

static bool
computes_of_child(const Plan *plan)
{
	return IsA(plan, Result) || IsA(plan, ProjectSet) || IsA(plan, Agg) || IsA(plan, WindowAgg);
}

static Plan *
embed_in(Plan *plan, bool may_mark, Walk *walk)
{
	List *calls;

	if (plan == NULL)
		return NULL;
	embed_below(plan, walk);
	if (IsA(plan, NestLoop))
		embed_for_inner((NestLoop *) plan, walk);
	/* what modifies a foreign table by itself has to stay where it is */
	if (plan->parallel_aware || (IsA(plan, ForeignScan) && ((ForeignScan *) plan)->operation != CMD_SELECT))
		return plan;
	if (computes_of_child(plan) && outerPlan(plan) != NULL &&
		(calls = calls_of(plan->targetlist, true)) != NIL)
	{
		Walk above = *walk;

		step_below(plan, walk);
		outerPlan(plan) = embed_ahead_of(outerPlan(plan), calls, walk);
		walk->bound = above.bound;
		walk->whole = above.whole;
		walk->by_run = above.by_run;
	}
	if (!may_mark && can_compute_above(plan) && !IsA(plan, WindowAgg) && calls_of(plan->targetlist, false) != NIL &&
		!(IsA(plan, Agg) && calls_of(plan->targetlist, true) != NIL))
		return compute_above(plan, walk);
	return plan;
}

/* ---- Is there anything to do? ---- */

/* Simplifies nothing. */
Datum
pinecone_embed_support(PG_FUNCTION_ARGS)
{
	planned_any = true;
	PG_RETURN_POINTER(NULL);
}

static bool
has_call(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_embed_function(((FuncExpr *) node)->funcid))
		return true;
	return expression_tree_walker(node, has_call, arg);
}

static bool
plan_has_call(Plan *plan)
{
	ListCell *lc;
	List *children = NIL;

	if (plan == NULL)
		return false;
	if (has_call((Node *) plan->targetlist, NULL) ||
		(IsA(plan, ForeignScan) && has_call((Node *) ((ForeignScan *) plan)->fdw_exprs, NULL)) ||
		plan_has_call(outerPlan(plan)) || plan_has_call(innerPlan(plan)))
		return true;
	children = pinecone_plan_children(plan);
	foreach(lc, children)
	{
		if (plan_has_call(lfirst(lc)))
			return true;
	}
	return false;
}

static int
largest_node_id(Plan *plan)
{
	int largest;
	ListCell *lc;

	if (plan == NULL)
		return 0;
	largest = Max(plan->plan_node_id, Max(largest_node_id(outerPlan(plan)), largest_node_id(innerPlan(plan))));
	foreach(lc, pinecone_plan_children(plan))
		largest = Max(largest, largest_node_id(lfirst(lc)));
	return largest;
}

/* Keep the rows of a plan for a cursor that may go back to them. */
static Plan *
keep_rows_of(Plan *child, Walk *walk)
{
	Material *material = makeNode(Material);
	ListCell *lc;

	foreach(lc, child->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst(lc));

		entry->expr = (Expr *) makeVar(OUTER_VAR, entry->resno, exprType((Node *) entry->expr),
									   exprTypmod((Node *) entry->expr), exprCollation((Node *) entry->expr), 0);
		material->plan.targetlist = lappend(material->plan.targetlist, entry);
	}
	outerPlan(material) = child;
	copy_estimates(&material->plan, child, walk);
	return &material->plan;
}

PlannedStmt *
pinecone_plan_embed_ahead(PlannedStmt *stmt, int eflags)
{
	Walk walk = {0};
	bool found = false;
	ListCell *lc;

	if (!planned_any || !pinecone_enable_embed_ahead)
		return stmt;
	found = plan_has_call(stmt->planTree);
	walk.last_node_id = largest_node_id(stmt->planTree);
	foreach(lc, stmt->subplans)
	{
		found |= plan_has_call(lfirst(lc));
		walk.last_node_id = Max(walk.last_node_id, largest_node_id(lfirst(lc)));
	}
	if (!found)
		return stmt;
	stmt = copyObject(stmt);
	walk.subplans = stmt->subplans;
	walk.by_run = true;
	stmt->planTree = embed_in(stmt->planTree, false, &walk);
	walk.by_run = false;
	if (eflags & EXEC_FLAG_BACKWARD)
		stmt->planTree = keep_rows_of(stmt->planTree, &walk);
	foreach(lc, stmt->subplans)
		lfirst(lc) = embed_in(lfirst(lc), false, &walk);
	return stmt;
}
