/*
 * idset.h
 *		A set of record ids, optionally with a number each.
 *
 * The set keeps pointers; the ids must live as long as it does.
 */
#ifndef PINECONE_IDSET_H
#define PINECONE_IDSET_H

#include "common/hashfn.h"

typedef struct PineconeIdEntry
{
	const char *id;
	int64 number; /* whatever the owner of the set keeps with the id */
	char status;
} PineconeIdEntry;

#define SH_PREFIX idset
#define SH_ELEMENT_TYPE PineconeIdEntry
#define SH_KEY_TYPE const char *
#define SH_KEY id
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

#endif /* PINECONE_IDSET_H */
