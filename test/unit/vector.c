/*
 * vector.c
 *		The vectors of pinecone-local: what is read must be written exactly.
 *
 *	vector [ROUNDS [SEED]]
 *
 * Numbers of every kind go in as text in several forms.  They must be read as
 * strtof reads them, and come out as number_write_float writes them, which must
 * read back as the same bits and be as short as any; and the length that was
 * promised must be right.  Ends with "N passed, N failed".
 */
#include "../server/vector.h"
#include "../server/number.h"
#include "../server/places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 64

/* Arrays that are counted as one */
#define GROUP 1000

static int passed = 0;
static int failed = 0;
static int wrong = 0; /* of all checks */
static uint64_t random_state;

static void
check(bool good, const char *what, float value, Str text)
{
	if (!good && wrong++ < 20)
		printf("not ok: %s: %.9g, \"%.*s\"\n", what, (double) value, (int) text.len, text.s);
}

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1du >> 8;
}

static float
float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint32_t
bits_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static bool
is_same(float a, float b)
{
	/* A zero is written without its sign */
	return a == 0 ? b == 0 : bits_of(a) == bits_of(b);
}

static float
random_value(void)
{
	static const float scales[] = {1e-6f, 2e-5f, 1e-3f, 0.1f, 1, 4, 20, 1e4f, 1e9f};
	float value;

	switch (next_random() % 8)
	{
		case 0:
			/* Any bits at all */
			do
				value = float_of_bits((uint32_t) next_random());
			while (!isfinite(value));
			return value;
		case 1:
			return (float) ((int) (next_random() % 2001) - 1000);
		case 2:
			/* Few digits */
			return (float) ((int) (next_random() % 20001) - 10000) / 1000;
		case 3:
			/* Few bits, so that they end in the middle between two decimals */
			return ldexpf((float) (next_random() % 65536), -(int) (next_random() % 24));
		case 4:
			/* Next to a power of ten or of two, and at it */
			value = next_random() % 2 ? powf(10, (float) (next_random() % 12) - 8) : ldexpf(1, (int) (next_random() % 40) - 30);
			return float_of_bits(bits_of(value) + (uint32_t) (next_random() % 5) - 2);
		default:
			return ((float) (next_random() % 16777216) / 16777216 - 0.5f) * scales[next_random() % (sizeof(scales) / sizeof(scales[0]))];
	}
}

/* The value in one of many forms; what it reads as may be another then. */
static int
print_value(char *out, float value)
{
	int precision = 1 + (int) (next_random() % 17);
	int len;

	switch (next_random() % 4)
	{
		case 0:
			return (int) (number_write_float(out, value) - out);
		case 1:
			return sprintf(out, "%.*g", precision, (double) value);
		case 2:
			return fabsf(value) < 1e15f ? sprintf(out, "%.*f", precision, (double) value) : sprintf(out, "%.*e", precision, (double) value);
		default:
			for (precision = 6; precision <= 9; precision++)
			{
				len = sprintf(out, "%.*g", precision, (double) value);
				if (strtof(out, NULL) == value)
					break;
			}
			return len;
	}
}

/* As short as printf can be, and the same bits */
static void
check_number(float value, Str text)
{
	char copy[64], shortest[400];
	int digits = 0;

	memcpy(copy, text.s, text.len);
	copy[text.len] = '\0';
	check(is_same(value, strtof(copy, NULL)), "reads back", value, text);
	for (const char *p = copy; *p && *p != 'e'; p++)
	{
		if (*p >= '1' && *p <= '9')
			digits++;
		else if (*p == '0')
			digits += digits > 0;
	}
	/* Zeros at the end of an integer do not count */
	for (size_t i = text.len; !memchr(copy, '.', text.len) && !memchr(copy, 'e', text.len) && i > 1 && copy[i - 1] == '0'; i--)
		digits--;
	if (value != 0 && digits > 1)
	{
		snprintf(shortest, sizeof(shortest), "%.*g", digits - 1, (double) value);
		check(strtof(shortest, NULL) != value, "is the shortest", value, text);
	}
}

static void
check_array(int count)
{
	float expected[COUNT];
	char text[COUNT * 400 + 2];
	size_t len = 0, promised = 0, measured;
	Buffer floats = {0}, places = {0}, again = {0}, right = {0}, out = {0};
	uint8_t packed[COUNT / 2];
	Arena arena = {0};
	JsonReader j;

	text[len++] = '[';
	for (int i = 0; i < count; i++)
	{
		int n;

		do
		{
			n = print_value(text + len, random_value());
			text[len + (size_t) n] = '\0';
			expected[i] = strtof(text + len, NULL);
		}
		while (!isfinite(expected[i]));
		len += (size_t) n;
		if (i + 1 < count)
			text[len++] = ',';
		if (next_random() % 16 == 0)
			text[len++] = ' ';
	}
	text[len++] = ']';

	j = json_reader((Str){text, len}, &arena);
	check(vector_read(&j, &floats, &places, &promised), "is read", 0, (Str){text, len});
	check(floats.len == sizeof(float) * (size_t) count && places.len == (size_t) count, "is complete", 0, (Str){text, len});
	buffer_add_char(&right, '[');
	for (int i = 0; i < count; i++)
	{
		size_t start = right.len;
		float value;

		memcpy(&value, floats.data + (size_t) i * sizeof(value), sizeof(value));
		check(bits_of(value) == bits_of(expected[i]), "is read right", expected[i], (Str){text, len});
		if (i > 0)
		{
			buffer_add_char(&right, ',');
			start++;
		}
		json_add_float(&right, value);
		check_number(value, (Str){right.data + start, right.len - start});
	}
	buffer_add_char(&right, ']');

	places_pack(packed, places.data, count);
	places_write(&out, (float *) floats.data, packed, count, promised);
	check(out.len == promised, "has the length", 0, (Str){out.data, out.len});
	check(out.len == right.len && memcmp(out.data, right.data, out.len) == 0, "is written right", 0, (Str){out.data, out.len});

	/* Without the text the same must come out */
	out.len = 0;
	measured = places_measure_all((float *) floats.data, count, &again);
	places_pack(packed, again.data, count);
	places_write(&out, (float *) floats.data, packed, count, measured);
	check(out.len == measured && out.len == right.len && memcmp(out.data, right.data, out.len) == 0, "is measured right", 0,
		  (Str){out.data, out.len});
	buffer_free(&floats);
	buffer_free(&places);
	buffer_free(&again);
	buffer_free(&right);
	buffer_free(&out);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) / 10 : 10000;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	random_state = random_state * 2 + 1;
	for (long i = 0; i < rounds; i += GROUP)
	{
		int before = wrong;

		for (int k = 0; k < GROUP; k++)
			check_array((int) (next_random() % (COUNT + 1)));
		if (wrong == before)
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
