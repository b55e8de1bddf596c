/*
 * compared.h
 *		A foreign table and what it is to hold: the rows of a table or query of this
 *		database, whose columns are matched by their names.
 */
#ifndef PINECONE_COMPARED_H
#define PINECONE_COMPARED_H

#include "lib/stringinfo.h"

#include "option/option_list.h"

typedef struct PineconeCompared
{
	const PineconeTable *table;
	char *there; /* its name, to be used in SQL */
	char *from;	 /* the source, as an item of FROM */
	char *us;	 /* schema of our functions */
	Oid relid;	 /* the source, if it is a relation */

	/* The columns that both have, but for the id and the namespace; NULL in the rest */
	Oid *types; /* by attnum - 1: the source's, or InvalidOid */
	Oid id_type;
	char *only_here; /* a column of the source that the table has not; NULL: there is none */

	/* Expressions over "s", the source, and "t", the table */
	char *here_id;
	char *there_id;
	char *here_namespace; /* NULL: all in one */
	char *there_namespace;
} PineconeCompared;

/*
 * Look at both, by SPI, which has to be connected; what the result points to is
 * allocated there.  "source" is the name of a relation, or a query.  Raises an
 * error where they cannot be compared.
 */
extern PineconeCompared *pinecone_compared_begin(Oid relid, const char *source);

/* Is the column one of metadata, or of vectors, that both have? */
extern bool pinecone_compared_is_metadata(const PineconeCompared *compared, int column);
extern bool pinecone_compared_is_vector(const PineconeCompared *compared, int column);

/*
 * A query of id, namespace and digests, which are NULL unless something is to be
 * compared; "where" may be NULL.  Not sorted.
 */
extern char *pinecone_compared_query(const PineconeCompared *compared, bool here, bool metadata, bool vectors,
									 const char *where);

/* The columns to write, and what of the source to write to them. */
extern void pinecone_compared_columns(const PineconeCompared *compared, StringInfo columns, StringInfo values);

#endif /* PINECONE_COMPARED_H */
