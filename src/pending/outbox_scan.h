/*
 * outbox_scan.h
 *		The rows of the queue in their order, without those of tables that are not
 *		wanted: these cost nothing, however many there are.
 */
#ifndef PINECONE_OUTBOX_SCAN_H
#define PINECONE_OUTBOX_SCAN_H

#include "access/htup.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct PineconeOutboxScan PineconeOutboxScan;

typedef bool (*PineconeOutboxWanted)(void *arg, Oid relid);

/* In the current memory context; the relation is pinecone_outbox. */
extern PineconeOutboxScan *pinecone_outbox_scan_begin(Relation rel, Snapshot snapshot, PineconeOutboxWanted wanted,
													  void *arg);

/* The next row, valid until the next call; or NULL. */
extern HeapTuple pinecone_outbox_scan_next(PineconeOutboxScan *scan);
extern void pinecone_outbox_scan_end(PineconeOutboxScan *scan);

#endif /* PINECONE_OUTBOX_SCAN_H */
