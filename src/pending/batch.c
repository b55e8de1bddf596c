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

void
pinecone_batch_add(PineconeBatch *batch, const char *id, int start, int len)
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
	batch->nitems++;
	batch->live++;
	MemoryContextSwitchTo(old);
}

void
pinecone_batch_compact(PineconeBatch *batch)
{
	int len = 0;
	int n = 0;

	if (batch->superseded == 0)
		return;
	for (int i = 0; i < batch->nitems; i++)
	{
		PineconeBatchItem item = batch->items[i];

		if (item.len == 0)
			continue;
		if (len > 0)
			batch->text.data[len++] = ',';
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
