/*
 * sink.h
 *		Where the writes of a modification go.
 *
 * A sink takes writes by namespace.  What becomes of them is its kind's: they wait
 * in the transaction's log until it commits, or in a log until the statement ends,
 * or they are sent straight out.  Whoever writes need not know which.
 */
#ifndef PINECONE_SINK_H
#define PINECONE_SINK_H

#include "client/vectors.h"
#include "option/option_list.h"
#include "wire/write.h"

typedef struct PineconeSink PineconeSink;

/* A log of several sinks: the last of them to finish sends it. */
typedef struct PineconeSinkLog PineconeSinkLog;

/* In the current memory context, its file with the current resource owner. */
extern PineconeSinkLog *pinecone_sink_log_create(void);

/*
 * The sink of a table: the transaction's log if the table is transactional, the
 * outbox if it says so, else the log that is given, else (NULL) straight out.
 * "userid" is whose user mapping is used.  In the current memory context.
 */
extern PineconeSink *pinecone_sink_create(PineconeTable *table, PineconeSession *session, Oid userid,
										  PineconeCounters *counters, PineconeSinkLog *log);

/* Aim at a namespace; an error when it may not be written to now. */
extern void pinecone_sink_aim(PineconeSink *sink, const char *namespace_);

/* Aim there and write. */
extern void pinecone_sink_write(PineconeSink *sink, const char *namespace_,
								const PineconeWrite *write);

/* Are there writes to that namespace which have not been sent? */
extern bool pinecone_sink_holds(PineconeSink *sink, const char *namespace_);

/*
 * Rows may wait before they become writes: "flush" turns those into writes, and
 * pinecone_sink_flush() calls it.
 */
extern void pinecone_sink_set_flush(PineconeSink *sink, void (*flush)(void *arg), void *arg);
extern void pinecone_sink_flush(PineconeSink *sink);

/*
 * All has been written: what is not to wait for others or the commit is sent, and
 * waited for.  May be called again, and then does nothing.
 */
extern void pinecone_sink_finish(PineconeSink *sink);

#endif /* PINECONE_SINK_H */
