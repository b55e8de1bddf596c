/*
 * idle.h
 *		Told when a backend has nothing to do, and when it has again.
 *
 * A backend that waits for its client runs nothing of ours, perhaps for hours in
 * a pool.  So a timer's handler ends the connections, by what a handler may do, and
 * has the backend wake up for a transaction of nothing, at whose end what is kept
 * for the connections can be freed.
 */
#ifndef PINECONE_IDLE_H
#define PINECONE_IDLE_H

/*
 * A transaction is over: from now on they are idle.  True: they have been ended,
 * and none has been wanted since.
 */
extern bool pinecone_idle_begin(void);

/* They may be used again, or closed; before that happens.  Never raises an error. */
extern void pinecone_idle_end(void);

#endif /* PINECONE_IDLE_H */
