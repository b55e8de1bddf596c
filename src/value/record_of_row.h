/*
 * record_of_row.h
 *		A writer makes records of a table's rows.
 */
#ifndef PINECONE_RECORD_OF_ROW_H
#define PINECONE_RECORD_OF_ROW_H

#include "nodes/bitmapset.h"

#include "option/option_list.h"
#include "wire/write.h"

struct PineconeStats;

/* Writes rows of one table as records; caches what its column types need. */
typedef struct PineconeWriter PineconeWriter;

/*
 * "stats" describe the index, and are not looked at later.  "assigned" holds
 * the attribute numbers that an UPDATE sets; NULL for INSERT, which sets all.
 * Raises an error when the table has no id column.  The writer lives in the
 * current memory context, and "assigned" must live as long.
 */
extern PineconeWriter *pinecone_record_of_row_writer(PineconeTable *table,
													 const struct PineconeStats *stats,
													 const Bitmapset *assigned);

/* Other columns are set in the rows that follow. */
extern void pinecone_record_of_row_assign(PineconeWriter *writer, const Bitmapset *assigned);

/* An UPDATE's value of the metadata column is laid over what is stored. */
extern void pinecone_record_of_row_lay_over(PineconeWriter *writer);

/*
 * A row as a record, in the current memory context; vectors may point into
 * the row.  Whatever Pinecone would refuse, or not give back as it was
 * written, is an error naming table, id and reason.
 *
 * INSERT: fields are those of the metadata column, then those of field
 * columns that are not NULL, which win.  UPDATE: "stored" is the record as it
 * is.  What is not assigned stays as stored; a metadata column replaces all
 * fields, and then field columns set theirs, or remove it when NULL.
 */
extern void pinecone_record_of_row(PineconeWriter *writer, const Datum *values,
								   const bool *isnull, const PineconeRecord *stored,
								   PineconeRecord *record);

/*
 * An UPDATE that assigns nothing but field columns, none of them NULL, and lays
 * over the metadata, needs no stored record: the id, and as metadata the fields to set.  Of documents
 * vectors may be assigned as well, and anything may be NULL.  Returns false when
 * it is not of that kind.
 */
extern bool pinecone_record_of_row_update(PineconeWriter *writer, const Datum *values,
										  const bool *isnull, PineconeWrite *write);

/* The same of no record in particular: metadata alone. */
extern bool pinecone_record_of_row_fields(PineconeWriter *writer, const Datum *values,
										  const bool *isnull, PineconeRecord *record);

/*
 * The metadata of an updated row, as a record that has nothing else: from the
 * metadata column if there is one, with assigned fields set or removed.
 */
extern void pinecone_record_of_row_shown(PineconeWriter *writer, const Datum *values,
										 const bool *isnull, PineconeRecord *record);

/* May the updated row, shown as by the function above, be one whose vector Pinecone makes anew, of another text? */
extern bool pinecone_record_of_row_may_make_vector(PineconeWriter *writer, const bool *isnull,
												   const PineconeRecord *shown);

#endif /* PINECONE_RECORD_OF_ROW_H */
