/*
 * schema.h
 *		The schema of a document index: fields that it declares, which are what it
 *		can be searched by (API 2026-07).
 *
 * All other fields of a document are metadata.  An index of vectors has no schema
 * in this sense.
 */
#ifndef PINECONE_SCHEMA_H
#define PINECONE_SCHEMA_H

#include "wire/search.h"
#include "wire/stats.h"

typedef enum PineconeSchemaKind
{
	PINECONE_SCHEMA_TEXT,
	PINECONE_SCHEMA_DENSE,
	PINECONE_SCHEMA_SPARSE
} PineconeSchemaKind;

typedef struct PineconeSchemaField
{
	char *name; /* server encoding */
	PineconeSchemaKind kind;
	char *description; /* or NULL */

	/* Vectors */
	int dimension; /* of a dense one, or of what a text is embedded as */
	PineconeMetric metric;

	/* Texts */
	bool full_text;	   /* words can be searched for */
	bool ngram;		   /* and are pieces of words */
	bool embed;		   /* its meaning can be searched for */
	bool sparse_embed; /* likewise, by a sparse model */
	bool stored;	   /* it can be read back */
	char *language;	   /* or NULL */
	bool stemming;
	bool stop_words;
} PineconeSchemaField;

typedef struct PineconeSchema
{
	int n;
	PineconeSchemaField *fields; /* in the order of the description */
	PineconeSchemaField *dense;	 /* the only one there can be, or NULL */
	PineconeSchemaField *sparse; /* likewise */
	bool texts;					 /* has it a field of words? */
	bool embeds;				 /* or one with a model behind it? */
	uint32 hash;				 /* of all that plans depend on; never 0 */
} PineconeSchema;

/* The field of that name, or NULL. */
extern PineconeSchemaField *pinecone_schema_field(const PineconeSchema *schema, const char *name);

/*
 * Is a name one that no metadata of the index has, because it is declared, or
 * because none can be called so?  With no schema there are no such names.
 */
extern bool pinecone_schema_reserves(const PineconeSchema *schema, const char *name);

/* Does JSON text, be it metadata or a filter, mention such a name as a key? */
extern bool pinecone_schema_is_mentioned(const PineconeSchema *schema, const char *json);

/* A copy in the current memory context. */
extern PineconeSchema *pinecone_schema_copy(const PineconeSchema *schema);

/* Fill what follows from the fields. */
extern void pinecone_schema_finish(PineconeSchema *schema);

/*
 * An integrated index is one of vectors, with a model that makes these of one text
 * in the metadata.  That text, as the only field of a schema that stands for
 * nothing else.
 */
extern PineconeSchema *pinecone_schema_integrated(const char *field, PineconeMetric metric, int dimension);

/* Add a field to those that are asked for, unless it is there. */
extern void pinecone_schema_project(PineconeProjection *projection, const char *name);

/* A copy in the current memory context, names and all. */
extern PineconeProjection *pinecone_schema_copy_projection(const PineconeProjection *projection);

#endif /* PINECONE_SCHEMA_H */
