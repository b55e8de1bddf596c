/*
 * score.h
 *		Scores and the distances that they stand for.
 */
#ifndef PINECONE_SCORE_H
#define PINECONE_SCORE_H

#include "client/vectors.h"
#include "wire/record.h"

/* Keep the scores of a search's matches within the metric's bounds. */
extern void pinecone_score_limit(PineconePage *page, PineconeMetric metric);

/* The distance that a search's score stands for, within the metric's bounds. */
extern double pinecone_score_to_distance(PineconeMetric metric, double score);

/* The distance of a record's vector, which must have n components. */
extern double pinecone_score_distance(PineconeMetric metric, int n, const float *a, const float *b);

/*
 * Give a record the score that a search for the vector would have given it: none
 * when it has no vector of that size, or one without direction.  n = 0: there is
 * no vector to search for.
 */
extern void pinecone_score_record(PineconeRecord *record, PineconeMetric metric, int n,
								  const float *vector);

#endif /* PINECONE_SCORE_H */
