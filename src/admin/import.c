/*
 * import.c
 *		IMPORT FOREIGN SCHEMA: a foreign table for each namespace, or one for all.
 *
 * An index has no schemas, so the remote schema's name is not looked at.  What
 * columns a namespace's metadata needs is told by the fields it declares and
 * by a sample of its records: the first in the order of their ids, because
 * listing those costs a request and a random sample would cost them all.
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
#include "admin/import_part.h"
#include "client/alias.h"
#include "client/session.h"
#include "client/vectors.h"
#include "option/column_type.h"
#include "pending/pending.h"
#include "scan/source.h"
#include "value/row.h"
#include "wire/schema.h"

/* Records looked at in a namespace */
#define DEFAULT_SAMPLE_SIZE 100
#define MAX_SAMPLE_SIZE 100000

/* Integers up to here are all there in float64 */
#define MAX_EXACT_INTEGER 9007199254740992.0

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
	return strcmp(((const NamespaceSummary *) lfirst(a))->name,
				  ((const NamespaceSummary *) lfirst(b))->name);
}

static List *
add_namespace(List *namespaces, const char *name, const PineconeNamespaceInfo *info)
{
	NamespaceSummary *summary = palloc0(sizeof(NamespaceSummary));

	summary->name = pstrdup(name);
	for (int i = 0; info != NULL && i < info->nfields; i++)
		summary->declared = lappend(summary->declared, pstrdup(info->fields[i]));
	return lappend(namespaces, summary);
}

/* Sort by name; of the same namespace named twice, keep one. */
static List *
sort_namespaces(List *namespaces)
{
	List *result = NIL;
	NamespaceSummary *last = NULL;
	ListCell *lc;

	list_sort(namespaces, compare_namespaces);
	foreach(lc, namespaces)
	{
		NamespaceSummary *summary = lfirst(lc);

		if (last != NULL && strcmp(last->name, summary->name) == 0)
			last->declared = list_concat(last->declared, summary->declared);
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
 * too.
 */
static List *
list_namespaces(PineconeSession *session)
{
	List *namespaces = NIL;
	char *token = NULL;
	char *earlier_token = NULL;
	int64 pages = 0;

	do
	{
		PineconeCall *call = pinecone_vectors_list_namespaces(session, NULL, token);
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
			namespaces = add_namespace(namespaces, infos[i].name, &infos[i]);
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
	}
	while (token != NULL);
	return namespaces;
}

static List *
find_namespaces(PineconeSession *session, PineconeStats *stats)
{
	List *namespaces = list_namespaces(session);

	for (int i = 0; i < stats->nnamespaces; i++)
		namespaces = add_namespace(namespaces, stats->namespaces[i].name, NULL);
	/* the default namespace is there even in an empty index */
	if (namespaces == NIL)
		namespaces = add_namespace(namespaces, "", NULL);
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

		namespaces = add_namespace(namespaces, alias->name, NULL);
		((NamespaceSummary *) llast(namespaces))->is_alias = true;
	}
	return sort_namespaces(namespaces);
}

/* ---- Names ---- */

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
			NamespaceSummary *summary = lfirst(lc);
			size_t len = strlen(summary->name);

			if ((len > 0 && len < NAMEDATALEN) != (pass == 0))
				continue;
			/* as they are, they are unique already */
			if (pass == 0)
				summary->table = summary->name;
			else
				summary->table = pinecone_import_choose_name(taken, len > 0 ? summary->name : options->default_table);
			taken = lappend(taken, summary->table);
		}
	}
}

/* ---- Fields ---- */

/* The summary of a field: added, if there is none yet. */
static FieldSummary *
find_field(NamespaceSummary *summary, const char *name)
{
	int low = 0;
	int high = summary->nfields;
	FieldSummary *field;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(summary->fields[middle].name, name);

		if (order == 0)
			return &summary->fields[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (summary->nfields == summary->maxfields)
	{
		summary->maxfields = Max(summary->maxfields * 2, 16);
		summary->fields = summary->fields ?
							  repalloc(summary->fields, summary->maxfields * sizeof(FieldSummary)) :
							  palloc(summary->maxfields * sizeof(FieldSummary));
	}
	field = &summary->fields[low];
	memmove(field + 1, field, (summary->nfields - low) * sizeof(FieldSummary));
	summary->nfields++;
	field->name = pstrdup(name);
	field->seen = 0;
	field->noted = false;
	return field;
}

static int
classify(const PineconeValue *value)
{
	switch (value->kind)
	{
		case PINECONE_VALUE_NULL:
			return 0;
		case PINECONE_VALUE_BOOL:
			return SEEN_BOOL;
		case PINECONE_VALUE_STRING:
			return SEEN_STRING;
		case PINECONE_VALUE_NUMBER:
			return value->number == floor(value->number) &&
						   fabs(value->number) <= MAX_EXACT_INTEGER ?
					   SEEN_INTEGER :
					   SEEN_NUMBER;
		case PINECONE_VALUE_LIST:
			for (int i = 0; i < value->nitems; i++)
			{
				if (value->items[i].kind != PINECONE_VALUE_STRING)
					return SEEN_OTHER;
			}
			return SEEN_STRINGS;
		default:
			return SEEN_OTHER;
	}
}

/* Say once a field that some of its values can be read by no type but json. */
static void
note_no_text(NamespaceSummary *summary, const PineconeRecord *record, const PineconeField *field)
{
	ereport(NOTICE,
			(field->name == NULL ?
				 errmsg("namespace \"%s\", record \"%s\": the name of metadata field %s is no text that PostgreSQL can hold",
						summary->name, record->id, field->json) :
				 errmsg("namespace \"%s\", record \"%s\": metadata field \"%s\" holds a string that PostgreSQL's text cannot",
						summary->name, record->id, field->name),
			 field->name == NULL ?
				 errdetail("It gets no column, and a column of the whole metadata cannot show the record's.") :
				 errdetail("There the field's column, and one of the whole metadata, are as on_type_error says.")));
}

static void
summarize_field(NamespaceSummary *summary, const PineconeRecord *record, const PineconeField *field)
{
	FieldSummary *known;

	if (field->name == NULL)
	{
		if (!summary->noted)
			note_no_text(summary, record, field);
		summary->noted = true;
		return;
	}
	known = find_field(summary, field->name);
	known->seen |= classify(&field->value);
	if (field->value.no_text && !known->noted)
	{
		note_no_text(summary, record, field);
		known->noted = true;
	}
}

static void
summarize_record(NamespaceSummary *summary, const PineconeRecord *record,
				 const PineconeSchema *schema, MemoryContext cxt)
{
	PineconeFields *fields = pinecone_vectors_metadata_fields(record);
	MemoryContext old = MemoryContextSwitchTo(cxt);

	for (int i = 0; i < fields->n; i++)
	{
		/* what the schema declares is no metadata */
		if (fields->fields[i].name == NULL || !pinecone_schema_reserves(schema, fields->fields[i].name))
			summarize_field(summary, record, &fields->fields[i]);
	}
	MemoryContextSwitchTo(old);
	summary->has_sparse |= record->sparse.n > 0;
}

static void
summarize_namespace(PineconeSession *session, PineconeStats *stats, NamespaceSummary *summary,
					const ImportOptions *options)
{
	PineconeSourceSpec spec = {0};
	PineconeSource *stream;
	PineconeRecord *record;
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext record_cxt;
	ListCell *lc;

	foreach(lc, summary->declared)
	{
		if (!pinecone_schema_reserves(options->schema, lfirst(lc)))
			(void) find_field(summary, lfirst(lc));
	}
	if (options->sample_size == 0)
		return;

	record_cxt = AllocSetContextCreate(cxt, "pinecone import record", ALLOCSET_DEFAULT_SIZES);
	spec.session = session;
	spec.op = PINECONE_OP_LIST_FETCH;
	spec.namespace_ = summary->name;
	spec.position = PINECONE_PENDING_ALL;
	spec.dimension = stats->dimension;
	spec.want_values = true; /* there may be sparse ones */
	spec.want_metadata = true;
	spec.row_limit = options->sample_size;
	stream = pinecone_source_begin(&spec);
	for (int i = 0; i < options->sample_size; i++)
	{
		if (pinecone_source_next(stream, true, &record) != PINECONE_SOURCE_RECORD)
			break;
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(record_cxt);
		summarize_record(summary, record, options->schema, cxt);
		MemoryContextSwitchTo(cxt);
		MemoryContextReset(record_cxt);
	}
	pinecone_source_end(stream);
	MemoryContextDelete(record_cxt);
}

/* The fields of all namespaces together. */
static NamespaceSummary *
summarize_all(PineconeSession *session, PineconeStats *stats, List *namespaces,
			  const ImportOptions *options)
{
	NamespaceSummary *all = palloc0(sizeof(NamespaceSummary));
	ListCell *lc;

	all->table = options->one_table;
	foreach(lc, namespaces)
	{
		NamespaceSummary *summary = lfirst(lc);

		all->name = summary->name;
		all->declared = summary->declared;
		summarize_namespace(session, stats, all, options);
	}
	all->name = NULL;
	return all;
}

List *
pineconeImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	PineconeSession *session;
	PineconeStats stats;
	ImportOptions options;
	List *namespaces;
	List *commands = NIL;
	ListCell *lc;

	read_options(stmt->options, &options);
	session = pinecone_session_get(serverid, GetUserId());
	/* a copy, for the session's may be replaced; its namespaces are read at once */
	stats = *pinecone_session_stats(session, true, false);
	if (session->schema != NULL)
		options.schema = pinecone_schema_copy(session->schema);
	namespaces = find_namespaces(session, &stats);
	stats.namespaces = NULL;
	stats.nnamespaces = 0;
	if (options.one_table != NULL)
	{
		if (!IsImportableForeignTable(options.one_table, stmt))
			return NIL;
		return list_make1(pinecone_import_create_table(summarize_all(session, &stats, namespaces, &options),
													   &stats, stmt->server_name, &options));
	}
	if (options.aliases)
		namespaces = add_aliases(session, namespaces);
	name_tables(namespaces, &options);
	foreach(lc, namespaces)
	{
		NamespaceSummary *summary = lfirst(lc);

		if (!IsImportableForeignTable(summary->table, stmt))
			continue;
		summarize_namespace(session, &stats, summary, &options);
		commands = lappend(commands, pinecone_import_create_table(summary, &stats, stmt->server_name, &options));
	}
	return commands;
}
