/*
 * create.c
 *		The control plane: creating indexes, in the form of up to 2026-04, in that
 *		of 2026-07, and for a model.
 */
#include "schema.h"

#include "catalog.h"
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_NAME 45

/* What a request says of the index to be */
typedef struct Wanted
{
	Str name;
	int dimension;
	Metric metric;
	bool sparse, hybrid;
	Schema *fields;			/* of a document index */
	Integrated *integrated; /* of an index for a model */
	Str cloud, region, environment, cmek_id;
	bool protected;
	const JsonValue *tags, *read_capacity, *schema;
} Wanted;

static bool
take_name(Request *r, const JsonValue *body, Wanted *w)
{
	if (!json_present(body, "name"))
		return control_unread(r, "missing field", "name");
	if (!control_take_string(r, body, "name", &w->name))
		return false;
	if (w->name.len > MAX_NAME)
		return control_bad(r, "Index name must be at most 45 characters long.");
	if (!control_is_name(w->name))
		return control_bad(r, "Index name must contain only lowercase alphanumeric characters or hyphens, and must not begin or end with a hyphen.");
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

	if (!control_take_string(r, spec, "source_collection", &source))
		return false;
	return source.len == 0 ||
		   !reply_control_error(r, 400, "INVALID_ARGUMENT", "Resource %.*s not found", (int) source.len, source.s);
}

/* Up to 2026-04: dimension, metric, vector_type, spec */
static bool
read_spec_form(Request *r, const JsonValue *body, Wanted *w)
{
	const JsonValue *spec = json_present(body, "spec"), *place;
	const JsonValue *dimension = json_present(body, "dimension");
	Str type = STR("dense");

	if (!control_take_string(r, body, "vector_type", &type))
		return false;
	w->sparse = str_is(type, "sparse");
	if (!w->sparse && !str_is(type, "dense"))
		return control_bad(r, "vector_type must be one of dense, sparse.");
	if (!control_take_metric(r, body, w->sparse ? METRIC_DOTPRODUCT : METRIC_COSINE, &w->metric))
		return false;
	if (w->sparse && dimension)
		return control_bad(r, "dimension should not be specified for sparse indexes");
	if (w->sparse && w->metric != METRIC_DOTPRODUCT)
		return control_bad(r, "Sparse vector indexes must use the metric dotproduct.");
	if (!w->sparse && !dimension)
		return control_unread(r, "missing field", "dimension");
	if (dimension && !control_take_dimension(r, dimension, &w->dimension))
		return false;
	if (!spec)
		return control_unread(r, "missing field", "spec");
	if ((place = json_present(spec, "serverless")))
	{
		w->cloud = w->region = STR("");
		if (!control_take_string(r, place, "cloud", &w->cloud) || !control_take_string(r, place, "region", &w->region) || !check_region(r, w))
			return false;
	}
	else if ((place = json_present(spec, "byoc")))
	{
		if (!control_take_string(r, place, "environment", &w->environment))
			return false;
		if (w->environment.len == 0)
			return control_unread(r, "missing field", "environment");
	}
	else if (w->sparse && json_present(spec, "pod"))
		return control_bad(r, "Sparse vector type is not supported for pod indexes");
	else if (check_source(r, json_present(spec, "pod")))
		return control_bad(r, "spec must be serverless or byoc: this server has no pods.");
	else
		return false;
	if (!check_source(r, place))
		return false;
	w->read_capacity = json_present(place, "read_capacity");
	w->schema = json_present(place, "schema");
	return true;
}

static bool
read_deployment(Request *r, const JsonValue *deployment, Wanted *w)
{
	static const char *const managed[] = {"deployment_type", "cloud", "region", NULL};
	static const char *const byoc[] = {"deployment_type", "environment", NULL};
	Str type = STR("managed");

	if (!deployment)
		return true;
	if (deployment->type != JSON_OBJECT)
		return control_unread(r, "invalid type for field", "deployment");
	if (!control_take_string(r, deployment, "deployment_type", &type))
		return false;
	if (str_is(type, "managed"))
		return control_check_keys(r, deployment, managed) && control_take_string(r, deployment, "cloud", &w->cloud) &&
			   control_take_string(r, deployment, "region", &w->region) && check_region(r, w);
	if (str_is(type, "pod"))
		return control_bad(r, "deployment_type 'pod' is not supported on this API version. Use 'managed' or 'byoc': this server has no pods.");
	if (!str_is(type, "byoc"))
		return control_bad(r, "deployment_type must be managed or byoc.");
	return control_check_keys(r, deployment, byoc) && control_take_string(r, deployment, "environment", &w->environment) &&
		   (w->environment.len > 0 || control_unread(r, "missing field", "environment"));
}

/* _values, _sparse_values, or both: an index of vectors */
static bool
read_reserved_fields(Request *r, const JsonValue *fields, Wanted *w)
{
	const JsonValue *values = json_present(fields, "_values"), *sparse = json_present(fields, "_sparse_values");
	static const char *const known_values[] = {"type", "dimension", "metric", NULL};
	static const char *const known_sparse[] = {"type", NULL};
	Str type = STR("");

	if (fields->count != (values != NULL) + (sparse != NULL))
		return control_bad(r, "Fields _values and _sparse_values are for vector indexes: they cannot be declared with other fields.");
	w->sparse = !values;
	w->hybrid = values && sparse;
	w->metric = METRIC_DOTPRODUCT;
	if (json_present(values, "description") || json_present(sparse, "description"))
		return control_bad(r, "Fields _values and _sparse_values take no description.");
	if (sparse && (!control_take_string(r, sparse, "type", &type) || !str_is(type, "sparse_vector")))
		return r->reply.status ? false : control_bad(r, "Field _sparse_values must be of type sparse_vector.");
	if (sparse && !control_check_keys(r, sparse, known_sparse))
		return false;
	if (!values)
		return true;
	if (!control_take_string(r, values, "type", &type) || !str_is(type, "dense_vector"))
		return r->reply.status ? false : control_bad(r, "Field _values must be of type dense_vector.");
	if (!control_check_keys(r, values, known_values))
		return false;
	if (!json_present(values, "dimension") || !json_present(values, "metric"))
		return control_unread(r, "missing field", json_present(values, "dimension") ? "metric" : "dimension");
	if (!control_take_dimension(r, json_present(values, "dimension"), &w->dimension) || !control_take_metric(r, values, METRIC_COSINE, &w->metric))
		return false;
	return !sparse || w->metric == METRIC_DOTPRODUCT ||
		   control_bad(r, "Indexes with dense and sparse values must use the metric dotproduct.");
}

/* On the customer's own cloud nodes are dedicated. */
static bool
check_byoc(Request *r, const Wanted *w)
{
	Str mode = STR("");

	if (w->environment.len == 0)
		return true;
	return control_take_string(r, w->read_capacity, "mode", &mode) &&
		   (str_is(mode, "Dedicated") || control_bad(r, "BYOC indexes require read_capacity with mode 'Dedicated'."));
}

/* From 2026-07 on: a schema */
static bool
read_schema_form(Request *r, const JsonValue *body, Wanted *w)
{
	static const char *const known[] = {"name", "schema", "deployment", "read_capacity", "tags", "deletion_protection", "cmek_id", "source_collection", "source_backup_id", NULL};
	const JsonValue *schema = json_present(body, "schema");
	const JsonValue *fields = json_present(schema, "fields");

	if (!control_check_keys(r, body, known))
		return false;
	if (json_present(body, "source_collection") || json_present(body, "source_backup_id"))
		return control_bad(r, "Creating an index from collection or backup is not yet supported");
	if (!fields || fields->type != JSON_OBJECT)
		return control_unread(r, "missing field", schema ? "fields" : "schema");
	w->read_capacity = json_present(body, "read_capacity");
	if (!control_take_string(r, body, "cmek_id", &w->cmek_id) || !read_deployment(r, json_present(body, "deployment"), w))
		return false;
	if (json_present(fields, "_values") || json_present(fields, "_sparse_values"))
		return read_reserved_fields(r, fields, w);
	w->fields = schema_read(r, schema, w->environment.len > 0);
	if (!w->fields || !check_byoc(r, w))
		return false;
	return w->cmek_id.len == 0 || w->fields->nfull_texts == 0 ||
		   control_bad(r, "Customer-managed encryption keys are not supported for indexes with full_text_search.");
}

static void
replace_text(char **to, Str text)
{
	free(*to);
	*to = mem_text(text);
}

static Index *
make_index(Wanted *w, const JsonValue *body)
{
	char *name = mem_text(w->name);
	Index *index = w->fields ? schema_index(name, w->fields) : index_new(name, w->dimension, w->metric, w->sparse);

	free(name);
	index->integrated = w->integrated;
	w->fields = NULL;
	w->integrated = NULL;
	replace_text(&index->cloud, w->cloud);
	replace_text(&index->region, w->region);
	if (w->environment.len)
		replace_text(&index->environment, w->environment);
	if (w->cmek_id.len)
		replace_text(&index->cmek_id, w->cmek_id);
	if (json_present(body, "tags") && json_present(body, "tags")->count > 0)
		replace_text(&index->tags, json_present(body, "tags")->raw);
	index->read_capacity = control_capacity(w->read_capacity);
	index->has_sparse_field = w->hybrid;
	index->protected = w->protected;
	index->ready_at = now_us() + (int64_t) settings.ready_delay_ms * 1000;
	return index;
}

/* It is checked: make it. */
static void
finish(Request *r, Wanted *w, const JsonValue *body)
{
	Index *index = make_index(w, body);

	if (control_set_schema(r, index, w->schema))
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

void
control_create(Request *r)
{
	const JsonValue *body = control_body(r);
	Wanted w = {.cloud = STR("aws"), .region = STR("us-east-1")};

	if (!body)
		return;
	if (control_has_schemas(r) && !json_present(body, "name"))
		w.name = arena_printf(&r->arena, "index-%08x", (unsigned) random_u64());
	if ((w.name.len > 0 || take_name(r, body, &w)) &&
		(control_has_schemas(r) ? read_schema_form(r, body, &w) : read_spec_form(r, body, &w)) &&
		control_take_protection(r, body, &w.protected) && control_check_tags(r, json_present(body, "tags")) &&
		control_check_capacity(r, w.read_capacity))
		finish(r, &w, body);
	schema_free(w.fields);
}

/* {"model", "field_map": {"text": "chunk"}, ...} */
static bool
read_model(Request *r, const JsonValue *embed, Wanted *w)
{
	const JsonValue *map = json_present(embed, "field_map"), *text;
	Integrated *in;
	Str name = STR("");
	const Model *model;

	if (!embed || embed->type != JSON_OBJECT)
		return control_unread(r, embed ? "invalid type for field" : "missing field", "embed");
	if (!json_present(embed, "model"))
		return control_unread(r, "missing field", "model");
	if (!control_take_string(r, embed, "model", &name))
		return false;
	model = model_find(name);
	if (!map || map->type != JSON_OBJECT)
		return model ? control_unread(r, map ? "invalid type for field" : "missing field", "field_map") :
					   !reply_control_error(r, 404, "NOT_FOUND", "Model %.*s not found.", (int) name.len, name.s);
	text = json_present(map, "text");
	if (map->count != 1 || !text || text->type != JSON_STRING || text->string.len == 0)
		return control_bad(r, "field_map must map 'text' to the name of a field.");
	in = w->integrated = mem_zero(sizeof(Integrated));
	in->field = mem_text(text->string);
	in->field_map = mem_text(map->raw);
	if (!embedding_read(r, embed, !model || model->kind != MODEL_SPARSE, "", &in->embedding))
		return false;
	w->sparse = in->embedding.model->kind == MODEL_SPARSE;
	if (w->sparse && json_present(embed, "dimension"))
		return control_bad(r, "dimension should not be specified for sparse indexes");
	w->dimension = in->embedding.dimension;
	w->metric = in->embedding.metric;
	return true;
}

void
control_create_for_model(Request *r)
{
	const JsonValue *body = control_body(r);
	Wanted w = {.cloud = STR(""), .region = STR("")};

	if (!body)
		return;
	if (take_name(r, body, &w) && read_model(r, json_present(body, "embed"), &w) && control_take_string(r, body, "cloud", &w.cloud) &&
		control_take_string(r, body, "region", &w.region) &&
		(json_present(body, "cloud") || control_unread(r, "missing field", "cloud")) &&
		(json_present(body, "region") || control_unread(r, "missing field", "region")) && check_region(r, &w) &&
		control_take_protection(r, body, &w.protected) && control_check_tags(r, json_present(body, "tags")) &&
		control_check_capacity(r, json_present(body, "read_capacity")))
	{
		w.read_capacity = json_present(body, "read_capacity");
		w.schema = json_present(body, "schema");
		finish(r, &w, body);
	}
	integrated_free(w.integrated);
}
