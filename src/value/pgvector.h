/*
 * pgvector.h
 *		What values of pgvector's types look like.
 */
#ifndef PINECONE_PGVECTOR_H
#define PINECONE_PGVECTOR_H

/* vector */
typedef struct Vector
{
	int32 vl_len_;
	int16 dim;
	int16 unused;
	float x[FLEXIBLE_ARRAY_MEMBER];
} Vector;

/* halfvec: IEEE 754 binary16 */
typedef struct HalfVector
{
	int32 vl_len_;
	int16 dim;
	int16 unused;
	uint16 x[FLEXIBLE_ARRAY_MEMBER];
} HalfVector;

/* sparsevec, of nnz indices followed by as many floats */
typedef struct SparseVector
{
	int32 vl_len_;
	int32 dim;
	int32 nnz;
	int32 unused;
	int32 indices[FLEXIBLE_ARRAY_MEMBER];
} SparseVector;

#endif /* PINECONE_PGVECTOR_H */
