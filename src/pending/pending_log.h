/*
 * pending_log.h
 *		An append-only list of writes to numbered targets; it can be read at any
 *		offset, cut off and sent.
 */
#ifndef PINECONE_PENDING_LOG_H
#define PINECONE_PENDING_LOG_H

#include "client/vectors.h"
#include "lib/stringinfo.h"
#include "pending/pending.h"
#include "utils/resowner.h"

typedef struct PineconePendingLog PineconePendingLog;

/* A namespace, and the user who writes to it */
typedef struct PineconePendingTarget
{
	Oid serverid;
	PineconeAuthor author;
	char *namespace_;
	int place;	  /* the first target of the same namespace, whose user may be another */
	char *where;  /* of a place: where writes to it are to go; NULL: they are never sent */
	int64 first;  /* of a place: the offset of its first write; -1: there is none */
	int batch_size;
	int concurrency;
} PineconePendingTarget;

/*
 * An empty log in the current memory context, which must live as long as the
 * resource owner; that holds its file.  Without an owner there is no file.
 */
extern PineconePendingLog *pinecone_pending_log_create(ResourceOwner owner);

/*
 * Number of a namespace, and how writes to it are to be sent.  Without a
 * session and an author nothing of the log ever is.
 */
extern int pinecone_pending_log_target(PineconePendingLog *log, PineconeSession *session,
									   const PineconeAuthor *author, const char *namespace_,
									   int batch_size, int concurrency);

/*
 * A server may be altered in a transaction that has written to it, or beside it.
 * What was written for one index is neither sent to another nor laid over what that
 * holds: an error, if writes wait for the place and the session leads elsewhere.
 */
extern void pinecone_pending_log_check_place(const PineconePendingLog *log, int place,
											 const PineconeSession *session);

/* Is one of these the server's? */
extern bool pinecone_pending_log_has_server(const PineconePendingLog *log, Oid serverid);

extern void pinecone_pending_log_add(PineconePendingLog *log, int target,
									 const PineconeWrite *write);

/* The same for one that pinecone_write_encode() has encoded. */
extern void pinecone_pending_log_add_encoded(PineconePendingLog *log, int target, const char *data,
											 int len);

/* Bytes; pinecone_pending_log_truncate() takes one back to an earlier size. */
extern int64 pinecone_pending_log_size(const PineconePendingLog *log);
extern void pinecone_pending_log_truncate(PineconePendingLog *log, int64 size);

/* One write as an index of the log sees it */
typedef struct PineconePendingEntry
{
	int place;
	PineconeWriteKind kind;
	bool vectors;  /* an update that changes vectors */
	bool bare;	   /* an upsert without a vector */
	char id[1024]; /* "" unless it concerns one record */
} PineconePendingEntry;

/* Look at the write at an offset; returns the next one's. */
extern int64 pinecone_pending_log_peek(PineconePendingLog *log, int64 offset,
									   PineconePendingEntry *entry);

/* All of the write at an offset, in the current memory context. */
extern void pinecone_pending_log_read(PineconePendingLog *log, int64 offset, PineconeWrite *write);

/* The same as it is encoded; returns the next one's offset. */
extern int64 pinecone_pending_log_read_encoded(PineconePendingLog *log, int64 offset,
											   StringInfo buf);

/* What a number stands for. */
extern PineconePendingTarget *pinecone_pending_log_target_of(PineconePendingLog *log, int number);

/*
 * Several users may write to a namespace in one transaction, each as a target
 * of its own.  The first of these numbers tells the namespace: its place, or
 * -1; how many numbers there are; is one the place of a table's namespace?
 */
extern int pinecone_pending_log_place(const PineconePendingLog *log,
									  const PineconeSession *session, const char *namespace_);
extern int pinecone_pending_log_targets(const PineconePendingLog *log);
extern bool pinecone_pending_log_is_of(const PineconePendingLog *log, int place,
									   const PineconeTable *table);

/* As pinecone_pending_add_namespaces(). */
extern PineconeNamespaceStats *
pinecone_pending_log_add_namespaces(PineconePendingLog *log, PineconeSession *session,
									PineconeNamespaceStats *namespaces, int *n);

/* Give back what does not go away with memory. */
extern void pinecone_pending_log_close(PineconePendingLog *log);

#endif /* PINECONE_PENDING_LOG_H */
