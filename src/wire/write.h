/*
 * write.h
 *		One write to a namespace, as plain data: what statements produce, what
 *		waits until commit, and what is sent.
 */
#ifndef PINECONE_WRITE_H
#define PINECONE_WRITE_H

#include "wire/record.h"

typedef enum PineconeWriteKind
{
	PINECONE_WRITE_UPSERT,		  /* record */
	PINECONE_WRITE_UPDATE,		  /* record.id; record.metadata: the fields to set; of documents vectors, too */
	PINECONE_WRITE_DELETE,		  /* record.id */
	PINECONE_WRITE_UPDATE_FILTER, /* filter; record.metadata; rest */
	PINECONE_WRITE_DELETE_FILTER, /* filter */
	PINECONE_WRITE_DELETE_ALL	  /* the whole namespace */
} PineconeWriteKind;

typedef struct PineconeWrite
{
	PineconeWriteKind kind;
	PineconeRecord record; /* without score */
	char *filter;		   /* JSON in the server encoding */
	char *rest;			   /* what of that filter has not been updated yet, or NULL */

	/* Of documents, which an UPDATE may change in any of their parts: */
	bool documents;
	char *removed; /* fields to remove: JSON strings in UTF-8, with commas between; or NULL */
	bool drop_values;
	bool drop_sparse;
} PineconeWrite;

/* Does a write concern one record, named by its id? */
static inline bool
pinecone_write_has_id(PineconeWriteKind kind)
{
	return kind <= PINECONE_WRITE_DELETE;
}

#endif /* PINECONE_WRITE_H */
