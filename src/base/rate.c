/*
 * rate.c
 *		How many requests of a kind a backend sends per second.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "nodes/bitmapset.h"
#include "utils/memutils.h"

#include "base/rate.h"

/* The greatest rate that may be set; more is no limit */
#define MAX_RATE 1000000

/* A rate is lowered to this share of its limit, and grows by that per second. */
#define LEAST_SHARE 0.02
#define GROWTH_PER_SECOND 0.1

typedef struct KindOfRate
{
	const char *name;
	double limit; /* per second (API 2025-10) */
	bool by_namespace;
} KindOfRate;

static const KindOfRate kinds[PINECONE_RATE_KINDS] = {
	[PINECONE_RATE_NONE] = {"", 0, false},
	[PINECONE_RATE_QUERY] = {"query", 100, true},
	[PINECONE_RATE_FETCH] = {"fetch", 100, false},
	[PINECONE_RATE_LIST] = {"list", 200, false},
	[PINECONE_RATE_STATS] = {"stats", 100, false},
	[PINECONE_RATE_FETCH_BY_METADATA] = {"fetch_by_metadata", 5, true},
	[PINECONE_RATE_UPSERT] = {"upsert", 100, true},
	[PINECONE_RATE_UPDATE] = {"update", 100, true},
	[PINECONE_RATE_DELETE] = {"delete", 100, true},
	[PINECONE_RATE_UPDATE_BY_METADATA] = {"update_by_metadata", 5, true},
	[PINECONE_RATE_DELETE_BY_METADATA] = {"delete_by_metadata", 5, true},
};

/* ---- The option ---- */

static PineconeRateKind
kind_by_name(const char *name)
{
	for (int i = PINECONE_RATE_NONE + 1; i < PINECONE_RATE_KINDS; i++)
	{
		if (strcmp(kinds[i].name, name) == 0)
			return i;
	}
	return PINECONE_RATE_NONE;
}

static char *
list_kinds(void)
{
	char *list = pstrdup(kinds[PINECONE_RATE_NONE + 1].name);

	for (int i = PINECONE_RATE_NONE + 2; i < PINECONE_RATE_KINDS; i++)
		list = psprintf("%s, %s", list, kinds[i].name);
	return list;
}

/* One "kind number" of the list */
static bool
parse_item(char *item, PineconeRateLimits *rates, Bitmapset **seen, char **reason)
{
	char *save = NULL;
	char *name = strtok_r(item, " \t\n", &save);
	char *number = strtok_r(NULL, " \t\n", &save);
	PineconeRateKind kind;
	char *end;
	double limit;

	if (name == NULL || number == NULL || strtok_r(NULL, " \t\n", &save) != NULL)
	{
		*reason = pstrdup("A list has items such as \"query 50\", separated by commas.");
		return false;
	}
	kind = kind_by_name(name);
	if (kind == PINECONE_RATE_NONE)
	{
		*reason = psprintf("Kinds of requests are: %s.", list_kinds());
		return false;
	}
	limit = strtod(number, &end);
	if (*end != '\0' || strspn(number, "0123456789.") != strlen(number) || limit > MAX_RATE)
	{
		*reason = psprintf("Requests per second are a number from 0, which is no limit, to %d.",
						   MAX_RATE);
		return false;
	}
	if (bms_is_member(kind, *seen))
	{
		*reason = pstrdup("Each kind of requests can be named only once.");
		return false;
	}
	*seen = bms_add_member(*seen, kind);
	rates->limits[kind] = limit;
	return true;
}

bool
pinecone_rate_parse(const char *text, PineconeRateLimits *rates, char **reason)
{
	char *copy;
	char *next;
	Bitmapset *seen = NULL;

	rates->given = text != NULL;
	for (int i = 0; i < PINECONE_RATE_KINDS; i++)
		rates->limits[i] = kinds[i].limit;
	if (text == NULL)
		return true;
	if (strcmp(text, "off") == 0)
	{
		memset(rates->limits, 0, sizeof(rates->limits));
		return true;
	}
	copy = pstrdup(text);
	for (char *item = copy; item != NULL; item = next)
	{
		next = strchr(item, ',');
		if (next != NULL)
			*next++ = '\0';
		if (!parse_item(item, rates, &seen, reason))
			return false;
	}
	return true;
}

/* ---- Buckets ---- */

typedef struct BucketKey
{
	PineconeRateKind kind;
	uint32 namespace_; /* its hash: to share a bucket by chance does no harm */
} BucketKey;

typedef struct Bucket
{
	BucketKey key;
	double tokens;
	double rate; /* tokens per second, at most the limit */
	PineconeTime updated_at;
	PineconeTime lowered_at;
} Bucket;

HTAB *
pinecone_rate_create(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(BucketKey);
	ctl.entrysize = sizeof(Bucket);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("pinecone rates", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* A bucket, filled up to now. */
static Bucket *
find_bucket(HTAB *buckets, double limit, PineconeRateKind kind, const char *namespace_,
			PineconeTime now)
{
	BucketKey key = {kind, 0};
	Bucket *bucket;
	bool found;
	double most = Max(1, limit);
	double seconds;

	if (kinds[kind].by_namespace && namespace_ != NULL)
		key.namespace_ = DatumGetUInt32(hash_any((const unsigned char *) namespace_, strlen(namespace_)));
	bucket = hash_search(buckets, &key, HASH_ENTER, &found);
	if (!found)
	{
		bucket->tokens = most;
		bucket->rate = limit;
		bucket->lowered_at = 0;
	}
	else
	{
		seconds = (now - bucket->updated_at) / 1000000.0;
		bucket->tokens = Min(most, bucket->tokens + seconds * bucket->rate);
		bucket->rate = Min(limit, bucket->rate + seconds * GROWTH_PER_SECOND * limit);
	}
	bucket->updated_at = now;
	return bucket;
}

PineconeTime
pinecone_rate_take(HTAB *buckets, const PineconeRateLimits *rates, PineconeRateKind kind,
				   const char *namespace_, PineconeTime now)
{
	double limit = rates->limits[kind];
	Bucket *bucket;

	if (limit <= 0)
		return 0;
	bucket = find_bucket(buckets, limit, kind, namespace_, now);
	if (bucket->tokens >= 1)
	{
		bucket->tokens--;
		return 0;
	}
	return now + (PineconeTime) ceil((1 - bucket->tokens) / bucket->rate * 1000000);
}

void
pinecone_rate_lower(HTAB *buckets, const PineconeRateLimits *rates, PineconeRateKind kind,
					const char *namespace_, PineconeTime sent_at, PineconeTime now)
{
	double limit = rates->limits[kind];
	Bucket *bucket;

	if (limit <= 0)
		return;
	bucket = find_bucket(buckets, limit, kind, namespace_, now);
	/* requests that went out together are refused together */
	if (sent_at < bucket->lowered_at)
		return;
	bucket->tokens = 0;
	bucket->rate = Max(limit * LEAST_SHARE, bucket->rate / 2);
	bucket->lowered_at = now;
}
