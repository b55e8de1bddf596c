/*
 * models.c
 *		Stand-ins for the service's models, and the calls for inference.
 *
 * A word has a direction of its own, made of the bits of its hash; a text is the
 * sum of its words, weighted by how often they come, of length one.
 */
#include "models.h"

#include "analyzer.h"
#include "schema.h"

#include <math.h>
#include <stdlib.h>

#define MAX_RERANKED 100

static const Model models[] = {
	{"llama-text-embed-v2", "A stand-in for the dense embedding model of this name.", "NVIDIA", MODEL_DENSE, {1024, 2048, 768, 512, 384}, "cosine,dotproduct", 2048, 96},
	{"multilingual-e5-large", "A stand-in for the dense embedding model of this name.", "Microsoft", MODEL_DENSE, {1024}, "cosine,euclidean", 507, 96},
	{"pinecone-sparse-english-v0", "A stand-in for the sparse embedding model of this name.", "Pinecone", MODEL_SPARSE, {0}, "dotproduct", 2048, 96},
	{"bge-reranker-v2-m3", "A stand-in for the reranking model of this name.", "BAAI", MODEL_RERANK, {0}, "", 1024, 100},
	{"pinecone-rerank-v0", "A stand-in for the reranking model of this name.", "Pinecone", MODEL_RERANK, {0}, "", 512, 100},
	{"cohere-rerank-3.5", "A stand-in for the reranking model of this name.", "Cohere", MODEL_RERANK, {0}, "", 40000, 200},
};

#define MODELS (sizeof(models) / sizeof(models[0]))

static const char *const kinds[] = {[MODEL_DENSE] = "dense", [MODEL_SPARSE] = "sparse"};

const Model *
model_find(Str name)
{
	for (size_t i = 0; i < MODELS; i++)
	{
		if (str_is(name, models[i].name))
			return &models[i];
	}
	return NULL;
}

bool
model_has_dimension(const Model *model, int dimension)
{
	for (int i = 0; model->dimensions[i]; i++)
	{
		if (model->dimensions[i] == dimension)
			return true;
	}
	return model->kind == MODEL_SPARSE;
}

bool
model_has_metric(const Model *model, Metric metric)
{
	return strstr(model->metrics, metric_name(metric)) != NULL;
}

/* ---- Numbers out of words ---- */

static void
split(Str text, Tokens *tokens)
{
	Analysis plain = {.language = language_find(STR("en"))};

	analyze(&plain, text, tokens);
}

typedef struct Word
{
	uint64_t hash;
	Str text;
	uint32_t count;
} Word;

static int
compare_words(const void *a, const void *b)
{
	const Word *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* The different words of a text, in order of their hashes; malloc'ed. */
static Word *
count_words(const Tokens *tokens, uint32_t *count)
{
	Word *words = mem_alloc(sizeof(Word) * tokens->count);
	uint32_t n = 0;

	for (uint32_t i = 0; i < tokens->count; i++)
	{
		Str text = token_text(tokens, i);

		words[i] = (Word){hash_bytes(text.s, text.len), text, 1};
	}
	qsort(words, tokens->count, sizeof(Word), compare_words);
	for (uint32_t i = 0; i < tokens->count; i++)
	{
		if (n > 0 && words[n - 1].hash == words[i].hash)
			words[n - 1].count++;
		else
			words[n++] = words[i];
	}
	*count = n;
	return words;
}

static float
weight(const Word *word)
{
	return 1 + logf((float) word->count);
}

static void
add_direction(const Word *word, float *values, int dimension)
{
	uint64_t bits = 0, state = word->hash | 1;
	float w = weight(word);

	for (int i = 0; i < dimension; i++)
	{
		if (i % 64 == 0)
		{
			state += 0x9e3779b97f4a7c15u;
			bits = (state ^ state >> 30) * 0xbf58476d1ce4e5b9u;
			bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
			bits ^= bits >> 31;
		}
		values[i] += bits & 1 ? w : -w;
		bits >>= 1;
	}
}

int
model_embed(Str text, float *values, int dimension)
{
	Tokens tokens = {0};
	Word *words;
	uint32_t n, count;
	double square = 0;

	split(text, &tokens);
	count = tokens.count;
	words = count_words(&tokens, &n);
	memset(values, 0, sizeof(float) * (size_t) dimension);
	for (uint32_t i = 0; i < n; i++)
		add_direction(&words[i], values, dimension);
	free(words);
	tokens_free(&tokens);
	for (int i = 0; i < dimension; i++)
		square += (double) values[i] * values[i];
	if (square == 0)
		values[0] = 1;
	for (int i = 0; square > 0 && i < dimension; i++)
		values[i] = (float) (values[i] / sqrt(square));
	return (int) count;
}

static uint32_t
fnv(Str text)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char) text.s[i]) * 16777619u;
	return h;
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

int
model_embed_sparse(Str text, Sparse **sparse)
{
	Tokens tokens = {0};
	Word *words;
	Pair *pairs;
	uint32_t n, kept = 0;
	int count;

	split(text, &tokens);
	count = (int) tokens.count;
	words = count_words(&tokens, &n);
	pairs = mem_alloc(sizeof(Pair) * (n + 1));
	for (uint32_t i = 0; i < n; i++)
		pairs[i] = (Pair){fnv(words[i].text), weight(&words[i])};
	qsort(pairs, n, sizeof(Pair), compare_pairs);
	for (uint32_t i = 0; i < n; i++)
	{
		if (kept == 0 || pairs[kept - 1].index != pairs[i].index)
			pairs[kept++] = pairs[i];
	}
	*sparse = sparse_new(kept);
	for (uint32_t i = 0; i < kept; i++)
	{
		(*sparse)->indices[i] = pairs[i].index;
		(*sparse)->values[i] = pairs[i].value;
	}
	free(pairs);
	free(words);
	tokens_free(&tokens);
	return count;
}

/* Jaccard: the words in common among all */
float
model_rerank(Str query, Str text)
{
	Tokens a = {0}, b = {0};
	Word *x, *y;
	uint32_t nx, ny, i = 0, j = 0, both = 0;

	split(query, &a);
	split(text, &b);
	x = count_words(&a, &nx);
	y = count_words(&b, &ny);
	while (i < nx && j < ny)
	{
		if (x[i].hash == y[j].hash)
		{
			both++;
			i++;
			j++;
		}
		else if (x[i].hash < y[j].hash)
			i++;
		else
			j++;
	}
	free(x);
	free(y);
	tokens_free(&a);
	tokens_free(&b);
	return nx + ny > both ? (float) both / (float) (nx + ny - both) : 0;
}

/* ---- POST /embed ---- */

static bool
bad(Request *r, const char *message)
{
	return reply_control_error(r, 400, "INVALID_ARGUMENT", "%s", message);
}

static void
write_sparse_embedding(Buffer *b, Str text, bool tokens, int *total)
{
	Sparse *sparse;

	*total += model_embed_sparse(text, &sparse);
	buffer_add_text(b, "{\"vector_type\":\"sparse\",\"sparse_values\":[");
	for (uint32_t i = 0; i < sparse->count; i++)
	{
		if (i > 0)
			buffer_add_char(b, ',');
		json_add_float(b, sparse->values[i]);
	}
	buffer_add_text(b, "],\"sparse_indices\":[");
	for (uint32_t i = 0; i < sparse->count; i++)
		buffer_printf(b, i ? ",%u" : "%u", sparse->indices[i]);
	buffer_add_char(b, ']');
	if (tokens)
	{
		Tokens all = {0};

		split(text, &all);
		buffer_add_text(b, ",\"sparse_tokens\":[");
		for (uint32_t i = 0; i < sparse->count; i++)
		{
			uint32_t n = 0;

			while (n < all.count && fnv(token_text(&all, n)) != sparse->indices[i])
				n++;
			if (i > 0)
				buffer_add_char(b, ',');
			json_add_string(b, n < all.count ? token_text(&all, n) : STR(""));
		}
		buffer_add_char(b, ']');
		tokens_free(&all);
	}
	buffer_add_char(b, '}');
	free(sparse);
}

static void
write_dense_embedding(Buffer *b, Str text, int dimension, int *total)
{
	float values[MAX_DIMENSION];

	*total += model_embed(text, values, dimension);
	buffer_add_text(b, "{\"vector_type\":\"dense\",\"values\":[");
	for (int i = 0; i < dimension; i++)
	{
		if (i > 0)
			buffer_add_char(b, ',');
		json_add_float(b, values[i]);
	}
	buffer_add_text(b, "]}");
}

static bool
check_parameters(Request *r, const Model *model, const JsonValue *parameters, int *dimension)
{
	const JsonValue *type = json_present(parameters, "input_type"), *truncate = json_present(parameters, "truncate");
	const JsonValue *d = json_present(parameters, "dimension");
	JsonValue copy;

	if (parameters && parameters->type != JSON_OBJECT)
		return !bad(r, "parameters must be an object");
	if (!type)
		return !bad(r, "Missing required parameter 'input_type'");
	if (type->type != JSON_STRING || (!str_is(type->string, "passage") && !str_is(type->string, "query")))
		return !bad(r, "Parameter 'input_type' must be one of 'passage', 'query'");
	if (truncate && (truncate->type != JSON_STRING || (!str_is(truncate->string, "END") && !str_is(truncate->string, "NONE") && !str_is(truncate->string, "START"))))
		return !bad(r, "Parameter 'truncate' must be one of 'END', 'NONE'");
	*dimension = model->dimensions[0];
	if (!d)
		return true;
	if (d->type == JSON_STRING)
	{
		/* Clients that know parameters as strings only */
		JsonReader j = json_reader(d->string, &r->arena);

		copy = (JsonValue){.type = JSON_NUMBER, .raw = d->raw};
		if (json_read_double(&j, &copy.number) && json_finish(&j))
			d = &copy;
	}
	if (d->type != JSON_NUMBER || model->kind != MODEL_DENSE || d->number > MAX_DIMENSION || d->number < 0 || !model_has_dimension(model, (int) d->number) || d->number != (int) d->number)
		return !reply_control_error(r, 400, "INVALID_ARGUMENT", "Model '%s' does not support dimension %.*s", model->name, (int) d->raw.len, d->raw.s);
	*dimension = (int) d->number;
	return true;
}

/* Texts that may not be cut have to fit; a token here has a character and a space at least. */
static bool
check_lengths(Request *r, const Model *model, const JsonValue *inputs, const JsonValue *truncate)
{
	float values[MAX_DIMENSION];

	if (!truncate || !str_is(truncate->string, "NONE"))
		return true;
	for (int i = 0; i < inputs->count; i++)
	{
		Str text = json_present(&inputs->items[i], "text")->string;

		if (text.len / 2 >= (size_t) model->max_tokens && model_embed(text, values, 1) > model->max_tokens)
			return !bad(r, "Input text exceeds the model's maximum sequence length");
	}
	return true;
}

static const Model *
take_model(Request *r, const JsonValue *body)
{
	Str name = STR("");
	const Model *model;

	if (!json_present(body, "model"))
	{
		control_unread(r, "missing field", "model");
		return NULL;
	}
	if (!control_take_string(r, body, "model", &name))
		return NULL;
	if (!(model = model_find(name)))
		reply_control_error(r, 404, "NOT_FOUND", "Model '%.*s' not found", (int) name.len, name.s);
	return model;
}

/*
 * POST /embed: a vector for each input, made from its words, so that texts with
 * words in common are near each other.
 */
static bool
embed(Request *r, const JsonValue *body)
{
	const Model *model = take_model(r, body);
	const JsonValue *inputs = json_present(body, "inputs"), *parameters = json_present(body, "parameters");
	const JsonValue *tokens = json_present(parameters, "return_tokens");
	Buffer *b = reply_body(r);
	int dimension = 0, total = 0;

	if (!model)
		return true;
	if (model->kind == MODEL_RERANK)
		return reply_control_error(r, 400, "INVALID_ARGUMENT", "Model '%s' does not support embedding", model->name);
	if (!inputs || inputs->type != JSON_ARRAY)
		return !control_unread(r, inputs ? "invalid type for field" : "missing field", "inputs");
	if (inputs->count == 0 || inputs->count > model->max_batch)
		return reply_control_error(r, 400, "INVALID_ARGUMENT", "Number of inputs must be between 1 and %d, got %d", model->max_batch, inputs->count);
	for (int i = 0; i < inputs->count; i++)
	{
		const JsonValue *text = json_present(&inputs->items[i], "text");

		if (!text || text->type != JSON_STRING)
			return !control_unread(r, "missing field", "text");
		if (text->string.len == 0)
			return bad(r, "Inputs must not be empty");
	}
	if (!check_parameters(r, model, parameters, &dimension))
		return true;
	if (!check_lengths(r, model, inputs, json_present(parameters, "truncate")))
		return true;
	buffer_printf(b, "{\"model\":\"%s\",\"vector_type\":\"%s\",\"data\":[", model->name, kinds[model->kind]);
	for (int i = 0; i < inputs->count; i++)
	{
		Str text = json_present(&inputs->items[i], "text")->string;

		if (i > 0)
			buffer_add_char(b, ',');
		if (model->kind == MODEL_SPARSE)
			write_sparse_embedding(b, text, tokens && tokens->boolean, &total);
		else
			write_dense_embedding(b, text, dimension, &total);
	}
	buffer_printf(b, "],\"usage\":{\"total_tokens\":%d}}", total);
	return true;
}

/* ---- POST /rerank ---- */

typedef struct Ranked
{
	int index;
	float score;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;

	return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : x->index - y->index;
}

/* What a document is ranked by: its fields one after the other.  NULL: one is missing. */
static bool
ranked_text(Request *r, const JsonValue *document, const JsonValue *fields, int n, Buffer *text)
{
	text->len = 0;
	for (int i = 0; i < (fields ? fields->count : 1); i++)
	{
		Str name = fields ? fields->items[i].string : STR("text");
		char *key = mem_text(name);
		const JsonValue *value = json_present(document, key);

		free(key);
		if (!value || value->type != JSON_STRING)
			return !reply_control_error(r, 400, "INVALID_ARGUMENT", "Document %d has no text in field '%.*s'", n, (int) name.len, name.s);
		buffer_add_char(text, ' ');
		buffer_add_str(text, value->string);
	}
	return true;
}

static bool
check_rerank(Request *r, const Model *model, const JsonValue *body)
{
	const JsonValue *documents = json_present(body, "documents"), *query = json_present(body, "query");
	const JsonValue *fields = json_present(body, "rank_fields"), *top_n = json_present(body, "top_n");

	if (model->kind != MODEL_RERANK)
		return !reply_control_error(r, 400, "INVALID_ARGUMENT", "Model '%s' does not support reranking", model->name);
	if (!query || query->type != JSON_STRING)
		return control_unread(r, query ? "invalid type for field" : "missing field", "query");
	if (!documents || documents->type != JSON_ARRAY)
		return control_unread(r, documents ? "invalid type for field" : "missing field", "documents");
	if (documents->count == 0 || documents->count > model->max_batch)
		return !reply_control_error(r, 400, "INVALID_ARGUMENT", "Number of documents must be between 1 and %d, got %d", model->max_batch, documents->count);
	if (top_n && (top_n->type != JSON_NUMBER || top_n->number < 1 || top_n->number != floor(top_n->number)))
		return !bad(r, "top_n must be a positive integer");
	if (fields && (fields->type != JSON_ARRAY || fields->count == 0))
		return control_unread(r, "invalid type for field", "rank_fields");
	for (int i = 0; fields && i < fields->count; i++)
	{
		if (fields->items[i].type != JSON_STRING)
			return control_unread(r, "invalid type for field", "rank_fields");
	}
	return true;
}

/* POST /rerank: documents in the order of how many of the query's words they have. */
static bool
rerank(Request *r, const JsonValue *body)
{
	const Model *model = take_model(r, body);
	const JsonValue *documents = json_present(body, "documents"), *fields = json_present(body, "rank_fields");
	const JsonValue *with = json_present(body, "return_documents"), *top_n = json_present(body, "top_n");
	Buffer *b = reply_body(r), text = {0};
	Ranked *ranked;
	int n;
	bool good = true;

	if (!model || !check_rerank(r, model, body))
		return true;
	n = documents->count;
	ranked = arena_alloc(&r->arena, sizeof(Ranked) * (size_t) n);
	for (int i = 0; good && i < n; i++)
	{
		good = ranked_text(r, &documents->items[i], fields, i, &text);
		ranked[i] = (Ranked){i, good ? model_rerank(json_present(body, "query")->string, (Str){text.data, text.len}) : 0};
	}
	buffer_free(&text);
	if (!good)
		return true;
	qsort(ranked, (size_t) n, sizeof(Ranked), compare_ranked);
	if (top_n && top_n->number < n)
		n = (int) top_n->number;
	buffer_printf(b, "{\"model\":\"%s\",\"data\":[", model->name);
	for (int i = 0; i < n; i++)
	{
		buffer_printf(b, "%s{\"index\":%d,\"score\":", i ? "," : "", ranked[i].index);
		json_add_float(b, ranked[i].score);
		if (!with || with->type != JSON_BOOL || with->boolean)
		{
			buffer_add_text(b, ",\"document\":");
			buffer_add_str(b, documents->items[ranked[i].index].raw);
		}
		buffer_add_char(b, '}');
	}
	buffer_add_text(b, "],\"usage\":{\"rerank_units\":1}}");
	return true;
}

/* ---- GET /models ---- */

static void
write_metrics(Buffer *b, const Model *m)
{
	Str metrics = str_of(m->metrics);

	buffer_add_text(b, ",\"supported_metrics\":[\"");
	for (size_t i = 0; i < metrics.len; i++)
	{
		if (metrics.s[i] == ',')
			buffer_add_text(b, "\",\"");
		else
			buffer_add_char(b, metrics.s[i]);
	}
	buffer_add_text(b, "\"]");
}

static void
write_model(Buffer *b, const Model *m)
{
	buffer_printf(b, "{\"model\":\"%s\",\"short_description\":\"%s\",\"type\":\"%s\"", m->name, m->description,
				  m->kind == MODEL_RERANK ? "rerank" : "embed");
	if (m->kind != MODEL_RERANK)
		buffer_printf(b, ",\"vector_type\":\"%s\"", kinds[m->kind]);
	if (m->kind == MODEL_DENSE)
	{
		buffer_printf(b, ",\"default_dimension\":%d,\"supported_dimensions\":[", m->dimensions[0]);
		for (int i = 0; m->dimensions[i]; i++)
			buffer_printf(b, i ? ",%d" : "%d", m->dimensions[i]);
		buffer_add_char(b, ']');
	}
	if (m->kind != MODEL_RERANK)
		write_metrics(b, m);
	buffer_printf(b, ",\"modality\":\"text\",\"max_sequence_length\":%d,\"max_batch_size\":%d,\"provider_name\":\"%s\",\"supported_parameters\":[", m->max_tokens,
				  m->max_batch, m->provider);
	if (m->kind != MODEL_RERANK)
		buffer_add_text(b, "{\"parameter\":\"input_type\",\"type\":\"one_of\",\"value_type\":\"string\",\"required\":true,\"allowed_values\":[\"query\",\"passage\"]},");
	buffer_add_text(b, "{\"parameter\":\"truncate\",\"type\":\"one_of\",\"value_type\":\"string\",\"required\":false,\"default\":\"END\",\"allowed_values\":[\"END\",\"NONE\"]}");
	if (m->kind == MODEL_DENSE && m->dimensions[1])
	{
		buffer_printf(b, ",{\"parameter\":\"dimension\",\"type\":\"one_of\",\"value_type\":\"integer\",\"required\":false,\"default\":%d,\"allowed_values\":[", m->dimensions[0]);
		for (int i = 0; m->dimensions[i]; i++)
			buffer_printf(b, i ? ",%d" : "%d", m->dimensions[i]);
		buffer_add_text(b, "]}");
	}
	buffer_add_text(b, "]}");
}

static bool
list_models(Request *r)
{
	const Param *type = request_param(r, "type"), *vector_type = request_param(r, "vector_type");
	Buffer *b = reply_body(r);
	bool any = false;

	buffer_add_text(b, "{\"models\":[");
	for (size_t i = 0; i < MODELS; i++)
	{
		const Model *m = &models[i];

		if ((type && !str_is(type->value, m->kind == MODEL_RERANK ? "rerank" : "embed")) ||
			(vector_type && (m->kind == MODEL_RERANK || !str_is(vector_type->value, kinds[m->kind]))))
			continue;
		if (any)
			buffer_add_char(b, ',');
		any = true;
		write_model(b, m);
	}
	buffer_add_text(b, "]}");
	return true;
}

bool
models_respond(Request *r)
{
	bool post = strcmp(r->method, "POST") == 0, is_embed = str_is(r->path, "/embed");
	const char *error = NULL;
	const JsonValue *body;
	Str name;

	if (strcmp(r->method, "GET") == 0 && str_is(r->path, "/models"))
		return list_models(r);
	if (strcmp(r->method, "GET") == 0 && r->path.len > 8 && memcmp(r->path.s, "/models/", 8) == 0 &&
		url_decode(&r->arena, (Str){r->path.s + 8, r->path.len - 8}, false, &name))
	{
		const Model *model = model_find(name);

		if (model)
			write_model(reply_body(r), model);
		else
			reply_control_error(r, 404, "NOT_FOUND", "Model '%.*s' not found.", (int) name.len, name.s);
		return true;
	}
	if (!post || (!is_embed && !str_is(r->path, "/rerank")))
		return false;
	body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	if (!body || body->type != JSON_OBJECT)
		return reply_control_error(r, 400, "INVALID_ARGUMENT", "Failed to parse the request body as JSON: %s", error ? error : "expected an object");
	return is_embed ? embed(r, body) : rerank(r, body);
}
