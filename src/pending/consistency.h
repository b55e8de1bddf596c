/*
 * consistency.h
 *		Reading one's own writes: Pinecone shows a write some time after it has
 *		confirmed it.
 */
#ifndef PINECONE_CONSISTENCY_H
#define PINECONE_CONSISTENCY_H

#include "client/session.h"
#include "option/option.h"

/* A write to the namespace was confirmed with this sequence number (-1: none). */
extern void pinecone_consistency_note(PineconeSession *session, const char *namespace_, int64 lsn);

/*
 * Wait where reads of the namespace, with unseen writes laid over, would not
 * show what has been written.  After consistency_timeout an error or a
 * warning, by option on_consistency_timeout.
 */
extern void pinecone_consistency_wait(PineconeSession *session, const PineconeTable *table,
									  const char *namespace_);

/* Wait until searches show all that has been written to the namespace: of what cannot be laid over these. */
extern void pinecone_consistency_wait_search(PineconeSession *session, const PineconeTable *table,
											 const char *namespace_);

/* Wait until the service shows all that has been written to the namespace. */
extern void pinecone_consistency_settle(PineconeSession *session, const PineconeTable *table,
										const char *namespace_);

/*
 * The namespaces with writes of this session that are not known to be visible.
 * Palloc'ed.
 */
extern char **pinecone_consistency_namespaces(PineconeSession *session, int *n);

#endif /* PINECONE_CONSISTENCY_H */
