/*
 * floats.c
 *		Arrays of numbers through the decoder of floats, against strtof().
 *
 *	floats [rounds [seed]]	rounds of random arrays
 *
 * Arrays are mixed of numbers as vectors have them and of all others that JSON
 * allows; and one number of an array is spoilt, which must be noticed.  Ends
 * with "N passed, N failed".
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "../../src/wire/parse_floats.h"
#include "backend.h"

#define PADDING 64
#define FRONT 16
#define MAX_NUMBERS 1500
#define MAX_TEXT 64

/* Arrays that are counted as one */
#define GROUP 1000

static int passed = 0;
static int failed = 0;
static int wrong = 0; /* of all checks */

static void
check(bool good, const char *what, const char *text)
{
	if (good)
		return;
	wrong++;
	fprintf(stderr, "not ok: %s: %s\n", what, text);
}

static uint64 random_state = 1;

static uint32
next_random(void)
{
	random_state = random_state * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	return (uint32) (random_state >> 33);
}

static float
random_float(void)
{
	for (;;)
	{
		uint32 bits = next_random() ^ next_random() << 16;
		float value;

		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			return value;
	}
}

static double
random_double(void)
{
	return next_random() / 2147483648.0;
}

/* Just half way between two floats, or a little beside. */
static void
print_half_way(char *text)
{
	float below = (float) (random_double() * 2 - 1);
	double middle = ((double) below + nextafterf(below, 2)) / 2;
	static const char *const formats[] = {"%.11f", "%.12f", "%.13f", "%.14f", "%.16f", "%.20f", "%.30f"};

	snprintf(text, MAX_TEXT, formats[next_random() % lengthof(formats)], middle);
}

/* A JSON number; "kind" tells how odd it may be. */
static void
print_number(char *text, int kind)
{
	int places = 1 + next_random() % 16;

	switch (next_random() % (kind + 1))
	{
		case 0:
			snprintf(text, MAX_TEXT, "%.*f", 5 + next_random() % 5, random_double() * 2 - 1);
			break;
		case 1:
			snprintf(text, MAX_TEXT, "%.*f", places, random_double() * 20 - 10);
			break;
		case 2:
			snprintf(text, MAX_TEXT, "%.9g", random_float());
			break;
		case 3:
			print_half_way(text);
			break;
		case 4:
			snprintf(text, MAX_TEXT, "%d", (int) (next_random() % 2001) - 1000);
			break;
		case 5:
			snprintf(text, MAX_TEXT, "%.*e", places, random_double() * 2 - 1);
			break;
		case 6:
			snprintf(text, MAX_TEXT, " \n%.*f\t ", places, random_double());
			break;
		case 7:
			snprintf(text, MAX_TEXT, "%s0.%0*d", next_random() % 2 ? "-" : "", places, 0);
			break;
		default:
			snprintf(text, MAX_TEXT, "%.*f", places, random_double() * 1e5);
			break;
	}
}

/* What no number is, in the place of one. */
static const char *const spoilt[] = {
	"", "-", ".", "-.", "1.", "-1.", ".5", "-.5", "00.5", "01.5", "+0.5", "--0.5", "0..5", "0.5.5",
	"0.5-", "0,5.", "0.5e", "0.5e+", "0x1p3", "nan", "NaN", "inf", "null", "\"0.5\"", "0.12a4", "a.123",
	"0.5 5", "1e39", "-3.5e38", "0.1234567:", "0/1234567", "0.12345678901234/", "0;1234567", "1.\xb1",
	"\xb0.5", "0.5\x01", "[0.5", "{}", "0 .5", "0. 5", "- 0.5"};

/* The text of an array behind its bracket, among bytes that could be more of it. */
static char *
frame(const char *text, size_t len, char **body)
{
	*body = malloc(FRONT + len + PADDING);
	memset(*body, '5', FRONT);
	memcpy(*body + FRONT, text, len);
	(*body)[FRONT + len] = '\0';
	memset(*body + FRONT + len + 1, '5', PADDING - 1);
	return *body + FRONT;
}

static bool
decode(const char *text, size_t len, float *values, int *n)
{
	char *body;
	char *start = frame(text, len, &body);
	const char *p = start;
	const char *reason = NULL;
	float *found = NULL;
	bool good;

	good = pinecone_floats_decode(&p, start + len, &found, n, &reason);
	if (p < start || p > start + len)
		abort();
	if (good && p != start + len)
		good = false;
	else if (good)
		memcpy(values, found, *n * sizeof(float));
	else if (reason == NULL)
		abort();
	free(body);
	backend_free_all();
	return good;
}

static void
try_array(void)
{
	static char text[MAX_NUMBERS * MAX_TEXT];
	static float expected[MAX_NUMBERS];
	static float values[MAX_NUMBERS];
	static int starts[MAX_NUMBERS];
	int n = 1 + next_random() % (next_random() % 4 ? 40 : MAX_NUMBERS);
	int found = next_random() % 2 ? n : next_random() % 50;
	int kind = next_random() % 3 ? 0 : next_random() % 10;
	size_t len = 0;
	bool same;

	for (int i = 0; i < n; i++)
	{
		/* an odd one here and there, or many */
		print_number(text + len, kind > 0 && next_random() % 20 == 0 ? 8 : kind);
		expected[i] = strtof(text + len, NULL);
		starts[i] = len;
		len += strlen(text + len);
		text[len++] = i + 1 < n ? ',' : ']';
	}
	text[len] = '\0';
	same = decode(text, len, values, &found) && found == n;
	for (int i = 0; same && i < n; i++)
		same = memcmp(&values[i], &expected[i], sizeof(float)) == 0;
	check(same, "an array is read", text);

	/* one of them is no number; or the array ends too soon */
	if (next_random() % 8 == 0)
		len = next_random() % len;
	else
	{
		int i = next_random() % n;
		const char *other = spoilt[next_random() % lengthof(spoilt)];
		size_t next = i + 1 < n ? starts[i + 1] - 1 : len - 1;
		size_t otherlen = strlen(other);

		memmove(text + starts[i] + otherlen, text + next, len - next);
		memcpy(text + starts[i], other, otherlen);
		len += otherlen - (next - starts[i]);
	}
	text[len] = '\0';
	found = n;
	check(!decode(text, len, values, &found), "a spoilt array is refused", text);
}

int
main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 20000;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	for (long i = 0; i < rounds; i += GROUP)
	{
		int before = wrong;

		for (int k = 0; k < GROUP; k++)
			try_array();
		if (wrong == before)
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
