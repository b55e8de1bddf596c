/*
 * plan_modify.c
 *		Which tables can be written to, and what a plan says of it.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "option/option_list.h"
#include "plan/paths.h"
#include "plan/plan_modify.h"

int
pineconeIsForeignRelUpdatable(Relation rel)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(rel));

	if (!table->updatable || table->id_attnum == 0)
		return 0;
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}

/*
 * Of a partitioned table junk columns of one name have to be the same in all
 * partitions, whose columns need not be in one order, or of one type.
 */
char *
pinecone_plan_junk_name(const char *what, const PineconeColumn *column)
{
	return psprintf("%s %d %u %d %u", what, column->attnum, column->typid, column->typmod, column->collation);
}

static void
add_column(PlannerInfo *root, Index rtindex, PineconeColumn *column, const char *what)
{
	add_row_identity_var(root,
						 makeVar(rtindex, column->attnum, column->typid, column->typmod,
								 column->collation, 0),
						 rtindex, pinecone_plan_junk_name(what, column));
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
	/*
	 * What PostgreSQL adds for triggers.  It has to be alike for all partitions;
	 * else it is what the statement's own whole rows are.
	 */
	if (root->parse->commandType == CMD_DELETE && root->parse->returningList != NIL)
		add_row_identity_var(root,
							 makeVar(rtindex, InvalidAttrNumber,
									 rtindex == root->parse->resultRelation ? rel->rd_rel->reltype : RECORDOID,
									 -1, InvalidOid, 0),
							 rtindex, PINECONE_JUNK_ROW);
}

/* Does the value of a generated column depend on one of these? */
static bool
depends_on(Relation rel, AttrNumber attnum, Bitmapset *columns)
{
	Bitmapset *used = NULL;

	pull_varattnos(build_column_default(rel, attnum), 1, &used);
	return bms_overlap(used, columns);
}

/*
 * The columns that an UPDATE changes: those of its SET, and generated ones
 * that depend on them.  What a trigger changes shows when it has run.
 */
static List *
assigned_columns(PlannerInfo *root, RangeTblEntry *rte, Index result_relation)
{
	Relation rel = table_open(rte->relid, NoLock);
	TupleDesc desc = RelationGetDescr(rel);
	Bitmapset *updated = pinecone_updated_columns(root, rte, result_relation);
	List *assigned = NIL;

	for (int attnum = 1; attnum <= desc->natts; attnum++)
	{
		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, updated) ||
			(TupleDescAttr(desc, attnum - 1)->attgenerated == ATTRIBUTE_GENERATED_STORED &&
			 depends_on(rel, attnum, updated)))
			assigned = lappend_int(assigned, attnum);
	}
	table_close(rel, NoLock);
	return assigned;
}

/* Does the statement tell the table's rows by their ctid, maybe among others? */
static bool
looks_at_ctid(PlannerInfo *root, Index result_relation)
{
	RelOptInfo *rel = root->simple_rel_array[result_relation];

	return rel != NULL && bms_is_member(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber,
										pinecone_plan_columns_used(rel));
}

/* RETURNING shows rows that no scan brings. */
static void
check_returning(ModifyTable *plan, Index result_relation, int subplan_index, PineconeTable *table)
{
	Bitmapset *used = NULL;

	if (plan->returningLists == NIL)
		return;
	pull_varattnos(list_nth(plan->returningLists, subplan_index), result_relation, &used);
	pinecone_plan_check_system_columns(table, used);
}

List *
pineconePlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
						  int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(result_relation, root);
	List *assigned = NIL;

	check_returning(plan, result_relation, subplan_index, pinecone_option_table(rte->relid));
	if (plan->operation == CMD_UPDATE)
		assigned = assigned_columns(root, rte, result_relation);
	else if (plan->onConflictAction == ONCONFLICT_UPDATE)
		assigned = list_append_unique_int(list_copy(plan->onConflictCols), pinecone_option_table(rte->relid)->id_attnum);
	return list_make2(assigned, makeInteger(plan->operation != CMD_INSERT &&
											looks_at_ctid(root, result_relation)));
}
