/*
 * import_options.h
 *		What a statement wants imported, and as what.
 */
#ifndef PINECONE_IMPORT_OPTIONS_H
#define PINECONE_IMPORT_OPTIONS_H

#include "nodes/pg_list.h"

typedef struct PineconeImportOptions
{
	int sample_size;
	Oid vector_type;	/* FLOAT4ARRAYOID or pgvector's vector */
	bool metadata;		/* add a column for the whole object */
	char *one_table;	/* name of one table for all namespaces, or NULL */
	bool aliases;		/* a table for each alias of a namespace, too */
	bool score;			/* add a column for scores */
	bool fold_names;	/* columns are named in lower snake case */
	bool typed_strings; /* strings that are dates, times or JSON become columns of such */
	enum
	{
		PINECONE_IMPORT_DOUBLE,
		PINECONE_IMPORT_INTEGER, /* where all that were seen are whole */
		PINECONE_IMPORT_NUMERIC
	} numbers;
	char *default_table; /* what the default namespace's table is called */
} PineconeImportOptions;

/* Raises an error for options that are not valid. */
extern void pinecone_import_read_options(List *defs, PineconeImportOptions *options);

#endif /* PINECONE_IMPORT_OPTIONS_H */
