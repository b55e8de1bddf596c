/*
 * search.h
 *		A search as it is asked for.
 */
#ifndef PINECONE_SEARCH_H
#define PINECONE_SEARCH_H

#include "wire/record.h"

/* The fields of documents that a reply is to have; in place of one NULL: all */
typedef struct PineconeProjection
{
	int n;
	char **names; /* server encoding */
} PineconeProjection;

typedef struct PineconeSearch
{
	const char *namespace_;
	int top_k;
	int nvalues; /* dense query vector, or 0 */
	const float *values;
	PineconeSparse sparse; /* sparse query vector, or n = 0 */
	const char *id;		   /* query by stored record, or NULL */
	const char *filter;	   /* JSON (server encoding), or NULL */
	bool include_values;
	bool include_metadata;

	/* Of documents */
	const PineconeProjection *fields;
	const char *clauses; /* what is scored by, as JSON, or NULL: the vector */

	/* Of an integrated index, whose "clauses" are the text to embed, as a JSON string */
	const char *rerank;		/* how matches are ranked anew, as members of a JSON object; or NULL */
	const char *candidates; /* so many of them, as a number */
} PineconeSearch;

#endif /* PINECONE_SEARCH_H */
