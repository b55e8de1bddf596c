/*
 * stored.h
 *		The records of one operation on one namespace, one after the other:
 *		paging, growing searches, read-ahead, bounded memory.
 */
#ifndef PINECONE_STORED_H
#define PINECONE_STORED_H

#include "client/vectors.h"
#include "request/request.h"

/* A search returns at most this many matches (API 2025-10) */
#define PINECONE_MAX_TOP_K 10000

typedef struct PineconeStoredSpec
{
	PineconeSession *session;
	PineconeCounters *counters; /* may be NULL */
	PineconeOperation op;		/* FETCH, QUERY, LIST, LIST_FETCH or FILTER */
	const char *namespace_;
	const PineconeTable *own_writes; /* wait for them as its options say, or NULL */
	int64 position;					 /* of pending writes that are seen: see pending.h */
	int dimension;					 /* of the index; sizes pages */
	int sharers;					 /* streams at the same time, which share the budget */

	/* Which records */
	const char *filter; /* QUERY, FILTER; or NULL */
	const char *prefix; /* LIST, LIST_FETCH; or NULL */
	char **ids;			/* FETCH: distinct and valid */
	int nids;
	struct PineconePooled *pool; /* gathers the fetches of several streams; or NULL */

	/* QUERY */
	int nvalues;
	const float *values;
	const char *query_id; /* search by stored record, or NULL */
	int top_k;			  /* to begin with */

	/* What of them */
	bool want_values;
	bool want_metadata;
	bool ordered;	  /* ids of LIST, LIST_FETCH must come in bytewise order */
	double row_limit; /* rows likely to be read; 0: all */
} PineconeStoredSpec;

typedef struct PineconeStored PineconeStored;

typedef enum PineconeStoredStatus
{
	PINECONE_STORED_RECORD,
	PINECONE_STORED_PENDING, /* only when told not to wait */
	PINECONE_STORED_END,
	PINECONE_STORED_CAPPED /* a search that may not grow further: there may be
								 * more records */
} PineconeStoredStatus;

/*
 * Start; the first request is on its way when this returns.  The stream lives
 * in a child of the current memory context.  What "spec" points to must live
 * as long as the stream.
 */
extern PineconeStored *pinecone_stored_begin(const PineconeStoredSpec *spec);

/* The same without what this transaction has written and not sent yet. */
extern PineconeStored *pinecone_stored_begin_stored(const PineconeStoredSpec *spec);

/*
 * The next record, valid until the next call.  Errors are raised.  With "wait"
 * false it returns PENDING rather than wait for the network.
 */
extern PineconeStoredStatus pinecone_stored_next(PineconeStored *stream, bool wait,
												 PineconeRecord **record);

/*
 * The calls that a stream is waiting for, at most PINECONE_STORED_CALLS: when
 * one of them has finished, the stream can go on.  Returns how many.
 */
#define PINECONE_STORED_CALLS 2
extern int pinecone_stored_calls(PineconeStored *stream, PineconeCall **calls);

/* Has this search already returned the record of that id? */
extern bool pinecone_stored_seen(PineconeStored *stream, const char *id);

/* The number of neighbours last asked for. */
extern int pinecone_stored_top_k(PineconeStored *stream);

extern void pinecone_stored_end(PineconeStored *stream);

#endif /* PINECONE_STORED_H */
