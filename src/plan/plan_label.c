/*
 * plan_label.c
 *		Telling readers of a plan which relations a custom scan stands for.
 *
 * Since PostgreSQL 19 modules can read a plan when it is made.  contrib's
 * pg_plan_advice does, and fails where a join takes rows from a node that is
 * none of the query's relations in its eyes, which a custom scan over another
 * node is not.  It knows a second place to look, though: the planner removes
 * nodes that would do nothing, and leaves a list of them beside the plan, with
 * the relations that each stood for and the node that was below it.  A removed
 * node over each of our custom scans says what readers have to know.
 *
 * The list can be added to only when nodes have their numbers, which is in the
 * hook behind planning, and has to be before others of that hook read it.
 */
#include "postgres.h"

#include "plan/plan_label.h"

#ifdef PINECONE_PLANNER_SHUTDOWN

#include "optimizer/extendplan.h"

/* What was there when the module was loaded */
static planner_shutdown_hook_type next_planner_shutdown = NULL;

/* For one plan: what has been hooked in before ours since then */
static planner_shutdown_hook_type behind = NULL;
static bool moved = false; /* that cannot be undone any more */

static int
extension_id(void)
{
	static int id = -1;

	if (id < 0)
		id = GetPlannerExtensionId("pinecone_fdw");
	return id;
}

static void
add_labels(PlannerGlobal *glob, PlannedStmt *stmt)
{
	List *scans = GetPlannerGlobalExtensionState(glob, extension_id());
	ListCell *lc;

	foreach(lc, scans)
	{
		CustomScan *scan = lfirst(lc);
		ElidedNode *node;

		/* a plan that was not used has no numbers; and ours is never the topmost */
		if (scan->scan.plan.plan_node_id == 0)
			continue;
		node = makeNode(ElidedNode);
		node->plan_node_id = scan->scan.plan.plan_node_id;
		node->elided_type = T_CustomScan;
		node->relids = bms_copy(scan->custom_relids);
		stmt->elidedNodes = lappend(stmt->elidedNodes, node);
	}
	if (scans != NIL)
		SetPlannerGlobalExtensionState(glob, extension_id(), NIL);
}

static void
planner_shutdown(PlannerGlobal *glob, Query *parse, const char *query_string, PlannedStmt *stmt)
{
	add_labels(glob, stmt);
	if (next_planner_shutdown != NULL)
		next_planner_shutdown(glob, parse, query_string, stmt);
}

/* As planner_shutdown, in front of all. */
static void
planner_shutdown_first(PlannerGlobal *glob, Query *parse, const char *query_string, PlannedStmt *stmt)
{
	planner_shutdown_hook_type next = behind;

	/*
	 * If the planning that put it here had failed, another module could have
	 * hooked in since, which knows this function as its next one: then it is
	 * where it is for good.
	 */
	if (planner_shutdown_hook == planner_shutdown_first)
		planner_shutdown_hook = next;
	else
		moved = true;
	add_labels(glob, stmt);
	if (next != NULL)
		next(glob, parse, query_string, stmt);
}

/* A module that was loaded after this one has its hook called before ours. */
static void
come_first(void)
{
	if (planner_shutdown_hook == planner_shutdown ||
		planner_shutdown_hook == planner_shutdown_first || moved)
		return;
	behind = planner_shutdown_hook;
	planner_shutdown_hook = planner_shutdown_first;
}

void
pinecone_plan_label(PlannerInfo *root, CustomScan *scan)
{
	List *scans = GetPlannerGlobalExtensionState(root->glob, extension_id());

	SetPlannerGlobalExtensionState(root->glob, extension_id(), lappend(scans, scan));
	come_first();
}

void
pinecone_plan_label_init(void)
{
	next_planner_shutdown = planner_shutdown_hook;
	planner_shutdown_hook = planner_shutdown;
}

#endif
