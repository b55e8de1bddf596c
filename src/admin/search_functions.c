/*
 * search_functions.c
 *		pinecone_search() and pinecone_search_batch(): searches as functions.
 *
 * They execute a query on the table as anybody could write it: so permissions,
 * pending writes and partitions are what they always are, and a batch is a LATERAL
 * join that reads ahead.  The query is put together of what the table's columns
 * are and the index's metric.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "foreign/fdwapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "admin/rows.h"
#include "base/ours.h"
#include "client/schema_table.h"
#include "client/session.h"
#include "wire/stats.h"

PG_FUNCTION_INFO_V1(pinecone_search_nearest);
PG_FUNCTION_INFO_V1(pinecone_search_batch);
PG_FUNCTION_INFO_V1(pinecone_matrix_rows);

/* Functions take a hundred arguments at most */
#define FIELDS_PER_CALL 40

static bool
is_ours(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE && pinecone_ours_is(GetFdwRoutineByRelId(relid));
}

/* The table itself, or the first of our tables among its partitions, whose columns stand for all. */
static Oid
find_foreign_table(Oid relid)
{
	char *name = get_rel_name(relid);
	char kind = name != NULL ? get_rel_relkind(relid) : '\0';
	ListCell *lc;

	if (kind == RELKIND_FOREIGN_TABLE && is_ours(relid))
		return relid;
	if (kind == RELKIND_PARTITIONED_TABLE)
	{
		foreach(lc, find_all_inheritors(relid, AccessShareLock, NULL))
		{
			if (is_ours(lfirst_oid(lc)))
				return lfirst_oid(lc);
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a foreign table of pinecone_fdw", name != NULL ? name : "(none)"),
			 errhint("Nor is it partitioned into such tables.")));
}

static const PineconeColumn *
column_of(const PineconeTable *table, AttrNumber attnum, const char *what)
{
	if (attnum == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("foreign table \"%s\" has no column for %s", table->name, what),
				 errhint("Add one, as IMPORT FOREIGN SCHEMA would.")));
	return &table->columns[attnum - 1];
}

/* Everything that is neither the id nor a vector, as an object. */
static void
append_record(StringInfo sql, const PineconeTable *table)
{
	int n = 0;

	appendStringInfoString(sql, "pg_catalog.jsonb_build_object(");
	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];

		if (column->role != PINECONE_ROLE_FIELD && column->role != PINECONE_ROLE_METADATA &&
			column->role != PINECONE_ROLE_NAMESPACE && column->role != PINECONE_ROLE_SCORE)
			continue;
		if (n > 0 && n % FIELDS_PER_CALL == 0)
			appendStringInfoString(sql, ") OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(");
		else if (n > 0)
			appendStringInfoString(sql, ", ");
		appendStringInfo(sql, "%s, t.%s", quote_literal_cstr(column->name), quote_identifier(column->name));
		n++;
	}
	appendStringInfoChar(sql, ')');
}

/* The distance of the vector column from $1 or q.v, by the operator of the index's metric and the column's type. */
static char *
distance_of(const PineconeColumn *column, PineconeMetric metric, Oid own_schema, const char *vector)
{
	Oid base = getBaseType(column->typid);
	Oid schema = own_schema;
	const char *symbol = metric == PINECONE_METRIC_COSINE	 ? "<=>" :
						 metric == PINECONE_METRIC_EUCLIDEAN ? "<->" :
															   "<#>";
	Oid output;
	bool varlena;

	/* pgvector has its own, where its types are */
	if (!OidIsValid(get_element_type(base)))
	{
		getTypeOutputInfo(base, &output, &varlena);
		schema = get_func_namespace(output);
	}

	return psprintf("t.%s OPERATOR(%s.%s) %s::%s", quote_identifier(column->name),
					quote_identifier(get_namespace_name(schema)), symbol, vector, format_type_be_qualified(base));
}

/*
 * The table's columns by what its index declares.  What the planner would not send
 * a filter to, because it has seen no document found there, is looked at again.
 */
static PineconeTable *
table_of(PineconeSession *session, PineconeTable *plain, bool filtered)
{
	PineconeTable *table = pinecone_schema_table(session, plain);

	if (!filtered || !table->filters_doubted)
		return table;
	(void) pinecone_session_stats(session, true, false);
	table = pinecone_schema_table(session, plain);
	if (table->filters_doubted)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("searches find nothing in the index of foreign table \"%s\", so that a filter would not tell anything", table->name),
				 errhint("Repeat it when there are documents, or put conditions on the table's columns.")));
	return table;
}

/* The query, of $1, a vector or a matrix, $2, how many rows of each, and $3, the filter. */
static char *
search_sql(Oid relid, Oid own_schema, bool filtered, bool batch)
{
	const char *own = quote_identifier(get_namespace_name(own_schema));
	PineconeTable *table;
	PineconeSession *session;
	const PineconeColumn *id;
	const PineconeColumn *values;
	StringInfoData sql;
	char *distance;

	LockRelationOid(relid, AccessShareLock);
	table = pinecone_option_table(find_foreign_table(relid));
	session = pinecone_session_get_reading(table->server->serverid, GetUserId());
	(void) pinecone_session_stats(session, false, false);
	table = table_of(session, table, filtered);
	id = column_of(table, table->id_attnum, "ids");
	values = column_of(table, table->values_attnum, "vectors");
	distance = distance_of(values, session->stats->metric, own_schema, batch ? "q.v" : "$1");

	initStringInfo(&sql);
	if (batch)
		appendStringInfo(&sql, "SELECT q.n, s.id, s.distance, s.record FROM %s.pinecone_matrix_rows($1) q (n, v), LATERAL (", own);
	appendStringInfo(&sql, "SELECT t.%s::pg_catalog.text AS id, (%s)::pg_catalog.float8 AS distance, ",
					 quote_identifier(id->name), distance);
	append_record(&sql, table);
	appendStringInfo(&sql, " AS record FROM %s t",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid)));
	if (filtered)
		appendStringInfo(&sql, " WHERE %s.pinecone_match_record(t.%s, $3)", own, quote_identifier(id->name));
	appendStringInfo(&sql, " ORDER BY %s LIMIT $2", distance);
	if (batch)
		appendStringInfoString(&sql, ") s ORDER BY q.n, s.distance");
	return sql.data;
}

/* Execute it as the caller, and return its rows. */
static Datum
search(FunctionCallInfo fcinfo, bool batch)
{
	Oid types[] = {FLOAT4ARRAYOID, INT8OID, JSONBOID};
	Datum values[] = {PG_GETARG_DATUM(1), (Datum) 0, PG_GETARG_DATUM(3)};
	char nulls[] = {' ', ' ', PG_ARGISNULL(3) ? 'n' : ' ', '\0'};
	PineconeRows rows;
	char *sql;

	if (PG_ARGISNULL(2) || PG_GETARG_INT32(2) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be a number that is not negative")));
	pinecone_rows_begin(&rows, fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	values[1] = Int64GetDatum(PG_GETARG_INT32(2));
	sql = search_sql(PG_GETARG_OID(0), get_func_namespace(fcinfo->flinfo->fn_oid), !PG_ARGISNULL(3), batch);

	SPI_connect();
	if (SPI_execute_with_args(sql, lengthof(types), types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "a search has not run: %s", sql);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rows.store, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}

/* pinecone_search(table, vector, k, filter) */
Datum
pinecone_search_nearest(PG_FUNCTION_ARGS)
{
	return search(fcinfo, false);
}

/* pinecone_search_batch(table, vectors, k, filter) */
Datum
pinecone_search_batch(PG_FUNCTION_ARGS)
{
	return search(fcinfo, true);
}

/* pinecone_matrix_rows(matrix): each row of a two-dimensional real[], with its number. */
Datum
pinecone_matrix_rows(PG_FUNCTION_ARGS)
{
	ArrayType *matrix = PG_GETARG_ARRAYTYPE_P(0);
	int n = ARR_NDIM(matrix) == 2 ? ARR_DIMS(matrix)[0] : 0;
	int width = n > 0 ? ARR_DIMS(matrix)[1] : 0;
	const float *values = (const float *) ARR_DATA_PTR(matrix);
	Datum *element = palloc(sizeof(Datum) * Max(width, 1));
	PineconeRows rows;

	if (ARR_NDIM(matrix) != 2 && ARR_NDIM(matrix) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("vectors must be an array of arrays, not one of %d dimensions", ARR_NDIM(matrix)),
				 errhint("array_agg() of a column of type real[] makes one, and so does ARRAY[vector, vector].")));
	if (array_contains_nulls(matrix))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("vectors must not contain nulls")));
	pinecone_rows_begin(&rows, fcinfo);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < width; j++)
			element[j] = Float4GetDatum(values[(Size) i * width + j]);
		pinecone_row_int(&rows, i + 1, true);
		pinecone_row_put(&rows, PointerGetDatum(construct_array(element, width, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT)), false);
		pinecone_row_end(&rows);
	}
	return (Datum) 0;
}
