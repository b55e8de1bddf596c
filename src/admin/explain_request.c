/*
 * explain_request.c
 *		The request of a scan in the form it is sent, for EXPLAIN VERBOSE.
 *
 * The text comes from the functions that write the requests themselves.  What
 * cannot be known before a scan runs is the number of records that fit a reply
 * and where a page begins: these are left out.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "admin/explain_request.h"
#include "base/limits.h"
#include "base/setting.h"
#include "scan/run_values.h"
#include "scan/run_vector.h"
#include "scan/run_words.h"
#include "wire/message.h"

/* Components of a vector, and ids of a fetch, that are shown. */
#define SHOWN_COMPONENTS 3
#define SHOWN_IDS 3

static bool
is_known(const PineconeValues *values, int number)
{
	return number < 0 || values->placeholders[number] == NULL;
}

char *
pinecone_explain_request_value(const PineconeValues *values, int number)
{
	Oid output;
	bool is_varlena;

	if (values->placeholders[number])
		return values->placeholders[number];
	if (values->isnull[number])
		return "NULL";
	getTypeOutputInfo(values->types[number], &output, &is_varlena);
	return OidOutputFunctionCall(output, values->values[number]);
}

char *
pinecone_explain_request_limit(const PineconeRequest *request, const PineconeValues *values)
{
	if (request->limit < 0)
		return NULL;
	if (request->offset < 0)
		return pinecone_explain_request_value(values, request->limit);
	return psprintf("%s + %s", pinecone_explain_request_value(values, request->limit),
					pinecone_explain_request_value(values, request->offset));
}

static double
known_count(const PineconeValues *values, int number)
{
	if (number < 0 || values->isnull[number])
		return -1;
	return Max(0, DatumGetInt64(values->values[number]));
}

/* The rows to ask for, or -1 when it takes running the scan to know. */
static double
known_row_limit(const PineconeRequest *request, const PineconeValues *values)
{
	if (!pinecone_enable_limit)
		return 0;
	if (!is_known(values, request->limit) || !is_known(values, request->offset))
		return -1;
	return pinecone_run_row_limit(request, known_count(values, request->limit),
								  known_count(values, request->offset));
}

double
pinecone_explain_request_rows(const PineconeRequest *request, const PineconeValues *values)
{
	double limit;
	double offset;

	if (!is_known(values, request->limit) || !is_known(values, request->offset))
		return -1;
	limit = known_count(values, request->limit);
	offset = known_count(values, request->offset);
	return limit < 0 ? -1 : limit + Max(0, offset);
}

double
pinecone_explain_request_skipped(const PineconeRequest *request, const PineconeValues *values)
{
	return request->skips && is_known(values, request->offset) ? Max(0, known_count(values, request->offset)) : 0;
}

static char *
abbreviate_vector(const float *vector, int n)
{
	StringInfoData buf;
	int shown = n > SHOWN_COMPONENTS + 1 ? SHOWN_COMPONENTS : n;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '[');
	for (int i = 0; i < shown; i++)
	{
		char number[FLOAT_SHORTEST_DECIMAL_LEN];

		float_to_shortest_decimal_buf(vector[i], number);
		appendStringInfo(&buf, "%s%s", i > 0 ? "," : "", number);
	}
	if (shown < n)
		appendStringInfo(&buf, ",...%d numbers", n);
	appendStringInfoChar(&buf, ']');
	return buf.data;
}

static char *
abbreviate_sparse(const PineconeSparse *sparse)
{
	int shown = sparse->n > SHOWN_COMPONENTS + 1 ? SHOWN_COMPONENTS : sparse->n;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"indices\":[");
	for (int i = 0; i < shown; i++)
		appendStringInfo(&buf, "%s%u", i > 0 ? "," : "", sparse->indices[i]);
	if (shown < sparse->n)
		appendStringInfo(&buf, ",...%d numbers", sparse->n);
	appendStringInfo(&buf, "],\"values\":%s}", abbreviate_vector(sparse->values, sparse->n));
	return buf.data;
}

/* A part of a hybrid's query vector, which is multiplied by its weight when both are known. */
static char *
weighed_text(const PineconeRequest *request, const PineconeValues *values, int number, const char *weight)
{
	char *text = pinecone_explain_request_value(values, number);

	return request->alpha < 0 ? text :
								psprintf(weight, pinecone_explain_request_value(values, request->alpha), text);
}

/* The vectors of a search; false when there is nothing to search by. */
static bool
describe_vectors(PineconeScanState *state, const PineconeValues *values, PineconeSearchTexts *shown)
{
	const PineconeRequest *request = state->request;
	PineconeQueryVector query;
	bool known = is_known(values, request->vector) && is_known(values, request->sparse) &&
				 is_known(values, request->alpha);

	if (!known)
	{
		if (request->vector >= 0)
			shown->vector = weighed_text(request, values, request->vector, "%s * %s");
		if (request->sparse >= 0)
			shown->sparse = weighed_text(request, values, request->sparse, "(1 - %s) * %s");
		if (request->vector >= 0)
			return true;
		memset(&query, 0, sizeof(query));
		query.kind = PINECONE_SPARSE;
	}
	else if (!pinecone_run_query_vector(state->table, request, values, &query) ||
			 !pinecone_run_can_search(&query))
		return false;
	pinecone_run_complete_vector(&query, request->zeros);
	if (query.values != NULL)
		shown->vector = abbreviate_vector(query.values, query.nvalues);
	if (query.sparse.n > 0)
		shown->sparse = abbreviate_sparse(&query.sparse);
	return true;
}

/* The field of documents that a search goes by; NULL: they are vectors. */
static const char *
searched_field(PineconeScanState *state)
{
	const PineconeSchema *schema = state->table->schema;
	const PineconeSchemaField *field;

	if (schema == NULL)
		return NULL;
	field = state->request->sparse >= 0 ? schema->sparse : schema->dense;
	return field ? field->name : "";
}

/*
 * The body of a search.  Returns NULL when none is sent because there is nothing to
 * search by: the whole namespace is read then.
 */
static char *
describe_search(PineconeScanState *state, const PineconeValues *values, PineconeSearch *search)
{
	const PineconeRequest *request = state->request;
	const char *field = searched_field(state);
	PineconeSearchTexts shown = {0};
	double row_limit = known_row_limit(request, values);
	StringInfoData body;

	if (row_limit < 0)
		shown.top_k = pinecone_explain_request_limit(request, values);
	else
		search->top_k = pinecone_run_top_k(request, row_limit, pinecone_run_is_gradual(request, row_limit));

	if (request->clauses != NIL)
	{
		if (search->clauses == NULL)
			return NULL;
	}
	else if (request->vector_id >= 0)
	{
		if (!is_known(values, request->vector_id))
			shown.id = values->placeholders[request->vector_id];
		else if (values->isnull[request->vector_id])
			return NULL;
		else
			search->id = TextDatumGetCString(values->values[request->vector_id]);
	}
	else if (!describe_vectors(state, values, &shown))
		return NULL;

	initStringInfo(&body);
	if (field == NULL && request->clauses != NIL)
		pinecone_message_records_search(&body, search, &shown);
	else if (field != NULL)
		pinecone_message_document_search(&body, search, field, &shown);
	else
		pinecone_message_query(&body, search, &shown);
	return body.data;
}

static char *
describe_fetch(const PineconeRequest *request, const PineconeValues *values,
			   const char *namespace_)
{
	StringInfoData path;
	StringInfoData more;
	char **ids;
	int nids;
	ListCell *lc;

	initStringInfo(&more);
	foreach(lc, request->ids)
	{
		if (!is_known(values, lfirst_int(lc)))
			appendStringInfo(&more, "&ids=%s", values->placeholders[lfirst_int(lc)]);
	}
	initStringInfo(&path);
	if (more.len > 0)
	{
		appendStringInfo(&path, "/vectors/fetch?%s", more.data + 1);
		pinecone_message_append_parameter(&path, "namespace", namespace_);
		return path.data;
	}
	ids = pinecone_run_ids(request, values, &nids);
	if (nids == 0)
		return NULL;
	if (nids <= SHOWN_IDS + 1)
		pinecone_message_fetch_path(&path, namespace_, ids, nids);
	else
	{
		pinecone_message_fetch_path(&path, NULL, ids, SHOWN_IDS);
		appendStringInfo(&path, "&...%d ids", nids);
		pinecone_message_append_parameter(&path, "namespace", namespace_);
	}
	return path.data;
}

static char *
describe_list(const PineconeRequest *request, const PineconeValues *values,
			  const char *namespace_)
{
	double row_limit = request->op == PINECONE_OP_QUERY ? 0 : known_row_limit(request, values);
	int limit = row_limit > 0 ? (int) Min(row_limit, PINECONE_LIST_PAGE) : 0;
	const char *prefix = NULL;
	StringInfoData path;

	initStringInfo(&path);
	if (!is_known(values, request->prefix_high))
		appendStringInfo(&path, "/vectors/list?prefix=%s", values->placeholders[request->prefix_high]);
	else if (!is_known(values, request->prefix))
	{
		appendStringInfo(&path, "/vectors/list?prefix=%s", values->placeholders[request->prefix]);
		pinecone_message_append_parameter(&path, "namespace", namespace_);
	}
	else if (pinecone_run_prefix(request, values, &prefix))
		pinecone_message_list_path(&path, namespace_, prefix, limit, NULL);
	else
		return NULL;
	return path.data;
}

/* ---- Documents ---- */

/* Ids, of which many are cut, and those that are not known yet. */
static bool
describe_document_fetch(PineconeScanState *state, const PineconeValues *values, StringInfo body)
{
	const PineconeRequest *request = state->request;
	const PineconeProjection *fields = pinecone_run_projection(state, PINECONE_OP_FETCH);
	char **ids;
	int nids;
	ListCell *lc;

	foreach(lc, request->ids)
	{
		if (!is_known(values, lfirst_int(lc)))
		{
			char *more = psprintf("...%s", values->placeholders[lfirst_int(lc)]);

			pinecone_message_document_fetch(body, &more, 1, fields);
			return true;
		}
	}
	ids = pinecone_run_ids(request, values, &nids);
	if (nids == 0)
		return false;
	if (nids > SHOWN_IDS + 1)
	{
		ids[SHOWN_IDS] = psprintf("...%d ids", nids);
		nids = SHOWN_IDS + 1;
	}
	pinecone_message_document_fetch(body, ids, nids, fields);
	return true;
}

static bool
describe_document_list(const PineconeRequest *request, const PineconeValues *values, StringInfo body)
{
	double row_limit = request->op == PINECONE_OP_QUERY ? 0 : known_row_limit(request, values);
	const char *prefix = NULL;

	if (!is_known(values, request->prefix))
		prefix = values->placeholders[request->prefix];
	else if (!pinecone_run_prefix(request, values, &prefix))
		return false;
	pinecone_message_document_list(body, prefix, row_limit > 0 ? (int) Min(row_limit, PINECONE_LIST_PAGE) : 0, NULL);
	return true;
}

static char *
document_request(PineconeScanState *state, const PineconeValues *values, PineconeOperation op,
				 const char *namespace_, const PineconeFilter *filter, char **body)
{
	const char *operation = "fetch";
	StringInfoData path;
	StringInfoData buf;

	initStringInfo(&path);
	initStringInfo(&buf);
	if (op == PINECONE_OP_FETCH && !describe_document_fetch(state, values, &buf))
		return NULL;
	if (op == PINECONE_OP_LIST || op == PINECONE_OP_LIST_FETCH)
	{
		operation = "list";
		if (!describe_document_list(state->request, values, &buf))
			return NULL;
	}
	if (op == PINECONE_OP_FILTER)
		pinecone_message_document_fetch_by_filter(&buf, filter->json, 0, NULL,
												  pinecone_run_projection(state, op));
	*body = buf.data;
	appendStringInfoString(&path, "POST ");
	pinecone_message_document_path(&path, namespace_, operation);
	return path.data;
}

static char *
with_method(const char *method, const char *path)
{
	return path ? psprintf("%s %s", method, path) : NULL;
}

/*
 * The request line, and in *body its body, as the scan sends it first; NULL
 * where a scan sends none, or several unlike each other. It takes the turns that
 * running takes: a search that cannot be one is a listing, a filter that is
 * always true none.
 */
char *
pinecone_explain_request_request(PineconeScanState *state, const PineconeValues *values,
								 const PineconeFilter *filter, char **body)
{
	PineconeRequest *request = state->request;
	PineconeOperation op = request->op;
	/* one of many looks as the others */
	const char *namespace_ = state->table->namespace_ ? state->table->namespace_ : "...";
	StringInfoData buf;

	*body = NULL;
	/* filters of counts are one request each */
	if (filter->kind == PINECONE_FILTER_NEVER || list_length(request->counts) > 1)
		return NULL;
	if (op == PINECONE_OP_QUERY)
	{
		PineconeSearch search = {
			.namespace_ = namespace_,
			.filter = filter->json,
			.include_values = request->want_values,
			.include_metadata = request->want_metadata,
		};

		const PineconeSchema *schema = state->table->schema;
		PineconeProjection nothing = {0};

		if (request->clauses != NIL)
			pinecone_run_words(state->table, request, values, &search);
		if (state->table->integrated != NULL && search.clauses != NULL)
			search.fields = pinecone_run_words_fields(state, values);
		else
			search.fields = request->want_values || request->want_metadata ? pinecone_run_projection(state, op) : &nothing;
		*body = describe_search(state, values, &search);
		if (*body != NULL && schema != NULL)
		{
			initStringInfo(&buf);
			appendStringInfoString(&buf, "POST ");
			pinecone_message_document_path(&buf, namespace_, "search");
			return buf.data;
		}
		if (*body != NULL && search.clauses != NULL)
		{
			initStringInfo(&buf);
			appendStringInfoString(&buf, "POST ");
			pinecone_message_records_path(&buf, namespace_, "search");
			return buf.data;
		}
		if (*body != NULL)
			return pstrdup("POST /query");
		op = filter->kind == PINECONE_FILTER_JSON ? PINECONE_OP_FILTER : PINECONE_OP_LIST_FETCH;
	}
	if (filter->kind == PINECONE_FILTER_ALWAYS)
	{
		/* without a condition there are better ways */
		op = op == PINECONE_OP_FILTER ? PINECONE_OP_LIST_FETCH : op;
		op = op == PINECONE_OP_COUNT ? PINECONE_OP_STATS : op;
	}

	if (state->table->schema != NULL && op != PINECONE_OP_STATS)
		return document_request(state, values, op, namespace_, filter, body);
	initStringInfo(&buf);
	switch (op)
	{
		case PINECONE_OP_FETCH:
			return with_method("GET", describe_fetch(request, values, namespace_));
		case PINECONE_OP_LIST:
		case PINECONE_OP_LIST_FETCH:
			return with_method("GET", describe_list(request, values, namespace_));
		case PINECONE_OP_FILTER:
			pinecone_message_fetch_by_metadata(&buf, namespace_, filter->json, 0, NULL);
			*body = buf.data;
			return pstrdup("POST /vectors/fetch_by_metadata");
		case PINECONE_OP_COUNT:
			pinecone_message_update_by_filter(&buf, namespace_, filter->json, NULL, true);
			*body = buf.data;
			return pstrdup("POST /vectors/update");
		case PINECONE_OP_STATS:
			*body = pstrdup("{}");
			return pstrdup("POST /describe_index_stats");
		default:
			return NULL;
	}
}
