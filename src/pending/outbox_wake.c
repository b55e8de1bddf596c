/*
 * outbox_wake.c
 *		Wakes workers, and keeps them out of databases.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/compat.h"
#include "pending/outbox_wake.h"

/* How long an ending worker is waited for; PostgreSQL itself waits five seconds more */
#define MOST_MS 10000

PineconeOutboxWorkers *pinecone_outbox_workers = NULL;

void
pinecone_outbox_request_memory(void)
{
	RequestAddinShmemSpace(MAXALIGN(sizeof(PineconeOutboxWorkers)));
}

void
pinecone_outbox_make_memory(void)
{
	bool found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	pinecone_outbox_workers = ShmemInitStruct("pinecone_fdw outbox", sizeof(PineconeOutboxWorkers), &found);
	if (!found)
	{
		memset(pinecone_outbox_workers, 0, sizeof(PineconeOutboxWorkers));
		pinecone_outbox_workers->tranche = pinecone_new_tranche("pinecone_fdw_outbox");
		LWLockInitialize(&pinecone_outbox_workers->lock, pinecone_outbox_workers->tranche);
	}
	LWLockRelease(AddinShmemInitLock);
	pinecone_register_tranche(pinecone_outbox_workers->tranche, "pinecone_fdw_outbox");
}

PineconeOutboxSlot *
pinecone_outbox_slot(Oid dbid)
{
	for (int i = 0; i < PINECONE_OUTBOX_SLOTS; i++)
	{
		if (pinecone_outbox_workers->slots[i].dbid == dbid)
			return &pinecone_outbox_workers->slots[i];
	}
	return NULL;
}

/* False where it is wanted already: the launcher has been told. */
static bool
add_wanted(Oid dbid)
{
	PineconeOutboxWorkers *workers = pinecone_outbox_workers;

	for (int i = 0; i < workers->nwanted; i++)
	{
		if (workers->wanted[i] == dbid)
			return false;
	}
	if (workers->nwanted == PINECONE_OUTBOX_WANTED)
		workers->overflown = true;
	else
		workers->wanted[workers->nwanted++] = dbid;
	return true;
}

void
pinecone_outbox_wake(Oid dbid)
{
	PineconeOutboxWorkers *workers = pinecone_outbox_workers;
	PineconeOutboxSlot *slot;
	Latch *latch;

	if (workers == NULL)
		return;
	LWLockAcquire(&workers->lock, LW_EXCLUSIVE);
	slot = pinecone_outbox_slot(dbid);
	latch = slot != NULL ? slot->latch : NULL;
	/* one that is about to begin looks by itself */
	if (slot == NULL && add_wanted(dbid))
		latch = workers->launcher;
	if (latch != NULL)
		SetLatch(latch);
	LWLockRelease(&workers->lock);
}

/* ---- Keeping workers out ---- */

/* Tell the worker of a database to end; is there one? */
static bool
end_worker(Oid dbid)
{
	PineconeOutboxSlot *slot;

	LWLockAcquire(&pinecone_outbox_workers->lock, LW_SHARED);
	slot = pinecone_outbox_slot(dbid);
	if (slot != NULL && slot->pid != 0)
		kill(slot->pid, SIGTERM);
	LWLockRelease(&pinecone_outbox_workers->lock);
	return slot != NULL;
}

void
pinecone_outbox_close(Oid dbid)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), MOST_MS);

	if (pinecone_outbox_workers == NULL)
		return;
	LWLockAcquire(&pinecone_outbox_workers->lock, LW_EXCLUSIVE);
	for (int i = 0; i < PINECONE_OUTBOX_CLOSED; i++)
	{
		if (OidIsValid(pinecone_outbox_workers->closed[i]))
			continue;
		pinecone_outbox_workers->closed[i] = dbid;
		break;
	}
	LWLockRelease(&pinecone_outbox_workers->lock);
	while (end_worker(dbid) && GetCurrentTimestamp() < end)
	{
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

void
pinecone_outbox_open(Oid dbid)
{
	if (pinecone_outbox_workers == NULL)
		return;
	LWLockAcquire(&pinecone_outbox_workers->lock, LW_EXCLUSIVE);
	for (int i = 0; i < PINECONE_OUTBOX_CLOSED; i++)
	{
		if (pinecone_outbox_workers->closed[i] == dbid)
		{
			pinecone_outbox_workers->closed[i] = InvalidOid;
			break;
		}
	}
	LWLockRelease(&pinecone_outbox_workers->lock);
}
