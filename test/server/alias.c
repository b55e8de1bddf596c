/*
 * alias.c
 *		Names that stand for namespaces when something is read (API 2026-07).
 *
 * An index keeps its aliases in order of names.  Reads ask alias_resolve() what
 * a name stands for, on every version of the API; the calls that make and change
 * aliases are those of 2026-07 and answer nothing to earlier ones.
 */
#include "alias.h"

#include <stdlib.h>
#include <time.h>

#define MAX_ALIASES 1000
#define MAX_PAGE 100
#define PATH "/namespace-aliases"
#define FIRST_VERSION "2026-07"

_Atomic int alias_delay_ms = 0;

struct Alias
{
	char *name;
	char *target;					/* "" is the default namespace */
	char *before;					/* what reads still see, or NULL */
	int64_t since;					/* when they do not any more */
	int64_t created_at, updated_at; /* wall clock */
};

/* ---- Looking up ---- */

static int
position(const Index *index, Str name, bool *found)
{
	int low = 0, high = index->naliases;

	*found = false;
	while (low < high)
	{
		int middle = (low + high) / 2;
		int c = str_compare(str_of(index->aliases[middle]->name), name);

		if (c == 0)
		{
			*found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static Alias *
find(const Index *index, Str name)
{
	bool found;
	int at = position(index, name, &found);

	return found ? index->aliases[at] : NULL;
}

/* As the API names a namespace */
static Str
shown(const char *namespace)
{
	return namespace[0] ? str_of(namespace) : STR("__default__");
}

Str
alias_resolve(const Index *index, Str name)
{
	const Alias *alias = find(index, name);

	if (!alias)
		return name;
	return shown(alias->before && now_us() < alias->since ? alias->before : alias->target);
}

Str
alias_target(Request *r, Str name)
{
	Str target = alias_resolve(r->index, name);

	return target.s == name.s ? name : arena_printf(&r->arena, "%.*s", (int) target.len, target.s);
}

Str
alias_target_seen(Request *r, Str name)
{
	Str target;

	index_lock_shared(r->index);
	target = alias_target(r, name);
	index_unlock(r->index);
	return target;
}

bool
alias_targets(const Index *index, const Namespace *ns)
{
	for (int i = 0; i < index->naliases; i++)
	{
		if (strcmp(index->aliases[i]->target, ns->name) == 0)
			return true;
	}
	return false;
}

/* ---- Errors: the reason is what clients go by ---- */

static bool
reply_reason(Request *r, int status, RpcCode code, const char *reason, Str target, const char *message)
{
	Buffer *b = reply_body(r);

	r->reply.status = status;
	r->reply.type = "application/json";
	b->len = 0;
	if (r->error_response)
	{
		/* The documents and records API have another shape of errors */
		buffer_printf(b, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"details\":{\"reason\":\"%s\"}},\"status\":%d}",
					  code == RPC_ALREADY_EXISTS ? "ALREADY_EXISTS" : "FAILED_PRECONDITION", message, reason, status);
		return true;
	}
	buffer_printf(b, "{\"code\":%d,\"message\":\"%s\"", code, message);
	buffer_printf(b, ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"%s\",\"domain\":\"pinecone.io\",\"metadata\":{",
				  reason);
	if (target.len > 0)
	{
		buffer_add_text(b, "\"target_namespace\":");
		json_add_string(b, target);
	}
	buffer_add_text(b, "}}]}");
	return true;
}

bool
alias_check_upsert(Request *r, Str name)
{
	return !find(r->index, name) ||
		   !reply_reason(r, 409, RPC_ALREADY_EXISTS, "NAME_IN_USE_BY_ALIAS", STR(""), "The name is in use by a namespace alias");
}

bool
alias_check_write(Request *r, Str name)
{
	return !find(r->index, name) ||
		   !reply_reason(r, r->error_response ? 412 : 400, RPC_FAILED_PRECONDITION, "WRITE_TO_ALIAS", STR(""), "Cannot write through a namespace alias");
}

bool
alias_check_operation(Request *r, Str name)
{
	return !find(r->index, name) ||
		   !reply_reason(r, 400, RPC_FAILED_PRECONDITION, "NAMESPACE_OPERATION_ON_ALIAS", STR(""),
						 "The operation takes a namespace, not an alias");
}

bool
alias_reply_targeted(Request *r)
{
	return reply_reason(r, 400, RPC_FAILED_PRECONDITION, "NAMESPACE_TARGETED_BY_ALIAS", STR(""),
						"The namespace is the target of an alias");
}

static bool
not_found(Request *r)
{
	return reply_reason(r, 404, RPC_NOT_FOUND, "ALIAS_NOT_FOUND", STR(""), "Namespace alias not found");
}

/* Printable ASCII without what URLs and cookies are particular about */
static bool
check_name(Request *r, Str name)
{
	bool good = name.len > 0 && name.len <= 512 && !str_is(name, ".") && !str_is(name, "..") && !str_is(name, "__default__");

	for (size_t i = 0; i < name.len; i++)
		good = good && name.s[i] > ' ' && name.s[i] < 0x7f && !strchr("/?#%&=\\;+", name.s[i]);
	return good || !reply_reason(r, 400, RPC_INVALID_ARGUMENT, "ALIAS_NAME_INVALID", STR(""), "Invalid name of a namespace alias");
}

/* Under a lock: a namespace that there is, and no alias */
static bool
check_target(Request *r, Str target)
{
	const Namespace *ns = namespace_find(r->index, target);

	if (find(r->index, target))
		return !reply_reason(r, 400, RPC_INVALID_ARGUMENT, "TARGET_IS_ALIAS", STR(""), "The target is an alias itself");
	if (namespace_canonical(target).len == 0)
		return true;
	if (!ns)
		return !reply_reason(r, 404, RPC_NOT_FOUND, "TARGET_NAMESPACE_NOT_FOUND", STR(""), "The target namespace does not exist");
	if (!ns->visible && !ns->created)
		return !reply_reason(r, 400, RPC_FAILED_PRECONDITION, "TARGET_NAMESPACE_NOT_ACTIVE", STR(""), "The target namespace is not active");
	return true;
}

/* ---- Changing ---- */

static void
add_time(Buffer *b, const char *name, int64_t at)
{
	char text[32];
	time_t seconds = at / 1000000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_printf(b, ",\"%s\":\"%s.%06dZ\"", name, text, (int) (at % 1000000));
}

static void
write_alias(Buffer *b, const Alias *alias)
{
	buffer_add_text(b, "{\"name\":");
	json_add_string(b, str_of(alias->name));
	buffer_add_text(b, ",\"target_namespace\":");
	json_add_string(b, shown(alias->target));
	add_time(b, "created_at", alias->created_at);
	add_time(b, "updated_at", alias->updated_at);
	buffer_add_char(b, '}');
}

/* Under the exclusive lock; false: the reply holds the error */
static Alias *
add(Request *r, Str name, Str target)
{
	Index *index = r->index;
	bool found;
	int at = position(index, name, &found);
	const Namespace *ns = namespace_find(index, name);
	Alias *alias;

	if (found)
	{
		reply_reason(r, 409, RPC_ALREADY_EXISTS, "ALIAS_ALREADY_EXISTS", shown(index->aliases[at]->target),
					 "The namespace alias exists already");
		return NULL;
	}
	if (ns && (ns->visible || ns->created || ns->lsn > 0))
	{
		reply_reason(r, 409, RPC_ALREADY_EXISTS, "NAME_IN_USE_BY_NAMESPACE", STR(""), "The name is in use by a namespace");
		return NULL;
	}
	if (!check_target(r, target))
		return NULL;
	if (index->naliases >= MAX_ALIASES)
	{
		reply_reason(r, 400, RPC_FAILED_PRECONDITION, "ALIASES_PER_INDEX_EXCEEDED", STR(""), "The index has as many aliases as it may");
		return NULL;
	}
	alias = mem_zero(sizeof(Alias));
	alias->name = mem_text(name);
	alias->target = mem_text(namespace_canonical(target));
	alias->created_at = alias->updated_at = wall_us();
	index->aliases = mem_resize(index->aliases, sizeof(Alias *) * (size_t) (index->naliases + 1));
	memmove(index->aliases + at + 1, index->aliases + at, sizeof(Alias *) * (size_t) (index->naliases - at));
	index->aliases[at] = alias;
	index->naliases++;
	return alias;
}

static void
alias_free(Alias *alias)
{
	free(alias->name);
	free(alias->target);
	free(alias->before);
	free(alias);
}

void
aliases_free(Index *index)
{
	for (int i = 0; i < index->naliases; i++)
		alias_free(index->aliases[i]);
	free(index->aliases);
}

static void
repoint(Alias *alias, Str target)
{
	free(alias->before);
	alias->before = alias->target;
	alias->since = now_us() + (int64_t) alias_delay_ms * 1000;
	alias->target = mem_text(namespace_canonical(target));
	alias->updated_at = wall_us();
}

static void
drop(Index *index, Alias *alias)
{
	bool found;
	int at = position(index, str_of(alias->name), &found);

	index->naliases--;
	memmove(index->aliases + at, index->aliases + at + 1, sizeof(Alias *) * (size_t) (index->naliases - at));
	alias_free(alias);
}

/* ---- The calls ---- */

/* The strings of a body, of which all must be there */
static bool
read_body(Request *r, Str *name, Str *target)
{
	const char *error = NULL;
	const JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);

	if (!body || body->type != JSON_OBJECT)
		return !reply_not_json(r, error ? error : "expected an object");
	for (int i = 0; i < body->count; i++)
	{
		Str *to = name && str_is(body->keys[i], "name") ? name : str_is(body->keys[i], "target_namespace") ? target :
																											 NULL;

		if (!to)
			return unknown_field(r, body->keys[i]);
		if (body->items[i].type != JSON_STRING)
			return !reply_invalid(r, "'%.*s' must be a string", (int) body->keys[i].len, body->keys[i].s);
		*to = body->items[i].string;
	}
	if (name && !name->s)
		return !reply_invalid(r, "'name' must be given");
	if (!target->s || target->len == 0)
		return !reply_invalid(r, "'target_namespace' must be given");
	return check_namespace(r, *target);
}

static bool
create(Request *r)
{
	Str name = {0}, target = {0};
	Alias *alias;

	if (!read_body(r, &name, &target) || !check_name(r, name))
		return true;
	index_lock(r->index);
	alias = add(r, name, target);
	if (alias)
		write_alias(reply_body(r), alias);
	index_unlock(r->index);
	return true;
}

static bool
list(Request *r)
{
	Buffer *b = reply_body(r);
	const Param *name = request_param(r, "name"), *target = request_param(r, "targetNamespace");
	Listing l;

	if (!listing_begin(r, MAX_PAGE, (target ? hash_bytes(target->value.s, target->value.len) : 0) + 7, &l))
		return true;
	buffer_add_text(b, "{\"namespace_aliases\":[");
	index_lock_shared(r->index);
	for (int i = 0; i < r->index->naliases; i++)
	{
		const Alias *alias = r->index->aliases[i];
		Str of = str_of(alias->name);

		if ((name && !str_equal(name->value, of)) ||
			(target && !str_equal(namespace_canonical(target->value), str_of(alias->target))))
			continue;
		if (listing_takes(b, &l, of, of))
			write_alias(b, alias);
	}
	listing_end(b, &l);
	index_unlock(r->index);
	return true;
}

static bool
one(Request *r)
{
	Str name = {0}, target = {0};
	bool patch = strcmp(r->method, "PATCH") == 0, delete = strcmp(r->method, "DELETE") == 0;
	Alias *alias;

	if (!patch && !delete &&strcmp(r->method, "GET") != 0)
		return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
	if (!url_decode(&r->arena, (Str){r->path.s + strlen(PATH) + 1, r->path.len - strlen(PATH) - 1}, false, &name))
		return reply_invalid(r, "Invalid alias in the path");
	if (patch && !read_body(r, NULL, &target))
		return true;
	index_lock(r->index);
	alias = find(r->index, name);
	if (!alias)
		not_found(r);
	else if (delete)
	{
		drop(r->index, alias);
		buffer_add_text(reply_body(r), "{}");
	}
	else if (!patch || check_target(r, target))
	{
		if (patch && !str_equal(namespace_canonical(target), str_of(alias->target)))
			repoint(alias, target);
		write_alias(reply_body(r), alias);
	}
	index_unlock(r->index);
	return true;
}

bool
alias_is_path(Str path)
{
	size_t n = strlen(PATH);

	return path.len >= n && memcmp(path.s, PATH, n) == 0 && (path.len == n || (path.s[n] == '/' && path.len > n + 1));
}

bool
aliases_respond(Request *r)
{
	if (!r->version || strcmp(r->version, FIRST_VERSION) < 0)
		return reply_rpc_error(r, 404, RPC_NOT_FOUND, "Not Found");
	if (!str_is(r->path, PATH))
		return one(r);
	if (strcmp(r->method, "GET") == 0)
		return list(r);
	if (strcmp(r->method, "POST") == 0)
		return create(r);
	return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
}

/* ---- Files ---- */

bool
aliases_load(Request *r, Str name, Str target)
{
	bool good;

	if (!check_name(r, name) || !check_namespace(r, target))
		return false;
	index_lock(r->index);
	good = add(r, name, target) != NULL;
	index_unlock(r->index);
	return good;
}

void
aliases_save(Buffer *b, const Index *index)
{
	for (int i = 0; i < index->naliases; i++)
	{
		buffer_add_text(b, "{\"index\":");
		json_add_string(b, str_of(index->name));
		buffer_add_text(b, ",\"alias\":");
		json_add_string(b, str_of(index->aliases[i]->name));
		buffer_add_text(b, ",\"target_namespace\":");
		json_add_string(b, shown(index->aliases[i]->target));
		buffer_add_text(b, "}\n");
	}
}
