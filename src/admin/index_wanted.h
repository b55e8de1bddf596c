/*
 * index_wanted.h
 *		The index that pinecone_create_index() is asked for: its arguments, looked
 *		at, and the request that they make.
 */
#ifndef PINECONE_INDEX_WANTED_H
#define PINECONE_INDEX_WANTED_H

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "admin/index_description.h"

typedef enum PineconeIndexKind
{
	PINECONE_INDEX_DENSE,
	PINECONE_INDEX_SPARSE,
	PINECONE_INDEX_HYBRID, /* dense, and takes sparse values */
	PINECONE_INDEX_DOCUMENT
} PineconeIndexKind;

typedef struct PineconeIndexWanted
{
	char *name;
	PineconeIndexKind kind;
	int dimension; /* 0: none */
	char *metric;
	Jsonb *schema; /* of documents, or NULL */
	char *cloud;
	char *region;
	bool is_protected;
	Jsonb *tags;		  /* or NULL */
	Jsonb *read_capacity; /* or NULL */
} PineconeIndexWanted;

/* From the arguments, which begin at number 1 with its name. */
extern void pinecone_index_wanted_read(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted);

/* A read capacity among arguments, or NULL. */
extern Jsonb *pinecone_index_read_capacity(FunctionCallInfo fcinfo, int n);

/* The body of the request; "schemas" says in which form, which is the only one for documents. */
extern char *pinecone_index_wanted_body(const PineconeIndexWanted *wanted, bool schemas);

/* In what an index is another one than was wanted; NULL: in nothing that cannot be changed. */
extern char *pinecone_index_wanted_difference(const PineconeIndexWanted *wanted,
											  const PineconeIndexDescription *index);

#endif /* PINECONE_INDEX_WANTED_H */
