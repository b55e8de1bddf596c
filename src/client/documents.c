/*
 * documents.c
 *		Pinecone's operations on documents, one function each (API 2026-07).
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "client/cache.h"
#include "client/call.h"
#include "client/documents.h"
#include "wire/message.h"

/* JSON goes out in UTF-8. */
static const char *
to_utf8(const char *text)
{
	return text ? pg_server_to_any(text, strlen(text), PG_UTF8) : NULL;
}

/* Its body is made here, unless it is there already (NULL). */
static PineconeCall *
create_call(PineconeSession *session, PineconeCounters *counters, const char *name,
			const char *namespace_, const char *operation, StringInfo body)
{
	PineconeCall *call = pinecone_call_create(session, counters, name, "POST");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	StringInfoData path;
	const PineconeSchema *schema = session->schema;

	initStringInfo(&path);
	pinecone_message_document_path(&path, to_utf8(namespace_), operation);
	call->path = path.data;
	if (body != NULL)
		initStringInfo(body);
	call->documents = true;
	/* as they are now: the session may come to know others */
	call->dense = schema->dense ? pstrdup(to_utf8(schema->dense->name)) : NULL;
	call->sparse = schema->sparse ? pstrdup(to_utf8(schema->sparse->name)) : NULL;
	call->dimension = schema->dense ? schema->dense->dimension : 0;
	call->namespace_ = pstrdup(namespace_ ? to_utf8(namespace_) : "");
	call->about = pstrdup(namespace_ ? namespace_ : "");
	if (strcmp(session->options->api_version, PINECONE_DOCUMENTS_VERSION) < 0)
		call->api_version = PINECONE_DOCUMENTS_VERSION;
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

/* ---- What of them ---- */

static PineconeProjection *
encode_fields(const PineconeProjection *fields)
{
	PineconeProjection *encoded;

	if (fields == NULL)
		return NULL;
	encoded = palloc0(sizeof(PineconeProjection));
	for (int i = 0; i < fields->n; i++)
		pinecone_schema_project(encoded, to_utf8(fields->names[i]));
	return encoded;
}

/*
 * A fetch brings everything when no field is named: then that which is likely to
 * be the smallest.  A field that no document has would do, if it were certain
 * that it is no error to name one.
 */
static PineconeProjection *
at_least_one(const PineconeSchema *schema, PineconeProjection *fields)
{
	const PineconeSchemaField *smallest = NULL;

	if (fields == NULL || fields->n > 0)
		return fields;
	for (int i = 0; i < schema->n; i++)
	{
		const PineconeSchemaField *field = &schema->fields[i];

		if (field->kind == PINECONE_SCHEMA_TEXT && field->stored &&
			(smallest == NULL || smallest->kind != PINECONE_SCHEMA_TEXT))
			smallest = field;
		else if (field->kind != PINECONE_SCHEMA_TEXT &&
				 (smallest == NULL || (smallest->kind == PINECONE_SCHEMA_DENSE)))
			smallest = field;
	}
	if (smallest == NULL)
		return NULL;
	pinecone_schema_project(fields, to_utf8(smallest->name));
	return fields;
}

/* ---- Reads ---- */

/* The vector that a search goes by, if it is by one. */
static const char *
scored_field(const PineconeCall *call, const PineconeSearch *search)
{
	const char *name = search->sparse.n > 0 ? call->sparse : call->dense;

	return name ? name : "";
}

PineconeCall *
pinecone_documents_search(PineconeSession *session, PineconeCounters *counters,
						  const PineconeSearch *search)
{
	StringInfoData body;
	PineconeCall *call = create_call(session, counters, "search documents", search->namespace_,
									 "search", &body);
	PineconeProjection nothing = {0};
	PineconeSearch encoded = *search;

	encoded.filter = to_utf8(search->filter);
	encoded.clauses = to_utf8(search->clauses);
	encoded.fields = search->include_values || search->include_metadata ? encode_fields(search->fields) : &nothing;
	pinecone_message_document_search(&body, &encoded, scored_field(call, search), NULL);
	call->large_reply = search->include_values || search->top_k > 100;
	call->want_values = search->include_values;
	call->want_scores = true;
	call->reads = true;
	call->batch = search->top_k;
	pinecone_cache_offer(call, search->namespace_);
	return start(call, &body, PINECONE_RATE_QUERY, search->namespace_);
}

PineconeCall *
pinecone_documents_fetch(PineconeSession *session, PineconeCounters *counters,
						 const char *namespace_, char *const *ids, int nids,
						 const PineconeProjection *fields, bool want_values)
{
	StringInfoData body;
	PineconeCall *call = create_call(session, counters, "fetch documents", namespace_, "fetch", &body);

	pinecone_message_document_fetch(&body, ids, nids, at_least_one(session->schema, encode_fields(fields)));
	call->reads = true;
	call->batch = nids;
	call->large_reply = nids > 1;
	call->want_values = want_values;
	if (counters)
		counters->ids_fetched += nids;
	pinecone_cache_offer(call, namespace_);
	return start(call, &body, PINECONE_RATE_FETCH, NULL);
}

PineconeCall *
pinecone_documents_fetch_by_filter(PineconeSession *session, PineconeCounters *counters,
								   const char *namespace_, const char *filter, int limit,
								   const char *token, const PineconeProjection *fields,
								   bool want_values)
{
	StringInfoData body;
	PineconeCall *call = create_call(session, counters, "fetch documents by filter", namespace_,
									 "fetch", &body);

	pinecone_message_document_fetch_by_filter(&body, to_utf8(filter), limit, token,
											  at_least_one(session->schema, encode_fields(fields)));
	call->reads = true;
	call->batch = limit;
	call->large_reply = true;
	call->want_values = want_values;
	call->continues = token != NULL;
	if (token == NULL)
		pinecone_cache_offer(call, namespace_);
	return start(call, &body, PINECONE_RATE_FETCH_BY_METADATA, namespace_);
}

PineconeCall *
pinecone_documents_list(PineconeSession *session, PineconeCounters *counters,
						const char *namespace_, const char *prefix, int limit, const char *token)
{
	StringInfoData body;
	PineconeCall *call = create_call(session, counters, "list documents", namespace_, "list", &body);

	pinecone_message_document_list(&body, prefix, limit, token);
	call->reads = true;
	call->batch = limit;
	if (prefix)
		call->prefix = MemoryContextStrdup(call->cxt, prefix);
	call->continues = token != NULL;
	if (token == NULL)
		pinecone_cache_offer(call, namespace_);
	return start(call, &body, PINECONE_RATE_LIST, NULL);
}

/* The first field that a filter names, which is not one of a large value; or NULL. */
static char *
field_of_filter(const char *filter)
{
	for (const char *p = strchr(filter, '"'); p != NULL; p = strchr(p, '"'))
	{
		const char *start = ++p;

		while (*p != '\0' && *p != '"' && *p != '\\')
			p++;
		if (*p != '"')
			return NULL;
		p++;
		if (*start != '$' && p[strspn(p, " ")] == ':')
			return pnstrdup(start, p - 1 - start);
	}
	return NULL;
}

PineconeCall *
pinecone_documents_count(PineconeSession *session, PineconeCounters *counters,
						 const char *namespace_, const char *filter)
{
	PineconeProjection fields = {0};
	char *small = field_of_filter(filter);

	if (small != NULL)
		pinecone_schema_project(&fields, small);
	return pinecone_documents_fetch_by_filter(session, counters, namespace_, filter,
											  PINECONE_FILTER_PAGE, NULL, &fields, false);
}

/* ---- Writes ---- */

static const char *
dense_name(const PineconeSession *session)
{
	return session->schema && session->schema->dense ? to_utf8(session->schema->dense->name) : "";
}

static const char *
sparse_name(const PineconeSession *session)
{
	return session->schema && session->schema->sparse ? to_utf8(session->schema->sparse->name) : "";
}

void
pinecone_documents_append(PineconeSession *session, StringInfo buf, const PineconeRecord *record)
{
	pinecone_message_append_document(buf, record, dense_name(session), sparse_name(session));
}

void
pinecone_documents_append_change(PineconeSession *session, StringInfo buf, const PineconeWrite *write)
{
	pinecone_message_append_change(buf, write, dense_name(session), sparse_name(session));
}

/* The index has been made anew as one of vectors: nothing is known of this one any more. */
static void
check_kind(const PineconeSession *session)
{
	if (session->schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("the index of server \"%s\" has been replaced by one of another kind",
						session->options->servername),
				 errhint("Repeat the transaction.")));
}

static PineconeCall *
create_write(PineconeSession *session, PineconeCounters *counters, const char *name,
			 const char *namespace_, const char *operation, StringInfo body)
{
	PineconeCall *call;

	check_kind(session);
	call = create_call(session, counters, name, namespace_, operation, body);
	call->is_write = true;
	return call;
}

void
pinecone_documents_open(StringInfo body, const char *namespace_)
{
	pinecone_message_open_documents(body);
}

PineconeCall *
pinecone_documents_upsert(PineconeSession *session, PineconeCounters *counters,
						  const char *namespace_, StringInfo body, int ndocuments)
{
	PineconeCall *call = create_write(session, counters, "upsert documents", namespace_, "upsert", NULL);

	pinecone_message_close_many(body);
	call->expected = call->batch = ndocuments;
	call->rate_amount = body->len / 1000.0;
	return start(call, body, PINECONE_RATE_UPSERT, namespace_);
}

PineconeCall *
pinecone_documents_update(PineconeSession *session, PineconeCounters *counters,
						  const char *namespace_, StringInfo body, int nchanges)
{
	PineconeCall *call = create_write(session, counters, "update documents", namespace_, "update", NULL);

	pinecone_message_close_many(body);
	call->batch = nchanges;
	return start(call, body, PINECONE_RATE_UPDATE, namespace_);
}

PineconeCall *
pinecone_documents_update_by_filter(PineconeSession *session, PineconeCounters *counters,
									const char *namespace_, const char *filter,
									const char *set_fields)
{
	StringInfoData body;
	PineconeCall *call = create_write(session, counters, "update documents by filter", namespace_,
									  "update", &body);

	pinecone_message_document_update_by_filter(&body, to_utf8(filter), set_fields);
	return start(call, &body, PINECONE_RATE_UPDATE_BY_METADATA, namespace_);
}

PineconeCall *
pinecone_documents_delete_ids(PineconeSession *session, PineconeCounters *counters,
							  const char *namespace_, char *const *ids, int nids)
{
	StringInfoData body;
	PineconeCall *call = create_write(session, counters, "delete documents", namespace_, "delete", &body);

	pinecone_message_document_delete_ids(&body, ids, nids);
	call->rate_amount = call->batch = nids;
	return start(call, &body, PINECONE_RATE_DELETE, namespace_);
}

PineconeCall *
pinecone_documents_delete_by_filter(PineconeSession *session, PineconeCounters *counters,
									const char *namespace_, const char *filter)
{
	StringInfoData body;
	PineconeCall *call = create_write(session, counters, "delete documents by filter", namespace_,
									  "delete", &body);

	pinecone_message_document_delete_by_filter(&body, to_utf8(filter));
	return start(call, &body, PINECONE_RATE_DELETE_BY_METADATA, namespace_);
}

PineconeCall *
pinecone_documents_delete_all(PineconeSession *session, PineconeCounters *counters,
							  const char *namespace_)
{
	StringInfoData body;
	PineconeCall *call = create_write(session, counters, "delete all documents", namespace_, "delete",
									  &body);

	appendStringInfoString(&body, "{\"delete_all\":true}");
	return start(call, &body, PINECONE_RATE_DELETE, namespace_);
}
