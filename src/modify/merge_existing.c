/*
 * merge_existing.c
 *		INSERT ... ON CONFLICT (id) DO UPDATE that sets some columns to EXCLUDED's:
 *		records that are there keep what the other columns show.
 *
 * Rows wait until one fetch brings the records of many (stored_rows.c), and go
 * singly where RETURNING or triggers want to see each.  Two sessions may still insert the same
 * id at the same time.
 */
#include "postgres.h"

#include "executor/tuptable.h"

#include "modify/modify.h"

/* The id that a row is to have. */
static char *
id_of_row(PineconeModify *modify, TupleTableSlot *slot)
{
	PineconeColumn *column = &modify->table->columns[modify->table->id_attnum - 1];
	PineconeRecord record;

	if (!slot->tts_isnull[column->attnum - 1])
		return pinecone_id_text(column->typid, slot->tts_values[column->attnum - 1]);
	/* which says what is wrong with it */
	pinecone_record_of_row_assign(modify->writer, NULL);
	pinecone_record_of_row(modify->writer, slot->tts_values, slot->tts_isnull, NULL, &record);
	return record.id;
}

const PineconeRecord *
pinecone_modify_insert_merged(PineconeModify *modify, TupleTableSlot *slot, const char *namespace_)
{
	char *id = id_of_row(modify, slot);
	PineconeBufferedRow *row;
	MemoryContext old;

	if (!pinecone_modify_remember(modify, &modify->inserted, pinecone_modify_record_key(namespace_, id)))
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("ON CONFLICT DO UPDATE command cannot affect row a second time"),
				 errdetail("The id is \"%s\".", id),
				 errhint("Leave out all but one of the rows that have the same id.")));
	row = pinecone_modify_add_buffered(modify, namespace_, id);
	old = MemoryContextSwitchTo(modify->buffer_cxt);
	row->row = ExecCopySlotHeapTuple(slot);
	MemoryContextSwitchTo(old);
	if (modify->shows_rows)
	{
		pinecone_modify_flush(modify);
		return &row->record;
	}
	pinecone_modify_flush_watched(modify);
	return NULL;
}
