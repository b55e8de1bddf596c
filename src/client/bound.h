/*
 * bound.h
 *		Which host has answered a statement: it gets no answers of another one.
 */
#ifndef PINECONE_BOUND_H
#define PINECONE_BOUND_H

#include "client/session.h"

typedef struct PineconeBound PineconeBound;

/* That of the statement whose memory this is; made on first use. */
extern PineconeBound *pinecone_bound_of(MemoryContext statement_cxt);

/* Some host has answered, where the session was then: false when another one has before. */
extern bool pinecone_bound_note(PineconeBound *bound, const PineconeSession *session, int location, int number);

/* Which one has; -1: none yet.  "bound" may be NULL. */
extern int pinecone_bound_number(const PineconeBound *bound, const PineconeSession *session);

/* Has one, and is the session elsewhere by now? */
extern bool pinecone_bound_is_elsewhere(const PineconeBound *bound, const PineconeSession *session);

/* Is there a statement, such as an open cursor's, that was answered where the session is? */
extern bool pinecone_bound_any(const PineconeSession *session);

#endif /* PINECONE_BOUND_H */
