/*
 * widened.c
 *		Floats written as the doubles that they are.
 *
 * A float has 24 bits, so that in 128 of them its first 17 digits, half the
 * distance to the next double, and what a shorter number is off, are exact.
 */
#include "number.h"

#include <math.h>
#include <stdio.h>

typedef unsigned __int128 uint128;

/* Digits before the point, of a power of two: floor(e * log10(2)) */
static int
decimal_exponent(int e)
{
	return (int) (((int64_t) e * 1292913986) >> 32);
}

static uint64_t
power_of_ten(int n)
{
	uint64_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

/* Write the shortest digits that read as the double that a float is, in 128-bit integers. */
char *
number_write_widened(char *out, float value)
{
	double v = value;
	uint32_t bits, mantissa;
	int binary, power;
	uint128 scaled, half, unit = 1;
	uint64_t digits = 0;
	char text[24];
	int n = 0, point;

	memcpy(&bits, &value, sizeof(bits));
	binary = (int) (bits >> 23 & 0xff) - 127;
	/* Rare: integers, the tiny and the huge, and powers of two, below which doubles lie closer */
	if (binary < -13 || binary > 22 || (bits & 0x7fffff) == 0 || v == floor(v))
		return number_write_double(out, v);
	mantissa = (bits & 0x7fffff) | 0x800000;
	/* value = mantissa * 2^(binary-23); times 10^power it has 17 digits before the point, or 18 */
	power = 16 - decimal_exponent(binary);
	scaled = (uint128) mantissa * power_of_ten(power > 19 ? 19 : power);
	half = power_of_ten(power > 19 ? 19 : power);
	for (int i = 19; i < power; i++)
	{
		scaled *= 10;
		half *= 10;
	}
	/* In units of 2^(binary-53), of which half a unit of the last place of a double is one */
	scaled <<= 30;
	/* The shortest number within half of the distance: from few digits to many */
	for (int drop = 4; drop >= 0; drop--)
	{
		uint128 step, rest, down;
		int shift = 53 - binary;

		unit = (uint128) power_of_ten(drop) << shift;
		down = scaled / unit;
		rest = scaled - down * unit;
		step = unit - rest;
		if (rest <= step ? rest < half : step < half)
		{
			digits = (uint64_t) down + (rest > step);
			power -= drop;
			break;
		}
		if (drop == 0)
			return number_write_double(out, v);
	}
	while (digits % 10 == 0)
	{
		digits /= 10;
		power--;
	}
	n = snprintf(text, sizeof(text), "%llu", (unsigned long long) digits);
	point = n - power;
	if (bits >> 31)
		*out++ = '-';
	if (point <= 0)
	{
		memcpy(out, "0.0000000", 9);
		out += 2 - point;
		memcpy(out, text, (size_t) n);
		return out + n;
	}
	memcpy(out, text, (size_t) point);
	out[point] = '.';
	memcpy(out + point + 1, text + point, (size_t) (n - point));
	return out + n + 1;
}
