/*
 * plan_label.c
 *		Tells readers of a plan which relations a custom scan stands for.
 *
 * contrib's pg_plan_advice reads plans, and fails where a join takes rows from
 * a node that is none of the query's relations in its eyes, which a custom scan
 * over another node is not.  It knows a second place to look, though: the
 * planner removes nodes that would do nothing, and leaves a list of them beside
 * the plan, with the relations that each stood for and the node that was below
 * it.  A removed node over each of our custom scans says what readers have to
 * know.
 */
#include "postgres.h"

#include "plan/plan_label.h"

#ifdef PINECONE_PLANNER_SHUTDOWN

#include "optimizer/extendplan.h"

static int
extension_id(void)
{
	static int id = -1;

	if (id < 0)
		id = GetPlannerExtensionId("pinecone_fdw");
	return id;
}

void
pinecone_plan_label(PlannerInfo *root, CustomScan *scan)
{
	List *scans = GetPlannerGlobalExtensionState(root->glob, extension_id());

	SetPlannerGlobalExtensionState(root->glob, extension_id(), lappend(scans, scan));
}

void
pinecone_plan_labels_add(PlannerGlobal *glob, PlannedStmt *stmt)
{
	ListCell *lc;

	foreach(lc, (List *) GetPlannerGlobalExtensionState(glob, extension_id()))
	{
		CustomScan *scan = lfirst(lc);
		ElidedNode *node;

		/* nodes of a plan that was not taken have no number; the topmost is never ours */
		if (scan->scan.plan.plan_node_id == 0)
			continue;
		node = makeNode(ElidedNode);
		node->plan_node_id = scan->scan.plan.plan_node_id;
		node->elided_type = T_CustomScan;
		node->relids = bms_copy(scan->custom_relids);
		stmt->elidedNodes = lappend(stmt->elidedNodes, node);
	}
	/* once, though there may be two hooks to call this */
	SetPlannerGlobalExtensionState(glob, extension_id(), NIL);
}

#endif
