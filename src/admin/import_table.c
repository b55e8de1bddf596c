/*
 * import_table.c
 *		CREATE FOREIGN TABLE for a namespace, with a column for each field.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "admin/import_part.h"

/* PostgreSQL takes 1600 columns, but hardly when they are used all at once */
#define MAX_FIELD_COLUMNS 1000

/* pgvector's limit */
#define MAX_VECTOR_DIMENSIONS 16000

/* ---- Names ---- */

static bool
name_is_taken(List *taken, const char *name)
{
	ListCell *lc;

	foreach(lc, taken)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

char *
pinecone_import_choose_name(List *taken, const char *base)
{
	int len = strlen(base);
	char *name = pnstrdup(base, pg_mbcliplen(base, len, NAMEDATALEN - 1));

	for (int i = 2; name_is_taken(taken, name); i++)
	{
		char *suffix = psprintf("_%d", i);

		name = psprintf("%s%s",
						pnstrdup(base, pg_mbcliplen(base, len, NAMEDATALEN - 1 - strlen(suffix))),
						suffix);
	}
	return name;
}

/* ---- Types ---- */

/* The type that takes all values seen; jsonb when nothing else does. */
static const char *
field_type(const FieldSummary *field)
{
	switch (field->seen)
	{
		case SEEN_BOOL:
			return "boolean";
		case SEEN_INTEGER:
			return "bigint";
		case SEEN_NUMBER:
		case SEEN_NUMBER | SEEN_INTEGER:
			return "double precision";
		case SEEN_STRING:
			return "text";
		case SEEN_STRINGS:
			return "text[]";
		default:
			return "jsonb";
	}
}

/* ---- Columns ---- */

/* Names of columns that are something else than a field by themselves */
static const char *const role_names[] = {
	"id",
	"values",
	"embedding",
	"vector",
	"sparse_values",
	"score",
	"metadata",
};

/* Names that no column can have */
static const char *const system_names[] = {
	"ctid",
	"xmin",
	"cmin",
	"xmax",
	"cmax",
	"tableoid",
};

static bool
is_one_of(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * A field's column has its name, unless that says something else to
 * PostgreSQL or to whoever reads the table's definition.
 */
static char *
choose_column_name(List *taken, const char *field)
{
	if (is_one_of(field, role_names, lengthof(role_names)) ||
		is_one_of(field, system_names, lengthof(system_names)))
		field = psprintf("%s_field", field);
	return pinecone_import_choose_name(taken, field[0] ? field : "field");
}

static char *
vector_column_type(int dimension, const ImportOptions *options)
{
	if (options->vector_type == FLOAT4ARRAYOID || dimension > MAX_VECTOR_DIMENSIONS)
		return "real[]";
	return format_type_extended(options->vector_type, dimension,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* Does a name say of a column what the schema says of the field? */
static bool
name_fits_vector(const PineconeSchemaField *field)
{
	if (field->kind == PINECONE_SCHEMA_SPARSE)
		return strcmp(field->name, "sparse_values") == 0;
	return field->kind == PINECONE_SCHEMA_DENSE &&
		   (strcmp(field->name, "values") == 0 || strcmp(field->name, "embedding") == 0 ||
			strcmp(field->name, "vector") == 0);
}

/* The fields that a document index declares, with exact types. */
static List *
append_schema_columns(StringInfo buf, List *taken, const ImportOptions *options)
{
	for (int i = 0; options->schema != NULL && i < options->schema->n; i++)
	{
		const PineconeSchemaField *field = &options->schema->fields[i];
		char *column = name_fits_vector(field) ? pinecone_import_choose_name(taken, field->name) :
												 choose_column_name(taken, field->name);

		taken = lappend(taken, column);
		appendStringInfo(buf, ",\n  %s %s", quote_identifier(column),
						 field->kind == PINECONE_SCHEMA_DENSE  ? vector_column_type(field->dimension, options) :
						 field->kind == PINECONE_SCHEMA_SPARSE ? "jsonb" :
																 "text");
		if (strcmp(column, field->name) != 0)
			appendStringInfo(buf, " OPTIONS (field %s)", quote_literal_cstr(field->name));
	}
	return taken;
}

static void
append_field_columns(StringInfo buf, const NamespaceSummary *summary, List *taken)
{
	int n = Min(summary->nfields, MAX_FIELD_COLUMNS);

	if (n < summary->nfields)
		ereport(WARNING,
				(summary->name == NULL ?
					 errmsg("namespaces have %d metadata fields, of which %d become columns",
							summary->nfields, n) :
					 errmsg("namespace \"%s\" has %d metadata fields, of which %d become columns",
							summary->name, summary->nfields, n),
				 errhint("Add columns for others that you need, or a jsonb column \"metadata\" for all.")));
	for (int i = 0; i < n; i++)
	{
		const FieldSummary *field = &summary->fields[i];
		char *column;

		/* cannot be stored, and could not be told from an operator */
		if (field->name[0] == '$')
			continue;
		column = choose_column_name(taken, field->name);
		taken = lappend(taken, column);
		appendStringInfo(buf, ",\n  %s %s", quote_identifier(column), field_type(field));
		if (strcmp(column, field->name) != 0)
			appendStringInfo(buf, " OPTIONS (field %s)", quote_literal_cstr(field->name));
	}
}

char *
pinecone_import_create_table(const NamespaceSummary *summary, const PineconeStats *stats, const char *server,
							 const ImportOptions *options)
{
	List *taken = summary->name == NULL ? list_make1("namespace") : NIL;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "CREATE FOREIGN TABLE %s (\n  ", quote_identifier(summary->table));
	if (summary->name == NULL)
		appendStringInfoString(&buf, "namespace text OPTIONS (role 'namespace') COLLATE \"C\" NOT NULL,\n  ");
	appendStringInfoString(&buf, "id text COLLATE \"C\" NOT NULL");
	if (options->schema != NULL)
		taken = append_schema_columns(&buf, taken, options);
	else if (stats->dimension > 0)
		appendStringInfo(&buf, ",\n  embedding %s", vector_column_type(stats->dimension, options));
	if (options->schema == NULL && (stats->sparse || summary->has_sparse))
		appendStringInfoString(&buf, ",\n  sparse_values jsonb");
	appendStringInfoString(&buf, ",\n  score double precision");
	append_field_columns(&buf, summary, taken);
	if (options->metadata)
		appendStringInfoString(&buf, ",\n  metadata jsonb");
	appendStringInfo(&buf, "\n) SERVER %s", quote_identifier(server));
	if (summary->name != NULL)
		appendStringInfo(&buf, " OPTIONS (namespace %s%s)", quote_literal_cstr(summary->name),
						 summary->is_alias ? ", updatable 'false'" : "");
	return buf.data;
}
