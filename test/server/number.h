/*
 * number.h
 *		Parses and prints float32 and float64, shortest exact form.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include "util.h"

/* Room that writing a number needs; it may scribble over what it does not use */
#define NUMBER_MAX 48

/*
 * Read a JSON number at *at, not beyond end; advances *at.  False when there is
 * none, or when it does not fit (a float beyond FLT_MAX).
 */
extern bool number_read_float(const char **at, const char *end, float *value);
extern bool number_read_double(const char **at, const char *end, double *value);

/* Write the shortest text that reads back as the value; returns its end */
extern char *number_write_float(char *out, float value);
extern char *number_write_double(char *out, double value);
/* widened.c: as number_write_double writes the float as a double */
extern char *number_write_widened(char *out, float value);

#endif
