/*
 * rows.c
 *		Makes rows in a tuple store, a column after the other.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "admin/rows.h"
#include "base/compat.h"
#include "value/times.h"

void
pinecone_rows_begin(PineconeRows *rows, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (info == NULL || !IsA(info, ReturnSetInfo) || !(info->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &rows->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rows->desc = CreateTupleDescCopy(rows->desc);
	rows->store = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	MemoryContextSwitchTo(old);
	info->returnMode = SFRM_Materialize;
	info->setResult = rows->store;
	info->setDesc = rows->desc;
	rows->column = 0;
}

void
pinecone_row_end(PineconeRows *rows)
{
	if (rows->column != rows->desc->natts)
		elog(ERROR, "result type has %d columns, not %d", rows->desc->natts, rows->column);
	tuplestore_putvalues(rows->store, rows->desc, rows->values, rows->nulls);
	rows->column = 0;
}

void
pinecone_row_put(PineconeRows *rows, Datum value, bool isnull)
{
	Assert(rows->column < PINECONE_ROW_COLUMNS);
	rows->values[rows->column] = value;
	rows->nulls[rows->column++] = isnull;
}

void
pinecone_row_text(PineconeRows *rows, const char *value)
{
	pinecone_row_put(rows, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
pinecone_row_bool(PineconeRows *rows, bool value)
{
	pinecone_row_put(rows, BoolGetDatum(value), false);
}

void
pinecone_row_jsonb(PineconeRows *rows, const Jsonb *value)
{
	pinecone_row_put(rows, PointerGetDatum(value), value == NULL);
}

void
pinecone_row_int(PineconeRows *rows, int value, bool known)
{
	pinecone_row_put(rows, Int32GetDatum(value), !known);
}

/* No count is so large that doubles skip integers, or it is none. */
void
pinecone_row_bigint(PineconeRows *rows, double value, bool known)
{
	known = known && value >= 0 && value < 9e15;
	pinecone_row_put(rows, known ? Int64GetDatum((int64) value) : (Datum) 0, !known);
}

void
pinecone_row_time(PineconeRows *rows, char *text)
{
	PineconeValue value = {PINECONE_VALUE_STRING};
	Datum time = (Datum) 0;
	bool good;

	value.text = text;
	value.len = text ? strlen(text) : 0;
	good = text != NULL && pinecone_times_read(PINECONE_FORMAT_ISO, true, -1, &value, &time);
	pinecone_row_put(rows, time, !good);
}
