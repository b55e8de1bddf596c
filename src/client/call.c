/*
 * call.c
 *		A request to Pinecone with its retries, in the background.
 *
 * Unfinished calls are in one list; pinecone_call_advance() walks it and moves
 * each on as far as it goes: from the queue onto the wire, from a failed
 * attempt into back-off, from there to the queue again.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/compat.h"
#include "base/file.h"
#include "client/account.h"
#include "client/budget.h"
#include "client/cache.h"
#include "client/call.h"
#include "client/call_retry.h"
#include "client/hosts.h"
#include "client/problem.h"
#include "client/turn.h"

#define USER_AGENT "pinecone_fdw/1.0; source_tag=pinecone_fdw"

/* More than one new key is odd; endlessly many must not keep a call alive. */
#define MAX_NEW_KEYS 3

/* Some times what all the authorities of a system take */
#define MAX_CA_FILE (8 * 1024 * 1024)

/* gRPC's code for a namespace that does not exist, in an answer of HTTP 404 */
#define GRPC_NOT_FOUND 5

/*
 * HTTP/2 lets a sender be ahead by so many bytes, unless the receiver says more,
 * which common proxies do not: a larger body is sent a window a round trip, and
 * all that share the connection with it wait (RFC 9113, 5.2 and 6.9.2).
 */
#define HTTP2_WINDOW 65535

static dlist_head unfinished = DLIST_STATIC_INIT(unfinished);

/* Has something been queued, or has room been made, since the queue was seen? */
static bool queue_changed = false;

/* Has an attempt finished that has not been taken note of? */
static bool attempt_finished = false;

/* Calls that wait for a time: in back-off, or for their turn */
static int nsleeping = 0;

/* ---- Life ---- */

static void
unlist(PineconeCall *call)
{
	if (call->listed)
		dlist_delete(&call->node);
	call->listed = false;
}

/* A call does not wait for a time any more. */
static void
wake(PineconeCall *call)
{
	nsleeping -= call->state == PINECONE_CALL_BACKING_OFF;
	nsleeping -= call->turn_at != 0;
	call->turn_at = 0;
}

/* The call's memory goes away: whatever it was doing ends. */
static void
release_call(void *arg)
{
	PineconeCall *call = arg;

	/* it was in a context below the call's, which has gone before */
	call->exchange = NULL;
	if (call->state == PINECONE_CALL_RUNNING)
	{
		call->session->running--;
		queue_changed = true;
		/* nobody will know what has become of it */
		if (call->is_write)
			pinecone_cache_note_write(call);
	}
	pinecone_cache_give_up(call);
	call->session->calls--;
	pinecone_account_drop(call);
	wake(call);
	unlist(call);
}

PineconeCall *
pinecone_call_create(PineconeSession *session, PineconeCounters *counters,
					 const char *operation, const char *method)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone call",
											  ALLOCSET_SMALL_SIZES);
	PineconeCall *call = MemoryContextAllocZero(cxt, sizeof(PineconeCall));

	call->cxt = cxt;
	call->cleanup.func = release_call;
	call->cleanup.arg = call;
	MemoryContextRegisterResetCallback(cxt, &call->cleanup);
	call->session = session;
	session->calls++;
	call->counters = counters;
	call->operation = operation;
	call->method = method;
	return call;
}

void
pinecone_call_start(PineconeCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	call->api_key = pinecone_option_api_key(call->session->mapping, false);
	call->attempt_cxt = AllocSetContextCreate(call->cxt, "pinecone attempt", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(old);
	pinecone_account_start(call);

	call->state = PINECONE_CALL_QUEUED;
	dlist_push_tail(&unfinished, &call->node);
	call->listed = true;
	queue_changed = true;
}

/* For good. */
static void
fail(PineconeCall *call)
{
	call->state = PINECONE_CALL_FAILED;
	unlist(call);
	pinecone_account_fail(call);
}

void
pinecone_call_stop(PineconeCall *call)
{
	call->single_attempt = true;
	if (call->state == PINECONE_CALL_QUEUED || call->state == PINECONE_CALL_BACKING_OFF)
	{
		wake(call);
		fail(call);
	}
}

bool
pinecone_call_finished(const PineconeCall *call)
{
	return call->state == PINECONE_CALL_SUCCEEDED || call->state == PINECONE_CALL_FAILED;
}

/* ---- One attempt ---- */

static char *
joined(const char *a, const char *b)
{
	size_t len = strlen(a);
	char *text = palloc(len + strlen(b) + 1);

	memcpy(text, a, len);
	strcpy(text + len, b);
	return text;
}

/*
 * Send a call's request, as its first attempt or a further one. Everything of an
 * attempt is in attempt_cxt, which the next one resets.
 */
static void
start_attempt(PineconeCall *call)
{
	PineconeSession *session = call->session;
	PineconeServerOptions *options = session->options;
	PineconeHttpRequest request = {0};
	const char *headers[5];
	int n = 0;
	MemoryContext old;

	MemoryContextReset(call->attempt_cxt);
	old = MemoryContextSwitchTo(call->attempt_cxt);
	headers[n++] = joined("Api-Key: ", call->api_key);
	headers[n++] = joined("X-Pinecone-Api-Version: ", call->api_version ? call->api_version : options->api_version);
	headers[n++] = "User-Agent: " USER_AGENT; /* as any other: libcurl would make a text of its own for each request */
	if (call->body)
		headers[n++] = call->lines ? "Content-Type: application/x-ndjson" : "Content-Type: application/json";
	headers[n] = NULL;

	request.method = call->method;
	request.url = call->url ? call->url : joined(session->base_url, call->path);
	request.headers = headers;
	request.body = call->body;
	request.body_len = call->body_len;
	if (options->ca_file != NULL && strncmp(request.url, "https:", 6) == 0)
	{
		const PineconeFile *ca = pinecone_file_read(options->ca_file, "certificate file", MAX_CA_FILE, false);

		request.ca = ca->data;
		request.ca_len = ca->len;
	}
	request.connect_timeout_ms = options->connect_timeout_ms;
	request.timeout_ms = options->request_timeout_ms;
	request.large_reply = call->large_reply;
	call->http1 = call->body_len > HTTP2_WINDOW && !session->no_http1 && !call->http1_failed;
	request.http1 = call->http1;
	/* over HTTP/2 all the same: then each in a window of its own, rather than all in one */
	request.alone = call->once || call->told_apart || (call->body_len > HTTP2_WINDOW && !call->http1);
	call->exchange = pinecone_http_start(&request);
	MemoryContextSwitchTo(old);

	call->state = PINECONE_CALL_RUNNING;
	call->attempts++;
	call->location = session->location;
	call->host_number = session->failover ? session->failover->number : 0;
	call->sent_at = pinecone_clock_now();
	pinecone_cache_sent(call);
	session->running++;
	pinecone_account_request(call);
	if (call->counters)
	{
		call->counters->requests++;
		call->counters->retries += call->attempts > 1;
		call->counters->bytes_sent += strlen(call->path) + call->body_len;
		call->counters->peak_in_flight = Max(call->counters->peak_in_flight, session->running);
	}
}

/* Is it a call's turn, by what may be sent per second? */
static bool
take_turn(PineconeCall *call)
{
	wake(call);
	call->turn_at = pinecone_turn_take(call);
	nsleeping += call->turn_at != 0;
	return call->turn_at == 0;
}

/* Is a call over, or not to be sent yet, because memory answers it, or may soon? */
static bool
is_answered(PineconeCall *call)
{
	switch (pinecone_cache_look(call))
	{
		case PINECONE_CACHE_ANSWERED:
			wake(call);
			call->state = PINECONE_CALL_SUCCEEDED;
			unlist(call);
			if (!pinecone_hosts_take_answer(call))
				fail(call);
			return true;
		case PINECONE_CACHE_WAIT:
			wake(call);
			call->turn_at = pinecone_clock_after_ms(pinecone_clock_now(), PINECONE_CACHE_WAIT_MS);
			nsleeping++;
			return true;
		default:
			return false;
	}
}

/* An error leaves the queue as it is: others may have to be looked at. */
static void
check_budget(PineconeCall *call)
{
	bool changed = queue_changed;

	queue_changed = true;
	pinecone_budget_check(call->session);
	queue_changed = changed;
}

/* It is asked whether another host answers, for which nobody waits longer than that. */
static void
wait_for_host(PineconeCall *call)
{
	wake(call);
	call->turn_at = pinecone_session_patience(call->session);
	nsleeping += call->turn_at != 0;
}

/* Let a queued call go if its session is located and has room for it. */
static void
try_start(PineconeCall *call)
{
	PineconeSession *session = call->session;
	PineconeProblem *problem = NULL;
	bool has_room = session->running < Max(1, (int) session->allowance);

	if (!has_room && call->caching == NULL)
		return;
	if (!call->control_plane && !pinecone_session_locate(session, &problem))
	{
		if (problem == NULL)
			wait_for_host(call);
		else if (pinecone_hosts_pass_over(session, problem))
			queue_changed = true;
		else
		{
			pinecone_problem_copy(&call->problem, problem, call->cxt);
			fail(call);
		}
		return;
	}
	if (!pinecone_hosts_may_ask(call))
	{
		fail(call);
		return;
	}
	if (is_answered(call) || !has_room)
		return;
	check_budget(call);
	if (take_turn(call))
		start_attempt(call);
}

/* The key was refused: is there another one by now? */
static bool
take_new_key(PineconeCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	char *key = pinecone_option_api_key(call->session->mapping, true);

	MemoryContextSwitchTo(old);
	if (key == NULL || strcmp(key, call->api_key) == 0 || call->new_keys >= MAX_NEW_KEYS)
		return false;
	call->api_key = key;
	call->new_keys++;
	return true;
}

/* Is there something about a refused request that can be set right at once? */
static bool
refusal_is_remedied(PineconeCall *call)
{
	if (call->problem.status == 401 || call->problem.status == 403)
		return take_new_key(call);
	/* an index made anew is elsewhere; the old host knows nothing of it */
	if (call->problem.status == 404 && call->problem.code != GRPC_NOT_FOUND &&
		!call->control_plane && !call->relocated)
	{
		call->relocated = true;
		return pinecone_session_forget_host(call->session, call->location);
	}
	return false;
}

static bool
could_not_connect(const PineconeExchange *exchange)
{
	return exchange->outcome == PINECONE_HTTP_UNREACHABLE ||
		   exchange->outcome == PINECONE_HTTP_UNRESOLVED ||
		   exchange->outcome == PINECONE_HTTP_UNCONNECTED;
}

/*
 * Nobody is where the index was: the control plane knows whether it is elsewhere,
 * or nowhere.  For that a call has an attempt more.
 */
static bool
host_is_looked_for(PineconeCall *call)
{
	bool forgotten = !call->control_plane &&
					 pinecone_session_forget_host(call->session, call->location);

	if (!forgotten || call->relocated)
		return false;
	call->relocated = true;
	return true;
}

/* Fail for good, or try again after a while. */
static void
fail_or_back_off(PineconeCall *call, bool retryable, double retry_after)
{
	if (!retryable || !pinecone_call_retries_are_left(call))
	{
		if (pinecone_hosts_move(call, retryable))
			call->state = PINECONE_CALL_QUEUED;
		else
			fail(call);
		return;
	}
	call->retry_at = pinecone_clock_after_ms(pinecone_clock_now(), pinecone_call_back_off_ms(call, retry_after));
	call->state = PINECONE_CALL_BACKING_OFF;
	nsleeping++;
}

/* The service asks for less, or may be asked for a little more again. */
static void
adjust_allowance(PineconeSession *session, bool limited)
{
	if (limited)
		session->allowance = Max(1, session->allowance / 2);
	else
		session->allowance = Min(session->options->max_concurrency,
								 session->allowance + 1 / session->allowance);
}

/*
 * There may be hosts that speak nothing but HTTP/2: an attempt over HTTP/1.1 that
 * had no connection, or lost it, is followed by one in the other way.
 */
static void
note_http1(PineconeCall *call)
{
	PineconeSession *session = call->session;

	if (call->exchange->outcome == PINECONE_HTTP_UNREACHABLE ||
		call->exchange->outcome == PINECONE_HTTP_BROKEN)
		call->http1_failed = call->http1;
	else if (call->exchange->outcome == PINECONE_HTTP_ANSWERED)
	{
		session->http1_works |= call->http1;
		session->no_http1 |= call->http1_failed && !session->http1_works;
	}
}

/* An attempt has ended, well or badly: note what it tells, and end the call or try again. */
static void
finish_attempt(PineconeCall *call)
{
	PineconeExchange *exchange = call->exchange;
	bool answered = exchange->outcome == PINECONE_HTTP_ANSWERED;

	call->session->running--;
	if (call->counters && exchange->body)
	{
		call->counters->bytes_received += exchange->body_len;
		call->counters->egress_bytes += pinecone_account_is_metered(call) ? exchange->body_len : 0;
	}

	note_http1(call);
	if (call->is_write && (!answered || exchange->status < 300 || exchange->status == 408 || exchange->status >= 500))
		pinecone_cache_note_write(call);
	if (answered && exchange->status >= 200 && exchange->status < 300)
	{
		adjust_allowance(call->session, false);
		if (!call->large_reply && !call->control_plane)
			pinecone_session_note_latency(call->session, pinecone_clock_now() - call->sent_at);
		call->session->granted++;
		call->state = PINECONE_CALL_SUCCEEDED;
		unlist(call);
		pinecone_account_reply(call);
		if (!pinecone_hosts_take_answer(call))
			fail(call);
		return;
	}
	pinecone_cache_give_up(call);
	pinecone_problem_note(call);
	pinecone_account_reply(call);
	if (answered ? exchange->status >= 500 : exchange->sent)
		call->maybe_applied = true;
	if (answered && exchange->status == 429 && !pinecone_problem_is_quota(&call->problem))
	{
		if (!pinecone_turn_refused(call))
			adjust_allowance(call->session, true);
	}
	if ((exchange->outcome == PINECONE_HTTP_LAPSED && !pinecone_call_is_spent(call)) || (answered && refusal_is_remedied(call)) ||
		(could_not_connect(exchange) && host_is_looked_for(call)))
	{
		call->state = PINECONE_CALL_QUEUED;
		return;
	}
	fail_or_back_off(call, pinecone_call_is_retryable(call), exchange->retry_after);
}

bool
pinecone_call_reject(PineconeCall *call, const char *reason)
{
	bool was_kept = pinecone_cache_refuse(call);

	pinecone_problem_note_invalid(call, reason);
	pinecone_account_invalid(call);
	call->maybe_applied = true;

	dlist_push_tail(&unfinished, &call->node);
	call->listed = true;
	if (was_kept)
	{
		call->state = PINECONE_CALL_QUEUED;
		queue_changed = true;
		return true;
	}
	pinecone_cache_give_up(call);
	fail_or_back_off(call, true, -1);
	return call->state != PINECONE_CALL_FAILED;
}

/* ---- All calls ---- */

/* When a call may go on by itself, or 0. */
static PineconeTime
wakes_at(PineconeCall *call)
{
	if (call->state == PINECONE_CALL_BACKING_OFF)
		return call->retry_at;
	return call->state == PINECONE_CALL_QUEUED ? call->turn_at : 0;
}

/* Take note of finished attempts, and of waits that are over. */
static void
advance_attempts(void)
{
	dlist_mutable_iter iter;
	PineconeTime now = 0;

	dlist_foreach_modify(iter, &unfinished)
	{
		PineconeCall *call = dlist_container(PineconeCall, node, iter.cur);

		if (call->state == PINECONE_CALL_RUNNING &&
			call->exchange->outcome != PINECONE_HTTP_RUNNING)
		{
			finish_attempt(call);
			queue_changed = true;
		}
		if (wakes_at(call) != 0)
		{
			if (now == 0)
				now = pinecone_clock_now();
			if (now >= wakes_at(call))
			{
				wake(call);
				call->state = PINECONE_CALL_QUEUED;
				queue_changed = true;
			}
		}
	}
	attempt_finished = false;
}

static void
advance_all(void)
{
	dlist_mutable_iter iter;

	/* there can be thousands of calls in the queue: do not go through them in vain */
	if (pinecone_http_advance())
		attempt_finished = true;
	if (attempt_finished || nsleeping > 0)
		advance_attempts();

	/* starting one may queue another, which resolves its host */
	while (queue_changed)
	{
		queue_changed = false;
		dlist_foreach_modify(iter, &unfinished)
		{
			PineconeCall *call = dlist_container(PineconeCall, node, iter.cur);

			if (call->state == PINECONE_CALL_QUEUED)
				try_start(call);
		}
	}
}

void
pinecone_call_advance(PineconeCounters *counters)
{
	instr_time start;
	instr_time end;

	if (counters == NULL || !counters->timing)
	{
		advance_all();
		return;
	}
	INSTR_TIME_SET_CURRENT(start);
	advance_all();
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(counters->transfer_time, end, start);
}

PineconeWait
pinecone_call_waits_for(void)
{
	PineconeWait what = pinecone_account_is_committing() ? PINECONE_WAIT_COMMIT : PINECONE_WAIT_REPLY;
	dlist_iter iter;

	if (nsleeping == 0)
		return what;
	dlist_foreach(iter, &unfinished)
	{
		PineconeCall *call = dlist_container(PineconeCall, node, iter.cur);

		if (call->state == PINECONE_CALL_RUNNING)
			return pinecone_account_is_committing() ? PINECONE_WAIT_COMMIT : PINECONE_WAIT_REPLY;
		if (wakes_at(call) != 0)
			what = call->state == PINECONE_CALL_BACKING_OFF ? PINECONE_WAIT_RETRY : PINECONE_WAIT_TURN;
	}
	return what;
}

long
pinecone_call_timeout(void)
{
	PineconeTime first = 0;
	dlist_iter iter;

	if (nsleeping == 0)
		return -1;
	dlist_foreach(iter, &unfinished)
	{
		PineconeCall *call = dlist_container(PineconeCall, node, iter.cur);

		if (wakes_at(call) != 0 && (first == 0 || wakes_at(call) < first))
			first = wakes_at(call);
	}
	return first == 0 ? -1 : pinecone_clock_ms_until(first);
}
