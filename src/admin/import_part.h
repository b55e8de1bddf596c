/*
 * import_part.h
 *		What import.c finds out, and import_table.c writes as a statement.
 */
#ifndef PINECONE_IMPORT_PART_H
#define PINECONE_IMPORT_PART_H

#include "nodes/pg_list.h"

#include "wire/schema.h"

typedef struct ImportOptions
{
	int sample_size;
	Oid vector_type;			  /* FLOAT4ARRAYOID or pgvector's vector */
	bool metadata;				  /* add a column for the whole object */
	char *one_table;			  /* name of one table for all namespaces, or NULL */
	bool aliases;				  /* a table for each alias of a namespace, too */
	char *default_table;		  /* what the default namespace's table is called */
	const PineconeSchema *schema; /* of a document index, or NULL */
} ImportOptions;

/* What a field's values have been seen to be */
#define SEEN_BOOL 0x01
#define SEEN_INTEGER 0x02
#define SEEN_NUMBER 0x04
#define SEEN_STRING 0x08
#define SEEN_STRINGS 0x10 /* a list of them */
#define SEEN_OTHER 0x20

typedef struct FieldSummary
{
	char *name;
	int seen;
	bool noted; /* that it holds what no text can */
} FieldSummary;

typedef struct NamespaceSummary
{
	char *name;			  /* "" for the default namespace, NULL for all */
	char *table;		  /* the foreign table's name */
	bool is_alias;		  /* of another namespace */
	List *declared;		  /* names of fields (char *) */
	FieldSummary *fields; /* sorted by name */
	int nfields;
	int maxfields;
	bool has_sparse;
	bool noted; /* that a field's name is no text */
} NamespaceSummary;

/* A name made of "base" that fits an identifier and is not taken yet. */
extern char *pinecone_import_choose_name(List *taken, const char *base);

/* CREATE FOREIGN TABLE for what is known of a namespace. */
extern char *pinecone_import_create_table(const NamespaceSummary *summary, const PineconeStats *stats,
										  const char *server, const ImportOptions *options);

#endif /* PINECONE_IMPORT_PART_H */
