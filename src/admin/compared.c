/*
 * compared.c
 *		What a foreign table and its source have in common, as SQL.
 *
 * Values are compared as the foreign table would have them: those of the source
 * are cast to its types.  Of wide columns only digests are sorted (digest.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "admin/compared.h"
#include "pending/outbox_table.h"

/* ---- The source ---- */

/* Does it begin as a query does, rather than with a name? */
static bool
is_query(const char *source)
{
	static const char *const words[] = {"select", "with", "values", "table"};

	source += strspn(source, " \t\r\n\f");
	if (*source == '(' || strncmp(source, "--", 2) == 0 || strncmp(source, "/*", 2) == 0)
		return true;
	for (int i = 0; i < lengthof(words); i++)
	{
		size_t len = strlen(words[i]);

		if (pg_strncasecmp(source, words[i], len) == 0 && source[len] != '\0' &&
			strchr(" \t\r\n\f(*'\"+-/", source[len]) != NULL)
			return true;
	}
	return false;
}

static char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* An item of FROM: what has to be one query is in parentheses, and cannot be more. */
static char *
from_item(const char *source, Oid *relid)
{
	int len = strlen(source);

	if (!is_query(source))
	{
		*relid = DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(source)));
		/* it may not change while it is looked at */
		LockRelationOid(*relid, AccessShareLock);
		if (get_rel_name(*relid) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation \"%s\" does not exist", source)));
		return qualified_name(*relid);
	}
	while (len > 0 && strchr("; \t\r\n\f", source[len - 1]) != NULL)
		len--;
	*relid = InvalidOid;
	return psprintf("(%.*s\n)", len, source);
}

/* Does the table have such a column? */
static bool
has_column(const PineconeTable *table, const char *name)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role != PINECONE_ROLE_DROPPED && strcmp(table->columns[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The types of the source's columns that the table has, too. */
static void
match_columns(PineconeCompared *compared)
{
	char *query = psprintf("SELECT * FROM %s s LIMIT 0", compared->from);
	int result = SPI_execute(query, true, 0);
	TupleDesc desc;

	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\": %s", query, SPI_result_code_string(result));
	desc = SPI_tuptable->tupdesc;
	compared->types = palloc0(Max(compared->table->ncolumns, 1) * sizeof(Oid));
	for (int i = 0; i < compared->table->ncolumns; i++)
	{
		const PineconeColumn *column = &compared->table->columns[i];

		for (int k = 0; column->role != PINECONE_ROLE_DROPPED && k < desc->natts; k++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, k);

			if (att->attisdropped || strcmp(NameStr(att->attname), column->name) != 0)
				continue;
			if (OidIsValid(compared->types[i]))
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" comes twice in the source", column->name)));
			compared->types[i] = att->atttypid;
		}
	}
	for (int k = 0; k < desc->natts; k++)
	{
		if (!has_column(compared->table, NameStr(TupleDescAttr(desc, k)->attname)))
			compared->only_here = pstrdup(NameStr(TupleDescAttr(desc, k)->attname));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* ---- Expressions ---- */

/*
 * A column of the source as the table has it.  Lengths of strings and dimensions
 * are left to the INSERT to check; what rounds is rounded.
 */
static char *
here_value(const PineconeCompared *compared, int i)
{
	const PineconeColumn *column = &compared->table->columns[i];
	char *name = psprintf("s.%s", quote_identifier(column->name));
	Oid base = getBaseType(column->typid);
	bool rounds = base == TIMESTAMPOID || base == TIMESTAMPTZOID || base == TIMEOID || base == TIMETZOID ||
				  base == NUMERICOID;

	if (rounds && column->typmod >= 0)
		return psprintf("CAST(%s AS %s)", name,
						format_type_extended(column->typid, column->typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	if (compared->types[i] == column->typid)
		return name;
	return psprintf("CAST(%s AS %s)", name, format_type_be_qualified(column->typid));
}

static char *
there_value(const PineconeCompared *compared, int i)
{
	return psprintf("t.%s", quote_identifier(compared->table->columns[i].name));
}

static char *
as_key(const char *value, Oid typid)
{
	return typid == TEXTOID ? psprintf("%s COLLATE pg_catalog.\"C\"", value) :
							  psprintf("CAST(%s AS pg_catalog.text) COLLATE pg_catalog.\"C\"", value);
}

/* Metadata without what other columns write, and without nulls, of which there are none there */
static char *
metadata_rest(const PineconeCompared *compared, const char *value)
{
	StringInfoData buf;
	bool first = true;

	initStringInfo(&buf);
	appendStringInfo(&buf, "pg_catalog.jsonb_strip_nulls(coalesce(CAST(%s AS pg_catalog.jsonb), '{}') OPERATOR(pg_catalog.-) '{",
					 value);
	for (int i = 0; i < compared->table->ncolumns; i++)
	{
		const PineconeColumn *column = &compared->table->columns[i];

		if (column->role != PINECONE_ROLE_FIELD || !OidIsValid(compared->types[i]))
			continue;
		appendStringInfoString(&buf, first ? "\"" : ",\"");
		for (const char *p = column->field; *p; p++)
		{
			if (*p == '"' || *p == '\\')
				appendStringInfoChar(&buf, '\\');
			appendStringInfoString(&buf, *p == '\'' ? "''" : psprintf("%c", *p));
		}
		appendStringInfoChar(&buf, '"');
		first = false;
	}
	appendStringInfoString(&buf, "}'::pg_catalog.text[])");
	return buf.data;
}

bool
pinecone_compared_is_metadata(const PineconeCompared *compared, int column)
{
	PineconeRole role = compared->table->columns[column].role;

	return OidIsValid(compared->types[column]) && (role == PINECONE_ROLE_METADATA || role == PINECONE_ROLE_FIELD);
}

bool
pinecone_compared_is_vector(const PineconeCompared *compared, int column)
{
	PineconeRole role = compared->table->columns[column].role;

	return OidIsValid(compared->types[column]) && (role == PINECONE_ROLE_VALUES || role == PINECONE_ROLE_SPARSE_VALUES);
}

static char *
digests(const PineconeCompared *compared, bool here, bool metadata, bool vectors)
{
	StringInfoData buf;
	int n = 0;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s.pinecone_digests(", compared->us);
	for (int i = 0; i < compared->table->ncolumns; i++)
	{
		char *value;

		if (!(metadata && pinecone_compared_is_metadata(compared, i)) &&
			!(vectors && pinecone_compared_is_vector(compared, i)))
			continue;
		value = here ? here_value(compared, i) : there_value(compared, i);
		if (compared->table->columns[i].role == PINECONE_ROLE_METADATA)
			value = metadata_rest(compared, value);
		appendStringInfo(&buf, "%s%s", n++ > 0 ? ", " : "", value);
	}
	appendStringInfoChar(&buf, ')');
	return n > 0 ? buf.data : "NULL::pg_catalog.int8[]";
}

/* ---- Queries ---- */

char *
pinecone_compared_query(const PineconeCompared *compared, bool here, bool metadata, bool vectors, const char *where)
{
	const char *namespace_ = here ? compared->here_namespace : compared->there_namespace;

	return psprintf("SELECT %s AS id, %s AS namespace, %s AS digests FROM %s%s%s",
					here ? compared->here_id : compared->there_id,
					namespace_ ? namespace_ : "NULL::pg_catalog.text COLLATE pg_catalog.\"C\"",
					digests(compared, here, metadata, vectors),
					here ? psprintf("%s s", compared->from) : psprintf("%s t", compared->there),
					where ? " WHERE " : "", where ? where : "");
}

void
pinecone_compared_columns(const PineconeCompared *compared, StringInfo columns, StringInfo values)
{
	for (int i = 0; i < compared->table->ncolumns; i++)
	{
		const PineconeColumn *column = &compared->table->columns[i];
		char *value;

		if (!OidIsValid(compared->types[i]) || column->role == PINECONE_ROLE_SCORE)
			continue;
		appendStringInfo(columns, "%s%s", columns->len > 0 ? ", " : "", quote_identifier(column->name));
		value = here_value(compared, i);
		/* a field is its column's, also where that is NULL */
		if (column->role == PINECONE_ROLE_METADATA)
			value = psprintf("CAST(%s AS %s)", metadata_rest(compared, value), format_type_be_qualified(column->typid));
		appendStringInfo(values, "%s%s", values->len > 0 ? ", " : "", value);
	}
}

static void
need_column(const PineconeCompared *compared, AttrNumber attnum)
{
	const char *name = compared->table->columns[attnum - 1].name;

	if (!OidIsValid(compared->types[attnum - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the source has no column \"%s\"", name),
				 errdetail("Columns are matched by their names, and foreign table \"%s\" knows its records by that one.",
						   compared->table->name),
				 errhint("Give a query that names its columns as the foreign table does: 'SELECT sku AS %s, ... FROM ...'.",
						 quote_identifier(name))));
}

PineconeCompared *
pinecone_compared_begin(Oid relid, const char *source)
{
	PineconeCompared *compared = palloc0(sizeof(PineconeCompared));
	const PineconeTable *table = pinecone_option_read_table(relid);
	int id = table->id_attnum - 1;
	int namespace_ = table->namespace_attnum - 1;

	if (id < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("foreign table \"%s\" has no column of ids", table->name)));
	compared->table = table;
	compared->there = qualified_name(relid);
	compared->us = pstrdup(quote_identifier(get_namespace_name(get_rel_namespace(pinecone_outbox_relation("pinecone_mirrors", false)))));
	compared->from = from_item(source, &compared->relid);
	match_columns(compared);
	need_column(compared, table->id_attnum);
	compared->id_type = getBaseType(compared->types[id]);
	compared->here_id = as_key(here_value(compared, id), table->columns[id].typid);
	compared->there_id = as_key(there_value(compared, id), table->columns[id].typid);
	if (namespace_ >= 0)
	{
		need_column(compared, table->namespace_attnum);
		compared->here_namespace = as_key(here_value(compared, namespace_), table->columns[namespace_].typid);
		compared->there_namespace = as_key(there_value(compared, namespace_), table->columns[namespace_].typid);
	}
	return compared;
}
