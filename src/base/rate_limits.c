/*
 * rate_limits.c
 *		The documented limits of requests per second, and the option that sets others.
 */
#include "postgres.h"

#include "nodes/bitmapset.h"

#include "base/rate_limits.h"

/* The greatest rate that may be set; more is no limit */
#define MAX_RATE 1000000

typedef struct KindOfRate
{
	const char *name;
	double limit; /* per second (API 2025-10) */
	bool by_namespace;
	PineconeRateKind besides; /* what is limited of such a request besides */
} KindOfRate;

static const KindOfRate kinds[PINECONE_RATE_KINDS] = {
	[PINECONE_RATE_NONE] = {"", 0, false},
	[PINECONE_RATE_QUERY] = {"query", 100, true},
	[PINECONE_RATE_FETCH] = {"fetch", 100, false},
	[PINECONE_RATE_LIST] = {"list", 200, false},
	[PINECONE_RATE_STATS] = {"stats", 100, false},
	[PINECONE_RATE_FETCH_BY_METADATA] = {"fetch_by_metadata", 5, true},
	[PINECONE_RATE_UPSERT] = {"upsert", 100, true, PINECONE_RATE_UPSERT_KB},
	[PINECONE_RATE_UPDATE] = {"update", 100, true},
	[PINECONE_RATE_DELETE] = {"delete", 100, true, PINECONE_RATE_DELETE_RECORDS},
	[PINECONE_RATE_UPDATE_BY_METADATA] = {"update_by_metadata", 5, true},
	[PINECONE_RATE_DELETE_BY_METADATA] = {"delete_by_metadata", 5, true},
	[PINECONE_RATE_UPSERT_KB] = {"upsert_kb", 50000, true},
	[PINECONE_RATE_DELETE_RECORDS] = {"delete_records", 5000, true},
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

/* ---- Kinds ---- */

bool
pinecone_rate_is_by_namespace(PineconeRateKind kind)
{
	return kinds[kind].by_namespace;
}

PineconeRateKind
pinecone_rate_besides(PineconeRateKind kind)
{
	return kinds[kind].besides;
}
