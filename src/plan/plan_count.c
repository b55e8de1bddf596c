/*
 * plan_count.c
 *		count(*) answered by the service: from index statistics, also by
 *		namespace, or with a filter by an update's dry run.  Of a partitioned
 *		table each partition's count is a partial aggregate, when PostgreSQL
 *		considers these.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
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
	column = pinecone_plan_plain_column(linitial_node(TargetEntry, agg->args)->expr, rel, table);
	/* of another type it may be NULL, or an error */
	return column != NULL &&
		   (column->typid == TEXTOID || (column->typid == VARCHAROID && column->typmod < 0)) &&
		   (column->role == PINECONE_ROLE_ID || column->role == PINECONE_ROLE_NAMESPACE);
}

bool
pinecone_plan_is_namespace(Expr *expr, RelOptInfo *rel, PineconeTable *table)
{
	PineconeColumn *column = pinecone_plan_plain_column(expr, rel, table);

	return column != NULL && column->role == PINECONE_ROLE_NAMESPACE &&
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

/* Is there nothing in expressions but counts of rows, and groups' namespaces? */
static bool
exprs_count_rows(Node *exprs, RelOptInfo *rel, bool grouped)
{
	PineconePlanInfo *info = rel->fdw_private;
	ListCell *lc;

	foreach(lc, pull_var_clause(exprs, PVC_INCLUDE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS))
	{
		if (IsA(lfirst(lc), Aggref) ?
				!pinecone_plan_counts_rows(lfirst(lc), rel, info->table) :
				!(grouped && pinecone_plan_is_namespace(lfirst(lc), rel, info->table)))
			return false;
	}
	return true;
}

/* Is the query nothing but counts of the rows of one of our tables? */
static bool
query_counts_rows(PlannerInfo *root, RelOptInfo *rel, UpperRelationKind stage,
				  PathTarget *target, Node *having, bool *grouped)
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
		   exprs_count_rows((Node *) target->exprs, rel, *grouped) &&
		   exprs_count_rows(having, rel, *grouped);
}

bool
pinecone_plan_conditions_are_exact(PlannerInfo *root, RelOptInfo *rel, bool *any)
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
		if (pinecone_translate_namespace(&cxt, rinfo->clause, &names))
			continue;
		if (pinecone_translate_clause(&cxt, rinfo->clause, &condition) != PINECONE_EXACT)
			return false;
		*any = true;
	}
	return true;
}

bool
pinecone_plan_count(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
					RelOptInfo *output_rel, PathTarget *target, Node *having)
{
	PineconePlanInfo *info = input_rel->fdw_private;
	bool filtered;
	bool grouped;
	double rows;
	Cost cost;
	List *private;

	if (!pinecone_enable_aggregate ||
		!query_counts_rows(root, input_rel, stage, target, having, &grouped) ||
		!pinecone_plan_conditions_are_exact(root, input_rel, &filtered))
		return false;
	/* of documents there are no dry runs: what matches is read, a small field of each */
	if (filtered && info->table->schema != NULL)
		return false;
	/* statistics know the namespaces, but not what matches a filter in each */
	if (filtered ? !info->table->count_from_dry_run || info->session->dry_run_refused || grouped :
				   !info->table->count_from_stats)
		return false;

	private = list_make4(makeInteger(filtered ? PINECONE_OP_COUNT : PINECONE_OP_STATS),
						 NULL, makeInteger(grouped), having);
	rows = grouped ? clamp_row_est(info->nnamespaces) : 1;
	cost = PINECONE_REQUEST_COST + rows * cpu_tuple_cost;
	if (filtered)
		cost += (info->nnamespaces - 1) * PINECONE_NEXT_REQUEST_COST;
	add_path(output_rel, (Path *) pinecone_create_upper_path(root, output_rel, target, rows, cost, cost,
															 NULL, private));
	return true;
}
