/*
 * deadline.c
 *		The times of exchanges: the earliest at which one of them is over, and how
 *		long nobody attended to them.
 */
#include "postgres.h"

#include "client/deadline.h"

/* libcurl keeps an exchange's time; that long afterwards we do it for it. */
#define OVERTIME_MS 200

/* It counts whole milliseconds, and may end an exchange by so much early. */
#define EARLY_MS 5

static struct
{
	PineconeTime first;		  /* before this no exchange is out of time; 0: there is none */
	int64 unattended;		  /* microseconds in which nobody moved them on */
	int64 gap;				  /* of them, the last ones */
	PineconeTime attended_at; /* the last time somebody did; 0: never */
	bool attended_elsewhere;  /* since then somebody waits by other means */
} times;

/* ---- One exchange ---- */

void
pinecone_deadline_begin(PineconeDeadline *deadline, int connect_timeout_ms, int timeout_ms)
{
	deadline->connect_timeout_ms = connect_timeout_ms;
	deadline->timeout_ms = timeout_ms;
	deadline->started_at = pinecone_clock_now();
	deadline->started_unattended = times.unattended;
}

int
pinecone_deadline_connect_ms(const PineconeDeadline *deadline)
{
	return Min(deadline->connect_timeout_ms, deadline->timeout_ms);
}

/* When it fails for want of a connection, or else of a reply, at the latest */
static PineconeTime
end_of(const PineconeDeadline *deadline, bool begun)
{
	return pinecone_clock_after_ms(deadline->started_at,
								   begun ? deadline->timeout_ms + OVERTIME_MS :
										   pinecone_deadline_connect_ms(deadline));
}

bool
pinecone_deadline_is_over(const PineconeDeadline *deadline, bool begun)
{
	return pinecone_clock_now() >= end_of(deadline, begun);
}

bool
pinecone_deadline_has_lapsed(const PineconeDeadline *deadline, bool connected)
{
	int64 timeout = connected ? deadline->timeout_ms : pinecone_deadline_connect_ms(deadline);
	int64 missed = times.unattended - deadline->started_unattended;

	return missed > 0 &&
		   pinecone_clock_now() - deadline->started_at - missed < (timeout - EARLY_MS) * 1000;
}

int64
pinecone_deadline_taken(const PineconeDeadline *deadline)
{
	return Max(0, pinecone_clock_now() - deadline->started_at - times.gap);
}

long
pinecone_deadline_ms_left(const PineconeDeadline *deadline, int timeout_ms)
{
	return Max(1, pinecone_clock_ms_until(pinecone_clock_after_ms(deadline->started_at, timeout_ms)));
}

/* ---- All that run ---- */

void
pinecone_deadline_note(const PineconeDeadline *deadline, bool begun)
{
	PineconeTime end = end_of(deadline, begun);

	if (times.first == 0 || end < times.first)
		times.first = end;
}

bool
pinecone_deadline_any_over(void)
{
	if (times.first == 0 || pinecone_clock_now() < times.first)
		return false;
	times.first = 0;
	return true;
}

long
pinecone_deadline_timeout(PineconeTime other)
{
	PineconeTime at = other;

	if (times.first != 0 && (at == 0 || times.first < at))
		at = times.first;
	return at == 0 ? -1 : pinecone_clock_ms_until(at);
}

/* ---- Attendance ---- */

void
pinecone_deadline_attend(void)
{
	times.gap = 0;
	if (times.attended_at != 0 && !times.attended_elsewhere)
		times.gap = pinecone_clock_now() - times.attended_at;
	times.unattended += times.gap;
	times.attended_elsewhere = false;
}

void
pinecone_deadline_attended(void)
{
	times.attended_at = pinecone_clock_now();
}

void
pinecone_deadline_attended_elsewhere(void)
{
	times.attended_elsewhere = true;
}

void
pinecone_deadline_forget(void)
{
	memset(&times, 0, sizeof(times));
}
