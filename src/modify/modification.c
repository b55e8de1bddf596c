/*
 * modification.c
 *		What INSERT, COPY, UPDATE, DELETE and TRUNCATE of a table have in common:
 *		they begin, write to a sink, and finish.
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"

#include "client/schema_table.h"
#include "modify/modify.h"
#include "pending/pending.h"

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
				 errhint("In a copy of the database, use another index.  If this cluster has taken over, set the option to its \"cluster_name\".")));
}

/* The log of what is not to be sent before the statement, or else the modification, ends. */
static PineconeSinkLog *
log_of(PineconeStatement *statement)
{
	return statement ? pinecone_statement_log(statement) : pinecone_sink_log_create();
}

/*
 * What the index is like.  Writes to the outbox do without, if the service does not
 * answer: what it would have refused it refuses when they are delivered.
 */
static PineconeStats *
stats_for(PineconeSession *session, const PineconeTable *table)
{
	static PineconeStats unknown = {PINECONE_METRIC_UNKNOWN};
	PineconeStats *stats = pinecone_session_stats(session, false, table->outbox);

	return stats != NULL ? stats : &unknown;
}

bool pinecone_modify_at_once = false;

/* The table, or one that is like it but for its write_mode */
static PineconeTable *
table_to_write(PineconeTable *table)
{
	PineconeTable *copy;

	if (!pinecone_modify_at_once || !table->transactional)
		return table;
	copy = palloc(sizeof(PineconeTable));
	*copy = *table;
	copy->transactional = false;
	return copy;
}

PineconeModify *
pinecone_modify_create(PineconeStatement *statement, PineconeTable *table, Oid userid,
					   CmdType operation, const Bitmapset *assigned, bool deferred)
{
	PineconeModify *modify = palloc0(sizeof(PineconeModify));

	table = table_to_write(table);
	modify->cxt = CurrentMemoryContext;
	modify->operation = operation;
	modify->statement = statement;
	modify->position = pinecone_pending_position();
	modify->table = table;
	modify->session = pinecone_session_get(table->server->serverid, userid);
	modify->stats = stats_for(modify->session, table);
	modify->table = table = pinecone_schema_table(modify->session, table);
	modify->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone row to write",
											ALLOCSET_DEFAULT_SIZES);
	refuse_other_cluster(table);
	if (table->namespace_attnum == 0)
		pinecone_modify_refuse_alias(modify, table->namespace_);
	if (operation != CMD_DELETE)
		modify->writer = pinecone_record_of_row_writer(table, modify->stats, assigned);
	modify->sink = pinecone_sink_create(table, modify->session, userid, &modify->counters,
										deferred && !table->transactional && !table->outbox ? log_of(statement) : NULL);
	return modify;
}

bool
pinecone_modify_must_replace(PineconeModify *modify, const char *namespace_)
{
	PineconePendingView *view;

	if (modify->looked_at != NULL && strcmp(modify->looked_at, namespace_) == 0)
		return modify->must_replace;
	pinecone_sink_aim(modify->sink, namespace_);
	view = pinecone_pending_view(modify->session, modify->table, namespace_, PINECONE_PENDING_ALL);
	modify->must_replace = view != NULL && pinecone_pending_has_filters(view);
	if (modify->looked_at != NULL)
		pfree(modify->looked_at);
	modify->looked_at = MemoryContextStrdup(modify->cxt, namespace_);
	return modify->must_replace;
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
	pinecone_sink_write(modify->sink, namespace_, &write);
}
