/*
 * error.h
 *		A failed call as an SQL error.
 */
#ifndef PINECONE_ERROR_H
#define PINECONE_ERROR_H

struct PineconeCall;
struct PineconeProblem;

/* Raise the error of a failed call. */
extern void pinecone_error_report(int elevel, const struct PineconeCall *call);

/* What its detail says: operation, server, host, status, the service's own words. */
extern char *pinecone_error_detail(const struct PineconeCall *call);

#endif /* PINECONE_ERROR_H */
