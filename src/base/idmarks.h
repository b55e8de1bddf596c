/*
 * idmarks.h
 *		A set of very many record ids, of which a mark of 96 bits is kept.
 *
 * An id takes 18 to 36 bytes, however long it is.  Two ids that a million have among
 * them share a mark once in 10^17 times; marks differ from one backend to the
 * next, so that nobody can make ids that do.
 */
#ifndef PINECONE_IDMARKS_H
#define PINECONE_IDMARKS_H

#include "common/hashfn.h"

typedef struct PineconeMark
{
	uint32 words[3];
} PineconeMark;

typedef struct PineconeMarkEntry
{
	PineconeMark mark;
	char status;
} PineconeMarkEntry;

/* Bytes that a set of so many ids is thought to take */
#define PINECONE_BYTES_PER_MARK 36

/* The mark of an id, the same for as long as the backend runs. */
extern PineconeMark pinecone_mark_of(const char *id);

#define SH_PREFIX idmarks
#define SH_ELEMENT_TYPE PineconeMarkEntry
#define SH_KEY_TYPE PineconeMark
#define SH_KEY mark
#define SH_HASH_KEY(tb, key) ((key).words[0])
#define SH_EQUAL(tb, a, b) (memcmp((a).words, (b).words, sizeof((a).words)) == 0)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

static inline Size
pinecone_marks_bytes(const idmarks_hash *marks)
{
	return marks->size * sizeof(PineconeMarkEntry);
}

#endif /* PINECONE_IDMARKS_H */
