/*
 * huf_rows.h
 *		Makes, fills, merges, sends and empties the state of an aggregate that
 *		needs every row at its end.
 */
#ifndef PINECONE_HUF_ROWS_H
#define PINECONE_HUF_ROWS_H

#include "huf/huf_common.h"

/* Rows that are together in memory */
typedef struct HufPart
{
	const double *value;
	int64 n;
	struct HufPart *next;
} HufPart;

/*
 * A queue: transition appends at the end, the inverse transition of a moving
 * aggregate takes from the front, and combine appends one queue to another.
 */
typedef struct HufRows
{
	/* Settings */
	HufParams params;
	int width; /* doubles per row */

	/* Rows */
	int64 head; /* rows already taken */
	int64 n;	/* rows present */
	int64 capacity;
	double *value;
	HufPart *lent; /* more rows, which another state keeps as long as they are needed */

	/* Read from a serialized state */
	const char *packed; /* in place of them: where the rows are, not aligned */
	bool narrow;		/* they are in single precision */
	bool lasting;		/* they stay there as long as this state */

	/* Memory */
	MemoryContext context;
} HufRows;

extern HufRows *pinecone_huf_rows_create(MemoryContext context, int width, const HufParams *params);
extern double *pinecone_huf_rows_append(HufRows *rows);
extern HufRows *pinecone_huf_rows_prepare(FunctionCallInfo fcinfo, int width, const HufParams *params);
extern HufRows *pinecone_huf_rows_arg(FunctionCallInfo fcinfo, int arg);
extern HufRows *pinecone_huf_rows_arg_apart(FunctionCallInfo fcinfo, int arg);
extern int64 pinecone_huf_rows_count(const HufRows *rows);
extern double *pinecone_huf_rows_column(const HufRows *rows, int column);

static inline const double *
huf_row(const HufRows *rows, int64 i)
{
	return rows->value + (rows->head + i) * rows->width;
}

/* All rows: those of the state, and by the chain those lent to it. */
static inline HufPart
huf_rows_parts(const HufRows *rows)
{
	return (HufPart){huf_row(rows, 0), rows->n, rows->lent};
}

#endif /* PINECONE_HUF_ROWS_H */
