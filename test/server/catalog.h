/*
 * catalog.h
 *		Finds, adds and removes indexes; whoever gets one holds a reference.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "store.h"

/*
 * Add an index, which is held from then on, and serve it on a port (0: the next
 * free one).  False: the name is taken (errno EEXIST), or the port cannot be had.
 */
extern bool catalog_add(Index *index, int port);
/* Remove it: its port closes, its connections end with their next request */
extern bool catalog_remove(const char *name);
/* The caller's reference, or NULL */
extern Index *catalog_find(Str name);
/* All, in order of names, each held; ends with NULL */
extern Index **catalog_all(void);
extern void catalog_free_all(Index **indexes);
/* host of the answers; with the scheme when TLS is off */
extern void catalog_add_host(Buffer *b, int port);
/* The same with the scheme, whichever it is, and without quotes */
extern void catalog_add_url(Buffer *b, int port);
extern void catalog_end(void);

#endif
