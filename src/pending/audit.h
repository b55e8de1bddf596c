/*
 * audit.h
 *		The audit log of writes: pinecone_fdw.audit.
 */
#ifndef PINECONE_AUDIT_H
#define PINECONE_AUDIT_H

#include "pending/batch.h"

/*
 * A batch is about to be sent, for the first time: log who writes what, if that
 * is wanted.  Parts of one that is sent again in parts are logged again.
 */
extern void pinecone_audit_batch(const PineconeSession *session, Oid userid, const char *namespace_,
								 const PineconeBatch *batch);

/* The same of what administers: "delete_index" of the "index" of that name. */
extern void pinecone_audit_change(const PineconeSession *session, const char *operation, const char *kind,
								  const char *name);

#endif /* PINECONE_AUDIT_H */
