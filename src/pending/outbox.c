/*
 * outbox.c
 *		Queues writes: each is a row of the table at once.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "pending/outbox_table.h"
#include "pending/outbox_view.h"
#include "pending/outbox_wake.h"

/* The transaction's */
static Oid queue = InvalidOid;
static Oid sequence = InvalidOid;
static MemoryContext row_cxt = NULL;
static bool written = false;
static bool written_otherwise = false; /* not by what is here */

/* What the first row of a transaction needs. */
static void
begin(void)
{
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot write to Pinecone during a parallel operation")));
	PreventCommandIfReadOnly("a write through the outbox");
	queue = pinecone_outbox_relation("pinecone_outbox", false);
	sequence = pinecone_outbox_relation("pinecone_outbox_seq", false);
	if (row_cxt == NULL)
		row_cxt = AllocSetContextCreate(TopTransactionContext, "pinecone write to queue", ALLOCSET_DEFAULT_SIZES);
	written = true;
}

void
pinecone_outbox_add(Oid relid, Oid userid, const char *namespace_, const PineconeWrite *write,
					const PineconeOutboxEmbed *embed)
{
	PineconeOutboxRow row = {.relid = relid, .userid = userid};
	MemoryContext old;
	HeapTuple tuple;
	Relation rel;

	if (!written)
		begin();
	old = MemoryContextSwitchTo(row_cxt);
	row.seq = nextval_internal(sequence, false);
	row.namespace_ = unconstify(char *, namespace_);
	row.write = *write;
	row.queued_at = GetCurrentTimestamp();
	if (embed != NULL)
	{
		row.has_embed = true;
		row.embed = *embed;
	}
	rel = table_open(queue, RowExclusiveLock);
	tuple = pinecone_outbox_form(RelationGetDescr(rel), &row);
	pinecone_outbox_insert(rel, tuple);
	table_close(rel, NoLock);
	MemoryContextSwitchTo(old);
	MemoryContextReset(row_cxt);
}

void
pinecone_outbox_set_written(void)
{
	written_otherwise = true;
}

/* ---- Transactions ---- */

/* What a savepoint's rollback takes back is not shown any more, though the snapshot looks the same. */
static void
end_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pinecone_outbox_forget_view();
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && (written || written_otherwise))
		pinecone_outbox_wake(MyDatabaseId);
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
			/* memory is the transaction's */
			row_cxt = NULL;
			queue = sequence = InvalidOid;
			written = written_otherwise = false;
			pinecone_outbox_forget_view();
			break;
		default:
			break;
	}
}

void
pinecone_outbox_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
