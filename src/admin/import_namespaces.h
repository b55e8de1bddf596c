/*
 * import_namespaces.h
 *		Which namespaces there are to import.
 */
#ifndef PINECONE_IMPORT_NAMESPACES_H
#define PINECONE_IMPORT_NAMESPACES_H

#include "admin/import_sample.h"
#include "client/vectors.h"

/*
 * Those that the service lists, of which the first page has been asked for, and
 * those that statistics name: PineconeNamespaceSummary, sorted by name.
 */
extern List *pinecone_import_find_namespaces(PineconeSession *session, PineconeCall *list,
											 PineconeStats *stats);

/* The same with the aliases, which no listing has: they are asked for. */
extern List *pinecone_import_add_aliases(PineconeSession *session, List *namespaces);

#endif /* PINECONE_IMPORT_NAMESPACES_H */
