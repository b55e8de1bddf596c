/*
 * message_records.c
 *		Request bodies of integrated indexes, whose texts Pinecone embeds, as text.
 *
 * Records go one to a line (NDJSON).  A search's reply holds the fields that are
 * asked for, or all.
 */
#include "postgres.h"

#include "wire/message.h"

void
pinecone_message_records_path(StringInfo path, const char *namespace_, const char *operation)
{
	bool is_default = namespace_ == NULL || namespace_[0] == '\0';

	appendStringInfoString(path, "/records/namespaces/");
	pinecone_message_append_encoded(path, is_default ? "__default__" : namespace_);
	appendStringInfo(path, "/%s", operation);
}

static void
append_fields(StringInfo body, const PineconeProjection *fields)
{
	if (fields == NULL)
		return;
	appendStringInfoString(body, ",\"fields\":[");
	for (int i = 0; i < fields->n; i++)
	{
		if (i > 0)
			appendStringInfoChar(body, ',');
		pinecone_message_append_string(body, fields->names[i]);
	}
	appendStringInfoChar(body, ']');
}

void
pinecone_message_records_search(StringInfo body, const PineconeSearch *search, const PineconeSearchTexts *shown)
{
	char number[16];
	const char *top_k = number;

	snprintf(number, sizeof(number), "%d", search->top_k);
	if (shown != NULL && shown->top_k != NULL)
		top_k = shown->top_k;
	appendStringInfo(body, "{\"query\":{\"inputs\":{\"text\":%s},\"top_k\":%s", search->clauses,
					 search->rerank ? search->candidates : top_k);
	if (search->filter)
		appendStringInfo(body, ",\"filter\":%s", search->filter);
	appendStringInfoChar(body, '}');
	append_fields(body, search->fields);
	if (search->rerank)
		appendStringInfo(body, ",\"rerank\":{%s,\"top_n\":%s}", search->rerank, top_k);
	appendStringInfoChar(body, '}');
}

/* Spaces between values may be line breaks; within strings these are written otherwise. */
void
pinecone_message_append_line(StringInfo buf, const PineconeRecord *record)
{
	int start;

	appendStringInfoString(buf, "{\"_id\":");
	pinecone_message_append_string(buf, record->id);
	start = buf->len;
	/* the fields stand beside the id */
	if (record->metadata != NULL && record->metadata_len > 2)
	{
		const char *inner = strchr(record->metadata, '{') + 1;

		appendStringInfoChar(buf, ',');
		appendBinaryStringInfo(buf, inner, record->metadata + record->metadata_len - inner);
	}
	else
		appendStringInfoChar(buf, '}');
	for (int i = start; i < buf->len; i++)
	{
		if (buf->data[i] == '\n' || buf->data[i] == '\r')
			buf->data[i] = ' ';
	}
}
