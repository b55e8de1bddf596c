/*
 * json.c
 *		Replies as jsonb, and what is in them.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "admin/json.h"
#include "base/compat.h"
#include "client/control.h"
#include "value/json_text.h"

Jsonb *
pinecone_json_reply(PineconeCall *call)
{
	size_t len;
	const char *body = pinecone_control_body(call, &len);
	char *text;

	if (len == 0)
		return NULL;
	text = pg_any_to_server(pnstrdup(body, len), len, PG_UTF8);
	if (!pinecone_json_text_is_valid(text, strlen(text), true))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail("The reply is not JSON that PostgreSQL takes.")));
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

static bool
find(JsonbContainer *object, const char *name, JsonbValue *value)
{
	if (object == NULL || !JsonContainerIsObject(object))
		return false;
	return getKeyJsonValueFromContainer(object, name, strlen(name), value) != NULL;
}

JsonbContainer *
pinecone_json_object(JsonbContainer *object, const char *name)
{
	JsonbValue value;

	if (!find(object, name, &value) || value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
		return NULL;
	return value.val.binary.data;
}

JsonbContainer *
pinecone_json_array(JsonbContainer *object, const char *name)
{
	JsonbValue value;

	if (!find(object, name, &value) || value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		return NULL;
	return value.val.binary.data;
}

char *
pinecone_json_string(JsonbContainer *object, const char *name)
{
	JsonbValue value;

	if (!find(object, name, &value) || value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

bool
pinecone_json_number(JsonbContainer *object, const char *name, double *number)
{
	JsonbValue value;
	char *end;

	if (!find(object, name, &value))
		return false;
	if (value.type == jbvString)
	{
		char *text = pnstrdup(value.val.string.val, value.val.string.len);

		*number = strtod(text, &end);
		return end != text && *end == '\0' && isfinite(*number);
	}
	if (value.type != jbvNumeric)
		return false;
	*number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value.val.numeric)));
	return isfinite(*number);
}

bool
pinecone_json_is_true(JsonbContainer *object, const char *name)
{
	JsonbValue value;

	return find(object, name, &value) && value.type == jbvBool && value.val.boolean;
}

Jsonb *
pinecone_json_member(JsonbContainer *object, const char *name)
{
	JsonbValue value;

	if (!find(object, name, &value) || value.type == jbvNull)
		return NULL;
	return JsonbValueToJsonb(&value);
}

void
pinecone_json_walk(PineconeJsonWalk *walk, JsonbContainer *container)
{
	walk->it = container ? JsonbIteratorInit(container) : NULL;
	walk->key = NULL;
}

JsonbContainer *
pinecone_json_next(PineconeJsonWalk *walk)
{
	JsonbValue value;
	JsonbIteratorToken token;

	if (walk->it == NULL)
		return NULL;
	while ((token = JsonbIteratorNext(&walk->it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			walk->key = pnstrdup(value.val.string.val, value.val.string.len);
		else if ((token == WJB_VALUE || token == WJB_ELEM) && value.type == jbvBinary &&
				 JsonContainerIsObject(value.val.binary.data))
		{
			walk->len = value.val.binary.len;
			return value.val.binary.data;
		}
	}
	return NULL;
}

char *
pinecone_json_text(const Jsonb *json)
{
	char *text = JsonbToCString(NULL, (JsonbContainer *) &json->root, VARSIZE(json));

	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

Jsonb *
pinecone_json_copy(const PineconeJsonWalk *walk, JsonbContainer *object)
{
	JsonbValue value;

	value.type = jbvBinary;
	value.val.binary.data = object;
	value.val.binary.len = walk->len;
	return JsonbValueToJsonb(&value);
}
