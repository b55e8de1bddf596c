/*
 * rows.h
 *		The rows that a set-returning function makes, all of them at once.
 */
#ifndef PINECONE_ROWS_H
#define PINECONE_ROWS_H

#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#define PINECONE_ROW_COLUMNS 64

/* Columns are put in their order. */
typedef struct PineconeRows
{
	Tuplestorestate *store;
	TupleDesc desc;
	int column;
	Datum values[PINECONE_ROW_COLUMNS];
	bool nulls[PINECONE_ROW_COLUMNS];
} PineconeRows;

extern void pinecone_rows_begin(PineconeRows *rows, FunctionCallInfo fcinfo);
extern void pinecone_row_end(PineconeRows *rows);

extern void pinecone_row_put(PineconeRows *rows, Datum value, bool isnull);
extern void pinecone_row_text(PineconeRows *rows, const char *value); /* NULL is NULL */
extern void pinecone_row_bool(PineconeRows *rows, bool value);
extern void pinecone_row_jsonb(PineconeRows *rows, const Jsonb *value);

/* A count, or NULL unless it is known */
extern void pinecone_row_int(PineconeRows *rows, int value, bool known);
extern void pinecone_row_bigint(PineconeRows *rows, double value, bool known);

/* A time of the service's, or NULL where it is not one */
extern void pinecone_row_time(PineconeRows *rows, char *text);

#endif /* PINECONE_ROWS_H */
