/*
 * kernel.c
 *		Distances of one vector to rows of others.
 *
 * Compiled to let sums be reordered (see the Makefile), so that these plain
 * loops become vector instructions.
 */
#include "kernel.h"

/*
 * On x86-64 each is compiled for wider registers too, and the program chooses
 * when it starts; which takes ifuncs, thus glibc.  Other processors' compilers
 * use the registers that all of them have.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(NO_TARGET_CLONES)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CLONES void
kernel_dot(const float *restrict rows, size_t n, size_t dimension, const float *restrict query, float *restrict out)
{
	for (size_t row = 0; row < n; row++, rows += dimension)
	{
		float sum = 0;

		for (size_t i = 0; i < dimension; i++)
			sum += rows[i] * query[i];
		out[row] = sum;
	}
}

CLONES void
kernel_square_distance(const float *restrict rows, size_t n, size_t dimension, const float *restrict query, float *restrict out)
{
	for (size_t row = 0; row < n; row++, rows += dimension)
	{
		float sum = 0;

		for (size_t i = 0; i < dimension; i++)
			sum += (rows[i] - query[i]) * (rows[i] - query[i]);
		out[row] = sum;
	}
}
