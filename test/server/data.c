/*
 * data.c
 *		The data plane: which call it is, and those that read.
 */
#include "alias.h"
#include "approximate.h"
#include "document.h"
#include "facts.h"
#include "filter.h"
#include "knn.h"
#include "limits.h"
#include "settings.h"

#include <stdlib.h>


static void
add_usage(Request *r, Buffer *b, unsigned read_units)
{
	buffer_printf(b, ",\"usage\":{\"readUnits\":%u", read_units);
	if (r->version && strcmp(r->version, "2026-07") >= 0)
		buffer_printf(b, ",\"egressBytes\":%zu", b->len);
	buffer_add_text(b, "}}");
}

/* How far the namespace is indexed, in the eyes of other calls than a query */
static void
tell_indexed_lsn(Request *r, const Namespace *ns)
{
	r->reply.has_indexed_lsn = settings.lsn_headers == LSN_EVERYWHERE;
	r->reply.indexed_lsn = ns ? ns->applied_lsn : 0;
}

/* ---- POST /query ---- */

typedef struct Query
{
	Str namespace, id;
	bool has_id, include_values, include_metadata;
	double top_k, max_candidates, scan_factor;
	bool has_candidates, has_factor;
	float *vector;
	int dimension;
	Sparse *sparse;
	Filter *filter;
} Query;

/* Read one member of a query's body; false with an error when it is not what the API takes. */
static bool
read_query_field(Request *r, JsonReader *j, Str key, Query *q)
{
	const char *error;

	if (is_null(j))
		return true;
	if (str_is(key, "namespace"))
		return read_namespace(r, j, &q->namespace);
	if (key_is(key, "topK"))
		return json_read_double(j, &q->top_k);
	if (str_is(key, "id"))
		return json_read_string(j, &q->id) && (q->has_id = true);
	if (key_is(key, "includeValues"))
		return json_read_bool(j, &q->include_values);
	if (key_is(key, "includeMetadata"))
		return json_read_bool(j, &q->include_metadata);
	if (str_is(key, "filter"))
		return read_filter(r, j, &q->filter);
	if (str_is(key, "vector"))
	{
		float *floats = read_floats(j, &q->dimension);

		if (!floats && q->dimension)
			return false;
		q->vector = arena_alloc(&r->arena, sizeof(float) * (size_t) q->dimension);
		if (q->dimension)
			memcpy(q->vector, floats, sizeof(float) * (size_t) q->dimension);
		return !j->error;
	}
	if (key_is(key, "sparseVector"))
	{
		free(q->sparse);
		q->sparse = read_sparse(r, j, &error);
		return q->sparse || (error && !reply_invalid(r, "%s", error));
	}
	if (key_is(key, "scanFactor"))
		return json_read_double(j, &q->scan_factor) && (q->has_factor = true);
	if (key_is(key, "maxCandidates"))
		return json_read_double(j, &q->max_candidates) && (q->has_candidates = true);
	return unknown_field(r, key);
}

static bool
check_query(Request *r, Query *q)
{
	const Index *index = r->index;

	if (q->top_k < 1 || q->top_k > sizes.top_k || q->top_k != (int) q->top_k)
		return !reply_invalid(r, "topK must be an integer between 1 and %d", sizes.top_k);
	if (q->vector && q->dimension == 0)
		q->vector = NULL;
	if (q->has_id && q->id.len == 0)
		q->has_id = false;
	if (q->has_id && q->vector)
		return !reply_invalid(r, "Cannot provide both 'ID' and 'vector' at the same time");
	if (q->has_id && q->sparse)
		return !reply_invalid(r, "Cannot provide both 'ID' and 'sparse_vector' at the same time");
	if (!q->has_id && !q->sparse && index->sparse)
		return !reply_invalid(r, "Either 'sparse_vector' or 'ID' must be provided");
	if (!q->has_id && !q->vector && !q->sparse)
		return !reply_invalid(r, "Query must contain 'vector', 'sparseVector' or 'id'");
	if (q->has_id && !check_id(r, q->id))
		return false;
	if (q->vector && index->sparse)
		return !reply_invalid(r, "Index configuration does not support dense values");
	if (q->sparse && !q->vector && !index->sparse)
		return !reply_invalid(r, "Cannot query index with dense 'vector_type' with only sparse vector");
	if (q->sparse && !index->sparse && index->metric != METRIC_DOTPRODUCT)
		return !reply_invalid(r, "Index configuration does not support sparse values - only indexes that are sparse or using dotproduct are supported");
	if (q->vector && q->dimension != index->dimension)
		return !reply_invalid(r, "Vector dimension %d does not match the dimension of the index %d", q->dimension, index->dimension);
	if (q->has_factor && (q->scan_factor < 0.5 || q->scan_factor > 4))
		return !reply_invalid(r, "scanFactor must be between 0.5 and 4");
	if (q->has_candidates && (q->max_candidates < q->top_k || q->max_candidates > 100000))
		return !reply_invalid(r, "maxCandidates must be between topK and 100000");
	return true;
}

static void
write_match(Buffer *b, const Search *s, const Query *q, const Match *match)
{
	const Record *m = match->record;

	buffer_add_char(b, '{');
	buffer_add_str(b, record_piece(m, 0, m->id_end));
	buffer_add_text(b, ",\"score\":");
	json_add_float(b, knn_score(s->index, match));
	if (q->include_values)
	{
		record_add_values(b, m, s->index, s->ns);
		buffer_add_str(b, record_piece(m, m->id_end, m->sparse_end));
	}
	else
		buffer_add_text(b, ",\"values\":[]");
	if (q->include_metadata)
		buffer_add_str(b, record_piece(m, m->sparse_end, m->text_len));
	buffer_add_char(b, '}');
}

/* Under the shared lock; false when it is long and not yet a task. */
static bool
run_query(Request *r, const Query *q)
{
	Str asked = alias_resolve(r->index, q->namespace);
	Search search = {.index = r->index, .vector = q->vector, .sparse = q->sparse, .filter = q->filter, .top_k = (int) q->top_k};
	Buffer *b = reply_body(r);
	Match *matches = NULL;
	int n = 0;
	unsigned read_units = 1;

	search.ns = namespace_find(r->index, asked);
	if (q->filter && !check_filter_schema(r, search.ns, q->filter))
		return true;
	if (search.ns && q->has_id)
	{
		Record *self = namespace_get(search.ns, q->id);

		if (!self)
			search.ns = NULL;
		else
		{
			search.vector = r->index->dimension ? namespace_vector(r->index, search.ns, self->row) : NULL;
			search.sparse = r->index->metric == METRIC_DOTPRODUCT ? self->sparse : NULL;
		}
	}
	if (search.ns)
	{
		if (!r->as_task && knn_is_long(&search))
			return false;
		n = settings.approximate ? approximate_search(&search, settings.approximate, &matches) : knn_search(&search, &matches);
		read_units = (unsigned) (search.ns->bytes >> 30) + 5;
	}
	buffer_add_text(b, "{\"results\":[],\"matches\":[");
	for (int i = 0; i < n; i++)
	{
		reply_forget_excess(r);
		if (i > 0)
			buffer_add_char(b, ',');
		write_match(b, &search, q, &matches[i]);
	}
	free(matches);
	buffer_add_text(b, "],\"namespace\":");
	json_add_string(b, asked);
	add_usage(r, b, read_units);
	search.ns = namespace_find(r->index, asked);
	r->reply.has_indexed_lsn = settings.lsn_headers != LSN_NEVER;
	r->reply.indexed_lsn = search.ns ? search.ns->applied_lsn : 0;
	return true;
}

static bool
query(Request *r)
{
	JsonReader j = json_reader((Str){r->body.data, r->body.len}, &r->arena);
	Query q = {.namespace = STR("")};
	bool first = true, done = true;
	Str key;

	json_begin(&j, '{');
	while (json_next_key(&j, &first, &key) && read_query_field(r, &j, key, &q))
		;
	if (r->reply.status || !json_finish(&j))
		bad_body(r, &j);
	else if (check_query(r, &q) && (r->as_task || (limit_take(r, LIMIT_QUERY, q.namespace, 1) && limit_take(r, LIMIT_QUERY_UNITS, STR(""), 5))))
	{
		index_lock_shared(r->index);
		done = run_query(r, &q);
		index_unlock(r->index);
		if (done)
			reply_limit_result(r);
	}
	free(q.sparse);
	filter_free(q.filter);
	return done;
}

/* ---- GET /vectors/fetch, POST /vectors/fetch_by_metadata, GET /vectors/list ---- */

static bool
namespace_param(Request *r, Str *name)
{
	const Param *p = request_param(r, "namespace");

	*name = p ? p->value : STR("");
	return check_namespace(r, *name);
}

static void
write_vector(Buffer *b, const Record *m, const Index *index, const Namespace *ns)
{
	buffer_reserve(b, record_size(m) + m->id_end + 8);
	/* The key of the map is the text of the id without the name before it */
	buffer_add(b, m->text + 5, m->id_end - 5);
	buffer_add(b, ":{", 2);
	record_add(b, m, index, ns);
	buffer_add_char(b, '}');
}

/* Add a record to a set, hashed by address; false when it is in there already. */
static bool
add_to_set(const Record **set, size_t size, const Record *m)
{
	size_t i = ((uintptr_t) m >> 4) * 0x9e3779b97f4a7c15u & (size - 1);

	while (set[i] && set[i] != m)
		i = (i + 1) & (size - 1);
	if (set[i])
		return false;
	set[i] = m;
	return true;
}

/* GET /vectors/fetch: the records of the ids in the query string, as a map. */
static bool
fetch(Request *r)
{
	Buffer *b = reply_body(r);
	Str namespace;
	Index *index;
	Namespace *ns;
	int nids = 0, found = 0;
	size_t size = 2;
	const Record **set;

	if (!namespace_param(r, &namespace))
		return true;
	for (int i = 0; i < r->nparams; i++)
	{
		if (!str_is(r->params[i].name, "ids"))
			continue;
		if (!check_id(r, r->params[i].value))
			return true;
		nids++;
	}
	if (nids == 0)
		return reply_invalid(r, "No IDs provided for fetch query");
	if (nids > sizes.fetch)
		return reply_invalid(r, "Fetch accepts at most %d IDs, got %d", sizes.fetch, nids);
	if (!limit_take(r, LIMIT_FETCH, namespace, 1))
		return true;

	/* An id that is asked for twice is in the map once */
	while (size < 2 * (size_t) nids)
		size *= 2;
	set = arena_alloc(&r->arena, size * sizeof(Record *));
	memset(set, 0, size * sizeof(Record *));
	buffer_add_text(b, "{\"vectors\":{");
	namespace = alias_target_seen(r, namespace);
	index = index_seen_by(r->index, LAG_FETCH);
	index_lock_shared(index);
	ns = namespace_find(index, namespace);
	tell_indexed_lsn(r, ns);
	for (int i = 0; ns && i < r->nparams; i++)
	{
		Record *m;

		if (!str_is(r->params[i].name, "ids") || !(m = namespace_get(ns, r->params[i].value)))
			continue;
		if (!add_to_set(set, size, m))
			continue;
		if (found++)
			buffer_add_char(b, ',');
		write_vector(b, m, index, ns);
		reply_forget_excess(r);
	}
	index_unlock(index);
	buffer_add_text(b, "},\"namespace\":");
	json_add_string(b, namespace);
	add_usage(r, b, (unsigned) (found + 9) / 10 + (found == 0));
	return reply_limit_result(r);
}

typedef struct Scan
{
	Str namespace, token;
	Filter *filter;
	Str filter_text;
	double limit;
} Scan;

static bool
read_scan_field(Request *r, JsonReader *j, Str key, Scan *s)
{
	const char *start = j->at;

	if (is_null(j))
		return true;
	if (str_is(key, "namespace"))
		return read_namespace(r, j, &s->namespace);
	if (str_is(key, "limit"))
		return json_read_double(j, &s->limit);
	if (key_is(key, "paginationToken"))
		return json_read_string(j, &s->token);
	if (str_is(key, "filter"))
	{
		if (!read_filter(r, j, &s->filter))
			return false;
		s->filter_text = (Str){start, (size_t) (j->at - start)};
		return true;
	}
	return unknown_field(r, key);
}

/* Under the shared lock */
static void
run_scan(Request *r, const Scan *s, const Index *index, const Namespace *ns, uint64_t scope, Str last)
{
	Buffer *b = reply_body(r);
	Record *m, *previous = NULL;
	int found = 0;
	bool more = false;

	if (ns)
	{
		Cursor c = namespace_cursor(ns, last, last.len > 0);

		while ((m = cursor_next(&c)))
		{
			if (!filter_matches(s->filter, m->metadata))
				continue;
			if (found == (int) s->limit)
			{
				more = true;
				break;
			}
			if (found++)
				buffer_add_char(b, ',');
			write_vector(b, m, index, ns);
			reply_forget_excess(r);
			previous = m;
		}
	}
	buffer_add_text(b, "},\"namespace\":");
	json_add_string(b, s->namespace);
	if (more && previous)
	{
		buffer_add_text(b, ",\"pagination\":{\"next\":\"");
		token_write(b, scope, previous->id);
		buffer_add_text(b, "\"}");
	}
	add_usage(r, b, (unsigned) (found + 9) / 10 + (found == 0));
}

/* POST /vectors/fetch_by_metadata: a page of the records that match, in the order of their ids. */
static bool
fetch_by_metadata(Request *r)
{
	JsonReader j = json_reader((Str){r->body.data, r->body.len}, &r->arena);
	Scan s = {.namespace = STR(""), .token = STR(""), .limit = sizes.scan < 100 ? sizes.scan : 100};
	bool first = true, done = true;
	Str key, last = STR("");

	json_begin(&j, '{');
	while (json_next_key(&j, &first, &key) && read_scan_field(r, &j, key, &s))
		;
	if (r->reply.status || !json_finish(&j))
		bad_body(r, &j);
	else if (!s.filter || filter_is_empty(s.filter))
		reply_invalid(r, "Filter must not be empty");
	else if (s.limit < 1 || s.limit > sizes.scan || s.limit != (int) s.limit)
		reply_invalid(r, "limit must be an integer between 1 and %d", sizes.scan);
	else
	{
		Str canonical = namespace_canonical(s.namespace);
		uint64_t scope = hash_bytes(canonical.s, canonical.len) ^ hash_bytes(s.filter_text.s, s.filter_text.len);

		if ((s.token.len == 0 || token_read(r, s.token, scope, &last)) &&
			(r->as_task || limit_take(r, LIMIT_FETCH_BY_METADATA, s.namespace, 1)))
		{
			Index *index = index_seen_by(r->index, LAG_FETCH);
			const Namespace *ns;

			s.namespace = alias_target_seen(r, s.namespace);
			index_lock_shared(index);
			ns = namespace_find(index, s.namespace);
			tell_indexed_lsn(r, ns);
			if (ns && ns->count > 20000 && !r->as_task)
				done = false;
			else if (check_filter_schema(r, ns, s.filter))
			{
				buffer_add_text(reply_body(r), "{\"vectors\":{");
				run_scan(r, &s, index, ns, scope, last);
			}
			index_unlock(index);
			if (done && !r->reply.status)
				reply_limit_result(r);
		}
	}
	filter_free(s.filter);
	return done;
}

/* GET /vectors/list: a page of ids, with the token that the next one begins at. */
static bool
list(Request *r)
{
	Buffer *b = reply_body(r);
	Str namespace, canonical, prefix, token, last = STR("");
	uint64_t scope;
	int limit, n = 0;
	Index *index;
	Namespace *ns;
	Record *m = NULL, *previous = NULL;

	if (!namespace_param(r, &namespace) || !check_page_params(r, sizes.page, &limit, &prefix, &token))
		return true;
	canonical = namespace_canonical(namespace);
	scope = hash_bytes(canonical.s, canonical.len) ^ hash_bytes(prefix.s, prefix.len) * 3;
	if ((token.len > 0 && !token_read(r, token, scope, &last)) || !limit_take(r, LIMIT_LIST, namespace, 1))
		return true;

	buffer_add_text(b, "{\"vectors\":[");
	namespace = alias_target_seen(r, namespace);
	index = index_seen_by(r->index, LAG_LIST);
	index_lock_shared(index);
	ns = namespace_find(index, namespace);
	tell_indexed_lsn(r, ns);
	if (ns)
	{
		Cursor c = namespace_cursor(ns, last.len ? last : prefix, last.len > 0);

		while ((m = cursor_next(&c)) && m->id.len >= prefix.len && memcmp(m->id.s, prefix.s, prefix.len) == 0 && n < limit)
		{
			if (n++)
				buffer_add_char(b, ',');
			buffer_add_char(b, '{');
			buffer_add(b, m->text, m->id_end);
			buffer_add_char(b, '}');
			previous = m;
		}
		if (m && n == limit && m->id.len >= prefix.len && memcmp(m->id.s, prefix.s, prefix.len) == 0)
			m = previous;
		else
			m = NULL;
	}
	buffer_add_char(b, ']');
	if (m)
	{
		buffer_add_text(b, ",\"pagination\":{\"next\":\"");
		token_write(b, scope, m->id);
		buffer_add_text(b, "\"}");
	}
	index_unlock(index);
	buffer_add_text(b, ",\"namespace\":");
	json_add_string(b, namespace);
	add_usage(r, b, 1);
	return true;
}

/* ---- POST /describe_index_stats ---- */

/* POST /describe_index_stats: how many records each namespace has, as far as they can be read by now. */
static bool
stats(Request *r)
{
	const char *error = NULL;
	JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	const JsonValue *filter;
	Index *index = r->index;
	Buffer *b = reply_body(r);
	uint64_t total = 0;
	bool any = false, bare;

	if (index->fields && fact(FACT_DOCUMENT_STATS) == 2)
		return reply_invalid(r, "Index statistics are not supported for indexes with a document schema");
	if (!body || body->type != JSON_OBJECT)
		return reply_not_json(r, error ? error : "expected an object");
	filter = json_get(body, "filter");
	if (filter && filter->type != JSON_NULL && filter->count > 0)
		return reply_invalid(r, "Serverless and Starter indexes do not support describing index stats with metadata filtering");
	if (!limit_take(r, LIMIT_STATS, STR(""), 1))
		return true;

	buffer_add_text(b, "{\"namespaces\":{");
	index = index_seen_by(index, LAG_STATS);
	index_lock_shared(index);
	for (int i = 0; i < index->nnamespaces; i++)
	{
		const Namespace *ns = index->namespaces[i];

		if (!ns->visible)
			continue;
		if (any)
			buffer_add_char(b, ',');
		any = true;
		json_add_string(b, ns->name[0] ? str_of(ns->name) : str_of(settings_default_key()));
		buffer_printf(b, ":{\"vectorCount\":%u}", ns->count);
		total += ns->count;
	}
	index_unlock(index);
	buffer_add_char(b, '}');
	/* What they say of documents besides the counts nobody knows */
	bare = index->fields && !fact(FACT_DOCUMENT_STATS);
	if (index->dimension && !bare)
		buffer_printf(b, ",\"dimension\":%d", index->dimension);
	buffer_printf(b, ",\"indexFullness\":0,\"totalVectorCount\":%llu", (unsigned long long) total);
	if (!bare)
		buffer_printf(b, ",\"metric\":\"%s\",\"vectorType\":\"%s\"", metric_name(index->metric), index->dimension ? "dense" : "sparse");
	buffer_add_char(b, '}');
	return true;
}

/* ---- Which call ---- */

typedef struct Route
{
	const char *method, *path;
	bool (*respond)(Request *r);
	bool is_upsert;
} Route;

static const Route routes[] = {
	{"POST", "/query", query, false},
	{"GET", "/vectors/fetch", fetch, false},
	{"GET", "/vectors/list", list, false},
	{"POST", "/vectors/upsert", write_upsert, true},
	{"POST", "/vectors/fetch_by_metadata", fetch_by_metadata, false},
	{"POST", "/vectors/update", write_update, false},
	{"POST", "/vectors/delete", write_delete, false},
	{"POST", "/describe_index_stats", stats, false},
};

/* /namespaces/{namespace}/documents/{operation}, /records/namespaces/{namespace}/{operation} */
static bool
split_call(Request *r, const char *before, const char *after, Str *namespace, Str *operation)
{
	Str middle = {r->path.s + strlen(before), r->path.len - strlen(before)};
	const char *slash;

	if (r->path.len < strlen(before) || memcmp(r->path.s, before, strlen(before)) != 0 || !(slash = memchr(middle.s, '/', middle.len)))
		return false;
	*operation = (Str){slash, middle.len - (size_t) (slash - middle.s)};
	middle.len -= operation->len;
	if (operation->len < strlen(after) || memcmp(operation->s, after, strlen(after)) != 0)
		return false;
	*operation = (Str){operation->s + strlen(after), operation->len - strlen(after)};
	return url_decode(&r->arena, middle, false, namespace);
}

/* The vectors API does not take what has a schema. */
static bool
refuse_documents(Request *r)
{
	if (str_is(r->path, "/vectors/upsert") || str_is(r->path, "/vectors/update") || str_is(r->path, "/vectors/delete"))
		return reply_invalid(r, WRITE_TO_DOCUMENTS);
	return reply_invalid(r, "This index has a document schema, so it is read through the documents API: POST /namespaces/{namespace}/documents/search, "
							"/fetch or /list, with X-Pinecone-Api-Version 2026-07 or later.");
}

bool
data_respond(Request *r)
{
	bool path_exists = false;
	Str namespace, operation;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
	{
		const Route *route = &routes[i];
		size_t limit = route->is_upsert ? sizes.upsert_body : sizes.body;

		if (!str_is(r->path, route->path))
			continue;
		path_exists = true;
		if (strcmp(r->method, route->method) != 0)
			continue;
		if (r->body_bytes > limit)
			return reply_rpc_error(r, 400, RPC_OUT_OF_RANGE, "Error, message length too large: found %zu bytes, the limit is: %zu bytes",
								   r->body_bytes, limit);
		if (r->index->fields && route->respond != stats)
			return refuse_documents(r);
		return route->respond(r);
	}
	if (path_exists)
		return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
	if (split_call(r, "/namespaces/", "/documents/", &namespace, &operation))
		return documents_respond(r, namespace, operation);
	if (split_call(r, "/records/namespaces/", "/", &namespace, &operation))
		return records_respond(r, namespace, operation);
	if (absent_data(r))
		return true;
	if (alias_is_path(r->path))
		return aliases_respond(r);
	if (str_is(r->path, "/namespaces") || (r->path.len > 12 && memcmp(r->path.s, "/namespaces/", 12) == 0))
		return namespaces_respond(r);
	return reply_rpc_error(r, 404, RPC_NOT_FOUND, "Not Found");
}
