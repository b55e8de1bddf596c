/*
 * clock.h
 *		Time for durations: on a clock that nobody sets.
 *
 * The time of day may be set back by an hour while something waits for a
 * minute.  Whatever is waited for, limited or kept for a while goes by this.
 */
#ifndef PINECONE_CLOCK_H
#define PINECONE_CLOCK_H

#include <limits.h>
#include <time.h>

/* Microseconds since some time in the past; 0 is never now */
typedef int64 PineconeTime;

static inline PineconeTime
pinecone_clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (PineconeTime) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline PineconeTime
pinecone_clock_after_ms(PineconeTime time, int64 ms)
{
	return time + ms * 1000;
}

/* Have so many ms passed since then? */
static inline bool
pinecone_clock_passed(PineconeTime since, int64 ms)
{
	return pinecone_clock_now() - since >= ms * 1000;
}

/* Milliseconds until then, rounded up; 0 if that is over. */
static inline long
pinecone_clock_ms_until(PineconeTime time)
{
	int64 ms = (time - pinecone_clock_now() + 999) / 1000;

	return (long) Max(0, Min(ms, INT_MAX));
}

#endif /* PINECONE_CLOCK_H */
