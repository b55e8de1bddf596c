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
 * Number of the namespace of that name, written to by that user; made on first use.
 * Upserts carry up to batch_size records, and so many batches may be in flight.
 * "counters" may be NULL, else they must live as long as "send".
 */
extern int pinecone_send_target(PineconeSend *send, PineconeSession *session, Oid userid,
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

/* ---- For who is not to stop at the first failure ---- */

typedef enum PineconeSendOutcome
{
	PINECONE_SEND_APPLIED,
	PINECONE_SEND_REFUSED, /* for good */
	PINECONE_SEND_FAILED,  /* this time; it may have been applied */
	PINECONE_SEND_MERGED   /* it is not sent, for another one does the same: what becomes of that is to be seen */
} PineconeSendOutcome;

/*
 * What has become of a write, by the tag that it was added with; the reason is
 * NULL unless it was refused or has failed.  And: it has merged with another one.
 */
typedef void (*PineconeSendTold)(void *arg, int64 tag, PineconeSendOutcome outcome, const char *reason);
typedef void (*PineconeSendMerged)(void *arg, int64 tag, int64 into);

typedef bool (*PineconeSendMay)(void *arg, int64 tag);

/*
 * Tell what becomes of each write instead of raising an error.  When one has
 * failed this time, nothing more is sent as its user, nor to its namespace; of
 * writes that are not sent nothing is told.  "may" is asked about a write when
 * earlier ones of its record are done with; false leaves it out.
 */
extern void pinecone_send_watch(PineconeSend *send, PineconeSendTold told, PineconeSendMerged merged, PineconeSendMay may,
								void *arg);

/* As pinecone_send_add(); false when nothing more is sent there. */
extern bool pinecone_send_add_tagged(PineconeSend *send, int target, const PineconeWrite *write, int64 tag);

/*
 * How far it has come, in words, for an error that interrupts it; NULL when
 * that has been said or nothing has been sent.
 */
extern char *pinecone_send_progress(PineconeSend *send);

#endif /* PINECONE_SEND_H */
