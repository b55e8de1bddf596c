/*
 * governor.h
 *		Asks for a turn before each request, and tells how long to wait for it.
 *
 * All backends of the cluster share what a host grants: a window slides over
 * the requests of each kind, and where Pinecone counts by namespace of each
 * namespace, and holds no more than the limit.  So a second's worth goes at once
 * when none went before, and what is more waits for its turn, in the order in
 * which the backends asked.
 *
 * Where the service refuses requests all the same, because others use the index
 * too, fewer go: as many as it has granted lately.  They grow again.
 */
#ifndef PINECONE_GOVERNOR_H
#define PINECONE_GOVERNOR_H

#include "base/clock.h"
#include "base/rate_limits.h"

/* The turns that a session has been given and not used yet */
typedef struct PineconeTurns PineconeTurns;

/* What a turn is for */
typedef struct PineconeTurnFor
{
	uint64 host; /* a hash of where it goes */
	PineconeRateKind kind;
	const char *namespace_; /* or NULL where all of an index are counted together */
	double amount;			/* of what its kind is limited by besides */
} PineconeTurnFor;

/* None yet, in the current memory context. */
extern PineconeTurns *pinecone_governor_create(void);

/*
 * May a request go?  Takes its turn and returns 0, or returns the time at which
 * to ask again.  A backend that does not come back has held nobody up.
 */
extern PineconeTime pinecone_governor_take(PineconeTurns *turns, const PineconeRateLimits *rates,
										   const PineconeTurnFor *what);

/*
 * A request was one too many, for its amount if "by_amount"; the service wants
 * to be left alone for so many seconds (-1: it does not say).
 */
extern void pinecone_governor_refused(const PineconeRateLimits *rates, const PineconeTurnFor *what,
									  bool by_amount, PineconeTime sent_at, double retry_after);

/* Has such a request been refused lately, to whomever: does the service count? */
extern bool pinecone_governor_counts(const PineconeRateLimits *rates, const PineconeTurnFor *what);

#endif /* PINECONE_GOVERNOR_H */
