/*
 * index_description.h
 *		What the control plane says of an index, in the form of up to 2026-04 or in
 *		that of later versions.
 */
#ifndef PINECONE_INDEX_DESCRIPTION_H
#define PINECONE_INDEX_DESCRIPTION_H

#include "admin/json.h"
#include "admin/rows.h"

typedef struct PineconeIndexDescription
{
	char *name;
	const char *kind; /* dense, sparse, integrated, document, or NULL */
	int dimension;	  /* 0: none, or not told */
	char *metric;	  /* or NULL */
	char *host;		  /* or NULL, before it has one */
	bool ready;
	const char *state;
	bool is_protected;
	char *cloud; /* or NULL */
	char *region;
	Jsonb *tags;			/* or NULL */
	JsonbContainer *fields; /* of its schema, or NULL */
	Jsonb *all;				/* as it came */
} PineconeIndexDescription;

/* False where the reply describes no index. */
extern bool pinecone_index_read(Jsonb *reply, PineconeIndexDescription *index);

/* Those of a list; raises an error where the reply has none. */
extern List *pinecone_index_read_list(Jsonb *reply);

/* The row that the functions return. */
extern void pinecone_index_row(PineconeRows *rows, const PineconeIndexDescription *index);

/* Is it one that will never get ready? */
extern bool pinecone_index_has_failed(const PineconeIndexDescription *index);

#endif /* PINECONE_INDEX_DESCRIPTION_H */
