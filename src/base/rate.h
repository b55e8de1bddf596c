/*
 * rate.h
 *		Asks for a turn before each request, and tells how long to wait for it.
 *
 * A bucket of tokens for each kind and, where Pinecone counts by namespace,
 * each namespace.  It holds one second's worth, so that a few requests go at
 * once; the others wait for their turn.  Where the service asks for less all the
 * same, because others use the index too, the rate is halved and grows again.
 */
#ifndef PINECONE_RATE_H
#define PINECONE_RATE_H

#include "utils/hsearch.h"

#include "base/clock.h"

typedef enum PineconeRateKind
{
	PINECONE_RATE_NONE, /* not counted */
	PINECONE_RATE_QUERY,
	PINECONE_RATE_FETCH,
	PINECONE_RATE_LIST,
	PINECONE_RATE_STATS,
	PINECONE_RATE_FETCH_BY_METADATA,
	PINECONE_RATE_UPSERT,
	PINECONE_RATE_UPDATE,
	PINECONE_RATE_DELETE,
	PINECONE_RATE_UPDATE_BY_METADATA,
	PINECONE_RATE_DELETE_BY_METADATA,
	PINECONE_RATE_KINDS
} PineconeRateKind;

/* Requests per second by kind; 0: as many as there are */
typedef struct PineconeRateLimits
{
	bool given; /* by the option: they hold on this machine, too */
	double limits[PINECONE_RATE_KINDS];
} PineconeRateLimits;

/*
 * Read a list such as "query 50, fetch 0", or "off"; kinds that it does not name
 * have their documented limit, as all have for NULL.  Returns false with *reason
 * set when it makes no sense.
 */
extern bool pinecone_rate_parse(const char *text, PineconeRateLimits *rates, char **reason);

/* Buckets for these limits, in the current memory context. */
extern HTAB *pinecone_rate_create(void);

/*
 * May a request of a kind go?  Takes its token and returns 0, or returns the
 * time at which to ask again.
 */
extern PineconeTime pinecone_rate_take(HTAB *buckets, const PineconeRateLimits *rates,
									   PineconeRateKind kind, const char *namespace_,
									   PineconeTime now);

/* A request sent at that time was one too many. */
extern void pinecone_rate_lower(HTAB *buckets, const PineconeRateLimits *rates,
								PineconeRateKind kind, const char *namespace_,
								PineconeTime sent_at, PineconeTime now);

#endif /* PINECONE_RATE_H */
