/*
 * vectors.c
 *		Pinecone's operations, one function each.
 *
 * A function builds the path and body of its request; call.c sends it.  The
 * results are decoded when they are asked for.  A reply that cannot be read is
 * asked for again, as often as a lost one.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "client/alias.h"
#include "client/cache.h"
#include "client/call.h"
#include "client/documents.h"
#include "client/error.h"
#include "client/http_wait.h"
#include "client/records.h"
#include "client/session.h"
#include "wire/decode.h"
#include "wire/message.h"

/* ---- Building requests ---- */

/* The default namespace may be given as none. */
static const char *
named(const char *namespace_)
{
	return namespace_ ? namespace_ : "";
}

static PineconeCall *
create_get(PineconeSession *session, PineconeCounters *counters, const char *operation,
		   const char *namespace_, StringInfo path)
{
	PineconeCall *call = pinecone_call_create(session, counters, operation, "GET");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	initStringInfo(path);
	call->about = namespace_ ? pstrdup(namespace_) : NULL;
	MemoryContextSwitchTo(old);
	return call;
}

static PineconeCall *
start_get(PineconeCall *call, StringInfo path)
{
	call->path = path->data;
	pinecone_call_start(call);
	pinecone_call_advance(call->counters);
	return call;
}

/* Its body is made here, unless it is there already (NULL). */
static PineconeCall *
create_post(PineconeSession *session, PineconeCounters *counters, const char *operation,
			const char *namespace_, const char *path, StringInfo body)
{
	PineconeCall *call = pinecone_call_create(session, counters, operation, "POST");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	call->path = pstrdup(path);
	call->about = namespace_ ? pstrdup(namespace_) : NULL;
	if (body != NULL)
		initStringInfo(body);
	MemoryContextSwitchTo(old);
	return call;
}

static PineconeCall *
start_post(PineconeCall *call, StringInfo body)
{
	call->body = body->data;
	call->body_len = body->len;
	pinecone_call_start(call);
	pinecone_call_advance(call->counters);
	return call;
}

/* Count a call as one of a kind. */
static void
count_as(PineconeCall *call, PineconeRateKind kind, const char *namespace_)
{
	call->rate_kind = kind;
	if (namespace_ != NULL)
		call->rate_namespace = MemoryContextStrdup(call->cxt, namespace_);
}

/* JSON goes out in UTF-8. */
static const char *
to_utf8(const char *text)
{
	return text ? pg_server_to_any(text, strlen(text), PG_UTF8) : NULL;
}

/* The records asked for are of this namespace, in UTF-8. */
static void
expect_namespace(PineconeCall *call, const char *namespace_)
{
	call->namespace_ = MemoryContextStrdup(call->cxt, namespace_ ? namespace_ : "");
}

/* ---- Reads ---- */

PineconeCall *
pinecone_vectors_query(PineconeSession *session, PineconeCounters *counters,
					   const PineconeSearch *search)
{
	StringInfoData body;
	PineconeCall *call;
	PineconeSearch encoded = *search;

	if (session->schema)
		return pinecone_documents_search(session, counters, search);
	if (search->clauses)
		return pinecone_records_search(session, counters, search);
	call = create_post(session, counters, "query", named(search->namespace_), "/query", &body);
	encoded.namespace_ = to_utf8(search->namespace_);
	encoded.filter = to_utf8(search->filter);
	pinecone_message_query(&body, &encoded, NULL);
	call->large_reply = search->include_values || search->top_k > 100;
	call->want_values = search->include_values;
	call->want_scores = true;
	call->reads = true;
	call->batch = search->top_k;
	expect_namespace(call, encoded.namespace_);
	count_as(call, PINECONE_RATE_QUERY, search->namespace_);
	pinecone_cache_offer(call, search->namespace_);
	return start_post(call, &body);
}

int
pinecone_vectors_max_fetch(const PineconeSession *session, bool many)
{
	int most = many ? PINECONE_WIDE_FETCH_BATCH : PINECONE_FETCH_BATCH;

	if (session->schema)
		most = PINECONE_DOCUMENTS_FETCH;
	return session->max_fetch > 0 ? Min(session->max_fetch, most) : most;
}

int
pinecone_vectors_fetch_batch(const PineconeSession *session, char *const *ids, int nids, int most)
{
	int length = 0;
	int n;

	/* those of documents stand in a body */
	if (session->schema)
		return Min(nids, most);
	for (n = 0; n < nids && n < most; n++)
	{
		length += strlen("&ids=");
		for (const char *p = ids[n]; *p; p++)
			length += isalnum((unsigned char) *p) || strchr("-_.!~*'()", *p) ? 1 : 3;
		if (length > PINECONE_FETCH_QUERY && n > 0)
			break;
	}
	return n;
}

PineconeCall *
pinecone_vectors_fetch(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
					   char *const *ids, int nids, const PineconeProjection *fields, bool want_values)
{
	StringInfoData path;
	PineconeCall *call;

	if (session->schema)
		return pinecone_documents_fetch(session, counters, namespace_, ids, nids, fields, want_values);
	call = create_get(session, counters, "fetch", named(namespace_), &path);
	pinecone_message_fetch_path(&path, to_utf8(namespace_), ids, nids);
	call->reads = true;
	call->batch = nids;
	call->large_reply = nids > 1;
	call->want_values = want_values;
	expect_namespace(call, to_utf8(namespace_));
	if (counters)
		counters->ids_fetched += nids;
	count_as(call, PINECONE_RATE_FETCH, NULL);
	pinecone_cache_offer(call, namespace_);
	return start_get(call, &path);
}

PineconeCall *
pinecone_vectors_fetch_by_metadata(PineconeSession *session, PineconeCounters *counters,
								   const char *namespace_, const char *filter, int limit,
								   const char *token, const PineconeProjection *fields,
								   bool want_values)
{
	StringInfoData body;
	PineconeCall *call;

	if (session->schema)
		return pinecone_documents_fetch_by_filter(session, counters, namespace_, filter, limit, token,
												  fields, want_values);
	call = create_post(session, counters, "fetch by metadata", named(namespace_), "/vectors/fetch_by_metadata", &body);
	pinecone_message_fetch_by_metadata(&body, to_utf8(namespace_), to_utf8(filter), limit, token);
	call->reads = true;
	call->batch = limit;
	call->large_reply = true;
	call->want_values = want_values;
	expect_namespace(call, to_utf8(namespace_));
	count_as(call, PINECONE_RATE_FETCH_BY_METADATA, namespace_);
	call->continues = token != NULL;
	if (token == NULL)
		pinecone_cache_offer(call, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_list(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
					  const char *prefix, int limit, const char *token)
{
	StringInfoData path;
	PineconeCall *call;

	if (session->schema)
		return pinecone_documents_list(session, counters, namespace_, prefix, limit, token);
	call = create_get(session, counters, "list", named(namespace_), &path);
	pinecone_message_list_path(&path, to_utf8(namespace_), prefix, limit, token);
	call->reads = true;
	call->batch = limit;
	if (prefix)
		call->prefix = MemoryContextStrdup(call->cxt, prefix);
	expect_namespace(call, to_utf8(namespace_));
	count_as(call, PINECONE_RATE_LIST, NULL);
	call->continues = token != NULL;
	if (token == NULL)
		pinecone_cache_offer(call, namespace_);
	return start_get(call, &path);
}

static PineconeCall *
start_stats(PineconeSession *session, PineconeCounters *counters, bool single_attempt)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "describe index stats", NULL,
									 "/describe_index_stats", &body);

	appendStringInfoString(&body, "{}");
	call->single_attempt = single_attempt;
	count_as(call, PINECONE_RATE_STATS, NULL);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_stats_try(PineconeSession *session, bool single_attempt)
{
	return start_stats(session, NULL, single_attempt);
}

PineconeCall *
pinecone_vectors_stats(PineconeSession *session, PineconeCounters *counters)
{
	return start_stats(session, counters, false);
}

PineconeCall *
pinecone_vectors_count(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
					   const char *filter)
{
	StringInfoData body;
	PineconeCall *call;

	if (session->schema)
		return pinecone_documents_count(session, counters, namespace_, filter);
	call = create_post(session, counters, "update dry run", named(namespace_), "/vectors/update", &body);
	pinecone_message_update_by_filter(&body, to_utf8(namespace_), to_utf8(filter), NULL, true);
	count_as(call, PINECONE_RATE_UPDATE_BY_METADATA, namespace_);
	pinecone_cache_offer(call, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_list_namespaces(PineconeSession *session, PineconeCounters *counters,
								 const char *token)
{
	StringInfoData path;
	PineconeCall *call = create_get(session, counters, "list namespaces", NULL, &path);

	appendStringInfoString(&path, "/namespaces");
	pinecone_message_append_parameter(&path, "limit", "100");
	pinecone_message_append_parameter(&path, "paginationToken", token);
	call->continues = token != NULL;
	return start_get(call, &path);
}

/* ---- Writes ---- */

void
pinecone_vectors_append_record(StringInfo buf, const PineconeRecord *record)
{
	pinecone_message_append_record(buf, record);
}

void
pinecone_vectors_open_upsert(StringInfo body, const char *namespace_)
{
	pinecone_message_open_upsert(body, to_utf8(namespace_));
}

PineconeCall *
pinecone_vectors_upsert(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
						StringInfo body, int nrecords)
{
	PineconeCall *call = create_post(session, counters, "upsert", named(namespace_), "/vectors/upsert", NULL);

	pinecone_message_close_many(body);
	call->is_write = true;
	call->expected = call->batch = nrecords;
	count_as(call, PINECONE_RATE_UPSERT, namespace_);
	call->rate_amount = body->len / 1000.0;
	return start_post(call, body);
}

PineconeCall *
pinecone_vectors_update(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
						const PineconeRecord *record)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "update", named(namespace_), "/vectors/update", &body);

	pinecone_message_update(&body, to_utf8(namespace_), record);
	call->is_write = true;
	call->batch = 1;
	count_as(call, PINECONE_RATE_UPDATE, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_update_by_filter(PineconeSession *session, PineconeCounters *counters,
								  const char *namespace_, const char *filter, const char *set_metadata)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "update by metadata", named(namespace_),
									 "/vectors/update", &body);

	pinecone_message_update_by_filter(&body, to_utf8(namespace_), to_utf8(filter), set_metadata,
									  false);
	call->is_write = true;
	count_as(call, PINECONE_RATE_UPDATE_BY_METADATA, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_delete_ids(PineconeSession *session, PineconeCounters *counters,
							const char *namespace_, char *const *ids, int nids)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "delete", named(namespace_), "/vectors/delete", &body);

	pinecone_message_delete_ids(&body, to_utf8(namespace_), ids, nids);
	call->is_write = true;
	count_as(call, PINECONE_RATE_DELETE, namespace_);
	call->rate_amount = call->batch = nids;
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_delete_by_filter(PineconeSession *session, PineconeCounters *counters,
								  const char *namespace_, const char *filter)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "delete by metadata", named(namespace_), "/vectors/delete",
									 &body);

	pinecone_message_delete_by_filter(&body, to_utf8(namespace_), to_utf8(filter));
	call->is_write = true;
	count_as(call, PINECONE_RATE_DELETE_BY_METADATA, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_delete_all(PineconeSession *session, PineconeCounters *counters,
							const char *namespace_)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "delete all", named(namespace_), "/vectors/delete", &body);

	pinecone_message_delete_all(&body, to_utf8(namespace_));
	call->is_write = true;
	count_as(call, PINECONE_RATE_DELETE, namespace_);
	return start_post(call, &body);
}

/* ---- Waiting ---- */

bool
pinecone_vectors_finished(const PineconeCall *call)
{
	return pinecone_call_finished(call);
}

bool
pinecone_vectors_is_queued(const PineconeCall *call)
{
	return call->state == PINECONE_CALL_QUEUED;
}

void
pinecone_vectors_advance(void)
{
	pinecone_call_advance(NULL);
}

int
pinecone_vectors_wait_any(PineconeCall **calls, int ncalls)
{
	return pinecone_call_wait_any(calls, ncalls);
}

int
pinecone_vectors_socket(void)
{
	return pinecone_http_socket();
}

void
pinecone_vectors_alarm(long timeout_ms)
{
	long calls = pinecone_call_timeout();

	pinecone_http_alarm(calls < 0 ? timeout_ms : Min(calls, timeout_ms));
}

int
pinecone_vectors_location(PineconeCall *call)
{
	return call->location;
}
