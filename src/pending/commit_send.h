/*
 * commit_send.h
 *		Send a log of writes.
 */
#ifndef PINECONE_COMMIT_SEND_H
#define PINECONE_COMMIT_SEND_H

#include "pending/pending_log.h"
#include "pending/send.h"

/* Send all of it, in order.  "counters" may be NULL. */
extern void pinecone_send_log(PineconePendingLog *log, PineconeSend *send,
							  PineconeCounters *counters);

#endif /* PINECONE_COMMIT_SEND_H */
