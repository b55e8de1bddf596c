/*
 * huf_rows.h
 *		The aggregate state that keeps all rows, each a few doubles.
 */
#ifndef HUF_ROWS_H
#define HUF_ROWS_H

#include "huf_common.h"

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
	const char *packed; /* in place of them: rows as pinecone_huf_rows_serialize wrote them */

	/* Memory */
	MemoryContext context;
} HufRows;

extern HufRows *pinecone_huf_rows_create(MemoryContext context, int width, const HufParams *params);
extern double *pinecone_huf_rows_append(HufRows *rows);
extern HufRows *pinecone_huf_rows_prepare(FunctionCallInfo fcinfo, int width, const HufParams *params);
extern HufRows *pinecone_huf_rows_arg(FunctionCallInfo fcinfo, int arg);
extern double *pinecone_huf_rows_column(const HufRows *rows, int column);

static inline const double *
huf_row(const HufRows *rows, int64 i)
{
	return rows->value + (rows->head + i) * rows->width;
}

#endif
