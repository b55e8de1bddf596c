/*
 * route.h
 *		The names that a request needs addresses of: the host's, or its proxy's.
 */
#ifndef PINECONE_ROUTE_H
#define PINECONE_ROUTE_H

typedef struct PineconeRoute
{
	int n;
	char *names[2];
	int ports[2];
} PineconeRoute;

/*
 * The way to a URL, palloc'ed.  The proxy is the one that libcurl takes from the
 * environment.  Is a name missing here libcurl will look it up all the same, if
 * less well.
 */
extern void pinecone_route_find(const char *url, PineconeRoute *route);

#endif /* PINECONE_ROUTE_H */
