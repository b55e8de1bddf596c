/*
 * filter_key.h
 *		From filters that differ in some values, one that asks for all.
 *
 * What several rows of a join want, each by a filter of its own, one request can
 * bring: by $in of all their values.  Which of the rows wants which of the
 * records, the field's value tells, by its text as JSON.
 */
#ifndef PINECONE_FILTER_KEY_H
#define PINECONE_FILTER_KEY_H

#include "request/filter.h"

typedef struct PineconeFilterKey
{
	const char *field; /* NULL: "own" alone tells */
	List *literals;	   /* where the filter holds, the field has one of these: JSON */
	char *own;		   /* all that differs from row to row, if that is more; or NULL */
	char *rest;		   /* what does not differ; NULL: nothing */
	List *fields;	   /* that "own" looks at */
} PineconeFilterKey;

/*
 * Can filters of a condition that differ in these values (of expressions, by
 * number) be asked as one?
 */
extern bool pinecone_filter_key_exists(PineconeTable *table, const PineconeCondition *condition,
									   const Bitmapset *varying);

/*
 * The key of the filter that a condition makes, which has one.  Returns false
 * where the values of this run make a filter that has none all the same.
 */
extern bool pinecone_filter_key_make(PineconeTable *table, const PineconeCondition *condition,
									 const PineconeValues *values, const Bitmapset *varying,
									 PineconeFilterKey *key);

/* The field has one of these values. */
extern PineconeFilter pinecone_filter_key_any(const char *field, List *literals);

/* The values of a record's field, as such literals: of a list those of its strings. */
extern List *pinecone_filter_key_values(const char *field, const PineconeFields *fields);

#endif /* PINECONE_FILTER_KEY_H */
