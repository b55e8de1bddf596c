/*
 * pending.c
 *		Writes that wait for the end of the transaction.
 *
 * All writes of a transaction, to whichever namespaces, are one log in the
 * order in which they were made.  A savepoint is a position in it, so rolling
 * back to one truncates the log.  Just before the local commit the log is read
 * from its beginning and sent.
 *
 * What is sent cannot be taken back: when sending fails half way, or the local
 * commit after it, Pinecone has more than the database.  The error says how
 * much.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "storage/proc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/varlena.h"

#include "base/setting.h"
#include "pending/commit_report.h"
#include "pending/commit_send.h"
#include "pending/outbox.h"
#include "pending/pending.h"
#include "pending/pending_view.h"
#include "pending/unseen.h"

/* Where the log stood when a subtransaction first added to it. */
typedef struct Mark
{
	int level; /* nesting level of the subtransaction */
	int64 size;
} Mark;

/* The transaction's log, or NULL, and its index; in TopTransactionContext. */
static PineconePendingLog *pending = NULL;
static PineconePendingIndex *pending_index = NULL;

static Mark *marks = NULL;
static int nmarks = 0;
static int marks_size = 0;

/* Is the log being sent? */
static bool sending = false;

static void
mark_subtransaction(void)
{
	int level = GetCurrentTransactionNestLevel();

	if (level == 1 || (nmarks > 0 && marks[nmarks - 1].level >= level))
		return;
	if (nmarks == marks_size)
	{
		marks_size = Max(8, 2 * marks_size);
		marks = marks ? repalloc(marks, marks_size * sizeof(Mark)) :
						MemoryContextAlloc(TopTransactionContext, marks_size * sizeof(Mark));
	}
	marks[nmarks].level = level;
	marks[nmarks].size = pinecone_pending_log_size(pending);
	nmarks++;
}

/* ---- Before or after others who take part in the transaction ---- */

/*
 * Callbacks that were registered last are called first.  Ours is registered
 * twice, and which of them sends is what pinecone_fdw.send_order says: the one
 * that moves to the front whenever somebody may have joined, or the one that
 * was there before everybody else, if the module was loaded first.
 */
static void end_transaction(XactEvent event, void *arg);

static char sends_first;
static char sends_last;
static bool loaded_first = false;

static char *
sender(void)
{
	return pinecone_send_order == PINECONE_SEND_LAST ? &sends_last : &sends_first;
}

void
pinecone_pending_come_first(void)
{
	if (pending == NULL || sending)
		return;
	UnregisterXactCallback(end_transaction, &sends_first);
	RegisterXactCallback(end_transaction, &sends_first);
}

/* Is this module the first of those that are being preloaded? */
static bool
is_loaded_first(void)
{
	char *names;
	List *list;
	char *name;
	bool first;

	if (!process_shared_preload_libraries_in_progress || shared_preload_libraries_string == NULL)
		return false;
	names = pstrdup(shared_preload_libraries_string);
	if (!SplitDirectoriesString(names, ',', &list) || list == NIL)
		return false;
	name = (char *) last_dir_separator(linitial(list));
	name = name != NULL ? name + 1 : linitial(list);
	first = strcmp(name, "pinecone_fdw") == 0 || strcmp(name, "pinecone_fdw" DLSUFFIX) == 0;
	list_free_deep(list);
	pfree(names);
	return first;
}

static void
check_send_order(void)
{
	if (pinecone_send_order == PINECONE_SEND_LAST && !loaded_first)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pinecone_fdw.send_order is \"last\", and others may come after"),
				 errhint("Put pinecone_fdw first in \"shared_preload_libraries\".")));
}

/* ---- Adding ---- */

static void
create_log(void)
{
	MemoryContext cxt = AllocSetContextCreate(TopTransactionContext, "pinecone pending writes",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);

	pending = pinecone_pending_log_create(TopTransactionResourceOwner);
	pending_index = pinecone_pending_index_create(pending);
	MemoryContextSwitchTo(old);
}

int
pinecone_pending_target(PineconeSession *session, const PineconeAuthor *author,
						const PineconeTable *table, const char *namespace_)
{
	/* leaders of parallel queries may not write either */
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot write to Pinecone during a parallel operation")));
	if (sending)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot write to Pinecone while the transaction commits")));
	check_send_order();
	if (pending == NULL)
		create_log();
	return pinecone_pending_log_target(pending, session, author, namespace_, table->batch_size,
									   table->write_concurrency);
}

void
pinecone_pending_add(int target, const PineconeWrite *write)
{
	mark_subtransaction();
	pinecone_pending_log_add(pending, target, write);
}

int64
pinecone_pending_position(void)
{
	return pending ? pinecone_pending_log_size(pending) : 0;
}

PineconePendingView *
pinecone_pending_view(PineconeSession *session, const PineconeTable *table, const char *namespace_,
					  int64 position)
{
	int place = pending ? pinecone_pending_log_place(pending, session, namespace_) : -1;
	PineconePendingView *view = pinecone_unseen_view(session, namespace_);

	if (table != NULL && table->outbox)
		view = pinecone_pending_view_over(pinecone_outbox_view(session->serverid, namespace_,
															   position == PINECONE_PENDING_ALL),
										  view);
	if (place < 0)
		return view;
	pinecone_pending_log_check_place(pending, place, session);
	return pinecone_pending_view_over(pinecone_pending_index_view(pending_index, place, position), view);
}

bool
pinecone_pending_is_written(Oid serverid)
{
	return pending != NULL && pinecone_pending_log_has_server(pending, serverid);
}

bool
pinecone_pending_waits(PineconeSession *session, const char *namespace_)
{
	int place = pending ? pinecone_pending_log_place(pending, session, namespace_) : -1;

	return place >= 0 && pinecone_pending_index_count(pending_index, place) > 0;
}

double
pinecone_pending_count(const PineconeTable *table)
{
	int n = pending ? pinecone_pending_log_targets(pending) : 0;
	double count = 0;

	for (int i = 0; i < n; i++)
	{
		if (pinecone_pending_log_is_of(pending, i, table))
			count += pinecone_pending_index_count(pending_index, i);
	}
	return count;
}

PineconeNamespaceStats *
pinecone_pending_add_namespaces(PineconeSession *session, const PineconeTable *table,
								PineconeNamespaceStats *namespaces, int *n)
{
	/* the names that the option gives are all there already */
	if (table->namespaces != NULL)
		return namespaces;
	namespaces = pinecone_unseen_add_namespaces(session, namespaces, n);
	if (table->outbox)
		namespaces = pinecone_outbox_add_namespaces(session->serverid, namespaces, n);
	return pending == NULL ? namespaces :
							 pinecone_pending_log_add_namespaces(pending, session, namespaces, n);
}

/* ---- Subtransactions ---- */

static void
commit_subtransaction(int level)
{
	Mark *top = nmarks > 0 ? &marks[nmarks - 1] : NULL;

	if (top == NULL || top->level < level)
		return;
	if (level == 2 || (nmarks > 1 && marks[nmarks - 2].level == level - 1))
		nmarks--;
	else
		top->level = level - 1;
}

static void
abort_subtransaction(int level)
{
	while (nmarks > 0 && marks[nmarks - 1].level >= level)
	{
		int64 size = marks[--nmarks].size;

		pinecone_pending_index_truncate(pending_index, size);
		pinecone_pending_log_truncate(pending, size);
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (pending == NULL)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		commit_subtransaction(GetCurrentTransactionNestLevel());
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		abort_subtransaction(GetCurrentTransactionNestLevel());
}

/* ---- Commit ---- */

/* For whatever interrupts sending: how far it had come. */
static void
add_progress(void *arg)
{
	char *progress = pinecone_send_progress(arg);

	errcontext("sending pending writes to Pinecone before commit");
	if (progress)
		errcontext("%s", progress);
}

static void
send_pending(void)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone commit",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconeSend *send = pinecone_send_begin();
	ErrorContextCallback callback;

	callback.callback = add_progress;
	callback.arg = send;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	pinecone_send_log(pending, send, NULL);
	pinecone_send_finish(send);

	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

/*
 * PostgreSQL stops counting statement_timeout before it commits.  Sending may
 * take long, so it counts here.
 */
static void
send_in_time(void)
{
	bool armed = StatementTimeout > 0 && !get_timeout_active(STATEMENT_TIMEOUT);

	if (armed)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	PG_TRY();
	{
		send_pending();
	}
	PG_FINALLY();
	{
		if (armed)
			disable_timeout(STATEMENT_TIMEOUT, false);
	}
	PG_END_TRY();
}

static void
forget(void)
{
	/* memory is the transaction's */
	pending = NULL;
	pending_index = NULL;
	marks = NULL;
	nmarks = marks_size = 0;
	sending = false;
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (pending == NULL || ((event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) && arg != sender()))
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			sending = true;
			if (pinecone_pending_log_size(pending) > 0)
			{
				check_send_order();
				/* others may have altered a server or a user mapping, of which COMMIT alone would not hear */
				AcceptInvalidationMessages();
				/* PostgreSQL would find out after it has been sent */
				PreCommit_CheckForSerializationFailure();
				pinecone_commit_report(send_in_time);
			}
			pinecone_pending_log_close(pending);
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (pinecone_pending_log_size(pending) > 0)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written to a Pinecone foreign table"),
						 errhint("Commit it, or set \"write_mode\" to \"outbox\" or \"immediate\".")));
			pinecone_pending_log_close(pending);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget();
			break;
		default:
			break;
	}
}

void
pinecone_pending_init(void)
{
	loaded_first = is_loaded_first();
	RegisterXactCallback(end_transaction, &sends_last);
	RegisterXactCallback(end_transaction, &sends_first);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
