/*
 * deliver.c
 *		A round: the queue from its beginning, in order.
 *
 * Each row is looked at once.  Where a row stays, because its server is to be
 * left alone for a while or has just failed, later writes of the same record stay
 * as well, whoever has written them; other records go on.
 */
#include "postgres.h"

#include "access/genam.h"
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
#include "pending/send_target.h"

/* Rows that are read before the first of them is sent: texts are embedded together */
#define CHUNK_ROWS 384
#define CHUNK_BYTES (1024 * 1024)

/* Records whose writes stay, that are told apart */
#define MAX_HELD 200000

typedef struct Chunk
{
	MemoryContext cxt;
	PineconeOutboxRow rows[CHUNK_ROWS];
	int tags[CHUNK_ROWS];
	int n;
	Size bytes;
	bool has_texts;
} Chunk;

/* ---- What stays ---- */

/* What tells records apart; a line break is in no namespace. */
static char *
key_of(Oid serverid, const char *namespace_, const char *id)
{
	return psprintf("%u\n%s\n%s", serverid, namespace_, id ? id : "");
}

static bool
has_key(idset_hash *keys, const char *key)
{
	return idset_lookup(keys, key) != NULL;
}

static void
add_key(idset_hash *keys, const char *key)
{
	bool found;

	(void) idset_insert(keys, key, &found);
}

/* The key of all records of a row's namespace. */
static char *
whole_key(const PineconeRoundRow *row)
{
	const char *namespace_ = strchr(row->key, '\n') + 1;

	return pnstrdup(row->key, strchr(namespace_, '\n') - row->key + 1);
}

/*
 * The row stays, and what is written to the same record after it.  The deletion
 * of all records stays behind any of them, and has all stay that come after it.
 */
static void
hold(PineconeRound *round, PineconeRoundRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(round->cxt);
	char *whole = psprintf("%s\n", whole_key(row));

	if (!has_key(round->held, row->key))
		round->nheld++;
	add_key(round->held, row->key);
	/* that there is one of the namespace */
	if (!has_key(round->held, whole))
		add_key(round->held, whole);
	MemoryContextSwitchTo(old);
}

/* Has a write that the row must not overtake stayed? */
static bool
is_behind(PineconeRound *round, const PineconeRoundRow *row)
{
	char *whole = whole_key(row);
	bool behind;

	if (has_key(round->held, row->key) || has_key(round->held, whole))
		return true;
	behind = row->kind == 'a' && has_key(round->held, psprintf("%s\n", whole));
	pfree(whole);
	return behind;
}

/* ---- What becomes of a row ---- */

void
pinecone_round_tell(void *arg, int64 tag, PineconeSendOutcome outcome, const char *reason)
{
	PineconeRound *round = arg;
	PineconeRoundRow *row = &round->rows[tag];
	MemoryContext old = MemoryContextSwitchTo(round->cxt);

	row->told = true;
	row->outcome = outcome;
	if (outcome == PINECONE_SEND_REFUSED)
	{
		row->reason = pstrdup(reason);
		add_key(round->refused, row->key);
	}
	else if (outcome == PINECONE_SEND_FAILED)
	{
		hold(round, row);
		pinecone_scope_fail(row->way->scope, reason);
	}
	MemoryContextSwitchTo(old);
}

/*
 * An update goes with what it updates: where that was refused, it is not sent to
 * what was there before.
 */
static bool
may_be_sent(void *arg, int64 tag)
{
	PineconeRound *round = arg;
	PineconeRoundRow *row = &round->rows[tag];

	if (is_behind(round, row))
	{
		hold(round, row);
		return false;
	}
	if (row->kind != 'p' || !(has_key(round->refused, row->key) || pinecone_round_has_dead_letter(round, row)))
		return true;
	pinecone_round_tell(round, tag, PINECONE_SEND_REFUSED, "an earlier write of the record was refused");
	return false;
}

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
	if (way->scope->held || is_behind(round, row))
	{
		hold(round, row);
		return;
	}
	target = pinecone_send_target(round->send, way->scope->session, NULL, queued->namespace_, way->batch_size,
								  way->concurrency);
	if (!pinecone_send_add_tagged(round->send, target, &queued->write, tag) && !round->rows[tag].told)
		hold(round, &round->rows[tag]);
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
	row->kind = queued->write.kind == PINECONE_WRITE_UPDATE		  ? 'p' :
				queued->write.kind == PINECONE_WRITE_DELETE_ALL ? 'a' :
																  'u';
	MemoryContextSwitchTo(round->cxt);
	row->key = key_of(row->way->scope ? row->way->scope->serverid : InvalidOid, queued->namespace_,
					  queued->write.record.id);
	MemoryContextSwitchTo(old);
	chunk->has_texts |= queued->has_embed;
	chunk->tags[chunk->n++] = tag;
	chunk->bytes += tuple->t_len;
}

/* All rows that a snapshot shows, in order, or as many as a round takes. */
static void
read_queue(PineconeRound *round, int64 max_rows, int max_ms, PineconeDelivery *delivery)
{
	Relation rel = table_open(pinecone_outbox_relation("pinecone_outbox", false), RowExclusiveLock);
	Relation index = index_open(RelationGetPrimaryKeyIndex(rel), AccessShareLock);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan_ordered(rel, index, snapshot, 0, NULL);
	PineconeTime began = pinecone_clock_now();
	Chunk *chunk = palloc0(sizeof(Chunk));
	HeapTuple tuple;

	chunk->cxt = AllocSetContextCreate(round->cxt, "pinecone rows to deliver", ALLOCSET_DEFAULT_SIZES);
	while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
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
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
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
	round.send = pinecone_send_begin();
	pinecone_send_watch(round.send, pinecone_round_tell, may_be_sent, &round);

	read_queue(&round, max_rows, max_ms, delivery);
	pinecone_send_finish(round.send);
	pinecone_send_end(round.send);
	pinecone_round_settle(&round, delivery);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(round.cxt);
}
