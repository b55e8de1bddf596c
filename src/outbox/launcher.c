/*
 * launcher.c
 *		Starts workers where something has been queued, and in turn everywhere else.
 *
 * What a database has queued it tells when it commits; nobody tells of rows that
 * were there when the server was started, or have been restored.  So each database
 * is looked at when the launcher starts, and every pinecone_fdw.outbox_naptime.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/setting.h"
#include "outbox/worker.h"
#include "pending/outbox_wake.h"

PGDLLEXPORT void pinecone_launcher_main(Datum arg);

/* A worker that was to start and has not begun by then will not; ms */
#define START_MS 60000

static BackgroundWorkerHandle *handles[PINECONE_OUTBOX_SLOTS];

/* ---- Slots ---- */

/* Free the slots of workers that did not get as far as to their own. */
static void
reap(void)
{
	for (int i = 0; i < PINECONE_OUTBOX_SLOTS; i++)
	{
		PineconeOutboxSlot *slot = &pinecone_outbox_workers->slots[i];
		pid_t pid;
		bool gone = handles[i] != NULL && GetBackgroundWorkerPid(handles[i], &pid) == BGWH_STOPPED;

		LWLockAcquire(&pinecone_outbox_workers->lock, LW_EXCLUSIVE);
		if (OidIsValid(slot->dbid) && slot->pid == 0 &&
			(gone || (handles[i] == NULL && TimestampDifferenceExceeds(slot->since, GetCurrentTimestamp(), START_MS))))
			memset(slot, 0, sizeof(*slot));
		LWLockRelease(&pinecone_outbox_workers->lock);
		if (gone)
		{
			pfree(handles[i]);
			handles[i] = NULL;
		}
	}
}

/* Take a free slot for a database that has none; its number, or -1: there is no need, or no room. */
static int
reserve(Oid dbid)
{
	PineconeOutboxWorkers *workers = pinecone_outbox_workers;
	int slot = -1;
	int used = 0;

	LWLockAcquire(&workers->lock, LW_EXCLUSIVE);
	for (int i = 0; i < PINECONE_OUTBOX_SLOTS; i++)
	{
		if (OidIsValid(workers->slots[i].dbid))
			used++;
		else if (slot < 0 && handles[i] == NULL)
			slot = i;
	}
	for (int i = 0; i < PINECONE_OUTBOX_CLOSED; i++)
	{
		if (workers->closed[i] == dbid)
			slot = -1;
	}
	if (used >= pinecone_outbox_max_workers || pinecone_outbox_slot(dbid) != NULL)
		slot = -1;
	if (slot >= 0)
	{
		workers->slots[slot] = (PineconeOutboxSlot){.dbid = dbid, .since = GetCurrentTimestamp()};
		for (int i = 0; i < workers->nwanted; i++)
		{
			if (workers->wanted[i] == dbid)
				workers->wanted[i--] = workers->wanted[--workers->nwanted];
		}
	}
	LWLockRelease(&workers->lock);
	return slot;
}

/* Nobody could be started for a slot's database, which may be wanted as before. */
static void
release(int slot, bool wanted)
{
	PineconeOutboxWorkers *workers = pinecone_outbox_workers;

	LWLockAcquire(&workers->lock, LW_EXCLUSIVE);
	if (wanted && workers->nwanted < PINECONE_OUTBOX_WANTED)
		workers->wanted[workers->nwanted++] = workers->slots[slot].dbid;
	memset(&workers->slots[slot], 0, sizeof(PineconeOutboxSlot));
	LWLockRelease(&workers->lock);
}

/* Say so once, until there is room again. */
static void
report_no_room(bool no_room)
{
	static bool reported = false;

	if (no_room && !reported)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker is left to deliver from the outbox"),
				 errdetail("All that \"max_worker_processes\" allows, %d, are taken.", max_worker_processes),
				 errhint("Raise \"max_worker_processes\".  Until then pinecone_deliver() delivers.")));
	reported = no_room;
}

/*
 * Start a worker in a database, unless there is one; false if that cannot be now.
 * Where something has been queued ("wanted") the log says why.
 */
static bool
start_worker(Oid dbid, bool wanted)
{
	BackgroundWorker worker = {0};
	int slot = reserve(dbid);

	if (slot < 0)
		return false;
	snprintf(worker.bgw_name, BGW_MAXLEN, "pinecone_fdw outbox worker for database %u", dbid);
	snprintf(worker.bgw_type, BGW_MAXLEN, "pinecone_fdw outbox worker");
	snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "pinecone_fdw");
	snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "pinecone_worker_main");
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(dbid);
	worker.bgw_notify_pid = MyProcPid;
	if (RegisterDynamicBackgroundWorker(&worker, &handles[slot]))
	{
		report_no_room(false);
		return true;
	}
	handles[slot] = NULL;
	release(slot, wanted);
	if (wanted)
		report_no_room(true);
	return false;
}

/* ---- Databases ---- */

/* Those that can be connected to, in the current memory context. */
static List *
all_databases(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	List *databases = NIL;
	Relation rel;
	TableScanDesc scan;
	HeapTuple tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext old;

		/* also one that was left half dropped */
		if (!database->datallowconn || database->datconnlimit < -1)
			continue;
		old = MemoryContextSwitchTo(cxt);
		databases = lappend_oid(databases, database->oid);
		MemoryContextSwitchTo(old);
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(cxt);
	return databases;
}

/* Those where something has been queued. */
static List *
wanted_databases(bool *all)
{
	PineconeOutboxWorkers *workers = pinecone_outbox_workers;
	List *databases = NIL;
	Oid wanted[PINECONE_OUTBOX_WANTED];
	int n;

	LWLockAcquire(&workers->lock, LW_EXCLUSIVE);
	n = workers->nwanted;
	memcpy(wanted, workers->wanted, n * sizeof(Oid));
	*all |= workers->overflown;
	workers->overflown = false;
	LWLockRelease(&workers->lock);
	for (int i = 0; i < n; i++)
		databases = lappend_oid(databases, wanted[i]);
	return databases;
}

/* ---- The loop ---- */

/*
 * Start what can be started.  Of those that are to be looked at in turn what finds
 * no room stays on the list.
 */
static List *
start_workers(List *turn)
{
	bool all = false;
	List *wanted = wanted_databases(&all);
	ListCell *lc;

	foreach(lc, wanted)
		(void) start_worker(lfirst_oid(lc), true);
	if (all)
		turn = list_concat_unique_oid(turn, all_databases());
	foreach(lc, turn)
	{
		bool has_worker;

		LWLockAcquire(&pinecone_outbox_workers->lock, LW_SHARED);
		has_worker = pinecone_outbox_slot(lfirst_oid(lc)) != NULL;
		LWLockRelease(&pinecone_outbox_workers->lock);
		if (has_worker || start_worker(lfirst_oid(lc), false))
			turn = foreach_delete_current(turn, lc);
	}
	list_free(wanted);
	return turn;
}

static void
no_launcher(int code, Datum arg)
{
	LWLockAcquire(&pinecone_outbox_workers->lock, LW_EXCLUSIVE);
	pinecone_outbox_workers->launcher = NULL;
	LWLockRelease(&pinecone_outbox_workers->lock);
}

static void
be_found(void)
{
	before_shmem_exit(no_launcher, (Datum) 0);
	LWLockAcquire(&pinecone_outbox_workers->lock, LW_EXCLUSIVE);
	pinecone_outbox_workers->launcher = MyLatch;
	LWLockRelease(&pinecone_outbox_workers->lock);
}

void
pinecone_launcher_main(Datum arg)
{
	uint32 event;
	TimestampTz looked = 0;
	List *turn = NIL;

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	event = pinecone_wait_event_new("PineconeOutboxLauncher");
	be_found();
	MemoryContextSwitchTo(TopMemoryContext);
	for (;;)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		reap();
		if (pinecone_outbox_max_workers > 0 &&
			(looked == 0 ||
			 TimestampDifferenceExceeds(looked, GetCurrentTimestamp(), pinecone_outbox_naptime_s * 1000)))
		{
			looked = GetCurrentTimestamp();
			turn = list_concat_unique_oid(turn, all_databases());
		}
		if (pinecone_outbox_max_workers > 0)
			turn = start_workers(turn);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(pinecone_outbox_naptime_s, 10) * 1000L, event);
	}
}

void
pinecone_worker_register(void)
{
	BackgroundWorker worker = {0};

	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	snprintf(worker.bgw_name, BGW_MAXLEN, "pinecone_fdw outbox launcher");
	snprintf(worker.bgw_type, BGW_MAXLEN, "pinecone_fdw outbox launcher");
	snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "pinecone_fdw");
	snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "pinecone_launcher_main");
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 5;
	RegisterBackgroundWorker(&worker);
}
