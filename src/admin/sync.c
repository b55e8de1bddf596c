/*
 * sync.c
 *		pinecone_sync(): brings a foreign table in line with its source.
 *
 * pinecone_diff() tells which ids to look at, and no more than that: what is in
 * the source when a batch is applied decides whether a record is written or
 * deleted.  The batch is sent when its transaction commits.  Others may write to
 * the source meanwhile, and send their writes to Pinecone before ours or after.
 * So once a batch is sent, whoever has the source locked for writing is waited
 * for, and the source is looked at again: rows that have changed are applied
 * again, until none has.  Whoever comes later sends later.  Nobody is kept waiting.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "admin/apply.h"
#include "admin/argument.h"
#include "admin/compared.h"
#include "base/compat.h"

PG_FUNCTION_INFO_V1(pinecone_sync);

/* How often a row that keeps changing is applied */
#define MAX_ROUNDS 10

typedef struct Sync
{
	PineconeCompared *compared;
	PineconeApply *apply; /* NULL in a dry run */
	List *sources;		  /* OIDs of the tables that the source reads */
	int batch;

	/* Figures */
	int64 only_here;
	int64 only_there;
	int64 differing;
	int64 records; /* there */
	int64 unsettled;
} Sync;

/* ---- A batch ---- */

static void
wait_for_writers(const Sync *sync)
{
	List *tags = NIL;
	ListCell *lc;

	foreach(lc, sync->sources)
	{
		LOCKTAG *tag = palloc(sizeof(LOCKTAG));

		SET_LOCKTAG_RELATION(*tag, MyDatabaseId, lfirst_oid(lc));
		tags = lappend(tags, tag);
	}
	WaitForLockersMultiple(tags, ShareLock, false);
}

/* A policy that hides rows would have their records deleted: what it affects is an error, in this transaction. */
static void
refuse_row_security(void)
{
	set_config_option("row_security", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* All of a batch: apply it, and again what has changed meanwhile. */
static void
apply_batch(Sync *sync)
{
	for (int round = 0;; round++)
	{
		Snapshot snapshot;
		int wanted;
		MemoryContext old;

		refuse_row_security();
		if (round > 0)
			wait_for_writers(sync);
		snapshot = RegisterSnapshot(GetLatestSnapshot());
		old = MemoryContextSwitchTo(sync->apply->cxt);
		wanted = pinecone_apply_look(sync->apply, snapshot, true, round > 0);
		if (wanted > 0 && round < MAX_ROUNDS)
			pinecone_apply_wanted(sync->apply, snapshot);
		MemoryContextSwitchTo(old);
		UnregisterSnapshot(snapshot);
		SPI_commit();
		if (wanted == 0)
			return;
		if (round == MAX_ROUNDS)
		{
			sync->unsettled += wanted;
			return;
		}
	}
}

/* ---- The whole ---- */

/* The next rows of the comparison, as a batch; false: there are none */
static bool
next_batch(const Sync *sync, Portal portal)
{
	PineconeApply *apply = sync->apply;

	MemoryContextReset(apply->cxt);
	SPI_cursor_fetch(portal, true, sync->batch);
	MemoryContextSwitchTo(apply->cxt);
	apply->nrows = 0;
	apply->rows = palloc0(Max(SPI_processed, 1) * sizeof(PineconeApplyRow));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		char *id = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		PineconeApplyRow *row;

		if (id == NULL) /* the last, which counts */
			continue;
		row = &apply->rows[apply->nrows++];
		row->id = id;
		row->namespace_ = sync->compared->here_namespace ? SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1) : NULL;
		row->wanted = true;
	}
	SPI_freetuptable(SPI_tuptable);
	return apply->nrows > 0;
}

/* How much differs */
static void
count_differences(Sync *sync, Portal portal)
{
	do
	{
		SPI_cursor_fetch(portal, true, 1000);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple tuple = SPI_tuptable->vals[i];
			char *kind = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 3);
			bool isnull;

			if (kind == NULL)
			{
				sync->records = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 4, &isnull));
				continue;
			}
			sync->only_here += strcmp(kind, "only_here") == 0;
			sync->only_there += strcmp(kind, "only_there") == 0;
			sync->differing += strcmp(kind, "differs") == 0;
			pfree(kind);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	while (SPI_processed > 0);
}

/* Is the source suspiciously empty?  Of a dry run that is a warning. */
static void
check_deletes(const Sync *sync, double max_delete, bool apply)
{
	if (sync->only_there <= max_delete * sync->records)
		return;
	ereport(apply ? ERROR : WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%lld of the %lld records of foreign table \"%s\" would be deleted", (long long) sync->only_there,
					(long long) sync->records, sync->compared->table->name),
			 errdetail(apply ? "That is more than \"max_delete\" allows, %g of them; nothing has been changed." :
							   "That is more than \"max_delete\" allows, %g of them: with apply => true it is refused.",
					   max_delete),
			 errhint("See whether the source has all its rows. If it has, CALL pinecone_sync(..., max_delete => 1).")));
}

/* Records are upserted as a whole: with a vector, if the table knows of any. */
static void
check_vectors(const Sync *sync)
{
	const PineconeTable *table = sync->compared->table;
	bool has_vector = table->values_attnum == 0 && table->sparse_attnum == 0;

	for (int i = 0; i < table->ncolumns; i++)
		has_vector = has_vector || pinecone_compared_is_vector(sync->compared, i);
	if (!has_vector)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the source has no column \"%s\"",
						table->columns[(table->values_attnum > 0 ? table->values_attnum : table->sparse_attnum) - 1].name),
				 errdetail("Records are written as a whole, and need their vectors.")));
}

static Portal
open_differences(const Sync *sync, FunctionCallInfo fcinfo)
{
	Oid types[] = {REGCLASSOID, TEXTOID, BOOLOID, BOOLOID};
	Datum values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(3), PG_GETARG_DATUM(4)};
	char *sql = psprintf("SELECT namespace, id, difference, records FROM %s.pinecone_diff_counted($1, $2, $3, $4)", sync->compared->us);

	return SPI_cursor_open_with_args(NULL, sql, 4, types, values, NULL, false, CURSOR_OPT_SCROLL);
}

static Datum
result_row(const Sync *sync, TupleDesc desc)
{
	Datum values[] = {Int64GetDatum(sync->only_here), Int64GetDatum(sync->only_there), Int64GetDatum(sync->differing),
					  Int64GetDatum(sync->apply ? sync->apply->written : 0), Int64GetDatum(sync->apply ? sync->apply->deleted : 0)};
	bool nulls[lengthof(values)] = {0};

	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * Compare, and unless it is a dry run apply the differences, a batch a
 * transaction.  The comparison's rows are kept from one transaction to the next
 * as those of a loop of PL/pgSQL are: the portal is pinned.
 */
Datum
pinecone_sync(PG_FUNCTION_ARGS)
{
	Oid relid = pinecone_argument_table(fcinfo, 0, "foreign_table");
	char *source = pinecone_argument_text(fcinfo, 1, "source");
	bool apply = pinecone_argument_bool(fcinfo, 2, "apply");
	double max_delete = PG_ARGISNULL(5) ? -1 : PG_GETARG_FLOAT8(5);
	int batch = PG_ARGISNULL(6) ? -1 : PG_GETARG_INT32(6);
	bool atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || ((CallContext *) fcinfo->context)->atomic;
	MemoryContext caller = CurrentMemoryContext;
	Sync sync = {.batch = batch};
	TupleDesc desc;
	Portal portal;
	Datum result;

	pinecone_argument_bool(fcinfo, 3, "metadata");
	pinecone_argument_bool(fcinfo, 4, "vectors");
	if (!(max_delete >= 0 && max_delete <= 1))
		pinecone_argument_reject("max_delete", PG_ARGISNULL(5) ? "NULL" : psprintf("%g", max_delete), "It is a share of the records, from 0 to 1.");
	if (batch < 1 || batch > 100000)
		pinecone_argument_reject("batch", PG_ARGISNULL(6) ? "NULL" : psprintf("%d", batch), "A batch has 1 to 100000 rows.");
	if (apply && atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("pinecone_sync() cannot apply differences in a transaction block"),
				 errdetail("Each batch is a transaction of its own."),
				 errhint("CALL it by itself, outside of BEGIN, functions and blocks with EXCEPTION.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(CreateTupleDescCopy(desc));

	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);
	if (apply)
	{
		PreventCommandIfReadOnly("pinecone_sync()");
		refuse_row_security();
	}
	sync.compared = pinecone_compared_begin(relid, source);
	if (apply)
		check_vectors(&sync);
	portal = open_differences(&sync, fcinfo);
	count_differences(&sync, portal);
	check_deletes(&sync, max_delete, apply);
	if (apply)
	{
		sync.apply = pinecone_apply_begin(sync.compared);
		sync.sources = pinecone_apply_tables(sync.apply);
		SPI_scroll_cursor_move(portal, FETCH_ABSOLUTE, 0);
		PinPortal(portal);
		SPI_commit();
		while (next_batch(&sync, portal))
			apply_batch(&sync);
		UnpinPortal(portal);
		if (sync.unsettled > 0)
			ereport(WARNING,
					(errmsg("%lld rows of the source kept changing while they were applied", (long long) sync.unsettled),
					 errhint("Repeat it when there is less to do.")));
	}
	SPI_cursor_close(portal);
	/* SPI's end frees what has been counted */
	MemoryContextSwitchTo(caller);
	result = result_row(&sync, desc);
	SPI_finish();
	return result;
}
