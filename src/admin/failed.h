/*
 * failed.h
 *		Calls of the functions that administer, when they have failed.
 */
#ifndef PINECONE_FAILED_H
#define PINECONE_FAILED_H

#include "base/compat.h"
#include "client/vectors.h"

/*
 * Raise the error of a failed call.  Where the service has refused what was asked
 * for, "message" says what could not be done, and "hint" (or NULL) what helps;
 * what is wrong with the way there, the key or the service is said as for any
 * statement.
 */
pg_noreturn extern void pinecone_failed(PineconeCall *call, const char *message, const char *hint);

/* Raise an error for a reply that makes no sense. */
pg_noreturn extern void pinecone_failed_reply(PineconeCall *call, const char *why);

#endif /* PINECONE_FAILED_H */
