/*
 * gathered_ids.c
 *		Fetches of a few ids each, gathered into fetches of many.
 *
 * The ids added between two flushes make a chunk per namespace: one source
 * fetches them, in requests as large as the service takes.  Its records come in
 * the order of the ids, unless the transaction has written to the namespace, so
 * that finding one means reading the source up to its place.  A chunk goes away
 * when nobody has a share in it any more.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "base/record_key.h"
#include "pending/pending.h"
#include "scan/gathered_ids.h"
#include "wire/schema.h"

typedef struct Entry Entry;

typedef struct Chunk
{
	dlist_node node; /* in the pool's open chunks, until asked for */
	PineconePooled *pool;
	MemoryContext cxt;
	PineconeSourceSpec spec; /* with all the ids */
	int max_ids;
	Entry **entries;		/* as many as ids */
	PineconeSource *source; /* NULL while the chunk is open */
	bool in_order;			/* records come in the order of the ids */
	int known;				/* the first so many entries are known */
	int shares;
} Chunk;

/* What is known of an id */
struct Entry
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
	Entry *entry;
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
pinecone_gathered_ids_create(PineconeCounters *counters)
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
open_chunk(PineconePooled *pool, const PineconeSourceSpec *spec)
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
	chunk->spec.may_find_ids = false; /* searches bring them in any order */
	chunk->spec.counters = pool->counters;
	chunk->spec.namespace_ = MemoryContextStrdup(cxt, spec->namespace_);
	chunk->spec.row_limit = 0;
	chunk->spec.nids = 0;
	if (spec->fields != NULL)
	{
		/* they are of a run, which may end first */
		MemoryContext old = MemoryContextSwitchTo(cxt);

		chunk->spec.fields = pinecone_schema_copy_projection(spec->fields);
		MemoryContextSwitchTo(old);
	}
	chunk->max_ids = 128;
	chunk->spec.ids = MemoryContextAlloc(cxt, chunk->max_ids * sizeof(char *));
	chunk->entries = MemoryContextAlloc(cxt, chunk->max_ids * sizeof(Entry *));
	dlist_push_tail(&pool->open, &chunk->node);
	return chunk;
}

static Entry *
add_id(PineconePooled *pool, const PineconeSourceSpec *spec, const char *id)
{
	Chunk *chunk = open_chunk(pool, spec);
	Entry *entry;
	int n = chunk->spec.nids++;

	if (n == chunk->max_ids)
	{
		chunk->max_ids *= 2;
		chunk->spec.ids = repalloc(chunk->spec.ids, chunk->max_ids * sizeof(char *));
		chunk->entries = repalloc(chunk->entries, chunk->max_ids * sizeof(Entry *));
	}
	entry = MemoryContextAllocZero(chunk->cxt, sizeof(Entry));
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

/*
 * Add the ids of a fetch; returns the entry of each, in the current memory
 * context.  They last until the share they were added under is given up.
 */
static Entry **
add_ids(PineconePooled *pool, const PineconeSourceSpec *spec)
{
	Entry **entries = palloc(Max(spec->nids, 1) * sizeof(Entry *));

	for (int i = 0; i < spec->nids; i++)
	{
		PineconeRecordKey key = {spec->namespace_, spec->ids[i]};
		Slot *slot = hash_search(pool->slots, &key, HASH_FIND, NULL);

		if (slot == NULL)
		{
			Entry *entry = add_id(pool, spec, spec->ids[i]);

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
pinecone_gathered_ids_begin_share(PineconePooled *pool, List **share)
{
	pool->share = share;
	pool->share_cxt = CurrentMemoryContext;
}

static void
drop_chunk(PineconePooled *pool, Chunk *chunk)
{
	for (int i = 0; i < chunk->spec.nids; i++)
		(void) hash_search(pool->slots, &chunk->entries[i]->key, HASH_REMOVE, NULL);
	if (chunk->source == NULL)
	{
		dlist_delete(&chunk->node);
		pool->waiting -= chunk->spec.nids;
	}
	MemoryContextDelete(chunk->cxt);
}

void
pinecone_gathered_ids_give_up(PineconePooled *pool, List *share)
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
pinecone_gathered_ids_waiting(PineconePooled *pool)
{
	return pool->waiting;
}

void
pinecone_gathered_ids_flush(PineconePooled *pool)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &pool->open)
	{
		Chunk *chunk = dlist_container(Chunk, node, iter.cur);
		MemoryContext old = MemoryContextSwitchTo(chunk->cxt);

		dlist_delete(&chunk->node);
		pool->waiting -= chunk->spec.nids;
		chunk->in_order = pinecone_pending_view(chunk->spec.session, chunk->spec.own_writes,
												pinecone_source_own_name(chunk->spec.session, chunk->spec.counters,
																		 chunk->spec.own_writes,
																		 chunk->spec.namespace_,
																		 chunk->spec.position),
												chunk->spec.position) == NULL;
		chunk->source = pinecone_source_begin(&chunk->spec);
		MemoryContextSwitchTo(old);
	}
}

static Entry *
find_entry(Chunk *chunk, const char *id)
{
	PineconeRecordKey key = {chunk->spec.namespace_, id};
	Slot *slot = hash_search(chunk->pool->slots, &key, HASH_FIND, NULL);

	if (slot == NULL || slot->entry->chunk != chunk)
		elog(ERROR, "a Pinecone record was fetched that had not been asked for");
	return slot->entry;
}

/* Read a chunk's source on, by one record; false when that has to wait. */
static bool
read_on(Chunk *chunk, bool wait)
{
	PineconeRecord *record;
	Entry *entry;
	MemoryContext old;

	switch (pinecone_source_next(chunk->source, wait, &record))
	{
		case PINECONE_SOURCE_RECORD:
			entry = find_entry(chunk, record->id);
			old = MemoryContextSwitchTo(chunk->cxt);
			entry->record = pinecone_record_copy(record);
			MemoryContextSwitchTo(old);
			/* the ids passed over have no record */
			if (chunk->in_order)
				chunk->known = entry->number + 1;
			return true;
		case PINECONE_SOURCE_PENDING:
			return false;
		default:
			chunk->known = chunk->spec.nids;
			return true;
	}
}

/*
 * An id's record, or NULL when there is none.  Returns false when it is not
 * known yet and may not be waited for.
 */
static bool
find_record(Entry *entry, bool wait, PineconeRecord **record)
{
	Chunk *chunk = entry->chunk;

	if (chunk->source == NULL)
		pinecone_gathered_ids_flush(chunk->pool);
	while (entry->number >= chunk->known && entry->record == NULL)
	{
		if (!read_on(chunk, wait))
			return false;
	}
	*record = entry->record;
	return true;
}

/* ---- The source ---- */

typedef struct PooledSource
{
	PineconeSource source;
	Entry **entries; /* one for each id */
	int nentries;
	int next;
} PooledSource;

static PineconeSourceStatus
pooled_next(PineconeSource *source, bool wait, PineconeRecord **record)
{
	PooledSource *pooled = (PooledSource *) source;

	while (pooled->next < pooled->nentries)
	{
		if (!find_record(pooled->entries[pooled->next], wait, record))
			return PINECONE_SOURCE_PENDING;
		pooled->next++;
		if (*record != NULL)
			return PINECONE_SOURCE_RECORD;
	}
	return PINECONE_SOURCE_END;
}

static int
pooled_calls(PineconeSource *source, PineconeCall **calls)
{
	PooledSource *pooled = (PooledSource *) source;
	Entry *entry;

	if (pooled->next >= pooled->nentries)
		return 0;
	entry = pooled->entries[pooled->next];
	return entry->chunk->source != NULL && entry->number >= entry->chunk->known &&
				   entry->record == NULL ?
			   pinecone_source_calls(entry->chunk->source, calls) :
			   0;
}

static const PineconeSourceKind pooled_kind = {.next = pooled_next, .calls = pooled_calls};

PineconeSource *
pinecone_gathered_ids_begin(const PineconeSourceSpec *spec)
{
	PooledSource *pooled = pinecone_source_create(&pooled_kind, sizeof(PooledSource));
	MemoryContext old = MemoryContextSwitchTo(pooled->source.cxt);

	pooled->nentries = spec->nids;
	pooled->entries = add_ids(spec->pool, spec);
	MemoryContextSwitchTo(old);
	return &pooled->source;
}
