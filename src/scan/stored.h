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

typedef struct PineconeStreamSpec
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
	struct PineconePool *pool; /* gathers the fetches of several streams; or NULL */

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
} PineconeStreamSpec;

typedef struct PineconeStream PineconeStream;

typedef enum PineconeStreamStatus
{
	PINECONE_STREAM_RECORD,
	PINECONE_STREAM_PENDING, /* only when told not to wait */
	PINECONE_STREAM_END,
	PINECONE_STREAM_CAPPED /* a search that may not grow further: there may be
								 * more records */
} PineconeStreamStatus;

/*
 * Start; the first request is on its way when this returns.  The stream lives
 * in a child of the current memory context.  What "spec" points to must live
 * as long as the stream.
 */
extern PineconeStream *pinecone_stream_begin(const PineconeStreamSpec *spec);

/* The same without what this transaction has written and not sent yet. */
extern PineconeStream *pinecone_stream_begin_stored(const PineconeStreamSpec *spec);

/*
 * The next record, valid until the next call.  Errors are raised.  With "wait"
 * false it returns PENDING rather than wait for the network.
 */
extern PineconeStreamStatus pinecone_stream_next(PineconeStream *stream, bool wait,
												 PineconeRecord **record);

/*
 * The calls that a stream is waiting for, at most PINECONE_STREAM_CALLS: when
 * one of them has finished, the stream can go on.  Returns how many.
 */
#define PINECONE_STREAM_CALLS 2
extern int pinecone_stream_calls(PineconeStream *stream, PineconeCall **calls);

/* Has this search already returned the record of that id? */
extern bool pinecone_stream_seen(PineconeStream *stream, const char *id);

/* The number of neighbours last asked for. */
extern int pinecone_stream_top_k(PineconeStream *stream);

extern void pinecone_stream_end(PineconeStream *stream);

#endif /* PINECONE_STORED_H */
