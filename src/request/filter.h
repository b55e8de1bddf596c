/*
 * filter.h
 *		From conditions and the values of a run, the text of a filter, or that no
 *		record, or every one, meets them.
 */
#ifndef PINECONE_FILTER_H
#define PINECONE_FILTER_H

#include "option/option.h"
#include "request/request.h"

/* The values of a request's expressions, by number. */
typedef struct PineconeValues
{
	int n;
	Oid *types;
	Datum *values;
	bool *isnull;
	char **placeholders; /* for EXPLAIN: text standing for a value not yet
								 * known, or NULL; may be NULL altogether */
} PineconeValues;

typedef enum PineconeFilterKind
{
	PINECONE_FILTER_NEVER,	/* no record can match: send nothing */
	PINECONE_FILTER_ALWAYS, /* every record matches: send no filter */
	PINECONE_FILTER_JSON
} PineconeFilterKind;

typedef struct PineconeFilter
{
	PineconeFilterKind kind;
	char *json; /* PINECONE_FILTER_JSON; server encoding */
} PineconeFilter;

/* Memory comes from the current context. */
extern PineconeFilter pinecone_filter_render(PineconeTable *table,
											 const PineconeCondition *condition,
											 const PineconeValues *values);

#endif /* PINECONE_FILTER_H */
