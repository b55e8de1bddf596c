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

#endif /* PINECONE_ERROR_H */
