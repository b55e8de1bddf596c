/*
 * gathered_values.h
 *		A place where sources leave the filters they want to ask by, and find their
 *		records.
 *
 * Nothing is asked until pinecone_gathered_values_flush(); then filters that differ in
 * the values of a field alone go as one.  Sources may end at any time.
 */
#ifndef PINECONE_GATHERED_VALUES_H
#define PINECONE_GATHERED_VALUES_H

#include "scan/source.h"

typedef struct PineconeGathered PineconeGathered;

/* In a child of the current memory context, which goes with all it holds. */
extern PineconeGathered *pinecone_gathered_values_create(PineconeCounters *counters);

/* The records of a filter, which the spec's "gather" asks for by its "key". */
extern PineconeSource *pinecone_gathered_values_begin(const PineconeSourceSpec *spec);

/* Ask by the filters that have been left and not been asked by. */
extern void pinecone_gathered_values_flush(PineconeGathered *gather);

#endif /* PINECONE_GATHERED_VALUES_H */
