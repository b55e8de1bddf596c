/*
 * confirmed.h
 *		Writes that Pinecone has confirmed lately, of all sessions of the cluster.
 */
#ifndef PINECONE_CONFIRMED_H
#define PINECONE_CONFIRMED_H

#include "client/session.h"

/*
 * Where writes went, and with which key: content is for sessions with the same
 * key only, which would be shown it by the service.  Neither can be read back.
 */
typedef struct PineconeConfirmedKey
{
	uint64 host;
	uint64 owner[2];
} PineconeConfirmedKey;

/* False when it is not known where the index is. */
extern bool pinecone_confirmed_key(PineconeSession *session, PineconeConfirmedKey *key);

/* Are such writes to be kept at all?  Could there be any that matter still? */
extern bool pinecone_confirmed_are_kept(void);
extern bool pinecone_confirmed_any(void);

/* When the last one was confirmed, on pinecone_confirmed_clock(); 0: none is known of. */
extern int64 pinecone_confirmed_newest(void);

/*
 * Add writes to a namespace, each as pinecone_write_encode() makes it, with the
 * sequence number that the reply told (-1: none).
 */
extern void pinecone_confirmed_add(const PineconeConfirmedKey *key, const char *namespace_,
								   int64 lsn, const char *writes, int len);

/* One of them */
typedef struct PineconeConfirmed
{
	PineconeConfirmedKey key;
	const char *namespace_;
	int64 lsn;
	int64 at; /* when it was confirmed, on pinecone_confirmed_clock() */
	const char *write;
	int len;
} PineconeConfirmed;

/*
 * Call back for each that was added at that position or later, in order, and
 * return the position behind the last.  What is pointed to is good until the
 * callback returns, which must not call anything of this file.  Where some have
 * been dropped since that position, it is called with NULL first.
 */
typedef void (*PineconeConfirmedReader)(const PineconeConfirmed *confirmed, void *arg);
extern uint64 pinecone_confirmed_read(uint64 position, PineconeConfirmedReader reader, void *arg);

/* The position behind the last one. */
extern uint64 pinecone_confirmed_end(void);

/*
 * Have writes to the namespace been dropped for want of memory while they
 * mattered?  The last of these.
 */
extern bool pinecone_confirmed_lost(uint64 host, const char *namespace_, int64 *lsn, int64 *at);

/*
 * Milliseconds since some moment, the same for all backends; for how long a
 * write is kept in any case, and for how long at most.
 */
extern int64 pinecone_confirmed_clock(void);
extern int64 pinecone_confirmed_least_ms(void);
extern int64 pinecone_confirmed_most_ms(void);

#endif /* PINECONE_CONFIRMED_H */
