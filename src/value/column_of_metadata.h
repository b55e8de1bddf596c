/*
 * column_of_metadata.h
 *		Values of metadata fields, as the types of their columns have them.
 *
 * What fits a type is decided strictly, because conditions that Pinecone answers
 * rely on it: a value is either exactly what the column shows, or does not fit.
 */
#ifndef PINECONE_COLUMN_OF_METADATA_H
#define PINECONE_COLUMN_OF_METADATA_H

#include "option/option_list.h"
#include "wire/record.h"

/* What reading values of a column needs to know of its type */
typedef struct PineconeFieldType
{
	PineconeFormat format;
	Oid basetype; /* of a domain */
	int32 typmod; /* of the base type */
	bool is_enum;
	int scale;	 /* of numeric(p,s) */
	Datum limit; /* of numeric(p,s): what is too large for it; or 0 */
} PineconeFieldType;

/* In the current memory context. */
extern void pinecone_field_type(const PineconeColumn *column, PineconeFieldType *type);

/* A value as a datum of the base type, palloc'ed; false: it does not fit. */
extern bool pinecone_field_read(const PineconeFieldType *type, const PineconeValue *value,
								Datum *datum);

#endif /* PINECONE_COLUMN_OF_METADATA_H */
