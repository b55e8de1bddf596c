/*
 * absent.c
 *		Parts of the API that this server does not have: lists of them are
 *		empty, none is found by its name, and none can be made.
 */
#include "control.h"

#include "catalog.h"

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
	Str source = {0};
	Index *index;

	if (!body_string(r, "source", &source))
		return true;
	if (!(index = catalog_find(source)))
		return not_found(r, "Resource %.*s not found", source);
	index_release(index);
	return reply_control_error(r, 400, "INVALID_ARGUMENT", "Collections can be created from pod-based indexes only.");
}

bool
absent_control(Request *r)
{
	bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0;
	Path path;

	if (!control_split_path(r, &path))
		return false;
	if (post && path_is(&path, "collections", 1))
		return make_collection(r);
	if (path_is(&path, "collections", 2))
		return not_found(r, "Resource %.*s not found", path.parts[1]);
	if (!get || !path_is(&path, "collections", 1))
		return false;
	buffer_add_text(reply_body(r), "{\"collections\":[]}");
	return true;
}

bool
absent_data(Request *r)
{
	Path path;

	if (!control_split_path(r, &path))
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
