/*
 * schema.c
 *		The fields that a document index declares.
 *
 * What the service could not read answers 422, what it read and does not like
 * 400.
 */
#include "schema.h"

#include "facts.h"

#include <stdlib.h>

#define MAX_FULL_TEXTS 100
#define MAX_FIELD_NAME 64
#define MAX_DESCRIPTION 256

#define ONLY_SEARCHED "The schema only accepts fields used for search (field types 'dense_vector', 'sparse_vector', and 'string' with 'full_text_search'). Metadata fields are indexed from the documents that are upserted."

static bool
take_bool(Request *r, const JsonValue *object, const char *key, bool *to)
{
	const JsonValue *v = json_present(object, key);

	if (v && v->type != JSON_BOOL)
		return control_unread(r, "invalid type for field", key);
	if (v)
		*to = v->boolean;
	return true;
}

static bool
take_gram(Request *r, const JsonValue *ngram, const char *key, int *to)
{
	const JsonValue *v = json_present(ngram, key);

	if (!v)
		return control_unread(r, "missing field", key);
	if (v->type != JSON_NUMBER || v->number != (double) (int) v->number)
		return control_unread(r, "invalid type for field", key);
	if (v->number < 1 || v->number > MAX_GRAM)
		return control_bad(r, "%s must be between 1 and %d.", key, MAX_GRAM);
	*to = (int) v->number;
	return true;
}

static bool
read_full_text(Request *r, const JsonValue *json, Analysis *a)
{
	static const char *const known[] = {"language", "stemming", "stop_words", "ngram", NULL};
	static const char *const known_ngram[] = {"min_gram", "max_gram", "prefix_only", NULL};
	const JsonValue *ngram;
	Str language = STR("en");

	if (json->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", "full_text_search");
	if (!control_check_keys(r, json, known) || !control_take_string(r, json, "language", &language) ||
		!take_bool(r, json, "stemming", &a->stemming) || !take_bool(r, json, "stop_words", &a->stop_words))
		return false;
	if (!(a->language = language_find(language)))
		return control_bad(r, "Unsupported language '%.*s'.", (int) language.len, language.s);
	if (a->stop_words && !a->stemming)
		return control_bad(r, "stop_words requires stemming to be enabled.");
	if (a->stop_words && !language_has_stop_words(a->language))
		return control_bad(r, "stop_words is not supported for language '%s'.", a->language->code);
	if (!(ngram = json_present(json, "ngram")))
		return true;
	if (ngram->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", "ngram");
	if (!control_check_keys(r, ngram, known_ngram) || !take_gram(r, ngram, "min_gram", &a->min_gram) ||
		!take_gram(r, ngram, "max_gram", &a->max_gram) || !take_bool(r, ngram, "prefix_only", &a->prefix_only))
		return false;
	if (a->min_gram > a->max_gram)
		return control_bad(r, "min_gram must not be greater than max_gram.");
	if (a->stemming || a->stop_words)
		return control_bad(r, "ngram cannot be combined with stemming or stop_words.");
	return true;
}

static bool
take_parameters(Request *r, const JsonValue *json, const char *key, const char *input_type, char **to)
{
	const JsonValue *v = json_present(json, key);
	Buffer b = {0};

	if (v && v->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", key);
	free(*to);
	buffer_add_char(&b, '{');
	for (int i = 0; v && i < v->count; i++)
	{
		json_add_string(&b, v->keys[i]);
		buffer_add_char(&b, ':');
		buffer_add_str(&b, v->items[i].raw);
		buffer_add_char(&b, ',');
	}
	if (!json_get(v, "input_type"))
		buffer_printf(&b, "\"input_type\":\"%s\",", input_type);
	if (!json_get(v, "truncate"))
		buffer_add_text(&b, "\"truncate\":\"END\",");
	b.data[b.len - 1] = '}';
	buffer_add_char(&b, '\0');
	*to = b.data;
	return true;
}

bool
embedding_read(Request *r, const JsonValue *json, bool dense, const char *otherwise, Embedding *e)
{
	Str name = str_of(otherwise);

	if (!control_take_string(r, json, "model", &name))
		return false;
	e->model = model_find(name);
	if (!e->model || e->model->kind == MODEL_RERANK)
		return !reply_control_error(r, 404, "NOT_FOUND", "Model %.*s not found.", (int) name.len, name.s);
	if (e->model->kind != (dense ? MODEL_DENSE : MODEL_SPARSE))
		return control_bad(r, "Model '%s' does not produce %s vectors.", e->model->name, dense ? "dense" : "sparse");
	e->dimension = e->model->dimensions[0];
	e->metric = METRIC_DOTPRODUCT;
	if (dense)
	{
		if (json_present(json, "dimension") && !control_take_dimension(r, json_present(json, "dimension"), &e->dimension))
			return false;
		if (!model_has_dimension(e->model, e->dimension))
			return control_bad(r, "Model '%s' does not support dimension %d.", e->model->name, e->dimension);
		if (!control_take_metric(r, json, METRIC_COSINE, &e->metric))
			return false;
	}
	else if (!control_take_metric(r, json, METRIC_DOTPRODUCT, &e->metric))
		return false;
	if (!model_has_metric(e->model, e->metric))
		return control_bad(r, "Model '%s' does not support metric '%s'.", e->model->name, metric_name(e->metric));
	return take_parameters(r, json, "read_parameters", "query", &e->read_parameters) &&
		   take_parameters(r, json, "write_parameters", "passage", &e->write_parameters);
}

/* The parameters of before with those that are given in their place */
static bool
merge_parameters(Request *r, const JsonValue *json, const char *key, char **parameters)
{
	const JsonValue *given = json_present(json, key), *old = json_parse(str_of(*parameters), &r->arena, NULL);
	Buffer b = {0};

	if (!given)
		return true;
	if (given->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", key);
	buffer_add_char(&b, '{');
	for (int i = 0; i < old->count + given->count; i++)
	{
		const JsonValue *from = i < old->count ? old : given;
		int at = i < old->count ? i : i - old->count;
		char *name = mem_text(from->keys[at]);
		bool replaced = from == old && json_get(given, name);

		free(name);
		if (replaced)
			continue;
		json_add_string(&b, from->keys[at]);
		buffer_add_char(&b, ':');
		buffer_add_str(&b, from->items[at].raw);
		buffer_add_char(&b, ',');
	}
	b.data[b.len - 1] = '}';
	buffer_add_char(&b, '\0');
	free(*parameters);
	*parameters = b.data;
	return true;
}

bool
embedding_change(Request *r, const JsonValue *json, Embedding *e)
{
	return merge_parameters(r, json, "read_parameters", &e->read_parameters) &&
		   merge_parameters(r, json, "write_parameters", &e->write_parameters);
}

static bool
read_embed(Request *r, const JsonValue *json, bool dense, bool byoc, Embedding *e)
{
	static const char *const known_dense[] = {"model", "dimension", "metric", "write_parameters", "read_parameters", NULL};
	static const char *const known_sparse[] = {"model", "write_parameters", "read_parameters", NULL};

	if (json->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", dense ? "embed" : "sparse_embed");
	if (!dense && (json_present(json, "dimension") || json_present(json, "metric")))
		return control_bad(r, "'dimension' and 'metric' are not accepted in sparse_embed.");
	if (byoc)
		return control_bad(r, "BYOC indexes cannot declare embed or sparse_embed.");
	return control_check_keys(r, json, dense ? known_dense : known_sparse) &&
		   embedding_read(r, json, dense, dense ? "llama-text-embed-v2" : "pinecone-sparse-english-v0", e);
}

static bool
read_string_field(Request *r, Schema *s, const JsonValue *json, SchemaField *f, bool byoc)
{
	static const char *const known[] = {"type", "full_text_search", "embed", "sparse_embed", "store_text", "description", NULL};
	const JsonValue *full_text = json_present(json, "full_text_search");
	const JsonValue *embed = json_present(json, "embed"), *sparse_embed = json_present(json, "sparse_embed");
	bool store = true;

	if (json_get(json, "filterable"))
		return control_bad(r, ONLY_SEARCHED);
	if (!control_check_keys(r, json, known))
		return false;
	if (!full_text && !embed && !sparse_embed)
		return control_unread(r, "missing field", "full_text_search");
	if (!take_bool(r, json, "store_text", &store))
		return false;
	f->analysis.language = language_find(STR("en"));
	if (full_text && !read_full_text(r, full_text, &f->analysis))
		return false;
	if (!store && full_text)
		return control_bad(r, "Field '%s' cannot combine full_text_search with store_text: false.", f->name);
	if (!store && !embed && !sparse_embed)
		return control_bad(r, "Field '%s' with store_text: false must declare embed or sparse_embed.", f->name);
	if ((embed && !read_embed(r, embed, true, byoc, &f->embed)) ||
		(sparse_embed && !read_embed(r, sparse_embed, false, byoc, &f->sparse_embed)))
		return false;
	f->dropped = !store;
	f->text = s->ntexts++;
	/* A text that is kept is always searched */
	if (store)
		f->full_text = s->nfull_texts++;
	return true;
}

static bool
read_dense_field(Request *r, const JsonValue *json, SchemaField *f)
{
	static const char *const known[] = {"type", "dimension", "metric", "description", NULL};

	if (!control_check_keys(r, json, known))
		return false;
	if (!json_present(json, "dimension"))
		return control_unread(r, "missing field", "dimension");
	if (!json_present(json, "metric"))
		return control_unread(r, "missing field", "metric");
	return control_take_dimension(r, json_present(json, "dimension"), &f->embed.dimension) &&
		   control_take_metric(r, json, METRIC_COSINE, &f->embed.metric);
}

static bool
read_sparse_field(Request *r, const JsonValue *json)
{
	static const char *const known[] = {"type", "description", NULL};
	static const char *const lenient[] = {"type", "description", "metric", NULL};

	return control_check_keys(r, json, fact(FACT_SPARSE_METRIC) ? lenient : known);
}

static bool
check_field_name(Request *r, const Schema *s, Str name)
{
	if (name.len == 0)
		return control_bad(r, "Field names must not be empty.");
	if (name.len > MAX_FIELD_NAME)
		return control_bad(r, "Field name '%.*s' is %zu bytes long, which exceeds the limit of %d bytes.", (int) name.len, name.s, name.len, MAX_FIELD_NAME);
	if (name.s[0] == '_' || name.s[0] == '$')
		return control_bad(r, "Field name '%.*s' cannot start with '%c'.", (int) name.len, name.s, name.s[0]);
	if (memchr(name.s, '\0', name.len))
		return control_bad(r, "Field names must not contain null character.");
	if (schema_find_name(s, name))
		return control_bad(r, "Field '%.*s' is declared twice.", (int) name.len, name.s);
	return true;
}

static bool
fill_slot(Request *r, SchemaField **slot, SchemaField *f, const char *what)
{
	if (*slot)
		return control_bad(r, "An index can have at most one %s vector field: '%s' and '%s' both declare one.", what, (*slot)->name, f->name);
	*slot = f;
	return true;
}

/* Read one field of a schema: what all fields have, and then what goes with its type. */
static bool
read_field(Request *r, Schema *s, Str name, const JsonValue *json, bool byoc)
{
	SchemaField *f = &s->fields[s->count];
	Str type = STR(""), description = STR("");

	if (!check_field_name(r, s, name))
		return false;
	if (json->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", "fields");
	f->name = mem_text(name);
	f->key = metadata_key(name);
	f->full_text = f->text = -1;
	s->count++;
	if (!control_take_string(r, json, "type", &type) || !control_take_string(r, json, "description", &description))
		return false;
	if (!json_present(json, "type"))
		return control_unread(r, "missing field", "type");
	if (description.len > MAX_DESCRIPTION)
		return control_bad(r, "The description of field '%s' exceeds the limit of %d bytes.", f->name, MAX_DESCRIPTION);
	if (json_present(json, "description"))
		f->description = mem_text(description);
	if (str_is(type, "dense_vector"))
	{
		f->type = SCHEMA_DENSE;
		return read_dense_field(r, json, f) && fill_slot(r, &s->dense, f, "dense");
	}
	if (str_is(type, "sparse_vector"))
	{
		f->type = SCHEMA_SPARSE;
		return read_sparse_field(r, json) && fill_slot(r, &s->sparse, f, "sparse");
	}
	if (str_is(type, "string"))
	{
		f->type = SCHEMA_STRING;
		return read_string_field(r, s, json, f, byoc) && (!f->embed.model || fill_slot(r, &s->dense, f, "dense")) &&
			   (!f->sparse_embed.model || fill_slot(r, &s->sparse, f, "sparse"));
	}
	if (str_is(type, "semantic_text"))
		return control_bad(r, "Field type 'semantic_text' cannot be declared: use POST /indexes/create-for-model.");
	if (str_is(type, "float") || str_is(type, "number") || str_is(type, "integer") || str_is(type, "boolean") || str_is(type, "string_list"))
		return control_bad(r, ONLY_SEARCHED);
	return control_unread(r, "unknown variant", arena_printf(&r->arena, "%.*s", (int) type.len, type.s).s);
}

Schema *
schema_read(Request *r, const JsonValue *json, bool byoc)
{
	static const char *const known[] = {"fields", NULL};
	const JsonValue *fields = json_present(json, "fields");
	Schema *s;
	bool good = true;

	if (!json || json->type != JSON_OBJECT || !fields || fields->type != JSON_OBJECT)
	{
		control_unread(r, "missing field", json ? "fields" : "schema");
		return NULL;
	}
	if (!control_check_keys(r, json, known))
		return NULL;
	if (fields->count == 0)
	{
		control_bad(r, "The schema must declare at least one field.");
		return NULL;
	}
	s = mem_zero(sizeof(Schema));
	s->fields = mem_zero(sizeof(SchemaField) * (size_t) fields->count);
	for (int i = 0; good && i < fields->count; i++)
		good = read_field(r, s, fields->keys[i], &fields->items[i], byoc);
	if (good && s->nfull_texts > MAX_FULL_TEXTS)
		good = control_bad(r, "The schema has %d fields with full_text_search, which exceeds the limit of %d.", s->nfull_texts, MAX_FULL_TEXTS);
	if (good)
		return s;
	schema_free(s);
	return NULL;
}

void
embedding_free(Embedding *e)
{
	free(e->read_parameters);
	free(e->write_parameters);
}

void
integrated_free(Integrated *i)
{
	if (!i)
		return;
	embedding_free(&i->embedding);
	free(i->field);
	free(i->field_map);
	free(i);
}

Integrated *
integrated_copy(const Integrated *from)
{
	Integrated *i;

	if (!from)
		return NULL;
	i = mem_copy(from, sizeof(Integrated));
	i->embedding.read_parameters = mem_text(str_of(from->embedding.read_parameters));
	i->embedding.write_parameters = mem_text(str_of(from->embedding.write_parameters));
	i->field = mem_text(str_of(from->field));
	i->field_map = mem_text(str_of(from->field_map));
	return i;
}

Schema *
schema_share(Schema *s)
{
	if (s)
		s->others++;
	return s;
}

void
schema_free(Schema *s)
{
	if (!s || atomic_fetch_sub(&s->others, 1) > 0)
		return;
	for (int i = 0; i < s->count; i++)
	{
		free(s->fields[i].name);
		free(s->fields[i].description);
		embedding_free(&s->fields[i].embed);
		embedding_free(&s->fields[i].sparse_embed);
	}
	free(s->fields);
	free(s);
}

Index *
schema_index(const char *name, Schema *s)
{
	Index *index = index_new(name, s->dense ? s->dense->embed.dimension : 0, s->dense ? s->dense->embed.metric : METRIC_DOTPRODUCT, false);

	index->fields = s;
	return index;
}

static void
write_analysis(Buffer *b, const Analysis *a)
{
	buffer_printf(b, ",\"full_text_search\":{\"language\":\"%s\",\"stemming\":%s,\"stop_words\":%s", a->language->code,
				  a->stemming ? "true" : "false", a->stop_words ? "true" : "false");
	if (a->max_gram)
		buffer_printf(b, ",\"ngram\":{\"min_gram\":%d,\"max_gram\":%d,\"prefix_only\":%s}", a->min_gram, a->max_gram,
					  a->prefix_only ? "true" : "false");
	buffer_add_char(b, '}');
}

static void
write_embedding(Buffer *b, const char *name, const Embedding *e)
{
	buffer_printf(b, ",\"%s\":{\"model\":\"%s\"", name, e->model->name);
	if (e->model->kind == MODEL_DENSE)
		buffer_printf(b, ",\"dimension\":%d,\"metric\":\"%s\"", e->dimension, metric_name(e->metric));
	buffer_printf(b, ",\"write_parameters\":%s,\"read_parameters\":%s}", e->write_parameters, e->read_parameters);
}

void
schema_write(Buffer *b, const Schema *s)
{
	static const char *const types[] = {[SCHEMA_DENSE] = "dense_vector", [SCHEMA_SPARSE] = "sparse_vector", [SCHEMA_STRING] = "string"};

	buffer_add_text(b, "{\"fields\":{");
	for (int i = 0; i < s->count; i++)
	{
		const SchemaField *f = &s->fields[i];

		if (i > 0)
			buffer_add_char(b, ',');
		json_add_string(b, str_of(f->name));
		buffer_printf(b, ":{\"type\":\"%s\",\"description\":", types[f->type]);
		if (f->description)
			json_add_string(b, str_of(f->description));
		else
			buffer_add_text(b, "null");
		if (f->type == SCHEMA_DENSE)
			buffer_printf(b, ",\"dimension\":%d,\"metric\":\"%s\"", f->embed.dimension, metric_name(f->embed.metric));
		if (f->full_text >= 0)
			write_analysis(b, &f->analysis);
		if (f->embed.model)
			write_embedding(b, "embed", &f->embed);
		if (f->sparse_embed.model)
			write_embedding(b, "sparse_embed", &f->sparse_embed);
		if (f->embed.model || f->sparse_embed.model)
			buffer_printf(b, ",\"store_text\":%s", f->dropped ? "false" : "true");
		buffer_add_char(b, '}');
	}
	buffer_add_text(b, "}}");
}

const SchemaField *
schema_find(const Schema *s, uint32_t key)
{
	for (int i = 0; i < s->count; i++)
	{
		if (s->fields[i].key == key)
			return &s->fields[i];
	}
	return NULL;
}

const SchemaField *
schema_find_name(const Schema *s, Str name)
{
	for (int i = 0; i < s->count; i++)
	{
		if (str_is(name, s->fields[i].name))
			return &s->fields[i];
	}
	return NULL;
}

bool
schema_embeds(const Schema *s)
{
	return (s->dense && s->dense->embed.model) || (s->sparse && s->sparse->sparse_embed.model);
}
