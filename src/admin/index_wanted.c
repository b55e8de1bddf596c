/*
 * index_wanted.c
 *		The arguments of pinecone_create_index().
 */
#include "postgres.h"

#include "admin/argument.h"
#include "admin/index_wanted.h"

/* Numbers of the arguments */
enum
{
	ARG_NAME = 1,
	ARG_DIMENSION,
	ARG_METRIC,
	ARG_KIND,
	ARG_SCHEMA,
	ARG_CLOUD,
	ARG_REGION,
	ARG_PROTECTION,
	ARG_TAGS,
	ARG_CAPACITY
};

/* Limits of the service */
#define MAX_DIMENSION 20000
#define MAX_FIELD_NAME 64

#define METRICS "Valid metrics are cosine, dotproduct and euclidean."
#define DIMENSIONS "Valid dimensions are between 1 and 20000."

static const char *const kinds[] = {"dense", "sparse", "hybrid", "document"};

/* ---- Vectors ---- */

static bool
is_metric(const char *name)
{
	return name != NULL && (strcmp(name, "cosine") == 0 || strcmp(name, "dotproduct") == 0 || strcmp(name, "euclidean") == 0);
}

static void
read_kind(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted)
{
	char *kind = pinecone_argument_optional_text(fcinfo, ARG_KIND, "kind");

	wanted->kind = PG_ARGISNULL(ARG_SCHEMA) ? PINECONE_INDEX_DENSE : PINECONE_INDEX_DOCUMENT;
	if (kind == NULL)
		return;
	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kind, kinds[i]) == 0)
		{
			wanted->kind = i;
			return;
		}
	}
	pinecone_argument_reject("kind", kind, "Valid kinds are dense, sparse, hybrid and document.");
}

/* Which metric, if it goes with the kind */
static void
read_metric(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted)
{
	bool only_dot = wanted->kind == PINECONE_INDEX_SPARSE || wanted->kind == PINECONE_INDEX_HYBRID;

	wanted->metric = pinecone_argument_optional_text(fcinfo, ARG_METRIC, "metric");
	if (wanted->metric == NULL)
		wanted->metric = only_dot ? pstrdup("dotproduct") : pstrdup("cosine");
	else if (!is_metric(wanted->metric))
		pinecone_argument_reject("metric", wanted->metric, METRICS);
	else if (wanted->kind == PINECONE_INDEX_DOCUMENT)
		pinecone_argument_reject("metric", wanted->metric, "That of documents stands in the schema, with the field of their vectors.");
	else if (only_dot && strcmp(wanted->metric, "dotproduct") != 0)
		pinecone_argument_reject("metric", wanted->metric, psprintf("An index of kind %s has the metric dotproduct.", kinds[wanted->kind]));
}

static void
read_dimension(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted)
{
	bool has_one = wanted->kind == PINECONE_INDEX_DENSE || wanted->kind == PINECONE_INDEX_HYBRID;

	if (PG_ARGISNULL(ARG_DIMENSION))
	{
		if (has_one)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"dimension\" must be given for an index of kind %s", kinds[wanted->kind]),
					 errhint(DIMENSIONS)));
		return;
	}
	wanted->dimension = PG_GETARG_INT32(ARG_DIMENSION);
	if (!has_one)
		pinecone_argument_reject("dimension", psprintf("%d", wanted->dimension),
								 wanted->kind == PINECONE_INDEX_SPARSE ? "A sparse index has none." :
																		 "That of documents stands in the schema, with the field of their vectors.");
	if (wanted->dimension < 1 || wanted->dimension > MAX_DIMENSION)
		pinecone_argument_reject("dimension", psprintf("%d", wanted->dimension), DIMENSIONS);
}

/* ---- Schemas ---- */

/* Fields of a kind that there may be one of */
typedef struct Slots
{
	int dense;
	int sparse;
	int searchable;
} Slots;

static void
reject_field(const char *field, const char *allowed)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"schema\": field \"%s\"", field),
			 errhint("%s", allowed)));
}

static void
check_field(const char *name, JsonbContainer *field, Slots *slots)
{
	char *type = pinecone_json_string(field, "type");
	double dimension;

	if (name[0] == '\0' || name[0] == '_' || name[0] == '$' || strlen(name) > MAX_FIELD_NAME)
		reject_field(name, "Names of fields have up to 64 bytes, and begin neither with _ nor with $.");
	if (type != NULL && strcmp(type, "dense_vector") == 0)
	{
		if (!pinecone_json_number(field, "dimension", &dimension) || dimension < 1 || dimension > MAX_DIMENSION ||
			dimension != (int) dimension)
			reject_field(name, "A dense_vector has a \"dimension\" between 1 and 20000.");
		if (!is_metric(pinecone_json_string(field, "metric")))
			reject_field(name, "A dense_vector has a \"metric\": cosine, dotproduct or euclidean.");
		slots->dense++;
	}
	else if (type != NULL && strcmp(type, "sparse_vector") == 0)
		slots->sparse++;
	else if (type != NULL && strcmp(type, "string") == 0)
	{
		bool words = pinecone_json_object(field, "full_text_search") != NULL;
		bool embed = pinecone_json_object(field, "embed") != NULL;
		bool sparse = pinecone_json_object(field, "sparse_embed") != NULL;

		if (!words && !embed && !sparse)
			reject_field(name, "A string has one of the objects \"full_text_search\", \"embed\" and \"sparse_embed\"; what is only to be filtered by is not declared.");
		slots->dense += embed;
		slots->sparse += sparse;
	}
	else
		reject_field(name, "The \"type\" of a field is dense_vector, sparse_vector or string.");
	slots->searchable++;
}

static void
read_schema(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted)
{
	JsonbContainer *fields;
	JsonbContainer *field;
	PineconeJsonWalk walk;
	Slots slots = {0};

	if (PG_ARGISNULL(ARG_SCHEMA))
	{
		if (wanted->kind == PINECONE_INDEX_DOCUMENT)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"schema\" must be given for an index of kind document"),
					 errhint("For example {\"fields\": {\"body\": {\"type\": \"string\", \"full_text_search\": {}}}}.")));
		return;
	}
	if (wanted->kind != PINECONE_INDEX_DOCUMENT)
		pinecone_argument_reject("kind", kinds[wanted->kind], "An index with a schema is of kind document.");
	wanted->schema = PG_GETARG_JSONB_P(ARG_SCHEMA);
	fields = pinecone_json_object(&wanted->schema->root, "fields");
	if (fields == NULL || JsonContainerSize(fields) == 0)
		pinecone_argument_reject("schema", JsonbToCString(NULL, &wanted->schema->root, VARSIZE(wanted->schema)),
								 "A schema is an object with the object \"fields\", of which each member is an object.");
	pinecone_json_walk(&walk, fields);
	while ((field = pinecone_json_next(&walk)) != NULL)
		check_field(walk.key, field, &slots);
	if (slots.searchable != JsonContainerSize(fields))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"schema\": a field is no object"),
				 errhint("Each member of \"fields\" is an object with a \"type\".")));
	if (slots.dense > 1 || slots.sparse > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"schema\": more than one field with %s vectors", slots.dense > 1 ? "dense" : "sparse"),
				 errhint("A schema has at most one field of type dense_vector or with \"embed\", and one of type sparse_vector or with \"sparse_embed\".")));
}

/* ---- Where ---- */

static void
read_place(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted)
{
	wanted->cloud = pinecone_argument_text(fcinfo, ARG_CLOUD, "cloud");
	wanted->region = pinecone_argument_text(fcinfo, ARG_REGION, "region");
	if (strcmp(wanted->cloud, "aws") != 0 && strcmp(wanted->cloud, "gcp") != 0 && strcmp(wanted->cloud, "azure") != 0)
		pinecone_argument_reject("cloud", wanted->cloud, "Valid clouds are aws, gcp and azure.");
	if (wanted->region[strspn(wanted->region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		pinecone_argument_reject("region", wanted->region, "Names of regions are of lower-case letters, digits and hyphens, as us-east-1.");
}

Jsonb *
pinecone_index_read_capacity(FunctionCallInfo fcinfo, int n)
{
	Jsonb *capacity;
	char *mode;

	if (PG_ARGISNULL(n))
		return NULL;
	capacity = PG_GETARG_JSONB_P(n);
	mode = pinecone_json_string(&capacity->root, "mode");
	if (mode == NULL || (strcmp(mode, "OnDemand") != 0 &&
						 (strcmp(mode, "Dedicated") != 0 || pinecone_json_object(&capacity->root, "dedicated") == NULL)))
		pinecone_argument_reject("read_capacity", JsonbToCString(NULL, &capacity->root, VARSIZE(capacity)),
								 "It is {\"mode\": \"OnDemand\"}, or {\"mode\": \"Dedicated\", \"dedicated\": {...}}.");
	return capacity;
}

void
pinecone_index_wanted_read(FunctionCallInfo fcinfo, PineconeIndexWanted *wanted)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->name = pinecone_argument_index(fcinfo, ARG_NAME, "name");
	read_kind(fcinfo, wanted);
	read_schema(fcinfo, wanted);
	read_metric(fcinfo, wanted);
	read_dimension(fcinfo, wanted);
	read_place(fcinfo, wanted);
	wanted->is_protected = pinecone_argument_bool(fcinfo, ARG_PROTECTION, "deletion_protection");
	wanted->tags = pinecone_argument_tags(fcinfo, ARG_TAGS, "tags");
	wanted->read_capacity = pinecone_index_read_capacity(fcinfo, ARG_CAPACITY);
}

/* ---- The request ---- */

static void
append_schema(StringInfo body, const PineconeIndexWanted *wanted)
{
	bool sparse = wanted->kind == PINECONE_INDEX_SPARSE;

	if (wanted->schema != NULL)
	{
		appendStringInfo(body, ",\"schema\":%s", pinecone_json_text(wanted->schema));
		return;
	}
	appendStringInfoString(body, ",\"schema\":{\"fields\":{");
	if (!sparse)
		appendStringInfo(body, "\"_values\":{\"type\":\"dense_vector\",\"dimension\":%d,\"metric\":\"%s\"}", wanted->dimension, wanted->metric);
	if (sparse || wanted->kind == PINECONE_INDEX_HYBRID)
		appendStringInfo(body, "%s\"_sparse_values\":{\"type\":\"sparse_vector\"}", sparse ? "" : ",");
	appendStringInfoString(body, "}}");
}

char *
pinecone_index_wanted_body(const PineconeIndexWanted *wanted, bool schemas)
{
	StringInfoData body;
	char *capacity = wanted->read_capacity ? psprintf(",\"read_capacity\":%s", pinecone_json_text(wanted->read_capacity)) : "";

	initStringInfo(&body);
	appendStringInfo(&body, "{\"name\":\"%s\"", wanted->name);
	if (schemas)
	{
		append_schema(&body, wanted);
		appendStringInfo(&body, ",\"deployment\":{\"deployment_type\":\"managed\",\"cloud\":\"%s\",\"region\":\"%s\"}%s",
						 wanted->cloud, wanted->region, capacity);
	}
	else
	{
		if (wanted->dimension > 0)
			appendStringInfo(&body, ",\"dimension\":%d", wanted->dimension);
		appendStringInfo(&body, ",\"metric\":\"%s\",\"vector_type\":\"%s\",\"spec\":{\"serverless\":{\"cloud\":\"%s\",\"region\":\"%s\"%s}}",
						 wanted->metric, wanted->kind == PINECONE_INDEX_SPARSE ? "sparse" : "dense", wanted->cloud, wanted->region, capacity);
	}
	appendStringInfo(&body, ",\"deletion_protection\":\"%s\"", wanted->is_protected ? "enabled" : "disabled");
	if (wanted->tags != NULL)
		appendStringInfo(&body, ",\"tags\":%s", pinecone_json_text(wanted->tags));
	appendStringInfoChar(&body, '}');
	return body.data;
}

/* ---- What is there ---- */

/* A field that is there in another form, or not at all; or one that nobody has asked for. */
static char *
schema_difference(JsonbContainer *wanted, JsonbContainer *there)
{
	static const char *const parts[] = {"full_text_search", "embed", "sparse_embed"};
	PineconeJsonWalk walk;
	JsonbContainer *field;
	int searchable = 0;

	pinecone_json_walk(&walk, wanted);
	while ((field = pinecone_json_next(&walk)) != NULL)
	{
		JsonbContainer *other = pinecone_json_object(there, walk.key);
		char *type = pinecone_json_string(other, "type");
		char *metric = pinecone_json_string(field, "metric");
		char *other_metric = pinecone_json_string(other, "metric");
		double dimension = 0;
		double other_dimension = 0;
		bool same = type != NULL && strcmp(type, pinecone_json_string(field, "type")) == 0;

		(void) pinecone_json_number(field, "dimension", &dimension);
		(void) pinecone_json_number(other, "dimension", &other_dimension);
		same = same && dimension == other_dimension && (metric == NULL || (other_metric != NULL && strcmp(metric, other_metric) == 0));
		for (int i = 0; i < lengthof(parts); i++)
			same = same && (pinecone_json_object(field, parts[i]) == NULL || pinecone_json_object(other, parts[i]) != NULL);
		if (!same)
			return psprintf("its field \"%s\" is another one", walk.key);
	}
	pinecone_json_walk(&walk, there);
	while ((field = pinecone_json_next(&walk)) != NULL)
		searchable += pinecone_json_string(field, "type") != NULL;
	return searchable == JsonContainerSize(wanted) ? NULL : pstrdup("its schema has other fields");
}

char *
pinecone_index_wanted_difference(const PineconeIndexWanted *wanted, const PineconeIndexDescription *index)
{
	const char *kind = wanted->kind == PINECONE_INDEX_HYBRID ? "dense" : kinds[wanted->kind];

	if (index->kind == NULL || strcmp(index->kind, kind) != 0)
		return psprintf("its kind is %s", index->kind ? index->kind : "unknown");
	if (wanted->schema != NULL)
		return schema_difference(pinecone_json_object(&wanted->schema->root, "fields"), index->fields);
	if (index->dimension != wanted->dimension)
		return psprintf("its dimension is %d", index->dimension);
	if (index->metric != NULL && strcmp(index->metric, wanted->metric) != 0)
		return psprintf("its metric is %s", index->metric);
	if (index->cloud != NULL && strcmp(index->cloud, wanted->cloud) != 0)
		return psprintf("it is in cloud %s", index->cloud);
	if (index->region != NULL && strcmp(index->region, wanted->region) != 0)
		return psprintf("it is in region %s", index->region);
	return NULL;
}
