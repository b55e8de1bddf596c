/*
 * statistics.c
 *		Where this backend counts, and how that comes to the entries that all share.
 *
 * A backend's own entries are many times smaller in number than what is counted
 * in them, so they are found by a hash and the one used last at once.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/statistics.h"
#include "base/statistics_shared.h"

/* While a transaction runs others see what it has asked for after so long at most. */
#define FLUSH_MS 500

/* What is shared is kept there, so that a backend need not keep much itself. */
#define OWN_ENTRIES 512

typedef struct Own
{
	PineconeStatisticsId id; /* first, for the hash */
	PineconeStatisticsKey key;
	PineconeStatisticsEntry entry;
	bool plain; /* the namespace's name is the same here as in UTF-8, and not cut */
	uint64 folded;
} Own;

bool pinecone_statistics_enabled = true;

static HTAB *owns = NULL;
static Own *last = NULL;							 /* the one that was asked for last, */
static char last_operation[PINECONE_OPERATION_NAME]; /* by this name */
static PineconeStatisticsEntry *first_changed = NULL;
static PineconeTime flushed_at = 0;

/* ---- Entries ---- */

static uint64
hash_name(const char *name)
{
	return hash_bytes_extended((const unsigned char *) name, strlen(name), 0);
}

/* A name in UTF-8, cut to length. */
static void
copy_name(char *to, size_t size, const char *name)
{
	char *utf8 = name[0] ? pg_server_to_any(name, strlen(name), PG_UTF8) : unconstify(char *, name);
	int len = strlen(utf8);

	if (len >= size)
		len = pg_encoding_mbcliplen(PG_UTF8, utf8, len, (int) size - 1);
	memcpy(to, utf8, len);
	to[len] = '\0';
	if (utf8 != name)
		pfree(utf8);
}

static void
make_table(void)
{
	HASHCTL info = {0};

	info.keysize = sizeof(PineconeStatisticsId);
	info.entrysize = sizeof(Own);
	info.hcxt = TopMemoryContext;
	owns = hash_create("pinecone statistics", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Own *
find_own(const PineconeStatisticsKey *key)
{
	bool found;
	Own *own = hash_search(owns, &key->id, HASH_ENTER, &found);

	if (!found)
	{
		own->key = *key;
		memset(&own->entry, 0, sizeof(own->entry));
		pinecone_statistics_init_sums(&own->entry.sums);
		own->entry.key = &own->key;
		own->folded = 0;
		own->plain = false;
	}
	return own;
}

/* Drop what nobody holds and has nothing left to tell. */
static void
drop_unheld(void)
{
	HASH_SEQ_STATUS all;
	Own *own;

	hash_seq_init(&all, owns);
	while ((own = hash_seq_search(&all)) != NULL)
	{
		if (own->entry.held == 0 && !own->entry.changed)
			(void) hash_search(owns, &own->id, HASH_REMOVE, NULL);
	}
}

/* Fold what nobody holds: namespaces into none, or else all into one. */
static void
fold_own(bool namespaces)
{
	HASH_SEQ_STATUS all;
	Own *own;
	List *doomed = NIL;
	ListCell *lc;

	hash_seq_init(&all, owns);
	while ((own = hash_seq_search(&all)) != NULL)
	{
		if (own->entry.held == 0 && (!namespaces || own->id.namespace_ != 0))
			doomed = lappend(doomed, own);
	}
	foreach(lc, doomed)
	{
		PineconeStatisticsKey key;
		Own *into;

		own = lfirst(lc);
		pinecone_statistics_fold_key(&own->key, &key, namespaces);
		into = find_own(&key);
		if (into == own)
			continue;
		pinecone_statistics_add(&into->entry.sums, &own->entry.sums);
		into->folded += own->folded + 1;
		(void) hash_search(owns, &own->id, HASH_REMOVE, NULL);
	}
	list_free(doomed);
}

static void
make_room(void)
{
	last = NULL;
	pinecone_statistics_flush();
	if (pinecone_statistics_are_shared())
	{
		if (hash_get_num_entries(owns) >= OWN_ENTRIES)
			drop_unheld();
		return;
	}
	if (hash_get_num_entries(owns) >= pinecone_statistics_max)
		fold_own(true);
	if (hash_get_num_entries(owns) >= pinecone_statistics_max)
		fold_own(false);
}

/* Is the entry that was asked for last the one that is wanted? */
static bool
is_last(Oid serverid, const char *operation, const char *namespace_)
{
	return last != NULL && last->id.serverid == serverid &&
		   last->id.userid == GetUserId() && last->plain && strcmp(last_operation, operation) == 0 &&
		   (namespace_ == NULL ? last->id.namespace_ == 0 :
								 last->id.namespace_ != 0 && strcmp(last->key.namespace_, namespace_) == 0);
}

/* An operation's name as one word. */
static void
copy_word(char *to, size_t size, const char *operation)
{
	strlcpy(to, operation, size);
	for (char *p = to; *p != '\0'; p++)
	{
		if (*p == ' ')
			*p = '_';
	}
}

static PineconeStatisticsKey
make_key(const PineconeStatisticsId *id, const char *server, const char *operation, const char *namespace_)
{
	PineconeStatisticsKey key;

	memset(&key, 0, sizeof(key));
	key.id = *id;
	copy_name(key.server, sizeof(key.server), server);
	copy_word(key.operation, sizeof(key.operation), operation);
	if (namespace_ != NULL)
		copy_name(key.namespace_, sizeof(key.namespace_), namespace_);
	return key;
}

PineconeStatisticsEntry *
pinecone_statistics_entry(Oid serverid, const char *server, const char *operation,
						  const char *namespace_)
{
	PineconeStatisticsId id;
	PineconeStatisticsKey key;

	if (!pinecone_statistics_enabled)
		return NULL;
	if (is_last(serverid, operation, namespace_))
		return &last->entry;
	id = (PineconeStatisticsId){
		.dbid = MyDatabaseId,
		.userid = GetUserId(),
		.serverid = serverid,
		.operation = hash_name(operation),
		/* 0 is of none */
		.namespace_ = namespace_ ? hash_name(namespace_) | 1 : 0,
	};
	if (owns == NULL)
		make_table();
	last = hash_search(owns, &id, HASH_FIND, NULL);
	if (last == NULL)
	{
		if (hash_get_num_entries(owns) >= Min(OWN_ENTRIES, pinecone_statistics_max))
			make_room();
		key = make_key(&id, server, operation, namespace_);
		last = find_own(&key);
		last->plain = namespace_ == NULL || strcmp(key.namespace_, namespace_) == 0;
	}
	strlcpy(last_operation, operation, sizeof(last_operation));
	return &last->entry;
}

void
pinecone_statistics_hold(PineconeStatisticsEntry *entry)
{
	if (entry != NULL)
		entry->held++;
}

void
pinecone_statistics_release(PineconeStatisticsEntry *entry)
{
	if (entry != NULL)
		entry->held--;
}

void
pinecone_statistics_touch(PineconeStatisticsEntry *entry)
{
	if (entry == NULL || entry->changed)
		return;
	entry->changed = true;
	entry->next_changed = first_changed;
	first_changed = entry;
}

/* ---- Sharing ---- */

static PineconeUsage
usage_of(const PineconeStatisticsEntry *entry)
{
	const uint64 *counts = entry->sums.counts;

	return (PineconeUsage){
		.requests = counts[PINECONE_TALLY_REQUESTS],
		.read_units = counts[PINECONE_TALLY_READ_UNITS],
		.egress_bytes = counts[PINECONE_TALLY_EGRESS_BYTES],
		.records = counts[PINECONE_TALLY_RECORDS_READ],
	};
}

/* Runs while transactions end: no errors, no memory. */
void
pinecone_statistics_flush(void)
{
	while (first_changed != NULL)
	{
		PineconeStatisticsEntry *entry = first_changed;
		PineconeUsage usage;

		first_changed = entry->next_changed;
		entry->changed = false;
		if (!pinecone_statistics_are_shared())
			continue;
		usage = usage_of(entry);
		pinecone_statistics_shared_add(entry->key, &entry->sums, &usage);
		pinecone_statistics_clear(&entry->sums);
	}
	flushed_at = 0;
}

void
pinecone_statistics_flush_now_and_then(PineconeTime now)
{
	if (flushed_at == 0)
		flushed_at = now;
	else if (now >= pinecone_clock_after_ms(flushed_at, FLUSH_MS))
		pinecone_statistics_flush();
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			pinecone_statistics_flush();
			break;
		default:
			break;
	}
}

void
pinecone_statistics_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
}

/* ---- The month ---- */

bool
pinecone_statistics_month(Oid serverid, PineconeUsage *usage)
{
	if (!pinecone_statistics_enabled || !pinecone_statistics_shared_month(MyDatabaseId, serverid, usage))
		return false;
	for (PineconeStatisticsEntry *entry = first_changed; entry != NULL; entry = entry->next_changed)
	{
		PineconeUsage more = usage_of(entry);

		if (entry->key->id.serverid != serverid)
			continue;
		usage->requests += more.requests;
		usage->read_units += more.read_units;
		usage->egress_bytes += more.egress_bytes;
		usage->records += more.records;
	}
	return true;
}

/* ---- Showing ---- */

/* After a reset: what is held stays. */
static bool
is_empty(const PineconeStatistics *sums)
{
	for (int i = 0; i < PINECONE_TALLIES; i++)
	{
		if (sums->counts[i] > 0)
			return false;
	}
	return true;
}

void
pinecone_statistics_show(PineconeStatisticsShow show, void *arg)
{
	HASH_SEQ_STATUS all;
	Own *own;

	pinecone_statistics_flush();
	if (pinecone_statistics_are_shared())
	{
		pinecone_statistics_shared_show(show, arg);
		return;
	}
	if (owns == NULL)
		return;
	hash_seq_init(&all, owns);
	while ((own = hash_seq_search(&all)) != NULL)
	{
		if (!is_empty(&own->entry.sums))
			show(&own->key, &own->entry.sums, own->folded, arg);
	}
}

void
pinecone_statistics_reset(void)
{
	HASH_SEQ_STATUS all;
	Own *own;

	pinecone_statistics_flush();
	if (pinecone_statistics_are_shared())
	{
		pinecone_statistics_shared_reset();
		return;
	}
	last = NULL;
	if (owns == NULL)
		return;
	hash_seq_init(&all, owns);
	while ((own = hash_seq_search(&all)) != NULL)
	{
		pinecone_statistics_clear(&own->entry.sums);
		own->folded = 0;
		if (own->entry.held == 0)
			(void) hash_search(owns, &own->id, HASH_REMOVE, NULL);
	}
}
