/*
 * indexed.h
 *		How much of what was written can be searched by now: asks for it, and waits.
 */
#ifndef PINECONE_INDEXED_H
#define PINECONE_INDEXED_H

#include "client/session.h"

/*
 * The sequence number up to which searches show the namespace's writes, -1 if
 * it is not told: asks, and waits for the answer.  With "try" a failure counts
 * as not told.
 */
extern int64 pinecone_indexed_lsn(PineconeSession *session, const char *namespace_, bool try_only);

#endif /* PINECONE_INDEXED_H */
