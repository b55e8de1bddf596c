/*
 * sink.c
 *		The kinds of sinks: the transaction's log, a log that is sent when the last
 *		of its sinks finishes, and straight out.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "modify/sink.h"
#include "pending/commit_send.h"
#include "pending/outbox.h"
#include "pending/pending.h"

struct PineconeSinkLog
{
	PineconePendingLog *log;
	int users;
};

typedef struct SinkKind
{
	int (*target)(PineconeSink *sink, const char *namespace_);
	void (*add)(PineconeSink *sink, const PineconeWrite *write);
	bool (*holds)(PineconeSink *sink, const char *namespace_);
	void (*finish)(PineconeSink *sink); /* NULL: the transaction does */
} SinkKind;

struct PineconeSink
{
	const SinkKind *kind;
	MemoryContext cxt;
	PineconeTable *table;
	PineconeSession *session;
	PineconeAuthor author;
	PineconeCounters *counters;
	PineconeSinkLog *log; /* or NULL */
	PineconeSend *send;	  /* or NULL */
	bool finished;

	/* What it is aimed at */
	int target;
	char *namespace_; /* or NULL */

	/* Rows that are not writes yet */
	void (*flush)(void *arg);
	void *flush_arg;
};

/* ---- The transaction's log ---- */

static int
transaction_target(PineconeSink *sink, const char *namespace_)
{
	return pinecone_pending_target(sink->session, &sink->author, sink->table, namespace_);
}

static void
transaction_add(PineconeSink *sink, const PineconeWrite *write)
{
	pinecone_pending_add(sink->target, write);
}

static bool
transaction_holds(PineconeSink *sink, const char *namespace_)
{
	return pinecone_pending_waits(sink->session, namespace_);
}

/* ---- The outbox ---- */

/* A write queued now is delivered after the commit, and so after one that this transaction sends then. */
static int
outbox_target(PineconeSink *sink, const char *namespace_)
{
	if (pinecone_pending_waits(sink->session, namespace_))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write through foreign table \"%s\" while earlier writes wait for the commit",
						sink->table->name),
				 errdetail("Its \"write_mode\" is \"outbox\", but this transaction has written to namespace \"%s\" with \"transactional\".",
						   namespace_),
				 errhint("Commit first, or write in one mode.")));
	return 0;
}

static void
outbox_add(PineconeSink *sink, const PineconeWrite *write)
{
	pinecone_outbox_add(sink->table->relid, sink->author.userid, sink->namespace_, write, NULL);
}

/* A filter would be carried out later, on other records: they are written one by one. */
static bool
outbox_holds(PineconeSink *sink, const char *namespace_)
{
	return true;
}

/* ---- What is sent before the transaction ends ---- */

/* A write sent now would come before those that wait, though it was made later. */
static void
refuse_to_overtake(PineconeSink *sink, const char *namespace_)
{
	if (pinecone_pending_waits(sink->session, namespace_))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write through foreign table \"%s\" while earlier writes wait for the commit",
						sink->table->name),
				 errdetail("Its \"write_mode\" is \"immediate\", but this transaction has written to namespace \"%s\" with \"transactional\".",
						   namespace_),
				 errhint("Commit first, or write in one mode.")));
}

/* For whatever interrupts sending: how far it had come. */
static void
add_progress(void *arg)
{
	PineconeSink *sink = arg;
	char *progress = pinecone_send_progress(sink->send);

	errcontext("writing to foreign table \"%s\"", sink->table->name);
	if (progress)
		errcontext("%s", progress);
}

static void
push_progress(PineconeSink *sink, ErrorContextCallback *callback)
{
	callback->callback = add_progress;
	callback->arg = sink;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

static void
pop_progress(ErrorContextCallback *callback)
{
	error_context_stack = callback->previous;
}

/* ---- A log ---- */

PineconeSinkLog *
pinecone_sink_log_create(void)
{
	PineconeSinkLog *log = palloc0(sizeof(PineconeSinkLog));

	log->log = pinecone_pending_log_create(CurrentResourceOwner);
	return log;
}

static int
log_target(PineconeSink *sink, const char *namespace_)
{
	refuse_to_overtake(sink, namespace_);
	return pinecone_pending_log_target(sink->log->log, sink->session, &sink->author, namespace_,
									   sink->table->batch_size, sink->table->write_concurrency);
}

static void
log_add(PineconeSink *sink, const PineconeWrite *write)
{
	pinecone_pending_log_add(sink->log->log, sink->target, write);
}

static bool
log_holds(PineconeSink *sink, const char *namespace_)
{
	return pinecone_pending_log_place(sink->log->log, sink->session, namespace_) >= 0;
}

static void
log_finish(PineconeSink *sink)
{
	ErrorContextCallback callback;

	if (--sink->log->users > 0)
		return;
	push_progress(sink, &callback);
	pinecone_send_log(sink->log->log, sink->send, sink->counters);
	pinecone_pending_log_close(sink->log->log);
	pinecone_send_finish(sink->send);
	pop_progress(&callback);
}

/* ---- Straight out ---- */

static int
out_target(PineconeSink *sink, const char *namespace_)
{
	refuse_to_overtake(sink, namespace_);
	return pinecone_send_target(sink->send, sink->session, sink->author.runner, sink->counters, namespace_,
								sink->table->batch_size, sink->table->write_concurrency);
}

static void
out_add(PineconeSink *sink, const PineconeWrite *write)
{
	ErrorContextCallback callback;

	push_progress(sink, &callback);
	pinecone_send_add(sink->send, sink->target, write);
	pop_progress(&callback);
}

/* What is on its way is not held back. */
static bool
out_holds(PineconeSink *sink, const char *namespace_)
{
	return false;
}

static void
out_finish(PineconeSink *sink)
{
	ErrorContextCallback callback;

	push_progress(sink, &callback);
	pinecone_send_finish(sink->send);
	pop_progress(&callback);
}

/* ---- Sinks ---- */

static const SinkKind transaction_kind = {transaction_target, transaction_add, transaction_holds, NULL};
static const SinkKind outbox_kind = {outbox_target, outbox_add, outbox_holds, NULL};
static const SinkKind log_kind = {log_target, log_add, log_holds, log_finish};
static const SinkKind out_kind = {out_target, out_add, out_holds, out_finish};

PineconeSink *
pinecone_sink_create(PineconeTable *table, PineconeSession *session, Oid userid, PineconeCounters *counters,
					 PineconeSinkLog *log)
{
	PineconeSink *sink = palloc0(sizeof(PineconeSink));

	sink->kind = table->transactional ? &transaction_kind : table->outbox ? &outbox_kind :
														log				  ? &log_kind :
																			&out_kind;
	sink->cxt = CurrentMemoryContext;
	sink->table = table;
	sink->session = session;
	sink->author = (PineconeAuthor){.userid = userid, .runner = GetUserId()};
	sink->counters = counters;
	if (table->transactional || table->outbox)
		return sink;
	sink->send = pinecone_send_begin();
	sink->log = log;
	if (log)
		log->users++;
	return sink;
}

void
pinecone_sink_aim(PineconeSink *sink, const char *namespace_)
{
	if (sink->namespace_ != NULL && strcmp(sink->namespace_, namespace_) == 0)
		return;
	sink->target = sink->kind->target(sink, namespace_);
	if (sink->namespace_ != NULL)
		pfree(sink->namespace_);
	sink->namespace_ = MemoryContextStrdup(sink->cxt, namespace_);
}

void
pinecone_sink_write(PineconeSink *sink, const char *namespace_, const PineconeWrite *write)
{
	pinecone_sink_aim(sink, namespace_);
	sink->kind->add(sink, write);
}

bool
pinecone_sink_holds(PineconeSink *sink, const char *namespace_)
{
	return sink->kind->holds(sink, namespace_);
}

void
pinecone_sink_set_flush(PineconeSink *sink, void (*flush)(void *arg), void *arg)
{
	sink->flush = flush;
	sink->flush_arg = arg;
}

void
pinecone_sink_flush(PineconeSink *sink)
{
	if (sink->flush)
		sink->flush(sink->flush_arg);
}

void
pinecone_sink_finish(PineconeSink *sink)
{
	if (sink->finished || sink->kind->finish == NULL)
		return;
	sink->kind->finish(sink);
	pinecone_send_end(sink->send);
	sink->send = NULL;
	sink->finished = true;
}
