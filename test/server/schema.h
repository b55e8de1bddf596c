/*
 * schema.h
 *		Reads a schema and says what is wrong with it, finds fields, writes it out.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "analyzer.h"
#include "control.h"
#include "models.h"

/* How a text is embedded: a model, and its parameters as JSON */
typedef struct Embedding
{
	const Model *model; /* NULL: not at all */
	int dimension;
	Metric metric;
	char *read_parameters, *write_parameters;
} Embedding;

typedef enum SchemaType
{
	SCHEMA_DENSE,
	SCHEMA_SPARSE,
	SCHEMA_STRING,
} SchemaType;

typedef struct SchemaField
{
	char *name;
	uint32_t key; /* of the name, as metadata has it */
	SchemaType type;
	char *description;
	/* Strings */
	int text;	   /* number among the strings */
	int full_text; /* number among those that are searched; -1: it is none of them */
	Analysis analysis;
	Embedding embed, sparse_embed;
	bool dropped; /* only embedded, the text is not kept */
} SchemaField;

typedef struct Schema
{
	SchemaField *fields;
	int count;
	int ntexts, nfull_texts;
	_Atomic int others;			 /* owners besides one */
	SchemaField *dense, *sparse; /* what fills these slots, be it a vector or a text */
} Schema;

/* What an index of one model embeds; its records are those of a classic index */
typedef struct Integrated
{
	Embedding embedding;
	char *field; /* with the text */
	char *field_map;
} Integrated;

/*
 * The schema of {"fields": {...}}; NULL: the reply holds the error.  byoc: on the
 * customer's own cloud, where nothing is embedded.
 */
extern Schema *schema_read(Request *r, const JsonValue *schema, bool byoc);
extern void schema_free(Schema *schema);
/* One more owner, who frees it as well */
extern Schema *schema_share(Schema *schema);
/* A document index, which takes the schema over */
extern Index *schema_index(const char *name, Schema *schema);
/* {"fields": {...}} as descriptions show it */
extern void schema_write(Buffer *b, const Schema *schema);

extern const SchemaField *schema_find(const Schema *schema, uint32_t key);
extern const SchemaField *schema_find_name(const Schema *schema, Str name);
extern bool schema_embeds(const Schema *schema);

/*
 * Read model parameters and, with dense set, dimension and metric: for fields of
 * documents, and for indexes of one model.
 */
extern bool embedding_read(Request *r, const JsonValue *json, bool dense, const char *otherwise, Embedding *embedding);
/* New parameters */
extern bool embedding_change(Request *r, const JsonValue *json, Embedding *embedding);
extern void embedding_free(Embedding *embedding);
extern void integrated_free(Integrated *integrated);
/* NULL of NULL */
extern Integrated *integrated_copy(const Integrated *integrated);

#endif
