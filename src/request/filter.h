/*
 * filter.h
 *		From conditions and the values of a run, the text of a filter, or that no
 *		record, or every one, meets them.
 */
#ifndef PINECONE_FILTER_H
#define PINECONE_FILTER_H

#include "option/option_list.h"
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

/*
 * Numbers of a field between two bounds, which belong to it unless it is open
 * there; an infinite one is none.
 */
extern PineconeFilter pinecone_filter_numbers(const char *field, double low, bool low_open,
											  double high, bool high_open);

/* One boolean; one of these texts, or none of them */
extern PineconeFilter pinecone_filter_boolean(const char *field, bool value);
extern PineconeFilter pinecone_filter_texts(const char *field, bool among, char *const *texts, int n);

/* Records that have a field, or do not; both of two filters, or one of them */
extern PineconeFilter pinecone_filter_exists(const char *field, bool exists);
extern PineconeFilter pinecone_filter_both(PineconeFilter a, PineconeFilter b);
extern PineconeFilter pinecone_filter_either(PineconeFilter a, PineconeFilter b);

#endif /* PINECONE_FILTER_H */
