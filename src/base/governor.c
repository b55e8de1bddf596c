/*
 * governor.c
 *		Whose turn it is to send a request, among all backends.
 *
 * A bucket is what one limit is about.  Its time is cut into slots; in each it
 * is noted how much was sent, or will be: a turn that cannot be had now is one
 * in the first slot to come that has room.  No row of WINDOW slots holds more
 * than the limit.  They are a little longer than a second, because requests do
 * not all take the same time to get there.
 *
 * A session has one turn to come of each bucket at most, so that one with a
 * thousand requests to send does not push the others behind them.  A turn that
 * is not used is lost, and that is all.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/governor.h"
#include "base/shared.h"

/* Slots of a second, and of what counts as one */
#define SLOTS_PER_SECOND 40
#define WINDOW 42

/* Slots ahead in which turns are given; and all of a bucket: a power of two */
#define AHEAD 84
#define NSLOTS 128

/*
 * Of a limit no less is used than this share; a share grows by that part of the
 * limit per second.
 */
#define LEAST_SHARE 0.02
#define GROWTH_PER_SECOND 0.1

/* What is not limited here is, for so long after the service has refused one. */
#define COUNTS_MS 10000

/* A bucket is looked for in so many places.  What nobody used for a while is free. */
#define NBUCKETS 1024
#define NPLACES 16
#define UNUSED_MS 20000

/* A turn is good for so long after its time. */
#define TURN_MS 500

typedef struct Bucket
{
	uint64 who; /* 0: free */
	PineconeTime used_at;
	int64 end;			  /* slots from here on are not cleared yet */
	uint32 taken[NSLOTS]; /* by slot */
	uint16 refused[NSLOTS];

	/* What the service asks for */
	double share; /* of the limit */
	double least; /* that it may fall to for what was sent before "lowered_at" */
	PineconeTime lowered_at;
	PineconeTime shared_at; /* the time that "share" is of */
	PineconeTime refused_at;
	PineconeTime closed_until;
} Bucket;

typedef struct Area
{
	PineconeShared shared;
	Bucket buckets[NBUCKETS];
} Area;

/* A bucket, and what one looks at in it */
typedef struct View
{
	Bucket *bucket;
	double limit;		  /* per window, as it is granted */
	PineconeTime slot_us; /* how long a slot is */
	int64 now;			  /* the slot of now */
	uint32 amount;
} View;

typedef struct Turn
{
	uint64 who; /* the hash key */
	PineconeTime at;
	uint32 amount; /* of what the kind is limited by besides */
} Turn;

struct PineconeTurns
{
	HTAB *table;
};

static Area *area = NULL;

/* ---- Buckets ---- */

static bool
find_area(bool create)
{
	if (area == NULL)
		area = (Area *) pinecone_shared_area(PINECONE_SHARED_TURNS, create ? sizeof(Area) : 0);
	return area != NULL;
}

/* Those who believe in another limit have another bucket. */
static uint64
bucket_name(const PineconeTurnFor *what, PineconeRateKind kind, double limit)
{
	struct
	{
		uint64 host;
		uint64 namespace_;
		double limit;
		uint64 kind;
	} key = {what->host, 0, limit, kind};

	if (what->namespace_ != NULL && pinecone_rate_is_by_namespace(kind))
		key.namespace_ = DatumGetUInt64(hash_any_extended((const unsigned char *) what->namespace_,
														  strlen(what->namespace_), 0));
	return Max(1, DatumGetUInt64(hash_any_extended((const unsigned char *) &key, sizeof(key), 0)));
}

/*
 * The bucket of that name; if there is none, and one is wanted, it is made, in
 * place of the one that was not used for longest if need be.
 */
static Bucket *
find_bucket(uint64 who, bool create, PineconeTime now)
{
	Bucket *best = NULL;

	for (int i = 0; i < NPLACES; i++)
	{
		Bucket *bucket = &area->buckets[(who + i) % NBUCKETS];

		if (bucket->who == who)
			return bucket;
		if (best == NULL || bucket->used_at < best->used_at)
			best = bucket;
	}
	if (!create)
		return NULL;
	memset(best, 0, sizeof(*best));
	best->who = who;
	best->share = best->least = 1;
	best->shared_at = now;
	return best;
}

/* Its slots up to those that turns are given in are cleared of what was a round ago. */
static void
clear_slots(Bucket *bucket, int64 now)
{
	int64 end = now + AHEAD;
	int64 first = Max(bucket->end, end - NSLOTS);

	for (int64 slot = first; slot < end; slot++)
	{
		bucket->taken[slot % NSLOTS] = 0;
		bucket->refused[slot % NSLOTS] = 0;
	}
	bucket->end = Max(bucket->end, end);
}

/* Under the lock. */
static View
view_bucket(Bucket *bucket, double limit, double amount, PineconeTime now)
{
	View view;
	double seconds = (now - bucket->shared_at) / 1000000.0;

	bucket->share = Min(1, bucket->share + Max(0, seconds) * GROWTH_PER_SECOND);
	bucket->shared_at = bucket->used_at = now;
	view.bucket = bucket;
	/* with less than one per second the window is as long as one takes */
	view.slot_us = (PineconeTime) (1000000 / SLOTS_PER_SECOND * Max(1, 1 / limit));
	view.limit = Max(1, floor(Max(1, limit) * bucket->share));
	view.now = now / view.slot_us;
	view.amount = (uint32) Min(ceil(amount), UINT_MAX / NSLOTS);
	clear_slots(bucket, view.now);
	return view;
}

/* Everything from "first" to "last". */
static double
sum_taken(const Bucket *bucket, int64 first, int64 last)
{
	double sum = 0;

	for (int64 slot = first; slot <= last; slot++)
		sum += bucket->taken[slot % NSLOTS];
	return sum;
}

/*
 * Is there room for it in a slot?  All windows that hold the slot must have it;
 * what is more than the limit has to come alone.
 */
static bool
slot_has_room(const View *view, int64 slot)
{
	const Bucket *bucket = view->bucket;
	int64 last = Min(slot + WINDOW - 1, bucket->end - 1);
	double sum = sum_taken(bucket, Max(slot - WINDOW + 1, bucket->end - NSLOTS), slot);

	for (int64 end = slot;; end++)
	{
		if (sum > 0 && sum + view->amount > view->limit)
			return false;
		if (end == last)
			return true;
		sum += bucket->taken[(end + 1) % NSLOTS];
		if (end - WINDOW + 1 >= bucket->end - NSLOTS)
			sum -= bucket->taken[(end - WINDOW + 1) % NSLOTS];
	}
}

/* The first slot with room in all of the buckets; the end of what is looked at: none. */
static int64
first_slot(const View *views, int n, PineconeTime now)
{
	int64 end = views[0].now + AHEAD - WINDOW;

	for (int64 slot = views[0].now; slot < end; slot++)
	{
		PineconeTime at = slot * views[0].slot_us;
		bool room = true;

		for (int i = 0; i < n && room; i++)
		{
			/* the second limit of a kind may have slots of another length */
			int64 its = i == 0 ? slot : Max(at, now) / views[i].slot_us;

			room = Max(at, now) >= views[i].bucket->closed_until && its < views[i].now + AHEAD &&
				   slot_has_room(&views[i], its);
		}
		if (room)
			return slot;
	}
	return end;
}

/* ---- Turns ---- */

PineconeTurns *
pinecone_governor_create(void)
{
	PineconeTurns *turns = palloc(sizeof(PineconeTurns));
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(Turn);
	ctl.hcxt = CurrentMemoryContext;
	turns->table = hash_create("pinecone turns", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return turns;
}

/*
 * The limits that a request has to keep, at most two: how many, and how much.
 * Returns how many there are.
 */
static int
limits_of(const PineconeRateLimits *rates, const PineconeTurnFor *what, PineconeRateKind *kinds,
		  double *amounts)
{
	PineconeRateKind besides = pinecone_rate_besides(what->kind);
	int n = 0;

	if (rates->limits[what->kind] > 0)
	{
		kinds[n] = what->kind;
		amounts[n++] = 1;
	}
	if (besides != PINECONE_RATE_NONE && rates->limits[besides] > 0 && what->amount > 0)
	{
		kinds[n] = besides;
		amounts[n++] = what->amount;
	}
	return n;
}

/* Until when the service wants to be left alone. */
static PineconeTime
closed_until(const View *views, int n)
{
	return n > 1 ? Max(views[0].bucket->closed_until, views[1].bucket->closed_until) :
				   views[0].bucket->closed_until;
}

/*
 * A turn that was given before is used when its time has come.  Returns whether
 * that settles it, with *when set to when it may go.
 */
static bool
use_turn(PineconeTurns *turns, View *views, int n, PineconeTime now, PineconeTime *when)
{
	Turn *turn = hash_search(turns->table, &views[0].bucket->who, HASH_FIND, NULL);

	if (turn == NULL)
		return false;
	if (turn->at > now && closed_until(views, n) <= turn->at)
	{
		*when = turn->at;
		return true;
	}
	(void) hash_search(turns->table, &turn->who, HASH_REMOVE, NULL);
	if (now > turn->at + TURN_MS * 1000 || now < closed_until(views, n))
		return false;
	/* it may have been given to a smaller one */
	if (n > 1 && views[1].amount > turn->amount)
		views[1].bucket->taken[views[1].now % NSLOTS] += views[1].amount - turn->amount;
	*when = 0;
	return true;
}

/* Take the first turn that there is: now, or to come. */
static PineconeTime
take_first(PineconeTurns *turns, View *views, int n, PineconeTime now)
{
	int64 slot = first_slot(views, n, now);
	PineconeTime at = slot * views[0].slot_us;
	Turn *turn;

	/* all that may be given are: ask again, half way through */
	if (slot == views[0].now + AHEAD - WINDOW)
		return Max(now + views[0].slot_us * WINDOW / 2, Min(closed_until(views, n), now + 1000000));
	for (int i = 0; i < n; i++)
	{
		int64 its = i == 0 ? slot : Max(at, now) / views[i].slot_us;

		views[i].bucket->taken[its % NSLOTS] += views[i].amount;
	}
	if (slot == views[0].now)
		return 0;
	turn = hash_search(turns->table, &views[0].bucket->who, HASH_ENTER, NULL);
	turn->at = at;
	turn->amount = n > 1 ? views[1].amount : 0;
	return at;
}

PineconeTime
pinecone_governor_take(PineconeTurns *turns, const PineconeRateLimits *rates,
					   const PineconeTurnFor *what)
{
	PineconeRateKind kinds[2];
	double amounts[2];
	View views[2];
	int n = limits_of(rates, what, kinds, amounts);
	PineconeTime now;
	PineconeTime when;

	if (n == 0 || !find_area(true))
		return 0;
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	now = pinecone_clock_now();
	for (int i = 0; i < n; i++)
	{
		double limit = rates->limits[kinds[i]];

		views[i] = view_bucket(find_bucket(bucket_name(what, kinds[i], limit), true, now), limit, amounts[i], now);
	}
	if (!use_turn(turns, views, n, now, &when))
		when = take_first(turns, views, n, now);
	LWLockRelease(&area->shared.lock);
	return when;
}

/* ---- What the service says ---- */

/* How much of what was sent in the last window was not refused, as far as is known? */
static double
granted_lately(const View *view)
{
	int64 first = view->now - WINDOW + 1;
	double refused = 0;

	for (int64 slot = first; slot <= view->now; slot++)
		refused += view->bucket->refused[slot % NSLOTS];
	return sum_taken(view->bucket, first, view->now) - refused * view->amount;
}

void
pinecone_governor_refused(const PineconeRateLimits *rates, const PineconeTurnFor *what,
						  bool by_amount, PineconeTime sent_at, double retry_after)
{
	PineconeRateKind kind = by_amount ? pinecone_rate_besides(what->kind) : what->kind;
	double limit = rates->limits[kind];
	double amount = by_amount ? what->amount : 1;
	PineconeTime now;
	Bucket *bucket;
	View view;

	if (kind == PINECONE_RATE_NONE || limit <= 0 || !find_area(true))
		return;
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	now = pinecone_clock_now();
	bucket = find_bucket(bucket_name(what, kind, limit), true, now);
	view = view_bucket(bucket, limit, amount, now);
	bucket->refused_at = now;
	if (retry_after > 0)
		bucket->closed_until = Max(bucket->closed_until, now + (PineconeTime) (retry_after * 1000000));
	bucket->refused[view.now % NSLOTS]++;

	/* requests that went out together are refused together: to a half, for all of them */
	if (sent_at >= bucket->lowered_at)
	{
		bucket->least = Max(LEAST_SHARE, bucket->share / 2);
		bucket->lowered_at = now;
	}
	bucket->share = Min(bucket->share, Max(bucket->least, granted_lately(&view) / Max(1, limit)));
	LWLockRelease(&area->shared.lock);
}

bool
pinecone_governor_counts(const PineconeRateLimits *rates, const PineconeTurnFor *what)
{
	double limit = rates->limits[what->kind];
	Bucket *bucket;
	bool counts;

	if (limit <= 0 || !find_area(false))
		return false;
	LWLockAcquire(&area->shared.lock, LW_SHARED);
	bucket = find_bucket(bucket_name(what, what->kind, limit), false, 0);
	counts = bucket != NULL && bucket->refused_at != 0 && !pinecone_clock_passed(bucket->refused_at, COUNTS_MS);
	LWLockRelease(&area->shared.lock);
	return counts;
}
