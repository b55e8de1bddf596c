/*
 * control.c
 *		Requests to the control plane, and those about an index as a whole.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "client/call.h"
#include "client/control.h"
#include "client/error.h"
#include "wire/message.h"

/* Namespaces can be made, and backups, since these versions */
#define NAMESPACE_VERSION "2025-10"
#define BACKUP_VERSION "2025-04"

/* Entries of a page: as many as there may be */
#define PAGE "100"

typedef struct Request
{
	const char *operation; /* for messages */
	const char *method;
	const char *path;	 /* encoded */
	const char *body;	 /* or NULL */
	const char *version; /* the oldest that knows of it; NULL: any */
	bool at_index;		 /* of the server, not the control plane */
	bool once;			 /* doing it twice is something else than doing it once */
	bool single_attempt;
	const char *name; /* of the namespace, or alias, that it changes; or NULL */
	bool reads;		  /* though its method is that of a write */
} Request;

/* ---- Sending ---- */

/* A path of parts, those at odd places encoded; the last is NULL. */
static char *
path_of(const char *part, ...)
{
	StringInfoData path;
	va_list parts;
	bool encoded = false;

	initStringInfo(&path);
	va_start(parts, part);
	for (; part != NULL; part = va_arg(parts, const char *))
	{
		if (encoded)
			pinecone_message_append_encoded(&path, part);
		else
			appendStringInfoString(&path, part);
		encoded = !encoded;
	}
	va_end(parts);
	return path.data;
}

static char *
page_of(char *path, const char *token)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, path);
	pinecone_message_append_parameter(&buf, "limit", PAGE);
	if (token != NULL)
		pinecone_message_append_parameter(&buf, "paginationToken", token);
	return buf.data;
}

/* The server's version, or the one that the request needs if that is newer. */
static const char *
version_for(PineconeSession *session, const char *least)
{
	return least != NULL && strcmp(session->options->api_version, least) < 0 ? least : NULL;
}

static PineconeCall *
start(PineconeSession *session, const Request *request)
{
	PineconeCall *call = pinecone_call_create(session, NULL, request->operation, request->method);
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	if (!request->at_index)
	{
		PineconeProblem *problem = NULL;
		char *control_url = pinecone_session_control_url(session, &problem);

		if (control_url == NULL)
		{
			pinecone_problem_copy(&call->problem, problem, call->cxt);
			call->state = PINECONE_CALL_FAILED;
			MemoryContextSwitchTo(old);
			return call;
		}
		call->url = psprintf("%s%s", control_url, request->path);
		call->control_plane = true;
	}
	call->path = pstrdup(request->path);
	if (request->name != NULL)
		call->rate_namespace = call->about = pstrdup(pinecone_option_plain_namespace(request->name));
	if (request->body != NULL)
	{
		call->body = pstrdup(request->body);
		call->body_len = strlen(request->body);
	}
	MemoryContextSwitchTo(old);
	call->api_version = version_for(session, request->version);
	call->is_write = strcmp(request->method, "GET") != 0 && !request->reads;
	call->once = request->once;
	call->told_apart = call->is_write;
	call->single_attempt = request->single_attempt;
	pinecone_call_start(call);
	return call;
}

/* Can the reply be read?  Only one to a deletion may be empty. */
static bool
is_sound(const PineconeCall *call, const char **reason)
{
	*reason = "the reply is empty";
	if (call->exchange->body_len == 0 && strcmp(call->method, "DELETE") != 0)
		return false;
	return pinecone_message_decode_done(call->exchange->body, call->exchange->body_len, reason);
}

static PineconeCall *
perform(PineconeSession *session, const Request *request)
{
	PineconeCall *call = start(session, request);
	const char *reason;

	for (;;)
	{
		pinecone_vectors_wait(call);
		if (call->state != PINECONE_CALL_SUCCEEDED || is_sound(call, &reason))
			return call;
		(void) pinecone_call_reject(call, reason);
	}
}

static PineconeCall *
get(PineconeSession *session, const char *operation, const char *path, const char *version)
{
	return perform(session, &(Request){operation, "GET", path, NULL, version});
}

/*
 * What describes indexes is asked for in the newest form, which alone tells of
 * document indexes; services that know older ones alone refuse that.
 */
static PineconeCall *
describe(PineconeSession *session, const char *operation, const char *path, bool single_attempt)
{
	Request request = {operation, "GET", path, NULL, session->old_describe ? NULL : PINECONE_SCHEMA_VERSION, .single_attempt = single_attempt};
	PineconeCall *call = perform(session, &request);

	if (call->api_version == NULL || pinecone_control_status(call) != 400)
		return call;
	session->old_describe = true;
	pinecone_vectors_free(call);
	request.version = NULL;
	return perform(session, &request);
}

/* ---- Indexes ---- */

bool
pinecone_control_has_schemas(const PineconeSession *session)
{
	return strcmp(session->options->api_version, PINECONE_SCHEMA_VERSION) >= 0;
}

PineconeCall *
pinecone_control_indexes(PineconeSession *session)
{
	return describe(session, "list indexes", "/indexes", false);
}

PineconeCall *
pinecone_control_describe_index(PineconeSession *session, const char *index, bool single_attempt)
{
	return describe(session, "describe index", path_of("/indexes/", index, NULL), single_attempt);
}

PineconeCall *
pinecone_control_create_index(PineconeSession *session, const char *body, bool schemas)
{
	return perform(session, &(Request){"create index", "POST", "/indexes", body, schemas ? PINECONE_SCHEMA_VERSION : NULL});
}

PineconeCall *
pinecone_control_configure_index(PineconeSession *session, const char *index, const char *body)
{
	return perform(session, &(Request){"configure index", "PATCH", path_of("/indexes/", index, NULL), body});
}

PineconeCall *
pinecone_control_delete_index(PineconeSession *session, const char *index)
{
	return perform(session, &(Request){"delete index", "DELETE", path_of("/indexes/", index, NULL)});
}

/* ---- Backups ---- */

PineconeCall *
pinecone_control_backups(PineconeSession *session, const char *index, const char *token)
{
	char *path = index ? path_of("/indexes/", index, "/backups", NULL) : pstrdup("/backups");

	return get(session, "list backups", page_of(path, token), BACKUP_VERSION);
}

PineconeCall *
pinecone_control_create_backup(PineconeSession *session, const char *index, const char *body)
{
	return perform(session, &(Request){"create backup", "POST", path_of("/indexes/", index, "/backups", NULL), body, BACKUP_VERSION, .once = true});
}

PineconeCall *
pinecone_control_describe_backup(PineconeSession *session, const char *id)
{
	return get(session, "describe backup", path_of("/backups/", id, NULL), BACKUP_VERSION);
}

PineconeCall *
pinecone_control_delete_backup(PineconeSession *session, const char *id)
{
	return perform(session, &(Request){"delete backup", "DELETE", path_of("/backups/", id, NULL), NULL, BACKUP_VERSION});
}

PineconeCall *
pinecone_control_restore(PineconeSession *session, const char *id, const char *body)
{
	return perform(session, &(Request){"create index from backup", "POST", path_of("/backups/", id, "/create-index", NULL), body, BACKUP_VERSION});
}

PineconeCall *
pinecone_control_restore_jobs(PineconeSession *session, const char *token)
{
	return get(session, "list restore jobs", page_of(pstrdup("/restore-jobs"), token), BACKUP_VERSION);
}

PineconeCall *
pinecone_control_describe_restore_job(PineconeSession *session, const char *id)
{
	return get(session, "describe restore job", path_of("/restore-jobs/", id, NULL), BACKUP_VERSION);
}

/* ---- Namespaces and aliases ---- */

PineconeCall *
pinecone_control_stats(PineconeSession *session)
{
	return perform(session, &(Request){"describe index stats", "POST", "/describe_index_stats", "{}", .at_index = true, .reads = true});
}

PineconeCall *
pinecone_control_read_name(PineconeSession *session, const char *name)
{
	StringInfoData path;

	if (session->schema != NULL)
		return perform(session, &(Request){"list", "POST", path_of("/namespaces/", name, "/documents/list", NULL), "{\"limit\":1}", PINECONE_SCHEMA_VERSION, .at_index = true, .reads = true});
	initStringInfo(&path);
	appendStringInfoString(&path, "/vectors/list");
	pinecone_message_append_parameter(&path, "limit", "1");
	pinecone_message_append_parameter(&path, "namespace", name);
	return perform(session, &(Request){"list", "GET", path.data, .at_index = true});
}

PineconeCall *
pinecone_control_namespaces(PineconeSession *session, const char *prefix, const char *token)
{
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfoString(&path, page_of(pstrdup("/namespaces"), token));
	if (prefix != NULL)
		pinecone_message_append_parameter(&path, "prefix", prefix);
	return perform(session, &(Request){"list namespaces", "GET", path.data, .at_index = true});
}

PineconeCall *
pinecone_control_create_namespace(PineconeSession *session, const char *body)
{
	return perform(session, &(Request){"create namespace", "POST", "/namespaces", body, NAMESPACE_VERSION, .at_index = true});
}

PineconeCall *
pinecone_control_delete_namespace(PineconeSession *session, const char *name)
{
	return perform(session, &(Request){"delete namespace", "DELETE", path_of("/namespaces/", name, NULL), .name = name, .at_index = true});
}

PineconeCall *
pinecone_control_aliases(PineconeSession *session, const char *token)
{
	return perform(session, &(Request){"list namespace aliases", "GET", page_of(pstrdup("/namespace-aliases"), token), NULL, PINECONE_SCHEMA_VERSION, .at_index = true});
}

PineconeCall *
pinecone_control_describe_alias(PineconeSession *session, const char *alias)
{
	return perform(session, &(Request){"describe namespace alias", "GET", path_of("/namespace-aliases/", alias, NULL), NULL, PINECONE_SCHEMA_VERSION, .at_index = true});
}

PineconeCall *
pinecone_control_create_alias(PineconeSession *session, const char *alias, const char *body)
{
	return perform(session, &(Request){"create namespace alias", "POST", "/namespace-aliases", body, PINECONE_SCHEMA_VERSION, .name = alias, .at_index = true});
}

PineconeCall *
pinecone_control_repoint_alias(PineconeSession *session, const char *alias, const char *body)
{
	return perform(session, &(Request){"repoint namespace alias", "PATCH", path_of("/namespace-aliases/", alias, NULL), body, PINECONE_SCHEMA_VERSION, .name = alias, .at_index = true});
}

PineconeCall *
pinecone_control_delete_alias(PineconeSession *session, const char *alias)
{
	return perform(session, &(Request){"delete namespace alias", "DELETE", path_of("/namespace-aliases/", alias, NULL), NULL, PINECONE_SCHEMA_VERSION, .name = alias, .at_index = true});
}

/* ---- To see whether one may ---- */

PineconeCall *
pinecone_control_try_stats(PineconeSession *session)
{
	return perform(session, &(Request){"describe index stats", "POST", "/describe_index_stats", "{}", .at_index = true, .reads = true, .single_attempt = true});
}

PineconeCall *
pinecone_control_try_read(PineconeSession *session)
{
	if (session->schema != NULL)
		return perform(session, &(Request){"list", "POST", "/namespaces/__default__/documents/list", "{\"limit\":1}", PINECONE_SCHEMA_VERSION, .at_index = true, .reads = true, .single_attempt = true});
	return perform(session, &(Request){"list", "GET", "/vectors/list?limit=1", .at_index = true, .single_attempt = true});
}

/*
 * What names no record at all is refused whatever is stored; the right to write
 * is looked at before.
 */
PineconeCall *
pinecone_control_try_write(PineconeSession *session)
{
	if (session->schema != NULL)
		return perform(session, &(Request){"delete", "POST", "/namespaces/__default__/documents/delete", "{}", PINECONE_SCHEMA_VERSION, .at_index = true, .reads = true, .single_attempt = true});
	return perform(session, &(Request){"update dry run", "POST", "/vectors/update", "{\"filter\":{\"pinecone_fdw_ping\":{\"$eq\":\"\"}},\"dryRun\":true}", .at_index = true, .reads = true, .single_attempt = true});
}

/* ---- What has become of it ---- */

bool
pinecone_control_succeeded(const PineconeCall *call)
{
	return call->state == PINECONE_CALL_SUCCEEDED;
}

long
pinecone_control_status(const PineconeCall *call)
{
	/* one that another call has got, about where the index is, is not of this one */
	if (call->state != PINECONE_CALL_FAILED || call->problem.outcome != PINECONE_HTTP_ANSWERED ||
		call->problem.operation != NULL || call->problem.invalid != NULL || call->problem.host_refused)
		return 0;
	return call->problem.status;
}

const char *
pinecone_control_reason(const PineconeCall *call)
{
	return call->state == PINECONE_CALL_FAILED ? call->problem.reason : NULL;
}

bool
pinecone_control_was_repeated(const PineconeCall *call)
{
	return call->maybe_applied;
}

const char *
pinecone_control_body(const PineconeCall *call, size_t *len)
{
	*len = call->exchange->body_len;
	return call->exchange->body;
}

int64
pinecone_control_duration(const PineconeCall *call)
{
	return pinecone_clock_now() - call->sent_at;
}
