/*
 * mirror_deliver.c
 *		pinecone_mirror_deliver(): sends what has changed in mirrored tables.
 *
 * A round takes lines that the triggers have noted, looks at the rows as they are by
 * then, and writes them to the foreign table, or deletes their records: one
 * transaction, which removes the lines as well.  Writes go out at once, so a
 * line is gone only if what it stands for has been applied; what is done twice is
 * done with the row's last state.  One session at a time delivers a mirror.
 *
 * Rows that were there before the mirror are read in the order of their ids, a
 * round at a time.  A change meanwhile has a line of its own.
 *
 * A round that fails by what its rows are is repeated with half of them, until
 * the row that cannot be a record is alone, and is put aside.  Other failures end
 * the delivery until its next attempt.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "admin/apply.h"
#include "admin/argument.h"
#include "admin/mirror.h"
#include "base/clock.h"
#include "base/compat.h"
#include "modify/modify.h"

PG_FUNCTION_INFO_V1(pinecone_mirror_deliver);

/* The greatest wait between attempts */
#define MAX_BACKOFF_S 300

typedef enum RoundResult
{
	ROUND_NOTHING, /* to do, or another session does it */
	ROUND_DONE,
	ROUND_FAILED
} RoundResult;

/* One delivery of one mirror */
typedef struct Delivery
{
	MemoryContext cxt; /* of a round */
	int number;
	bool waits;		  /* is it to keep to the time of its next attempt? */
	int most;		  /* lines, or rows, of a round */
	PineconeTime end; /* when no more rounds begin; 0: never */
	bool more;		  /* that came before the last */
	bool fills;		  /* was the last round one that fills? */

	/* The round */
	PineconeMirror *mirror;
	int nlines;		/* lines that were taken */
	char *line;		/* place of the first of them */
	char *last;		/* of a round that fills: the last id; NULL: there are no more */
	bool truncated; /* all is to be gone, and written anew */
	PineconeApply *apply;
	char *first_id; /* of what was to be applied */
	char *first_namespace;
	char *twice; /* an id of which there was more than one; NULL: there is none */

	/* Figures */
	int64 delivered;
	int64 dead;
} Delivery;

/* ---- Lines ---- */

static int
compare_rows(const void *a, const void *b)
{
	const PineconeApplyRow *x = a;
	const PineconeApplyRow *y = b;
	int result = strcmp(x->id, y->id);

	return result != 0 || x->namespace_ == NULL || y->namespace_ == NULL ? result : strcmp(x->namespace_, y->namespace_);
}

/* Rows of what SPI has returned, id and namespace first, each once */
static void
take_rows(Delivery *delivery)
{
	PineconeApply *apply = delivery->apply;
	int n = 0;

	apply->rows = palloc0(Max(SPI_processed, 1) * sizeof(PineconeApplyRow));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		PineconeApplyRow *row = &apply->rows[n];

		row->id = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		row->namespace_ = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		row->wanted = true;
		n += row->id != NULL;
	}
	qsort(apply->rows, n, sizeof(PineconeApplyRow), compare_rows);
	apply->nrows = 0;
	delivery->twice = NULL;
	for (int i = 0; i < n; i++)
	{
		if (apply->nrows == 0 || compare_rows(&apply->rows[apply->nrows - 1], &apply->rows[i]) != 0)
			apply->rows[apply->nrows++] = apply->rows[i];
		else
			delivery->twice = apply->rows[i].id;
	}
}

/* Take lines off the table, in the order in which they lie there. */
static void
take_lines(Delivery *delivery)
{
	Oid types[] = {INT4OID, INT4OID};
	Datum values[] = {Int32GetDatum(delivery->number), Int32GetDatum(delivery->most)};

	pinecone_mirror_execute(
		"DELETE FROM @x@.pinecone_mirror_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM @x@.pinecone_mirror_changes WHERE mirror = $1 LIMIT $2)) "
		"RETURNING id, namespace, ctid::text, kind",
		2, types, values, NULL, SPI_OK_DELETE_RETURNING);
	delivery->nlines = SPI_processed;
	delivery->truncated = false;
	if (delivery->nlines == 0)
		return;
	delivery->line = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		delivery->truncated |= DatumGetChar(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 4, &isnull)) == 't';
	}
	take_rows(delivery);
	SPI_freetuptable(SPI_tuptable);
	/* all is to be looked at anew */
	if (delivery->truncated)
		pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_changes WHERE mirror = $1", 1, types, values, NULL, SPI_OK_DELETE);
}

/* ---- Rows ---- */

/* The next rows of those that were there before */
static void
take_unfilled(Delivery *delivery, Snapshot snapshot)
{
	const PineconeCompared *compared = delivery->apply->compared;
	const PineconeTable *table = compared->table;
	char *id = psprintf("s.%s", quote_identifier(table->columns[table->id_attnum - 1].name));
	Oid types[] = {TEXTOID};
	Datum values[] = {delivery->mirror->filled_to ? CStringGetTextDatum(delivery->mirror->filled_to) : (Datum) 0};
	StringInfoData sql;
	SPIPlanPtr plan;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s, %s, CAST(%s AS pg_catalog.text) FROM %s s", compared->here_id,
					 compared->here_namespace ? compared->here_namespace : "NULL::pg_catalog.text", id, compared->from);
	if (delivery->mirror->filled_to != NULL)
		appendStringInfo(&sql, " WHERE %s OPERATOR(pg_catalog.>) CAST($1 AS %s)", id, format_type_be_qualified(compared->id_type));
	/* all of an id: there may be one in several namespaces */
	appendStringInfo(&sql, " ORDER BY %s FETCH FIRST %d ROWS WITH TIES", id, delivery->most);
	plan = SPI_prepare(sql.data, 1, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql.data, SPI_result_code_string(SPI_result));
	SPI_execute_snapshot(plan, values, delivery->mirror->filled_to ? " " : "n", snapshot, InvalidSnapshot, false, true, 0);
	SPI_freeplan(plan);
	MemoryContextSwitchTo(delivery->cxt);
	delivery->last = SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[SPI_processed - 1], SPI_tuptable->tupdesc, 3) : NULL;
	take_rows(delivery);
	for (int i = 0; i < delivery->apply->nrows; i++)
		delivery->apply->rows[i].present = true;
	SPI_freetuptable(SPI_tuptable);
}

/* What the round is about, as the mirror's owner */
static void
apply_round(Delivery *delivery)
{
	PineconeApply *apply = delivery->apply;
	Snapshot snapshot;

	if (delivery->truncated)
	{
		char *sql = psprintf("TRUNCATE %s", apply->compared->there);
		int result = SPI_execute(sql, false, 0);

		if (result != SPI_OK_UTILITY)
			elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
		MemoryContextSwitchTo(delivery->cxt);
		return;
	}
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	apply->cxt = delivery->cxt;
	if (delivery->fills)
		take_unfilled(delivery, snapshot);
	if (apply->nrows > 0)
	{
		delivery->first_id = apply->rows[0].id;
		delivery->first_namespace = apply->rows[0].namespace_;
		if (!delivery->fills)
			pinecone_apply_look(apply, snapshot, false, false);
		else if (delivery->twice != NULL)
			pinecone_apply_refuse_twice(delivery->twice);
		pinecone_apply_wanted(apply, snapshot);
	}
	UnregisterSnapshot(snapshot);
}

/* ---- What has become of it ---- */

/* Rows that were put aside are not, once they have been applied. */
static void
forget_dead(Delivery *delivery)
{
	Oid types[] = {INT4OID, TEXTARRAYOID};
	Datum *ids = palloc(Max(delivery->apply->nrows, 1) * sizeof(Datum));
	Datum values[2];

	for (int i = 0; i < delivery->apply->nrows; i++)
		ids[i] = CStringGetTextDatum(delivery->apply->rows[i].id);
	values[0] = Int32GetDatum(delivery->number);
	values[1] = PointerGetDatum(construct_array(ids, delivery->apply->nrows, TEXTOID, -1, false, TYPALIGN_INT));
	if (delivery->truncated)
		pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_dead WHERE mirror = $1", 1, types, values, NULL, SPI_OK_DELETE);
	else
		pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_dead WHERE mirror = $1 AND id = ANY ($2)",
								2, types, values, NULL, SPI_OK_DELETE);
}

static void
note_success(Delivery *delivery)
{
	Oid types[] = {INT4OID, BOOLOID, TEXTOID, INT8OID};
	bool filling = delivery->truncated || (delivery->fills ? delivery->last != NULL : delivery->mirror->filling);
	char *filled_to = delivery->truncated ? NULL : (delivery->fills ? delivery->last : delivery->mirror->filled_to);
	Datum values[] = {Int32GetDatum(delivery->number), BoolGetDatum(filling), filled_to ? CStringGetTextDatum(filled_to) : (Datum) 0,
					  Int64GetDatum(delivery->truncated ? 0 : delivery->apply->nrows)};

	forget_dead(delivery);
	pinecone_mirror_execute(
		"UPDATE @x@.pinecone_mirrors SET filling = $2, filled_to = $3, delivered = delivered + $4, delivered_at = now(), attempts = 0, retry_at = NULL, last_error = NULL WHERE mirror = $1",
		4, types, values, filled_to ? NULL : "  n ", SPI_OK_UPDATE);
}

static char *
reason_of(const ErrorData *error)
{
	return error->detail ? psprintf("%s: %s", error->message, error->detail) : error->message;
}

/* Put the row of a round of one line aside. */
static void
put_aside(Delivery *delivery, const ErrorData *error)
{
	Oid types[] = {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum values[] = {Int32GetDatum(delivery->number), CStringGetTextDatum(delivery->first_id),
					  delivery->first_namespace ? CStringGetTextDatum(delivery->first_namespace) : (Datum) 0,
					  CStringGetTextDatum(delivery->line), CStringGetTextDatum(reason_of(error))};
	const char *nulls = delivery->first_namespace ? NULL : "  n  ";

	pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_changes WHERE ctid = $4::tid AND mirror = $1 AND id = $2 AND namespace IS NOT DISTINCT FROM $3",
							4, types, values, nulls, SPI_OK_DELETE);
	/* none: another session has delivered meanwhile */
	if (SPI_processed == 0)
		return;
	pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_dead WHERE mirror = $1 AND id = $2 AND namespace IS NOT DISTINCT FROM $3",
							3, types, values, nulls, SPI_OK_DELETE);
	pinecone_mirror_execute("INSERT INTO @x@.pinecone_mirror_dead (mirror, id, namespace, reason) SELECT $1, $2, $3, $5 WHERE $4 <> ''",
							5, types, values, nulls, SPI_OK_INSERT);
	delivery->dead++;
}

/* The rows of a round that fills, as lines: those that can be records are told from others there. */
static void
note_unfilled(Delivery *delivery)
{
	Oid types[] = {INT4OID, TEXTOID, TEXTOID};
	Datum values[] = {Int32GetDatum(delivery->number), CStringGetTextDatum(delivery->last), (Datum) 0};

	pinecone_mirror_execute("UPDATE @x@.pinecone_mirrors SET filled_to = $2 WHERE mirror = $1", 2, types, values, NULL, SPI_OK_UPDATE);
	for (int i = 0; i < delivery->apply->nrows; i++)
	{
		const PineconeApplyRow *row = &delivery->apply->rows[i];

		values[1] = CStringGetTextDatum(row->id);
		values[2] = row->namespace_ ? CStringGetTextDatum(row->namespace_) : (Datum) 0;
		pinecone_mirror_execute("INSERT INTO @x@.pinecone_mirror_changes (mirror, kind, namespace, id, noted_at) VALUES ($1, 'r', $3, $2, now())",
								3, types, values, row->namespace_ ? NULL : "  n", SPI_OK_INSERT);
	}
}

static void
note_failure(Delivery *delivery, const ErrorData *error)
{
	Oid types[] = {INT4OID, TEXTOID, FLOAT8OID};
	Datum values[] = {Int32GetDatum(delivery->number), CStringGetTextDatum(reason_of(error)), Float8GetDatum(MAX_BACKOFF_S)};

	pinecone_mirror_execute(
		"UPDATE @x@.pinecone_mirrors SET attempts = attempts + 1, last_error = $2, "
		"retry_at = clock_timestamp() + least($3, 0.5 * power(2, least(attempts, 20))) * interval '1 s' WHERE mirror = $1",
		3, types, values, NULL, SPI_OK_UPDATE);
}

/*
 * Is it because of the rows, rather than of the way to Pinecone, of rights or of
 * definitions?
 */
static bool
is_of_rows(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_CARDINALITY_VIOLATION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_PLPGSQL_ERROR:
			return true;
	}
	/* what Pinecone rejects, and what the foreign table cannot hold */
	return sqlerrcode == ERRCODE_FDW_ERROR || sqlerrcode == ERRCODE_FDW_INVALID_DATA_TYPE ||
		   sqlerrcode == ERRCODE_FDW_INVALID_STRING_FORMAT;
}

static bool
is_interrupt(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_QUERY_CANCELED || sqlerrcode == ERRCODE_ADMIN_SHUTDOWN || sqlerrcode == ERRCODE_CRASH_SHUTDOWN;
}

/* ---- Rounds ---- */

/* Settings of the transaction: names are qualified, policies hide nothing, tables are read from their beginning. */
static void
set_local(const char *name, const char *value)
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * As the owner of the mirror, whose functions are not to reach the caller's session,
 * in a subtransaction: what they leave behind after an error is gone.  Returns
 * the error, or NULL.
 */
static ErrorData *
try_round(Delivery *delivery)
{
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;
	Oid userid;
	int sec;

	GetUserIdAndSecContext(&userid, &sec);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(delivery->cxt);
	PG_TRY();
	{
		SetUserIdAndSecContext(delivery->mirror->owner, sec | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
		/* it may not change while it is looked at and written to */
		LockRelationOid(delivery->mirror->foreign_table, AccessShareLock);
		if (delivery->mirror->query == NULL || get_rel_name(delivery->mirror->foreign_table) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("a table of the mirror is gone"),
					 errdetail("SELECT pinecone_unmirror(%u) ends the mirror.", delivery->mirror->foreign_table)));
		delivery->apply->compared = pinecone_compared_begin(delivery->mirror->foreign_table, delivery->mirror->query);
		MemoryContextSwitchTo(delivery->cxt);
		/* records without what it held would be written */
		if (delivery->apply->compared->only_here != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("foreign table \"%s\" has no column \"%s\" any more", delivery->apply->compared->table->name,
							delivery->apply->compared->only_here)));
		pinecone_apply_prepare(delivery->apply);
		/* batches are on their way while rows are read */
		pinecone_modify_at_once = true;
		apply_round(delivery);
		pinecone_modify_at_once = false;
		SetUserIdAndSecContext(userid, sec);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(delivery->cxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		pinecone_modify_at_once = false;
		MemoryContextSwitchTo(delivery->cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(delivery->cxt);
		CurrentResourceOwner = owner;
		SetUserIdAndSecContext(userid, sec);
	}
	PG_END_TRY();
	return error;
}

/* Send, and commit; returns the error, after which a new transaction has begun. */
static ErrorData *
try_commit(Delivery *delivery)
{
	ErrorData *volatile error = NULL;

	PG_TRY();
	{
		SPI_commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(delivery->cxt);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(delivery->cxt);
	return error;
}

/* One round; *error says why it failed. */
static RoundResult
run_round(Delivery *delivery, bool fill, ErrorData **error)
{
	MemoryContextReset(delivery->cxt);
	MemoryContextSwitchTo(delivery->cxt);
	*error = NULL;
	delivery->first_id = NULL;
	delivery->fills = fill;
	delivery->truncated = false;
	delivery->nlines = 0;
	delivery->apply = palloc0(sizeof(PineconeApply));
	set_local("synchronize_seqscans", "off");
	set_local("row_security", "off");
	set_local("search_path", "pg_catalog, pg_temp");
	delivery->mirror = pinecone_mirror_read(delivery->number, true);
	if (delivery->mirror != NULL && !(delivery->waits && delivery->mirror->waits))
	{
		if (!fill)
			take_lines(delivery);
		if (fill ? delivery->mirror->filling : delivery->nlines > 0)
		{
			*error = try_round(delivery);
			if (*error == NULL)
			{
				note_success(delivery);
				*error = try_commit(delivery);
			}
			else
				SPI_rollback();
			MemoryContextSwitchTo(delivery->cxt);
			if (*error == NULL)
				delivery->delivered += delivery->truncated ? 0 : delivery->apply->nrows;
			return *error ? ROUND_FAILED : ROUND_DONE;
		}
	}
	SPI_commit();
	MemoryContextSwitchTo(delivery->cxt);
	return ROUND_NOTHING;
}

/* After a failure: with fewer rows, or without the one that it was; false: not now. */
static bool
go_on(Delivery *delivery, ErrorData *error)
{
	if (is_interrupt(error->sqlerrcode))
		ReThrowError(error);
	if (!is_of_rows(error->sqlerrcode) || delivery->truncated || delivery->first_id == NULL)
	{
		note_failure(delivery, error);
		SPI_commit();
		return false;
	}
	if (delivery->most > 1 && (delivery->fills ? delivery->apply->nrows : delivery->nlines) > 1)
		delivery->most = Max(1, Min(delivery->most, delivery->fills ? delivery->apply->nrows : delivery->nlines) / 2);
	else
	{
		if (delivery->fills)
			note_unfilled(delivery);
		else
			put_aside(delivery, error);
		SPI_commit();
	}
	return true;
}

/* Rounds of either kind in turn, until neither has anything to do. */
static void
deliver(Delivery *delivery, int batch)
{
	bool fill = false;
	int nothing = 0;

	while (nothing < 2)
	{
		ErrorData *error;
		RoundResult result;

		CHECK_FOR_INTERRUPTS();
		if (delivery->end != 0 && pinecone_clock_now() >= delivery->end)
		{
			delivery->more = true;
			return;
		}
		result = run_round(delivery, fill, &error);
		if (result == ROUND_FAILED)
		{
			if (!go_on(delivery, error))
				return;
			nothing = 0;
			continue;
		}
		delivery->most = Min(batch, delivery->most * 2);
		nothing = result == ROUND_NOTHING ? nothing + 1 : 0;
		fill = !fill;
	}
}

/* ---- All mirrors ---- */

/* The numbers of the mirrors that are meant */
static List *
mirrors(Oid foreign_table)
{
	Oid types[] = {OIDOID, OIDOID};
	Datum values[] = {ObjectIdGetDatum(foreign_table), ObjectIdGetDatum(GetUserId())};
	List *numbers = NIL;

	pinecone_mirror_execute("SELECT mirror FROM @x@.pinecone_mirrors WHERE ($1 = 0 OR foreign_table = $1) AND pg_has_role($2, owner, 'USAGE') ORDER BY mirror",
							2, types, values, NULL, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		numbers = lappend_int(numbers, DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	return numbers;
}

/* How many lines are left of the mirrors that are meant, and when the next attempt is */
static void
count_waiting(Oid foreign_table, PineconeMirrorDelivered *delivered)
{
	Oid types[] = {OIDOID, OIDOID};
	Datum values[] = {ObjectIdGetDatum(foreign_table), ObjectIdGetDatum(GetUserId())};
	Datum next;
	bool isnull;

	pinecone_mirror_execute("SELECT coalesce(sum((SELECT count(*) FROM @x@.pinecone_mirror_changes c WHERE c.mirror = m.mirror)), 0)::bigint, min(retry_at) "
							"FROM @x@.pinecone_mirrors m WHERE ($1 = 0 OR foreign_table = $1) AND pg_has_role($2, owner, 'USAGE')",
							2, types, values, NULL, SPI_OK_SELECT);
	delivered->waiting = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	next = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	delivered->next = isnull ? 0 : DatumGetTimestampTz(next);
}

void
pinecone_mirror_deliver_changes(Oid foreign_table, int batch, int max_ms, PineconeMirrorDelivered *delivered)
{
	Delivery delivery = {.waits = foreign_table == InvalidOid};
	ListCell *lc;

	if (max_ms > 0)
		delivery.end = pinecone_clock_now() + max_ms * INT64CONST(1000);
	memset(delivered, 0, sizeof(*delivered));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	delivery.cxt = AllocSetContextCreate(CurrentMemoryContext, "round of a delivery", ALLOCSET_DEFAULT_SIZES);
	foreach(lc, mirrors(foreign_table))
	{
		SPI_commit();
		delivery.number = lfirst_int(lc);
		delivery.most = batch;
		deliver(&delivery, batch);
	}
	count_waiting(foreign_table, delivered);
	SPI_finish();
	delivered->delivered = delivery.delivered;
	delivered->dead = delivery.dead;
	delivered->more = delivery.more;
}

Datum
pinecone_mirror_deliver(PG_FUNCTION_ARGS)
{
	Oid foreign_table = PG_ARGISNULL(0) ? InvalidOid : pinecone_argument_table(fcinfo, 0, "foreign_table");
	int batch = PG_ARGISNULL(1) ? -1 : PG_GETARG_INT32(1);
	MemoryContext caller = CurrentMemoryContext;
	PineconeMirrorDelivered delivered;
	TupleDesc desc;
	Datum values[3];
	bool nulls[3] = {0};

	if (batch < 1 || batch > 100000)
		pinecone_argument_reject("batch", PG_ARGISNULL(1) ? "NULL" : psprintf("%d", batch), "A batch has 1 to 100000 rows.");
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || ((CallContext *) fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("pinecone_mirror_deliver() cannot be called in a transaction block"),
				 errdetail("Each batch is a transaction of its own."),
				 errhint("CALL it by itself, outside of BEGIN, functions and blocks with EXCEPTION.")));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("pinecone_mirror_deliver() needs isolation level read committed"),
				 errhint("SET default_transaction_isolation TO 'read committed'.")));
	PreventCommandIfReadOnly("pinecone_mirror_deliver()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(CreateTupleDescCopy(desc));
	pinecone_mirror_deliver_changes(foreign_table, batch, 0, &delivered);
	MemoryContextSwitchTo(caller);
	values[0] = Int64GetDatum(delivered.delivered);
	values[1] = Int64GetDatum(delivered.dead);
	values[2] = Int64GetDatum(delivered.waiting);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
