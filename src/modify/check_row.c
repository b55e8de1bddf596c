/*
 * check_row.c
 *		What PostgreSQL leaves to the wrapper to check in a new row.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/rel.h"

#include "modify/modify.h"

/*
 * PostgreSQL leaves the policies on new rows to the wrapper, where the foreign
 * table is a partition of a table with row-level security.  Checks of other
 * kinds it makes by itself, when the row has been written.
 */
void
pinecone_modify_check_policies(ResultRelInfo *rri, EState *estate, TupleTableSlot *slot)
{
	if (rri->ri_WithCheckOptions == NIL)
		return;
	ExecWithCheckOptions(WCO_RLS_INSERT_CHECK, rri, slot, estate);
	ExecWithCheckOptions(WCO_RLS_UPDATE_CHECK, rri, slot, estate);
}

/*
 * A row may be inserted into a partition by name.  One that has come through
 * the partitioned table belongs here, unless a trigger has changed it.
 */
static void
check_inserted_partition(ResultRelInfo *rri, EState *estate, TupleTableSlot *slot)
{
	if (rri->ri_RelationDesc->rd_rel->relispartition &&
		(rri->ri_RootResultRelInfo == NULL ||
		 (rri->ri_TrigDesc && rri->ri_TrigDesc->trig_insert_before_row)))
		(void) ExecPartitionCheck(rri, slot, estate, true);
}

void
pinecone_modify_check_inserted(ResultRelInfo *rri, EState *estate, TupleTableSlot *slot)
{
	pinecone_modify_check_policies(rri, estate, slot);
	check_inserted_partition(rri, estate, slot);
}
