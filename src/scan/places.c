/*
 * places.c
 *		Which id a ctid stands for cannot be told from it, but by who has made it of that
 *		id.
 *
 * A server in front with postgres_fdw reads rows with their ctids and then changes them
 * one by one, WHERE ctid = $1, in the same transaction: without a memory of the ids each
 * of these would list the whole namespace.  So would a statement that deletes in batches,
 * WHERE ctid = ANY (ARRAY (SELECT ctid ... LIMIT 100)).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "scan/places.h"

typedef struct PlaceKey
{
	Oid relid;
	ItemPointerData ctid;
} PlaceKey;

typedef struct Place
{
	PlaceKey key;
	char *id; /* NULL: two records have the same */
} Place;

/* In TopTransactionContext; NULL when nothing has been shown */
static HTAB *places = NULL;
static MemoryContext places_cxt;

static void
forget(void *arg)
{
	places = NULL;
}

static void
begin_places(void)
{
	HASHCTL ctl = {0};
	MemoryContextCallback *callback = MemoryContextAllocZero(TopTransactionContext, sizeof(MemoryContextCallback));

	callback->func = forget;
	MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	places_cxt = AllocSetContextCreate(TopTransactionContext, "pinecone places", ALLOCSET_DEFAULT_SIZES);
	ctl.keysize = sizeof(PlaceKey);
	ctl.entrysize = sizeof(Place);
	ctl.hcxt = places_cxt;
	places = hash_create("pinecone places", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Place *
find_place(Oid relid, ItemPointerData ctid, HASHACTION action, bool *found)
{
	PlaceKey key;

	memset(&key, 0, sizeof(key)); /* its padding, too */
	key.relid = relid;
	key.ctid = ctid;
	return hash_search(places, &key, action, found);
}

/* As much is kept as work_mem allows; what is beyond is looked for as if it had not been shown. */
void
pinecone_places_show(Oid relid, ItemPointerData ctid, const char *id)
{
	Place *place;
	bool found;

	if (places == NULL)
		begin_places();
	place = find_place(relid, ctid, HASH_FIND, &found);
	if (found)
	{
		if (place->id != NULL && strcmp(place->id, id) != 0)
			place->id = NULL;
		return;
	}
	if (MemoryContextMemAllocated(places_cxt, true) / 1024 > work_mem)
		return;
	id = MemoryContextStrdup(places_cxt, id);
	place = find_place(relid, ctid, HASH_ENTER, &found);
	place->id = (char *) id;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

char **
pinecone_places_ids(Oid relid, const ItemPointerData *ctids, int nctids, int *n)
{
	char **ids;

	*n = 0;
	if (places == NULL)
		return NULL;
	ids = palloc(Max(1, nctids) * sizeof(char *));
	for (int i = 0; i < nctids; i++)
	{
		Place *place = find_place(relid, ctids[i], HASH_FIND, NULL);

		if (place == NULL || place->id == NULL)
			return NULL;
		ids[i] = pstrdup(place->id);
	}
	qsort(ids, nctids, sizeof(char *), compare_ids);
	for (int i = 0; i < nctids; i++)
	{
		if (i == 0 || strcmp(ids[i], ids[*n - 1]) != 0)
			ids[(*n)++] = ids[i];
	}
	return ids;
}
