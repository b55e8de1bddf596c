/*
 * import.c
 *		IMPORT FOREIGN SCHEMA: a foreign table for each namespace, or one for all.
 *
 * An index has no schemas, so the remote schema's name is not looked at.  What
 * columns a namespace's metadata needs is told by the fields it declares and
 * by a sample of its records: see import_sample.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "admin/import.h"
#include "admin/import_names.h"
#include "admin/import_namespaces.h"
#include "admin/import_options.h"
#include "admin/import_sample.h"
#include "admin/import_types.h"
#include "client/session.h"
#include "client/vectors.h"
#include "wire/schema.h"

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

/* A name made of "base" that fits an identifier and is not taken yet. */
static char *
choose_name(List *taken, const char *base)
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

/*
 * A namespace's table has its name, if that can be an identifier.  Those come
 * first, so that what they are called does not depend on the others.
 */
static void
name_tables(List *namespaces, const PineconeImportOptions *options)
{
	List *taken = NIL;
	ListCell *lc;

	for (int pass = 0; pass < 2; pass++)
	{
		foreach(lc, namespaces)
		{
			PineconeNamespaceSummary *summary = lfirst(lc);
			size_t len = strlen(summary->name);

			if ((len > 0 && len < NAMEDATALEN) != (pass == 0))
				continue;
			/* as they are, they are unique already */
			if (pass == 0)
				summary->table = summary->name;
			else
				summary->table = choose_name(taken, len > 0 ? summary->name : options->default_table);
			taken = lappend(taken, summary->table);
		}
	}
}

/* ---- Statements ---- */

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
choose_column_name(List *taken, const char *field, const PineconeImportOptions *options)
{
	if (options->fold_names)
		field = pinecone_import_fold(field);
	if (is_one_of(field, role_names, lengthof(role_names)) ||
		is_one_of(field, system_names, lengthof(system_names)))
		field = psprintf("%s_field", field);
	return choose_name(taken, field[0] ? field : "field");
}

static char *
vector_column_type(int dimension, const PineconeImportOptions *options)
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
append_schema_columns(StringInfo buf, List *taken, const PineconeSchema *schema,
					  const PineconeImportOptions *options)
{
	for (int i = 0; schema != NULL && i < schema->n; i++)
	{
		const PineconeSchemaField *field = &schema->fields[i];
		char *column = name_fits_vector(field) ? choose_name(taken, field->name) :
												 choose_column_name(taken, field->name, options);

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
append_column_options(StringInfo buf, const char *field, const char *format)
{
	if (field != NULL || format != NULL)
		appendStringInfoString(buf, " OPTIONS (");
	if (field != NULL)
		appendStringInfo(buf, "field %s%s", quote_literal_cstr(field), format ? ", " : ")");
	if (format != NULL)
		appendStringInfo(buf, "format '%s')", format);
}

/* Fields that no column can show: they cannot be stored, and could not be told from an operator. */
static bool
is_operator(const PineconeFieldSummary *field)
{
	return field->name[0] == '$';
}

/* Fields that are called as their columns may be come first, lest others take their names. */
static char **
name_columns(const PineconeNamespaceSummary *summary, int n, List *taken, const PineconeImportOptions *options)
{
	char **columns = palloc0(Max(n, 1) * sizeof(char *));

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < n; i++)
		{
			const PineconeFieldSummary *field = &summary->fields[i];
			bool is_own = strcmp(choose_column_name(NIL, field->name, options), field->name) == 0;

			if (is_operator(field) || is_own != (pass == 0))
				continue;
			columns[i] = choose_column_name(taken, field->name, options);
			taken = lappend(taken, columns[i]);
		}
	}
	return columns;
}

static void
append_field_columns(StringInfo buf, const PineconeNamespaceSummary *summary, List *taken,
					 const PineconeImportOptions *options)
{
	int n = Min(summary->nfields, MAX_FIELD_COLUMNS);
	char **columns = name_columns(summary, n, taken, options);

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
		const PineconeFieldSummary *field = &summary->fields[i];
		const char *format;

		if (columns[i] == NULL)
			continue;
		appendStringInfo(buf, ",\n  %s %s", quote_identifier(columns[i]), pinecone_import_type(field->seen, options, &format));
		append_column_options(buf, strcmp(columns[i], field->name) != 0 ? field->name : NULL, format);
	}
}

static char *
create_table(const PineconeNamespaceSummary *summary, const PineconeStats *stats,
			 const PineconeSchema *schema, const char *server, const PineconeImportOptions *options)
{
	List *taken = summary->name == NULL ? list_make1("namespace") : NIL;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "CREATE FOREIGN TABLE %s (\n  ", quote_identifier(summary->table));
	if (summary->name == NULL)
		appendStringInfoString(&buf, "namespace text OPTIONS (role 'namespace') COLLATE \"C\" NOT NULL,\n  ");
	appendStringInfoString(&buf, "id text COLLATE \"C\" NOT NULL");
	if (schema != NULL)
		taken = append_schema_columns(&buf, taken, schema, options);
	else if (stats->dimension > 0)
		appendStringInfo(&buf, ",\n  embedding %s", vector_column_type(stats->dimension, options));
	if (schema == NULL && (stats->sparse || summary->has_sparse))
		appendStringInfoString(&buf, ",\n  sparse_values jsonb");
	if (options->score)
		appendStringInfoString(&buf, ",\n  score double precision");
	append_field_columns(&buf, summary, taken, options);
	if (options->metadata)
		appendStringInfoString(&buf, ",\n  metadata jsonb");
	appendStringInfo(&buf, "\n) SERVER %s", quote_identifier(server));
	if (summary->name != NULL)
		appendStringInfo(&buf, " OPTIONS (namespace %s%s)", quote_literal_cstr(summary->name),
						 summary->is_alias ? ", updatable 'false'" : "");
	return buf.data;
}

/* The namespaces that a statement wants a table for. */
static List *
importable(List *namespaces, ImportForeignSchemaStmt *stmt)
{
	List *result = NIL;
	ListCell *lc;

	foreach(lc, namespaces)
	{
		PineconeNamespaceSummary *summary = lfirst(lc);

		if (IsImportableForeignTable(summary->table, stmt))
			result = lappend(result, summary);
	}
	return result;
}

/*
 * Find the namespaces, choose and name their tables, look at a sample of the
 * records of each, and write a CREATE FOREIGN TABLE for it. The statistics say
 * how many records there are; dimension and metric are the same for all.
 */
List *
pineconeImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	PineconeSession *session;
	PineconeStats stats;
	PineconeSchema *schema = NULL;
	PineconeImportOptions options;
	PineconeCall *list;
	List *namespaces;
	List *tables;
	List *commands = NIL;
	ListCell *lc;

	pinecone_import_read_options(stmt->options, &options);
	session = pinecone_session_get(serverid, GetUserId());
	list = pinecone_vectors_list_namespaces(session, NULL, NULL);
	/* a copy, for the session's may be replaced; its namespaces are read at once */
	stats = *pinecone_session_stats(session, true, false);
	if (session->schema != NULL)
		schema = pinecone_schema_copy(session->schema);
	namespaces = pinecone_import_find_namespaces(session, list, &stats);
	stats.namespaces = NULL;
	stats.nnamespaces = 0;
	if (options.one_table != NULL)
	{
		PineconeNamespaceSummary *all = palloc0(sizeof(PineconeNamespaceSummary));

		if (!IsImportableForeignTable(options.one_table, stmt))
			return NIL;
		all->table = options.one_table;
		pinecone_import_summarize(session, &stats, namespaces, options.sample_size, all);
		pinecone_import_report_sample(namespaces);
		tables = list_make1(all);
	}
	else
	{
		if (options.aliases)
			namespaces = pinecone_import_add_aliases(session, namespaces);
		name_tables(namespaces, &options);
		tables = importable(namespaces, stmt);
		pinecone_import_summarize(session, &stats, tables, options.sample_size, NULL);
		pinecone_import_report_sample(tables);
	}
	foreach(lc, tables)
	{
		pinecone_import_report_notes(lfirst(lc));
		commands = lappend(commands, create_table(lfirst(lc), &stats, schema, stmt->server_name, &options));
	}
	return commands;
}
