/*
 * statistics_shared.h
 *		The entries that all backends share: a table of fixed size.
 *
 * When it is full, entries that nobody has used for longest are folded: into
 * the one of the same user, server and operation without a namespace, and when
 * there are too many of these, into one for all the others.  No count is lost.
 */
#ifndef PINECONE_STATISTICS_SHARED_H
#define PINECONE_STATISTICS_SHARED_H

#include "base/statistics.h"
#include "base/statistics_key.h"

/* The operation of the entry for all others */
#define PINECONE_OPERATION_OTHERS "others"

/* For _PG_init and hooks.c, while libraries are preloaded: ask for memory, then make it. */
extern bool pinecone_statistics_preloading(void);
extern void pinecone_statistics_request_memory(void);
extern void pinecone_statistics_make_memory(void);

/* Is there such a table? */
extern bool pinecone_statistics_are_shared(void);

/* Add to the entry of a key, which is made if there is none, and to its server's month. */
extern void pinecone_statistics_shared_add(const PineconeStatisticsKey *key, const PineconeStatistics *sums,
										   const PineconeUsage *usage);

/*
 * The key of the entry that one is folded into: the same without a namespace, or
 * that for all others.
 */
extern void pinecone_statistics_fold_key(const PineconeStatisticsKey *key, PineconeStatisticsKey *into,
										 bool namespace_alone);

extern void pinecone_statistics_shared_show(PineconeStatisticsShow show, void *arg);
extern void pinecone_statistics_shared_reset(void);

/* ---- The month ---- */

typedef struct PineconeMonth
{
	Oid dbid; /* 0: free */
	Oid serverid;
	uint32 month; /* 12 * year + month */
	char server[NAMEDATALEN];
	PineconeUsage usage;
} PineconeMonth;

/* Of a server; false: there are too many servers, or nothing is shared. */
extern bool pinecone_statistics_shared_month(Oid dbid, Oid serverid, PineconeUsage *usage);

typedef void (*PineconeMonthShow)(const PineconeMonth *month, void *arg);
extern void pinecone_statistics_shared_months(PineconeMonthShow show, void *arg);

#endif /* PINECONE_STATISTICS_SHARED_H */
