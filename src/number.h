/*
 * number.h
 *		JSON numbers as floats, correctly rounded: the inner loop of decoding.
 *
 * Everything here is inline.  Texts end with a NUL byte, and seven more bytes
 * behind it may be read.
 */
#ifndef PINECONE_NUMBER_H
#define PINECONE_NUMBER_H

#include <float.h>
#include <math.h>

/* Every x86-64 has SSE2 */
#if defined(__SSE2__) && defined(__x86_64__)
#define PINECONE_SSE2
#endif
#ifdef PINECONE_SSE2
#include <emmintrin.h>
#endif

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

static const double negative_powers_of_ten[] = {
	1e0,
	1e-1,
	1e-2,
	1e-3,
	1e-4,
	1e-5,
	1e-6,
	1e-7,
	1e-8,
	1e-9,
	1e-10,
	1e-11,
	1e-12,
	1e-13,
	1e-14,
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

#ifdef PINECONE_SSE2
static inline uint64
sixteen_equal(const char *p, __m128i wanted)
{
	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) p), wanted));
}
#endif

/* Which of 64 bytes are c, the first one in the lowest bit. */
static pg_attribute_always_inline uint64
bytes_equal(const char *p, char c)
{
#ifdef PINECONE_SSE2
	__m128i wanted = _mm_set1_epi8(c);

	return sixteen_equal(p, wanted) | sixteen_equal(p + 16, wanted) << 16 |
		   sixteen_equal(p + 32, wanted) << 32 | sixteen_equal(p + 48, wanted) << 48;
#else
	const uint64 low_bits = UINT64CONST(0x7F7F7F7F7F7F7F7F);
	uint64 found = 0;

	for (int i = 0; i < 64; i += 8)
	{
#ifdef WORDS_BIGENDIAN
		for (int j = i; j < i + 8; j++)
			found |= (uint64) (p[j] == c) << j;
#else
		uint64 v;

		/* the top bits of the bytes that are c, then side by side */
		memcpy(&v, p + i, 8);
		v ^= (unsigned char) c * UINT64CONST(0x0101010101010101);
		v = ~(((v & low_bits) + low_bits) | v | low_bits);
		found |= (v >> 7) * UINT64CONST(0x0102040810204080) >> 56 << i;
#endif
	}
	return found;
#endif
}

static inline int
count_bits(uint64 word)
{
	word -= word >> 1 & UINT64CONST(0x5555555555555555);
	word = (word & UINT64CONST(0x3333333333333333)) + (word >> 2 & UINT64CONST(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64CONST(0x0F0F0F0F0F0F0F0F);
	return (int) (word * UINT64CONST(0x0101010101010101) >> 56);
}

/* At most so many digits behind the point leave a mantissa exact. */
#define MAX_SHORT_DIGITS 14

/*
 * The n bytes in front of "end" as a number, 1 <= n <= MAX_SHORT_DIGITS; false
 * when one of them is no digit.  Reads sixteen bytes.
 */
static pg_attribute_always_inline bool
digits_before(const char *end, int n, uint64 *value)
{
#ifdef PINECONE_SSE2
	static const unsigned char masks[32] = {
		[16] = 255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
	};
	const __m128i nine = _mm_set1_epi8(9);
	__m128i digits = _mm_loadu_si128((const __m128i *) (end - 16));
	uint64 halves;

	digits = _mm_and_si128(_mm_sub_epi8(digits, _mm_set1_epi8('0')),
						   _mm_loadu_si128((const __m128i *) (masks + n)));
	if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(digits, nine), nine)) != 0xFFFF)
		return false;
	/* pairs, fours, eights of digits */
	digits = _mm_srli_epi16(_mm_mullo_epi16(digits, _mm_set1_epi16(2561)), 8);
	digits = _mm_madd_epi16(digits, _mm_set1_epi32(0x00010064));
	digits = _mm_packs_epi32(digits, digits);
	digits = _mm_madd_epi16(digits, _mm_set1_epi32(0x00012710));
	halves = _mm_cvtsi128_si64(digits);
	*value = (halves & 0xFFFFFFFF) * 100000000 + (halves >> 32);
	return true;
#else
	const char *p = end - n;
	uint64 m;
	int found;

	m = leading_digits(p, &found);
	if (found < Min(n, 8))
		return false;
	if (n > 8)
	{
		uint64 rest = leading_digits(p + 8, &found);

		if (found != n - 8)
			return false;
		m = m * integer_powers_of_ten[n - 8] + rest;
	}
	*value = m;
	return true;
#endif
}

/*
 * Most components of vectors look like -0.1234567: a short cut for these,
 * given where the number ends.  It has no branches that depend on the digits.
 * Returns false for anything else.
 */
static pg_attribute_always_inline bool
short_decimal(const char *p, const char *end, float *value)
{
	bool negative = *p == '-';
	unsigned int whole;
	uint64 mantissa;
	uint64 bits;
	double wide;
	float narrow;
	uint32 narrow_bits;
	int n;

	p += negative;
	n = end - p - 2;
	whole = (unsigned char) (*p - '0');
	if (n < 1 || n > MAX_SHORT_DIGITS || whole > 9 || p[1] != '.' ||
		!digits_before(end, n, &mantissa))
		return false;
	mantissa += whole * integer_powers_of_ten[n];

	/*
	 * As in decode_float(), and zero apart it cannot be too small.  But a
	 * product with an inexact factor is up to two units away from where it
	 * should be, so that it must keep further away from the half way.
	 */
	wide = (double) (int64) mantissa * negative_powers_of_ten[n];
	memcpy(&bits, &wide, sizeof(bits));
	if (((bits - (0x10000000 - 4)) & 0x1FFFFFFF) <= 8)
		return false;
	narrow = (float) wide;
	memcpy(&narrow_bits, &narrow, sizeof(narrow_bits));
	narrow_bits |= (uint32) negative << 31;
	memcpy(value, &narrow_bits, sizeof(narrow_bits));
	return true;
}

#endif /* PINECONE_NUMBER_H */
