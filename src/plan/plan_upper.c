/*
 * plan_upper.c
 *		What the service can answer of an aggregate, a GROUP BY or a DISTINCT:
 *		counts, or the values of a field.
 */
#include "postgres.h"

#include "plan/paths.h"

void
pineconeGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
							 RelOptInfo *output_rel, void *extra)
{
	PathTarget *target = output_rel->reltarget;
	Node *having = NULL;

	if ((stage != UPPERREL_GROUP_AGG && stage != UPPERREL_PARTIAL_GROUP_AGG &&
		 stage != UPPERREL_DISTINCT) ||
		input_rel->fdw_private == NULL || output_rel->fdw_private != NULL ||
		!IS_SIMPLE_REL(input_rel))
		return;
	if (stage == UPPERREL_DISTINCT)
		target = root->upper_targets[stage];
	/* partial aggregates are filtered when they are complete */
	if (stage == UPPERREL_GROUP_AGG)
		having = ((GroupPathExtraData *) extra)->havingQual;
	if (pinecone_plan_count(root, stage, input_rel, output_rel, target, having) ||
		pinecone_plan_groups(root, stage, input_rel, output_rel, target, having))
		output_rel->fdw_private = input_rel->fdw_private;
}
