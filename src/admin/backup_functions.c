/*
 * backup_functions.c
 *		Backups and restore jobs from SQL.
 *
 * Names of backups need not be unique for the service.  Here they have to be for
 * an index, so that a backup that was asked for can be told from one that was not.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "admin/argument.h"
#include "admin/failed.h"
#include "admin/forget.h"
#include "admin/pages.h"
#include "admin/progress.h"
#include "client/control.h"
#include "wire/message.h"

PG_FUNCTION_INFO_V1(pinecone_backups);
PG_FUNCTION_INFO_V1(pinecone_describe_backup);
PG_FUNCTION_INFO_V1(pinecone_create_backup);
PG_FUNCTION_INFO_V1(pinecone_delete_backup);
PG_FUNCTION_INFO_V1(pinecone_create_index_from_backup);
PG_FUNCTION_INFO_V1(pinecone_restore_jobs);
PG_FUNCTION_INFO_V1(pinecone_describe_restore_job);

/* ---- Rows ---- */

static void
put_count(PineconeRows *rows, JsonbContainer *object, const char *name)
{
	double count = 0;
	bool known = pinecone_json_number(object, name, &count);

	pinecone_row_bigint(rows, count, known);
}

/* What has no id is no backup. */
static void
put_backup(PineconeRows *rows, JsonbContainer *backup)
{
	char *id = pinecone_json_string(backup, "backup_id");
	double dimension = 0;

	if (id == NULL)
		return;
	(void) pinecone_json_number(backup, "dimension", &dimension);
	pinecone_row_text(rows, id);
	pinecone_row_text(rows, pinecone_json_string(backup, "name"));
	pinecone_row_text(rows, pinecone_json_string(backup, "source_index_name"));
	pinecone_row_text(rows, pinecone_json_string(backup, "status"));
	pinecone_row_text(rows, pinecone_json_string(backup, "description"));
	pinecone_row_text(rows, pinecone_json_string(backup, "cloud"));
	pinecone_row_text(rows, pinecone_json_string(backup, "region"));
	pinecone_row_int(rows, (int) Max(0, Min(dimension, PG_INT32_MAX)), dimension > 0);
	pinecone_row_text(rows, pinecone_json_string(backup, "metric"));
	put_count(rows, backup, "record_count");
	put_count(rows, backup, "namespace_count");
	put_count(rows, backup, "size_bytes");
	pinecone_row_time(rows, pinecone_json_string(backup, "created_at"));
	pinecone_row_end(rows);
}

static void
put_job(PineconeRows *rows, JsonbContainer *job)
{
	char *id = pinecone_json_string(job, "restore_job_id");
	double percent = 0;
	bool known = pinecone_json_number(job, "percent_complete", &percent);

	if (id == NULL)
		return;
	pinecone_row_text(rows, id);
	pinecone_row_text(rows, pinecone_json_string(job, "backup_id"));
	pinecone_row_text(rows, pinecone_json_string(job, "target_index_name"));
	pinecone_row_text(rows, pinecone_json_string(job, "status"));
	pinecone_row_put(rows, Float8GetDatum(percent), !known);
	pinecone_row_time(rows, pinecone_json_string(job, "created_at"));
	pinecone_row_time(rows, pinecone_json_string(job, "completed_at"));
	pinecone_row_end(rows);
}

/* One of them, as a reply has it */
static JsonbContainer *
root_of(PineconeCall *call, const char *id, const char *what)
{
	Jsonb *reply = pinecone_json_reply(call);

	if (reply == NULL || pinecone_json_string(&reply->root, id) == NULL)
		pinecone_failed_reply(call, psprintf("the reply describes no %s", what));
	return &reply->root;
}

static void
report_missing_backup(const PineconeSession *session, const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("backup \"%s\" does not exist", id),
			 errhint("pinecone_backups(%s) lists those that there are.", quote_literal_cstr(session->options->servername))));
}

static void
report_missing_index(const PineconeSession *session, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("index \"%s\" does not exist", name),
			 errhint("pinecone_indexes(%s) lists those that there are.", quote_literal_cstr(session->options->servername))));
}

/* ---- Backups ---- */

/*
 * All of an index, or with NULL of the project: rows of them, or the one of that
 * name.  An index that is gone has no list of its own: what was made of it is in
 * the project's.
 */
static JsonbContainer *
list_backups(PineconeSession *session, const char *index, const char *name, PineconeRows *rows)
{
	PineconePages pages = {"data"};
	const char *gone = NULL;
	bool any = false;

	for (;;)
	{
		PineconeCall *call = pinecone_control_backups(session, gone ? NULL : index, pages.token);
		PineconeJsonWalk walk;
		JsonbContainer *one;

		if (index != NULL && gone == NULL && pinecone_control_status(call) == 404)
		{
			if (rows == NULL)
				report_missing_index(session, index);
			gone = index;
			pinecone_vectors_free(call);
			continue;
		}
		if (!pinecone_control_succeeded(call))
			pinecone_failed(call, "could not list backups", NULL);
		pinecone_pages_read(&pages, call, &walk);
		while ((one = pinecone_json_next(&walk)) != NULL)
		{
			const char *wanted = rows != NULL ? gone : name;
			char *other = wanted ? pinecone_json_string(one, gone ? "source_index_name" : "name") : NULL;

			if (wanted != NULL && (other == NULL || strcmp(other, wanted) != 0))
				continue;
			if (rows == NULL)
				return one;
			put_backup(rows, one);
			any = true;
		}
		pinecone_vectors_free(call);
		if (pages.token == NULL)
			break;
	}
	if (gone != NULL && !any)
		report_missing_index(session, gone);
	return NULL;
}

Datum
pinecone_backups(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_backups()", PINECONE_ADMIN_READS);
	char *index = PG_ARGISNULL(1) ? NULL : pinecone_argument_index(fcinfo, 1, "index");
	PineconeRows rows;

	pinecone_rows_begin(&rows, fcinfo);
	(void) list_backups(pinecone_argument_session(serverid, false), index, NULL, &rows);
	return (Datum) 0;
}

/* One backup, or NULL where there is none of that id. */
static JsonbContainer *
describe_backup(PineconeSession *session, const char *id)
{
	PineconeCall *call = pinecone_control_describe_backup(session, id);

	if (pinecone_control_status(call) == 404)
		return NULL;
	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, psprintf("could not describe backup \"%s\"", id), NULL);
	return root_of(call, "backup_id", "backup");
}

Datum
pinecone_describe_backup(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_describe_backup()", PINECONE_ADMIN_READS);
	char *id = pinecone_argument_text(fcinfo, 1, "backup_id");
	PineconeSession *session = pinecone_argument_session(serverid, false);
	JsonbContainer *backup = describe_backup(session, id);
	PineconeRows rows;

	if (backup == NULL)
		report_missing_backup(session, id);
	pinecone_rows_begin(&rows, fcinfo);
	put_backup(&rows, backup);
	return (Datum) 0;
}

/* A member of a body, after others */
static void
append_string(StringInfo body, const char *name, const char *value)
{
	appendStringInfo(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
	pinecone_message_append_string(body, pg_server_to_any(value, strlen(value), PG_UTF8));
}

static JsonbContainer *
await_backup(PineconeProgress *progress, PineconeSession *session, const char *id, JsonbContainer *backup, int64 most_ms)
{
	PineconeTime end = pinecone_clock_after_ms(pinecone_clock_now(), most_ms);

	for (;;)
	{
		char *status = pinecone_json_string(backup, "status");

		if (status == NULL || strcmp(status, "Ready") == 0)
			return backup;
		if (strcmp(status, "Failed") == 0 || strcmp(status, "Terminating") == 0)
		{
			progress->accepted = NULL;
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("backup \"%s\" will not get ready: its status is %s", id, status),
					 errhint("Delete it, and make another one.")));
		}
		pinecone_progress_accept(progress, status);
		if (pinecone_clock_now() >= end)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("backup \"%s\" is not ready after %.1f s", id, most_ms / 1000.0),
					 errhint("Wait longer (argument \"timeout\"), or look at it later: pinecone_describe_backup().")));
		pinecone_progress_sleep(progress, end);
		backup = describe_backup(session, id);
		if (backup == NULL)
			report_missing_backup(session, id);
	}
}

/*
 * A backup is made unless the index has one of that name, and is waited for if
 * that is wanted.  The request is sent once: if it is not known what has become
 * of it, the error says how to find out.
 */
Datum
pinecone_create_backup(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_create_backup()", PINECONE_ADMIN_WRITES);
	char *index = pinecone_argument_index(fcinfo, 1, "index");
	char *name = pinecone_argument_text(fcinfo, 2, "name");
	char *description = pinecone_argument_optional_text(fcinfo, 3, "description");
	bool wait = pinecone_argument_bool(fcinfo, 4, "wait");
	int64 most_ms = pinecone_argument_wait(fcinfo, 5, "timeout");
	PineconeSession *session = pinecone_argument_session(serverid, false);
	PineconeProgress progress;
	StringInfoData body;
	JsonbContainer *backup;
	PineconeCall *call;
	PineconeRows rows;

	backup = list_backups(session, index, name, NULL);
	if (backup != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("backup \"%s\" of index \"%s\" already exists", name, index),
				 errdetail("Its id is \"%s\", its status %s.", pinecone_json_string(backup, "backup_id"), pinecone_json_string(backup, "status"))));
	initStringInfo(&body);
	appendStringInfoChar(&body, '{');
	append_string(&body, "name", name);
	if (description != NULL)
		append_string(&body, "description", description);
	appendStringInfoChar(&body, '}');
	pinecone_progress_begin(&progress, psprintf("creation of backup \"%s\"", name),
							"it is safe to repeat: that is an error if the backup has been made, which pinecone_backups() shows");
	pinecone_progress_send(&progress, session, "create_backup", "index", index);
	call = pinecone_control_create_backup(session, index, body.data);
	pinecone_progress_answered(&progress);
	if (pinecone_control_status(call) == 404)
		report_missing_index(session, index);
	if (!pinecone_control_succeeded(call))
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "pinecone_backups() shows whether there is one; to repeat it then is an error, not a second backup.");
		pinecone_failed(call, psprintf("could not create a backup of index \"%s\"", index), NULL);
	}
	backup = root_of(call, "backup_id", "backup");
	if (wait)
		backup = await_backup(&progress, session, pinecone_json_string(backup, "backup_id"), backup, most_ms);
	pinecone_progress_end(&progress);
	pinecone_rows_begin(&rows, fcinfo);
	put_backup(&rows, backup);
	return (Datum) 0;
}

Datum
pinecone_delete_backup(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_delete_backup()", PINECONE_ADMIN_WRITES);
	char *id = pinecone_argument_text(fcinfo, 1, "backup_id");
	bool if_exists = pinecone_argument_bool(fcinfo, 2, "if_exists");
	PineconeSession *session = pinecone_argument_session(serverid, false);
	PineconeProgress progress;
	PineconeCall *call;
	bool gone;

	pinecone_progress_begin(&progress, psprintf("deletion of backup \"%s\"", id),
							"pinecone_delete_backup(..., if_exists => true) is safe to repeat");
	pinecone_progress_send(&progress, session, "delete_backup", "backup", id);
	call = pinecone_control_delete_backup(session, id);
	pinecone_progress_answered(&progress);
	gone = pinecone_control_succeeded(call);
	if (!gone && pinecone_control_status(call) == 404)
	{
		gone = pinecone_control_was_repeated(call);
		if (!gone && !if_exists)
			report_missing_backup(session, id);
		if (!gone)
			ereport(NOTICE, (errmsg("backup \"%s\" does not exist", id)));
	}
	else if (!gone)
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "It is safe to repeat, with if_exists => true if it may have been done.");
		pinecone_failed(call, psprintf("could not delete backup \"%s\"", id),
						pinecone_control_status(call) == 412 ? "An index is being made from it: wait for that." : NULL);
	}
	pinecone_progress_end(&progress);
	PG_RETURN_BOOL(gone);
}

/* ---- Restore jobs ---- */

/* Rows of all jobs, or the one that makes that index of that backup. */
static JsonbContainer *
list_jobs(PineconeSession *session, const char *backup_id, const char *index, PineconeRows *rows)
{
	PineconePages pages = {"data"};

	do
	{
		PineconeCall *call = pinecone_control_restore_jobs(session, pages.token);
		PineconeJsonWalk walk;
		JsonbContainer *one;

		if (!pinecone_control_succeeded(call))
			pinecone_failed(call, "could not list restore jobs", NULL);
		pinecone_pages_read(&pages, call, &walk);
		while ((one = pinecone_json_next(&walk)) != NULL)
		{
			char *id = pinecone_json_string(one, "backup_id");
			char *target = pinecone_json_string(one, "target_index_name");

			if (rows != NULL)
				put_job(rows, one);
			else if (id != NULL && target != NULL && strcmp(id, backup_id) == 0 && strcmp(target, index) == 0)
				return one;
		}
		pinecone_vectors_free(call);
	}
	while (pages.token != NULL);
	return NULL;
}

Datum
pinecone_restore_jobs(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_restore_jobs()", PINECONE_ADMIN_READS);
	PineconeRows rows;

	pinecone_rows_begin(&rows, fcinfo);
	(void) list_jobs(pinecone_argument_session(serverid, false), NULL, NULL, &rows);
	return (Datum) 0;
}

static JsonbContainer *
describe_job(PineconeSession *session, const char *id)
{
	PineconeCall *call = pinecone_control_describe_restore_job(session, id);

	if (pinecone_control_status(call) == 404)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("restore job \"%s\" does not exist", id),
				 errhint("pinecone_restore_jobs(%s) lists those that there are.", quote_literal_cstr(session->options->servername))));
	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, psprintf("could not describe restore job \"%s\"", id), NULL);
	return root_of(call, "restore_job_id", "restore job");
}

Datum
pinecone_describe_restore_job(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_describe_restore_job()", PINECONE_ADMIN_READS);
	char *id = pinecone_argument_text(fcinfo, 1, "restore_job_id");
	JsonbContainer *job = describe_job(pinecone_argument_session(serverid, false), id);
	PineconeRows rows;

	pinecone_rows_begin(&rows, fcinfo);
	put_job(&rows, job);
	return (Datum) 0;
}

/* Wait until the job is over, for so many ms of which *most_ms are left then. */
static JsonbContainer *
await_job(PineconeProgress *progress, PineconeSession *session, const char *id, int64 *most_ms)
{
	PineconeTime end = pinecone_clock_after_ms(pinecone_clock_now(), *most_ms);

	for (;;)
	{
		JsonbContainer *job = describe_job(session, id);
		char *status = pinecone_json_string(job, "status");
		double percent = 0;

		if (status == NULL || strcmp(status, "Completed") == 0)
		{
			*most_ms = Max(0, pinecone_clock_ms_until(end));
			return job;
		}
		if (strcmp(status, "Failed") == 0 || strcmp(status, "Cancelled") == 0)
		{
			progress->accepted = NULL;
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("restore job \"%s\" has ended with status %s", id, status)));
		}
		(void) pinecone_json_number(job, "percent_complete", &percent);
		pinecone_progress_accept(progress, psprintf("restore job %s, %.0f %%", status, percent));
		if (pinecone_clock_now() >= end)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("restore job \"%s\" is not over after %.1f s", id, *most_ms / 1000.0),
					 errhint("Wait longer (argument \"timeout\"), or look at it later: pinecone_describe_restore_job().")));
		pinecone_progress_sleep(progress, end);
	}
}

/* Ask for the index; returns the job's id. */
static char *
restore(PineconeSession *session, const char *backup_id, const char *name, const char *body, PineconeProgress *progress)
{
	JsonbContainer *job;
	PineconeCall *call;

	pinecone_progress_send(progress, session, "create_index_from_backup", "index", name);
	call = pinecone_control_restore(session, backup_id, body);
	pinecone_progress_answered(progress);
	if (pinecone_control_succeeded(call))
		return pinecone_json_string(root_of(call, "restore_job_id", "restore job"), "restore_job_id");
	if (pinecone_control_status(call) == 404)
		report_missing_backup(session, backup_id);
	if (pinecone_control_status(call) == 409)
	{
		/* made by an earlier attempt, if there is a job for just that */
		job = pinecone_control_was_repeated(call) ? list_jobs(session, backup_id, name, NULL) : NULL;
		if (job != NULL)
			return pinecone_json_string(job, "restore_job_id");
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("index \"%s\" already exists", name),
				 errhint("Choose another name; pinecone_restore_jobs() tells whether it is being made from a backup.")));
	}
	if (pinecone_control_was_repeated(call))
		pinecone_vectors_set_note(call, "pinecone_restore_jobs() shows whether it is being made; to repeat it then is an error, not a second index.");
	pinecone_failed(call, psprintf("could not create index \"%s\" from backup \"%s\"", name, backup_id), NULL);
}

/* An index is made from a backup, and waited for if that is wanted. */
Datum
pinecone_create_index_from_backup(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_create_index_from_backup()", PINECONE_ADMIN_WRITES);
	char *backup_id = pinecone_argument_text(fcinfo, 1, "backup_id");
	char *name = pinecone_argument_index(fcinfo, 2, "name");
	bool is_protected = pinecone_argument_bool(fcinfo, 3, "deletion_protection");
	Jsonb *tags = pinecone_argument_tags(fcinfo, 4, "tags");
	bool wait = pinecone_argument_bool(fcinfo, 5, "wait");
	int64 most_ms = pinecone_argument_wait(fcinfo, 6, "timeout");
	PineconeSession *session = pinecone_argument_session(serverid, false);
	PineconeIndexDescription index;
	PineconeProgress progress;
	StringInfoData body;
	JsonbContainer *job;
	PineconeRows rows;
	char *id;

	initStringInfo(&body);
	appendStringInfo(&body, "{\"name\":\"%s\",\"deletion_protection\":\"%s\"", name, is_protected ? "enabled" : "disabled");
	if (tags != NULL)
		appendStringInfo(&body, ",\"tags\":%s", pinecone_json_text(tags));
	appendStringInfoChar(&body, '}');
	pinecone_progress_begin(&progress, psprintf("creation of index \"%s\" from a backup", name),
							"it is safe to repeat: that is an error if the index is there, which pinecone_restore_jobs() shows");
	id = restore(session, backup_id, name, body.data, &progress);
	pinecone_progress_wait(&progress);
	pinecone_forget(session, name);
	if (wait)
	{
		job = await_job(&progress, session, id, &most_ms);
		pinecone_progress_await_ready(&progress, session, name, most_ms, &index);
	}
	else
		job = describe_job(session, id);
	pinecone_progress_end(&progress);
	pinecone_rows_begin(&rows, fcinfo);
	put_job(&rows, job);
	return (Datum) 0;
}
