/*
 * sweep_part.h
 *		The parts of sweep.c: its state, and what they do for each other.
 */
#ifndef PINECONE_SWEEP_PART_H
#define PINECONE_SWEEP_PART_H

#include "lib/ilist.h"

#include "base/idmarks.h"
#include "request/filter.h"
#include "scan/page_chain.h"
#include "scan/sweep.h"

/* Records that a search is to bring */
typedef struct PineconeSweepPart
{
	dlist_node node; /* of those that wait */
	PineconeFilter filter;
	double expected; /* matches; -1: unknown */
	int depth;		 /* divisions that made it */
	bool sample;	 /* it is searched to see how to divide it */
	bool limited;	 /* for no more than the reader's limit */
	int top_k;
	PineconeCall *call;

	/* Of pages: where the next one begins, or NULL */
	char *token;
	PineconePageChain chain;
} PineconeSweepPart;

/* Matches that wait for the reader */
typedef struct PineconeSweepPage
{
	dlist_node node;
	MemoryContext cxt;
	PineconePage *page;
	int location;
	Size bytes;
} PineconeSweepPage;

/* What is counted */
typedef enum PineconeProofState
{
	PINECONE_PROOF_UNASKED,
	PINECONE_PROOF_ASKED,
	PINECONE_PROOF_KNOWN,
	PINECONE_PROOF_IMPOSSIBLE
} PineconeProofState;

typedef struct PineconeCensus PineconeCensus;

struct PineconeSweep
{
	const PineconeSourceSpec *spec;
	MemoryContext cxt;
	int dimension;
	bool bodies;	/* metadata is wanted */
	bool values;	/* likewise vectors, of searches */
	bool pages;		/* of fetches by metadata come in place of searches' matches */
	bool limited;	/* only a few records have been searched for */
	bool uncounted; /* counts would prove nothing, as the service may not show all that was written */
	bool over;
	bool complete;
	const char *why_not; /* it is not complete; or NULL */

	/* Parts: to be searched, to be searched if records are missing, being searched */
	dlist_head waiting;
	dlist_head unlikely;
	PineconeSweepPart *active[PINECONE_SWEEP_SEARCHES];
	int nactive;
	int nparts; /* that were made */

	/* What has come */
	idmarks_hash *seen;
	dlist_head pages_come;
	Size page_bytes; /* of all of them, */
	double waiting_records;
	double match_bytes;

	/* Counting */
	PineconeProofState proof;
	const char *field;		  /* that the records were first divided by, or NULL */
	PineconeCall *count_call; /* of what is searched for */
	PineconeCall *check_call; /* of everything, where that is not the same */
	PineconeTime stats_since; /* statistics have to be as new as that */
	bool stats_wanted;
	bool large;		 /* all records are more than one dry run tells, */
	bool many_match; /* and so is what meets the filter */
	double count;
	double check;
	double records;			/* by statistics */
	PineconeCensus *census; /* where they are too many for one count, or NULL */
};

/* ---- sweep_part.c ---- */

/* Matches that a search can bring. */
extern int pinecone_sweep_capacity(const PineconeSweep *sweep);

/* A part that waits for its turn, in the sweep's memory. */
extern PineconeSweepPart *pinecone_sweep_add(PineconeSweep *sweep, dlist_head *list, PineconeFilter filter,
											 double expected, int depth);

/* What a dry run says; -1: nothing. *call is freed. */
extern double pinecone_sweep_take_count(PineconeSession *session, PineconeCall **call);

/* ---- sweep_split.c: how to divide ---- */

/*
 * Divide a part as its records show, some of which have come: false where these
 * tell no way.
 */
extern bool pinecone_sweep_split(PineconeSweep *sweep, const PineconeSweepPart *part,
								 const PineconePage *page);

/*
 * Divide all records, of which a page has come, into parts of no more than
 * "target": those that it has shown, and others that there may be.  False likewise.
 */
extern bool pinecone_sweep_divide(PineconeSweep *sweep, const PineconePage *page, double records,
								  double target, dlist_head *likely, dlist_head *unlikely);

/* ---- sweep_census.c: counts of what is too much for one ---- */

/* Ask how to divide all records. */
extern PineconeCensus *pinecone_census_begin(PineconeSweep *sweep, double records);

/* Count what meets the sweep's filter, besides all records. */
extern void pinecone_census_want_matches(PineconeCensus *census);

/*
 * Take what has come: false while something is on its way.  Then *records is how
 * many there are, as far as they are where others have been seen, and *matches
 * how many meet the filter; -1: nobody knows.
 */
extern bool pinecone_census_take(PineconeCensus *census, double *records, double *matches);

/* Count what has not been seen, too; false where that has been done. */
extern bool pinecone_census_look_further(PineconeCensus *census);

extern int pinecone_census_calls(PineconeCensus *census, PineconeCall **calls);

/* It is not wanted any more. */
extern void pinecone_census_drop(PineconeCensus *census);

/* ---- sweep_proof.c: how many there are ---- */

/* A filter that every record meets, or so we think. */
extern const char *pinecone_proof_universal(const PineconeSweep *sweep);

/* Ask, if that has not been done. */
extern void pinecone_proof_begin(PineconeSweep *sweep);

/* Take what has come: false while something is on its way. */
extern bool pinecone_proof_take(PineconeSweep *sweep);

/*
 * So many have come: are these all?  *missing is set when more are counted, and
 * *why when they are not, or nobody knows.
 */
extern bool pinecone_proof_holds(PineconeSweep *sweep, double came, bool *missing, const char **why);

/* Nothing has come of it: not to be tried again for a while. */
extern void pinecone_proof_note_failure(const PineconeSweep *sweep);

extern int pinecone_proof_calls(PineconeSweep *sweep, PineconeCall **calls);

/* It is not wanted any more. */
extern void pinecone_proof_drop(PineconeSweep *sweep);

#endif /* PINECONE_SWEEP_PART_H */
