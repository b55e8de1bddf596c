/*
 * outbox_wake.h
 *		Which workers deliver from the outbox, and waking them: in memory that all
 *		processes share, where the module is preloaded.
 */
#ifndef PINECONE_OUTBOX_WAKE_H
#define PINECONE_OUTBOX_WAKE_H

#include "datatype/timestamp.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#define PINECONE_OUTBOX_SLOTS 32
#define PINECONE_OUTBOX_WANTED 128
#define PINECONE_OUTBOX_CLOSED 16

/* A worker, or one that is to start */
typedef struct PineconeOutboxSlot
{
	Oid dbid;  /* InvalidOid: free */
	pid_t pid; /* 0: it has not begun */
	Latch *latch;
	TimestampTz since;
} PineconeOutboxSlot;

typedef struct PineconeOutboxWorkers
{
	int tranche;
	LWLock lock;
	Latch *launcher; /* or NULL */
	PineconeOutboxSlot slots[PINECONE_OUTBOX_SLOTS];

	/* Databases in which something has been queued that no worker has been told of */
	Oid wanted[PINECONE_OUTBOX_WANTED];
	int nwanted;
	bool overflown; /* there are more: any */

	/* Databases where none may start now */
	Oid closed[PINECONE_OUTBOX_CLOSED];
} PineconeOutboxWorkers;

/* NULL where the module is not preloaded. */
extern PineconeOutboxWorkers *pinecone_outbox_workers;

extern void pinecone_outbox_request_memory(void);
extern void pinecone_outbox_make_memory(void);

/* Something has been queued in a database, and committed.  Never fails. */
extern void pinecone_outbox_wake(Oid dbid);

/* The slot of a database, or NULL; with the lock held. */
extern PineconeOutboxSlot *pinecone_outbox_slot(Oid dbid);

/*
 * No worker is to be in the database, for it is to be dropped or copied: end the
 * one that is, wait for that, and let none start until it is open again.
 */
extern void pinecone_outbox_close(Oid dbid);
extern void pinecone_outbox_open(Oid dbid);

#endif /* PINECONE_OUTBOX_WAKE_H */
