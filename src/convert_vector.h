/*
 * convert_vector.h
 *		Sparse vectors, for convert.c.
 */
#ifndef PINECONE_CONVERT_VECTOR_H
#define PINECONE_CONVERT_VECTOR_H

#include "record.h"

/* A sparsevec datum; false when an index is beyond its dimension. */
extern bool pinecone_convert_sparsevec_datum(const PineconeSparse *sparse, int32 typmod,
											 Datum *datum);

#endif							/* PINECONE_CONVERT_VECTOR_H */
