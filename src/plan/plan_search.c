/*
 * plan_search.c
 *		The search that a relation's rows are under, and with it what "score" is.
 *
 * It is the distance that the query orders by first, else the first one that a
 * condition bounds, else one that it orders by later.  It is the relation's, not
 * a path's: rows that are read by id or by metadata have the same score as
 * those that a search brings, and only what they cost differs.
 */
#include "postgres.h"

#include "optimizer/optimizer.h"
#include "optimizer/paths.h"

#include "base/compat.h"
#include "client/session.h"
#include "plan/paths.h"
#include "plan/plan_no_search.h"
#include "plan/translate_expr.h"

/* ---- Finding it ---- */

/* Can the index be searched by this distance? */
static bool
index_measures(PineconePlanInfo *info, const PineconeDistance *distance)
{
	/* nobody can run the plan, so that any metric will do */
	if (info->session == NULL)
		return true;
	/* the run looks at it, and reads everything if it is another one */
	if (info->stats == NULL && info->may_assume && distance->sparse == NULL)
	{
		info->metric_assumed = true;
		return true;
	}
	/* this cannot be planned without knowing the metric */
	if (info->stats == NULL)
		info->stats = pinecone_session_stats(info->session, false, false);
	return pinecone_request_fits(info->table->schema, info->stats, distance->metric,
								 distance->query != NULL, distance->sparse != NULL);
}

/*
 * Has any record that distance?  Those of dense indexes have a dense vector, and those
 * of sparse ones a sparse one.
 */
static bool
has_every_record(PineconePlanInfo *info, const PineconeDistance *distance)
{
	return distance->sparse == NULL || distance->query != NULL ||
		   (info->stats != NULL && info->stats->sparse);
}

/* Is a distance one that the index can be searched by?  If not, it is noted. */
static bool
accept_distance(PineconePlanInfo *info, PineconeDistance *distance)
{
	if (index_measures(info, distance))
		return true;
	if (info->stats != NULL && !info->stats->sparse && distance->sparse == NULL)
		info->other_metric = distance->metric;
	return false;
}

/* The distance to this table that the rows of a path key are ordered by. */
static bool
ordering_distance(PlannerInfo *root, RelOptInfo *rel, PathKey *pathkey, PineconeDistance *distance)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	if (pathkey->pk_eclass->ec_has_volatile)
		return false;
	foreach(lc, pinecone_class_members(pathkey->pk_eclass, rel))
	{
		EquivalenceMember *em = lfirst(lc);
		bool falls;

		/* where there can be NULLs a search has them last */
		if (bms_equal(em->em_relids, rel->relids) &&
			pinecone_translate_ranked(&cxt, em->em_expr, distance, &falls) &&
			falls != pinecone_pathkey_ascends(pathkey) &&
			(!pathkey->pk_nulls_first || has_every_record(rel->fdw_private, distance)) &&
			accept_distance(rel->fdw_private, distance))
			return true;
	}
	return false;
}

bool
pinecone_plan_orders_by_distance(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	PathKey *pathkey;
	ListCell *lc;

	if (root->query_pathkeys == NIL)
		return false;
	pathkey = linitial(root->query_pathkeys);
	foreach(lc, pinecone_class_members(pathkey->pk_eclass, rel))
	{
		PineconeDistance distance;

		if (pinecone_translate_distance(&cxt, ((EquivalenceMember *) lfirst(lc))->em_expr, &distance))
			return true;
	}
	return false;
}

/* The distance of a condition distance < r on this table. */
static bool
bounding_distance(PlannerInfo *root, RelOptInfo *rel, PineconeDistance *distance)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		int bound;

		if (pinecone_translate_bound(&cxt, lfirst_node(RestrictInfo, lc)->clause, distance,
									 &bound) &&
			accept_distance(rel->fdw_private, distance))
			return true;
	}
	return false;
}

/* ---- What planning asks for ---- */

void
pinecone_plan_find_search(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	List *pathkeys = root->query_pathkeys;

	info->ordered = pathkeys != NIL &&
					ordering_distance(root, rel, linitial(pathkeys), &info->search);
	info->searched = info->ordered || bounding_distance(root, rel, &info->search);
	info->searchable = info->searched;
	for (int i = 1; i < list_length(pathkeys) && !info->searched; i++)
		info->searched = ordering_distance(root, rel, list_nth(pathkeys, i), &info->search);
	/* With window functions, those are in what order they need the rows */
	pathkeys = root->sort_pathkeys;
	for (int i = 0; i < list_length(pathkeys) && !info->searched; i++)
		info->searched = ordering_distance(root, rel, list_nth(pathkeys, i), &info->search);
	if (info->searched)
		info->other_metric = PINECONE_METRIC_UNKNOWN;
	else
	{
		if (info->other_metric == PINECONE_METRIC_UNKNOWN)
			info->no_search = pinecone_plan_why_no_search(root, rel);
		pinecone_plan_warn_of_no_score(root, rel);
	}
}

bool
pinecone_plan_has_bound(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		Expr *clause = lfirst_node(RestrictInfo, lc)->clause;
		PineconeDistance distance;
		PineconeCompare compare;
		int bound;

		if (pinecone_translate_bound(&cxt, clause, &distance, &bound) ?
				pinecone_translate_same_distance(root, &distance, &info->search) :
				pinecone_translate_score_bound(&cxt, clause, info->search.metric, &bound, &compare))
			return true;
	}
	return false;
}
