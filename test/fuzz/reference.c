/*
 * reference.c
 *		json-c, strict: see reference.h.  Without PostgreSQL's headers, which
 *		have a function of the name json_object.
 */
#include <json-c/json.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

#define MAX_DEPTH 128

/* Members of all objects, by the colons that are in no string */
static size_t
count_colons(const char *text, size_t size)
{
	size_t n = 0;
	bool in_string = false;

	for (size_t i = 0; i < size; i++)
	{
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && text[i] == ':')
			n++;
	}
	return n;
}

static size_t
count_members(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_object))
	{
		json_object_object_foreach(value, name, member)
		{
			(void) name;
			n += 1 + count_members(member);
		}
	}
	else if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_members(json_object_array_get_idx(value, i));
	}
	return n;
}

/* Does \u and these two digits, a hexadecimal number's upper byte, begin here? */
static bool
is_escape(const char *p, const char *end, const char *digits)
{
	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' && (p[2] | 0x20) == 'd' && strchr(digits, p[3] | 0x20);
}

/* An escape of half of a surrogate pair, or of U+0000, or that itself, somewhere? */
static bool
is_out_of_comparison(const char *text, size_t size)
{
	const char *end = text + size;

	for (const char *p = text; p < end; p++)
	{
		if (*p == '\0')
			return true;
		if (*p != '\\')
			continue;
		if (is_escape(p, end, "89ab") && is_escape(p + 6, end, "cdef"))
			p += 11;
		else if (is_escape(p, end, "89abcdef") || (end - p >= 6 && strncmp(p, "\\u0000", 6) == 0))
			return true;
		else
			p++;
	}
	return false;
}

struct json_object *
reference_parse(const char *text, size_t size)
{
	struct json_tokener *tokener;
	struct json_object *root;
	size_t end;

	if (size > INT_MAX || is_out_of_comparison(text, size))
		return NULL;
	tokener = json_tokener_new_ex(MAX_DEPTH);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tokener, text, (int) size);
	end = json_tokener_get_parse_end(tokener);
	while (end < size && strchr(" \t\r\n", text[end]))
		end++;
	if (json_tokener_get_error(tokener) != json_tokener_success || end != size ||
		count_members(root) != count_colons(text, size))
	{
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

void
reference_free(struct json_object *root)
{
	json_object_put(root);
}

struct json_object *
reference_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object != NULL && json_object_is_type(object, json_type_object))
		(void) json_object_object_get_ex(object, name, &value);
	return value;
}

bool
reference_is_object(struct json_object *value)
{
	return value != NULL && json_object_is_type(value, json_type_object);
}

bool
reference_is_array(struct json_object *value)
{
	return value != NULL && json_object_is_type(value, json_type_array);
}

bool
reference_is_string(struct json_object *value)
{
	return value != NULL && json_object_is_type(value, json_type_string);
}

bool
reference_is_number(struct json_object *value)
{
	return value != NULL && (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double));
}

int
reference_length(struct json_object *value)
{
	if (reference_is_object(value))
		return json_object_object_length(value);
	return reference_is_array(value) ? (int) json_object_array_length(value) : 0;
}

struct json_object *
reference_item(struct json_object *array, int i)
{
	return json_object_array_get_idx(array, (size_t) i);
}

const char *
reference_string(struct json_object *value)
{
	return json_object_get_string(value);
}

const char *
reference_number(struct json_object *value)
{
	if (json_object_is_type(value, json_type_int))
	{
		int64_t number = json_object_get_int64(value);

		if (number == INT64_MAX || number == INT64_MIN)
			return NULL;
	}
	return json_object_to_json_string(value);
}

void
reference_each(struct json_object *object,
			   void (*visit)(const char *name, struct json_object *value, void *arg), void *arg)
{
	json_object_object_foreach(object, name, value)
		visit(name, value, arg);
}

bool
reference_boolean(struct json_object *value, bool *flag)
{
	if (value == NULL || !json_object_is_type(value, json_type_boolean))
		return false;
	*flag = json_object_get_boolean(value);
	return true;
}
