/*
 * diff.c
 *		pinecone_diff(): the ids that a foreign table and its source do not share, and
 *		the records that differ.
 *
 * Both are read, sorted by id, bytewise, and merged.  Records are sorted here, in
 * work_mem and temporary files: that takes seconds for a million, while listing
 * them in order takes twice the time of reading them in whatever order is best.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"

#include "admin/argument.h"
#include "admin/compared.h"
#include "admin/rows.h"
#include "client/hosts.h"

PG_FUNCTION_INFO_V1(pinecone_diff);
PG_FUNCTION_INFO_V1(pinecone_diff_counted);

/* Rows taken from a cursor at a time */
#define ROWS_AT_A_TIME 1000

/* A row of either */
typedef struct SideRow
{
	text *id;
	text *namespace_; /* NULL: all have the same */
	Datum digests;	  /* int8[], or 0 */
} SideRow;

typedef struct Side
{
	bool here;
	Portal portal;
	SPITupleTable *rows;
	uint64 nrows;
	uint64 next;
	bool done;	  /* "row" is not one */
	double count; /* how many there were so far, with "row" */
	SideRow row;
	SideRow last; /* the one before; its memory is "last_cxt"'s */
	MemoryContext last_cxt;
} Side;

/* ---- One side ---- */

static void
side_begin(Side *side, const PineconeCompared *compared, bool here, bool metadata, bool vectors)
{
	char *query = psprintf("SELECT id, namespace, digests FROM (%s) r ORDER BY id, namespace",
						   pinecone_compared_query(compared, here, metadata, vectors, NULL));
	int nest = NewGUCNestLevel();

	memset(side, 0, sizeof(Side));
	side->here = here;
	set_config_option("pinecone_fdw.enable_sort", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	side->portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, false, CURSOR_OPT_NO_SCROLL);
	AtEOXact_GUC(false, nest);
	side->last_cxt = AllocSetContextCreate(CurrentMemoryContext, "last row of a comparison", ALLOCSET_SMALL_SIZES);
}

static Datum
column_of(const Side *side, HeapTuple tuple, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(tuple, side->rows->tupdesc, column, &isnull);

	return isnull ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
}

static int
compare_text(const text *a, const text *b)
{
	int result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(VARSIZE_ANY_EXHDR(a), VARSIZE_ANY_EXHDR(b)));

	return result != 0 ? result : (int) VARSIZE_ANY_EXHDR(a) - (int) VARSIZE_ANY_EXHDR(b);
}

static int
compare_rows(const SideRow *a, const SideRow *b)
{
	int result = compare_text(a->id, b->id);

	return result != 0 || a->namespace_ == NULL ? result : compare_text(a->namespace_, b->namespace_);
}

static text *
copy_text(const text *value)
{
	text *copy = palloc(VARSIZE_ANY(value));

	memcpy(copy, value, VARSIZE_ANY(value));
	return copy;
}

/* What was the last row, kept for a look at the next one */
static void
keep_last(Side *side)
{
	MemoryContext old;

	MemoryContextReset(side->last_cxt);
	old = MemoryContextSwitchTo(side->last_cxt);
	Assert(side->row.id != NULL); /* by check_row() */
	side->last.id = copy_text(side->row.id);
	side->last.namespace_ = side->row.namespace_ ? copy_text(side->row.namespace_) : NULL;
	MemoryContextSwitchTo(old);
}

static void
check_row(const Side *side, bool spans)
{
	if (side->row.id == NULL || (spans && side->row.namespace_ == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg(side->row.id == NULL ? "a row of the %s has no id" : "a row of the %s has no namespace",
						side->here ? "source" : "foreign table"),
				 side->here ? errhint("Leave it out: give a query with a condition.") :
							  errdetail("Its id does not fit the column's type.")));
	if (side->count > 0 && compare_rows(&side->last, &side->row) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("id \"%s\" comes twice in the %s", text_to_cstring(side->row.id), side->here ? "source" : "foreign table"),
				 side->here ? errdetail("There is one record of an id.") : 0));
}

/* Go to the next row. */
static void
side_next(Side *side, bool spans)
{
	HeapTuple tuple;

	if (side->count > 0)
		keep_last(side);
	if (side->next == side->nrows)
	{
		if (side->rows != NULL)
			SPI_freetuptable(side->rows);
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(side->portal, true, ROWS_AT_A_TIME);
		side->rows = SPI_tuptable;
		side->nrows = SPI_processed;
		side->next = 0;
		if (side->nrows == 0)
		{
			side->done = true;
			return;
		}
	}
	tuple = side->rows->vals[side->next++];
	side->row.id = (text *) DatumGetPointer(column_of(side, tuple, 1));
	side->row.namespace_ = (text *) DatumGetPointer(column_of(side, tuple, 2));
	side->row.digests = column_of(side, tuple, 3);
	check_row(side, spans);
	side->count++;
}

/* ---- Differences ---- */

/* The names of the columns whose digests differ; or (Datum) 0 */
static Datum
differing_columns(const PineconeCompared *compared, bool metadata, bool vectors, Datum here, Datum there)
{
	Datum *names;
	Datum *a;
	Datum *b;
	bool *a_null;
	bool *b_null;
	int n;
	int column = 0;
	int ndiffering = 0;

	if (here == (Datum) 0 || datumIsEqual(here, there, false, -1))
		return (Datum) 0;
	deconstruct_array(DatumGetArrayTypeP(here), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &a, &a_null, &n);
	deconstruct_array(DatumGetArrayTypeP(there), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &b, &b_null, &n);
	names = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++, column++)
	{
		while (!(metadata && pinecone_compared_is_metadata(compared, column)) &&
			   !(vectors && pinecone_compared_is_vector(compared, column)))
			column++;
		if (a_null[i] != b_null[i] || (!a_null[i] && DatumGetInt64(a[i]) != DatumGetInt64(b[i])))
			names[ndiffering++] = CStringGetTextDatum(compared->table->columns[column].name);
	}
	return PointerGetDatum(construct_array(names, ndiffering, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
put_difference(PineconeRows *rows, const PineconeCompared *compared, const SideRow *row, const char *difference,
			   Datum columns, bool counted)
{
	if (row->namespace_ != NULL)
		pinecone_row_put(rows, PointerGetDatum(row->namespace_), false);
	else
		pinecone_row_text(rows, compared->table->namespace_);
	pinecone_row_put(rows, PointerGetDatum(row->id), false);
	pinecone_row_text(rows, difference);
	pinecone_row_put(rows, columns, columns == (Datum) 0);
	if (counted)
		pinecone_row_bigint(rows, 0, false);
	pinecone_row_end(rows);
}

/* Merge both sides into rows of what differs; with "counted" a last one tells how many records there are. */
static void
merge_rows(FunctionCallInfo fcinfo, bool counted)
{
	Oid relid = pinecone_argument_table(fcinfo, 0, "foreign_table");
	char *source = pinecone_argument_text(fcinfo, 1, "source");
	bool metadata = pinecone_argument_bool(fcinfo, 2, "metadata");
	bool vectors = pinecone_argument_bool(fcinfo, 3, "vectors");
	PineconeCompared *compared;
	PineconeRows rows;
	Side here;
	Side there;
	MemoryContext cxt;
	bool spans;

	pinecone_rows_begin(&rows, fcinfo);
	SPI_connect();
	compared = pinecone_compared_begin(relid, source);
	spans = compared->here_namespace != NULL;
	/* first what takes a while to come */
	side_begin(&there, compared, false, metadata, vectors);
	side_begin(&here, compared, true, metadata, vectors);
	side_next(&there, spans);
	side_next(&here, spans);
	cxt = AllocSetContextCreate(CurrentMemoryContext, "difference", ALLOCSET_SMALL_SIZES);
	while (!here.done || !there.done)
	{
		int order = here.done ? 1 : (there.done ? -1 : compare_rows(&here.row, &there.row));
		MemoryContext old = MemoryContextSwitchTo(cxt);

		if (order != 0)
			put_difference(&rows, compared, order < 0 ? &here.row : &there.row, order < 0 ? "only_here" : "only_there",
						   (Datum) 0, counted);
		else
		{
			Datum columns = differing_columns(compared, metadata, vectors, here.row.digests, there.row.digests);

			if (columns != (Datum) 0)
				put_difference(&rows, compared, &here.row, "differs", columns, counted);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(cxt);
		if (order <= 0)
			side_next(&here, spans);
		if (order >= 0)
			side_next(&there, spans);
	}
	if (counted)
	{
		for (int i = 0; i < 4; i++)
			pinecone_row_put(&rows, (Datum) 0, true);
		pinecone_row_bigint(&rows, there.count, true);
		pinecone_row_end(&rows);
	}
	SPI_finish();
}

/* What is found to differ is going to be written, to the first host: so that is what is read. */
static void
merge(FunctionCallInfo fcinfo, bool counted)
{
	bool former = pinecone_hosts_first_only;

	pinecone_hosts_first_only = true;
	PG_TRY();
	{
		merge_rows(fcinfo, counted);
	}
	PG_FINALLY();
	{
		pinecone_hosts_first_only = former;
	}
	PG_END_TRY();
}

Datum
pinecone_diff(PG_FUNCTION_ARGS)
{
	merge(fcinfo, false);
	return (Datum) 0;
}

/* The same, for pinecone_sync(): a last row has nothing but the number of records. */
Datum
pinecone_diff_counted(PG_FUNCTION_ARGS)
{
	merge(fcinfo, true);
	return (Datum) 0;
}
