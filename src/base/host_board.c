/*
 * host_board.c
 *		Which of the hosts of a server answer.
 *
 * A table in shared memory, of servers with several hosts alone.  What every
 * request has to know of a host is read without its lock.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/timestamp.h"

#include "base/host_board.h"
#include "base/shared.h"

/* A host is looked for in so many places; what nobody used for longest makes room. */
#define NSLOTS 512
#define NPLACES 16

typedef struct Slot
{
	uint64 key; /* 0: free */
	pg_atomic_uint32 down;
	pg_atomic_uint64 answered;
	PineconeTime used_at;
	PineconeHostState state; /* but for these two */
} Slot;

typedef struct Area
{
	PineconeShared shared;
	Slot slots[NSLOTS];
} Area;

static Area *area = NULL;

static bool
find_area(bool create)
{
	if (area == NULL)
		area = (Area *) pinecone_shared_area(PINECONE_SHARED_HOSTS, create ? sizeof(Area) : 0);
	return area != NULL;
}

uint64
pinecone_host_key(Oid serverid, const char *host)
{
	uint64 hash = DatumGetUInt64(hash_any_extended((const unsigned char *) host, strlen(host), 0));

	return Max(1, hash_combine64(hash, ((uint64) MyDatabaseId << 32) | serverid));
}

/* Under the lock, if the slot is to be made. */
static Slot *
find_slot(uint64 key, bool create)
{
	Slot *best = NULL;

	for (int i = 0; i < NPLACES; i++)
	{
		Slot *slot = &area->slots[(key + i) % NSLOTS];

		if (slot->key == key)
			return slot;
		if (best == NULL || slot->used_at < best->used_at)
			best = slot;
	}
	if (!create)
		return NULL;
	memset(&best->state, 0, sizeof(best->state));
	pg_atomic_write_u32(&best->down, 0);
	pg_atomic_write_u64(&best->answered, 0);
	best->key = key;
	return best;
}

/* A slot to be changed, with the lock taken. */
static Slot *
lock_slot(uint64 key)
{
	Slot *slot;

	(void) find_area(true);
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	slot = find_slot(key, true);
	slot->used_at = pinecone_clock_now();
	return slot;
}

PineconeHostState
pinecone_host_state(uint64 key)
{
	PineconeHostState state = {0};
	Slot *slot;

	if (!find_area(false))
		return state;
	LWLockAcquire(&area->shared.lock, LW_SHARED);
	slot = find_slot(key, false);
	if (slot != NULL)
	{
		state = slot->state;
		state.down = pg_atomic_read_u32(&slot->down) != 0;
		state.answered = pg_atomic_read_u64(&slot->answered);
	}
	LWLockRelease(&area->shared.lock);
	return state;
}

bool
pinecone_host_is_down(uint64 key)
{
	Slot *slot = find_area(false) ? find_slot(key, false) : NULL;

	return slot != NULL && pg_atomic_read_u32(&slot->down) != 0;
}

bool
pinecone_host_note_failure(uint64 key, const char *reason)
{
	Slot *slot = lock_slot(key);
	bool is_news = pg_atomic_read_u32(&slot->down) == 0;

	slot->state.tried = true;
	strlcpy(slot->state.reason, reason, sizeof(slot->state.reason));
	slot->state.asked_at = pinecone_clock_now();
	if (is_news)
	{
		slot->state.since = GetCurrentTimestamp();
		slot->state.failures++;
		pg_atomic_write_u32(&slot->down, 1);
	}
	LWLockRelease(&area->shared.lock);
	return is_news;
}

bool
pinecone_host_note_answer(uint64 key)
{
	Slot *slot = find_area(false) ? find_slot(key, false) : NULL;
	bool was_down;

	if (slot != NULL && slot->state.tried && pg_atomic_read_u32(&slot->down) == 0)
	{
		(void) pg_atomic_fetch_add_u64(&slot->answered, 1);
		return false;
	}
	slot = lock_slot(key);
	was_down = pg_atomic_read_u32(&slot->down) != 0;
	if (was_down || !slot->state.tried)
		slot->state.since = GetCurrentTimestamp();
	slot->state.tried = true;
	pg_atomic_write_u32(&slot->down, 0);
	(void) pg_atomic_fetch_add_u64(&slot->answered, 1);
	LWLockRelease(&area->shared.lock);
	return was_down;
}

void
pinecone_host_note_shape(uint64 key, const PineconeShape *shape)
{
	Slot *slot = lock_slot(key);

	slot->state.shape = *shape;
	LWLockRelease(&area->shared.lock);
}

bool
pinecone_host_claim(uint64 key, int retry_ms)
{
	Slot *slot = lock_slot(key);
	bool mine = pg_atomic_read_u32(&slot->down) != 0 && pinecone_clock_passed(slot->state.asked_at, retry_ms);

	if (mine)
		slot->state.asked_at = pinecone_clock_now();
	LWLockRelease(&area->shared.lock);
	return mine;
}
