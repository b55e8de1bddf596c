/*
 * write_code.h
 *		A write as a string of bytes, as it stands in logs; all text is UTF-8.
 */
#ifndef PINECONE_WRITE_CODE_H
#define PINECONE_WRITE_CODE_H

#include "lib/stringinfo.h"
#include "wire/write.h"

/* What it begins with; what it points to follows, id first. */
typedef struct PineconeWriteHeader
{
	PineconeWriteKind kind;
	int target;
	int idlen; /* lengths are in bytes without the terminator; -1: NULL */
	int nvalues;
	int nsparse;
	int metadata_len;
	int filter_len;
	int rest_len;
	int removed_len;
	int flags; /* documents 1, drop_values 2, drop_sparse 4 */
} PineconeWriteHeader;

/* Add a write to the buffer, whose length has to be a multiple of a float's. */
extern void pinecone_write_encode(StringInfo buf, int target, const PineconeWrite *write);

/* Does an update change a vector of a document? */
static inline bool
pinecone_write_changes_vectors(const PineconeWriteHeader *header)
{
	return header->nvalues > 0 || header->nsparse > 0 || (header->flags & 6) != 0;
}

/* An upsert without a vector, which is to be made of its text: of documents that says nothing. */
static inline bool
pinecone_write_is_bare(const PineconeWriteHeader *header)
{
	return header->kind == PINECONE_WRITE_UPSERT && header->nvalues == 0 && header->nsparse == 0;
}

/* Bytes that follow the header; a write from these, into which it points. */
extern int pinecone_write_body_length(const PineconeWriteHeader *header);
extern void pinecone_write_decode(const PineconeWriteHeader *header, char *body,
								  PineconeWrite *write);

#endif /* PINECONE_WRITE_CODE_H */
