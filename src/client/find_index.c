/*
 * find_index.c
 *		Where a session's index is.
 *
 * An index name is resolved by asking the control plane, in the background like
 * any other call, and again when the index is no longer where it was.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "access/xact.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "common/hashfn.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "base/setting.h"
#include "client/alias.h"
#include "client/allowed_host.h"
#include "client/call.h"
#include "client/idle.h"
#include "client/learned.h"
#include "client/session.h"
#include "wire/message.h"

/* Do not ask where an index is more often than this. */
#define RESOLVE_INTERVAL_MS 100

/* ---- What kind of index it is ---- */

static uint32
hash_of(const PineconeSchema *schema)
{
	return schema ? schema->hash : 0;
}

static PineconeSchema *
keep(PineconeSession *session, const PineconeSchema *schema)
{
	MemoryContext old = MemoryContextSwitchTo(session->schema_cxt);
	PineconeSchema *copy = schema ? pinecone_schema_copy(schema) : NULL;

	MemoryContextSwitchTo(old);
	return copy;
}

/*
 * What is planned for one kind is of no use for another, nor for other fields:
 * plans that are kept are made anew.
 */
static void
set_schema(PineconeSession *session, const PineconeSchema *schema, const PineconeSchema *integrated)
{
	if (hash_of(session->schema) == hash_of(schema) && hash_of(session->integrated) == hash_of(integrated))
		return;
	session->schema = session->integrated = NULL;
	session->documents_found = session->documents_probed = false;
	MemoryContextReset(session->schema_cxt);
	session->schema = keep(session, schema);
	session->integrated = keep(session, integrated);
	if (session->former_url != NULL)
		session->location++;
	ResetPlanCache();
}

/* By a description of the index, or what the server's options say of it. */
static void
take_schema(PineconeSession *session, const char *body, size_t len)
{
	PineconeSchema *schema = NULL;
	const char *reason;

	if (pinecone_message_decode_schema(body, len, &schema, &reason))
		set_schema(session, schema, schema ? NULL : pinecone_message_decode_integrated(body, len));
}

/* A schema that the server's options give, for who may not ask the control plane. */
static void
take_given_schema(PineconeSession *session)
{
	const char *text = session->options->schema;

	if (text == NULL)
		return;
	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	take_schema(session, text, strlen(text));
}

/* ---- Where the index is ---- */

static void
set_base_url(PineconeSession *session, const char *host, PineconeProblem **problem)
{
	char *url = pinecone_allowed_url(host, problem);

	if (url == NULL)
		return;
	if (session->former_url != NULL && strcmp(session->former_url, url) != 0)
		session->location++;
	if (session->former_url)
		pfree(session->former_url);
	session->former_url = NULL;
	session->base_url = MemoryContextStrdup(session->cxt, url);
	session->host_hash = DatumGetUInt64(hash_any_extended((const unsigned char *) url, strlen(url), 0));

	/* the documented limits are those of the service, not of a local server */
	session->paced = session->options->rates.given || !pinecone_allowed_is_loopback(url);
}

/* Where the index is, and what it is, by the description that the host is from. */
static void
take_place(PineconeSession *session, const char *host, const char *body, size_t len,
		   PineconeProblem **problem)
{
	if (session->options->schema != NULL)
		take_given_schema(session);
	else
		take_schema(session, body, len);
	set_base_url(session, host, problem);
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
	if (call->state == PINECONE_CALL_FAILED && call->api_version != NULL &&
		call->problem.status == 400)
	{
		/* one that knows older versions alone, which need not tell of schemas */
		session->old_describe = true;
		MemoryContextDelete(call->cxt);
		session->resolver = NULL;
		return;
	}
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
	take_place(session, host, call->exchange->body, call->exchange->body_len, problem);
}

/* Another session may have asked a moment ago. */
static void
adopt_place(PineconeSession *session, PineconeProblem **problem)
{
	PineconeTime after = pinecone_clock_after_ms(pinecone_clock_now(), -(int64) pinecone_stats_ttl_ms);
	PineconeTime asked_at;
	size_t len;
	char *body = pinecone_learned_get(session, PINECONE_LEARNED_PLACE, after, &asked_at, &len);
	char *host = NULL;
	char *state;
	bool ready;
	const char *reason;

	if (body == NULL || !pinecone_message_decode_index(body, len, &host, &ready, &state, &reason) ||
		host == NULL || !pinecone_option_host_is_valid(host))
		return;
	session->resolved_at = asked_at;
	take_place(session, host, body, len, problem);
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
	/* older ones do not tell of document indexes */
	if (!session->old_describe && strcmp(session->options->api_version, PINECONE_DOCUMENTS_VERSION) < 0)
		call->api_version = PINECONE_DOCUMENTS_VERSION;
	MemoryContextSwitchTo(old);

	/* may raise an error: the session's only when it has started */
	pinecone_call_start(call);
	MemoryContextSetParent(call->cxt, session->cxt);
	session->resolver = call;
}

char *
pinecone_session_control_url(PineconeSession *session, PineconeProblem **problem)
{
	return pinecone_allowed_url(session->options->control_host, problem);
}

bool
pinecone_session_locate(PineconeSession *session, PineconeProblem **problem)
{
	if (session->base_url != NULL)
		return true;
	if (session->options->index == NULL)
	{
		take_given_schema(session);
		set_base_url(session, session->options->host, problem);
		return session->base_url != NULL;
	}
	if (session->resolver == NULL)
	{
		char *control_url = pinecone_session_control_url(session, problem);

		if (control_url != NULL)
			adopt_place(session, problem);
		if (control_url != NULL && session->base_url == NULL && *problem == NULL)
			start_resolver(session, control_url);
		return session->base_url != NULL;
	}
	if (!pinecone_call_finished(session->resolver))
		return false;

	take_resolved(session, problem);
	if (session->base_url != NULL && session->resolver != NULL)
	{
		pinecone_learned_put(session, PINECONE_LEARNED_PLACE, session->resolver->exchange->body,
							 session->resolver->exchange->body_len, session->resolver->sent_at);
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
	pinecone_learned_drop(session, PINECONE_LEARNED_PLACE);
	return true;
}
