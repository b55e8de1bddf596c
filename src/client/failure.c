/*
 * failure.c
 *		Why a call failed, and waiting for it until then: what all who start calls
 *		look at, be they above the operations or below.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "client/alias.h"
#include "client/call.h"
#include "client/error.h"
#include "client/session.h"
#include "wire/decode.h"
#include "wire/message.h"

/* ---- Waiting ---- */

void
pinecone_vectors_wait(PineconeCall *call)
{
	(void) pinecone_call_wait_any(&call, 1);
}

void
pinecone_vectors_free(PineconeCall *call)
{
	if (call != NULL)
		MemoryContextDelete(call->cxt);
}

bool
pinecone_vectors_ready(PineconeCall *call)
{
	if (!pinecone_call_finished(call))
		pinecone_call_advance(call->counters);
	return pinecone_call_finished(call);
}

/* ---- Failures ---- */

PineconeFailure
pinecone_vectors_failure(PineconeCall *call)
{
	PineconeProblem *problem = &call->problem;

	if (call->state == PINECONE_CALL_SUCCEEDED)
		return PINECONE_FAILURE_NONE;
	if (problem->outcome == PINECONE_HTTP_ANSWERED && problem->status >= 400 &&
		problem->status < 500)
	{
		if (problem->code == 11 || problem->status == 413 ||
			(problem->message && strstr(problem->message, "message length too large")))
			return PINECONE_FAILURE_TOO_LARGE;
		if (problem->reason != NULL && (strcmp(problem->reason, "WRITE_TO_ALIAS") == 0 ||
										strcmp(problem->reason, "NAME_IN_USE_BY_ALIAS") == 0))
			return PINECONE_FAILURE_ALIAS;
		/* documents: the name of an alias cannot be written to, nor to be a namespace's */
		if (call->documents && call->is_write && (problem->status == 409 || problem->status == 412))
			return PINECONE_FAILURE_ALIAS;
		if (problem->status == 404 && (problem->code == 5 || call->documents))
			return PINECONE_FAILURE_NO_NAMESPACE;
		if (problem->status == 404)
			return PINECONE_FAILURE_UNSUPPORTED;
		if ((problem->status == 401 || problem->status == 403) && problem->operation == NULL)
			return PINECONE_FAILURE_FORBIDDEN;
		return PINECONE_FAILURE_REJECTED;
	}
	return PINECONE_FAILURE_OTHER;
}

bool
pinecone_vectors_is_refused(PineconeCall *call)
{
	long status = call->problem.outcome == PINECONE_HTTP_ANSWERED ? call->problem.status : 0;

	switch (pinecone_vectors_failure(call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
		case PINECONE_FAILURE_ALIAS:
			return true;
		case PINECONE_FAILURE_REJECTED:
			/* others are about the key, the project or the moment */
			return (status == 400 || status == 422) && call->problem.operation == NULL;
		case PINECONE_FAILURE_UNSUPPORTED:
		case PINECONE_FAILURE_NO_NAMESPACE:
			/* there is no such model */
			return strcmp(call->operation, "embed") == 0 && call->problem.operation == NULL;
		default:
			return false;
	}
}

/* Does a message, without spaces and in lower case, say that something is too many? */
static bool
is_about_size(const char *text)
{
	static const char *const words[] = {"atmost", "max", "morethan", "exceed", "limit", "toomany"};

	for (int i = 0; i < lengthof(words); i++)
	{
		if (strstr(text, words[i]) != NULL)
			return true;
	}
	return false;
}

int
pinecone_vectors_ceiling(PineconeCall *call, const char *name, int asked, bool guess)
{
	const PineconeProblem *problem = &call->problem;
	char text[512];
	int ceiling = 0;
	int n = 0;

	if (problem->status != 400 || problem->message == NULL || asked <= 1)
		return 0;
	/* "topK", "top_k" and "top k" are one word */
	for (const char *p = problem->message; *p && n < (int) sizeof(text) - 1; p++)
	{
		if (*p != '_' && *p != ' ')
			text[n++] = pg_ascii_tolower((unsigned char) *p);
	}
	text[n] = '\0';
	if (strstr(text, name) == NULL)
		return 0;
	/* the greatest number named that is less than what was asked for */
	for (const char *p = problem->message; *p; p++)
	{
		char *end;
		long number;

		if (!isdigit((unsigned char) *p))
			continue;
		number = strtol(p, &end, 10);
		if (number < asked && number > ceiling)
			ceiling = (int) number;
		p = end - 1;
	}
	if (guess)
		return ceiling > 0 ? ceiling : asked / 2;
	return is_about_size(text) ? ceiling : 0;
}
