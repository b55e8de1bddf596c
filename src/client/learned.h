/*
 * learned.h
 *		What one session has been told, kept for the others of the cluster: where
 *		an index is, its statistics, and how far away it is.
 *
 * Only where the module is preloaded (shared_preload_libraries).  A session is
 * shown what another one with the same API key was told of the same host, and
 * would be told itself.
 */
#ifndef PINECONE_LEARNED_H
#define PINECONE_LEARNED_H

#include "client/session.h"

typedef enum PineconeLearnedKind
{
	PINECONE_LEARNED_PLACE = 1, /* describe index */
	PINECONE_LEARNED_STATS,		/* describe index stats */
	PINECONE_LEARNED_LATENCY	/* what a small request takes, in microseconds, as text */
} PineconeLearnedKind;

/* Is anything kept? */
extern bool pinecone_learned_is_kept(void);

/* Set when the module is loaded. */
extern bool pinecone_learned_preloaded;

/* Keep the body of a reply to what was asked at that time. */
extern void pinecone_learned_put(PineconeSession *session, PineconeLearnedKind kind,
								 const char *body, size_t len, PineconeTime asked_at);

/*
 * The newest such body if it was asked for after that time: palloc'ed and
 * terminated, with *asked_at and *len set; or NULL.
 */
extern char *pinecone_learned_get(PineconeSession *session, PineconeLearnedKind kind,
								  PineconeTime after, PineconeTime *asked_at, size_t *len);

/* It has turned out not to hold any more. */
extern void pinecone_learned_drop(PineconeSession *session, PineconeLearnedKind kind);

#endif /* PINECONE_LEARNED_H */
