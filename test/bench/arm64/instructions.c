/*
 * instructions.c
 *		Inner loops on a vector of 256 numbers, to have their instructions counted.
 *
 *	instructions LOOP ROUNDS
 */
#include "postgres.h"

#include <math.h>

#include "../../../src/base/distance.h"
#include "../../../src/wire/parse_floats.h"
#include "../../server/kernel.h"
#include "../../unit/backend.h"

#undef sprintf

#define DIMENSION 256

/* server/number.h, whose headers have names that PostgreSQL's have, too */
extern bool number_read_float(const char **at, const char *end, float *value);
extern char *number_write_float(char *out, float value);

static float a[DIMENSION];
static float b[DIMENSION];
static char array[64 + DIMENSION * 24 + 64]; /* with room for what is read in front and behind */

/* Vectors of numbers between -1 and 1, and the text of one; returns its end. */
static char *
prepare(char *p)
{
	uint32 random = 1;

	for (int i = 0; i < DIMENSION; i++)
	{
		random = random * 1103515245 + 12345;
		a[i] = ((int) (random >> 1) - (1 << 30)) / (float) (1 << 30);
		b[DIMENSION - 1 - i] = a[i];
		p += sprintf(p, "%.8g%c", a[i], i + 1 < DIMENSION ? ',' : ']');
	}
	return p;
}

/* One round; returns something that depends on all it did. */
static double
once(const char *loop, const char *start, const char *end)
{
	double sum = 0;
	float value;

	if (strcmp(loop, "l2") == 0)
		return pinecone_distance_l2(DIMENSION, a, b);
	if (strcmp(loop, "product") == 0)
		return pinecone_distance_negative_inner_product(DIMENSION, a, b);
	if (strcmp(loop, "cosine") == 0)
		return pinecone_distance_cosine(DIMENSION, a, b);
	if (strcmp(loop, "server_product") == 0)
	{
		kernel_dot(a, 1, DIMENSION, b, &value);
		return value;
	}
	if (strcmp(loop, "decode") == 0)
	{
		int n = DIMENSION;
		float *values;
		const char *reason;

		if (!pinecone_floats_decode(&start, end, &values, &n, &reason) || n != DIMENSION)
			exit(1);
		sum = values[n - 1];
		backend_free_all();
		return sum;
	}
	if (strcmp(loop, "server_decode") == 0)
	{
		for (; start < end && number_read_float(&start, end, &value); start++)
			sum += value;
		return sum;
	}
	if (strcmp(loop, "server_print") == 0)
	{
		char text[64];

		for (int i = 0; i < DIMENSION; i++)
			sum += number_write_float(text, a[i]) - text;
		return sum;
	}
	exit(1);
}

int
main(int argc, char **argv)
{
	char *start = array + 64;
	char *end = prepare(start);
	double sum = 0;

	for (int i = 0; i < atoi(argv[2]); i++)
		sum += once(argv[1], start, end);
	return isnan(sum);
}
