/*
 * option_cache.c
 *		The options of foreign tables, kept between statements.
 *
 * Reading them takes longer than anything else that a scan does before its
 * request is sent.  What has been read is shared and never changed; a change
 * of the catalog makes the next reader read again, and what is in use then
 * goes away with its last user.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "option/option_list.h"

typedef struct SharedTable
{
	MemoryContext cxt; /* holds this and the table */
	PineconeTable *table;
	int users;
	bool stale; /* nobody else will get it */
} SharedTable;

typedef struct CacheEntry
{
	Oid relid;
	SharedTable *shared; /* or NULL */
} CacheEntry;

/* A user: ends with the memory context it asked in. */
typedef struct TableUse
{
	MemoryContextCallback cleanup;
	SharedTable *shared;
} TableUse;

static HTAB *cache = NULL;
static uint64 changes = 0; /* of the catalog, as far as they matter */

static void
drop_if_unused(SharedTable *shared)
{
	if (shared->stale && shared->users == 0)
		MemoryContextDelete(shared->cxt);
}

static void
release_use(void *arg)
{
	SharedTable *shared = ((TableUse *) arg)->shared;

	shared->users--;
	drop_if_unused(shared);
}

static void
forget(CacheEntry *entry)
{
	SharedTable *shared = entry->shared;

	if (shared == NULL)
		return;
	entry->shared = NULL;
	shared->stale = true;
	drop_if_unused(shared);
}

static void
forget_all(void)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
		forget(entry);
}

static void
invalidate_relation(Datum arg, Oid relid)
{
	changes++;
	if (OidIsValid(relid))
	{
		CacheEntry *entry = hash_search(cache, &relid, HASH_FIND, NULL);

		if (entry != NULL)
			forget(entry);
	}
	else
		forget_all();
}

/* Servers and types concern any table. */
static void
invalidate_all(Datum arg, int cacheid, uint32 hashvalue)
{
	changes++;
	forget_all();
}

static void
create_cache(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CacheEntry);
	cache = hash_create("pinecone foreign tables", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNTABLEREL, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, invalidate_all, (Datum) 0);
}

static SharedTable *
read_shared(Oid relid)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone foreign table",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	SharedTable *shared = palloc0(sizeof(SharedTable));
	uint64 before = changes;

	shared->cxt = cxt;
	shared->table = pinecone_option_read_table(relid);
	shared->stale = changes != before; /* good for this once */
	MemoryContextSwitchTo(old);
	return shared;
}

PineconeTable *
pinecone_option_table(Oid relid)
{
	TableUse *use = palloc0(sizeof(TableUse));
	CacheEntry *entry;
	SharedTable *shared;

	if (cache == NULL)
		create_cache();
	entry = hash_search(cache, &relid, HASH_FIND, NULL);
	shared = entry ? entry->shared : NULL;
	if (shared == NULL)
	{
		shared = read_shared(relid);
		if (!shared->stale)
		{
			entry = hash_search(cache, &relid, HASH_ENTER, NULL);
			entry->shared = shared;
		}
		MemoryContextSetParent(shared->cxt, TopMemoryContext);
	}
	shared->users++;
	use->shared = shared;
	use->cleanup.func = release_use;
	use->cleanup.arg = use;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &use->cleanup);
	return shared->table;
}
