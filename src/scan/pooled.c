/*
 * pooled.c
 *		Fetches of a few ids each, gathered into fetches of many.
 *
 * The ids added between two flushes make a chunk per namespace: one stream
 * fetches them, in requests as large as the service takes.  Its records come in
 * the order of the ids, unless the transaction has written to the namespace, so
 * that finding one means reading the stream up to its place.  A chunk goes away
 * when nobody has a share in it any more.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "base/record_key.h"
#include "pending/pending.h"
#include "scan/pooled.h"

typedef struct Chunk
{
	dlist_node node; /* in the pool's open chunks, until asked for */
	PineconePooled *pool;
	MemoryContext cxt;
	PineconeStoredSpec spec; /* with all the ids */
	int max_ids;
	PineconePooledEntry **entries; /* as many as ids */
	PineconeStored *stream;		   /* NULL while the chunk is open */
	bool in_order;				   /* records come in the order of the ids */
	int known;					   /* the first so many entries are known */
	int shares;
} Chunk;

struct PineconePooledEntry
{
	PineconeRecordKey key;
	Chunk *chunk;
	int number;				/* of the id in the chunk */
	PineconeRecord *record; /* NULL: there is none, if known */
};

/* What the hash table holds. */
typedef struct Slot
{
	PineconeRecordKey key;
	PineconePooledEntry *entry;
} Slot;

struct PineconePooled
{
	MemoryContext cxt;
	PineconeCounters *counters;
	HTAB *slots;
	dlist_head open;
	int waiting;
	List **share; /* what is added belongs to it */
	MemoryContext share_cxt;
};

PineconePooled *
pinecone_pooled_create(PineconeCounters *counters)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone pool",
											  ALLOCSET_DEFAULT_SIZES);
	PineconePooled *pool = MemoryContextAllocZero(cxt, sizeof(PineconePooled));
	MemoryContext old = MemoryContextSwitchTo(cxt);

	pool->cxt = cxt;
	pool->counters = counters;
	dlist_init(&pool->open);
	pool->slots = pinecone_record_key_table("pinecone pool", sizeof(Slot));
	MemoryContextSwitchTo(old);
	return pool;
}

/* ---- Chunks ---- */

/* The open chunk for a namespace. */
static Chunk *
open_chunk(PineconePooled *pool, const PineconeStoredSpec *spec)
{
	dlist_iter iter;
	MemoryContext cxt;
	Chunk *chunk;

	dlist_foreach(iter, &pool->open)
	{
		chunk = dlist_container(Chunk, node, iter.cur);
		if (strcmp(chunk->spec.namespace_, spec->namespace_) == 0)
			return chunk;
	}

	cxt = AllocSetContextCreate(pool->cxt, "pinecone pool chunk", ALLOCSET_DEFAULT_SIZES);
	chunk = MemoryContextAllocZero(cxt, sizeof(Chunk));
	chunk->pool = pool;
	chunk->cxt = cxt;
	chunk->spec = *spec;
	chunk->spec.pool = NULL;
	chunk->spec.counters = pool->counters;
	chunk->spec.namespace_ = MemoryContextStrdup(cxt, spec->namespace_);
	chunk->spec.row_limit = 0;
	chunk->spec.nids = 0;
	chunk->max_ids = 128;
	chunk->spec.ids = MemoryContextAlloc(cxt, chunk->max_ids * sizeof(char *));
	chunk->entries = MemoryContextAlloc(cxt, chunk->max_ids * sizeof(PineconePooledEntry *));
	dlist_push_tail(&pool->open, &chunk->node);
	return chunk;
}

static PineconePooledEntry *
add_id(PineconePooled *pool, const PineconeStoredSpec *spec, const char *id)
{
	Chunk *chunk = open_chunk(pool, spec);
	PineconePooledEntry *entry;
	int n = chunk->spec.nids++;

	if (n == chunk->max_ids)
	{
		chunk->max_ids *= 2;
		chunk->spec.ids = repalloc(chunk->spec.ids, chunk->max_ids * sizeof(char *));
		chunk->entries = repalloc(chunk->entries, chunk->max_ids * sizeof(PineconePooledEntry *));
	}
	entry = MemoryContextAllocZero(chunk->cxt, sizeof(PineconePooledEntry));
	chunk->spec.ids[n] = MemoryContextStrdup(chunk->cxt, id);
	chunk->entries[n] = entry;
	entry->key.namespace_ = chunk->spec.namespace_;
	entry->key.id = chunk->spec.ids[n];
	entry->chunk = chunk;
	entry->number = n;
	pool->waiting++;
	return entry;
}

static void
add_to_share(PineconePooled *pool, Chunk *chunk)
{
	MemoryContext old;

	if (list_member_ptr(*pool->share, chunk))
		return;
	old = MemoryContextSwitchTo(pool->share_cxt);
	*pool->share = lappend(*pool->share, chunk);
	MemoryContextSwitchTo(old);
	chunk->shares++;
}

PineconePooledEntry **
pinecone_pooled_add(PineconePooled *pool, const PineconeStoredSpec *spec)
{
	PineconePooledEntry **entries = palloc(Max(spec->nids, 1) * sizeof(PineconePooledEntry *));

	for (int i = 0; i < spec->nids; i++)
	{
		PineconeRecordKey key = {spec->namespace_, spec->ids[i]};
		Slot *slot = hash_search(pool->slots, &key, HASH_FIND, NULL);

		if (slot == NULL)
		{
			PineconePooledEntry *entry = add_id(pool, spec, spec->ids[i]);

			/* the key in the table is the entry's, which lasts */
			slot = hash_search(pool->slots, &entry->key, HASH_ENTER, NULL);
			slot->entry = entry;
		}
		entries[i] = slot->entry;
		add_to_share(pool, slot->entry->chunk);
	}
	return entries;
}

void
pinecone_pooled_begin_share(PineconePooled *pool, List **share)
{
	pool->share = share;
	pool->share_cxt = CurrentMemoryContext;
}

static void
drop_chunk(PineconePooled *pool, Chunk *chunk)
{
	for (int i = 0; i < chunk->spec.nids; i++)
		(void) hash_search(pool->slots, &chunk->entries[i]->key, HASH_REMOVE, NULL);
	if (chunk->stream == NULL)
	{
		dlist_delete(&chunk->node);
		pool->waiting -= chunk->spec.nids;
	}
	MemoryContextDelete(chunk->cxt);
}

void
pinecone_pooled_give_up(PineconePooled *pool, List *share)
{
	ListCell *lc;

	foreach(lc, share)
	{
		Chunk *chunk = lfirst(lc);

		if (--chunk->shares == 0)
			drop_chunk(pool, chunk);
	}
}

/* ---- Asking ---- */

int
pinecone_pooled_waiting(PineconePooled *pool)
{
	return pool->waiting;
}

void
pinecone_pooled_flush(PineconePooled *pool)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &pool->open)
	{
		Chunk *chunk = dlist_container(Chunk, node, iter.cur);
		MemoryContext old = MemoryContextSwitchTo(chunk->cxt);

		dlist_delete(&chunk->node);
		pool->waiting -= chunk->spec.nids;
		chunk->in_order = pinecone_pending_view(chunk->spec.session, chunk->spec.namespace_,
												chunk->spec.position) == NULL;
		chunk->stream = pinecone_stored_begin(&chunk->spec);
		MemoryContextSwitchTo(old);
	}
}

static PineconePooledEntry *
find_entry(Chunk *chunk, const char *id)
{
	PineconeRecordKey key = {chunk->spec.namespace_, id};
	Slot *slot = hash_search(chunk->pool->slots, &key, HASH_FIND, NULL);

	if (slot == NULL || slot->entry->chunk != chunk)
		elog(ERROR, "a Pinecone record was fetched that had not been asked for");
	return slot->entry;
}

/* Read a chunk's stream on, by one record; false when that has to wait. */
static bool
read_on(Chunk *chunk, bool wait)
{
	PineconeRecord *record;
	PineconePooledEntry *entry;
	MemoryContext old;

	switch (pinecone_stored_next(chunk->stream, wait, &record))
	{
		case PINECONE_STORED_RECORD:
			entry = find_entry(chunk, record->id);
			old = MemoryContextSwitchTo(chunk->cxt);
			entry->record = pinecone_record_copy(record);
			MemoryContextSwitchTo(old);
			/* the ids passed over have no record */
			if (chunk->in_order)
				chunk->known = entry->number + 1;
			return true;
		case PINECONE_STORED_PENDING:
			return false;
		default:
			chunk->known = chunk->spec.nids;
			return true;
	}
}

bool
pinecone_pooled_find(PineconePooledEntry *entry, bool wait, PineconeRecord **record)
{
	Chunk *chunk = entry->chunk;

	if (chunk->stream == NULL)
		pinecone_pooled_flush(chunk->pool);
	while (entry->number >= chunk->known && entry->record == NULL)
	{
		if (!read_on(chunk, wait))
			return false;
	}
	*record = entry->record;
	return true;
}

int
pinecone_pooled_calls(PineconePooledEntry *entry, PineconeCall **calls)
{
	Chunk *chunk = entry->chunk;

	return chunk->stream != NULL && entry->number >= chunk->known && entry->record == NULL ?
			   pinecone_stored_calls(chunk->stream, calls) :
			   0;
}
