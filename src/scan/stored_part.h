/*
 * stored_part.h
 *		The parts of stored.c: its state, and what they do for each other.
 */
#ifndef PINECONE_STORED_PART_H
#define PINECONE_STORED_PART_H

#include "lib/ilist.h"

#include "base/idset.h"
#include "scan/id_descent.h"
#include "scan/id_walk.h"
#include "scan/known.h"
#include "scan/listing.h"
#include "scan/page_chain.h"
#include "scan/stored.h"
#include "scan/sweep.h"
#include "scan/swept_ids.h"
#include "scan/way.h"

/* Records to be returned, of a page or a fetch */
typedef struct PineconeBatch
{
	dlist_node node;
	MemoryContext cxt;
	PineconeCall *call; /* NULL once decoded */
	PineconePage *page; /* NULL before */
	int next;			/* record to return next */

	/* A slice of ids to fetch; else 0 */
	int nids;
	char **ids;
	double *scores; /* of a search, or NULL */
} PineconeBatch;

typedef struct PineconeStored
{
	PineconeSource source;
	PineconeSourceSpec spec;
	dlist_head batches;
	int nbatches;
	double returned;	   /* records returned so far */
	double started;		   /* ids in fetches so far, but for those that were not there */
	double listed;		   /* ids or records that pages have brought and the reader gets */
	double record_bytes;   /* estimated size of a record in a reply */
	double metadata_bytes; /* of which metadata */

	idset_hash *given; /* ids of a fetch that searches look for first, or NULL */

	/* Ids waiting to be put into fetch batches */
	MemoryContext ids_cxt;
	char **ids;
	double *scores;
	int nids;
	int next_id;

	/* The index, as the session knew it when the source began, and where */
	PineconeMetric metric; /* of scores */
	PineconeMetric index_metric;
	int dimension;
	int location;
	bool answered; /* there has been a reply: the index may not move now */

	/* Searches for all of it: before pages, which then bring what these have not */
	bool way_chosen;
	bool sweeping;
	bool fetches_swept;	  /* they bring ids, and records are fetched */
	PineconeSweep *sweep; /* or NULL */

	/* Or for all ids, in order */
	PineconeSweptIds *swept_ids; /* or NULL */
	bool ids_unswept;			 /* nothing has come of that */

	/* Paging through list or fetch-by-metadata */
	bool paging_done;
	PineconeListing *listing;	/* of the ids, or NULL */
	PineconeIdWalk *walk;		/* likewise, of those after one, */
	PineconeIdDescent *descent; /* or from the last one down */
	PineconeCall *page_call;
	int page_limit; /* that it asks for */
	int page_most;	/* than which replies were too large; 0: none was */
	char *token;
	PineconePageChain chain;

	/* Pages of a filter that more records meet than was thought: is another way better by now? */
	idmarks_hash *come; /* what they have brought, or NULL: it is not looked at */
	double thought;		/* how many there may be; 0: as many as was thought first */

	/* Searching */
	int top_k;
	int max_top_k;
	bool rescores;		 /* scores are computed here */
	bool ids_only;		 /* bodies are fetched afterwards */
	bool search_over;	 /* all there is has come */
	bool capped;		 /* or all that a search can bring */
	idset_hash *seen;	 /* ids of batches that have been read, or NULL */
	idset_hash *gone;	 /* ids of matches that were not there when they were fetched, or NULL */
	PineconeBatch *held; /* matches that the reader does not get yet, or NULL */
	int nnew;			 /* of the last search: matches that no other has brought */
	int ncame;			 /* matches of all searches */
	bool doubted;		 /* the last search was there to see if more come */
	bool settling;		 /* fewer came than were asked for; it is to be found out why */
	PineconeKnownQuestion known;
} PineconeStored;

/* ---- stored_batch.c: batches of records, fetches, sizes ---- */

extern void pinecone_stored_estimate(PineconeStored *stored);

/* Learn how large metadata is from a page, so that later pages fit. */
extern void pinecone_stored_observe(PineconeStored *stored, const PineconePage *page);

/* How many records of a reply fit. */
extern int pinecone_stored_per_reply(PineconeStored *stored, int most);

/* Rows that the reader is likely to ask for still. */
extern double pinecone_stored_wanted(PineconeStored *stored);

/* What of documents is to come; NULL: everything. */
extern const PineconeProjection *pinecone_stored_fields(PineconeStored *stored);

/* A batch in a context of its own; or in that of a page. */
extern PineconeBatch *pinecone_stored_add_batch(PineconeStored *stored);
extern void pinecone_stored_add_page(PineconeStored *stored, MemoryContext cxt, PineconePage *page);
extern void pinecone_stored_drop_batch(PineconeStored *stored, PineconeBatch *batch);

extern int pinecone_stored_ids_waiting(PineconeStored *stored);

/* Do many ids come at once, so that fetches had better be large? */
extern bool pinecone_stored_is_wide(const PineconeStored *stored);

/*
 * Add the ids of a page to those waiting, with the scores of a search; of a list
 * those that are wanted.  Returns how many.
 */
extern int pinecone_stored_add_ids(PineconeStored *stored, const PineconePage *page,
								   bool with_scores);

/* Start fetches for waiting ids as far as the budget goes. */
extern void pinecone_stored_start_fetches(PineconeStored *stored);

/* Scores of matches from their vectors. */
extern void pinecone_stored_rescore(PineconeStored *stored, PineconePage *page);

/* Decode the fetch of a batch, which has finished. */
extern void pinecone_stored_take_fetch(PineconeStored *stored, PineconeBatch *batch);

/*
 * An index that is found elsewhere has been made anew.  Records of both in one
 * result, or distances by the metric of the other, would be wrong.
 */
extern void pinecone_stored_check_location(PineconeStored *stored, int location);

/* ---- stored_sweep.c: searches for all records in their place ---- */

/* By what requests is all to be read? */
extern void pinecone_stored_choose_way(PineconeStored *stored);

/*
 * Pages of a filter: note what one has brought, in case.  And: more records meet it
 * than was thought, and searches for the others take less; true when they have begun.
 */
extern void pinecone_stored_note_come(PineconeStored *stored, const PineconePage *page);
extern bool pinecone_stored_leave_pages(PineconeStored *stored);

/*
 * A walk has asked for many places where there is no id, as it does after the last
 * one of all: search for all ids, if that may take less.
 */
extern void pinecone_stored_leave_walk(PineconeStored *stored);

/* The ids of the source are fetched, or looked for by searches before that. */
extern void pinecone_stored_begin_ids(PineconeStored *stored);

/* Move the searches on, as far as the reader goes. */
extern void pinecone_stored_advance_sweep(PineconeStored *stored);

/* ---- stored_page.c: list, and fetch by metadata ---- */

/* Keep a page ahead of the reader, and enough ids ahead of the fetches. */
extern void pinecone_stored_advance_paging(PineconeStored *stored);

/* ---- growing_search.c: searches that grow ---- */

extern void pinecone_stored_start_search(PineconeStored *stored);

/* A search has finished: its matches, as records or as ids to fetch. */
extern void pinecone_stored_take_search(PineconeStored *stored, PineconeBatch *batch);

/* All that came has been read: PENDING when the search goes on. */
extern PineconeSourceStatus pinecone_stored_grow(PineconeStored *stored);

/* Before a batch of a search that has been read goes. */
extern void pinecone_stored_remember(PineconeStored *stored, PineconeBatch *batch);

/* Of the matches that a batch was to fetch: those that its page lacks. */
extern void pinecone_stored_note_gone(PineconeStored *stored, const PineconeBatch *batch);

/* Has it been returned, or was it not there? */
extern bool pinecone_stored_seen(PineconeStored *stored, const char *id);

#endif /* PINECONE_STORED_PART_H */
