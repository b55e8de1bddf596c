/*
 * plan_stats.c
 *		When a plan is made without the index's statistics.
 *
 * They are asked for as planning begins.  Where the plan depends on them it waits;
 * where it does not, they come beside the query's own requests.
 */
#include "postgres.h"

#include "tcop/pquery.h"
#include "utils/portal.h"

#include "plan/paths.h"

/* Is a statement planned to be run, rather than to be explained? */
static bool
is_to_run(void)
{
	return ActivePortal == NULL || ActivePortal->commandTag != CMDTAG_EXPLAIN;
}

/* Is the table all that a query reads? */
static bool
is_alone(PlannerInfo *root)
{
	Query *parse = root->parse;

	return root->query_level == 1 && parse->commandType == CMD_SELECT && list_length(parse->rtable) == 1 &&
		   !parse->hasSubLinks && parse->cteList == NIL && parse->setOperations == NULL;
}

/*
 * Does a query ask for so little that its plan is the same whatever statistics
 * say?  Records of given ids, or a few nearest neighbours; the score of these
 * depends on the metric.
 */
static bool
asks_little(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	if (info->table->namespace_attnum != 0 || info->table->score_attnum != 0)
		return false;
	foreach(lc, rel->baserestrictinfo)
	{
		List *ids;

		if (pinecone_translate_id(&cxt, lfirst_node(RestrictInfo, lc)->clause, &ids))
			return true;
	}
	return root->parse->limitCount != NULL && pinecone_plan_orders_by_distance(root, rel);
}

/* Old ones do for a table alone. */
void
pinecone_plan_find_stats(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;

	/* which requests there can be, hangs on what kind of index it is */
	if (is_to_run())
		pinecone_session_wait_place(info->session);
	if (is_to_run() && is_alone(root) && pinecone_session_stats_ready(info->session) &&
		info->session->base_url != NULL)
	{
		info->stats = pinecone_session_known_stats(info->session);
		info->may_assume = info->stats == NULL && asks_little(root, rel);
	}
	if (info->stats == NULL && !info->may_assume)
		info->stats = pinecone_session_stats(info->session, false, true);
	if (info->session->stats_asked_at >= pinecone_plan_began)
		info->planned_at = info->session->stats_asked_at;
}
