/*
 * print.h
 *		Appends vectors to request bodies, each float in its shortest exact form.
 */
#ifndef PINECONE_PRINT_H
#define PINECONE_PRINT_H

#include "common/shortest_dec.h"

/* The longest number, its comma, and what may be written behind the last. */
#define PINECONE_PRINT_LEN (FLOAT_SHORTEST_DECIMAL_LEN + 1)
#define PINECONE_PRINT_PADDING 16

/*
 * The numbers with commas between them, short and exact: each reads back as
 * the same float.  Returns the end of the text, without a NUL byte.
 */
extern char *pinecone_print_floats(char *out, const float *values, int n);

#endif /* PINECONE_PRINT_H */
