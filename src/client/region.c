/*
 * region.c
 *		Where a host is, and whether it may be there.
 *
 * A region is told by the index's description; by the server's owner, who may
 * write it before the host; or by a host's name, where that has the environment
 * in the form of region and cloud ("us-east1-gcp").  Other names, such as those
 * of serverless indexes ("aped-4627-b74a"), tell nothing: nothing is guessed.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "client/problem.h"
#include "client/region.h"

/* What is known of where something is */
typedef struct Where
{
	PineconeRegion region;	 /* name NULL: not known */
	const char *environment; /* as it is called, or NULL */
} Where;

static const char *const clouds[] = {"aws", "gcp", "azure"};

/* The part of a cell's name that tells it from others of its region: four hexadecimal digits */
static int
without_cell(const char *name, int len)
{
	if (len > 5 && name[len - 5] == '-' && strspn(name + len - 4, "0123456789abcdef") >= 4)
		return len - 5;
	return len;
}

/* "us-east-1-aws", of pods; "aws-us-east-1-b921", of one's own cloud; else nothing is known. */
static PineconeRegion
region_of_environment(const char *name, int len)
{
	for (int i = 0; i < lengthof(clouds); i++)
	{
		int n = strlen(clouds[i]);

		if (len <= n + 1)
			continue;
		if (name[len - n - 1] == '-' && strncmp(name + len - n, clouds[i], n) == 0)
			return (PineconeRegion){pstrdup(clouds[i]), pnstrdup(name, len - n - 1)};
		if (name[n] == '-' && strncmp(name, clouds[i], n) == 0)
			return (PineconeRegion){pstrdup(clouds[i]), pnstrdup(name + n + 1, without_cell(name + n + 1, len - n - 1))};
	}
	return (PineconeRegion){NULL, NULL};
}

/* By a name of the form INDEX.svc[.private].ENVIRONMENT.pinecone.io */
static Where
where_by_name(const char *host)
{
	static const char suffix[] = ".pinecone.io";
	Where where = {{NULL, NULL}, NULL};
	const char *start = strstr(host, ".svc.");
	const char *end;

	if (start == NULL)
		return where;
	start += strlen(".svc.");
	if (strncmp(start, "private.", 8) == 0)
		start += 8;
	end = strstr(start, suffix);
	if (end == NULL || (end[strlen(suffix)] != '\0' && end[strlen(suffix)] != ':') || memchr(start, '.', end - start) != NULL)
		return where;
	where.region = region_of_environment(start, end - start);
	where.environment = pnstrdup(start, end - start);
	return where;
}

static Where
where_by_place(const PineconePlace *place)
{
	Where where = {{place->cloud, place->region}, place->environment};

	if (where.region.name == NULL && place->environment != NULL)
		where.region = region_of_environment(place->environment, strlen(place->environment));
	return where;
}

static char *
text_of(const Where *where)
{
	return where->region.name ? pinecone_region_text(&where->region) : where->environment ? pstrdup(where->environment) :
																							NULL;
}

static bool
is_allowed(const PineconeRegions *allowed, const Where *where)
{
	for (int i = 0; i < allowed->n; i++)
	{
		const PineconeRegion *one = &allowed->regions[i];

		if (one->cloud == NULL && where->environment != NULL && strcmp(one->name, where->environment) == 0)
			return true;
		/* where only one cloud will do it has to be known which it is */
		if (where->region.name != NULL && strcmp(one->name, where->region.name) == 0 &&
			(one->cloud == NULL || (where->region.cloud != NULL && strcmp(one->cloud, where->region.cloud) == 0)))
			return true;
	}
	return false;
}

bool
pinecone_region_is_allowed(const PineconeServerOptions *options, const PineconeRegion *region)
{
	Where where = {*region, NULL};

	return options->allowed_regions == NULL || is_allowed(options->allowed_regions, &where);
}

static PineconeRegionAnswer
answer(const PineconeServerOptions *options, const char *host, const Where *where, PineconeProblem **problem)
{
	StringInfoData list;

	if (is_allowed(options->allowed_regions, where))
		return PINECONE_REGION_ALLOWED;
	initStringInfo(&list);
	for (int i = 0; i < options->allowed_regions->n; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", pinecone_region_text(&options->allowed_regions->regions[i]));
	*problem = pinecone_problem_refusal(psprintf("host \"%s\" is in %s, where server \"%s\" may not send anything", host, text_of(where), options->servername),
										psprintf("The server's \"allowed_regions\" option allows %s.", list.data));
	return PINECONE_REGION_REFUSED;
}

PineconeRegionAnswer
pinecone_region_by_name(const PineconeServerOptions *options, int number, PineconeProblem **problem)
{
	const char *host = options->hosts->hosts[number];
	Where where = {options->hosts->regions[number], NULL};

	if (host == NULL)
		return PINECONE_REGION_UNKNOWN;
	if (where.region.name == NULL)
		where = where_by_name(host);
	if (where.region.name == NULL && !is_allowed(options->allowed_regions, &where))
		return PINECONE_REGION_UNKNOWN;
	return answer(options, host, &where, problem);
}

PineconeRegionAnswer
pinecone_region_by_place(const PineconeServerOptions *options, const char *host, const PineconePlace *place, PineconeProblem **problem)
{
	Where where = where_by_place(place);

	if (where.region.name != NULL || where.environment != NULL)
		return answer(options, host, &where, problem);
	*problem = pinecone_region_unknown(host, "the index's description does not say");
	return PINECONE_REGION_REFUSED;
}

const PineconePlace *
pinecone_region_find(const char *host, const PineconePlace *places, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *of[] = {places[i].host, places[i].private_host};

		for (int j = 0; j < lengthof(of); j++)
		{
			if (of[j] != NULL && pg_strcasecmp(pinecone_host_plain(of[j]), pinecone_host_plain(host)) == 0)
				return &places[i];
		}
	}
	return NULL;
}

char *
pinecone_region_of_host(const PineconeServerOptions *options, int number)
{
	Where where = {options->hosts->regions[number], NULL};

	if (where.region.name == NULL && options->hosts->hosts[number] != NULL)
		where = where_by_name(options->hosts->hosts[number]);
	return where.region.name ? text_of(&where) : NULL;
}

PineconeProblem *
pinecone_region_of_models(const PineconeServerOptions *options)
{
	return pinecone_problem_refusal(psprintf("texts of server \"%s\" may not be sent to Pinecone's models: nobody knows where these are", options->servername),
									"The server's \"allowed_regions\" option forbids it: use another server for models, or an index that embeds texts itself.");
}

PineconeProblem *
pinecone_region_unknown(const char *host, const char *reason)
{
	return pinecone_problem_refusal(psprintf("where host \"%s\" is cannot be told: %s", host, reason),
									"The server's \"allowed_regions\" option needs to know: name the index by \"index\", use a key that may list indexes, or write the region before the host in \"hosts\", as in 'aws:eu-west-1=HOST'.");
}
