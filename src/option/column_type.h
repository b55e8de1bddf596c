/*
 * column_type.h
 *		Can a column of this type have that role?  Types are given by their base
 *		type.
 */
#ifndef PINECONE_COLUMN_TYPE_H
#define PINECONE_COLUMN_TYPE_H

/* A vector: real[], or pgvector's vector or halfvec */
extern bool pinecone_column_type_is_vector(Oid typid);
extern bool pinecone_column_type_is_halfvec(Oid typid);

/* pgvector's sparse one */
extern bool pinecone_column_type_is_sparsevec(Oid typid);

/* Ids */
extern bool pinecone_column_type_is_id(Oid typid);

/* A metadata field */
extern bool pinecone_column_type_is_field(Oid typid);

/* pgvector's type of that name ("vector", "halfvec", "sparsevec"), or InvalidOid. */
extern Oid pinecone_column_type_of_pgvector(const char *name);

#endif /* PINECONE_COLUMN_TYPE_H */
