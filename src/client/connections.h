/*
 * connections.h
 *		The connections that this backend has open.
 */
#ifndef PINECONE_CONNECTIONS_H
#define PINECONE_CONNECTIONS_H

#include "nodes/pg_list.h"

typedef struct PineconeConnection
{
	char *address; /* at the other end, which may be a proxy's */
	int port;
	bool in_use;   /* somebody waits for a reply on it */
	List *servers; /* names of those whose sessions may use it */
} PineconeConnection;

/* All of them, in no particular order. */
extern List *pinecone_connections_list(void);

/* End those that nobody uses; returns how many.  The next request connects anew. */
extern int pinecone_connections_close(void);

#endif /* PINECONE_CONNECTIONS_H */
