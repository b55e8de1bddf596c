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
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"


#include "client/vectors.h"
#include "value/row.h"
#include "value/vector.h"

/* A value's text in an error message is cut after so many bytes */
#define MAX_SHOWN 100

#define UNIX_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/* What converting to one column needs to know of its type. */
typedef struct ColumnReader
{
	PineconeColumn *column;
	Oid basetype; /* of a domain */
	int32 typmod; /* of the base type */
	bool is_enum;
	bool is_domain;
	void *domain_extra; /* domain_check()'s cache */
	int scale;			/* of numeric(p,s) */
	Datum limit;		/* of numeric(p,s): what is too large for it; or 0 */
} ColumnReader;

struct PineconeReader
{
	PineconeTable *table;
	MemoryContext cxt;
	int nwanted;
	ColumnReader *wanted;
	bool want_fields; /* metadata must be split */

	/* The row at hand, for errors of functions that know nothing of it */
	const PineconeRecord *record;
	const PineconeColumn *column;
	bool splitting; /* its metadata */
};

bool
pinecone_convert_is_field_type(Oid typid)
{
	switch (typid)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
		case UUIDOID:
		case TEXTARRAYOID:
		case VARCHARARRAYOID:
		case JSONOID:
		case JSONBOID:
			return true;
		default:
			return get_typtype(typid) == TYPTYPE_ENUM;
	}
}

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
	reader->cxt = CurrentMemoryContext;
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
		entry->is_domain = entry->basetype != column->typid;
		entry->is_enum = get_typtype(entry->basetype) == TYPTYPE_ENUM;
		if (entry->basetype == NUMERICOID)
			prepare_numeric(entry);
		reader->want_fields |= column->role == PINECONE_ROLE_FIELD;
		reader->nwanted++;
	}
	return reader;
}

/* ---- Values that do not fit ---- */

static void
report_misfit(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			  const PineconeValue *value)
{
	PineconeColumn *column = entry->column;
	const char *shown = value->text ? value->text : "null";
	int len = strlen(shown);

	if (len > MAX_SHOWN)
		shown = psprintf("%s...", pnstrdup(shown, pg_mbcliplen(shown, len, MAX_SHOWN)));
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("value \"%s\" of metadata field \"%s\" does not fit column \"%s\" of foreign table \"%s\"",
					shown, column->field, column->name, reader->table->name),
			 errdetail("Record \"%s\"; the column's type is %s.", record->id,
					   format_type_with_typemod(column->typid, column->typmod)),
			 errhint("Change the column's type, or set option \"on_type_error\" to 'null'.")));
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
	char *json = value->text;

	if (value->kind == PINECONE_VALUE_STRING)
	{
		StringInfoData buf;

		initStringInfo(&buf);
		escape_json(&buf, value->text);
		json = buf.data;
	}
	*datum = DirectFunctionCall1(entry->basetype == JSONBOID ? jsonb_in : json_in,
								 CStringGetDatum(json));
	return true;
}

/* ---- Times ---- */

/* Exactly YYYY-MM-DD, for a day that exists. */
static bool
iso_date(const char *text, int len, DateADT *date)
{
	int year;
	int month;
	int day;
	int julian;
	int y,
		m,
		d;

	if (len != 10 || text[4] != '-' || text[7] != '-')
		return false;
	for (int i = 0; i < 10; i++)
	{
		if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9'))
			return false;
	}
	year = atoi(text);
	month = atoi(text + 5);
	day = atoi(text + 8);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	julian = date2j(year, month, day);
	j2date(julian, &y, &m, &d);
	if (y != year || m != month || d != day)
		return false;
	*date = julian - POSTGRES_EPOCH_JDATE;
	return true;
}

static bool
date_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	PineconeFormat format = entry->column->format;
	double unit = format == PINECONE_FORMAT_EPOCH_MS ? 86400000.0 : 86400.0;
	double days;
	DateADT date;

	if (format == PINECONE_FORMAT_ISO)
	{
		if (value->kind != PINECONE_VALUE_STRING || !iso_date(value->text, value->len, &date))
			return false;
		*datum = DateADTGetDatum(date);
		return true;
	}
	if (value->kind != PINECONE_VALUE_NUMBER)
		return false;
	days = floor(value->number / unit);
	if (days * unit != value->number)
		return false;
	days -= UNIX_EPOCH_DAYS;
	if (days < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE ||
		days >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return false;
	*datum = DateADTGetDatum((DateADT) days);
	return true;
}

/* Two digits of at most "most" at *text, which is moved behind them. */
static bool
two_digits(const char **text, int most)
{
	const char *p = *text;

	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9' ||
		(p[0] - '0') * 10 + (p[1] - '0') > most)
		return false;
	*text += 2;
	return true;
}

/* HH:MM[:SS[.ffffff]] */
static bool
skip_time_of_day(const char **text)
{
	if (!two_digits(text, 23) || *(*text)++ != ':' || !two_digits(text, 59))
		return false;
	if (**text != ':')
		return true;
	(*text)++;
	if (!two_digits(text, 59))
		return false;
	if (**text == '.')
	{
		size_t digits = strspn(*text + 1, "0123456789");

		if (digits == 0 || digits > 9)
			return false;
		*text += 1 + digits;
	}
	return true;
}

/* Z or +HH[[:]MM] */
static bool
skip_zone(const char **text)
{
	if (**text == 'Z')
	{
		(*text)++;
		return true;
	}
	if (**text != '+' && **text != '-')
		return false;
	(*text)++;
	if (!two_digits(text, 15))
		return false;
	if (**text == '\0')
		return true;
	if (**text == ':')
		(*text)++;
	return two_digits(text, 59);
}

/*
 * YYYY-MM-DD[T ]HH:MM[:SS[.ffffff]][Z|+HH[:MM]]: checked here, so that the
 * input function is not given what it would read in its own way, or refuse.
 */
static bool
timestamp_is_iso(const char *text, int len, bool with_zone)
{
	const char *p = text + 10;
	DateADT date;

	if (len < 10 || !iso_date(text, 10, &date))
		return false;
	if (*p == '\0')
		return true;
	if (*p != 'T' && *p != ' ')
		return false;
	p++;
	if (!skip_time_of_day(&p))
		return false;
	if (*p != '\0' && (!with_zone || !skip_zone(&p)))
		return false;
	return *p == '\0';
}

static bool
timestamp_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	bool with_zone = entry->basetype == TIMESTAMPTZOID;
	Timestamp rounded;

	if (entry->column->format == PINECONE_FORMAT_ISO)
	{
		if (value->kind != PINECONE_VALUE_STRING ||
			!timestamp_is_iso(value->text, value->len, with_zone))
			return false;
		*datum = DirectFunctionCall3(with_zone ? timestamptz_in : timestamp_in,
									 CStringGetDatum(value->text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	else
	{
		double microseconds;

		if (value->kind != PINECONE_VALUE_NUMBER)
			return false;
		microseconds = rint(value->number *
							(entry->column->format == PINECONE_FORMAT_EPOCH_MS ? 1e3 : 1e6));
		microseconds -= (double) UNIX_EPOCH_DAYS * USECS_PER_DAY;
		if (!(microseconds >= (double) MIN_TIMESTAMP && microseconds < (double) END_TIMESTAMP))
			return false;
		*datum = TimestampGetDatum((Timestamp) microseconds);
	}
	if (entry->typmod < 0)
		return true;

	/* timestamp(p) holds what it need not round */
	rounded = DatumGetTimestamp(DirectFunctionCall2(timestamp_scale, *datum,
													Int32GetDatum(entry->typmod)));
	return rounded == DatumGetTimestamp(*datum);
}

/* ---- Columns ---- */

/* A metadata value as a datum of the column's base type; false: does not fit. */
static bool
field_value(ColumnReader *entry, const PineconeValue *value, Datum *datum)
{
	int64 integer;

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
			return timestamp_value(entry, value, datum);
		case DATEOID:
			return date_value(entry, value, datum);
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
		if (strcmp(fields->fields[i].name, name) == 0)
			return &fields->fields[i].value;
	}
	return NULL;
}

static bool
convert_field(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			  const PineconeFields *fields, Datum *datum)
{
	const PineconeValue *value = find_field(fields, entry->column->field);

	if (value == NULL || value->kind == PINECONE_VALUE_NULL)
		return false;
	if (field_value(entry, value, datum))
		return true;
	if (!reader->table->type_error_null)
		report_misfit(reader, entry, record, value);
	return false;
}

/* Ids and namespaces are ASCII: a byte is a character. */
static Datum
convert_name(PineconeReader *reader, ColumnReader *entry, const char *what, const char *name,
			 int len)
{
	if (entry->typmod >= (int32) VARHDRSZ && len > entry->typmod - (int32) VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s \"%s\" does not fit column \"%s\" of foreign table \"%s\"",
						what, name, entry->column->name, reader->table->name),
				 errdetail("The column's type is %s.",
						   format_type_with_typemod(entry->column->typid, entry->column->typmod)),
				 errhint("Declare the column as text.")));
	return PointerGetDatum(cstring_to_text_with_len(name, len));
}

static bool
convert_values(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   Datum *datum)
{
	if (record->nvalues == 0)
		return false;
	/* vector(n) has n for its typmod */
	if (entry->basetype != FLOAT4ARRAYOID && entry->typmod > 0 &&
		entry->typmod != record->nvalues)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d dimensions, not %d", entry->typmod, record->nvalues),
				 errdetail("Column \"%s\" of foreign table \"%s\", record \"%s\".",
						   entry->column->name, reader->table->name, record->id)));
	if (entry->basetype != FLOAT4ARRAYOID && record->nvalues > 16000)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a vector of %d dimensions does not fit type vector", record->nvalues),
				 errhint("Declare column \"%s\" as real[].", entry->column->name)));
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
	if (pinecone_convert_sparsevec_datum(&record->sparse, entry->typmod, datum))
		return true;
	if (!reader->table->type_error_null)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("sparse vector of record \"%s\" does not fit column \"%s\" of foreign table \"%s\"",
						record->id, entry->column->name, reader->table->name),
				 errdetail("It has an index beyond the type's dimensions."),
				 errhint("Declare the column as jsonb.")));
	return false;
}

/* The whole metadata object; that of a record without metadata is empty. */
static Datum
metadata_jsonb(const PineconeRecord *record)
{
	char *json = "{}";

	if (record->metadata != NULL)
		json = pg_any_to_server(record->metadata, record->metadata_len, PG_UTF8);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

static bool
convert_column(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   const PineconeFields *fields, Datum *datum)
{
	switch (entry->column->role)
	{
		case PINECONE_ROLE_ID:
			*datum = convert_name(reader, entry, "id", record->id, record->idlen);
			return true;
		case PINECONE_ROLE_NAMESPACE:
			if (record->namespace_ == NULL)
				elog(ERROR, "record without a namespace");
			*datum = convert_name(reader, entry, "namespace", record->namespace_,
								  strlen(record->namespace_));
			return true;
		case PINECONE_ROLE_VALUES:
			return convert_values(reader, entry, record, datum);
		case PINECONE_ROLE_SPARSE_VALUES:
			return convert_sparse(reader, entry, record, datum);
		case PINECONE_ROLE_SCORE:
			*datum = entry->basetype == FLOAT4OID ? Float4GetDatum((float) record->score) :
													Float8GetDatum(record->score);
			return record->has_score;
		case PINECONE_ROLE_METADATA:
			*datum = metadata_jsonb(record);
			return true;
		case PINECONE_ROLE_FIELD:
			return convert_field(reader, entry, record, fields, datum);
		default:
			return false;
	}
}

/*
 * Says where a domain's constraint or jsonb's input function has failed, or the
 * conversion of text to the database's encoding.
 */
static void
describe_row(void *arg)
{
	PineconeReader *reader = arg;

	if (reader->splitting)
		errcontext("metadata of foreign table \"%s\", record \"%s\"",
				   reader->table->name, reader->record->id);
	else if (reader->column != NULL)
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

	reader->splitting = reader->want_fields;
	if (reader->want_fields)
		fields = pinecone_vectors_metadata_fields(record);
	reader->splitting = false;
	memset(isnull, true, reader->table->ncolumns * sizeof(bool));
	for (int i = 0; i < reader->nwanted; i++)
	{
		ColumnReader *entry = &reader->wanted[i];
		int n = entry->column->attnum - 1;

		/* what we raise ourselves says where by itself */
		reader->column = entry->basetype == JSONBOID ? entry->column : NULL;
		isnull[n] = !convert_column(reader, entry, record, fields, &values[n]);
		if (entry->is_domain)
		{
			reader->column = entry->column;
			domain_check(values[n], isnull[n], entry->column->typid, &entry->domain_extra,
						 reader->cxt);
		}
	}
	error_context_stack = context.previous;
}
