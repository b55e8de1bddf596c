/*
 * call_retry.c
 *		Retries of a call: which failures are worth one, how many there are, and the
 *		back-off before each.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "client/call_retry.h"
#include "client/problem.h"

/* Back-off before the nth retry: at most this many ms, doubled each time. */
#define BACKOFF_BASE_MS 100
#define BACKOFF_CAP_MS 5000

/*
 * A service that refuses everything for its rate limit is asked again for so
 * many ms per retry allowed.  As long as it grants others, a call goes on.
 */
#define REFUSED_MS_PER_RETRY 1000

static bool
status_is_transient(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
		   status == 504;
}

bool
pinecone_call_is_retryable(const PineconeCall *call)
{
	const PineconeExchange *exchange = call->exchange;

	switch (exchange->outcome)
	{
		case PINECONE_HTTP_ANSWERED:
			/* waiting does not bring back a used-up month */
			return status_is_transient(exchange->status) && !pinecone_problem_is_quota(&call->problem) &&
				   exchange->retry_after <= PINECONE_MAX_RETRY_AFTER;
		case PINECONE_HTTP_UNREACHABLE:
		case PINECONE_HTTP_UNCONNECTED:
		case PINECONE_HTTP_BROKEN:
			return true;
		case PINECONE_HTTP_UNRESOLVED: /* whoever does not answer now will not do so sooner */
		case PINECONE_HTTP_TIMED_OUT:
		default:
			return false;
	}
}

/*
 * A call was refused because of a rate limit.  That is not a failure but a
 * reason to be slower, as long as the service grants anything.
 */
static bool
refusal_can_wait(PineconeCall *call)
{
	PineconeSession *session = call->session;
	PineconeTime now = pinecone_clock_now();

	if (call->refused_at == 0 || session->granted > call->granted_then)
	{
		call->refused_at = now;
		call->granted_then = session->granted;
	}
	return !pinecone_clock_passed(call->refused_at,
								  session->options->max_retries * REFUSED_MS_PER_RETRY);
}

bool
pinecone_call_is_spent(const PineconeCall *call)
{
	return call->once && call->maybe_applied;
}

bool
pinecone_call_retries_are_left(PineconeCall *call)
{
	int most = call->session->options->max_retries;

	if (call->single_attempt || most == 0 || pinecone_call_is_spent(call))
		return false;
	if (call->problem.outcome == PINECONE_HTTP_ANSWERED && call->problem.status == 429)
	{
		call->refusals++;
		return refusal_can_wait(call) || call->refusals <= most;
	}
	return call->attempts - call->refusals <= most;
}

int64
pinecone_call_back_off_ms(const PineconeCall *call, double retry_after)
{
	double delay = Min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * pow(2, Min(call->attempts, 10) - 1));

	/* full jitter, so that many clients do not come back at once */
	delay *= pinecone_random_double();
	if (retry_after > 0)
		delay += retry_after * 1000;
	return (int64) ceil(delay);
}
