/*
 * sparse.h
 *		Sparse vectors: out of jsonb, what may be wrong with them, and their products.
 *
 * As jsonb a sparse vector is {"indices": [...], "values": [...]}.  Indices count
 * from 0, as Pinecone's do; those of the text of pgvector's sparsevec count from 1.
 */
#ifndef PINECONE_SPARSE_H
#define PINECONE_SPARSE_H

#include "utils/jsonb.h"

#include "wire/record.h"

/* How many values one may have, in an index of vectors and in one of documents */
#define PINECONE_MAX_SPARSE 1000
#define PINECONE_MAX_DOCUMENT_SPARSE 2048

/* Read one; NULL, or what is wrong with it. */
extern const char *pinecone_sparse_from_jsonb(Jsonb *object, PineconeSparse *sparse);

/* As jsonb. */
extern Datum pinecone_sparse_to_jsonb(const PineconeSparse *sparse);

/* Its indices in ascending order, in memory of its own. */
extern void pinecone_sparse_sort(PineconeSparse *sparse);

/*
 * What is wrong with one that is to be sent: an index that occurs twice, a value that
 * is not finite, more values than "most"; or NULL.  "whose" is for the message, as in
 * "its sparse vector".
 */
extern const char *pinecone_sparse_fault(const PineconeSparse *sparse, const char *whose, int most);

/* The inner product; the indices of "a" have to be in order. */
extern float pinecone_sparse_product(const PineconeSparse *a, const PineconeSparse *b);

/* The weight of the dense vector in pinecone_hybrid_distance(): an error unless it is one. */
extern double pinecone_sparse_check_alpha(bool isnull, double alpha);

#endif /* PINECONE_SPARSE_H */
