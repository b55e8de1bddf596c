/*
 * forget.h
 *		After an index, or what is in it, has been changed: nobody goes by what was
 *		known of it.
 */
#ifndef PINECONE_FORGET_H
#define PINECONE_FORGET_H

#include "client/session.h"

/*
 * An index of the session's project by its name, or with NULL the one that the
 * session is of.  This session forgets at once, others at the transaction's end.
 */
extern void pinecone_forget(PineconeSession *session, const char *index);

#endif /* PINECONE_FORGET_H */
