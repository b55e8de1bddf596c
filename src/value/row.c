/*
 * row.c
 *		Rows from records.
 *
 * What fits a column is decided strictly, because conditions that Pinecone
 * answers rely on it: a value is either exactly what the column shows, or an
 * error (or NULL, under on_type_error 'null').
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "client/vectors.h"
#include "option/column_type.h"
#include "value/domain.h"
#include "value/json_text.h"
#include "value/lookalike.h"
#include "value/row.h"
#include "value/times.h"
#include "value/vector.h"
#include "wire/decode.h"
#include "wire/schema.h"

/* Records that lack a column's field and are looked at for one spelled alike */
#define MAX_LOOKALIKES 100

/* A value's text in an error message is cut after so many bytes */
#define MAX_SHOWN 100

/* pgvector's limit */
#define MAX_VECTOR_DIMENSIONS 16000

/* What converting to one column needs to know of its type. */
typedef struct ColumnReader
{
	PineconeColumn *column;
	int lookalikes; /* records that have been looked at for such a field */
	Oid basetype;	/* of a domain */
	int32 typmod;	/* of the base type */
	bool is_enum;
	bool nulls; /* what does not fit is NULL */
	PineconeDomain *domain;
	int scale;	 /* of numeric(p,s) */
	Datum limit; /* of numeric(p,s): what is too large for it; or 0 */
} ColumnReader;

struct PineconeReader
{
	PineconeTable *table;
	int nwanted;
	ColumnReader *wanted;
	bool want_fields; /* metadata must be split */
	int64 misfits;	  /* values that became NULL */

	/* The row at hand, for errors of functions that know nothing of it */
	const PineconeRecord *record;
	const PineconeColumn *column;
};

/* What numeric(p,s) can hold: at most s decimals, and less than 10^(p-s). */
static void
prepare_numeric(ColumnReader *entry)
{
	int32 precision;
	char *limit;

	if (entry->typmod < (int32) VARHDRSZ)
		return;
	precision = ((entry->typmod - VARHDRSZ) >> 16) & 0xFFFF;
	entry->scale = (((entry->typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024;
	limit = psprintf("1e%d", precision - entry->scale);
	entry->limit = DirectFunctionCall3(numeric_in, CStringGetDatum(limit),
									   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

PineconeReader *
pinecone_convert_reader(PineconeTable *table, const Bitmapset *wanted)
{
	PineconeReader *reader = palloc0(sizeof(PineconeReader));
	int attnum = -1;

	reader->table = table;
	reader->wanted = palloc0(Max(table->ncolumns, 1) * sizeof(ColumnReader));
	while ((attnum = bms_next_member(wanted, attnum)) >= 0)
	{
		PineconeColumn *column = pinecone_option_column(table, attnum);
		ColumnReader *entry = &reader->wanted[reader->nwanted];

		if (column == NULL)
			continue;
		entry->column = column;
		entry->typmod = column->typmod;
		entry->basetype = getBaseTypeAndTypmod(column->typid, &entry->typmod);
		entry->nulls = table->type_error_null;
		if (entry->basetype != column->typid)
			entry->domain = pinecone_domain_create(column->typid);
		entry->is_enum = get_typtype(entry->basetype) == TYPTYPE_ENUM;
		if (entry->basetype == NUMERICOID)
			prepare_numeric(entry);
		reader->want_fields |= column->role == PINECONE_ROLE_FIELD;
		reader->nwanted++;
	}
	return reader;
}

void
pinecone_convert_read_null(PineconeReader *reader, const Bitmapset *columns)
{
	for (int i = 0; i < reader->nwanted; i++)
	{
		if (columns == NULL || bms_is_member(reader->wanted[i].column->attnum, columns))
			reader->wanted[i].nulls = true;
	}
}

int64
pinecone_convert_misfits(const PineconeReader *reader)
{
	return reader->misfits;
}

/* ---- Values that do not fit ---- */

/* A value as messages show it. */
static const char *
shown_text(const char *text)
{
	int len = strlen(text);

	if (len <= MAX_SHOWN)
		return text;
	return psprintf("%s...", pnstrdup(text, pg_mbcliplen(text, len, MAX_SHOWN)));
}

/* What of the record a column shows, as the beginning of a sentence. */
static const char *
describe_value(ColumnReader *entry, const PineconeRecord *record, const PineconeValue *value)
{
	const PineconeColumn *column = entry->column;

	switch (column->role)
	{
		case PINECONE_ROLE_ID:
			return psprintf("id \"%s\"", shown_text(record->id));
		case PINECONE_ROLE_NAMESPACE:
			return psprintf("namespace \"%s\"", shown_text(record->namespace_));
		case PINECONE_ROLE_VALUES:
			return "vector";
		case PINECONE_ROLE_SPARSE_VALUES:
			return "sparse vector";
		case PINECONE_ROLE_SCORE:
			return "score";
		case PINECONE_ROLE_METADATA:
			return "metadata";
		default:
			if (value == NULL || value->kind == PINECONE_VALUE_NULL)
				return psprintf("missing metadata field \"%s\"", column->field);
			/* one that is no text has quotes of its own */
			return psprintf(value->no_text && value->kind == PINECONE_VALUE_STRING ?
								"value %s of metadata field \"%s\"" :
								"value \"%s\" of metadata field \"%s\"",
							shown_text(value->text), column->field);
	}
}

static const char *
better_type(const PineconeColumn *column)
{
	switch (column->role)
	{
		case PINECONE_ROLE_ID:
		case PINECONE_ROLE_NAMESPACE:
			return "Declare the column as text";
		case PINECONE_ROLE_VALUES:
			return "Declare the column as vector";
		case PINECONE_ROLE_SPARSE_VALUES:
			return "Declare the column as jsonb";
		default:
			return "Change the column's type";
	}
}

/*
 * A value that does not fit is NULL where the table says so, and else an error.
 * "reason" goes on after "the column's type is ..."; or NULL.  Returns false,
 * for there is no datum.
 */
static bool
misfit(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
	   const PineconeValue *value, const char *reason)
{
	const PineconeColumn *column = entry->column;

	reader->column = NULL; /* the message says where */
	if (!entry->nulls)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("%s does not fit column \"%s\" of foreign table \"%s\"",
						describe_value(entry, record, value), column->name, reader->table->name),
				 errdetail("Record \"%s\"; the column's type is %s%s%s.", shown_text(record->id),
						   format_type_with_typemod(column->typid, column->typmod),
						   reason ? ", " : "", reason ? reason : ""),
				 errhint("%s, or set option \"on_type_error\" to 'null'.", better_type(column))));
	reader->misfits++;
	return false;
}

/* Why a metadata value does not fit, where the type alone does not tell. */
static const char *
field_reason(const ColumnReader *entry, const PineconeValue *value)
{
	if (entry->column->format == PINECONE_FORMAT_JSON)
		return "and with option \"format\" set to 'json' it reads strings that hold JSON";
	return value->no_text ? "and PostgreSQL's text cannot hold such a string" : NULL;
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
numeric_value(ColumnReader *entry, double number, Datum *datum)
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
	if (entry->limit == 0)
		return true;

	rounded = DirectFunctionCall2(numeric_round, whole, Int32GetDatum(entry->scale));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, whole, rounded)) ||
		DatumGetBool(DirectFunctionCall2(numeric_ge, DirectFunctionCall1(numeric_abs, whole),
										 entry->limit)))
		return false;
	*datum = DirectFunctionCall2(numeric, whole, Int32GetDatum(entry->typmod));
	return true;
}

/* ---- Texts ---- */

static bool
text_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	int most = entry->typmod >= (int32) VARHDRSZ ? entry->typmod - VARHDRSZ : -1;

	if (value->kind != PINECONE_VALUE_STRING)
		return false;
	if (most >= 0 && pg_mbstrlen_with_len(value->text, value->len) > most)
		return false;
	if (entry->basetype == BPCHAROID)
		*datum = DirectFunctionCall3(bpcharin, CStringGetDatum(value->text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(entry->typmod));
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
enum_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	HeapTuple tuple;

	if (value->kind != PINECONE_VALUE_STRING || value->len >= NAMEDATALEN)
		return false;
	tuple = SearchSysCache2(ENUMTYPOIDNAME, ObjectIdGetDatum(entry->basetype),
							CStringGetDatum(value->text));
	if (!HeapTupleIsValid(tuple))
		return false;
	*datum = ObjectIdGetDatum(((Form_pg_enum) GETSTRUCT(tuple))->oid);
	ReleaseSysCache(tuple);
	return true;
}

static bool
list_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	int most = entry->typmod >= (int32) VARHDRSZ ? entry->typmod - VARHDRSZ : -1;
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
											 entry->basetype == VARCHARARRAYOID ? VARCHAROID : TEXTOID,
											 -1, false, TYPALIGN_INT));
	return true;
}

static bool
json_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	bool jsonb = entry->basetype == JSONBOID;
	char *json = value->text;

	if (entry->column->format == PINECONE_FORMAT_JSON)
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

/* ---- Columns ---- */

/* A metadata value as a datum of the column's base type; false: does not fit. */
static bool
field_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	int64 integer;

	/* json keeps what it is given as it is */
	if (value->no_text && (entry->basetype != JSONOID || entry->column->format == PINECONE_FORMAT_JSON))
		return false;
	switch (entry->basetype)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return text_value(entry, value, datum);
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
				   numeric_value(entry, value->number, datum);
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			return pinecone_times_read(entry->column->format, entry->basetype == TIMESTAMPTZOID,
									   entry->typmod, value, datum);
		case DATEOID:
			return pinecone_times_read_date(entry->column->format, value, datum);
		case UUIDOID:
			return uuid_value(value, datum);
		case TEXTARRAYOID:
		case VARCHARARRAYOID:
			return list_value(entry, value, datum);
		case JSONOID:
		case JSONBOID:
			return json_value(entry, value, datum);
		default:
			return entry->is_enum && enum_value(entry, value, datum);
	}
}

/* Of a name given twice the last one counts, as in jsonb. */
static const PineconeValue *
find_field(const PineconeFields *fields, const char *name)
{
	for (int i = fields->n - 1; i >= 0; i--)
	{
		if (fields->fields[i].name && strcmp(fields->fields[i].name, name) == 0)
			return &fields->fields[i].value;
	}
	return NULL;
}

static bool
convert_field(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			  const PineconeValue *value, Datum *datum)
{
	if (value == NULL || value->kind == PINECONE_VALUE_NULL)
		return false;
	return field_value(entry, value, datum) ||
		   misfit(reader, entry, record, value, field_reason(entry, value));
}

/* Ids and namespaces are ASCII: a byte is a character. */
static bool
convert_name(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			 const char *name, int len, Datum *datum)
{
	if (entry->typmod >= (int32) VARHDRSZ && len > entry->typmod - (int32) VARHDRSZ)
		return misfit(reader, entry, record, NULL, NULL);
	*datum = PointerGetDatum(cstring_to_text_with_len(name, len));
	return true;
}

static bool
convert_values(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   Datum *datum)
{
	if (record->nvalues == 0)
		return false;
	/* of any size but the index's the column is wrong, not a value: vector(n) has n for its typmod */
	if (entry->basetype != FLOAT4ARRAYOID && entry->typmod > 0 &&
		entry->typmod != record->nvalues)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d dimensions, not %d", entry->typmod, record->nvalues),
				 errdetail("Column \"%s\" of foreign table \"%s\", record \"%s\".",
						   entry->column->name, reader->table->name, record->id)));
	if (entry->basetype != FLOAT4ARRAYOID && record->nvalues > MAX_VECTOR_DIMENSIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a vector of %d dimensions does not fit type %s", record->nvalues,
						format_type_be(entry->basetype)),
				 errhint("Declare column \"%s\" as real[].", entry->column->name)));
	if (pinecone_column_type_is_halfvec(entry->basetype))
		return pinecone_convert_halfvec_datum(record->nvalues, record->values, datum) ||
			   misfit(reader, entry, record, NULL, "whose numbers end at 65504");
	*datum = pinecone_convert_vector_datum(entry->basetype, record->nvalues, record->values);
	return true;
}

/* {"indices": [...], "values": [...]} */
static Datum
sparse_jsonb(const PineconeSparse *sparse)
{
	StringInfoData buf;
	char number[FLOAT_SHORTEST_DECIMAL_LEN];

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"indices\":[");
	for (int i = 0; i < sparse->n; i++)
		appendStringInfo(&buf, "%s%u", i > 0 ? "," : "", sparse->indices[i]);
	appendStringInfoString(&buf, "],\"values\":[");
	for (int i = 0; i < sparse->n; i++)
	{
		float_to_shortest_decimal_buf(sparse->values[i], number);
		appendStringInfo(&buf, "%s%s", i > 0 ? "," : "", number);
	}
	appendStringInfoString(&buf, "]}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

static bool
convert_sparse(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   Datum *datum)
{
	if (record->sparse.n == 0)
		return false;
	if (entry->basetype == JSONBOID)
	{
		*datum = sparse_jsonb(&record->sparse);
		return true;
	}
	return pinecone_convert_sparsevec_datum(&record->sparse, entry->typmod, datum) ||
		   misfit(reader, entry, record, NULL, "and the vector has an index beyond its dimensions");
}

/* The whole metadata object; that of a record without metadata is empty. */
static bool
convert_metadata(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
				 const PineconeFields *fields, Datum *datum)
{
	char *json = "{}";

	if (record->metadata != NULL)
	{
		/* strings need a look only if some are escaped, or in another encoding */
		if (strstr(record->metadata, "\\u") != NULL ||
			(GetDatabaseEncoding() != PG_UTF8 && !pg_is_ascii(record->metadata)))
		{
			if (fields == NULL)
				fields = pinecone_vectors_metadata_fields(record);
			if (!pinecone_decode_is_text(fields))
				return misfit(reader, entry, record, NULL,
							  "and PostgreSQL's text cannot hold one of its strings");
		}
		json = pg_any_to_server(record->metadata, record->metadata_len, PG_UTF8);
	}
	*datum = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	/* texts of a document index have columns of their own */
	for (int i = 0; reader->table->schema != NULL && i < reader->table->schema->n; i++)
	{
		const PineconeSchemaField *field = &reader->table->schema->fields[i];

		if (field->kind == PINECONE_SCHEMA_TEXT && record->metadata != NULL)
			*datum = DirectFunctionCall2(jsonb_delete, *datum, CStringGetTextDatum(field->name));
	}
	return true;
}

static bool
convert_column(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   const PineconeFields *fields, const PineconeValue *value, Datum *datum)
{
	switch (entry->column->role)
	{
		case PINECONE_ROLE_ID:
			if (entry->basetype != TEXTOID && entry->basetype != VARCHAROID)
				return pinecone_convert_id_datum(entry->basetype, record->id, datum) ||
					   misfit(reader, entry, record, NULL, NULL);
			return convert_name(reader, entry, record, record->id, record->idlen, datum);
		case PINECONE_ROLE_NAMESPACE:
			if (record->namespace_ == NULL)
				elog(ERROR, "record without a namespace");
			return convert_name(reader, entry, record, record->namespace_,
								strlen(record->namespace_), datum);
		case PINECONE_ROLE_VALUES:
			return convert_values(reader, entry, record, datum);
		case PINECONE_ROLE_SPARSE_VALUES:
			return convert_sparse(reader, entry, record, datum);
		case PINECONE_ROLE_SCORE:
			*datum = entry->basetype == FLOAT4OID ? Float4GetDatum((float) record->score) :
													Float8GetDatum(record->score);
			return record->has_score;
		case PINECONE_ROLE_METADATA:
			return convert_metadata(reader, entry, record, fields, datum);
		case PINECONE_ROLE_FIELD:
			return convert_field(reader, entry, record, value, datum);
		default:
			return false;
	}
}

/* One column of the row; returns whether it is NULL. */
static bool
read_column(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			const PineconeFields *fields, Datum *datum)
{
	const PineconeValue *value = fields ? find_field(fields, entry->column->field) : NULL;
	int64 misfits = reader->misfits;
	const char *violation;
	bool isnull;

	if (value != NULL)
		entry->lookalikes = MAX_LOOKALIKES;
	else if (fields != NULL && entry->column->role == PINECONE_ROLE_FIELD &&
			 entry->lookalikes < MAX_LOOKALIKES)
	{
		entry->lookalikes++;
		pinecone_lookalike_warn(reader->table, entry->column, fields, record->id);
	}
	isnull = !convert_column(reader, entry, record, fields, value, datum);

	/* a misfit that has become NULL has become it whatever the domain says */
	if (entry->domain == NULL || reader->misfits > misfits)
		return isnull;
	reader->column = entry->column;
	violation = pinecone_domain_violation(entry->domain, *datum, isnull);
	if (violation == NULL)
		return isnull;
	(void) misfit(reader, entry, record, value, violation);
	return true;
}

/* Says where a domain's own expression or jsonb's input function has failed. */
static void
describe_row(void *arg)
{
	PineconeReader *reader = arg;

	if (reader->column != NULL)
		errcontext("column \"%s\" of foreign table \"%s\", record \"%s\"",
				   reader->column->name, reader->table->name, reader->record->id);
}

void
pinecone_convert_row(PineconeReader *reader, const PineconeRecord *record, Datum *values,
					 bool *isnull)
{
	PineconeFields *fields = NULL;
	ErrorContextCallback context;

	reader->record = record;
	reader->column = NULL;
	context.callback = describe_row;
	context.arg = reader;
	context.previous = error_context_stack;
	error_context_stack = &context;

	if (reader->want_fields)
		fields = pinecone_vectors_metadata_fields(record);
	memset(isnull, true, reader->table->ncolumns * sizeof(bool));
	for (int i = 0; i < reader->nwanted; i++)
	{
		ColumnReader *entry = &reader->wanted[i];
		int n = entry->column->attnum - 1;

		/* what we raise ourselves says where by itself */
		reader->column = entry->basetype == JSONBOID ? entry->column : NULL;
		isnull[n] = read_column(reader, entry, record, fields, &values[n]);
	}
	error_context_stack = context.previous;
}
