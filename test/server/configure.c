/*
 * configure.c
 *		The control plane: configuring indexes.
 */
#include "schema.h"

#include <stdlib.h>

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
	if (!any)
	{
		buffer_free(&b);
		return NULL;
	}
	buffer_add_char(&b, '}');
	buffer_add_char(&b, '\0');
	return b.data;
}

/* {"read_parameters", "write_parameters"}, merged into those of the index's model */
static bool
change_model(Request *r, Index *index, const JsonValue *change)
{
	Str model = STR("");

	if (!index->integrated)
		return control_bad(r, "This index has no model, and it cannot be given one.");
	if (!control_take_string(r, change, "model", &model))
		return false;
	if (model.len > 0 && !str_is(model, index->integrated->embedding.model->name))
		return control_bad(r, "The model of an index cannot be changed.");
	return embedding_change(r, change, &index->integrated->embedding);
}

/* 2026-07: {"fields": {"chunk": {"type": "semantic_text", ...}}} */
static bool
change_schema(Request *r, Index *index, const JsonValue *schema)
{
	const JsonValue *fields = json_present(schema, "fields");
	Str type = STR("");

	if (!fields || fields->type != JSON_OBJECT)
		return control_unread(r, "missing field", "fields");
	if (fields->count != 1 || !control_take_string(r, &fields->items[0], "type", &type) || !str_is(type, "semantic_text"))
		return r->reply.status ? false : control_bad(r, "The schema of an index cannot be changed, but for the parameters of a field of type semantic_text.");
	if (index->integrated && !str_is(fields->keys[0], index->integrated->field))
		return control_bad(r, "Field '%.*s' is not the one that is embedded.", (int) fields->keys[0].len, fields->keys[0].s);
	return change_model(r, index, &fields->items[0]);
}

/* Under the exclusive lock */
static bool
configure(Request *r, Index *index, const JsonValue *body)
{
	static const char *const known[] = {"deployment", "schema", "read_capacity", "tags", "deletion_protection", NULL};
	const JsonValue *tags = json_present(body, "tags"), *capacity = json_present(body, "read_capacity"), *place = NULL;
	bool protected = index->protected;

	if (control_has_schemas(r))
	{
		if (!control_check_keys(r, body, known))
			return false;
		if (json_present(body, "deployment"))
			return control_bad(r, "Configuring replicas and pod type is not supported for serverless indexes.");
	}
	else
	{
		if (json_present(body, "dimension") || json_present(body, "metric") || json_present(body, "schema"))
			return control_bad(r, "Dimension, metric and schema of an index cannot be changed.");
		if (json_present(json_present(body, "spec"), "pod"))
			return control_bad(r, "Configuring replicas and pod type is not supported for serverless indexes.");
		place = json_present(json_present(body, "spec"), index->environment ? "byoc" : "serverless");
		if (!capacity)
			capacity = json_present(place, "read_capacity");
	}
	if (!control_take_protection(r, body, &protected) || !control_check_tags(r, tags) || !control_check_capacity(r, capacity))
		return false;
	if (control_has_schemas(r) && json_present(body, "schema") && !change_schema(r, index, json_present(body, "schema")))
		return false;
	if (!control_has_schemas(r) && json_present(body, "embed") && !change_model(r, index, json_present(body, "embed")))
		return false;
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
		index->read_capacity = control_capacity(capacity);
	}
	return true;
}

void
control_configure(Request *r, Index *index)
{
	const JsonValue *body = control_body(r);

	if (!body)
		return;
	pthread_rwlock_wrlock(&index->lock);
	if (configure(r, index, body))
	{
		control_write_index(r, index);
		r->reply.status = control_has_schemas(r) ? 200 : 202;
	}
	pthread_rwlock_unlock(&index->lock);
}
