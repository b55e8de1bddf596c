/*
 * unseen.c
 *		What has been written, and the service may not show yet.
 *
 * Calls of different kinds (search, list, fetch, statistics) show a write at
 * different times, and only the replies of searches tell how far they are.  So
 * a write is kept for unseen_time in any case, and longer where searches are
 * known to be behind.  Laying it over what shows it already changes nothing:
 * records are set, deleted or have fields set, in the order in which the
 * service has done so.  The exceptions are seen by is_repeatable().
 *
 * For each index and key there is a copy of what pending/confirmed.c has of
 * them, as a log with its index.  It grows as long as it is in order, and is
 * made anew without what is old.  Views that are in use keep the copy that they
 * are of.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/idset.h"
#include "client/written.h"
#include "pending/confirmed.h"
#include "pending/indexed.h"
#include "pending/unseen.h"
#include "pending/write_code.h"

/* A write in the copy */
typedef struct Item
{
	int64 offset; /* in the log */
	int number;	  /* of its namespace there */
	int64 lsn;
	int64 at;
} Item;

typedef struct Copy
{
	MemoryContext cxt;
	PineconePendingLog *log;
	PineconePendingIndex *index;
	Item *items;
	int nitems;
	int size;
	int64 oldest_at;
	bool in_order; /* by sequence number within each namespace */
	int64 *lsns;   /* the last of each namespace */
	int nlsns;
	int users;
	bool replaced;
} Copy;

/* What is known of a namespace */
typedef struct Place
{
	int64 indexed;	/* searches have shown this sequence number; -1: none */
	int64 asked_at; /* when they were last asked just for that */
	int64 lsn;		/* the last write with another key, or that has been dropped */
	int64 at;
	int64 watched_since; /* of all writes since then it is known when the last one was; or 0 */
	int64 written_at;
	int64 unseen_at; /* when there was last one that might not be shown */
} Place;

/* An index as a key's owner sees it */
typedef struct Host
{
	PineconeConfirmedKey key;
	uint64 position; /* how far confirmed writes have been copied */
	Copy *copy;
	int64 looked_at; /* when old ones were last looked for */
	idset_hash *places;
	struct Host *next;
} Host;

static Host *hosts = NULL;

/* ---- Hosts and places ---- */

static Host *
find_host(PineconeSession *session)
{
	PineconeConfirmedKey key;
	Host *host;

	if (!pinecone_confirmed_any() || !pinecone_confirmed_key(session, &key))
		return NULL;
	for (host = hosts; host != NULL; host = host->next)
	{
		if (memcmp(&host->key, &key, sizeof(key)) == 0)
			return host;
	}
	host = MemoryContextAllocZero(TopMemoryContext, sizeof(Host));
	host->key = key;
	host->places = idset_create(TopMemoryContext, 16, NULL);
	host->next = hosts;
	hosts = host;
	return host;
}

static Place *
find_place(Host *host, const char *namespace_)
{
	PineconeIdEntry *entry = idset_lookup(host->places, namespace_);
	Place *place;
	bool found;

	if (entry != NULL)
		return (Place *) (uintptr_t) entry->number;
	place = MemoryContextAllocZero(TopMemoryContext, sizeof(Place));
	place->indexed = place->lsn = -1;
	entry = idset_insert(host->places, MemoryContextStrdup(TopMemoryContext, namespace_), &found);
	entry->number = (int64) (uintptr_t) place;
	return place;
}

/* ---- Copies ---- */

static Copy *
create_copy(void)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext, "pinecone unseen writes",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Copy *copy = palloc0(sizeof(Copy));

	copy->cxt = cxt;
	copy->log = pinecone_pending_log_create(NULL);
	copy->index = pinecone_pending_index_create(copy->log);
	copy->in_order = true;
	MemoryContextSwitchTo(old);
	return copy;
}

static void
release_copy(void *arg)
{
	Copy *copy = arg;

	if (--copy->users == 0 && copy->replaced)
		MemoryContextDelete(copy->cxt);
}

/* Nobody who comes from now on uses it. */
static void
replace_copy(Host *host, Copy *new_copy)
{
	Copy *copy = host->copy;

	host->copy = new_copy;
	if (copy == NULL)
		return;
	copy->replaced = true;
	if (copy->users == 0)
		MemoryContextDelete(copy->cxt);
}

/* The current memory context needs the copy for as long as it lives. */
static void
use_copy(Copy *copy)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release_copy;
	callback->arg = copy;
	copy->users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

/* The last sequence number of a namespace. */
static int64 *
last_lsn(Copy *copy, int number)
{
	if (number >= copy->nlsns)
	{
		int n = Max(16, 2 * number);

		copy->lsns = copy->lsns ? repalloc(copy->lsns, n * sizeof(int64)) : palloc(n * sizeof(int64));
		while (copy->nlsns < n)
			copy->lsns[copy->nlsns++] = -1;
	}
	return &copy->lsns[number];
}

static void
add_item(Copy *copy, const char *namespace_, int64 lsn, int64 at, const char *write, int len)
{
	MemoryContext old = MemoryContextSwitchTo(copy->cxt);
	Item item = {0};
	int64 *last;

	item.number = pinecone_pending_log_target(copy->log, NULL, NULL, namespace_, 0, 0);
	item.offset = pinecone_pending_log_size(copy->log);
	item.lsn = lsn;
	item.at = at;
	last = last_lsn(copy, item.number);
	copy->in_order = copy->in_order && (lsn < 0 || lsn >= *last);
	*last = Max(*last, lsn);
	if (copy->nitems == 0 || at < copy->oldest_at)
		copy->oldest_at = at;
	if (copy->nitems == copy->size)
	{
		copy->size = Max(16, 2 * copy->size);
		copy->items = copy->items ? repalloc_huge(copy->items, copy->size * sizeof(Item)) :
									palloc(copy->size * sizeof(Item));
	}
	copy->items[copy->nitems++] = item;
	pinecone_pending_log_add_encoded(copy->log, item.number, write, len);
	MemoryContextSwitchTo(old);
}

static const char *
namespace_of(Copy *copy, const Item *item)
{
	return pinecone_pending_log_target_of(copy->log, item->number)->namespace_;
}

/* Is it sure that calls of all kinds show a write? */
static bool
is_seen(Host *host, Copy *copy, const Item *item, int64 now)
{
	int64 age = now - item->at;

	if (age < pinecone_confirmed_least_ms())
		return false;
	return item->lsn < 0 || age >= pinecone_confirmed_most_ms() ||
		   find_place(host, namespace_of(copy, item))->indexed >= item->lsn;
}

static int
compare_items(const void *a, const void *b)
{
	const Item *x = a;
	const Item *y = b;

	if (x->number == y->number && x->lsn >= 0 && y->lsn >= 0 && x->lsn != y->lsn)
		return x->lsn < y->lsn ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Make the copy anew, in order, of what may be unseen still. */
static void
make_anew(Host *host, int64 now)
{
	Copy *from = host->copy;
	Copy *to = create_copy();
	StringInfoData buf;

	initStringInfo(&buf);
	if (!from->in_order)
		qsort(from->items, from->nitems, sizeof(Item), compare_items);
	for (int i = 0; i < from->nitems; i++)
	{
		const Item *item = &from->items[i];

		if (is_seen(host, from, item, now))
			continue;
		(void) pinecone_pending_log_read_encoded(from->log, item->offset, &buf);
		add_item(to, namespace_of(from, item), item->lsn, item->at, buf.data, buf.len);
	}
	pfree(buf.data);
	replace_copy(host, to);
}

/*
 * One more confirmed write.  Where some were dropped before it was taken, what
 * is older than these must not be laid over them: all of that has been dropped
 * there as well, and is waited for.
 */
static void
take(const PineconeConfirmed *confirmed, void *arg)
{
	Host *host = arg;
	PineconeIdEntry *entry;
	Place *place;

	if (confirmed == NULL)
	{
		if (host->copy->nitems > 0)
			replace_copy(host, create_copy());
		return;
	}
	if (confirmed->key.host != host->key.host)
		return;
	/* those are watched that somebody here has asked about */
	entry = idset_lookup(host->places, confirmed->namespace_);
	if (entry != NULL)
	{
		place = (Place *) (uintptr_t) entry->number;
		place->written_at = Max(place->written_at, confirmed->at);
	}
	if (memcmp(confirmed->key.owner, host->key.owner, sizeof(host->key.owner)) == 0)
	{
		add_item(host->copy, confirmed->namespace_, confirmed->lsn, confirmed->at,
				 confirmed->write, confirmed->len);
		return;
	}
	place = find_place(host, confirmed->namespace_);
	place->written_at = Max(place->written_at, confirmed->at);
	place->lsn = Max(place->lsn, confirmed->lsn);
	place->at = Max(place->at, confirmed->at);
}

/* Bring a host's copy up to date; NULL when there is nothing unseen. */
static Host *
current_host(PineconeSession *session)
{
	Host *host = find_host(session);
	int64 now;

	if (host == NULL)
		return NULL;
	if (host->copy == NULL)
		host->copy = create_copy();
	if (host->position != pinecone_confirmed_end())
		host->position = pinecone_confirmed_read(host->position, take, host);
	now = pinecone_confirmed_clock();
	if (host->copy->nitems > 0 &&
		(!host->copy->in_order ||
		 (now - host->copy->oldest_at >= pinecone_confirmed_least_ms() &&
		  now - host->looked_at >= pinecone_confirmed_least_ms() / 10)))
	{
		make_anew(host, now);
		host->looked_at = now;
	}
	return host;
}

/* ---- Namespaces ---- */

/* The last sequence number of a namespace's writes that are so old, or -1. */
static int64
lsn_at_age(Host *host, const char *namespace_, int64 age, int64 now)
{
	int number = pinecone_pending_log_place(host->copy->log, NULL, namespace_);
	int64 lsn = -1;

	for (int i = 0; number >= 0 && i < host->copy->nitems; i++)
	{
		const Item *item = &host->copy->items[i];

		if (item->number == number && now - item->at >= age)
			lsn = Max(lsn, item->lsn);
	}
	return lsn;
}

int64
pinecone_unseen_last_lsn(PineconeSession *session, const char *namespace_)
{
	Host *host = current_host(session);
	int64 lsn = host ? lsn_at_age(host, namespace_, 0, pinecone_confirmed_clock()) : -1;

	return host != NULL && find_place(host, namespace_)->indexed < lsn ? lsn : -1;
}

/* Do searches show that sequence number?  Asks, unless some session knows. */
static bool
is_searchable(Place *place, PineconeSession *session, const char *namespace_, int64 lsn)
{
	uint64 name = pinecone_written_name(namespace_);
	PineconeTold told = pinecone_told(session->host_hash, name);

	if (told.target == name)
		place->indexed = Max(place->indexed, told.lsn);
	if (place->indexed < lsn)
	{
		/* for the other sessions, too */
		told = (PineconeTold){.target = name, .asked_at = pinecone_clock_now()};
		told.lsn = pinecone_indexed_lsn(session, namespace_, true);
		place->indexed = Max(place->indexed, told.lsn);
		if (told.lsn >= 0)
			pinecone_told_note(session->host_hash, name, &told);
	}
	return place->indexed >= lsn;
}

/*
 * What is old enough is unseen only if searches are behind.  Unless one has
 * told lately, ask.
 */
static void
ask_how_far(Host *host, PineconeSession *session, const char *namespace_)
{
	int64 now = pinecone_confirmed_clock();
	Place *place;
	int64 lsn;

	if (now - host->copy->oldest_at < pinecone_confirmed_least_ms())
		return;
	lsn = lsn_at_age(host, namespace_, pinecone_confirmed_least_ms(), now);
	place = find_place(host, namespace_);
	if (lsn < 0 || now - place->asked_at < pinecone_confirmed_least_ms() / 10)
		return;
	place->asked_at = now;
	if (is_searchable(place, session, namespace_, lsn))
		make_anew(host, now);
}

PineconePendingView *
pinecone_unseen_view(PineconeSession *session, const char *namespace_)
{
	Host *host = current_host(session);
	PineconePendingView *view;
	int number;

	if (host == NULL || host->copy->nitems == 0)
		return NULL;
	ask_how_far(host, session, namespace_);
	number = pinecone_pending_log_place(host->copy->log, NULL, namespace_);
	if (number < 0)
		return NULL;
	view = pinecone_pending_index_view(host->copy->index, number,
									   pinecone_pending_log_size(host->copy->log));
	if (view != NULL)
	{
		use_copy(host->copy);
		find_place(host, namespace_)->unseen_at = pinecone_confirmed_clock();
	}
	return view;
}

double
pinecone_unseen_count(PineconeSession *session, const char *namespace_)
{
	Host *host = current_host(session);
	int number = host ? pinecone_pending_log_place(host->copy->log, NULL, namespace_) : -1;

	return number < 0 ? 0 : pinecone_pending_index_count(host->copy->index, number);
}

bool
pinecone_unseen_elsewhere(PineconeSession *session, const char *namespace_)
{
	Host *host = current_host(session);

	return host != NULL && host->copy->nitems > 0 &&
		   pinecone_pending_log_place(host->copy->log, NULL, namespace_) < 0;
}

/* From now on it is known when a namespace was last written to. */
static void
watch(Host *host, Place *place, const char *namespace_, int64 now)
{
	int number = pinecone_pending_log_place(host->copy->log, NULL, namespace_);

	if (place->watched_since != 0)
		return;
	place->watched_since = now;
	for (int i = 0; number >= 0 && i < host->copy->nitems; i++)
	{
		if (host->copy->items[i].number == number)
			place->written_at = Max(place->written_at, host->copy->items[i].at);
	}
}

bool
pinecone_unseen_is_settled(PineconeSession *session, const char *namespace_, PineconeTime at)
{
	int64 newest = pinecone_confirmed_newest();
	int64 now = pinecone_confirmed_clock();
	int64 then = at == 0 ? now : at / 1000;
	Host *host;
	Place *place;
	int64 lost_lsn;
	int64 lost_at;

	if (newest == 0 || then >= newest + pinecone_confirmed_most_ms())
		return true;
	host = current_host(session);
	/* so long ago that what has been written is forgotten */
	if (host == NULL)
		return at == 0;
	place = find_place(host, namespace_);
	watch(host, place, namespace_, now);
	if (pinecone_confirmed_lost(host->key.host, namespace_, &lost_lsn, &lost_at))
		place->written_at = Max(place->written_at, lost_at);
	return (place->written_at == 0 || then >= place->written_at + pinecone_confirmed_least_ms()) &&
		   (at == 0 || (then >= place->watched_since && then >= place->unseen_at));
}

void
pinecone_unseen_note_indexed(PineconeSession *session, const char *namespace_, int64 lsn)
{
	Host *host = find_host(session);
	Place *place;

	if (host == NULL)
		return;
	place = find_place(host, namespace_);
	place->indexed = Max(place->indexed, lsn < 0 ? PG_INT64_MAX : lsn);
}

/*
 * Can the namespace's writes be applied to what shows some of them already?  A
 * filter could then match what it did not match when it was carried out,
 * because of an update that has come after it; or not match any more.
 */
static bool
is_repeatable(Host *host, const char *namespace_)
{
	int number = pinecone_pending_log_place(host->copy->log, NULL, namespace_);

	return number < 0 || pinecone_pending_index_is_repeatable(host->copy->index, number);
}

bool
pinecone_unseen_allows_filter(PineconeSession *session, const char *namespace_, bool is_update)
{
	Host *host = current_host(session);
	int number = host ? pinecone_pending_log_place(host->copy->log, NULL, namespace_) : -1;
	int64 lsn;

	if (number < 0)
		return true;
	lsn = lsn_at_age(host, namespace_, 0, pinecone_confirmed_clock());
	return lsn >= 0 && pinecone_pending_index_takes_filter(host->copy->index, number, is_update) &&
		   is_searchable(find_place(host, namespace_), session, namespace_, lsn);
}

/*
 * As a deletion of all its records that has the sequence number of the last
 * write to it: it comes after that, and is kept for as long.
 */
void
pinecone_unseen_note_deleted(PineconeSession *session, const char *namespace_)
{
	Host *host = current_host(session);
	PineconeWrite write = {PINECONE_WRITE_DELETE_ALL};
	StringInfoData buf;

	if (host == NULL)
		return;
	initStringInfo(&buf);
	pinecone_write_encode(&buf, 0, &write);
	pinecone_confirmed_add(&host->key, namespace_,
						   lsn_at_age(host, namespace_, 0, pinecone_confirmed_clock()), buf.data, buf.len);
}

/*
 * Of a load that is too much to be kept the end is kept: what came so soon after what
 * was lost is waited for with it, so that reads are spared to lay it over all records.
 */
static int64
end_of_load_ms(void)
{
	return pinecone_confirmed_least_ms() / 5;
}

/*
 * A repeatable write can be laid over what is read, so nothing has to be waited
 * for; what is not, or was lost from the ring, is waited for until the namespace
 * is indexed that far or the time is over in which it may not be.
 */
bool
pinecone_unseen_must_wait(PineconeSession *session, const char *namespace_, bool all, int64 *lsn,
						  int64 *ms)
{
	Host *host = current_host(session);
	int64 lost_lsn;
	int64 lost_at;
	int64 now = pinecone_confirmed_clock();
	int64 at;
	int64 upto = -1;
	Place *place;

	if (host == NULL)
		return false;
	place = find_place(host, namespace_);
	if (pinecone_confirmed_lost(host->key.host, namespace_, &lost_lsn, &lost_at))
	{
		place->lsn = Max(place->lsn, lost_lsn);
		place->at = Max(place->at, lost_at);
	}
	*lsn = place->lsn;
	at = place->at;
	if (all || !is_repeatable(host, namespace_))
		upto = PG_INT64_MAX;
	else if (at != 0 && now - at < pinecone_confirmed_least_ms() + end_of_load_ms())
		upto = at + end_of_load_ms();
	if (upto >= 0)
	{
		int number = pinecone_pending_log_place(host->copy->log, NULL, namespace_);

		for (int i = 0; i < host->copy->nitems; i++)
		{
			const Item *item = &host->copy->items[i];

			if (item->number != number || item->at > upto)
				continue;
			*lsn = Max(*lsn, item->lsn);
			at = Max(at, item->at);
		}
	}
	if (at == 0)
		return false;
	*ms = Max(0, at + pinecone_confirmed_least_ms() - now);
	return *ms > 0 || (*lsn > place->indexed && now - at < pinecone_confirmed_most_ms());
}

PineconeNamespaceStats *
pinecone_unseen_add_namespaces(PineconeSession *session, PineconeNamespaceStats *namespaces, int *n)
{
	Host *host = current_host(session);

	if (host == NULL || host->copy->nitems == 0)
		return namespaces;
	namespaces = pinecone_pending_log_add_namespaces(host->copy->log, NULL, namespaces, n);
	use_copy(host->copy);
	return namespaces;
}
