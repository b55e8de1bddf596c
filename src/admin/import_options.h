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
	Oid vector_type;	 /* FLOAT4ARRAYOID or pgvector's vector */
	bool metadata;		 /* add a column for the whole object */
	char *one_table;	 /* name of one table for all namespaces, or NULL */
	bool aliases;		 /* a table for each alias of a namespace, too */
	char *default_table; /* what the default namespace's table is called */
} PineconeImportOptions;

/* Raises an error for options that are not valid. */
extern void pinecone_import_read_options(List *defs, PineconeImportOptions *options);

#endif /* PINECONE_IMPORT_OPTIONS_H */
