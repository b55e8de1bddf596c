/*
 * field_values.h
 *		The values of a field in one namespace: looked for, and counted.
 */
#ifndef PINECONE_FIELD_VALUES_H
#define PINECONE_FIELD_VALUES_H

#include "base/idmarks.h"
#include "request/filter.h"
#include "scan/scan.h"

/* How many records have a value, or none */
typedef struct PineconeFieldCount
{
	double records;
	PineconeCall *call; /* tells it; or NULL */
	bool asked;
	bool searched; /* by a search for all of them, rather than by a dry run */
	int top_k;	   /* of which there may be so many */
} PineconeFieldCount;

typedef struct PineconeFieldValue
{
	Datum datum;
	char *key; /* the filter for it, alike for equal values */
	PineconeFieldCount count;
} PineconeFieldValue;

/* A namespace; for FILTER once more, with what its records have to meet besides */
typedef struct PineconeFieldPart
{
	const PineconeCondition *condition; /* or NULL */
	const char *name;
	const char *shown; /* as the column of namespaces reads it */
	PineconeFieldValue *values;
	int n;
	int size;
	int rounds;
	bool complete;	/* all values are known */
	bool no_search; /* searches bring nothing */
	bool sure;		/* the last search has shown each new value repeatedly */

	/* Under way, or NULL */
	PineconeCall *search;
	PineconeCall *page;
	PineconeCall *rest;
	PineconeCall *exists;

	PineconeFieldCount missing; /* records without the field */
	double nexists;

	/* Where counts are held against one of all records: see value_counts.c */
	bool by_total;
	bool no_searches;				  /* for counts: these came short */
	PineconeCall *total;			  /* under way, or NULL */
	double ntotal;					  /* -1: unknown yet */
	bool many;						  /* they are too many for that: see value_proof.c */
	struct PineconeFieldProof *proof; /* under way, or NULL */
	PineconeCall *small;			  /* counts the values that searches have counted; or NULL */
	bool counting;					  /* counts are under way */
	bool short_of_values;			  /* a dry run has found records without a known value */
	int dry_runs;					  /* that were sent for it */
	idmarks_hash *seen;				  /* ids that searches for counts have brought */
	MemoryContext seen_cxt;			  /* which are here */
} PineconeFieldPart;

typedef struct PineconeFieldGroup
{
	const PineconeFieldValue *value; /* NULL: records without the field */
	const char *namespace_;
	double count;
} PineconeFieldGroup;

typedef struct PineconeGroups
{
	PineconeColumn *column;
	PineconeReader *reader;
	PineconeValues values; /* the run's, and one more: what the field is compared with */
	Oid elemtype;
	PineconeCondition leaf;

	/* What has to be known besides the values */
	bool want_counts;
	bool want_exists;
	bool want_missing;

	PineconeFieldPart *parts; /* one for each namespace, then for each once more with each filter */
	int nparts;
	int nnamespaces;
	int dry_runs; /* that were sent */
	int searches; /* for counts, likewise */

	const char *given_up; /* why, or NULL */
	PineconeFieldGroup *groups;
	int ngroups;
	int next;
} PineconeGroups;

/* Another plan has to do; the first reason stays. */
extern void pinecone_field_give_up(PineconeGroups *groups, const char *why);

/* Send what a namespace is asked first. */
extern void pinecone_field_begin(ForeignScanState *node, PineconeFieldPart *part);

/* Wait for what has been asked, and ask for what is wanted next, until it is complete. */
extern void pinecone_field_advance(ForeignScanState *node, PineconeFieldPart *part);

/* Then wait for the counts, which have to add up where a record may be in several of them. */
extern void pinecone_field_take_counts(PineconeScanState *state, PineconeFieldPart *part);

#endif /* PINECONE_FIELD_VALUES_H */
