/*
 * confirmed.c
 *		A ring in shared memory, which keeps what the service may not show yet.
 *
 * Whoever has a write confirmed adds it at
 * the head; readers copy what is new to them.  The tail makes room: what is
 * dropped there although it matters still leaves a mark, which says up to where
 * its namespace has to be indexed before it may be read.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/atomics.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/setting.h"
#include "base/shared.h"
#include "option/option_list.h"
#include "pending/confirmed.h"
#include "pending/write_code.h"

/* Where the service is behind by more than unseen_time, that often it at most */
#define MOST_TIMES 6

#define NMARKS 1024

/* What has been dropped, the last of a namespace */
typedef struct Mark
{
	uint64 host;
	uint64 namespace_;
	int64 lsn;
	int64 at; /* 0: the mark is free */
} Mark;

typedef struct Entry
{
	/* In the first 8 bytes, for a gap may have no more */
	uint32 len;	 /* of all of it, a multiple of 8 */
	bool is_gap; /* the rest of the ring was too small for the next one */

	uint32 name_len; /* of the namespace, with terminator and filled up to such */
	uint32 write_len;
	PineconeConfirmedKey key;
	int64 lsn;
	int64 at;
} Entry;

typedef struct Area
{
	PineconeShared shared;
	pg_atomic_uint64 head; /* bytes ever added */
	pg_atomic_uint64 newest_at;
	uint64 tail;
	int64 unmarked_at; /* when what left no mark was confirmed, for there was none left */
	Mark marks[NMARKS];
	uint64 size; /* of the ring */
	char ring[FLEXIBLE_ARRAY_MEMBER];
} Area;

static Area *area = NULL;

/* ---- Time ---- */

int64
pinecone_confirmed_clock(void)
{
	return pinecone_clock_now() / 1000;
}

int64
pinecone_confirmed_least_ms(void)
{
	return pinecone_unseen_time_ms;
}

int64
pinecone_confirmed_most_ms(void)
{
	return (int64) pinecone_unseen_time_ms * MOST_TIMES;
}

/* ---- The area ---- */

bool
pinecone_confirmed_are_kept(void)
{
	return pinecone_unseen_writes_kb > 0 && pinecone_unseen_time_ms > 0;
}

static bool
find_area(bool create)
{
	if (area == NULL)
		area = (Area *) pinecone_shared_area(PINECONE_SHARED_WRITES,
											 create ? (Size) pinecone_unseen_writes_kb * 1024 : 0);
	return area != NULL;
}

bool
pinecone_confirmed_any(void)
{
	return pinecone_confirmed_are_kept() && find_area(false) &&
		   pg_atomic_read_u64(&area->head) > 0 &&
		   pinecone_confirmed_clock() - (int64) pg_atomic_read_u64(&area->newest_at) <
			   pinecone_confirmed_most_ms();
}

int64
pinecone_confirmed_newest(void)
{
	return pinecone_confirmed_are_kept() && find_area(false) && pg_atomic_read_u64(&area->head) > 0 ?
			   (int64) pg_atomic_read_u64(&area->newest_at) :
			   0;
}

uint64
pinecone_confirmed_end(void)
{
	return area ? pg_atomic_read_u64(&area->head) : 0;
}

static uint64
hash_string(const char *string)
{
	return DatumGetUInt64(hash_any_extended((const unsigned char *) string, strlen(string), 0));
}

bool
pinecone_confirmed_key(PineconeSession *session, PineconeConfirmedKey *key)
{
	char *api_key;
	char *text;
	bytea *digest;

	if (session->base_url == NULL)
		return false;
	api_key = pinecone_option_api_key(session->mapping, false);
	key->host = hash_string(session->base_url);
	text = psprintf("%s %s", session->base_url, api_key);
	digest = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
												 PointerGetDatum(cstring_to_text(text))));
	memcpy(key->owner, VARDATA_ANY(digest), sizeof(key->owner));
	pfree(text);
	pfree(digest);
	return true;
}

/* ---- Marks ---- */

/* The namespace's mark, else one that is free or no longer matters; or NULL. */
static Mark *
find_mark(uint64 host, uint64 namespace_, int64 now)
{
	Mark *free_mark = NULL;

	for (int i = 0; i < NMARKS; i++)
	{
		Mark *mark = &area->marks[(namespace_ + i) % NMARKS];

		if (mark->at != 0 && mark->host == host && mark->namespace_ == namespace_)
			return mark;
		if (free_mark == NULL && (mark->at == 0 || now - mark->at >= pinecone_confirmed_most_ms()))
			free_mark = mark;
		if (mark->at == 0)
			break;
	}
	return free_mark;
}

static void
leave_mark(uint64 host, const char *name, int64 lsn, int64 at, int64 now)
{
	uint64 namespace_ = hash_string(name);
	Mark *mark;

	if (now - at >= pinecone_confirmed_most_ms())
		return;
	mark = find_mark(host, namespace_, now);
	if (mark == NULL)
	{
		area->unmarked_at = Max(area->unmarked_at, at);
		return;
	}
	if (mark->host != host || mark->namespace_ != namespace_)
	{
		mark->lsn = -1;
		mark->at = 0;
	}
	mark->host = host;
	mark->namespace_ = namespace_;
	mark->lsn = Max(mark->lsn, lsn);
	mark->at = Max(mark->at, at);
}

bool
pinecone_confirmed_lost(uint64 host, const char *namespace_, int64 *lsn, int64 *at)
{
	int64 now = pinecone_confirmed_clock();
	uint64 hash = hash_string(namespace_);
	Mark *mark;
	bool found;

	*lsn = -1;
	*at = 0;
	if (area == NULL)
		return false;
	LWLockAcquire(&area->shared.lock, LW_SHARED);
	mark = find_mark(host, hash, now);
	if (mark != NULL && mark->at != 0 && mark->host == host && mark->namespace_ == hash)
	{
		*lsn = mark->lsn;
		*at = mark->at;
	}
	*at = Max(*at, area->unmarked_at);
	LWLockRelease(&area->shared.lock);
	found = *at != 0 && now - *at < pinecone_confirmed_most_ms();
	return found;
}

/* ---- The ring ---- */

static Entry *
entry_at(uint64 position)
{
	return (Entry *) (area->ring + position % area->size);
}

/* Drop the oldest entries until so many bytes are free. */
static void
make_room(uint64 len, int64 now)
{
	while (pg_atomic_read_u64(&area->head) + len - area->tail > area->size)
	{
		Entry *oldest = entry_at(area->tail);

		if (!oldest->is_gap)
			leave_mark(oldest->key.host, (char *) (oldest + 1), oldest->lsn, oldest->at, now);
		area->tail += oldest->len;
	}
}

/* An entry of that length, which must not be more than the ring holds. */
static Entry *
new_entry(uint64 len, int64 now)
{
	uint64 head = pg_atomic_read_u64(&area->head);
	uint64 left = area->size - head % area->size;
	Entry *entry;

	if (left < len)
	{
		make_room(left, now);
		entry = entry_at(head);
		entry->len = left;
		entry->is_gap = true;
		head += left;
		pg_atomic_write_u64(&area->head, head);
	}
	make_room(len, now);
	entry = entry_at(head);
	memset(entry, 0, sizeof(Entry));
	entry->len = len;
	return entry;
}

/* Under the lock: nothing here may fail. */
static void
add_one(const PineconeConfirmedKey *key, const char *namespace_, int64 lsn, const char *write,
		int len, int64 now)
{
	uint32 name_len = MAXALIGN(strlen(namespace_) + 1);
	uint64 total = MAXALIGN(sizeof(Entry)) + name_len + MAXALIGN(len);
	Entry *entry;
	char *p;

	if (total > area->size / 4)
	{
		leave_mark(key->host, namespace_, lsn, now, now);
		return;
	}
	entry = new_entry(total, now);
	entry->name_len = name_len;
	entry->write_len = len;
	entry->key = *key;
	entry->lsn = lsn;
	entry->at = now;
	p = (char *) (entry + 1);
	strcpy(p, namespace_);
	memcpy(p + name_len, write, len);
	pg_atomic_write_u64(&area->head, pg_atomic_read_u64(&area->head) + total);
}

void
pinecone_confirmed_add(const PineconeConfirmedKey *key, const char *namespace_, int64 lsn,
					   const char *writes, int len)
{
	int64 now;

	if (!pinecone_confirmed_are_kept() || !find_area(true))
		return;
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	now = pinecone_confirmed_clock();
	if (area->size == 0)
		area->size = (area->shared.size - offsetof(Area, ring)) / sizeof(Entry) * sizeof(Entry);
	for (int offset = 0; offset < len;)
	{
		PineconeWriteHeader header;
		int size;

		memcpy(&header, writes + offset, sizeof(header));
		size = sizeof(header) + pinecone_write_body_length(&header);
		add_one(key, namespace_, lsn, writes + offset, size, now);
		offset += size;
	}
	pg_atomic_write_u64(&area->newest_at, now);
	LWLockRelease(&area->shared.lock);
}

uint64
pinecone_confirmed_read(uint64 position, PineconeConfirmedReader reader, void *arg)
{
	uint64 head;

	if (area == NULL)
		return position;
	LWLockAcquire(&area->shared.lock, LW_SHARED);
	head = pg_atomic_read_u64(&area->head);
	if (position < area->tail)
	{
		position = area->tail;
		reader(NULL, arg);
	}
	while (position < head)
	{
		const Entry *entry = entry_at(position);
		PineconeConfirmed confirmed;

		position += entry->len;
		if (entry->is_gap)
			continue;
		confirmed.key = entry->key;
		confirmed.namespace_ = (const char *) (entry + 1);
		confirmed.lsn = entry->lsn;
		confirmed.at = entry->at;
		confirmed.write = confirmed.namespace_ + entry->name_len;
		confirmed.len = entry->write_len;
		reader(&confirmed, arg);
	}
	LWLockRelease(&area->shared.lock);
	return head;
}
