/*
 * records.c
 *		The operations on integrated indexes, one function each.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "client/cache.h"
#include "client/call.h"
#include "client/records.h"
#include "wire/message.h"
#include "wire/schema.h"

/* JSON goes out in UTF-8. */
static const char *
to_utf8(const char *text)
{
	return text ? pg_server_to_any(text, strlen(text), PG_UTF8) : NULL;
}

/* Its body is made here, unless it is there already (NULL). */
static PineconeCall *
create_call(PineconeSession *session, PineconeCounters *counters, const char *name, const char *namespace_,
			const char *operation, StringInfo body)
{
	PineconeCall *call = pinecone_call_create(session, counters, name, "POST");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	StringInfoData path;

	initStringInfo(&path);
	pinecone_message_records_path(&path, to_utf8(namespace_), operation);
	call->path = path.data;
	call->namespace_ = pstrdup(namespace_ ? to_utf8(namespace_) : "");
	call->about = pstrdup(namespace_ ? namespace_ : "");
	if (body != NULL)
		initStringInfo(body);
	MemoryContextSwitchTo(old);
	return call;
}

static PineconeCall *
start(PineconeCall *call, StringInfo body, PineconeRateKind kind, const char *namespace_)
{
	call->body = body->data;
	call->body_len = body->len;
	call->rate_kind = kind;
	if (namespace_ != NULL)
		call->rate_namespace = MemoryContextStrdup(call->cxt, namespace_);
	pinecone_call_start(call);
	pinecone_call_advance(call->counters);
	return call;
}

PineconeCall *
pinecone_records_search(PineconeSession *session, PineconeCounters *counters, const PineconeSearch *search)
{
	StringInfoData body;
	PineconeCall *call = create_call(session, counters, "search records", search->namespace_, "search", &body);
	PineconeProjection fields = {0};
	PineconeSearch encoded = *search;

	encoded.filter = to_utf8(search->filter);
	encoded.clauses = to_utf8(search->clauses);
	encoded.rerank = to_utf8(search->rerank);
	if (search->fields != NULL)
	{
		for (int i = 0; i < search->fields->n; i++)
			pinecone_schema_project(&fields, to_utf8(search->fields->names[i]));
		encoded.fields = &fields;
	}
	pinecone_message_records_search(&body, &encoded, NULL);
	call->large_reply = search->top_k > 100;
	call->want_scores = true;
	call->reads = true;
	call->batch = search->top_k;
	pinecone_cache_offer(call, search->namespace_);
	return start(call, &body, PINECONE_RATE_QUERY, search->namespace_);
}

void
pinecone_records_append(StringInfo buf, const PineconeRecord *record)
{
	pinecone_message_append_line(buf, record);
}

PineconeCall *
pinecone_records_upsert(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
						StringInfo body, int nrecords)
{
	PineconeCall *call = create_call(session, counters, "upsert records", namespace_, "upsert", NULL);

	call->lines = true;
	call->is_write = true;
	call->batch = nrecords;
	call->rate_amount = body->len / 1000.0;
	return start(call, body, PINECONE_RATE_UPSERT, namespace_);
}
