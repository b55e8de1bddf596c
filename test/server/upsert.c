/*
 * upsert.c
 *		Reading the records of an upsert or a JSONL file in one pass.
 *
 * Vectors are most of the bytes: their numbers are read straight to floats.
 * Metadata and sparse values are small and go through json-c.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

typedef struct Reader
{
	const char *p;
	const char *end;
	Index *index;
	Reply *reply;
} Reader;

static bool
bad_json(Reader *r)
{
	if (r->reply->status < 400)
		reply_rpc_error(r->reply, 400, 3, "Failed to parse the request body as JSON");
	return false;
}

static void
skip_space(Reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

static bool
take(Reader *r, char c)
{
	skip_space(r);
	if (r->p < r->end && *r->p == c)
	{
		r->p++;
		return true;
	}
	return false;
}

/* The text of any value, brackets balanced and strings respected. */
static bool
slice_value(Reader *r, const char **start, size_t *len)
{
	int depth = 0;

	skip_space(r);
	*start = r->p;
	while (r->p < r->end)
	{
		char c = *r->p;

		if (c == '"')
		{
			for (r->p++; r->p < r->end && *r->p != '"'; r->p++)
			{
				if (*r->p == '\\')
					r->p++;
			}
			if (r->p >= r->end)
				return bad_json(r);
		}
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
		{
			if (depth == 0)
				break;
			if (--depth == 0)
			{
				r->p++;
				break;
			}
			r->p++;
			continue;
		}
		else if (c == ',' && depth == 0)
			break;
		r->p++;
		if (c == '"' && depth == 0)
			break;
	}
	*len = r->p - *start;
	return *len > 0 || bad_json(r);
}

static struct json_object *
parse_slice(Reader *r)
{
	const char *start;
	size_t len;
	struct json_tokener *tokener;
	struct json_object *value;

	if (!slice_value(r, &start, &len))
		return NULL;
	tokener = json_tokener_new();
	value = json_tokener_parse_ex(tokener, start, len);
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		value = json_tokener_parse_ex(tokener, "", -1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
	{
		json_object_put(value);
		value = NULL;
		bad_json(r);
	}
	json_tokener_free(tokener);
	return value;
}

/* A string, decoded; NULL when it is none. */
static char *
read_string(Reader *r)
{
	struct json_object *value;
	const char *close;
	char *text = NULL;

	skip_space(r);
	if (r->p >= r->end || *r->p != '"')
		return bad_json(r) ? NULL : NULL;
	/* nearly all strings are plain */
	close = memchr(r->p + 1, '"', r->end - r->p - 1);
	if (close && !memchr(r->p + 1, '\\', close - r->p - 1))
	{
		text = strndup(r->p + 1, close - r->p - 1);
		r->p = close + 1;
		return text;
	}
	value = parse_slice(r);
	if (value && json_object_is_type(value, json_type_string) &&
		strlen(json_object_get_string(value)) == (size_t) json_object_get_string_len(value))
		text = strdup(json_object_get_string(value));
	json_object_put(value);
	return text;
}

static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
							  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool
read_float(Reader *r, float *value)
{
	const char *p = r->p;
	const char *start = p;
	bool negative = *p == '-';
	uint64_t mantissa = 0;
	int digits = 0;
	int scale = 0;

	p += negative;
	for (; *p >= '0' && *p <= '9'; p++, digits++)
		mantissa = mantissa * 10 + (*p - '0');
	if (digits == 0)
		return false;
	if (*p == '.')
	{
		for (p++; *p >= '0' && *p <= '9'; p++, digits++, scale++)
			mantissa = mantissa * 10 + (*p - '0');
	}
	if (*p != 'e' && *p != 'E' && digits <= 15 && scale <= 22)
	{
		double wide = mantissa / tens[scale];

		*value = (float) (negative ? -wide : wide);
	}
	else
	{
		char *end;

		*value = strtof(start, &end);
		if (end == start || !isfinite(*value))
			return false;
		p = end;
	}
	r->p = p;
	return true;
}

static bool
read_floats(Reader *r, float **values, int *n)
{
	int size = r->index->dimension > 0 ? r->index->dimension : 16;

	*n = 0;
	*values = malloc(size * sizeof(float));
	if (!take(r, '['))
		return bad_json(r);
	if (take(r, ']'))
		return true;
	for (;;)
	{
		skip_space(r);
		if (*n == size)
		{
			size *= 2;
			*values = realloc(*values, size * sizeof(float));
		}
		if (r->p >= r->end || !read_float(r, &(*values)[(*n)++]))
			return bad_json(r);
		if (r->p < r->end && *r->p == ',')
		{
			r->p++;
			continue;
		}
		if (take(r, ','))
			continue;
		return take(r, ']') || bad_json(r);
	}
}

static int
compare_pairs(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

static bool
read_sparse(Reader *r, Record *record)
{
	struct json_object *value = parse_slice(r);
	struct json_object *indices, *values;
	struct
	{
		uint32_t index;
		float value;
	} *pairs;
	size_t n;
	bool ok = false;

	if (value == NULL)
		return bad_json(r);
	if (!json_object_object_get_ex(value, "indices", &indices) ||
		!json_object_object_get_ex(value, "values", &values) ||
		!json_object_is_type(indices, json_type_array) ||
		!json_object_is_type(values, json_type_array) ||
		json_object_array_length(indices) != json_object_array_length(values))
	{
		reply_rpc_error(r->reply, 400, 3, "Sparse vector must have as many indices as values");
		json_object_put(value);
		return false;
	}
	n = json_object_array_length(indices);
	pairs = malloc((n + 1) * sizeof(*pairs));
	for (size_t i = 0; i < n; i++)
	{
		pairs[i].index = (uint32_t) json_object_get_int64(json_object_array_get_idx(indices, i));
		pairs[i].value = (float) json_object_get_double(json_object_array_get_idx(values, i));
	}
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	ok = n <= 2048;
	for (size_t i = 1; i < n; i++)
		ok = ok && pairs[i].index != pairs[i - 1].index;
	if (!ok)
		reply_rpc_error(r->reply, 400, 3, n > 2048 ? "Sparse vector has more than 2048 non-zero values" : "Sparse vector has duplicate indices");
	record->nsparse = (int) n;
	record->indices = malloc((n + 1) * sizeof(uint32_t));
	record->sparse = malloc((n + 1) * sizeof(float));
	for (size_t i = 0; i < n; i++)
	{
		record->indices[i] = pairs[i].index;
		record->sparse[i] = pairs[i].value;
	}
	free(pairs);
	json_object_put(value);
	return ok;
}

static bool
metadata_value_ok(struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
		{
			if (!json_object_is_type(json_object_array_get_idx(value, i), json_type_string))
				return false;
		}
		return true;
	}
	return !json_object_is_type(value, json_type_object);
}

bool
check_metadata(struct json_object *metadata, Reply *reply)
{
	size_t size;
	bool again = true;

	if (!json_object_is_type(metadata, json_type_object))
	{
		reply_rpc_error(reply, 400, 3, "metadata must be an object");
		return false;
	}
	/* nulls are dropped */
	while (again)
	{
		again = false;
		json_object_object_foreach(metadata, key, value)
		{
			if (value == NULL)
			{
				json_object_object_del(metadata, key);
				again = true;
				break;
			}
			if (key[0] == '$')
			{
				reply_rpc_error(reply, 400, 3, "Metadata field '%s' cannot start with '$'", key);
				return false;
			}
			if (!metadata_value_ok(value))
			{
				reply_rpc_error(reply, 400, 3,
								"Metadata value must be a string, number, boolean or list of strings, got '%.100s' for field '%s'",
								json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), key);
				return false;
			}
		}
	}
	size = strlen(json_object_to_json_string_ext(metadata, JSON_C_TO_STRING_PLAIN |
															   JSON_C_TO_STRING_NOSLASHESCAPE));
	if (size > 40960)
	{
		reply_rpc_error(reply, 400, 3,
						"Metadata size is %zu bytes, which exceeds the limit of 40960 bytes per vector",
						size);
		return false;
	}
	return true;
}

static bool
check_id(const char *id, Reply *reply)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++)
	{
		if ((unsigned char) id[i] > 127)
		{
			reply_rpc_error(reply, 400, 3, "Vector ID must be ASCII, but got '%.100s'", id);
			return false;
		}
	}
	if (len < 1 || len > 512)
	{
		reply_rpc_error(reply, 400, 3, "Vector ID must be between 1 and 512 characters long");
		return false;
	}
	return true;
}

static bool
check_record(Reader *r, Record *record, int nvalues)
{
	Index *index = r->index;
	bool zero = true;

	if (record->id == NULL)
	{
		reply_rpc_error(r->reply, 400, 3, "Vector ID is missing");
		return false;
	}
	if (!check_id(record->id, r->reply))
		return false;
	if (index->sparse)
	{
		if (nvalues > 0)
			reply_rpc_error(r->reply, 400, 3, "Index configuration does not support dense values");
		else if (record->nsparse == 0)
			reply_rpc_error(r->reply, 400, 3, "Sparse vectors must contain at least one value");
		free(record->values);
		record->values = NULL;
		return r->reply->status < 400;
	}
	if (record->nsparse > 0 && index->metric != DOTPRODUCT)
	{
		/* accepted; only queries fail */
	}
	if (nvalues != index->dimension)
	{
		reply_rpc_error(r->reply, 400, 3,
						"Vector dimension %d does not match the dimension of the index %d", nvalues,
						index->dimension);
		return false;
	}
	for (int i = 0; zero && i < nvalues; i++)
		zero = fabsf(record->values[i]) < 1e-8f;
	if (zero)
	{
		reply_rpc_error(r->reply, 400, 3,
						"Dense vectors must contain at least one non-zero value. Vector ID '%s' contains only zeros",
						record->id);
		return false;
	}
	return true;
}

/* One record object; *other takes the keys that only a file's lines have. */
static Record *
read_record(Reader *r, char **index_name, char **namespace_name)
{
	Record *record = calloc(1, sizeof(Record));
	int nvalues = 0;
	bool ok = take(r, '{') || bad_json(r);
	bool first = true;

	while (ok && !take(r, '}'))
	{
		char *key;

		if (!first && !take(r, ','))
		{
			ok = bad_json(r);
			break;
		}
		first = false;
		key = read_string(r);
		if (key == NULL || !take(r, ':'))
			ok = bad_json(r);
		else if (strcmp(key, "id") == 0)
			ok = (record->id = read_string(r)) != NULL || bad_json(r);
		else if (strcmp(key, "values") == 0)
			ok = read_floats(r, &record->values, &nvalues);
		else if (strcmp(key, "sparseValues") == 0 || strcmp(key, "sparse_values") == 0)
			ok = read_sparse(r, record);
		else if (strcmp(key, "metadata") == 0)
		{
			record->metadata = parse_slice(r);
			if (record->metadata)
				ok = check_metadata(record->metadata, r->reply);
			else
				ok = r->reply->status < 400;
		}
		else if (index_name && strcmp(key, "index") == 0)
			*index_name = read_string(r);
		else if (namespace_name && strcmp(key, "namespace") == 0)
			*namespace_name = read_string(r);
		else
			json_object_put(parse_slice(r));
		free(key);
		ok = ok && r->reply->status < 400;
	}
	if (!ok || !check_record(r, record, nvalues))
	{
		record_free(record);
		return NULL;
	}
	record_render(record, r->index->dimension);
	return record;
}

bool
parse_upsert(Index *index, const char *body, size_t len, Reply *reply, Record ***records,
			 int *nrecords, char **namespace_name)
{
	Reader r = {body, body + len, index, reply};
	bool first = true;
	int size = 0;

	*records = NULL;
	*nrecords = 0;
	*namespace_name = NULL;
	if (!take(&r, '{'))
		return bad_json(&r);
	while (reply->status < 400 && !take(&r, '}'))
	{
		char *key;

		if (!first && !take(&r, ','))
			return bad_json(&r);
		first = false;
		key = read_string(&r);
		if (key == NULL || !take(&r, ':'))
		{
			free(key);
			return bad_json(&r);
		}
		if (strcmp(key, "namespace") == 0)
			*namespace_name = read_string(&r);
		else if (strcmp(key, "vectors") == 0)
		{
			bool first_record = true;

			if (!take(&r, '['))
				bad_json(&r);
			while (reply->status < 400 && !take(&r, ']'))
			{
				Record *record;

				if (!first_record && !take(&r, ','))
				{
					bad_json(&r);
					break;
				}
				first_record = false;
				record = read_record(&r, NULL, NULL);
				if (record == NULL)
				{
					bad_json(&r);
					break;
				}
				if (*nrecords == size)
				{
					size = size ? size * 2 : 128;
					*records = realloc(*records, size * sizeof(Record *));
				}
				(*records)[(*nrecords)++] = record;
			}
		}
		else
			json_object_put(parse_slice(&r));
		free(key);
	}
	return reply->status < 400;
}

bool
load_index(Index *only, const char *file)
{
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	long number = 0;

	if (in == NULL)
	{
		fprintf(stderr, "pinecone-local: cannot open %s\n", file);
		return false;
	}
	while ((len = getline(&line, &size, in)) > 0)
	{
		Reply reply = {.status = 200};
		Reader r = {line, line + len, only, &reply};
		struct json_object *head;
		struct json_object *name;
		Index *index = only;
		char *index_name = NULL;
		char *namespace_name = NULL;
		Record *record;

		number++;
		if (strspn(line, " \t\r\n") == (size_t) len)
			continue;
		if (index == NULL)
		{
			/* the index decides how the record reads, so look for it first */
			head = json_tokener_parse(line);
			if (head && json_object_object_get_ex(head, "index", &name))
				index = index_find(json_object_get_string(name));
			else
				index = indexes;
			json_object_put(head);
		}
		r.index = index;
		record = index ? read_record(&r, &index_name, &namespace_name) : NULL;
		if (record == NULL)
		{
			fprintf(stderr, "pinecone-local: %s, line %ld: %s\n", file, number,
					index ? reply.body.data : "no such index");
			fclose(in);
			return false;
		}
		record_put(namespace_get(index, namespace_name), record);
		free(index_name);
		free(namespace_name);
	}
	free(line);
	fclose(in);
	return true;
}
