/*
 * ping.c
 *		Is everything as it has to be between here and an index?  A row for each
 *		step, and a hint for those that fail.
 *
 * The way leads to the control plane first, if the server names its index, and
 * from there to the index.  Each request is one attempt.  What a request has
 * come to tells of all steps before it: a key that is refused has been looked
 * at by somebody who was found, reached and trusted.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "admin/argument.h"
#include "admin/index_description.h"
#include "client/call.h"
#include "client/control.h"
#include "client/hosts.h"
#include "client/route.h"
#include "client/try_host.h"
#include "wire/message.h"

PG_FUNCTION_INFO_V1(pinecone_ping);

typedef enum Step
{
	STEP_DNS,
	STEP_CONNECT,
	STEP_TLS,
	STEP_KEY,
	STEP_INDEX,
	STEP_HOST, /* the index's own, found by its name */
	STEP_KIND,
	STEP_METRIC,
	STEP_DIMENSION,
	STEP_READ,
	STEP_WRITE,
	STEP_LATENCY,
	STEP_END
} Step;

static const char *const names[] = {"dns", "connect", "tls", "key", "index", "host", "kind", "metric", "dimension",
									"read", "write", "latency"};

typedef struct Ping
{
	PineconeSession *session;
	PineconeRows rows;
	Step next;		/* the step that comes next */
	bool stopped;	/* the rest cannot be reached */
	int64 least_us; /* that a request to the index took */
	PineconeIndexDescription index;
	bool has_description;
	PineconeStats *stats; /* or NULL */
} Ping;

/* ---- Rows ---- */

static void
put(Ping *ping, Step step, const char *outcome, const char *detail, const char *hint)
{
	pinecone_row_text(&ping->rows, names[step]);
	pinecone_row_put(&ping->rows, BoolGetDatum(outcome && strcmp(outcome, "ok") == 0), outcome == NULL);
	pinecone_row_text(&ping->rows, detail);
	pinecone_row_text(&ping->rows, hint);
	pinecone_row_end(&ping->rows);
	ping->next = step + 1;
}

static void
pass(Ping *ping, Step step, const char *detail)
{
	put(ping, step, "ok", detail, NULL);
}

static void
fail(Ping *ping, Step step, const char *detail, const char *hint)
{
	put(ping, step, "failed", detail, hint);
}

/* It cannot be told, or does not matter. */
static void
skip(Ping *ping, Step step, const char *detail)
{
	put(ping, step, NULL, detail, NULL);
}

/* Nothing after it can be told. */
static void
stop(Ping *ping, Step step, const char *detail, const char *hint)
{
	fail(ping, step, detail, hint);
	ping->stopped = true;
	while (ping->next < STEP_END)
		skip(ping, ping->next, "not reached");
}

/* ---- How far a request has come ---- */

/* The service's words, or ours for what has happened on the way */
static const char *
words_of(const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;

	if (problem->invalid != NULL)
		return problem->invalid;
	if (problem->outcome == PINECONE_HTTP_ANSWERED)
		return psprintf("HTTP status %ld: %s", problem->status, problem->message ? problem->message : "no text");
	if (problem->outcome == PINECONE_HTTP_TIMED_OUT)
		return psprintf("no answer within %d ms", call->session->options->request_timeout_ms);
	return problem->message;
}

/* Which of the steps on the way has failed; STEP_KEY: it has got there. */
static Step
reached(const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;

	if (call->state == PINECONE_CALL_SUCCEEDED)
		return STEP_KEY;
	if (problem->host_refused || problem->in_lookup)
		return STEP_DNS;
	if (problem->in_tls)
		return STEP_TLS;
	if (problem->outcome == PINECONE_HTTP_UNREACHABLE || problem->outcome == PINECONE_HTTP_UNCONNECTED)
		return STEP_CONNECT;
	return STEP_KEY;
}

static const char *
hint_for(const PineconeCall *call, Step step, const char *option)
{
	const PineconeProblem *problem = &call->problem;

	if (problem->host_refused)
		return problem->remedy;
	switch (step)
	{
		case STEP_DNS:
			return psprintf("Check the server's \"%s\" option, and that this machine can look names up.", option);
		case STEP_CONNECT:
			return psprintf("Check the server's \"%s\" option, firewalls and proxies: nobody answers there.", option);
		case STEP_TLS:
			if (problem->outcome == PINECONE_HTTP_UNTRUSTED)
				return "The certificate is not of an authority that is known here: for a private one set the server's \"ca_file\" option.";
			return psprintf("What answers there does not speak TLS: for a local server write \"http://\" before the host in the \"%s\" option.", option);
		default:
			return psprintf("Check the server's \"%s\" option: is it Pinecone that answers there?", option);
	}
}

/* Has Pinecone itself refused, and not somebody who sits there as well? */
static bool
is_pinecones(const PineconeCall *call)
{
	return call->problem.message == NULL || strstr(call->problem.message, "is not one of Pinecone's") == NULL;
}

/* The steps up to TLS, of the first host; false where one has failed. */
static bool
put_way(Ping *ping, const PineconeCall *call, const char *host, const char *option)
{
	Step failed = reached(call);
	bool plain = pg_strncasecmp(host, "http://", 7) == 0;
	PineconeRoute route;

	pinecone_route_find(strstr(host, "://") ? host : psprintf("https://%s", host), &route);
	for (Step step = STEP_DNS; step <= STEP_TLS; step++)
	{
		if (step == failed)
		{
			stop(ping, step, words_of(call), hint_for(call, step, option));
			return false;
		}
		if (step == STEP_TLS)
			pass(ping, step, plain ? "none: plain HTTP" : "the certificate is trusted");
		else
			pass(ping, step, step == STEP_DNS ? route.names[0] : psprintf("port %d", route.ports[0]));
	}
	return true;
}

/*
 * The key, by an answer of the first host; false where the rest cannot be told.
 * One that an index refuses is a good key, which may do something else perhaps.
 */
static bool
put_key(Ping *ping, const PineconeCall *call, const char *option)
{
	long status = pinecone_control_status(call);

	if (status == 401 && is_pinecones(call))
		stop(ping, STEP_KEY, words_of(call), "Check the API key of the user mapping.");
	else if (status == 403 && is_pinecones(call) && call->control_plane)
		stop(ping, STEP_KEY, words_of(call), "This key may not describe indexes: give the server's \"host\" option in place of \"index\", or another key.");
	else if (pinecone_control_succeeded(call) || status == 403 || (status == 404 && is_pinecones(call)))
		pass(ping, STEP_KEY, "accepted");
	else
		stop(ping, STEP_KEY, words_of(call), status == 429 || status >= 500 ? "Repeat it later: the service does not answer at the moment." : hint_for(call, STEP_KEY, option));
	return !ping->stopped;
}

static void
note_duration(Ping *ping, const PineconeCall *call)
{
	int64 us = pinecone_control_duration(call);

	if (pinecone_control_succeeded(call) && (ping->least_us == 0 || us < ping->least_us))
		ping->least_us = us;
}

/* ---- The index ---- */

/* By its name, at the control plane */
static void
find_by_name(Ping *ping)
{
	const PineconeServerOptions *options = ping->session->options;
	PineconeCall *call = pinecone_control_describe_index(ping->session, options->index, true);

	if (!put_way(ping, call, options->control_host, "control_host") || !put_key(ping, call, "control_host"))
		return;
	if (!pinecone_control_succeeded(call))
		stop(ping, STEP_INDEX, psprintf("there is no index \"%s\"", options->index),
			 psprintf("Check the server's \"index\" option: pinecone_indexes(%s) lists those that there are.", quote_literal_cstr(options->servername)));
	else if (!pinecone_index_read(pinecone_json_reply(call), &ping->index))
		stop(ping, STEP_INDEX, "the reply describes no index", hint_for(call, STEP_KEY, "control_host"));
	else if (!ping->index.ready || ping->index.host == NULL)
		stop(ping, STEP_INDEX, psprintf("index \"%s\" is not ready: %s", options->index, ping->index.state),
			 pinecone_index_has_failed(&ping->index) ? "It will not get ready: delete it, and create it anew." : "Wait until it is.");
	else
	{
		pass(ping, STEP_INDEX, psprintf("\"%s\" is ready", options->index));
		ping->has_description = true;
	}
}

/* Statistics: the first question to the index itself */
static void
take_stats(Ping *ping, PineconeCall *call)
{
	const char *reason;
	size_t len;
	const char *body;

	note_duration(ping, call);
	if (!pinecone_control_succeeded(call))
		return;
	body = pinecone_control_body(call, &len);
	if (!pinecone_message_decode_stats(body, len, &ping->stats, &reason))
		ping->stats = NULL;
	else
		/* by which the server's other hosts are known to have the same */
		pinecone_hosts_note_stats(ping->session, ping->stats);
}

/* A host that was described has to be found, reached and trusted, too. */
static void
reach_index(Ping *ping)
{
	PineconeCall *call = pinecone_control_try_stats(ping->session);
	Step failed = reached(call);

	take_stats(ping, call);
	if (failed != STEP_KEY)
		stop(ping, STEP_HOST, psprintf("%s: %s: %s", ping->index.host, names[failed], words_of(call)),
			 call->problem.host_refused ? call->problem.remedy : "The index's own host is another one than the control plane's: firewalls and proxies have to let both through.");
	else if (call->state == PINECONE_CALL_FAILED && pinecone_control_status(call) == 0)
		stop(ping, STEP_HOST, psprintf("%s: %s", ping->index.host, words_of(call)), "Repeat it later.");
	else
		pass(ping, STEP_HOST, ping->index.host);
}

/* By its host */
static void
find_by_host(Ping *ping)
{
	const PineconeServerOptions *options = ping->session->options;
	PineconeCall *call = pinecone_control_try_stats(ping->session);

	take_stats(ping, call);
	if (!put_way(ping, call, options->host, "host") || !put_key(ping, call, "host"))
		return;
	if (pinecone_control_status(call) == 404)
		stop(ping, STEP_INDEX, words_of(call), "Check the server's \"host\" option: there is no index.");
	else
	{
		pass(ping, STEP_INDEX, ping->stats ? "its statistics are there" : "it has answered");
		pass(ping, STEP_HOST, options->host);
	}
}

/* ---- What it is ---- */

/* What the server's options say that the index declares, or embeds; NULL: nothing. */
static void
schemas_of_options(const PineconeServerOptions *options, PineconeSchema **schema, PineconeSchema **integrated)
{
	const char *reason;
	char *text;

	*schema = *integrated = NULL;
	if (options->schema == NULL)
		return;
	text = pg_server_to_any(options->schema, strlen(options->schema), PG_UTF8);
	if (pinecone_message_decode_schema(text, strlen(text), schema, &reason) && *schema == NULL)
		*integrated = pinecone_message_decode_integrated(text, strlen(text));
}

#define SCHEMA_HINT "The server's \"schema\" option says otherwise: set it to what the index has, or drop it and name the index in place of the host."

/* Two words that have to be the same, where both are known */
static void
compare(Ping *ping, Step step, const char *index, const char *option)
{
	if (index != NULL && option != NULL && strcmp(index, option) != 0)
		fail(ping, step, psprintf("%s, and not %s", index, option), SCHEMA_HINT);
	else if (index != NULL)
		pass(ping, step, index);
	else if (option != NULL)
		pass(ping, step, psprintf("%s, by the server's \"schema\" option", option));
	else
		skip(ping, step, "it does not tell");
}

static void
put_facts(Ping *ping)
{
	PineconeSchema *schema;
	PineconeSchema *integrated;
	PineconeSchemaField *dense;
	const char *kind = ping->index.kind;
	const char *metric = ping->index.metric;
	int dimension = ping->index.dimension;

	schemas_of_options(ping->session->options, &schema, &integrated);
	dense = schema ? schema->dense : NULL;
	if (!ping->has_description && ping->stats != NULL)
	{
		metric = pinecone_metric_name(ping->stats->metric);
		dimension = ping->stats->dimension;
		kind = schema ? "document" : integrated		 ? "integrated" :
								 ping->stats->sparse ? "sparse" :
													   "dense";
	}
	compare(ping, STEP_KIND, kind, ping->session->options->schema ? (schema ? "document" : integrated ? "integrated" :
																										"dense") :
																	NULL);
	compare(ping, STEP_METRIC, metric, dense ? pinecone_metric_name(dense->metric) : NULL);
	if (dimension == 0 && dense == NULL)
		skip(ping, STEP_DIMENSION, "none, or it does not tell");
	else
		compare(ping, STEP_DIMENSION, dimension > 0 ? psprintf("%d", dimension) : NULL, dense ? psprintf("%d", dense->dimension) : NULL);
}

/* ---- What the key may do ---- */

static void
put_read(Ping *ping)
{
	PineconeCall *call = pinecone_control_try_read(ping->session);
	long status = pinecone_control_status(call);

	note_duration(ping, call);
	if (pinecone_control_succeeded(call))
		pass(ping, STEP_READ, "ids can be listed");
	else if (status == 401 || status == 403)
		fail(ping, STEP_READ, words_of(call), "The key may not read this index: give it the right, or another key.");
	else if (pinecone_problem_is_quota(&call->problem))
		fail(ping, STEP_READ, words_of(call), "The quota of the current month is used up.");
	else
		/* an index without pages of ids can be searched all the same */
		skip(ping, STEP_READ, words_of(call));
}

/* Not with this server's options? */
static bool
is_other_cluster(const PineconeServerOptions *options)
{
	return options->write_cluster != NULL && strcmp(options->write_cluster, GetConfigOption("cluster_name", false, false)) != 0;
}

static void
put_write(Ping *ping)
{
	PineconeCall *call;
	long status;

	if (is_other_cluster(ping->session->options))
	{
		fail(ping, STEP_WRITE, "this is not the cluster of the server's \"write_cluster\" option", "In a copy of the database, use another index.  If this cluster has taken over, set the option to its \"cluster_name\".");
		return;
	}
	call = pinecone_control_try_write(ping->session);
	status = pinecone_control_status(call);
	note_duration(ping, call);
	if (status == 401 || status == 403)
		fail(ping, STEP_WRITE, words_of(call), "The key may only read: for writing, give the user mapping one that may write.");
	else if (pinecone_control_succeeded(call) || status == 404 || (status == 400 && ping->session->schema != NULL))
		pass(ping, STEP_WRITE, "a write without effect was let through");
	else
		skip(ping, STEP_WRITE, words_of(call));
}

static void
put_latency(Ping *ping)
{
	if (ping->least_us > 0)
		pass(ping, STEP_LATENCY, psprintf("%.1f ms, the least of the requests above", ping->least_us / 1000.0));
	else
		skip(ping, STEP_LATENCY, "nothing has been answered");
}

/* Another host of the server: a row for it alone */
static void
put_further_host(Ping *ping, int number)
{
	const PineconeProblem *problem = pinecone_try_host(ping->session, number);
	const char *host = ping->session->options->hosts->hosts[number];

	pinecone_row_text(&ping->rows, psprintf("host %d", number + 1));
	pinecone_row_bool(&ping->rows, problem == NULL);
	if (problem == NULL)
		pinecone_row_text(&ping->rows, host);
	else
		pinecone_row_text(&ping->rows, psprintf("%s: %s", host,
												problem->status > 0 ? psprintf("HTTP status %ld: %s", problem->status, problem->message ? problem->message : "no text") :
												problem->message	? problem->message :
																	  "no answer"));
	pinecone_row_text(&ping->rows, problem == NULL		 ? NULL :
								   problem->host_refused ? problem->remedy :
														   "Check the server's \"hosts\" option and the network: reads could not go there.");
	pinecone_row_end(&ping->rows);
}

Datum
pinecone_ping(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_ping()", PINECONE_ADMIN_READS);
	Ping ping = {pinecone_argument_session(serverid, false)};
	const PineconeServerOptions *options = ping.session->options;

	pinecone_rows_begin(&ping.rows, fcinfo);
	if (options->index != NULL)
		find_by_name(&ping);
	else if (options->host != NULL)
		find_by_host(&ping);
	else
	{
		while (ping.next < STEP_INDEX)
			skip(&ping, ping.next, "not tried");
		stop(&ping, STEP_INDEX, "the server has neither a \"host\" nor an \"index\" option", "Set one of them with ALTER SERVER.");
	}
	if (!ping.stopped && options->index != NULL)
		reach_index(&ping);
	if (!ping.stopped)
	{
		put_facts(&ping);
		put_read(&ping);
		put_write(&ping);
		put_latency(&ping);
	}
	for (int i = 1; i < options->hosts->n; i++)
		put_further_host(&ping, i);
	return (Datum) 0;
}
