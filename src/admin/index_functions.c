/*
 * index_functions.c
 *		Indexes from SQL: list, describe, create, configure, delete.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "admin/argument.h"
#include "admin/failed.h"
#include "admin/forget.h"
#include "admin/index_wanted.h"
#include "admin/progress.h"
#include "client/control.h"
#include "client/region.h"

PG_FUNCTION_INFO_V1(pinecone_indexes);
PG_FUNCTION_INFO_V1(pinecone_describe_index);
PG_FUNCTION_INFO_V1(pinecone_create_index);
PG_FUNCTION_INFO_V1(pinecone_configure_index);
PG_FUNCTION_INFO_V1(pinecone_delete_index);

/* ---- Reading ---- */

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((const PineconeIndexDescription *) lfirst(a))->name,
				  ((const PineconeIndexDescription *) lfirst(b))->name);
}

Datum
pinecone_indexes(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_indexes()", PINECONE_ADMIN_READS);
	PineconeCall *call = pinecone_control_indexes(pinecone_argument_session(serverid, false));
	PineconeRows rows;
	List *list;
	ListCell *lc;

	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, "could not list indexes", NULL);
	list = pinecone_index_read_list(pinecone_json_reply(call));
	list_sort(list, compare_names);
	pinecone_rows_begin(&rows, fcinfo);
	foreach(lc, list)
		pinecone_index_row(&rows, lfirst(lc));
	return (Datum) 0;
}

/*
 * Describe an index; false where there is none of that name.  Other failures are
 * errors.
 */
static bool
describe_index(PineconeSession *session, const char *name, PineconeIndexDescription *index)
{
	PineconeCall *call = pinecone_control_describe_index(session, name, false);

	if (pinecone_control_status(call) == 404)
		return false;
	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, psprintf("could not describe index \"%s\"", name), NULL);
	if (!pinecone_index_read(pinecone_json_reply(call), index))
		pinecone_failed_reply(call, "the reply describes no index");
	return true;
}

static void
report_missing(const PineconeSession *session, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("index \"%s\" does not exist", name),
			 errhint("pinecone_indexes(%s) lists those that there are.", quote_literal_cstr(session->options->servername))));
}

static void
return_index(FunctionCallInfo fcinfo, const PineconeIndexDescription *index)
{
	PineconeRows rows;

	pinecone_rows_begin(&rows, fcinfo);
	pinecone_index_row(&rows, index);
}

Datum
pinecone_describe_index(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_describe_index()", PINECONE_ADMIN_READS);
	char *name = PG_ARGISNULL(1) ? pinecone_option_server(serverid)->index : pinecone_argument_index(fcinfo, 1, "name");
	PineconeSession *session;
	PineconeIndexDescription index;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"name\" must be given"),
				 errdetail("Server \"%s\" has no option \"index\".", pinecone_option_server(serverid)->servername)));
	session = pinecone_argument_session(serverid, false);
	if (!describe_index(session, name, &index))
		report_missing(session, name);
	return_index(fcinfo, &index);
	return (Datum) 0;
}

/* ---- Creating ---- */

/*
 * There is an index of that name: one that was wanted, be it that an earlier
 * attempt has made it, or an error.
 */
static void
take_existing(PineconeSession *session, const PineconeIndexWanted *wanted, bool repeated, bool if_not_exists,
			  PineconeIndexDescription *index, PineconeCall *call)
{
	char *difference;

	if (!repeated && !if_not_exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("index \"%s\" already exists", wanted->name),
				 errhint("With if_not_exists => true that is no error, if it is one as is asked for.")));
	if (!describe_index(session, wanted->name, index))
		pinecone_failed(call, psprintf("could not create index \"%s\"", wanted->name),
						"It was there, and is gone by now: repeat the statement.");
	difference = pinecone_index_wanted_difference(wanted, index);
	if (difference != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("index \"%s\" already exists, and is another one", wanted->name),
				 errdetail_internal("%s", psprintf("%c%s.", pg_toupper((unsigned char) difference[0]), difference + 1)),
				 errhint("Choose another name.")));
	if (!repeated)
		ereport(NOTICE, (errmsg("index \"%s\" already exists", wanted->name)));
}

/* Send the request; *index is what there is then. */
static void
create_index(PineconeSession *session, const PineconeIndexWanted *wanted, bool if_not_exists, PineconeProgress *progress,
			 PineconeIndexDescription *index)
{
	bool schemas = wanted->schema != NULL || pinecone_control_has_schemas(session);
	PineconeRegion region = {(char *) wanted->cloud, (char *) wanted->region};
	PineconeCall *call;

	if (!pinecone_region_is_allowed(session->options, &region))
		pinecone_argument_reject("region", pinecone_region_text(&region), "The server's \"allowed_regions\" option does not have it.");

	pinecone_progress_send(progress, session, "create_index", "index", wanted->name);
	call = pinecone_control_create_index(session, pinecone_index_wanted_body(wanted, schemas), schemas);
	pinecone_progress_answered(progress);
	if (pinecone_control_status(call) == 409)
		take_existing(session, wanted, pinecone_control_was_repeated(call), if_not_exists, index, call);
	else if (!pinecone_control_succeeded(call))
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "Repeat it with if_not_exists => true, which takes an index that has been made.");
		pinecone_failed(call, psprintf("could not create index \"%s\"", wanted->name),
						pinecone_control_status(call) == 404 ? "Check the arguments \"cloud\" and \"region\"." : NULL);
	}
	else if (!pinecone_index_read(pinecone_json_reply(call), index))
		pinecone_failed_reply(call, "the reply describes no index");
	pinecone_vectors_free(call);
}

Datum
pinecone_create_index(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_create_index()", PINECONE_ADMIN_WRITES);
	PineconeIndexWanted wanted;
	PineconeIndexDescription index;
	PineconeProgress progress;
	PineconeSession *session;
	bool if_not_exists;
	bool wait;
	int64 most_ms;

	pinecone_index_wanted_read(fcinfo, &wanted);
	if_not_exists = pinecone_argument_bool(fcinfo, 11, "if_not_exists");
	wait = pinecone_argument_bool(fcinfo, 12, "wait");
	most_ms = pinecone_argument_wait(fcinfo, 13, "timeout");
	session = pinecone_argument_session(serverid, false);

	pinecone_progress_begin(&progress, psprintf("creation of index \"%s\"", wanted.name),
							"pinecone_create_index(..., if_not_exists => true) is safe, and takes the index that has been made");
	create_index(session, &wanted, if_not_exists, &progress, &index);
	pinecone_forget(session, wanted.name);
	if (wait && !index.ready)
		pinecone_progress_await_ready(&progress, session, wanted.name, most_ms, &index);
	pinecone_progress_end(&progress);
	return_index(fcinfo, &index);
	return (Datum) 0;
}

/* ---- Configuring ---- */

static char *
configure_body(FunctionCallInfo fcinfo, PineconeSession *session, bool *scales)
{
	Jsonb *tags = pinecone_argument_tags(fcinfo, 3, "tags");
	Jsonb *capacity = pinecone_index_read_capacity(fcinfo, 4);
	StringInfoData body;

	if (PG_ARGISNULL(2) && tags == NULL && capacity == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("nothing is to be changed"),
				 errhint("Give one of the arguments \"deletion_protection\", \"tags\" and \"read_capacity\"; dimension, metric, cloud and region of an index never change.")));
	initStringInfo(&body);
	if (!PG_ARGISNULL(2))
		appendStringInfo(&body, ",\"deletion_protection\":\"%s\"", PG_GETARG_BOOL(2) ? "enabled" : "disabled");
	if (tags != NULL)
		appendStringInfo(&body, ",\"tags\":%s", pinecone_json_text(tags));
	*scales = capacity != NULL;
	if (capacity != NULL && pinecone_control_has_schemas(session))
		appendStringInfo(&body, ",\"read_capacity\":%s", pinecone_json_text(capacity));
	else if (capacity != NULL)
		appendStringInfo(&body, ",\"spec\":{\"serverless\":{\"read_capacity\":%s}}", pinecone_json_text(capacity));
	body.data[0] = '{';
	appendStringInfoChar(&body, '}');
	return body.data;
}

Datum
pinecone_configure_index(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_configure_index()", PINECONE_ADMIN_WRITES);
	char *name = pinecone_argument_index(fcinfo, 1, "name");
	bool wait = pinecone_argument_bool(fcinfo, 5, "wait");
	int64 most_ms = pinecone_argument_wait(fcinfo, 6, "timeout");
	PineconeSession *session = pinecone_argument_session(serverid, false);
	PineconeIndexDescription index;
	PineconeProgress progress;
	PineconeCall *call;
	bool scales;
	char *body = configure_body(fcinfo, session, &scales);

	pinecone_progress_begin(&progress, psprintf("configuration of index \"%s\"", name), "it is safe to repeat");
	pinecone_progress_send(&progress, session, "configure_index", "index", name);
	call = pinecone_control_configure_index(session, name, body);
	pinecone_progress_answered(&progress);
	if (pinecone_control_status(call) == 404)
		report_missing(session, name);
	if (!pinecone_control_succeeded(call))
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "It is safe to repeat.");
		pinecone_failed(call, psprintf("could not configure index \"%s\"", name), NULL);
	}
	if (!pinecone_index_read(pinecone_json_reply(call), &index))
		pinecone_failed_reply(call, "the reply describes no index");
	pinecone_forget(session, name);
	if (wait && scales && !index.ready)
		pinecone_progress_await_ready(&progress, session, name, most_ms, &index);
	pinecone_progress_end(&progress);
	return_index(fcinfo, &index);
	return (Datum) 0;
}

/* ---- Deleting ---- */

static void
report_protected(const PineconeSession *session, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("index \"%s\" is protected from deletion", name),
			 errhint("SELECT pinecone_configure_index(%s, '%s', deletion_protection => false) takes the protection away.",
					 quote_literal_cstr(session->options->servername), name)));
}

/* Ask for the deletion; be it that another one has been faster. */
static void
delete_index(PineconeSession *session, const char *name, PineconeProgress *progress)
{
	PineconeCall *call;
	long status;

	pinecone_progress_send(progress, session, "delete_index", "index", name);
	call = pinecone_control_delete_index(session, name);
	pinecone_progress_answered(progress);
	status = pinecone_control_status(call);
	/* it was there a moment ago: an earlier attempt, or somebody else, has deleted it */
	if (pinecone_control_succeeded(call) || status == 404)
	{
		pinecone_vectors_free(call);
		return;
	}
	if (status == 403)
	{
		PineconeIndexDescription index;

		if (describe_index(session, name, &index) && index.is_protected)
			report_protected(session, name);
	}
	if (pinecone_control_was_repeated(call))
		pinecone_vectors_set_note(call, "It is safe to repeat, with if_exists => true if it may have been done.");
	pinecone_failed(call, psprintf("could not delete index \"%s\"", name), status == 412 ? "A backup or a restore of it is under way: wait for that." : NULL);
}

Datum
pinecone_delete_index(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_delete_index()", PINECONE_ADMIN_WRITES);
	char *name = pinecone_argument_index(fcinfo, 1, "name");
	bool if_exists = pinecone_argument_bool(fcinfo, 2, "if_exists");
	bool wait = pinecone_argument_bool(fcinfo, 3, "wait");
	int64 most_ms = pinecone_argument_wait(fcinfo, 4, "timeout");
	PineconeSession *session = pinecone_argument_session(serverid, false);
	PineconeIndexDescription index;
	PineconeProgress progress;

	if (!describe_index(session, name, &index))
	{
		if (!if_exists)
			report_missing(session, name);
		ereport(NOTICE, (errmsg("index \"%s\" does not exist", name)));
		PG_RETURN_BOOL(false);
	}
	if (index.is_protected)
		report_protected(session, name);
	pinecone_progress_begin(&progress, psprintf("deletion of index \"%s\"", name),
							"pinecone_delete_index(..., if_exists => true) is safe to repeat");
	pinecone_forget(session, name);
	delete_index(session, name, &progress);
	pinecone_forget(session, name);
	if (wait)
		pinecone_progress_await_gone(&progress, session, name, most_ms);
	pinecone_progress_end(&progress);
	PG_RETURN_BOOL(true);
}
