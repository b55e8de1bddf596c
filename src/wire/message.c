/*
 * message.c
 *		The small replies: statistics, counts, namespaces, aliases, index descriptions.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"

#include "wire/message.h"
#include "wire/parsed.h"

/* The default namespace has two names. */
static char *
namespace_name(const char *name)
{
	char *copy = pg_any_to_server(name, strlen(name), PG_UTF8);

	if (strcmp(copy, "__default__") == 0)
		return pstrdup("");
	return copy == name ? pstrdup(name) : copy;
}

static int
compare_namespaces(const void *a, const void *b)
{
	return strcmp(((const PineconeNamespaceStats *) a)->name,
				  ((const PineconeNamespaceStats *) b)->name);
}

/* The default namespace may be there by both its names: it is one. */
static void
merge_namespaces(PineconeStats *stats)
{
	int n = 0;

	for (int i = 0; i < stats->nnamespaces; i++)
	{
		if (n > 0 && compare_namespaces(&stats->namespaces[n - 1], &stats->namespaces[i]) == 0)
			stats->namespaces[n - 1].records += stats->namespaces[i].records;
		else
			stats->namespaces[n++] = stats->namespaces[i];
	}
	stats->nnamespaces = n;
}

/* Is this more than some other JSON object?  What is empty or 0 may be left out. */
static bool
holds_stats(struct json_object *root)
{
	return pinecone_parsed_member(root, "namespaces") != NULL || pinecone_parsed_member(root, "dimension") != NULL ||
		   pinecone_parsed_member(root, "metric") != NULL || pinecone_parsed_member(root, "totalVectorCount") != NULL;
}

/* A count that may be left out, for 0; false when it is something else. */
static bool
take_number(struct json_object *root, const char *key, double *number)
{
	*number = 0;
	return pinecone_parsed_count(root, key, number) || pinecone_parsed_member(root, key) == NULL;
}

/*
 * Statistics decide on answers, so nothing in them is taken on trust: what is
 * missing or is not a number makes the whole reply invalid.
 */
bool
pinecone_message_decode_stats(const char *body, size_t len, PineconeStats **stats,
							  const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *namespaces = pinecone_parsed_member(root, "namespaces");
	PineconeStats *result = palloc0(sizeof(PineconeStats));
	char *type = pinecone_parsed_string(root, "vectorType");
	double number;

	*stats = result;
	if (root == NULL || !json_object_is_type(root, json_type_object))
	{
		*reason = "the index statistics are not a JSON object";
		return false;
	}
	if (!holds_stats(root))
	{
		*reason = "the reply holds no index statistics";
		return false;
	}
	if (!take_number(root, "dimension", &number) || !take_number(root, "totalVectorCount", &result->records))
	{
		*reason = "the index statistics have something else for a number";
		return false;
	}
	result->dimension = (int) Min(number, PG_INT32_MAX);
	result->metric = pinecone_metric_by_name(pinecone_parsed_string(root, "metric"));
	result->sparse = type != NULL && strcmp(type, "sparse") == 0;

	if (namespaces == NULL || !json_object_is_type(namespaces, json_type_object))
	{
		*reason = "the index statistics hold no namespaces";
		return namespaces == NULL && result->records == 0;
	}
	result->namespaces = palloc0(Max(json_object_object_length(namespaces), 1) *
								 sizeof(PineconeNamespaceStats));
	{
		json_object_object_foreach(namespaces, name, value)
		{
			PineconeNamespaceStats *entry = &result->namespaces[result->nnamespaces];

			if (!pinecone_parsed_count(value, "vectorCount", &entry->records))
			{
				if (pinecone_parsed_member(value, "vectorCount") == NULL)
					continue;
				*reason = "the number of a namespace's records is not one";
				return false;
			}
			entry->name = namespace_name(name);
			result->nnamespaces++;
		}
	}
	qsort(result->namespaces, result->nnamespaces, sizeof(PineconeNamespaceStats),
		  compare_namespaces);
	merge_namespaces(result);
	return true;
}

bool
pinecone_message_decode_count(const char *body, size_t len, double *matched, const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);

	if (pinecone_parsed_count(root, "matchedRecords", matched) || pinecone_parsed_count(root, "matched_records", matched))
		return true;
	*reason = "the reply holds no count of matched records";
	return false;
}

bool
pinecone_message_decode_upserted(const char *body, size_t len, double *count, const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);

	/* of records, and of documents */
	if (pinecone_parsed_count(root, "upsertedCount", count) || pinecone_parsed_count(root, "upserted_count", count))
		return true;
	*reason = "the reply holds no count of upserted records";
	return false;
}

bool
pinecone_message_decode_done(const char *body, size_t len, const char **reason)
{
	struct json_object *root = len > 0 ? pinecone_parsed_body(body, len) : NULL;

	if (len == 0 || (root != NULL && json_object_is_type(root, json_type_object)))
		return true;
	*reason = "the reply is not a JSON object";
	return false;
}

/* Fields that a namespace declares in its schema, or has indexed. */
static void
read_namespace_fields(struct json_object *namespace_, PineconeNamespaceInfo *info)
{
	struct json_object *declared = pinecone_parsed_member(pinecone_parsed_member(namespace_, "schema"), "fields");
	struct json_object *indexed = pinecone_parsed_member(pinecone_parsed_member(namespace_, "indexed_fields"), "fields");

	if (declared != NULL && json_object_is_type(declared, json_type_object))
	{
		info->fields = palloc0(Max(json_object_object_length(declared), 1) * sizeof(char *));
		json_object_object_foreach(declared, name, value)
		{
			(void) value;
			info->fields[info->nfields++] = pg_any_to_server(pstrdup(name), strlen(name), PG_UTF8);
		}
	}
	else if (indexed != NULL && json_object_is_type(indexed, json_type_array))
	{
		size_t n = json_object_array_length(indexed);

		info->fields = palloc0(Max(n, 1) * sizeof(char *));
		for (size_t i = 0; i < n; i++)
		{
			struct json_object *element = json_object_array_get_idx(indexed, i);
			char *name;

			if (!json_object_is_type(element, json_type_string))
				continue;
			name = pstrdup(json_object_get_string(element));
			info->fields[info->nfields++] = pg_any_to_server(name, strlen(name), PG_UTF8);
		}
	}
}

bool
pinecone_message_decode_namespaces(const char *body, size_t len, PineconeNamespaceInfo **infos,
								   int *n, char **next_token, const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *namespaces = pinecone_parsed_member(root, "namespaces");
	size_t length;

	*n = 0;
	*next_token = pinecone_parsed_string(pinecone_parsed_member(root, "pagination"), "next");
	if (namespaces == NULL || !json_object_is_type(namespaces, json_type_array))
	{
		*reason = "the reply holds no namespaces";
		return false;
	}
	length = json_object_array_length(namespaces);
	*infos = palloc0(Max(length, 1) * sizeof(PineconeNamespaceInfo));
	for (size_t i = 0; i < length; i++)
	{
		struct json_object *entry = json_object_array_get_idx(namespaces, i);
		PineconeNamespaceInfo *info = &(*infos)[*n];
		char *name = pinecone_parsed_string(entry, "name");

		if (name == NULL)
			continue;
		info->name = namespace_name(name);
		if (!pinecone_parsed_count(entry, "record_count", &info->records))
			info->records = 0;
		read_namespace_fields(entry, info);
		(*n)++;
	}
	return true;
}

/* Something that is no alias is passed over. */
static void
read_alias(struct json_object *entry, PineconeAlias *aliases, int *n)
{
	char *name = pinecone_parsed_string(entry, "name");
	char *target = pinecone_parsed_string(entry, "target_namespace");

	if (name == NULL || target == NULL)
		return;
	aliases[*n].name = pg_any_to_server(name, strlen(name), PG_UTF8);
	aliases[*n].target = namespace_name(target);
	(*n)++;
}

bool
pinecone_message_decode_aliases(const char *body, size_t len, PineconeAlias **aliases, int *n,
								char **next_token, const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *list = pinecone_parsed_member(root, "namespace_aliases");
	size_t length = list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	*n = 0;
	*next_token = pinecone_parsed_string(pinecone_parsed_member(root, "pagination"), "next");
	*aliases = palloc0(Max(length, 1) * sizeof(PineconeAlias));
	for (size_t i = 0; i < length; i++)
		read_alias(json_object_array_get_idx(list, i), *aliases, n);
	if (list == NULL)
		read_alias(root, *aliases, n);
	*reason = "the reply holds no aliases";
	return *n > 0 || list != NULL;
}

bool
pinecone_message_decode_index(const char *body, size_t len, char **host, bool *ready,
							  char **state, const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *status = pinecone_parsed_member(root, "status");
	struct json_object *is_ready = pinecone_parsed_member(status, "ready");

	if (root == NULL || !json_object_is_type(root, json_type_object))
	{
		*reason = "the index description is not a JSON object";
		return false;
	}
	if (pinecone_parsed_member(root, "name") == NULL && pinecone_parsed_member(root, "host") == NULL)
	{
		*reason = "the reply holds no index description";
		return false;
	}
	*host = pinecone_parsed_string(root, "host");
	*state = pinecone_parsed_string(status, "state");
	*ready = is_ready != NULL && json_object_get_boolean(is_ready);
	return true;
}

/* Where an index is: "deployment" says so since 2026-07, "spec" up to then. */
static PineconePlace
read_place(struct json_object *index)
{
	struct json_object *spec = pinecone_parsed_member(index, "spec");
	struct json_object *at = pinecone_parsed_member(index, "deployment");

	at = at ? at : pinecone_parsed_member(spec, "serverless");
	at = at ? at : pinecone_parsed_member(spec, "pod");
	at = at ? at : pinecone_parsed_member(spec, "byoc");
	return (PineconePlace){pinecone_parsed_string(index, "host"), pinecone_parsed_string(index, "private_host"), pinecone_parsed_string(at, "cloud"),
						   pinecone_parsed_string(at, "region"), pinecone_parsed_string(at, "environment")};
}

PineconePlace *
pinecone_message_decode_places(const char *body, size_t len, int *n)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *list = pinecone_parsed_member(root, "indexes");
	bool many = list != NULL && json_object_is_type(list, json_type_array);
	PineconePlace *places;

	*n = many ? (int) json_object_array_length(list) : 1;
	places = palloc((*n + 1) * sizeof(PineconePlace));
	for (int i = 0; i < *n; i++)
		places[i] = read_place(many ? json_object_array_get_idx(list, i) : root);
	return places;
}
