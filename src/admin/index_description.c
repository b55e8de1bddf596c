/*
 * index_description.c
 *		Index descriptions, of whichever API version.
 *
 * Up to 2026-04 there are "dimension", "metric", "vector_type" and "spec", and
 * "embed" for an index with a model; later versions have "schema" with its
 * fields, and "deployment".
 */
#include "postgres.h"

#include "admin/index_description.h"

/* ---- Up to 2026-04 ---- */

static JsonbContainer *
read_spec(JsonbContainer *root, PineconeIndexDescription *index)
{
	JsonbContainer *spec = pinecone_json_object(root, "spec");
	JsonbContainer *place = pinecone_json_object(spec, "serverless");
	char *type = pinecone_json_string(root, "vector_type");
	double dimension;

	index->kind = pinecone_json_object(root, "embed") ? "integrated" : type && strcmp(type, "sparse") == 0 ? "sparse" :
																											 "dense";
	index->metric = pinecone_json_string(root, "metric");
	if (pinecone_json_number(root, "dimension", &dimension))
		index->dimension = (int) Max(0, Min(dimension, PG_INT32_MAX));
	if (place == NULL)
		place = pinecone_json_object(spec, "pod");
	if (place == NULL)
		place = pinecone_json_object(spec, "byoc");
	return place;
}

/* ---- From 2026-07 on ---- */

static void
read_vector(JsonbContainer *field, PineconeIndexDescription *index)
{
	double dimension;

	if (pinecone_json_number(field, "dimension", &dimension))
		index->dimension = (int) Max(0, Min(dimension, PG_INT32_MAX));
	index->metric = pinecone_json_string(field, "metric");
}

/* What its fields make of the index; those that are only metadata say nothing. */
static void
read_fields(PineconeIndexDescription *index)
{
	PineconeJsonWalk walk;
	JsonbContainer *field;
	bool sparse = false;

	pinecone_json_walk(&walk, index->fields);
	while ((field = pinecone_json_next(&walk)) != NULL)
	{
		char *type = pinecone_json_string(field, "type");
		JsonbContainer *embed = pinecone_json_object(field, "embed");

		if (strcmp(walk.key, "_values") == 0)
		{
			index->kind = "dense";
			read_vector(field, index);
		}
		else if (strcmp(walk.key, "_sparse_values") == 0)
			sparse = true;
		else if (type == NULL)
			continue;
		else if (strcmp(type, "semantic_text") == 0)
		{
			index->kind = "integrated";
			read_vector(field, index);
		}
		else if (strcmp(type, "dense_vector") == 0 || strcmp(type, "sparse_vector") == 0 ||
				 (strcmp(type, "string") == 0 &&
				  (embed || pinecone_json_object(field, "full_text_search") || pinecone_json_object(field, "sparse_embed"))))
		{
			index->kind = "document";
			if (embed != NULL || strcmp(type, "dense_vector") == 0)
				read_vector(embed ? embed : field, index);
		}
	}
	if (index->kind == NULL && sparse)
	{
		index->kind = "sparse";
		index->metric = pstrdup("dotproduct");
	}
}

/* ---- Both ---- */

/*
 * What an object says of an index, of which "all" is a copy: by its schema if it
 * has fields, else in the form of before.  False where it has no name.
 */
static bool
read_index(JsonbContainer *root, Jsonb *all, PineconeIndexDescription *index)
{
	JsonbContainer *status = pinecone_json_object(root, "status");
	JsonbContainer *place;
	JsonbContainer *capacity;
	char *protection = pinecone_json_string(root, "deletion_protection");
	char *mode;
	char *state;

	memset(index, 0, sizeof(*index));
	index->name = pinecone_json_string(root, "name");
	if (index->name == NULL)
		return false;
	index->all = all;
	index->host = pinecone_json_string(root, "host");
	index->ready = pinecone_json_is_true(status, "ready");
	state = pinecone_json_string(status, "state");
	index->state = state ? state : index->ready ? "Ready" :
												  "unknown";
	index->is_protected = protection != NULL && strcmp(protection, "enabled") == 0;
	index->tags = pinecone_json_member(root, "tags");
	index->fields = pinecone_json_object(pinecone_json_object(root, "schema"), "fields");
	if (index->fields != NULL)
	{
		read_fields(index);
		place = pinecone_json_object(root, "deployment");
		capacity = pinecone_json_object(root, "read_capacity");
	}
	else
	{
		place = read_spec(root, index);
		capacity = pinecone_json_object(place, "read_capacity");
	}
	index->cloud = pinecone_json_string(place, "cloud");
	index->region = pinecone_json_string(place, "region");
	if (index->region == NULL)
		index->region = pinecone_json_string(place, "environment");
	/* dedicated read nodes are made after the index is */
	mode = pinecone_json_string(capacity, "mode");
	state = pinecone_json_string(pinecone_json_object(capacity, "status"), "state");
	if (index->ready && mode != NULL && strcmp(mode, "Dedicated") == 0 && state != NULL && strcmp(state, "Ready") != 0)
	{
		index->ready = false;
		index->state = psprintf("read capacity %s", state);
	}
	return true;
}

bool
pinecone_index_read(Jsonb *reply, PineconeIndexDescription *index)
{
	return reply != NULL && read_index(&reply->root, reply, index);
}

List *
pinecone_index_read_list(Jsonb *reply)
{
	JsonbContainer *all = reply ? pinecone_json_array(&reply->root, "indexes") : NULL;
	PineconeJsonWalk walk;
	JsonbContainer *one;
	List *list = NIL;

	if (all == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail("The reply holds no list of indexes.")));
	pinecone_json_walk(&walk, all);
	while ((one = pinecone_json_next(&walk)) != NULL)
	{
		PineconeIndexDescription *index = palloc(sizeof(PineconeIndexDescription));

		if (read_index(one, pinecone_json_copy(&walk, one), index))
			list = lappend(list, index);
	}
	return list;
}

void
pinecone_index_row(PineconeRows *rows, const PineconeIndexDescription *index)
{
	pinecone_row_text(rows, index->name);
	pinecone_row_text(rows, index->kind);
	pinecone_row_int(rows, index->dimension, index->dimension > 0);
	pinecone_row_text(rows, index->metric);
	pinecone_row_text(rows, index->host);
	pinecone_row_bool(rows, index->ready);
	pinecone_row_text(rows, index->state);
	pinecone_row_bool(rows, index->is_protected);
	pinecone_row_text(rows, index->cloud);
	pinecone_row_text(rows, index->region);
	pinecone_row_jsonb(rows, index->tags);
	pinecone_row_jsonb(rows, index->all);
	pinecone_row_end(rows);
}

bool
pinecone_index_has_failed(const PineconeIndexDescription *index)
{
	static const char *const finals[] = {"InitializationFailed", "Failed", "Terminating", "Disabled"};

	for (int i = 0; i < lengthof(finals); i++)
	{
		if (strcmp(index->state, finals[i]) == 0)
			return true;
	}
	return false;
}
