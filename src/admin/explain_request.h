/*
 * explain_request.h
 *		Request bodies as text, for plans and for runs; vectors and what is not
 *		known yet are abbreviated.
 */
#ifndef PINECONE_EXPLAIN_REQUEST_H
#define PINECONE_EXPLAIN_REQUEST_H

#include "scan/scan.h"

/*
 * The method and path of the scan's first request, and its body or NULL; both
 * NULL when nothing is sent.  Values not known yet stand as placeholders, long
 * vectors and lists of ids are abbreviated; headers are no part of it.
 */
extern char *pinecone_explain_request_request(PineconeScanState *state, const PineconeValues *values,
											  const PineconeFilter *filter, char **body);

/* LIMIT + OFFSET as far as known, or NULL when there is none. */
extern char *pinecone_explain_request_limit(const PineconeRequest *request, const PineconeValues *values);

/* Rows that OFFSET leaves out and nobody looks at, as far as known. */
extern double pinecone_explain_request_skipped(const PineconeRequest *request, const PineconeValues *values);

/* LIMIT + OFFSET as a number, or -1 when it is not known or there is none. */
extern double pinecone_explain_request_rows(const PineconeRequest *request,
											const PineconeValues *values);

/* One of the request's text, text[] or number values, as text. */
extern char *pinecone_explain_request_value(const PineconeValues *values, int number);

#endif /* PINECONE_EXPLAIN_REQUEST_H */
