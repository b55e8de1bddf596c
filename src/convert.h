/*
 * convert.h
 *		Datums from records, and records from datums.
 */
#ifndef PINECONE_CONVERT_H
#define PINECONE_CONVERT_H

#include "nodes/bitmapset.h"

#include "option.h"
#include "record.h"

/* Reads records of one table; caches what its column types need. */
typedef struct PineconeReader PineconeReader;

/*
 * "wanted" holds the attribute numbers to fill; the other columns read NULL.
 * The reader lives in the current memory context.
 */
extern PineconeReader *pinecone_convert_reader(PineconeTable *table, const Bitmapset *wanted);

/*
 * One record as a row of the table: values[] and isnull[] have ncolumns
 * elements.  Datums are palloc'ed in the current memory context.  A value that
 * does not fit its column is an error naming table, column, id and value, or
 * NULL under on_type_error 'null'.
 */
extern void pinecone_convert_row(PineconeReader *reader, const PineconeRecord *record,
								 Datum *values, bool *isnull);

/* Is the type one a vector column can have: real[] or pgvector's vector? */
extern bool pinecone_convert_is_vector_type(Oid typid);

/* Can a column of this (base) type hold a metadata field? */
extern bool pinecone_convert_is_field_type(Oid typid);

/* pgvector's type of that name ("vector", "sparsevec"), or InvalidOid. */
extern Oid	pinecone_convert_pgvector_type(const char *name);

/*
 * The floats of a real[] or vector datum; detoasts, so the result may point
 * into the datum or into palloc'ed memory.  Raises an error on NULL elements,
 * more than one array dimension, NaN and infinity.
 */
extern const float *pinecone_convert_vector(Datum value, Oid typid, int *n);

/* The reverse: a real[] or vector datum. */
extern Datum pinecone_convert_vector_datum(Oid typid, int n, const float *values);

#endif							/* PINECONE_CONVERT_H */
