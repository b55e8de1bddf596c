/*
 * statement.c
 *		What the sinks of one statement have in common.
 *
 * A statement with data-modifying WITH queries, or on a partitioned table, has
 * several sinks, which finish in no particular order.  What has to wait for the
 * last of them goes to a single log.
 */
#include "postgres.h"

#include "executor/executor.h"

#include "base/idset.h"
#include "base/per_statement.h"
#include "modify/statement.h"

struct PineconeStatement
{
	PineconePerStatement statement;
	EState *estate;
	List *sinks;
	bool finishing;
	struct idset_hash *inserted; /* or NULL */
	PineconeSinkLog *log;		 /* or NULL */
};

static dlist_head statements = DLIST_STATIC_INIT(statements);

PineconeStatement *
pinecone_statement_of(EState *estate)
{
	PineconeStatement *statement = pinecone_per_statement_of(&statements, estate->es_query_cxt, sizeof(PineconeStatement));

	statement->estate = estate;
	return statement;
}

void
pinecone_statement_add(PineconeStatement *statement, PineconeSink *sink)
{
	MemoryContext old = MemoryContextSwitchTo(statement->estate->es_query_cxt);

	statement->sinks = lappend(statement->sinks, sink);
	MemoryContextSwitchTo(old);
}

void
pinecone_statement_remove(PineconeStatement *statement, PineconeSink *sink)
{
	statement->sinks = list_delete_ptr(statement->sinks, sink);
}

bool
pinecone_statement_is_finishing(const PineconeStatement *statement)
{
	return statement->finishing;
}

void
pinecone_statement_set_finishing(PineconeStatement *statement)
{
	statement->finishing = true;
}

/* A line break is in no namespace. */
static char *
insert_key(Oid serverid, const char *namespace_, const char *id)
{
	return psprintf("%u\n%s\n%s", serverid, namespace_, id);
}

void
pinecone_statement_note_insert(PineconeStatement *statement, Oid serverid,
							   const char *namespace_, const char *id)
{
	EState *estate = statement->estate;
	MemoryContext old;
	char *key;
	bool found;

	if (estate->es_auxmodifytables == NIL)
		return;
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	if (statement->inserted == NULL)
		statement->inserted = idset_create(estate->es_query_cxt, 1024, NULL);
	key = insert_key(serverid, namespace_, id);
	(void) idset_insert(statement->inserted, key, &found);
	if (found)
		pfree(key);
	MemoryContextSwitchTo(old);
}

bool
pinecone_statement_has_inserted(const PineconeStatement *statement, Oid serverid,
								const char *namespace_, const char *id)
{
	char *key;
	bool found;

	if (statement == NULL || statement->inserted == NULL)
		return false;
	key = insert_key(serverid, namespace_, id);
	found = idset_lookup(statement->inserted, key) != NULL;
	pfree(key);
	return found;
}

PineconeSinkLog *
pinecone_statement_log(PineconeStatement *statement)
{
	if (statement->log == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(statement->estate->es_query_cxt);

		statement->log = pinecone_sink_log_create();
		MemoryContextSwitchTo(old);
	}
	return statement->log;
}

/*
 * All rows have been read, but for WITH queries that nobody reads, which are
 * yet to run.  What triggers look at must have been written.
 */
void
pinecone_statement_before_triggers(EState *estate)
{
	PineconeStatement *statement = pinecone_per_statement_find(&statements, estate->es_query_cxt);
	ListCell *lc;

	if (statement == NULL)
		return;
	statement->finishing = true;
	foreach(lc, statement->sinks)
		pinecone_sink_flush(lfirst(lc));
	if (estate->es_auxmodifytables != NIL)
		return;
	foreach(lc, statement->sinks)
		pinecone_sink_finish(lfirst(lc));
}
