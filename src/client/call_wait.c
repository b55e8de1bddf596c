/*
 * call_wait.c
 *		Waiting for calls: moves all of them on, and sleeps in between.
 */
#include "postgres.h"

#include "client/call.h"
#include "client/http_wait.h"

/* Sleep until a call may have moved on, or so many ms (-1: as long as it takes). */
static void
wait_for_network(PineconeCounters *counters, long most)
{
	long timeout = pinecone_call_timeout();
	instr_time start;
	instr_time end;

	if (most >= 0 && (timeout < 0 || most < timeout))
		timeout = most;
	pinecone_poll_wait_for(pinecone_call_waits_for());
	if (counters == NULL || !counters->timing)
	{
		pinecone_http_sleep(timeout);
		return;
	}
	INSTR_TIME_SET_CURRENT(start);
	pinecone_http_sleep(timeout);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(counters->wait_time, end, start);
}

void
pinecone_call_wait_a_moment(PineconeTime end)
{
	wait_for_network(NULL, end == 0 ? -1 : pinecone_clock_ms_until(end));
}

static int
first_finished(PineconeCall **calls, int ncalls)
{
	for (int i = 0; i < ncalls; i++)
	{
		if (pinecone_call_finished(calls[i]))
			return i;
	}
	return -1;
}

int
pinecone_call_wait_any(PineconeCall **calls, int ncalls)
{
	int found;

	while ((found = first_finished(calls, ncalls)) < 0)
	{
		pinecone_call_advance(calls[0]->counters);
		if (first_finished(calls, ncalls) < 0)
			wait_for_network(calls[0]->counters, -1);
	}
	return found;
}

bool
pinecone_call_wait_until(PineconeCall *call, PineconeTime end)
{
	for (;;)
	{
		long left;

		if (!pinecone_call_finished(call))
			pinecone_call_advance(call->counters);
		if (pinecone_call_finished(call))
			return true;
		left = pinecone_clock_ms_until(end);
		if (left == 0)
			return false;
		wait_for_network(call->counters, left);
	}
}
