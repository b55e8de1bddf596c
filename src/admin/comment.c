/*
 * comment.c
 *		Comments that say what the columns of a foreign table are.
 *
 * IMPORT FOREIGN SCHEMA can make tables, and nothing else.  This looks at a
 * table's first records, through the table itself, and writes what it saw into
 * comments; those that somebody else wrote stay.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "admin/argument.h"
#include "client/schema_table.h"
#include "option/option_list.h"

PG_FUNCTION_INFO_V1(pinecone_comment);

/* What our comments begin with */
#define PREFIX "Pinecone: "

/* How many records are looked at */
#define SAMPLE 100

static bool
is_ours(Oid relid, int attnum)
{
	char *comment = GetComment(relid, RelationRelationId, attnum);

	return comment == NULL || strncmp(comment, PREFIX, strlen(PREFIX)) == 0;
}

static void
execute(const char *command)
{
	int result = SPI_execute(command, false, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", command, SPI_result_code_string(result));
}

static char *
describe_table(const PineconeTable *table)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, PREFIX);
	if (table->namespace_attnum > 0)
		appendStringInfoString(&buf, table->namespaces ? "several namespaces" : "all namespaces");
	else if (table->namespace_[0] == '\0')
		appendStringInfoString(&buf, "the default namespace");
	else
		appendStringInfo(&buf, "namespace \"%s\"", table->namespace_);
	appendStringInfo(&buf, " of the index of server \"%s\"", table->server->servername);
	return buf.data;
}

/* "seen" of "looked" records have a value there. */
static char *
describe_column(const PineconeColumn *column, int64 seen, int64 looked)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, PREFIX);
	switch (column->role)
	{
		case PINECONE_ROLE_ID:
			appendStringInfoString(&buf, "the record's id");
			return buf.data;
		case PINECONE_ROLE_NAMESPACE:
			appendStringInfoString(&buf, "the record's namespace");
			return buf.data;
		case PINECONE_ROLE_SCORE:
			appendStringInfoString(&buf, "the score of the search that found the row; NULL without one");
			return buf.data;
		case PINECONE_ROLE_VALUES:
			appendStringInfoString(&buf, "the record's vector");
			break;
		case PINECONE_ROLE_SPARSE_VALUES:
			appendStringInfoString(&buf, "the record's sparse vector");
			break;
		case PINECONE_ROLE_METADATA:
			appendStringInfoString(&buf, "the record's whole metadata");
			break;
		default:
			if (column->declared)
				appendStringInfo(&buf, "text field \"%s\"", column->field);
			else
				appendStringInfo(&buf, "metadata field \"%s\"", column->field);
			break;
	}
	appendStringInfo(&buf, ", in " INT64_FORMAT " of " INT64_FORMAT " records looked at", seen, looked);
	return buf.data;
}

/* Values seen in each column, and rows in the last place. */
static void
look(const PineconeTable *table, const char *name, int64 *seen)
{
	StringInfoData query;
	bool isnull;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role == PINECONE_ROLE_DROPPED)
			appendStringInfoString(&query, "0::pg_catalog.int8, ");
		else
			appendStringInfo(&query, "pg_catalog.count(%s), ", quote_identifier(table->columns[i].name));
	}
	appendStringInfo(&query, "pg_catalog.count(*) FROM (SELECT * FROM %s LIMIT %d) s", name, SAMPLE);
	execute(query.data);
	for (int i = 0; i <= table->ncolumns; i++)
		seen[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull));
}

/* Look at a table's records, and write what they tell into its comments; returns how many columns have one. */
Datum
pinecone_comment(PG_FUNCTION_ARGS)
{
	Oid relid = pinecone_argument_table(fcinfo, 0, "table");
	const PineconeTable *table;
	char *name;
	int64 *seen;
	int written = 0;

	table = pinecone_option_table(relid);
	name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	seen = palloc0((table->ncolumns + 1) * sizeof(int64));

	SPI_connect();
	/* first what only the owner may do */
	if (is_ours(relid, 0))
		execute(psprintf("COMMENT ON FOREIGN TABLE %s IS %s", name, quote_literal_cstr(describe_table(table))));
	look(table, name, seen);
	/* by now the session knows what the index declares */
	table = pinecone_schema_table(pinecone_session_get(table->server->serverid, GetUserId()), (PineconeTable *) table);
	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];

		if (column->role == PINECONE_ROLE_DROPPED || !is_ours(relid, i + 1))
			continue;
		execute(psprintf("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
						 quote_literal_cstr(describe_column(column, seen[i], seen[table->ncolumns]))));
		written++;
	}
	SPI_finish();
	PG_RETURN_INT32(written);
}
