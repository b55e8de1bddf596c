/*
 * consistency.h
 *		Reading one's own writes: Pinecone shows a write some time after it has
 *		confirmed it.
 */
#ifndef PINECONE_CONSISTENCY_H
#define PINECONE_CONSISTENCY_H

#include "client/session.h"
#include "client/vectors.h"
#include "option/option_list.h"

/* A write to the namespace was confirmed with this sequence number (-1: none). */
extern void pinecone_consistency_note(PineconeSession *session, const char *namespace_, int64 lsn);

/*
 * Of the namespaces that a table shows, those that this session has written to,
 * each with the sequence number of its last write (-1: none was told).
 */
typedef void (*PineconeLastWriteReader)(const char *namespace_, int64 lsn, void *arg);
extern void pinecone_consistency_last_writes(PineconeSession *session, const PineconeTable *table,
											 PineconeLastWriteReader reader, void *arg);

/* Are there any? */
extern bool pinecone_consistency_has_written(PineconeSession *session, const PineconeTable *table);

/*
 * Wait until searches show a namespace's writes up to a sequence number, as long
 * as the table's consistency_timeout says; false if that was a warning.
 */
extern bool pinecone_consistency_wait_for(PineconeSession *session, const PineconeTable *table,
										  const char *namespace_, int64 lsn);

/*
 * Wait where reads of the namespace, with unseen writes laid over, would not
 * show what has been written.  After consistency_timeout an error or a
 * warning, by option on_consistency_timeout.  "counters" may be NULL.
 */
extern void pinecone_consistency_wait(PineconeSession *session, PineconeCounters *counters,
									  const PineconeTable *table, const char *namespace_);

/* Wait until searches show all that has been written to the namespace: of what cannot be laid over these. */
extern void pinecone_consistency_wait_search(PineconeSession *session, const PineconeTable *table,
											 const char *namespace_);

/* Wait until the service shows all that has been written to the namespace. */
extern void pinecone_consistency_settle(PineconeSession *session, const PineconeTable *table,
										const char *namespace_);

/*
 * The namespaces that this session has written to, of which statistics need not
 * know yet, whether what has been written is visible or not.  Palloc'ed.
 */
extern char **pinecone_consistency_namespaces(PineconeSession *session, int *n);

#endif /* PINECONE_CONSISTENCY_H */
