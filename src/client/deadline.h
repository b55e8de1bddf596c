/*
 * deadline.h
 *		When exchanges are out of time, not counting the time in which nobody moved
 *		them on.
 *
 * An open cursor may not be read from for an hour.  libcurl's own timeouts run on
 * in the meantime, so what they end then is not to be blamed on the service.
 */
#ifndef PINECONE_DEADLINE_H
#define PINECONE_DEADLINE_H

#include "base/clock.h"

/* The time that one exchange has */
typedef struct PineconeDeadline
{
	PineconeTime started_at;
	int64 started_unattended; /* microseconds without attendance by then */
	int connect_timeout_ms;
	int timeout_ms; /* in all */
} PineconeDeadline;

/* ---- Of one exchange; "begun": the addresses are known and libcurl has it ---- */

extern void pinecone_deadline_begin(PineconeDeadline *deadline, int connect_timeout_ms,
									int timeout_ms);

/*
 * How long has it taken, in microseconds, that is over now?  If it may have been
 * over when nobody looked, until somebody had looked last.
 */
extern int64 pinecone_deadline_taken(const PineconeDeadline *deadline);

/* Is it out of time? */
extern bool pinecone_deadline_is_over(const PineconeDeadline *deadline, bool begun);

/* It timed out: only because nobody was there to read? */
extern bool pinecone_deadline_has_lapsed(const PineconeDeadline *deadline, bool connected);

/* How much is left of a time that began with it, at least 1. */
extern long pinecone_deadline_ms_left(const PineconeDeadline *deadline, int timeout_ms);

/* The time that it has to be connected. */
extern int pinecone_deadline_connect_ms(const PineconeDeadline *deadline);

/* ---- Of all that run ---- */

/* One more runs, or still runs. */
extern void pinecone_deadline_note(const PineconeDeadline *deadline, bool begun);

/*
 * May any of those that were noted be out of time?  Then all that are not have to
 * be noted anew.
 */
extern bool pinecone_deadline_any_over(void);

/* Milliseconds until then, or until another time (0: never) if that is earlier; -1: never. */
extern long pinecone_deadline_timeout(PineconeTime other);

/* ---- Attendance ---- */

/* Somebody begins to move the exchanges on; somebody has, or has waited for them. */
extern void pinecone_deadline_attend(void);
extern void pinecone_deadline_attended(void);

/* Until then somebody waits for them by other means. */
extern void pinecone_deadline_attended_elsewhere(void);

/* None runs any more. */
extern void pinecone_deadline_forget(void);

#endif /* PINECONE_DEADLINE_H */
