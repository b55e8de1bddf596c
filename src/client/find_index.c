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
#include "client/hosts.h"
#include "client/idle.h"
#include "client/learned.h"
#include "client/region.h"
#include "client/session.h"
#include "wire/message.h"

/* Do not ask where an index is more often than this. */
#define RESOLVE_INTERVAL_MS 100

/*
 * A host that was down is asked whether it is back.  Reads wait so long for its
 * answer, once in a while; what it alone can do longer.  Neither asks again in so
 * short a time, whatever hosts_retry says.
 */
#define RETURN_PATIENCE_MS 1000
#define FIRST_PATIENCE_MS 3000
#define REFUSED_MS 1000

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

/* Where one of the server's hosts is: it stays known. */
static void
note_url(PineconeSession *session, int number, const char *url)
{
	char **place = &session->failover->urls[number];

	if (*place == NULL || strcmp(*place, url) != 0)
		*place = MemoryContextStrdup(session->cxt, url);
}

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
	if (session->failover != NULL)
		note_url(session, session->failover->number, url);
	session->host_hash = DatumGetUInt64(hash_any_extended((const unsigned char *) url, strlen(url), 0));

	/* the documented limits are those of the service, not of a local server */
	session->paced = session->options->rates.given || !pinecone_allowed_is_loopback(url);
}

/*
 * The description of the first host's index: may it be where it is?  False, with
 * *problem set, when nothing may be sent there, and it is needed now.
 */
static bool
take_first(PineconeSession *session, const char *host, const char *body, size_t len, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;
	const PineconeServerOptions *options = session->options;
	PineconeProblem *refused = NULL;
	char *url;
	int n;

	failover->described = true;
	failover->allowed &= ~1U;
	if (options->allowed_regions != NULL &&
		pinecone_region_by_place(options, host, pinecone_message_decode_places(body, len, &n), &refused) != PINECONE_REGION_ALLOWED)
	{
		/* even where it is not in use: whose data is there must not be */
		*problem = refused;
		return false;
	}
	failover->allowed |= 1;
	url = pinecone_allowed_url(host, &refused);
	if (url != NULL)
		note_url(session, 0, url);
	return true;
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
	if (session->failover != NULL && !take_first(session, host, body, len, problem))
		return;
	if (session->failover != NULL && session->failover->number > 0)
		set_base_url(session, session->options->hosts->hosts[session->failover->number], problem);
	else
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
	if (session->failover != NULL)
		session->failover->describe_until = pinecone_clock_after_ms(pinecone_clock_now(), RETURN_PATIENCE_MS);
}

/* ---- Where hosts are ---- */

/* A question of our own, to wherever its URL says. */
static PineconeCall *
start_question(PineconeSession *session, const char *operation, const char *method, const char *base, const char *path, const char *body)
{
	PineconeCall *call = pinecone_call_create(session, NULL, operation, method);
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	call->url = psprintf("%s%s", base, path);
	call->path = call->url + strlen(base);
	if (body != NULL)
	{
		call->body = pstrdup(body);
		call->body_len = strlen(body);
	}
	call->control_plane = true;
	MemoryContextSwitchTo(old);
	pinecone_call_start(call);
	MemoryContextSetParent(call->cxt, session->cxt);
	return call;
}

/* By a list of all indexes, which is asked for once a statement. */
static bool
is_listed_where_allowed(PineconeSession *session, int number, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;
	const char *host = session->options->hosts->hosts[number];
	const PineconePlace *place;
	PineconePlace *places;
	int n;

	if (failover->lister == NULL)
	{
		char *control_url = pinecone_session_control_url(session, problem);

		if (control_url != NULL)
			failover->lister = start_question(session, "list indexes", "GET", control_url, "/indexes", NULL);
	}
	if (failover->lister == NULL || !pinecone_call_finished(failover->lister))
		return false;
	if (failover->lister->state == PINECONE_CALL_FAILED)
	{
		const PineconeProblem *why = &failover->lister->problem;

		*problem = pinecone_region_unknown(host, why->outcome == PINECONE_HTTP_ANSWERED ?
													 psprintf("the control plane answers with HTTP status %ld", why->status) :
													 "the control plane does not answer");
		return false;
	}
	places = pinecone_message_decode_places(failover->lister->exchange->body, failover->lister->exchange->body_len, &n);
	place = pinecone_region_find(host, places, n);
	if (place == NULL)
		*problem = pinecone_region_unknown(host, "no index of this key's project has that host");
	return place != NULL && pinecone_region_by_place(session->options, host, place, problem) == PINECONE_REGION_ALLOWED;
}

/*
 * May anything be sent to a host, by where it is?  False while that is being
 * asked, or with *problem set.
 */
static bool
is_allowed_region(PineconeSession *session, int number, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;

	if (session->options->allowed_regions == NULL || (failover->allowed & (1U << number)) != 0)
		return true;
	/* of the index's own host the description says it */
	if (session->options->hosts->hosts[number] == NULL)
		return true;
	switch (pinecone_region_by_name(session->options, number, problem))
	{
		case PINECONE_REGION_ALLOWED:
			break;
		case PINECONE_REGION_REFUSED:
			return false;
		default:
			if (!is_listed_where_allowed(session, number, problem))
				return false;
	}
	failover->allowed |= 1U << number;
	return true;
}

/* Hosts that are known to be elsewhere are refused before any of them is in use. */
static bool
are_allowed_regions(PineconeSession *session, PineconeProblem **problem)
{
	if (session->options->allowed_regions == NULL)
		return true;
	for (int i = 0; i < session->failover->n; i++)
	{
		if (pinecone_region_by_name(session->options, i, problem) == PINECONE_REGION_REFUSED)
			return false;
	}
	return true;
}

/* ---- Whether hosts answer ---- */

PineconeCall *
pinecone_session_ask_host(PineconeSession *session, int number, PineconeProblem **problem)
{
	const char *host = session->options->hosts->hosts[number];
	char *url = host ? pinecone_allowed_url(host, problem) : session->failover->urls[number];
	PineconeCall *call;

	if (url == NULL || !is_allowed_region(session, number, problem))
		return NULL;
	note_url(session, number, url);
	call = start_question(session, "describe index stats", "POST", url, "/describe_index_stats", "{}");
	call->single_attempt = true;
	return call;
}

void
pinecone_session_note_host(PineconeSession *session, int number, PineconeCall *call)
{
	PineconeFailover *failover = session->failover;
	PineconeStats *stats;
	const char *reason;

	if (call->state == PINECONE_CALL_SUCCEEDED)
	{
		pinecone_hosts_note_answer(session, number);
		failover->fresh |= 1U << number;
		if (pinecone_message_decode_stats(call->exchange->body, call->exchange->body_len, &stats, &reason))
			pinecone_hosts_note_shape(session, number, stats);
		else
			failover->alike |= 1U << number;
	}
	else if (pinecone_hosts_is_failure(&call->problem))
	{
		pinecone_hosts_note_failure(session, number, &call->problem);
		failover->refused_at = pinecone_clock_now();
	}
	else
	{
		/* it answers, if not that */
		pinecone_hosts_note_answer(session, number);
	}
}

/* Ask a host whether it answers, for all calls of the session; false as pinecone_session_ask_host() is NULL. */
static bool
start_probe(PineconeSession *session, int number, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;
	PineconeCall *call = pinecone_session_ask_host(session, number, problem);

	if (call == NULL)
		return false;
	failover->probe = call;
	failover->probed = number;
	failover->patience_until = 0;
	return true;
}

/* Take note of its answer, if that has come; *problem is set where the host in use has refused. */
static void
take_probe(PineconeSession *session, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;
	PineconeCall *probe = failover->probe;

	if (probe == NULL || !pinecone_call_finished(probe))
		return;
	failover->probe = NULL;
	pinecone_session_note_host(session, failover->probed, probe);
	if (probe->state == PINECONE_CALL_FAILED && !pinecone_hosts_is_failure(&probe->problem) &&
		failover->probed == failover->number && failover->probed > 0)
	{
		*problem = palloc0(sizeof(PineconeProblem));
		pinecone_problem_copy(*problem, &probe->problem, CurrentMemoryContext);
	}
	MemoryContextDelete(probe->cxt);
}

static bool
is_probed(const PineconeFailover *failover, int number)
{
	return failover->probe != NULL && failover->probed == number;
}

/* A host before the one in use has been left alone for long enough: does it answer? */
static void
look_back(PineconeSession *session)
{
	PineconeFailover *failover = session->failover;
	PineconeProblem *problem = NULL;

	if (failover->refused_at != 0 && !pinecone_clock_passed(failover->refused_at, REFUSED_MS))
		return;
	for (int i = 0; i < failover->number && failover->probe == NULL; i++)
	{
		if (!pinecone_host_claim(failover->keys[i], session->options->hosts_retry_ms))
			continue;
		if (start_probe(session, i, &problem))
			failover->patience_until = pinecone_clock_after_ms(pinecone_clock_now(), RETURN_PATIENCE_MS);
		else if (problem == NULL && session->options->hosts->hosts[i] == NULL)
			/* nobody knows where it is: whoever needs it next finds out */
			pinecone_hosts_note_answer(session, i);
	}
}

/* Has the host in use the same index as the first?  False while it is being asked. */
static bool
is_alike(PineconeSession *session, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;
	int number = failover->number;
	uint32 bit = 1U << number;
	char *difference;

	if ((failover->alike & bit) != 0)
		return true;
	if (is_probed(failover, number))
		return false;
	difference = pinecone_hosts_difference(session, number);
	if (pinecone_host_state(failover->keys[number]).shape.known && (difference == NULL || (failover->fresh & bit) != 0))
	{
		if (difference != NULL)
			*problem = pinecone_hosts_unlike(session, number, difference);
		else
			failover->alike |= bit;
		failover->fresh &= ~bit;
		return difference == NULL;
	}
	if (failover->probe != NULL)
	{
		MemoryContextDelete(failover->probe->cxt);
		failover->probe = NULL;
	}
	(void) start_probe(session, number, problem);
	return false;
}

/*
 * The first host alone will do.  One that is known to be down is asked once more,
 * but not waited for as long as it may take.
 */
static bool
first_answers(PineconeSession *session, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;

	if (!pinecone_host_is_down(failover->keys[0]) ||
		(session->options->hosts->hosts[0] == NULL && failover->urls[0] == NULL))
		return true;
	if (failover->probe == NULL &&
		(failover->refused_at == 0 || pinecone_clock_passed(failover->refused_at, REFUSED_MS)))
	{
		if (!start_probe(session, 0, problem))
			return false;
		failover->patience_until = pinecone_clock_after_ms(pinecone_clock_now(), FIRST_PATIENCE_MS);
	}
	if (failover->probe != NULL && pinecone_clock_now() < failover->patience_until)
		return false;
	*problem = palloc0(sizeof(PineconeProblem));
	(*problem)->outcome = PINECONE_HTTP_UNREACHABLE;
	(*problem)->message = pstrdup(pinecone_host_state(failover->keys[0]).reason);
	(*problem)->host = pstrdup(pinecone_hosts_name(session, 0));
	return false;
}

/* Turn to the host that is to be used; false while it is not known whether it can be. */
static bool
steer(PineconeSession *session, PineconeProblem **problem)
{
	PineconeFailover *failover = session->failover;

	take_probe(session, problem);
	if (*problem != NULL || failover->n == 1)
		return *problem == NULL;
	if (!failover->roams)
		return first_answers(session, problem);
	pinecone_hosts_turn(session);
	if (failover->number == 0)
		return true;
	if (failover->probe == NULL)
		look_back(session);
	if (failover->probe != NULL && failover->probed < failover->number &&
		pinecone_clock_now() < failover->patience_until)
		return false;
	return is_alike(session, problem);
}

PineconeTime
pinecone_session_patience(const PineconeSession *session)
{
	const PineconeFailover *failover = session->failover;
	PineconeTime now = failover ? pinecone_clock_now() : 0;

	if (failover == NULL)
		return 0;
	if (failover->probe != NULL && failover->patience_until > now)
		return failover->patience_until;
	return session->resolver != NULL && failover->number > 0 && failover->describe_until > now ? failover->describe_until : 0;
}

/* ---- Finding it ---- */

char *
pinecone_session_control_url(PineconeSession *session, PineconeProblem **problem)
{
	return pinecone_allowed_url(session->options->control_host, problem);
}

/* The host in use, by the options. */
static bool
take_given_host(PineconeSession *session, int number, PineconeProblem **problem)
{
	take_given_schema(session);
	set_base_url(session, session->options->hosts->hosts[number], problem);
	return session->base_url != NULL;
}

/* Has the control plane said all that it is asked for, where another host than the index's is in use? */
static bool
needs_no_description(const PineconeSession *session)
{
	const PineconeCall *resolver = session->resolver;

	return session->failover->described ||
		   (resolver != NULL && (resolver->state == PINECONE_CALL_FAILED || pinecone_clock_now() >= session->failover->describe_until));
}

bool
pinecone_session_locate(PineconeSession *session, PineconeProblem **problem)
{
	int number;

	if (session->failover != NULL && (!are_allowed_regions(session, problem) || !steer(session, problem)))
		return false;
	number = session->failover ? session->failover->number : 0;
	if (session->base_url != NULL)
		return true;
	if (session->failover != NULL && !is_allowed_region(session, number, problem))
		return false;
	if (session->options->index == NULL || (number > 0 && needs_no_description(session)))
		return take_given_host(session, number, problem);
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
	if (session->options->index == NULL || (session->failover != NULL && session->failover->number > 0))
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
