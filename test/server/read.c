/*
 * read.c
 *		Parts of requests that several calls of the data plane have in common.
 */
#include "filter.h"
#include "limits.h"
#include "request.h"

#include <stdlib.h>

/* Non-zero values of a sparse vector (API 2026-07; earlier ones say 1000) */
#define MAX_SPARSE 2048

bool
bad_body(Request *r, const JsonReader *j)
{
	return r->reply.status ? true : reply_not_json(r, j->error ? j->error : "unexpected value");
}

bool
unknown_field(Request *r, Str key)
{
	return !reply_invalid(r, "Unknown field '%.*s' in the request body", (int) key.len, key.s);
}

bool
is_null(JsonReader *j)
{
	return json_peek(j) == 'n' && json_read_null(j);
}

bool
read_filter(Request *r, JsonReader *j, Filter **filter)
{
	JsonValue json;
	Str message;

	if (!json_read_value(j, &json))
		return false;
	filter_free(*filter);
	*filter = filter_compile(&json, &r->arena, &message);
	return *filter || !reply_invalid(r, "%.*s", (int) message.len, message.s);
}

bool
check_namespace(Request *r, Str name)
{
	if (name.len > 512)
		return !reply_invalid(r, "Namespace must be at most 512 characters long, got %zu", name.len);
	for (size_t i = 0; i < name.len; i++)
	{
		if (name.s[i] == '\0')
			return !reply_invalid(r, "Namespace must not contain null character");
		if ((unsigned char) name.s[i] > 0x7f)
			return !reply_invalid(r, "Namespace must be ASCII, but got '%.*s'", (int) name.len, name.s);
	}
	return true;
}

bool
read_namespace(Request *r, JsonReader *j, Str *name)
{
	*name = STR("");
	if (json_peek(j) == 'n')
		return json_read_null(j);
	return json_read_string(j, name) && check_namespace(r, *name);
}

bool
check_id(Request *r, Str id)
{
	if (id.len == 0)
		return !reply_invalid(r, "Vector ID must not be empty");
	for (size_t i = 0; i < id.len; i++)
	{
		if (id.s[i] == '\0')
			return !reply_invalid(r, "Vector ID must not contain null character");
		if ((unsigned char) id.s[i] > 0x7f)
			return !reply_invalid(r, "Vector ID must be ASCII, but got '%.*s'", (int) id.len, id.s);
	}
	if (id.len > 512)
		return !reply_invalid(r, "Vector ID must be at most 512 characters long, got %zu", id.len);
	return true;
}

/* With a schema only the declared fields can be filtered by. */
bool
check_filter_schema(Request *r, const Namespace *ns, const Filter *filter)
{
	const uint32_t *keys = ns && ns->schema_keys ? ns->schema_keys : r->index->schema_keys;
	int nkeys = ns && ns->schema_keys ? ns->nschema_keys : r->index->nschema_keys;
	uint32_t key;
	Str name;

	if (!keys || !filter_uses_other_key(filter, keys, nkeys, &key))
		return true;
	name = metadata_key_name(key);
	return !reply_invalid(r, "Metadata field '%.*s' is not filterable: the schema does not declare it", (int) name.len, name.s);
}

float *
read_floats(JsonReader *j, int *count)
{
	Buffer *b = thread_buffer(THREAD_BUFFER_FLOATS);
	bool first = true;
	float value;

	b->len = 0;

	*count = 0;
	json_begin(j, '[');
	while (json_next_item(j, &first))
	{
		if (!json_read_float(j, &value))
			return NULL;
		buffer_add(b, &value, sizeof(value));
		(*count)++;
	}
	return (float *) b->data;
}

typedef struct Pair
{
	uint32_t index;
	float value;
} Pair;

static int
compare_pairs(const void *a, const void *b)
{
	const Pair *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static bool
read_indices(JsonReader *j, uint32_t **indices, int *count)
{
	int size = 0;
	bool first = true;

	*count = 0;
	json_begin(j, '[');
	while (json_next_item(j, &first))
	{
		double number;

		if (!json_read_double(j, &number))
			return false;
		if (number < 0 || number > UINT32_MAX || number != (double) (uint32_t) number)
			return json_fail(j, "sparse indices must be integers from 0 to 4294967295");
		if (*count == size)
		{
			size = size ? size * 2 : 64;
			*indices = mem_resize(*indices, sizeof(uint32_t) * (size_t) size);
		}
		(*indices)[(*count)++] = (uint32_t) number;
	}
	return !j->error;
}

/* Indices and values, each their own list, as pairs in order of indices. */
static Sparse *
make_sparse(Request *r, const uint32_t *indices, int nindices, const float *values, int nvalues, const char **error)
{
	Pair *pairs;
	Sparse *s;

	if (nindices != nvalues)
		*error = "Sparse vector must have as many indices as values";
	else if (nindices == 0)
		*error = "Sparse vector must contain at least one value";
	else if (nindices > MAX_SPARSE)
		*error = arena_printf(&r->arena, "Sparse vector has %d values, which exceeds the limit of %d", nindices, MAX_SPARSE).s;
	if (*error)
		return NULL;
	pairs = mem_alloc(sizeof(Pair) * (size_t) nindices);
	for (int i = 0; i < nindices; i++)
		pairs[i] = (Pair){indices[i], values[i]};
	qsort(pairs, (size_t) nindices, sizeof(Pair), compare_pairs);
	for (int i = 1; i < nindices; i++)
	{
		if (pairs[i].index == pairs[i - 1].index)
			*error = "Sparse vector must not contain an index twice";
	}
	s = sparse_new((uint32_t) nindices);
	for (int i = 0; i < nindices; i++)
	{
		s->indices[i] = pairs[i].index;
		s->values[i] = pairs[i].value;
	}
	free(pairs);
	return s;
}

/*
 * Read {"indices": [...], "values": [...]}; NULL for a null, for text that is
 * not JSON (j->error), or with a message in *error.
 */
Sparse *
read_sparse(Request *r, JsonReader *j, const char **error)
{
	uint32_t *indices = NULL;
	float *values = NULL;
	int nindices = 0, nvalues = 0;
	bool first = true;
	Str key;
	Sparse *sparse = NULL;

	*error = NULL;
	if (json_peek(j) == 'n')
	{
		json_read_null(j);
		return NULL;
	}
	json_begin(j, '{');
	while (!j->error && json_next_key(j, &first, &key))
	{
		if (str_is(key, "indices"))
			read_indices(j, &indices, &nindices);
		else if (str_is(key, "values"))
		{
			float *floats = read_floats(j, &nvalues);

			free(values);
			values = floats ? mem_copy(floats, sizeof(float) * (size_t) nvalues) : NULL;
		}
		else
			json_fail(j, arena_printf(&r->arena, "unknown field \"%.*s\" of a sparse vector", (int) key.len, key.s).s);
	}
	if (!j->error)
		sparse = make_sparse(r, indices, nindices, values, nvalues, error);
	if (*error)
	{
		free(sparse);
		sparse = NULL;
	}
	free(indices);
	free(values);
	return sparse;
}

/* limit, prefix and paginationToken of the calls that list something */
bool
check_page_params(Request *r, int max, int *limit, Str *prefix, Str *token)
{
	const Param *p;

	*limit = max;
	*prefix = *token = STR("");
	if ((p = request_param(r, "limit")))
	{
		char *end;
		char *text = arena_alloc(&r->arena, p->value.len + 1);

		memcpy(text, p->value.s, p->value.len);
		text[p->value.len] = '\0';
		*limit = (int) strtol(text, &end, 10);
		if (*text < '0' || *text > '9' || *end || p->value.len > 9 || *limit < 1 || *limit > max)
			return !reply_invalid(r, "limit must be between 1 and %d, got '%.*s'", max, (int) p->value.len, p->value.s);
	}
	if ((p = request_param(r, "prefix")))
		*prefix = p->value;
	if ((p = request_param(r, "paginationToken")))
		*token = p->value;
	return true;
}

bool
listing_begin(Request *r, int max, uint64_t salt, Listing *l)
{
	*l = (Listing){0};
	if (!check_page_params(r, max, &l->limit, &l->prefix, &l->token))
		return false;
	l->scope = hash_bytes(l->prefix.s, l->prefix.len) + salt;
	return l->token.len == 0 || token_read(r, l->token, l->scope, &l->last);
}

bool
listing_takes(Buffer *b, Listing *l, Str name, Str key)
{
	if (name.len < l->prefix.len || memcmp(name.s, l->prefix.s, l->prefix.len) != 0)
		return false;
	l->total++;
	/* The default namespace, "", comes first; a token for after it says so */
	if (l->token.len > 0 && str_compare(key, str_is(l->last, "__default__") ? STR("") : l->last) <= 0)
		return false;
	if (l->n == l->limit)
	{
		l->more = true;
		return false;
	}
	if (l->n++)
		buffer_add_char(b, ',');
	l->previous = name;
	return true;
}

void
listing_end(Buffer *b, const Listing *l)
{
	buffer_add_char(b, ']');
	if (l->more)
	{
		buffer_add_text(b, ",\"pagination\":{\"next\":\"");
		token_write(b, l->scope, l->previous);
		buffer_add_text(b, "\"}");
	}
	buffer_printf(b, ",\"total_count\":%d}", l->total);
}
