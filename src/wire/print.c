/*
 * print.c
 *		Floats as JSON numbers: the inner loop of writing vectors.
 *
 * Components of vectors are nearly always between 0.0001 and 10 in size.  For
 * these there is a way without branches that depend on the digits; PostgreSQL
 * prints the others.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "wire/print.h"

/*
 * Have the loop compiled three times and the best one chosen when the module is
 * loaded, as in distance.c.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && \
	!defined(__clang__) && !defined(__AVX2__)
#define TARGET_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define TARGET_CLONES
#endif

/* Without these, PostgreSQL prints all */
#if !defined(WORDS_BIGENDIAN) && FLT_EVAL_METHOD == 0
#define SMALLEST 0.0001f
#else
#define SMALLEST 10.0f
#endif

/* As many as are worked on together */
#define CHUNK 128

/* Where the nine digits of a number go, by how small it is: from 1, 0.1, ... */
typedef struct Layout
{
	int first;		/* place of the first digit */
	int rest;		/* and of the other eight */
	int all_zeroes; /* characters to drop when these are all zero */
} Layout;

static const Layout layouts[] = {
	{0, 2, 9},
	{2, 3, 8},
	{3, 4, 8},
	{4, 5, 8},
	{5, 6, 8},
};

/* A number's digits. */
typedef struct Digits
{
	uint32 high[CHUNK]; /* the second to fifth, one in a byte, that in the lowest */
	uint32 low[CHUNK];	/* the sixth to ninth */
	int32 first[CHUNK]; /* the first; -1 for numbers that are not for us */
	int32 size[CHUNK];	/* number of its layout */
} Digits;

/* Below 10000, one in a byte, the first in the lowest. */
static pg_attribute_always_inline uint32
four_digits(uint32 n)
{
	uint32 quotient = n * 10486 >> 20;

	n = quotient + ((n - quotient * 100) << 16);
	quotient = n * 103 >> 10 & 0x000F000F;
	return quotient + ((n - quotient * 10) << 8);
}

/*
 * The nine digits to print, the last three of them zeroes as far as the number
 * still reads back as the same float.
 *
 * What is within half the distance to the next float does.  Both sides of that
 * comparison are exact to about 1e-7; the margin is larger, and hence leaves
 * no room for a second rounding in a reader that goes by way of float64.
 */
TARGET_CLONES static void
choose_digits(int n, const float *restrict values, Digits *restrict digits)
{
	const double magic = 6755399441055744.0; /* 1.5 * 2^52: rounds to integers */

	for (int i = 0; i < n; i++)
	{
		float size = fabsf(values[i]);
		bool is_common = size >= SMALLEST && size < 10.0f;
		float magnitude = is_common ? size : 1.0f; /* whose digits nobody looks at */
		double scale = 1e8;
		double scaled;
		double chosen;
		double shorter;
		uint32 bits;
		uint64 half_bits;
		double half;
		int32 first;
		int32 high;

		scale = magnitude < 1.0f ? 1e9 : scale;
		scale = magnitude < 0.1f ? 1e10 : scale;
		scale = magnitude < 0.01f ? 1e11 : scale;
		scale = magnitude < 0.001f ? 1e12 : scale;
		digits->size[i] = (magnitude < 1.0f) + (magnitude < 0.1f) + (magnitude < 0.01f) + (magnitude < 0.001f);
		scaled = magnitude * scale;

		/* the next float below a power of two is nearer */
		memcpy(&bits, &values[i], sizeof(bits));
		half_bits = (uint64) ((bits >> 23 & 0xFF) + 1023 - 127 - 24 - ((bits & 0x7FFFFF) == 0)) << 52;
		memcpy(&half, &half_bits, sizeof(half));
		half *= scale * (1 - 1e-6);

		chosen = (scaled + magic) - magic;
		shorter = ((scaled * 1e-1 + magic) - magic) * 1e1;
		chosen = fabs(shorter - scaled) < half ? shorter : chosen;
		shorter = ((scaled * 1e-2 + magic) - magic) * 1e2;
		chosen = fabs(shorter - scaled) < half ? shorter : chosen;
		shorter = ((scaled * 1e-3 + magic) - magic) * 1e3;
		chosen = fabs(shorter - scaled) < half ? shorter : chosen;

		/* the halves keep quotients of whole numbers on their side */
		first = (int32) ((chosen + 0.5) * 1e-8);
		chosen -= first * 1e8;
		high = (int32) ((chosen + 0.5) * 1e-4);
		digits->high[i] = four_digits(high);
		digits->low[i] = four_digits((int32) (chosen - high * 1e4));
		digits->first[i] = is_common ? first : -1;
	}
}

/* Writes up to PINECONE_PRINT_PADDING bytes behind the end. */
static pg_attribute_always_inline char *
print_digits(char *out, bool negative, int first, uint64 rest, const Layout *layout)
{
	int zeroes = rest ? __builtin_clzll(rest) >> 3 : layout->all_zeroes;

	rest |= UINT64CONST(0x3030303030303030);
	*out = '-';
	out += negative;
	memcpy(out, "0.000000", 8);
	out[layout->first] = '0' + first;
	memcpy(out + layout->rest, &rest, 8);
	return out + layout->rest + 8 - zeroes;
}

char *
pinecone_print_floats(char *out, const float *values, int n)
{
	Digits digits;

	for (int start = 0; start < n; start += CHUNK)
	{
		const float *chunk = values + start;
		int len = Min(n - start, CHUNK);

		choose_digits(len, chunk, &digits);
		for (int i = 0; i < len; i++)
		{
			if (digits.first[i] >= 0)
				out = print_digits(out, signbit(chunk[i]), digits.first[i],
								   digits.high[i] | (uint64) digits.low[i] << 32,
								   &layouts[digits.size[i]]);
			else
				out += float_to_shortest_decimal_bufn(chunk[i], out);
			*out++ = ',';
		}
	}
	return n > 0 ? out - 1 : out;
}
