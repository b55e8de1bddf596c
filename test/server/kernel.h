/*
 * kernel.h
 *		Dot products and squared distances of one query and consecutive rows.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>

/* rows: n vectors of that dimension, one behind the other */
extern void kernel_dot(const float *rows, size_t n, size_t dimension, const float *query, float *out);
extern void kernel_square_distance(const float *rows, size_t n, size_t dimension, const float *query, float *out);

#endif
