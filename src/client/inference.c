/*
 * inference.c
 *		Requests to Pinecone's models, and what they reply.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "client/call.h"
#include "client/error.h"
#include "client/inference.h"
#include "client/region.h"
#include "wire/message.h"

/* ---- Sending ---- */

/* A call to the control host; one that may not be sent a key has failed already. */
static PineconeCall *
create_call(PineconeSession *session, PineconeCounters *counters, const char *operation,
			const char *method, const char *path)
{
	PineconeCall *call = pinecone_call_create(session, counters, operation, method);
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	PineconeProblem *problem = NULL;
	char *control_url = pinecone_session_control_url(session, &problem);

	if (session->options->allowed_regions != NULL && strcmp(method, "GET") != 0)
	{
		problem = pinecone_region_of_models(session->options);
		control_url = NULL;
	}
	if (control_url != NULL)
		call->url = psprintf("%s%s", control_url, path);
	else
	{
		pinecone_problem_copy(&call->problem, problem, call->cxt);
		call->state = PINECONE_CALL_FAILED;
	}
	call->path = pstrdup(path);
	call->control_plane = true;
	MemoryContextSwitchTo(old);
	return call;
}

static void
start(PineconeCall *call, StringInfo body)
{
	if (call->state == PINECONE_CALL_FAILED)
		return;
	if (body != NULL)
	{
		call->body = body->data;
		call->body_len = body->len;
	}
	pinecone_call_start(call);
}

static void
append_text(StringInfo buf, const char *text)
{
	pinecone_message_append_string(buf, pg_server_to_any(text, strlen(text), PG_UTF8));
}

PineconeCall *
pinecone_inference_embed(PineconeSession *session, PineconeCounters *counters,
						 const PineconeEmbedder *embedder, char *const *texts, int n)
{
	PineconeCall *call = create_call(session, counters, "embed", "POST", "/embed");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	StringInfoData body;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"model\":");
	append_text(&body, embedder->model);
	appendStringInfo(&body, ",\"parameters\":{\"input_type\":\"%s\",\"truncate\":\"NONE\"", embedder->input_type);
	if (embedder->dimension > 0)
		appendStringInfo(&body, ",\"dimension\":%d", embedder->dimension);
	appendStringInfoString(&body, "},\"inputs\":[");
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(&body, i == 0 ? "{\"text\":" : ",{\"text\":");
		append_text(&body, texts[i]);
		appendStringInfoChar(&body, '}');
	}
	appendStringInfoString(&body, "]}");
	call->large_reply = true;
	start(call, &body);
	MemoryContextSwitchTo(old);
	return call;
}

PineconeCall *
pinecone_inference_rerank(PineconeSession *session, const char *model, const char *query,
						  const char *documents, const char *field, int top_n)
{
	PineconeCall *call = create_call(session, NULL, "rerank", "POST", "/rerank");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	StringInfoData body;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"model\":");
	append_text(&body, model);
	appendStringInfoString(&body, ",\"query\":");
	append_text(&body, query);
	appendStringInfoString(&body, ",\"return_documents\":false,\"rank_fields\":[");
	append_text(&body, field);
	appendStringInfoChar(&body, ']');
	if (top_n > 0)
		appendStringInfo(&body, ",\"top_n\":%d", top_n);
	appendStringInfo(&body, ",\"documents\":%s}", documents);
	start(call, &body);
	MemoryContextSwitchTo(old);
	return call;
}

PineconeCall *
pinecone_inference_models(PineconeSession *session)
{
	PineconeCall *call = create_call(session, NULL, "list models", "GET", "/models");

	start(call, NULL);
	return call;
}

/* ---- Replies ---- */

/* A call has failed for good. */
static void
report(PineconeCall *call, const char *note)
{
	if (note != NULL)
		pinecone_vectors_set_note(call, note);
	if (call->problem.outcome == PINECONE_HTTP_ANSWERED && call->problem.status == 404)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("Pinecone has no such model"),
				 call->problem.message ? errdetail_internal("%s", call->problem.message) : 0,
				 errhint("pinecone_models() lists those it has; and the server's \"control_host\" option has to lead to Pinecone.")));
	pinecone_vectors_report(call, ERROR);
}

/* Wait for a call, with a reply that can be read, or its failure. */
static PineconeEmbedding *
wait_for_embeddings(PineconeCall *call, int n)
{
	PineconeEmbedding *embeddings = NULL;
	const char *reason = NULL;

	for (;;)
	{
		pinecone_vectors_wait(call);
		if (call->state != PINECONE_CALL_SUCCEEDED)
			return NULL;
		if (pinecone_decode_embeddings(call->exchange->body, call->exchange->body_len, n, &embeddings, &reason))
			return embeddings;
		(void) pinecone_call_reject(call, reason);
	}
}

PineconeEmbedding *
pinecone_inference_embeddings(PineconeCall *call, int n, const char *note)
{
	PineconeEmbedding *embeddings = wait_for_embeddings(call, n);

	if (embeddings == NULL)
		report(call, note);
	return embeddings;
}

PineconeEmbedding *
pinecone_inference_try_embeddings(PineconeCall *call, int n)
{
	PineconeEmbedding *embeddings = wait_for_embeddings(call, n);

	if (embeddings == NULL && (call->problem.outcome != PINECONE_HTTP_ANSWERED ||
							   (call->problem.status != 400 && call->problem.status != 413 && call->problem.status != 422)))
		report(call, NULL);
	return embeddings;
}

void
pinecone_inference_wait(PineconeCall *call)
{
	pinecone_vectors_wait(call);
	if (call->state != PINECONE_CALL_SUCCEEDED)
		report(call, NULL);
}
