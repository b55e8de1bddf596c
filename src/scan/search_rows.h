/*
 * search_rows.h
 *		Runs whose rows are those of a nearest-neighbour search.
 *
 * What a search cannot bring - rows beyond its cap, or all of them when there is
 * no usable query vector - comes from an exhaustive search: the namespaces are
 * read, as far as the filter matches, and sorted here.
 *
 * A sparse search brings what has an index in common with the query vector.  All
 * else is at distance 0, or if it has no sparse vector at none: of these as many are
 * read, after the search, as are wanted.
 *
 * An approximate service brings some matches only when it is asked for more.  To
 * return them in their places, rows are collected, and sorted, wherever a search
 * may have to grow before its reader has enough: until as many as LIMIT wants meet
 * the local conditions, or until the bound on the distance, or all that there are
 * if the plan is made for reading all.  Else nobody knows how many are wanted: rows
 * are returned as they come, and those that are late come last.
 */
#ifndef PINECONE_SEARCH_ROWS_H
#define PINECONE_SEARCH_ROWS_H

#include "scan/scan.h"

/* The search has begun: shall its rows be collected? */
extern void pinecone_search_decide_collecting(ForeignScanState *node);

/* The next row, in the scan's slot, or an empty one. */
extern TupleTableSlot *pinecone_search_next(ForeignScanState *node, TupleTableSlot *slot);

/* Forget the rows. */
extern void pinecone_search_end(PineconeRun *run);

#endif /* PINECONE_SEARCH_ROWS_H */
