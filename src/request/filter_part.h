/*
 * filter_part.h
 *		What filters are put together from, for filter.c, filter_number.c,
 *		filter_whole_metadata.c and filter_key.c.
 */
#ifndef PINECONE_FILTER_PART_H
#define PINECONE_FILTER_PART_H

#include "common/shortest_dec.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "request/filter.h"

static const PineconeFilter filter_never = {PINECONE_FILTER_NEVER, NULL};
static const PineconeFilter filter_always = {PINECONE_FILTER_ALWAYS, NULL};

static inline PineconeFilter
filter_json(char *json)
{
	PineconeFilter filter = {PINECONE_FILTER_JSON, json};

	return filter;
}

static inline char *
json_string(const char *string)
{
	StringInfoData buf;

	initStringInfo(&buf);
	escape_json(&buf, string);
	return buf.data;
}

/* A finite number, in the shortest form that reads back the same. */
static inline char *
json_number(double number)
{
	char *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	/* the shortest form of -0 would be read back as it is; no need to show it */
	double_to_shortest_decimal_buf(number == 0 ? 0 : number, text);
	return text;
}

/* {"field":{"$op":literal}} */
static inline PineconeFilter
field_filter(const char *field, const char *op, const char *literal)
{
	return filter_json(psprintf("{%s:{\"%s\":%s}}", json_string(field), op, literal));
}

static inline PineconeFilter
exists_filter(const char *field, bool exists)
{
	return field_filter(field, "$exists", exists ? "true" : "false");
}

/* Join filters by AND or OR, dropping those that decide nothing. */
static inline PineconeFilter
join_filters(List *filters, bool is_and)
{
	PineconeFilterKind neutral = is_and ? PINECONE_FILTER_ALWAYS : PINECONE_FILTER_NEVER;
	PineconeFilterKind deciding = is_and ? PINECONE_FILTER_NEVER : PINECONE_FILTER_ALWAYS;
	StringInfoData buf;
	PineconeFilter *only = NULL;
	int n = 0;
	ListCell *lc;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"%s\":[", is_and ? "$and" : "$or");
	foreach(lc, filters)
	{
		PineconeFilter *filter = lfirst(lc);

		if (filter->kind == deciding)
			return *filter;
		if (filter->kind == neutral)
			continue;
		if (n++ > 0)
			appendStringInfoChar(&buf, ',');
		appendStringInfoString(&buf, filter->json);
		only = filter;
	}
	if (n == 0)
		return is_and ? filter_always : filter_never;
	if (n == 1)
		return *only;
	appendStringInfoString(&buf, "]}");
	return filter_json(buf.data);
}

static inline List *
add_filter(List *filters, PineconeFilter filter)
{
	PineconeFilter *copy = palloc(sizeof(PineconeFilter));

	*copy = filter;
	return lappend(filters, copy);
}

static inline PineconeFilter
join_two(PineconeFilter a, PineconeFilter b, bool is_and)
{
	return join_filters(add_filter(add_filter(NIL, a), b), is_and);
}

/* The elements of an array datum; returns their number. */
static inline int
array_elements(Datum array, Oid type, Datum **elements, bool **nulls, Oid *elmtype)
{
	int16 typlen;
	bool typbyval;
	char typalign;
	int n;

	*elmtype = getBaseType(get_element_type(getBaseType(type)));
	get_typlenbyvalalign(*elmtype, &typlen, &typbyval, &typalign);
	deconstruct_array(DatumGetArrayTypeP(array), *elmtype, typlen, typbyval, typalign,
					  elements, nulls, &n);
	return n;
}

/* ---- filter.c: conditions on columns ---- */

/* The stored values that read as this SQL value, as JSON literals; NIL: there is none. */
extern List *pinecone_filter_equal_literals(const PineconeColumn *column, Datum value, Oid type);

/* $in or $nin of many literals */
extern PineconeFilter pinecone_filter_in(const char *field, List *literals, bool negated);

/* ---- filter_number.c: comparisons with numbers ---- */

/* Does a float64 equal the value, as the column shows it, and which? */
extern bool pinecone_filter_exact_number(const PineconeColumn *column, Datum value, Oid type, double *number);

/* < <= > >= and a value between two float64s; columns of type real; of times, by any comparison */
extern PineconeFilter pinecone_filter_compare_number(const PineconeColumn *column, PineconeCompare compare, Datum datum, Oid type);
extern PineconeFilter pinecone_filter_compare_float4(const PineconeColumn *column, PineconeCompare compare, Datum datum, Oid type);
extern PineconeFilter pinecone_filter_compare_epoch(const PineconeColumn *column, PineconeCompare compare, int64 timestamp);

/* ---- filter_whole_metadata.c: conditions on the whole metadata object, and on words ---- */

/* metadata ?& array, ?| array */
extern PineconeFilter pinecone_filter_keys(bool all, Datum array, Oid type);

/* metadata ->> key = text: of a string, a number, a boolean or a list; = ANY (array) */
extern PineconeFilter pinecone_filter_json_text(const char *key, const char *text);
extern PineconeFilter pinecone_filter_json_text_in(const char *key, Datum array, Oid type);

/* Does jsonb ->> give this text for some number, and which? */
extern bool pinecone_filter_text_is_number(const char *text, double *number);

/* metadata @> value */
extern PineconeFilter pinecone_filter_json_contains(Jsonb *value);
extern PineconeFilter pinecone_filter_json_equal(const char *key, Jsonb *value);

/* pinecone_match(metadata, filter) */
extern PineconeFilter pinecone_filter_raw_match(Jsonb *filter);

/* pinecone_match_phrase(column, words) and its like: a text has these words (as JSON), or has not. */
extern PineconeFilter pinecone_filter_words(const PineconeCondition *condition, const char *field, const char *words);

#endif /* PINECONE_FILTER_PART_H */
