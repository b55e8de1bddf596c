/*
 * approximate.h
 *		A search as an approximate index would answer it.
 */
#ifndef APPROXIMATE_H
#define APPROXIMATE_H

#include "knn.h"

/* As knn_search(), but for what it misses and in which order. */
extern int approximate_search(const Search *search, int seed, Match **matches);

#endif /* APPROXIMATE_H */
