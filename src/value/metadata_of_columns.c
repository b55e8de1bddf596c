/*
 * metadata_of_columns.c
 *		Metadata objects from columns.
 *
 * What Pinecone would refuse, or keep as something else than was written, is
 * found out here: a request with one bad record is refused as a whole, and a
 * number that changes on its way would not be noticed by anyone.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "client/vectors.h"
#include "value/metadata_of_columns.h"
#include "value/times.h"
#include "wire/schema.h"

/* Bytes of metadata that a record can have (API 2025-10) */
#define MAX_METADATA 40960

/* Bytes of a text of a document (API 2026-07) */
#define MAX_TEXT 102400

/* Up to here, 2^53, float64 has every integer */
#define MAX_EXACT_INTEGER 9007199254740992.0

/* Decimals of so many digits survive float64 */
#define MAX_SAFE_DIGITS 15

/* ---- Numbers ---- */

static const char *
append_double(StringInfo buf, double value)
{
	char text[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
		return psprintf("%s is no number that metadata can hold",
						isnan(value) ? "NaN" : "infinity");
	double_to_shortest_decimal_buf(value, text);
	appendStringInfoString(buf, text);
	return NULL;
}

static const char *
append_float(StringInfo buf, float value)
{
	char text[FLOAT_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
		return append_double(buf, value);
	float_to_shortest_decimal_buf(value, text);
	appendStringInfoString(buf, text);
	return NULL;
}

/*
 * An integer that float64 has.  Beyond 2^53 that has more digits than its shortest
 * decimal, which is what the service will show: so it is shown, and laid under
 * later changes, before it is sent as afterwards.
 */
static const char *
append_integer(StringInfo buf, int64 value)
{
	double number = (double) value;

	if (number >= 9223372036854775808.0 || (int64) number != value)
		return psprintf("the number " INT64_FORMAT " would be stored as %.0f", value, number);
	if (fabs(number) > MAX_EXACT_INTEGER)
		return append_double(buf, number);
	appendStringInfo(buf, INT64_FORMAT, value);
	return NULL;
}

/* As much of a number as an error message should hold. */
static char *
shown_number(const char *text)
{
	return strlen(text) > 100 ? psprintf("%.*s...", 100, text) : pstrdup(text);
}

/* A numeric is stored as a float64, whose shortest decimal it has to be. */
static const char *
append_numeric(StringInfo buf, Datum value)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	double number = strtod(text, NULL);
	char stored[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isfinite(number) && strlen(text) > MAX_SAFE_DIGITS)
	{
		Datum read_back;

		double_to_shortest_decimal_buf(number, stored);
		read_back = DirectFunctionCall3(numeric_in, CStringGetDatum(stored),
										ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		if (!DatumGetBool(DirectFunctionCall2(numeric_eq, value, read_back)))
			return psprintf("the number %s would be stored as %s", shown_number(text), stored);
	}
	else if (!isfinite(number) && pg_strcasecmp(text, "NaN") != 0 && text[0] != 'I' && text[1] != 'I')
		return psprintf("the number %s is beyond what metadata can hold", shown_number(text));
	return append_double(buf, number);
}

/* ---- Texts and lists ---- */

static const char *
append_text(StringInfo buf, Datum value)
{
	escape_json(buf, TextDatumGetCString(value));
	return NULL;
}

static const char *
append_list(StringInfo buf, Datum value)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	Datum *elements;
	bool *nulls;
	int n;

	if (ARR_NDIM(array) > 1)
		return "a list has one dimension";
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			return "a list cannot contain NULL";
		if (i > 0)
			appendStringInfoChar(buf, ',');
		append_text(buf, elements[i]);
	}
	appendStringInfoChar(buf, ']');
	return NULL;
}

/* ---- JSON ---- */

static const char *
append_json_scalar(StringInfo buf, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			escape_json(buf, pnstrdup(value->val.string.val, value->val.string.len));
			return NULL;
		case jbvNumeric:
			return append_numeric(buf, NumericGetDatum(value->val.numeric));
		case jbvBool:
			appendStringInfoString(buf, value->val.boolean ? "true" : "false");
			return NULL;
		default:
			return "values are strings, numbers, booleans or lists of strings";
	}
}

/* Reasons for which a string of JSON can take the value's place */
static const char nested[] = "metadata cannot be nested";
static const char mixed_list[] = "a list can contain nothing but strings";

/* The iterator stands behind the beginning of a list. */
static const char *
append_json_list(StringInfo buf, JsonbIterator **it)
{
	JsonbValue value;
	JsonbIteratorToken token;
	bool first = true;

	appendStringInfoChar(buf, '[');
	while ((token = JsonbIteratorNext(it, &value, true)) != WJB_END_ARRAY)
	{
		if (token != WJB_ELEM || value.type != jbvString)
			return mixed_list;
		if (!first)
			appendStringInfoChar(buf, ',');
		first = false;
		(void) append_json_scalar(buf, &value);
	}
	appendStringInfoChar(buf, ']');
	return NULL;
}

/* A jsonb column: any value that a field can have; *is_null for JSON's null. */
static const char *
append_jsonb(StringInfo buf, Jsonb *json, bool *is_null)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbValue value;

	if (JsonbIteratorNext(&it, &value, false) != WJB_BEGIN_ARRAY)
		return nested;
	if (!value.val.array.rawScalar)
		return append_json_list(buf, &it);
	(void) JsonbIteratorNext(&it, &value, true);
	*is_null = value.type == jbvNull;
	return *is_null ? NULL : append_json_scalar(buf, &value);
}

static Jsonb *
json_as_jsonb(Datum value)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(TextDatumGetCString(value))));
}

/* ---- Fields ---- */

static PineconeMetadataEntry *
find_entry(PineconeMetadata *metadata, const char *key, bool is_json)
{
	for (int i = 0; i < metadata->n; i++)
	{
		PineconeMetadataEntry *entry = &metadata->entries[i];

		if (entry->is_json == is_json && strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static void
set_entry(PineconeMetadata *metadata, char *key, bool is_json, char *json)
{
	PineconeMetadataEntry *entry = find_entry(metadata, key, is_json);

	if (entry == NULL)
	{
		if (metadata->n == metadata->size)
		{
			metadata->size = Max(metadata->size * 2, 16);
			metadata->entries = metadata->entries ?
									repalloc(metadata->entries, metadata->size * sizeof(PineconeMetadataEntry)) :
									palloc(metadata->size * sizeof(PineconeMetadataEntry));
		}
		entry = &metadata->entries[metadata->n++];
		entry->key = key;
		entry->is_json = is_json;
	}
	entry->json = json;
}

static void
set_field(PineconeMetadata *metadata, char *key, char *json)
{
	set_entry(metadata, key, false, json);
}

static const char *
about_field(const char *key, const char *reason)
{
	return psprintf("metadata field \"%s\": %s", key, reason);
}

void
pinecone_metadata_set(PineconeMetadata *metadata, char *key, char *json)
{
	set_field(metadata, key, json);
}

void
pinecone_metadata_remove(PineconeMetadata *metadata, const char *key)
{
	set_field(metadata, pstrdup(key), NULL);
}

/* A document kept in a string */
static const char *
append_document(StringInfo buf, const PineconeFieldColumn *column, Datum value)
{
	Jsonb *json;

	if (column->basetype == JSONOID)
		return append_text(buf, value);
	json = DatumGetJsonbP(value);
	escape_json(buf, JsonbToCString(NULL, &json->root, VARSIZE(json)));
	return NULL;
}

/* A time, whose field may have to keep its spelling. */
static const char *
append_time(StringInfo buf, const PineconeMetadata *metadata, const PineconeFieldColumn *column, Timestamp value)
{
	bool with_zone = column->basetype == TIMESTAMPTZOID;
	const char *stored = NULL;

	if (column->column->format != PINECONE_FORMAT_AS_STORED)
		return pinecone_times_append(buf, column->column->format, with_zone, value);
	for (int i = 0; i < metadata->n; i++)
	{
		if (!metadata->entries[i].is_json && strcmp(metadata->entries[i].key, column->column->field) == 0)
			stored = metadata->entries[i].json;
	}
	return pinecone_times_append_like(buf, stored, with_zone, value);
}

/* Routes by the column's type. Returns why the value cannot be sent, or NULL. */
static const char *
append_column(StringInfo buf, const PineconeMetadata *metadata, const PineconeFieldColumn *column, Datum value,
			  bool *is_null)
{
	if (column->column->format == PINECONE_FORMAT_JSON)
		return append_document(buf, column, value);
	switch (column->basetype)
	{
		case TEXTOID:
		case VARCHAROID:
			return append_text(buf, value);
		case BPCHAROID:
			/* the padding is the column's, not the value's */
			return append_text(buf, DirectFunctionCall1(rtrim1, value));
		case BOOLOID:
			appendStringInfoString(buf, DatumGetBool(value) ? "true" : "false");
			return NULL;
		case INT2OID:
			return append_integer(buf, DatumGetInt16(value));
		case INT4OID:
			return append_integer(buf, DatumGetInt32(value));
		case INT8OID:
			return append_integer(buf, DatumGetInt64(value));
		case FLOAT4OID:
			return append_float(buf, DatumGetFloat4(value));
		case FLOAT8OID:
			return append_double(buf, DatumGetFloat8(value));
		case NUMERICOID:
			return append_numeric(buf, value);
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			return append_time(buf, metadata, column, DatumGetTimestamp(value));
		case DATEOID:
			return pinecone_times_append_date(buf, column->column->format, DatumGetDateADT(value));
		case UUIDOID:
			appendStringInfo(buf, "\"%s\"", DatumGetCString(DirectFunctionCall1(uuid_out, value)));
			return NULL;
		case TEXTARRAYOID:
		case VARCHARARRAYOID:
			return append_list(buf, value);
		case JSONOID:
			return append_jsonb(buf, json_as_jsonb(value), is_null);
		case JSONBOID:
			return append_jsonb(buf, DatumGetJsonbP(value), is_null);
		default:
			Assert(column->is_enum);
			escape_json(buf, DatumGetCString(DirectFunctionCall1(enum_out, value)));
			return NULL;
	}
}

const char *
pinecone_metadata_add_column(PineconeMetadata *metadata,
							 const PineconeFieldColumn *column, Datum value)
{
	StringInfoData buf;
	bool is_null = false;
	const char *reason;

	initStringInfo(&buf);
	reason = append_column(&buf, metadata, column, value, &is_null);
	if (reason == nested || reason == mixed_list)
		metadata->hint = psprintf("Set option \"format\" of column \"%s\" to 'json' to keep JSON in a string.",
								  column->column->name);
	if (reason != NULL)
		return about_field(column->column->field, reason);
	set_field(metadata, column->column->field, is_null ? NULL : buf.data);
	return NULL;
}

const char *
pinecone_metadata_add_object(PineconeMetadata *metadata, Jsonb *object)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbValue value;
	JsonbIteratorToken token;

	if (JsonbIteratorNext(&it, &value, false) != WJB_BEGIN_OBJECT)
		return "metadata is not a JSON object";
	while (JsonbIteratorNext(&it, &value, false) == WJB_KEY)
	{
		char *key = pnstrdup(value.val.string.val, value.val.string.len);
		const char *reason;
		StringInfoData buf;

		if (key[0] == '$')
			return about_field(key, "names do not begin with \"$\"");
		initStringInfo(&buf);
		token = JsonbIteratorNext(&it, &value, false);
		if (token == WJB_BEGIN_OBJECT)
			reason = nested;
		else if (token == WJB_BEGIN_ARRAY)
			reason = append_json_list(&buf, &it);
		else if (value.type == jbvNull)
			continue;
		else
			reason = append_json_scalar(&buf, &value);
		if (reason == nested || reason == mixed_list)
			metadata->hint = "A column of the field's own, of type jsonb with option \"format\" set to 'json', keeps JSON in a string.";
		if (reason != NULL)
			return about_field(key, reason);
		set_field(metadata, key, buf.data);
	}
	return NULL;
}

/* What is stored is taken as it is. */
const char *
pinecone_metadata_add_stored(PineconeMetadata *metadata, const PineconeRecord *record)
{
	PineconeFields *fields = pinecone_vectors_metadata_fields(record);

	for (int i = 0; i < fields->n; i++)
	{
		PineconeField *field = &fields->fields[i];
		char *json = field->value.text;

		if (field->value.kind == PINECONE_VALUE_NULL)
			continue;
		if (field->value.kind == PINECONE_VALUE_STRING && !field->value.no_text)
		{
			StringInfoData buf;

			initStringInfo(&buf);
			escape_json(&buf, field->value.text);
			json = buf.data;
		}
		set_entry(metadata, field->name ? field->name : field->json, field->name == NULL, json);
	}
	return NULL;
}

/* {} is what neither a filter nor a column can name, and no field can hold. */
static void
append_matchable(StringInfo buf, const PineconeValue *value)
{
	if (value->kind == PINECONE_VALUE_LIST)
	{
		appendStringInfoChar(buf, '[');
		for (int i = 0; i < value->nitems; i++)
		{
			if (i > 0)
				appendStringInfoChar(buf, ',');
			append_matchable(buf, &value->items[i]);
		}
		appendStringInfoChar(buf, ']');
	}
	else if (value->kind == PINECONE_VALUE_NULL)
		appendStringInfoString(buf, "null");
	else if (value->no_text)
		appendStringInfoString(buf, "{}");
	else if (value->kind == PINECONE_VALUE_STRING)
		escape_json(buf, value->text);
	else
		appendStringInfoString(buf, value->text);
}

char *
pinecone_metadata_matchable(const PineconeRecord *record)
{
	PineconeFields *fields;
	StringInfoData buf;
	const char *separator = "";

	if (strstr(record->metadata, "\\u") == NULL &&
		(GetDatabaseEncoding() == PG_UTF8 || pg_is_ascii(record->metadata)))
		return record->metadata;
	fields = pinecone_vectors_metadata_fields(record);
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name == NULL)
			continue;
		appendStringInfoString(&buf, separator);
		separator = ",";
		escape_json(&buf, fields->fields[i].name);
		appendStringInfoChar(&buf, ':');
		append_matchable(&buf, &fields->fields[i].value);
	}
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/* Bytes of a JSON string as escape_json() has written it. */
static int
length_of_string(const char *json)
{
	int n = 0;

	for (const char *p = json + 1; *p != '\0' && *p != '"'; p++, n++)
	{
		if (*p == '\\')
			p += p[1] == 'u' ? 5 : 1;
	}
	return n;
}

/* Texts that the schema declares have limits of their own, and do not count with the metadata. */
static const char *
check_documents(const PineconeMetadata *metadata)
{
	int total = 0;

	for (int i = 0; i < metadata->n; i++)
	{
		const PineconeMetadataEntry *entry = &metadata->entries[i];

		if (entry->json == NULL)
			continue;
		if (entry->is_json || pinecone_schema_field(metadata->schema, entry->key) == NULL)
			total += strlen(entry->key) + strlen(entry->json) + 4;
		else if (entry->json[0] == '"' && length_of_string(entry->json) > MAX_TEXT)
			return psprintf("its text \"%s\" has %d bytes, more than the %d that a text can have",
							entry->key, length_of_string(entry->json), MAX_TEXT);
	}
	if (total > MAX_METADATA)
		return psprintf("its metadata has %d bytes, more than the %d that a record can have", total, MAX_METADATA);
	return NULL;
}

const char *
pinecone_metadata_finish(const PineconeMetadata *metadata, char **json, int *len)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (int i = 0; i < metadata->n; i++)
	{
		if (metadata->entries[i].json == NULL)
			continue;
		if (buf.len > 1)
			appendStringInfoChar(&buf, ',');
		if (metadata->entries[i].is_json)
			appendStringInfoString(&buf, metadata->entries[i].key);
		else
			escape_json(&buf, metadata->entries[i].key);
		appendStringInfoChar(&buf, ':');
		appendStringInfoString(&buf, metadata->entries[i].json);
	}
	appendStringInfoChar(&buf, '}');
	*json = pg_server_to_any(buf.data, buf.len, PG_UTF8);
	*len = *json == buf.data ? buf.len : (int) strlen(*json);
	if (metadata->unchecked)
		return NULL;
	if (metadata->schema != NULL)
		return check_documents(metadata);
	if (*len > MAX_METADATA)
		return psprintf("its metadata has %d bytes, more than the %d that a record can have",
						*len, MAX_METADATA);
	return NULL;
}
