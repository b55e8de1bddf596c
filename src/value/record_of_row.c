/*
 * record_of_row.c
 *		Records from rows.
 *
 * Everything that is known to make Pinecone refuse a record is checked before
 * it is sent, because a refusal names neither row nor reason well, and takes
 * the whole batch with it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/limits.h"
#include "client/vectors.h"
#include "value/embedded_text.h"
#include "value/id.h"
#include "value/metadata_of_columns.h"
#include "value/record_of_row.h"
#include "value/sparse.h"
#include "value/vector.h"
#include "wire/schema.h"

#define ZERO 1e-8 /* a vector of nothing but smaller values is a zero vector */

struct PineconeWriter
{
	PineconeTable *table;
	const Bitmapset *assigned; /* NULL: all */

	/* The index */
	PineconeMetric metric;
	bool sparse;
	int dimension; /* 0: unknown */

	/* Columns */
	Oid values_type;
	Oid sparse_type;
	int nfields;
	PineconeFieldColumn *fields;
	bool shared_fields; /* some columns are the same field */
	bool lays_over;		/* the metadata column's value over what is stored */

	const char *id; /* of the row at hand, for messages; NULL: there is none */
};

static bool
is_assigned(PineconeWriter *writer, AttrNumber attnum)
{
	return attnum != 0 && (writer->assigned == NULL || bms_is_member(attnum, writer->assigned));
}

/*
 * Two columns that are the same metadata field may both be read.  A statement
 * that writes both is refused, for one value would be lost.
 */
static void
check_shared_fields(PineconeWriter *writer, const bool *isnull)
{
	PineconeColumn *columns[2];

	if (!writer->shared_fields)
		return;
	for (int i = 0; i < writer->nfields; i++)
	{
		columns[0] = writer->fields[i].column;
		for (int j = i + 1; j < writer->nfields; j++)
		{
			bool written = true;

			columns[1] = writer->fields[j].column;
			if (strcmp(columns[0]->field, columns[1]->field) != 0)
				continue;
			/* an INSERT leaves out what is NULL, an UPDATE removes it */
			for (int k = 0; k < 2; k++)
				written = written && (writer->assigned ? is_assigned(writer, columns[k]->attnum) : !isnull[columns[k]->attnum - 1]);
			if (written)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot write both column \"%s\" and column \"%s\" of foreign table \"%s\"",
								columns[0]->name, columns[1]->name, writer->table->name),
						 errdetail("They are the same metadata field \"%s\".", columns[0]->field),
						 errhint("Write one of them.")));
		}
	}
}

PineconeWriter *
pinecone_record_of_row_writer(PineconeTable *table, const PineconeStats *stats,
							  const Bitmapset *assigned)
{
	PineconeWriter *writer = palloc0(sizeof(PineconeWriter));

	if (table->id_attnum == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write to foreign table \"%s\"", table->name),
				 errdetail("It has no column of role \"id\".")));
	writer->table = table;
	writer->assigned = assigned;
	writer->metric = stats->metric;
	writer->sparse = stats->sparse;
	writer->dimension = stats->dimension;
	if (table->values_attnum != 0)
		writer->values_type = getBaseType(table->columns[table->values_attnum - 1].typid);
	if (table->sparse_attnum != 0)
		writer->sparse_type = getBaseType(table->columns[table->sparse_attnum - 1].typid);
	writer->fields = palloc(Max(table->ncolumns, 1) * sizeof(PineconeFieldColumn));
	for (int i = 0; i < table->ncolumns; i++)
	{
		PineconeFieldColumn *field = &writer->fields[writer->nfields];

		if (table->columns[i].role != PINECONE_ROLE_FIELD)
			continue;
		field->column = &table->columns[i];
		field->basetype = getBaseType(field->column->typid);
		field->is_enum = get_typtype(field->basetype) == TYPTYPE_ENUM;
		for (int j = 0; j < writer->nfields; j++)
			writer->shared_fields |= strcmp(writer->fields[j].column->field, field->column->field) == 0;
		writer->nfields++;
	}
	if (assigned != NULL)
		check_shared_fields(writer, NULL);
	return writer;
}

void
pinecone_record_of_row_assign(PineconeWriter *writer, const Bitmapset *assigned)
{
	writer->assigned = assigned;
}

void
pinecone_record_of_row_lay_over(PineconeWriter *writer)
{
	writer->lays_over = true;
}

/* An id as messages show it; one that is refused may be of any length. */
static const char *
shown_id(const char *id)
{
	int len = strlen(id);

	if (len <= PINECONE_MAX_ID)
		return id;
	return psprintf("%s...", pnstrdup(id, pg_mbcliplen(id, len, 100)));
}

/* Raise an error about the row at hand, if there is a reason to. */
static void
refuse_with_hint(PineconeWriter *writer, int sqlstate, const char *reason, const char *hint)
{
	if (reason != NULL && writer->id == NULL)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("cannot update foreign table \"%s\": %s", writer->table->name, reason),
				 hint ? errhint("%s", hint) : 0));
	if (reason != NULL)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("cannot store record \"%s\" in foreign table \"%s\": %s",
						shown_id(writer->id), writer->table->name, reason),
				 hint ? errhint("%s", hint) : 0));
}

static void
refuse(PineconeWriter *writer, int sqlstate, const char *reason)
{
	refuse_with_hint(writer, sqlstate, reason, NULL);
}

/* ---- Ids ---- */

static void
convert_id(PineconeWriter *writer, const Datum *values, const bool *isnull, PineconeRecord *record)
{
	int n = writer->table->id_attnum - 1;

	if (isnull[n])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of foreign table \"%s\"",
						writer->table->columns[n].name, writer->table->name),
				 errdetail("A record needs an id.")));
	record->id = pinecone_id_text(writer->table->columns[n].typid, values[n]);
	record->idlen = strlen(record->id);
	writer->id = record->id;
	if (record->idlen == 0)
		refuse(writer, ERRCODE_DATA_EXCEPTION, "an id must not be empty");
	if (record->idlen > PINECONE_MAX_ID)
		refuse(writer, ERRCODE_DATA_EXCEPTION,
			   psprintf("its id has %d bytes, more than the %d that an id can have",
						record->idlen, PINECONE_MAX_ID));
	for (int i = 0; i < record->idlen; i++)
	{
		if ((unsigned char) record->id[i] > 127)
			refuse(writer, ERRCODE_DATA_EXCEPTION, "an id can contain nothing but ASCII characters");
	}
}

/* ---- Dense vectors ---- */

/* What is wrong with a vector of nothing but zeros, or of what Pinecone takes for them; else NULL */
static const char *
reason_of_zeros(int n, const float *values)
{
	float largest = 0;

	for (int i = 0; i < n; i++)
		largest = Max(largest, fabsf(values[i]));
	if (largest >= ZERO)
		return NULL;
	return largest == 0 ? "a vector must not be all zeros"
						: "all values of the vector are smaller than 1e-8, which Pinecone takes for zeros";
}

static void
convert_values(PineconeWriter *writer, Datum value, PineconeRecord *record)
{
	const char *reason = NULL;
	const float *floats;
	int n;

	if (writer->sparse)
		refuse(writer, ERRCODE_FEATURE_NOT_SUPPORTED, "the index is sparse and holds no dense vectors");
	floats = pinecone_vector_check(value, writer->values_type, &n, &reason);
	refuse(writer, ERRCODE_DATA_EXCEPTION, reason);
	if (writer->dimension > 0 ? n != writer->dimension : n == 0)
		refuse(writer, ERRCODE_DATA_EXCEPTION,
			   psprintf("expected %d dimensions, not %d", writer->dimension, n));
	refuse(writer, ERRCODE_DATA_EXCEPTION, reason_of_zeros(n, floats));
	record->nvalues = n;
	record->values = (float *) floats;
}

/* ---- Sparse vectors ---- */

static void
check_sparse(PineconeWriter *writer, const PineconeSparse *sparse)
{
	if (sparse->n == 0 && writer->table->schema != NULL)
		refuse(writer, ERRCODE_DATA_EXCEPTION, "its sparse vector has no values");
	refuse(writer, ERRCODE_DATA_EXCEPTION,
		   pinecone_sparse_fault(sparse, "its sparse vector", writer->table->schema ? PINECONE_MAX_DOCUMENT_SPARSE : PINECONE_MAX_SPARSE));
}

static void
convert_sparse(PineconeWriter *writer, Datum value, PineconeRecord *record)
{
	if (writer->table->schema == NULL && !writer->sparse && writer->metric != PINECONE_METRIC_DOTPRODUCT &&
		writer->metric != PINECONE_METRIC_UNKNOWN)
		refuse(writer, ERRCODE_FEATURE_NOT_SUPPORTED,
			   "of dense indexes only those of metric dotproduct hold sparse vectors");
	if (writer->sparse_type == JSONBOID)
		refuse(writer, ERRCODE_DATA_EXCEPTION, pinecone_sparse_from_jsonb(DatumGetJsonbP(value), &record->sparse));
	else
		pinecone_vector_sparse(value, &record->sparse);
	check_sparse(writer, &record->sparse);
}

static void
convert_vectors(PineconeWriter *writer, const Datum *values, const bool *isnull,
				const PineconeRecord *stored, PineconeRecord *record)
{
	AttrNumber dense = writer->table->values_attnum;
	AttrNumber sparse = writer->table->sparse_attnum;

	if (stored != NULL && !is_assigned(writer, dense))
	{
		record->nvalues = stored->nvalues;
		record->values = stored->values;
	}
	else if (dense != 0 && !isnull[dense - 1])
		convert_values(writer, values[dense - 1], record);

	if (stored != NULL && !is_assigned(writer, sparse))
		record->sparse = stored->sparse;
	else if (sparse != 0 && !isnull[sparse - 1])
		convert_sparse(writer, values[sparse - 1], record);

	/* of a document any field may be missing; of a text it can be made */
	if (writer->table->schema != NULL || writer->table->integrated != NULL)
		return;
	if (writer->sparse ? record->sparse.n == 0 : record->nvalues == 0)
		refuse(writer, ERRCODE_NOT_NULL_VIOLATION,
			   writer->sparse ? "a record of this index needs a sparse vector" :
								"a record of this index needs a vector");
}

/* ---- Metadata ---- */

static void
finish_metadata(PineconeWriter *writer, PineconeMetadata *metadata, PineconeRecord *record)
{
	metadata->schema = writer->table->schema;
	record->padded = false;
	refuse(writer, ERRCODE_DATA_EXCEPTION,
		   pinecone_metadata_finish(metadata, &record->metadata, &record->metadata_len));
}

/* The fields of columns that are set, or of the others; NULL may remove a field. */
static void
add_field_columns(PineconeWriter *writer, const Datum *values, const bool *isnull, bool set,
				  bool remove, PineconeMetadata *metadata)
{
	if (set)
		check_shared_fields(writer, isnull);
	for (int i = 0; i < writer->nfields; i++)
	{
		PineconeFieldColumn *field = &writer->fields[i];
		int n = field->column->attnum - 1;

		if (is_assigned(writer, field->column->attnum) != set)
			continue;
		if (!isnull[n])
		{
			const char *reason = pinecone_metadata_add_column(metadata, field, values[n]);

			refuse_with_hint(writer, ERRCODE_DATA_EXCEPTION, reason, metadata->hint);
		}
		else if (remove)
			pinecone_metadata_remove(metadata, field->column->field);
	}
}

/* Fields that an object of metadata cannot have, as they are something else. */
static void
check_names(PineconeWriter *writer, const PineconeMetadata *metadata)
{
	const char *hint = NULL;
	const char *reason = pinecone_metadata_check_names(metadata, writer->table, &hint);

	refuse_with_hint(writer, ERRCODE_DATA_EXCEPTION, reason, hint);
}

/* A field column that no document can have. */
static void
check_columns(PineconeWriter *writer, const bool *isnull)
{
	for (int i = 0; writer->table->schema != NULL && i < writer->nfields; i++)
	{
		const PineconeColumn *column = writer->fields[i].column;

		if (is_assigned(writer, column->attnum) && !isnull[column->attnum - 1] && column->field[0] == '_')
			refuse(writer, ERRCODE_DATA_EXCEPTION, psprintf("names of fields do not begin with \"_\", as \"%s\" does", column->field));
	}
}

static bool
has_declared_field(PineconeWriter *writer, const PineconeMetadata *metadata, const PineconeRecord *record)
{
	if (record->nvalues > 0 || record->sparse.n > 0)
		return true;
	for (int i = 0; i < metadata->n; i++)
	{
		const PineconeMetadataEntry *entry = &metadata->entries[i];

		if (entry->json != NULL && !entry->is_json && pinecone_schema_field(writer->table->schema, entry->key) != NULL)
			return true;
	}
	return false;
}

static void
convert_metadata(PineconeWriter *writer, const Datum *values, const bool *isnull,
				 const PineconeRecord *stored, PineconeRecord *record)
{
	AttrNumber whole = writer->table->metadata_attnum;
	PineconeMetadata metadata = {0};
	const char *reason = NULL;

	if ((stored == NULL || is_assigned(writer, whole)) && whole != 0 && !isnull[whole - 1])
		reason = pinecone_metadata_add_object(&metadata, DatumGetJsonbP(values[whole - 1]));
	refuse_with_hint(writer, ERRCODE_DATA_EXCEPTION, reason, metadata.hint);
	if (stored == NULL || is_assigned(writer, whole))
		check_names(writer, &metadata);
	if (stored != NULL && (!is_assigned(writer, whole) || writer->lays_over))
	{
		PineconeMetadata given = metadata;

		memset(&metadata, 0, sizeof(metadata));
		reason = pinecone_metadata_add_stored(&metadata, stored);
		refuse_with_hint(writer, ERRCODE_DATA_EXCEPTION, reason, metadata.hint);
		for (int i = 0; i < given.n; i++)
			pinecone_metadata_set(&metadata, given.entries[i].key, given.entries[i].json);
	}
	else if (stored != NULL)
		pinecone_metadata_keep_texts(&metadata, writer->table, stored);
	check_columns(writer, isnull);
	add_field_columns(writer, values, isnull, true, stored != NULL, &metadata);
	if (metadata.n > 0)
		finish_metadata(writer, &metadata, record);
	if (writer->table->schema != NULL && !has_declared_field(writer, &metadata, record))
		refuse(writer, ERRCODE_NOT_NULL_VIOLATION,
			   "a document needs a field that the index's schema declares");
}

/* ---- Records ---- */

/* A document is written anew: nothing of it may be out of sight. */
static void
check_stored(PineconeWriter *writer)
{
	const PineconeSchema *schema = writer->table->schema;

	for (int i = 0; schema != NULL && i < schema->n; i++)
	{
		if (!schema->fields[i].stored)
			refuse_with_hint(writer, ERRCODE_FEATURE_NOT_SUPPORTED,
							 psprintf("it would have to be written as a whole, and its text \"%s\" is not stored", schema->fields[i].name),
							 "Delete the document, and insert it with all of its fields.");
	}
}

/* Is a vector given, not only kept? */
static bool
gives_vector(PineconeWriter *writer, const bool *isnull)
{
	AttrNumber vectors[] = {writer->table->values_attnum, writer->table->sparse_attnum};

	return (is_assigned(writer, vectors[0]) && !isnull[vectors[0] - 1]) ||
		   (is_assigned(writer, vectors[1]) && !isnull[vectors[1] - 1]);
}

/* Pinecone makes up scores; nobody can store one. */
static void
check_score(PineconeWriter *writer, const bool *isnull)
{
	AttrNumber score = writer->table->score_attnum;

	if (is_assigned(writer, score) && !isnull[score - 1])
		refuse(writer, ERRCODE_FEATURE_NOT_SUPPORTED,
			   psprintf("column \"%s\" shows scores of searches and cannot be written",
						writer->table->columns[score - 1].name));
}

void
pinecone_record_of_row(PineconeWriter *writer, const Datum *values, const bool *isnull,
					   const PineconeRecord *stored, PineconeRecord *record)
{
	memset(record, 0, sizeof(*record));
	convert_id(writer, values, isnull, record);
	check_score(writer, isnull);
	if (stored != NULL)
		check_stored(writer);
	convert_vectors(writer, values, isnull, stored, record);
	convert_metadata(writer, values, isnull, stored, record);
	if (writer->table->integrated != NULL)
		refuse(writer, ERRCODE_DATA_EXCEPTION,
			   pinecone_embedded_text_settle(writer->table, gives_vector(writer, isnull) ? NULL : stored, record));
}

/* Metadata of assigned fields; false when one of them is to go away. */
static bool
set_fields(PineconeWriter *writer, const Datum *values, const bool *isnull, PineconeRecord *record)
{
	PineconeMetadata metadata = {0};
	AttrNumber whole = writer->table->metadata_attnum;

	if (is_assigned(writer, whole))
	{
		const char *reason = pinecone_metadata_add_object(&metadata, DatumGetJsonbP(values[whole - 1]));

		refuse_with_hint(writer, ERRCODE_DATA_EXCEPTION, reason, metadata.hint);
		check_names(writer, &metadata);
	}
	add_field_columns(writer, values, isnull, true, true, &metadata);
	/* a jsonb column may hold JSON's null, which removes as well */
	for (int i = 0; i < metadata.n; i++)
	{
		if (metadata.entries[i].json == NULL)
			return false;
	}
	finish_metadata(writer, &metadata, record);
	return true;
}

/* Does what an UPDATE sets depend on what is stored?  A text's vector does, and a time that keeps its spelling. */
static bool
needs_stored(const PineconeWriter *writer)
{
	for (int i = 0; i < writer->nfields; i++)
	{
		const PineconeColumn *column = writer->fields[i].column;

		if (column->format == PINECONE_FORMAT_AS_STORED && bms_is_member(column->attnum, writer->assigned))
			return true;
	}
	return pinecone_embedded_text_is_set(writer->table, writer->assigned);
}

bool
pinecone_record_of_row_fields(PineconeWriter *writer, const Datum *values, const bool *isnull,
							  PineconeRecord *record)
{
	memset(record, 0, sizeof(*record));
	writer->id = NULL;
	return !needs_stored(writer) && set_fields(writer, values, isnull, record);
}

/* A document's vectors as an UPDATE assigns them. */
static void
set_vectors(PineconeWriter *writer, const Datum *values, const bool *isnull, PineconeWrite *write)
{
	AttrNumber dense = writer->table->values_attnum;
	AttrNumber sparse = writer->table->sparse_attnum;

	if (is_assigned(writer, dense))
	{
		write->drop_values = isnull[dense - 1];
		if (!write->drop_values)
			convert_values(writer, values[dense - 1], &write->record);
	}
	if (is_assigned(writer, sparse))
	{
		write->drop_sparse = isnull[sparse - 1];
		if (!write->drop_sparse)
			convert_sparse(writer, values[sparse - 1], &write->record);
	}
}

/* Its other fields: those to set, and those to remove. */
static void
set_document_fields(PineconeWriter *writer, const Datum *values, const bool *isnull, PineconeWrite *write)
{
	PineconeMetadata metadata = {0};
	StringInfoData removed;

	check_columns(writer, isnull);
	add_field_columns(writer, values, isnull, true, true, &metadata);
	initStringInfo(&removed);
	for (int i = 0; i < metadata.n; i++)
	{
		if (metadata.entries[i].json != NULL)
			continue;
		if (removed.len > 0)
			appendStringInfoChar(&removed, ',');
		escape_json(&removed, metadata.entries[i].key);
	}
	if (removed.len > 0)
		write->removed = pg_server_to_any(removed.data, removed.len, PG_UTF8);
	if (metadata.n > 0)
		finish_metadata(writer, &metadata, &write->record);
}

static bool
update_document(PineconeWriter *writer, const Datum *values, const bool *isnull, PineconeWrite *write)
{
	int attnum = -1;

	while ((attnum = bms_next_member(writer->assigned, attnum)) >= 0)
	{
		PineconeColumn *column = pinecone_option_column(writer->table, attnum);

		if (column == NULL || column->role == PINECONE_ROLE_ID || column->role == PINECONE_ROLE_NAMESPACE ||
			column->role == PINECONE_ROLE_METADATA)
			return false;
	}
	memset(&write->record, 0, sizeof(PineconeRecord));
	write->documents = true;
	convert_id(writer, values, isnull, &write->record);
	check_score(writer, isnull);
	set_vectors(writer, values, isnull, write);
	set_document_fields(writer, values, isnull, write);
	return true;
}

bool
pinecone_record_of_row_update(PineconeWriter *writer, const Datum *values, const bool *isnull,
							  PineconeWrite *write)
{
	PineconeRecord *record = &write->record;
	PineconeTable *table = writer->table;
	int attnum = -1;

	if (writer->assigned == NULL)
		return false;
	if (table->schema != NULL)
		return !needs_stored(writer) && update_document(writer, values, isnull, write);
	if (needs_stored(writer))
		return false;
	while ((attnum = bms_next_member(writer->assigned, attnum)) >= 0)
	{
		PineconeColumn *column = pinecone_option_column(table, attnum);

		if (column == NULL || isnull[attnum - 1] ||
			(column->role != PINECONE_ROLE_FIELD && !(column->role == PINECONE_ROLE_METADATA && writer->lays_over)))
			return false;
	}
	memset(record, 0, sizeof(*record));
	convert_id(writer, values, isnull, record);
	return set_fields(writer, values, isnull, record);
}

void
pinecone_record_of_row_shown(PineconeWriter *writer, const Datum *values, const bool *isnull,
							 PineconeRecord *record)
{
	AttrNumber whole = writer->table->metadata_attnum;
	PineconeMetadata metadata = {0};

	memset(record, 0, sizeof(*record));
	convert_id(writer, values, isnull, record);
	if (whole != 0 && !isnull[whole - 1])
		refuse(writer, ERRCODE_DATA_EXCEPTION,
			   pinecone_metadata_add_object(&metadata, DatumGetJsonbP(values[whole - 1])));
	/* a row that is read in part may lack the whole object, which a row in full never does */
	if (whole == 0 || (isnull[whole - 1] && !is_assigned(writer, whole)))
		add_field_columns(writer, values, isnull, false, false, &metadata);
	else
		pinecone_metadata_add_texts(&metadata, writer->table, writer->fields, writer->nfields, writer->assigned, values, isnull);
	add_field_columns(writer, values, isnull, true, true, &metadata);
	if (metadata.n > 0)
		finish_metadata(writer, &metadata, record);
}

bool
pinecone_record_of_row_may_make_vector(PineconeWriter *writer, const bool *isnull, const PineconeRecord *shown)
{
	return !gives_vector(writer, isnull) &&
		   pinecone_embedded_text_may_change(writer->table, writer->assigned, shown);
}
