/*
 * argument.c
 *		Arguments of the functions that administer.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "admin/argument.h"
#include "admin/json.h"
#include "base/compat.h"
#include "option/option_list.h"
#include "plan/paths.h"

/* Limits of the service */
#define MAX_INDEX_NAME 45
#define MAX_NAME 512
#define MAX_TAGS 20
#define MAX_TAG_KEY 80
#define MAX_TAG_VALUE 120

/* Nobody waits longer */
#define MAX_WAIT_MS (INT64CONST(24) * 3600 * 1000)

/* ---- Errors ---- */

void
pinecone_argument_reject(const char *name, const char *value, const char *allowed)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": \"%s\"", name, value),
			 errhint("%s", allowed)));
}

static void
refuse_null(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL", name)));
}

/* ---- Servers ---- */

/* Is it one of our wrapper's, whatever that is called? */
static bool
is_ours(const ForeignServer *server)
{
	ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);

	return OidIsValid(wrapper->fdwhandler) &&
		   GetFdwRoutine(wrapper->fdwhandler)->GetForeignRelSize == pineconeGetForeignRelSize;
}

void
pinecone_argument_check_mapping(Oid serverid)
{
	if (!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(GetUserId()), ObjectIdGetDatum(serverid)) &&
		!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid), ObjectIdGetDatum(serverid)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("user \"%s\" has no user mapping for server \"%s\"",
						GetUserNameFromId(GetUserId(), false), GetForeignServer(serverid)->servername),
				 errhint("The key is that of the user who calls: CREATE USER MAPPING.")));
}

/* A copy of a database has the servers and keys of the original. */
static void
refuse_other_cluster(Oid serverid)
{
	const PineconeServerOptions *options = pinecone_option_server(serverid);
	const char *name = GetConfigOption("cluster_name", false, false);

	if (options->write_cluster != NULL && strcmp(options->write_cluster, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" is not written to from this cluster", options->servername),
				 errdetail("Its option \"write_cluster\" is \"%s\", the setting \"cluster_name\" is \"%s\".",
						   options->write_cluster, name)));
}

Oid
pinecone_argument_server(FunctionCallInfo fcinfo, int n, const char *function, PineconeAdminUse use)
{
	char *name;
	ForeignServer *server;
	AclResult right;

	if (use == PINECONE_ADMIN_WRITES)
		PreventCommandIfReadOnly(function);
	name = pinecone_argument_text(fcinfo, n, "server");
	server = GetForeignServerByName(name, true);
	if (server == NULL || !is_ours(server))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 server ? errmsg("server \"%s\" is not one of pinecone_fdw", name) :
						  errmsg("server \"%s\" does not exist", name),
				 errhint("Argument \"server\" is the name of a server that CREATE SERVER ... FOREIGN DATA WRAPPER pinecone_fdw has made.")));
	right = pinecone_server_aclcheck(server->serverid, GetUserId(), ACL_USAGE);
	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_FOREIGN_SERVER, server->servername);
	pinecone_argument_check_mapping(server->serverid);
	if (use == PINECONE_ADMIN_WRITES)
		refuse_other_cluster(server->serverid);
	return server->serverid;
}

Oid
pinecone_argument_table(FunctionCallInfo fcinfo, int n, const char *name)
{
	Oid relid;
	char *relname;

	refuse_null(fcinfo, n, name);
	relid = PG_GETARG_OID(n);
	/* it may not change while it is looked at */
	LockRelationOid(relid, AccessShareLock);
	relname = get_rel_name(relid);
	if (relname == NULL || get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE ||
		GetFdwRoutineByRelId(relid)->GetForeignRelSize != pineconeGetForeignRelSize)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table of pinecone_fdw", relname ? relname : "(none)")));
	return relid;
}

PineconeSession *
pinecone_argument_session(Oid serverid, bool of_index)
{
	return of_index ? pinecone_session_get(serverid, GetUserId()) : pinecone_session_get_project(serverid, GetUserId());
}

/* ---- Plain values ---- */

char *
pinecone_argument_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	char *value;

	refuse_null(fcinfo, n, name);
	value = text_to_cstring(PG_GETARG_TEXT_PP(n));
	if (value[0] == '\0')
		pinecone_argument_reject(name, value, "It must not be empty.");
	return value;
}

char *
pinecone_argument_optional_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	return PG_ARGISNULL(n) ? NULL : pinecone_argument_text(fcinfo, n, name);
}

bool
pinecone_argument_bool(FunctionCallInfo fcinfo, int n, const char *name)
{
	refuse_null(fcinfo, n, name);
	return PG_GETARG_BOOL(n);
}

int64
pinecone_argument_wait(FunctionCallInfo fcinfo, int n, const char *name)
{
	Interval *interval;
	double ms;

	refuse_null(fcinfo, n, name);
	interval = PG_GETARG_INTERVAL_P(n);
	ms = ((double) interval->month * DAYS_PER_MONTH + interval->day) * SECS_PER_DAY * 1000 + interval->time / 1000.0;
	if (!(ms >= 0 && ms <= MAX_WAIT_MS))
		pinecone_argument_reject(name, DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))),
								 "Valid waits are between 0 and 24 hours.");
	return (int64) ms;
}

/* ---- Names ---- */

char *
pinecone_argument_index(FunctionCallInfo fcinfo, int n, const char *name)
{
	char *value = pinecone_argument_text(fcinfo, n, name);
	size_t len = strlen(value);

	if (len > MAX_INDEX_NAME || value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' ||
		value[0] == '-' || value[len - 1] == '-')
		pinecone_argument_reject(name, value, "Names of indexes have up to 45 lower-case letters, digits and hyphens, none of these first or last.");
	return value;
}

char *
pinecone_argument_alias(FunctionCallInfo fcinfo, int n, const char *name)
{
	char *value = pinecone_argument_text(fcinfo, n, name);
	bool good = strlen(value) <= MAX_NAME && strcmp(value, ".") != 0 && strcmp(value, "..") != 0 &&
				strcmp(value, "__default__") != 0;

	for (const char *p = value; *p; p++)
		good = good && *p > ' ' && *p < 127 && strchr("/?#%&=\\;+", *p) == NULL;
	if (!good)
		pinecone_argument_reject(name, value, "Names of aliases have up to 512 printable ASCII characters, none of them a space or one of /?#%&=\\;+, and are not \".\", \"..\" or \"__default__\".");
	return value;
}

char *
pinecone_argument_namespace(FunctionCallInfo fcinfo, int n, const char *name)
{
	char *value;

	refuse_null(fcinfo, n, name);
	value = text_to_cstring(PG_GETARG_TEXT_PP(n));
	if (!pinecone_option_namespace_is_valid(value))
		pinecone_argument_reject(name, value, "Names of namespaces are ASCII, at most 512 characters long.");
	return pstrdup(pinecone_option_plain_namespace(value));
}

const char *
pinecone_argument_sent_namespace(const char *name)
{
	return name[0] == '\0' ? "__default__" : name;
}

/* ---- Tags ---- */

static char *
text_of_jsonb(Jsonb *json)
{
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

Jsonb *
pinecone_argument_tags(FunctionCallInfo fcinfo, int n, const char *name)
{
	Jsonb *tags;
	JsonbIterator *it;
	JsonbValue v;
	JsonbIteratorToken token;
	int count = 0;
	bool good = true;

	if (PG_ARGISNULL(n))
		return NULL;
	tags = PG_GETARG_JSONB_P(n);
	good = JB_ROOT_IS_OBJECT(tags);
	it = JsonbIteratorInit(&tags->root);
	while (good && (token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			good = v.val.string.len > 0 && v.val.string.len <= MAX_TAG_KEY && ++count <= MAX_TAGS;
		else if (token == WJB_VALUE)
			good = v.type == jbvString && v.val.string.len <= MAX_TAG_VALUE;
	}
	if (!good)
		pinecone_argument_reject(name, text_of_jsonb(tags),
								 "Tags are a JSON object of at most 20 strings; their names have up to 80 characters, their values up to 120.");
	return tags;
}
