/*
 * control.c
 *		The control plane: which call it is, and what indexes look like.
 *
 * An index looks different from API version 2026-07 on; the request's version
 * header decides.
 */
#include "schema.h"

#include "catalog.h"
#include "facts.h"
#include "settings.h"

#include <stdlib.h>

bool
control_has_schemas(const Request *r)
{
	return r->version && strcmp(r->version, "2026-07") >= 0;
}

static void
add_json(Buffer *b, const char *json, const char *otherwise)
{
	buffer_add_text(b, json ? json : otherwise);
}

static void
write_status(Buffer *b, const Index *index)
{
	bool ready = now_us() >= index->ready_at && !index->failed;

	buffer_printf(b, ",\"host\":");
	catalog_add_host(b, index->port);
	buffer_printf(b, ",\"status\":{\"ready\":%s,\"state\":\"%s\"},\"deletion_protection\":\"%s\",\"tags\":", ready ? "true" : "false",
				  ready ? "Ready" : index->failed ? "InitializationFailed" :
													"Initializing",
				  index->protected ? "enabled" : "disabled");
	add_json(b, index->tags, "null");
}

static void
write_capacity(Buffer *b, const Index *index)
{
	buffer_add_text(b, "\"read_capacity\":");
	add_json(b, index->read_capacity, "{\"mode\":\"OnDemand\",\"status\":{\"state\":\"Ready\"}}");
}

static void
write_embed(Buffer *b, const Integrated *in)
{
	const Embedding *e = &in->embedding;

	buffer_printf(b, ",\"embed\":{\"model\":\"%s\",\"metric\":\"%s\"", e->model->name, metric_name(e->metric));
	if (e->dimension)
		buffer_printf(b, ",\"dimension\":%d", e->dimension);
	buffer_printf(b, ",\"vector_type\":\"%s\",\"field_map\":%s,\"read_parameters\":%s,\"write_parameters\":%s}", e->dimension ? "dense" : "sparse",
				  in->field_map, e->read_parameters, e->write_parameters);
}

/* The field that an index of one model embeds */
static void
write_semantic_text(Buffer *b, const Integrated *in)
{
	const Embedding *e = &in->embedding;

	json_add_string(b, str_of(in->field));
	buffer_printf(b, ":{\"type\":\"semantic_text\",\"description\":null,\"model\":\"%s\",\"metric\":\"%s\",\"dimension\":", e->model->name,
				  metric_name(e->metric));
	if (e->dimension)
		buffer_printf(b, "%d", e->dimension);
	else
		buffer_add_text(b, "null");
	buffer_printf(b, ",\"read_parameters\":%s,\"write_parameters\":%s}", e->read_parameters, e->write_parameters);
}

/* Up to 2026-04 */
static void
write_spec_form(Buffer *b, const Index *index)
{
	if (!index->sparse)
		buffer_printf(b, ",\"dimension\":%d", index->dimension);
	buffer_printf(b, ",\"metric\":\"%s\",\"vector_type\":\"%s\"", metric_name(index->metric), index->sparse ? "sparse" : "dense");
	if (index->environment)
	{
		buffer_add_text(b, ",\"spec\":{\"byoc\":{\"environment\":");
		json_add_string(b, str_of(index->environment));
	}
	else
	{
		buffer_add_text(b, ",\"spec\":{\"serverless\":{\"cloud\":");
		json_add_string(b, str_of(index->cloud));
		buffer_add_text(b, ",\"region\":");
		json_add_string(b, str_of(index->region));
	}
	buffer_add_char(b, ',');
	write_capacity(b, index);
	if (index->schema)
		buffer_printf(b, ",\"schema\":%s", index->schema);
	buffer_add_text(b, "}}");
	if (index->integrated)
		write_embed(b, index->integrated);
}

static void
write_reserved_fields(Buffer *b, const Index *index)
{
	buffer_add_text(b, "{\"fields\":{");
	if (index->integrated)
		write_semantic_text(b, index->integrated);
	else if (index->sparse)
		buffer_add_text(b, "\"_sparse_values\":{\"type\":\"sparse_vector\"}");
	else
	{
		/* Dense indexes show both, be sparse values declared or not */
		buffer_printf(b, "\"_values\":{\"type\":\"dense_vector\",\"dimension\":%d,\"metric\":\"%s\"}", index->dimension, metric_name(index->metric));
		buffer_add_text(b, ",\"_sparse_values\":{\"type\":\"sparse_vector\"}");
	}
	/* Fields that were declared in the form of before have no type */
	for (int i = 0; i < index->nschema_keys; i++)
	{
		buffer_add_char(b, ',');
		json_add_string(b, metadata_key_name(index->schema_keys[i]));
		buffer_add_text(b, ":{\"filterable\":true}");
	}
	buffer_add_text(b, "}}");
}

void
control_write_schema(Buffer *b, const Index *index)
{
	if (index->fields)
		schema_write(b, index->fields);
	else
		write_reserved_fields(b, index);
}

/* From 2026-07 on, and for what the form of before cannot say */
static void
write_schema_form(Buffer *b, const Index *index)
{
	if (index->environment)
	{
		buffer_add_text(b, ",\"deployment\":{\"deployment_type\":\"byoc\",\"environment\":");
		json_add_string(b, str_of(index->environment));
	}
	else
	{
		buffer_add_text(b, ",\"deployment\":{\"deployment_type\":\"managed\",\"cloud\":");
		json_add_string(b, str_of(index->cloud));
		buffer_add_text(b, ",\"region\":");
		json_add_string(b, str_of(index->region));
	}
	buffer_add_text(b, "},");
	write_capacity(b, index);
	buffer_add_text(b, ",\"schema\":");
	control_write_schema(b, index);
	if (index->cmek_id)
	{
		buffer_add_text(b, ",\"cmek_id\":");
		json_add_string(b, str_of(index->cmek_id));
	}
}

void
control_write_index(Request *r, const Index *index)
{
	Buffer *b = reply_body(r);

	buffer_add_text(b, "{\"name\":");
	json_add_string(b, str_of(index->name));
	write_status(b, index);
	if (control_has_schemas(r) || index->fields)
		write_schema_form(b, index);
	else
		write_spec_form(b, index);
	buffer_add_char(b, '}');
}

/* May a request of that version know of it? */
static bool
is_shown(const Request *r, const Index *index)
{
	return !index->fields || control_has_schemas(r) || !fact(FACT_OLD_VERSIONS);
}

static void
list(Request *r)
{
	Index **all = catalog_all();
	bool any = false;

	buffer_add_text(reply_body(r), "{\"indexes\":[");
	for (int i = 0; all[i]; i++)
	{
		if (!is_shown(r, all[i]))
			continue;
		if (any)
			buffer_add_char(reply_body(r), ',');
		any = true;
		pthread_rwlock_rdlock(&all[i]->lock);
		control_write_index(r, all[i]);
		pthread_rwlock_unlock(&all[i]->lock);
	}
	buffer_add_text(reply_body(r), "]}");
	catalog_free_all(all);
}

static bool
method_not_allowed(Request *r)
{
	return reply_control_error(r, 405, "METHOD_NOT_ALLOWED", "Method not allowed");
}

/* DELETE /indexes/{name} */
static void
remove_index(Request *r, Index *index)
{
	if (index->protected)
		reply_control_error(r, 403, "FORBIDDEN", "Deletion protection is enabled for this index. Disable deletion protection before retrying.");
	else
	{
		catalog_remove(index->name);
		r->reply.status = 202;
	}
}

static bool
one_index(Request *r, Str name)
{
	Index *index = catalog_find(name);

	if (!index || !is_shown(r, index))
	{
		index_release(index);
		return reply_control_error(r, 404, "NOT_FOUND", "Resource %.*s not found", (int) name.len, name.s);
	}
	if (strcmp(r->method, "GET") == 0)
	{
		pthread_rwlock_rdlock(&index->lock);
		control_write_index(r, index);
		pthread_rwlock_unlock(&index->lock);
	}
	else if (strcmp(r->method, "PATCH") == 0)
		control_configure(r, index);
	else if (strcmp(r->method, "DELETE") == 0)
		remove_index(r, index);
	else
		method_not_allowed(r);
	index_release(index);
	return true;
}

static bool
control_respond(Request *r)
{
	bool get = strcmp(r->method, "GET") == 0;
	Str name;

	if (r->body_bytes > BODY_LIMIT)
		return reply_control_error(r, 413, "PAYLOAD_TOO_LARGE", "Request body is too large");
	if (str_is(r->path, "/indexes"))
	{
		if (get)
			list(r);
		else if (strcmp(r->method, "POST") == 0)
			control_create(r);
		else
			method_not_allowed(r);
		return true;
	}
	if (strcmp(r->method, "POST") == 0 && str_is(r->path, "/indexes/create-for-model"))
	{
		control_create_for_model(r);
		return true;
	}
	if (metrics_respond(r) || models_respond(r) || convert_respond(r) || backup_respond(r) || absent_control(r))
		return true;
	if (r->path.len > 9 && memcmp(r->path.s, "/indexes/", 9) == 0 && !memchr(r->path.s + 9, '/', r->path.len - 9) &&
		url_decode(&r->arena, (Str){r->path.s + 9, r->path.len - 9}, false, &name))
		return one_index(r, name);
	return reply_control_error(r, 404, "NOT_FOUND", "Not found");
}

bool
respond(Request *r)
{
	return r->index ? data_respond(r) : control_respond(r);
}
