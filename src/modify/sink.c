/*
 * sink.c
 *		Where the writes of a statement go: to which namespace, and whether to
 *		the transaction's log, to the end of the statement, or out.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "client/alias.h"
#include "modify/modify.h"
#include "pending/send_log.h"

/* ---- Where writes go ---- */

void
pinecone_modify_refuse_alias(PineconeModify *modify, const char *namespace_)
{
	char *target;

	if (modify->writable != NULL && strcmp(modify->writable, namespace_) == 0)
		return;
	target = pinecone_alias_target(modify->session, namespace_, true);
	if (target != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("cannot write to \"%s\" through foreign table \"%s\"", namespace_,
						modify->table->name),
				 target[0] ? errdetail("It is an alias of namespace \"%s\".", target) :
							 errdetail("It is an alias of the default namespace."),
				 errhint("Write through a table of that namespace.")));
	if (modify->writable != NULL)
		pfree(modify->writable);
	modify->writable = MemoryContextStrdup(modify->cxt, namespace_);
}

/*
 * A copy of a database has the servers and keys of the original, and would write
 * to the same index.
 */
static void
refuse_other_cluster(const PineconeTable *table)
{
	const char *wanted = table->server->write_cluster;
	const char *name = GetConfigOption("cluster_name", false, false);

	if (wanted != NULL && strcmp(wanted, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" is not written to from this cluster", table->name),
				 errdetail("Option \"write_cluster\" of server \"%s\" is \"%s\", the setting \"cluster_name\" is \"%s\".",
						   table->server->servername, wanted, name),
				 errhint("In a copy of the database, use another index.")));
}

PineconeModify *
pinecone_modify_create(PineconeStatement *statement, PineconeTable *table, Oid userid,
					   CmdType operation, const Bitmapset *assigned, bool deferred)
{
	PineconeModify *modify = palloc0(sizeof(PineconeModify));

	modify->cxt = CurrentMemoryContext;
	modify->operation = operation;
	modify->statement = statement;
	modify->position = pinecone_pending_position();
	modify->table = table;
	modify->session = pinecone_session_get(table->server->serverid, userid);
	modify->stats = pinecone_session_stats(modify->session, false, false);
	if (modify->session->schema != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write to foreign table \"%s\"", table->name),
				 errdetail("Its index is one of documents, which this version only reads.")));
	modify->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone row to write",
											ALLOCSET_DEFAULT_SIZES);
	refuse_other_cluster(table);
	if (table->namespace_attnum == 0)
		pinecone_modify_refuse_alias(modify, table->namespace_);
	if (operation != CMD_DELETE)
		modify->writer = pinecone_convert_writer(table, modify->stats, assigned);
	if (!table->transactional)
	{
		modify->send = pinecone_send_begin();
		if (deferred)
			modify->log = statement ? pinecone_statement_log(statement) :
									  pinecone_pending_log_create(CurrentResourceOwner);
	}
	return modify;
}

/* A write sent now would come before those that wait, though it was made later. */
static void
refuse_to_overtake(PineconeModify *modify, const char *namespace_)
{
	if (pinecone_pending_waits(modify->session, namespace_))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write through foreign table \"%s\" while earlier writes wait for the commit",
						modify->table->name),
				 errdetail("Its \"write_mode\" is \"immediate\", but this transaction has written to namespace \"%s\" with \"transactional\".",
						   namespace_),
				 errhint("Commit first, or write in one mode.")));
}

static void
choose_target(PineconeModify *modify, const char *namespace_)
{
	PineconeTable *table = modify->table;
	PineconePendingView *view;

	if (modify->target_namespace != NULL && strcmp(modify->target_namespace, namespace_) == 0)
		return;
	if (!table->transactional)
		refuse_to_overtake(modify, namespace_);
	if (table->transactional)
		modify->target = pinecone_pending_target(modify->session, table, namespace_);
	else if (modify->log)
		modify->target = pinecone_pending_log_target(modify->log, modify->session, namespace_,
													 table->batch_size, table->write_concurrency);
	else
		modify->target = pinecone_send_target(modify->send, modify->session, &modify->counters,
											  namespace_, table->batch_size,
											  table->write_concurrency);
	if (modify->target_namespace != NULL)
		pfree(modify->target_namespace);
	modify->target_namespace = MemoryContextStrdup(modify->cxt, namespace_);
	if (modify->operation == CMD_UPDATE)
	{
		view = pinecone_pending_view(modify->session, namespace_, PINECONE_PENDING_ALL);
		modify->must_replace = view != NULL && pinecone_pending_has_filters(view);
	}
}

bool
pinecone_modify_must_replace(PineconeModify *modify, const char *namespace_)
{
	choose_target(modify, namespace_);
	return modify->must_replace;
}

/* For whatever interrupts sending: how far it had come. */
static void
add_progress(void *arg)
{
	PineconeModify *modify = arg;
	char *progress = pinecone_send_progress(modify->send);

	errcontext("writing to foreign table \"%s\"", modify->table->name);
	if (progress)
		errcontext("%s", progress);
}

void
pinecone_modify_write(PineconeModify *modify, const char *namespace_, const PineconeWrite *write)
{
	ErrorContextCallback callback;

	choose_target(modify, namespace_);
	if (modify->table->transactional)
		pinecone_pending_add(modify->target, write);
	else if (modify->log)
		pinecone_pending_log_add(modify->log, modify->target, write);
	else
	{
		callback.callback = add_progress;
		callback.arg = modify;
		callback.previous = error_context_stack;
		error_context_stack = &callback;
		pinecone_send_add(modify->send, modify->target, write);
		error_context_stack = callback.previous;
	}
}

/* Delete a record, unless it is a new one by now. */
void
pinecone_modify_delete(PineconeModify *modify, const char *namespace_, char *id)
{
	PineconeWrite write = {PINECONE_WRITE_DELETE};

	if (pinecone_statement_has_inserted(modify->statement, modify->session->serverid, namespace_, id))
		return;
	write.record.id = id;
	write.record.idlen = strlen(id);
	pinecone_modify_write(modify, namespace_, &write);
}

void
pinecone_modify_finish(PineconeModify *modify)
{
	ErrorContextCallback callback;

	if (modify->send == NULL)
		return;
	callback.callback = add_progress;
	callback.arg = modify;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	if (modify->log && (modify->statement == NULL ||
						pinecone_statement_release_log(modify->statement)))
	{
		pinecone_send_log(modify->log, modify->send, &modify->counters);
		pinecone_pending_log_close(modify->log);
	}
	pinecone_send_finish(modify->send);
	pinecone_send_end(modify->send);
	modify->send = NULL;
	modify->log = NULL;
	error_context_stack = callback.previous;
}

/* ---- Namespaces ---- */

static void
refuse_namespace(PineconeModify *modify, const char *name, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot write to namespace \"%s\" through foreign table \"%s\"", name,
					modify->table->name),
			 errdetail("%s", reason)));
}

/* The namespace that a value of the namespace column names. */
const char *
pinecone_modify_namespace_of_value(PineconeModify *modify, Datum value, bool isnull)
{
	PineconeTable *table = modify->table;
	const char *name;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of foreign table \"%s\"",
						table->columns[table->namespace_attnum - 1].name, table->name),
				 errdetail("It tells the namespace of a record; the default one is \"\".")));
	name = TextDatumGetCString(value);
	if (!pinecone_option_namespace_is_valid(name))
		refuse_namespace(modify, name, "Names of namespaces are ASCII, at most 512 characters long.");
	name = pinecone_option_plain_namespace(name);
	if (!pinecone_option_has_namespace(table, name))
		refuse_namespace(modify, name, "It is not among those of the table's option \"namespaces\".");
	pinecone_modify_refuse_alias(modify, name);
	return name;
}

const char *
pinecone_modify_namespace_of_row(PineconeModify *modify, const Datum *values, const bool *isnull)
{
	int n = modify->table->namespace_attnum - 1;

	if (n < 0)
		return modify->table->namespace_;
	return pinecone_modify_namespace_of_value(modify, values[n], isnull[n]);
}
