/*
 * statistics_shared.c
 *		The table of statistics that all backends share.
 *
 * Its lock is taken exclusively only to make entries and to fold them.  Who adds
 * to an entry holds that entry's own lock besides, for as long as it takes to
 * add a hundred numbers.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/statistics_file.h"
#include "base/statistics_shared.h"

#define FILE_NAME "pg_stat/pinecone_fdw.stat"

/* Another one whenever what is in the file changes its form */
#define FORM (1 << 16 | (uint32) sizeof(FileEntry))

/* Servers whose months are counted */
#define NMONTHS 256

/* When the table is full so many go at a time: one of these parts of it */
#define FOLDED_PART 20

typedef struct Entry
{
	PineconeStatisticsKey key;
	int next; /* in its bucket, or of those that are free; -1: none */
	bool used;
	uint64 folded;
	slock_t lock; /* for what follows */
	PineconeStatistics sums;
} Entry;

typedef struct Month
{
	Oid dbid; /* 0: free */
	Oid serverid;
	pg_atomic_uint32 month;
	char server[NAMEDATALEN];
	pg_atomic_uint64 requests;
	pg_atomic_uint64 read_units;
	pg_atomic_uint64 egress_bytes;
	pg_atomic_uint64 records;
} Month;

typedef struct Table
{
	LWLock lock;
	int tranche;
	int size;
	int used;
	int free; /* the first that is free, or -1 */
	Month months[NMONTHS];
	int buckets[FLEXIBLE_ARRAY_MEMBER]; /* as many as entries; behind them: */
} Table;

/* Room to sort entries by when they were used last */
typedef struct Used
{
	TimestampTz at;
	int number;
} Used;

/* What is in the file: a head, entries, months */
typedef struct FileHead
{
	int nentries;
	int nmonths;
} FileHead;

typedef struct FileEntry
{
	PineconeStatisticsKey key;
	uint64 folded;
	PineconeStatistics sums;
} FileEntry;

int pinecone_statistics_max = 2000;

static Table *table = NULL;

/* ---- Making it ---- */

static Used *
used_entries(void)
{
	return (Used *) ((char *) table + MAXALIGN(offsetof(Table, buckets) + table->size * sizeof(int)));
}

static Entry *
entries(void)
{
	return (Entry *) (used_entries() + table->size);
}

static Size
table_size(void)
{
	return MAXALIGN(offsetof(Table, buckets) + pinecone_statistics_max * sizeof(int)) +
		   (Size) pinecone_statistics_max * (sizeof(Used) + sizeof(Entry));
}

bool
pinecone_statistics_preloading(void)
{
	return process_shared_preload_libraries_in_progress;
}

void
pinecone_statistics_request_memory(void)
{
	RequestAddinShmemSpace(table_size());
}

bool
pinecone_statistics_are_shared(void)
{
	return table != NULL;
}

static void
empty_table(void)
{
	table->used = 0;
	table->free = 0;
	for (int i = 0; i < table->size; i++)
	{
		table->buckets[i] = -1;
		entries()[i].used = false;
		entries()[i].next = i + 1 < table->size ? i + 1 : -1;
	}
}

/* ---- Finding, making and folding entries: under the table's lock ---- */

static int *
bucket_of(const PineconeStatisticsId *id)
{
	return &table->buckets[hash_bytes((const unsigned char *) id, sizeof(*id)) % table->size];
}

static Entry *
find_entry(const PineconeStatisticsId *id)
{
	for (int i = *bucket_of(id); i >= 0; i = entries()[i].next)
	{
		if (memcmp(&entries()[i].key.id, id, sizeof(*id)) == 0)
			return &entries()[i];
	}
	return NULL;
}

static void
remove_entry(Entry *entry)
{
	int number = entry - entries();
	int *link = bucket_of(&entry->key.id);

	while (*link != number)
		link = &entries()[*link].next;
	*link = entry->next;
	entry->used = false;
	entry->next = table->free;
	table->free = number;
	table->used--;
}

/* There is room for one. */
static Entry *
insert_entry(const PineconeStatisticsKey *key)
{
	int number = table->free;
	Entry *entry = &entries()[number];
	int *bucket = bucket_of(&key->id);

	table->free = entry->next;
	table->used++;
	entry->key = *key;
	entry->used = true;
	entry->folded = 0;
	pinecone_statistics_init_sums(&entry->sums);
	entry->next = *bucket;
	*bucket = number;
	return entry;
}

void
pinecone_statistics_fold_key(const PineconeStatisticsKey *key, PineconeStatisticsKey *into,
							 bool namespace_alone)
{
	*into = *key;
	memset(into->namespace_, 0, sizeof(into->namespace_));
	into->id.namespace_ = 0;
	if (namespace_alone)
		return;
	memset(into, 0, sizeof(*into));
	strlcpy(into->operation, PINECONE_OPERATION_OTHERS, sizeof(into->operation));
	into->id.operation = hash_bytes_extended((const unsigned char *) into->operation, strlen(into->operation), 0);
}

static void
fold_entry(Entry *entry, bool namespace_alone)
{
	PineconeStatistics sums = entry->sums;
	uint64 folded = entry->folded + 1;
	PineconeStatisticsKey key;
	Entry *into;

	pinecone_statistics_fold_key(&entry->key, &key, namespace_alone);
	remove_entry(entry);
	into = find_entry(&key.id);
	if (into == NULL)
		into = insert_entry(&key);
	pinecone_statistics_add(&into->sums, &sums);
	into->folded += folded;
}

static int
compare_used(const void *a, const void *b)
{
	TimestampTz first = ((const Used *) a)->at;
	TimestampTz second = ((const Used *) b)->at;

	return (first > second) - (first < second);
}

/* Fold those that were used longest ago until no more than so many are left, or no such. */
static void
fold_oldest(int most, bool namespaces)
{
	Used *used = used_entries();
	int n = 0;

	for (int i = 0; i < table->size; i++)
	{
		Entry *entry = &entries()[i];

		if (entry->used && (namespaces ? entry->key.id.namespace_ != 0 : entry->key.id.dbid != 0))
			used[n++] = (Used){entry->sums.last_call, i};
	}
	qsort(used, n, sizeof(Used), compare_used);
	/* what is folded may take an entry itself, one that has become free */
	for (int i = 0; i < n && table->used > most; i++)
		fold_entry(&entries()[used[i].number], namespaces);
}

static void
make_room(void)
{
	int most = table->size - Max(1, table->size / FOLDED_PART);

	fold_oldest(most, true);
	fold_oldest(most, false);
}

/* ---- Adding ---- */

static void
add_to(Entry *entry, const PineconeStatistics *sums, uint64 folded)
{
	SpinLockAcquire(&entry->lock);
	pinecone_statistics_add(&entry->sums, sums);
	entry->folded += folded;
	SpinLockRelease(&entry->lock);
}

/* ---- The month ---- */

/* By the clock, not by when a statement began: all have to agree. */
static uint32
this_month(void)
{
	static TimestampTz known_from = 0;
	static TimestampTz known_to = 0;
	static uint32 known = 0;
	TimestampTz now = GetCurrentTimestamp();
	struct pg_tm tm;
	fsec_t fsec;

	if (now >= known_from && now < known_to)
		return known;
	if (timestamp2tm(now, NULL, &tm, &fsec, NULL, NULL) != 0)
		return 0;
	known = tm.tm_year * 12 + tm.tm_mon - 1;
	/* within this day it is the same */
	known_from = now - now % USECS_PER_DAY;
	known_to = now < 0 ? known_from : known_from + USECS_PER_DAY;
	return known;
}

/* Its month's, or NULL. */
static Month *
find_month(Oid dbid, Oid serverid)
{
	for (int i = 0; i < NMONTHS; i++)
	{
		if (table->months[i].dbid == dbid && table->months[i].serverid == serverid)
			return &table->months[i];
	}
	return NULL;
}

static void
begin_month(Month *month, uint32 now)
{
	pg_atomic_write_u64(&month->requests, 0);
	pg_atomic_write_u64(&month->read_units, 0);
	pg_atomic_write_u64(&month->egress_bytes, 0);
	pg_atomic_write_u64(&month->records, 0);
	pg_atomic_write_u32(&month->month, now);
}

static void
add_to_month(Month *month, const PineconeUsage *usage)
{
	pg_atomic_fetch_add_u64(&month->requests, usage->requests);
	pg_atomic_fetch_add_u64(&month->read_units, usage->read_units);
	pg_atomic_fetch_add_u64(&month->egress_bytes, usage->egress_bytes);
	pg_atomic_fetch_add_u64(&month->records, usage->records);
}

/* Of a server that has none: one that is free, or of a month that is over; or NULL. */
static Month *
make_month(const PineconeStatisticsKey *key, uint32 now)
{
	for (int i = 0; i < NMONTHS; i++)
	{
		Month *month = &table->months[i];

		if (month->dbid != 0 && pg_atomic_read_u32(&month->month) == now)
			continue;
		month->dbid = key->id.dbid;
		month->serverid = key->id.serverid;
		strlcpy(month->server, key->server, sizeof(month->server));
		begin_month(month, now);
		return month;
	}
	return NULL;
}

/* The same where it is not there yet, or of another month: with the lock held exclusively. */
static void
add_to_new_month(const PineconeStatisticsKey *key, const PineconeUsage *usage, uint32 now)
{
	Month *month = find_month(key->id.dbid, key->id.serverid);

	if (month == NULL)
		month = make_month(key, now);
	else if (pg_atomic_read_u32(&month->month) != now)
		begin_month(month, now);
	if (month != NULL)
		add_to_month(month, usage);
}

void
pinecone_statistics_shared_add(const PineconeStatisticsKey *key, const PineconeStatistics *sums,
							   const PineconeUsage *usage)
{
	uint32 now = this_month();
	Entry *entry;
	Month *month;
	bool month_added;

	LWLockAcquire(&table->lock, LW_SHARED);
	entry = find_entry(&key->id);
	if (entry != NULL)
		add_to(entry, sums, 0);
	month = find_month(key->id.dbid, key->id.serverid);
	month_added = month != NULL && pg_atomic_read_u32(&month->month) == now;
	if (month_added)
		add_to_month(month, usage);
	LWLockRelease(&table->lock);
	if (entry != NULL && month_added)
		return;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	if (entry == NULL)
	{
		entry = find_entry(&key->id);
		if (entry == NULL && table->free < 0)
			make_room();
		if (entry == NULL)
			entry = insert_entry(key);
		add_to(entry, sums, 0);
	}
	if (!month_added)
		add_to_new_month(key, usage, now);
	LWLockRelease(&table->lock);
}

/* As far as it is this month's. */
static PineconeMonth
read_month(Month *month)
{
	PineconeMonth read = {
		.dbid = month->dbid,
		.serverid = month->serverid,
		.month = pg_atomic_read_u32(&month->month),
		.usage = {
			.requests = pg_atomic_read_u64(&month->requests),
			.read_units = pg_atomic_read_u64(&month->read_units),
			.egress_bytes = pg_atomic_read_u64(&month->egress_bytes),
			.records = pg_atomic_read_u64(&month->records),
		},
	};

	strlcpy(read.server, month->server, sizeof(read.server));
	return read;
}

void
pinecone_statistics_shared_months(PineconeMonthShow show, void *arg)
{
	uint32 now = this_month();

	if (table == NULL)
		return;
	for (int i = 0; i < NMONTHS; i++)
	{
		PineconeMonth month;

		LWLockAcquire(&table->lock, LW_SHARED);
		month = read_month(&table->months[i]);
		LWLockRelease(&table->lock);
		if (month.dbid != 0 && month.month == now)
			show(&month, arg);
	}
}

bool
pinecone_statistics_shared_month(Oid dbid, Oid serverid, PineconeUsage *usage)
{
	uint32 now = this_month();
	Month *month;
	int nused = 0;

	memset(usage, 0, sizeof(*usage));
	if (table == NULL)
		return false;
	LWLockAcquire(&table->lock, LW_SHARED);
	month = find_month(dbid, serverid);
	if (month != NULL && pg_atomic_read_u32(&month->month) == now)
		*usage = read_month(month).usage;
	for (int i = 0; i < NMONTHS && month == NULL; i++)
		nused += table->months[i].dbid != 0 && pg_atomic_read_u32(&table->months[i].month) == now;
	LWLockRelease(&table->lock);
	return nused < NMONTHS;
}

/* ---- Showing and forgetting ---- */

void
pinecone_statistics_shared_show(PineconeStatisticsShow show, void *arg)
{
	/* one after the other: showing may fail, and take long */
	for (int i = 0; i < table->size; i++)
	{
		Entry *entry = &entries()[i];
		FileEntry copy;
		bool used;

		LWLockAcquire(&table->lock, LW_SHARED);
		used = entry->used;
		if (used)
		{
			copy.key = entry->key;
			SpinLockAcquire(&entry->lock);
			copy.sums = entry->sums;
			copy.folded = entry->folded;
			SpinLockRelease(&entry->lock);
		}
		LWLockRelease(&table->lock);
		if (used)
			show(&copy.key, &copy.sums, copy.folded, arg);
	}
}

void
pinecone_statistics_shared_reset(void)
{
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	empty_table();
	LWLockRelease(&table->lock);
}

/* ---- From the end of the server to its next start ---- */

/* In the last process that there is */
static void
save_table(int code, Datum arg)
{
	FileHead *head;
	FileEntry *saved;
	PineconeMonth *month;
	Size size;

	if (code != 0 || table == NULL)
		return;
	size = sizeof(FileHead) + table->used * sizeof(FileEntry) + NMONTHS * sizeof(PineconeMonth);
	head = palloc_extended(size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	if (head == NULL)
		return;
	head->nentries = table->used;
	head->nmonths = NMONTHS;
	saved = (FileEntry *) (head + 1);
	for (int i = 0; i < table->size; i++)
	{
		if (!entries()[i].used)
			continue;
		saved->key = entries()[i].key;
		saved->folded = entries()[i].folded;
		saved->sums = entries()[i].sums;
		saved++;
	}
	month = (PineconeMonth *) saved;
	for (int i = 0; i < NMONTHS; i++)
		month[i] = read_month(&table->months[i]);
	pinecone_statistics_file_write(FILE_NAME, FORM, head, size);
}

/* Fewer entries than there were are no reason to lose any: what is too much is folded. */
static void
load_table(void)
{
	size_t size;
	FileHead *head = pinecone_statistics_file_read(FILE_NAME, FORM, &size);
	FileEntry *saved;
	PineconeMonth *month;

	if (head == NULL)
		return;
	saved = (FileEntry *) (head + 1);
	for (int i = 0; i < head->nentries; i++)
	{
		Entry *entry = find_entry(&saved[i].key.id);

		if (entry == NULL && table->free < 0)
			make_room();
		if (entry == NULL)
			entry = insert_entry(&saved[i].key);
		add_to(entry, &saved[i].sums, saved[i].folded);
	}
	month = (PineconeMonth *) (saved + head->nentries);
	for (int i = 0; i < Min(head->nmonths, NMONTHS); i++)
	{
		Month *slot = &table->months[i];

		slot->dbid = month[i].dbid;
		slot->serverid = month[i].serverid;
		strlcpy(slot->server, month[i].server, sizeof(slot->server));
		begin_month(slot, month[i].month);
		add_to_month(slot, &month[i].usage);
	}
	pfree(head);
}

void
pinecone_statistics_make_memory(void)
{
	bool found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	table = ShmemInitStruct("pinecone_fdw statistics", table_size(), &found);
	if (!found)
	{
		memset(table, 0, table_size());
		table->size = pinecone_statistics_max;
		table->tranche = pinecone_new_tranche("pinecone_fdw");
		LWLockInitialize(&table->lock, table->tranche);
		for (int i = 0; i < NMONTHS; i++)
		{
			pg_atomic_init_u32(&table->months[i].month, 0);
			pg_atomic_init_u64(&table->months[i].requests, 0);
			pg_atomic_init_u64(&table->months[i].read_units, 0);
			pg_atomic_init_u64(&table->months[i].egress_bytes, 0);
			pg_atomic_init_u64(&table->months[i].records, 0);
		}
		for (int i = 0; i < table->size; i++)
			SpinLockInit(&entries()[i].lock);
		empty_table();
		load_table();
	}
	LWLockRelease(AddinShmemInitLock);
	pinecone_register_tranche(table->tranche, "pinecone_fdw");
	if (!IsUnderPostmaster)
		on_shmem_exit(save_table, (Datum) 0);
}
