/*
 * statistics.h
 *		What requests cost, counted per user, server, namespace and operation.
 *
 * A backend counts in memory of its own, where nobody waits for anybody.  At the
 * end of a transaction, and about once a second while one runs, it adds what is
 * new to the entries that all backends share.  Those are there where the module
 * is preloaded; elsewhere the backend's own are all that there is.
 *
 * PostgreSQL 18 has a place for statistics of extensions, with the same idea.
 * Ours serves all majors alike, is bounded by a number of entries, and keeps what
 * it has to push out, as sums; pluggable statistics do neither.
 */
#ifndef PINECONE_STATISTICS_H
#define PINECONE_STATISTICS_H

#include "datatype/timestamp.h"

#include "base/clock.h"

/* Sums; the view's columns follow this order */
typedef enum PineconeTally
{
	PINECONE_TALLY_CALLS,	  /* operations, each with its retries */
	PINECONE_TALLY_FAILED,	  /* of them, for good */
	PINECONE_TALLY_ABANDONED, /* of them, given up before they had ended */
	PINECONE_TALLY_REQUESTS,
	PINECONE_TALLY_RETRIES, /* of them */

	/* Requests that failed, by why */
	PINECONE_TALLY_UNREACHABLE,
	PINECONE_TALLY_UNTRUSTED,
	PINECONE_TALLY_TIMED_OUT,
	PINECONE_TALLY_DISCONNECTED,
	PINECONE_TALLY_KEY_REJECTED,   /* 401, 403 */
	PINECONE_TALLY_NOT_FOUND,	   /* 404 */
	PINECONE_TALLY_REJECTED,	   /* other 4xx, and what is no answer to a request */
	PINECONE_TALLY_RATE_LIMITED,   /* 429 */
	PINECONE_TALLY_QUOTA_EXCEEDED, /* 429, for the rest of the month */
	PINECONE_TALLY_SERVER_ERRORS,  /* 5xx, 408 */
	PINECONE_TALLY_INVALID_REPLIES,

	PINECONE_TALLY_ROWS, /* that scans returned, of operation "scan" */

	/* What went over the wire */
	PINECONE_TALLY_RECORDS_READ,
	PINECONE_TALLY_RECORDS_WRITTEN,
	PINECONE_TALLY_BYTES_SENT,
	PINECONE_TALLY_BYTES_RECEIVED,
	PINECONE_TALLY_EGRESS_BYTES, /* of them, those that are metered */
	PINECONE_TALLY_READ_UNITS,
	PINECONE_TALLY_BATCH_ITEMS, /* records, ids or matches that calls asked about */
	PINECONE_TALLY_WAIT_US,		/* until replies had come */

	/* Connections */
	PINECONE_TALLY_CONNECTIONS_OPENED,
	PINECONE_TALLY_CONNECTIONS_REUSED,
	PINECONE_TALLY_TLS_HANDSHAKES,

	/* A cache of results */
	PINECONE_TALLY_CACHE_HITS,
	PINECONE_TALLY_CACHE_MISSES,

	/* Of the above, while committing */
	PINECONE_TALLY_COMMIT_REQUESTS,
	PINECONE_TALLY_COMMIT_RECORDS,
	PINECONE_TALLY_COMMIT_BYTES,

	PINECONE_TALLIES
} PineconeTally;

/* Latencies by size: four buckets for each power of two of microseconds */
#define PINECONE_LATENCY_BUCKETS 128

#define PINECONE_ERROR_TEXT 256

typedef struct PineconeStatistics
{
	uint64 counts[PINECONE_TALLIES];
	uint64 batch_max;
	uint64 waits;	 /* how many are in WAIT_US and below */
	uint64 wait_min; /* us */
	uint64 wait_max;
	uint64 latencies[PINECONE_LATENCY_BUCKETS];
	int first_latency; /* none before, */
	int end_latency;   /* nor from here on */
	int64 lsn_written; /* the last; -1: none */
	int64 lsn_seen;
	TimestampTz last_call;
	TimestampTz last_error_at; /* 0: never */
	char last_error[PINECONE_ERROR_TEXT];
} PineconeStatistics;

/* Where a backend counts; stays where it is while it is held. */
typedef struct PineconeStatisticsEntry
{
	PineconeStatistics sums; /* since it was last added to the shared entries */
	int held;				 /* by so many calls */
	bool changed;
	struct PineconeStatisticsEntry *next_changed;
	struct PineconeStatisticsKey *key; /* who, where and what: statistics_key.h */
} PineconeStatisticsEntry;

extern bool pinecone_statistics_enabled; /* the setting pinecone_fdw.statistics */
extern int pinecone_statistics_max;		 /* entries that are shared */

/*
 * The entry for an operation of a server on a namespace (NULL: of none) by the
 * current user; NULL when nothing is to be counted.  It may be gone after the
 * next one is asked for, unless it is held.
 */
extern PineconeStatisticsEntry *pinecone_statistics_entry(Oid serverid, const char *server,
														  const char *operation, const char *namespace_);
extern void pinecone_statistics_hold(PineconeStatisticsEntry *entry);
extern void pinecone_statistics_release(PineconeStatisticsEntry *entry);

/* An entry's sums have changed, or are about to. */
extern void pinecone_statistics_touch(PineconeStatisticsEntry *entry);

/* Count something.  The entry may be NULL. */
static inline void
pinecone_statistics_count(PineconeStatisticsEntry *entry, PineconeTally what, uint64 n)
{
	if (entry == NULL)
		return;
	entry->sums.counts[what] += n;
	if (!entry->changed)
		pinecone_statistics_touch(entry);
}

/* Something took so many microseconds. */
extern void pinecone_statistics_wait(PineconeStatisticsEntry *entry, int64 us);

/* The latency below which a share of all lies, in ms; -1: there are none. */
extern double pinecone_statistics_quantile(const PineconeStatistics *sums, double share);

/* Sums, as if both had been counted in one. */
extern void pinecone_statistics_add(PineconeStatistics *to, const PineconeStatistics *from);
extern void pinecone_statistics_clear(PineconeStatistics *sums);
extern void pinecone_statistics_init_sums(PineconeStatistics *sums); /* in any memory */

/* Add what has changed to the shared entries, if there are any; "now and then": if that is a while ago. */
extern void pinecone_statistics_flush(void);
extern void pinecone_statistics_flush_now_and_then(PineconeTime now);

/* For _PG_init */
extern void pinecone_statistics_init(void);

/* ---- What a server has been asked for this month, in UTC ---- */

typedef struct PineconeUsage
{
	uint64 requests;
	uint64 read_units;
	uint64 egress_bytes;
	uint64 records;
} PineconeUsage;

/* Of a server; false where it is not known, for nothing is shared or there are too many. */
extern bool pinecone_statistics_month(Oid serverid, PineconeUsage *usage);

/* ---- For who shows them ---- */

typedef struct PineconeStatisticsKey PineconeStatisticsKey;

/* Called for each entry, with what it stands for; "folded": entries pushed out that it has the sums of */
typedef void (*PineconeStatisticsShow)(const PineconeStatisticsKey *key, const PineconeStatistics *sums,
									   uint64 folded, void *arg);
extern void pinecone_statistics_show(PineconeStatisticsShow show, void *arg);

extern void pinecone_statistics_reset(void);

#endif /* PINECONE_STATISTICS_H */
