/*
 * json.c
 *		Reading and writing JSON.
 */
#include "json.h"

#include "number.h"

#define MAX_DEPTH 64

JsonReader
json_reader(Str text, Arena *arena)
{
	/* a request without a body has no text at all */
	if (text.s == NULL)
		text = STR("");
	return (JsonReader){.at = text.s, .start = text.s, .end = text.s + text.len, .arena = arena};
}

bool
json_fail(JsonReader *r, const char *error)
{
	if (!r->error)
		r->error = error;
	r->at = r->end;
	return false;
}

static inline void
skip_space(JsonReader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
		r->at++;
}

char
json_peek(JsonReader *r)
{
	skip_space(r);
	return r->at < r->end ? *r->at : '\0';
}

static inline bool
take(JsonReader *r, char c)
{
	skip_space(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

bool
json_finish(JsonReader *r)
{
	skip_space(r);
	if (!r->error && r->at != r->end)
		json_fail(r, "unexpected text after the end");
	return !r->error;
}

bool
json_begin(JsonReader *r, char bracket)
{
	if (!take(r, bracket))
		return json_fail(r, bracket == '{' ? "expected an object" : "expected an array");
	return true;
}

/* Comma or closing bracket; true when something follows. */
static inline bool
next(JsonReader *r, bool *first, char close)
{
	skip_space(r);
	if (r->at < r->end && *r->at == close)
	{
		r->at++;
		return false;
	}
	if (!*first && !take(r, ','))
		return json_fail(r, "expected a comma or the end of an object or array");
	*first = false;
	return true;
}

bool
json_next_key(JsonReader *r, bool *first, Str *key)
{
	if (!next(r, first, '}') || !json_read_string(r, key))
		return false;
	if (!take(r, ':'))
		return json_fail(r, "expected a colon");
	return true;
}

bool
json_next_item(JsonReader *r, bool *first)
{
	return next(r, first, ']');
}

static int
hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char c = p[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v * 16 + (c | 32) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

static char *
write_utf8(char *out, int c)
{
	if (c < 0x80)
		*out++ = (char) c;
	else if (c < 0x800)
	{
		*out++ = (char) (0xc0 | c >> 6);
		*out++ = (char) (0x80 | (c & 63));
	}
	else if (c < 0x10000)
	{
		*out++ = (char) (0xe0 | c >> 12);
		*out++ = (char) (0x80 | (c >> 6 & 63));
		*out++ = (char) (0x80 | (c & 63));
	}
	else
	{
		*out++ = (char) (0xf0 | c >> 18);
		*out++ = (char) (0x80 | (c >> 12 & 63));
		*out++ = (char) (0x80 | (c >> 6 & 63));
		*out++ = (char) (0x80 | (c & 63));
	}
	return out;
}

/* Length of the UTF-8 sequence at p, 0 when it is not one. */
static int
utf8_length(const unsigned char *p, const unsigned char *end)
{
	int n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 :
						  p[0] < 0xe0	  ? 2 :
						  p[0] < 0xf0	  ? 3 :
						  p[0] < 0xf5	  ? 4 :
											0;

	if (end - p < n)
		return 0;
	for (int i = 1; i < n; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, beyond U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* One escape at p, after the backslash; returns its end, NULL when it is wrong. */
static const char *
read_escape(const char *p, const char *end, char **out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	int c, low;

	if (p == end)
		return NULL;
	if (*p != 'u')
	{
		letter = *p ? strchr(letters, *p) : NULL;
		if (!letter)
			return NULL;
		*(*out)++ = meanings[letter - letters];
		return p + 1;
	}
	c = hex4(p + 1, end);
	p += 5;
	if (c < 0)
		return NULL;
	/* Half of a surrogate pair stays what it is */
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u')
	{
		low = hex4(p + 2, end);
		if (low >= 0xdc00 && low < 0xe000)
		{
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p += 6;
		}
	}
	*out = write_utf8(*out, c);
	return p;
}

/* A string without escapes is a part of the body; one with escapes is made anew in the arena. */
bool
json_read_string(JsonReader *r, Str *value)
{
	const char *p, *start;
	bool escapes = false;
	char *out;

	skip_space(r);
	if (r->at == r->end || *r->at != '"')
		return json_fail(r, "expected a string");
	start = p = r->at + 1;
	while (p < r->end && *p != '"')
	{
		int n = utf8_length((const unsigned char *) p, (const unsigned char *) r->end);

		if (n == 0)
			return json_fail(r, "invalid UTF-8 in a string");
		if ((unsigned char) *p < 0x20)
			return json_fail(r, "control character in a string");
		if (*p == '\\')
		{
			escapes = true;
			n = r->end - p > 1 && (unsigned char) p[1] < 0x80 ? 2 : 1;
		}
		p += n;
	}
	if (p >= r->end)
		return json_fail(r, "string without an end");
	r->at = p + 1;
	*value = (Str){start, (size_t) (p - start)};
	if (!escapes)
		return true;

	/* Never longer than it was written */
	value->s = out = arena_alloc(r->arena, value->len);
	for (const char *q = start; q < p;)
	{
		if (*q != '\\')
			*out++ = *q++;
		else if (!(q = read_escape(q + 1, p, &out)))
			return json_fail(r, "invalid escape in a string");
	}
	value->len = (size_t) (out - value->s);
	return true;
}

static bool
read_word(JsonReader *r, const char *word)
{
	size_t len = strlen(word);

	skip_space(r);
	if ((size_t) (r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

bool
json_read_bool(JsonReader *r, bool *value)
{
	*value = json_peek(r) == 't';
	return read_word(r, *value ? "true" : "false") || json_fail(r, "expected true or false");
}

bool
json_read_null(JsonReader *r)
{
	return read_word(r, "null") || json_fail(r, "expected null");
}

bool
json_read_double(JsonReader *r, double *value)
{
	skip_space(r);
	return number_read_double(&r->at, r->end, value) || json_fail(r, "expected a number");
}

bool
json_read_float(JsonReader *r, float *value)
{
	skip_space(r);
	return number_read_float(&r->at, r->end, value) || json_fail(r, "expected a number that a float can hold");
}

/* Skip a value, nested no deeper than the limit; *raw is its text. */
bool
json_skip(JsonReader *r, Str *raw)
{
	bool first = true, boolean;
	double number;
	Str s;
	const char *start;

	json_peek(r);
	start = r->at;
	if (++r->depth > MAX_DEPTH)
		return json_fail(r, "nested too deeply");
	switch (json_peek(r))
	{
		case '{':
			json_begin(r, '{');
			while (json_next_key(r, &first, &s) && json_skip(r, NULL))
				;
			break;
		case '[':
			json_begin(r, '[');
			while (json_next_item(r, &first) && json_skip(r, NULL))
				;
			break;
		case '"':
			json_read_string(r, &s);
			break;
		case 't':
		case 'f':
			json_read_bool(r, &boolean);
			break;
		case 'n':
			json_read_null(r);
			break;
		default:
			json_read_double(r, &number);
	}
	r->depth--;
	if (raw)
		*raw = (Str){start, (size_t) (r->at - start)};
	return !r->error;
}

/* Room for one more item, and its key in an object. */
static JsonValue *
add_item(JsonReader *r, JsonValue *value, bool keyed, int *size)
{
	if (value->count == *size)
	{
		JsonValue *items = arena_alloc(r->arena, sizeof(JsonValue) * (size_t) (*size ? *size * 2 : 4));
		Str *keys = keyed ? arena_alloc(r->arena, sizeof(Str) * (size_t) (*size ? *size * 2 : 4)) : NULL;

		if (value->count)
		{
			memcpy(items, value->items, sizeof(JsonValue) * (size_t) value->count);
			if (keyed)
				memcpy(keys, value->keys, sizeof(Str) * (size_t) value->count);
		}
		value->items = items;
		value->keys = keys;
		*size = *size ? *size * 2 : 4;
	}
	return &value->items[value->count++];
}

/* Read a value of any kind into a tree, no deeper than the limit. */
bool
json_read_value(JsonReader *r, JsonValue *value)
{
	bool first = true;
	int size = 0;
	Str key;

	*value = (JsonValue){0};
	json_peek(r);
	value->raw.s = r->at;
	if (++r->depth > MAX_DEPTH)
		return json_fail(r, "nested too deeply");
	switch (json_peek(r))
	{
		case '{':
			value->type = JSON_OBJECT;
			json_begin(r, '{');
			while (json_next_key(r, &first, &key))
			{
				JsonValue *item = add_item(r, value, true, &size);

				value->keys[value->count - 1] = key;
				if (!json_read_value(r, item))
					break;
			}
			break;
		case '[':
			value->type = JSON_ARRAY;
			json_begin(r, '[');
			while (json_next_item(r, &first) && json_read_value(r, add_item(r, value, false, &size)))
				;
			break;
		case '"':
			value->type = JSON_STRING;
			json_read_string(r, &value->string);
			break;
		case 't':
		case 'f':
			value->type = JSON_BOOL;
			json_read_bool(r, &value->boolean);
			break;
		case 'n':
			json_read_null(r);
			break;
		default:
			value->type = JSON_NUMBER;
			json_read_double(r, &value->number);
	}
	r->depth--;
	value->raw.len = (size_t) (r->at - value->raw.s);
	return !r->error;
}

JsonValue *
json_parse(Str text, Arena *arena, const char **error)
{
	JsonReader r = json_reader(text, arena);
	JsonValue *value = arena_alloc(arena, sizeof(JsonValue));

	if (json_read_value(&r, value) && json_finish(&r))
		return value;
	if (error)
		*error = r.error;
	return NULL;
}

JsonValue *
json_get(const JsonValue *object, const char *key)
{
	JsonValue *found = NULL;

	/* Of several with one name the last counts */
	for (int i = 0; object && object->type == JSON_OBJECT && i < object->count; i++)
	{
		if (str_is(object->keys[i], key))
			found = &object->items[i];
	}
	return found;
}

static const char digits[] = "0123456789abcdef";

static char *
add_surrogate(char *out, const unsigned char *p)
{
	int c = 0xd000 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);

	*out++ = '\\';
	*out++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*out++ = digits[c >> shift & 15];
	return out;
}

/*
 * Append a string as JSON. Bytes that are not ASCII go as they are: what came in
 * was checked to be UTF-8.
 */
void
json_add_string(Buffer *b, Str s)
{
	static const char names[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	char *out;

	buffer_reserve(b, s.len * 6 + 2);
	out = b->data + b->len;
	*out++ = '"';
	for (size_t i = 0; i < s.len; i++)
	{
		unsigned char c = (unsigned char) s.s[i];

		if (c == 0xed && i + 2 < s.len && ((unsigned char) s.s[i + 1] & 0xe0) == 0xa0)
		{
			/* Half of a surrogate pair, which no UTF-8 can show */
			out = add_surrogate(out, (const unsigned char *) s.s + i);
			i += 2;
		}
		else if (c >= 0x20 && c != '"' && c != '\\')
			*out++ = (char) c;
		else
		{
			*out++ = '\\';
			if (c >= 0x20)
				*out++ = (char) c;
			else if (names[c])
				*out++ = names[c];
			else
			{
				memcpy(out, "u00", 3);
				out[3] = digits[c >> 4];
				out[4] = digits[c & 15];
				out += 5;
			}
		}
	}
	*out++ = '"';
	b->len = (size_t) (out - b->data);
}

void
json_add_any_string(Buffer *b, Str s)
{
	Buffer clean = {0};

	for (size_t i = 0; i < s.len;)
	{
		int n = utf8_length((const unsigned char *) s.s + i, (const unsigned char *) s.s + s.len);

		if (n > 0)
			buffer_add(&clean, s.s + i, (size_t) n);
		else
			buffer_add_text(&clean, "\xef\xbf\xbd");
		i += n > 0 ? (size_t) n : 1;
	}
	json_add_string(b, (Str){clean.data, clean.len});
	buffer_free(&clean);
}

void
json_add_double(Buffer *b, double value)
{
	buffer_reserve(b, NUMBER_MAX);
	b->len = (size_t) (number_write_double(b->data + b->len, value) - b->data);
}

void
json_add_float(Buffer *b, float value)
{
	buffer_reserve(b, NUMBER_MAX);
	b->len = (size_t) (number_write_float(b->data + b->len, value) - b->data);
}

void
json_add_widened(Buffer *b, float value)
{
	buffer_reserve(b, NUMBER_MAX);
	b->len = (size_t) (number_write_widened(b->data + b->len, value) - b->data);
}
