/*
 * pending_log.h
 *		The log of a transaction's writes, and what it makes of a namespace.
 */
#ifndef PINECONE_PENDING_LOG_H
#define PINECONE_PENDING_LOG_H

#include "pending.h"
#include "send.h"
#include "utils/resowner.h"

typedef struct PineconePendingLog PineconePendingLog;

/*
 * An empty log in the current memory context, which must live as long as the
 * resource owner; that holds its file.
 */
extern PineconePendingLog *pinecone_pending_log_create(ResourceOwner owner);

/* Number of a namespace, and how writes to it are to be sent. */
extern int pinecone_pending_log_target(PineconePendingLog *log, PineconeSession *session,
									   const char *namespace_, int batch_size, int concurrency);

extern void pinecone_pending_log_add(PineconePendingLog *log, int target,
									 const PineconeWrite *write);

/* Bytes; pinecone_pending_log_truncate() takes one back to an earlier size. */
extern int64 pinecone_pending_log_size(const PineconePendingLog *log);
extern void pinecone_pending_log_truncate(PineconePendingLog *log, int64 size);

/* As pinecone_pending_view(). */
extern PineconePendingView *pinecone_pending_log_view(PineconePendingLog *log,
													  PineconeSession *session,
													  const char *namespace_, int64 end);

/* As pinecone_pending_count(). */
extern double pinecone_pending_log_count(PineconePendingLog *log, const PineconeTable *table);

/* As pinecone_pending_add_namespaces(). */
extern PineconeNamespaceStats *
pinecone_pending_log_add_namespaces(PineconePendingLog *log, PineconeSession *session,
									PineconeNamespaceStats *namespaces, int *n);

/* Send all of it, in order.  "counters" may be NULL. */
extern void pinecone_pending_log_send(PineconePendingLog *log, PineconeSend *send,
									  PineconeCounters *counters);

/* Give back what does not go away with memory. */
extern void pinecone_pending_log_close(PineconePendingLog *log);

/* The transaction ends: memory of its log may go away in any order. */
extern void pinecone_pending_log_forget(void);

#endif /* PINECONE_PENDING_LOG_H */
