/*
 * any_vector.h
 *		A vector that is near nothing in particular.
 */
#ifndef PINECONE_ANY_VECTOR_H
#define PINECONE_ANY_VECTOR_H

/*
 * A vector of length 1 that has no direction that anybody else's has: the same
 * each time for a seed, so that requests repeat.  Palloc'ed.
 */
extern float *pinecone_any_vector(int dimension, uint32 seed);

#endif /* PINECONE_ANY_VECTOR_H */
