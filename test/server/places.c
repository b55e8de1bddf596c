/*
 * places.c
 *		Writing numbers of which is known how many digits follow the point.
 */
#include "places.h"

#include "number.h"

#include <math.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define ZEROS 0x3030303030303030u

/* As many as there are values of the four bits */
static const double tens[16] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* A number below 10^8 as eight digits, the first in the lowest byte */
static inline uint64_t
eight_digits(uint32_t number)
{
	uint64_t high = number / 10000, low = number % 10000;
	uint64_t v = high | low << 32, tens;

	/* Pairs of four digits, then of two, then digits: division by multiplication */
	tens = (v * 10486 >> 20) & 0x0000007f0000007fu;
	v = tens | (v - tens * 100) << 16;
	tens = (v * 103 >> 10) & 0x000f000f000f000fu;
	v = tens | (v - tens * 10) << 8;
	return v | ZEROS;
}

/*
 * The value rounded to 1 to 13 places, with one digit before the point and nine
 * significant ones at most.  Writes up to 8 bytes beyond the end.
 */
static inline char *
write_places(char *out, float value, int places)
{
	double scaled = fabs((double) value) * tens[places] + 0x1p52;
	uint64_t digits, text;
	uint32_t high, low;

	/* The sum has the product in its low bits, rounded as printf would */
	memcpy(&digits, &scaled, sizeof(digits));
	digits &= 0xffffffffffffu;
	*out = '-';
	out += signbit(value) != 0;
	if (places < 8)
	{
		text = eight_digits((uint32_t) digits) >> (7 - places) * 8;
		out[0] = (char) text;
		out[1] = '.';
		text >>= 8;
		memcpy(out + 2, &text, 8);
		return out + 2 + places;
	}
	high = (uint32_t) (digits / 100000000);
	low = (uint32_t) (digits % 100000000);
	text = eight_digits(low);
	memcpy(out, "0.000000", 8);
	/* The ninth digit from the end: that before the point, or one behind it */
	out[places == 8 ? 0 : places - 7] = (char) ('0' + high);
	memcpy(out + places - 6, &text, 8);
	return out + 2 + places;
}

static inline char *
write_integer(char *out, float value)
{
	uint32_t number = (uint32_t) fabsf(value);
	int n = 1;
	uint64_t text;

	*out = '-';
	out += signbit(value) != 0;
	for (uint32_t limit = 10; number >= limit; limit *= 10)
		n++;
	text = eight_digits(number) >> (8 - n) * 8;
	memcpy(out, &text, 8);
	return out + n;
}

static inline char *
write_value(char *out, float value, int places)
{
	if (places == PLACES_OTHER)
		return number_write_float(out, value);
	return places == PLACES_INTEGER ? write_integer(out, value) : write_places(out, value, places);
}

int
places_measure(float value, size_t *len)
{
	char text[NUMBER_MAX], again[NUMBER_MAX];
	const char *end = number_write_float(text, value);
	const char *start = text + (text[0] == '-');
	int places = (int) (end - start) - 2;

	*len += (size_t) (end - text);
	if (fabsf(value) < 1e7f && value == (float) (int32_t) value)
		places = PLACES_INTEGER;
	else if (start[1] != '.' || places > MAX_PLACES || memchr(start, 'e', (size_t) (end - start)))
		return PLACES_OTHER;
	/* Unlike the sign of a zero, or an odd way of rounding */
	if (write_value(again, value, places) - again != end - text || memcmp(again, text, (size_t) (end - text)) != 0)
		return PLACES_OTHER;
	return places;
}

size_t
places_measure_all(const float *values, int n, Buffer *places)
{
	size_t len = 2;

	for (int i = 0; i < n; i++)
	{
		buffer_add_char(places, (char) places_measure(values[i], &len));
		len += i > 0;
	}
	return len;
}

void
places_pack(uint8_t *packed, const char *places, int n)
{
	int i = 0;

	for (; i + 1 < n; i += 2)
		*packed++ = (uint8_t) (places[i] | places[i + 1] << 4);
	if (i < n)
		*packed = (uint8_t) places[i];
}

#ifdef __x86_64__

/* Numbers that are worked on together */
#define BATCH 32

/*
 * The bytes of a number that its text is put together from: the eight last
 * digits, the one before them, and what else there may be.
 */
typedef struct Lane
{
	uint32_t digits[2];
	uint32_t others;
	uint32_t unused;
} Lane;

enum
{
	AT_NINTH = 8,
	AT_ZERO,
	AT_POINT,
	AT_MINUS,
};

#define OTHERS ((uint32_t) '0' << 8 | (uint32_t) '.' << 16 | (uint32_t) '-' << 24)

/* Which byte of the lane goes where, by places, with a sign 16 further */
static uint8_t shapes[32][16];
static uint8_t lengths[32];

static bool has_avx2;

__attribute__((constructor)) static void
make_shapes(void)
{
	for (int places = 1; places <= MAX_PLACES; places++)
	{
		for (int sign = 0; sign < 2; sign++)
		{
			uint8_t *to = shapes[places + 16 * sign];

			if (sign)
				*to++ = AT_MINUS;
			for (int digit = places; digit >= 0; digit--)
			{
				*to++ = (uint8_t) (digit < 8 ? 7 - digit : digit == 8 ? AT_NINTH :
																		AT_ZERO);
				if (digit == places)
					*to++ = AT_POINT;
			}
			lengths[places + 16 * sign] = (uint8_t) (to - shapes[places + 16 * sign]);
		}
	}
	__builtin_cpu_init();
	has_avx2 = __builtin_cpu_supports("avx2");
}

/* Four digits as two bytes of two, then as one byte each */
static inline uint32_t
four_digits(uint32_t number)
{
	uint32_t tens = number * 10486 >> 20;

	number = tens | (number - tens * 100) << 16;
	tens = (number * 103 >> 10) & 0x000f000f;
	return (tens | (number - tens * 10) << 8) | (uint32_t) ZEROS;
}

/*
 * As write_places, for a batch of numbers each with a comma behind it.  The loops
 * become vector instructions.
 */
__attribute__((target("avx2"))) static char *
write_batch(char *out, const float *values, const uint8_t *packed)
{
	Lane lanes[BATCH];
	uint32_t digits[BATCH];
	uint8_t keys[BATCH];

	for (int i = 0; i < BATCH / 2; i++)
	{
		keys[2 * i] = packed[i] & 15;
		keys[2 * i + 1] = packed[i] >> 4;
	}
	for (int i = 0; i < BATCH; i++)
	{
		double scaled = fabs((double) values[i]) * tens[keys[i]] + 0x1p52;
		uint64_t bits;

		memcpy(&bits, &scaled, sizeof(bits));
		digits[i] = (uint32_t) bits;
	}
	for (int i = 0; i < BATCH; i++)
	{
		uint32_t bits;

		memcpy(&bits, &values[i], sizeof(bits));
		keys[i] |= (uint8_t) (bits >> 31 << 4);
	}
	for (int i = 0; i < BATCH; i++)
	{
		uint32_t ninth = digits[i] / 100000000, rest = digits[i] % 100000000;

		lanes[i] = (Lane){.digits = {four_digits(rest / 10000), four_digits(rest % 10000)}, .others = OTHERS | '0' | ninth};
	}
	for (int i = 0; i < BATCH; i++)
	{
		int places = keys[i] & 15;

		if (places >= 1 && places <= MAX_PLACES)
		{
			__m128i lane = _mm_loadu_si128((const __m128i *) &lanes[i]);

			_mm_storeu_si128((__m128i *) out, _mm_shuffle_epi8(lane, _mm_loadu_si128((const __m128i *) shapes[keys[i]])));
			out += lengths[keys[i]];
		}
		else
			out = write_value(out, values[i], places);
		*out++ = ',';
	}
	return out;
}

#endif

void
places_write(Buffer *b, const float *values, const uint8_t *packed, int n, size_t len)
{
	char *out;
	int i = 0;

	buffer_reserve(b, len + NUMBER_MAX);
	out = b->data + b->len;
	*out++ = '[';
#ifdef __x86_64__
	for (; has_avx2 && i + BATCH <= n; i += BATCH)
		out = write_batch(out, values + i, packed + i / 2);
#endif
	for (; i < n; i++)
	{
		out = write_value(out, values[i], packed[i / 2] >> i % 2 * 4 & 15);
		*out++ = ',';
	}
	/* The last comma is the place for the bracket */
	out -= n > 0;
	*out++ = ']';
	b->len = (size_t) (out - b->data);
}
