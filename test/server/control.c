/*
 * control.c
 *		The control plane: list, describe, create, configure and delete indexes.
 *
 * Descriptions and creation have two shapes: up to API 2026-04, and 2026-07.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define NEW_SHAPE 202607

static struct json_object *
get(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object == NULL || !json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_get_ex(object, name, &value);
	return value;
}

static void
append_json(Buffer *buf, struct json_object *value)
{
	buffer_text(buf, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
															   JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void
append_index(Buffer *buf, Index *index, int version)
{
	bool ready = now_ms() >= index->ready_at_ms;

	buffer_format(buf, "{\"name\":\"%s\",\"host\":\"%s:%d\",", index->name,
				  use_tls ? "localhost" : "http://127.0.0.1", index->port);
	buffer_format(buf, "\"status\":{\"ready\":%s,\"state\":\"%s\"},", ready ? "true" : "false",
				  ready ? "Ready" : "Initializing");
	buffer_format(buf, "\"deletion_protection\":\"%s\",",
				  index->deletion_protection ? "enabled" : "disabled");
	if (index->tags)
	{
		buffer_text(buf, "\"tags\":");
		append_json(buf, index->tags);
		buffer_text(buf, ",");
	}
	if (version >= NEW_SHAPE)
	{
		buffer_text(buf, "\"deployment\":{\"deployment_type\":\"managed\",\"cloud\":\"aws\",\"region\":\"us-east-1\"},"
						 "\"read_capacity\":{\"mode\":\"OnDemand\",\"status\":{\"state\":\"Ready\"}},");
		if (index->sparse)
			buffer_text(buf, "\"schema\":{\"fields\":{\"_sparse_values\":{\"type\":\"sparse_vector\",\"metric\":\"dotproduct\"}}}}");
		else
			buffer_format(buf, "\"schema\":{\"fields\":{\"_values\":{\"type\":\"dense_vector\",\"dimension\":%d,\"metric\":\"%s\"}}}}",
						  index->dimension, metric_name(index->metric));
		return;
	}
	if (!index->sparse)
		buffer_format(buf, "\"dimension\":%d,", index->dimension);
	buffer_format(buf, "\"metric\":\"%s\",\"vector_type\":\"%s\",\"spec\":", metric_name(index->metric),
				  index->sparse ? "sparse" : "dense");
	if (index->spec)
		append_json(buf, index->spec);
	else
		buffer_text(buf, "{\"serverless\":{\"cloud\":\"aws\",\"region\":\"us-east-1\"}}");
	buffer_text(buf, "}");
}

static bool
name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > 45 || name[0] == '-' || name[len - 1] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* What an index is to be, from either shape of the request. */
static bool
read_definition(Request *request, Reply *reply, int *dimension, Metric *metric, bool *sparse)
{
	struct json_object *json = request->json;
	struct json_object *fields = get(get(json, "schema"), "fields");
	struct json_object *dense = get(fields, "_values");
	struct json_object *dimension_value = get(json, "dimension");
	struct json_object *metric_value = get(json, "metric");
	struct json_object *type = get(json, "vector_type");

	if (request->version >= NEW_SHAPE)
	{
		if (fields == NULL)
		{
			reply_control_error(reply, 422, "UNPROCESSABLE_ENTITY",
								"Failed to deserialize the JSON body into the target type: missing field `schema`");
			return false;
		}
		if (dense == NULL && json_object_is_type(fields, json_type_object))
		{
			json_object_object_foreach(fields, name, field)
			{
				struct json_object *kind = get(field, "type");

				(void) name;
				if (kind && strcmp(json_object_get_string(kind), "dense_vector") == 0)
					dense = field;
			}
		}
		dimension_value = get(dense, "dimension");
		metric_value = get(dense, "metric");
		*sparse = dense == NULL;
	}
	else
		*sparse = type && strcmp(json_object_get_string(type), "sparse") == 0;

	*metric = *sparse ? DOTPRODUCT : COSINE;
	if (metric_value && !metric_by_name(json_object_get_string(metric_value), metric))
	{
		reply_control_error(reply, 400, "INVALID_ARGUMENT", "Invalid metric");
		return false;
	}
	*dimension = dimension_value ? json_object_get_int(dimension_value) : 0;
	if (*sparse && *dimension > 0)
		reply_control_error(reply, 400, "INVALID_ARGUMENT", "dimension should not be specified for sparse indexes");
	else if (*sparse && *metric != DOTPRODUCT)
		reply_control_error(reply, 400, "INVALID_ARGUMENT", "Sparse vector indexes must use the metric dotproduct.");
	else if (!*sparse && dimension_value == NULL)
		reply_control_error(reply, 422, "UNPROCESSABLE_ENTITY",
							"Failed to deserialize the JSON body into the target type: missing field `dimension`");
	else if (!*sparse && (*dimension < 1 || *dimension > 20000))
		reply_control_error(reply, 400, "INVALID_ARGUMENT", "dimension must be between 1 and 20000");
	return reply->status < 400;
}

static bool
protection_enabled(struct json_object *json)
{
	struct json_object *value = get(json, "deletion_protection");

	return value && strcmp(json_object_get_string(value), "enabled") == 0;
}

static void
create_index(Request *request, Reply *reply)
{
	struct json_object *name = get(request->json, "name");
	int dimension;
	Metric metric;
	bool sparse;
	Index *index;

	if (name == NULL)
	{
		reply_control_error(reply, 422, "UNPROCESSABLE_ENTITY",
							"Failed to deserialize the JSON body into the target type: missing field `name`");
		return;
	}
	if (!name_is_valid(json_object_get_string(name)))
	{
		reply_control_error(reply, 400, "INVALID_ARGUMENT",
							"Index name must contain only lowercase alphanumeric characters or hyphens, and must not begin or end with a hyphen.");
		return;
	}
	if (index_find(json_object_get_string(name)))
	{
		reply_control_error(reply, 409, "ALREADY_EXISTS", "Resource already exists");
		return;
	}
	if (!read_definition(request, reply, &dimension, &metric, &sparse))
		return;
	index = index_create(json_object_get_string(name), dimension, metric, sparse, 0);
	if (index == NULL)
	{
		reply_control_error(reply, 500, "UNKNOWN", "Internal server error");
		return;
	}
	index->tags = json_object_get(get(request->json, "tags"));
	index->spec = json_object_get(get(request->json, "spec"));
	index->deletion_protection = protection_enabled(request->json);
	reply->status = 201;
	append_index(&reply->body, index, request->version);
}

static void
configure_index(Request *request, Reply *reply, Index *index)
{
	struct json_object *tags = get(request->json, "tags");

	if (get(request->json, "deletion_protection"))
		index->deletion_protection = protection_enabled(request->json);
	if (tags && json_object_is_type(tags, json_type_object))
	{
		if (index->tags == NULL)
			index->tags = json_object_new_object();
		json_object_object_foreach(tags, key, value)
		{
			if (json_object_get_string_len(value) == 0)
				json_object_object_del(index->tags, key);
			else
				json_object_object_add(index->tags, key, json_object_get(value));
		}
	}
	reply->status = 202;
	append_index(&reply->body, index, request->version);
}

static void
answer_index(Request *request, Reply *reply, const char *name)
{
	Index *index = index_find(name);

	if (index == NULL)
		reply_control_error(reply, 404, "NOT_FOUND", "Resource %s not found", name);
	else if (strcmp(request->method, "GET") == 0)
		append_index(&reply->body, index, request->version);
	else if (strcmp(request->method, "PATCH") == 0)
		configure_index(request, reply, index);
	else if (index->deletion_protection)
		reply_control_error(reply, 403, "FORBIDDEN",
							"Deletion protection is enabled for this index. Disable deletion protection before retrying.");
	else
	{
		/* its port goes on answering, with 404 */
		pthread_rwlock_wrlock(&index->lock);
		index->deleted = true;
		while (index->namespaces)
			namespace_drop(index, index->namespaces->name);
		pthread_rwlock_unlock(&index->lock);
		reply->status = 202;
	}
}

void
answer_control(Request *request, Reply *reply)
{
	bool has_body = strcmp(request->method, "POST") == 0 || strcmp(request->method, "PATCH") == 0;

	if (has_body)
	{
		request->json = request->body.data ? json_tokener_parse(request->body.data) : NULL;
		if (request->json == NULL)
		{
			reply_control_error(reply, 400, "INVALID_ARGUMENT", "Failed to parse the request body as JSON");
			return;
		}
	}
	pthread_mutex_lock(&indexes_lock);
	if (strcmp(request->path, "/indexes") == 0 && strcmp(request->method, "GET") == 0)
	{
		bool first = true;

		buffer_text(&reply->body, "{\"indexes\":[");
		for (Index *index = indexes; index; index = index->next)
		{
			if (index->deleted)
				continue;
			if (!first)
				buffer_text(&reply->body, ",");
			first = false;
			append_index(&reply->body, index, request->version);
		}
		buffer_text(&reply->body, "]}");
	}
	else if (strcmp(request->path, "/indexes") == 0 && strcmp(request->method, "POST") == 0)
		create_index(request, reply);
	else if (strncmp(request->path, "/indexes/", 9) == 0 && strchr(request->path + 9, '/') == NULL)
		answer_index(request, reply, request->path + 9);
	else
		reply_control_error(reply, 404, "NOT_FOUND", "Not found");
	pthread_mutex_unlock(&indexes_lock);
}
