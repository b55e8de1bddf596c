/*
 * rate_limits.h
 *		Kinds of requests, and how many of each may be sent per second.
 */
#ifndef PINECONE_RATE_LIMITS_H
#define PINECONE_RATE_LIMITS_H

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
	PINECONE_RATE_UPSERT_KB,	  /* not requests, but what is in them: kB (of 1,000 bytes), */
	PINECONE_RATE_DELETE_RECORDS, /* and ids */
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

/* Are they counted for each namespace by itself, or for all of an index? */
extern bool pinecone_rate_is_by_namespace(PineconeRateKind kind);

/* What is limited besides the number of such requests, or PINECONE_RATE_NONE. */
extern PineconeRateKind pinecone_rate_besides(PineconeRateKind kind);

#endif /* PINECONE_RATE_LIMITS_H */
