/*
 * scanner.c
 *		Strings, numbers and values that nobody wants, in JSON text.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "wire/number.h"
#include "wire/scanner.h"

bool
pinecone_scanner_fail(PineconeScanner *s, const char *reason)
{
	if (s->reason == NULL)
		s->reason = s->p >= s->end ? "the reply is cut short" : reason;
	return false;
}

/*
 * Everything up to p must be UTF-8.  Numbers are looked at byte by byte when
 * they are read, and they are most of a reply: only what is between is checked.
 */
bool
pinecone_scanner_check_encoding(PineconeScanner *s, const char *p)
{
	if (s->valid == NULL || pg_verify_mbstr(PG_UTF8, s->valid, p - s->valid, true))
	{
		s->valid = s->valid ? p : NULL;
		return true;
	}
	s->reason = "the reply is not valid UTF-8";
	return false;
}

/* ---- Structure ---- */

bool
pinecone_scanner_read_double(PineconeScanner *s, double *value)
{
	bool negative;
	bool exact;
	uint64 mantissa;
	int exponent;
	const char *end = scan_decimal(s->p, &negative, &mantissa, &exponent, &exact);

	if (end == NULL)
		return pinecone_scanner_fail(s, "a number was expected");
	if (exact && small_decimal(mantissa, exponent, value))
		*value = negative ? -*value : *value;
	else
		*value = strtod(s->p, NULL);
	s->p = end;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
hex_escape(const char *p, const char *end, uint32 *code)
{
	*code = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++)
	{
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return false;
		*code = *code << 4 | digit;
	}
	return true;
}

/*
 * One \u escape, or two that make a surrogate pair; moves *p behind it.  What
 * no text can hold, U+0000 and half of a pair, is 0.
 */
static bool
unicode_escape(const char **p, const char *end, uint32 *code)
{
	uint32 low;

	if (!hex_escape(*p, end, code))
		return false;
	*p += 4;
	if (*code < 0xD800 || *code > 0xDFFF)
		return true;
	if (*code > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' ||
		!hex_escape(*p + 2, end, &low) || low < 0xDC00 || low > 0xDFFF)
	{
		*code = 0;
		return true;
	}
	*p += 6;
	*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/*
 * A scanned string decoded into palloc'ed UTF-8; NULL when it cannot be.  One
 * that is no text fails too, unless "no_text" is there to be set.
 */
char *
pinecone_scanner_decode_string(PineconeScanner *s, const char *start, size_t len, bool escaped, bool *no_text)
{
	const char *end = start + len;
	char *text = palloc(len + 1);
	char *out = text;

	if (!escaped)
	{
		memcpy(text, start, len);
		text[len] = '\0';
		return text;
	}
	while (start < end)
	{
		uint32 code;

		if (*start != '\\')
		{
			*out++ = *start++;
			continue;
		}
		start++;
		switch (*start++)
		{
			case 'b':
				*out++ = '\b';
				break;
			case 'f':
				*out++ = '\f';
				break;
			case 'n':
				*out++ = '\n';
				break;
			case 'r':
				*out++ = '\r';
				break;
			case 't':
				*out++ = '\t';
				break;
			case '"':
			case '\\':
			case '/':
				*out++ = start[-1];
				break;
			case 'u':
				if (!unicode_escape(&start, end, &code))
				{
					(void) pinecone_scanner_fail(s, "a string holds an invalid \\u escape");
					return NULL;
				}
				if (code == 0 && no_text == NULL)
				{
					(void) pinecone_scanner_fail(s, "a string holds \\u0000 or half of a surrogate pair, which PostgreSQL's text cannot");
					return NULL;
				}
				if (code == 0)
				{
					*no_text = true;
					break;
				}
				unicode_to_utf8(code, (unsigned char *) out);
				out += pg_utf_mblen((unsigned char *) out);
				break;
			default:
				(void) pinecone_scanner_fail(s, "a string holds an invalid escape");
				return NULL;
		}
	}
	*out = '\0';
	return text;
}

char *
pinecone_scanner_read_string(PineconeScanner *s)
{
	const char *start;
	size_t len;
	bool escaped;

	if (!pinecone_scanner_scan_string(s, &start, &len, &escaped))
		return NULL;
	return pinecone_scanner_decode_string(s, start, len, escaped, NULL);
}

static bool
skip_literal(PineconeScanner *s, const char *literal)
{
	size_t len = strlen(literal);

	if (strncmp(s->p, literal, len) != 0)
		return pinecone_scanner_fail(s, "a value was expected");
	s->p += len;
	return true;
}

static bool
skip_container(PineconeScanner *s, bool is_object)
{
	bool first = true;

	if (++s->depth > PINECONE_MAX_DEPTH)
		return pinecone_scanner_fail(s, "the reply is nested too deep");
	s->p++;
	if (is_object)
	{
		const char *key;
		size_t len;

		while (pinecone_scanner_next_key(s, &first, &key, &len))
		{
			if (!pinecone_scanner_skip_value(s))
				return false;
		}
	}
	else
	{
		while (pinecone_scanner_next_element(s, &first))
		{
			if (!pinecone_scanner_skip_value(s))
				return false;
		}
	}
	s->depth--;
	return s->reason == NULL;
}

/* Check a value's form and pass over it. */
bool
pinecone_scanner_skip_value(PineconeScanner *s)
{
	const char *start;
	size_t len;
	bool flag;
	uint64 mantissa;
	int exponent;

	pinecone_scanner_skip_space(s);
	switch (*s->p)
	{
		case '{':
			return skip_container(s, true);
		case '[':
			return skip_container(s, false);
		case '"':
			return pinecone_scanner_scan_string(s, &start, &len, &flag);
		case 't':
			return skip_literal(s, "true");
		case 'f':
			return skip_literal(s, "false");
		case 'n':
			return skip_literal(s, "null");
		default:
			start = scan_decimal(s->p, &flag, &mantissa, &exponent, &flag);
			if (start == NULL)
				return pinecone_scanner_fail(s, "a value was expected");
			s->p = start;
			return true;
	}
}
