/*
 * deliver.c
 *		A round: the queue from its beginning, in order.
 *
 * Each row is looked at once.  Where a row stays, because its server is to be
 * left alone for a while or has just failed, later writes of the same record stay
 * as well, whoever has written them; other records go on.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "outbox/round.h"
#include "pending/outbox_scan.h"
#include "pending/send_target.h"

/* Rows that are read before the first of them is sent: texts are embedded together */
#define CHUNK_ROWS 384
#define CHUNK_BYTES (1024 * 1024)

/* Rows that stay, before a round goes no further: their records are kept in mind */
#define MAX_HELD 100000

typedef struct Chunk
{
	MemoryContext cxt;
	PineconeOutboxRow rows[CHUNK_ROWS];
	int tags[CHUNK_ROWS];
	int n;
	Size bytes;
	bool has_texts;
} Chunk;

static PineconeRoundRow *
new_row(PineconeRound *round)
{
	if (round->nrows == round->size)
	{
		round->size *= 2;
		round->rows = repalloc_huge(round->rows, round->size * sizeof(PineconeRoundRow));
	}
	memset(&round->rows[round->nrows], 0, sizeof(PineconeRoundRow));
	return &round->rows[round->nrows++];
}

/* ---- Rows ---- */

static void
send_row(PineconeRound *round, PineconeOutboxRow *queued, int tag)
{
	PineconeRoundRow *row = &round->rows[tag];
	PineconeWay *way = row->way;
	int target;

	if (row->told)
		return;
	if (way->refusal != NULL)
	{
		pinecone_round_tell(round, tag, PINECONE_SEND_REFUSED, way->refusal);
		return;
	}
	if (way->scope->held || pinecone_round_is_behind(round, row))
	{
		pinecone_round_hold(round, row);
		return;
	}
	target = pinecone_send_target(round->send, way->scope->session, way->userid, NULL, queued->namespace_, way->batch_size,
								  way->concurrency);
	if (!pinecone_send_add_tagged(round->send, target, &queued->write, tag) && !round->rows[tag].told)
		pinecone_round_hold(round, &round->rows[tag]);
}

static void
send_chunk(PineconeRound *round, Chunk *chunk)
{
	MemoryContext old = MemoryContextSwitchTo(chunk->cxt);

	if (chunk->has_texts)
		pinecone_round_embed(round, chunk->rows, chunk->tags, chunk->n);
	for (int i = 0; i < chunk->n; i++)
		send_row(round, &chunk->rows[i], chunk->tags[i]);
	chunk->n = 0;
	chunk->bytes = 0;
	chunk->has_texts = false;
	MemoryContextSwitchTo(old);
	MemoryContextReset(chunk->cxt);
}

/* A row that this transaction has written might never be committed. */
static void
refuse_own(HeapTuple tuple)
{
	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot deliver from the outbox in a transaction that has written to it"),
				 errhint("Commit first.")));
}

static void
take_tuple(PineconeRound *round, Chunk *chunk, TupleDesc desc, HeapTuple tuple)
{
	MemoryContext old = MemoryContextSwitchTo(chunk->cxt);
	PineconeOutboxRow *queued = &chunk->rows[chunk->n];
	PineconeRoundRow *row;
	int tag = round->nrows;

	refuse_own(tuple);
	pinecone_outbox_deform(desc, heap_copytuple(tuple), queued);
	row = new_row(round);
	row->seq = queued->seq;
	row->tid = tuple->t_self;
	row->way = pinecone_round_way(round, queued->relid, queued->userid);
	row->kind = queued->write.kind == PINECONE_WRITE_UPDATE		? 'p' :
				queued->write.kind == PINECONE_WRITE_DELETE_ALL ? 'a' :
																  'u';
	MemoryContextSwitchTo(round->cxt);
	row->key = pinecone_round_key(row->way->scope ? row->way->scope->serverid : InvalidOid, queued->namespace_,
								  queued->write.record.id);
	MemoryContextSwitchTo(old);
	if (queued->unreadable != NULL)
	{
		pinecone_round_tell(round, tag, PINECONE_SEND_REFUSED, psprintf("the row cannot be read: %s", queued->unreadable));
		queued->has_embed = false;
	}
	chunk->has_texts |= queued->has_embed;
	chunk->tags[chunk->n++] = tag;
	chunk->bytes += tuple->t_len;
}

/* A table whose server is to be left alone is passed over as a whole. */
static bool
is_due(void *arg, Oid relid)
{
	return pinecone_round_is_due(arg, pinecone_outbox_server(relid));
}

/* All rows that a snapshot shows, in order, or as many as a round takes. */
static void
read_queue(PineconeRound *round, int64 max_rows, int max_ms, PineconeDelivery *delivery)
{
	Relation rel = table_open(pinecone_outbox_relation("pinecone_outbox", false), RowExclusiveLock);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	PineconeOutboxScan *scan = pinecone_outbox_scan_begin(rel, snapshot, is_due, round);
	PineconeTime began = pinecone_clock_now();
	Chunk *chunk = palloc0(sizeof(Chunk));
	HeapTuple tuple;

	chunk->cxt = AllocSetContextCreate(round->cxt, "pinecone rows to deliver", ALLOCSET_DEFAULT_SIZES);
	while ((tuple = pinecone_outbox_scan_next(scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (round->nrows - round->nheld >= max_rows || round->nheld > MAX_HELD ||
			(max_ms > 0 && pinecone_clock_passed(began, max_ms)))
		{
			delivery->more = round->nheld <= MAX_HELD;
			break;
		}
		take_tuple(round, chunk, RelationGetDescr(rel), tuple);
		if (chunk->n == CHUNK_ROWS || chunk->bytes > CHUNK_BYTES)
			send_chunk(round, chunk);
	}
	send_chunk(round, chunk);
	pinecone_outbox_scan_end(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
}

/*
 * One at a time: two would change the order of an id's writes.  The lock is held
 * until the transaction ends, for only then are delivered rows out of the queue.
 */
void
pinecone_deliver_lock(void)
{
	Oid extension = pinecone_outbox_extension(false);

	LockDatabaseObject(ExtensionRelationId, extension, 0, ShareUpdateExclusiveLock);
}

void
pinecone_deliver_round(int64 max_rows, int max_ms, PineconeDelivery *delivery)
{
	PineconeRound round = {0};
	MemoryContext old;

	memset(delivery, 0, sizeof(*delivery));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot deliver from the outbox in a transaction of isolation level REPEATABLE READ or SERIALIZABLE"),
				 errdetail("It might send again what others have delivered since it began.")));
	PreventCommandIfReadOnly("a delivery from the outbox");
	pinecone_deliver_lock();

	round.cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone round of deliveries", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(round.cxt);
	round.size = 1024;
	round.rows = palloc(round.size * sizeof(PineconeRoundRow));
	round.held = idset_create(round.cxt, 64, NULL);
	round.refused = idset_create(round.cxt, 16, NULL);
	round.replaced = idset_create(round.cxt, 16, NULL);
	round.send = pinecone_send_begin();
	pinecone_send_watch(round.send, pinecone_round_tell, pinecone_round_merge, pinecone_round_may_be_sent, &round);

	read_queue(&round, max_rows, max_ms, delivery);
	pinecone_send_finish(round.send);
	pinecone_send_end(round.send);
	pinecone_round_settle(&round, delivery);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(round.cxt);
}
