/*
 * explain_spent.h
 *		What EXPLAIN ANALYZE tells of the requests of any node.
 */
#ifndef PINECONE_EXPLAIN_SPENT_H
#define PINECONE_EXPLAIN_SPENT_H

#include "base/compat.h"
#include "client/vectors.h"

/* Requests, what they have brought, and how long they were waited for. */
extern void pinecone_explain_spent(const PineconeCounters *counters, ExplainState *es);

#endif /* PINECONE_EXPLAIN_SPENT_H */
