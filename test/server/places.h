/*
 * places.h
 *		Takes the number of digits of a float's text, and writes that text again.
 *
 * That takes four bits to keep instead of the dozen bytes of a text, and then
 * writing the shortest text takes a multiplication, and no search for it.
 */
#ifndef PLACES_H
#define PLACES_H

#include "util.h"

/*
 * What is noted of a number: that it has 1 to 13 digits after the point and one
 * before, that it is a small integer, or that number.c has to write it.
 */
#define MAX_PLACES 13
#define PLACES_INTEGER 15
#define PLACES_OTHER 0

/* The places of any number; adds the length of its text to *len. */
extern int places_measure(float value, size_t *len);
/* Of n numbers, a byte for each; returns the length of their array as text. */
extern size_t places_measure_all(const float *values, int n, Buffer *places);

/* Places of n numbers, packed two to a byte */
extern void places_pack(uint8_t *packed, const char *places, int n);

/* Write the array: shortest numbers, no spaces.  len is that of all. */
extern void places_write(Buffer *b, const float *values, const uint8_t *packed, int n, size_t len);

#endif
