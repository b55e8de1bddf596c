/*
 * vector.h
 *		Dense vectors from JSON, in one pass.
 */
#ifndef VECTOR_H
#define VECTOR_H

#include "json.h"

/*
 * Read an array of numbers.  floats gets the values, text (may be NULL) the
 * array as replies show it, brackets included: shortest numbers, no spaces.
 * False when it is not one, with the error in the reader.
 */
extern bool vector_read(JsonReader *j, Buffer *floats, Buffer *text);

#endif
