/*
 * kept.h
 *		Replies in memory of a fixed size, by a digest of what was asked.
 *
 * Shared by all backends where the module is preloaded, else of this session
 * alone.  Knows nothing of what makes a reply good: see cache.h.
 */
#ifndef PINECONE_KEPT_H
#define PINECONE_KEPT_H

#include "base/clock.h"

/* SHA-256 of all that a reply depends on */
typedef struct PineconeKeptKey
{
	uint8 bytes[32];
} PineconeKeptKey;

/* What is known of a reply besides its body */
typedef struct PineconeKept
{
	uint64 owner;	/* the table that it is kept for */
	uint64 written; /* the number of writes there had been: see written.h */
	PineconeTime asked_at;
	int64 lsn;	   /* up to where its namespace was indexed; -1: not known */
	bool told;	   /* the reply itself has told */
	uint64 target; /* the namespace that answered: see written.h */
	uint32 len;	   /* of the body */
} PineconeKept;

/* Is there memory for any?  Asks for it. */
extern bool pinecone_kept_begin(void);

/* The reply, with its body palloc'ed, "padding" zeros behind it; false: there is none. */
extern bool pinecone_kept_get(const PineconeKeptKey *key, PineconeKept *kept, char **body, int padding);

/*
 * Keep one, in the place of an older one with that key and of whatever else is
 * needed: of the same owner's where these would have more than so many bytes.
 */
extern void pinecone_kept_put(const PineconeKeptKey *key, const PineconeKept *kept, const char *body,
							  uint64 most_of_owner);

extern void pinecone_kept_drop(const PineconeKeptKey *key);

/*
 * Whoever asks the service says so, and when the answer is there or will not come.
 * False: another session has begun to ask for the same less than so many ms ago.
 */
extern bool pinecone_kept_ask(const PineconeKeptKey *key, int64 patience_ms);
extern void pinecone_kept_asked(const PineconeKeptKey *key);

#endif /* PINECONE_KEPT_H */
