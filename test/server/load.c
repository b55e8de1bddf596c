/*
 * load.c
 *		Loading and saving as JSON lines.
 *
 * A line with an id is a record, one with a dimension or vector type an index,
 * another one a namespace:
 *		{"index": "movies", "dimension": 3, "metric": "cosine"}
 *		{"index": "movies", "namespace": "kb", "schema": {"fields": {...}}}
 *		{"index": "movies", "namespace": "kb", "id": "a", "values": [1, 2, 3], "metadata": {...}}
 * Of a document index the schema is called otherwise, and a document has its own object:
 *		{"index": "articles", "document_schema": {"fields": {...}}}
 *		{"index": "articles", "namespace": "kb", "document": {"_id": "a", ...}}
 * The index of a record must have been described by --index or an earlier line.
 */
#include "load.h"

#include "alias.h"
#include "catalog.h"
#include "document.h"
#include "order.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const JsonValue *
string_of(const JsonValue *line, const char *key)
{
	const JsonValue *v = json_get(line, key);

	return v && v->type == JSON_STRING ? v : NULL;
}

static void
take_text(const JsonValue *line, const char *key, char **to)
{
	const JsonValue *v = string_of(line, key);

	if (v)
	{
		free(*to);
		*to = mem_text(v->string);
	}
}

/* Description of an index, of whatever kind it is */
static void
take_description(const JsonValue *line, Index *index)
{
	const JsonValue *tags = json_get(line, "tags"), *capacity = json_get(line, "read_capacity");

	if (tags && tags->type == JSON_OBJECT)
		index->tags = mem_text(tags->raw);
	index->protected = string_of(line, "deletion_protection") && str_is(string_of(line, "deletion_protection")->string, "enabled");
	take_text(line, "cloud", &index->cloud);
	take_text(line, "region", &index->region);
	take_text(line, "environment", &index->environment);
	take_text(line, "cmek_id", &index->cmek_id);
	if (capacity && capacity->type == JSON_OBJECT)
		index->read_capacity = mem_text(capacity->raw);
}

/* Serve it, and let it go. */
static bool
add_index(Request *r, const JsonValue *line, Str name, Index *index)
{
	const JsonValue *port = json_get(line, "port");
	bool added = catalog_add(index, port && port->type == JSON_NUMBER ? (int) port->number : 0) ||
				 !reply_invalid(r, "could not open the port of index \"%.*s\": %s", (int) name.len, name.s, strerror(errno));

	index_release(index);
	return added;
}

/* Would they be described alike? */
static bool
is_same_schema(const Schema *a, const Schema *b)
{
	Buffer x = {0}, y = {0};
	bool same;

	schema_write(&x, a);
	schema_write(&y, b);
	same = str_equal((Str){x.data, x.len}, (Str){y.data, y.len});
	buffer_free(&x);
	buffer_free(&y);
	return same;
}

static bool
load_document_index(Request *r, const JsonValue *line, Str name)
{
	Schema *schema = schema_read(r, json_get(line, "document_schema"), false);
	Index *index = catalog_find(name);
	char *text;

	if (!schema)
	{
		index_release(index);
		return false;
	}
	if (index)
	{
		bool same = index->fields && is_same_schema(index->fields, schema);

		schema_free(schema);
		index_release(index);
		return same || !reply_invalid(r, "the index \"%.*s\" exists already and is another", (int) name.len, name.s);
	}
	text = mem_text(name);
	index = schema_index(text, schema);
	free(text);
	take_description(line, index);
	return add_index(r, line, name, index);
}

/* What an index for a model embeds */
static bool
load_model(Request *r, const JsonValue *embed, Index *index)
{
	const JsonValue *map = json_get(embed, "field_map"), *text = json_get(map, "text");

	if (!embed)
		return true;
	if (!text || text->type != JSON_STRING)
		return !reply_invalid(r, "embed has no field_map with a text");
	index->integrated = mem_zero(sizeof(Integrated));
	index->integrated->field = mem_text(text->string);
	index->integrated->field_map = mem_text(map->raw);
	return embedding_read(r, embed, !index->sparse, "", &index->integrated->embedding);
}

static bool
load_index(Request *r, const JsonValue *line, Str name)
{
	const JsonValue *dimension = json_get(line, "dimension");
	const JsonValue *metric = string_of(line, "metric");
	const JsonValue *type = string_of(line, "vector_type");
	bool sparse = type && str_is(type->string, "sparse");
	Metric m = sparse ? METRIC_DOTPRODUCT : METRIC_COSINE;
	Index *index = catalog_find(name);
	char *text;
	bool added;
	int d = dimension && dimension->type == JSON_NUMBER ? (int) dimension->number : 0;

	if ((!sparse && (d < 1 || d > MAX_DIMENSION)) || (sparse && d))
		return !reply_invalid(r, "invalid dimension");
	if ((metric && !metric_of_name(metric->string, &m)) || (sparse && m != METRIC_DOTPRODUCT))
		return !reply_invalid(r, "invalid metric");
	if (index)
	{
		added = index->dimension == d && index->metric == m && index->sparse == sparse;
		index_release(index);
		return added || !reply_invalid(r, "the index \"%.*s\" exists already and is another", (int) name.len, name.s);
	}
	text = mem_text(name);
	index = index_new(text, d, m, sparse);
	free(text);
	take_description(line, index);
	index->has_sparse_field = json_get(line, "hybrid") && json_get(line, "hybrid")->boolean;
	if (!control_set_schema(r, index, json_get(line, "schema")) || !load_model(r, json_get(line, "embed"), index))
	{
		index_release(index);
		return false;
	}
	return add_index(r, line, name, index);
}

/* Through the same checks as a request: the line becomes one. */
static bool
load_record(Request *r, Str line, Str namespace)
{
	Buffer body = {0};
	JsonReader j = json_reader(line, &r->arena);
	bool first = true, any = false;
	Str key, raw;

	buffer_add_text(&body, "{\"namespace\":");
	json_add_string(&body, namespace);
	buffer_add_text(&body, ",\"vectors\":[{");
	json_begin(&j, '{');
	while (json_next_key(&j, &first, &key) && json_skip(&j, &raw))
	{
		/* Null values and empty objects stand for what a record does not have */
		if (str_is(key, "index") || str_is(key, "namespace") || raw.s[0] == 'n')
			continue;
		if (any)
			buffer_add_char(&body, ',');
		any = true;
		json_add_string(&body, key);
		buffer_add_char(&body, ':');
		buffer_add_str(&body, raw);
	}
	buffer_add_text(&body, "}]}");
	r->body = body;
	r->body_bytes = body.len;
	write_upsert(r);
	buffer_free(&body);
	r->body = (Buffer){0};
	return r->reply.status == 0;
}

static bool
load_line(Request *r, Str text)
{
	JsonReader j = json_reader(text, &r->arena);
	const JsonValue *index, *namespace, *alias, *target;
	JsonValue line;
	bool is_record, good;

	if (json_peek(&j) == '\0')
		return true;
	json_read_value(&j, &line);
	if (!json_finish(&j) || line.type != JSON_OBJECT)
		return !reply_invalid(r, "not a JSON object: %s", j.error ? j.error : "another value");
	index = string_of(&line, "index");
	namespace = string_of(&line, "namespace");
	alias = string_of(&line, "alias");
	target = string_of(&line, "target_namespace");
	is_record = json_get(&line, "id") != NULL;
	if (!index)
		return !reply_invalid(r, "no \"index\"");
	if (!is_record && !namespace && json_get(&line, "document_schema"))
		return load_document_index(r, &line, index->string);
	if (!is_record && !namespace && !alias && !json_get(&line, "document"))
		return load_index(r, &line, index->string);
	r->index = catalog_find(index->string);
	if (!r->index)
		return !reply_invalid(r, "there is no index \"%.*s\"", (int) index->string.len, index->string.s);
	if (json_get(&line, "document"))
		good = document_load(r, namespace ? namespace->string : STR(""), &line);
	else if (is_record)
		good = load_record(r, text, namespace ? namespace->string : STR(""));
	else if (alias)
		good = target ? aliases_load(r, alias->string, target->string) : !reply_invalid(r, "no \"target_namespace\"");
	else
		good = namespaces_load(r, namespace->string, json_get(&line, "schema"));
	index_release(r->index);
	r->index = NULL;
	return good;
}

static char *
describe_error(Request *r, const char *path, size_t number)
{
	const JsonValue *body = json_parse((Str){r->reply.body.data, r->reply.body.len}, &r->arena, NULL);
	const JsonValue *error = json_get(body, "error");
	const JsonValue *message = string_of(error ? error : body, "message");
	Buffer b = {0};

	buffer_printf(&b, "\"%s\", line %zu: ", path, number);
	if (message)
		buffer_add_str(&b, message->string);
	buffer_add_char(&b, '\0');
	return b.data;
}

static char *
describe_errno(const char *what, const char *path)
{
	Buffer b = {0};

	buffer_printf(&b, "could not %s \"%s\": %s", what, path, strerror(errno));
	buffer_add_char(&b, '\0');
	return b.data;
}

bool
load_file(const char *path, char **error)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t len;
	bool good = true;

	if (!file)
	{
		*error = describe_errno("open", path);
		return false;
	}
	while (good && (len = getline(&line, &size, file)) >= 0)
	{
		Request r = {.method = "POST"};

		number++;
		good = load_line(&r, (Str){line, (size_t) len});
		if (!good)
			*error = describe_error(&r, path, number);
		buffer_free(&r.reply.body);
		arena_free(&r.arena);
	}
	if (good && ferror(file))
	{
		*error = describe_errno("read", path);
		good = false;
	}
	free(line);
	fclose(file);
	return good;
}

Index *
load_schema(const char *name, const char *path)
{
	Request r = {.method = "POST"};
	FILE *file = fopen(path, "r");
	const JsonValue *json;
	Schema *schema = NULL;
	Buffer b = {0};
	char part[4096], *message;
	const char *error = NULL;
	size_t n;

	if (!file)
	{
		fprintf(stderr, "pinecone-local: could not open \"%s\": %s\n", path, strerror(errno));
		return NULL;
	}
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buffer_add(&b, part, n);
	fclose(file);
	json = json_parse((Str){b.data, b.len}, &r.arena, &error);
	if (!json)
		reply_invalid(&r, "not JSON: %s", error);
	else
		schema = schema_read(&r, json_get(json, "schema") ? json_get(json, "schema") : json, false);
	if (!schema)
	{
		message = describe_error(&r, path, 1);
		fprintf(stderr, "pinecone-local: %s\n", message);
		free(message);
	}
	buffer_free(&b);
	buffer_free(&r.reply.body);
	arena_free(&r.arena);
	return schema ? schema_index(name, schema) : NULL;
}

static void
add_text(Buffer *b, const char *name, const char *text)
{
	if (text)
	{
		buffer_printf(b, ",\"%s\":", name);
		json_add_string(b, str_of(text));
	}
}

static void
save_model(Buffer *b, const Integrated *in)
{
	const Embedding *e = &in->embedding;

	buffer_printf(b, ",\"embed\":{\"model\":\"%s\",\"field_map\":%s,\"metric\":\"%s\"", e->model->name, in->field_map, metric_name(e->metric));
	if (e->dimension)
		buffer_printf(b, ",\"dimension\":%d", e->dimension);
	buffer_printf(b, ",\"read_parameters\":%s,\"write_parameters\":%s}", e->read_parameters, e->write_parameters);
}

/*
 * Write an index as loading reads it, one JSON object a line: the index, its
 * namespaces and records, its aliases.
 */
static void
save_index(FILE *file, Index *index)
{
	Buffer b = {0};

	buffer_add_text(&b, "{\"index\":");
	json_add_string(&b, str_of(index->name));
	if (index->fields)
	{
		buffer_add_text(&b, ",\"document_schema\":");
		schema_write(&b, index->fields);
	}
	else
	{
		if (index->sparse)
			buffer_add_text(&b, ",\"vector_type\":\"sparse\"");
		else
			buffer_printf(&b, ",\"dimension\":%d", index->dimension);
		buffer_printf(&b, ",\"metric\":\"%s\"", metric_name(index->metric));
	}
	if (index->integrated)
		save_model(&b, index->integrated);
	if (index->tags)
		buffer_printf(&b, ",\"tags\":%s", index->tags);
	if (index->protected)
		buffer_add_text(&b, ",\"deletion_protection\":\"enabled\"");
	if (index->has_sparse_field)
		buffer_add_text(&b, ",\"hybrid\":true");
	add_text(&b, "cloud", index->cloud);
	add_text(&b, "region", index->region);
	add_text(&b, "environment", index->environment);
	add_text(&b, "cmek_id", index->cmek_id);
	if (index->read_capacity)
		buffer_printf(&b, ",\"read_capacity\":%s", index->read_capacity);
	if (index->schema)
		buffer_printf(&b, ",\"schema\":%s", index->schema);
	buffer_add_text(&b, "}\n");
	for (int i = 0; i < index->nnamespaces; i++)
	{
		const Namespace *ns = index->namespaces[i];
		Cursor c = namespace_cursor(ns, STR(""), false);
		Record *m;

		if (ns->created || ns->count == 0)
		{
			buffer_add_text(&b, "{\"index\":");
			json_add_string(&b, str_of(index->name));
			buffer_add_text(&b, ",\"namespace\":");
			json_add_string(&b, str_of(ns->name));
			if (ns->schema)
				buffer_printf(&b, ",\"schema\":%s", ns->schema);
			buffer_add_text(&b, "}\n");
		}
		while ((m = cursor_next(&c)))
		{
			buffer_add_text(&b, "{\"index\":");
			json_add_string(&b, str_of(index->name));
			buffer_add_text(&b, ",\"namespace\":");
			json_add_string(&b, str_of(ns->name));
			buffer_add_char(&b, ',');
			if (index->fields)
				document_save(&b, index, ns, m);
			else
				record_add(&b, m, index, ns);
			buffer_add_text(&b, "}\n");
			if (b.len > 1 << 20)
			{
				fwrite(b.data, 1, b.len, file);
				b.len = 0;
			}
		}
	}
	aliases_save(&b, index);
	fwrite(b.data, 1, b.len, file);
	buffer_free(&b);
}

/* The new name of a file is safe once its directory is written. */
static void
sync_directory(const char *path)
{
	char *copy = mem_text(str_of(path));
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
	{
		fsync(fd);
		close(fd);
	}
	free(copy);
}

bool
save_file(const char *path, char **error)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	Buffer name = {0};
	Index **all;
	FILE *file;
	bool good;

	pthread_mutex_lock(&one_at_a_time);
	buffer_printf(&name, "%s.new", path);
	buffer_add_char(&name, '\0');
	file = fopen(name.data, "w");
	if (file)
	{
		all = catalog_all();
		for (int i = 0; all[i]; i++)
		{
			/* Acknowledged writes are kept, be they visible yet or not */
			index_flush(all[i]);
			index_lock_shared(all[i]);
			save_index(file, all[i]);
			index_unlock(all[i]);
		}
		catalog_free_all(all);
		good = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
		good = fclose(file) == 0 && good;
		good = good && rename(name.data, path) == 0;
	}
	else
		good = false;
	if (!good)
		*error = describe_errno("write", path);
	else
		sync_directory(path);
	pthread_mutex_unlock(&one_at_a_time);
	buffer_free(&name);
	return good;
}
