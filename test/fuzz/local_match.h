/*
 * local_match.h
 *		pinecone-local's filters, linked so that nothing else of it is seen.
 */
#ifndef PINECONE_FUZZ_LOCAL_MATCH_H
#define PINECONE_FUZZ_LOCAL_MATCH_H

#define LOCAL_MATCH_NO_METADATA (-2)

/* 1, 0, or -1: the filter is invalid; LOCAL_MATCH_NO_METADATA: no record can have that. */
extern int local_match(const char *filter, const char *metadata);

#endif /* PINECONE_FUZZ_LOCAL_MATCH_H */
