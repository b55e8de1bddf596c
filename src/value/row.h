/*
 * row.h
 *		Datums from records, and records from datums.
 */
#ifndef PINECONE_ROW_H
#define PINECONE_ROW_H

#include "nodes/bitmapset.h"

#include "option/option.h"
#include "wire/record.h"

struct PineconeStats;

/* Reads records of one table; caches what its column types need. */
typedef struct PineconeReader PineconeReader;

/*
 * "wanted" holds the attribute numbers to fill; the other columns read NULL.
 * The reader lives in the current memory context.
 */
extern PineconeReader *pinecone_convert_reader(PineconeTable *table, const Bitmapset *wanted);

/*
 * From now on what does not fit is NULL, whatever the table says: in those
 * columns, or with NULL in all.
 */
extern void pinecone_convert_read_null(PineconeReader *reader, const Bitmapset *columns);

/* Values so far that did not fit and became NULL */
extern int64 pinecone_convert_misfits(const PineconeReader *reader);

/*
 * One record as a row of the table: values[] and isnull[] have ncolumns
 * elements.  Datums are palloc'ed in the current memory context.  A value that
 * does not fit its column is an error naming table, column, id and value, or
 * NULL under on_type_error 'null'.
 */
extern void pinecone_convert_row(PineconeReader *reader, const PineconeRecord *record,
								 Datum *values, bool *isnull);

/* Writes rows of one table as records; caches what its column types need. */
typedef struct PineconeWriter PineconeWriter;

/*
 * "stats" describe the index, and are not looked at later.  "assigned" holds
 * the attribute numbers that an UPDATE sets; NULL for INSERT, which sets all.
 * Raises an error when the table has no id column.  The writer lives in the
 * current memory context, and "assigned" must live as long.
 */
extern PineconeWriter *pinecone_convert_writer(PineconeTable *table,
											   const struct PineconeStats *stats,
											   const Bitmapset *assigned);

/* Other columns are set in the rows that follow. */
extern void pinecone_convert_assign(PineconeWriter *writer, const Bitmapset *assigned);

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
extern void pinecone_convert_record(PineconeWriter *writer, const Datum *values,
									const bool *isnull, const PineconeRecord *stored,
									PineconeRecord *record);

/*
 * An UPDATE that assigns nothing but field columns, none of them NULL, needs
 * no stored record: the id, and as metadata the fields to set.  Returns false
 * when it is not of that kind.
 */
extern bool pinecone_convert_set_metadata(PineconeWriter *writer, const Datum *values,
										  const bool *isnull, PineconeRecord *record);

/* The same of no record in particular: metadata alone. */
extern bool pinecone_convert_set_fields(PineconeWriter *writer, const Datum *values,
										const bool *isnull, PineconeRecord *record);

/*
 * The metadata of an updated row, as a record that has nothing else: from the
 * metadata column if there is one, with assigned fields set or removed.
 */
extern void pinecone_convert_shown(PineconeWriter *writer, const Datum *values,
								   const bool *isnull, PineconeRecord *record);

/* A value of an id column as an id; and an id as such a value, false when it does not fit. */
extern char *pinecone_convert_id_text(Oid typid, Datum value);
extern bool pinecone_convert_id_datum(Oid typid, const char *id, Datum *datum);

/*
 * The floats of a real[], vector or halfvec datum; detoasts, so the result may point
 * into the datum or into palloc'ed memory.  Raises an error on NULL elements,
 * more than one array dimension, NaN and infinity.
 */
extern const float *pinecone_convert_vector(Datum value, Oid typid, int *n);

/* The reverse: a real[] or vector datum. */
extern Datum pinecone_convert_vector_datum(Oid typid, int n, const float *values);

#endif /* PINECONE_ROW_H */
