/*
 * number_slice.h
 *		Ranges of a field's numbers, and where to cut one so that about so many
 *		records are on its near side.
 */
#ifndef PINECONE_NUMBER_SLICE_H
#define PINECONE_NUMBER_SLICE_H

#include "request/filter.h"
#include "scan/scan.h"

/* Seen in the direction of the order, from near to far; an infinite end is open. */
typedef struct PineconeSlice
{
	double near; /* does not belong to it */
	double far;
	bool far_open; /* nor does that */
	bool single;   /* the value "far" alone */
} PineconeSlice;

/* Records of the run in a slice. */
extern PineconeFilter pinecone_slice_filter(ForeignScanState *node, const PineconeSlice *slice);

/* What shows how a slice's numbers are spread, on its way or there */
typedef struct PineconeLook PineconeLook;

/* Ask for it, ahead of the cut; NULL: nobody tells. */
extern PineconeLook *pinecone_slice_look(ForeignScanState *node, const PineconeSlice *slice);

/*
 * Cut a slice that ends in infinity, by a look at it if there has been one, else
 * NULL.  A guess: it may have more records than are wanted, fewer, or none.
 */
extern void pinecone_slice_cut(ForeignScanState *node, PineconeSlice *slice, double wanted, PineconeLook *look);

/* How many records meet a filter in the run's namespaces, or -1 where dry runs do not tell. */
extern double pinecone_slice_count(ForeignScanState *node, PineconeFilter filter);

#endif /* PINECONE_NUMBER_SLICE_H */
