/*
 * send.h
 *		Writes on their way to Pinecone: batches by encoded size, several in
 *		flight, each id's writes in the order they were given.
 */
#ifndef PINECONE_SEND_H
#define PINECONE_SEND_H

#include "client/vectors.h"
#include "wire/write.h"

typedef struct PineconeSend PineconeSend;

/*
 * Nothing on its way yet.  What is sent belongs to a child of the current
 * memory context; resetting that cancels it.
 */
extern PineconeSend *pinecone_send_begin(void);

/*
 * Number of the namespace of that name; made on first use.  Upserts carry up
 * to batch_size records, and so many batches may be in flight.  "counters" may
 * be NULL, else they must live as long as "send".
 */
extern int pinecone_send_target(PineconeSend *send, PineconeSession *session,
								PineconeCounters *counters, const char *namespace_,
								int batch_size, int concurrency);

/*
 * Send a write, now or when its batch is full.  May wait for earlier ones.
 * Raises an error when one has failed for good; its detail says how much has
 * been applied.
 */
extern void pinecone_send_add(PineconeSend *send, int target, const PineconeWrite *write);

/* Send what is left and wait until all has been applied. */
extern void pinecone_send_finish(PineconeSend *send);

extern void pinecone_send_end(PineconeSend *send);

/*
 * How far it has come, in words, for an error that interrupts it; NULL when
 * that has been said or nothing has been sent.
 */
extern char *pinecone_send_progress(PineconeSend *send);

#endif /* PINECONE_SEND_H */
