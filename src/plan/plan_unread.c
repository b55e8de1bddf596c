/*
 * plan_unread.c
 *		Columns of an UPDATE's or DELETE's rows that nobody looks at.
 *
 * PostgreSQL asks for the whole row of whatever an UPDATE changes, to put the
 * new row together.  A record is changed in parts, so what the statement
 * neither reads nor sets need not be read: it moves no bytes, and a value
 * that does not fit its column can be set right.
 *
 * It also asks for the whole rows of what an UPDATE or DELETE joins, and a SELECT
 * with FOR UPDATE, to join them anew should another transaction have changed the
 * row that is to be modified or locked.  That evaluates what the statement says,
 * and nothing else.  Of rows that a DELETE returns it is the same.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "plan/paths.h"

typedef struct ReadColumns
{
	Index varno;
	Bitmapset *attnums; /* FirstLowInvalidHeapAttributeNumber-based */
} ReadColumns;

static bool
collect_read(Node *node, ReadColumns *read)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var *var = (Var *) node;

		if (var->varno == read->varno && var->varlevelsup == 0)
			read->attnums = bms_add_member(read->attnums,
										   var->varattno - FirstLowInvalidHeapAttributeNumber);
		return false;
	}
	return expression_tree_walker(node, collect_read, (void *) read);
}

/* Columns of a parent as those of its child. */
static Bitmapset *
child_columns(AppendRelInfo *appinfo, Bitmapset *parent)
{
	Bitmapset *child = NULL;
	int i = -1;

	while ((i = bms_next_member(parent, i)) >= 0)
	{
		AttrNumber attnum = i + FirstLowInvalidHeapAttributeNumber;

		if (attnum > 0)
		{
			Var *var = list_nth(appinfo->translated_vars, attnum - 1);

			if (var == NULL || !IsA(var, Var))
				continue;
			attnum = var->varattno;
		}
		child = bms_add_member(child, attnum - FirstLowInvalidHeapAttributeNumber);
	}
	return child;
}

/* What the statement itself reads of a relation, which may be a child of the one it names. */
static Bitmapset *
read_by_statement(PlannerInfo *root, Index relid)
{
	AppendRelInfo *appinfo = root->append_rel_array ? root->append_rel_array[relid] : NULL;
	ReadColumns read = {relid, NULL};
	ListCell *lc;

	if (appinfo != NULL)
		return child_columns(appinfo, read_by_statement(root, appinfo->parent_relid));
	foreach(lc, root->parse->targetList)
	{
		TargetEntry *entry = lfirst(lc);

		/* what is neither shown nor sorted by the planner has added, the whole row with it */
		if (!entry->resjunk || entry->ressortgroupref != 0)
			(void) collect_read((Node *) entry->expr, &read);
	}
	(void) collect_read((Node *) root->parse->jointree, &read);
	(void) collect_read((Node *) root->parse->returningList, &read);
	(void) collect_read((Node *) planner_rt_fetch(relid, root)->securityQuals, &read);
	return read.attnums;
}

/* Is this a relation whose rows may be wanted to join them anew? */
static bool
may_be_joined_anew(PlannerInfo *root, Index relid)
{
	AppendRelInfo *appinfo = root->append_rel_array ? root->append_rel_array[relid] : NULL;
	CmdType command = root->parse->commandType;

	if (bms_is_member(relid, root->all_result_relids) ||
		(command == CMD_SELECT ? root->parse->rowMarks == NIL : command != CMD_UPDATE && command != CMD_DELETE))
		return false;
	/* what a UNION ALL reads of it is not told by columns */
	for (; appinfo != NULL; appinfo = root->append_rel_array[appinfo->parent_relid])
	{
		if (planner_rt_fetch(appinfo->parent_relid, root)->rtekind != RTE_RELATION)
			return false;
	}
	return true;
}

/* Or will they not be, because rows of foreign tables are not changed meanwhile? */
static bool
joins_foreign_targets(PlannerInfo *root, Index relid)
{
	int target = -1;

	if (root->parse->commandType == CMD_SELECT || !may_be_joined_anew(root, relid))
		return false;
	while ((target = bms_next_member(root->leaf_result_relids, target)) >= 0)
	{
		if (planner_rt_fetch(target, root)->relkind != RELKIND_FOREIGN_TABLE)
			return false;
	}
	return true;
}

bool
pinecone_plan_rows_stay(PlannerInfo *root, Index relid)
{
	return bms_is_member(relid, root->all_result_relids) || joins_foreign_targets(root, relid);
}

/* Will anyone look at changed rows as a whole? */
static bool
rows_are_shown(Relation rel, CmdType command)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (command == CMD_DELETE)
		return triggers != NULL && (triggers->trig_delete_before_row || triggers->trig_delete_after_row);
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		if (TupleDescAttr(RelationGetDescr(rel), i)->attgenerated)
			return true;
	}
	return triggers != NULL && (triggers->trig_update_before_row || triggers->trig_update_after_row);
}

/*
 * PostgreSQL asks for the whole row of a table that is modified. Here whole rows
 * are given up where nobody looks: no RETURNING, trigger, rule of the partition
 * or check needs more than the columns the statement names.
 */
Bitmapset *
pinecone_plan_read_columns(PlannerInfo *root, RelOptInfo *rel, Bitmapset *used)
{
	PineconeTable *table = ((PineconePlanInfo *) rel->fdw_private)->table;
	ReadColumns read = {1, NULL};
	Bitmapset *result;
	Relation relation;
	CmdType command = root->parse->commandType;
	bool shown;
	int whole = -FirstLowInvalidHeapAttributeNumber;

	if (may_be_joined_anew(root, rel->relid))
	{
		result = read_by_statement(root, rel->relid);
		if (!bms_is_member(whole, used) || bms_is_member(whole, result))
			return used;
		/* what is sent has to be checked here then */
		if (joins_foreign_targets(root, rel->relid))
			result = NULL;
		return bms_union(result, bms_del_member(bms_copy(used), whole));
	}
	if ((command != CMD_UPDATE && command != CMD_DELETE) ||
		!bms_is_member(rel->relid, root->all_result_relids) || root->parse->withCheckOptions != NIL)
		return used;

	relation = table_open(planner_rt_fetch(rel->relid, root)->relid, NoLock);
	shown = rows_are_shown(relation, command);
	/* that the row stays in its partition is checked */
	if (command == CMD_UPDATE)
		(void) collect_read((Node *) RelationGetPartitionQual(relation), &read);
	table_close(relation, NoLock);
	if (shown)
		return used;

	result = bms_union(read.attnums, read_by_statement(root, rel->relid));
	if (command == CMD_DELETE && (!bms_is_member(whole, used) || bms_is_member(whole, result)))
		return used;
	used = bms_copy(used);
	used = bms_del_member(used, whole);
	result = bms_union(result, used);
	if (table->id_attnum > 0)
		result = bms_add_member(result, table->id_attnum - FirstLowInvalidHeapAttributeNumber);
	if (table->namespace_attnum > 0)
		result = bms_add_member(result, table->namespace_attnum - FirstLowInvalidHeapAttributeNumber);
	return result;
}
