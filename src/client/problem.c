/*
 * problem.c
 *		Why a call failed, as far as its last attempt tells.
 *
 * What a reply says may be anything, and by way of a proxy even contain the key:
 * that is made unreadable before anybody sees it.
 */
#include "postgres.h"

#include "client/call.h"
#include "client/hosts.h"
#include "client/problem.h"
#include "wire/message.h"

static char *
copy_text(MemoryContext cxt, const char *text)
{
	return text ? MemoryContextStrdup(cxt, text) : NULL;
}

PineconeProblem *
pinecone_problem_refusal(char *message, const char *remedy)
{
	PineconeProblem *problem = palloc0(sizeof(PineconeProblem));

	problem->host_refused = true;
	problem->message = message;
	problem->remedy = remedy;
	return problem;
}

void
pinecone_problem_copy(PineconeProblem *to, const PineconeProblem *from, MemoryContext cxt)
{
	*to = *from;
	to->message = copy_text(cxt, from->message);
	to->reason = copy_text(cxt, from->reason);
	to->request_id = copy_text(cxt, from->request_id);
	to->host = copy_text(cxt, from->host);
}

bool
pinecone_problem_is_quota(const PineconeProblem *problem)
{
	return problem->status == 429 && problem->message != NULL &&
		   strstr(problem->message, "for the current month") != NULL;
}

/* Replace what must not be shown in bytes from elsewhere. */
static void
redact(char *text, size_t textlen, const char *secret)
{
	size_t len = strlen(secret);
	char *end = text + textlen;
	char *found = text;

	while (len > 0 && (found = memmem(found, end - found, secret, len)) != NULL)
	{
		memset(found, '*', len);
		found += len;
	}
}

/*
 * Take over what the exchange tells of its failure, with the key made unreadable
 * in all that is text from elsewhere.
 */
void
pinecone_problem_note(PineconeCall *call)
{
	PineconeExchange *exchange = call->exchange;
	PineconeProblem *problem = &call->problem;
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	memset(problem, 0, sizeof(*problem));
	problem->outcome = exchange->outcome;
	problem->status = exchange->status;
	problem->attempts = call->attempts;
	problem->retry_after = exchange->retry_after;
	/* our words in client/route.c, and libcurl's */
	problem->in_lookup = exchange->outcome == PINECONE_HTTP_UNRESOLVED ||
						 strncmp(exchange->reason, "Could not resolve", strlen("Could not resolve")) == 0;
	problem->in_tls = exchange->in_tls;
	if (pinecone_hosts_url(call) != NULL)
		problem->host = pstrdup(pinecone_hosts_url(call));
	if (exchange->request_id[0])
		problem->request_id = pstrdup(exchange->request_id);
	/* before it is cut to length, too: a part of a key is one too many */
	if (exchange->body)
		redact(exchange->body, exchange->body_len, call->api_key);
	if (exchange->outcome == PINECONE_HTTP_ANSWERED)
	{
		problem->message = pinecone_message_decode_error(exchange->body, exchange->body_len,
														 &problem->code);
		/* it may be anybody's, and not for who asks */
		if (problem->message == NULL && exchange->body_len > 0)
			problem->message = psprintf("the reply (%s, %zu bytes) is not one of Pinecone's",
										exchange->content_type[0] ? exchange->content_type : "of no type",
										exchange->body_len);
		problem->reason = pinecone_message_decode_reason(exchange->body, exchange->body_len);
	}
	else
		problem->message = pstrdup(exchange->reason);
	if (problem->message)
		redact(problem->message, strlen(problem->message), call->api_key);
	if (problem->request_id)
		redact(problem->request_id, strlen(problem->request_id), call->api_key);
	MemoryContextSwitchTo(old);
}

void
pinecone_problem_note_invalid(PineconeCall *call, const char *reason)
{
	PineconeProblem *problem = &call->problem;

	memset(problem, 0, sizeof(*problem));
	problem->outcome = PINECONE_HTTP_ANSWERED;
	problem->status = call->exchange->status;
	problem->invalid = reason;
	problem->attempts = call->attempts;
	if (call->exchange->request_id[0])
		problem->request_id = MemoryContextStrdup(call->cxt, call->exchange->request_id);
}
