/*
 * row.c
 *		Rows from records.
 *
 * A value is either exactly what its column shows, or an error (or NULL, under
 * on_type_error 'null').
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "client/vectors.h"
#include "option/column_type.h"
#include "value/column_of_metadata.h"
#include "value/domain.h"
#include "value/id.h"
#include "value/lookalike.h"
#include "value/row.h"
#include "value/sparse.h"
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
	PineconeFieldType type;
	bool nulls; /* what does not fit is NULL */
	PineconeDomain *domain;
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

PineconeReader *
pinecone_row_reader(PineconeTable *table, const Bitmapset *wanted)
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
		pinecone_field_type(column, &entry->type);
		entry->nulls = table->type_error_null;
		if (entry->type.basetype != column->typid)
			entry->domain = pinecone_domain_create(column->typid);
		reader->want_fields |= column->role == PINECONE_ROLE_FIELD;
		reader->nwanted++;
	}
	return reader;
}

void
pinecone_row_read_null(PineconeReader *reader, const Bitmapset *columns)
{
	for (int i = 0; i < reader->nwanted; i++)
	{
		if (columns == NULL || bms_is_member(reader->wanted[i].column->attnum, columns))
			reader->wanted[i].nulls = true;
	}
}

int64
pinecone_row_misfits(const PineconeReader *reader)
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

/* ---- Columns ---- */

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
	return pinecone_field_read(&entry->type, value, datum) ||
		   misfit(reader, entry, record, value, field_reason(entry, value));
}

/* Ids and namespaces are ASCII: a byte is a character. */
static bool
convert_name(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			 const char *name, int len, Datum *datum)
{
	if (entry->type.typmod >= (int32) VARHDRSZ && len > entry->type.typmod - (int32) VARHDRSZ)
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
	if (entry->type.basetype != FLOAT4ARRAYOID && entry->type.typmod > 0 &&
		entry->type.typmod != record->nvalues)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d dimensions, not %d", entry->type.typmod, record->nvalues),
				 errdetail("Column \"%s\" of foreign table \"%s\", record \"%s\".",
						   entry->column->name, reader->table->name, record->id)));
	if (entry->type.basetype != FLOAT4ARRAYOID && record->nvalues > MAX_VECTOR_DIMENSIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a vector of %d dimensions does not fit type %s", record->nvalues,
						format_type_be(entry->type.basetype)),
				 errhint("Declare column \"%s\" as real[].", entry->column->name)));
	if (pinecone_column_type_is_halfvec(entry->type.basetype))
		return pinecone_vector_half_datum(record->nvalues, record->values, datum) ||
			   misfit(reader, entry, record, NULL, "whose numbers end at 65504");
	*datum = pinecone_vector_datum(entry->type.basetype, record->nvalues, record->values);
	return true;
}

static bool
convert_sparse(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   Datum *datum)
{
	if (record->sparse.n == 0)
		return false;
	if (entry->type.basetype == JSONBOID)
	{
		*datum = pinecone_sparse_to_jsonb(&record->sparse);
		return true;
	}
	return pinecone_vector_sparse_datum(&record->sparse, entry->type.typmod, datum) ||
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
	if (reader->table->text_field != NULL && record->metadata != NULL)
		*datum = DirectFunctionCall2(jsonb_delete, *datum, CStringGetTextDatum(reader->table->text_field));
	return true;
}

static bool
convert_column(PineconeReader *reader, ColumnReader *entry, const PineconeRecord *record,
			   const PineconeFields *fields, const PineconeValue *value, Datum *datum)
{
	switch (entry->column->role)
	{
		case PINECONE_ROLE_ID:
			if (entry->type.basetype != TEXTOID && entry->type.basetype != VARCHAROID)
				return pinecone_id_datum(entry->type.basetype, record->id, datum) ||
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
			*datum = entry->type.basetype == FLOAT4OID ? Float4GetDatum((float) record->score) :
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
pinecone_row_read(PineconeReader *reader, const PineconeRecord *record, Datum *values,
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
		reader->column = entry->type.basetype == JSONBOID ? entry->column : NULL;
		isnull[n] = read_column(reader, entry, record, fields, &values[n]);
	}
	error_context_stack = context.previous;
}
