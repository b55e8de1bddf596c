/*
 * decode_metadata.c
 *		A record's metadata, split into fields.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/string.h"
#include "mb/pg_wchar.h"

#include "wire/decode.h"
#include "wire/number.h"
#include "wire/scanner.h"

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

	if (encoding == PG_UTF8)
		return utf8;
	if (encoding == PG_SQL_ASCII || pg_is_ascii(utf8))
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
set_slice(PineconeScanner *s, PineconeValue *value, const char *start)
{
	char *text = value->no_text ? NULL : to_server(pnstrdup(start, s->p - start), s->p - start);

	value->no_text = text == NULL;
	value->text = text ? text : ascii_json(start, s->p - start);
	value->len = strlen(value->text);
	return true;
}

static bool
read_text(PineconeScanner *s, PineconeValue *value)
{
	const char *start;
	size_t len;
	bool escaped;
	char *utf8;

	if (!pinecone_scanner_scan_string(s, &start, &len, &escaped))
		return false;
	utf8 = pinecone_scanner_decode_string(s, start, len, escaped, &value->no_text);
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

static bool read_value(PineconeScanner *s, PineconeValue *value);

static bool
read_list(PineconeScanner *s, PineconeValue *value)
{
	const char *start = s->p;
	bool first = true;
	int size = 0;

	if (++s->depth > PINECONE_MAX_DEPTH)
		return pinecone_scanner_fail(s, "metadata is nested too deep");
	s->p++;
	while (pinecone_scanner_next_element(s, &first))
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
read_object(PineconeScanner *s, PineconeValue *value)
{
	const char *start = s->p;
	const char *key;
	size_t len;
	bool first = true;

	if (++s->depth > PINECONE_MAX_DEPTH)
		return pinecone_scanner_fail(s, "metadata is nested too deep");
	s->p++;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		PineconeValue member = {0};

		if (pinecone_scanner_decode_string(s, key, len, memchr(key, '\\', len) != NULL, &value->no_text) == NULL ||
			!read_value(s, &member))
			return false;
		value->no_text |= member.no_text;
	}
	s->depth--;
	return s->reason == NULL && set_slice(s, value, start);
}

static bool
read_value(PineconeScanner *s, PineconeValue *value)
{
	const char *start;

	pinecone_scanner_skip_space(s);
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
			return pinecone_scanner_skip_value(s) && set_slice(s, value, start);
		case 'n':
			value->kind = PINECONE_VALUE_NULL;
			return pinecone_scanner_skip_value(s);
		case '{':
			value->kind = PINECONE_VALUE_OBJECT;
			return read_object(s, value);
		case '[':
			value->kind = PINECONE_VALUE_LIST;
			return read_list(s, value);
		default:
			value->kind = PINECONE_VALUE_NUMBER;
			return pinecone_scanner_read_double(s, &value->number) && set_slice(s, value, start);
	}
}

static bool
read_field(PineconeScanner *s, const char *key, size_t len, PineconeField *field)
{
	bool no_text = false;
	char *name = pinecone_scanner_decode_string(s, key, len, memchr(key, '\\', len) != NULL, &no_text);

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
	PineconeScanner s = {.p = json, .end = json + len};
	const char *key;
	size_t keylen;
	bool first = true;
	int size = 0;
	PineconeFields *result = palloc0(sizeof(PineconeFields));

	*fields = result;
	if (!pinecone_scanner_expect(&s, '{', "metadata is not an object"))
	{
		*reason = s.reason;
		return false;
	}
	while (pinecone_scanner_next_key(&s, &first, &key, &keylen))
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
