/*
 * hosts.c
 *		Which of a server's hosts a session talks to.
 *
 * What is here decides; client/find_index.c asks hosts whether they answer, and
 * client/call.c does what is decided.
 *
 * A session turns to another host as soon as the one that it talks to is known to
 * be down, by whomever.  It turns back when that answers again, but not while a
 * statement, such as that of an open cursor, has answers of the other one.
 */
#include "postgres.h"

#include "client/bound.h"
#include "client/call.h"
#include "client/hosts.h"

bool pinecone_hosts_first_only = false;

PineconeFailover *
pinecone_hosts_create(const PineconeServerOptions *options, bool roams)
{
	PineconeFailover *failover;

	if (options->hosts->n <= 1 && options->allowed_regions == NULL)
		return NULL;
	failover = palloc0(sizeof(PineconeFailover));
	failover->roams = roams && options->hosts->n > 1;
	failover->n = options->hosts->n;
	for (int i = 0; i < failover->n; i++)
		failover->keys[i] = pinecone_host_key(options->serverid, options->hosts->hosts[i] ? options->hosts->hosts[i] : options->index);
	return failover;
}

const char *
pinecone_hosts_name(const PineconeSession *session, int number)
{
	const PineconeFailover *failover = session->failover;

	if (failover->urls[number] != NULL)
		return failover->urls[number];
	return session->options->hosts->hosts[number] ? session->options->hosts->hosts[number] :
													psprintf("of index %s", session->options->index);
}

const char *
pinecone_hosts_url(const PineconeCall *call)
{
	const PineconeSession *session = call->session;

	if (session->failover != NULL && !call->control_plane && session->failover->urls[call->host_number] != NULL)
		return session->failover->urls[call->host_number];
	return session->base_url;
}

/* ---- Which one ---- */

/* A busy host (429) answers; a certificate that is not trusted is no outage. */
bool
pinecone_hosts_is_failure(const PineconeProblem *problem)
{
	switch (problem->outcome)
	{
		case PINECONE_HTTP_UNREACHABLE:
		case PINECONE_HTTP_UNRESOLVED:
		case PINECONE_HTTP_UNCONNECTED:
		case PINECONE_HTTP_TIMED_OUT:
		case PINECONE_HTTP_BROKEN:
			return !problem->host_refused;
		case PINECONE_HTTP_ANSWERED:
			return problem->invalid == NULL && (problem->status >= 500 || problem->status == 408);
		default:
			return false;
	}
}

static int
first_up(const PineconeFailover *failover)
{
	for (int i = 0; i < failover->n; i++)
	{
		if (!pinecone_host_is_down(failover->keys[i]))
			return i;
	}
	/* none: then it is the first that says why */
	return 0;
}

/* To the client, and to the log: who has found out says so loudest. */
static void
tell(PineconeSession *session, int former)
{
	PineconeFailover *failover = session->failover;
	const char *server = session->options->servername;
	const char *to = pinecone_hosts_name(session, failover->number);
	const char *what = session->options->failover_writes ? "reads and writes" : "reads";
	bool back = failover->number < former;
	PineconeHostState state = pinecone_host_state(failover->keys[back ? failover->number : former]);

	if (back)
		ereport(NOTICE,
				(errmsg("%s of server \"%s\" go to host \"%s\" again", what, server, to)));
	else
		ereport(failover->is_news ? WARNING : NOTICE,
				(errmsg("%s of server \"%s\" go to host \"%s\"", what, server, to),
				 errdetail_internal("Host \"%s\" does not answer: %s", pinecone_hosts_name(session, former), state.reason),
				 errhint("What was written to the other host lately may not be there yet.")));
	failover->is_news = false;
}

void
pinecone_hosts_turn(PineconeSession *session)
{
	PineconeFailover *failover = session->failover;
	int former = failover->number;
	int number = first_up(failover);

	if (number == former || (!pinecone_host_is_down(failover->keys[former]) && pinecone_bound_any(session)))
		return;
	if (session->base_url != NULL)
	{
		if (session->former_url != NULL)
			pfree(session->former_url);
		session->former_url = session->base_url;
		session->base_url = NULL;
	}
	failover->number = number;
	/* where none answers there is nothing to tell but that */
	if (!pinecone_host_is_down(failover->keys[number]))
		tell(session, former);
}

/* ---- Statements stay with one ---- */

static void
note_elsewhere(PineconeCall *call)
{
	PineconeSession *session = call->session;
	int number = pinecone_bound_number(call->counters->bound, session);
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	memset(&call->problem, 0, sizeof(call->problem));
	call->problem.host_refused = true;
	call->problem.moved = true;
	call->problem.message = psprintf("host \"%s\" of server \"%s\" stopped answering while it was read",
									 pinecone_hosts_name(session, number), session->options->servername);
	call->problem.remedy = "Repeat the statement: it had answers of that host, and another one's are not added to them.";
	MemoryContextSwitchTo(old);
}

/* Sequence numbers are a host's own: what the session has written elsewhere is never known to be here. */
static void
note_not_shown(PineconeCall *call)
{
	PineconeSession *session = call->session;
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	memset(&call->problem, 0, sizeof(call->problem));
	call->problem.host_refused = call->problem.moved = true;
	call->problem.message = psprintf("host \"%s\" of server \"%s\" need not have what this session has written",
									 pinecone_hosts_name(session, session->failover->number), session->options->servername);
	call->problem.remedy = "It went to another host, and the table's \"consistency\" is 'session': read it in a new session, or when that host answers again.";
	MemoryContextSwitchTo(old);
}

bool
pinecone_hosts_may_ask(PineconeCall *call)
{
	PineconeSession *session = call->session;
	PineconeFailover *failover = session->failover;

	if (failover == NULL || call->control_plane || call->counters == NULL)
		return true;
	if (call->counters->shows_own && (failover->written & ~(1U << failover->number)) != 0)
	{
		note_not_shown(call);
		return false;
	}
	if (!pinecone_bound_is_elsewhere(call->counters->bound, session))
		return true;
	note_elsewhere(call);
	return false;
}

bool
pinecone_hosts_take_answer(PineconeCall *call)
{
	PineconeSession *session = call->session;
	PineconeFailover *failover = session->failover;

	if (failover == NULL || call->control_plane || failover->n == 1)
		return true;
	pinecone_hosts_note_answer(session, call->host_number);
	if (call->is_write)
		failover->written |= 1U << call->host_number;
	if (!failover->roams || call->counters == NULL ||
		pinecone_bound_note(call->counters->bound, session, call->location, call->host_number))
		return true;
	note_elsewhere(call);
	return false;
}

/* ---- Failures ---- */

void
pinecone_hosts_note_answer(PineconeSession *session, int number)
{
	if (pinecone_host_note_answer(session->failover->keys[number]))
		ereport(LOG_SERVER_ONLY,
				(errmsg("host \"%s\" of server \"%s\" answers again", pinecone_hosts_name(session, number), session->options->servername),
				 errhidestmt(true)));
}

void
pinecone_hosts_note_failure(PineconeSession *session, int number, const PineconeProblem *problem)
{
	const char *words = problem->message ? problem->message : "";
	const char *reason = problem->outcome == PINECONE_HTTP_ANSWERED ? psprintf("HTTP status %ld: %s", problem->status, words) :
																	  words;

	if (!pinecone_host_note_failure(session->failover->keys[number], reason))
		return;
	session->failover->is_news = true;
	ereport(LOG_SERVER_ONLY,
			(errmsg("host \"%s\" of server \"%s\" does not answer", pinecone_hosts_name(session, number), session->options->servername),
			 errdetail_internal("%s", reason),
			 errhidestmt(true)));
}

/* A reply would not be the first of its statement, or of its list. */
static bool
has_begun(const PineconeCall *call)
{
	return call->continues || (call->counters != NULL && pinecone_bound_number(call->counters->bound, call->session) >= 0);
}

bool
pinecone_hosts_move(PineconeCall *call, bool retryable)
{
	PineconeSession *session = call->session;
	PineconeFailover *failover = session->failover;
	int next;

	if (failover == NULL || failover->n == 1 || call->control_plane || !pinecone_hosts_is_failure(&call->problem))
		return false;
	/* once is no outage, where others try again */
	if (call->single_attempt && retryable)
		return false;
	pinecone_hosts_note_failure(session, call->host_number, &call->problem);
	call->hosts_tried |= 1U << call->host_number;
	next = first_up(failover);
	if (!failover->roams || (call->hosts_tried & (1U << next)) != 0 || pinecone_host_is_down(failover->keys[next]))
		return false;
	if (call->is_write && call->maybe_applied)
	{
		call->note = "No other host was written to.";
		return false;
	}
	if (has_begun(call))
	{
		call->note = "The statement had answers of that host before, to which another one's are not added: repeat it.";
		return false;
	}
	call->attempts = call->refusals = 0;
	call->refused_at = 0;
	call->relocated = call->maybe_applied = false;
	return true;
}

bool
pinecone_hosts_pass_over(PineconeSession *session, const PineconeProblem *problem)
{
	PineconeFailover *failover = session->failover;

	if (failover == NULL || !failover->roams || failover->number > 0 || !pinecone_hosts_is_failure(problem))
		return false;
	pinecone_hosts_note_failure(session, 0, problem);
	failover->refused_at = pinecone_clock_now();
	return first_up(failover) > 0;
}

const char *
pinecone_hosts_remark(const PineconeCall *call)
{
	const PineconeFailover *failover = call->session->failover;

	if (failover == NULL || failover->n == 1 || call->control_plane || !pinecone_hosts_is_failure(&call->problem))
		return NULL;
	if (failover->roams)
		return call->note != NULL ? NULL : "None of the server's hosts answers.";
	return "Writes, what is read for them, and what has to show them go to the first of the server's hosts alone (see its option \"failover_writes\").";
}

/* ---- What is there ---- */

void
pinecone_hosts_note_shape(PineconeSession *session, int number, const PineconeStats *stats)
{
	PineconeShape shape = {true, stats->metric, stats->dimension, stats->sparse};

	pinecone_host_note_shape(session->failover->keys[number], &shape);
}

char *
pinecone_hosts_difference(PineconeSession *session, int number)
{
	PineconeShape first = pinecone_host_state(session->failover->keys[0]).shape;
	PineconeShape other = pinecone_host_state(session->failover->keys[number]).shape;

	if (!first.known || !other.known)
		return NULL;
	if (first.sparse != other.sparse)
		return psprintf("%s vectors, and not %s ones", other.sparse ? "sparse" : "dense", first.sparse ? "sparse" : "dense");
	if (first.dimension != other.dimension)
		return psprintf("dimension %d, and not %d", other.dimension, first.dimension);
	if (first.metric != other.metric && first.metric != PINECONE_METRIC_UNKNOWN && other.metric != PINECONE_METRIC_UNKNOWN)
		return psprintf("metric %s, and not %s", pinecone_metric_name(other.metric), pinecone_metric_name(first.metric));
	return NULL;
}

PineconeProblem *
pinecone_hosts_unlike(PineconeSession *session, int number, const char *difference)
{
	PineconeProblem *problem = palloc0(sizeof(PineconeProblem));

	problem->host_refused = problem->moved = true;
	problem->message = psprintf("host \"%s\" of server \"%s\" has another index than the first host: %s",
								pinecone_hosts_name(session, number), session->options->servername, difference);
	problem->remedy = "All hosts of a server must have the same data: take it out of the server's \"hosts\" option.";
	return problem;
}

void
pinecone_hosts_note_stats(PineconeSession *session, const PineconeStats *stats)
{
	PineconeFailover *failover = session->failover;
	char *difference;

	if (failover == NULL || failover->n == 1)
		return;
	pinecone_hosts_note_shape(session, failover->number, stats);
	difference = failover->number > 0 ? pinecone_hosts_difference(session, failover->number) : NULL;
	if (difference != NULL)
		failover->alike &= ~(1U << failover->number);
}
