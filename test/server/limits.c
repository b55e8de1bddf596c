/*
 * limits.c
 *		Rate limits per second, when they are switched on.
 */
#include "limits.h"

#include <pthread.h>
#include <stdlib.h>

_Atomic double limits_factor = 0;

#define SUPPORT "Pace your requests or contact Pinecone Support (https://app.pinecone.io/organizations/-/settings/support/ticket) to request a higher limit."

typedef struct LimitText
{
	const char *what; /* "reached the max <what> per second for <whom>" */
	double per_second;
	bool by_namespace;
	bool qps; /* the other kind of text */
} LimitText;

static const LimitText limits[] = {
	[LIMIT_QUERY] = {"query", 100, true, true},
	[LIMIT_QUERY_UNITS] = {"query read units", 2000, false, false},
	[LIMIT_UPSERT] = {"upsert", 100, true, true},
	[LIMIT_UPSERT_BYTES] = {"upsert size limit", 50e6, true, false},
	[LIMIT_UPDATE] = {"update", 100, true, true},
	[LIMIT_UPDATE_RECORDS] = {"update records", 100, true, false},
	[LIMIT_UPDATE_BY_METADATA] = {"update by metadata requests", 5, true, false},
	[LIMIT_DELETE] = {"delete", 100, true, true},
	[LIMIT_DELETE_RECORDS] = {"delete records", 5000, true, false},
	[LIMIT_DELETE_BY_METADATA] = {"delete by metadata requests", 5, true, false},
	[LIMIT_FETCH] = {"fetch requests", 100, false, false},
	[LIMIT_FETCH_BY_METADATA] = {"fetch by metadata requests", 5, true, false},
	[LIMIT_LIST] = {"list requests", 200, false, false},
	[LIMIT_STATS] = {"describe_index_stats requests", 100, false, false},
};

/* What was taken in a second, by hash of whom and what; a clash is harmless */
#define SLOTS 4096
static struct
{
	pthread_mutex_t lock;
	struct
	{
		uint64_t who;
		int64_t second;
		double taken;
	} slots[SLOTS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Take from the allowance of a kind; false, and a reply 429, if it is used up. */
bool
limit_take(Request *r, LimitKind kind, Str namespace, double amount)
{
	const LimitText *limit = &limits[kind];
	double allowed = limit->per_second * limits_factor;
	uint64_t who;
	int64_t second = now_us() / 1000000;
	bool good = true;

	if (limits_factor <= 0)
		return true;
	namespace = limit->by_namespace ? namespace_canonical(namespace) : STR("");
	who = hash_bytes(namespace.s, namespace.len) ^ (uint64_t) (uintptr_t) r->index ^ (uint64_t) kind * 0x9e3779b97f4a7c15u;

	pthread_mutex_lock(&table.lock);
	if (table.slots[who % SLOTS].who != who || table.slots[who % SLOTS].second != second)
	{
		table.slots[who % SLOTS].who = who;
		table.slots[who % SLOTS].second = second;
		table.slots[who % SLOTS].taken = 0;
	}
	/* What is more than a second's worth passes when it comes first */
	if (table.slots[who % SLOTS].taken > 0 && table.slots[who % SLOTS].taken + amount > allowed)
		good = false;
	else
		table.slots[who % SLOTS].taken += amount;
	pthread_mutex_unlock(&table.lock);

	if (good)
		return true;
	if (limit->qps)
		return !reply_rpc_error(r, 429, RPC_RESOURCE_EXHAUSTED,
								"Request failed. You've reached the %s QPS limit for namespace %.*s (%g QPS). " SUPPORT,
								limit->what, (int) namespace.len, namespace.s, allowed);
	if (limit->by_namespace)
		return !reply_rpc_error(r, 429, RPC_RESOURCE_EXHAUSTED,
								"Request failed. You've reached the max %s per second for namespace %.*s. " SUPPORT,
								limit->what, (int) namespace.len, namespace.s);
	return !reply_rpc_error(r, 429, RPC_RESOURCE_EXHAUSTED,
							"Request failed. You've reached the max %s per second for index %s. " SUPPORT,
							limit->what, r->index->name);
}
