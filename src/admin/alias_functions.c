/*
 * alias_functions.c
 *		Aliases of namespaces from SQL: list, create, repoint, delete (API 2026-07).
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "admin/argument.h"
#include "admin/failed.h"
#include "admin/forget.h"
#include "admin/pages.h"
#include "admin/progress.h"
#include "client/control.h"
#include "wire/message.h"

PG_FUNCTION_INFO_V1(pinecone_aliases);
PG_FUNCTION_INFO_V1(pinecone_create_alias);
PG_FUNCTION_INFO_V1(pinecone_repoint_alias);
PG_FUNCTION_INFO_V1(pinecone_delete_alias);

#define NO_ALIASES "The service has aliases since API version 2026-07, where they are enabled."

/* ---- Listing ---- */

static void
put_alias(PineconeRows *rows, JsonbContainer *alias)
{
	char *name = pinecone_json_string(alias, "name");
	char *target = pinecone_json_string(alias, "target_namespace");

	if (name == NULL || target == NULL)
		return;
	pinecone_row_text(rows, name);
	pinecone_row_text(rows, pinecone_option_plain_namespace(target));
	pinecone_row_time(rows, pinecone_json_string(alias, "created_at"));
	pinecone_row_time(rows, pinecone_json_string(alias, "updated_at"));
	pinecone_row_end(rows);
}

Datum
pinecone_aliases(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_aliases()", PINECONE_ADMIN_READS);
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconePages pages = {"namespace_aliases"};
	PineconeRows rows;

	pinecone_rows_begin(&rows, fcinfo);
	do
	{
		PineconeCall *call = pinecone_control_aliases(session, pages.token);
		PineconeJsonWalk walk;
		JsonbContainer *one;

		if (!pinecone_control_succeeded(call))
			pinecone_failed(call, "could not list aliases", NO_ALIASES);
		pinecone_pages_read(&pages, call, &walk);
		while ((one = pinecone_json_next(&walk)) != NULL)
			put_alias(&rows, one);
		pinecone_vectors_free(call);
	}
	while (pages.token != NULL);
	return (Datum) 0;
}

/* ---- What reads see ---- */

/* Does a read through the alias come from that namespace?  So does one that does not tell. */
static bool
is_followed(PineconeSession *session, const char *alias, const char *target)
{
	PineconeCall *call = pinecone_control_read_name(session, alias);
	Jsonb *reply;
	char *told;
	bool followed;

	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, psprintf("could not read through alias \"%s\"", alias), NULL);
	reply = pinecone_json_reply(call);
	told = pinecone_json_string(&reply->root, "namespace");
	followed = told == NULL || strcmp(pinecone_option_plain_namespace(told), target) == 0;
	pinecone_vectors_free(call);
	return followed;
}

/* A change takes a moment to be seen by what reads. */
static void
await_followed(PineconeProgress *progress, PineconeSession *session, const char *alias, const char *target, int64 most_ms)
{
	PineconeTime end = pinecone_clock_after_ms(pinecone_clock_now(), most_ms);

	pinecone_progress_wait(progress);
	while (!is_followed(session, alias, target))
	{
		pinecone_progress_accept(progress, "reads do not see it yet");
		if (pinecone_clock_now() >= end)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("reads through alias \"%s\" do not come from namespace \"%s\" after %.1f s", alias, target, most_ms / 1000.0),
					 errhint("Wait longer (argument \"timeout\"), or read later.")));
		pinecone_progress_sleep(progress, end);
	}
}

/* ---- Creating ---- */

/* What an alias stands for, or NULL where there is none. */
static char *
target_of(PineconeSession *session, const char *alias)
{
	PineconeCall *call = pinecone_control_describe_alias(session, alias);
	Jsonb *reply;
	char *target;

	if (pinecone_control_status(call) == 404)
		return NULL;
	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, psprintf("could not describe alias \"%s\"", alias), NO_ALIASES);
	reply = pinecone_json_reply(call);
	target = pinecone_json_string(&reply->root, "target_namespace");
	if (target == NULL)
		pinecone_failed_reply(call, "the reply describes no alias");
	return pstrdup(pinecone_option_plain_namespace(target));
}

/* There is such an alias: is it the one that was wanted?  Says whether an earlier attempt has made it. */
static bool
take_existing(PineconeSession *session, const char *alias, const char *target, bool repeated, bool if_not_exists)
{
	char *other = target_of(session, alias);
	bool same = other != NULL && strcmp(other, target) == 0;

	if (same && repeated)
		return true;
	if (!same || !if_not_exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 other ? errmsg("alias \"%s\" already exists, and stands for namespace \"%s\"", alias, other) :
						 errmsg("alias \"%s\" already existed", alias),
				 errhint("pinecone_repoint_alias() points it elsewhere.")));
	ereport(NOTICE, (errmsg("alias \"%s\" of namespace \"%s\" already exists", alias, target)));
	return false;
}

static bool
create_alias(PineconeSession *session, const char *alias, const char *target, bool if_not_exists, PineconeProgress *progress)
{
	StringInfoData body;
	PineconeCall *call;
	const char *reason;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"name\":");
	pinecone_message_append_string(&body, alias);
	appendStringInfoString(&body, ",\"target_namespace\":");
	pinecone_message_append_string(&body, pinecone_argument_sent_namespace(target));
	appendStringInfoChar(&body, '}');
	pinecone_progress_send(progress, session, "create_alias", "alias", alias);
	call = pinecone_control_create_alias(session, alias, body.data);
	pinecone_progress_answered(progress);
	reason = pinecone_control_reason(call);
	if (pinecone_control_succeeded(call))
		return true;
	if (pinecone_control_status(call) == 409 && reason != NULL && strcmp(reason, "ALIAS_ALREADY_EXISTS") == 0)
		return take_existing(session, alias, target, pinecone_control_was_repeated(call), if_not_exists);
	if (pinecone_control_was_repeated(call))
		pinecone_vectors_set_note(call, "Repeat it with if_not_exists => true.");
	pinecone_failed(call, psprintf("could not create alias \"%s\"", alias), reason ? NULL : NO_ALIASES);
}

Datum
pinecone_create_alias(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_create_alias()", PINECONE_ADMIN_WRITES);
	char *alias = pinecone_argument_alias(fcinfo, 1, "alias");
	char *target = pinecone_argument_namespace(fcinfo, 2, "namespace");
	bool if_not_exists = pinecone_argument_bool(fcinfo, 3, "if_not_exists");
	bool wait = pinecone_argument_bool(fcinfo, 4, "wait");
	int64 most_ms = pinecone_argument_wait(fcinfo, 5, "timeout");
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconeProgress progress;
	bool made;

	pinecone_progress_begin(&progress, psprintf("creation of alias \"%s\"", alias),
							"pinecone_create_alias(..., if_not_exists => true) is safe to repeat");
	made = create_alias(session, alias, target, if_not_exists, &progress);
	pinecone_forget(session, NULL);
	if (wait)
		await_followed(&progress, session, alias, target, most_ms);
	pinecone_progress_end(&progress);
	PG_RETURN_BOOL(made);
}

/* ---- Repointing, deleting ---- */

static void
report_missing(const PineconeSession *session, const char *alias)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("alias \"%s\" does not exist", alias),
			 errhint("pinecone_aliases(%s) lists those that there are.", quote_literal_cstr(session->options->servername))));
}

static bool
is_missing(const PineconeCall *call)
{
	const char *reason = pinecone_control_reason(call);

	return reason != NULL && strcmp(reason, "ALIAS_NOT_FOUND") == 0;
}

Datum
pinecone_repoint_alias(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_repoint_alias()", PINECONE_ADMIN_WRITES);
	char *alias = pinecone_argument_alias(fcinfo, 1, "alias");
	char *target = pinecone_argument_namespace(fcinfo, 2, "namespace");
	bool wait = pinecone_argument_bool(fcinfo, 3, "wait");
	int64 most_ms = pinecone_argument_wait(fcinfo, 4, "timeout");
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconeProgress progress;
	StringInfoData body;
	PineconeCall *call;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"target_namespace\":");
	pinecone_message_append_string(&body, pinecone_argument_sent_namespace(target));
	appendStringInfoChar(&body, '}');
	pinecone_progress_begin(&progress, psprintf("repointing of alias \"%s\"", alias), "it is safe to repeat");
	pinecone_progress_send(&progress, session, "repoint_alias", "alias", alias);
	call = pinecone_control_repoint_alias(session, alias, body.data);
	pinecone_progress_answered(&progress);
	if (is_missing(call))
		report_missing(session, alias);
	if (!pinecone_control_succeeded(call))
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "It is safe to repeat.");
		pinecone_failed(call, psprintf("could not repoint alias \"%s\"", alias), pinecone_control_reason(call) ? NULL : NO_ALIASES);
	}
	pinecone_forget(session, NULL);
	if (wait)
		await_followed(&progress, session, alias, target, most_ms);
	pinecone_progress_end(&progress);
	PG_RETURN_VOID();
}

Datum
pinecone_delete_alias(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_delete_alias()", PINECONE_ADMIN_WRITES);
	char *alias = pinecone_argument_alias(fcinfo, 1, "alias");
	bool if_exists = pinecone_argument_bool(fcinfo, 2, "if_exists");
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconeProgress progress;
	PineconeCall *call;
	bool gone;

	pinecone_progress_begin(&progress, psprintf("deletion of alias \"%s\"", alias),
							"pinecone_delete_alias(..., if_exists => true) is safe to repeat");
	pinecone_progress_send(&progress, session, "delete_alias", "alias", alias);
	call = pinecone_control_delete_alias(session, alias);
	pinecone_progress_answered(&progress);
	gone = pinecone_control_succeeded(call);
	if (!gone && is_missing(call))
	{
		gone = pinecone_control_was_repeated(call);
		if (!gone && !if_exists)
			report_missing(session, alias);
		if (!gone)
			ereport(NOTICE, (errmsg("alias \"%s\" does not exist", alias)));
	}
	else if (!gone)
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "It is safe to repeat, with if_exists => true if it may have been done.");
		pinecone_failed(call, psprintf("could not delete alias \"%s\"", alias), pinecone_control_reason(call) ? NULL : NO_ALIASES);
	}
	pinecone_forget(session, NULL);
	pinecone_progress_end(&progress);
	PG_RETURN_BOOL(gone);
}
