/*
 * plan_aggregate.c
 *		count(*) answered by the service: from index statistics, or with a
 *		filter by an update's dry run.  Of a partitioned table each partition's
 *		count is a partial aggregate, when PostgreSQL considers these.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"

#include "compat.h"
#include "plan.h"
#include "setting.h"

/*
 * Does an aggregate count the rows?  Ids are never NULL, so count(id) does.
 * The result of counting in part is a count too.
 */
static bool
counts_rows(Aggref *agg, RelOptInfo *rel, PineconeTable *table)
{
	Var *var;

	if (agg->agglevelsup != 0 || agg->aggdistinct != NIL || agg->aggorder != NIL ||
		agg->aggfilter != NULL ||
		(agg->aggsplit != AGGSPLIT_SIMPLE && agg->aggsplit != AGGSPLIT_INITIAL_SERIAL))
		return false;
	if (agg->aggfnoid == F_COUNT_)
		return true;
	if (agg->aggfnoid != F_COUNT_ANY)
		return false;
	var = (Var *) linitial_node(TargetEntry, agg->args)->expr;
	return IsA(var, Var) && var->varno == rel->relid && var->varlevelsup == 0 &&
		   table->id_attnum > 0 && var->varattno == table->id_attnum;
}

/* Is the query nothing but counts of the rows of one of our tables? */
static bool
query_counts_rows(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *output_rel)
{
	Query *parse = root->parse;
	PineconePlanInfo *info = rel->fdw_private;
	ListCell *lc;

	if (!parse->hasAggs || parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->havingQual != NULL || parse->hasTargetSRFs)
		return false;
	foreach(lc, pull_var_clause((Node *) output_rel->reltarget->exprs,
								PVC_INCLUDE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS))
	{
		if (!IsA(lfirst(lc), Aggref) || !counts_rows(lfirst(lc), rel, info->table))
			return false;
	}
	return true;
}

/* Is every condition answered exactly by the service?  *any: is there one? */
static bool
conditions_are_exact(PlannerInfo *root, RelOptInfo *rel, bool *any)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	*any = false;
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);
		PineconeCondition *condition;

		if (rinfo->pseudoconstant ||
			pinecone_translate_clause(&cxt, rinfo->clause, &condition) != PINECONE_EXACT)
			return false;
		*any = true;
	}
	return true;
}

void
pineconeGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
							 RelOptInfo *output_rel, void *extra)
{
	PineconePlanInfo *info = input_rel->fdw_private;
	bool filtered;
	List *private;

	if ((stage != UPPERREL_GROUP_AGG && stage != UPPERREL_PARTIAL_GROUP_AGG) || info == NULL ||
		output_rel->fdw_private != NULL || !IS_SIMPLE_REL(input_rel) ||
		!pinecone_enable_aggregate ||
		!query_counts_rows(root, input_rel, output_rel) ||
		!conditions_are_exact(root, input_rel, &filtered))
		return;
	if (filtered ? !info->table->count_from_dry_run : !info->table->count_from_stats)
		return;

	output_rel->fdw_private = info;
	private = list_make3(makeInteger(filtered ? PINECONE_OP_COUNT : PINECONE_OP_STATS),
						 NULL, makeInteger(false));
	add_path(output_rel, (Path *) pinecone_create_upper_path(root, output_rel, output_rel->reltarget,
															 1, PINECONE_REQUEST_COST,
															 PINECONE_REQUEST_COST, private));
}
