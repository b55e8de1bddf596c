/*
 * parse_floats.h
 *		From the text of a JSON array, floats and the place behind it.
 */
#ifndef PINECONE_PARSE_FLOATS_H
#define PINECONE_PARSE_FLOATS_H

/*
 * The numbers of the array that *text stands in, behind its opening bracket:
 * each the float nearest to it, in memory from the current context.  *n is how
 * many may be expected, and then how many there are, at least one.  *text is
 * moved behind the closing bracket.
 *
 * "end" is where the body ends, and holds a NUL byte.  Sixteen bytes in front
 * of *text and sixty-three behind the end may be read.
 *
 * Returns false when something is no number, or none that float32 has; then
 * *text stands there, or at the end when the array does not end.
 */
extern bool pinecone_floats_decode(const char **text, const char *end, float **values, int *n,
								   const char **reason);

#endif /* PINECONE_PARSE_FLOATS_H */
