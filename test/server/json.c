/*
 * json.c
 *		Writing JSON.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

static void
buffer_reserve(Buffer *buf, size_t more)
{
	if (buf->len + more + 1 <= buf->size)
		return;
	buf->size = (buf->len + more + 1) * 2;
	buf->data = realloc(buf->data, buf->size);
	if (buf->data == NULL)
		abort();
}

void
buffer_append(Buffer *buf, const char *data, size_t len)
{
	buffer_reserve(buf, len);
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buffer_text(Buffer *buf, const char *text)
{
	buffer_append(buf, text, strlen(text));
}

void
buffer_format(Buffer *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	buffer_reserve(buf, len);
	va_start(args, format);
	vsnprintf(buf->data + buf->len, len + 1, format, args);
	va_end(args);
	buf->len += len;
}

void
buffer_string(Buffer *buf, const char *text)
{
	buffer_append(buf, "\"", 1);
	for (const char *p = text; *p; p++)
	{
		unsigned char c = *p;

		if (c == '"' || c == '\\')
			buffer_format(buf, "\\%c", c);
		else if (c < ' ')
			buffer_format(buf, "\\u%04x", c);
		else
			buffer_append(buf, p, 1);
	}
	buffer_append(buf, "\"", 1);
}

void
buffer_number(Buffer *buf, double number)
{
	char text[40];

	if (number == floor(number) && fabs(number) < 1e15)
	{
		buffer_format(buf, "%.0f", number == 0 ? 0.0 : number);
		return;
	}
	for (int digits = 15; digits <= 17; digits++)
	{
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	buffer_text(buf, text);
}

void
buffer_float(Buffer *buf, float number)
{
	char text[40];

	/* whole numbers in plain digits, others as short as float32 allows */
	if (number == floorf(number) && fabsf(number) < 1e7f)
	{
		buffer_format(buf, "%.0f", number == 0 ? 0.0 : number);
		return;
	}
	for (int digits = 6; digits <= 9; digits++)
	{
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtof(text, NULL) == number)
			break;
	}
	buffer_text(buf, text);
}
