/*
 * plan_readahead.c
 *		Where a nested loop is offered a read-ahead over its outer side.
 *
 * Wherever the inner side of a join has a path that takes parameters from the
 * outer side and a foreign scan of ours below it, there is a nested loop with a
 * read-ahead besides the plain one.  It costs less, because a request that
 * others overlap with, or that is one of the ids of a fetch, is not waited for
 * alone.
 */
#include "postgres.h"

#include <math.h>

#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/ours.h"
#include "base/setting.h"
#include "plan/paths.h"
#include "plan/plan_label.h"
#include "request/filter_key.h"
#include "scan/readahead.h"

/* Requests that overlap, in the planner's eyes. */
#define OVERLAP 10

/* ---- Plan ---- */

static Plan *
plan_read_ahead(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
				List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan *child = linitial(custom_plans);

	/* the rows are the child's; clauses have been checked there */
	scan->scan.plan.targetlist = tlist != NIL ? tlist : copyObject(child->targetlist);
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_plans = custom_plans;
	scan->custom_scan_tlist = copyObject(child->targetlist);
	scan->custom_private = path->custom_private;
	scan->methods = &pinecone_readahead_methods;
	pinecone_plan_label(root, scan);
	return &scan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = PINECONE_READAHEAD_NAME,
	.PlanCustomPath = plan_read_ahead,
};

/* ---- What there is to gain ---- */

typedef struct Gain
{
	PlannerInfo *root; /* of the join */
	Relids outer;	   /* the relations read ahead */
	Bitmapset *ids;	   /* of parameters that stand for them in a subquery */
	Cost saved;		   /* per outer row */
	int scans;

	/* One of them, whose filters are gathered */
	double records; /* expected of each row */
	double most;	/* of all that are asked as one */
	Cost record;	/* the cost of each */
} Gain;

static bool
uses_params(Node *node, Bitmapset *ids)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC &&
			   bms_is_member(((Param *) node)->paramid, ids);
	if (IsA(node, RestrictInfo))
		return uses_params((Node *) ((RestrictInfo *) node)->clause, ids);
	return expression_tree_walker(node, uses_params, (void *) ids);
}

/* Does a foreign scan ask by what the outer side says? */
static bool
scan_depends(ForeignPath *path, Gain *gain)
{
	RelOptInfo *rel = ((PineconePlanInfo *) path->path.parent->fdw_private)->rel;

	if (gain->ids == NULL)
		return bms_overlap(PATH_REQ_OUTER(&path->path), gain->outer) &&
			   bms_is_subset(PATH_REQ_OUTER(&path->path), gain->outer);
	return PATH_REQ_OUTER(&path->path) == NULL &&
		   (uses_params(list_nth(path->fdw_private, PATH_LEAD), gain->ids) ||
			uses_params((Node *) rel->baserestrictinfo, gain->ids));
}

/* Does something that a request asks by differ from one outer row to the next? */
static bool
differs(Node *node, Gain *gain)
{
	return gain->ids == NULL ? bms_overlap(pull_varnos(gain->root, node), gain->outer) :
							   uses_params(node, gain->ids);
}

/* Can the filters of several outer rows be asked as one?  See request/filter_key.h. */
static bool
filters_gather(ForeignPath *path, Gain *gain)
{
	PineconePlanInfo *info = path->path.parent->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(gain->root, info->rel);
	List *clauses = path->path.param_info ? path->path.param_info->ppi_clauses : NIL;
	bool any = false;
	ListCell *lc;

	if (!pinecone_enable_gather)
		return false;
	foreach(lc, list_concat_copy(clauses, info->rel->baserestrictinfo))
	{
		Expr *clause = lfirst_node(RestrictInfo, lc)->clause;
		PineconeCondition *condition;
		Bitmapset *varying = NULL;
		List *names;
		ListCell *lc2;

		if (!differs((Node *) clause, gain) || pinecone_translate_namespace(&cxt, clause, &names) ||
			pinecone_translate_clause(&cxt, clause, &condition) == PINECONE_LOCAL)
			continue;
		foreach(lc2, cxt.exprs)
		{
			if (differs(lfirst(lc2), gain))
				varying = bms_add_member(varying, foreach_current_index(lc2));
		}
		any = any || pinecone_filter_key_exists(info->table, condition, varying);
	}
	return any;
}

static void
gain_of_scan(ForeignPath *path, Gain *gain)
{
	PineconeOperation op;
	Cost request = PINECONE_REQUEST_COST;
	int together = OVERLAP;

	if (!pinecone_ours_is(path->path.parent->fdwroutine) || !scan_depends(path, gain))
		return;
	op = intVal(list_nth(path->fdw_private, PATH_OP));
	if (op == PINECONE_OP_FETCH)
		together = PINECONE_FETCH_BATCH;
	else if (op == PINECONE_OP_FILTER && filters_gather(path, gain))
	{
		together = PINECONE_FETCH_BATCH;
		request = pinecone_cost_filter_request(path->path.parent->fdw_private);
		gain->records = path->path.rows;
		gain->most = path->path.parent->tuples;
		gain->record = pinecone_cost_filter_record(path->path.parent->fdw_private);
	}
	gain->saved += request * (1 - 1.0 / Min(pinecone_read_ahead, together));
	gain->scans++;
}

static void gain_of_path(Path *path, Gain *gain);

static void
gain_of_paths(List *paths, Gain *gain)
{
	ListCell *lc;

	foreach(lc, paths)
		gain_of_path(lfirst(lc), gain);
}

/* A subquery knows the outer side by its parameters. */
static void
gain_of_subquery(SubqueryScanPath *path, Gain *gain)
{
	Gain below = *gain;
	ListCell *lc;

	if (gain->ids == NULL)
	{
		foreach(lc, path->path.parent->subplan_params)
		{
			PlannerParamItem *item = lfirst(lc);

			if (bms_overlap(pull_varnos(gain->root, item->item), gain->outer))
				below.ids = bms_add_member(below.ids, item->paramId);
		}
		if (below.ids == NULL)
			return;
	}
	gain_of_path(path->subpath, &below);
	below.ids = gain->ids;
	*gain = below;
}

/* Add up what reading ahead could save below a path. The switch only routes. */
static void
gain_of_path(Path *path, Gain *gain)
{
	switch (nodeTag(path))
	{
		case T_ForeignPath:
			gain_of_scan((ForeignPath *) path, gain);
			break;
		case T_SubqueryScanPath:
			gain_of_subquery((SubqueryScanPath *) path, gain);
			break;
		case T_NestPath:
		case T_MergePath:
		case T_HashPath:
			gain_of_path(((JoinPath *) path)->outerjoinpath, gain);
			gain_of_path(((JoinPath *) path)->innerjoinpath, gain);
			break;
		case T_AppendPath:
			gain_of_paths(((AppendPath *) path)->subpaths, gain);
			break;
		case T_MergeAppendPath:
			gain_of_paths(((MergeAppendPath *) path)->subpaths, gain);
			break;
		case T_CustomPath:
			gain_of_paths(((CustomPath *) path)->custom_paths, gain);
			break;
		case T_ProjectionPath:
			gain_of_path(((ProjectionPath *) path)->subpath, gain);
			break;
		case T_ProjectSetPath:
			gain_of_path(((ProjectSetPath *) path)->subpath, gain);
			break;
		case T_SortPath:
			gain_of_path(((SortPath *) path)->subpath, gain);
			break;
		case T_IncrementalSortPath:
			gain_of_path(((IncrementalSortPath *) path)->spath.subpath, gain);
			break;
		case T_GroupPath:
			gain_of_path(((GroupPath *) path)->subpath, gain);
			break;
		case T_AggPath:
			gain_of_path(((AggPath *) path)->subpath, gain);
			break;
		case T_WindowAggPath:
			gain_of_path(((WindowAggPath *) path)->subpath, gain);
			break;
		case T_UpperUniquePath:
			gain_of_path(((UpperUniquePath *) path)->subpath, gain);
			break;
		case T_LimitPath:
			gain_of_path(((LimitPath *) path)->subpath, gain);
			break;
		case T_MaterialPath:
			gain_of_path(((MaterialPath *) path)->subpath, gain);
			break;
		default:
			if (pinecone_memoized_path(path) != NULL)
				gain_of_path(pinecone_memoized_path(path), gain);
			break;
	}
}

/* ---- Rows that may not be wanted ---- */

/* Does a query, or one in it, lock the rows that it reads? */
static bool
locks_rows(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return ((Query *) node)->rowMarks != NIL || query_tree_walker((Query *) node, locks_rows, context, 0);
	return expression_tree_walker(node, locks_rows, context);
}

/* The query of a common table expression, or NULL for what a recursion has found. */
static Query *
query_of_cte(PlannerInfo *root, RangeTblEntry *rte)
{
	ListCell *lc;

	for (Index up = rte->ctelevelsup; up > 0 && root != NULL; up--)
		root = root->parent_root;
	if (root == NULL || rte->self_reference)
		return NULL;
	foreach(lc, root->parse->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			return castNode(Query, cte->ctequery);
	}
	return NULL;
}

/*
 * Would reading rows of the outer side that the loop never comes to be noticed?  It
 * is where they are numbered by a sequence, locked, or made by functions that write.
 * Where all rows are wanted, all of that happens anyway.
 */
static bool
reading_is_noticed(PlannerInfo *root, RelOptInfo *outer)
{
	int i = -1;

	if (root->query_level == 1 && root->tuple_fraction <= 0)
		return false;
	while ((i = bms_next_member(outer->relids, i)) >= 0)
	{
		RangeTblEntry *rte = planner_rt_fetch(i, root);
		Node *query = (Node *) (rte->rtekind == RTE_CTE ? query_of_cte(root, rte) : rte->subquery);

		if (contain_volatile_functions(query) || locks_rows(query, NULL) ||
			contain_volatile_functions((Node *) rte->functions) ||
			contain_volatile_functions((Node *) rte->values_lists))
			return true;
	}
	return contain_volatile_functions((Node *) root->parse->jointree);
}

/* ---- Paths ---- */

static Path *
read_ahead_path(PlannerInfo *root, Path *outer)
{
	CustomPath *path = makeNode(CustomPath);
	bool eager = root->tuple_fraction <= 0 && PATH_REQ_OUTER(outer) == NULL;

	path->path.pathtype = T_CustomScan;
	path->path.parent = outer->parent;
	path->path.pathtarget = outer->pathtarget;
	path->path.param_info = outer->param_info;
	path->path.rows = outer->rows;
	pinecone_copy_disabled_nodes(&path->path, outer);
	path->path.startup_cost = outer->startup_cost;
	path->path.total_cost = outer->total_cost + outer->rows * cpu_tuple_cost * 0.5;
	path->path.pathkeys = outer->pathkeys;
	path->custom_paths = list_make1(outer);
	path->custom_private = list_make1(makeInteger(eager)); /* see readahead.h */
	path->methods = &path_methods;
	return &path->path;
}

/*
 * What rows have in common, one request brings once.  Without statistics a value
 * is taken to have so many records that those of some rows would be all of them.
 */
static Cost
shared_cost(const Gain *gain, double rows)
{
	double asked = rows * gain->records;
	double brought = Min(asked, ceil(rows / pinecone_read_ahead) * gain->most);

	return (asked - brought) * gain->record;
}

/* May these two be a nested loop?  Decided as the planner's own joins are. */
static bool
join_is_allowed(PlannerInfo *root, Path *outer, Path *inner, JoinPathExtraData *extra,
				Relids *required_outer)
{
	Relids outer_relids = outer->parent->relids;
	Relids inner_params = PATH_REQ_OUTER(inner);

	if (bms_overlap(PATH_REQ_OUTER(outer), inner->parent->relids))
		return false;
	*required_outer = calc_nestloop_required_outer(outer_relids, PATH_REQ_OUTER(outer),
												   inner->parent->relids, inner_params);
	return *required_outer == NULL ||
		   (bms_overlap(*required_outer, extra->param_source_rels) &&
			!pinecone_have_dangerous_phv(root, outer_relids, inner_params));
}

static void
add_loop(PlannerInfo *root, RelOptInfo *joinrel, JoinType jointype, Path *outer, Path *inner,
		 JoinPathExtraData *extra, Gain *gain)
{
	JoinCostWorkspace workspace;
	Relids required_outer;
	Path *loop;
	Path *ahead;
	Path *cached = pinecone_memoized_path(inner);
	Path *priced = cached != NULL ? cached : inner;
	Cost saved = Min(gain->saved, priced->total_cost);
	Cost saved_at_start = Min(saved, priced->startup_cost);

	if (!join_is_allowed(root, outer, inner, extra, &required_outer))
		return;
	ahead = read_ahead_path(root, outer);

	/* while the loop is priced, a run of its inner side costs less */
	priced->startup_cost -= saved_at_start;
	priced->total_cost -= saved;
	pinecone_initial_cost_nestloop(root, &workspace, jointype, ahead, inner, extra);
	loop = (Path *) create_nestloop_path(root, joinrel, jointype, &workspace, extra, ahead, inner,
										 extra->restrictlist,
										 build_join_pathkeys(root, joinrel, jointype, outer->pathkeys),
										 required_outer);
	priced->startup_cost += saved_at_start;
	priced->total_cost += saved;

	/* but the first answers are waited for all the same */
	loop->startup_cost += saved_at_start;
	loop->total_cost += saved - shared_cost(gain, outer->rows);
	add_path(joinrel, loop);
}

/* The loops over one inner path. */
static void
add_loops(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel, JoinType jointype,
		  Path *inner, JoinPathExtraData *extra)
{
	Gain gain = {0};
	ListCell *lc;

	if (!bms_overlap(PATH_REQ_OUTER(inner), outerrel->relids))
		return;
	gain.root = root;
	gain.outer = outerrel->relids;
	gain_of_path(inner, &gain);
	if (gain.scans == 0)
		return;

	if (jointype == JOIN_UNIQUE_OUTER)
	{
		Path *outer = pinecone_unique_path(root, outerrel, extra->sjinfo);

		if (outer != NULL)
			add_loop(root, joinrel, JOIN_INNER, outer, inner, extra, &gain);
		return;
	}
	foreach(lc, outerrel->pathlist)
		add_loop(root, joinrel, jointype, lfirst(lc), inner, extra, &gain);
}

void
pinecone_plan_readaheads(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel,
						 RelOptInfo *innerrel, JoinType jointype, JoinPathExtraData *extra)
{
	List *inners = list_copy(innerrel->cheapest_parameterized_paths);
	ListCell *lc;

	if (!pinecone_enable_read_ahead || pinecone_read_ahead < 2 || IS_OTHER_REL(joinrel) ||
		reading_is_noticed(root, outerrel))
		return;
	switch (jointype)
	{
		case JOIN_INNER:
		case JOIN_LEFT:
		case JOIN_SEMI:
		case JOIN_ANTI:
		case JOIN_UNIQUE_OUTER:
			break;
		default:
			return;
	}

	/* caches of the inner side that have been found worth their while */
	foreach(lc, joinrel->pathlist)
	{
		JoinPath *path = lfirst(lc);

		if (IsA(path, NestPath) && path->innerjoinpath->parent == innerrel &&
			pinecone_memoized_path(path->innerjoinpath) != NULL)
			inners = list_append_unique_ptr(inners, path->innerjoinpath);
	}
	foreach(lc, inners)
		add_loops(root, joinrel, outerrel, jointype, lfirst(lc), extra);
}
