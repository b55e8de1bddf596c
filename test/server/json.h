/*
 * json.h
 *		Reads JSON in one pass or as a tree, and writes it.
 *
 * A reader goes once over the text; the caller asks for what it expects next.
 * After the first error every call fails, so that it is enough to look at the
 * end.  json_read_value makes a tree of what comes next, for what is small or
 * needed in another order.
 */
#ifndef JSON_H
#define JSON_H

#include "util.h"

typedef struct JsonReader
{
	const char *at;
	const char *end;
	const char *start;
	const char *error; /* NULL while all is well */
	Arena *arena;	   /* strings with escapes, trees */
	int depth;
} JsonReader;

typedef enum JsonType
{
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
} JsonType;

typedef struct JsonValue JsonValue;
struct JsonValue
{
	JsonType type;
	bool boolean;
	double number;
	Str string;
	/* Arrays and objects; keys is NULL for an array */
	JsonValue *items;
	Str *keys;
	int count;
	Str raw; /* as it was written */
};

extern JsonReader json_reader(Str text, Arena *arena);
extern bool json_fail(JsonReader *r, const char *error);
/* Nothing but space is left */
extern bool json_finish(JsonReader *r);

/* The first byte of what comes next, 0 at the end */
extern char json_peek(JsonReader *r);
/* Begin an object or array; then a key or element at a time until false */
extern bool json_begin(JsonReader *r, char bracket);
extern bool json_next_key(JsonReader *r, bool *first, Str *key);
extern bool json_next_item(JsonReader *r, bool *first);

extern bool json_read_string(JsonReader *r, Str *value);
extern bool json_read_bool(JsonReader *r, bool *value);
extern bool json_read_null(JsonReader *r);
extern bool json_read_double(JsonReader *r, double *value);
extern bool json_read_float(JsonReader *r, float *value);
/* Check and skip; raw may be NULL */
extern bool json_skip(JsonReader *r, Str *raw);
extern bool json_read_value(JsonReader *r, JsonValue *value);

/* A whole text as a tree; NULL and a message when it is not JSON */
extern JsonValue *json_parse(Str text, Arena *arena, const char **error);
extern JsonValue *json_get(const JsonValue *object, const char *key);

extern void json_add_string(Buffer *b, Str s);
/* Text that may be anything: what is not UTF-8 becomes U+FFFD */
extern void json_add_any_string(Buffer *b, Str s);
extern void json_add_double(Buffer *b, double value);
extern void json_add_float(Buffer *b, float value);
/* A float as the double that it is: 0.4 as 0.4000000059604645 */
extern void json_add_widened(Buffer *b, float value);

#endif
