/*
 * parse_floats.c
 *		A JSON array of numbers as float32: the inner loop of decoding.
 *
 * First it is found where numbers end, many at a time; then those that look
 * like -0.1234567, as nearly all do, are converted without branches that
 * depend on their digits.  The others take the longer way of number.h.
 *
 * Both steps are here twice: for any processor, and for those with AVX-512,
 * where eight numbers are converted together in a quarter of the time.  The
 * former look at sixteen bytes at a time with SSE2 or NEON.  The floats are
 * the same.
 */
#include "postgres.h"

#include "wire/number.h"
#include "wire/parse_floats.h"

/* Every x86-64 has SSE2 */
#if defined(__SSE2__) && defined(__x86_64__)
#define PINECONE_SSE2
#endif

/* PINECONE_PORTABLE leaves these out, for tests of what else there is */
#if defined(PINECONE_SSE2) && defined(__GNUC__) && !defined(PINECONE_PORTABLE)
#define PINECONE_AVX512
#endif
/* Every arm64 has NEON */
#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(WORDS_BIGENDIAN) && !defined(PINECONE_PORTABLE)
#define PINECONE_NEON
#endif

#if defined(PINECONE_AVX512)
#include <immintrin.h>
#elif defined(PINECONE_SSE2)
#include <emmintrin.h>
#elif defined(PINECONE_NEON)
#include <arm_neon.h>
#endif

/* Ends are looked for in blocks; each byte of one may be an end. */
#define BLOCK 64
#define MAX_ENDS 512

/*
 * Some of an array's numbers: the i-th lies between the bytes at[i] and
 * at[i + 1] behind "base".
 */
typedef struct Numbers
{
	const char *base;
	int n;
	bool closed;					/* the array ends with the last one */
	int32 at[1 + MAX_ENDS + BLOCK]; /* with room to write more than there are */
} Numbers;

/*
 * A block's commas and closing brackets, the first byte in the lowest bit, as
 * far as they are within the body and the array.
 */
static pg_attribute_always_inline uint64
ends_in_block(uint64 commas, uint64 closes, ptrdiff_t left, bool *closed)
{
	if (left < BLOCK)
	{
		uint64 inside = (UINT64CONST(1) << left) - 1;

		commas &= inside;
		closes &= inside;
	}
	*closed = closes != 0;
	if (*closed)
	{
		closes &= -closes;
		commas = (commas & (closes - 1)) | closes;
	}
	return commas;
}

/* ---- Any processor ---- */

#ifdef PINECONE_SSE2
static inline uint64
sixteen_equal(const char *p, __m128i wanted)
{
	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) p), wanted));
}
#endif

#ifdef PINECONE_NEON
/* Sixteen bytes: those that are wanted as a bit each, of eight by turns. */
static inline uint8x16_t
sixteen_equal(const char *p, uint8x16_t wanted)
{
	const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(UINT64CONST(0x8040201008040201)));

	return vandq_u8(vceqq_u8(vld1q_u8((const uint8 *) p), wanted), bits);
}
#endif

/* Which of a block's bytes are c. */
static pg_attribute_always_inline uint64
bytes_equal(const char *p, char c)
{
#ifdef PINECONE_SSE2
	__m128i wanted = _mm_set1_epi8(c);

	return sixteen_equal(p, wanted) | sixteen_equal(p + 16, wanted) << 16 |
		   sixteen_equal(p + 32, wanted) << 32 | sixteen_equal(p + 48, wanted) << 48;
#elif defined(PINECONE_NEON)
	uint8x16_t wanted = vdupq_n_u8(c);
	uint8x16_t bits = vpaddq_u8(vpaddq_u8(sixteen_equal(p, wanted), sixteen_equal(p + 16, wanted)),
								vpaddq_u8(sixteen_equal(p + 32, wanted), sixteen_equal(p + 48, wanted)));

	/* sums of eight bits each, side by side after the third time */
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(bits, bits)), 0);
#else
	const uint64 low_bits = UINT64CONST(0x7F7F7F7F7F7F7F7F);
	uint64 found = 0;

	for (int i = 0; i < BLOCK; i += 8)
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

/* Find where numbers end, from block to block; returns where to go on. */
static const char *
find_ends_portable(Numbers *numbers, const char *block, const char *end)
{
	int32 *ends = numbers->at + 1;
	int n = 0;

	while (n <= MAX_ENDS - BLOCK && block < end && !numbers->closed)
	{
		int32 offset = block - numbers->base;
		uint64 commas = ends_in_block(bytes_equal(block, ','), bytes_equal(block, ']'),
									  end - block, &numbers->closed);

		while (commas != 0)
		{
			/* eight at a time: a branch for each would often be guessed wrong */
			int count = count_bits(commas);

			for (int i = 0; i < 8; i++)
			{
				ends[n + i] = offset + __builtin_ctzll(commas | UINT64CONST(1) << 63);
				commas &= commas - 1;
			}
			n += Min(count, 8);
		}
		block += BLOCK;
	}
	numbers->n = n;
	return block;
}

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

/* At most so many digits behind the point leave all of them exact in a double. */
#define MAX_PLACES 14

/*
 * A product with an inexact power of ten is up to two units away from where it
 * should be.  It must keep away from the half way between two floats, which is
 * told by the bits that a float lacks, by more than that.
 */
#define LACKING_BITS 0x1FFFFFFF
#define HALF_WAY 0x10000000
#define MARGIN 4

/*
 * The n bytes in front of "end" as a number, 1 <= n <= MAX_PLACES; false when
 * one of them is no digit.  Reads sixteen bytes.
 */
static pg_attribute_always_inline bool
digits_before(const char *end, int n, uint64 *value)
{
#if defined(PINECONE_SSE2) || defined(PINECONE_NEON)
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
#endif

#ifdef PINECONE_SSE2
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
#elif defined(PINECONE_NEON)
	/* what the digit in front of another counts, then the pair in front of one, then four */
	const uint8x16_t tens = vreinterpretq_u8_u16(vdupq_n_u16(1 << 8 | 10));
	const uint16x8_t hundreds = vreinterpretq_u16_u32(vdupq_n_u32(1 << 16 | 100));
	const uint32x4_t myriads = vreinterpretq_u32_u64(vdupq_n_u64(UINT64CONST(1) << 32 | 10000));
	uint8x16_t digits = vandq_u8(vsubq_u8(vld1q_u8((const uint8 *) end - 16), vdupq_n_u8('0')),
								 vld1q_u8(masks + n));
	uint64x2_t eights;

	if (vmaxvq_u8(digits) > 9)
		return false;
	eights = vpaddlq_u32(vmulq_u32(vpaddlq_u16(vmulq_u16(vpaddlq_u8(vmulq_u8(digits, tens)), hundreds)), myriads));
	*value = vgetq_lane_u64(eights, 0) * 100000000 + vgetq_lane_u64(eights, 1);
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

/* A number like -0.1234567; false for anything else. */
static pg_attribute_always_inline bool
plain_number(const char *p, const char *end, float *value)
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
	if (n < 1 || n > MAX_PLACES || whole > 9 || p[1] != '.' || !digits_before(end, n, &mantissa))
		return false;
	mantissa += whole * integer_powers_of_ten[n];

	/* as in decode_float(), and zero apart it cannot be too small */
	wide = (double) (int64) mantissa * negative_powers_of_ten[n];
	memcpy(&bits, &wide, sizeof(bits));
	if (((bits - (HALF_WAY - MARGIN)) & LACKING_BITS) <= 2 * MARGIN)
		return false;
	narrow = (float) wide;
	memcpy(&narrow_bits, &narrow, sizeof(narrow_bits));
	narrow_bits |= (uint32) negative << 31;
	memcpy(value, &narrow_bits, sizeof(narrow_bits));
	return true;
}

static inline bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Any number, which starts at *p, and has to end at "end". */
static bool
any_number(const char **p, const char *end, float *value, const char **reason)
{
	while (is_space(**p))
		(*p)++;
	if (!decode_float(p, value))
	{
		*reason = "a vector holds something that is not a float32 number";
		return false;
	}
	while (is_space(**p))
		(*p)++;
	*reason = "a comma was expected";
	return *p == end;
}

/* ---- AVX-512 ---- */

#ifdef PINECONE_AVX512

#define TARGET_AVX512 \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,popcnt")))

static bool
have_avx512(void)
{
	static int have = -1;

	if (have < 0)
		have = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
			   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
			   __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("popcnt");
	return have;
}

/* The same sixteen bytes in each of four lanes. */
#define LANES(...) _mm512_broadcast_i32x4(_mm_setr_epi8(__VA_ARGS__))

TARGET_AVX512 static const char *
find_ends_avx512(Numbers *numbers, const char *block, const char *end)
{
	const __m512i places = _mm512_add_epi8(LANES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
										   _mm512_set_epi64(0x3030303030303030, 0x3030303030303030,
															0x2020202020202020, 0x2020202020202020,
															0x1010101010101010, 0x1010101010101010,
															0, 0));
	int32 *ends = numbers->at + 1;
	int n = 0;

	while (n <= MAX_ENDS - BLOCK && block < end && !numbers->closed)
	{
		__m512i offset = _mm512_set1_epi32(block - numbers->base);
		__m512i text = _mm512_loadu_si512(block);
		uint64 commas = ends_in_block(_mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(',')),
									  _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(']')),
									  end - block, &numbers->closed);
		__m512i found = _mm512_maskz_compress_epi8(commas, places);
		int count = __builtin_popcountll(commas);

		for (int i = 0; i < count; i += 16)
		{
			__m512i sixteen = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found));

			_mm512_storeu_si512(ends + n + i, _mm512_add_epi32(sixteen, offset));
			found = _mm512_alignr_epi64(found, found, 2);
		}
		n += count;
		block += BLOCK;
	}
	numbers->n = n;
	return block;
}

/* The first bytes of four numbers, in a lane each. */
TARGET_AVX512 static pg_attribute_always_inline __m512i
four_texts(const char *base, const int32 *at)
{
#define TEXT(i) _mm_loadu_si128((const __m128i *) (base + at[i] + 1))
	__m512i texts = _mm512_castsi128_si512(TEXT(0));

	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the caller has as many numbers */
	texts = _mm512_inserti32x4(texts, TEXT(1), 1);
	texts = _mm512_inserti32x4(texts, TEXT(2), 2);
	return _mm512_inserti32x4(texts, TEXT(3), 3);
#undef TEXT
}

/* Sizes that are too large by one, each in all bytes of its lane. */
TARGET_AVX512 static pg_attribute_always_inline __m512i
four_sizes(__m128i sizes)
{
	const __m512i lane = _mm512_set_epi64(0x0C0C0C0C0C0C0C0C, 0x0C0C0C0C0C0C0C0C,
										  0x0808080808080808, 0x0808080808080808,
										  0x0404040404040404, 0x0404040404040404, 0, 0);

	return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(sizes), lane);
}

/*
 * Four texts as the values of their characters, '0' being 0: without a minus
 * sign, and zeroes behind their end.  *first becomes the first character's, in
 * all bytes of a lane; *odd is set when nothing follows a sign, a digit and a
 * point.
 */
TARGET_AVX512 static pg_attribute_always_inline __m512i
four_digits(__m512i texts, __m512i sizes, __m512i *first, __mmask64 *odd)
{
	const __m512i places = LANES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
	const __m512i zero = _mm512_setzero_si512();
	__mmask64 inside = _mm512_cmpgt_epi8_mask(sizes, places);
	__m512i digits = _mm512_maskz_sub_epi8(inside, texts, _mm512_set1_epi8('0'));
	__mmask64 negative;

	*first = _mm512_shuffle_epi8(digits, zero);
	negative = _mm512_cmpeq_epi8_mask(*first, _mm512_set1_epi8('-' - '0'));
	*odd |= _mm512_mask_cmplt_epi8_mask(negative, sizes, _mm512_set1_epi8(5));
	return _mm512_mask_alignr_epi8(digits, negative, zero, digits, 1);
}

/* Digits of four numbers as D.DD, DDDD, DDDD, DDDD */
TARGET_AVX512 static pg_attribute_always_inline __m512i
four_quads(__m512i digits)
{
	const __m512i tens = LANES(1, 0, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1);

	return _mm512_madd_epi16(_mm512_maddubs_epi16(digits, tens), _mm512_set1_epi32(1 << 16 | 100));
}

/*
 * Eight numbers that look like -0.1234567: one digit, the point, and up to
 * MAX_PLACES digits, thirteen with a sign.  Returns false when one does not.
 */
TARGET_AVX512 static pg_attribute_always_inline bool
eight_numbers(const char *base, const int32 *at, float *values)
{
	/* that the second character is the point is checked along with the digits */
	const __m512i point = LANES(0, '.' - '0', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m512i most = LANES(9, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
	__m256i sizes = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *) (at + 1)),
									 _mm256_loadu_si256((const __m256i *) at));
	__mmask8 odd_sizes = _mm256_cmpgt_epu32_mask(_mm256_sub_epi32(sizes, _mm256_set1_epi32(4)),
												 _mm256_set1_epi32(17 - 4));
	__mmask64 odd_texts = 0;
	__m512i first_a;
	__m512i first_b;
	__m512i a = four_digits(four_texts(base, at),
							four_sizes(_mm256_castsi256_si128(sizes)), &first_a, &odd_texts);
	__m512i b = four_digits(four_texts(base, at + 4),
							four_sizes(_mm256_extracti128_si256(sizes, 1)), &first_b, &odd_texts);
	__mmask8 negative;
	__mmask8 half_way;
	__m512i odd;
	__m512i digits;
	__m512i lacking;
	__m512d wide;

	/* pairs of lanes: the first and the fifth number, the second and the sixth, ... */
	negative = _mm512_cmpeq_epi64_mask(_mm512_unpacklo_epi64(first_a, first_b),
									   _mm512_set1_epi8('-' - '0'));
	a = _mm512_xor_si512(a, point);
	b = _mm512_xor_si512(b, point);
	odd = _mm512_or_si512(_mm512_subs_epu8(a, most), _mm512_subs_epu8(b, most));
	digits = _mm512_packus_epi32(four_quads(a), four_quads(b));
	digits = _mm512_madd_epi16(digits, _mm512_set1_epi32(1 << 16 | 10000));
	digits = _mm512_add_epi64(_mm512_mul_epu32(digits, _mm512_set1_epi64(100000000)),
							  _mm512_srli_epi64(digits, 32));

	wide = _mm512_mul_pd(_mm512_cvtepi64_pd(digits), _mm512_set1_pd(1e-14));
	lacking = _mm512_sub_epi64(_mm512_castpd_si512(wide), _mm512_set1_epi64(HALF_WAY - MARGIN));
	lacking = _mm512_and_si512(lacking, _mm512_set1_epi64(LACKING_BITS));
	half_way = _mm512_cmple_epu64_mask(lacking, _mm512_set1_epi64(2 * MARGIN));
	if ((_mm512_test_epi8_mask(odd, odd) | odd_texts) != 0 || (odd_sizes | half_way) != 0)
		return false;
	wide = _mm512_castsi512_pd(_mm512_mask_xor_epi64(_mm512_castpd_si512(wide), negative,
													 _mm512_castpd_si512(wide),
													 _mm512_set1_epi64(PG_INT64_MIN)));
	_mm256_storeu_ps(values, _mm256_permutevar8x32_ps(_mm512_cvtpd_ps(wide),
													  _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7)));
	return true;
}

/* Convert numbers up to one that does not look like the others. */
TARGET_AVX512 static int
convert_avx512(const Numbers *numbers, int from, float *values)
{
	int done = from;

	while (done < numbers->n)
	{
		/* the last eight may have been converted in part */
		int i = Min(done, numbers->n - 8);

		if (i < from || !eight_numbers(numbers->base, numbers->at + i, values + i))
			break;
		done = i + 8;
	}
	return done;
}
#endif

/* ---- An array ---- */

static const char *
find_ends(Numbers *numbers, const char *block, const char *end)
{
#ifdef PINECONE_AVX512
	if (have_avx512())
		return find_ends_avx512(numbers, block, end);
#endif
	return find_ends_portable(numbers, block, end);
}

/* Convert all of them; on failure *stop is where. */
static bool
convert(const Numbers *numbers, float *values, const char **stop, const char **reason)
{
	int i = 0;

	while (i < numbers->n)
	{
		int few = numbers->n;

#ifdef PINECONE_AVX512
		if (have_avx512())
		{
			i = convert_avx512(numbers, i, values);
			few = Min(i + 8, numbers->n);
		}
#endif
		for (; i < few; i++)
		{
			const char *p = numbers->base + numbers->at[i] + 1;
			/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): find_ends() has written the end of each number */
			const char *end = numbers->base + numbers->at[i + 1];

			if (!plain_number(p, end, &values[i]) && !any_number(&p, end, &values[i], reason))
			{
				*stop = p;
				return false;
			}
		}
	}
	return true;
}

bool
pinecone_floats_decode(const char **text, const char *end, float **values, int *n,
					   const char **reason)
{
	int size = Max(*n, 16);
	float *array = palloc(size * sizeof(float));
	int count = 0;
	const char *block = *text;
	Numbers numbers;

	numbers.closed = false;
	numbers.at[0] = -1;
	numbers.base = block;
	do
	{
		block = find_ends(&numbers, block, end);
		if (numbers.n == 0)
		{
			*text = end;
			*reason = "an array does not end";
			return false;
		}
		if (count + numbers.n > size)
		{
			size = Max(size * 2, count + numbers.n);
			array = repalloc(array, size * sizeof(float));
		}
		if (!convert(&numbers, array + count, text, reason))
			return false;
		count += numbers.n;
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): find_ends() has written the end of each number */
		*text = numbers.base + numbers.at[numbers.n] + 1;
		numbers.at[0] = *text - 1 - block;
		numbers.base = block;
	}
	while (!numbers.closed);
	*values = array;
	*n = count;
	return true;
}
