/*
 * session.c
 *		What a backend remembers about one server as one user.
 *
 * Sessions are kept by user mapping until the backend ends.  A change of the
 * catalog marks them stale: a new statement gets a new session, and the old one
 * goes when nothing uses it any more.  So an open cursor reads on where it began.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "base/setting.h"
#include "client/call.h"
#include "client/hosts.h"
#include "client/idle.h"
#include "client/learned.h"
#include "client/session.h"

typedef struct SessionEntry
{
	Oid mapping;				  /* the hash key */
	PineconeSession *sessions[2]; /* one that writes; one that only reads, if the server has several hosts */
} SessionEntry;

static HTAB *sessions = NULL;

/* Sessions that were replaced while in use. */
static PineconeSession *former_sessions = NULL;
static bool any_stale = false;

/* ---- Sessions ---- */

static void
invalidate_sessions(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	SessionEntry *entry;

	if (sessions == NULL)
		return;
	hash_seq_init(&status, sessions);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		for (int i = 0; i < lengthof(entry->sessions); i++)
		{
			PineconeSession *session = entry->sessions[i];

			if (session != NULL &&
				(hashvalue == 0 ||
				 hashvalue == (cacheid == FOREIGNSERVEROID ? session->server_hash :
															 session->mapping_hash)))
				session->stale = any_stale = true;
		}
	}
}

/* Has a session no calls but its own? */
static bool
session_is_unused(PineconeSession *session)
{
	PineconeFailover *failover = session->failover;
	int own = (session->resolver != NULL) + (session->stats_call != NULL);

	if (failover != NULL)
		own += (failover->probe != NULL) + (failover->lister != NULL);
	return session->calls == own;
}

/* Free a session unless it is in use. */
static bool
free_session(PineconeSession *session)
{
	if (!session_is_unused(session))
		return false;
	pinecone_session_drop_stats_call(session);
	MemoryContextDelete(session->cxt);
	return true;
}

/*
 * At a transaction's end no statement holds a pointer to a session.  The calls
 * of a failed one may still be there; then the next transaction's end will do.
 */
static void
sweep_sessions(XactEvent event, void *arg)
{
	PineconeSession **link = &former_sessions;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (pinecone_idle_begin())
		pinecone_http_rest();
	while (*link != NULL)
	{
		PineconeSession *session = *link;
		PineconeSession *next = session->next;

		if (free_session(session))
			*link = next;
		else
			link = &session->next;
	}
	if (any_stale)
	{
		HASH_SEQ_STATUS status;
		SessionEntry *entry;

		any_stale = false;
		hash_seq_init(&status, sessions);
		while ((entry = hash_seq_search(&status)) != NULL)
		{
			for (int i = 0; i < lengthof(entry->sessions); i++)
			{
				PineconeSession *session = entry->sessions[i];

				if (session != NULL && session->stale && free_session(session))
					entry->sessions[i] = NULL;
				else if (session != NULL && session->stale)
					any_stale = true;
			}
			if (entry->sessions[0] == NULL && entry->sessions[1] == NULL)
				(void) hash_search(sessions, &entry->mapping, HASH_REMOVE, NULL);
		}
	}
}

/* There are none before everything that they need is there. */
static void
create_sessions(void)
{
	HASHCTL ctl = {0};
	HTAB *created;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(SessionEntry);
	created = hash_create("pinecone sessions", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate_sessions, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, invalidate_sessions, (Datum) 0);
	RegisterXactCallback(sweep_sessions, NULL);
	sessions = created;
}

static void
drop_finished(PineconeCall **call)
{
	if (*call != NULL && pinecone_call_finished(*call))
	{
		MemoryContextDelete((*call)->cxt);
		*call = NULL;
	}
}

/* What an earlier statement was told of the index may not hold any more. */
static void
drop_answers(PineconeSession *session)
{
	drop_finished(&session->resolver);
	if (session->failover != NULL)
		drop_finished(&session->failover->lister);
}

static PineconeSession *
create_session(UserMapping *mapping, bool reads)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone session",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconeSession *session = palloc0(sizeof(PineconeSession));

	session->cxt = cxt;
	session->mapping = mapping->umid;
	session->serverid = mapping->serverid;
	session->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID,
												 ObjectIdGetDatum(mapping->serverid));
	session->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID,
												  ObjectIdGetDatum(mapping->umid));
	session->hosts_changes = pinecone_hosts_changes;
	session->options = pinecone_option_server(mapping->serverid);
	session->failover = pinecone_hosts_create(session->options, reads || session->options->failover_writes);
	session->allowance = session->options->max_concurrency;
	session->turns = pinecone_governor_create();
	session->schema_cxt = AllocSetContextCreate(cxt, "pinecone index schema", ALLOCSET_SMALL_SIZES);
	session->stats_cxt = AllocSetContextCreate(cxt, "pinecone index stats", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(cxt, TopMemoryContext);
	return session;
}

/* That of an entry, made if it is not there or is not good any more. */
static PineconeSession *
current_session(PineconeSession **place, UserMapping *mapping, bool reads)
{
	PineconeSession *session;

	/* the host that it knows may not be allowed any more */
	if (*place != NULL && (*place)->hosts_changes != pinecone_hosts_changes)
		(*place)->stale = true;
	if (*place != NULL && (*place)->stale)
	{
		pinecone_session_drop_stats_call(*place);
		(*place)->next = former_sessions;
		former_sessions = *place;
		*place = NULL;
	}
	if (*place == NULL)
		*place = create_session(mapping, reads);
	session = *place;
	drop_answers(session);
	return session;
}

static SessionEntry *
entry_of(UserMapping *mapping)
{
	SessionEntry *entry;
	bool found;

	if (sessions == NULL)
		create_sessions();
	entry = hash_search(sessions, &mapping->umid, HASH_ENTER, &found);
	if (!found)
		memset(entry->sessions, 0, sizeof(entry->sessions));
	return entry;
}

PineconeSession *
pinecone_session_get_project(Oid serverid, Oid userid)
{
	UserMapping *mapping = GetUserMapping(userid, serverid);

	return current_session(&entry_of(mapping)->sessions[0], mapping, false);
}

PineconeSession *
pinecone_session_get(Oid serverid, Oid userid)
{
	PineconeSession *session = pinecone_session_get_project(serverid, userid);

	if (session->options->host == NULL && session->options->index == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("server \"%s\" has neither a \"host\" nor an \"index\" option",
						session->options->servername),
				 errhint("Set one of them with ALTER SERVER.")));
	return session;
}

PineconeSession *
pinecone_session_get_reading(Oid serverid, Oid userid)
{
	PineconeSession *session = pinecone_session_get(serverid, userid);
	UserMapping *mapping;

	if (session->failover == NULL || session->failover->n == 1 || session->failover->roams)
		return session;
	mapping = GetUserMapping(userid, serverid);
	return current_session(&entry_of(mapping)->sessions[1], mapping, true);
}

int
pinecone_session_top_k(const PineconeSession *session)
{
	return session->max_top_k > 0 ? Min(session->max_top_k, PINECONE_MAX_TOP_K) : PINECONE_MAX_TOP_K;
}

List *
pinecone_session_all(void)
{
	HASH_SEQ_STATUS status;
	SessionEntry *entry;
	List *list = NIL;

	if (sessions == NULL)
		return NIL;
	hash_seq_init(&status, sessions);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		for (int i = 0; i < lengthof(entry->sessions); i++)
		{
			if (entry->sessions[i] != NULL)
				list = lappend(list, entry->sessions[i]);
		}
	}
	return list;
}

/* ---- Forgetting ---- */

static bool
is_of_index(const PineconeSession *session, const char *control_host, const char *index,
			const char *base_url)
{
	const PineconeServerOptions *options = session->options;

	if (index != NULL && options->index != NULL && strcmp(options->index, index) == 0 &&
		strcmp(options->control_host, control_host) == 0)
		return true;
	return base_url != NULL && session->base_url != NULL && strcmp(session->base_url, base_url) == 0;
}

void
pinecone_session_forget_index(const char *control_host, const char *index, const char *base_url)
{
	ListCell *lc;

	if (sessions == NULL)
		return;
	foreach(lc, pinecone_session_all())
	{
		PineconeSession *session = lfirst(lc);

		if (session->stale || !is_of_index(session, control_host, index, base_url))
			continue;
		/* what cannot be read under a key is not kept under it either */
		if (pinecone_option_api_key(session->mapping, true) != NULL)
		{
			pinecone_learned_drop(session, PINECONE_LEARNED_PLACE);
			pinecone_learned_drop(session, PINECONE_LEARNED_STATS);
		}
		session->stale = any_stale = true;
	}
	ResetPlanCache();
}
