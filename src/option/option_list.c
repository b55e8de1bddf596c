/*
 * option_list.c
 *		Options of servers, user mappings, foreign tables and columns.
 *
 * One table says which options there are, where they may stand, what values
 * they take and what goes without them.  Table options may also stand on the
 * server, as its tables' default.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "option/option_hosts.h"
#include "option/option_value.h"

PG_FUNCTION_INFO_V1(pinecone_fdw_validator);

/* ---- The table of options ---- */

/* Objects that an option may stand on */
#define ON_SERVER 0x01
#define ON_MAPPING 0x02
#define ON_TABLE 0x04
#define ON_COLUMN 0x08
#define ON_BOTH (ON_SERVER | ON_TABLE)

typedef enum OptionKind
{
	OPTION_STRING,
	OPTION_BOOL,
	OPTION_COUNT,  /* an integer in a range */
	OPTION_TIME,   /* milliseconds, or a number with a unit */
	OPTION_SIZE,   /* kilobytes, likewise */
	OPTION_CHOICE, /* one of a few words */
	OPTION_HOST,
	OPTION_HOSTS,	/* several, separated by commas */
	OPTION_REGIONS, /* likewise */
	OPTION_KEY,
	OPTION_RATES, /* requests per second by kind */
	OPTION_PATH,
	OPTION_JSON,
	OPTION_NAMES /* of namespaces, separated by commas */
} OptionKind;

typedef struct Option
{
	const char *name;
	int objects;
	OptionKind kind;
	const char *otherwise; /* value when it is not given, or NULL */
	const char *choices;   /* for OPTION_CHOICE, separated by | */
	int min;
	int max;
	bool superuser; /* only superusers may set it */
} Option;

static const Option options[] = {
	/* The index's host, with https:// or http:// and :port if need be */
	{"host", ON_SERVER, OPTION_HOST},
	/* In its place the index's name, to be looked up at control_host */
	{"index", ON_SERVER, OPTION_STRING},
	{"control_host", ON_SERVER, OPTION_HOST, "api.pinecone.io"},
	/* Further hosts with the same data, or all of them; when the first is asked again; may they be written to? */
	{"hosts", ON_SERVER, OPTION_HOSTS},
	{"hosts_retry", ON_SERVER, OPTION_TIME, "30s", NULL, 0, 24 * 3600 * 1000},
	{"failover_writes", ON_SERVER, OPTION_BOOL, "false"},
	/* Where the indexes must be */
	{"allowed_regions", ON_SERVER, OPTION_REGIONS},
	/* What X-Pinecone-API-Version says */
	{"api_version", ON_SERVER, OPTION_STRING, "2026-04"},
	/* The fields of a document index, where the control plane is not asked for them */
	{"schema", ON_SERVER, OPTION_JSON},
	/* How long to wait for a connection, and for a whole request */
	{"connect_timeout", ON_SERVER, OPTION_TIME, "10s", NULL, 1, 3600 * 1000},
	{"request_timeout", ON_SERVER, OPTION_TIME, "60s", NULL, 1, 24 * 3600 * 1000},
	/* How often to repeat a request that failed for the moment */
	{"max_retries", ON_SERVER, OPTION_COUNT, "4", NULL, 0, 100},
	/* Requests of one session on the wire at a time */
	{"max_concurrency", ON_SERVER, OPTION_COUNT, "64", NULL, 1, 1000},
	/* Requests of one session per second, by kind */
	{"rate_limits", ON_SERVER, OPTION_RATES},
	/* Certificate authorities (PEM), in place of the system's */
	{"ca_file", ON_SERVER, OPTION_PATH, .superuser = true},
	/* The cluster_name that writes go from: a copy of the database has another */
	{"write_cluster", ON_SERVER, OPTION_STRING},

	/* The key, or a file on the database server that holds it */
	{"api_key", ON_MAPPING, OPTION_KEY},
	{"api_key_file", ON_MAPPING, OPTION_PATH, .superuser = true},

	/* Which records a table shows */
	{"namespace", ON_TABLE, OPTION_STRING, ""},
	/* Those that a column of role namespace may name, in place of all */
	{"namespaces", ON_TABLE, OPTION_NAMES},
	/* The metadata field that a column of role text shows */
	{"text_key", ON_BOTH, OPTION_STRING, "text"},
	/* What a value becomes that does not fit its column */
	{"on_type_error", ON_BOTH, OPTION_CHOICE, "error", "error|null"},
	/* May count(*) be answered by index statistics, or by an update's dry run? */
	{"count_from_stats", ON_BOTH, OPTION_BOOL, "true"},
	{"count_from_dry_run", ON_BOTH, OPTION_BOOL, "true"},
	/* May its scan run concurrently with others under the same Append? */
	{"async_capable", ON_BOTH, OPTION_BOOL, "true"},
	/* For how long may replies answer what is asked again, and how much of memory may they take up? */
	{"cache_ttl", ON_BOTH, OPTION_TIME, "0", NULL, 0, 24 * 3600 * 1000},
	{"cache_size", ON_BOTH, OPTION_SIZE, "4MB", NULL, 64, 1024 * 1024},

	/* Must reads show what this session has written before? */
	{"consistency", ON_BOTH, OPTION_CHOICE, "eventual", "eventual|session"},
	{"consistency_timeout", ON_BOTH, OPTION_TIME, "10s", NULL, 1, 3600 * 1000},
	{"on_consistency_timeout", ON_BOTH, OPTION_CHOICE, "error", "error|warning"},

	/* May the table be written to, and emptied? */
	{"updatable", ON_BOTH, OPTION_BOOL, "true"},
	{"truncatable", ON_BOTH, OPTION_BOOL, "true"},
	/* Are writes sent at commit, at once, or by the outbox afterwards? */
	{"write_mode", ON_BOTH, OPTION_CHOICE, "transactional", "transactional|immediate|outbox"},
	/* What INSERT does with an id that is there */
	{"on_duplicate", ON_BOTH, OPTION_CHOICE, "replace", "replace|error"},
	/* Does an UPDATE send the fields it sets, or the records as they then are? */
	{"update_method", ON_BOTH, OPTION_CHOICE, "fields", "fields|records"},
	/* May a DELETE with a condition on metadata be one request? */
	{"delete_by_filter", ON_BOTH, OPTION_BOOL, "true"},
	/* Does a DELETE of given ids look first which of them are there? */
	{"verify_deletes", ON_BOTH, OPTION_BOOL, "true"},
	/* And an UPDATE of their fields? */
	{"verify_updates", ON_BOTH, OPTION_BOOL, "true"},
	/* Records of one upsert, and upserts in flight */
	{"batch_size", ON_BOTH, OPTION_COUNT, "1000", NULL, 1, 1000},
	{"write_concurrency", ON_BOTH, OPTION_COUNT, "4", NULL, 1, 100},

	/* What of a record a column shows */
	{"role", ON_COLUMN, OPTION_CHOICE, NULL, "id|values|sparse_values|score|metadata|namespace|text|field"},
	/* The metadata field's name, when it is not the column's */
	{"field", ON_COLUMN, OPTION_STRING},
	/* How a metadata field holds dates and times, or jsonb */
	{"format", ON_COLUMN, OPTION_CHOICE, NULL, "iso|iso_ms|iso_short|iso_python|as_stored|epoch|epoch_ms|json"},
};

static const char *
object_name(int object)
{
	switch (object)
	{
		case ON_SERVER:
			return "server";
		case ON_MAPPING:
			return "user mapping";
		case ON_TABLE:
			return "foreign table";
		default:
			return "column";
	}
}

static const Option *
find_option(const char *name, int object)
{
	for (int i = 0; i < lengthof(options); i++)
	{
		if ((options[i].objects & object) && strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

static char *
valid_names(int object)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < lengthof(options); i++)
	{
		if (options[i].objects & object)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "", options[i].name);
	}
	return buf.len > 0 ? buf.data : NULL;
}

/* ---- Validation ---- */

static void
reject_value(const char *name, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", name, value),
			 hint ? errhint("%s", hint) : 0));
}

static bool
is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || strchr(value, '|'))
		return false;
	for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
	{
		if (strncmp(p, value, len) == 0 && (p[len] == '|' || p[len] == '\0'))
			return true;
	}
	return false;
}

static char *
describe_choices(const char *choices)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "Valid values are: ");
	for (const char *p = choices; *p; p++)
	{
		if (*p == '|')
			appendStringInfoString(&buf, ", ");
		else
			appendStringInfoChar(&buf, *p);
	}
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

/* A key goes into an HTTP header: printable ASCII, so that it ends there. */
bool
pinecone_option_key_is_valid(const char *key)
{
	if (key[0] == '\0')
		return false;
	for (const char *p = key; *p; p++)
	{
		if ((unsigned char) *p <= ' ' || (unsigned char) *p > 126)
			return false;
	}
	return true;
}

bool
pinecone_option_namespace_is_valid(const char *name)
{
	for (const char *p = name; *p; p++)
	{
		if ((unsigned char) *p > 127)
			return false;
	}
	return strlen(name) <= 512;
}

/* The default namespace has two names. */
const char *
pinecone_option_plain_namespace(const char *name)
{
	return strcmp(name, "__default__") == 0 ? "" : name;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * A list of namespaces, sorted.  A name with a comma or a space stands in
 * double quotes; the default namespace is "" or __default__.
 */
char **
pinecone_option_names(const char *value, int *n)
{
	List *list;
	char **names;
	ListCell *lc;

	if (!SplitGUCList(pstrdup(value), ',', &list) || list == NIL)
		reject_value("namespaces", value,
					 "Names of namespaces are separated by commas; the default namespace is \"\".");
	names = palloc(list_length(list) * sizeof(char *));
	*n = 0;
	foreach(lc, list)
	{
		if (!pinecone_option_namespace_is_valid(lfirst(lc)))
			reject_value("namespaces", value,
						 "Names of namespaces are ASCII, at most 512 characters long.");
		names[(*n)++] = pstrdup(pinecone_option_plain_namespace(lfirst(lc)));
	}
	qsort(names, *n, sizeof(char *), compare_names);
	for (int i = 1; i < *n; i++)
	{
		if (strcmp(names[i], names[i - 1]) == 0)
			reject_value("namespaces", value, "Each namespace can be named only once.");
	}
	return names;
}

static void
reject_host(const char *name, const char *value)
{
	reject_value(name, value, "A host is a name, optionally with https:// before and :port behind it.");
}

static int
parse_number(const Option *option, const char *value)
{
	int number;
	int unit = 0;
	const char *name = "";
	const char *hint = NULL;

	if (option->kind == OPTION_TIME)
	{
		unit = GUC_UNIT_MS;
		name = " ms";
	}
	else if (option->kind == OPTION_SIZE)
	{
		unit = GUC_UNIT_KB;
		name = " kB";
	}
	if (!parse_int(value, &number, unit, &hint))
	{
		if (hint == NULL)
			hint = unit == GUC_UNIT_MS ? "A time is a number of milliseconds, or one with a unit, as in 5s." :
				   unit == GUC_UNIT_KB ? "A size is a number of kilobytes, or one with a unit, as in 4MB." :
										 "A whole number is needed.";
		reject_value(option->name, value, hint);
	}
	if (number < option->min || number > option->max)
		reject_value(option->name, value,
					 psprintf("Valid values are between %d%s and %d%s.", option->min, name, option->max, name));
	return number;
}

/*
 * Check an option's value by its kind. What depends on other options of the same
 * object is checked by the validator, which sees them all.
 */
static void
validate_option(const Option *option, DefElem *def)
{
	char *value = defGetString(def);
	PineconeRateLimits rates;
	char *reason;
	bool flag;

	if (option->superuser && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only superusers may set option \"%s\"", option->name)));

	switch (option->kind)
	{
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				reject_value(option->name, value, "Valid values are true and false.");
			break;
		case OPTION_COUNT:
		case OPTION_TIME:
		case OPTION_SIZE:
			(void) parse_number(option, value);
			break;
		case OPTION_CHOICE:
			if (!is_choice(option->choices, value))
				reject_value(option->name, value, describe_choices(option->choices));
			break;
		case OPTION_HOST:
			if (!pinecone_option_host_is_valid(value))
				reject_host(option->name, value);
			break;
		case OPTION_HOSTS:
			pinecone_hosts_validate(option->name, value);
			break;
		case OPTION_REGIONS:
			(void) pinecone_regions_parse(option->name, value);
			break;
		case OPTION_KEY:
			if (!pinecone_option_key_is_valid(value))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for option \"%s\"", option->name),
						 errdetail("A key consists of printable ASCII characters without spaces.")));
			break;
		case OPTION_RATES:
			if (!pinecone_rate_parse(value, &rates, &reason))
				reject_value(option->name, value, reason);
			break;
		case OPTION_PATH:
			if (!is_absolute_path(value))
				reject_value(option->name, value, "An absolute path is needed.");
			break;
		case OPTION_NAMES:
			{
				int n;

				(void) pinecone_option_names(value, &n);
			}
			break;
		case OPTION_JSON:
			/* raises an error when it is none; what it says is read when it is used */
			(void) DirectFunctionCall1(jsonb_in, CStringGetDatum(value));
			break;
		case OPTION_STRING:
			if (strcmp(option->name, "field") == 0 && value[0] == '$')
				reject_value(option->name, value, "Names of metadata fields do not begin with \"$\".");
			if (strcmp(option->name, "namespace") == 0 && !pinecone_option_namespace_is_valid(value))
				reject_value(option->name, value, "Names of namespaces are ASCII, at most 512 characters long.");
			if (strcmp(option->name, "index") == 0 || strcmp(option->name, "api_version") == 0)
			{
				if (value[0] == '\0' ||
					value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")])
					reject_value(option->name, value, "Letters, digits, hyphens and dots are allowed.");
			}
			break;
	}
}

/* A copy of an option's value; the default, if it was not given. */
char *
pinecone_option_string(List *defs, const char *name, const char *otherwise)
{
	ListCell *lc;

	foreach(lc, defs)
	{
		DefElem *def = lfirst(lc);

		if (strcmp(def->defname, name) == 0)
			return pstrdup(defGetString(def));
	}
	return otherwise ? pstrdup(otherwise) : NULL;
}

static void
exclude(List *defs, const char *name, const char *other, const char *hint)
{
	if (pinecone_option_string(defs, name, NULL) && pinecone_option_string(defs, other, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("options \"%s\" and \"%s\" exclude each other", name, other),
				 errhint("%s", hint)));
}

/* A column of another role than "field" has no use for what describes one. */
static void
validate_column(List *defs)
{
	char *role = pinecone_option_string(defs, "role", "field");

	for (int i = 0; i < 2 && strcmp(role, "field") != 0; i++)
	{
		const char *name = i == 0 ? "field" : "format";
		bool has_field = strcmp(role, "values") == 0 || strcmp(role, "sparse_values") == 0 || strcmp(role, "text") == 0;

		/* of a document index, vectors have a field of their own; and so has a text */
		if (pinecone_option_string(defs, name, NULL) && !(i == 0 && has_field))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("option \"%s\" does not go with role \"%s\"", name, role),
					 errhint("It describes a column of role \"field\".")));
	}
}

static int
object_of_catalog(Oid catalog)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			return ON_SERVER;
		case UserMappingRelationId:
			return ON_MAPPING;
		case ForeignTableRelationId:
			return ON_TABLE;
		case AttributeRelationId:
			return ON_COLUMN;
		default:
			return 0;
	}
}

static bool
is_given(List *defs, const char *name)
{
	return pinecone_option_string(defs, name, NULL) != NULL;
}

/*
 * The statement of an error goes to the log, by default, where log_statement is off
 * as well: not one that has a key in it.
 */
static void
hide_statement(void *arg)
{
	errhidestmt(true);
}

static void
validate(List *defs, int object)
{
	ListCell *lc;

	foreach(lc, defs)
	{
		DefElem *def = lfirst(lc);
		const Option *option = find_option(def->defname, object);

		if (option == NULL)
		{
			char *names = valid_names(object);

			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("invalid option \"%s\"", def->defname),
					 names ? errhint("Valid options for a %s are: %s.", object_name(object), names) :
							 errhint("There are no valid options in this context.")));
		}
		validate_option(option, def);
	}
	exclude(defs, "host", "index",
			"Give the index's host, or its name to have the host looked up.");
	if (object == ON_SERVER)
		(void) pinecone_hosts_parse("hosts", pinecone_option_string(defs, "hosts", NULL), pinecone_option_string(defs, "host", NULL), is_given(defs, "index"));
	if (object == ON_SERVER && !is_given(defs, "host") && !is_given(defs, "index") && !is_given(defs, "hosts"))
		ereport(WARNING,
				(errmsg("the server has neither a \"host\" nor an \"index\" option"),
				 errhint("Set one of them with ALTER SERVER before it is used.")));
	exclude(defs, "api_key", "api_key_file", "Give the key, or a file that holds it.");
	exclude(defs, "namespace", "namespaces",
			"A foreign table shows one namespace, or those that a column of role \"namespace\" names.");
	validate_column(defs);
}

Datum
pinecone_fdw_validator(PG_FUNCTION_ARGS)
{
	List *defs = untransformRelOptions(PG_GETARG_DATUM(0));
	int object = object_of_catalog(PG_GETARG_OID(1));
	ErrorContextCallback callback;

	callback.callback = hide_statement;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	/* a key may stand on the wrong object, too, or under the wrong name */
	if (object == ON_MAPPING || is_given(defs, "api_key"))
		error_context_stack = &callback;
	validate(defs, object);
	error_context_stack = callback.previous;
	PG_RETURN_VOID();
}

/* ---- Reading ---- */

static const Option *
option_of_name(const char *name)
{
	return find_option(name, ON_SERVER | ON_MAPPING | ON_TABLE | ON_COLUMN);
}

char *
pinecone_option_value(List *defs, const char *name)
{
	return pinecone_option_string(defs, name, option_of_name(name)->otherwise);
}

int
pinecone_option_number(List *defs, const char *name)
{
	return parse_number(option_of_name(name), pinecone_option_value(defs, name));
}

bool
pinecone_option_bool(List *defs, const char *name)
{
	bool flag = false;

	(void) parse_bool(pinecone_option_value(defs, name), &flag);
	return flag;
}

/*
 * Checked here as well: a wrapper that somebody has made without the validator
 * must not name a host that we and libcurl read differently.
 */
static char *
host_value(List *defs, const char *name)
{
	char *host = pinecone_option_value(defs, name);

	if (host != NULL && !pinecone_option_host_is_valid(host))
		reject_host(name, host);
	return host;
}

PineconeServerOptions *
pinecone_option_read_server(ForeignServer *server)
{
	PineconeServerOptions *result = palloc0(sizeof(PineconeServerOptions));
	char *reason;

	result->serverid = server->serverid;
	result->servername = pstrdup(server->servername);
	result->host = host_value(server->options, "host");
	result->index = pinecone_option_value(server->options, "index");
	result->hosts = pinecone_hosts_parse("hosts", pinecone_option_value(server->options, "hosts"), result->host, result->index != NULL);
	if (result->host == NULL && result->index == NULL && result->hosts->n > 0)
		result->host = pstrdup(result->hosts->hosts[0]);
	result->hosts_retry_ms = pinecone_option_number(server->options, "hosts_retry");
	result->failover_writes = pinecone_option_bool(server->options, "failover_writes");
	if (pinecone_option_value(server->options, "allowed_regions") != NULL)
		result->allowed_regions = pinecone_regions_parse("allowed_regions", pinecone_option_value(server->options, "allowed_regions"));
	result->control_host = host_value(server->options, "control_host");
	result->api_version = pinecone_option_value(server->options, "api_version");
	result->schema = pinecone_option_value(server->options, "schema");
	result->ca_file = pinecone_option_value(server->options, "ca_file");
	result->write_cluster = pinecone_option_value(server->options, "write_cluster");
	result->connect_timeout_ms = pinecone_option_number(server->options, "connect_timeout");
	result->request_timeout_ms = pinecone_option_number(server->options, "request_timeout");
	result->max_retries = pinecone_option_number(server->options, "max_retries");
	result->max_concurrency = pinecone_option_number(server->options, "max_concurrency");
	if (!pinecone_rate_parse(pinecone_option_value(server->options, "rate_limits"), &result->rates, &reason))
		reject_value("rate_limits", pinecone_option_value(server->options, "rate_limits"), reason);
	return result;
}

PineconeServerOptions *
pinecone_option_server(Oid serverid)
{
	return pinecone_option_read_server(GetForeignServer(serverid));
}

char *
pinecone_option_where(const PineconeServerOptions *options)
{
	if (options->hosts->n > 0 && options->hosts->hosts[0] != NULL)
		return psprintf("host \"%s\"", options->hosts->hosts[0]);
	return psprintf("index \"%s\" of \"%s\"", options->index, options->control_host);
}
