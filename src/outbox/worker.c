/*
 * worker.c
 *		Delivers what waits in one database, and ends when nothing has for a while.
 *
 * It wakes when something is committed to the queue, when what has failed is to
 * be tried again, and now and then for what nobody has told of: rows that were
 * restored, or prepared.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/setting.h"
#include "outbox/deliver.h"
#include "outbox/worker.h"
#include "pending/outbox_table.h"
#include "pending/outbox_wake.h"

PGDLLEXPORT void pinecone_worker_main(Datum arg);

/* Rows of a round, and how long it reads on */
#define ROUND_ROWS 50000
#define ROUND_MS 5000

/* It looks again after so long, and ends when it has found nothing for that long; ms */
#define LOOK_MS 5000
#define IDLE_MS 30000

/* After an error of this database */
#define ERROR_MS 5000

/* Rows that have left the queue before their space is given back; and when there is time */
#define VACUUM_ROWS 20000
#define IDLE_VACUUM_ROWS 1000

/* ---- Its slot ---- */

static void
leave_slot(int code, Datum arg)
{
	PineconeOutboxWorkers *workers = pinecone_outbox_workers;

	LWLockAcquire(&workers->lock, LW_EXCLUSIVE);
	for (int i = 0; i < PINECONE_OUTBOX_SLOTS; i++)
	{
		if (workers->slots[i].pid == MyProcPid)
			memset(&workers->slots[i], 0, sizeof(PineconeOutboxSlot));
	}
	/* the launcher may have somebody else for it */
	if (workers->launcher != NULL)
		SetLatch(workers->launcher);
	LWLockRelease(&workers->lock);
}

/* Does the launcher still want a worker there? */
static bool
take_slot(Oid dbid)
{
	PineconeOutboxSlot *slot;
	bool taken;

	LWLockAcquire(&pinecone_outbox_workers->lock, LW_EXCLUSIVE);
	slot = pinecone_outbox_slot(dbid);
	taken = slot != NULL && slot->pid == 0;
	if (taken)
	{
		slot->pid = MyProcPid;
		slot->latch = MyLatch;
	}
	LWLockRelease(&pinecone_outbox_workers->lock);
	if (taken)
		before_shmem_exit(leave_slot, (Datum) 0);
	return taken;
}

/* Is there a database that waits for a free slot? */
static bool
others_wait(void)
{
	bool wait;
	int used = 0;

	LWLockAcquire(&pinecone_outbox_workers->lock, LW_SHARED);
	for (int i = 0; i < PINECONE_OUTBOX_SLOTS; i++)
		used += OidIsValid(pinecone_outbox_workers->slots[i].dbid) ? 1 : 0;
	wait = used >= pinecone_outbox_max_workers &&
		   (pinecone_outbox_workers->nwanted > 0 || pinecone_outbox_workers->overflown);
	LWLockRelease(&pinecone_outbox_workers->lock);
	return wait;
}

/* ---- Rounds ---- */

void (*pinecone_worker_also)(int max_ms, PineconeDelivery *delivery) = NULL;

/* A transaction, and what else there is to deliver; false where there is nothing to deliver from, and never will be. */
static pg_noinline bool
deliver(PineconeDelivery *delivery)
{
	bool there;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	there = OidIsValid(pinecone_outbox_relation("pinecone_outbox", true));
	if (there)
	{
		pgstat_report_activity(STATE_RUNNING, "delivering from the outbox");
		pinecone_deliver_round(ROUND_ROWS, ROUND_MS, delivery);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	if (there && pinecone_worker_also != NULL)
		pinecone_worker_also(ROUND_MS, delivery);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return there;
}

/*
 * Space of rows that are gone is used again.  Autovacuum comes once a minute, and
 * a queue may have passed a million rows by then.
 */
static void
vacuum_queue(bool truncate)
{
	VacuumStmt *statement;
	Oid relid;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	/* it commits, and keeps there what is to stay */
	PortalContext = AllocSetContextCreate(TopMemoryContext, "pinecone vacuum", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(PortalContext);
	relid = pinecone_outbox_relation("pinecone_outbox", true);
	if (OidIsValid(relid))
	{
		RangeVar *name = makeRangeVar(get_namespace_name(get_rel_namespace(relid)), pstrdup("pinecone_outbox"), -1);

		pgstat_report_activity(STATE_RUNNING, "vacuuming the outbox");
		statement = makeNode(VacuumStmt);
		statement->is_vacuumcmd = true;
		statement->rels = list_make1(makeVacuumRelation(name, InvalidOid, NIL));
		statement->options = list_make2(
			makeDefElem("truncate", (Node *) makeString(truncate ? "on" : "off"), -1),
			makeDefElem("skip_locked", (Node *) makeString("on"), -1));
		ExecVacuum(make_parsestate(NULL), statement, true);
	}
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
}

static void
drop_portal_context(void)
{
	if (PortalContext != NULL)
		MemoryContextDelete(PortalContext);
	PortalContext = NULL;
}

/* After an error: it is logged, and the transaction over. */
static void
recover(MemoryContext cxt)
{
	HOLD_INTERRUPTS();
	MemoryContextSwitchTo(cxt);
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	pgstat_report_activity(STATE_IDLE, NULL);
	RESUME_INTERRUPTS();
}

/* deliver(); after an error *failed is set, and there may be something the next time. */
static bool
deliver_or_log(PineconeDelivery *delivery, bool *failed)
{
	MemoryContext old = CurrentMemoryContext;
	volatile bool there = true;

	*failed = false;
	memset(delivery, 0, sizeof(*delivery));
	PG_TRY();
	{
		there = deliver(delivery);
	}
	PG_CATCH();
	{
		recover(old);
		*failed = true;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	return there;
}

static void
vacuum_or_log(bool truncate)
{
	MemoryContext old = CurrentMemoryContext;

	PG_TRY();
	{
		vacuum_queue(truncate);
	}
	PG_CATCH();
	{
		recover(old);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	drop_portal_context();
}

/* How long until there may be something to do. */
static long
pause_of(const PineconeDelivery *delivery, bool failed)
{
	long pause = failed ? ERROR_MS : LOOK_MS;

	if (delivery->next != 0)
		pause = Min(pause, Max(1, TimestampDifferenceMilliseconds(GetCurrentTimestamp(), delivery->next)));
	return pause;
}

/*
 * Deliver, and between that give space back, until there has been nothing to do for a
 * while or the place is wanted.
 */
static void
work(void)
{
	uint32 event = pinecone_wait_event_new("PineconeOutboxMain");
	TimestampTz useful = GetCurrentTimestamp();
	int64 gone = 0; /* rows, since the table was vacuumed */

	for (;;)
	{
		PineconeDelivery delivery;
		bool failed;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			if (pinecone_outbox_max_workers == 0)
				return;
		}
		if (!deliver_or_log(&delivery, &failed))
			return;
		if (delivery.delivered > 0 || delivery.dead > 0 || delivery.next != 0)
			useful = GetCurrentTimestamp();
		gone += delivery.delivered + delivery.dead;
		if (gone >= VACUUM_ROWS)
		{
			vacuum_or_log(false);
			gone = 0;
		}
		if (delivery.more || delivery.delivered > 0 || delivery.dead > 0)
			continue;
		if (gone >= IDLE_VACUUM_ROWS)
		{
			vacuum_or_log(true);
			gone = 0;
		}
		/* others may have the place, and this database comes up again by itself */
		if (others_wait() || TimestampDifferenceExceeds(useful, GetCurrentTimestamp(), IDLE_MS))
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, pause_of(&delivery, failed), event);
	}
}

void
pinecone_worker_main(Datum arg)
{
	Oid dbid = DatumGetObjectId(arg);

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	if (pinecone_outbox_workers == NULL || !take_slot(dbid))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(dbid, InvalidOid, 0);
	/* what the cluster's and the database's defaults say of statements is not meant for it */
	SetConfigOption("statement_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("lock_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_OVERRIDE);
	for (int i = 0; i < PINECONE_BUDGET_MONTH; i++)
		SetConfigOption(pinecone_budgets[i].name, "-1", PGC_SUSET, PGC_S_OVERRIDE);
	work();
	proc_exit(0);
}
