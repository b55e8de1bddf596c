/*
 * match.h
 *		Pinecone's metadata filter language, for those who evaluate a filter
 *		without SQL.
 */
#ifndef PINECONE_MATCH_H
#define PINECONE_MATCH_H

#include "utils/jsonb.h"

typedef struct PineconeMatcher PineconeMatcher;

/* A filter, checked and compiled, in the current memory context. */
extern PineconeMatcher *pinecone_match_compile(Jsonb *filter);

/* Does it hold for metadata?  NULL: a record without any. */
extern bool pinecone_match_holds(const PineconeMatcher *matcher, Jsonb *metadata);

#endif /* PINECONE_MATCH_H */
