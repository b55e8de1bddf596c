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

/* Which of a record's vectors distances are measured of */
typedef enum PineconeVectorKind
{
	PINECONE_DENSE,
	PINECONE_SPARSE,
	PINECONE_HYBRID /* the sum of both: what a record lacks adds nothing */
} PineconeVectorKind;

/*
 * What distances are measured to.  A hybrid's vectors have been multiplied by their
 * weights.  A sparse search of a dense index sends a dense vector of zeros besides, which
 * is not looked at here.
 */
typedef struct PineconeQueryVector
{
	PineconeMetric metric;
	PineconeVectorKind kind;
	int nvalues;
	const float *values;   /* or NULL: there is none */
	bool has_sparse;	   /* a hybrid's may be NULL, or have no weight */
	PineconeSparse sparse; /* in the order of the indices */
} PineconeQueryVector;

/* A record's distance; false if it lacks what that is measured of. */
extern bool pinecone_score_distance(const PineconeQueryVector *query, const PineconeRecord *record,
									double *distance);

/*
 * Give a record the score that a search for the vector would have given it: none
 * when it has no such vector, or one without direction.
 */
extern void pinecone_score_record(PineconeRecord *record, const PineconeQueryVector *query);

#endif /* PINECONE_SCORE_H */
