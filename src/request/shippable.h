/*
 * shippable.h
 *		Asked by planner and translators alike, for a column and a kind of
 *		condition: exact, superset or local.
 */
#ifndef PINECONE_SHIPPABLE_H
#define PINECONE_SHIPPABLE_H

#include "option/option_list.h"
#include "request/request.h"

/* Ordered: the weakest part of a condition decides for the whole. */
typedef enum PineconeExactness
{
	PINECONE_LOCAL,	   /* not sent */
	PINECONE_SUPERSET, /* sent, and checked again here */
	PINECONE_EXACT	   /* sent, and believed */
} PineconeExactness;

/* How values of a metadata column compare, remotely and here. */
typedef enum PineconeTypeClass
{
	PINECONE_CLASS_TEXT,
	PINECONE_CLASS_ENUM,
	PINECONE_CLASS_UUID,
	PINECONE_CLASS_BOOL,
	PINECONE_CLASS_INT,		 /* int2, int4, int8, numeric(p, s), epoch dates:
								 * not every number fits */
	PINECONE_CLASS_NUMBER,	 /* float8, numeric: every number fits */
	PINECONE_CLASS_FLOAT4,	 /* rounds what is stored */
	PINECONE_CLASS_EPOCH,	 /* a time as a number: rounds to microseconds */
	PINECONE_CLASS_ISO_DATE, /* YYYY-MM-DD */
	PINECONE_CLASS_LIST,	 /* text[] */
	PINECONE_CLASS_OTHER
} PineconeTypeClass;

extern PineconeTypeClass pinecone_shippable_class(const PineconeColumn *column);

/*
 * How exactly a condition of this kind on this column is answered.
 * "valtype" is the type of the value, or of an array's elements.
 * "type_error_null" is the table's on_type_error 'null'.
 */
extern PineconeExactness pinecone_shippable_condition(const PineconeColumn *column,
													  PineconeConditionKind kind,
													  PineconeCompare compare, Oid valtype,
													  bool type_error_null);

/* The same for conditions on the whole metadata object, or on what it has under a key. */
extern PineconeExactness pinecone_shippable_metadata(const PineconeTable *table,
													 PineconeConditionKind kind, const char *key);

#endif /* PINECONE_SHIPPABLE_H */
