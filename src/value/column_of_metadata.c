/*
 * column_of_metadata.c
 *		A metadata value as a datum of a column's type, if it is exactly that.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "value/column_of_metadata.h"
#include "value/json_text.h"
#include "value/times.h"

/* ---- Types ---- */

/* What numeric(p,s) can hold: at most s decimals, and less than 10^(p-s). */
static void
prepare_numeric(PineconeFieldType *type)
{
	int32 precision;
	char *limit;

	if (type->typmod < (int32) VARHDRSZ)
		return;
	precision = ((type->typmod - VARHDRSZ) >> 16) & 0xFFFF;
	type->scale = (((type->typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024;
	limit = psprintf("1e%d", precision - type->scale);
	type->limit = DirectFunctionCall3(numeric_in, CStringGetDatum(limit),
									  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

void
pinecone_field_type(const PineconeColumn *column, PineconeFieldType *type)
{
	memset(type, 0, sizeof(*type));
	type->format = column->format;
	type->typmod = column->typmod;
	type->basetype = getBaseTypeAndTypmod(column->typid, &type->typmod);
	type->is_enum = get_typtype(type->basetype) == TYPTYPE_ENUM;
	if (type->basetype == NUMERICOID)
		prepare_numeric(type);
}

/* ---- Numbers ---- */

static bool
integer_value(const PineconeValue *value, double min, double max, int64 *result)
{
	if (value->kind != PINECONE_VALUE_NUMBER || value->number != floor(value->number) ||
		value->number < min || value->number > max)
		return false;
	/* 2^63 itself is a float64, but no int8 */
	if (value->number >= 9223372036854775808.0)
		return false;
	*result = (int64) value->number;
	return true;
}

/*
 * Numerics are the shortest decimals of the float64 that is stored.  Checked
 * before numeric() sees them, which would round them or raise its own error.
 */
static bool
numeric_value(const PineconeFieldType *type, double number, Datum *datum)
{
	char text[DOUBLE_SHORTEST_DECIMAL_LEN];
	Datum whole;
	Datum rounded;

	if (!isfinite(number))
		return false;
	double_to_shortest_decimal_buf(number, text);
	whole = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	*datum = whole;
	if (type->limit == 0)
		return true;

	rounded = DirectFunctionCall2(numeric_round, whole, Int32GetDatum(type->scale));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, whole, rounded)) ||
		DatumGetBool(DirectFunctionCall2(numeric_ge, DirectFunctionCall1(numeric_abs, whole),
										 type->limit)))
		return false;
	*datum = DirectFunctionCall2(numeric, whole, Int32GetDatum(type->typmod));
	return true;
}

/* ---- Texts ---- */

static bool
text_value(const PineconeFieldType *type, const PineconeValue *value, Datum *datum)
{
	int most = type->typmod >= (int32) VARHDRSZ ? type->typmod - VARHDRSZ : -1;

	if (value->kind != PINECONE_VALUE_STRING)
		return false;
	if (most >= 0 && pg_mbstrlen_with_len(value->text, value->len) > most)
		return false;
	if (type->basetype == BPCHAROID)
		*datum = DirectFunctionCall3(bpcharin, CStringGetDatum(value->text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(type->typmod));
	else
		*datum = PointerGetDatum(cstring_to_text_with_len(value->text, value->len));
	return true;
}

/* 8-4-4-4-12 hexadecimal digits in one case: what a filter can look for */
static bool
uuid_value(const PineconeValue *value, Datum *datum)
{
	bool lower = false;
	bool upper = false;

	if (value->kind != PINECONE_VALUE_STRING || value->len != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		char c = value->text[i];

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (c != '-')
				return false;
		}
		else if (c >= 'a' && c <= 'f')
			lower = true;
		else if (c >= 'A' && c <= 'F')
			upper = true;
		else if (c < '0' || c > '9')
			return false;
	}
	if (lower && upper)
		return false;
	*datum = DirectFunctionCall1(uuid_in, CStringGetDatum(value->text));
	return true;
}

static bool
enum_value(const PineconeFieldType *type, const PineconeValue *value, Datum *datum)
{
	HeapTuple tuple;

	if (value->kind != PINECONE_VALUE_STRING || value->len >= NAMEDATALEN)
		return false;
	tuple = SearchSysCache2(ENUMTYPOIDNAME, ObjectIdGetDatum(type->basetype),
							CStringGetDatum(value->text));
	if (!HeapTupleIsValid(tuple))
		return false;
	*datum = ObjectIdGetDatum(((Form_pg_enum) GETSTRUCT(tuple))->oid);
	ReleaseSysCache(tuple);
	return true;
}

static bool
list_value(const PineconeFieldType *type, const PineconeValue *value, Datum *datum)
{
	int most = type->typmod >= (int32) VARHDRSZ ? type->typmod - VARHDRSZ : -1;
	Datum *elements;

	if (value->kind != PINECONE_VALUE_LIST)
		return false;
	elements = palloc(Max(value->nitems, 1) * sizeof(Datum));
	for (int i = 0; i < value->nitems; i++)
	{
		PineconeValue *item = &value->items[i];

		if (item->kind != PINECONE_VALUE_STRING ||
			(most >= 0 && pg_mbstrlen_with_len(item->text, item->len) > most))
			return false;
		elements[i] = PointerGetDatum(cstring_to_text_with_len(item->text, item->len));
	}
	*datum = PointerGetDatum(construct_array(elements, value->nitems,
											 type->basetype == VARCHARARRAYOID ? VARCHAROID : TEXTOID,
											 -1, false, TYPALIGN_INT));
	return true;
}

static bool
json_value(const PineconeFieldType *type, const PineconeValue *value, Datum *datum)
{
	bool jsonb = type->basetype == JSONBOID;
	char *json = value->text;

	if (type->format == PINECONE_FORMAT_JSON)
	{
		if (value->kind != PINECONE_VALUE_STRING ||
			!pinecone_json_text_is_valid(value->text, value->len, jsonb))
			return false;
	}
	else if (value->kind == PINECONE_VALUE_STRING && !value->no_text)
	{
		StringInfoData buf;

		initStringInfo(&buf);
		escape_json(&buf, value->text);
		json = buf.data;
	}
	*datum = DirectFunctionCall1(jsonb ? jsonb_in : json_in, CStringGetDatum(json));
	return true;
}

/* ---- Values ---- */

/* Routes by the column's type. False means that the value does not fit. */
bool
pinecone_field_read(const PineconeFieldType *type, const PineconeValue *value, Datum *datum)
{
	int64 integer;

	/* json keeps what it is given as it is */
	if (value->no_text && (type->basetype != JSONOID || type->format == PINECONE_FORMAT_JSON))
		return false;
	switch (type->basetype)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return text_value(type, value, datum);
		case BOOLOID:
			*datum = BoolGetDatum(value->boolean);
			return value->kind == PINECONE_VALUE_BOOL;
		case INT2OID:
			if (!integer_value(value, PG_INT16_MIN, PG_INT16_MAX, &integer))
				return false;
			*datum = Int16GetDatum((int16) integer);
			return true;
		case INT4OID:
			if (!integer_value(value, PG_INT32_MIN, PG_INT32_MAX, &integer))
				return false;
			*datum = Int32GetDatum((int32) integer);
			return true;
		case INT8OID:
			if (!integer_value(value, -9223372036854775808.0, 9223372036854775808.0, &integer))
				return false;
			*datum = Int64GetDatum(integer);
			return true;
		case FLOAT4OID:
			if (value->kind != PINECONE_VALUE_NUMBER || isinf((float) value->number))
				return false;
			*datum = Float4GetDatum((float) value->number);
			return true;
		case FLOAT8OID:
			if (value->kind != PINECONE_VALUE_NUMBER || !isfinite(value->number))
				return false;
			*datum = Float8GetDatum(value->number);
			return true;
		case NUMERICOID:
			return value->kind == PINECONE_VALUE_NUMBER &&
				   numeric_value(type, value->number, datum);
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			return pinecone_times_read(type->format, type->basetype == TIMESTAMPTZOID,
									   type->typmod, value, datum);
		case DATEOID:
			return pinecone_times_read_date(type->format, value, datum);
		case UUIDOID:
			return uuid_value(value, datum);
		case TEXTARRAYOID:
		case VARCHARARRAYOID:
			return list_value(type, value, datum);
		case JSONOID:
		case JSONBOID:
			return json_value(type, value, datum);
		default:
			return type->is_enum && enum_value(type, value, datum);
	}
}
