/*
 * query.h
 *		Clauses of type query_string.
 */
#ifndef QUERY_H
#define QUERY_H

#include "bm25.h"

typedef struct QueryNode QueryNode;

/* In the request's memory; NULL: the reply holds the error */
extern QueryNode *query_parse(Request *r, Str text);
extern Hits query_find(const Namespace *ns, const Schema *schema, const QueryNode *query);

#endif
