/*
 * plan_offset.c
 *		Rows that OFFSET leaves out, in a finished plan: where LIMIT is right above a
 *		scan, nobody looks at them, and they need not be fetched.
 */
#include "postgres.h"

#include "nodes/plannodes.h"

#include "base/ours.h"
#include "base/setting.h"
#include "plan/paths.h"

bool pinecone_plan_has_offset;

/* Is it a scan of ours, whose rows are columns of records and nothing else? */
static bool
is_plain_scan(const ForeignScan *scan)
{
	ListCell *lc;

	if (scan->scan.plan.qual != NIL || scan->operation != CMD_SELECT || scan->scan.scanrelid == 0 ||
		outerPlan(scan) != NULL || !pinecone_ours_is(GetFdwRoutineByServerId(scan->fs_server)))
		return false;
	foreach(lc, scan->scan.plan.targetlist)
	{
		if (!IsA(lfirst_node(TargetEntry, lc)->expr, Var))
			return false;
	}
	return true;
}

static void
look_at(Plan *plan)
{
	List *children = NIL;
	ListCell *lc;

	if (plan == NULL)
		return;
	if (IsA(plan, Limit) && ((Limit *) plan)->limitOffset != NULL &&
		((Limit *) plan)->limitOption == LIMIT_OPTION_COUNT && outerPlan(plan) != NULL &&
		IsA(outerPlan(plan), ForeignScan) && is_plain_scan((ForeignScan *) outerPlan(plan)))
		pinecone_request_mark_skips(((ForeignScan *) outerPlan(plan))->fdw_private);
	look_at(outerPlan(plan));
	look_at(innerPlan(plan));
	if (IsA(plan, SubqueryScan))
		look_at(((SubqueryScan *) plan)->subplan);
	else if (IsA(plan, Append))
		children = ((Append *) plan)->appendplans;
	else if (IsA(plan, MergeAppend))
		children = ((MergeAppend *) plan)->mergeplans;
	foreach(lc, children)
		look_at(lfirst(lc));
}

void
pinecone_plan_offsets(PlannedStmt *stmt)
{
	ListCell *lc;

	if (!pinecone_plan_has_offset || !pinecone_enable_offset)
		return;
	look_at(stmt->planTree);
	foreach(lc, stmt->subplans)
		look_at(lfirst(lc));
}
