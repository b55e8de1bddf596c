/*
 * import.c
 *		IMPORT FOREIGN SCHEMA: one foreign table per namespace.
 *
 * Metadata columns come from a sample of the namespace's records: a field gets
 * the narrowest type that all its values fit.  The name of the remote schema
 * is not used; Pinecone has none.
 */
#include "postgres.h"

#include <math.h>

#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "api.h"
#include "convert.h"
#include "import.h"
#include "session.h"

#define DEFAULT_SAMPLE_SIZE 100
#define MAX_SAMPLE_SIZE 10000
#define LIST_PAGE 100

/* float64 holds every integer up to here */
#define MAX_EXACT_INTEGER 9007199254740992.0

/* What the values of a field in the sample were */
#define SAW_STRING	0x01
#define SAW_INTEGER 0x02
#define SAW_NUMBER	0x04
#define SAW_BOOL	0x08
#define SAW_LIST	0x10
#define SAW_OTHER	0x20

typedef struct SampledField
{
	char	   *name;
	int			saw;
} SampledField;

typedef struct ImportContext
{
	ImportForeignSchemaStmt *stmt;
	ForeignServer *server;
	PineconeSession *session;
	PineconeStats *stats;
	bool		use_vector;		/* pgvector's type for dense vectors */
	bool		with_metadata;	/* a column for the whole object */
	int			sample_size;
	List	   *table_names;	/* used so far */
} ImportContext;

/* Columns whose names say what they are; a field of such a name gets another. */
static const char *const reserved_names[] = {
	"id", "embedding", "values", "vector", "sparse_values", "score", "metadata",
};

/* ---- Options ---- */

static void
read_options(ImportContext *cxt)
{
	ListCell   *lc;

	cxt->use_vector = OidIsValid(pinecone_convert_pgvector_type("vector"));
	cxt->with_metadata = true;
	cxt->sample_size = DEFAULT_SAMPLE_SIZE;
	foreach(lc, cxt->stmt->options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "vector_type") == 0)
		{
			char	   *value = defGetString(def);

			if (strcmp(value, "vector") != 0 && strcmp(value, "real[]") != 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for option \"%s\": \"%s\"", def->defname, value),
						 errhint("Valid values are: vector, real[].")));
			if (value[0] == 'v' && !cxt->use_vector)
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_OBJECT),
						 errmsg("type \"vector\" does not exist"),
						 errhint("Install pgvector with CREATE EXTENSION vector.")));
			cxt->use_vector = value[0] == 'v';
		}
		else if (strcmp(def->defname, "metadata") == 0)
			cxt->with_metadata = defGetBoolean(def);
		else if (strcmp(def->defname, "sample_size") == 0)
		{
			cxt->sample_size = pg_strtoint32(defGetString(def));
			if (cxt->sample_size < 0 || cxt->sample_size > MAX_SAMPLE_SIZE)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for option \"%s\": \"%s\"", def->defname,
								defGetString(def)),
						 errhint("Valid values are between 0 and %d.", MAX_SAMPLE_SIZE)));
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("invalid option \"%s\"", def->defname),
					 errhint("Valid options for an import are: vector_type, metadata, sample_size.")));
	}
}

/* ---- Sampling ---- */

static SampledField *
find_field(List **fields, const char *name)
{
	SampledField *field;
	ListCell   *lc;

	foreach(lc, *fields)
	{
		field = lfirst(lc);
		if (strcmp(field->name, name) == 0)
			return field;
	}
	field = palloc0(sizeof(SampledField));
	field->name = pstrdup(name);
	*fields = lappend(*fields, field);
	return field;
}

static int
kind_of_value(const PineconeValue *value)
{
	switch (value->kind)
	{
		case PINECONE_VALUE_STRING:
			return SAW_STRING;
		case PINECONE_VALUE_NUMBER:
			return value->number == floor(value->number) &&
				fabs(value->number) <= MAX_EXACT_INTEGER ? SAW_INTEGER : SAW_NUMBER;
		case PINECONE_VALUE_BOOL:
			return SAW_BOOL;
		case PINECONE_VALUE_LIST:
			for (int i = 0; i < value->nitems; i++)
			{
				if (value->items[i].kind != PINECONE_VALUE_STRING)
					return SAW_OTHER;
			}
			return SAW_LIST;
		case PINECONE_VALUE_NULL:
			return 0;
		default:
			return SAW_OTHER;
	}
}

static void
observe_records(const PineconePage *page, List **fields, bool *has_sparse)
{
	for (int i = 0; i < page->nrecords; i++)
	{
		PineconeFields *metadata = pinecone_api_metadata_fields(&page->records[i]);

		*has_sparse |= page->records[i].sparse.n > 0;
		for (int j = 0; j < metadata->n; j++)
			find_field(fields, metadata->fields[j].name)->saw |=
				kind_of_value(&metadata->fields[j].value);
	}
}

static int
compare_fields(const ListCell *a, const ListCell *b)
{
	return strcmp(((SampledField *) lfirst(a))->name, ((SampledField *) lfirst(b))->name);
}

/* The fields that the first records of a namespace have. */
static List *
sample_fields(ImportContext *cxt, const PineconeNamespaceInfo *info, bool *has_sparse)
{
	List	   *fields = NIL;
	char	   *token = NULL;
	int			sampled = 0;

	for (int i = 0; i < info->nfields; i++)
		(void) find_field(&fields, info->fields[i]);

	while (sampled < cxt->sample_size)
	{
		PineconeCall *list = pinecone_api_list(cxt->session, NULL, info->name, NULL,
											   Min(LIST_PAGE, cxt->sample_size - sampled), token);
		PineconePage *ids = pinecone_api_page(list);

		for (int start = 0; start < ids->nrecords;)
		{
			char	   *batch[LIST_PAGE];
			int			n = 0;
			PineconeCall *fetch;

			/* vectors make replies large: few records at a time */
			while (n < 10 && start + n < ids->nrecords)
			{
				batch[n] = ids->records[start + n].id;
				n++;
			}
			n = pinecone_api_fetch_batch(batch, n);
			fetch = pinecone_api_fetch(cxt->session, NULL, info->name, batch, n, true);
			observe_records(pinecone_api_page(fetch), &fields, has_sparse);
			pinecone_api_free(fetch);
			start += n;
		}
		sampled += ids->nrecords;
		token = ids->next_token;
		pinecone_api_free(list);
		if (token == NULL || ids->nrecords == 0)
			break;
	}
	list_sort(fields, compare_fields);
	return fields;
}

static const char *
type_of_field(int saw)
{
	switch (saw)
	{
		case SAW_STRING:
			return "text";
		case SAW_INTEGER:
			return "bigint";
		case SAW_NUMBER:
		case SAW_INTEGER | SAW_NUMBER:
			return "double precision";
		case SAW_BOOL:
			return "boolean";
		case SAW_LIST:
			return "text[]";
		default:
			/* declared but not seen, or of several kinds */
			return "jsonb";
	}
}

/* ---- Names ---- */

static bool
name_is_used(List *used, const char *name)
{
	ListCell   *lc;

	foreach(lc, used)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/* A name that fits an identifier and is not used yet. */
static char *
unique_name(List **used, const char *wanted)
{
	char	   *name = pnstrdup(wanted, pg_mbcliplen(wanted, strlen(wanted), NAMEDATALEN - 1));

	for (int i = 2; name_is_used(*used, name); i++)
	{
		char	   *suffix = psprintf("_%d", i);

		name = psprintf("%s%s", pnstrdup(wanted, pg_mbcliplen(wanted, strlen(wanted),
															  NAMEDATALEN - 1 - strlen(suffix))),
						suffix);
	}
	*used = lappend(*used, name);
	return name;
}

static char *
column_name(List **used, const char *field)
{
	for (int i = 0; i < lengthof(reserved_names); i++)
	{
		if (strcmp(field, reserved_names[i]) == 0)
			return unique_name(used, psprintf("%s_field", field));
	}
	return unique_name(used, field[0] ? field : "field");
}

/* Is the table among those that the statement asks for? */
static bool
table_is_wanted(ImportContext *cxt, const char *name)
{
	ListCell   *lc;
	bool		listed = false;

	if (cxt->stmt->list_type == FDW_IMPORT_SCHEMA_ALL)
		return true;
	foreach(lc, cxt->stmt->table_list)
		listed |= strcmp(((RangeVar *) lfirst(lc))->relname, name) == 0;
	return listed == (cxt->stmt->list_type == FDW_IMPORT_SCHEMA_LIMIT_TO);
}

/* ---- Tables ---- */

static char *
create_table(ImportContext *cxt, const PineconeNamespaceInfo *info, const char *table)
{
	StringInfoData sql;
	List	   *columns = NIL;
	bool		has_sparse = cxt->stats->sparse;
	List	   *fields = sample_fields(cxt, info, &has_sparse);
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s (\n  id text COLLATE \"C\" NOT NULL",
					 quote_identifier(table));
	if (!cxt->stats->sparse && cxt->use_vector && cxt->stats->dimension <= 16000)
		appendStringInfo(&sql, ",\n  embedding %s(%d)",
						 format_type_extended(pinecone_convert_pgvector_type("vector"), -1,
											  FORMAT_TYPE_FORCE_QUALIFY),
						 cxt->stats->dimension);
	else if (!cxt->stats->sparse)
		appendStringInfoString(&sql, ",\n  embedding real[]");
	if (has_sparse)
		appendStringInfoString(&sql, ",\n  sparse_values jsonb");
	appendStringInfoString(&sql, ",\n  score double precision");
	for (int i = 0; i < lengthof(reserved_names); i++)
		columns = lappend(columns, pstrdup(reserved_names[i]));
	foreach(lc, fields)
	{
		SampledField *field = lfirst(lc);
		char	   *name;

		/* no field of that name could be told from an operator */
		if (field->name[0] == '$')
			continue;
		name = column_name(&columns, field->name);
		appendStringInfo(&sql, ",\n  %s %s", quote_identifier(name), type_of_field(field->saw));
		if (strcmp(name, field->name) != 0)
			appendStringInfo(&sql, " OPTIONS (field %s)", quote_literal_cstr(field->name));
	}
	if (cxt->with_metadata)
		appendStringInfoString(&sql, ",\n  metadata jsonb");
	appendStringInfo(&sql, "\n) SERVER %s\nOPTIONS (namespace %s);",
					 quote_identifier(cxt->server->servername), quote_literal_cstr(info->name));
	return sql.data;
}

/* One table's worth of memory at a time, however many namespaces there are. */
static void
import_namespace(ImportContext *cxt, const PineconeNamespaceInfo *info, List **commands)
{
	char	   *table = unique_name(&cxt->table_names, info->name[0] ? info->name : "default");
	MemoryContext work;
	MemoryContext old;
	char	   *sql;

	if (!table_is_wanted(cxt, table))
		return;
	work = AllocSetContextCreate(CurrentMemoryContext, "pinecone import", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	sql = create_table(cxt, info, table);
	MemoryContextSwitchTo(old);
	*commands = lappend(*commands, pstrdup(sql));
	MemoryContextDelete(work);
}

/* Indexes without namespace operations tell their namespaces in statistics. */
static void
import_from_stats(ImportContext *cxt, List **commands)
{
	for (int i = 0; i < cxt->stats->nnamespaces; i++)
	{
		PineconeNamespaceInfo info = {0};

		info.name = cxt->stats->namespaces[i].name;
		import_namespace(cxt, &info, commands);
	}
}

List *
pineconeImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	ImportContext cxt = {0};
	List	   *commands = NIL;
	char	   *token = NULL;

	cxt.stmt = stmt;
	cxt.server = GetForeignServer(serverid);
	cxt.session = pinecone_session_get(serverid, GetUserId());
	cxt.stats = pinecone_session_stats(cxt.session, true, false);
	read_options(&cxt);

	do
	{
		PineconeCall *call = pinecone_api_list_namespaces(cxt.session, NULL, token);
		PineconeNamespaceInfo *infos;
		int			n;

		pinecone_api_wait(call);
		if (token == NULL && pinecone_api_failure(call) == PINECONE_FAILURE_UNSUPPORTED)
		{
			pinecone_api_free(call);
			import_from_stats(&cxt, &commands);
			break;
		}
		infos = pinecone_api_namespaces_result(call, &n, &token);
		for (int i = 0; i < n; i++)
			import_namespace(&cxt, &infos[i], &commands);
		pinecone_api_free(call);
	} while (token != NULL);
	return commands;
}
