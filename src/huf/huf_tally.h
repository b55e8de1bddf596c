/*
 * huf_tally.h
 *		Counts and exact sums of masses in logarithmic buckets, 32 to the octave.
 *
 * A mass is an integer times a power of two that its bucket determines, so a
 * sum is kept as an integer of 128 bits: it is exact, does not depend on the
 * order of rows, merges exactly, and rows can be taken back.
 */
#ifndef PINECONE_HUF_TALLY_H
#define PINECONE_HUF_TALLY_H

#include "huf/huf_common.h"

/* A bucket is the exponent and the first five bits of the fraction */
#define HUF_FRACTION_BITS 52
#define HUF_TALLY_SHIFT (HUF_FRACTION_BITS - 5)
#define HUF_TALLIES (2047 * 32)

/*
 * How far a prefix may fall short of its target, as a part of the total: ten
 * masses of 0.1 reach 0.9 with nine of them, though not in binary arithmetic.
 */
#define HUF_COVER_TOLERANCE 1e-12

/* The mass that covers a part q of the total; q being positive, more than none. */
static inline double
huf_cover_target(double q, double total)
{
	return Max(q - HUF_COVER_TOLERANCE, DBL_EPSILON) * total;
}

typedef struct HufTally
{
	int64 n;
	uint64 low; /* sum of mantissas, 128 bits */
	uint64 high;
} HufTally;

/* The bits of a double; those of masses order as the masses do. */
static inline uint64
huf_bits(double mass)
{
	uint64 bits;

	memcpy(&bits, &mass, sizeof(bits));
	return bits;
}

static inline uint64
huf_mantissa(uint64 bits)
{
	uint64 fraction = bits & ((UINT64CONST(1) << HUF_FRACTION_BITS) - 1);

	/* the leading bit is implied, except in denormals */
	return bits >> HUF_FRACTION_BITS != 0 ? fraction | UINT64CONST(1) << HUF_FRACTION_BITS : fraction;
}

static inline void
huf_tally_add(HufTally *tally, int64 n, uint64 low, uint64 high)
{
	tally->n += n;
	tally->low += low;
	tally->high += high + (tally->low < low);
}

/* Denormals share the unit of the smallest normal exponent. */
static inline int
huf_tally_unit(int index)
{
	return Max(index >> (HUF_FRACTION_BITS - HUF_TALLY_SHIFT), 1);
}

/*
 * What sums are measured in, given the largest bucket in use: masses there are
 * near 1 then, and nothing overflows.
 */
static inline int
huf_tally_exponent(int top)
{
	return huf_tally_unit(top) + HUF_FRACTION_BITS;
}

static inline double
huf_tally_sum(const HufTally *tally, int index, int exponent)
{
	int unit = huf_tally_unit(index) - exponent;

	return ldexp((double) tally->high, unit + 64) + ldexp((double) tally->low, unit);
}

/* The factor that measures a single mass in the same way. */
static inline double
huf_tally_factor(int exponent)
{
	return ldexp(1, 1023 + HUF_FRACTION_BITS - exponent);
}

#endif /* PINECONE_HUF_TALLY_H */
