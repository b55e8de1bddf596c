/*
 * session.h
 *		What a backend remembers about one server as one user: where it is, how
 *		to authenticate, and what its index looks like.
 */
#ifndef PINECONE_SESSION_H
#define PINECONE_SESSION_H

#include "option.h"

typedef struct PineconeSession PineconeSession;
struct PineconeStats;

/*
 * The session for a server and user, made on first use.  Resolves an index
 * name through the control plane.  Remade after ALTER SERVER and ALTER USER
 * MAPPING; the pointer stays valid until the end of the backend.
 */
extern PineconeSession *pinecone_session_get(Oid serverid, Oid userid);

/*
 * Metric, dimension and record counts of the index, from describe_index_stats.
 * Cached: metric and dimension until the host changes, counts for
 * pinecone_fdw.stats_ttl.  "fresh" asks again.  With "try" a failure returns
 * NULL after a single attempt instead of raising an error.
 */
extern struct PineconeStats *pinecone_session_stats(PineconeSession *session, bool fresh, bool try_only);

/* Records in one namespace by those statistics; 0 when it is not there. */
extern double pinecone_session_namespace_records(struct PineconeStats *stats, const char *namespace_);

#endif							/* PINECONE_SESSION_H */
