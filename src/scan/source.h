/*
 * source.h
 *		Records of one operation on one namespace, one after the other.
 *
 * What reads records knows this contract alone; what provides them keeps it:
 * what Pinecone holds (stored.c), that with the transaction's own writes laid
 * over it (overlay.c), records that are fetched along with those of others
 * (gathered_ids.c).  A source may read from another one below it by the same rules.
 *
 * - A record is valid until the next call of pinecone_source_next(), and comes
 *   at most once.
 * - PENDING comes only if the reader does not want to wait.
 * - CAPPED says that a search can bring no more, and that there may be more.  It
 *   can come at any time, before the first record as well as after the last, and
 *   whatever was not returned by then has to be found in another way.
 * - After END or CAPPED nothing else comes.
 * - A search has "seen" a record if it has returned it to its reader, in
 *   whatever version; it has not seen what it has read and passed over.
 * - The matches of a search come best first, but for those that an approximate
 *   service brings only when it is asked for more: these come late.
 */
#ifndef PINECONE_SOURCE_H
#define PINECONE_SOURCE_H

#include "client/vectors.h"
#include "request/request.h"
#include "scan/score.h"

typedef struct PineconeSourceSpec
{
	PineconeSession *session;
	PineconeCounters *counters; /* may be NULL */
	PineconeOperation op;		/* FETCH, QUERY, LIST, LIST_FETCH or FILTER */
	const char *namespace_;
	const PineconeTable *own_writes;	/* wait for them as its options say, or NULL */
	int64 position;						/* of pending writes that are seen: see pending.h */
	const char *own_name;				/* what these are known by: set by pinecone_source_begin() */
	struct PineconePendingView *unseen; /* what has been written and may not be shown, or NULL: likewise */
	int dimension;						/* of the index; sizes pages */
	int sharers;						/* sources at the same time, which share the budget */

	/* Which records */
	const char *filter; /* QUERY, FILTER; or NULL */
	bool words;			/* the filter looks at words, which Pinecone alone can judge */
	const char *prefix; /* LIST, LIST_FETCH; or NULL */
	const char *after;	/* likewise: ids from this one on are wanted, and few of them; or NULL */
	const char *before; /* likewise, with "descending": up to this one; or NULL */
	char **ids;			/* FETCH: distinct and valid */
	int nids;
	bool may_find_ids;								 /* FETCH: searches without vectors may bring them, in any order, where these are not wanted */
	bool (*wants_id)(void *context, const char *id); /* LIST_FETCH: is a listed id worth a fetch? */
	void *wants_id_context;							 /* NULL: all are */
	struct PineconePooled *pool;					 /* gathers the fetches of several sources; or NULL */
	struct PineconeGathered *gather;				 /* FILTER: likewise their filters, by */
	const struct PineconeFilterKey *key;			 /* this; or NULL */

	/* QUERY */
	PineconeQueryVector query;
	const char *query_id; /* search by stored record, or NULL */
	int top_k;			  /* to begin with */
	bool may_dry_run;	  /* matches may be counted: by an update's dry run, or of documents a fetch */
	const char *clauses;  /* what is scored by in place of the vector, or NULL: see PineconeSearch */
	const char *rerank;	  /* likewise */
	int candidates;

	/* What of them */
	bool want_values;
	bool want_metadata;
	bool may_lack_values;			  /* of texts that are not embedded yet: they will be again */
	const PineconeProjection *fields; /* of documents, if any are wanted; NULL: all */
	double metadata_bytes;			  /* what they are thought to take of a record; 0: nobody knows */
	bool ordered;					  /* ids of LIST, LIST_FETCH must come in bytewise order, */
	bool descending;				  /* or in the opposite one */
	double row_limit;				  /* rows likely to be read; 0: all */
	double skip;					  /* LIST_FETCH: of these the first ones that are only counted: ids will do */
	bool gradual;					  /* nobody knows how many, and a search had better begin small */
	int most;						  /* of several namespaces: records that are read of each; 0: all */
	double expected;				  /* records that meet the filter; 0: nobody knows */
	bool all_shown;					  /* set by source.c: nothing that was written may be missing from what is shown, */
	bool laid_over;					  /* or what may be is laid over it */
} PineconeSourceSpec;

typedef enum PineconeSourceStatus
{
	PINECONE_SOURCE_RECORD,
	PINECONE_SOURCE_PENDING,
	PINECONE_SOURCE_END,
	PINECONE_SOURCE_CAPPED
} PineconeSourceStatus;

typedef struct PineconeSource PineconeSource;

/*
 * The namespace whose writes by this session are to be seen under a name: what
 * it stands for, if it is an alias and there are such writes at all.
 */
extern const char *pinecone_source_own_name(PineconeSession *session, PineconeCounters *counters,
											const PineconeTable *own_writes,
											const char *namespace_, int64 position);

/*
 * Start what Pinecone holds, with pending writes laid over it where there are
 * any; the first request is on its way when this returns.  The source lives
 * in a child of the current memory context.  What "spec" points to must live
 * as long as the source.
 */
extern PineconeSource *pinecone_source_begin(const PineconeSourceSpec *spec);

/* The next record.  Errors are raised. */
extern PineconeSourceStatus pinecone_source_next(PineconeSource *source, bool wait,
												 PineconeRecord **record);

/*
 * The calls that a source is waiting for, at most PINECONE_SOURCE_CALLS: when
 * one of them has finished, the source can go on.  Returns how many.
 */
#define PINECONE_LISTING_CALLS 64 /* pages of a list */
#define PINECONE_SOURCE_CALLS (2 + PINECONE_LISTING_CALLS)
extern int pinecone_source_calls(PineconeSource *source, PineconeCall **calls);

/* Has this search seen the record of that id? */
extern bool pinecone_source_seen(PineconeSource *source, const char *id);

/* The number of neighbours that a search last asked for. */
extern int pinecone_source_top_k(PineconeSource *source);

/* Free it, with all that it has on its way. */
extern void pinecone_source_end(PineconeSource *source);

/*
 * All of it: begin, call "each" (NULL: nothing) for every record, end.  Returns how
 * many they are.
 */
extern double pinecone_source_read(const PineconeSourceSpec *spec,
								   void (*each)(void *arg, PineconeRecord *record), void *arg);

/* ---- For those who provide records ---- */

typedef struct PineconeSourceKind
{
	PineconeSourceStatus (*next)(PineconeSource *source, bool wait, PineconeRecord **record);
	int (*calls)(PineconeSource *source, PineconeCall **calls);
	/* NULL where there are no searches */
	bool (*seen)(PineconeSource *source, const char *id);
	int (*top_k)(PineconeSource *source);
	bool passes_over; /* it reads more records than it returns */
} PineconeSourceKind;

/* What each of them begins with. */
struct PineconeSource
{
	const PineconeSourceKind *kind;
	MemoryContext cxt; /* holds all of it */
};

/* Make one of that kind and size, zeroed but for this. */
extern void *pinecone_source_create(const PineconeSourceKind *kind, Size size);

#endif /* PINECONE_SOURCE_H */
