/*
 * outbox_view.c
 *		What waits in the outbox, as a change to what the service shows.
 *
 * Whoever reads lays over the stored records what its snapshot shows of the
 * queue.  What the worker delivers meanwhile does no harm: to apply a write a
 * second time changes nothing.  The queue is read once for each snapshot, up to
 * pinecone_fdw.outbox_visible rows of it; views that are in use keep what they
 * are of.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/setting.h"
#include "pending/outbox_table.h"
#include "pending/outbox_view.h"

/* The writes that wait for one server's namespaces */
typedef struct Server
{
	Oid serverid;
	PineconePendingLog *log;
	PineconePendingIndex *index;
	struct Server *next;
} Server;

/* What one snapshot shows */
typedef struct Shown
{
	MemoryContext cxt;
	TransactionId xmin;
	TransactionId xmax;
	uint32 xcnt;
	TransactionId *xip;
	CommandId curcid;
	bool too_many;
	Server *servers;
	int users;
	bool forgotten;
} Shown;

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

void
pinecone_outbox_forget_view(void)
{
	Shown *shown = current;

	if (shown == NULL)
		return;
	current = NULL;
	shown->forgotten = true;
	if (shown->users == 0)
		MemoryContextDelete(shown->cxt);
}

static bool
is_of(const Shown *shown, const SnapshotData *snapshot)
{
	return shown->xmin == snapshot->xmin && shown->xmax == snapshot->xmax && shown->xcnt == snapshot->xcnt &&
		   shown->curcid == snapshot->curcid &&
		   memcmp(shown->xip, snapshot->xip, shown->xcnt * sizeof(TransactionId)) == 0;
}

/* ---- Reading ---- */

static Server *
find_server(const Shown *shown, Oid serverid)
{
	for (Server *server = shown->servers; server != NULL; server = server->next)
	{
		if (server->serverid == serverid)
			return server;
	}
	return NULL;
}

static Server *
get_server(Shown *shown, Oid serverid)
{
	Server *server = find_server(shown, serverid);

	if (server != NULL)
		return server;
	server = palloc0(sizeof(Server));
	server->serverid = serverid;
	server->log = pinecone_pending_log_create(NULL);
	server->index = pinecone_pending_index_create(server->log);
	server->next = shown->servers;
	shown->servers = server;
	return server;
}

static void
take_row(Shown *shown, TupleDesc desc, HeapTuple tuple, MemoryContext row_cxt)
{
	PineconeOutboxRow row;
	Oid serverid;
	MemoryContext old = MemoryContextSwitchTo(row_cxt);

	pinecone_outbox_deform(desc, tuple, &row);
	serverid = pinecone_outbox_server(row.relid);
	MemoryContextSwitchTo(shown->cxt);
	/* what is to be embedded first has no vector to search by: it is not shown */
	if (OidIsValid(serverid) && !row.has_embed)
	{
		Server *server = get_server(shown, serverid);
		int number = pinecone_pending_log_target(server->log, NULL, row.namespace_, 0, 0);

		pinecone_pending_log_add(server->log, number, &row.write);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(row_cxt);
}

/* All that a snapshot shows, in order; or that it is too much. */
static void
read_queue(Shown *shown, Snapshot snapshot)
{
	Oid relid = pinecone_outbox_relation("pinecone_outbox", true);
	MemoryContext row_cxt;
	Relation rel;
	Relation index;
	SysScanDesc scan;
	HeapTuple tuple;
	int n = 0;

	if (!OidIsValid(relid))
		return;
	row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone queued row", ALLOCSET_DEFAULT_SIZES);
	rel = table_open(relid, AccessShareLock);
	index = index_open(pinecone_primary_key_index(rel), AccessShareLock);
	scan = systable_beginscan_ordered(rel, index, snapshot, 0, NULL);
	while (!shown->too_many && (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		shown->too_many = ++n > pinecone_outbox_visible;
		if (!shown->too_many)
			take_row(shown, RelationGetDescr(rel), tuple, row_cxt);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
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

/* What the active snapshot shows; NULL where there is none. */
static Shown *
look(bool all)
{
	SnapshotData snapshot;
	MemoryContext cxt;
	MemoryContext old;
	Shown *shown;

	if (!ActiveSnapshotSet() || !IsMVCCSnapshot(GetActiveSnapshot()))
		return NULL;
	snapshot = *GetActiveSnapshot();
	if (all)
		snapshot.curcid = GetCurrentCommandId(false) + 1;
	else if (current != NULL && is_of(current, &snapshot))
		return current;
	cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone queued writes", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	shown = palloc0(sizeof(Shown));
	shown->cxt = cxt;
	shown->xmin = snapshot.xmin;
	shown->xmax = snapshot.xmax;
	shown->xcnt = snapshot.xcnt;
	shown->curcid = snapshot.curcid;
	shown->xip = palloc(Max(snapshot.xcnt, 1) * sizeof(TransactionId));
	memcpy(shown->xip, snapshot.xip, snapshot.xcnt * sizeof(TransactionId));
	read_queue(shown, &snapshot);
	/* the command may write more, and the next one's snapshot look the same */
	if (all)
		shown->curcid = InvalidCommandId;
	MemoryContextSwitchTo(old);

	/* nothing can fail from here on */
	MemoryContextSetParent(cxt, TopMemoryContext);
	pinecone_outbox_forget_view();
	current = shown;
	if (shown->too_many)
		warn_of_too_many();
	return shown;
}

PineconePendingView *
pinecone_outbox_view(Oid serverid, const char *namespace_, bool all)
{
	Shown *shown = look(all);
	Server *server = shown != NULL && !shown->too_many ? find_server(shown, serverid) : NULL;
	PineconePendingView *view;
	int number;

	if (server == NULL)
		return NULL;
	number = pinecone_pending_log_place(server->log, NULL, namespace_);
	if (number < 0)
		return NULL;
	view = pinecone_pending_index_view(server->index, number, pinecone_pending_log_size(server->log));
	if (view != NULL)
		use(shown);
	return view;
}

bool
pinecone_outbox_elsewhere(Oid serverid, const char *namespace_)
{
	Shown *shown = look(false);
	Server *server = shown != NULL && !shown->too_many ? find_server(shown, serverid) : NULL;

	return server != NULL && pinecone_pending_log_place(server->log, NULL, namespace_) < 0;
}

double
pinecone_outbox_count(const PineconeTable *table)
{
	Shown *shown = look(false);
	Server *server;
	double count = 0;

	if (shown == NULL)
		return 0;
	if (shown->too_many)
		return -1;
	server = find_server(shown, table->server->serverid);
	for (int i = 0; server != NULL && i < pinecone_pending_log_targets(server->log); i++)
	{
		if (pinecone_option_has_namespace(table, pinecone_pending_log_target_of(server->log, i)->namespace_))
			count += pinecone_pending_index_count(server->index, i);
	}
	return count;
}

void
pinecone_outbox_must_be_shown(const PineconeTable *table)
{
	Shown *shown = table->outbox ? look(false) : NULL;

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
	Shown *shown = look(false);
	Server *server = shown != NULL && !shown->too_many ? find_server(shown, serverid) : NULL;

	return server == NULL ? namespaces : pinecone_pending_log_add_namespaces(server->log, NULL, namespaces, n);
}
