/*
 * record_key.h
 *		Hash tables by record: a namespace and an id; and what stands for a
 *		record's place.
 */
#ifndef PINECONE_RECORD_KEY_H
#define PINECONE_RECORD_KEY_H

#include "storage/itemptr.h"
#include "utils/hsearch.h"

/* What an entry begins with; the strings must live as long as it does. */
typedef struct PineconeRecordKey
{
	const char *namespace_;
	const char *id;
} PineconeRecordKey;

/* A table of entries of that size, in the current memory context. */
extern HTAB *pinecone_record_key_table(const char *name, Size entrysize);

/*
 * The ctid of a record.  Records have no place, so this is 48 bits of a hash of
 * the table, the namespace and the id: the same whenever it is asked for, and
 * another one for every other record, but for a chance of one in 2^48 a pair.
 * Who modifies by it has to look out for that (see modify.c).
 */
extern ItemPointerData pinecone_record_ctid(Oid relid, const char *namespace_, const char *id);

#endif /* PINECONE_RECORD_KEY_H */
