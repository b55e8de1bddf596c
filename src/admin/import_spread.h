/*
 * import_spread.h
 *		Which records of a namespace to look at.
 */
#ifndef PINECONE_IMPORT_SPREAD_H
#define PINECONE_IMPORT_SPREAD_H

#include "admin/import_sample.h"

/*
 * Draw so many ids of each namespace that has more, into its summary: the same ones
 * each time, spread over the namespace.  Where that cannot be done none are drawn.
 */
extern void pinecone_import_draw(PineconeSession *session, const struct PineconeStats *stats, List *namespaces,
								 int sample_size);

#endif /* PINECONE_IMPORT_SPREAD_H */
