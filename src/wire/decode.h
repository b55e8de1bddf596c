/*
 * decode.h
 *		Pages of records from the bodies of replies.
 *
 * Bodies are UTF-8 and end with a NUL byte behind their last one.  More behind
 * that may be read: of a page 63 bytes, of metadata alone 7.  Nothing here
 * raises an error over what a body holds: a decoder returns false and says why,
 * so that the caller can ask again.
 */
#ifndef PINECONE_DECODE_H
#define PINECONE_DECODE_H

#include "wire/record.h"

/*
 * Replies to query, fetch, fetch by metadata and list.  Memory comes from the
 * current context.  *read_units is set to 0 when the reply does not tell.
 */
extern bool pinecone_decode_page(const char *body, size_t len, bool want_values,
								 PineconePage **page, int *read_units, const char **reason);

/*
 * The same of documents, whose fields stand side by side: those of these names
 * (in UTF-8, or NULL) are vectors, and all others become the record's metadata.
 */
extern bool pinecone_decode_documents(const char *body, size_t len, const char *dense,
									  const char *sparse, bool want_values, PineconePage **page,
									  int *read_units, const char **reason);

/* A metadata object's fields, texts in the server encoding. */
extern bool pinecone_decode_metadata(const char *json, size_t len, PineconeFields **fields,
									 const char **reason);

/* Can PostgreSQL's text hold all of them, names and values? */
extern bool pinecone_decode_is_text(const PineconeFields *fields);

#endif /* PINECONE_DECODE_H */
