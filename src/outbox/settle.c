/*
 * settle.c
 *		How delivery has fared until now, and taking note of how it fares: rows leave
 *		the queue, or become dead letters, and servers that fail are left alone for
 *		a while.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "outbox/round.h"

/* How long a server is left alone after its first failure, and at most; ms */
#define FIRST_PAUSE 500
#define LONGEST_PAUSE (5 * 60 * 1000)

/* ---- As the owner ---- */

void
pinecone_owner_begin(PineconeOwner *owner, Oid relid)
{
	Relation rel = table_open(relid, AccessShareLock);
	Oid userid = rel->rd_rel->relowner;

	table_close(rel, NoLock);
	GetUserIdAndSecContext(&owner->userid, &owner->context);
	SetUserIdAndSecContext(userid, owner->context | SECURITY_LOCAL_USERID_CHANGE);
	owner->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
pinecone_owner_end(PineconeOwner *owner)
{
	(void) SPI_finish();
	AtEOXact_GUC(true, owner->guc_level);
	SetUserIdAndSecContext(owner->userid, owner->context);
}

static char *
qualified(const char *name)
{
	Oid relid = pinecone_outbox_relation(name, false);

	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name);
}

static int
execute(const char *query, int nargs, Oid *types, Datum *values, const char *nulls)
{
	int result = SPI_execute_with_args(query, nargs, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return result;
}

/* ---- How it was ---- */

void
pinecone_round_read_state(PineconeRound *round, PineconeScope *scope)
{
	PineconeOwner owner;
	Oid types[2] = {TEXTOID, REGROLEOID};
	Datum values[2] = {CStringGetTextDatum(scope->servername), ObjectIdGetDatum(scope->userid)};
	bool isnull;

	pinecone_owner_begin(&owner, pinecone_outbox_relation("pinecone_outbox", false));
	execute(psprintf("SELECT failures, retry_at FROM %s WHERE server = $1 AND writer::oid = $2::oid",
					 qualified("pinecone_outbox_state")),
			2, types, values, NULL);
	if (SPI_processed > 0)
	{
		scope->failures = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		scope->retry_at = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		if (isnull)
			scope->retry_at = 0;
		scope->held = scope->retry_at > GetCurrentTimestamp();
	}
	execute(psprintf("SELECT FROM %s LIMIT 1", qualified("pinecone_outbox_dead")), 0, NULL, NULL, NULL);
	round->has_dead |= SPI_processed > 0;
	pinecone_owner_end(&owner);
}

/*
 * A user of whom nothing is known yet has to wait for the server as the others do:
 * so that what waits need not be read to find that out.
 */
bool
pinecone_round_is_due(PineconeRound *round, Oid serverid)
{
	ForeignServer *server = OidIsValid(serverid) ? GetForeignServerExtended(serverid, FSV_MISSING_OK) : NULL;
	PineconeOwner owner;
	Oid types[1] = {TEXTOID};
	Datum values[1];
	TimestampTz next;
	bool isnull;

	/* rows of a table that is gone are dead letters */
	if (server == NULL)
		return true;
	values[0] = CStringGetTextDatum(server->servername);
	pinecone_owner_begin(&owner, pinecone_outbox_relation("pinecone_outbox", false));
	execute(psprintf("SELECT pg_catalog.min(COALESCE(retry_at, '-infinity')) FROM %s WHERE server = $1",
					 qualified("pinecone_outbox_state")),
			1, types, values, NULL);
	next = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	pinecone_owner_end(&owner);
	if (isnull || next <= GetCurrentTimestamp())
		return true;
	if (round->next == 0 || next < round->next)
		round->next = next;
	return false;
}

/* ---- Dead letters ---- */

/* The namespace and id of a row's key. */
static void
split_key(const PineconeRoundRow *row, char **namespace_, char **id)
{
	char *begin = strchr(row->key, '\n') + 1;
	char *end = strchr(begin, '\n');

	*namespace_ = pnstrdup(begin, end - begin);
	*id = pstrdup(end + 1);
}

bool
pinecone_round_has_dead_letter(PineconeRound *round, const PineconeRoundRow *row, int64 after)
{
	ScanKeyData keys[2];
	Relation rel;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found = false;
	char *namespace_;
	char *id;

	if (!round->has_dead)
		return false;
	split_key(row, &namespace_, &id);
	ScanKeyInit(&keys[0], PINECONE_OUTBOX_NAMESPACE, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(namespace_));
	ScanKeyInit(&keys[1], PINECONE_OUTBOX_ID, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(id));
	rel = table_open(pinecone_outbox_relation("pinecone_outbox_dead", false), AccessShareLock);
	PushActiveSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, pinecone_outbox_relation("pinecone_outbox_dead_ids", false), true,
							  GetActiveSnapshot(), 2, keys);
	while (!found && (tuple = systable_getnext(scan)) != NULL)
	{
		PineconeOutboxRow dead;

		pinecone_outbox_deform(RelationGetDescr(rel), tuple, &dead);
		found = dead.seq > after && dead.seq < row->seq &&
				pinecone_outbox_server(dead.relid) == row->way->scope->serverid;
	}
	systable_endscan(scan);
	PopActiveSnapshot();
	table_close(rel, AccessShareLock);
	return found;
}

/* What has been written over them makes dead letters of the record pointless. */
static void
drop_superseded(const PineconeRoundRow *row)
{
	char *namespace_;
	char *id;
	Oid types[4] = {OIDOID, TEXTOID, TEXTOID, INT8OID};
	Datum values[4];
	char nulls[] = "    ";

	split_key(row, &namespace_, &id);
	values[0] = ObjectIdGetDatum(row->way->scope->serverid);
	values[1] = CStringGetTextDatum(namespace_);
	values[2] = CStringGetTextDatum(id);
	values[3] = Int64GetDatum(row->seq);
	nulls[2] = row->kind == 'a' ? 'n' : ' ';
	execute(psprintf("DELETE FROM %s d USING pg_catalog.pg_foreign_table f"
					 " WHERE f.ftrelid = d.foreign_table::oid AND f.ftserver = $1"
					 " AND d.namespace COLLATE \"C\" = $2 AND ($3 IS NULL OR d.id COLLATE \"C\" = $3) AND d.seq < $4",
					 qualified("pinecone_outbox_dead")),
			4, types, values, nulls);
}

static void
bury(const PineconeRoundRow *row)
{
	Oid types[2] = {INT8OID, TEXTOID};
	Datum values[2] = {Int64GetDatum(row->seq), CStringGetTextDatum(row->reason)};

	/* a name that somebody has put there by hand may be too long for the index; cut, it is still too long to be one */
	execute(psprintf("WITH q AS (DELETE FROM %s WHERE seq = $1 RETURNING *)"
					 " INSERT INTO %s SELECT q.seq, q.foreign_table, q.writer, left(q.namespace, 600), q.kind, left(q.id, 600), q.dense,"
					 " q.sparse_indices, q.sparse_values, q.metadata, q.extra, q.queued_at, $2, pg_catalog.clock_timestamp() FROM q",
					 qualified("pinecone_outbox"), qualified("pinecone_outbox_dead")),
			2, types, values, NULL);
}

/* ---- Servers ---- */

static int64
pause_after(int failures)
{
	int64 pause = FIRST_PAUSE;

	for (int i = 1; i < failures && pause < LONGEST_PAUSE; i++)
		pause *= 2;
	pause = Min(pause, LONGEST_PAUSE);
	/* not all at the same moment */
	return pause / 2 + (int64) (pause / 2 * pinecone_random_double());
}

/*
 * How the round went for a server as a user: what it has got is added up, and after
 * a failure it is left alone for a while.
 */
static void
write_state(PineconeScope *scope, PineconeDelivery *delivery)
{
	Oid types[7] = {TEXTOID, REGROLEOID, INT8OID, INT8OID, INT4OID, TIMESTAMPTZOID, TEXTOID};
	Datum values[7];
	char nulls[] = "       ";

	if (scope->error != NULL)
	{
		scope->failures++;
		scope->retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), pause_after(scope->failures));
	}
	if (scope->held && (delivery->next == 0 || scope->retry_at < delivery->next))
		delivery->next = scope->retry_at;
	if (scope->error == NULL && (scope->held || (scope->delivered == 0 && scope->dead == 0)))
		return;
	values[0] = CStringGetTextDatum(scope->servername);
	values[1] = ObjectIdGetDatum(scope->userid);
	values[2] = Int64GetDatum(scope->delivered);
	values[3] = Int64GetDatum(scope->dead);
	values[4] = Int32GetDatum(scope->error ? scope->failures : 0);
	values[5] = TimestampTzGetDatum(scope->retry_at);
	values[6] = scope->error ? CStringGetTextDatum(scope->error) : (Datum) 0;
	if (scope->error == NULL)
		nulls[5] = nulls[6] = 'n';
	execute(psprintf("INSERT INTO %s AS s (server, writer, delivered, dead, failures, retry_at, last_error,"
					 " last_error_at, last_delivery_at, rate)"
					 " VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7 IS NOT NULL THEN pg_catalog.clock_timestamp() END,"
					 " CASE WHEN $3 > 0 THEN pg_catalog.clock_timestamp() END, $3 / 60.0)"
					 " ON CONFLICT (server, writer) DO UPDATE SET delivered = s.delivered + excluded.delivered,"
					 " dead = s.dead + excluded.dead, failures = excluded.failures, retry_at = excluded.retry_at,"
					 " last_error = COALESCE(excluded.last_error, s.last_error),"
					 " last_error_at = COALESCE(excluded.last_error_at, s.last_error_at),"
					 " last_delivery_at = COALESCE(excluded.last_delivery_at, s.last_delivery_at),"
					 /* what was delivered counts less, the longer ago it was: after a minute by 1/e */
					 " rate = (SELECT s.rate * exp(-m) + excluded.delivered / 60.0 * CASE WHEN m > 0.0001 THEN (1 - exp(-m)) / m ELSE 1 END"
					 " FROM (SELECT LEAST(extract(epoch FROM pg_catalog.clock_timestamp() - COALESCE(s.last_delivery_at,"
					 " pg_catalog.clock_timestamp())) / 60, 100)::float8 AS m) x)",
					 qualified("pinecone_outbox_state")),
			7, types, values, nulls);
}

/* ---- How it is ---- */

/* The row that was sent, or was to be, in the place of this one. */
static PineconeRoundRow *
sent_row(PineconeRound *round, PineconeRoundRow *row)
{
	PineconeRoundRow *sent = row;

	while (sent->told && sent->outcome == PINECONE_SEND_MERGED)
		sent = &round->rows[sent->into];
	/* a chain may be long, and is gone along once */
	while (row != sent)
	{
		PineconeRoundRow *next = &round->rows[row->into];

		row->into = (int) (sent - round->rows);
		row = next;
	}
	return sent;
}

static void
settle_row(PineconeRound *round, Relation rel, PineconeRoundRow *row, PineconeDelivery *delivery)
{
	PineconeScope *scope = row->way->scope;

	PineconeRoundRow *sent = sent_row(round, row);

	if (!sent->told || sent->outcome == PINECONE_SEND_FAILED ||
		(sent != row && sent->outcome == PINECONE_SEND_REFUSED))
		return;
	if (sent->outcome == PINECONE_SEND_APPLIED)
	{
		CatalogTupleDelete(rel, &row->tid);
		if (row->kind != 'p' && (round->has_dead || delivery->dead > 0))
			drop_superseded(row);
		scope->delivered++;
		delivery->delivered++;
		return;
	}
	bury(row);
	delivery->dead++;
	if (scope != NULL)
		scope->dead++;
}

void
pinecone_round_settle(PineconeRound *round, PineconeDelivery *delivery)
{
	Relation rel;
	PineconeOwner owner;

	delivery->next = round->next;
	if (round->nrows == 0)
		return;
	rel = table_open(pinecone_outbox_relation("pinecone_outbox", false), RowExclusiveLock);
	pinecone_owner_begin(&owner, RelationGetRelid(rel));
	for (int i = 0; i < round->nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		settle_row(round, rel, &round->rows[i], delivery);
	}
	for (PineconeScope *scope = round->scopes; scope != NULL; scope = scope->next)
		write_state(scope, delivery);
	pinecone_owner_end(&owner);
	table_close(rel, NoLock);
}
