/*
 * distance.h
 *		Distances between float4 vectors, accumulated in float4 lanes as
 *		pgvector does, returned as float8.
 */
#ifndef PINECONE_DISTANCE_H
#define PINECONE_DISTANCE_H

extern double pinecone_distance_l2(int n, const float *a, const float *b);
extern double pinecone_distance_cosine(int n, const float *a, const float *b); /* 1 - cos; NaN for a zero vector */
extern double pinecone_distance_negative_inner_product(int n, const float *a, const float *b);

/* a times a; NaN or infinite if and only if a component is. */
extern double pinecone_distance_square(int n, const float *a);

#endif /* PINECONE_DISTANCE_H */
