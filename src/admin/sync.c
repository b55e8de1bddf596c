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

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "admin/argument.h"
#include "admin/compared.h"
#include "base/compat.h"

PG_FUNCTION_INFO_V1(pinecone_sync);

/* How often a row that keeps changing is applied */
#define MAX_ROUNDS 10

/* An id of a batch, and what the source had of it when it was applied last */
typedef struct SyncRow
{
	char *id;
	char *namespace_; /* or NULL */
	bool wanted;	  /* to be applied */
	bool present;
	char *digests; /* as text; if present */
} SyncRow;

typedef struct Sync
{
	PineconeCompared *compared;
	List *sources; /* OIDs of the tables that the source reads */
	char *lookup;  /* rows of a batch: $1 ids, $2 those as texts, $3 namespaces */
	char *upsert;
	char *remove;	   /* $1 ids, $2 namespace */
	MemoryContext cxt; /* of a batch */

	int nrows;
	SyncRow *rows;
	int batch;

	/* Figures */
	int64 only_here;
	int64 only_there;
	int64 differing;
	int64 records; /* there */
	int64 written;
	int64 deleted;
	int64 unsettled;
} Sync;

/* ---- Statements ---- */

/* How an id, given as text, is found in the source by its index: a condition over $1 */
static char *
id_condition(const PineconeCompared *compared)
{
	const PineconeTable *table = compared->table;
	char *name = psprintf("s.%s", quote_identifier(table->columns[table->id_attnum - 1].name));

	switch (compared->id_type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
			return psprintf("%s OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::%s[])", name, format_type_be_qualified(compared->id_type));
		case TEXTOID:
		case VARCHAROID:
			if (getBaseType(table->columns[table->id_attnum - 1].typid) == TEXTOID)
				return psprintf("%s OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])", name);
			break;
	}
	return psprintf("%s OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])", compared->here_id);
}

/* Does it stand for a value of the source's type of ids?  What does not is no id of the source. */
static bool
can_be_id(const PineconeCompared *compared, const char *id)
{
	char buf[32];
	int64 most = compared->id_type == INT2OID ? PG_INT16_MAX : (compared->id_type == INT4OID ? PG_INT32_MAX : PG_INT64_MAX);
	int64 value;

	switch (compared->id_type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			errno = 0;
			value = strtoll(id, NULL, 10);
			snprintf(buf, sizeof(buf), INT64_FORMAT, value);
			return errno == 0 && strcmp(buf, id) == 0 && value <= most && value >= -most - 1;
		case UUIDOID:
			if (strlen(id) != 36)
				return false;
			for (int i = 0; i < 36; i++)
			{
				bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

				if (hyphen ? id[i] != '-' : strchr("0123456789abcdef", id[i]) == NULL)
					return false;
			}
			return true;
	}
	return true;
}

static void
make_statements(Sync *sync)
{
	const PineconeCompared *compared = sync->compared;
	const PineconeTable *table = compared->table;
	const PineconeColumn *id = &table->columns[table->id_attnum - 1];
	Oid id_type = getBaseType(id->typid);
	StringInfoData columns;
	StringInfoData values;
	char *where = id_condition(compared);

	if (compared->here_namespace != NULL)
		where = psprintf("%s AND EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[])) AS p (id, namespace) "
						 "WHERE p.id OPERATOR(pg_catalog.=) %s AND p.namespace OPERATOR(pg_catalog.=) %s)",
						 where, compared->here_id, compared->here_namespace);
	sync->lookup = psprintf("SELECT id, namespace, digests::pg_catalog.text FROM (%s) r", pinecone_compared_query(compared, true, true, true, where));
	initStringInfo(&columns);
	initStringInfo(&values);
	pinecone_compared_columns(compared, &columns, &values);
	sync->upsert = psprintf("INSERT INTO %s (%s) SELECT %s FROM %s s WHERE %s", compared->there, columns.data, values.data,
							compared->from, where);
	sync->remove = psprintf("DELETE FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]%s)", compared->there,
							quote_identifier(id->name),
							id_type == TEXTOID ? "" : psprintf("::%s[]", format_type_be_qualified(id_type)));
	if (compared->here_namespace != NULL)
		sync->remove = psprintf("%s AND t.%s OPERATOR(pg_catalog.=) $2", sync->remove,
								quote_identifier(table->columns[table->namespace_attnum - 1].name));
}

static SPIPlanPtr
prepare(const char *sql, int nargs)
{
	Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	MemoryContext old = CurrentMemoryContext;
	SPIPlanPtr plan = SPI_prepare(sql, nargs, types);

	MemoryContextSwitchTo(old);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	return plan;
}

/* The tables that the source reads, partitions included: those whose writers are waited for */
static List *
source_tables(const Sync *sync)
{
	SPIPlanPtr plan = prepare(sync->lookup, 3);
	List *result = NIL;
	ListCell *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell *lc2;

		foreach(lc2, source->relationOids)
		{
			Oid relid = lfirst_oid(lc2);
			char kind = get_rel_relkind(relid);

			if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
				result = list_concat_unique_oid(result, find_all_inheritors(relid, NoLock, NULL));
		}
	}
	SPI_freeplan(plan);
	return result;
}

/* ---- A batch ---- */

static Datum
text_array(const Sync *sync, bool namespaces, bool ids_of_source)
{
	Datum *values = palloc(Max(sync->nrows, 1) * sizeof(Datum));
	int n = 0;

	for (int i = 0; i < sync->nrows; i++)
	{
		const SyncRow *row = &sync->rows[i];

		if (row->wanted && (!ids_of_source || can_be_id(sync->compared, row->id)))
			values[n++] = CStringGetTextDatum(namespaces ? row->namespace_ : row->id);
	}
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
execute_batch(Sync *sync, const char *sql, Snapshot snapshot, int expected)
{
	SPIPlanPtr plan = prepare(sql, 3);
	Datum values[3];
	int result;

	values[0] = text_array(sync, false, true);
	values[1] = text_array(sync, false, false);
	values[2] = sync->compared->here_namespace ? text_array(sync, true, false) : (Datum) 0;
	result = SPI_execute_snapshot(plan, values, sync->compared->here_namespace ? "   " : "  n", snapshot, InvalidSnapshot, false, true, 0);
	MemoryContextSwitchTo(sync->cxt);
	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
	SPI_freeplan(plan);
}

static int
compare_ids(const void *a, const void *b)
{
	const SyncRow *x = a;
	const SyncRow *y = b;
	int result = strcmp(x->id, y->id);

	return result != 0 || x->namespace_ == NULL ? result : strcmp(x->namespace_, y->namespace_);
}

/*
 * What the source has of the rows that are wanted; those of which it has what it
 * had before are wanted no more, if "again".  Returns how many are wanted.
 */
static int
look_up(Sync *sync, Snapshot snapshot, bool again)
{
	SyncRow *found;
	int nfound;
	int wanted = 0;

	execute_batch(sync, sync->lookup, snapshot, SPI_OK_SELECT);
	nfound = SPI_processed;
	found = palloc0(Max(nfound, 1) * sizeof(SyncRow));
	for (int i = 0; i < nfound; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];

		found[i].id = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);
		found[i].namespace_ = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		found[i].digests = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 3);
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(found, nfound, sizeof(SyncRow), compare_ids);
	for (int i = 0; i < sync->nrows; i++)
	{
		SyncRow *row = &sync->rows[i];
		SyncRow *now;
		bool same;

		if (!row->wanted)
			continue;
		now = nfound > 0 ? bsearch(row, found, nfound, sizeof(SyncRow), compare_ids) : NULL;
		same = row->present == (now != NULL) &&
			   (now == NULL || strcmp(now->digests ? now->digests : "", row->digests ? row->digests : "") == 0);
		row->wanted = !again || !same;
		row->present = now != NULL;
		row->digests = now && now->digests ? now->digests : NULL;
		wanted += row->wanted;
	}
	return wanted;
}

/* Delete what the source does not have, a namespace at a time: rows come by id, so that is a few statements. */
static void
remove_absent(Sync *sync)
{
	bool *done = palloc0(sync->nrows * sizeof(bool));

	for (int first = 0; first < sync->nrows; first++)
	{
		const char *namespace_ = sync->rows[first].namespace_;
		Oid types[] = {TEXTARRAYOID, TEXTOID};
		Datum *ids;
		Datum values[2];
		int n = 0;
		int result;

		if (done[first] || !sync->rows[first].wanted || sync->rows[first].present)
			continue;
		ids = palloc(sync->nrows * sizeof(Datum));
		for (int i = first; i < sync->nrows; i++)
		{
			const SyncRow *row = &sync->rows[i];

			if (done[i] || !row->wanted || row->present || (namespace_ != NULL && strcmp(row->namespace_, namespace_) != 0))
				continue;
			ids[n++] = CStringGetTextDatum(row->id);
			done[i] = true;
		}
		values[0] = PointerGetDatum(construct_array(ids, n, TEXTOID, -1, false, TYPALIGN_INT));
		values[1] = namespace_ ? CStringGetTextDatum(namespace_) : (Datum) 0;
		result = SPI_execute_with_args(sync->remove, namespace_ ? 2 : 1, types, values, NULL, false, 0);
		MemoryContextSwitchTo(sync->cxt);
		if (result != SPI_OK_DELETE)
			elog(ERROR, "could not execute \"%s\": %s", sync->remove, SPI_result_code_string(result));
		sync->deleted += SPI_processed;
	}
}

/* Apply the rows that are wanted, in a transaction that commits. */
static void
apply_wanted(Sync *sync, Snapshot snapshot)
{
	bool any = false;

	remove_absent(sync);
	for (int i = 0; i < sync->nrows; i++)
		any = any || (sync->rows[i].wanted && sync->rows[i].present);
	if (any)
	{
		execute_batch(sync, sync->upsert, snapshot, SPI_OK_INSERT);
		sync->written += SPI_processed;
	}
}

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
		old = MemoryContextSwitchTo(sync->cxt);
		wanted = look_up(sync, snapshot, round > 0);
		if (wanted > 0 && round < MAX_ROUNDS)
			apply_wanted(sync, snapshot);
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
next_batch(Sync *sync, Portal portal)
{
	MemoryContextReset(sync->cxt);
	SPI_cursor_fetch(portal, true, sync->batch);
	MemoryContextSwitchTo(sync->cxt);
	sync->nrows = 0;
	sync->rows = palloc0(Max(SPI_processed, 1) * sizeof(SyncRow));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		char *id = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		SyncRow *row;

		if (id == NULL) /* the last, which counts */
			continue;
		row = &sync->rows[sync->nrows++];
		row->id = id;
		row->namespace_ = sync->compared->here_namespace ? SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1) : NULL;
		row->wanted = true;
	}
	SPI_freetuptable(SPI_tuptable);
	return sync->nrows > 0;
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
					  Int64GetDatum(sync->written), Int64GetDatum(sync->deleted)};
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
	sync.compared = pinecone_compared_begin(fcinfo, relid, source);
	sync.cxt = AllocSetContextCreate(CurrentMemoryContext, "batch of pinecone_sync()", ALLOCSET_DEFAULT_SIZES);
	if (apply)
		check_vectors(&sync);
	portal = open_differences(&sync, fcinfo);
	count_differences(&sync, portal);
	check_deletes(&sync, max_delete, apply);
	if (apply)
	{
		make_statements(&sync);
		sync.sources = source_tables(&sync);
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
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return result_row(&sync, desc);
}
