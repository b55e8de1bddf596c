/*
 * kept.c
 *		A hash table of replies, whose bodies are cut into chunks of memory.
 *
 * The memory is a table of entries, found by a hash, and a number of chunks,
 * which bodies are cut into: whatever is freed fits whatever comes next.  What
 * is given up is what was not read since the hand came by last (the clock
 * algorithm).  Chunks that were never used are handed out in order, so that
 * memory is touched as it is needed.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/setting.h"
#include "base/shared.h"
#include "client/kept.h"
#include "client/learned.h"

#define CHUNK_BYTES 2048
#define NONE UINT32_MAX
#define NASKERS 64

typedef struct Entry
{
	PineconeKeptKey key;
	PineconeKept kept;
	uint32 next;  /* of the same bucket, or of those that are free */
	uint32 chunk; /* the first of the body */
	bool in_use;
	bool read; /* since the hand came by */
} Entry;

typedef struct Chunk
{
	uint32 next;
	char data[CHUNK_BYTES - sizeof(uint32)];
} Chunk;

typedef struct Asker
{
	PineconeKeptKey key;
	PineconeTime since; /* 0: nobody */
	int pid;
} Asker;

typedef struct Area
{
	PineconeShared shared;
	bool begun;
	uint32 n; /* of chunks, and of entries and buckets */
	uint32 nfresh_chunks;
	uint32 nfresh_entries; /* never used */
	uint32 free_chunk;
	uint32 nfree_chunks; /* in that list */
	uint32 free_entry;
	uint32 hand;
	Asker askers[NASKERS];
} Area;

static Area *area = NULL;
static uint32 *buckets;
static Entry *entries;
static Chunk *chunks;

/* ---- The memory ---- */

static uint32
chunks_of(Size size)
{
	return (size - MAXALIGN(sizeof(Area)) - 64) / (sizeof(Chunk) + sizeof(Entry) + sizeof(uint32));
}

static void
find_parts(void)
{
	uint32 n = chunks_of(area->shared.size);
	char *p = (char *) area + MAXALIGN(sizeof(Area));

	entries = (Entry *) p;
	p += n * sizeof(Entry);
	chunks = (Chunk *) p;
	p += n * sizeof(Chunk);
	buckets = (uint32 *) p;
}

static void
lock(LWLockMode mode)
{
	if (!area->shared.is_own)
		LWLockAcquire(&area->shared.lock, mode);
}

static void
unlock(void)
{
	if (!area->shared.is_own)
		LWLockRelease(&area->shared.lock);
}

/* A session's own: nothing but the head of it has to be cleared. */
static Area *
own_area(Size size)
{
	Area *own = MemoryContextAllocExtended(TopMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	if (own == NULL)
		return NULL;
	memset(own, 0, sizeof(Area));
	own->shared.size = size;
	own->shared.is_own = true;
	return own;
}

bool
pinecone_kept_begin(void)
{
	Size size = (Size) pinecone_cache_memory_kb * 1024;

	if (size == 0)
		return false;
	if (area != NULL)
		return true;
	if (pinecone_learned_is_kept())
		area = (Area *) pinecone_shared_area(PINECONE_SHARED_KEPT, size);
	else
		area = own_area(size);
	if (area == NULL)
		return false;
	find_parts();
	lock(LW_EXCLUSIVE);
	if (!area->begun)
	{
		area->n = chunks_of(area->shared.size);
		area->free_chunk = area->free_entry = NONE;
		for (uint32 i = 0; i < area->n; i++)
			buckets[i] = NONE;
		area->begun = true;
	}
	unlock();
	return true;
}

/* ---- Entries ---- */

static uint32 *
bucket_of(const PineconeKeptKey *key)
{
	uint32 hash;

	memcpy(&hash, key->bytes, sizeof(hash));
	return &buckets[hash % area->n];
}

static Entry *
find(const PineconeKeptKey *key)
{
	for (uint32 i = *bucket_of(key); i != NONE; i = entries[i].next)
	{
		if (memcmp(&entries[i].key, key, sizeof(*key)) == 0)
			return &entries[i];
	}
	return NULL;
}

static void
drop(Entry *entry)
{
	uint32 number = entry - entries;
	uint32 *link = bucket_of(&entry->key);

	while (*link != number)
		link = &entries[*link].next;
	*link = entry->next;
	for (uint32 i = entry->chunk; i != NONE;)
	{
		uint32 next = chunks[i].next;

		chunks[i].next = area->free_chunk;
		area->free_chunk = i;
		area->nfree_chunks++;
		i = next;
	}
	entry->in_use = false;
	entry->next = area->free_entry;
	area->free_entry = number;
}

/* Give up the next that is not in use, of that owner (0: any). */
static bool
give_up_one(uint64 owner)
{
	/* after one time round none counts as read any more */
	for (uint32 i = 0; i < 2 * area->nfresh_entries; i++)
	{
		Entry *entry = &entries[area->hand];

		area->hand = (area->hand + 1) % area->nfresh_entries;
		if (!entry->in_use || (owner != 0 && entry->kept.owner != owner))
			continue;
		if (!entry->read)
		{
			drop(entry);
			return true;
		}
		entry->read = false;
	}
	return false;
}

/* What a body takes up, and what an owner's take up together. */
static uint64
size_of(uint32 len)
{
	return (uint64) (len + sizeof(chunks->data) - 1) / sizeof(chunks->data) * CHUNK_BYTES;
}

static uint64
size_of_owner(uint64 owner)
{
	uint64 sum = 0;

	for (uint32 i = 0; i < area->nfresh_entries; i++)
	{
		if (entries[i].in_use && entries[i].kept.owner == owner)
			sum += size_of(entries[i].kept.len);
	}
	return sum;
}

static bool
make_room(const PineconeKept *kept, uint64 most_of_owner)
{
	uint64 needed = size_of(kept->len);
	uint64 used = size_of_owner(kept->owner);

	while (used > 0 && used + needed > most_of_owner)
	{
		if (!give_up_one(kept->owner))
			return false;
		used = size_of_owner(kept->owner);
	}
	while ((area->free_entry == NONE && area->nfresh_entries == area->n) ||
		   (uint64) (area->nfree_chunks + area->n - area->nfresh_chunks) * CHUNK_BYTES < needed)
	{
		if (!give_up_one(0))
			return false;
	}
	return true;
}

static Entry *
new_entry(void)
{
	uint32 number = area->free_entry;

	if (number == NONE)
		return &entries[area->nfresh_entries++];
	area->free_entry = entries[number].next;
	return &entries[number];
}

static uint32
new_chunk(void)
{
	uint32 number = area->free_chunk;

	if (number == NONE)
		return area->nfresh_chunks++;
	area->free_chunk = chunks[number].next;
	area->nfree_chunks--;
	return number;
}

static uint32
store_body(const char *body, uint32 len)
{
	uint32 first = NONE;
	uint32 *link = &first;

	for (uint32 done = 0; done < len; done += sizeof(chunks->data))
	{
		*link = new_chunk();
		memcpy(chunks[*link].data, body + done, Min(len - done, sizeof(chunks->data)));
		link = &chunks[*link].next;
		*link = NONE;
	}
	return first;
}

/* ---- Keeping ---- */

bool
pinecone_kept_get(const PineconeKeptKey *key, PineconeKept *kept, char **body, int padding)
{
	Entry *entry;
	char *p;

	if (area == NULL)
		return false;
	lock(LW_SHARED);
	entry = find(key);
	if (entry == NULL)
	{
		unlock();
		return false;
	}
	*kept = entry->kept;
	p = *body = palloc(kept->len + padding);
	for (uint32 i = entry->chunk, left = kept->len; i != NONE; i = chunks[i].next)
	{
		uint32 n = Min(left, sizeof(chunks->data));

		memcpy(p, chunks[i].data, n);
		p += n;
		left -= n;
	}
	memset(p, 0, padding);
	/* others may be setting it, too: to the same */
	entry->read = true;
	unlock();
	return true;
}

void
pinecone_kept_put(const PineconeKeptKey *key, const PineconeKept *kept, const char *body,
				  uint64 most_of_owner)
{
	Entry *entry;
	uint32 *bucket;

	if (area == NULL || size_of(kept->len) > most_of_owner)
		return;
	lock(LW_EXCLUSIVE);
	entry = find(key);
	if (entry != NULL && entry->kept.asked_at > kept->asked_at)
	{
		unlock();
		return;
	}
	if (entry != NULL)
		drop(entry);
	if (make_room(kept, most_of_owner))
	{
		entry = new_entry();
		entry->key = *key;
		entry->kept = *kept;
		entry->chunk = store_body(body, kept->len);
		entry->in_use = true;
		entry->read = false;
		bucket = bucket_of(key);
		entry->next = *bucket;
		*bucket = entry - entries;
	}
	unlock();
}

void
pinecone_kept_drop(const PineconeKeptKey *key)
{
	Entry *entry;

	if (area == NULL)
		return;
	lock(LW_EXCLUSIVE);
	entry = find(key);
	if (entry != NULL)
		drop(entry);
	unlock();
}

/* ---- Asking ---- */

/* Whoever asks for the same, or the place to say that one does. */
static Asker *
find_asker(const PineconeKeptKey *key)
{
	Asker *oldest = &area->askers[0];

	for (int i = 0; i < NASKERS; i++)
	{
		Asker *asker = &area->askers[i];

		if (asker->since != 0 && memcmp(&asker->key, key, sizeof(*key)) == 0)
			return asker;
		if (asker->since < oldest->since)
			oldest = asker;
	}
	return oldest;
}

bool
pinecone_kept_ask(const PineconeKeptKey *key, int64 patience_ms)
{
	PineconeTime now = pinecone_clock_now();
	bool may_ask = true;
	Asker *asker;

	if (area == NULL || area->shared.is_own)
		return true;
	lock(LW_EXCLUSIVE);
	asker = find_asker(key);
	if (asker->since != 0 && asker->pid != MyProcPid && memcmp(&asker->key, key, sizeof(*key)) == 0 &&
		pinecone_clock_after_ms(asker->since, patience_ms) > now)
		may_ask = false;
	else
	{
		asker->key = *key;
		asker->since = now;
		asker->pid = MyProcPid;
	}
	unlock();
	return may_ask;
}

void
pinecone_kept_asked(const PineconeKeptKey *key)
{
	if (area == NULL || area->shared.is_own)
		return;
	lock(LW_EXCLUSIVE);
	for (int i = 0; i < NASKERS; i++)
	{
		Asker *asker = &area->askers[i];

		if (asker->since != 0 && asker->pid == MyProcPid && memcmp(&asker->key, key, sizeof(*key)) == 0)
			asker->since = 0;
	}
	unlock();
}
