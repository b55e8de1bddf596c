/*
 * readahead.h
 *		A custom scan over the outer side of a nested loop that has the inner
 *		side's requests started before the loop comes to them.
 */
#ifndef PINECONE_READAHEAD_H
#define PINECONE_READAHEAD_H

#include "nodes/extensible.h"

#define PINECONE_READAHEAD_NAME "Pinecone Read Ahead"

/* What a plan's custom_private holds. */
enum PineconeReadAheadPrivate
{
	READ_AHEAD_EAGER /* Integer: all rows will be wanted, so start with many */
};

/* For the planner to put in its plans. */
extern const CustomScanMethods pinecone_readahead_methods;

/* Called once, from _PG_init. */
extern void pinecone_readahead_init(void);
extern void pinecone_plan_readahead_init(void);

#endif /* PINECONE_READAHEAD_H */
