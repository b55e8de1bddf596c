/*
 * vector.h
 *		Dense vectors from JSON, in one pass.
 */
#ifndef VECTOR_H
#define VECTOR_H

#include "json.h"

/*
 * Read an array of numbers.  floats gets the values, places a byte for each (see
 * places.h), *len the length of the array as replies show it.  False when it is
 * not an array of numbers, with the error in the reader.
 */
extern bool vector_read(JsonReader *j, Buffer *floats, Buffer *places, size_t *len);

#endif
