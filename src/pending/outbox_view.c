/*
 * outbox_view.c
 *		What waits in the outbox, as a change to what the service shows.
 *
 * Whoever reads lays over the stored records what its snapshot shows of the
 * queue.  What the worker delivers meanwhile does no harm: to apply a write a
 * second time changes nothing.  The queue is read once for each snapshot and
 * server, up to pinecone_fdw.outbox_visible rows of it; views that are in use keep
 * what they are of.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/setting.h"
#include "pending/outbox_scan.h"
#include "pending/outbox_table.h"
#include "pending/outbox_view.h"

/* What one snapshot shows of the writes that wait for a server's namespaces */
typedef struct Shown
{
	MemoryContext cxt;
	Oid serverid;

	/* The snapshot */
	TransactionId xmin;
	TransactionId xmax;
	uint32 xcnt;
	TransactionId *xip;
	CommandId curcid;

	/* The writes */
	bool too_many;
	PineconePendingLog *log;
	PineconePendingIndex *index;

	int users;
	bool forgotten;
	struct Shown *next;
} Shown;

/* The last one of each server */
static Shown *current = NULL;

/* ---- Keeping ---- */

static void
release(void *arg)
{
	Shown *shown = arg;

	if (--shown->users == 0 && shown->forgotten)
		MemoryContextDelete(shown->cxt);
}

/* The current memory context needs it for as long as it lives. */
static void
use(Shown *shown)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release;
	callback->arg = shown;
	shown->users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

/* Nobody who comes from now on uses it. */
static void
forget(Shown **place)
{
	Shown *shown = *place;

	*place = shown->next;
	shown->forgotten = true;
	if (shown->users == 0)
		MemoryContextDelete(shown->cxt);
}

void
pinecone_outbox_forget_view(void)
{
	while (current != NULL)
		forget(&current);
}

static Shown **
find(Oid serverid)
{
	Shown **place = &current;

	while (*place != NULL && (*place)->serverid != serverid)
		place = &(*place)->next;
	return place;
}

static bool
is_of(const Shown *shown, const SnapshotData *snapshot)
{
	return shown->xmin == snapshot->xmin && shown->xmax == snapshot->xmax && shown->xcnt == snapshot->xcnt &&
		   shown->curcid == snapshot->curcid &&
		   (shown->xcnt == 0 || memcmp(shown->xip, snapshot->xip, shown->xcnt * sizeof(TransactionId)) == 0);
}

/* ---- Reading ---- */

static void
take_row(Shown *shown, TupleDesc desc, HeapTuple tuple, MemoryContext row_cxt)
{
	PineconeOutboxRow row;
	MemoryContext old = MemoryContextSwitchTo(row_cxt);

	pinecone_outbox_deform(desc, tuple, &row);
	MemoryContextSwitchTo(shown->cxt);
	/*
	 * What is to be embedded first has no vector to search by, and what nobody can
	 * read becomes a dead letter: they are not shown.
	 */
	if (!row.has_embed && row.unreadable == NULL)
		pinecone_pending_log_add(shown->log, pinecone_pending_log_target(shown->log, NULL, NULL, row.namespace_, 0, 0),
								 &row.write);
	MemoryContextSwitchTo(old);
	MemoryContextReset(row_cxt);
}

static bool
is_of_server(void *arg, Oid relid)
{
	return pinecone_outbox_server(relid) == ((Shown *) arg)->serverid;
}

/* All that a snapshot shows of the server, in order; or that it is too much. */
static void
read_queue(Shown *shown, Snapshot snapshot)
{
	Oid relid = pinecone_outbox_relation("pinecone_outbox", true);
	MemoryContext row_cxt;
	PineconeOutboxScan *scan;
	Relation rel;
	HeapTuple tuple;
	int n = 0;

	if (!OidIsValid(relid))
		return;
	row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone queued row", ALLOCSET_DEFAULT_SIZES);
	rel = table_open(relid, AccessShareLock);
	scan = pinecone_outbox_scan_begin(rel, snapshot, is_of_server, shown);
	while (!shown->too_many && (tuple = pinecone_outbox_scan_next(scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		shown->too_many = ++n > pinecone_outbox_visible;
		if (!shown->too_many)
			take_row(shown, RelationGetDescr(rel), tuple, row_cxt);
	}
	pinecone_outbox_scan_end(scan);
	table_close(rel, AccessShareLock);
	MemoryContextDelete(row_cxt);
}

static void
warn_of_too_many(void)
{
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("writes that wait in the outbox are not shown"),
			 errdetail("There are more than %d of them.", pinecone_outbox_visible),
			 errhint("See pinecone_outbox_status, or raise \"pinecone_fdw.outbox_visible\".")));
}

static Shown *
create(Oid serverid, const SnapshotData *snapshot)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone queued writes", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Shown *shown = palloc0(sizeof(Shown));

	shown->cxt = cxt;
	shown->serverid = serverid;
	shown->xmin = snapshot->xmin;
	shown->xmax = snapshot->xmax;
	shown->xcnt = snapshot->xcnt;
	shown->curcid = snapshot->curcid;
	shown->xip = palloc(Max(snapshot->xcnt, 1) * sizeof(TransactionId));
	/* a snapshot without any may have no array */
	if (snapshot->xcnt > 0)
		memcpy(shown->xip, snapshot->xip, snapshot->xcnt * sizeof(TransactionId));
	shown->log = pinecone_pending_log_create(NULL);
	shown->index = pinecone_pending_index_create(shown->log);
	MemoryContextSwitchTo(old);
	return shown;
}

/* What the active snapshot shows of a server; NULL where there is none. */
static Shown *
look(Oid serverid, bool all)
{
	SnapshotData snapshot;
	Shown **place = find(serverid);
	Shown *shown;

	if (!ActiveSnapshotSet() || !IsMVCCSnapshot(GetActiveSnapshot()))
		return NULL;
	snapshot = *GetActiveSnapshot();
	if (all)
		snapshot.curcid = GetCurrentCommandId(false) + 1;
	else if (*place != NULL && is_of(*place, &snapshot))
		return *place;
	shown = create(serverid, &snapshot);
	read_queue(shown, &snapshot);
	/* the command may write more, and the next one's snapshot look the same */
	if (all)
		shown->curcid = InvalidCommandId;

	/* nothing can fail from here on */
	MemoryContextSetParent(shown->cxt, TopMemoryContext);
	place = find(serverid);
	if (*place != NULL)
		forget(place);
	shown->next = current;
	current = shown;
	if (shown->too_many)
		warn_of_too_many();
	return shown;
}

PineconePendingView *
pinecone_outbox_view(Oid serverid, const char *namespace_, bool all)
{
	Shown *shown = look(serverid, all);
	PineconePendingView *view;
	int number;

	if (shown == NULL || shown->too_many)
		return NULL;
	number = pinecone_pending_log_place(shown->log, NULL, namespace_);
	if (number < 0)
		return NULL;
	view = pinecone_pending_index_view(shown->index, number, pinecone_pending_log_size(shown->log));
	if (view != NULL)
		use(shown);
	return view;
}

bool
pinecone_outbox_elsewhere(Oid serverid, const char *namespace_)
{
	Shown *shown = look(serverid, false);

	return shown != NULL && !shown->too_many && pinecone_pending_log_targets(shown->log) > 0 &&
		   pinecone_pending_log_place(shown->log, NULL, namespace_) < 0;
}

double
pinecone_outbox_count(const PineconeTable *table)
{
	Shown *shown = look(table->server->serverid, false);
	double count = 0;

	if (shown == NULL)
		return 0;
	if (shown->too_many)
		return -1;
	for (int i = 0; i < pinecone_pending_log_targets(shown->log); i++)
	{
		if (pinecone_option_has_namespace(table, pinecone_pending_log_target_of(shown->log, i)->namespace_))
			count += pinecone_pending_index_count(shown->index, i);
	}
	return count;
}

void
pinecone_outbox_must_be_shown(const PineconeTable *table)
{
	Shown *shown = table->outbox ? look(table->server->serverid, false) : NULL;

	if (shown != NULL && shown->too_many)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot look at what foreign table \"%s\" has, to write to it", table->name),
				 errdetail("More than %d writes wait in the outbox, and are not shown.", pinecone_outbox_visible),
				 errhint("Wait until they are delivered, see pinecone_outbox_status; or raise \"pinecone_fdw.outbox_visible\".")));
}

PineconeNamespaceStats *
pinecone_outbox_add_namespaces(Oid serverid, PineconeNamespaceStats *namespaces, int *n)
{
	Shown *shown = look(serverid, false);

	return shown == NULL || shown->too_many ? namespaces :
											  pinecone_pending_log_add_namespaces(shown->log, NULL, namespaces, n);
}
