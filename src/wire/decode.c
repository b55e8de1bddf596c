/*
 * decode.c
 *		One forward pass over the large replies: pages of records.
 *
 * Vectors are nearly all of a reply's bytes, so their numbers go straight to
 * float4.  Everything else is checked as it is passed over; metadata stays the
 * JSON text it is, to be split only if a column asks for one of its fields.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/namespace.h"
#include "common/string.h"
#include "mb/pg_wchar.h"

#include "wire/decode.h"
#include "wire/floats.h"
#include "wire/number.h"

/* No reply nests this deep; a hostile one must not exhaust the stack. */
#define MAX_DEPTH 64

/* A copy of metadata is decoded, too: it needs the padding of a body. */
#define METADATA_PADDING 16

typedef struct Scanner
{
	const char *p;
	const char *end;	/* of the body: holds a NUL byte */
	const char *reason; /* set on the first failure */
	const char *valid;	/* so far the body is valid UTF-8 */
	int depth;
	bool want_values;
	int dimension; /* of the last vector: sizes the next */
} Scanner;

static bool skip_value(Scanner *s);

static bool
fail(Scanner *s, const char *reason)
{
	if (s->reason == NULL)
		s->reason = s->p >= s->end ? "the reply is cut short" : reason;
	return false;
}

/*
 * Everything up to p must be UTF-8.  Numbers are looked at byte by byte when
 * they are read, and they are most of a reply: only what is between is checked.
 */
static bool
check_encoding(Scanner *s, const char *p)
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

static bool
scan_double(Scanner *s, double *value)
{
	bool negative;
	bool exact;
	uint64 mantissa;
	int exponent;
	const char *end = scan_decimal(s->p, &negative, &mantissa, &exponent, &exact);

	if (end == NULL)
		return fail(s, "a number was expected");
	if (exact && small_decimal(mantissa, exponent, value))
		*value = negative ? -*value : *value;
	else
		*value = strtod(s->p, NULL);
	s->p = end;
	return true;
}

static inline void
skip_space(Scanner *s)
{
	while (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r')
		s->p++;
}

static inline bool
accept(Scanner *s, char c)
{
	skip_space(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

static inline bool
expect(Scanner *s, char c, const char *reason)
{
	return accept(s, c) || fail(s, reason);
}

/* A string's text between its quotes, escapes and all. */
static bool
scan_string(Scanner *s, const char **start, size_t *len, bool *escaped)
{
	if (!expect(s, '"', "a string was expected"))
		return false;
	*start = s->p;
	*escaped = false;
	for (;;)
	{
		unsigned char c = *s->p;

		if (c == '"')
			break;
		if (c < ' ')
			return fail(s, "a string holds a control character");
		if (c == '\\')
		{
			*escaped = true;
			if (*++s->p == '\0')
				return fail(s, "a string does not end");
		}
		s->p++;
	}
	*len = s->p - *start;
	s->p++;
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
static char *
decode_string(Scanner *s, const char *start, size_t len, bool escaped, bool *no_text)
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
					(void) fail(s, "a string holds an invalid \\u escape");
					return NULL;
				}
				if (code == 0 && no_text == NULL)
				{
					(void) fail(s, "a string holds \\u0000 or half of a surrogate pair, which PostgreSQL's text cannot");
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
				(void) fail(s, "a string holds an invalid escape");
				return NULL;
		}
	}
	*out = '\0';
	return text;
}

static char *
read_string(Scanner *s)
{
	const char *start;
	size_t len;
	bool escaped;

	if (!scan_string(s, &start, &len, &escaped))
		return NULL;
	return decode_string(s, start, len, escaped, NULL);
}

/* The next key of an object, or false at its end or on failure. */
static bool
next_key(Scanner *s, bool *first, const char **key, size_t *len)
{
	bool escaped;

	if (accept(s, '}'))
		return false;
	if (!*first && !expect(s, ',', "a comma was expected"))
		return false;
	*first = false;
	return scan_string(s, key, len, &escaped) && expect(s, ':', "a colon was expected");
}

static bool
next_element(Scanner *s, bool *first)
{
	if (accept(s, ']'))
		return false;
	if (!*first && !expect(s, ',', "a comma was expected"))
		return false;
	*first = false;
	return true;
}

static inline bool
key_is(const char *key, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(key, name, len) == 0;
}

static bool
skip_literal(Scanner *s, const char *literal)
{
	size_t len = strlen(literal);

	if (strncmp(s->p, literal, len) != 0)
		return fail(s, "a value was expected");
	s->p += len;
	return true;
}

static bool
skip_container(Scanner *s, bool is_object)
{
	bool first = true;

	if (++s->depth > MAX_DEPTH)
		return fail(s, "the reply is nested too deep");
	s->p++;
	if (is_object)
	{
		const char *key;
		size_t len;

		while (next_key(s, &first, &key, &len))
		{
			if (!skip_value(s))
				return false;
		}
	}
	else
	{
		while (next_element(s, &first))
		{
			if (!skip_value(s))
				return false;
		}
	}
	s->depth--;
	return s->reason == NULL;
}

/* Check a value's form and pass over it. */
static bool
skip_value(Scanner *s)
{
	const char *start;
	size_t len;
	bool flag;
	uint64 mantissa;
	int exponent;

	skip_space(s);
	switch (*s->p)
	{
		case '{':
			return skip_container(s, true);
		case '[':
			return skip_container(s, false);
		case '"':
			return scan_string(s, &start, &len, &flag);
		case 't':
			return skip_literal(s, "true");
		case 'f':
			return skip_literal(s, "false");
		case 'n':
			return skip_literal(s, "null");
		default:
			start = scan_decimal(s->p, &flag, &mantissa, &exponent, &flag);
			if (start == NULL)
				return fail(s, "a value was expected");
			s->p = start;
			return true;
	}
}

static bool
accept_null(Scanner *s)
{
	skip_space(s);
	if (strncmp(s->p, "null", 4) != 0)
		return false;
	s->p += 4;
	return true;
}

/* ---- Records ---- */

static bool
read_floats(Scanner *s, float **values, int *n)
{
	const char *reason;

	if (!expect(s, '[', "an array of numbers was expected"))
		return false;
	if (accept(s, ']'))
	{
		*n = 0;
		return true;
	}
	if (!check_encoding(s, s->p))
		return false;
	*n = s->dimension;
	if (!pinecone_floats_decode(&s->p, s->end, values, n, &reason))
		return fail(s, reason);
	s->valid = s->p; /* it was digits */
	s->dimension = *n;
	return true;
}

/* Pass over an array of numbers that nobody wants. */
static bool
skip_floats(Scanner *s)
{
	const char *close;

	if (!expect(s, '[', "an array of numbers was expected"))
		return false;
	close = memchr(s->p, ']', s->end - s->p);
	if (close == NULL)
	{
		s->p = s->end;
		return fail(s, "an array does not end");
	}
	s->p = close + 1;
	return true;
}

static bool
read_indices(Scanner *s, uint32 **indices, int *n)
{
	int size = 64;
	bool first = true;

	if (!expect(s, '[', "an array of indices was expected"))
		return false;
	*indices = palloc(size * sizeof(uint32));
	*n = 0;
	while (next_element(s, &first))
	{
		double value;

		skip_space(s);
		if (!scan_double(s, &value))
			return false;
		if (value < 0 || value > PG_UINT32_MAX || value != floor(value))
			return fail(s, "a sparse index is not an unsigned 32-bit integer");
		if (*n == size)
		{
			size *= 2;
			*indices = repalloc(*indices, size * sizeof(uint32));
		}
		(*indices)[(*n)++] = (uint32) value;
	}
	return s->reason == NULL;
}

static bool
read_sparse(Scanner *s, PineconeSparse *sparse)
{
	const char *key;
	size_t len;
	bool first = true;
	int nindices = 0;
	int nvalues = 0;
	int dimension = s->dimension;

	if (accept_null(s))
		return true;
	if (!expect(s, '{', "sparse values were expected"))
		return false;
	s->dimension = 0;
	while (next_key(s, &first, &key, &len))
	{
		bool ok;

		if (key_is(key, len, "indices"))
			ok = read_indices(s, &sparse->indices, &nindices);
		else if (key_is(key, len, "values"))
			ok = read_floats(s, &sparse->values, &nvalues);
		else
			ok = skip_value(s);
		if (!ok)
			return false;
	}
	s->dimension = dimension;
	if (s->reason)
		return false;
	if (nindices != nvalues)
		return fail(s, "a sparse vector has not as many indices as values");
	sparse->n = nindices;
	return true;
}

/* Metadata stays text: one copy of it. */
static bool
read_metadata(Scanner *s, PineconeRecord *record)
{
	const char *start;

	if (accept_null(s))
		return true;
	skip_space(s);
	start = s->p;
	if (*start != '{')
		return fail(s, "metadata is not an object");
	if (!skip_value(s))
		return false;
	record->metadata_len = s->p - start;
	record->metadata = palloc(record->metadata_len + METADATA_PADDING);
	memcpy(record->metadata, start, record->metadata_len);
	record->metadata[record->metadata_len] = '\0';
	return true;
}

static bool
read_id(Scanner *s, PineconeRecord *record)
{
	record->id = read_string(s);
	if (record->id == NULL)
		return false;
	record->idlen = strlen(record->id);
	if (record->idlen == 0)
		return fail(s, "the id of a record is empty");
	/* ids are ASCII (API 2025-10); another would not be text here */
	if (GetDatabaseEncoding() != PG_UTF8 && !pg_is_ascii(record->id))
		return fail(s, "the id of a record is not ASCII");
	return true;
}

static bool
read_record(Scanner *s, PineconeRecord *record)
{
	const char *key;
	size_t len;
	bool first = true;

	if (!expect(s, '{', "a record was expected"))
		return false;
	while (next_key(s, &first, &key, &len))
	{
		bool ok;

		if (key_is(key, len, "id"))
			ok = read_id(s, record);
		else if (key_is(key, len, "values"))
			ok = accept_null(s) ||
				 (s->want_values ? read_floats(s, &record->values, &record->nvalues) :
								   skip_floats(s));
		else if (key_is(key, len, "metadata"))
			ok = read_metadata(s, record);
		else if (key_is(key, len, "score"))
		{
			skip_space(s);
			record->has_score = true;
			ok = scan_double(s, &record->score) &&
				 (isfinite(record->score) || fail(s, "a score is not a finite number"));
		}
		else if (key_is(key, len, "sparseValues"))
			ok = s->want_values ? read_sparse(s, &record->sparse) : skip_value(s);
		else
			ok = skip_value(s);
		if (!ok)
			return false;
	}
	if (s->reason == NULL && record->id == NULL)
		return fail(s, "a record has no id");
	return s->reason == NULL;
}

static PineconeRecord *
add_record(PineconePage *page, int *size)
{
	PineconeRecord *record;

	if (page->nrecords == *size)
	{
		*size = Max(*size * 2, 128);
		page->records = page->records ?
							repalloc(page->records, *size * sizeof(PineconeRecord)) :
							palloc(*size * sizeof(PineconeRecord));
	}
	record = &page->records[page->nrecords++];
	memset(record, 0, sizeof(*record));
	return record;
}

/* "matches" of a query, "vectors" of a list */
static bool
read_record_array(Scanner *s, PineconePage *page)
{
	bool first = true;
	int size = 0;

	page->nrecords = 0;
	page->records = NULL;
	if (!expect(s, '[', "an array of records was expected"))
		return false;
	while (next_element(s, &first))
	{
		if (!read_record(s, add_record(page, &size)))
			return false;
	}
	return s->reason == NULL;
}

/* "vectors" of a fetch: the ids are the keys, too */
static bool
read_record_map(Scanner *s, PineconePage *page)
{
	const char *key;
	size_t len;
	bool first = true;
	int size = 0;

	page->nrecords = 0;
	page->records = NULL;
	if (!expect(s, '{', "an object of records was expected"))
		return false;
	while (next_key(s, &first, &key, &len))
	{
		PineconeRecord *record = add_record(page, &size);

		if (!read_record(s, record))
			return false;
		if ((len != record->idlen || memcmp(key, record->id, len) != 0) &&
			memchr(key, '\\', len) == NULL)
			return fail(s, "a record has another id than it is found by");
	}
	return s->reason == NULL;
}

static bool
read_pagination(Scanner *s, PineconePage *page)
{
	const char *key;
	size_t len;
	bool first = true;

	if (accept_null(s))
		return true;
	if (!expect(s, '{', "an object was expected"))
		return false;
	while (next_key(s, &first, &key, &len))
	{
		if (key_is(key, len, "next") && !accept_null(s))
		{
			page->next_token = read_string(s);
			if (page->next_token == NULL)
				return false;
			if (page->next_token[0] == '\0')
				page->next_token = NULL;
		}
		else if (!key_is(key, len, "next") && !skip_value(s))
			return false;
	}
	return s->reason == NULL;
}

static bool
read_usage(Scanner *s, int *read_units)
{
	const char *key;
	size_t len;
	bool first = true;
	double value;

	if (accept_null(s))
		return true;
	if (!expect(s, '{', "an object was expected"))
		return false;
	while (next_key(s, &first, &key, &len))
	{
		skip_space(s);
		if (key_is(key, len, "readUnits") && is_digit(*s->p))
		{
			if (!scan_double(s, &value))
				return false;
			*read_units = (int) Min(value, (double) PG_INT32_MAX);
		}
		else if (!skip_value(s))
			return false;
	}
	return s->reason == NULL;
}

static bool
read_page(Scanner *s, PineconePage *page, int *read_units)
{
	const char *key;
	size_t len;
	bool first = true;
	bool found = false;

	if (!expect(s, '{', "the reply is not a JSON object"))
		return false;
	while (next_key(s, &first, &key, &len))
	{
		bool ok;

		skip_space(s);
		if (key_is(key, len, "matches") || (key_is(key, len, "vectors") && *s->p == '['))
		{
			found = true;
			ok = read_record_array(s, page);
		}
		else if (key_is(key, len, "vectors"))
		{
			found = true;
			ok = read_record_map(s, page);
		}
		else if (key_is(key, len, "pagination"))
			ok = read_pagination(s, page);
		else if (key_is(key, len, "usage"))
			ok = read_usage(s, read_units);
		else if (key_is(key, len, "namespace") && *s->p == '"')
			ok = (page->namespace_ = read_string(s)) != NULL;
		else
			ok = skip_value(s);
		if (!ok)
			return false;
	}
	if (s->reason)
		return false;
	skip_space(s);
	if (s->p != s->end)
	{
		s->reason = "something follows the reply's end";
		return false;
	}
	if (!found)
		s->reason = "the reply holds no records";
	return found;
}

bool
pinecone_decode_page(const char *body, size_t len, bool want_values, PineconePage **page,
					 int *read_units, const char **reason)
{
	Scanner s = {.p = body, .end = body + len, .valid = body, .want_values = want_values};

	*page = palloc0(sizeof(PineconePage));
	*read_units = 0;
	if (read_page(&s, *page, read_units) && check_encoding(&s, s.end))
		return true;
	/* rather than something that is wrong because of that */
	if (!pg_verify_mbstr(PG_UTF8, body, len, true))
		s.reason = "the reply is not valid UTF-8";
	*reason = s.reason;
	return false;
}

/* ---- Metadata ---- */

/*
 * UTF-8 in the database's encoding; NULL when that lacks a character.  It has
 * been verified with the page.
 */
static char *
to_server(char *utf8, int len)
{
	int encoding = GetDatabaseEncoding();
	Oid proc;
	char *text;
	Size size;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || pg_is_ascii(utf8))
		return pg_any_to_server(utf8, len, PG_UTF8);
	proc = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(proc))
		return NULL;
	size = (Size) len * MAX_CONVERSION_GROWTH + 1;
	text = palloc(size);
	if (pg_do_encoding_conversion_buf(proc, PG_UTF8, encoding, (unsigned char *) utf8, len,
									  (unsigned char *) text, size, true) != len)
		return NULL;
	return text;
}

static char *
write_escape(char *out, uint32 code)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*out++ = digits[code >> shift & 15];
	return out;
}

/* JSON text with all but ASCII escaped: good in any encoding. */
static char *
ascii_json(const char *json, size_t len)
{
	char *text = palloc(len * 3 + 1); /* of 2 bytes become 6, of 4 become 12 */
	char *out = text;
	const char *end = json + len;

	while (json < end)
	{
		uint32 code;

		if (!IS_HIGHBIT_SET(*json))
		{
			*out++ = *json++;
			continue;
		}
		code = utf8_to_unicode((const unsigned char *) json);
		json += pg_utf_mblen((const unsigned char *) json);
		if (code < 0x10000)
			out = write_escape(out, code);
		else
		{
			out = write_escape(out, 0xD800 + ((code - 0x10000) >> 10));
			out = write_escape(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
		}
	}
	*out = '\0';
	return text;
}

/* The JSON text from start to here as the value's. */
static bool
set_slice(Scanner *s, PineconeValue *value, const char *start)
{
	char *text = value->no_text ? NULL : to_server(pnstrdup(start, s->p - start), s->p - start);

	value->no_text = text == NULL;
	value->text = text ? text : ascii_json(start, s->p - start);
	value->len = strlen(value->text);
	return true;
}

static bool
read_text(Scanner *s, PineconeValue *value)
{
	const char *start;
	size_t len;
	bool escaped;
	char *utf8;

	if (!scan_string(s, &start, &len, &escaped))
		return false;
	utf8 = decode_string(s, start, len, escaped, &value->no_text);
	if (utf8 == NULL)
		return false;
	if (!value->no_text)
		value->text = to_server(utf8, strlen(utf8));
	value->no_text = value->text == NULL;
	if (value->no_text)
		value->text = ascii_json(start - 1, len + 2);
	value->len = strlen(value->text);
	return true;
}

static bool read_value(Scanner *s, PineconeValue *value);

static bool
read_list(Scanner *s, PineconeValue *value)
{
	const char *start = s->p;
	bool first = true;
	int size = 0;

	if (++s->depth > MAX_DEPTH)
		return fail(s, "metadata is nested too deep");
	s->p++;
	while (next_element(s, &first))
	{
		PineconeValue *item;

		if (value->nitems == size)
		{
			size = Max(size * 2, 8);
			value->items = value->items ?
							   repalloc(value->items, size * sizeof(PineconeValue)) :
							   palloc(size * sizeof(PineconeValue));
		}
		item = &value->items[value->nitems++];
		memset(item, 0, sizeof(PineconeValue));
		if (!read_value(s, item))
			return false;
		value->no_text |= item->no_text;
	}
	s->depth--;
	return s->reason == NULL && set_slice(s, value, start);
}

/* An object stays text; its strings are looked at. */
static bool
read_object(Scanner *s, PineconeValue *value)
{
	const char *start = s->p;
	const char *key;
	size_t len;
	bool first = true;

	if (++s->depth > MAX_DEPTH)
		return fail(s, "metadata is nested too deep");
	s->p++;
	while (next_key(s, &first, &key, &len))
	{
		PineconeValue member = {0};

		if (decode_string(s, key, len, memchr(key, '\\', len) != NULL, &value->no_text) == NULL ||
			!read_value(s, &member))
			return false;
		value->no_text |= member.no_text;
	}
	s->depth--;
	return s->reason == NULL && set_slice(s, value, start);
}

static bool
read_value(Scanner *s, PineconeValue *value)
{
	const char *start;

	skip_space(s);
	start = s->p;
	switch (*start)
	{
		case '"':
			value->kind = PINECONE_VALUE_STRING;
			return read_text(s, value);
		case 't':
		case 'f':
			value->kind = PINECONE_VALUE_BOOL;
			value->boolean = *start == 't';
			return skip_value(s) && set_slice(s, value, start);
		case 'n':
			value->kind = PINECONE_VALUE_NULL;
			return skip_value(s);
		case '{':
			value->kind = PINECONE_VALUE_OBJECT;
			return read_object(s, value);
		case '[':
			value->kind = PINECONE_VALUE_LIST;
			return read_list(s, value);
		default:
			value->kind = PINECONE_VALUE_NUMBER;
			return scan_double(s, &value->number) && set_slice(s, value, start);
	}
}

static bool
read_field(Scanner *s, const char *key, size_t len, PineconeField *field)
{
	bool no_text = false;
	char *name = decode_string(s, key, len, memchr(key, '\\', len) != NULL, &no_text);

	memset(field, 0, sizeof(*field));
	if (name == NULL)
		return false;
	if (!no_text)
		field->name = to_server(name, strlen(name));
	if (field->name == NULL)
		field->json = ascii_json(key - 1, len + 2);
	return read_value(s, &field->value);
}

bool
pinecone_decode_metadata(const char *json, size_t len, PineconeFields **fields,
						 const char **reason)
{
	Scanner s = {.p = json, .end = json + len};
	const char *key;
	size_t keylen;
	bool first = true;
	int size = 0;
	PineconeFields *result = palloc0(sizeof(PineconeFields));

	*fields = result;
	if (!expect(&s, '{', "metadata is not an object"))
	{
		*reason = s.reason;
		return false;
	}
	while (next_key(&s, &first, &key, &keylen))
	{
		if (result->n == size)
		{
			size = Max(size * 2, 8);
			result->fields = result->fields ?
								 repalloc(result->fields, size * sizeof(PineconeField)) :
								 palloc(size * sizeof(PineconeField));
		}
		if (!read_field(&s, key, keylen, &result->fields[result->n++]))
			break;
	}
	*reason = s.reason;
	return s.reason == NULL;
}

bool
pinecone_decode_is_text(const PineconeFields *fields)
{
	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name == NULL || fields->fields[i].value.no_text)
			return false;
	}
	return true;
}
