/*
 * row.h
 *		A reader makes rows of a table's records.
 */
#ifndef PINECONE_ROW_H
#define PINECONE_ROW_H

#include "nodes/bitmapset.h"

#include "option/option_list.h"
#include "wire/record.h"

/* Reads records of one table; caches what its column types need. */
typedef struct PineconeReader PineconeReader;

/*
 * "wanted" holds the attribute numbers to fill; the other columns read NULL.
 * The reader lives in the current memory context.
 */
extern PineconeReader *pinecone_row_reader(PineconeTable *table, const Bitmapset *wanted);

/*
 * From now on what does not fit is NULL, whatever the table says: in those
 * columns, or with NULL in all.
 */
extern void pinecone_row_read_null(PineconeReader *reader, const Bitmapset *columns);

/* Values so far that did not fit and became NULL */
extern int64 pinecone_row_misfits(const PineconeReader *reader);

/*
 * One record as a row of the table: values[] and isnull[] have ncolumns
 * elements.  Datums are palloc'ed in the current memory context.  A value that
 * does not fit its column is an error naming table, column, id and value, or
 * NULL under on_type_error 'null'.
 */
extern void pinecone_row_read(PineconeReader *reader, const PineconeRecord *record,
							  Datum *values, bool *isnull);

#endif /* PINECONE_ROW_H */
