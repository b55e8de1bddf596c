/*
 * any_vector.c
 *		Signs by xorshift, and all components alike.
 */
#include "postgres.h"

#include <math.h>

#include "base/any_vector.h"

float *
pinecone_any_vector(int dimension, uint32 seed)
{
	float *values = palloc(dimension * sizeof(float));
	float part = (float) (1.0 / sqrt(dimension));
	uint32 state = 0x9E3779B9 ^ seed;

	for (int i = 0; i < dimension; i++)
	{
		/* xorshift */
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		values[i] = state & 1 ? part : -part;
	}
	return values;
}
