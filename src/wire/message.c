/*
 * message.c
 *		Request bodies, and the small replies; the only user of json-c.
 *
 * json-c and utils/builtins.h both own the name json_object: this file does
 * without the latter.
 */
#include "postgres.h"

#include <json-c/json.h>
#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "wire/message.h"

/* More of an error's text is not shown. */
#define MAX_ERROR_TEXT 500

/* ---- Documents: json-c's memory, tied to a memory context ---- */

typedef struct Document
{
	MemoryContextCallback cleanup;
	struct json_object *root;
} Document;

static void
release_document(void *arg)
{
	Document *document = arg;

	json_object_put(document->root);
	document->root = NULL;
}

/*
 * json-c looks at the results of few of its allocations: without memory for them
 * it crashes.  What it makes of a body is some times as large as that.
 */
#define BYTES_PER_BYTE 24

static void
expect_memory(size_t len)
{
	void *expected = malloc(len * BYTES_PER_BYTE + 65536);

	if (expected == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("While reading a reply of %zu bytes.", len)));
	free(expected);
}

/* Parse a whole body; NULL when it is not JSON. */
static struct json_object *
parse_document(const char *body, size_t len)
{
	Document *document = palloc0(sizeof(Document));
	struct json_tokener *tokener;

	document->cleanup.func = release_document;
	document->cleanup.arg = document;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &document->cleanup);

	if (len > PG_INT32_MAX || !pg_verify_mbstr(PG_UTF8, body, len, true))
		return NULL;
	expect_memory(len);
	tokener = json_tokener_new();
	if (tokener == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	document->root = json_tokener_parse_ex(tokener, body, (int) len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
		strspn(body + json_tokener_get_parse_end(tokener), " \t\r\n") !=
			len - json_tokener_get_parse_end(tokener))
		release_document(document);
	json_tokener_free(tokener);
	return document->root;
}

static struct json_object *
member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object == NULL || !json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, name, &value))
		return NULL;
	return value;
}

/* A string member, palloc'ed; NULL when there is none. */
static char *
string_member(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	if (value == NULL || !json_object_is_type(value, json_type_string))
		return NULL;
	return pstrdup(json_object_get_string(value));
}

/* A number, also when it is written as a string (64-bit ones are). */
static bool
number_member(struct json_object *object, const char *name, double *number)
{
	struct json_object *value = member(object, name);

	if (value == NULL)
		return false;
	if (json_object_is_type(value, json_type_string))
	{
		const char *text = json_object_get_string(value);
		char *end;

		*number = strtod(text, &end);
		return end != text && *end == '\0' && isfinite(*number);
	}
	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return false;
	*number = json_object_get_double(value);
	return isfinite(*number);
}

/* More of anything there cannot be; and beyond it doubles skip integers. */
#define MAX_COUNT 9e15

/* A count of something, which an integer can hold. */
static bool
count_member(struct json_object *object, const char *name, double *count)
{
	return number_member(object, name, count) && *count >= 0 && *count <= MAX_COUNT &&
		   *count == floor(*count);
}

/* The default namespace has two names. */
static char *
namespace_name(const char *name)
{
	char *copy = pg_any_to_server(name, strlen(name), PG_UTF8);

	if (strcmp(copy, "__default__") == 0)
		return pstrdup("");
	return copy == name ? pstrdup(name) : copy;
}

/* ---- Replies ---- */

static PineconeMetric
metric_by_name(const char *name)
{
	if (name == NULL)
		return PINECONE_METRIC_UNKNOWN;
	if (strcmp(name, "cosine") == 0)
		return PINECONE_METRIC_COSINE;
	if (strcmp(name, "dotproduct") == 0)
		return PINECONE_METRIC_DOTPRODUCT;
	if (strcmp(name, "euclidean") == 0)
		return PINECONE_METRIC_EUCLIDEAN;
	return PINECONE_METRIC_UNKNOWN;
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
	return member(root, "namespaces") != NULL || member(root, "dimension") != NULL ||
		   member(root, "metric") != NULL || member(root, "totalVectorCount") != NULL;
}

/*
 * Statistics decide on answers, so nothing in them is taken on trust: what is
 * missing or is not a number makes the whole reply invalid.
 */
bool
pinecone_message_decode_stats(const char *body, size_t len, PineconeStats **stats,
							  const char **reason)
{
	struct json_object *root = parse_document(body, len);
	struct json_object *namespaces = member(root, "namespaces");
	PineconeStats *result = palloc0(sizeof(PineconeStats));
	char *type = string_member(root, "vectorType");
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
	if (count_member(root, "dimension", &number))
		result->dimension = (int) Min(number, PG_INT32_MAX);
	if (count_member(root, "totalVectorCount", &number))
		result->records = number;
	result->metric = metric_by_name(string_member(root, "metric"));
	result->sparse = type != NULL && strcmp(type, "sparse") == 0;

	if (namespaces == NULL || !json_object_is_type(namespaces, json_type_object))
	{
		*reason = "the index statistics hold no namespaces";
		return result->records == 0;
	}
	result->namespaces = palloc0(Max(json_object_object_length(namespaces), 1) *
								 sizeof(PineconeNamespaceStats));
	{
		json_object_object_foreach(namespaces, name, value)
		{
			PineconeNamespaceStats *entry = &result->namespaces[result->nnamespaces];

			if (!count_member(value, "vectorCount", &entry->records))
			{
				if (member(value, "vectorCount") == NULL)
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
	struct json_object *root = parse_document(body, len);

	if (count_member(root, "matchedRecords", matched) || count_member(root, "matched_records", matched))
		return true;
	*reason = "the reply holds no count of matched records";
	return false;
}

bool
pinecone_message_decode_upserted(const char *body, size_t len, double *count, const char **reason)
{
	struct json_object *root = parse_document(body, len);

	/* of records, and of documents */
	if (count_member(root, "upsertedCount", count) || count_member(root, "upserted_count", count))
		return true;
	*reason = "the reply holds no count of upserted records";
	return false;
}

bool
pinecone_message_decode_done(const char *body, size_t len, const char **reason)
{
	struct json_object *root = len > 0 ? parse_document(body, len) : NULL;

	if (len == 0 || (root != NULL && json_object_is_type(root, json_type_object)))
		return true;
	*reason = "the reply is not a JSON object";
	return false;
}

/* Fields that a namespace declares in its schema, or has indexed. */
static void
read_namespace_fields(struct json_object *namespace_, PineconeNamespaceInfo *info)
{
	struct json_object *declared = member(member(namespace_, "schema"), "fields");
	struct json_object *indexed = member(member(namespace_, "indexed_fields"), "fields");

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
	struct json_object *root = parse_document(body, len);
	struct json_object *namespaces = member(root, "namespaces");
	size_t length;

	*n = 0;
	*next_token = string_member(member(root, "pagination"), "next");
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
		char *name = string_member(entry, "name");

		if (name == NULL)
			continue;
		info->name = namespace_name(name);
		if (!count_member(entry, "record_count", &info->records))
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
	char *name = string_member(entry, "name");
	char *target = string_member(entry, "target_namespace");

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
	struct json_object *root = parse_document(body, len);
	struct json_object *list = member(root, "namespace_aliases");
	size_t length = list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	*n = 0;
	*next_token = string_member(member(root, "pagination"), "next");
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
	struct json_object *root = parse_document(body, len);
	struct json_object *status = member(root, "status");
	struct json_object *is_ready = member(status, "ready");

	if (root == NULL || !json_object_is_type(root, json_type_object))
	{
		*reason = "the index description is not a JSON object";
		return false;
	}
	if (member(root, "name") == NULL && member(root, "host") == NULL)
	{
		*reason = "the reply holds no index description";
		return false;
	}
	*host = string_member(root, "host");
	*state = string_member(status, "state");
	*ready = is_ready != NULL && json_object_get_boolean(is_ready);
	return true;
}

/* Where an index is: "deployment" says so since 2026-07, "spec" up to then. */
static PineconePlace
read_place(struct json_object *index)
{
	struct json_object *spec = member(index, "spec");
	struct json_object *at = member(index, "deployment");

	at = at ? at : member(spec, "serverless");
	at = at ? at : member(spec, "pod");
	at = at ? at : member(spec, "byoc");
	return (PineconePlace){string_member(index, "host"), string_member(index, "private_host"), string_member(at, "cloud"),
						   string_member(at, "region"), string_member(at, "environment")};
}

PineconePlace *
pinecone_message_decode_places(const char *body, size_t len, int *n)
{
	struct json_object *root = parse_document(body, len);
	struct json_object *list = member(root, "indexes");
	bool many = list != NULL && json_object_is_type(list, json_type_array);
	PineconePlace *places;

	*n = many ? (int) json_object_array_length(list) : 1;
	places = palloc((*n + 1) * sizeof(PineconePlace));
	for (int i = 0; i < *n; i++)
		places[i] = read_place(many ? json_object_array_get_idx(list, i) : root);
	return places;
}

/* ---- Schemas ---- */

static bool
is_true(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return value != NULL && json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static bool
is_object(struct json_object *value)
{
	return value != NULL && json_object_is_type(value, json_type_object);
}

static char *
to_server(char *text)
{
	return text ? pg_any_to_server(text, strlen(text), PG_UTF8) : NULL;
}

static void
read_vector_facts(struct json_object *object, PineconeSchemaField *field)
{
	double number;

	if (count_member(object, "dimension", &number))
		field->dimension = (int) Min(number, PG_INT32_MAX);
	field->metric = metric_by_name(string_member(object, "metric"));
}

/* A field that can be searched by; what else there may be is metadata. */
static bool
read_schema_field(const char *name, struct json_object *object, PineconeSchemaField *field)
{
	char *type = string_member(object, "type");
	struct json_object *words = member(object, "full_text_search");
	struct json_object *embed = member(object, "embed");

	memset(field, 0, sizeof(*field));
	field->name = to_server(pstrdup(name));
	field->description = to_server(string_member(object, "description"));
	field->stored = true;
	if (type == NULL)
		return false;
	if (strcmp(type, "dense_vector") == 0)
	{
		field->kind = PINECONE_SCHEMA_DENSE;
		read_vector_facts(object, field);
		return true;
	}
	if (strcmp(type, "sparse_vector") == 0)
	{
		field->kind = PINECONE_SCHEMA_SPARSE;
		field->metric = PINECONE_METRIC_DOTPRODUCT;
		return true;
	}
	if (strcmp(type, "string") != 0)
		return false;
	field->kind = PINECONE_SCHEMA_TEXT;
	field->full_text = is_object(words);
	field->embed = is_object(embed);
	field->sparse_embed = is_object(member(object, "sparse_embed"));
	if (member(object, "store_text") != NULL)
		field->stored = is_true(object, "store_text");
	if (field->full_text)
	{
		field->language = string_member(words, "language");
		field->stemming = is_true(words, "stemming");
		field->stop_words = is_true(words, "stop_words");
		field->ngram = is_object(member(words, "ngram"));
	}
	if (field->embed)
		read_vector_facts(embed, field);
	return field->full_text || field->embed || field->sparse_embed;
}

bool
pinecone_message_decode_schema(const char *body, size_t len, PineconeSchema **schema,
							   const char **reason)
{
	struct json_object *root = parse_document(body, len);
	struct json_object *fields = member(member(root, "schema"), "fields");
	PineconeSchema *result;
	bool vectors = false;

	*schema = NULL;
	if (!is_object(root))
	{
		*reason = "the schema is not a JSON object";
		return false;
	}
	if (fields == NULL)
		fields = member(root, "fields");
	/* fields that are there to be filtered by say nothing of the index's kind */
	if (!is_object(fields))
		return true;
	result = palloc0(sizeof(PineconeSchema));
	result->fields = palloc0(Max(json_object_object_length(fields), 1) * sizeof(PineconeSchemaField));
	{
		json_object_object_foreach(fields, name, value)
		{
			/* those that an index of vectors has */
			if (name[0] == '_')
				vectors = true;
			else if (read_schema_field(name, value, &result->fields[result->n]))
				result->n++;
		}
	}
	if (vectors || result->n == 0)
		return true;
	pinecone_schema_finish(result);
	*schema = result;
	return true;
}

/* The field of semantic text, of which there is one at most (API 2026-07) */
static char *
find_semantic_text(struct json_object *fields, struct json_object **facts)
{
	if (!is_object(fields))
		return NULL;
	json_object_object_foreach(fields, name, value)
	{
		char *type = string_member(value, "type");

		if (type != NULL && strcmp(type, "semantic_text") == 0)
		{
			*facts = value;
			return pstrdup(name);
		}
	}
	return NULL;
}

PineconeSchema *
pinecone_message_decode_integrated(const char *body, size_t len)
{
	struct json_object *root = parse_document(body, len);
	struct json_object *facts = member(root, "embed");
	char *name;
	PineconeSchemaField vector = {0};

	if (!is_object(root))
		return NULL;
	if (is_object(facts))
		name = string_member(member(facts, "field_map"), "text");
	else
		name = find_semantic_text(member(member(root, "schema"), "fields"), &facts);
	if (name == NULL)
		name = find_semantic_text(member(root, "fields"), &facts);
	if (name == NULL)
		return NULL;
	read_vector_facts(facts, &vector);
	return pinecone_schema_integrated(to_server(name), vector.metric, vector.dimension);
}

/* ---- Errors ---- */

/* Text from elsewhere, made fit to be shown: one line, valid, not too long. */
static char *
presentable(const char *text, size_t len)
{
	char *copy;
	char *result;
	size_t n;

	len = Min(len, MAX_ERROR_TEXT);
	/* cut before a character that the limit splits */
	while (len > 0 && !pg_verify_mbstr(PG_UTF8, text, len, true) && len > MAX_ERROR_TEXT - 4)
		len--;
	copy = pnstrdup(text, len);
	n = strlen(copy);
	if (!pg_verify_mbstr(PG_UTF8, copy, n, true))
	{
		for (char *p = copy; *p; p++)
		{
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
		}
	}
	for (char *p = copy; *p; p++)
	{
		if ((unsigned char) *p < ' ' || *p == 127)
			*p = ' ';
	}
	/* characters that the database's encoding lacks would be an error in an error */
	if (GetDatabaseEncoding() != PG_UTF8)
	{
		for (char *p = copy; *p; p++)
		{
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
		}
	}
	result = copy;
	while (*result == ' ')
		result++;
	return result;
}

/* Is it one of the plain texts that Pinecone, or what stands before it, answers? */
static bool
is_known_text(const char *body, size_t len)
{
	static const char *const beginnings[] = {
		"Unauthorized", "Invalid API Key", "Forbidden", "Request failed. ", "Error, message length too large",
		"message length too large", "Too Many Requests", "URI Too Long", "no healthy upstream",
		"upstream connect error", "upstream request timeout", "default backend - 404"};

	for (int i = 0; i < lengthof(beginnings); i++)
	{
		size_t n = strlen(beginnings[i]);

		if (len >= n && strncmp(body, beginnings[i], n) == 0)
			return true;
	}
	return false;
}

char *
pinecone_message_decode_reason(const char *body, size_t len)
{
	struct json_object *details = member(parse_document(body, len), "details");
	char *reason = NULL;

	if (details != NULL && json_object_is_type(details, json_type_array) &&
		json_object_array_length(details) > 0)
		reason = string_member(json_object_array_get_idx(details, 0), "reason");
	return reason ? presentable(reason, strlen(reason)) : NULL;
}

char *
pinecone_message_decode_error(const char *body, size_t len, int *code)
{
	struct json_object *root = parse_document(body, len);
	struct json_object *error = member(root, "error");
	char *message = NULL;
	double number;
	bool has_code = count_member(root, "code", &number);

	/* the data plane's errors; the control plane's; those of documents are like the one or the other */
	*code = has_code ? (int) Min(number, PG_INT32_MAX) : 0;
	if (has_code)
		message = string_member(root, "message");
	if (message == NULL && member(error, "code") != NULL)
		message = string_member(error, "message");
	if (message != NULL)
		return presentable(message, strlen(message));
	return is_known_text(body, len) ? presentable(body, len) : NULL;
}
