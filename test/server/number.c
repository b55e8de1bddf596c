/*
 * number.c
 *		Numbers from and to JSON text.
 *
 * Vectors are nearly all of what goes over the wire, so float4 values have
 * paths of their own.  Both do the work in double, which has 29 bits more than
 * a float, and turn to the C library when the error that this leaves could
 * change the answer.
 */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
								1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool
is_digit(char c)
{
	return (unsigned char) (c - '0') < 10;
}

/* Do eight digits follow?  Then their value (little-endian bit tricks). */
static inline bool
eight_digits(const char *p, uint64_t *value)
{
	uint64_t v;

	memcpy(&v, p, 8);
	if (((v & 0xf0f0f0f0f0f0f0f0u) | (((v + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4)) != 0x3333333333333333u)
		return false;
	v = (v & 0x0f0f0f0f0f0f0f0fu) * 2561 >> 8;
	v = (v & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
	*value = (v & 0x0000ffff0000ffffu) * 42949672960001u >> 32;
	return true;
}

typedef struct Decimal
{
	uint64_t digits; /* the first 19 significant ones at least */
	int exponent;
	bool negative;
	bool exact; /* all digits are in */
} Decimal;

/*
 * Digits from p on into the decimal; returns where they end.  Beyond 19 digits
 * they are counted and dropped.
 */
static inline const char *
take_digits(const char *p, const char *end, Decimal *d, bool fraction)
{
	uint64_t eight;

	while (end - p >= 8 && d->digits < 10000000000u && eight_digits(p, &eight))
	{
		d->digits = d->digits * 100000000 + eight;
		if (fraction)
			d->exponent -= 8;
		p += 8;
	}
	for (; p < end && is_digit(*p); p++)
	{
		if (d->digits < 1000000000000000000u)
		{
			d->digits = d->digits * 10 + (uint64_t) (*p - '0');
			d->exponent -= fraction;
		}
		else
		{
			d->exact = d->exact && *p == '0';
			d->exponent += !fraction;
		}
	}
	return p;
}

/* The syntax of JSON numbers; returns their end, or NULL. */
static inline const char *
read_decimal(const char *p, const char *end, Decimal *d)
{
	const char *start;

	*d = (Decimal){.exact = true};
	if (p < end && *p == '-')
	{
		d->negative = true;
		p++;
	}
	start = p;
	p = take_digits(p, end, d, false);
	if (p == start || (*start == '0' && p - start > 1))
		return NULL;
	if (p < end && *p == '.')
	{
		start = ++p;
		p = take_digits(p, end, d, true);
		if (p == start)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		bool negative = false;
		int exponent = 0;

		p++;
		if (p < end && (*p == '-' || *p == '+'))
			negative = *p++ == '-';
		start = p;
		for (; p < end && is_digit(*p); p++)
			exponent = exponent < 100000 ? exponent * 10 + (*p - '0') : exponent;
		if (p == start)
			return NULL;
		d->exponent += negative ? -exponent : exponent;
	}
	return p;
}

/* The C library needs an end to the text: a copy that has one, in "small" if it fits. */
static char *
with_end(const char *start, const char *end, char *small, size_t size)
{
	size_t len = (size_t) (end - start);
	char *text = len < size ? small : mem_alloc(len + 1);

	memcpy(text, start, len);
	text[len] = '\0';
	return text;
}

static double
slow_double(const char *start, const char *end)
{
	char small[64];
	char *text = with_end(start, end, small, sizeof(small));
	double value = strtod(text, NULL);

	if (text != small)
		free(text);
	return value;
}

/* Not by way of a double, for that would round twice. */
static float
slow_float(const char *start, const char *end)
{
	char small[64];
	char *text = with_end(start, end, small, sizeof(small));
	float value = strtof(text, NULL);

	if (text != small)
		free(text);
	return value;
}

bool
number_read_float(const char **at, const char *end, float *value)
{
	Decimal d;
	const char *stop = read_decimal(*at, end, &d);
	double v;
	uint64_t bits;

	if (!stop)
		return false;
	if (d.digits == 0)
	{
		*value = d.negative ? -0.0f : 0.0f;
		*at = stop;
		return true;
	}
	if (d.exponent >= -22 && d.exponent <= 22)
	{
		/* Two roundings, so at most two units of double off */
		v = d.exponent < 0 ? (double) d.digits / powers[-d.exponent] : (double) d.digits * powers[d.exponent];
		memcpy(&bits, &v, sizeof(bits));
		bits &= 0x1fffffff;
		/* Clear of the middle between two floats, and of subnormal ones */
		if ((bits < 0x0ffffffe || bits > 0x10000002) && v > 2e-38 && v < 3.4e38)
		{
			*value = (float) (d.negative ? -v : v);
			*at = stop;
			return true;
		}
	}
	*value = slow_float(*at, stop);
	*at = stop;
	return isfinite(*value);
}

bool
number_read_double(const char **at, const char *end, double *value)
{
	Decimal d;
	const char *stop = read_decimal(*at, end, &d);

	if (!stop)
		return false;
	if (d.exact && d.digits <= (uint64_t) 1 << 53 && d.exponent >= -22 && d.exponent <= 22)
	{
		/* One rounding of exact operands: exactly what strtod says */
		double v = d.exponent < 0 ? (double) d.digits / powers[-d.exponent] : (double) d.digits * powers[d.exponent];

		*value = d.negative ? -v : v;
	}
	else
		*value = slow_double(*at, stop);
	*at = stop;
	return isfinite(*value);
}

/* Digits as text without leading zeros; returns how many. */
static int
write_digits(char *out, uint64_t digits)
{
	char reversed[20];
	int n = 0;

	do
	{
		reversed[n++] = (char) ('0' + digits % 10);
		digits /= 10;
	}
	while (digits);
	for (int i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	return n;
}

/*
 * digits * 10^exponent: plain where that is not long, else with an exponent.
 * No trailing zeros in digits.
 */
static char *
write_decimal(char *out, uint64_t digits, int exponent)
{
	char text[20];
	int n = write_digits(text, digits);
	int point = n + exponent; /* digits before the point */

	if (point > 0 && point <= 15)
	{
		if (n <= point)
		{
			memcpy(out, text, (size_t) n);
			memset(out + n, '0', (size_t) (point - n));
			return out + point;
		}
		memcpy(out, text, (size_t) point);
		out[point] = '.';
		memcpy(out + point + 1, text + point, (size_t) (n - point));
		return out + n + 1;
	}
	if (point <= 0 && point > -5)
	{
		*out++ = '0';
		*out++ = '.';
		memset(out, '0', (size_t) -point);
		memcpy(out - point, text, (size_t) n);
		return out - point + n;
	}
	*out++ = text[0];
	if (n > 1)
	{
		*out++ = '.';
		memcpy(out, text + 1, (size_t) (n - 1));
		out += n - 1;
	}
	return out + sprintf(out, "e%d", point - 1);
}

/* "%.Ng" text as digits and exponent */
static char *
write_from_text(char *out, const char *text)
{
	Decimal d;

	read_decimal(text, text + strlen(text), &d);
	while (d.digits && d.digits % 10 == 0)
	{
		d.digits /= 10;
		d.exponent++;
	}
	if (d.negative)
		*out++ = '-';
	return write_decimal(out, d.digits, d.exponent);
}

static char *
slow_write_float(char *out, float value)
{
	char text[64];

	for (int precision = 1; precision <= 9; precision++)
	{
		snprintf(text, sizeof(text), "%.*g", precision, (double) value);
		if (strtof(text, NULL) == value)
			break;
	}
	return write_from_text(out, text);
}

/* As write_decimal; writes up to 16 bytes beyond the end. */
static inline char *
write_short_decimal(char *out, uint32_t digits, int exponent)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	char text[32];
	uint32_t high = digits / 100000000, low = digits % 100000000;
	uint32_t a = low / 10000, b = low % 10000;
	int start = 0, n, point;

	memcpy(text, pairs + 2 * high, 2);
	memcpy(text + 2, pairs + 2 * (a / 100), 2);
	memcpy(text + 4, pairs + 2 * (a % 100), 2);
	memcpy(text + 6, pairs + 2 * (b / 100), 2);
	memcpy(text + 8, pairs + 2 * (b % 100), 2);
	while (text[start] == '0')
		start++;
	n = 10 - start;
	point = n + exponent;
	/* Copies of fixed size are single instructions */
	if (point <= 0 && point > -5)
	{
		memcpy(out, "0.000000", 8);
		out += 2 - point;
		memcpy(out, text + start, 16);
		return out + n;
	}
	if (point > 0 && point < n)
	{
		memcpy(out, text + start, 16);
		out[point] = '.';
		memcpy(out + point + 1, text + start + point, 16);
		return out + n + 1;
	}
	return write_decimal(out, digits, exponent);
}

typedef enum Fit
{
	FITS,
	DOES_NOT_FIT,
	TOO_CLOSE, /* to call in double: at an edge, or between two shorter numbers */
} Fit;

/* Does the multiple of unit that is nearest to scaled read as the same float? */
static inline Fit
shorten(double scaled, uint32_t whole, uint32_t unit, double below, double half, uint32_t *shorter)
{
	uint32_t multiple = (uint32_t) (((uint64_t) whole + unit / 2) / unit);
	double off = (double) multiple * unit - scaled;
	double room = off < 0 ? below : half;
	double distance = fabs(off);

	*shorter = multiple;
	if (fabs(distance - room) < 1e-5 || fabs(distance - unit * 0.5) < 1e-5)
		return TOO_CLOSE;
	return distance < room ? FITS : DOES_NOT_FIT;
}

/*
 * Write the shortest digits that read as the same float. Where doubles are too
 * coarse to be sure of that, slow_write_float() finds them.
 */
char *
number_write_float(char *out, float value)
{
	uint32_t bits;
	int binary, power;
	double scaled, half, below;
	uint32_t digits, shorter;
	int exponent;
	Fit fit;

	memcpy(&bits, &value, sizeof(bits));
	if ((bits & 0x7fffffff) == 0)
	{
		/* JSON has -0, but nobody wants to see it */
		*out++ = '0';
		return out;
	}
	binary = (int) (bits >> 23 & 0xff) - 127;
	if (binary < -40 || binary > 60)
		return slow_write_float(out, value);

	/* Scale to 9 or 10 digits before the point; one rounding */
	power = 8 - (binary * 1233 >> 12);
	scaled = power >= 0 ? fabs((double) value) * powers[power] : fabs((double) value) / powers[-power];

	/* Half the distance to the next float, and to the one below */
	memcpy(&half, &(uint64_t){(uint64_t) (binary + 1023 - 24) << 52}, sizeof(half));
	half = power >= 0 ? half * powers[power] : half / powers[-power];
	below = (bits & 0x7fffff) == 0 ? half / 2 : half;

	digits = (uint32_t) (scaled + 0.5);
	exponent = -power;

	/*
	 * Drop digits while the nearest shorter number still reads as this float.
	 * The first steps, written out, divide by constants.
	 */
#define SHORTEN(unit) shorten(scaled, (uint32_t) scaled, unit, below, half, &shorter)
	if ((fit = SHORTEN(10)) == FITS)
	{
		digits = shorter;
		exponent++;
		if ((fit = SHORTEN(100)) == FITS)
		{
			digits = shorter;
			exponent++;
			if ((fit = SHORTEN(1000)) == FITS)
			{
				digits = shorter;
				exponent++;
				for (uint32_t unit = 10000; unit <= 1000000000 && (fit = SHORTEN(unit)) == FITS; unit *= 10)
				{
					digits = shorter;
					exponent++;
					if (unit == 1000000000)
						break;
				}
			}
		}
	}
#undef SHORTEN
	if (fit == TOO_CLOSE || digits == 0)
		return slow_write_float(out, value);
	while (digits % 10 == 0)
	{
		digits /= 10;
		exponent++;
	}
	if (bits >> 31)
		*out++ = '-';
	return write_short_decimal(out, digits, exponent);
}

char *
number_write_double(char *out, double value)
{
	char text[64];

	if (fabs(value) < 1e15 && value == (double) (int64_t) value)
	{
		if (value < 0)
			*out++ = '-';
		return out + write_digits(out, (uint64_t) fabs(value));
	}
	for (int precision = 15; precision <= 17; precision++)
	{
		snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return write_from_text(out, text);
}
