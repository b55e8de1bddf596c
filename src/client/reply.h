/*
 * reply.h
 *		Takes a reply's headers and body as they come in.  Nothing here raises an
 *		error.
 */
#ifndef PINECONE_REPLY_H
#define PINECONE_REPLY_H

#include "client/http.h"

/* No reply is larger: Pinecone's own limit is 4 MB, and lists are small. */
#define PINECONE_MAX_REPLY ((size_t) 64 * 1024 * 1024)

typedef struct PineconeBody
{
	char *data; /* malloc'ed, NUL-terminated, with more to read behind; or NULL */
	size_t len;
	size_t size; /* allocated */
} PineconeBody;

/*
 * Append what has come in.  For the first piece "announced" is how long all will
 * be, or -1.  Returns false for want of memory.
 */
extern bool pinecone_body_append(PineconeBody *body, const char *data, size_t len, int64 announced);

/* Its memory may be kept for another. */
extern void pinecone_body_free(PineconeBody *body);

/* What has been kept so is given back. */
extern void pinecone_body_free_spares(void);

/* Take a header line, if it is one that matters. */
extern void pinecone_reply_take_header(PineconeExchange *exchange, const char *line, size_t len);

#endif /* PINECONE_REPLY_H */
