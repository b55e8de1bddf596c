/*
 * heap.h
 *		Takes matches as they come, and keeps so many of the best.
 */
#ifndef HEAP_H
#define HEAP_H

#include "knn.h"

/* Has room for as many as are wanted; the worst is on top. */
typedef struct Heap
{
	Match *matches;
	int count;
} Heap;

extern void heap_add(Heap *heap, int top_k, Match match);
/* Best first, equal ones by id */
extern void matches_sort(Match *matches, int count);

#endif
