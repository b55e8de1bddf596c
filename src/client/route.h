/*
 * route.h
 *		The names that a request needs addresses of: the host's, or its proxy's.
 */
#ifndef PINECONE_ROUTE_H
#define PINECONE_ROUTE_H

#include "base/clock.h"

#define PINECONE_ROUTE_NAMES 2

typedef struct PineconeRoute
{
	int n;
	char *names[PINECONE_ROUTE_NAMES];
	int ports[PINECONE_ROUTE_NAMES];
} PineconeRoute;

/*
 * The way to a URL, palloc'ed.  The proxy is the one that libcurl takes from the
 * environment.  Is a name missing here libcurl will look it up all the same, if
 * less well.
 */
extern void pinecone_route_find(const char *url, PineconeRoute *route);

/* The path and query of a URL */
extern const char *pinecone_route_target(const char *url);

/*
 * The addresses of its names as lines "name:port:address,...", palloc'ed, for those
 * that need a look-up.  False: they are not known yet, or, if "failed" says so, are
 * not to come.  The caller has waited for them since then.
 */
extern bool pinecone_route_addresses(const PineconeRoute *route, PineconeTime waiting_since,
									 char **lines, int *nlines, const char **failed);

/* They led nowhere: the names may have others by now. */
extern void pinecone_route_forget(const PineconeRoute *route);

#endif /* PINECONE_ROUTE_H */
