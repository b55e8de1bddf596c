/*
 * message_document.c
 *		Request bodies of document indexes, as text (API 2026-07).
 *
 * The namespace stands in the path, and there the default one has a name.  A
 * reply holds the fields that are asked for, so that these are always named:
 * what a search and a fetch bring otherwise is not the same.
 */
#include "postgres.h"

#include "wire/message.h"

void
pinecone_message_document_path(StringInfo path, const char *namespace_, const char *operation)
{
	bool is_default = namespace_ == NULL || namespace_[0] == '\0';

	appendStringInfoString(path, "/namespaces/");
	pinecone_message_append_encoded(path, is_default ? "__default__" : namespace_);
	appendStringInfo(path, "/documents/%s", operation);
}

static void
append_fields(StringInfo body, const PineconeProjection *fields)
{
	if (fields == NULL)
	{
		appendStringInfoString(body, ",\"include_fields\":[\"*\"]");
		return;
	}
	appendStringInfoString(body, ",\"include_fields\":[");
	for (int i = 0; i < fields->n; i++)
	{
		if (i > 0)
			appendStringInfoChar(body, ',');
		pinecone_message_append_string(body, fields->names[i]);
	}
	appendStringInfoChar(body, ']');
}

static void
append_token(StringInfo body, const char *token)
{
	if (token == NULL)
		return;
	appendStringInfoString(body, ",\"pagination_token\":");
	pinecone_message_append_string(body, token);
}

/* What is scored by is a list: of clauses that are text already, or of one vector. */
void
pinecone_message_document_search(StringInfo body, const PineconeSearch *search, const char *field,
								 const PineconeSearchTexts *shown)
{
	static const PineconeSearchTexts none = {0};

	if (shown == NULL)
		shown = &none;
	appendStringInfoString(body, "{\"score_by\":");
	if (search->clauses)
		appendStringInfoString(body, search->clauses);
	else if (search->sparse.n > 0 || shown->sparse != NULL)
	{
		appendStringInfoString(body, "[{\"type\":\"sparse_vector\",\"fields\":[");
		pinecone_message_append_string(body, field);
		appendStringInfoString(body, "],\"sparse_values\":");
		if (shown->sparse)
			appendStringInfoString(body, shown->sparse);
		else
			pinecone_message_append_sparse(body, &search->sparse);
		appendStringInfoString(body, "}]");
	}
	else
	{
		appendStringInfoString(body, "[{\"type\":\"dense_vector\",\"fields\":[");
		pinecone_message_append_string(body, field);
		appendStringInfoString(body, "],\"values\":");
		if (shown->vector)
			appendStringInfoString(body, shown->vector);
		else
			pinecone_message_append_floats(body, search->values, search->nvalues);
		appendStringInfoString(body, "}]");
	}
	if (shown->top_k)
		appendStringInfo(body, ",\"top_k\":%s", shown->top_k);
	else
		appendStringInfo(body, ",\"top_k\":%d", search->top_k);
	if (search->filter)
		appendStringInfo(body, ",\"filter\":%s", search->filter);
	append_fields(body, search->fields);
	appendStringInfoChar(body, '}');
}

void
pinecone_message_document_fetch(StringInfo body, char *const *ids, int nids,
								const PineconeProjection *fields)
{
	appendStringInfoString(body, "{\"ids\":[");
	for (int i = 0; i < nids; i++)
	{
		if (i > 0)
			appendStringInfoChar(body, ',');
		pinecone_message_append_string(body, ids[i]);
	}
	appendStringInfoChar(body, ']');
	append_fields(body, fields);
	appendStringInfoChar(body, '}');
}

void
pinecone_message_document_fetch_by_filter(StringInfo body, const char *filter, int limit,
										  const char *token, const PineconeProjection *fields)
{
	appendStringInfo(body, "{\"filter\":%s", filter);
	if (limit > 0)
		appendStringInfo(body, ",\"limit\":%d", limit);
	append_fields(body, fields);
	append_token(body, token);
	appendStringInfoChar(body, '}');
}

void
pinecone_message_document_list(StringInfo body, const char *prefix, int limit, const char *token)
{
	const char *comma = "";

	appendStringInfoChar(body, '{');
	if (prefix != NULL && prefix[0] != '\0')
	{
		appendStringInfoString(body, "\"prefix\":");
		pinecone_message_append_string(body, prefix);
		comma = ",";
	}
	appendStringInfo(body, "%s\"limit\":%d", comma, limit > 0 ? limit : 100);
	append_token(body, token);
	appendStringInfoChar(body, '}');
}

/* ---- Writes ---- */

static void
append_vectors(StringInfo buf, const PineconeRecord *record, const char *dense, const char *sparse)
{
	if (record->nvalues > 0)
	{
		appendStringInfoChar(buf, ',');
		pinecone_message_append_string(buf, dense);
		appendStringInfoChar(buf, ':');
		pinecone_message_append_floats(buf, record->values, record->nvalues);
	}
	if (record->sparse.n > 0)
	{
		appendStringInfoChar(buf, ',');
		pinecone_message_append_string(buf, sparse);
		appendStringInfoChar(buf, ':');
		pinecone_message_append_sparse(buf, &record->sparse);
	}
}

/* The id and all fields, without the closing brace. */
static void
open_document(StringInfo buf, const PineconeRecord *record, const char *dense, const char *sparse)
{
	appendStringInfoString(buf, "{\"_id\":");
	pinecone_message_append_string(buf, record->id);
	append_vectors(buf, record, dense, sparse);
	/* the object's members, which stand beside the others */
	if (record->metadata != NULL && record->metadata_len > 2)
	{
		appendStringInfoChar(buf, ',');
		appendBinaryStringInfo(buf, record->metadata + 1, record->metadata_len - 2);
	}
}

void
pinecone_message_append_document(StringInfo buf, const PineconeRecord *record, const char *dense,
								 const char *sparse)
{
	open_document(buf, record, dense, sparse);
	appendStringInfoChar(buf, '}');
}

void
pinecone_message_append_change(StringInfo buf, const PineconeWrite *write, const char *dense,
							   const char *sparse)
{
	const char *comma = "";

	open_document(buf, &write->record, dense, sparse);
	if (write->removed != NULL || write->drop_values || write->drop_sparse)
	{
		appendStringInfoString(buf, ",\"_remove_fields\":[");
		if (write->removed != NULL)
		{
			appendStringInfoString(buf, write->removed);
			comma = ",";
		}
		if (write->drop_values)
		{
			appendStringInfoString(buf, comma);
			pinecone_message_append_string(buf, dense);
			comma = ",";
		}
		if (write->drop_sparse)
		{
			appendStringInfoString(buf, comma);
			pinecone_message_append_string(buf, sparse);
		}
		appendStringInfoChar(buf, ']');
	}
	appendStringInfoChar(buf, '}');
}

void
pinecone_message_open_documents(StringInfo body)
{
	appendStringInfoString(body, "{\"documents\":[");
}

void
pinecone_message_document_update_by_filter(StringInfo body, const char *filter, const char *set_fields)
{
	appendStringInfo(body, "{\"filter\":%s,\"set_fields\":%s}", filter, set_fields);
}

void
pinecone_message_document_delete_ids(StringInfo body, char *const *ids, int nids)
{
	appendStringInfoString(body, "{\"ids\":[");
	for (int i = 0; i < nids; i++)
	{
		if (i > 0)
			appendStringInfoChar(body, ',');
		pinecone_message_append_string(body, ids[i]);
	}
	appendStringInfoString(body, "]}");
}

void
pinecone_message_document_delete_by_filter(StringInfo body, const char *filter)
{
	appendStringInfo(body, "{\"filter\":%s}", filter);
}
