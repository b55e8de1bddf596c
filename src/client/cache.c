/*
 * cache.c
 *		What is asked before a request is sent, and when a kept reply holds.
 *
 * Three things could make such an answer wrong.  Somebody else may have written:
 * for that there is cache_ttl, and the sequence numbers of searches, by which a
 * reply can be known to be out of date before, and known to hold after it.  This
 * cluster may have written since the reply was asked for: writes are numbered
 * (written.c).  And it may have written before, but the service did not show it
 * yet: such a reply is not kept, for it would be there when the write is not laid
 * over what comes any more.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/setting.h"
#include "client/account.h"
#include "client/cache.h"
#include "client/hosts.h"
#include "client/kept.h"
#include "client/written.h"

/* A reply may take up so much of what a table may have */
#define SHARE_OF_ONE 4

/* Behind a body there is more to read: see http.h */
#define BODY_PADDING 64

/* How long others wait for who asks: for some requests' time */
#define LATENCIES 4
#define LEAST_PATIENCE_MS 500
#define MOST_PATIENCE_MS 2000

struct PineconeCaching
{
	uint64 name; /* of the namespace that is asked */
	bool is_default;
	PineconeKeptKey key;
	int location; /* that the key is of */
	bool has_key;
	bool looked_for; /* in vain */
	bool asking;	 /* others have been told so */
	bool answered;

	/* When it was sent */
	uint64 written;
	PineconeTime asked_at;
	PineconeTold told;
};

PineconeCachePolicy *
pinecone_cache_policy(const PineconeTable *table)
{
	PineconeCachePolicy *policy;

	if (table->cache_ttl_ms == 0 || !pinecone_enable_cache || !pinecone_kept_begin() ||
		!pinecone_written_is_known())
		return NULL;
	policy = palloc(sizeof(PineconeCachePolicy));
	policy->ttl_ms = table->cache_ttl_ms;
	policy->size_kb = table->cache_size_kb;
	policy->owner = hash_combine64(MyDatabaseId, table->relid);
	policy->namespace_ = pinecone_written_name(table->namespace_ ? table->namespace_ : PINECONE_ANY_NAMESPACE);
	return policy;
}

void
pinecone_cache_offer(PineconeCall *call, const char *namespace_)
{
	if (call->counters == NULL || call->counters->cache == NULL)
		return;
	if (namespace_ == NULL || strcmp(namespace_, "__default__") == 0)
		namespace_ = "";
	call->caching = MemoryContextAllocZero(call->cxt, sizeof(struct PineconeCaching));
	call->caching->name = pinecone_written_name(namespace_);
	call->caching->is_default = namespace_[0] == '\0';
}

/* ---- Keys ---- */

static void
add_string(pg_cryptohash_ctx *hash, const char *string, size_t len, bool *good)
{
	uint64 length = len;

	*good = *good && pg_cryptohash_update(hash, (const uint8 *) &length, sizeof(length)) >= 0 &&
			(len == 0 || pg_cryptohash_update(hash, (const uint8 *) string, len) >= 0);
}

/* Of everything that the reply can depend on, and of whom it is for. */
static bool
make_key(PineconeCall *call)
{
	struct PineconeCaching *caching = call->caching;
	PineconeSession *session = call->session;
	const char *version = call->api_version ? call->api_version : session->options->api_version;
	Oid whose[2] = {MyDatabaseId, session->mapping};
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	bool good;

	if (hash == NULL)
		return false;
	good = pg_cryptohash_init(hash) >= 0;
	add_string(hash, (const char *) whose, sizeof(whose), &good);
	add_string(hash, session->base_url, strlen(session->base_url), &good);
	add_string(hash, call->api_key, strlen(call->api_key), &good);
	add_string(hash, version, strlen(version), &good);
	add_string(hash, call->method, strlen(call->method), &good);
	add_string(hash, call->path, strlen(call->path), &good);
	add_string(hash, call->body, call->body_len, &good);
	good = good && pg_cryptohash_final(hash, caching->key.bytes, sizeof(caching->key.bytes)) >= 0;
	pg_cryptohash_free(hash);
	caching->has_key = good;
	caching->location = session->location;
	return good;
}

/* ---- Looking ---- */

/* Does a reply hold that is kept? */
static bool
still_holds(const PineconeCall *call, const PineconeKept *kept)
{
	uint64 host = call->session->host_hash;
	uint64 name = call->caching->name;
	int ttl_ms = call->counters->cache->ttl_ms;
	PineconeTold told;

	if (pinecone_written_since(host, name, kept->written) ||
		pinecone_written_since(host, kept->target, kept->written))
		return false;
	told = pinecone_told(host, name);
	/* the name stands for another namespace by now, or somebody else has written to this one */
	if (told.target != 0 && told.target != kept->target && told.asked_at > kept->asked_at)
		return false;
	if (told.target == kept->target && kept->lsn >= 0 && told.lsn > kept->lsn)
		return false;
	if (!pinecone_clock_passed(kept->asked_at, ttl_ms))
		return true;
	/* what another search has told since: nobody has written */
	return kept->told && told.target == kept->target && told.lsn == kept->lsn &&
		   !pinecone_clock_passed(told.asked_at, ttl_ms);
}

static bool
take_kept(PineconeCall *call)
{
	PineconeExchange *exchange;
	PineconeKept kept;
	MemoryContext old;
	bool found;
	char *body;

	MemoryContextReset(call->attempt_cxt);
	old = MemoryContextSwitchTo(call->attempt_cxt);
	found = pinecone_kept_get(&call->caching->key, &kept, &body, BODY_PADDING) && still_holds(call, &kept);
	if (found)
	{
		exchange = palloc0(sizeof(PineconeExchange));
		exchange->outcome = PINECONE_HTTP_ANSWERED;
		exchange->status = 200;
		exchange->body = body;
		exchange->body_len = kept.len;
		exchange->retry_after = -1;
		exchange->request_lsn = -1;
		exchange->indexed_lsn = kept.told ? kept.lsn : -1;
		call->exchange = exchange;
		call->location = call->session->location;
		call->host_number = 0;
		call->sent_at = kept.asked_at;
	}
	MemoryContextSwitchTo(old);
	return found;
}

static void
count(PineconeCall *call, bool hit)
{
	*(hit ? &call->counters->cache_hits : &call->counters->cache_misses) += 1;
	pinecone_account_cache(call->session, call->operation, call->about, hit);
}

/* How long others wait for a session that asks. */
static int64
patience_ms(const PineconeSession *session)
{
	return Max(LEAST_PATIENCE_MS, Min(MOST_PATIENCE_MS, LATENCIES * session->latency_us / 1000));
}

PineconeCacheAnswer
pinecone_cache_look(PineconeCall *call)
{
	struct PineconeCaching *caching = call->caching;
	bool found;

	if (caching == NULL || caching->looked_for)
		return PINECONE_CACHE_NOTHING;
	/* what is written here says nothing of when another host has it */
	if (call->session->failover != NULL && call->session->failover->number > 0)
	{
		pinecone_cache_give_up(call);
		caching->has_key = false;
		return PINECONE_CACHE_NOTHING;
	}
	if ((!caching->has_key || caching->location != call->session->location) && !make_key(call))
		return PINECONE_CACHE_NOTHING;
	found = take_kept(call);
	if (!found)
	{
		if (!pinecone_kept_ask(&caching->key, patience_ms(call->session)))
			return PINECONE_CACHE_WAIT;
		caching->asking = true;
		/* whoever asked before may have been answered between the two looks */
		found = take_kept(call);
	}
	if (found)
	{
		pinecone_cache_give_up(call);
		caching->answered = true;
		count(call, true);
		return PINECONE_CACHE_ANSWERED;
	}
	caching->looked_for = true;
	count(call, false);
	return PINECONE_CACHE_NOTHING;
}

bool
pinecone_cache_has_answered(const PineconeCall *call)
{
	return call->caching != NULL && call->caching->answered;
}

bool
pinecone_cache_refuse(PineconeCall *call)
{
	if (!pinecone_cache_has_answered(call))
		return false;
	pinecone_kept_drop(&call->caching->key);
	call->caching->answered = false;
	call->caching->looked_for = true;
	return true;
}

/* ---- Keeping ---- */

void
pinecone_cache_sent(PineconeCall *call)
{
	struct PineconeCaching *caching = call->caching;

	if (caching == NULL)
		return;
	caching->written = pinecone_written_count();
	caching->asked_at = call->sent_at;
	caching->told = pinecone_told(call->session->host_hash, caching->name);
}

void
pinecone_cache_give_up(PineconeCall *call)
{
	struct PineconeCaching *caching = call->caching;

	if (caching != NULL && caching->asking)
		pinecone_kept_asked(&caching->key);
	if (caching != NULL)
		caching->asking = false;
}

/* May it be there for others, and later? */
static bool
may_be_kept(const PineconeCall *call, uint64 target, int64 lsn)
{
	struct PineconeCaching *caching = call->caching;
	uint64 host = call->session->host_hash;

	return call->exchange->body_len <= (size_t) call->counters->cache->size_kb * 1024 / SHARE_OF_ONE &&
		   pinecone_written_is_shown(host, target, caching->asked_at, lsn) &&
		   pinecone_written_is_shown(host, caching->name, caching->asked_at, lsn) &&
		   !pinecone_written_since(host, target, caching->written) &&
		   !pinecone_written_since(host, caching->name, caching->written);
}

void
pinecone_cache_keep(PineconeCall *call, const char *told)
{
	struct PineconeCaching *caching = call->caching;
	PineconeTold now_told = {0};
	PineconeKept kept = {0};
	bool unnamed = told == NULL || told[0] == '\0';

	if (caching == NULL || caching->answered)
		return;
	/* of what does not say which namespace has answered nobody knows when that is written to */
	if (caching->has_key && caching->location == call->location &&
		call->location == call->session->location && (!unnamed || caching->is_default))
	{
		uint64 target = pinecone_written_name(unnamed ? "" : told);
		int64 lsn = call->want_scores ? call->exchange->indexed_lsn : -1;

		now_told.target = target;
		now_told.lsn = lsn;
		now_told.asked_at = caching->asked_at;
		pinecone_told_note(call->session->host_hash, caching->name, &now_told);
		kept.owner = call->counters->cache->owner;
		kept.written = caching->written;
		kept.asked_at = caching->asked_at;
		kept.told = lsn >= 0;
		kept.lsn = lsn >= 0 ? lsn : caching->told.target == target ? caching->told.lsn :
																	 -1;
		kept.target = target;
		kept.len = call->exchange->body_len;
		if (may_be_kept(call, target, lsn))
			pinecone_kept_put(&caching->key, &kept, call->exchange->body,
							  (uint64) call->counters->cache->size_kb * 1024);
	}
	pinecone_cache_give_up(call);
}

/* ---- Writes and counts ---- */

void
pinecone_cache_note_write(const PineconeCall *call)
{
	PineconeExchange *exchange = call->exchange;
	bool answered = exchange != NULL && exchange->outcome == PINECONE_HTTP_ANSWERED;
	const char *name = call->rate_namespace ? call->rate_namespace : call->about;

	/* what is done to an index is done to all that is in it */
	pinecone_written_note(call->session->host_hash, name ? name : PINECONE_ALL_NAMESPACES,
						  answered ? exchange->request_lsn : -1);
}

PineconeTime
pinecone_cache_counts_from(PineconeSession *session, const PineconeCounters *counters)
{
	PineconeTime now = pinecone_clock_now();
	PineconeTime from;

	if (counters->cache == NULL || session->base_url == NULL)
		return now;
	from = Max(pinecone_clock_after_ms(now, -(int64) counters->cache->ttl_ms),
			   pinecone_written_shown_from(session->host_hash, counters->cache->namespace_));
	return Min(from, now);
}
