/*
 * inference_functions.c
 *		pinecone_embed(), pinecone_rerank() and the models there are.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "admin/argument.h"
#include "admin/json.h"
#include "admin/rows.h"
#include "base/compat.h"
#include "client/inference.h"
#include "scan/embedded.h"
#include "wire/message.h"

PG_FUNCTION_INFO_V1(pinecone_embed);
PG_FUNCTION_INFO_V1(pinecone_embed_array);
PG_FUNCTION_INFO_V1(pinecone_embed_sparse);
PG_FUNCTION_INFO_V1(pinecone_rerank);
PG_FUNCTION_INFO_V1(pinecone_models);

/* Documents that a model ranks at once, and bytes of them that fit a request */
#define MAX_RERANKED 1000

/* Of a dense vector */
#define MAX_DIMENSION 20000

/* Of a text in an error */
#define SHOWN_TEXT 60

enum
{
	ARG_SERVER,
	ARG_MODEL,
	ARG_TEXT,
	ARG_INPUT_TYPE,
	ARG_DIMENSION
};

/* ---- Arguments of pinecone_embed() ---- */

/* All but the text. */
typedef struct Arguments
{
	Oid serverid;
	char *model;
	char *input_type;
	int dimension;
} Arguments;

static Arguments *
read_arguments(FunctionCallInfo fcinfo, const char *function, bool has_dimension)
{
	Arguments *arguments = palloc0(sizeof(Arguments));

	arguments->serverid = pinecone_argument_server(fcinfo, ARG_SERVER, function, PINECONE_ADMIN_READS);
	arguments->model = pinecone_argument_text(fcinfo, ARG_MODEL, "model");
	arguments->input_type = pinecone_argument_text(fcinfo, ARG_INPUT_TYPE, "input_type");
	if (strcmp(arguments->input_type, "query") != 0 && strcmp(arguments->input_type, "passage") != 0)
		pinecone_argument_reject("input_type", arguments->input_type, "Valid values are query and passage.");
	if (has_dimension && !PG_ARGISNULL(ARG_DIMENSION))
	{
		arguments->dimension = PG_GETARG_INT32(ARG_DIMENSION);
		if (arguments->dimension < 1 || arguments->dimension > MAX_DIMENSION)
			pinecone_argument_reject("dimension", psprintf("%d", arguments->dimension),
									 psprintf("It is between 1 and %d, and one that the model has: see pinecone_models().", MAX_DIMENSION));
	}
	return arguments;
}

static void
fill(PineconeEmbedWhat *what, const Arguments *arguments, const char *text)
{
	what->serverid = arguments->serverid;
	what->embedder.model = arguments->model;
	what->embedder.input_type = arguments->input_type;
	what->embedder.dimension = arguments->dimension;
	what->text = text;
}

/* Which text, and how it begins: for an error's detail.  NULL if there is nothing to say. */
static char *
describe(double row, int element, const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (row > 0)
		appendStringInfo(&buf, "Row %.0f", row);
	if (element > 0)
		appendStringInfo(&buf, "Element %d of argument \"texts\"", element);
	if (text != NULL)
	{
		int len = pg_mbcliplen(text, strlen(text), SHOWN_TEXT);

		appendStringInfo(&buf, buf.len > 0 ? ": \"%.*s%s\"" : "Text \"%.*s%s\"", len, text, text[len] ? "..." : "");
	}
	if (buf.len == 0)
		return NULL;
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

static void
refuse_text(double row, int element, bool is_null)
{
	char *which = describe(row, element, NULL);

	ereport(ERROR,
			(errcode(is_null ? ERRCODE_NULL_VALUE_NOT_ALLOWED : ERRCODE_INVALID_PARAMETER_VALUE),
			 is_null ? errmsg("a text to embed must not be NULL") : errmsg("a text to embed must not be empty"),
			 which ? errdetail_internal("%s", which) : 0,
			 errhint("Leave such rows out with WHERE, or embed something else for them.")));
}

/* ---- One text ---- */

/* The embedding of a call's text; NULL and empty ones are errors. */
static const PineconeEmbedding *
embedding_of(FunctionCallInfo fcinfo, const char *function, bool has_dimension)
{
	PineconeEmbedded *embedded = pinecone_embedded_of(fcinfo->flinfo->fn_mcxt);
	double row = pinecone_embedded_row(embedded);
	Arguments *arguments = read_arguments(fcinfo, function, has_dimension);
	PineconeEmbedWhat what = {0};
	char *words = PG_ARGISNULL(ARG_TEXT) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARG_TEXT));

	if (words == NULL || words[0] == '\0')
		refuse_text(row, 0, words == NULL);
	fill(&what, arguments, words);
	return pinecone_embedded_get(embedded, &what, describe(row, 0, words));
}

pg_noreturn static void
refuse_kind(const char *model, bool is_sparse)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" makes %s vectors", model, is_sparse ? "sparse" : "dense"),
			 errhint("Use %s.", is_sparse ? "pinecone_embed_sparse()" : "pinecone_embed()")));
}

static ArrayType *
float_array(const float *values, int n)
{
	Datum *datums = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		datums[i] = Float4GetDatum(values[i]);
	return construct_array(datums, n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT);
}

Datum
pinecone_embed(PG_FUNCTION_ARGS)
{
	const PineconeEmbedding *embedding = embedding_of(fcinfo, "pinecone_embed()", true);

	if (embedding->indices != NULL)
		refuse_kind(text_to_cstring(PG_GETARG_TEXT_PP(ARG_MODEL)), true);
	PG_RETURN_ARRAYTYPE_P(float_array(embedding->values, embedding->n));
}

Datum
pinecone_embed_sparse(PG_FUNCTION_ARGS)
{
	const PineconeEmbedding *embedding = embedding_of(fcinfo, "pinecone_embed_sparse()", false);
	StringInfoData buf;

	if (embedding->indices == NULL)
		refuse_kind(text_to_cstring(PG_GETARG_TEXT_PP(ARG_MODEL)), false);
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"indices\":[");
	for (int i = 0; i < embedding->n; i++)
		appendStringInfo(&buf, "%s%u", i == 0 ? "" : ",", embedding->indices[i]);
	appendStringInfoString(&buf, "],\"values\":");
	pinecone_message_append_floats(&buf, embedding->values, embedding->n);
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* ---- An array of texts ---- */

/* All texts are asked for before the first one is waited for. */
Datum
pinecone_embed_array(PG_FUNCTION_ARGS)
{
	PineconeEmbedded *embedded = pinecone_embedded_of(fcinfo->flinfo->fn_mcxt);
	Arguments *arguments = read_arguments(fcinfo, "pinecone_embed()", true);
	PineconeEmbedWhat what = {0};
	Datum *texts;
	bool *nulls;
	Datum *values = NULL;
	int n;
	int dims[2];
	int lbs[2] = {1, 1};

	if (PG_ARGISNULL(ARG_TEXT))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL", "texts")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_TEXT), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &n);
	if (n == 0)
		pinecone_argument_reject("texts", "{}", "It has at least one element.");
	for (int i = 0; i < n; i++)
	{
		char *words = nulls[i] ? NULL : TextDatumGetCString(texts[i]);

		if (words == NULL || words[0] == '\0')
			refuse_text(0, i + 1, words == NULL);
	}
	for (int i = 0; i < n; i++)
	{
		fill(&what, arguments, TextDatumGetCString(texts[i]));
		pinecone_embedded_ask(embedded, &what);
	}
	pinecone_embedded_flush(embedded);
	dims[0] = n;
	dims[1] = 0;
	for (int i = 0; i < n; i++)
	{
		char *words = TextDatumGetCString(texts[i]);
		const PineconeEmbedding *embedding;

		fill(&what, arguments, words);
		embedding = pinecone_embedded_get(embedded, &what, describe(0, i + 1, words));
		if (embedding->indices != NULL)
			refuse_kind(arguments->model, true);
		if (values == NULL)
		{
			dims[1] = embedding->n;
			values = palloc_extended((Size) n * dims[1] * sizeof(Datum), MCXT_ALLOC_HUGE);
		}
		if (embedding->n != dims[1])
			elog(ERROR, "embeddings of one model differ in length");
		for (int j = 0; j < dims[1]; j++)
			values[(Size) i * dims[1] + j] = Float4GetDatum(embedding->values[j]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, NULL, 2, dims, lbs, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
}

/* ---- Ranking ---- */

enum
{
	RANK_SERVER,
	RANK_MODEL,
	RANK_QUERY,
	RANK_DOCUMENTS,
	RANK_TOP_N,
	RANK_FIELD
};

/* Documents as they are sent: texts get the field that they are ranked by. */
static char *
documents_of(FunctionCallInfo fcinfo, const char *field, int *n)
{
	Datum *elements;
	bool *nulls;
	StringInfoData buf;
	bool are_texts = get_element_type(get_fn_expr_argtype(fcinfo->flinfo, RANK_DOCUMENTS)) != JSONBOID;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(RANK_DOCUMENTS), are_texts ? TEXTOID : JSONBOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, n);
	if (*n == 0 || *n > MAX_RERANKED)
		pinecone_argument_reject("documents", psprintf("%d elements", *n),
								 psprintf("It has between 1 and %d elements.", MAX_RERANKED));
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '[');
	for (int i = 0; i < *n; i++)
	{
		char *words = NULL;

		if (i > 0)
			appendStringInfoChar(&buf, ',');
		if (!nulls[i])
			words = are_texts ? TextDatumGetCString(elements[i]) :
								pinecone_json_string(&DatumGetJsonbP(elements[i])->root, field);
		if (words == NULL || words[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 nulls[i]  ? errmsg("a document to rank must not be NULL") :
					 are_texts ? errmsg("a document to rank must not be empty") :
								 errmsg("a document to rank has no text in field \"%s\"", field),
					 errdetail("It is element %d of argument \"documents\".", i + 1),
					 errhint("Leave it out, or name another field in argument \"field\".")));
		appendStringInfoChar(&buf, '{');
		pinecone_message_append_string(&buf, pg_server_to_any(field, strlen(field), PG_UTF8));
		appendStringInfoChar(&buf, ':');
		pinecone_message_append_string(&buf, pg_server_to_any(words, strlen(words), PG_UTF8));
		appendStringInfoChar(&buf, '}');
	}
	appendStringInfoChar(&buf, ']');
	return buf.data;
}

pg_noreturn static void
report_ranking(const char *fault)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("invalid response from Pinecone"),
			 errdetail("%s", fault)));
}

/* Returns rows (position, score), the best first; the position is that in the array, from 1. */
Datum
pinecone_rerank(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, RANK_SERVER, "pinecone_rerank()", PINECONE_ADMIN_READS);
	char *model = pinecone_argument_text(fcinfo, RANK_MODEL, "model");
	char *query = pinecone_argument_text(fcinfo, RANK_QUERY, "query");
	char *field = pinecone_argument_text(fcinfo, RANK_FIELD, "field");
	int top_n = 0;
	int n;
	char *documents;
	PineconeCall *call;
	JsonbContainer *data;
	PineconeJsonWalk walk;
	JsonbContainer *entry;
	Bitmapset *ranked = NULL; /* places of documents */
	PineconeRows rows;

	if (PG_ARGISNULL(RANK_DOCUMENTS))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL", "documents")));
	if (!PG_ARGISNULL(RANK_TOP_N))
	{
		top_n = PG_GETARG_INT32(RANK_TOP_N);
		if (top_n < 1)
			pinecone_argument_reject("top_n", psprintf("%d", top_n), "It is at least 1.");
	}
	documents = documents_of(fcinfo, field, &n);
	pinecone_rows_begin(&rows, fcinfo);
	call = pinecone_inference_rerank(pinecone_argument_session(serverid, false), model, query, documents, field, Min(top_n, n));
	pinecone_inference_wait(call);
	data = pinecone_json_array(&pinecone_json_reply(call)->root, "data");
	if (data == NULL)
		report_ranking("A ranking has no \"data\".");
	pinecone_json_walk(&walk, data);
	while ((entry = pinecone_json_next(&walk)) != NULL)
	{
		double index;
		double score;

		if (!pinecone_json_number(entry, "index", &index) || !pinecone_json_number(entry, "score", &score) ||
			index < 0 || index >= n || index != (int) index)
			report_ranking("A ranking names a document that was not sent.");
		if (bms_is_member((int) index, ranked))
			report_ranking("A ranking names a document twice.");
		ranked = bms_add_member(ranked, (int) index);
		pinecone_row_int(&rows, (int) index + 1, true);
		pinecone_row_put(&rows, Float8GetDatum(score), false);
		pinecone_row_end(&rows);
	}
	if (bms_num_members(ranked) != (top_n > 0 ? Min(top_n, n) : n))
		report_ranking("A ranking has not as many documents as were asked for.");
	pinecone_vectors_free(call);
	return (Datum) 0;
}

/* ---- Models ---- */

/* An array of numbers or texts as text[]. */
static Datum
texts_of(JsonbContainer *model, const char *name, bool *isnull)
{
	JsonbContainer *array = pinecone_json_array(model, name);
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;
	ArrayBuildState *state = NULL;

	*isnull = array == NULL;
	if (array == NULL)
		return (Datum) 0;
	it = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		Datum element;

		if (token != WJB_ELEM || (value.type != jbvString && value.type != jbvNumeric))
			continue;
		element = value.type == jbvString ? PointerGetDatum(cstring_to_text_with_len(value.val.string.val, value.val.string.len)) :
											CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric))));
		state = accumArrayResult(state, element, false, TEXTOID, CurrentMemoryContext);
	}
	if (state == NULL)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	return makeArrayResult(state, CurrentMemoryContext);
}

/* What the service says of each model; NULL for what it does not say. */
Datum
pinecone_models(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_models()", PINECONE_ADMIN_READS);
	PineconeRows rows;
	PineconeCall *call;
	JsonbContainer *models;
	PineconeJsonWalk walk;
	JsonbContainer *model;

	pinecone_rows_begin(&rows, fcinfo);
	call = pinecone_inference_models(pinecone_argument_session(serverid, false));
	pinecone_inference_wait(call);
	models = pinecone_json_array(&pinecone_json_reply(call)->root, "models");
	if (models == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail("The reply names no models.")));
	pinecone_json_walk(&walk, models);
	while ((model = pinecone_json_next(&walk)) != NULL)
	{
		double number;
		bool known;
		bool isnull;
		Datum datum;

		pinecone_row_text(&rows, pinecone_json_string(model, "model"));
		pinecone_row_text(&rows, pinecone_json_string(model, "type"));
		pinecone_row_text(&rows, pinecone_json_string(model, "vector_type"));
		known = pinecone_json_number(model, "default_dimension", &number);
		pinecone_row_int(&rows, known ? (int) number : 0, known);
		datum = texts_of(model, "supported_dimensions", &isnull);
		pinecone_row_put(&rows, datum, isnull);
		datum = texts_of(model, "supported_metrics", &isnull);
		pinecone_row_put(&rows, datum, isnull);
		known = pinecone_json_number(model, "max_sequence_length", &number);
		pinecone_row_int(&rows, known ? (int) number : 0, known);
		known = pinecone_json_number(model, "max_batch_size", &number);
		pinecone_row_int(&rows, known ? (int) number : 0, known);
		pinecone_row_text(&rows, pinecone_json_string(model, "provider_name"));
		pinecone_row_text(&rows, pinecone_json_string(model, "short_description"));
		pinecone_row_end(&rows);
	}
	pinecone_vectors_free(call);
	return (Datum) 0;
}
