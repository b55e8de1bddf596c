/*
 * fanout.h
 *		The records of one operation on several namespaces: a stream for each,
 *		read as they come or merged in order.
 */
#ifndef PINECONE_FANOUT_H
#define PINECONE_FANOUT_H

#include "scan/source.h"

typedef enum PineconeFanoutOrder
{
	PINECONE_FANOUT_ANY,		/* in whatever order they arrive */
	PINECONE_FANOUT_HIGH_SCORE, /* merged: searches, highest score first */
	PINECONE_FANOUT_LOW_SCORE,	/* merged: searches, lowest score first */
	PINECONE_FANOUT_ID			/* merged: bytewise by id */
} PineconeFanoutOrder;

typedef struct PineconeFanout PineconeFanout;

/*
 * Start; the first requests are on their way when this returns.  "spec" is
 * that of each stream, but for its namespace.  "namespaces" tells also how
 * many records each is thought to have, or less than 0 when nobody knows.
 * What the arguments point to must live as long as the fan-out, which lives in
 * a child of the current memory context.
 */
extern PineconeFanout *pinecone_fanout_begin(const PineconeSourceSpec *spec,
											 const PineconeNamespaceStats *namespaces,
											 int nnamespaces, PineconeFanoutOrder order);

/*
 * As pinecone_source_next(); the record tells its namespace.  CAPPED: one of
 * the searches may not grow further, and the next record may be one of its.
 */
extern PineconeSourceStatus pinecone_fanout_next(PineconeFanout *fanout, bool wait,
												 PineconeRecord **record);

/*
 * Might pinecone_fanout_next() have something to return without waiting?
 * Cheaper than to try; does not move the network on.
 */
extern bool pinecone_fanout_ready(PineconeFanout *fanout);

/* Has this search already returned the record of that id in that namespace? */
extern bool pinecone_fanout_seen(PineconeFanout *fanout, const PineconeRecord *record);

/* Does it read more records than it returns? */
extern bool pinecone_fanout_passes_over(PineconeFanout *fanout);

/* The greatest number of neighbours that was asked for in a namespace. */
extern int pinecone_fanout_top_k(PineconeFanout *fanout);

/* Is it of so many namespaces that its memory is much? */
extern bool pinecone_fanout_is_wide(PineconeFanout *fanout);

extern void pinecone_fanout_end(PineconeFanout *fanout);

#endif /* PINECONE_FANOUT_H */
