/*
 * mirror_note.c
 *		The trigger of a mirrored table.
 *
 * It notes which rows have changed, by id, and no more: a line of some 60 bytes in
 * a table without an index, whatever the row's size.  What the row is, or that it
 * is gone, is looked at when it is delivered; so lines of one id need no order,
 * and the last state is what is sent.  As the line is written by the transaction
 * that changes the row, it is there if and only if that commits.
 *
 * Arguments: the mirror's number, its columns of ids and of namespaces ("": there
 * is none), and the columns that matter; without these, all do.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "pending/outbox.h"

PG_FUNCTION_INFO_V1(pinecone_mirror_note);

/* Columns of pinecone_mirror_changes */
#define CHANGES_COLUMNS 5

#define FIRST_COLUMN 3

/* The column of that name, which has to be there */
static int
column_of(TriggerData *data, const char *name)
{
	int attnum = SPI_fnumber(RelationGetDescr(data->tg_relation), name);

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" is mirrored by its column \"%s\", which is gone",
						RelationGetRelationName(data->tg_relation), name),
				 errhint("Call pinecone_unmirror(), and pinecone_mirror() with the column's new name.")));
	return attnum;
}

static Datum
text_of_column(TriggerData *data, HeapTuple tuple, int attnum, bool *isnull)
{
	char *value = SPI_getvalue(tuple, RelationGetDescr(data->tg_relation), attnum);

	*isnull = value == NULL;
	return value ? CStringGetTextDatum(value) : (Datum) 0;
}

/*
 * Is the table part of the mirror?  A partition that has been detached keeps the
 * trigger of TRUNCATE, which is its own, but not that of rows, its parent's.
 */
static bool
is_mirrored(const TriggerData *data)
{
	const TriggerDesc *desc = data->tg_relation->trigdesc;
	const Trigger *own = data->tg_trigger;

	for (int i = 0; i < desc->numtriggers; i++)
	{
		const Trigger *other = &desc->triggers[i];

		if (other->tgfoid == own->tgfoid && TRIGGER_FOR_ROW(other->tgtype) && other->tgnargs >= FIRST_COLUMN &&
			strcmp(other->tgargs[0], own->tgargs[0]) == 0)
			return true;
	}
	return false;
}

/* Add a line; of a TRUNCATE with neither row nor namespace. */
static void
note(FunctionCallInfo fcinfo, TriggerData *data, HeapTuple tuple)
{
	Trigger *trigger = data->tg_trigger;
	Oid changes = get_relname_relid("pinecone_mirror_changes", get_func_namespace(fcinfo->flinfo->fn_oid));
	Datum values[CHANGES_COLUMNS] = {Int32GetDatum(atoi(trigger->tgargs[0])), CharGetDatum(tuple ? 'r' : 't')};
	bool nulls[CHANGES_COLUMNS] = {false, false, true, true, false};
	Relation rel;
	HeapTuple line;

	if (tuple != NULL)
	{
		if (trigger->tgargs[2][0] != '\0')
			values[2] = text_of_column(data, tuple, column_of(data, trigger->tgargs[2]), &nulls[2]);
		values[3] = text_of_column(data, tuple, column_of(data, trigger->tgargs[1]), &nulls[3]);
		/* no record has such a key */
		if (nulls[3] || (nulls[2] && trigger->tgargs[2][0] != '\0'))
			return;
	}
	values[4] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	rel = table_open(changes, RowExclusiveLock);
	line = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	simple_heap_insert(rel, line);
	heap_freetuple(line);
	/* until the transaction ends: whoever copies the table waits for it */
	table_close(rel, NoLock);
	pinecone_outbox_set_written();
}

/* Does a column differ?  One that is not there any more counts as if. */
static bool
differs(TriggerData *data, const char *name)
{
	TupleDesc desc = RelationGetDescr(data->tg_relation);
	int attnum = SPI_fnumber(desc, name);
	Form_pg_attribute att;
	bool old_null;
	bool new_null;
	Datum old_value;
	Datum new_value;

	if (attnum <= 0)
		return true;
	att = TupleDescAttr(desc, attnum - 1);
	old_value = heap_getattr(data->tg_trigtuple, attnum, desc, &old_null);
	new_value = heap_getattr(data->tg_newtuple, attnum, desc, &new_null);
	if (old_null || new_null)
		return old_null != new_null;
	return !datumIsEqual(old_value, new_value, att->attbyval, att->attlen);
}

static bool
update_matters(TriggerData *data)
{
	Trigger *trigger = data->tg_trigger;

	if (trigger->tgnargs <= FIRST_COLUMN)
		return true;
	for (int i = FIRST_COLUMN; i < trigger->tgnargs; i++)
	{
		if (differs(data, trigger->tgargs[i]))
			return true;
	}
	return false;
}

Datum
pinecone_mirror_note(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || data->tg_trigger->tgnargs < FIRST_COLUMN || !TRIGGER_FIRED_AFTER(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pinecone_mirror_note() is the trigger that pinecone_mirror() makes")));
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
	{
		if (is_mirrored(data))
			note(fcinfo, data, NULL);
	}
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
	{
		bool moves = differs(data, data->tg_trigger->tgargs[1]) ||
					 (data->tg_trigger->tgargs[2][0] != '\0' && differs(data, data->tg_trigger->tgargs[2]));

		if (moves || update_matters(data))
			note(fcinfo, data, data->tg_newtuple);
		if (moves)
			note(fcinfo, data, data->tg_trigtuple);
	}
	else
		note(fcinfo, data, data->tg_trigtuple);
	return PointerGetDatum(NULL);
}
