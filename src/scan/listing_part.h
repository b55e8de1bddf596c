/*
 * listing_part.h
 *		The parts of listing.c: its state, and what they do for each other.
 *
 * Ids are strings over the bytes 0x01 to 0x7F (API 2025-10), listed in bytewise
 * order.  The ids to be listed are divided among spans, each of them all ids
 * with some prefix that come after the last one it has brought.  To begin with
 * there is one.  It can be split at the length of its prefix: its last id
 * tells what has been listed, so that what is left is
 *
 *		the ids with a prefix that is longer by one byte, the last id's, and
 *		the ids with one of the greater bytes there, for each of these a span.
 *
 * Each of the 127 bytes is accounted for, so that spans are complete whatever
 * the ids are; a byte that no id has costs a request.  What says where a split
 * is worth these, statistics and a sample of ids, need not be right for that.
 */
#ifndef PINECONE_LISTING_PART_H
#define PINECONE_LISTING_PART_H

#include "lib/ilist.h"

#include "scan/listing.h"
#include "scan/page_chain.h"

/* The greatest byte of an id */
#define PINECONE_MAX_ID_BYTE 0x7F

/* Ids of a page that wait for their reader, one behind the other */
typedef struct PineconeListPage
{
	dlist_node node;
	int location;
	int nids;
	Size bytes;
	char ids[FLEXIBLE_ARRAY_MEMBER];
} PineconeListPage;

typedef struct PineconeSpan
{
	dlist_node node;	   /* among those of the listing, in order of ids */
	dlist_node queue_node; /* among those that wait to go on */
	bool queued;
	char *prefix; /* that is listed, or NULL */
	char *bound;  /* what its ids begin with: the prefix, or more since it was split */
	int boundlen;
	char *last;	 /* the last id that has come, or NULL */
	char *token; /* of the next page, or NULL */
	bool done;	 /* all its pages have come */
	PineconeCall *call;
	int limit; /* that it asks for */
	PineconePageChain chain;
	dlist_head pages; /* that wait for a reader in order */

	/* Is it longer than thought? */
	int first_sample; /* that came after what was known when it was decided how to split */
	double expected;  /* pages; 0: not known to have any */
	double since;	  /* pages since it began or was split */
	int splits;
	int common; /* bytes that the ids of its last page have in common */
} PineconeSpan;

typedef enum PineconeListingState
{
	PINECONE_LISTING_NARROW,   /* page after page */
	PINECONE_LISTING_SAMPLING, /* the same, and ids are being sampled */
	PINECONE_LISTING_WIDE
} PineconeListingState;

struct PineconeListing
{
	const PineconeSourceSpec *spec;
	MemoryContext cxt;
	dlist_head spans;
	bool disordered; /* ids did not come in order */

	/* Spans that wait to go on: known to have ids, and others; and those with a call */
	dlist_head known;
	dlist_head others;
	int nqueued;
	PineconeSpan *active[PINECONE_LISTING_CALLS];
	int nactive;

	/* So far */
	int location;  /* where the last page was from */
	double listed; /* ids that have come */
	double pages;  /* that have come */
	double extra;  /* spans made: what splits cost, more or less */

	/* What waits for the reader, and how much may */
	dlist_head any_pages; /* where the order does not matter */
	int npages;
	Size bytes; /* of them */
	Size max_bytes;
	Size page_bytes; /* of the last one */

	/* How wide */
	PineconeListingState state;
	bool may_be_wide;
	int width;		/* calls at a time */
	double total;	/* records of the namespace by statistics; -1: unknown */
	double records; /* those to be listed; -1: unknown */

	/* A sample of ids, in order */
	PineconeCall *sample_call;
	int nsample;
	char **sample;
	double scale; /* ids that each of them stands for */
	double most;  /* ids of a span that is not split any more */
};

/* ---- listing_span.c ---- */

/* The ids that begin with the first "len" bytes of "id", and "byte" unless that is 0. */
extern PineconeSpan *pinecone_span_create(PineconeListing *listing, const char *id, int len, int byte);

/* It may ask for a page when there is room; or not any more. */
extern void pinecone_span_enqueue(PineconeListing *listing, PineconeSpan *span);
extern void pinecone_span_dequeue(PineconeListing *listing, PineconeSpan *span);

/* The call is over, or not wanted. */
extern void pinecone_span_end_call(PineconeListing *listing, PineconeSpan *span);

/* A span that has brought all, and of which all has been read, goes. */
extern void pinecone_span_free_if_finished(PineconeListing *listing, PineconeSpan *span);

/* Split one that has brought a page, at its bound's length up to that depth. */
extern void pinecone_span_split(PineconeListing *listing, PineconeSpan *span, int depth);

/* What that costs, in requests. */
extern double pinecone_span_split_cost(const PineconeSpan *span, int depth);

/* ---- listing_split.c: when and where ---- */

/* Before the first page is asked for. */
extern void pinecone_listing_consider_sample(PineconeListing *listing);

/* The sample has come, or not. */
extern void pinecone_listing_decide(PineconeListing *listing);

/* A page has come to a span that has more. */
extern void pinecone_listing_consider(PineconeListing *listing, PineconeSpan *span);

/* There is room for more calls than there are spans. */
extern void pinecone_listing_widen(PineconeListing *listing);

/* ---- listing_sample.c: what ids there are, more or less ---- */

/* Ask for a sample, if there can be one. */
extern void pinecone_sample_start(PineconeListing *listing);

/* Take what has come; NULL or not, the call is over then. */
extern void pinecone_sample_take(PineconeListing *listing);

/*
 * The first id of the sample, from "from" on, that does not come before those
 * that begin with the prefix; and the first that comes after them.
 */
extern int pinecone_sample_begin(const PineconeListing *listing, const char *prefix, int len);
extern int pinecone_sample_end(const PineconeListing *listing, const char *prefix, int len);

/* The first that comes after that id. */
extern int pinecone_sample_after(const PineconeListing *listing, const char *id);

#endif /* PINECONE_LISTING_PART_H */
