/*
 * cache.h
 *		Answers from memory to what was asked before: of tables with cache_ttl.
 *
 * A call that may be answered so is offered; it is then looked for before it is
 * sent, and its reply is kept once it has been read and believed.  A reply is
 * good for whoever asks the very same of the same server by the same user
 * mapping, until the table's cache_ttl is over, or this cluster has written to
 * the namespace, or a search has told that somebody else has.
 */
#ifndef PINECONE_CACHE_H
#define PINECONE_CACHE_H

#include "client/call.h"

/* What a table wants of it */
typedef struct PineconeCachePolicy
{
	int ttl_ms;
	int size_kb;
	uint64 owner;	   /* the table */
	uint64 namespace_; /* that it shows: see written.h */
} PineconeCachePolicy;

/*
 * What a scan of the table goes by, palloc'ed; NULL when it has no cache, or there
 * can be none.
 */
extern PineconeCachePolicy *pinecone_cache_policy(const PineconeTable *table);

/* A read of that namespace, before it is started. */
extern void pinecone_cache_offer(PineconeCall *call, const char *namespace_);

/* Of a call that has not been sent, but whose session knows where the index is: */
typedef enum PineconeCacheAnswer
{
	PINECONE_CACHE_NOTHING, /* send it */
	PINECONE_CACHE_ANSWERED,
	PINECONE_CACHE_WAIT /* another session asks for the same: look again a moment later */
} PineconeCacheAnswer;
extern PineconeCacheAnswer pinecone_cache_look(PineconeCall *call);
#define PINECONE_CACHE_WAIT_MS 3

/* It is sent now. */
extern void pinecone_cache_sent(PineconeCall *call);

/*
 * Its reply makes sense, and is whole: "told" is the namespace that it names, or
 * NULL.
 */
extern void pinecone_cache_keep(PineconeCall *call, const char *told);

/* Its reply makes no sense.  Was it one that was kept? */
extern bool pinecone_cache_refuse(PineconeCall *call);

/* No reply is to come, or not soon: others need not wait for it. */
extern void pinecone_cache_give_up(PineconeCall *call);

/* Was it answered so? */
extern bool pinecone_cache_has_answered(const PineconeCall *call);

/* A write has ended that may have been applied. */
extern void pinecone_cache_note_write(const PineconeCall *call);

/* Index statistics that were asked for since then may be what a statement counts by. */
extern PineconeTime pinecone_cache_counts_from(PineconeSession *session, const PineconeCounters *counters);

#endif /* PINECONE_CACHE_H */
