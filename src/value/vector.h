/*
 * vector.h
 *		Vectors, for row.c and record_of_row.c.
 */
#ifndef PINECONE_VECTOR_H
#define PINECONE_VECTOR_H

#include "wire/record.h"

/* A halfvec datum of rounded numbers; false when one is beyond 65504. */
extern bool pinecone_convert_halfvec_datum(int n, const float *values, Datum *datum);

/* A sparsevec datum; false when an index is beyond its dimension. */
extern bool pinecone_convert_sparsevec_datum(const PineconeSparse *sparse, int32 typmod,
											 Datum *datum);

/* The reverse: points into the datum or into palloc'ed memory. */
extern void pinecone_convert_sparsevec(Datum value, PineconeSparse *sparse);

/* As pinecone_convert_vector(), but returns NULL and says why. */
extern const float *pinecone_convert_vector_check(Datum value, Oid typid, int *n,
												  const char **reason);

#endif /* PINECONE_VECTOR_H */
