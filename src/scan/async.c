/*
 * async.c
 *		Foreign scans below an asynchronous Append.
 *
 * The Append asks each of its scans for a row, and those that cannot give one
 * without waiting for the network stay pending.  When no scan has a row, the
 * Append has them add what they wait for to a wait event set, and notifies
 * those whose event has come.
 *
 * All our scans wait for the same descriptor, whatever their servers, and a
 * wait event set can hold it only once.  So the first pending scan adds it, on
 * behalf of all: when it is notified it looks at the others as well.
 */
#include "postgres.h"

#include "executor/execAsync.h"
#include "executor/instrument.h"
#include "storage/latch.h"

#include "base/compat.h"
#include "scan/async.h"
#include "scan/scan.h"

/*
 * The longest wait without a look at interrupts: an Append's wait event set
 * has not got the latch in the older minor releases.
 */
#define LONGEST_WAIT_MS 100

/* Rows read from one scan before the others get a chance to go on */
#define POLL_INTERVAL 100

/* ---- Rows ---- */

/* Give the request a row, or the end, or leave it pending. */
static void
produce_row(AsyncRequest *areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	PineconeScanState *state = node->fdw_state;
	TupleTableSlot *slot;
	bool was_pending = state->pending;

	/* the node's own function: conditions and projection, but no counting */
	state->no_wait = true;
	slot = node->ss.ps.ExecProcNodeReal(&node->ss.ps);
	state->no_wait = false;

	if (TupIsNull(slot) && state->pending)
	{
		if (!was_pending && state->counters.timing)
			INSTR_TIME_SET_CURRENT(state->since);
		ExecAsyncRequestPending(areq);
		return;
	}
	if (was_pending && state->counters.timing)
	{
		instr_time now;

		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_ACCUM_DIFF(state->counters.wait_time, now, state->since);
	}
	ExecAsyncRequestDone(areq, TupIsNull(slot) ? NULL : slot);
}

/* ---- All of an Append's scans ---- */

static bool
request_is_ours(AsyncRequest *areq)
{
	return IsA(areq->requestee, ForeignScanState) &&
		   ((ForeignScanState *) areq->requestee)->fdwroutine->ForeignAsyncRequest ==
			   pineconeForeignAsyncRequest;
}

/* The next of an Append's pending requests to us after that number, or NULL. */
static AsyncRequest *
next_pending(AppendState *append, int number)
{
	while ((number = bms_next_member(append->as_asyncplans, number)) >= 0)
	{
		AsyncRequest *areq = append->as_asyncrequests[number];

		if (areq->callback_pending && request_is_ours(areq))
			return areq;
	}
	return NULL;
}

/* Is there a point in asking the scan again? */
static bool
may_be_ready(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	return state->run->stream == NULL || pinecone_fanout_ready(state->run->stream);
}

/*
 * Look whether pending requests have become ready.  The Append does not know
 * that we do this, so that it is told of the outcome here.
 */
static void
complete_pending(AppendState *append)
{
	AsyncRequest *areq = NULL;

	pinecone_vectors_advance();
	while ((areq = next_pending(append, areq ? areq->request_index : -1)) != NULL)
	{
		if (!may_be_ready((ForeignScanState *) areq->requestee))
			continue;
		areq->callback_pending = false;
		produce_row(areq);
		ExecAsyncResponse(areq);
		if (areq->request_complete && areq->requestee->instrument)
			InstrUpdateTupleCount(areq->requestee->instrument, TupIsNull(areq->result) ? 0.0 : 1.0);
	}
}

/* ---- Callbacks ---- */

/* The first request of an Append: the others follow, before there is a wait. */
static void
prepare_all(AppendState *append)
{
	int number = -1;

	while ((number = bms_next_member(append->as_valid_asyncplans, number)) >= 0)
	{
		AsyncRequest *areq = append->as_asyncrequests[number];

		if (request_is_ours(areq))
			pinecone_scan_ask_ahead((ForeignScanState *) areq->requestee);
	}
}

void
pineconeForeignAsyncRequest(AsyncRequest *areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	PineconeScanState *state = node->fdw_state;
	AppendState *append = (AppendState *) areq->requestor;

	state->nasync = append->as_nasyncplans;
	if (state->session == NULL)
		prepare_all(append);
	if (++state->asked % POLL_INTERVAL == 0)
		complete_pending(append);
	produce_row(areq);
}

void
pineconeForeignAsyncConfigureWait(AsyncRequest *areq)
{
	AppendState *append = (AppendState *) areq->requestor;

	if (next_pending(append, -1) != areq)
		return;

	/* Another scan's waiting may have brought what these wait for. */
	complete_pending(append);
	if (!areq->callback_pending &&
		(append->as_nasyncresults == 0 || next_pending(append, -1) != NULL))
		return; /* nothing to wake up for, or the next pending scan adds it */

	/*
	 * With a row at hand the wait must end at once, although others may have
	 * added events of theirs.
	 */
	pinecone_vectors_alarm(append->as_nasyncresults > 0 ? 0 : LONGEST_WAIT_MS);
	AddWaitEventToSet(append->as_eventset, WL_SOCKET_READABLE, pinecone_vectors_socket(), NULL, areq);
}

void
pineconeForeignAsyncNotify(AsyncRequest *areq)
{
	complete_pending((AppendState *) areq->requestor);
	produce_row(areq);
}
