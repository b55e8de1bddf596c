/*
 * message_schema.c
 *		The schema in an index's description (API 2026-07), and what an integrated index
 *		embeds.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "wire/message.h"
#include "wire/parsed.h"

static bool
is_true(struct json_object *object, const char *name)
{
	struct json_object *value = pinecone_parsed_member(object, name);

	return value != NULL && json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static char *
to_server(char *text)
{
	return text ? pg_any_to_server(text, strlen(text), PG_UTF8) : NULL;
}

static void
read_vector_facts(struct json_object *object, PineconeSchemaField *field)
{
	double number;

	if (pinecone_parsed_count(object, "dimension", &number))
		field->dimension = (int) Min(number, PG_INT32_MAX);
	field->metric = pinecone_metric_by_name(pinecone_parsed_string(object, "metric"));
}

/* A field that can be searched by; what else there may be is metadata. */
static bool
read_schema_field(const char *name, struct json_object *object, PineconeSchemaField *field)
{
	char *type = pinecone_parsed_string(object, "type");
	struct json_object *words = pinecone_parsed_member(object, "full_text_search");
	struct json_object *embed = pinecone_parsed_member(object, "embed");

	memset(field, 0, sizeof(*field));
	field->name = to_server(pstrdup(name));
	field->description = to_server(pinecone_parsed_string(object, "description"));
	field->stored = true;
	if (type == NULL)
		return false;
	if (strcmp(type, "dense_vector") == 0)
	{
		field->kind = PINECONE_SCHEMA_DENSE;
		read_vector_facts(object, field);
		return true;
	}
	if (strcmp(type, "sparse_vector") == 0)
	{
		field->kind = PINECONE_SCHEMA_SPARSE;
		field->metric = PINECONE_METRIC_DOTPRODUCT;
		return true;
	}
	if (strcmp(type, "string") != 0)
		return false;
	field->kind = PINECONE_SCHEMA_TEXT;
	field->full_text = pinecone_parsed_is_object(words);
	field->embed = pinecone_parsed_is_object(embed);
	field->sparse_embed = pinecone_parsed_is_object(pinecone_parsed_member(object, "sparse_embed"));
	if (pinecone_parsed_member(object, "store_text") != NULL)
		field->stored = is_true(object, "store_text");
	if (field->full_text)
	{
		field->language = pinecone_parsed_string(words, "language");
		field->stemming = is_true(words, "stemming");
		field->stop_words = is_true(words, "stop_words");
		field->ngram = pinecone_parsed_is_object(pinecone_parsed_member(words, "ngram"));
	}
	if (field->embed)
		read_vector_facts(embed, field);
	return field->full_text || field->embed || field->sparse_embed;
}

bool
pinecone_message_decode_schema(const char *body, size_t len, PineconeSchema **schema,
							   const char **reason)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *fields = pinecone_parsed_member(pinecone_parsed_member(root, "schema"), "fields");
	PineconeSchema *result;
	bool vectors = false;

	*schema = NULL;
	if (!pinecone_parsed_is_object(root))
	{
		*reason = "the schema is not a JSON object";
		return false;
	}
	if (fields == NULL)
		fields = pinecone_parsed_member(root, "fields");
	/* fields that are there to be filtered by say nothing of the index's kind */
	if (!pinecone_parsed_is_object(fields))
		return true;
	result = palloc0(sizeof(PineconeSchema));
	result->fields = palloc0(Max(json_object_object_length(fields), 1) * sizeof(PineconeSchemaField));
	{
		json_object_object_foreach(fields, name, value)
		{
			/* those that an index of vectors has */
			if (name[0] == '_')
				vectors = true;
			else if (read_schema_field(name, value, &result->fields[result->n]))
				result->n++;
		}
	}
	if (vectors || result->n == 0)
		return true;
	pinecone_schema_finish(result);
	*schema = result;
	return true;
}

/* The field of semantic text, of which there is one at most (API 2026-07) */
static char *
find_semantic_text(struct json_object *fields, struct json_object **facts)
{
	if (!pinecone_parsed_is_object(fields))
		return NULL;
	json_object_object_foreach(fields, name, value)
	{
		char *type = pinecone_parsed_string(value, "type");

		if (type != NULL && strcmp(type, "semantic_text") == 0)
		{
			*facts = value;
			return pstrdup(name);
		}
	}
	return NULL;
}

PineconeSchema *
pinecone_message_decode_integrated(const char *body, size_t len)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *facts = pinecone_parsed_member(root, "embed");
	char *name;
	PineconeSchemaField vector = {0};

	if (!pinecone_parsed_is_object(root))
		return NULL;
	if (pinecone_parsed_is_object(facts))
		name = pinecone_parsed_string(pinecone_parsed_member(facts, "field_map"), "text");
	else
		name = find_semantic_text(pinecone_parsed_member(pinecone_parsed_member(root, "schema"), "fields"), &facts);
	if (name == NULL)
		name = find_semantic_text(pinecone_parsed_member(root, "fields"), &facts);
	if (name == NULL)
		return NULL;
	read_vector_facts(facts, &vector);
	return pinecone_schema_integrated(to_server(name), vector.metric, vector.dimension);
}
