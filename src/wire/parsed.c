/*
 * parsed.c
 *		The JSON of small replies, parsed by json-c.
 *
 * json-c's memory is tied to a memory context.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "wire/parsed.h"

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

struct json_object *
pinecone_parsed_body(const char *body, size_t len)
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

struct json_object *
pinecone_parsed_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object == NULL || !json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, name, &value))
		return NULL;
	return value;
}

bool
pinecone_parsed_is_object(struct json_object *value)
{
	return value != NULL && json_object_is_type(value, json_type_object);
}

char *
pinecone_parsed_string(struct json_object *object, const char *name)
{
	struct json_object *value = pinecone_parsed_member(object, name);

	if (value == NULL || !json_object_is_type(value, json_type_string))
		return NULL;
	return pstrdup(json_object_get_string(value));
}

bool
pinecone_parsed_number(struct json_object *object, const char *name, double *number)
{
	struct json_object *value = pinecone_parsed_member(object, name);

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

bool
pinecone_parsed_count(struct json_object *object, const char *name, double *count)
{
	return pinecone_parsed_number(object, name, count) && *count >= 0 && *count <= MAX_COUNT &&
		   *count == floor(*count);
}
