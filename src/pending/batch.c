/*
 * batch.c
 *		The items of a batch.
 *
 * A later item of an id supersedes the earlier one, whose text stays where it is
 * until the batch is compacted: most batches never have to be.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/idset.h"
#include "pending/batch.h"
#include "pending/confirmed.h"
#include "pending/write_code.h"

PineconeBatch *
pinecone_batch_create(MemoryContext parent, PineconeWriteKind kind, int text_size)
{
	MemoryContext cxt = AllocSetContextCreate(parent, "pinecone batch", ALLOCSET_DEFAULT_SIZES);
	PineconeBatch *batch = MemoryContextAllocZero(cxt, sizeof(PineconeBatch));
	MemoryContext old = MemoryContextSwitchTo(cxt);

	batch->cxt = cxt;
	batch->kind = kind;
	batch->separator = ',';
	initStringInfo(&batch->text);
	if (text_size > 0)
		enlargeStringInfo(&batch->text, text_size);
	batch->size = 16;
	batch->items = palloc(batch->size * sizeof(PineconeBatchItem));
	batch->ids = idset_create(cxt, 64, NULL);
	initStringInfo(&batch->written);
	MemoryContextSwitchTo(old);
	return batch;
}

void
pinecone_batch_keep(PineconeBatch *batch, const PineconeWrite *write)
{
	if (pinecone_confirmed_are_kept())
		pinecone_write_encode(&batch->written, 0, write);
}

bool
pinecone_batch_has(const PineconeBatch *batch, const char *id)
{
	return batch != NULL && batch->ids != NULL && idset_lookup(batch->ids, id) != NULL;
}

PineconeBatchItem *
pinecone_batch_item(const PineconeBatch *batch, const char *id)
{
	PineconeIdEntry *entry = batch != NULL && batch->ids != NULL ? idset_lookup(batch->ids, id) : NULL;

	return entry != NULL ? &batch->items[entry->number] : NULL;
}

void
pinecone_batch_add(PineconeBatch *batch, const char *id, int start, int len, int64 tag)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);
	PineconeIdEntry *entry;
	bool found;

	if (batch->nitems == batch->size)
	{
		batch->size *= 2;
		batch->items = repalloc(batch->items, batch->size * sizeof(PineconeBatchItem));
	}
	entry = idset_lookup(batch->ids, id);
	if (entry != NULL)
	{
		PineconeBatchItem *earlier = &batch->items[entry->number];

		batch->superseded += earlier->len;
		earlier->len = 0;
		batch->live--;
	}
	else
		entry = idset_insert(batch->ids, pstrdup(id), &found);
	entry->number = batch->nitems;
	batch->items[batch->nitems].id = entry->id;
	batch->items[batch->nitems].start = start;
	batch->items[batch->nitems].len = len;
	batch->items[batch->nitems].tag = tag;
	batch->nitems++;
	batch->live++;
	MemoryContextSwitchTo(old);
}

void
pinecone_batch_compact(PineconeBatch *batch)
{
	int len = batch->opening;
	int n = 0;

	if (batch->superseded == 0)
		return;
	for (int i = 0; i < batch->nitems; i++)
	{
		PineconeBatchItem item = batch->items[i];

		if (item.len == 0)
			continue;
		if (n > 0)
			batch->text.data[len++] = batch->separator;
		memmove(batch->text.data + len, batch->text.data + item.start, item.len);
		item.start = len;
		len += item.len;
		idset_lookup(batch->ids, item.id)->number = n;
		batch->items[n++] = item;
	}
	batch->text.len = len;
	batch->nitems = n;
	batch->superseded = 0;
}

static PineconeBatch *
part_of(const PineconeBatch *batch, MemoryContext parent, int first, int n)
{
	const PineconeBatchItem *items = batch->items + first;
	PineconeBatch *part = pinecone_batch_create(parent, batch->kind, 0);

	part->separator = batch->separator;
	part->opening = batch->opening;
	appendBinaryStringInfo(&part->text, batch->text.data, batch->opening);
	for (int i = 0; i < n; i++)
	{
		int start = 0;

		if (items[i].len == 0)
			continue;
		if (batch->text.len > 0)
		{
			if (part->nitems > 0)
				appendStringInfoChar(&part->text, part->separator);
			start = part->text.len;
			appendBinaryStringInfo(&part->text, batch->text.data + items[i].start, items[i].len);
		}
		pinecone_batch_add(part, items[i].id, start, items[i].len, items[i].tag);
	}
	return part;
}

/* Each part keeps the writes of its own ids. */
static void
keep_parts(const PineconeBatch *batch, List *parts)
{
	int at = 0;

	while (at < batch->written.len)
	{
		PineconeWriteHeader *header = (PineconeWriteHeader *) (batch->written.data + at);
		PineconeWrite write;
		ListCell *lc;

		pinecone_write_decode(header, (char *) (header + 1), &write);
		foreach(lc, parts)
		{
			if (pinecone_batch_has(lfirst(lc), write.record.id))
				pinecone_batch_keep(lfirst(lc), &write);
		}
		at += sizeof(*header) + pinecone_write_body_length(header);
	}
}

List *
pinecone_batch_split(const PineconeBatch *batch, MemoryContext parent, int most)
{
	List *parts = NIL;

	for (int first = 0; first < batch->nitems; first += most)
		parts = lappend(parts, part_of(batch, parent, first, Min(most, batch->nitems - first)));
	keep_parts(batch, parts);
	return parts;
}
