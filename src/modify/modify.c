/*
 * modify.c
 *		Rows of INSERT, COPY, UPDATE and DELETE as writes.
 *
 * An INSERT is an upsert.  An UPDATE that sets fields is an update; one that
 * also removes fields, or changes vectors or the id, needs the record as it is
 * stored, because Pinecone replaces records as a whole.  Such rows wait in a
 * buffer until many records can be fetched at a time.
 *
 * Writes go to the transaction's log, under write_mode 'immediate' out.  A
 * statement that reads from Pinecone could meet there what it has just
 * written, so its writes go out at its end.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/record_key.h"
#include "modify/modify.h"
#include "pending/outbox.h"
#include "plan/plan_modify.h"

/* ---- Begin ---- */

/* Does the statement do more with tables like the one it inserts into? */
static bool
uses_pinecone(EState *estate, ResultRelInfo *target, CmdType operation)
{
	FdwRoutine *routine = target->ri_FdwRoutine;
	ListCell *lc;

	if (operation != CMD_INSERT)
		return true;
	foreach(lc, estate->es_range_table)
	{
		RangeTblEntry *rte = lfirst(lc);
		Index rtindex = foreach_current_index(lc) + 1;

		if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_FOREIGN_TABLE &&
			(rte->inFromCl ||
			 (rtindex != target->ri_RangeTableIndex && pinecone_is_result_relation(estate, rtindex))) &&
			GetFdwRoutineByRelId(rte->relid)->ExecForeignInsert == routine->ExecForeignInsert)
			return true;
	}
	return false;
}

/* Does each record come up once at most?  In a join it may do so again. */
static bool
is_plain_scan(Plan *plan)
{
	ListCell *lc;

	if (IsA(plan, Result) && outerPlan(plan) != NULL)
		return is_plain_scan(outerPlan(plan));
	if (!IsA(plan, Append))
		return IsA(plan, ForeignScan);
	foreach(lc, ((Append *) plan)->appendplans)
	{
		if (!is_plain_scan(lfirst(lc)))
			return false;
	}
	return true;
}

/* Does anyone look at rows after they have been written? */
static bool
shows_rows(ModifyTableState *mtstate, ResultRelInfo *rri, CmdType operation)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan; /* NULL: COPY */
	TriggerDesc *triggers = rri->ri_TrigDesc;

	if (plan != NULL && (plan->returningLists != NIL || plan->withCheckOptionLists != NIL))
		return true;
	return triggers != NULL && (operation == CMD_INSERT ? triggers->trig_insert_after_row :
														  triggers->trig_update_after_row);
}

/* Do triggers fire after the rows have been written? */
static bool
has_after_triggers(ResultRelInfo *rri, CmdType operation)
{
	TriggerDesc *triggers = rri ? rri->ri_TrigDesc : NULL;

	if (triggers == NULL)
		return false;
	return operation == CMD_INSERT ?
			   triggers->trig_insert_after_row || triggers->trig_insert_after_statement :
			   triggers->trig_update_after_row || triggers->trig_update_after_statement;
}

static PineconeModify *
begin(ModifyTableState *mtstate, ResultRelInfo *rri, CmdType operation, List *assigned,
	  bool deferred)
{
	EState *estate = mtstate->ps.state;
	PineconeTable *table = pinecone_option_table(RelationGetRelid(rri->ri_RelationDesc));
	MemoryContext cxt = AllocSetContextCreate(estate->es_query_cxt, "pinecone modify",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Bitmapset *columns = NULL;
	PineconeModify *modify;
	ListCell *lc;

	foreach(lc, assigned)
		columns = bms_add_member(columns, lfirst_int(lc));
	modify = pinecone_modify_create(pinecone_statement_of(estate), table,
									pinecone_result_user(rri, estate), operation,
									operation == CMD_UPDATE ? columns : NULL, deferred);
	pinecone_sink_set_flush(modify->sink, pinecone_modify_flush, modify);
	pinecone_statement_add(modify->statement, modify->sink);
	modify->desc = RelationGetDescr(rri->ri_RelationDesc);
	modify->assigned = columns;
	modify->counters.timing = (estate->es_instrument & INSTRUMENT_TIMER) != 0;
	modify->node = &mtstate->ps;
	modify->shows_rows = shows_rows(mtstate, rri, operation);
	modify->watched = has_after_triggers(rri, operation) ||
					  has_after_triggers(mtstate->rootResultRelInfo, operation);
	modify->skips_existing = operation == CMD_INSERT && mtstate->ps.plan != NULL &&
							 ((ModifyTable *) mtstate->ps.plan)->onConflictAction == ONCONFLICT_NOTHING;
	if (operation == CMD_INSERT)
		modify->merged = columns;
	if (operation != CMD_INSERT || modify->skips_existing || modify->merged != NULL || table->duplicate_error)
		pinecone_outbox_must_be_shown(table);
	/* COPY has triggers fired without the executor's ado */
	if (mtstate->ps.plan == NULL)
		pinecone_statement_set_finishing(modify->statement);
	MemoryContextSwitchTo(old);
	rri->ri_FdwState = modify;
	return modify;
}

/* Where the subplan's rows have one of the table's columns; 0 if there is no such column. */
static AttrNumber
find_junk(Plan *subplan, PineconeTable *table, AttrNumber attnum, const char *what)
{
	return attnum <= 0 ? 0 :
						 ExecFindJunkAttributeInTlist(subplan->targetlist,
													  pinecone_plan_junk_name(what, pinecone_option_column(table, attnum)));
}

void
pineconeBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
						   int subplan_index, int eflags)
{
	Plan *subplan = outerPlanState(mtstate)->plan;
	PineconeModify *modify;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	modify = begin(mtstate, rri, mtstate->operation,
				   list_nth(fdw_private, PINECONE_MODIFY_ASSIGNED),
				   list_nth(fdw_private, PINECONE_MODIFY_ASSIGNED) != NIL ||
					   uses_pinecone(mtstate->ps.state, rri, mtstate->operation));
	if (mtstate->operation != CMD_INSERT)
	{
		modify->by_ctid = intVal(list_nth(fdw_private, PINECONE_MODIFY_BY_CTID));
		modify->id_junk = find_junk(subplan, modify->table, modify->table->id_attnum, PINECONE_JUNK_ID);
		modify->namespace_junk = find_junk(subplan, modify->table, modify->table->namespace_attnum, PINECONE_JUNK_NAMESPACE);
		modify->joined = !is_plain_scan(subplan);
	}
	if (mtstate->operation == CMD_DELETE)
		modify->row_junk = ExecFindJunkAttributeInTlist(subplan->targetlist, PINECONE_JUNK_ROW);
	else if (mtstate->operation == CMD_UPDATE && rri->ri_TrigDesc &&
			 rri->ri_TrigDesc->trig_update_before_row)
		modify->row_junk = ExecFindJunkAttributeInTlist(subplan->targetlist, "wholerow");
}

/* COPY, and rows that a partitioned table routes here. */
void
pineconeBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;

	if (plan != NULL && plan->operation == CMD_UPDATE && rri->ri_FdwState != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows into foreign table \"%s\" while it is updated",
						RelationGetRelationName(rri->ri_RelationDesc)),
				 errhint("Update partition by partition.")));
	if (plan != NULL && plan->onConflictAction != ONCONFLICT_NONE &&
		plan->onConflictAction != ONCONFLICT_NOTHING)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT of a partitioned table with foreign partitions can only be DO NOTHING")));
	(void) begin(mtstate, rri, CMD_INSERT, NIL,
				 plan != NULL && uses_pinecone(mtstate->ps.state, rri, plan->operation));
}

/* ---- Rows ---- */

/* What a later read will show of the record. */
static void
read_back(PineconeModify *modify, const PineconeRecord *record, Datum *values, bool *isnull)
{
	Bitmapset *wanted = NULL;
	MemoryContext old;

	if (modify->reader == NULL)
	{
		old = MemoryContextSwitchTo(modify->cxt);
		for (int i = 0; i < modify->table->ncolumns; i++)
			wanted = bms_add_member(wanted, modify->table->columns[i].attnum);
		modify->reader = pinecone_row_reader(modify->table, wanted);
		/* of an UPDATE's row there is as much as is looked at */
		if (modify->operation == CMD_UPDATE)
			pinecone_row_read_null(modify->reader, NULL);
		MemoryContextSwitchTo(old);
	}
	pinecone_row_read(modify->reader, record, values, isnull);
}

/* Put a row in a slot that some of its values may point into. */
static void
show_row(PineconeModify *modify, TupleTableSlot *slot, Datum *values, bool *isnull)
{
	ExecForceStoreHeapTuple(heap_form_tuple(modify->desc, values, isnull), slot, false);
	ExecMaterializeSlot(slot);
}

/* A row of an INSERT as it is stored, for RETURNING.  The record is made of the slot's values. */
static void
show_inserted(PineconeModify *modify, TupleTableSlot *slot, const PineconeRecord *record)
{
	int natts = modify->desc->natts;
	Datum *values = palloc(natts * sizeof(Datum));
	bool *isnull = palloc(natts * sizeof(bool));

	read_back(modify, record, values, isnull);
	show_row(modify, slot, values, isnull);
}

/*
 * A row of an UPDATE as it is stored, for RETURNING.  It shows metadata twice,
 * as a whole and by field, of which the statement may have set either.  A vector
 * that Pinecone may make of another text is not the one that was read.
 */
static void
show_updated(PineconeModify *modify, TupleTableSlot *slot)
{
	int natts = modify->desc->natts;
	Datum *values = palloc(natts * sizeof(Datum));
	bool *isnull = palloc(natts * sizeof(bool));
	PineconeRecord record;
	bool makes_vector;

	pinecone_record_of_row_shown(modify->writer, slot->tts_values, slot->tts_isnull, &record);
	makes_vector = pinecone_record_of_row_may_make_vector(modify->writer, slot->tts_isnull, &record);
	record.namespace_ = pinecone_modify_namespace_of_row(modify, slot->tts_values, slot->tts_isnull);
	read_back(modify, &record, values, isnull);
	for (int i = 0; i < modify->table->ncolumns; i++)
	{
		PineconeColumn *column = &modify->table->columns[i];
		int n = column->attnum - 1;

		if (column->role == PINECONE_ROLE_FIELD || column->role == PINECONE_ROLE_METADATA)
			continue;
		values[n] = slot->tts_values[n];
		isnull[n] = slot->tts_isnull[n] ||
					(makes_vector && (column->role == PINECONE_ROLE_VALUES || column->role == PINECONE_ROLE_SPARSE_VALUES));
	}
	show_row(modify, slot, values, isnull);
}

/* What RETURNING shows as the row's ctid. */
static void
set_ctid(PineconeModify *modify, TupleTableSlot *slot, const char *namespace_, const char *id)
{
	slot->tts_tid = pinecone_record_ctid(modify->table->relid, namespace_, id);
}

/* on_duplicate 'error': the record must be neither there nor in the statement twice. */
static void
insert_checked(PineconeModify *modify, const char *namespace_, const PineconeRecord *record)
{
	PineconeBufferedRow *row;
	MemoryContext old;

	if (!pinecone_modify_remember(modify, &modify->inserted, pinecone_modify_record_key(namespace_, record->id)))
		pinecone_modify_refuse_duplicate(modify, record->id);
	row = pinecone_modify_add_buffered(modify, namespace_, record->id);
	old = MemoryContextSwitchTo(modify->buffer_cxt);
	row->record = *pinecone_record_copy(record);
	MemoryContextSwitchTo(old);
	pinecone_modify_flush_watched(modify);
}

/*
 * Take one row of an INSERT: an upsert, unless what is there has to be looked at
 * first (skip_existing.c, merge_existing.c, stored_rows.c).
 */
TupleTableSlot *
pineconeExecForeignInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
						  TupleTableSlot *plan_slot)
{
	PineconeModify *modify = rri->ri_FdwState;
	PineconeWrite write = {PINECONE_WRITE_UPSERT};
	const char *namespace_;
	MemoryContext old;

	MemoryContextReset(modify->row_cxt);
	old = MemoryContextSwitchTo(modify->row_cxt);
	if (modify->skips_existing && pinecone_modify_insert_new(rri, estate, &slot, 1) == 0)
	{
		MemoryContextSwitchTo(old);
		return NULL;
	}
	slot_getallattrs(slot);
	if (!modify->skips_existing)
		pinecone_modify_check_inserted(rri, estate, slot);
	namespace_ = pinecone_modify_namespace_of_row(modify, slot->tts_values, slot->tts_isnull);
	if (modify->merged != NULL)
	{
		const PineconeRecord *record = pinecone_modify_insert_merged(modify, slot, namespace_);

		if (record != NULL)
			write.record = *record;
	}
	else
		pinecone_record_of_row(modify->writer, slot->tts_values, slot->tts_isnull, NULL,
							   &write.record);
	if (!modify->skips_existing && modify->merged == NULL)
	{
		if (modify->table->duplicate_error)
			insert_checked(modify, namespace_, &write.record);
		else
			pinecone_sink_write(modify->sink, namespace_, &write);
		pinecone_statement_note_insert(modify->statement, modify->session->serverid, namespace_,
									   write.record.id);
	}
	write.record.namespace_ = namespace_;
	if (modify->shows_rows)
	{
		show_inserted(modify, slot, &write.record);
		set_ctid(modify, slot, namespace_, write.record.id);
	}
	MemoryContextSwitchTo(old);
	return slot;
}

static char *
old_id(PineconeModify *modify, TupleTableSlot *plan_slot)
{
	bool isnull;
	Datum value = ExecGetJunkAttribute(plan_slot, modify->id_junk, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("cannot modify a record of foreign table \"%s\" whose id does not fit column \"%s\"",
						modify->table->name,
						modify->table->columns[modify->table->id_attnum - 1].name),
				 errhint("Declare the column as text, or leave such records out with a condition.")));
	return pinecone_id_text(modify->table->columns[modify->table->id_attnum - 1].typid, value);
}

static const char *
old_namespace(PineconeModify *modify, TupleTableSlot *plan_slot)
{
	bool isnull;
	Datum value;

	if (modify->table->namespace_attnum == 0)
		return modify->table->namespace_;
	value = ExecGetJunkAttribute(plan_slot, modify->namespace_junk, &isnull);
	return pinecone_modify_namespace_of_value(modify, value, isnull);
}

typedef struct CtidEntry
{
	ItemPointerData ctid; /* the hash key */
	char *key;
} CtidEntry;

/*
 * Two records may have the same ctid, if hardly ever.  What a statement does by
 * it to one of them it would do to the other: say so, before anything is sent.
 */
static void
check_ctid(PineconeModify *modify, const char *namespace_, const char *id)
{
	ItemPointerData ctid = pinecone_record_ctid(modify->table->relid, namespace_, id);
	char *key = pinecone_modify_record_key(namespace_, id);
	CtidEntry *entry;
	bool found;

	if (modify->ctids == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(ItemPointerData);
		ctl.entrysize = sizeof(CtidEntry);
		ctl.hcxt = modify->cxt;
		modify->ctids = hash_create("pinecone ctids", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(modify->ctids, &ctid, HASH_ENTER, &found);
	if (!found)
		entry->key = MemoryContextStrdup(modify->cxt, key);
	else if (strcmp(entry->key, key) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("two records of foreign table \"%s\" have the same ctid", modify->table->name),
				 errdetail("One of them is \"%s\".", id),
				 errhint("Tell rows by their id.")));
}

/*
 * The record that a row of an UPDATE or DELETE is about.  False: it has been
 * modified before, for one that is joined with several rows is modified once,
 * as in any table.
 */
static bool
find_target(PineconeModify *modify, TupleTableSlot *plan_slot, const char **namespace_, char **id)
{
	*namespace_ = old_namespace(modify, plan_slot);
	*id = old_id(modify, plan_slot);
	if (modify->by_ctid)
		check_ctid(modify, *namespace_, *id);
	return !modify->joined ||
		   pinecone_modify_remember(modify, &modify->modified,
									pinecone_modify_record_key(*namespace_, *id));
}

/* A row as the plan read it. */
static HeapTupleData
old_row(PineconeModify *modify, TupleTableSlot *plan_slot)
{
	bool isnull;
	Datum row = ExecGetJunkAttribute(plan_slot, modify->row_junk, &isnull);
	HeapTupleData tuple;

	if (isnull)
		elog(ERROR, "the row to modify is null");
	tuple.t_data = DatumGetHeapTupleHeader(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = modify->table->relid;
	return tuple;
}

/* The columns that the UPDATE sets, and in this row those that a trigger has changed. */
static Bitmapset *
assigned_in_row(PineconeModify *modify, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	Bitmapset *assigned;
	HeapTupleData tuple;
	Datum *values;
	bool *isnull;

	if (!AttributeNumberIsValid(modify->row_junk))
		return modify->assigned;
	assigned = bms_copy(modify->assigned);
	values = palloc(modify->desc->natts * sizeof(Datum));
	isnull = palloc(modify->desc->natts * sizeof(bool));
	tuple = old_row(modify, plan_slot);
	heap_deform_tuple(&tuple, modify->desc, values, isnull);
	for (int i = 0; i < modify->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(modify->desc, i);

		if (att->attisdropped || (isnull[i] && slot->tts_isnull[i]))
			continue;
		if (isnull[i] || slot->tts_isnull[i] ||
			!datum_image_eq(values[i], slot->tts_values[i], att->attbyval, att->attlen))
			assigned = bms_add_member(assigned, i + 1);
	}
	return assigned;
}

/* A partition's rows cannot leave it: nobody would put them where they belong. */
static void
check_partition(PineconeModify *modify, ResultRelInfo *rri, EState *estate, TupleTableSlot *slot)
{
	if (!rri->ri_RelationDesc->rd_rel->relispartition ||
		ExecPartitionCheck(rri, slot, estate, false))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot move rows out of foreign table \"%s\" by an UPDATE",
					modify->table->name),
			 errhint("Delete them, and insert them into the partitioned table.")));
}

/*
 * Take one row of an UPDATE. Columns that become fields are an update of their
 * own; what needs the whole record (vectors, NULLs, another namespace's rules)
 * waits until the stored records of many rows can be fetched together
 * (stored_rows.c).
 */
TupleTableSlot *
pineconeExecForeignUpdate(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
						  TupleTableSlot *plan_slot)
{
	PineconeModify *modify = rri->ri_FdwState;
	PineconeWrite write = {PINECONE_WRITE_UPDATE};
	Bitmapset *assigned;
	const char *namespace_;
	MemoryContext old;
	char *id;

	MemoryContextReset(modify->row_cxt);
	old = MemoryContextSwitchTo(modify->row_cxt);
	slot_getallattrs(slot);
	if (!find_target(modify, plan_slot, &namespace_, &id))
	{
		MemoryContextSwitchTo(old);
		return NULL;
	}
	pinecone_modify_check_policies(rri, estate, slot);
	check_partition(modify, rri, estate, slot);
	assigned = assigned_in_row(modify, slot, plan_slot);
	pinecone_record_of_row_assign(modify->writer, assigned);
	if (!modify->table->update_records && !pinecone_modify_must_replace(modify, namespace_) &&
		pinecone_record_of_row_update(modify->writer, slot->tts_values, slot->tts_isnull,
									  &write))
		pinecone_sink_write(modify->sink, namespace_, &write);
	else
	{
		PineconeBufferedRow *row = pinecone_modify_add_buffered(modify, namespace_, id);

		MemoryContextSwitchTo(modify->buffer_cxt);
		row->row = ExecCopySlotHeapTuple(slot);
		row->assigned = assigned == modify->assigned ? assigned : bms_copy(assigned);
		MemoryContextSwitchTo(modify->row_cxt);
		pinecone_modify_flush_watched(modify);
		/* that, and making room, may have written other rows */
		pinecone_record_of_row_assign(modify->writer, assigned);
	}
	if (modify->shows_rows)
	{
		show_updated(modify, slot);
		slot_getallattrs(slot);
		set_ctid(modify, slot,
				 pinecone_modify_namespace_of_row(modify, slot->tts_values, slot->tts_isnull),
				 pinecone_id_text(modify->table->columns[modify->table->id_attnum - 1].typid,
								  slot->tts_values[modify->table->id_attnum - 1]));
	}
	MemoryContextSwitchTo(old);
	return slot;
}

/* The row that is deleted, for RETURNING. */
static void
show_deleted(PineconeModify *modify, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	HeapTupleData tuple = old_row(modify, plan_slot);

	ExecForceStoreHeapTuple(&tuple, slot, false);
	ExecMaterializeSlot(slot);
}

TupleTableSlot *
pineconeExecForeignDelete(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
						  TupleTableSlot *plan_slot)
{
	PineconeModify *modify = rri->ri_FdwState;
	const char *namespace_;
	MemoryContext old;
	char *id;

	MemoryContextReset(modify->row_cxt);
	old = MemoryContextSwitchTo(modify->row_cxt);
	if (!find_target(modify, plan_slot, &namespace_, &id))
	{
		MemoryContextSwitchTo(old);
		return NULL;
	}
	pinecone_modify_delete(modify, namespace_, id);
	MemoryContextSwitchTo(old);
	if (AttributeNumberIsValid(modify->row_junk))
	{
		show_deleted(modify, slot, plan_slot);
		set_ctid(modify, slot, namespace_, id);
	}
	return slot;
}

/* ---- End ---- */

static void
end(ResultRelInfo *rri)
{
	PineconeModify *modify = rri->ri_FdwState;

	if (modify == NULL)
		return;
	pinecone_sink_flush(modify->sink);
	pinecone_sink_finish(modify->sink);
	pinecone_statement_remove(modify->statement, modify->sink);
	rri->ri_FdwState = NULL;
	MemoryContextDelete(modify->cxt);
}

void
pineconeEndForeignModify(EState *estate, ResultRelInfo *rri)
{
	end(rri);
}

void
pineconeEndForeignInsert(EState *estate, ResultRelInfo *rri)
{
	end(rri);
}
