/*
 * records.c
 *		Records with a text that the index's model embeds.
 *
 * The text is a metadata field like the others; the vectors API sees a classic
 * index.
 */
#include "alias.h"
#include "approximate.h"
#include "document.h"
#include "filter.h"
#include "knn.h"
#include "limits.h"
#include "places.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>

#define MAX_TERMS 32

/* ---- upsert ---- */

typedef struct Upsert
{
	Record **records;
	int count;
	Buffer values;
} Upsert;

/* One line, of which the text has been found */
static bool
add_record(Request *r, Upsert *u, Str id, Str text, Metadata *metadata)
{
	const Embedding *e = &r->index->integrated->embedding;
	Buffer places = {0};
	Sparse *sparse = NULL;
	size_t len = 0;
	float *values;

	if (e->dimension)
	{
		buffer_reserve(&u->values, sizeof(float) * (size_t) e->dimension);
		values = (float *) (u->values.data + u->values.len);
		model_embed(text, values, e->dimension);
		u->values.len += sizeof(float) * (size_t) e->dimension;
		len = places_measure_all(values, e->dimension, &places);
	}
	else
	{
		model_embed_sparse(text, &sparse);
		if (sparse->count == 0)
		{
			free(sparse);
			free(metadata);
			return !reply_invalid(r, "Record '%.*s' has no words to embed", (int) id.len, id.s);
		}
	}
	u->records[u->count++] = record_make(id, places.data, e->dimension, len, sparse, metadata);
	buffer_free(&places);
	return true;
}

/* One line of a body of records: its id, the text to embed, and the rest as metadata. */
static bool
read_record(Request *r, Str line, Upsert *u)
{
	const char *field = r->index->integrated->field;
	JsonReader j = json_reader(line, &r->arena);
	MetadataBuilder b = {0};
	Metadata *metadata;
	Str key, id = {0}, other_id = {0}, text = {0}, message = {0};
	bool first = true, good = json_begin(&j, '{');

	while (good && json_next_key(&j, &first, &key))
	{
		if (str_is(key, "_id"))
			good = json_read_string(&j, &id);
		else if (str_is(key, "id"))
			good = json_read_string(&j, &other_id);
		else if (str_is(key, field) && json_peek(&j) != '"')
			good = !reply_invalid(r, "Field '%s' must be a string: it is embedded", field);
		else
		{
			JsonReader again = j;

			if (str_is(key, field))
				json_read_string(&again, &text);
			good = metadata_read_field(&j, &b, key, &message);
		}
	}
	metadata = metadata_finish(&b);
	if (message.s)
		reply_invalid(r, "%.*s", (int) message.len, message.s);
	else if (good && json_finish(&j))
	{
		if (id.s && other_id.s && r->version && strcmp(r->version, "2026-07") >= 0)
			reply_invalid(r, "A record must have either '_id' or 'id', not both");
		else if (!text.s)
			reply_invalid(r, "Record '%.*s' has no field '%s' to embed", (int) (id.s ? id : other_id).len, (id.s ? id : other_id).s, field);
		else if (check_id(r, id.s ? id : other_id) &&
				 (metadata_check_size(metadata, &r->arena, &message) || !reply_invalid(r, "%.*s", (int) message.len, message.s)))
			return add_record(r, u, id.s ? id : other_id, text, metadata);
	}
	else if (!r->reply.status)
		reply_not_json(r, j.error ? j.error : "unexpected value");
	free(metadata);
	return false;
}

static bool
is_blank(Str line)
{
	for (size_t i = 0; i < line.len; i++)
	{
		if (line.s[i] != ' ' && line.s[i] != '\r' && line.s[i] != '\t')
			return false;
	}
	return true;
}

static bool
read_lines(Request *r, Upsert *u)
{
	const char *at = r->body.data, *end = at + r->body.len;

	while (at < end)
	{
		const char *newline = memchr(at, '\n', (size_t) (end - at));
		Str line = {at, (size_t) ((newline ? newline : end) - at)};

		at += line.len + 1;
		if (is_blank(line))
			continue;
		if (u->count == MAX_EMBEDDED)
			return !reply_invalid(r, "Batch size exceeds the limit of %d records", MAX_EMBEDDED);
		if (!read_record(r, line, u))
			return false;
	}
	return u->count > 0 || !reply_invalid(r, "No records were provided");
}

static bool
upsert(Request *r, Str namespace)
{
	Upsert u = {0};
	Operation *op = operation_new(OP_UPSERT, NULL);
	bool good;

	u.records = mem_alloc(sizeof(Record *) * MAX_EMBEDDED);
	good = read_lines(r, &u);
	op->records = u.records;
	op->nrecords = u.count;
	op->values = (float *) u.values.data;
	if (!good || !limit_take(r, LIMIT_UPSERT, namespace, 1) || !limit_take(r, LIMIT_UPSERT_BYTES, namespace, (double) r->body_bytes))
	{
		operation_free(op);
		return true;
	}
	index_lock(r->index);
	if (alias_check_upsert(r, namespace))
	{
		op->ns = namespace_make(r->index, namespace);
		r->reply.has_request_lsn = true;
		r->reply.request_lsn = index_submit(r->index, op);
		r->reply.status = 201;
	}
	else
		operation_free(op);
	index_unlock(r->index);
	return true;
}

/* ---- search ---- */

typedef struct RecordSearch
{
	int top_k;
	Str id;
	bool has_id;
	float *values;
	Sparse *sparse;
	Filter *filter;
	int tokens;
	Str text; /* that was embedded */
	/* Words that all must be there, as a sparse model counts them */
	Sparse *terms[MAX_TERMS];
	int nterms;
	Projection projection;
	/* Reranking */
	const Model *reranker;
	const JsonValue *rank_fields;
	int top_n;
	Str query;
} RecordSearch;

static bool
take_text(Request *r, const JsonValue *inputs, RecordSearch *s)
{
	const JsonValue *text = json_present(inputs, "text");

	if (!r->index->integrated)
		return !reply_invalid(r, "Integrated inference is not configured for this index");
	if (!text || text->type != JSON_STRING || text->string.len == 0)
		return !reply_invalid(r, "inputs must contain 'text', a string");
	s->text = text->string;
	if (r->index->sparse)
		s->tokens = model_embed_sparse(text->string, &s->sparse);
	else
	{
		s->values = arena_alloc(&r->arena, sizeof(float) * (size_t) r->index->dimension);
		s->tokens = model_embed(text->string, s->values, r->index->dimension);
	}
	return true;
}

static bool
take_sparse(Request *r, const JsonValue *vector, RecordSearch *s)
{
	const JsonValue *values = json_present(vector, "sparse_values"), *indices = json_present(vector, "sparse_indices");
	const char *error = NULL;
	JsonReader j;
	Str text;

	if (!values || !indices)
		return !reply_invalid(r, "Invalid query: Sparse index queries with 'vector' input must specify 'sparse_values' and 'sparse_indices'");
	text = arena_printf(&r->arena, "{\"indices\":%.*s,\"values\":%.*s}", (int) indices->raw.len, indices->raw.s, (int) values->raw.len, values->raw.s);
	j = json_reader(text, &r->arena);
	s->sparse = read_sparse(r, &j, &error);
	return s->sparse || (error ? !reply_invalid(r, "%s", error) : !reply_not_json(r, j.error ? j.error : "expected lists"));
}

static bool
take_vector(Request *r, const JsonValue *vector, RecordSearch *s)
{
	const JsonValue *values = json_present(vector, "values");
	JsonReader j;
	float *floats;
	int n;

	if (r->index->sparse)
		return take_sparse(r, vector, s);
	if (!values || values->type != JSON_ARRAY)
		return !reply_invalid(r, "Invalid query: Dense index queries with 'vector' input must specify 'values'");
	j = json_reader(values->raw, &r->arena);
	floats = read_floats(&j, &n);
	if (j.error)
		return !reply_not_json(r, j.error);
	if (n != r->index->dimension)
		return !reply_invalid(r, "Vector dimension %d does not match the dimension of the index %d", n, r->index->dimension);
	s->values = arena_alloc(&r->arena, sizeof(float) * (size_t) n);
	memcpy(s->values, floats, sizeof(float) * (size_t) n);
	return true;
}

static bool
take_terms(Request *r, const JsonValue *match, RecordSearch *s)
{
	const JsonValue *strategy = json_present(match, "strategy"), *terms = json_present(match, "terms");

	if (!match)
		return true;
	if (!r->index->integrated || !r->index->sparse)
		return !reply_invalid(r, "match_terms is only supported for indexes with the model pinecone-sparse-english-v0");
	if (strategy && (strategy->type != JSON_STRING || !str_is(strategy->string, "all")))
		return !reply_invalid(r, "The strategy of match_terms must be 'all'");
	if (!terms || terms->type != JSON_ARRAY || terms->count == 0 || terms->count > MAX_TERMS)
		return !reply_invalid(r, "match_terms must have between 1 and %d terms", MAX_TERMS);
	for (int i = 0; i < terms->count; i++)
	{
		if (terms->items[i].type != JSON_STRING)
			return !reply_invalid(r, "The terms of match_terms must be strings");
		model_embed_sparse(terms->items[i].string, &s->terms[s->nterms]);
		s->nterms++;
	}
	return true;
}

static bool
take_rerank(Request *r, const JsonValue *rerank, RecordSearch *s)
{
	static const char *const known[] = {"model", "rank_fields", "top_n", "query", "parameters", NULL};
	const JsonValue *model = json_present(rerank, "model"), *top_n = json_present(rerank, "top_n"), *query = json_present(rerank, "query");

	if (!rerank)
		return true;
	if (rerank->type != JSON_OBJECT || !model || model->type != JSON_STRING)
		return !reply_invalid(r, "rerank must be an object with a 'model'");
	if (!document_check_keys(r, rerank, known))
		return false;
	s->reranker = model_find(model->string);
	if (!s->reranker || s->reranker->kind != MODEL_RERANK)
		return !reply_invalid(r, "Model '%.*s' does not support reranking", (int) model->string.len, model->string.s);
	s->rank_fields = json_present(rerank, "rank_fields");
	if (!s->rank_fields || s->rank_fields->type != JSON_ARRAY || s->rank_fields->count == 0)
		return !reply_invalid(r, "rank_fields must be a list of at least one field");
	for (int i = 0; i < s->rank_fields->count; i++)
	{
		if (s->rank_fields->items[i].type != JSON_STRING)
			return !reply_invalid(r, "rank_fields must be a list of names");
	}
	s->top_n = s->top_k;
	if (top_n)
	{
		if (top_n->type != JSON_NUMBER || top_n->number < 1 || top_n->number > sizes.top_k || top_n->number != floor(top_n->number))
			return !reply_invalid(r, "top_n must be an integer between 1 and %d", sizes.top_k);
		s->top_n = (int) top_n->number;
	}
	if (query && query->type != JSON_STRING)
		return !reply_invalid(r, "The query of rerank must be a string");
	s->query = query ? query->string : s->text;
	return s->query.len > 0 || !reply_invalid(r, "rerank needs a 'query' when the search is by vector or id");
}

static bool
take_projection(Request *r, const JsonValue *fields, Projection *p)
{
	p->all = !fields;
	if (!fields)
		return true;
	if (fields->type != JSON_ARRAY)
		return !reply_invalid(r, "fields must be a list of names");
	p->keys = arena_alloc(&r->arena, sizeof(uint32_t) * (size_t) (fields->count + 1));
	for (int i = 0; i < fields->count; i++)
	{
		if (fields->items[i].type != JSON_STRING)
			return !reply_invalid(r, "fields must be a list of names");
		p->keys[p->nkeys++] = metadata_key(fields->items[i].string);
	}
	return true;
}

/* The body of a search of records: inputs or an id, how many, a filter, and what to rerank by. */
static bool
read_search(Request *r, const JsonValue *body, RecordSearch *s)
{
	static const char *const known[] = {"query", "fields", "rerank", NULL};
	static const char *const known_query[] = {"top_k", "inputs", "vector", "id", "filter", "match_terms", NULL};
	const JsonValue *query = json_present(body, "query");
	const JsonValue *inputs = json_present(query, "inputs"), *vector = json_present(query, "vector"), *id = json_present(query, "id");
	const JsonValue *top_k = json_present(query, "top_k"), *filter = json_present(query, "filter");

	if (!document_check_keys(r, body, known))
		return false;
	if (!query || query->type != JSON_OBJECT)
		return !reply_invalid(r, "query must be an object");
	if (!document_check_keys(r, query, known_query))
		return false;
	if (!top_k || top_k->type != JSON_NUMBER || top_k->number < 1 || top_k->number > sizes.top_k || top_k->number != floor(top_k->number))
		return !reply_invalid(r, "top_k must be an integer between 1 and %d", sizes.top_k);
	s->top_k = (int) top_k->number;
	if ((inputs != NULL) + (vector != NULL) + (id != NULL) != 1)
		return !reply_invalid(r, "Invalid query: exactly one of 'inputs', 'vector' and 'id' must be given");
	if (inputs && !take_text(r, inputs, s))
		return false;
	if (vector && !take_vector(r, vector, s))
		return false;
	if (id)
	{
		if (id->type != JSON_STRING)
			return !reply_invalid(r, "id must be a string");
		if (!check_id(r, id->string))
			return false;
		s->id = id->string;
		s->has_id = true;
	}
	if (filter)
	{
		JsonReader j = json_reader(filter->raw, &r->arena);

		if (!read_filter(r, &j, &s->filter))
			return false;
	}
	return take_terms(r, json_present(query, "match_terms"), s) && take_projection(r, json_present(body, "fields"), &s->projection) &&
		   take_rerank(r, json_present(body, "rerank"), s);
}

static bool
has_terms(const Record *m, const RecordSearch *s)
{
	for (int i = 0; i < s->nterms; i++)
	{
		for (uint32_t k = 0; k < s->terms[i]->count; k++)
		{
			uint32_t n = 0;

			while (m->sparse && n < m->sparse->count && m->sparse->indices[n] != s->terms[i]->indices[k])
				n++;
			if (!m->sparse || n == m->sparse->count)
				return false;
		}
	}
	return true;
}

/* Under the shared lock */
static int
find(Request *r, const Namespace *ns, RecordSearch *s, Match **matches)
{
	Search search = {.index = r->index, .ns = ns, .vector = s->values, .sparse = s->sparse, .filter = s->filter};
	int n, kept = 0;

	if (s->has_id)
	{
		const Record *self = namespace_get(ns, s->id);

		if (!self)
			return 0;
		search.vector = r->index->dimension ? namespace_vector(r->index, ns, self->row) : NULL;
		search.sparse = r->index->dimension ? NULL : self->sparse;
	}
	search.top_k = s->nterms && ns->count > (uint32_t) s->top_k ? (int) ns->count : s->top_k;
	n = settings.approximate ? approximate_search(&search, settings.approximate, matches) : knn_search(&search, matches);
	for (int i = 0; i < n && kept < s->top_k; i++)
	{
		if (has_terms((*matches)[i].record, s))
			(*matches)[kept++] = (*matches)[i];
	}
	return kept;
}

static int
compare_ranks(const void *a, const void *b)
{
	const Match *x = a, *y = b;

	return (x->rank < y->rank) - (x->rank > y->rank);
}

/* Scores become the reranker's; false: the reply holds the error. */
static bool
rerank(Request *r, const RecordSearch *s, Match *matches, int *n)
{
	Buffer text = {0};
	bool good = true;

	for (int i = 0; good && i < *n; i++)
	{
		const Metadata *m = matches[i].record->metadata;

		text.len = 0;
		for (int k = 0; good && k < s->rank_fields->count; k++)
		{
			Str name = s->rank_fields->items[k].string;
			const Field *f = metadata_find(m, metadata_key(name));

			good = f && f->type == FIELD_STRING;
			if (!good)
			{
				reply_invalid(r, "Record '%.*s' has no text in rank field '%.*s'", (int) matches[i].record->id.len, matches[i].record->id.s, (int) name.len, name.s);
				break;
			}
			buffer_add_char(&text, ' ');
			buffer_add_str(&text, metadata_string(m, f));
		}
		matches[i].rank = good ? model_rerank(s->query, (Str){text.data, text.len}) : 0;
	}
	buffer_free(&text);
	if (!good)
		return false;
	if (*n > 0)
		qsort(matches, (size_t) *n, sizeof(Match), compare_ranks);
	if (*n > s->top_n)
		*n = s->top_n;
	return true;
}

static void
write_hit(Request *r, const RecordSearch *s, const Match *match)
{
	Buffer *b = reply_body(r);
	const Record *m = match->record;
	bool any = false;

	document_write_id(b, m);
	buffer_add_text(b, ",\"_score\":");
	json_add_widened(b, s->reranker || !s->values ? match->rank : knn_score(r->index, match));
	buffer_add_text(b, ",\"fields\":{");
	for (uint32_t i = 0; m->metadata && i < m->metadata->count; i++)
	{
		bool shown = s->projection.all;

		for (int k = 0; k < s->projection.nkeys && !shown; k++)
			shown = s->projection.keys[k] == m->metadata->fields[i].key;
		if (!shown)
			continue;
		if (any)
			buffer_add_char(b, ',');
		any = true;
		metadata_write_field(b, m->metadata, &m->metadata->fields[i]);
	}
	buffer_add_text(b, "}}");
}

/* Under the shared lock */
static void
run_search(Request *r, Str namespace, RecordSearch *s)
{
	Buffer *b = reply_body(r);
	Namespace *ns = namespace_find(r->index, namespace);
	Match *matches = NULL;
	int n = (!s->filter || check_filter_schema(r, ns, s->filter)) && ns ? find(r, ns, s, &matches) : 0;
	bool now = r->version && strcmp(r->version, "2026-07") >= 0;

	if (!r->reply.status && (!s->reranker || rerank(r, s, matches, &n)))
	{
		buffer_add_text(b, "{\"result\":{\"hits\":[");
		for (int i = 0; i < n; i++)
		{
			reply_forget_excess(r);
			if (i > 0)
				buffer_add_char(b, ',');
			write_hit(r, s, &matches[i]);
		}
		buffer_add_text(b, "]},\"usage\":{\"read_units\":");
		buffer_printf(b, "%u", ns ? (unsigned) (ns->bytes >> 30) + 5 : 1);
		if (s->tokens)
			buffer_printf(b, ",\"embed_total_tokens\":%d", s->tokens);
		if (s->reranker)
			buffer_add_text(b, ",\"rerank_units\":1");
		if (now)
		{
			buffer_printf(b, ",\"egress_bytes\":%zu},\"namespace\":", b->len);
			json_add_string(b, namespace);
			buffer_add_char(b, '}');
		}
		else
			buffer_add_text(b, "}}");
		reply_limit_result(r);
	}
	free(matches);
	r->reply.has_indexed_lsn = true;
	r->reply.indexed_lsn = ns ? ns->applied_lsn : 0;
}

static bool
search(Request *r, Str namespace)
{
	const JsonValue *body = document_body(r);
	RecordSearch s = {0};
	bool done = true;

	if (body && read_search(r, body, &s) &&
		(r->as_task || (limit_take(r, LIMIT_QUERY, namespace, 1) && limit_take(r, LIMIT_QUERY_UNITS, STR(""), 5))))
	{
		if (document_is_long(r, namespace))
			done = false;
		else
		{
			index_lock_shared(r->index);
			run_search(r, alias_target(r, namespace), &s);
			index_unlock(r->index);
		}
	}
	for (int i = 0; i < s.nterms; i++)
		free(s.terms[i]);
	free(s.sparse);
	filter_free(s.filter);
	return done;
}

bool
records_respond(Request *r, Str namespace, Str operation)
{
	bool is_upsert = str_is(operation, "upsert");

	if (!is_upsert && !str_is(operation, "search"))
		return reply_rpc_error(r, 404, RPC_NOT_FOUND, "Not Found");
	if (strcmp(r->method, "POST") != 0)
		return reply_rpc_error(r, 405, RPC_UNIMPLEMENTED, "Method Not Allowed");
	if (r->index->fields)
		return reply_invalid(r, "%s", is_upsert ? WRITE_TO_DOCUMENTS : "This index has a document schema: search it with POST /namespaces/{namespace}/documents/search.");
	if (is_upsert && !r->index->integrated)
		return reply_invalid(r, "Integrated inference is not configured for this index");
	if (!check_namespace(r, namespace))
		return true;
	if (r->body_bytes > sizes.upsert_body)
		return reply_control_error(r, 413, "PAYLOAD_TOO_LARGE", "Request body is %zu bytes, which exceeds the limit of %zu bytes", r->body_bytes, sizes.upsert_body);
	return is_upsert ? upsert(r, namespace) : search(r, namespace);
}
