/*
 * call_retry.h
 *		Whether a call may be tried again, and when.
 */
#ifndef PINECONE_CALL_RETRY_H
#define PINECONE_CALL_RETRY_H

#include "client/call.h"

/* Was its last attempt one that another may repair? */
extern bool pinecone_call_is_retryable(const PineconeCall *call);

/* Would another attempt do a second time what must be done once? */
extern bool pinecone_call_is_spent(const PineconeCall *call);

/* May it be tried again, as often as it has been by now?  Counts refusals: ask once an attempt. */
extern bool pinecone_call_retries_are_left(PineconeCall *call);

/* Milliseconds until its next attempt; retry_after is what the service asks for, in seconds. */
extern int64 pinecone_call_back_off_ms(const PineconeCall *call, double retry_after);

#endif /* PINECONE_CALL_RETRY_H */
