/*
 * turn.c
 *		Calls ask the governor, and tell it what the service says.
 *
 * A session of a host on this machine has no turns, unless its limits are given,
 * it is as far away as the service would be, or the host has refused somebody:
 * whoever refuses has counted.
 */
#include "postgres.h"

#include "base/governor.h"
#include "client/turn.h"

static PineconeTurnFor
turn_for(const PineconeCall *call)
{
	return (PineconeTurnFor){
		.host = call->session->host_hash,
		.kind = call->rate_kind,
		.namespace_ = call->rate_namespace,
		.amount = call->rate_amount,
	};
}

PineconeTime
pinecone_turn_take(PineconeCall *call)
{
	PineconeSession *session = call->session;
	const PineconeRateLimits *rates = &session->options->rates;
	PineconeTurnFor what = turn_for(call);

	if (call->rate_kind == PINECONE_RATE_NONE ||
		(pinecone_session_rate(session, call->rate_kind) <= 0 && !pinecone_governor_counts(rates, &what)))
		return 0;
	return pinecone_governor_take(session->turns, rates, &what);
}

bool
pinecone_turn_refused(PineconeCall *call)
{
	const PineconeRateLimits *rates = &call->session->options->rates;
	const char *message = call->problem.message ? call->problem.message : "";
	PineconeTurnFor what = turn_for(call);
	double retry_after = call->exchange->retry_after;

	if (rates->limits[call->rate_kind] <= 0)
		return false;
	/* who was told to wait longer than one waits has failed, and so may the others */
	if (retry_after > PINECONE_MAX_RETRY_AFTER)
		retry_after = -1;
	/* which limit it was, only the message tells */
	pinecone_governor_refused(rates, &what, strstr(message, "size") || strstr(message, "records"),
							  call->sent_at, retry_after);
	return true;
}
