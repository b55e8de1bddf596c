/*
 * take.c
 *		The control plane: parts that requests have in common.
 */
#include "control.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool
control_bad(Request *r, const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	reply_control_error(r, 400, "INVALID_ARGUMENT", "%s", text);
	free(text);
	return false;
}

bool
control_unread(Request *r, const char *what, const char *field)
{
	return !reply_control_error(r, 422, "UNPROCESSABLE_ENTITY",
								"Failed to deserialize the JSON body into the target type: %s `%s` at line 1 column %zu",
								what, field, r->body.len);
}

bool
control_is_name(Str name)
{
	for (size_t i = 0; i < name.len; i++)
	{
		char c = name.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0 && i + 1 < name.len)))
			return false;
	}
	return name.len > 0;
}

bool
control_split_path(Request *r, Path *path)
{
	size_t at = 1;

	path->count = 0;
	if (r->path.len == 0)
		return false;
	while (at <= r->path.len)
	{
		const char *start = r->path.s + at;
		const char *end = memchr(start, '/', r->path.len - at);
		Str part = {start, end ? (size_t) (end - start) : r->path.len - at};

		if (path->count == 5 || !url_decode(&r->arena, part, false, &path->parts[path->count]))
			return false;
		path->count++;
		at += part.len + 1;
	}
	return true;
}

const JsonValue *
json_present(const JsonValue *object, const char *key)
{
	const JsonValue *v = json_get(object, key);

	return v && v->type != JSON_NULL ? v : NULL;
}

/* An optional string; false: the reply says that it is something else. */
bool
control_take_string(Request *r, const JsonValue *object, const char *key, Str *to)
{
	const JsonValue *v = json_present(object, key);

	if (v && v->type != JSON_STRING)
		return control_unread(r, "invalid type for field", key);
	if (v)
		*to = v->string;
	return true;
}

bool
control_take_dimension(Request *r, const JsonValue *v, int *dimension)
{
	if (v->type != JSON_NUMBER || v->number != floor(v->number))
		return control_unread(r, "invalid type for field", "dimension");
	if (v->number < 1 || v->number > MAX_DIMENSION)
		return control_bad(r, "Dimension must be between 1 and 20000.");
	*dimension = (int) v->number;
	return true;
}

bool
control_take_metric(Request *r, const JsonValue *object, Metric otherwise, Metric *metric)
{
	Str name = STR("");

	if (!control_take_string(r, object, "metric", &name))
		return false;
	if (name.len == 0)
		*metric = otherwise;
	else if (!metric_of_name(name, metric))
		return control_bad(r, "Metric must be one of cosine, euclidean, dotproduct.");
	return true;
}

bool
control_take_protection(Request *r, const JsonValue *body, bool *protected)
{
	Str protection = STR("");

	if (!control_take_string(r, body, "deletion_protection", &protection))
		return false;
	if (protection.len == 0)
		return true;
	*protected = str_is(protection, "enabled");
	return *protected || str_is(protection, "disabled") ||
		   control_bad(r, "deletion_protection must be one of enabled, disabled.");
}

bool
control_check_capacity(Request *r, const JsonValue *capacity)
{
	Str mode = STR("");

	if (!capacity)
		return true;
	if (capacity->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", "read_capacity");
	if (!control_take_string(r, capacity, "mode", &mode))
		return false;
	if (str_is(mode, "Dedicated"))
		return json_present(capacity, "dedicated") || control_unread(r, "missing field", "dedicated");
	return str_is(mode, "OnDemand") || control_bad(r, "The mode of read_capacity must be one of OnDemand, Dedicated.");
}

bool
control_check_tags(Request *r, const JsonValue *tags)
{
	if (!tags)
		return true;
	if (tags->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", "tags");
	for (int i = 0; i < tags->count; i++)
	{
		if (tags->items[i].type != JSON_STRING)
			return control_unread(r, "invalid type for field", "tags");
		if (tags->keys[i].len > 80 || tags->items[i].string.len > 120)
			return control_bad(r, "Tag keys must be at most 80 characters long, and values at most 120.");
	}
	return true;
}

bool
control_set_schema(Request *r, Index *index, const JsonValue *schema)
{
	const JsonValue *fields = json_present(schema, "fields");

	if (!schema)
		return true;
	if (!fields || fields->type != JSON_OBJECT)
		return control_unread(r, "missing field", "fields");
	index->schema_keys = mem_alloc(sizeof(uint32_t) * (size_t) (fields->count + 1));
	for (int i = 0; i < fields->count; i++)
	{
		const JsonValue *filterable = json_get(&fields->items[i], "filterable");

		if (!filterable || filterable->type != JSON_BOOL || !filterable->boolean)
			return !reply_control_error(r, 400, "INVALID_ARGUMENT",
										"Field '%.*s' is set to filterable: false. Only filterable: true is supported.",
										(int) fields->keys[i].len, fields->keys[i].s);
		index->schema_keys[index->nschema_keys++] = metadata_key(fields->keys[i]);
	}
	index->schema = mem_text(schema->raw);
	return true;
}

/* The read capacity as given, with the status that clients look at */
char *
control_capacity(const JsonValue *given)
{
	Buffer b = {0};

	if (!given || given->type != JSON_OBJECT)
		return NULL;
	buffer_add_char(&b, '{');
	for (int i = 0; i < given->count; i++)
	{
		if (str_is(given->keys[i], "status"))
			continue;
		json_add_string(&b, given->keys[i]);
		buffer_add_char(&b, ':');
		buffer_add_str(&b, given->items[i].raw);
		buffer_add_char(&b, ',');
	}
	buffer_add_text(&b, "\"status\":{\"state\":\"Ready\"}}");
	buffer_add_char(&b, '\0');
	return b.data;
}

bool
control_check_keys(Request *r, const JsonValue *object, const char *const *known)
{
	for (int i = 0; i < object->count; i++)
	{
		const char *const *k = known;

		while (*k && !str_is(object->keys[i], *k))
			k++;
		if (!*k)
			return control_unread(r, "unknown field", arena_printf(&r->arena, "%.*s", (int) object->keys[i].len, object->keys[i].s).s);
	}
	return true;
}

const JsonValue *
control_body(Request *r)
{
	const char *error = NULL;
	const JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);

	if (body && body->type == JSON_OBJECT)
		return body;
	control_bad(r, "Failed to parse the request body as JSON: %s", error ? error : "expected an object");
	return NULL;
}
