/*
 * configure.c
 *		The control plane: creating and configuring indexes.
 */
#include "control.h"

#include "catalog.h"
#include "settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define MAX_NAME 45

/* What a request says of the index to be */
typedef struct Wanted
{
	Str name;
	int dimension;
	Metric metric;
	bool sparse, hybrid;
	Str cloud, region, environment;
	bool protected;
	const JsonValue *tags, *read_capacity, *schema;
} Wanted;

static bool
bad_request(Request *r, const char *message)
{
	return !reply_control_error(r, 400, "INVALID_ARGUMENT", "%s", message);
}

static bool
not_deserialized(Request *r, const char *what, const char *field)
{
	return !reply_control_error(r, 422, "UNPROCESSABLE_ENTITY",
								"Failed to deserialize the JSON body into the target type: %s `%s` at line 1 column %zu",
								what, field, r->body.len);
}

bool
control_is_name(Str name)
{
	for (size_t i = 0; i < name.len; i++)
	{
		char c = name.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0 && i + 1 < name.len)))
			return false;
	}
	return name.len > 0;
}

static const JsonValue *
present(const JsonValue *object, const char *key)
{
	const JsonValue *v = json_get(object, key);

	return v && v->type != JSON_NULL ? v : NULL;
}

/* An optional string; false: the reply says that it is something else. */
static bool
take_string(Request *r, const JsonValue *object, const char *key, Str *to)
{
	const JsonValue *v = present(object, key);

	if (v && v->type != JSON_STRING)
		return not_deserialized(r, "invalid type for field", key);
	if (v)
		*to = v->string;
	return true;
}

static bool
take_name(Request *r, const JsonValue *body, Wanted *w)
{
	if (!present(body, "name"))
		return not_deserialized(r, "missing field", "name");
	if (!take_string(r, body, "name", &w->name))
		return false;
	if (w->name.len > MAX_NAME)
		return bad_request(r, "Index name must be at most 45 characters long.");
	if (!control_is_name(w->name))
		return bad_request(r, "Index name must contain only lowercase alphanumeric characters or hyphens, and must not begin or end with a hyphen.");
	return true;
}

static bool
take_dimension(Request *r, const JsonValue *v, Wanted *w)
{
	if (v->type != JSON_NUMBER || v->number != floor(v->number))
		return not_deserialized(r, "invalid type for field", "dimension");
	if (v->number < 1 || v->number > MAX_DIMENSION)
		return bad_request(r, "Dimension must be between 1 and 20000.");
	w->dimension = (int) v->number;
	return true;
}

static bool
take_metric(Request *r, const JsonValue *object, Metric otherwise, Metric *metric)
{
	Str name = STR("");

	if (!take_string(r, object, "metric", &name))
		return false;
	if (name.len == 0)
		*metric = otherwise;
	else if (!metric_of_name(name, metric))
		return bad_request(r, "Metric must be one of cosine, euclidean, dotproduct.");
	return true;
}

static bool
take_protection(Request *r, const JsonValue *body, bool *protected)
{
	Str protection = STR("");

	if (!take_string(r, body, "deletion_protection", &protection))
		return false;
	if (protection.len == 0)
		return true;
	*protected = str_is(protection, "enabled");
	return *protected || str_is(protection, "disabled") ||
		   bad_request(r, "deletion_protection must be one of enabled, disabled.");
}

static bool
check_capacity(Request *r, const JsonValue *capacity)
{
	Str mode = STR("");

	if (!capacity)
		return true;
	if (capacity->type != JSON_OBJECT)
		return not_deserialized(r, "invalid type for field", "read_capacity");
	if (!take_string(r, capacity, "mode", &mode))
		return false;
	if (str_is(mode, "Dedicated"))
		return present(capacity, "dedicated") || not_deserialized(r, "missing field", "dedicated");
	return str_is(mode, "OnDemand") || bad_request(r, "The mode of read_capacity must be one of OnDemand, Dedicated.");
}

static bool
check_tags(Request *r, const JsonValue *tags)
{
	if (!tags)
		return true;
	if (tags->type != JSON_OBJECT)
		return not_deserialized(r, "invalid type for field", "tags");
	for (int i = 0; i < tags->count; i++)
	{
		if (tags->items[i].type != JSON_STRING)
			return not_deserialized(r, "invalid type for field", "tags");
		if (tags->keys[i].len > 80 || tags->items[i].string.len > 120)
			return bad_request(r, "Tag keys must be at most 80 characters long, and values at most 120.");
	}
	return true;
}

/* Cloud and region must be there, and go together. */
static bool
check_region(Request *r, const Wanted *w)
{
	static const char *const regions[][2] = {
		{"aws", "us-east-1"},
		{"aws", "us-west-2"},
		{"aws", "eu-west-1"},
		{"aws", "eu-central-1"},
		{"aws", "ap-southeast-1"},
		{"gcp", "us-central1"},
		{"gcp", "europe-west4"},
		{"azure", "eastus2"},
	};

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
	{
		if (str_is(w->cloud, regions[i][0]) && str_is(w->region, regions[i][1]))
			return true;
	}
	return !reply_control_error(r, 404, "NOT_FOUND", "Resource cloud: %.*s region: %.*s not found", (int) w->cloud.len, w->cloud.s,
								(int) w->region.len, w->region.s);
}

/* There are no collections to make an index from. */
static bool
check_source(Request *r, const JsonValue *spec)
{
	Str source = STR("");

	if (!take_string(r, spec, "source_collection", &source))
		return false;
	return source.len == 0 ||
		   !reply_control_error(r, 400, "INVALID_ARGUMENT", "Resource %.*s not found", (int) source.len, source.s);
}

/* Up to 2026-04: dimension, metric, vector_type, spec */
static bool
read_spec_form(Request *r, const JsonValue *body, Wanted *w)
{
	const JsonValue *spec = present(body, "spec"), *place;
	const JsonValue *dimension = present(body, "dimension");
	Str type = STR("dense");

	if (!take_string(r, body, "vector_type", &type))
		return false;
	w->sparse = str_is(type, "sparse");
	if (!w->sparse && !str_is(type, "dense"))
		return bad_request(r, "vector_type must be one of dense, sparse.");
	if (!take_metric(r, body, w->sparse ? METRIC_DOTPRODUCT : METRIC_COSINE, &w->metric))
		return false;
	if (w->sparse && dimension)
		return bad_request(r, "dimension should not be specified for sparse indexes");
	if (w->sparse && w->metric != METRIC_DOTPRODUCT)
		return bad_request(r, "Sparse vector indexes must use the metric dotproduct.");
	if (!w->sparse && !dimension)
		return not_deserialized(r, "missing field", "dimension");
	if (dimension && !take_dimension(r, dimension, w))
		return false;
	if (!spec)
		return not_deserialized(r, "missing field", "spec");
	if ((place = present(spec, "serverless")))
	{
		w->cloud = w->region = STR("");
		if (!take_string(r, place, "cloud", &w->cloud) || !take_string(r, place, "region", &w->region) || !check_region(r, w))
			return false;
	}
	else if ((place = present(spec, "byoc")))
	{
		if (!take_string(r, place, "environment", &w->environment))
			return false;
		if (w->environment.len == 0)
			return not_deserialized(r, "missing field", "environment");
	}
	else if (w->sparse && present(spec, "pod"))
		return bad_request(r, "Sparse vector type is not supported for pod indexes");
	else if (check_source(r, present(spec, "pod")))
		return bad_request(r, "spec must be serverless or byoc: this server has no pods.");
	else
		return false;
	if (!check_source(r, place))
		return false;
	w->read_capacity = present(place, "read_capacity");
	w->schema = present(place, "schema");
	return true;
}

static bool
read_deployment(Request *r, const JsonValue *deployment, Wanted *w)
{
	Str type = STR("managed");

	if (!deployment)
		return true;
	if (!take_string(r, deployment, "deployment_type", &type))
		return false;
	if (str_is(type, "managed"))
		return take_string(r, deployment, "cloud", &w->cloud) && take_string(r, deployment, "region", &w->region) && check_region(r, w);
	if (!str_is(type, "byoc"))
		return bad_request(r, "deployment_type must be managed or byoc: this server has no pods.");
	return take_string(r, deployment, "environment", &w->environment) &&
		   (w->environment.len > 0 || not_deserialized(r, "missing field", "environment"));
}

/* From 2026-07 on: a schema with the reserved fields of vector indexes */
static bool
read_schema_form(Request *r, const JsonValue *body, Wanted *w)
{
	static const char *const known[] = {"name", "schema", "deployment", "read_capacity", "tags", "deletion_protection"};
	const JsonValue *fields = present(present(body, "schema"), "fields");
	const JsonValue *values, *sparse;
	Str type = STR("");

	for (int i = 0; i < body->count; i++)
	{
		bool good = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			good = good || str_is(body->keys[i], known[k]);
		if (!good && body->items[i].type != JSON_NULL)
			return not_deserialized(r, "unknown field", arena_printf(&r->arena, "%.*s", (int) body->keys[i].len, body->keys[i].s).s);
	}
	if (!fields || fields->type != JSON_OBJECT)
		return not_deserialized(r, "missing field", present(body, "schema") ? "fields" : "schema");
	values = present(fields, "_values");
	sparse = present(fields, "_sparse_values");
	if (fields->count == 0 || fields->count != (values != NULL) + (sparse != NULL))
		return bad_request(r, "This server keeps vector indexes only: the schema must have _values, _sparse_values, or both, and no other fields.");
	w->sparse = !values;
	w->hybrid = values && sparse;
	w->metric = METRIC_DOTPRODUCT;
	if (sparse && (!take_string(r, sparse, "type", &type) || !str_is(type, "sparse_vector")))
		return r->reply.status ? false : bad_request(r, "Field _sparse_values must be of type sparse_vector.");
	if (values)
	{
		if (!take_string(r, values, "type", &type) || !str_is(type, "dense_vector"))
			return r->reply.status ? false : bad_request(r, "Field _values must be of type dense_vector.");
		if (!present(values, "dimension"))
			return not_deserialized(r, "missing field", "dimension");
		if (!take_dimension(r, present(values, "dimension"), w) || !take_metric(r, values, METRIC_COSINE, &w->metric))
			return false;
		if (sparse && w->metric != METRIC_DOTPRODUCT)
			return bad_request(r, "Indexes with dense and sparse values must use the metric dotproduct.");
	}
	w->read_capacity = present(body, "read_capacity");
	return read_deployment(r, present(body, "deployment"), w);
}

bool
control_set_schema(Request *r, Index *index, const JsonValue *schema)
{
	const JsonValue *fields = present(schema, "fields");

	if (!schema)
		return true;
	if (!fields || fields->type != JSON_OBJECT)
		return not_deserialized(r, "missing field", "fields");
	index->schema_keys = mem_alloc(sizeof(uint32_t) * (size_t) (fields->count + 1));
	for (int i = 0; i < fields->count; i++)
	{
		const JsonValue *filterable = json_get(&fields->items[i], "filterable");

		if (!filterable || filterable->type != JSON_BOOL || !filterable->boolean)
			return !reply_control_error(r, 400, "INVALID_ARGUMENT",
										"Field '%.*s' is set to filterable: false. Only filterable: true is supported.",
										(int) fields->keys[i].len, fields->keys[i].s);
		index->schema_keys[index->nschema_keys++] = metadata_key(fields->keys[i]);
	}
	index->schema = mem_text(schema->raw);
	return true;
}

static void
replace_text(char **to, Str text)
{
	free(*to);
	*to = mem_text(text);
}

/* The read capacity as given, with the status that clients look at */
static char *
capacity_text(const JsonValue *given)
{
	Buffer b = {0};

	if (!given || given->type != JSON_OBJECT)
		return NULL;
	buffer_add_char(&b, '{');
	for (int i = 0; i < given->count; i++)
	{
		if (str_is(given->keys[i], "status"))
			continue;
		json_add_string(&b, given->keys[i]);
		buffer_add_char(&b, ':');
		buffer_add_str(&b, given->items[i].raw);
		buffer_add_char(&b, ',');
	}
	buffer_add_text(&b, "\"status\":{\"state\":\"Ready\"}}");
	buffer_add_char(&b, '\0');
	return b.data;
}

void
control_create(Request *r)
{
	const char *error = NULL;
	const JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	Wanted w = {.cloud = STR("aws"), .region = STR("us-east-1")};
	Index *index;
	char *name;

	if (!body || body->type != JSON_OBJECT)
	{
		reply_control_error(r, 400, "INVALID_ARGUMENT", "Failed to parse the request body as JSON: %s", error ? error : "expected an object");
		return;
	}
	if (!take_name(r, body, &w) || !(control_has_schemas(r) ? read_schema_form(r, body, &w) : read_spec_form(r, body, &w)) ||
		!take_protection(r, body, &w.protected) || !check_tags(r, present(body, "tags")) || !check_capacity(r, w.read_capacity))
		return;

	name = mem_text(w.name);
	index = index_new(name, w.dimension, w.metric, w.sparse);
	free(name);
	replace_text(&index->cloud, w.cloud);
	replace_text(&index->region, w.region);
	if (w.environment.len)
		replace_text(&index->environment, w.environment);
	if (present(body, "tags") && present(body, "tags")->count > 0)
		replace_text(&index->tags, present(body, "tags")->raw);
	index->read_capacity = capacity_text(w.read_capacity);
	index->has_sparse_field = w.hybrid;
	index->protected = w.protected;
	index->ready_at = now_us() + (int64_t) settings.ready_delay_ms * 1000;
	if (control_set_schema(r, index, w.schema))
	{
		if (catalog_add(index, 0))
		{
			control_write_index(r, index);
			r->reply.status = 201;
		}
		else if (errno == EEXIST)
			reply_control_error(r, 409, "ALREADY_EXISTS", "Resource already exists");
		else
			reply_control_error(r, 500, "UNKNOWN", "could not open a port for the index: %s", strerror(errno));
	}
	index_release(index);
}

/* Tags are merged; an empty value takes a tag away. */
static char *
merge_tags(Arena *arena, const char *old, const JsonValue *new)
{
	const JsonValue *before = old ? json_parse(str_of(old), arena, NULL) : NULL;
	Buffer b = {0};
	bool any = false;

	buffer_add_char(&b, '{');
	for (int i = 0; i < (before ? before->count : 0) + new->count; i++)
	{
		const JsonValue *from = before && i < before->count ? before : new;
		int at = from == before ? i : i - (before ? before->count : 0);
		char *key = mem_text(from->keys[at]);
		bool replaced = from == before && json_get(new, key);

		free(key);
		if (replaced || from->items[at].string.len == 0)
			continue;
		if (any)
			buffer_add_char(&b, ',');
		any = true;
		json_add_string(&b, from->keys[at]);
		buffer_add_char(&b, ':');
		json_add_string(&b, from->items[at].string);
	}
	buffer_add_char(&b, '}');
	buffer_add_char(&b, '\0');
	return b.data;
}

void
control_configure(Request *r, Index *index)
{
	const char *error = NULL;
	const JsonValue *body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	const JsonValue *tags, *capacity;
	bool protected = index->protected;

	if (!body || body->type != JSON_OBJECT)
	{
		reply_control_error(r, 400, "INVALID_ARGUMENT", "Failed to parse the request body as JSON: %s", error ? error : "expected an object");
		return;
	}
	tags = present(body, "tags");
	if (present(body, "dimension") || present(body, "metric") || present(body, "schema"))
	{
		bad_request(r, "Dimension, metric and schema of an index cannot be changed.");
		return;
	}
	if (present(body, "embed"))
	{
		bad_request(r, "This server has no models to embed with.");
		return;
	}
	if (present(present(body, "spec"), "pod"))
	{
		bad_request(r, "Configuring replicas and pod type is not supported for serverless indexes.");
		return;
	}
	capacity = present(body, "read_capacity");
	if (!capacity)
		capacity = present(present(present(body, "spec"), "serverless"), "read_capacity");
	if (!take_protection(r, body, &protected) || !check_tags(r, tags) || !check_capacity(r, capacity))
		return;

	pthread_rwlock_wrlock(&index->lock);
	index->protected = protected;
	if (tags)
	{
		char *merged = merge_tags(&r->arena, index->tags, tags);

		free(index->tags);
		index->tags = merged;
	}
	if (capacity)
	{
		free(index->read_capacity);
		index->read_capacity = capacity_text(capacity);
	}
	control_write_index(r, index);
	pthread_rwlock_unlock(&index->lock);
	r->reply.status = 202;
}
