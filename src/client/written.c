/*
 * written.c
 *		A table in shared memory, by name of namespace: its last write, and what
 *		searches have told of it.
 *
 * It is of fixed size, and each name has one place.  Two
 * names that fall upon the same place take turns there; a write to one of them
 * counts as a write to both, which costs a request and nothing else.
 *
 * Writes are numbered, all of the cluster together.  Whoever asks for something
 * notes how many there have been; if the namespace has had none since, the reply
 * is not older than what was written.  It may still lack what had been written
 * before, and the service did not show yet: pinecone_written_is_shown() tells.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/atomics.h"

#include "base/setting.h"
#include "base/shared.h"
#include "client/written.h"

#define NPLACES 2048

/* As pending/confirmed.c: where the service is behind, a write is unseen for so many times unseen_time */
#define MOST_TIMES 6

/* Where nothing is laid over, the service takes its time all the same */
#define USUAL_TIME_MS 10000

typedef struct Place
{
	uint64 host; /* 0: nobody's yet */
	uint64 name;
	uint64 written;				/* the number of its last write */
	PineconeTime written_at;	/* 0: none */
	int64 lsn;					/* of its writes; -1: none has one */
	PineconeTime unnumbered_at; /* the last that has none */
	PineconeTold told;
} Place;

typedef struct Area
{
	PineconeShared shared;
	pg_atomic_uint64 count;
	Place places[NPLACES];
} Area;

static Area *area = NULL;

static bool
find_area(void)
{
	if (area == NULL)
		area = (Area *) pinecone_shared_area(PINECONE_SHARED_WRITTEN, sizeof(Area));
	return area != NULL;
}

bool
pinecone_written_is_known(void)
{
	return find_area() && !area->shared.is_own;
}

uint64
pinecone_written_name(const char *name)
{
	uint64 hash;

	/* the default namespace has two names */
	if (strcmp(name, "__default__") == 0)
		name = "";
	hash = DatumGetUInt64(hash_any_extended((const unsigned char *) name, strlen(name), 0));
	return hash == 0 ? 1 : hash;
}

static Place *
place_of(uint64 host, uint64 name)
{
	return &area->places[hash_combine64(host, name) % NPLACES];
}

static bool
is_of(const Place *place, uint64 host, uint64 name)
{
	return place->host == host && place->name == name;
}

/* The place is that name's from now on; what was written to another stays as if it were its own. */
static void
take_place(Place *place, uint64 host, uint64 name)
{
	if (is_of(place, host, name))
		return;
	place->host = host;
	place->name = name;
	place->lsn = -1;
	place->unnumbered_at = place->written_at;
	memset(&place->told, 0, sizeof(place->told));
	place->told.lsn = -1;
}

/* ---- Writes ---- */

void
pinecone_written_note(uint64 host, const char *namespace_, int64 lsn)
{
	const char *names[2] = {namespace_, PINECONE_ANY_NAMESPACE};
	PineconeTime now = pinecone_clock_now();

	if (!find_area())
		return;
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	for (int i = 0; i < 2; i++)
	{
		uint64 name = pinecone_written_name(names[i]);
		Place *place = place_of(host, name);

		take_place(place, host, name);
		place->written = pg_atomic_add_fetch_u64(&area->count, 1);
		place->written_at = now;
		if (lsn < 0 || i > 0)
			place->unnumbered_at = now;
		else
			place->lsn = Max(place->lsn, lsn);
	}
	LWLockRelease(&area->shared.lock);
}

uint64
pinecone_written_count(void)
{
	return find_area() ? pg_atomic_read_u64(&area->count) : 0;
}

static Place
read_place(uint64 host, uint64 name)
{
	Place place;

	LWLockAcquire(&area->shared.lock, LW_SHARED);
	place = *place_of(host, name);
	LWLockRelease(&area->shared.lock);
	return place;
}

bool
pinecone_written_since(uint64 host, uint64 name, uint64 count)
{
	uint64 all = pinecone_written_name(PINECONE_ALL_NAMESPACES);
	uint64 written;

	if (!find_area())
		return true;
	LWLockAcquire(&area->shared.lock, LW_SHARED);
	written = Max(place_of(host, name)->written, place_of(host, all)->written);
	LWLockRelease(&area->shared.lock);
	return written > count;
}

/* ---- What replies show ---- */

static int64
least_ms(void)
{
	return pinecone_unseen_time_ms > 0 ? pinecone_unseen_time_ms : USUAL_TIME_MS;
}

static bool
is_older(PineconeTime at, PineconeTime than, int64 by_ms)
{
	return at == 0 || pinecone_clock_after_ms(at, by_ms) <= than;
}

bool
pinecone_written_is_shown(uint64 host, uint64 name, PineconeTime asked_at, int64 lsn)
{
	Place place;

	if (!find_area())
		return false;
	place = read_place(host, name);
	if (is_older(place.written_at, asked_at, least_ms() * MOST_TIMES))
		return true;
	if (!is_of(&place, host, name) || !is_older(place.unnumbered_at, asked_at, least_ms()))
		return false;
	/* a search says itself what it shows */
	if (lsn >= 0 && place.lsn >= 0)
		return lsn >= place.lsn;
	return is_older(place.written_at, asked_at, least_ms()) &&
		   (place.lsn < 0 || (place.told.lsn >= place.lsn && place.told.asked_at <= asked_at));
}

PineconeTime
pinecone_written_shown_from(uint64 host, uint64 name)
{
	Place place;
	Place all;
	PineconeTime from = 0;
	bool told;

	if (!find_area())
		return pinecone_clock_now();
	place = read_place(host, name);
	all = read_place(host, pinecone_written_name(PINECONE_ALL_NAMESPACES));
	told = is_of(&place, host, name) && name != pinecone_written_name(PINECONE_ANY_NAMESPACE) &&
		   (place.lsn < 0 || place.told.lsn >= place.lsn);
	if (place.written_at != 0)
		from = pinecone_clock_after_ms(place.written_at, told ? least_ms() : least_ms() * MOST_TIMES);
	if (all.written_at != 0)
		from = Max(from, pinecone_clock_after_ms(all.written_at, least_ms() * MOST_TIMES));
	return from;
}

/* ---- What has been told ---- */

void
pinecone_told_note(uint64 host, uint64 name, const PineconeTold *told)
{
	Place *place;

	if (!find_area())
		return;
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	place = place_of(host, name);
	take_place(place, host, name);
	/* what is behind what was told before says nothing new */
	if (place->told.asked_at <= told->asked_at &&
		(place->told.target != told->target || (told->lsn >= 0 && told->lsn >= place->told.lsn)))
		place->told = *told;
	LWLockRelease(&area->shared.lock);
}

PineconeTold
pinecone_told(uint64 host, uint64 name)
{
	PineconeTold nothing = {0, -1, 0};
	Place place;

	if (!find_area())
		return nothing;
	place = read_place(host, name);
	return is_of(&place, host, name) ? place.told : nothing;
}
