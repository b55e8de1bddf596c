/*
 * schema.c
 *		What a document index declares, looked up.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "wire/schema.h"

PineconeSchemaField *
pinecone_schema_field(const PineconeSchema *schema, const char *name)
{
	for (int i = 0; schema != NULL && i < schema->n; i++)
	{
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	}
	return NULL;
}

bool
pinecone_schema_reserves(const PineconeSchema *schema, const char *name)
{
	if (schema == NULL)
		return false;
	/* what begins so is the service's */
	return name[0] == '_' || name[0] == '$' || pinecone_schema_field(schema, name) != NULL;
}

/*
 * Any string that is one of the names counts, and one with an escape in it may
 * be: who asks is content with too many.
 */
bool
pinecone_schema_is_mentioned(const PineconeSchema *schema, const char *json)
{
	if (schema == NULL)
		return false;
	for (const char *p = strchr(json, '"'); p != NULL; p = strchr(p + 1, '"'))
	{
		const char *start = ++p;
		bool escaped = false;

		for (; *p != '\0' && *p != '"'; p++)
		{
			if (*p == '\\' && p[1] != '\0')
			{
				escaped = true;
				p++;
			}
		}
		if (escaped || *start == '_' ||
			pinecone_schema_field(schema, pnstrdup(start, p - start)) != NULL)
			return true;
		if (*p == '\0')
			break;
	}
	return false;
}

static char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

void
pinecone_schema_finish(PineconeSchema *schema)
{
	uint32 hash = 1;

	schema->dense = schema->sparse = NULL;
	schema->texts = schema->embeds = false;
	for (int i = 0; i < schema->n; i++)
	{
		PineconeSchemaField *field = &schema->fields[i];
		int facts[] = {field->kind, field->dimension, field->metric, field->full_text, field->embed,
					   field->sparse_embed, field->stored};

		if (field->kind == PINECONE_SCHEMA_DENSE)
			schema->dense = field;
		if (field->kind == PINECONE_SCHEMA_SPARSE)
			schema->sparse = field;
		schema->texts |= field->full_text;
		schema->embeds |= field->embed || field->sparse_embed;
		hash = hash_combine(hash, hash_bytes((const unsigned char *) field->name, strlen(field->name)));
		hash = hash_combine(hash, hash_bytes((const unsigned char *) facts, sizeof(facts)));
	}
	schema->hash = hash == 0 ? 1 : hash;
}

PineconeSchema *
pinecone_schema_copy(const PineconeSchema *schema)
{
	PineconeSchema *copy = palloc0(sizeof(PineconeSchema));

	copy->n = schema->n;
	copy->fields = palloc0(Max(schema->n, 1) * sizeof(PineconeSchemaField));
	for (int i = 0; i < schema->n; i++)
	{
		copy->fields[i] = schema->fields[i];
		copy->fields[i].name = pstrdup(schema->fields[i].name);
		copy->fields[i].description = copy_text(schema->fields[i].description);
		copy->fields[i].language = copy_text(schema->fields[i].language);
	}
	pinecone_schema_finish(copy);
	return copy;
}

PineconeSchema *
pinecone_schema_integrated(const char *field, PineconeMetric metric, int dimension)
{
	PineconeSchema *schema = palloc0(sizeof(PineconeSchema));

	schema->n = 1;
	schema->fields = palloc0(sizeof(PineconeSchemaField));
	schema->fields[0].name = pstrdup(field);
	schema->fields[0].kind = PINECONE_SCHEMA_TEXT;
	schema->fields[0].metric = metric;
	schema->fields[0].dimension = dimension;
	schema->fields[0].embed = schema->fields[0].stored = true;
	pinecone_schema_finish(schema);
	return schema;
}

void
pinecone_schema_project(PineconeProjection *projection, const char *name)
{
	for (int i = 0; i < projection->n; i++)
	{
		if (strcmp(projection->names[i], name) == 0)
			return;
	}
	projection->names = projection->names ?
							repalloc(projection->names, (projection->n + 1) * sizeof(char *)) :
							palloc(sizeof(char *));
	projection->names[projection->n++] = (char *) name;
}

PineconeProjection *
pinecone_schema_copy_projection(const PineconeProjection *projection)
{
	PineconeProjection *copy = palloc0(sizeof(PineconeProjection));

	for (int i = 0; i < projection->n; i++)
		pinecone_schema_project(copy, pstrdup(projection->names[i]));
	return copy;
}
