/*
 * message_request.c
 *		Request bodies, paths and query strings, as text.
 */
#include "postgres.h"

#include <math.h>

#include "wire/message.h"
#include "wire/print.h"

void
pinecone_message_append_string(StringInfo buf, const char *text)
{
	appendStringInfoCharMacro(buf, '"');
	for (const char *p = text; *p; p++)
	{
		unsigned char c = *p;

		if (c == '"' || c == '\\')
		{
			appendStringInfoCharMacro(buf, '\\');
			appendStringInfoCharMacro(buf, c);
		}
		else if (c < ' ' || c == 127)
			appendStringInfo(buf, "\\u%04x", c);
		else
			appendStringInfoCharMacro(buf, c);
	}
	appendStringInfoCharMacro(buf, '"');
}

void
pinecone_message_append_floats(StringInfo buf, const float *values, int n)
{
	char *end;

	appendStringInfoChar(buf, '[');
	enlargeStringInfo(buf, n * PINECONE_PRINT_LEN + PINECONE_PRINT_PADDING);
	end = pinecone_print_floats(buf->data + buf->len, values, n);
	buf->len = end - buf->data;
	appendStringInfoChar(buf, ']');
}

void
pinecone_message_append_sparse(StringInfo buf, const PineconeSparse *sparse)
{
	appendStringInfoString(buf, "{\"indices\":[");
	for (int i = 0; i < sparse->n; i++)
		appendStringInfo(buf, "%s%u", i > 0 ? "," : "", sparse->indices[i]);
	appendStringInfoString(buf, "],\"values\":");
	pinecone_message_append_floats(buf, sparse->values, sparse->n);
	appendStringInfoChar(buf, '}');
}

/* Begin a body with its namespace; what follows begins with a comma or not. */
static const char *
open_body(StringInfo body, const char *namespace_)
{
	appendStringInfoChar(body, '{');
	if (namespace_ == NULL || namespace_[0] == '\0')
		return "";
	appendStringInfoString(body, "\"namespace\":");
	pinecone_message_append_string(body, namespace_);
	return ",";
}

/* What is shown in place of a value is text that goes as it is. */
void
pinecone_message_query(StringInfo body, const PineconeSearch *search,
					   const PineconeSearchTexts *shown)
{
	static const PineconeSearchTexts none = {0};
	const char *comma = open_body(body, search->namespace_);

	if (shown == NULL)
		shown = &none;
	if (shown->top_k)
		appendStringInfo(body, "%s\"topK\":%s", comma, shown->top_k);
	else
		appendStringInfo(body, "%s\"topK\":%d", comma, search->top_k);
	if (search->filter)
		appendStringInfo(body, ",\"filter\":%s", search->filter);
	appendStringInfo(body, ",\"includeValues\":%s,\"includeMetadata\":%s",
					 search->include_values ? "true" : "false",
					 search->include_metadata ? "true" : "false");
	if (shown->id)
		appendStringInfo(body, ",\"id\":%s", shown->id);
	else if (search->id)
	{
		appendStringInfoString(body, ",\"id\":");
		pinecone_message_append_string(body, search->id);
	}
	if (shown->vector)
		appendStringInfo(body, ",\"vector\":%s", shown->vector);
	else if (search->nvalues > 0)
	{
		appendStringInfoString(body, ",\"vector\":");
		pinecone_message_append_floats(body, search->values, search->nvalues);
	}
	if (shown->sparse)
		appendStringInfo(body, ",\"sparseVector\":%s", shown->sparse);
	else if (search->sparse.n > 0)
	{
		appendStringInfoString(body, ",\"sparseVector\":");
		pinecone_message_append_sparse(body, &search->sparse);
	}
	appendStringInfoChar(body, '}');
}

void
pinecone_message_fetch_by_metadata(StringInfo body, const char *namespace_, const char *filter,
								   int limit, const char *token)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"filter\":%s", comma, filter);
	if (limit > 0)
		appendStringInfo(body, ",\"limit\":%d", limit);
	if (token)
	{
		appendStringInfoString(body, ",\"paginationToken\":");
		pinecone_message_append_string(body, token);
	}
	appendStringInfoChar(body, '}');
}

void
pinecone_message_append_record(StringInfo buf, const PineconeRecord *record)
{
	appendStringInfoString(buf, "{\"id\":");
	pinecone_message_append_string(buf, record->id);
	if (record->nvalues > 0)
	{
		appendStringInfoString(buf, ",\"values\":");
		pinecone_message_append_floats(buf, record->values, record->nvalues);
	}
	if (record->sparse.n > 0)
	{
		appendStringInfoString(buf, ",\"sparseValues\":");
		pinecone_message_append_sparse(buf, &record->sparse);
	}
	if (record->metadata)
	{
		appendStringInfoString(buf, ",\"metadata\":");
		appendBinaryStringInfo(buf, record->metadata, record->metadata_len);
	}
	appendStringInfoChar(buf, '}');
}

void
pinecone_message_open_upsert(StringInfo body, const char *namespace_)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"vectors\":[", comma);
}

void
pinecone_message_close_many(StringInfo body)
{
	appendStringInfoString(body, "]}");
}

void
pinecone_message_update(StringInfo body, const char *namespace_, const PineconeRecord *record)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"id\":", comma);
	pinecone_message_append_string(body, record->id);
	if (record->nvalues > 0)
	{
		appendStringInfoString(body, ",\"values\":");
		pinecone_message_append_floats(body, record->values, record->nvalues);
	}
	if (record->sparse.n > 0)
	{
		appendStringInfoString(body, ",\"sparseValues\":");
		pinecone_message_append_sparse(body, &record->sparse);
	}
	if (record->metadata)
	{
		appendStringInfoString(body, ",\"setMetadata\":");
		appendBinaryStringInfo(body, record->metadata, record->metadata_len);
	}
	appendStringInfoChar(body, '}');
}

void
pinecone_message_update_by_filter(StringInfo body, const char *namespace_, const char *filter,
								  const char *set_metadata, bool dry_run)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"filter\":%s", comma, filter);
	if (set_metadata)
		appendStringInfo(body, ",\"setMetadata\":%s", set_metadata);
	if (dry_run)
		appendStringInfoString(body, ",\"dryRun\":true");
	appendStringInfoChar(body, '}');
}

void
pinecone_message_delete_ids(StringInfo body, const char *namespace_, char *const *ids, int nids)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"ids\":[", comma);
	for (int i = 0; i < nids; i++)
	{
		if (i > 0)
			appendStringInfoChar(body, ',');
		pinecone_message_append_string(body, ids[i]);
	}
	appendStringInfoString(body, "]}");
}

void
pinecone_message_delete_by_filter(StringInfo body, const char *namespace_, const char *filter)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"filter\":%s}", comma, filter);
}

void
pinecone_message_delete_all(StringInfo body, const char *namespace_)
{
	const char *comma = open_body(body, namespace_);

	appendStringInfo(body, "%s\"deleteAll\":true}", comma);
}

void
pinecone_message_append_encoded(StringInfo url, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (const char *p = text; *p; p++)
	{
		unsigned char c = *p;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("-_.~", c) != NULL)
			appendStringInfoChar(url, c);
		else
		{
			appendStringInfoChar(url, '%');
			appendStringInfoChar(url, hex[c >> 4]);
			appendStringInfoChar(url, hex[c & 15]);
		}
	}
}

/* A parameter of the query string; NULL and "" are left out. */
void
pinecone_message_append_parameter(StringInfo path, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	appendStringInfoChar(path, strchr(path->data, '?') ? '&' : '?');
	appendStringInfo(path, "%s=", name);
	pinecone_message_append_encoded(path, value);
}

void
pinecone_message_fetch_path(StringInfo path, const char *namespace_, char *const *ids, int nids)
{
	appendStringInfoString(path, "/vectors/fetch");
	for (int i = 0; i < nids; i++)
	{
		appendStringInfoString(path, i == 0 ? "?ids=" : "&ids=");
		pinecone_message_append_encoded(path, ids[i]);
	}
	pinecone_message_append_parameter(path, "namespace", namespace_);
}

void
pinecone_message_list_path(StringInfo path, const char *namespace_, const char *prefix, int limit,
						   const char *token)
{
	appendStringInfoString(path, "/vectors/list");
	pinecone_message_append_parameter(path, "prefix", prefix);
	if (limit > 0 && limit != 100) /* the default (API 2025-10) */
		pinecone_message_append_parameter(path, "limit", psprintf("%d", limit));
	pinecone_message_append_parameter(path, "paginationToken", token);
	pinecone_message_append_parameter(path, "namespace", namespace_);
}
