/*
 * turn.h
 *		When a call may be sent, by what the service grants per second.
 */
#ifndef PINECONE_TURN_H
#define PINECONE_TURN_H

#include "client/call.h"

/* Takes a call's turn and returns 0, or returns when to ask again. */
extern PineconeTime pinecone_turn_take(PineconeCall *call);

/* The service has refused its last attempt; false if it has no turns. */
extern bool pinecone_turn_refused(PineconeCall *call);

#endif /* PINECONE_TURN_H */
