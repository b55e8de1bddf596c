/*
 * stored_rows.c
 *		Rows that wait until the stored records of many can be fetched at a time:
 *		of UPDATEs that need the record, and of INSERTs that must not find one or
 *		change it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/instrument.h"
#include "nodes/execnodes.h"

#include "base/idset.h"
#include "base/limits.h"
#include "modify/modify.h"
#include "pending/pending.h"
#include "scan/source.h"

/* So many updates go at once, and are as fast as two requests one after the other. */
#define FEW_UPDATES 10

static void
start_buffer(PineconeModify *modify)
{
	MemoryContext old;

	if (modify->buffer_cxt == NULL)
	{
		modify->flush_cxt = AllocSetContextCreate(modify->cxt, "pinecone buffered row",
												  ALLOCSET_DEFAULT_SIZES);
		modify->buffer_cxt = AllocSetContextCreate(modify->cxt, "pinecone rows to write",
												   ALLOCSET_DEFAULT_SIZES);
	}
	else
		MemoryContextReset(modify->buffer_cxt);
	old = MemoryContextSwitchTo(modify->buffer_cxt);
	modify->buffer = palloc(PINECONE_BUFFER_ROWS * sizeof(PineconeBufferedRow));
	modify->buffered_ids = idset_create(modify->buffer_cxt, PINECONE_BUFFER_ROWS, NULL);
	modify->nbuffered = 0;
	MemoryContextSwitchTo(old);
}

/* What tells records of all namespaces apart: a line break is in no namespace. */
char *
pinecone_modify_record_key(const char *namespace_, const char *id)
{
	return psprintf("%s\n%s", namespace_, id);
}

static bool
is_known(struct idset_hash *keys, const char *key)
{
	return keys != NULL && idset_lookup(keys, key) != NULL;
}

/* Add a key to a set of the statement's; false: it is there already. */
bool
pinecone_modify_remember(PineconeModify *modify, struct idset_hash **keys, const char *key)
{
	bool found;

	if (is_known(*keys, key))
		return false;
	if (*keys == NULL)
		*keys = idset_create(modify->cxt, 1024, NULL);
	(void) idset_insert(*keys, MemoryContextStrdup(modify->cxt, key), &found);
	return true;
}

/*
 * The stored records, as this transaction sees them, of those buffered rows
 * that are in the same namespace as the first that is not done.
 */
static PineconeSource *
fetch_buffered(PineconeModify *modify, int first, bool records)
{
	PineconeSourceSpec spec = {0};
	char **ids = palloc(modify->nbuffered * sizeof(char *));

	spec.session = modify->session;
	spec.counters = &modify->counters;
	spec.op = PINECONE_OP_FETCH;
	spec.namespace_ = modify->buffer[first].namespace_;
	spec.own_writes = modify->table;
	/* updates start from what the statement has read */
	spec.position = records ? modify->position : PINECONE_PENDING_ALL;
	spec.dimension = modify->stats->dimension;
	spec.ids = ids;
	for (int i = first; i < modify->nbuffered; i++)
	{
		PineconeBufferedRow *row = &modify->buffer[i];

		if (strcmp(row->namespace_, spec.namespace_) != 0)
			continue;
		row->done = true;
		ids[spec.nids++] = row->id;
	}
	spec.want_values = spec.want_metadata = records;
	spec.may_lack_values = true;
	return pinecone_source_begin(&spec);
}

void
pinecone_modify_refuse_duplicate(PineconeModify *modify, const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("record \"%s\" exists in foreign table \"%s\" already", id,
					modify->table->name),
			 errhint("With table option \"on_duplicate\" set to \"replace\" INSERT replaces it.")));
}

static void
check_inserts(PineconeModify *modify, int first)
{
	PineconeSource *stream = fetch_buffered(modify, first, false);
	PineconeRecord *stored;

	if (pinecone_source_next(stream, true, &stored) == PINECONE_SOURCE_RECORD)
		pinecone_modify_refuse_duplicate(modify, stored->id);
	pinecone_source_end(stream);
}

static void
write_inserts(PineconeModify *modify)
{
	for (int i = 0; i < modify->nbuffered; i++)
	{
		PineconeWrite write = {PINECONE_WRITE_UPSERT};

		write.record = modify->buffer[i].record;
		pinecone_sink_write(modify->sink, modify->buffer[i].namespace_, &write);
	}
}

/* One row of an UPDATE, now that its record has come. */
static void
write_updated(PineconeModify *modify, PineconeBufferedRow *row, const PineconeRecord *stored)
{
	int natts = modify->desc->natts;
	Datum *values = palloc(natts * sizeof(Datum));
	bool *isnull = palloc(natts * sizeof(bool));
	PineconeWrite write = {PINECONE_WRITE_UPSERT};
	const char *namespace_;

	heap_deform_tuple(row->row, modify->desc, values, isnull);
	pinecone_record_of_row_assign(modify->writer, row->assigned);
	pinecone_record_of_row(modify->writer, values, isnull, stored, &write.record);
	namespace_ = pinecone_modify_namespace_of_row(modify, values, isnull);
	if (strcmp(write.record.id, row->id) != 0 || strcmp(namespace_, row->namespace_) != 0)
	{
		/* unless another row has moved there: all rows move at once */
		if (!is_known(modify->moved_to, pinecone_modify_record_key(row->namespace_, row->id)))
			pinecone_modify_delete(modify, row->namespace_, row->id);
		if (!pinecone_modify_remember(modify, &modify->moved_to, pinecone_modify_record_key(namespace_, write.record.id)))
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("more than one row of the UPDATE of foreign table \"%s\" gets the id \"%s\"",
							modify->table->name, write.record.id)));
	}
	pinecone_sink_write(modify->sink, namespace_, &write);
}

/*
 * A few rows, that is all there are: their updates take no longer than to fetch
 * their records and to write these.  What needs its record stays.
 */
static void
write_few(PineconeModify *modify)
{
	for (int i = 0; i < modify->nbuffered; i++)
	{
		PineconeBufferedRow *row = &modify->buffer[i];
		int natts = modify->desc->natts;
		Datum *values = palloc(natts * sizeof(Datum));
		bool *isnull = palloc(natts * sizeof(bool));
		PineconeWrite write = {PINECONE_WRITE_UPDATE};

		heap_deform_tuple(row->row, modify->desc, values, isnull);
		pinecone_record_of_row_assign(modify->writer, row->assigned);
		if (pinecone_modify_must_replace(modify, row->namespace_) ||
			!pinecone_record_of_row_update(modify->writer, values, isnull, &write))
			continue;
		pinecone_sink_write(modify->sink, row->namespace_, &write);
		row->done = true;
	}
}

/* A record that has gone since the row was read has nothing to update. */
static void
write_updates(PineconeModify *modify, int first)
{
	PineconeSource *stream = fetch_buffered(modify, first, true);
	PineconeRecord *stored;

	while (pinecone_source_next(stream, true, &stored) == PINECONE_SOURCE_RECORD)
	{
		PineconeIdEntry *entry;
		MemoryContext old;

		/* row_cxt holds the row that is to come */
		MemoryContextReset(modify->flush_cxt);
		old = MemoryContextSwitchTo(modify->flush_cxt);
		entry = idset_lookup(modify->buffered_ids,
							 pinecone_modify_record_key(modify->buffer[first].namespace_, stored->id));
		if (entry != NULL)
			write_updated(modify, &modify->buffer[entry->number], stored);
		MemoryContextSwitchTo(old);
	}
	pinecone_source_end(stream);
}

void
pinecone_modify_count_conflicts(PineconeModify *modify, int n)
{
	if (modify->node != NULL)
		InstrCountTuples2(modify->node, n);
}

/* A row of ON CONFLICT DO UPDATE, as a new record or laid over the stored one. */
static void
write_merged(PineconeModify *modify, PineconeBufferedRow *row, const PineconeRecord *stored)
{
	int natts = modify->desc->natts;
	Datum *values = palloc(natts * sizeof(Datum));
	bool *isnull = palloc(natts * sizeof(bool));
	PineconeWrite write = {PINECONE_WRITE_UPSERT};

	heap_deform_tuple(row->row, modify->desc, values, isnull);
	pinecone_record_of_row_assign(modify->writer, stored ? modify->merged : NULL);
	pinecone_record_of_row(modify->writer, values, isnull, stored, &write.record);
	pinecone_sink_write(modify->sink, row->namespace_, &write);
	row->found = true;
	if (stored != NULL)
		pinecone_modify_count_conflicts(modify, 1);
	if (modify->shows_rows)
	{
		MemoryContext old = MemoryContextSwitchTo(modify->buffer_cxt);

		row->record = *pinecone_record_copy(&write.record);
		MemoryContextSwitchTo(old);
	}
}

static void
write_merges(PineconeModify *modify, int first)
{
	const char *namespace_ = modify->buffer[first].namespace_;
	PineconeSource *stream = fetch_buffered(modify, first, true);
	PineconeRecord *stored;
	MemoryContext old;

	while (pinecone_source_next(stream, true, &stored) == PINECONE_SOURCE_RECORD)
	{
		PineconeIdEntry *entry;

		MemoryContextReset(modify->flush_cxt);
		old = MemoryContextSwitchTo(modify->flush_cxt);
		entry = idset_lookup(modify->buffered_ids, pinecone_modify_record_key(namespace_, stored->id));
		if (entry != NULL)
			write_merged(modify, &modify->buffer[entry->number], stored);
		MemoryContextSwitchTo(old);
	}
	pinecone_source_end(stream);
	for (int i = first; i < modify->nbuffered; i++)
	{
		PineconeBufferedRow *row = &modify->buffer[i];

		if (row->found || strcmp(row->namespace_, namespace_) != 0)
			continue;
		MemoryContextReset(modify->flush_cxt);
		old = MemoryContextSwitchTo(modify->flush_cxt);
		write_merged(modify, row, NULL);
		MemoryContextSwitchTo(old);
		pinecone_statement_note_insert(modify->statement, modify->session->serverid, row->namespace_, row->id);
	}
}

void
pinecone_modify_flush(void *arg)
{
	PineconeModify *modify = arg;
	MemoryContext old;

	if (modify->nbuffered == 0)
		return;
	old = MemoryContextSwitchTo(modify->buffer_cxt);
	if (modify->operation == CMD_UPDATE && modify->table->update_records &&
		modify->nbuffered <= FEW_UPDATES)
		write_few(modify);
	for (int i = 0; i < modify->nbuffered; i++)
	{
		if (modify->buffer[i].done)
			continue;
		if (modify->operation == CMD_UPDATE)
			write_updates(modify, i);
		else if (modify->merged != NULL)
			write_merges(modify, i);
		else
			check_inserts(modify, i);
	}
	if (modify->operation == CMD_INSERT && modify->merged == NULL)
		write_inserts(modify);
	MemoryContextSwitchTo(old);
	modify->nbuffered = 0;
	modify->buffer = NULL;
}

/* A place in the buffer for a row that concerns a record. */
PineconeBufferedRow *
pinecone_modify_add_buffered(PineconeModify *modify, const char *namespace_, const char *id)
{
	char *key = pinecone_modify_record_key(namespace_, id);
	PineconeBufferedRow *row;
	PineconeIdEntry *entry;
	MemoryContext old;
	bool found;

	if (modify->nbuffered == PINECONE_BUFFER_ROWS ||
		(modify->nbuffered > 0 && idset_lookup(modify->buffered_ids, key) != NULL))
		pinecone_modify_flush(modify);
	if (modify->nbuffered == 0)
		start_buffer(modify);
	old = MemoryContextSwitchTo(modify->buffer_cxt);
	row = &modify->buffer[modify->nbuffered];
	memset(row, 0, sizeof(*row));
	row->namespace_ = pstrdup(namespace_);
	row->id = pstrdup(id);
	entry = idset_insert(modify->buffered_ids, pstrdup(key), &found);
	entry->number = modify->nbuffered++;
	MemoryContextSwitchTo(old);
	return row;
}

/* No row may wait for the next when a trigger may fire before. */
void
pinecone_modify_flush_watched(PineconeModify *modify)
{
	if (modify->watched && pinecone_statement_is_finishing(modify->statement))
		pinecone_modify_flush(modify);
}
