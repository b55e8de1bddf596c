/*
 * session.c
 *		What a backend remembers about one server as one user.
 *
 * Sessions are kept by user mapping until the backend ends.  A change of the
 * catalog marks them stale: a new statement gets a new session, and the old one
 * goes when nothing uses it any more.  So an open cursor reads on where it began.
 *
 * An index name is resolved by asking the control plane, in the background like
 * any other call, and again when the index is no longer where it was.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "access/xact.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/setting.h"
#include "client/alias.h"
#include "client/call.h"
#include "client/idle.h"
#include "client/session.h"
#include "wire/message.h"

/* Do not ask where an index is more often than this. */
#define RESOLVE_INTERVAL_MS 100

typedef struct SessionEntry
{
	Oid mapping; /* the hash key */
	PineconeSession *session;
} SessionEntry;

static HTAB *sessions = NULL;

/* Sessions that were replaced while in use. */
static PineconeSession *former_sessions = NULL;
static bool any_stale = false;

/* ---- Which hosts may be talked to ---- */

/* The host name or address in a URL, without port and brackets. */
static char *
host_in_url(const char *url)
{
	const char *start = strstr(url, "://");
	const char *end;

	start = start ? start + 3 : url;
	if (*start == '[')
	{
		start++;
		end = strchr(start, ']');
		return end ? pnstrdup(start, end - start) : pstrdup(start);
	}
	return pnstrdup(start, strcspn(start, ":/?#"));
}

static bool
host_is_loopback(const char *host)
{
	struct in_addr address;

	if (pg_strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* Does a host match one of the patterns "name" or "*.suffix"? */
static bool
host_matches(const char *host, const char *patterns)
{
	char *copy = pstrdup(patterns ? patterns : "");
	char *save = NULL;

	for (char *pattern = strtok_r(copy, ", \t", &save); pattern;
		 pattern = strtok_r(NULL, ", \t", &save))
	{
		size_t plen = strlen(pattern);
		size_t hlen = strlen(host);

		if (strcmp(pattern, "*") == 0 || pg_strcasecmp(pattern, host) == 0)
			return true;
		if (pattern[0] == '*' && pattern[1] == '.' && hlen >= plen &&
			pg_strcasecmp(host + hlen - (plen - 1), pattern + 1) == 0)
			return true;
	}
	return false;
}

static PineconeProblem *
refuse_host(char *message, const char *remedy)
{
	PineconeProblem *problem = palloc0(sizeof(PineconeProblem));

	problem->host_refused = true;
	problem->message = message;
	problem->remedy = remedy;
	return problem;
}

/*
 * A host option or a host from the control plane as a base URL.  Returns NULL
 * with *refused set when the key may not be sent there.
 */
static char *
make_base_url(const char *host, PineconeProblem **refused)
{
	char *name = host_in_url(host);
	bool plain = pg_strncasecmp(host, "http://", 7) == 0;
	bool local = host_is_loopback(name) && pinecone_allow_loopback;

	if (!local && !host_matches(name, pinecone_allowed_hosts))
	{
		*refused = refuse_host(psprintf("host \"%s\" may not be sent an API key", name),
							   host_is_loopback(name) ? "A superuser can allow it with pinecone_fdw.allow_loopback or pinecone_fdw.allowed_hosts." :
														"A superuser can allow it with pinecone_fdw.allowed_hosts.");
		return NULL;
	}
	if (plain && !local && !host_matches(name, pinecone_allow_http_hosts))
	{
		*refused = refuse_host(psprintf("host \"%s\" may not be talked to without TLS", name),
							   "Write https:// before the host, or nothing; a superuser can allow plain HTTP with pinecone_fdw.allow_http_hosts.");
		return NULL;
	}
	return psprintf("%s://%s", plain ? "http" : "https",
					strstr(host, "://") ? strstr(host, "://") + 3 : host);
}

/* ---- Where the index is ---- */

static void
set_base_url(PineconeSession *session, const char *host, PineconeProblem **problem)
{
	char *url = make_base_url(host, problem);

	if (url == NULL)
		return;
	if (session->former_url != NULL && strcmp(session->former_url, url) != 0)
		session->location++;
	if (session->former_url)
		pfree(session->former_url);
	session->former_url = NULL;
	session->base_url = MemoryContextStrdup(session->cxt, url);

	/* the documented limits are those of the service, not of a local server */
	session->paced = session->options->rates.given || !host_is_loopback(host_in_url(url));
}

/* The control plane has answered where the index is; if that cannot be read, it is asked again. */
static void
take_resolved(PineconeSession *session, PineconeProblem **problem)
{
	PineconeCall *call = session->resolver;
	char *host = NULL;
	char *state = NULL;
	bool ready = false;
	const char *reason = NULL;

	if (call->state == PINECONE_CALL_SUCCEEDED &&
		!pinecone_message_decode_index(call->exchange->body, call->exchange->body_len,
									   &host, &ready, &state, &reason) &&
		pinecone_call_reject(call, reason))
		return;
	if (call->state == PINECONE_CALL_FAILED)
	{
		call->problem.operation = call->operation;
		*problem = &call->problem;
		return;
	}
	if (host == NULL || host[0] == '\0')
	{
		*problem = palloc0(sizeof(PineconeProblem));
		(*problem)->outcome = PINECONE_HTTP_ANSWERED;
		(*problem)->status = 503;
		(*problem)->message = psprintf("index \"%s\" is not ready: %s", session->options->index,
									   state ? state : "no host yet");
		(*problem)->operation = call->operation;
		return;
	}
	/* nothing that we and libcurl might read differently */
	if (!pinecone_option_host_is_valid(host))
	{
		*problem = palloc0(sizeof(PineconeProblem));
		(*problem)->outcome = PINECONE_HTTP_ANSWERED;
		(*problem)->status = 200;
		(*problem)->invalid = "the index description holds an invalid host";
		(*problem)->operation = call->operation;
		return;
	}
	session->resolved_at = pinecone_clock_now();
	set_base_url(session, host, problem);
}

static void
start_resolver(PineconeSession *session, const char *control_url)
{
	PineconeCall *call = pinecone_call_create(session, NULL, "describe index", "GET");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfo(&path, "%s/indexes/", control_url);
	pinecone_message_append_encoded(&path, session->options->index);
	call->url = path.data;
	call->path = path.data + strlen(control_url);
	call->control_plane = true;
	MemoryContextSwitchTo(old);

	/* may raise an error: the session's only when it has started */
	pinecone_call_start(call);
	MemoryContextSetParent(call->cxt, session->cxt);
	session->resolver = call;
}

bool
pinecone_session_locate(PineconeSession *session, PineconeProblem **problem)
{
	if (session->base_url != NULL)
		return true;
	if (session->options->index == NULL)
	{
		set_base_url(session, session->options->host, problem);
		return session->base_url != NULL;
	}
	if (session->resolver == NULL)
	{
		char *control_url = make_base_url(session->options->control_host, problem);

		if (control_url != NULL)
			start_resolver(session, control_url);
		return false;
	}
	if (!pinecone_call_finished(session->resolver))
		return false;

	take_resolved(session, problem);
	if (session->base_url != NULL)
	{
		MemoryContextDelete(session->resolver->cxt);
		session->resolver = NULL;
	}
	return session->base_url != NULL;
}

bool
pinecone_session_forget_host(PineconeSession *session, int location)
{
	if (session->options->index == NULL)
		return false;
	if (session->base_url == NULL || session->location != location)
		return true;
	if (!pinecone_clock_passed(session->resolved_at, RESOLVE_INTERVAL_MS))
		return false;
	session->former_url = session->base_url;
	session->base_url = NULL;
	return true;
}

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
		PineconeSession *session = entry->session;

		if (session != NULL &&
			(hashvalue == 0 ||
			 hashvalue == (cacheid == FOREIGNSERVEROID ? session->server_hash :
														 session->mapping_hash)))
			session->stale = any_stale = true;
	}
}

/* Has a session no calls but its own? */
static bool
session_is_unused(PineconeSession *session)
{
	return session->calls == (session->resolver != NULL) + (session->stats_call != NULL);
}

/* What was asked of the index ahead is not wanted any more. */
static void
drop_stats_call(PineconeSession *session)
{
	PineconeCall *call = session->stats_call;

	session->stats_call = NULL;
	pinecone_vectors_free(call);
}

/* Free a session unless it is in use. */
static bool
free_session(PineconeSession *session)
{
	if (!session_is_unused(session))
		return false;
	drop_stats_call(session);
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
	pinecone_idle_begin();
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
			if (entry->session == NULL || (entry->session->stale && free_session(entry->session)))
				(void) hash_search(sessions, &entry->mapping, HASH_REMOVE, NULL);
			else if (entry->session->stale)
				any_stale = true;
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

/* What an earlier statement was told of the index may not hold any more. */
static void
drop_finished_resolver(PineconeSession *session)
{
	if (session->resolver != NULL && pinecone_call_finished(session->resolver))
	{
		MemoryContextDelete(session->resolver->cxt);
		session->resolver = NULL;
	}
}

static PineconeSession *
create_session(UserMapping *mapping)
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
	session->allowance = session->options->max_concurrency;
	session->rates = pinecone_rate_create();
	session->stats_cxt = AllocSetContextCreate(cxt, "pinecone index stats", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(cxt, TopMemoryContext);
	return session;
}

PineconeSession *
pinecone_session_get(Oid serverid, Oid userid)
{
	UserMapping *mapping = GetUserMapping(userid, serverid);
	SessionEntry *entry;
	PineconeSession *session;
	bool found;

	if (sessions == NULL)
		create_sessions();
	entry = hash_search(sessions, &mapping->umid, HASH_ENTER, &found);
	if (!found)
		entry->session = NULL;
	/* the host that it knows may not be allowed any more */
	if (entry->session != NULL && entry->session->hosts_changes != pinecone_hosts_changes)
		entry->session->stale = true;
	if (entry->session != NULL && entry->session->stale)
	{
		drop_stats_call(entry->session);
		entry->session->next = former_sessions;
		former_sessions = entry->session;
		entry->session = NULL;
	}
	if (entry->session == NULL)
		entry->session = create_session(mapping);
	session = entry->session;
	session->userid = userid;
	if (session->options->host == NULL && session->options->index == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("server \"%s\" has neither a \"host\" nor an \"index\" option",
						session->options->servername),
				 errhint("Set one of them with ALTER SERVER.")));
	drop_finished_resolver(session);
	return session;
}

/* ---- The index ---- */

/* They must not be out of date again when those who asked ahead look. */
#define MIN_TTL_TO_ASK_AHEAD_MS 1000

/* How long who can do without statistics waits for them */
#define STATS_PATIENCE_MS 1000

/*
 * A statement that does without the statistics is not to ask for them again and
 * again, nor to spend most of its time on that: after a failure they are let
 * alone for so many times what it took, within these bounds.
 */
#define STATS_PAUSE_FACTOR 10
#define LEAST_STATS_PAUSE_MS 1000
#define MOST_STATS_PAUSE_MS 60000

static PineconeStats *
copy_stats(PineconeSession *session, const PineconeStats *stats)
{
	PineconeStats *copy;
	MemoryContext old;

	session->stats = NULL;
	MemoryContextReset(session->stats_cxt);
	old = MemoryContextSwitchTo(session->stats_cxt);
	copy = palloc(sizeof(PineconeStats));
	*copy = *stats;
	copy->namespaces = palloc(Max(stats->nnamespaces, 1) * sizeof(PineconeNamespaceStats));
	for (int i = 0; i < stats->nnamespaces; i++)
	{
		copy->namespaces[i].name = pstrdup(stats->namespaces[i].name);
		copy->namespaces[i].records = stats->namespaces[i].records;
	}
	copy->fetched_at = pinecone_clock_now();
	MemoryContextSwitchTo(old);
	session->stats = copy;
	session->stats_location = session->location;
	session->stats_retry_at = 0;
	return copy;
}

/*
 * What is known of the index, be it out of date: metric and dimension of an
 * index do not change.  Of one that may have been replaced it says nothing.
 */
static PineconeStats *
known_stats(PineconeSession *session)
{
	if (session->base_url == NULL || session->stats_location != session->location)
		return NULL;
	return session->stats;
}

/* Are the statistics recent? */
static bool
stats_are_current(PineconeSession *session)
{
	PineconeStats *stats = known_stats(session);

	return stats != NULL && stats->fetched_at != 0 &&
		   !pinecone_clock_passed(stats->fetched_at, pinecone_stats_ttl_ms);
}

/* Has asking for them failed a short while ago? */
static bool
stats_have_failed(PineconeSession *session)
{
	return session->stats_retry_at != 0 && pinecone_clock_now() < session->stats_retry_at;
}

static void
ask_for_stats(PineconeSession *session)
{
	PineconeCall *call;

	drop_stats_call(session);
	call = pinecone_vectors_stats_try(session, true);
	/* it outlives the statement, if that does not come to take its result */
	MemoryContextSetParent(call->cxt, TopMemoryContext);
	session->stats_call = call;
	session->stats_taken = false;
	session->stats_asked_at = pinecone_clock_now();
	session->stats_asked_in = GetCurrentStatementStartTimestamp();
}

/* Has what was asked for been answered, or not, and has nobody looked yet? */
static bool
stats_are_asked_for(PineconeSession *session)
{
	return session->stats_call != NULL && !session->stats_taken;
}

bool
pinecone_session_ask_stats(PineconeSession *session)
{
	if (stats_are_asked_for(session) || stats_have_failed(session))
		return false;
	ask_for_stats(session);
	return true;
}

void
pinecone_session_refresh(PineconeSession *session)
{
	if (stats_are_asked_for(session) || stats_are_current(session) ||
		stats_have_failed(session) || pinecone_stats_ttl_ms < MIN_TTL_TO_ASK_AHEAD_MS)
		return;
	ask_for_stats(session);
}

bool
pinecone_session_stats_ready(PineconeSession *session)
{
	return stats_are_asked_for(session) || stats_are_current(session);
}

static void
note_stats_failure(PineconeSession *session)
{
	PineconeTime now = pinecone_clock_now();
	int64 pause = STATS_PAUSE_FACTOR * (now - session->stats_asked_at) / 1000;

	pause = Max(LEAST_STATS_PAUSE_MS, Min(pause, MOST_STATS_PAUSE_MS));
	session->stats_retry_at = pinecone_clock_after_ms(now, pause);
}

/*
 * Take what has been asked for.  A failed call stays, for who cannot do without
 * and would otherwise wait a second time to be told the same.
 */
static void
take_stats(PineconeSession *session)
{
	PineconeStats *stats = pinecone_vectors_stats_try_result(session->stats_call);

	session->stats_taken = true;
	if (stats == NULL)
	{
		note_stats_failure(session);
		return;
	}
	copy_stats(session, stats)->fetched_at = session->stats_asked_at;
	drop_stats_call(session);
}

bool
pinecone_session_take_stats(PineconeSession *session)
{
	if (!stats_are_asked_for(session))
		return true;
	if (!pinecone_vectors_ready(session->stats_call))
		return false;
	take_stats(session);
	return true;
}

/* Statistics for who can do without: not waited for long, old ones rather than none. */
static PineconeStats *
try_stats(PineconeSession *session)
{
	if (!stats_are_asked_for(session))
	{
		if (stats_have_failed(session))
			return known_stats(session);
		ask_for_stats(session);
	}
	if (pinecone_call_wait_until(session->stats_call,
								 pinecone_clock_after_ms(session->stats_asked_at, STATS_PATIENCE_MS)))
		take_stats(session);
	return known_stats(session);
}

static bool
asked_by_this_statement(PineconeSession *session)
{
	return session->stats_asked_in == GetCurrentStatementStartTimestamp();
}

/* Has this statement waited for them in vain, to no purpose of doing so again? */
static bool
statement_has_waited(PineconeSession *session)
{
	return session->stats_call != NULL && session->stats_taken &&
		   asked_by_this_statement(session) &&
		   session->stats_call->problem.outcome == PINECONE_HTTP_TIMED_OUT;
}

PineconeStats *
pinecone_session_stats(PineconeSession *session, bool fresh, bool try_only)
{
	PineconeStats *stats;
	PineconeCall *call;

	if (!fresh && stats_are_current(session))
		return session->stats;
	if (try_only || (!fresh && known_stats(session) != NULL))
		return try_stats(session);

	/* what an earlier statement has waited for in vain is asked for anew */
	if (stats_are_asked_for(session) && !asked_by_this_statement(session) &&
		!pinecone_call_finished(session->stats_call))
		drop_stats_call(session);
	if (stats_are_asked_for(session))
	{
		take_stats(session);
		if (stats_are_current(session))
			return session->stats;
	}
	if (statement_has_waited(session))
		pinecone_vectors_report(session->stats_call, ERROR);
	call = pinecone_vectors_stats_try(session, false);
	stats = copy_stats(session, pinecone_vectors_stats_result(call));
	pinecone_vectors_free(call);
	return stats;
}

PineconeStats *
pinecone_session_count_stats(PineconeSession *session, PineconeCounters *counters)
{
	PineconeCall *call = pinecone_vectors_stats(session, counters);
	PineconeStats *stats = copy_stats(session, pinecone_vectors_stats_result(call));

	pinecone_vectors_free(call);
	return stats;
}

double
pinecone_session_namespace_records(PineconeStats *stats, const char *namespace_)
{
	int low = 0;
	int high = stats->nnamespaces;

	namespace_ = pinecone_option_plain_namespace(namespace_);
	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(stats->namespaces[middle].name, namespace_);

		if (order == 0)
			return stats->namespaces[middle].records;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

PineconeNamespaceStats *
pinecone_session_namespaces(PineconeSession *session, PineconeTable *table, PineconeStats *stats,
							int *n)
{
	bool all = table->namespace_attnum > 0 && table->namespaces == NULL;
	char **names = table->namespace_attnum > 0 ? table->namespaces : &table->namespace_;
	PineconeNamespaceStats *result;

	*n = all ? stats->nnamespaces : table->namespace_attnum > 0 ? table->nnamespaces :
																  1;
	result = palloc(Max(*n, 1) * sizeof(PineconeNamespaceStats));
	for (int i = 0; i < *n; i++)
	{
		result[i].name = pstrdup(all ? stats->namespaces[i].name : names[i]);
		result[i].records = all ? stats->namespaces[i].records :
								  pinecone_alias_records(session, stats, names[i]);
	}
	return result;
}
