/*
 * way.c
 *		How writes to a table get to the service as a user, if at all.
 *
 * A table or user that is gone refuses them for good.  What an administrator can
 * mend, as a user mapping that is missing, holds them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "base/ours.h"
#include "client/budget.h"
#include "outbox/round.h"

void
pinecone_scope_fail(PineconeScope *scope, const char *reason)
{
	scope->held = true;
	if (scope->error == NULL)
		scope->error = MemoryContextStrdup(GetMemoryChunkContext(scope), reason);
}

/* What the catalogs and options say; raises an error where they make no sense. */
static void
look_up(PineconeWay *way)
{
	/* no lock: a transaction that alters the table may take as long as it likes */
	PineconeTable *table = pinecone_option_read_writing(way->relid);
	const char *wanted = table->server->write_cluster;

	way->batch_size = table->batch_size;
	way->concurrency = table->write_concurrency;
	if (wanted != NULL && strcmp(wanted, GetConfigOption("cluster_name", false, false)) != 0)
		ereport(ERROR,
				(errmsg("server \"%s\" is not written to from this cluster", table->server->servername)));
	if (way->scope->session == NULL)
	{
		way->scope->session = pinecone_session_get(way->scope->serverid, way->userid);
		/* what kind of index it is decides what is sent */
		pinecone_session_wait_place(way->scope->session);
		/* what is used up now is not to end the round half way, each time anew */
		pinecone_budget_check(way->scope->session);
	}
}

/* An error is the scope's. */
static void
look_up_safely(PineconeRound *round, PineconeWay *way)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(round->cxt);
	PG_TRY();
	{
		look_up(way);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(round->cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		pinecone_scope_fail(way->scope, error->message);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	CurrentResourceOwner = owner;
}

static PineconeScope *
get_scope(PineconeRound *round, Oid serverid, Oid userid)
{
	PineconeScope *scope;

	for (scope = round->scopes; scope != NULL; scope = scope->next)
	{
		if (scope->serverid == serverid && scope->userid == userid)
			return scope;
	}
	scope = MemoryContextAllocZero(round->cxt, sizeof(PineconeScope));
	scope->serverid = serverid;
	scope->userid = userid;
	scope->servername = MemoryContextStrdup(round->cxt, GetForeignServer(serverid)->servername);
	scope->next = round->scopes;
	round->scopes = scope;
	pinecone_round_read_state(round, scope);
	return scope;
}

static const char *
refusal_of(const PineconeWay *way)
{
	if (!OidIsValid(pinecone_outbox_server(way->relid)))
		return "the foreign table has been dropped";
	if (!pinecone_ours_is(GetFdwRoutineByRelId(way->relid)))
		return "the foreign table is not one of Pinecone";
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(way->userid)))
		return "the role that has written it has been dropped";
	return NULL;
}

PineconeWay *
pinecone_round_way(PineconeRound *round, Oid relid, Oid userid)
{
	PineconeWay *way;

	for (way = round->ways; way != NULL; way = way->next)
	{
		if (way->relid == relid && way->userid == userid)
			return way;
	}
	way = MemoryContextAllocZero(round->cxt, sizeof(PineconeWay));
	way->relid = relid;
	way->userid = userid;
	way->refusal = refusal_of(way);
	if (OidIsValid(pinecone_outbox_server(relid)))
		way->scope = get_scope(round, pinecone_outbox_server(relid), userid);
	if (way->refusal == NULL && !way->scope->held)
		look_up_safely(round, way);
	way->next = round->ways;
	round->ways = way;
	return way;
}
