/*
 * doc_read.c
 *		Documents: which call it is; fetch and list.
 */
#include "document.h"

#include "alias.h"
#include "facts.h"
#include "filter.h"
#include "limits.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>

#define MAX_PREFIX 512

/* ---- Parts that several calls have in common ---- */

/* Read include_fields: null, or a list of names, "*" among them for all. */
bool
read_projection(Request *r, JsonReader *j, Projection *p)
{
	JsonValue list;

	if (is_null(j))
		return true;
	if (!json_read_value(j, &list))
		return false;
	if (list.type != JSON_ARRAY)
		return !reply_invalid(r, "include_fields must be a list of names");
	p->keys = arena_alloc(&r->arena, sizeof(uint32_t) * (size_t) (list.count + 1));
	p->nkeys = 0;
	p->all = false;
	for (int i = 0; i < list.count; i++)
	{
		Str name = list.items[i].string;
		const SchemaField *f;

		if (list.items[i].type != JSON_STRING)
			return !reply_invalid(r, "include_fields must be a list of names");
		f = schema_find_name(r->index->fields, name);
		if (f && f->dropped)
			return !reply_invalid(r, "Field '%s' cannot be included: its text is not stored (store_text is false)", f->name);
		if (str_is(name, "*"))
			p->all = true;
		else if (!str_is(name, "_id"))
		{
			uint32_t key = metadata_key(name);
			bool twice = false;

			for (int k = 0; k < p->nkeys && !twice; k++)
				twice = p->keys[k] == key;
			if (!twice)
				p->keys[p->nkeys++] = key;
		}
		p->named = true;
	}
	return true;
}

bool
projection_check(Request *r, const Namespace *ns, const Projection *p)
{
	for (int i = 0; ns && fact(FACT_UNKNOWN_FIELD) && i < p->nkeys; i++)
	{
		bool known = schema_find(r->index->fields, p->keys[i]) != NULL;
		Str name = metadata_key_name(p->keys[i]);

		for (uint32_t row = 0; row < ns->count && !known; row++)
			known = metadata_find(ns->rows[row]->metadata, p->keys[i]) != NULL;
		if (!known)
			return !reply_invalid(r, "Field '%.*s' in include_fields does not exist", (int) name.len, name.s);
	}
	return true;
}

void
document_write_end(Request *r, Str namespace, unsigned read_units, int tokens)
{
	Buffer *b = reply_body(r);

	buffer_add_text(b, ",\"namespace\":");
	json_add_string(b, namespace);
	buffer_printf(b, ",\"usage\":{\"read_units\":%u,\"egress_bytes\":%zu", read_units, b->len + r->reply.forgotten);
	if (tokens)
		buffer_printf(b, ",\"embed_total_tokens\":%d", tokens);
	buffer_add_text(b, "}}");
}

void
document_forget_excess(Request *r)
{
	if (!fact(FACT_RESULT_LIMIT))
		reply_forget_excess(r);
}

bool
document_limit_result(Request *r)
{
	return fact(FACT_RESULT_LIMIT) || reply_limit_result(r);
}

void
document_add_lsn(Request *r, const Namespace *ns, bool is_search)
{
	r->reply.has_indexed_lsn = !fact(FACT_DOCUMENT_LSN) && (is_search ? settings.lsn_headers != LSN_NEVER : settings.lsn_headers == LSN_EVERYWHERE);
	r->reply.indexed_lsn = ns ? ns->applied_lsn : 0;
}

bool
document_read_filter(Request *r, const JsonValue *json, bool allow_match, bool allow_empty, Filter **filter)
{
	Str message;

	if (!json || json->type == JSON_NULL)
		return true;
	*filter = filter_compile_documents(json, r->index->fields, allow_match, &r->arena, &message);
	if (!*filter)
		return !reply_invalid(r, "%.*s", (int) message.len, message.s);
	if (!filter_is_empty(*filter))
		return true;
	if (!allow_empty)
		return !reply_invalid(r, "The 'filter' field must be a non-empty object when it is given.");
	filter_free(*filter);
	*filter = NULL;
	return true;
}

/* ---- fetch ---- */

typedef struct Fetch
{
	const JsonValue *ids;
	Filter *filter;
	Str filter_text, token;
	bool has_token;
	int limit;
	Projection projection;
} Fetch;

/* An integer from 1 to max; false: the reply says that it is none. */
static bool
take_limit(Request *r, const JsonValue *v, int max, int *limit)
{
	if (!v || v->type == JSON_NULL)
		return true;
	if (v->type != JSON_NUMBER || v->number != floor(v->number) || v->number < 1 || v->number > max)
		return !reply_invalid(r, "limit must be an integer between 1 and %d", max);
	*limit = (int) v->number;
	return true;
}

static bool
take_token(Request *r, const JsonValue *v, Str *token)
{
	if (!v || v->type == JSON_NULL)
		return true;
	if (v->type != JSON_STRING)
		return !reply_invalid(r, "pagination_token must be a string");
	*token = v->string;
	return true;
}

static bool
check_ids(Request *r, const JsonValue *ids)
{
	if (ids->type != JSON_ARRAY)
		return !reply_invalid(r, "ids must be a list of strings");
	if (ids->count == 0 || ids->count > sizes.fetch)
		return !reply_invalid(r, "ids must have between 1 and %d document IDs, got %d", sizes.fetch, ids->count);
	for (int i = 0; i < ids->count; i++)
	{
		if (ids->items[i].type != JSON_STRING)
			return !reply_invalid(r, "ids must be a list of strings");
		if (!document_check_id(r, ids->items[i].string))
			return false;
	}
	return true;
}

static bool
read_fetch(Request *r, const JsonValue *body, Fetch *f)
{
	static const char *const known[] = {"ids", "filter", "include_fields", "limit", "pagination_token", NULL};
	const JsonValue *filter = json_present(body, "filter"), *fields = json_present(body, "include_fields");

	f->ids = json_present(body, "ids");
	if (!document_check_keys(r, body, known))
		return false;
	if (!f->ids && !filter)
		return !reply_invalid(r, "No 'ids' or 'filter' provided in the document fetch request. Provide at least one document ID in 'ids', or a metadata filter in 'filter'.");
	if (f->ids && filter)
		return !reply_invalid(r, "The 'ids' and 'filter' fields are mutually exclusive in document fetch requests. Provide only one of them.");
	if (f->ids && json_present(body, "pagination_token"))
		return !reply_invalid(r, "The 'pagination_token' field is only valid together with 'filter' in document fetch requests.");
	if (!take_limit(r, json_get(body, "limit"), sizes.scan, &f->limit) || !take_token(r, json_get(body, "pagination_token"), &f->token))
		return false;
	if (fields)
	{
		JsonReader j = json_reader(fields->raw, &r->arena);

		if (!read_projection(r, &j, &f->projection))
			return false;
	}
	/* Nothing named is everything, other than in a search */
	if (!f->projection.named)
		f->projection.all = true;
	if (f->ids)
		return check_ids(r, f->ids);
	f->filter_text = filter->raw;
	return document_read_filter(r, filter, !fact(FACT_FETCH_MATCH), false, &f->filter);
}

typedef struct Found
{
	uint64_t hash;
	const Record *record;
} Found;

static int
compare_found(const void *a, const void *b)
{
	const Found *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* A map has no order: write it in one that looks like none. */
static void
write_found(Request *r, const Index *index, const Namespace *ns, Found *found, int n, const Projection *p)
{
	Buffer *b = reply_body(r);
	const Record *previous = NULL;
	bool any = false;

	for (int i = 0; i < n; i++)
		found[i].hash = hash_bytes(found[i].record->id.s, found[i].record->id.len);
	if (n > 0)
		qsort(found, (size_t) n, sizeof(Found), compare_found);
	buffer_add_text(b, "{\"documents\":{");
	for (int i = 0; i < n; i++)
	{
		const Record *m = found[i].record;

		if (m == previous)
			continue;
		previous = m;
		document_forget_excess(r);
		if (any)
			buffer_add_char(b, ',');
		any = true;
		json_add_string(b, m->id);
		buffer_add_char(b, ':');
		document_write_id(b, m);
		document_write(b, index, ns, m, p);
	}
	buffer_add_char(b, '}');
}

static void
write_next(Buffer *b, uint64_t scope, Str last)
{
	buffer_add_text(b, ",\"pagination\":{\"next\":\"");
	token_write(b, scope, last);
	buffer_add_text(b, "\"}");
}

/* Under the shared lock */
static void
run_fetch(Request *r, Index *index, Fetch *f, Str namespace, uint64_t scope, Str last)
{
	Namespace *ns = namespace_find(index, namespace);
	Found *found = NULL;
	int n = 0, size = 0;
	const Record *m, *end = NULL;

	if (!projection_check(r, ns, &f->projection))
		return;
	if (ns && f->ids)
	{
		found = mem_alloc(sizeof(Found) * (size_t) f->ids->count);
		for (int i = 0; i < f->ids->count; i++)
		{
			if ((m = namespace_get(ns, f->ids->items[i].string)))
				found[n++].record = m;
		}
	}
	else if (ns && !documents_are_hidden(r->index))
	{
		Cursor c = namespace_cursor(ns, last, last.len > 0);

		filter_bind(f->filter, ns);
		while ((m = cursor_next(&c)))
		{
			if (!filter_matches_document(f->filter, m))
				continue;
			if (n == f->limit)
			{
				end = found[n - 1].record;
				break;
			}
			if (n == size)
			{
				size = size ? size * 2 : 64;
				found = mem_resize(found, sizeof(Found) * (size_t) size);
			}
			found[n++].record = m;
		}
	}
	write_found(r, index, ns, found, n, &f->projection);
	free(found);
	if (end)
		write_next(reply_body(r), scope, end->id);
	document_write_end(r, namespace, (unsigned) (n + 9) / 10 + (n == 0), 0);
	document_add_lsn(r, ns, false);
}

bool
document_is_long(Request *r, Str namespace)
{
	Namespace *ns;
	bool is_long;

	if (r->as_task)
		return false;
	index_lock_shared(r->index);
	ns = namespace_find(r->index, alias_resolve(r->index, namespace));
	is_long = ns && ns->count > 5000;
	index_unlock(r->index);
	return is_long;
}

bool
document_fetch(Request *r, Str namespace)
{
	const JsonValue *body = document_body(r);
	Fetch f = {.limit = sizes.scan < 100 ? sizes.scan : 100};
	Str canonical = namespace_canonical(namespace), last = STR("");
	uint64_t scope;
	Index *index;
	bool done = true;

	if (body && read_fetch(r, body, &f))
	{
		scope = hash_bytes(canonical.s, canonical.len) ^ hash_bytes(f.filter_text.s, f.filter_text.len);
		if ((f.token.len == 0 || token_read(r, f.token, scope, &last)) &&
			(r->as_task || limit_take(r, f.ids ? LIMIT_FETCH : LIMIT_FETCH_BY_METADATA, namespace, 1)))
		{
			if (f.filter && document_is_long(r, namespace))
				done = false;
			else
			{
				namespace = alias_target_seen(r, namespace);
				index = index_seen_by(r->index, LAG_FETCH);
				index_lock_shared(index);
				run_fetch(r, index, &f, namespace, scope, last);
				index_unlock(index);
				if (!r->reply.status)
					document_limit_result(r);
			}
		}
	}
	filter_free(f.filter);
	return done;
}

/* ---- list ---- */

static bool
take_prefix(Request *r, const JsonValue *v, Str *prefix)
{
	if (!v || v->type == JSON_NULL)
		return true;
	if (v->type != JSON_STRING)
		return !reply_invalid(r, "prefix must be a string");
	if (v->string.len > MAX_PREFIX)
		return !reply_invalid(r, "prefix must be at most %d characters long, got %zu", MAX_PREFIX, v->string.len);
	for (size_t i = 0; i < v->string.len; i++)
	{
		if ((unsigned char) v->string.s[i] > 0x7f)
			return !reply_invalid(r, "prefix must be ASCII");
	}
	*prefix = v->string;
	return true;
}

static bool
begins_with(const Record *m, Str prefix)
{
	return m->id.len >= prefix.len && (prefix.len == 0 || memcmp(m->id.s, prefix.s, prefix.len) == 0);
}

/* Under the shared lock */
static void
run_list(Request *r, Index *index, Str namespace, Str prefix, int limit, uint64_t scope, Str last)
{
	Buffer *b = reply_body(r);
	Namespace *ns = namespace_find(index, namespace);
	const Record *m = NULL, *previous = NULL;
	int n = 0;

	buffer_add_text(b, "{\"documents\":[");
	if (ns)
	{
		Cursor c = namespace_cursor(ns, last.len ? last : prefix, last.len > 0);

		while ((m = cursor_next(&c)) && begins_with(m, prefix) && n < limit)
		{
			if (n++)
				buffer_add_char(b, ',');
			document_write_id(b, m);
			buffer_add_char(b, '}');
			previous = m;
		}
	}
	buffer_add_char(b, ']');
	if (m && previous && begins_with(m, prefix))
		write_next(b, scope, previous->id);
	document_write_end(r, namespace, 1, 0);
	document_add_lsn(r, ns, false);
}

bool
document_list(Request *r, Str namespace)
{
	static const char *const known[] = {"prefix", "limit", "pagination_token", NULL};
	const JsonValue *body = document_body(r);
	Str canonical = namespace_canonical(namespace), prefix = STR(""), token = STR(""), last = STR("");
	int limit = sizes.page;
	uint64_t scope;
	Index *index;

	if (!body || !document_check_keys(r, body, known) || !take_prefix(r, json_get(body, "prefix"), &prefix) ||
		!take_limit(r, json_get(body, "limit"), sizes.page, &limit) || !take_token(r, json_get(body, "pagination_token"), &token))
		return true;
	scope = hash_bytes(canonical.s, canonical.len) ^ hash_bytes(prefix.s, prefix.len) * 3;
	if ((token.len > 0 && !token_read(r, token, scope, &last)) || !limit_take(r, LIMIT_LIST, namespace, 1))
		return true;
	namespace = alias_target_seen(r, namespace);
	index = index_seen_by(r->index, LAG_LIST);
	index_lock_shared(index);
	run_list(r, index, namespace, prefix, limit, scope, last);
	index_unlock(index);
	return true;
}

/* ---- Which call ---- */

const JsonValue *
document_body(Request *r)
{
	const char *error = NULL;
	const JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);

	if (body && body->type == JSON_OBJECT)
		return body;
	reply_not_json(r, error ? error : "expected an object");
	return NULL;
}

bool
document_check_keys(Request *r, const JsonValue *body, const char *const *known)
{
	for (int i = 0; i < body->count; i++)
	{
		const char *const *k = known;

		while (*k && !str_is(body->keys[i], *k))
			k++;
		if (!*k)
			return unknown_field(r, body->keys[i]);
	}
	return true;
}

/* Answers nothing at all where --assume says that it is so */
bool
documents_are_hidden(const Index *index)
{
	return fact(FACT_DENSE_ONLY) && index->fields->count == 1 && index->fields->fields[0].type == SCHEMA_DENSE;
}

bool
documents_respond(Request *r, Str namespace, Str operation)
{
	static const struct
	{
		const char *name;
		bool (*respond)(Request *r, Str namespace);
	} operations[] = {
		{"search", document_search},
		{"fetch", document_fetch},
		{"list", document_list},
		{"upsert", document_upsert},
		{"update", document_update},
		{"delete", document_delete},
	};
	size_t i = 0;

	while (i < sizeof(operations) / sizeof(operations[0]) && !str_is(operation, operations[i].name))
		i++;
	if (i == sizeof(operations) / sizeof(operations[0]))
		return reply_rpc_error(r, 404, RPC_NOT_FOUND, "Not Found");
	if (strcmp(r->method, "POST") != 0)
		return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
	if (fact(FACT_DOCUMENT_VERSION) && (!r->version || strcmp(r->version, "2026-07") < 0))
		return reply_invalid(r, "The documents API requires X-Pinecone-Api-Version 2026-07 or later");
	if (!r->index->fields && r->index->integrated)
		return reply_invalid(r, "This index does not have a document schema: use the records API (/records/namespaces/{namespace}/upsert and /search) or the vectors API.");
	if (!r->index->fields)
		return reply_invalid(r, "This index does not have a document schema: use the vectors API (/vectors/upsert, /query, /vectors/fetch and the like).");
	if (namespace.len == 0)
		return reply_invalid(r, "Namespace must not be empty: the default namespace is __default__");
	if (!check_namespace(r, namespace))
		return true;
	if (r->body_bytes > sizes.upsert_body)
		return reply_control_error(r, 413, "PAYLOAD_TOO_LARGE", "Request body is %zu bytes, which exceeds the limit of %zu bytes", r->body_bytes, sizes.upsert_body);
	return operations[i].respond(r, namespace);
}
