/*
 * plan_count.c
 *		count(*) answered by the service: from index statistics, also by
 *		namespace, or with filters by an update's dry run each.  Of a partitioned
 *		table each partition's count is a partial aggregate, when PostgreSQL
 *		considers these.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/paths.h"

PineconeColumn *
pinecone_plan_plain_column(Expr *expr, RelOptInfo *rel, PineconeTable *table)
{
	Var *var = (Var *) expr;

	if (!IsA(expr, Var) || var->varno != rel->relid || var->varlevelsup != 0)
		return NULL;
	return pinecone_option_column(table, var->varattno);
}

bool
pinecone_plan_counts_rows(Aggref *agg, RelOptInfo *rel, PineconeTable *table)
{
	PineconeColumn *column;

	if (agg->agglevelsup != 0 || agg->aggdistinct != NIL || agg->aggorder != NIL ||
		agg->aggfilter != NULL ||
		(agg->aggsplit != AGGSPLIT_SIMPLE && agg->aggsplit != AGGSPLIT_INITIAL_SERIAL))
		return false;
	if (agg->aggfnoid == F_COUNT_)
		return true;
	if (agg->aggfnoid != F_COUNT_ANY)
		return false;
	if (IsA(linitial_node(TargetEntry, agg->args)->expr, Const))
		return !((Const *) linitial_node(TargetEntry, agg->args)->expr)->constisnull;
	column = pinecone_plan_plain_column(linitial_node(TargetEntry, agg->args)->expr, rel, table);
	/* of another type it may be NULL, or an error */
	return column != NULL && pinecone_translate_names_fit(column) &&
		   (column->role == PINECONE_ROLE_ID || column->role == PINECONE_ROLE_NAMESPACE);
}

/* sum(1), which counts in another way; its constant, or 0 */
static int
constant_sum(Aggref *agg)
{
	Const *value;

	if (agg->aggfnoid != F_SUM_INT4 || agg->agglevelsup != 0 || agg->aggdistinct != NIL || agg->aggorder != NIL ||
		(agg->aggsplit != AGGSPLIT_SIMPLE && agg->aggsplit != AGGSPLIT_INITIAL_SERIAL))
		return 0;
	value = (Const *) linitial_node(TargetEntry, agg->args)->expr;
	return IsA(value, Const) && !value->constisnull ? DatumGetInt32(value->constvalue) : 0;
}

bool
pinecone_plan_translate_count(PineconeTranslate *cxt, Aggref *agg, RelOptInfo *rel, PineconeCount *count)
{
	Aggref bare = *agg;

	count->filter = NULL;
	count->factor = constant_sum(agg);
	bare.aggfilter = NULL;
	if (count->factor == 0 && !pinecone_plan_counts_rows(&bare, rel, cxt->table))
		return false;
	return agg->aggfilter == NULL ||
		   pinecone_translate_clause(cxt, agg->aggfilter, &count->filter) == PINECONE_EXACT;
}

bool
pinecone_plan_is_namespace(Expr *expr, RelOptInfo *rel, PineconeTable *table)
{
	PineconeColumn *column = pinecone_plan_plain_column(expr, rel, table);

	/* several may be NULL, which is one group; without on_type_error 'null' a length that does not fit is an error then */
	return column != NULL && column->role == PINECONE_ROLE_NAMESPACE &&
		   (pinecone_translate_names_fit(column) || (!table->type_error_null && column->typid == VARCHAROID)) &&
		   get_collation_isdeterministic(column->collation);
}

/*
 * Are grouping or DISTINCT by the namespace alone, or absent?  The target tells,
 * because for a partition its columns are the partition's own.
 */
static bool
groups_are_namespaces(List *clauses, PathTarget *target, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	ListCell *lc;

	if (clauses == NIL)
		return true;
	if (list_length(clauses) != 1)
		return false;
	foreach(lc, target->exprs)
	{
		if (get_pathtarget_sortgroupref(target, foreach_current_index(lc)) ==
			linitial_node(SortGroupClause, clauses)->tleSortGroupRef)
			return pinecone_plan_is_namespace(lfirst(lc), rel, info->table);
	}
	return false;
}

/*
 * Is there nothing in expressions but counts of rows, and groups' namespaces?
 * *filters: how many counts have a filter.
 */
static bool
exprs_count_rows(PlannerInfo *root, Node *exprs, RelOptInfo *rel, bool grouped, int *filters)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, pull_var_clause(exprs, PVC_INCLUDE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS))
	{
		PineconeCount count = {0};

		if (IsA(lfirst(lc), Aggref) ?
				!pinecone_plan_translate_count(&cxt, lfirst(lc), rel, &count) :
				!(grouped && pinecone_plan_is_namespace(lfirst(lc), rel, info->table)))
			return false;
		*filters += count.filter != NULL;
	}
	return true;
}

/* Is the query nothing but counts of the rows of one of our tables? */
static bool
query_counts_rows(PlannerInfo *root, RelOptInfo *rel, UpperRelationKind stage,
				  PathTarget *target, Node *having, bool *grouped, int *filters)
{
	Query *parse = root->parse;
	List *clauses = stage == UPPERREL_DISTINCT ? parse->distinctClause : parse->groupClause;

	if (stage == UPPERREL_DISTINCT ?
			(parse->hasAggs || parse->groupClause != NIL || parse->hasWindowFuncs) :
			(!parse->hasAggs && clauses == NIL))
		return false;
	*grouped = clauses != NIL;
	return parse->groupingSets == NIL && !parse->hasTargetSRFs &&
		   groups_are_namespaces(clauses, target, rel) &&
		   exprs_count_rows(root, (Node *) target->exprs, rel, *grouped, filters) &&
		   exprs_count_rows(root, having, rel, *grouped, filters);
}

/*
 * Is every condition answered exactly by the service, or by the names of
 * namespaces?  *any: is there one of the former?
 */
static bool
conditions_are_exact(PlannerInfo *root, RelOptInfo *rel, bool with_names, bool *any)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	*any = false;
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);
		PineconeCondition *condition;
		List *names;

		if (rinfo->pseudoconstant)
			return false;
		if (pinecone_translate_namespace(&cxt, rinfo->clause, &names) ||
			(with_names && pinecone_plan_is_about_namespace(rel, rinfo->clause)))
			continue;
		if (pinecone_translate_clause(&cxt, rinfo->clause, &condition) != PINECONE_EXACT)
			return false;
		*any = true;
	}
	return true;
}

bool
pinecone_plan_conditions_are_exact(PlannerInfo *root, RelOptInfo *rel, bool *any)
{
	return conditions_are_exact(root, rel, false, any);
}

bool
pinecone_plan_count(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
					RelOptInfo *output_rel, PathTarget *target, Node *having)
{
	PineconePlanInfo *info = input_rel->fdw_private;
	bool filtered;
	bool grouped;
	int filters = 0;
	double requests = 1;
	double rows;
	Cost cost;
	List *private;

	if (!pinecone_enable_aggregate ||
		!query_counts_rows(root, input_rel, stage, target, having, &grouped, &filters) ||
		!conditions_are_exact(root, input_rel, true, &filtered))
		return false;
	/* of documents there are no dry runs: what matches is read, a small field of each */
	if ((filtered || filters > 0) &&
		(info->table->schema != NULL || !info->table->count_from_dry_run || info->session == NULL ||
		 info->session->dry_run_refused))
		return false;
	if (!filtered && !info->table->count_from_stats)
		return false;

	private = list_make4(makeInteger(filtered || filters > 0 ? PINECONE_OP_COUNT : PINECONE_OP_STATS),
						 NULL, makeInteger(grouped), having);
	rows = grouped ? clamp_row_est(info->nnamespaces) : 1;
	/* a dry run for each filter in each namespace */
	if (filtered || filters > 0)
		requests = info->nnamespaces * (filters + filtered);
	cost = PINECONE_REQUEST_COST + rows * cpu_tuple_cost + (requests - 1) * PINECONE_NEXT_REQUEST_COST;
	add_path(output_rel, (Path *) pinecone_create_upper_path(root, output_rel, target, rows, cost, cost,
															 NULL, private));
	return true;
}

/* ---- The plan ---- */

/* The place of a count among the request's, added if it is not there. */
static int
place_of_count(PineconeRequest *request, const PineconeCount *count)
{
	if (count->filter != NULL || count->factor != 0)
	{
		PineconeCount *copy = palloc(sizeof(PineconeCount));

		*copy = *count;
		request->counts = lappend(request->counts, copy);
		return list_length(request->counts) - 1;
	}
	return 0;
}

/*
 * Rows hold nothing but the counts, however often each is asked for, and the
 * namespace counted, also where only conditions look at it.
 */
ForeignScan *
pinecone_plan_count_scan(RelOptInfo *rel, ForeignPath *path, PineconeRequest *request,
						 PineconeTranslate *translate, List *tlist)
{
	RelOptInfo *base = ((PineconePlanInfo *) rel->fdw_private)->rel;
	List *having = list_nth(path->fdw_private, PATH_HAVING);
	List *entries = NIL;
	List *used = list_concat(pull_var_clause((Node *) tlist, PVC_INCLUDE_AGGREGATES),
							 pull_var_clause((Node *) having, PVC_INCLUDE_AGGREGATES));
	ListCell *lc;

	request->counts = list_make1(palloc0(sizeof(PineconeCount)));
	foreach(lc, request->namespace_quals)
		used = list_concat(used, pull_var_clause(list_nth(translate->exprs, lfirst_int(lc)), 0));
	foreach(lc, used)
	{
		PineconeCount count;
		int column;

		if (tlist_member(lfirst(lc), entries))
			continue;
		if (IsA(lfirst(lc), Var))
			column = ((Var *) lfirst(lc))->varattno;
		else if (pinecone_plan_translate_count(translate, lfirst(lc), base, &count))
			column = PINECONE_LAYOUT_COUNT - place_of_count(request, &count);
		else
			elog(ERROR, "aggregate does not count rows");
		entries = lappend(entries, makeTargetEntry(lfirst(lc), list_length(entries) + 1, NULL, false));
		request->layout = lappend_int(request->layout, column);
	}
	return make_foreignscan(tlist, having, 0, translate->exprs, pinecone_request_to_list(request), entries,
							NIL, NULL);
}
