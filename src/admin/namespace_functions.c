/*
 * namespace_functions.c
 *		Namespaces from SQL: list, create, delete; and an index's statistics.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "admin/argument.h"
#include "admin/failed.h"
#include "admin/forget.h"
#include "admin/pages.h"
#include "admin/progress.h"
#include "client/alias.h"
#include "client/control.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "wire/message.h"

PG_FUNCTION_INFO_V1(pinecone_namespaces);
PG_FUNCTION_INFO_V1(pinecone_create_namespace);
PG_FUNCTION_INFO_V1(pinecone_delete_namespace);
PG_FUNCTION_INFO_V1(pinecone_index_stats);
PG_FUNCTION_INFO_V1(pinecone_table_stats);

/* Fields that a namespace may declare */
#define MAX_FIELDS 50

/* ---- Listing ---- */

/* The fields that can be filtered by, of a namespace that declares them; or NULL */
static ArrayType *
declared_fields(JsonbContainer *namespace_, int *n)
{
	JsonbContainer *fields = pinecone_json_object(pinecone_json_object(namespace_, "schema"), "fields");
	PineconeJsonWalk walk;
	Datum *names;

	*n = 0;
	if (fields == NULL)
		return NULL;
	names = palloc((JsonContainerSize(fields) + 1) * sizeof(Datum));
	pinecone_json_walk(&walk, fields);
	while (pinecone_json_next(&walk) != NULL)
		names[(*n)++] = CStringGetTextDatum(walk.key);
	return construct_array(names, *n, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
put_namespace(PineconeRows *rows, JsonbContainer *namespace_)
{
	char *name = pinecone_json_string(namespace_, "name");
	double records = 0;
	double size = 0;
	bool has_records = pinecone_json_number(namespace_, "record_count", &records);
	bool has_size = pinecone_json_number(namespace_, "size_bytes", &size);
	ArrayType *fields;
	int n;

	if (name == NULL)
		return;
	fields = declared_fields(namespace_, &n);
	pinecone_row_text(rows, pinecone_option_plain_namespace(name));
	/* what is 0 may be left out */
	pinecone_row_bigint(rows, has_records ? records : 0, true);
	/* an older service tells 0 of all */
	pinecone_row_bigint(rows, size, has_size && (size > 0 || records == 0));
	pinecone_row_put(rows, PointerGetDatum(fields), fields == NULL);
	pinecone_row_end(rows);
}

/* Services without a list of namespaces have statistics. */
static void
put_from_stats(PineconeRows *rows, PineconeSession *session, const char *prefix)
{
	PineconeStats *stats = pinecone_session_stats(session, true, false);

	for (int i = 0; i < stats->nnamespaces; i++)
	{
		if (prefix != NULL && strncmp(stats->namespaces[i].name, prefix, strlen(prefix)) != 0)
			continue;
		pinecone_row_text(rows, stats->namespaces[i].name);
		pinecone_row_bigint(rows, stats->namespaces[i].records, true);
		pinecone_row_bigint(rows, 0, false);
		pinecone_row_put(rows, (Datum) 0, true);
		pinecone_row_end(rows);
	}
}

/* Has the service, or this kind of index, no such call? */
static bool
is_absent(const PineconeCall *call)
{
	long status = pinecone_control_status(call);

	return status == 404 || status == 405 || status == 501;
}

Datum
pinecone_namespaces(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_namespaces()", PINECONE_ADMIN_READS);
	char *prefix = pinecone_argument_optional_text(fcinfo, 1, "prefix");
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconePages pages = {"namespaces"};
	PineconeRows rows;

	if (prefix != NULL && !pinecone_option_namespace_is_valid(prefix))
		pinecone_argument_reject("prefix", prefix, "Names of namespaces are ASCII, at most 512 characters long.");
	pinecone_rows_begin(&rows, fcinfo);
	do
	{
		PineconeCall *call = pinecone_control_namespaces(session, prefix, pages.token);
		PineconeJsonWalk walk;
		JsonbContainer *one;

		if (pages.n == 0 && is_absent(call))
		{
			put_from_stats(&rows, session, prefix);
			return (Datum) 0;
		}
		if (!pinecone_control_succeeded(call))
			pinecone_failed(call, "could not list namespaces", NULL);
		pinecone_pages_read(&pages, call, &walk);
		while ((one = pinecone_json_next(&walk)) != NULL)
			put_namespace(&rows, one);
		pinecone_vectors_free(call);
	}
	while (pages.token != NULL);
	return (Datum) 0;
}

/* ---- Creating ---- */

static void
append_fields(StringInfo body, FunctionCallInfo fcinfo, int arg)
{
	Datum *names;
	bool *nulls;
	int n;

	if (PG_ARGISNULL(arg))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	if (n == 0 || n > MAX_FIELDS)
		pinecone_argument_reject("filterable", psprintf("%d names", n), "It names 1 to 50 fields; with NULL all can be filtered by.");
	appendStringInfoString(body, ",\"schema\":{\"fields\":{");
	for (int i = 0; i < n; i++)
	{
		char *name = nulls[i] ? NULL : TextDatumGetCString(names[i]);

		if (name == NULL || name[0] == '\0' || name[0] == '$')
			pinecone_argument_reject("filterable", name ? name : "NULL", "Names of metadata fields are not empty, and do not begin with \"$\".");
		appendStringInfoString(body, i > 0 ? "," : "");
		pinecone_message_append_string(body, pg_server_to_any(name, strlen(name), PG_UTF8));
		appendStringInfoString(body, ":{\"filterable\":true}");
	}
	appendStringInfoString(body, "}}");
}

/*
 * One that exists is an error, unless an earlier attempt may have made it or that
 * is said to be no matter.
 */
Datum
pinecone_create_namespace(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_create_namespace()", PINECONE_ADMIN_WRITES);
	char *name = pinecone_argument_namespace(fcinfo, 1, "namespace");
	bool if_not_exists = pinecone_argument_bool(fcinfo, 3, "if_not_exists");
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconeProgress progress;
	StringInfoData body;
	PineconeCall *call;
	bool made;

	if (name[0] == '\0')
		pinecone_argument_reject("namespace", "", "The default namespace is always there.");
	initStringInfo(&body);
	appendStringInfoString(&body, "{\"name\":");
	pinecone_message_append_string(&body, name);
	append_fields(&body, fcinfo, 2);
	appendStringInfoChar(&body, '}');

	pinecone_progress_begin(&progress, psprintf("creation of namespace \"%s\"", name),
							"pinecone_create_namespace(..., if_not_exists => true) is safe to repeat");
	pinecone_progress_send(&progress, session, "create_namespace", "namespace", name);
	call = pinecone_control_create_namespace(session, body.data);
	pinecone_progress_answered(&progress);
	made = pinecone_control_succeeded(call);
	if (!made && pinecone_control_status(call) == 409 && pinecone_control_reason(call) == NULL)
	{
		/* made by an earlier attempt, perhaps */
		made = pinecone_control_was_repeated(call);
		if (!made && !if_not_exists)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("namespace \"%s\" already exists", name)));
		if (!made)
			ereport(NOTICE, (errmsg("namespace \"%s\" already exists", name)));
	}
	else if (!made)
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "Repeat it with if_not_exists => true.");
		pinecone_failed(call, psprintf("could not create namespace \"%s\"", name), NULL);
	}
	pinecone_forget(session, NULL);
	pinecone_progress_end(&progress);
	PG_RETURN_BOOL(made);
}

/* ---- Deleting ---- */

/* Has this cluster written records to it, of which the service does not know yet? */
static bool
is_on_its_way(PineconeSession *session, const char *name)
{
	PineconePendingView *view = pinecone_unseen_view(session, name);
	char **ids;
	int n;

	if (view == NULL)
		return false;
	ids = pinecone_pending_ids(view, &n);
	for (int i = 0; i < n; i++)
	{
		PineconeRecord record;

		if (pinecone_pending_apply(view, ids[i], NULL, &record))
			return true;
	}
	return false;
}

/*
 * The namespace goes, and with it what this cluster has written to it and the
 * service does not show yet.  What is pending in this transaction would bring it
 * back at commit: that is refused.
 */
Datum
pinecone_delete_namespace(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_delete_namespace()", PINECONE_ADMIN_WRITES);
	char *name = pinecone_argument_namespace(fcinfo, 1, "namespace");
	bool if_exists = pinecone_argument_bool(fcinfo, 2, "if_exists");
	PineconeSession *session = pinecone_argument_session(serverid, true);
	PineconeProgress progress;
	PineconeCall *call;
	bool gone;

	/* it would be there again at commit */
	if (pinecone_pending_waits(session, name))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot delete namespace \"%s\" in a transaction that has written to it", name),
				 errhint("Commit or roll back before: what administers is carried out at once.")));
	pinecone_progress_begin(&progress, psprintf("deletion of namespace \"%s\"", name),
							"pinecone_delete_namespace(..., if_exists => true) is safe to repeat");
	pinecone_progress_send(&progress, session, "delete_namespace", "namespace", name);
	call = pinecone_control_delete_namespace(session, pinecone_argument_sent_namespace(name));
	pinecone_progress_answered(&progress);
	gone = pinecone_control_succeeded(call);
	if (!gone && pinecone_control_status(call) == 404)
	{
		gone = pinecone_control_was_repeated(call);
		if (!gone && is_on_its_way(session, name))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the service does not know namespace \"%s\" yet", name),
					 errdetail("Records have been written to it a moment ago, and would be there later."),
					 errhint("Repeat it in some seconds.")));
		if (!gone && !if_exists)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("namespace \"%s\" does not exist", name),
					 errhint("pinecone_namespaces(%s) lists those that there are.", quote_literal_cstr(session->options->servername))));
		if (!gone)
			ereport(NOTICE, (errmsg("namespace \"%s\" does not exist", name)));
	}
	else if (!gone)
	{
		if (pinecone_control_was_repeated(call))
			pinecone_vectors_set_note(call, "It is safe to repeat, with if_exists => true if it may have been done.");
		pinecone_failed(call, psprintf("could not delete namespace \"%s\"", name), NULL);
	}
	if (gone)
		pinecone_unseen_note_deleted(session, name);
	pinecone_forget(session, NULL);
	pinecone_progress_end(&progress);
	PG_RETURN_BOOL(gone);
}

/* ---- Statistics ---- */

/* A number of the reply, or NULL */
static void
put_number(PineconeRows *rows, JsonbContainer *root, const char *name)
{
	double number = 0;
	bool known = pinecone_json_number(root, name, &number);

	pinecone_row_put(rows, Float8GetDatum(number), !known);
}

/*
 * The records of a namespace that a table names: no statistics have an alias, but
 * they have what it stands for.
 */
static bool
count_named(PineconeSession *session, const PineconeStats *stats, const char *name, double *total)
{
	double records = pinecone_stats_records(stats, name);
	char *target = records < 0 ? pinecone_alias_target(session, name, true) : NULL;

	if (target != NULL)
		records = pinecone_stats_records(stats, target);
	*total += Max(records, 0);
	return records >= 0;
}

/* Records and namespaces, of a table's if one is given */
static void
put_counts(PineconeRows *rows, PineconeSession *session, const PineconeStats *stats, const PineconeTable *table)
{
	double total = 0;
	int n = 0;

	if (table != NULL && table->namespace_ != NULL)
		n += count_named(session, stats, table->namespace_, &total);
	else if (table != NULL && table->namespaces != NULL)
	{
		for (int i = 0; i < table->nnamespaces; i++)
			n += count_named(session, stats, table->namespaces[i], &total);
	}
	else
	{
		total = stats->records;
		n = stats->nnamespaces;
	}
	pinecone_row_bigint(rows, total, true);
	pinecone_row_int(rows, n, true);
}

static void
return_stats(FunctionCallInfo fcinfo, PineconeSession *session, const PineconeTable *table)
{
	PineconeCall *call = pinecone_control_stats(session);
	PineconeRows rows;
	PineconeStats *stats;
	const char *reason;
	const char *body;
	size_t len;
	Jsonb *reply;
	JsonbContainer *root;

	if (!pinecone_control_succeeded(call))
		pinecone_failed(call, "could not ask for the statistics of the index", NULL);
	body = pinecone_control_body(call, &len);
	if (!pinecone_message_decode_stats(body, len, &stats, &reason))
		pinecone_failed_reply(call, reason);
	reply = pinecone_json_reply(call);
	root = &reply->root;
	pinecone_rows_begin(&rows, fcinfo);
	put_counts(&rows, session, stats, table);
	pinecone_row_int(&rows, stats->dimension, stats->dimension > 0);
	pinecone_row_text(&rows, pinecone_json_string(root, "metric"));
	pinecone_row_text(&rows, pinecone_json_string(root, "vectorType"));
	put_number(&rows, root, "indexFullness");
	put_number(&rows, root, "memoryFullness");
	put_number(&rows, root, "storageFullness");
	pinecone_row_end(&rows);
}

Datum
pinecone_index_stats(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_index_stats()", PINECONE_ADMIN_READS);

	return_stats(fcinfo, pinecone_argument_session(serverid, true), NULL);
	return (Datum) 0;
}

/* The same of a table's namespaces; it takes the right to read the table. */
Datum
pinecone_table_stats(PG_FUNCTION_ARGS)
{
	Oid relid = pinecone_argument_table(fcinfo, 0, "table");
	AclResult right = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
	PineconeTable *table;

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	table = pinecone_option_read_table(relid);
	pinecone_argument_check_mapping(table->server->serverid);
	return_stats(fcinfo, pinecone_argument_session(table->server->serverid, true), table);
	return (Datum) 0;
}
