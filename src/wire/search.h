/*
 * search.h
 *		A search as it is asked for.
 */
#ifndef PINECONE_SEARCH_H
#define PINECONE_SEARCH_H

#include "wire/record.h"

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
} PineconeSearch;

#endif /* PINECONE_SEARCH_H */
