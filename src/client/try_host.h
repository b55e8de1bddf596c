/*
 * try_host.h
 *		Does one of a server's hosts answer?
 */
#ifndef PINECONE_TRY_HOST_H
#define PINECONE_TRY_HOST_H

#include "client/hosts.h"

/*
 * Ask it what is there, once, and wait for the answer.  NULL, if it is as it has to
 * be; else why not, palloc'ed.
 */
extern PineconeProblem *pinecone_try_host(PineconeSession *session, int number);

#endif /* PINECONE_TRY_HOST_H */
