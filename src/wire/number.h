/*
 * number.h
 *		JSON numbers, correctly rounded.
 *
 * Everything here is inline.  Texts end with a NUL byte, and seven more bytes
 * behind it may be read.
 */
#ifndef PINECONE_NUMBER_H
#define PINECONE_NUMBER_H

#include <float.h>
#include <math.h>

static inline bool
is_digit(char c)
{
	return (unsigned char) (c - '0') <= 9;
}

/*
 * The digits at p, eight at most, as a number; *n says how many there are.
 * Reads eight bytes, which the body's padding allows.
 */
static inline uint64
leading_digits(const char *p, int *n)
{
#ifdef WORDS_BIGENDIAN
	uint64 value = 0;

	for (*n = 0; *n < 8 && is_digit(p[*n]); (*n)++)
		value = value * 10 + (p[*n] - '0');
	return value;
#else
	uint64 v;
	uint64 others;

	memcpy(&v, p, 8);
	v ^= UINT64CONST(0x3030303030303030);
	/* the top bit of every byte that is not 0 to 9, exact up to the first */
	others = ((v + UINT64CONST(0x7676767676767676)) | v) & UINT64CONST(0x8080808080808080);
	*n = others ? __builtin_ctzll(others) >> 3 : 8;
	if (*n == 0)
		return 0;
	/* right-aligned, zeroes in front; then pairs, fours, eights of digits */
	v <<= (8 - *n) * 8;
	v = v * 2561 >> 8;
	v = (v & UINT64CONST(0x00FF00FF00FF00FF)) * 6553601 >> 16;
	return (v & UINT64CONST(0x0000FFFF0000FFFF)) * UINT64CONST(42949672960001) >> 32;
#endif
}

static const uint64 integer_powers_of_ten[] = {
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
};

static const double powers_of_ten[] = {
	1e0,
	1e1,
	1e2,
	1e3,
	1e4,
	1e5,
	1e6,
	1e7,
	1e8,
	1e9,
	1e10,
	1e11,
	1e12,
	1e13,
	1e14,
	1e15,
	1e16,
	1e17,
	1e18,
	1e19,
	1e20,
	1e21,
	1e22,
};

/*
 * A number's digits as an integer times a power of ten.  Returns the end of
 * the number, or NULL when there is none; *exact says if no digit was lost.
 */
static inline const char *
scan_decimal(const char *p, bool *negative, uint64 *mantissa, int *exponent, bool *exact)
{
	const char *start;
	uint64 m = 0;
	int ndigits;
	int e = 0;

	*negative = *p == '-';
	p += *negative;

	start = p;
	while (is_digit(*p))
		m = m * 10 + (*p++ - '0');
	ndigits = p - start;
	if (ndigits == 0 || (ndigits > 1 && *start == '0'))
		return NULL;
	if (*p == '.')
	{
		const char *fraction = ++p;

		int n;

		do
		{
			uint64 digits = leading_digits(p, &n);

			m = m * integer_powers_of_ten[n] + digits;
			p += n;
		}
		while (n == 8);
		if (p == fraction)
			return NULL;
		e = -(int) (p - fraction);
		ndigits += p - fraction;
	}
	if (*p == 'e' || *p == 'E')
	{
		bool minus = *++p == '-';
		int x = 0;

		if (*p == '-' || *p == '+')
			p++;
		if (!is_digit(*p))
			return NULL;
		while (is_digit(*p))
		{
			if (x < 100000)
				x = x * 10 + (*p - '0');
			p++;
		}
		e += minus ? -x : x;
	}
	*mantissa = m;
	*exponent = e;
	*exact = ndigits <= 19;
	return p;
}

/*
 * mantissa * 10^exponent as a double if that takes a single rounding: both
 * factors are then exact.
 */
static inline bool
small_decimal(uint64 mantissa, int exponent, double *value)
{
	if (mantissa > (UINT64CONST(1) << 53) || exponent < -22 || exponent > 22)
		return false;
	*value = exponent < 0 ? (double) mantissa / powers_of_ten[-exponent] :
							(double) mantissa * powers_of_ten[exponent];
	return true;
}

/*
 * The nearest float to a JSON number at *text, which is moved behind it.
 * Returns false when there is no number or it is beyond the range of float.
 */
static inline bool
decode_float(const char **text, float *value)
{
	const char *start = *text;
	const char *end;
	bool negative;
	bool exact;
	uint64 mantissa;
	int exponent;
	double wide;

	end = scan_decimal(start, &negative, &mantissa, &exponent, &exact);
	if (end == NULL)
		return false;
	*text = end;
	if (exact && small_decimal(mantissa, exponent, &wide))
	{
		uint64 bits;

		memcpy(&bits, &wide, sizeof(bits));

		/*
		 * Rounding the rounded double once more is right unless it lies just
		 * half way between two floats, or outside the normal range.
		 */
		if (mantissa == 0 ||
			((bits & 0x1FFFFFFF) != 0x10000000 && wide >= FLT_MIN && wide <= FLT_MAX))
		{
			*value = negative ? -(float) wide : (float) wide;
			return true;
		}
	}
	*value = strtof(start, NULL);
	return !isinf(*value);
}

#endif /* PINECONE_NUMBER_H */
