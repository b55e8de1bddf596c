/*
 * modify_plan.c
 *		Which tables can be written to, and what a plan says of it.
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "compat.h"
#include "modify.h"
#include "modify_plan.h"
#include "option.h"

int
pineconeIsForeignRelUpdatable(Relation rel)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(rel));

	if (!table->updatable || table->id_attnum == 0)
		return 0;
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}

static void
add_column(PlannerInfo *root, Index rtindex, PineconeColumn *column, const char *name)
{
	add_row_identity_var(root,
						 makeVar(rtindex, column->attnum, column->typid, column->typmod,
								 column->collation, 0),
						 rtindex, name);
}

/* What tells UPDATE and DELETE which record a row is. */
void
pineconeAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte,
								Relation rel)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(rel));
	PineconeColumn *id = pinecone_option_column(table, table->id_attnum);

	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write to foreign table \"%s\"", table->name),
				 errdetail("It has no column of role \"id\".")));
	add_column(root, rtindex, id, PINECONE_JUNK_ID);
	if (table->namespace_attnum > 0)
		add_column(root, rtindex, pinecone_option_column(table, table->namespace_attnum),
				   PINECONE_JUNK_NAMESPACE);
	if (root->parse->commandType == CMD_DELETE && root->parse->returningList != NIL)
		add_row_identity_var(root, makeWholeRowVar(target_rte, rtindex, 0, false), rtindex,
							 PINECONE_JUNK_ROW);
}

/*
 * The columns that an UPDATE may change: those of its SET, generated ones that
 * depend on them, and all when a trigger may change any.
 */
static Bitmapset *
assigned_columns(PlannerInfo *root, RangeTblEntry *rte, Index result_relation)
{
	Relation rel = table_open(rte->relid, NoLock);
	Bitmapset *updated = pinecone_updated_columns(root, rte, result_relation);
	Bitmapset *assigned = NULL;
	int i = -1;

	if (rel->trigdesc && rel->trigdesc->trig_update_before_row)
	{
		for (AttrNumber attnum = 1; attnum <= RelationGetDescr(rel)->natts; attnum++)
		{
			if (!TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attisdropped)
				assigned = bms_add_member(assigned, attnum);
		}
	}
	else
	{
		while ((i = bms_next_member(updated, i)) >= 0)
			assigned = bms_add_member(assigned, i + FirstLowInvalidHeapAttributeNumber);
	}
	table_close(rel, NoLock);
	return assigned;
}

List *
pineconePlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
						  int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(result_relation, root);
	List *assigned = NIL;
	Bitmapset *columns;
	int i = -1;

	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported for Pinecone foreign tables"),
				 errhint("INSERT replaces a record of the same id; set table option \"on_duplicate\" to \"error\" to refuse it, "
						 "or leave out the ids that are there with WHERE NOT EXISTS.")));
	if (plan->operation == CMD_UPDATE)
	{
		columns = assigned_columns(root, rte, result_relation);
		while ((i = bms_next_member(columns, i)) >= 0)
			assigned = lappend_int(assigned, i);
	}
	return list_make2(assigned, makeInteger(plan->returningLists != NIL));
}
