/*
 * vector.h
 *		The floats of vector datums, and datums of floats.
 */
#ifndef PINECONE_VECTOR_H
#define PINECONE_VECTOR_H

#include "wire/record.h"

/*
 * The floats of a real[], vector or halfvec datum; detoasts, so the result may point
 * into the datum or into palloc'ed memory.  Raises an error on NULL elements,
 * more than one array dimension, NaN and infinity.
 */
extern const float *pinecone_vector_floats(Datum value, Oid typid, int *n);

/* The reverse: a real[] or vector datum. */
extern Datum pinecone_vector_datum(Oid typid, int n, const float *values);

/* A halfvec datum of rounded numbers; false when one is beyond 65504. */
extern bool pinecone_vector_half_datum(int n, const float *values, Datum *datum);

/* A sparsevec datum; false when an index is beyond its dimension. */
extern bool pinecone_vector_sparse_datum(const PineconeSparse *sparse, int32 typmod,
										 Datum *datum);

/* The reverse: points into the datum or into palloc'ed memory. */
extern void pinecone_vector_sparse(Datum value, PineconeSparse *sparse);

/* How many a sparsevec says it has; columns without a length have the most there can be. */
#define PINECONE_MAX_SPARSE_DIMENSIONS 1000000000
extern int pinecone_vector_sparse_dimensions(Datum value);

/* As pinecone_vector_floats(), but returns NULL and says why. */
extern const float *pinecone_vector_check(Datum value, Oid typid, int *n,
										  const char **reason);

#endif /* PINECONE_VECTOR_H */
