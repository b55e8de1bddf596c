/*
 * known.h
 *		What is known of how many matches a search can bring.
 *
 * Without a filter index statistics tell it, with one a dry run of an update.
 * What the session remembers of these will do if as many matches came; else they
 * are asked anew.
 *
 * They may not count yet what a search shows already, or the other way round.  So
 * of what this cluster has written a moment ago they say nothing: as many matches
 * are all only if they are so many without any that have just been written.
 */
#ifndef PINECONE_KNOWN_H
#define PINECONE_KNOWN_H

#include "base/clock.h"
#include "scan/source.h"

/* A question under way, of one search */
typedef struct PineconeKnownQuestion
{
	bool asked;			 /* since pinecone_known_begin() */
	PineconeCall *call;	 /* a dry run, or NULL */
	PineconeTime before; /* when the statistics were from before they were asked anew */
} PineconeKnownQuestion;

typedef enum PineconeKnownKind
{
	PINECONE_KNOWN_ASKED,  /* nothing yet: see pinecone_known_calls() */
	PINECONE_KNOWN_ALL,	   /* no others than those that came */
	PINECONE_KNOWN_MORE,   /* others: there are so many "records" */
	PINECONE_KNOWN_UNSURE, /* perhaps others: what has just been written is counted, or not */
	PINECONE_KNOWN_NOTHING /* nobody knows */
} PineconeKnownKind;

typedef struct PineconeKnown
{
	PineconeKnownKind kind;
	double records;
} PineconeKnown;

/* A search has come short: begin to ask about it. */
extern void pinecone_known_begin(PineconeKnownQuestion *question);

/*
 * So many matches came in all, some of which may have been written too lately to
 * be counted.  Does not wait.  A call is in the current memory context.
 */
extern PineconeKnown pinecone_known_matches(PineconeKnownQuestion *question,
											const PineconeSourceSpec *spec, double came, double unsure);

/* The calls that a question waits for, as pinecone_source_calls(). */
extern int pinecone_known_calls(PineconeKnownQuestion *question, const PineconeSourceSpec *spec,
								PineconeCall **calls);

#endif /* PINECONE_KNOWN_H */
