/*
 * filter_whole_metadata.c
 *		Conditions on the whole metadata object as Pinecone metadata filters.
 */
#include "postgres.h"

#include <math.h>

#include "utils/numeric.h"

#include "base/compat.h"
#include "request/filter_part.h"
#include "value/match.h"

/* ---- The metadata object ---- */

PineconeFilter
pinecone_filter_keys(bool all, Datum array, Oid type)
{
	List *filters = NIL;
	Datum *elements;
	bool *nulls;
	Oid elmtype;
	int n = array_elements(array, type, &elements, &nulls, &elmtype);

	for (int i = 0; i < n; i++)
	{
		char *key;

		if (nulls[i])
			continue;
		key = TextDatumGetCString(elements[i]);
		filters = add_filter(filters, key[0] == '$' ? filter_never : exists_filter(key, true));
	}
	return join_filters(filters, all);
}

bool
pinecone_filter_text_is_number(const char *text, double *number)
{
	char *end;

	if (text[strspn(text, "-0123456789.")] != '\0' || text[0] == '\0')
		return false;
	*number = strtod(text, &end);
	return *end == '\0' && isfinite(*number);
}

PineconeFilter
pinecone_filter_json_text(const char *key, const char *text)
{
	PineconeFilter filter = field_filter(key, "$eq", json_string(text));
	double number;

	if (text[0] == '[')
		return exists_filter(key, true);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return join_two(filter, field_filter(key, "$eq", text), false);
	if (pinecone_filter_text_is_number(text, &number))
		return join_two(filter, field_filter(key, "$eq", json_number(number)), false);
	return filter;
}

PineconeFilter
pinecone_filter_json_text_in(const char *key, Datum array, Oid type)
{
	List *filters = NIL;
	Datum *elements;
	bool *nulls;
	Oid elmtype;
	int n = array_elements(array, type, &elements, &nulls, &elmtype);

	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			filters = add_filter(filters, pinecone_filter_json_text(key, TextDatumGetCString(elements[i])));
	}
	return join_filters(filters, false);
}

static char *
jsonb_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* The filters of an object's members; "of" is given to each of them. */
static List *
member_filters(JsonbContainer *object,
			   PineconeFilter (*member_filter)(const char *of, const char *key, JsonbValue *value),
			   const char *of)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	List *filters = NIL;
	JsonbValue key;
	JsonbValue value;

	(void) JsonbIteratorNext(&it, &key, true); /* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char *name = jsonb_string(&key);

		(void) JsonbIteratorNext(&it, &value, true);
		filters = add_filter(filters, member_filter(of, name, &value));
	}
	return filters;
}

/* metadata @> {"key": array}: a list with these strings */
static PineconeFilter
json_contains_list(const char *key, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	List *filters = NIL;
	JsonbValue value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvString)
			return filter_never; /* lists hold strings only */
		filters = add_filter(filters, field_filter(key, "$eq", json_string(jsonb_string(&value))));
	}
	return filters == NIL ? exists_filter(key, true) : join_filters(filters, true);
}

static PineconeFilter
json_contains_pair(const char *of, const char *key, JsonbValue *value)
{
	if (key[0] == '$')
		return filter_never;
	switch (value->type)
	{
		case jbvString:
			return field_filter(key, "$eq", json_string(jsonb_string(value)));
		case jbvBool:
			return field_filter(key, "$eq", value->val.boolean ? "true" : "false");
		case jbvNumeric:
			{
				double number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));

				/* jsonb keeps the digits as sent, so the nearest float64 may be it */
				return isfinite(number) ? field_filter(key, "$eq", json_number(number)) :
										  filter_never;
			}
		case jbvBinary:
			if (JsonContainerIsArray(value->val.binary.data))
				return json_contains_list(key, value->val.binary.data);
			return filter_never; /* no nested objects */
		default:
			return filter_never; /* no nulls */
	}
}

PineconeFilter
pinecone_filter_json_equal(const char *key, Jsonb *value)
{
	JsonbValue whole = {.type = jbvBinary};

	if (JB_ROOT_IS_SCALAR(value))
		(void) JsonbExtractScalar(&value->root, &whole);
	else
		whole.val.binary.data = &value->root;
	return json_contains_pair(NULL, key, &whole);
}

PineconeFilter
pinecone_filter_json_contains(Jsonb *value)
{
	if (!JB_ROOT_IS_OBJECT(value))
		return filter_never;
	return join_filters(member_filters(&value->root, json_contains_pair, NULL), true);
}

static char *raw_filter(JsonbContainer *container);

static char *
raw_value(JsonbValue *value)
{
	return JsonbToCString(NULL, &JsonbValueToJsonb(value)->root, -1);
}

static PineconeFilter
raw_list(const char *op, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue value;
	JsonbIteratorToken token;
	StringInfoData buf;
	const char *separator = "";

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"%s\":[", op);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		appendStringInfo(&buf, "%s%s", separator,
						 value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data) ?
							 raw_filter(value.val.binary.data) :
							 raw_value(&value));
		separator = ",";
	}
	appendStringInfoString(&buf, "]}");
	return filter_json(buf.data);
}

/* A condition on a field, $ne and $nin completed. */
static PineconeFilter
raw_condition(const char *field, const char *op, JsonbValue *operand)
{
	PineconeFilter filter = filter_json(psprintf("{%s:{%s:%s}}", json_string(field), json_string(op),
												 raw_value(operand)));

	if (strcmp(op, "$ne") == 0 || strcmp(op, "$nin") == 0)
		return join_two(filter, exists_filter(field, false), false);
	return filter;
}

/* A member of a filter: $and, $or, a field with its conditions or its value. */
static PineconeFilter
raw_member(const char *of, const char *name, JsonbValue *value)
{
	bool is_list = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
	bool is_object = value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
	List *conditions;

	if (is_list && (strcmp(name, "$and") == 0 || strcmp(name, "$or") == 0))
		return raw_list(name, value->val.binary.data);
	if (!is_object)
		return filter_json(psprintf("{%s:%s}", json_string(name), raw_value(value)));
	conditions = member_filters(value->val.binary.data, raw_condition, name);
	return conditions == NIL ? filter_json(psprintf("{%s:{}}", json_string(name))) :
							   join_filters(conditions, true);
}

static char *
raw_filter(JsonbContainer *container)
{
	List *filters = member_filters(container, raw_member, NULL);

	return filters == NIL ? pstrdup("{}") : join_filters(filters, true).json;
}

/*
 * pinecone_match(metadata, filter): the filter as it stands, except that $ne
 * and $nin say that they match records lacking the field, as pinecone_match()
 * does, because services differ in what they take these to mean.
 */
PineconeFilter
pinecone_filter_raw_match(Jsonb *filter)
{
	char *text = JsonbToCString(NULL, &filter->root, VARSIZE(filter));

	/* what is wrong with it is said here better than by the service */
	(void) pinecone_match_compile(filter);
	if (JB_ROOT_IS_OBJECT(filter) && JB_ROOT_COUNT(filter) == 0)
		return filter_always;
	if (JB_ROOT_IS_OBJECT(filter) && (strstr(text, "\"$ne\"") || strstr(text, "\"$nin\"")))
		return filter_json(raw_filter(&filter->root));
	return filter_json(text);
}

PineconeFilter
pinecone_filter_words(const PineconeCondition *condition, const char *field, const char *words)
{
	const char *operator_ = condition->kind == PINECONE_COND_MATCH_PHRASE ? "$match_phrase" :
							condition->kind == PINECONE_COND_MATCH_ALL	  ? "$match_all" :
																			"$match_any";
	PineconeFilter filter = field_filter(field, operator_, words);

	return condition->compare == PINECONE_NE ? filter_json(psprintf("{\"$not\":%s}", filter.json)) : filter;
}
