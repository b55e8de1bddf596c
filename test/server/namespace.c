/*
 * namespace.c
 *		Namespaces: list, create, describe, delete.
 */
#include "alias.h"
#include "request.h"
#include "settings.h"

#include <stdlib.h>

#define MAX_FIELDS 50

static void
write_namespace(Buffer *b, const Namespace *ns)
{
	buffer_add_text(b, "{\"name\":");
	json_add_string(b, ns->name[0] ? str_of(ns->name) : STR("__default__"));
	/* A 64-bit number, so in quotes */
	buffer_printf(b, ",\"record_count\":\"%u\"", ns->count);
	if (ns->schema)
	{
		buffer_printf(b, ",\"schema\":%s,\"indexed_fields\":{\"fields\":[", ns->schema);
		for (int i = 0; i < ns->nschema_keys; i++)
		{
			if (i > 0)
				buffer_add_char(b, ',');
			json_add_string(b, metadata_key_name(ns->schema_keys[i]));
		}
		buffer_add_text(b, "]}");
	}
	buffer_printf(b, ",\"size_bytes\":\"%zu\"}", ns->bytes);
}

static bool
is_shown(const Namespace *ns)
{
	return ns->visible || ns->created;
}

static bool
list(Request *r)
{
	Buffer *b = reply_body(r);
	Listing l;

	if (!listing_begin(r, sizes.page, 1, &l))
		return true;
	buffer_add_text(b, "{\"namespaces\":[");
	index_lock_shared(r->index);
	for (int i = 0; i < r->index->nnamespaces; i++)
	{
		const Namespace *ns = r->index->namespaces[i];
		Str name = str_of(ns->name);

		if (is_shown(ns) && listing_takes(b, &l, name.len > 0 ? name : STR("__default__"), name))
			write_namespace(b, ns);
	}
	listing_end(b, &l);
	index_unlock(r->index);
	return true;
}

/*
 * {"fields": {"genre": {"filterable": true}}}: check it, and take its keys.
 * False: the reply holds the error.
 */
static bool
read_schema(Request *r, const JsonValue *schema, uint32_t **keys, int *nkeys)
{
	const JsonValue *fields = json_get(schema, "fields");

	*nkeys = 0;
	if (!fields || fields->type != JSON_OBJECT)
		return !reply_invalid(r, "schema must contain 'fields'");
	if (fields->count > MAX_FIELDS)
		return !reply_invalid(r, "schema has %d fields, which exceeds the limit of %d", fields->count, MAX_FIELDS);
	*keys = arena_alloc(&r->arena, sizeof(uint32_t) * (size_t) (fields->count + 1));
	for (int i = 0; i < fields->count; i++)
	{
		const JsonValue *filterable = json_get(&fields->items[i], "filterable");

		if (!filterable || filterable->type != JSON_BOOL || !filterable->boolean)
			return !reply_invalid(r, "Field '%.*s' is set to filterable: false. Only filterable: true is supported.",
								  (int) fields->keys[i].len, fields->keys[i].s);
		(*keys)[(*nkeys)++] = metadata_key(fields->keys[i]);
	}
	return true;
}

/* Under the exclusive lock; takes nothing over. */
static void
set_schema(Namespace *ns, const JsonValue *schema, const uint32_t *keys, int nkeys)
{
	ns->schema = mem_text(schema->raw);
	ns->schema_keys = mem_copy(keys, sizeof(uint32_t) * (size_t) nkeys);
	ns->nschema_keys = nkeys;
}

static bool
create(Request *r)
{
	const char *error = NULL;
	JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	const JsonValue *name = json_get(body, "name");
	const JsonValue *schema = json_get(body, "schema");
	uint32_t *keys = NULL;
	int nkeys = 0;
	Namespace *ns;

	if (!body || body->type != JSON_OBJECT)
		return reply_not_json(r, error ? error : "expected an object");
	if (!name || name->type != JSON_STRING || name->string.len == 0)
		return reply_invalid(r, "Namespace name must not be empty");
	if (!check_namespace(r, name->string))
		return true;
	if (str_is(name->string, "__default__"))
		return reply_invalid(r, "Namespace name '__default__' is reserved");
	if (schema && schema->type != JSON_NULL && !read_schema(r, schema, &keys, &nkeys))
		return true;
	index_lock(r->index);
	ns = namespace_find(r->index, name->string);
	if (!alias_check_upsert(r, name->string))
		;
	else if (ns && is_shown(ns))
		reply_rpc_error(r, 409, RPC_ALREADY_EXISTS, "Namespace already exists");
	else
	{
		ns = namespace_make(r->index, name->string);
		ns->created = true;
		if (keys)
			set_schema(ns, schema, keys, nkeys);
		write_namespace(reply_body(r), ns);
	}
	index_unlock(r->index);
	return true;
}

bool
namespaces_load(Request *r, Str name, const JsonValue *schema)
{
	uint32_t *keys = NULL;
	int nkeys = 0;
	Namespace *ns;

	if (!check_namespace(r, name) || (schema && !read_schema(r, schema, &keys, &nkeys)))
		return false;
	index_lock(r->index);
	ns = namespace_make(r->index, name);
	ns->created = true;
	if (keys && !ns->schema)
		set_schema(ns, schema, keys, nkeys);
	index_unlock(r->index);
	return true;
}

/* /namespaces: list, create, describe and delete. */
bool
namespaces_respond(Request *r)
{
	Str name = {0};
	Namespace *ns;
	bool describe = strcmp(r->method, "GET") == 0;

	if (str_is(r->path, "/namespaces"))
	{
		if (describe)
			return list(r);
		if (strcmp(r->method, "POST") == 0)
			return create(r);
		return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
	}
	/* The path was left as sent, for a name may have slashes in it */
	if (!url_decode(&r->arena, (Str){r->path.s + 12, r->path.len - 12}, false, &name) || !check_namespace(r, name))
		return r->reply.status ? true : reply_invalid(r, "Invalid namespace in the path");
	if (!describe && strcmp(r->method, "DELETE") != 0)
		return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
	index_lock(r->index);
	ns = namespace_find(r->index, name);
	/* The default one is always there */
	if (!ns && describe && namespace_canonical(name).len == 0)
		ns = namespace_make(r->index, name);
	if (!alias_check_operation(r, name))
		;
	else if (!ns || (!is_shown(ns) && !(describe && ns->name[0] == '\0')))
		reply_rpc_error(r, 404, RPC_NOT_FOUND, "Namespace not found");
	else if (describe)
		write_namespace(reply_body(r), ns);
	else if (alias_targets(r->index, ns))
		alias_reply_targeted(r);
	else
	{
		namespace_remove(r->index, ns);
		buffer_add_text(reply_body(r), "{}");
	}
	index_unlock(r->index);
	return true;
}
