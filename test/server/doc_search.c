/*
 * doc_search.c
 *		Documents: search.
 */
#include "alias.h"
#include "approximate.h"
#include "document.h"
#include "facts.h"
#include "filter.h"
#include "knn.h"
#include "limits.h"
#include "query.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>

#define MAX_CLAUSES 100
#define MAX_CLAUSE_BYTES 102400
#define MAX_QUERY 10240

typedef enum ClauseType
{
	CLAUSE_DENSE,
	CLAUSE_SPARSE,
	CLAUSE_TEXT,
	CLAUSE_QUERY_STRING,
	CLAUSE_EMBED,
	CLAUSE_SPARSE_EMBED,
	CLAUSE_TYPES,
} ClauseType;

static const struct
{
	const char *name;
	bool one_field, fields, values, sparse_values, query;
} types[CLAUSE_TYPES] = {
	[CLAUSE_DENSE] = {"dense_vector", true, true, true, false, false},
	[CLAUSE_SPARSE] = {"sparse_vector", true, true, false, true, false},
	[CLAUSE_TEXT] = {"text", false, true, false, false, true},
	[CLAUSE_QUERY_STRING] = {"query_string", false, false, false, false, true},
	[CLAUSE_EMBED] = {"embed", true, true, false, false, true},
	[CLAUSE_SPARSE_EMBED] = {"sparse_embed", true, true, false, false, true},
};

typedef struct DocumentSearch
{
	int top_k;
	Projection projection;
	Filter *filter;
	/* One of vectors, or several of texts */
	ClauseType type;
	float *values;
	Sparse *sparse;
	TextClause *texts;
	int ntexts;
	QueryNode **queries;
	int nqueries;
	int tokens; /* that were embedded */
} DocumentSearch;

static Str
trim(Str s)
{
	while (s.len > 0 && strchr(" \t\r\n", s.s[0]) && s.s[0])
	{
		s.s++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t\r\n", s.s[s.len - 1]) && s.s[s.len - 1])
		s.len--;
	return s;
}

static bool
take_query(Request *r, const JsonValue *clause, Str *query)
{
	const JsonValue *v = json_present(clause, "query");

	if (!v || v->type != JSON_STRING)
		return !reply_invalid(r, "A scoring clause of this type needs 'query', a string");
	if (v->string.len > MAX_QUERY)
		return !reply_invalid(r, "query is %zu bytes long, which exceeds the limit of %d bytes", v->string.len, MAX_QUERY);
	*query = trim(v->string);
	return query->len > 0 || !reply_invalid(r, "query must not be empty");
}

/* May a clause of that type score by the field? */
static bool
fits(const SchemaField *f, ClauseType type)
{
	switch (type)
	{
		case CLAUSE_DENSE:
			return f->type == SCHEMA_DENSE;
		case CLAUSE_SPARSE:
			return f->type == SCHEMA_SPARSE;
		case CLAUSE_TEXT:
			return f->full_text >= 0;
		case CLAUSE_EMBED:
			return f->embed.model != NULL;
		default:
			return f->sparse_embed.model != NULL;
	}
}

static bool
take_field(Request *r, const JsonValue *v, ClauseType type, const SchemaField **field)
{
	if (v->type != JSON_STRING)
		return !reply_invalid(r, "The fields of a scoring clause must be strings");
	*field = schema_find_name(r->index->fields, v->string);
	if (*field && fits(*field, type))
		return true;
	if (!*field || type == CLAUSE_DENSE || type == CLAUSE_TEXT || (*field)->type == SCHEMA_DENSE)
		return !reply_invalid(r, "Scoring field '%.*s' not found in index schema", (int) v->string.len, v->string.s);
	return !reply_invalid(r, "Scoring field '%.*s' does not support scoring of type '%s'", (int) v->string.len, v->string.s, types[type].name);
}

/* "field" or "fields", as the type allows */
static bool
take_fields(Request *r, const JsonValue *clause, ClauseType type, const SchemaField ***fields, int *nfields)
{
	const JsonValue *one = json_present(clause, "field"), *many = json_present(clause, "fields");
	int n;

	if (!types[type].fields)
		return (!one && !many) || !reply_invalid(r, "A clause of type '%s' takes neither 'field' nor 'fields': name fields in the query", types[type].name);
	if (one && many)
		return !reply_invalid(r, "A scoring clause takes 'field' or 'fields', not both");
	if (!one && !many)
		return !reply_invalid(r, "A clause of type '%s' needs 'fields'", types[type].name);
	if (many && (many->type != JSON_ARRAY || many->count == 0))
		return !reply_invalid(r, "'fields' must be a list of at least one name");
	n = one ? 1 : many->count;
	if (types[type].one_field && n != 1)
		return !reply_invalid(r, "A clause of type '%s' takes exactly one field", types[type].name);
	if (type == CLAUSE_SPARSE && (!r->index->fields->sparse || r->index->fields->sparse->type != SCHEMA_SPARSE))
		return !reply_invalid(r, "Sparse vectors are not supported for index with metric '%s'", metric_name(r->index->metric));
	*fields = arena_alloc(&r->arena, sizeof(SchemaField *) * (size_t) n);
	*nfields = n;
	for (int i = 0; i < n; i++)
	{
		if (!take_field(r, one ? one : &many->items[i], type, &(*fields)[i]))
			return false;
	}
	return true;
}

static bool
take_vectors(Request *r, const JsonValue *clause, ClauseType type, DocumentSearch *s)
{
	const JsonValue *values = json_present(clause, "values"), *sparse = json_present(clause, "sparse_values");
	const char *error = NULL;
	JsonReader j;

	if (values && !types[type].values)
		return !reply_invalid(r, "A clause of type '%s' does not take 'values'", types[type].name);
	if (sparse && !types[type].sparse_values)
		return !reply_invalid(r, "A clause of type '%s' does not take 'sparse_values'", types[type].name);
	if (types[type].values)
	{
		int n;
		float *floats;

		if (!values || values->type != JSON_ARRAY)
			return !reply_invalid(r, "A clause of type 'dense_vector' needs 'values', an array of numbers");
		j = json_reader(values->raw, &r->arena);
		floats = read_floats(&j, &n);
		if (j.error)
			return !reply_not_json(r, j.error);
		if (n != r->index->dimension)
			return !reply_invalid(r, "Vector dimension %d does not match the dimension of the index %d", n, r->index->dimension);
		s->values = arena_alloc(&r->arena, sizeof(float) * (size_t) n);
		memcpy(s->values, floats, sizeof(float) * (size_t) n);
	}
	if (types[type].sparse_values)
	{
		if (!sparse || sparse->type != JSON_OBJECT)
			return !reply_invalid(r, "A clause of type 'sparse_vector' needs 'sparse_values' with 'indices' and 'values'");
		j = json_reader(sparse->raw, &r->arena);
		s->sparse = read_sparse(r, &j, &error);
		if (!s->sparse)
			return error ? !reply_invalid(r, "%s", error) : !reply_not_json(r, j.error);
	}
	return true;
}

static bool
read_clause(Request *r, const JsonValue *clause, bool alone, DocumentSearch *s)
{
	static const char *const known[] = {"type", "field", "fields", "query", "values", "sparse_values", NULL};
	const JsonValue *name = json_present(clause, "type");
	const SchemaField **fields = NULL;
	int nfields = 0;
	ClauseType type = 0;
	Str query = STR("");

	if (clause->type != JSON_OBJECT)
		return !reply_invalid(r, "Each entry of score_by must be an object");
	if (!document_check_keys(r, clause, known))
		return false;
	while (type < CLAUSE_TYPES && name && name->type == JSON_STRING && !str_is(name->string, types[type].name))
		type++;
	if (!name || name->type != JSON_STRING || type == CLAUSE_TYPES)
		return !reply_invalid(r, "Each entry of score_by needs a 'type': dense_vector, sparse_vector, text, query_string, embed or sparse_embed");
	if (!alone && type != CLAUSE_TEXT && type != CLAUSE_QUERY_STRING)
		return !reply_invalid(r, "A clause of type '%s' cannot be combined with other clauses in score_by", types[type].name);
	if (!take_fields(r, clause, type, &fields, &nfields) || !take_vectors(r, clause, type, s))
		return false;
	if (types[type].query ? !take_query(r, clause, &query) : json_present(clause, "query") != NULL)
		return r->reply.status ? false : !reply_invalid(r, "A clause of type '%s' does not take 'query'", types[type].name);
	s->type = type;
	if (type == CLAUSE_TEXT)
		s->texts[s->ntexts++] = (TextClause){fields, nfields, query};
	else if (type == CLAUSE_QUERY_STRING)
		return (s->queries[s->nqueries++] = query_parse(r, query)) != NULL;
	else if (type == CLAUSE_EMBED)
	{
		s->values = arena_alloc(&r->arena, sizeof(float) * (size_t) r->index->dimension);
		s->tokens = model_embed(query, s->values, r->index->dimension);
	}
	else if (type == CLAUSE_SPARSE_EMBED)
		s->tokens = model_embed_sparse(query, &s->sparse);
	return true;
}

static bool
read_clauses(Request *r, const JsonValue *list, DocumentSearch *s)
{
	if (!list || list->type != JSON_ARRAY || list->count == 0)
		return !reply_invalid(r, "score_by must be a list of at least one scoring clause");
	if (list->count > MAX_CLAUSES)
		return !reply_invalid(r, "score_by has %d clauses, which exceeds the limit of %d", list->count, MAX_CLAUSES);
	s->texts = arena_alloc(&r->arena, sizeof(TextClause) * (size_t) list->count);
	s->queries = arena_alloc(&r->arena, sizeof(QueryNode *) * (size_t) list->count);
	for (int i = 0; i < list->count; i++)
	{
		if (!read_clause(r, &list->items[i], list->count == 1, s))
			return false;
	}
	return s->type < CLAUSE_TEXT || list->raw.len <= MAX_CLAUSE_BYTES ||
		   !reply_invalid(r, "score_by is %zu bytes long, which exceeds the limit of %d bytes", list->raw.len, MAX_CLAUSE_BYTES);
}

static bool
read_search(Request *r, const JsonValue *body, DocumentSearch *s)
{
	static const char *const known[] = {"score_by", "top_k", "include_fields", "filter", NULL};
	const JsonValue *top_k = json_present(body, "top_k"), *fields = json_present(body, "include_fields");

	if (!document_check_keys(r, body, known))
		return false;
	if (!top_k || top_k->type != JSON_NUMBER || top_k->number != floor(top_k->number) || top_k->number < 1 || top_k->number > sizes.top_k)
		return !reply_invalid(r, "top_k must be an integer between 1 and %d", sizes.top_k);
	s->top_k = (int) top_k->number;
	if (fields)
	{
		JsonReader j = json_reader(fields->raw, &r->arena);

		if (!read_projection(r, &j, &s->projection))
			return false;
	}
	return document_read_filter(r, json_get(body, "filter"), true, true, &s->filter) && read_clauses(r, json_present(body, "score_by"), s);
}

static int
find_by_text(const Index *index, const Namespace *ns, const DocumentSearch *s, Match **matches)
{
	Hits hits = {0};

	for (int i = 0; ns->texts && i < s->nqueries; i++)
		hits = hits_union(hits, query_find(ns, index->fields, s->queries[i]));
	return rank_search(ns, s->texts, s->ntexts, hits, s->filter, s->top_k, matches);
}

static int
find(const Index *index, const Namespace *ns, const DocumentSearch *s, Match **matches)
{
	Search search = {.index = index, .ns = ns, .vector = s->values, .sparse = s->sparse, .filter = s->filter, .top_k = s->top_k};

	if (s->filter)
		filter_bind(s->filter, ns);
	if (!s->values && !s->sparse)
		return find_by_text(index, ns, s, matches);
	return settings.approximate ? approximate_search(&search, settings.approximate, matches) : knn_search(&search, matches);
}

/* The distance is the smaller the better, so it was searched by its negative. */
static float
score_of(const Index *index, const DocumentSearch *s, const Match *m)
{
	if (!s->values || index->metric != METRIC_EUCLIDEAN)
		return m->rank;
	return fact(FACT_EUCLIDEAN_SCORE) ? 1 / (1 - m->rank) : 0.0f - m->rank;
}

/* Under the shared lock */
static void
run_search(Request *r, Str namespace, const DocumentSearch *s)
{
	Buffer *b = reply_body(r);
	Namespace *ns = namespace_find(r->index, namespace);
	Match *matches = NULL;
	int n = 0;
	unsigned read_units = 1;

	if (!projection_check(r, ns, &s->projection))
		return;
	if (ns && !documents_are_hidden(r->index))
	{
		n = find(r->index, ns, s, &matches);
		read_units = (unsigned) (ns->bytes >> 30) + 5;
	}
	buffer_add_text(b, "{\"matches\":[");
	for (int i = 0; i < n; i++)
	{
		float score = score_of(r->index, s, &matches[i]);

		document_forget_excess(r);
		if (i > 0)
			buffer_add_char(b, ',');
		document_write_id(b, matches[i].record);
		buffer_add_text(b, ",\"_score\":");
		if (isfinite(score))
			json_add_widened(b, score);
		else
			buffer_add_text(b, "null");
		document_write(b, r->index, ns, matches[i].record, &s->projection);
	}
	free(matches);
	buffer_add_char(b, ']');
	document_write_end(r, namespace, read_units, s->tokens);
	document_add_lsn(r, ns, true);
}

/* Words alone are looked up fast. */
static bool
is_long(Request *r, Str namespace, const DocumentSearch *s)
{
	return (s->values || s->sparse || s->nqueries) && document_is_long(r, namespace);
}

bool
document_search(Request *r, Str namespace)
{
	const JsonValue *body = document_body(r);
	DocumentSearch s = {0};
	bool done = true;

	if (body && read_search(r, body, &s) &&
		(r->as_task || (limit_take(r, LIMIT_QUERY, namespace, 1) && limit_take(r, LIMIT_QUERY_UNITS, STR(""), 5))))
	{
		if (is_long(r, namespace, &s))
			done = false;
		else
		{
			index_lock_shared(r->index);
			run_search(r, alias_target(r, namespace), &s);
			index_unlock(r->index);
			if (!r->reply.status)
				document_limit_result(r);
		}
	}
	free(s.sparse);
	filter_free(s.filter);
	return done;
}
