/*
 * import.c
 *		IMPORT FOREIGN SCHEMA: a foreign table for each namespace, or one for all.
 *
 * An index has no schemas, so the remote schema's name is not looked at.  What
 * columns a namespace's metadata needs is told by the fields it declares and
 * by a sample of its records: see import_sample.c.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "admin/import.h"
#include "admin/import_sample.h"
#include "client/alias.h"
#include "client/session.h"
#include "client/vectors.h"
#include "option/column_type.h"
#include "value/row.h"
#include "wire/schema.h"

/* Records looked at in a namespace */
#define DEFAULT_SAMPLE_SIZE 100
#define MAX_SAMPLE_SIZE 100000

/* PostgreSQL takes 1600 columns, but hardly when they are used all at once */
#define MAX_FIELD_COLUMNS 1000

/* pgvector's limit */
#define MAX_VECTOR_DIMENSIONS 16000

typedef struct ImportOptions
{
	int sample_size;
	Oid vector_type;			  /* FLOAT4ARRAYOID or pgvector's vector */
	bool metadata;				  /* add a column for the whole object */
	char *one_table;			  /* name of one table for all namespaces, or NULL */
	bool aliases;				  /* a table for each alias of a namespace, too */
	char *default_table;		  /* what the default namespace's table is called */
	const PineconeSchema *schema; /* of a document index, or NULL */
} ImportOptions;

/* ---- Options ---- */

static void
reject_option(DefElem *def, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", def->defname, defGetString(def)),
			 errhint("%s", hint)));
}

static Oid
read_vector_type(DefElem *def)
{
	char *value = defGetString(def);
	Oid vector = pinecone_column_type_of_pgvector("vector");

	if (pg_strcasecmp(value, "real[]") == 0)
		return FLOAT4ARRAYOID;
	if (pg_strcasecmp(value, "vector") != 0)
		reject_option(def, "Valid values are: real[], vector.");
	if (!OidIsValid(vector))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"vector\" does not exist"),
				 errhint("Install it with CREATE EXTENSION vector, or import vectors as real[].")));
	return vector;
}

static void
read_options(List *defs, ImportOptions *options)
{
	Oid vector = pinecone_column_type_of_pgvector("vector");
	ListCell *lc;

	options->sample_size = DEFAULT_SAMPLE_SIZE;
	options->vector_type = OidIsValid(vector) ? vector : FLOAT4ARRAYOID;
	options->metadata = true;
	options->one_table = NULL;
	options->aliases = false;
	options->default_table = "default_namespace";
	options->schema = NULL;
	foreach(lc, defs)
	{
		DefElem *def = lfirst(lc);

		if (strcmp(def->defname, "sample_size") == 0)
		{
			if (!parse_int(defGetString(def), &options->sample_size, 0, NULL) ||
				options->sample_size < 0 || options->sample_size > MAX_SAMPLE_SIZE)
				reject_option(def, psprintf("Valid values are between 0 and %d.", MAX_SAMPLE_SIZE));
		}
		else if (strcmp(def->defname, "vector_type") == 0)
			options->vector_type = read_vector_type(def);
		else if (strcmp(def->defname, "metadata") == 0)
		{
			if (!parse_bool(defGetString(def), &options->metadata))
				reject_option(def, "Valid values are true and false.");
		}
		else if (strcmp(def->defname, "one_table") == 0)
		{
			options->one_table = defGetString(def);
			if (options->one_table[0] == '\0' || strlen(options->one_table) >= NAMEDATALEN)
				reject_option(def, "It is the name of a table.");
		}
		else if (strcmp(def->defname, "aliases") == 0)
		{
			if (!parse_bool(defGetString(def), &options->aliases))
				reject_option(def, "Valid values are true and false.");
		}
		else if (strcmp(def->defname, "default_table") == 0)
		{
			options->default_table = defGetString(def);
			if (options->default_table[0] == '\0' || strlen(options->default_table) >= NAMEDATALEN)
				reject_option(def, "It is the name of a table.");
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("invalid option \"%s\"", def->defname),
					 errhint("Valid options for IMPORT FOREIGN SCHEMA are: sample_size, vector_type, metadata, one_table, default_table, aliases.")));
	}
}

/* ---- Namespaces ---- */

static int
compare_namespaces(const ListCell *a, const ListCell *b)
{
	return strcmp(((const PineconeNamespaceSummary *) lfirst(a))->name,
				  ((const PineconeNamespaceSummary *) lfirst(b))->name);
}

static List *
add_namespace(List *namespaces, const char *name, double records, const PineconeNamespaceInfo *info)
{
	PineconeNamespaceSummary *summary = palloc0(sizeof(PineconeNamespaceSummary));

	summary->name = pstrdup(name);
	summary->records = records;
	for (int i = 0; info != NULL && i < info->nfields; i++)
		summary->declared = lappend(summary->declared, pstrdup(info->fields[i]));
	return lappend(namespaces, summary);
}

/* Sort by name; of the same namespace named twice, keep one. */
static List *
sort_namespaces(List *namespaces)
{
	List *result = NIL;
	PineconeNamespaceSummary *last = NULL;
	ListCell *lc;

	list_sort(namespaces, compare_namespaces);
	foreach(lc, namespaces)
	{
		PineconeNamespaceSummary *summary = lfirst(lc);

		if (last != NULL && strcmp(last->name, summary->name) == 0)
		{
			last->declared = list_concat(last->declared, summary->declared);
			last->records = Max(last->records, summary->records);
		}
		else
		{
			result = lappend(result, summary);
			last = summary;
		}
	}
	return result;
}

/*
 * The namespaces that the service lists, with the fields they declare.  Kinds
 * of indexes that have no such list are no error: statistics name namespaces
 * too.  The first page has been asked for.
 */
static List *
list_namespaces(PineconeSession *session, PineconeCall *call)
{
	List *namespaces = NIL;
	char *token = NULL;
	char *earlier_token = NULL;
	int64 pages = 0;

	for (;;)
	{
		PineconeFailure failure;
		PineconeNamespaceInfo *infos;
		int n;

		pinecone_vectors_wait(call);
		failure = pinecone_vectors_failure(call);
		if (failure == PINECONE_FAILURE_UNSUPPORTED ||
			failure == PINECONE_FAILURE_NO_NAMESPACE ||
			failure == PINECONE_FAILURE_FORBIDDEN ||
			failure == PINECONE_FAILURE_REJECTED)
		{
			pinecone_vectors_free(call);
			return namespaces;
		}
		infos = pinecone_vectors_namespaces_result(call, &n, &token);
		for (int i = 0; i < n; i++)
			namespaces = add_namespace(namespaces, infos[i].name, -1, &infos[i]);
		pinecone_vectors_free(call);

		/* as for pages of records: they must come to an end */
		if (token != NULL && earlier_token != NULL && strcmp(token, earlier_token) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("invalid response from Pinecone"),
					 errdetail("The pages of namespaces come round: a pagination token was given twice.")));
		pages++;
		if ((pages & (pages - 1)) == 0)
			earlier_token = token;
		if (token == NULL)
			return namespaces;
		call = pinecone_vectors_list_namespaces(session, NULL, token);
	}
}

static List *
find_namespaces(PineconeSession *session, PineconeCall *list, PineconeStats *stats)
{
	List *namespaces = list_namespaces(session, list);

	for (int i = 0; i < stats->nnamespaces; i++)
		namespaces = add_namespace(namespaces, stats->namespaces[i].name,
								   stats->namespaces[i].records, NULL);
	/* the default namespace is there even in an empty index */
	if (namespaces == NIL)
		namespaces = add_namespace(namespaces, "", -1, NULL);
	return sort_namespaces(namespaces);
}

/* No listing has aliases: they are asked for. */
static List *
add_aliases(PineconeSession *session, List *namespaces)
{
	List *aliases = pinecone_alias_list(session);
	ListCell *lc;

	foreach(lc, aliases)
	{
		PineconeAlias *alias = lfirst(lc);

		namespaces = add_namespace(namespaces, alias->name, -1, NULL);
		((PineconeNamespaceSummary *) llast(namespaces))->is_alias = true;
	}
	return sort_namespaces(namespaces);
}

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
name_tables(List *namespaces, const ImportOptions *options)
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
choose_column_name(List *taken, const char *field)
{
	if (is_one_of(field, role_names, lengthof(role_names)) ||
		is_one_of(field, system_names, lengthof(system_names)))
		field = psprintf("%s_field", field);
	return choose_name(taken, field[0] ? field : "field");
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
		char *column = name_fits_vector(field) ? choose_name(taken, field->name) :
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
append_field_columns(StringInfo buf, const PineconeNamespaceSummary *summary, List *taken)
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
		const PineconeFieldSummary *field = &summary->fields[i];
		char *column;

		/* cannot be stored, and could not be told from an operator */
		if (field->name[0] == '$')
			continue;
		column = choose_column_name(taken, field->name);
		taken = lappend(taken, column);
		appendStringInfo(buf, ",\n  %s %s", quote_identifier(column), pinecone_import_field_type(field));
		if (strcmp(column, field->name) != 0)
			appendStringInfo(buf, " OPTIONS (field %s)", quote_literal_cstr(field->name));
	}
}

static char *
create_table(const PineconeNamespaceSummary *summary, const PineconeStats *stats, const char *server,
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

List *
pineconeImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	PineconeSession *session;
	PineconeStats stats;
	ImportOptions options;
	PineconeCall *list;
	List *namespaces;
	List *tables;
	List *commands = NIL;
	ListCell *lc;

	read_options(stmt->options, &options);
	session = pinecone_session_get(serverid, GetUserId());
	list = pinecone_vectors_list_namespaces(session, NULL, NULL);
	/* a copy, for the session's may be replaced; its namespaces are read at once */
	stats = *pinecone_session_stats(session, true, false);
	if (session->schema != NULL)
		options.schema = pinecone_schema_copy(session->schema);
	namespaces = find_namespaces(session, list, &stats);
	stats.namespaces = NULL;
	stats.nnamespaces = 0;
	if (options.one_table != NULL)
	{
		PineconeNamespaceSummary *all = palloc0(sizeof(PineconeNamespaceSummary));

		if (!IsImportableForeignTable(options.one_table, stmt))
			return NIL;
		all->table = options.one_table;
		pinecone_import_summarize(session, &stats, namespaces, options.sample_size, all);
		tables = list_make1(all);
	}
	else
	{
		if (options.aliases)
			namespaces = add_aliases(session, namespaces);
		name_tables(namespaces, &options);
		tables = importable(namespaces, stmt);
		pinecone_import_summarize(session, &stats, tables, options.sample_size, NULL);
	}
	foreach(lc, tables)
	{
		pinecone_import_report_notes(lfirst(lc));
		commands = lappend(commands, create_table(lfirst(lc), &stats, stmt->server_name, &options));
	}
	return commands;
}
