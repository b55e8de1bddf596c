/*
 * plan_append.c
 *		What planning several tables together needs.
 *
 * With ORDER BY distance LIMIT k over several tables a Merge Append stops each
 * search where its rows are no longer needed.  Sorting all that an Append
 * returns costs the same as long as few rows are expected, so that the
 * difference of some comparisons would decide.  But the estimate may be far
 * too low, and then each search is read to its end, in ever larger steps.
 */
#include "postgres.h"

#include "optimizer/pathnode.h"
#include "optimizer/paths.h"

#include "base/compat.h"
#include "base/ours.h"
#include "client/session.h"
#include "plan/paths.h"
#include "request/request.h"

/* ---- Asking several indexes at once ---- */

/*
 * Planning is about to wait for the statistics of a table's index.  Ask for
 * those of the query's other tables as well: each will be planned for next.
 */
void
pinecone_plan_refresh_all(PlannerInfo *root)
{
	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RelOptInfo *rel = root->simple_rel_array[i];
		Oid userid;

		if (rel == NULL || IS_DUMMY_REL(rel) || !pinecone_ours_is(rel->fdwroutine))
			continue;
		userid = pinecone_plan_user(root, rel);
		/* one without a mapping says so when its turn comes, which may be never */
		if (pinecone_plan_has_mapping(userid, rel->serverid))
			pinecone_session_refresh(pinecone_session_get_reading(rel->serverid, userid));
	}
}

/* ---- Order ---- */

/* How many of an Append's inputs are searches that promise their order? */
static int
sorted_searches(AppendPath *append)
{
	int n = 0;
	ListCell *lc;

	foreach(lc, append->subpaths)
	{
		ForeignPath *path = lfirst(lc);

		if (IsA(path, ForeignPath) && pinecone_ours_is(path->path.parent->fdwroutine) &&
			intVal(list_nth(path->fdw_private, PATH_OP)) == PINECONE_OP_QUERY &&
			intVal(list_nth(path->fdw_private, PATH_SORTED)))
			n++;
	}
	return n;
}

/* Charge an Append that gives up the order of its searches for a step of theirs. */
void
pinecone_plan_append(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	List *dearer = NIL;
	ListCell *lc;

	if (!rte->inh || root->parse->limitCount == NULL)
		return;
	foreach(lc, rel->pathlist)
	{
		Path *path = lfirst(lc);

		if (IsA(path, AppendPath) && path->pathkeys == NIL &&
			list_length(((AppendPath *) path)->subpaths) > 1 &&
			sorted_searches((AppendPath *) path) > 0)
			dearer = lappend(dearer, path);
	}
	foreach(lc, dearer)
	{
		Path *path = lfirst(lc);

		/* taken out and put back, for paths are kept in the order of cost */
		rel->pathlist = list_delete_ptr(rel->pathlist, path);
		path->total_cost += sorted_searches((AppendPath *) path) * PINECONE_REQUEST_COST;
		add_path(rel, path);
	}
}
