/*
 * way.h
 *		By what requests all records of a namespace are read, or those that meet a
 *		filter: what each way is thought to take, and which takes least.
 */
#ifndef PINECONE_WAY_H
#define PINECONE_WAY_H

#include "client/session.h"

/* What is to be read, as far as is known */
typedef struct PineconeReading
{
	PineconeSession *session;
	double records; /* of the namespace; -1: unknown */
	double matches; /* of them that meet the filter; likewise, and all without one */
	double limit;	/* rows that are likely to be read; 0: all */
	double skip;	/* of them, which are only counted */
	bool filtered;
	bool ordered; /* by id */
	bool tail;	  /* likewise, and the last ids alone are wanted */
	bool want_values;
	bool want_metadata;
	bool fetched;	/* it is more than ids */
	bool countable; /* by dry runs */
	bool may_sweep; /* nothing that was written can be missing from what searches find, or it is laid over that */
	bool uncounted; /* likewise, so that counts prove nothing: all ids are listed besides */
	bool failed;	/* a sweep has come to nothing lately */
	int dimension;
	double metadata_bytes;
} PineconeReading;

typedef enum PineconeWay
{
	PINECONE_WAY_PAGES,		   /* as the operation says: ids page by page, fetches, pages by metadata */
	PINECONE_WAY_SWEEP,		   /* searches without vectors, counted */
	PINECONE_WAY_IDS_SWEPT,	   /* ids by such searches, and fetches */
	PINECONE_WAY_VALUES_SWEPT, /* searches with vectors */
	PINECONE_WAY_METADATA,	   /* pages of what meets a filter that all records meet, counted */
	PINECONE_WAY_IDS_ORDERED   /* all ids by such searches, sorted, and fetches */
} PineconeWay;

typedef struct PineconeWayCost
{
	PineconeWay way;
	double requests;
	double rounds; /* of them, one after the other */
	double bytes;  /* of replies */
	double units;  /* read units */
	double ms;
} PineconeWayCost;

/* The one that takes least. */
extern PineconeWayCost pinecone_way_choose(const PineconeReading *reading);

/*
 * So many ids are given, without vectors, which a fetch would bring all the same:
 * does it take less to find all records by searches?
 */
extern bool pinecone_way_finds_ids(const PineconeReading *reading, double ids, PineconeWayCost *cost);

/* So many records that a way was thought to fetch are not looked at. */
extern void pinecone_way_leave_out(const PineconeReading *reading, double n, PineconeWayCost *cost);

/* In words */
extern const char *pinecone_way_name(PineconeWay way);

#endif /* PINECONE_WAY_H */
