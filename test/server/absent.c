/*
 * absent.c
 *		Parts of the API that this server does not have: lists of them are
 *		empty, none is found by its name, and none can be made.
 */
#include "control.h"

#include "catalog.h"

typedef struct Path
{
	Str parts[5];
	int count;
} Path;

/* The parts between slashes; false when there are more, or escapes are wrong. */
static bool
split_path(Request *r, Path *path)
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

static bool
path_is(const Path *path, const char *first, int count)
{
	return path->count == count && str_is(path->parts[0], first);
}

static bool
not_found(Request *r, const char *format, Str name)
{
	return reply_control_error(r, 404, "NOT_FOUND", format, (int) name.len, name.s);
}

/* A member of the body, "" when there is none; false: the reply holds the error. */
static bool
body_string(Request *r, const char *key, Str *to)
{
	const char *error = NULL;
	const JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	const JsonValue *value;

	if (!body || body->type != JSON_OBJECT)
		return !reply_control_error(r, 400, "INVALID_ARGUMENT", "Failed to parse the request body as JSON: %s", error ? error : "expected an object");
	value = json_get(body, key);
	if (!value || value->type != JSON_STRING)
		return !reply_control_error(r, 422, "UNPROCESSABLE_ENTITY",
									"Failed to deserialize the JSON body into the target type: missing field `%s`", key);
	*to = value->string;
	return true;
}

/* POST /collections: snapshots are of indexes with pods, of which there are none. */
static bool
make_collection(Request *r)
{
	Str source;
	Index *index;

	if (!body_string(r, "source", &source))
		return true;
	if (!(index = catalog_find(source)))
		return not_found(r, "Resource %.*s not found", source);
	index_release(index);
	return reply_control_error(r, 400, "INVALID_ARGUMENT", "Collections can be created from pod-based indexes only.");
}

/* /indexes/{name}/backups */
static bool
backups_of(Request *r, Str name, bool get)
{
	Index *index = catalog_find(name);

	if (!index)
		return not_found(r, "Resource %.*s not found", name);
	index_release(index);
	if (!get)
		return reply_control_error(r, 400, "INVALID_ARGUMENT", "This server keeps no backups.");
	buffer_add_text(reply_body(r), "{\"data\":[]}");
	return true;
}

bool
absent_control(Request *r)
{
	bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0;
	Path path;

	if (!split_path(r, &path))
		return false;
	if (post && path_is(&path, "collections", 1))
		return make_collection(r);
	if (path_is(&path, "indexes", 3) && str_is(path.parts[2], "backups") && (get || post))
		return backups_of(r, path.parts[1], get);
	if (path_is(&path, "collections", 2) || path_is(&path, "backups", 2) || path_is(&path, "backups", 3) || path_is(&path, "restore-jobs", 2))
		return not_found(r, "Resource %.*s not found", path.parts[1]);
	if (!get)
		return false;
	if (path_is(&path, "collections", 1))
		buffer_add_text(reply_body(r), "{\"collections\":[]}");
	else if (path_is(&path, "backups", 1) || path_is(&path, "restore-jobs", 1))
		buffer_add_text(reply_body(r), "{\"data\":[]}");
	else
		return false;
	return true;
}

bool
absent_data(Request *r)
{
	Path path;

	if (!split_path(r, &path))
		return false;
	if (path.count < 2 || !str_is(path.parts[0], "bulk") || !str_is(path.parts[1], "imports"))
		return false;
	if (path.count > 2)
		return reply_rpc_error(r, 404, RPC_NOT_FOUND, "Import not found");
	if (strcmp(r->method, "GET") != 0)
		return reply_invalid(r, "This server imports no files; it loads them with --load");
	buffer_add_text(reply_body(r), "{\"data\":[]}");
	return true;
}
