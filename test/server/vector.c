/*
 * vector.c
 *		Dense vectors from and to JSON.
 *
 * Upserts are nearly all numbers such as -0.023456789, and most clients write
 * them as short as a float allows.  Such a number is read here by a path of its
 * own, which also finds that replies can show it in as many places.  All others
 * go through number.c.
 */
#include "vector.h"

#include "places.h"

#include <math.h>

/* Bytes that the path may look at */
#define AHEAD 32

#define ZEROS 0x3030303030303030u

static const double tenths[] = {1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16};
static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/* Up to eight digits at p: how many, and their value. */
static inline int
read_digits(const char *p, uint64_t *value)
{
	uint64_t v, other;
	int n;

	memcpy(&v, p, 8);
	v ^= ZEROS;
	/* The high bits of the bytes that are not 0 to 9 */
	other = ((v + 0x7676767676767676u) | v) & 0x8080808080808080u;
	n = other ? __builtin_ctzll(other) >> 3 : 8;
	if (n == 0)
	{
		*value = 0;
		return 0;
	}
	/* Leading zeros in the place of what follows */
	v <<= (8 - n) * 8;
	v = v * 2561 >> 8;
	v = (v & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
	*value = (v & 0x0000ffff0000ffffu) * 42949672960001u >> 32;
	return n;
}

/*
 * [-]0.digits, at most 15 of them: the value, and how many digits there are when
 * the text is the shortest, else 0.  Returns the end, or NULL when it is something
 * else or too close to the middle between two floats for double to tell.
 */
static inline const char *
read_fraction(const char *p, float *value, int *places)
{
	bool negative = *p == '-';
	uint64_t digits, more;
	int n, m;
	double v, unit, half, off, last;
	uint64_t bits;
	float f;

	p += negative;
	if (p[0] != '0' || p[1] != '.')
		return NULL;
	p += 2;
	n = read_digits(p, &digits);
	if (n == 8)
	{
		m = read_digits(p + 8, &more);
		digits = digits * powers[m] + more;
		n += m;
	}
	p += n;
	if (n == 0 || n > 15 || *p == 'e' || *p == 'E')
		return NULL;

	/* Two roundings and that of the power: less than two units of double off */
	unit = tenths[n];
	v = (double) digits * unit;
	memcpy(&bits, &v, sizeof(bits));
	/* Below 1e-5 numbers are shown with an exponent */
	if (v < 1e-5 || ((bits & 0x1fffffff) - 0x0ffffffd) <= 6)
		return NULL;
	f = (float) v;
	*value = negative ? -f : f;

	/* Half of the distance between floats here */
	bits = ((bits >> 52) - 24) << 52;
	memcpy(&half, &bits, sizeof(half));
	off = v - (double) f;
	last = (double) (digits % 10);
	/*
	 * It ends well, no number of as many digits is nearer, none of fewer reads
	 * alike.  So it has nine significant digits at most, and being nearest means
	 * that rounding the value to that many places gives it back.
	 */
	*places = last != 0 && n <= MAX_PLACES && fabs(off) < 0.499999 * unit && fabs(off - last * unit) > 1.000001 * half &&
					  fabs(off + (10 - last) * unit) > 1.000001 * half ?
				  n :
				  PLACES_OTHER;
	return p;
}

bool
vector_read(JsonReader *j, Buffer *floats, Buffer *places, size_t *len)
{
	bool first = true;
	float value;

	if (!json_begin(j, '['))
		return false;
	*len = 2;
	while (json_next_item(j, &first))
	{
		int n = PLACES_OTHER;
		const char *start = j->at, *end = NULL;

		if (j->end - start >= AHEAD)
			end = read_fraction(start, &value, &n);
		if (end)
			j->at = end;
		else if (!json_read_float(j, &value))
			return false;
		if (n != PLACES_OTHER)
			*len += (size_t) (end - start);
		else
			n = places_measure(value, len);
		/* The comma, or none after the last one */
		(*len)++;
		buffer_add(floats, &value, sizeof(value));
		buffer_add_char(places, (char) n);
	}
	*len -= places->len > 0;
	return !j->error;
}
