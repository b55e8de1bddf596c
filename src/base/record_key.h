/*
 * record_key.h
 *		Hash tables by record: a namespace and an id.
 */
#ifndef PINECONE_RECORD_KEY_H
#define PINECONE_RECORD_KEY_H

#include "utils/hsearch.h"

/* What an entry begins with; the strings must live as long as it does. */
typedef struct PineconeRecordKey
{
	const char *namespace_;
	const char *id;
} PineconeRecordKey;

/* A table of entries of that size, in the current memory context. */
extern HTAB *pinecone_record_key_table(const char *name, Size entrysize);

#endif /* PINECONE_RECORD_KEY_H */
