/*
 * options.c
 *		The command line.
 */
#include "alias.h"
#include "control.h"
#include "facts.h"
#include "filter.h"
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

Settings settings = {
	.listen = "127.0.0.1",
	.port = -1,
	.log_body_limit = 64 * 1024,
	.log_size = 100000,
	.lsn_headers = LSN_QUERIES,
	.cloud = "aws",
	.region = "us-east-1",
};

/* Those of the API (2025-10) */
Sizes sizes = {
	.top_k = 10000,
	.page = 100,
	.fetch = 1000,
	.scan = 10000,
	.upsert = 1000,
	.delete_ids = 1000,
	.result = 4 << 20,
	.upsert_body = 2 << 20,
	.body = 4 << 20,
};

const char *const lsn_headers_names[] = {"never", "queries", "everywhere", NULL};

enum
{
	OPT_PORT = 256,
	OPT_PORT_FILE,
	OPT_API_KEY,
	OPT_READ_ONLY_KEY,
	OPT_DATA_KEY,
	OPT_LISTEN,
	OPT_HOST_NAME,
	OPT_INDEX,
	OPT_REGION,
	OPT_INDEX_PORT_BASE,
	OPT_LOAD,
	OPT_SAVE,
	OPT_STORE,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_NE_MISSING,
	OPT_NULL_METADATA,
	OPT_NUMBER_STYLE,
	OPT_DEFAULT_KEY,
	OPT_LAG,
	OPT_LAG_SEARCH, /* and the others in the order of the kinds of lag */
	OPT_LAG_LIST,
	OPT_LAG_FETCH,
	OPT_LAG_STATS,
	OPT_LSN_HEADERS,
	OPT_ALIAS_DELAY,
	OPT_READY_DELAY,
	OPT_KEEPALIVE_MAX,
	OPT_LATENCY,
	OPT_APPROXIMATE,
	OPT_MAX_TOP_K,
	OPT_SMALL_LIMITS,
	OPT_RATE_LIMITS,
	OPT_LOG_SIZE,
	OPT_LOG_BODY,
	OPT_THREADS,
	OPT_ASSUME,
	OPT_HELP,
};

static const struct option options[] = {
	{"port", required_argument, NULL, OPT_PORT},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"api-key", required_argument, NULL, OPT_API_KEY},
	{"read-only-key", required_argument, NULL, OPT_READ_ONLY_KEY},
	{"data-key", required_argument, NULL, OPT_DATA_KEY},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"host-name", required_argument, NULL, OPT_HOST_NAME},
	{"index", required_argument, NULL, OPT_INDEX},
	{"region", required_argument, NULL, OPT_REGION},
	{"index-port-base", required_argument, NULL, OPT_INDEX_PORT_BASE},
	{"load", required_argument, NULL, OPT_LOAD},
	{"save", required_argument, NULL, OPT_SAVE},
	{"store", required_argument, NULL, OPT_STORE},
	{"tls-cert", required_argument, NULL, OPT_TLS_CERT},
	{"tls-key", required_argument, NULL, OPT_TLS_KEY},
	{"ne-missing", required_argument, NULL, OPT_NE_MISSING},
	{"null-metadata", required_argument, NULL, OPT_NULL_METADATA},
	{"number-style", required_argument, NULL, OPT_NUMBER_STYLE},
	{"default-namespace-key", required_argument, NULL, OPT_DEFAULT_KEY},
	{"lag", required_argument, NULL, OPT_LAG},
	{"lag-search", required_argument, NULL, OPT_LAG_SEARCH},
	{"lag-list", required_argument, NULL, OPT_LAG_LIST},
	{"lag-fetch", required_argument, NULL, OPT_LAG_FETCH},
	{"lag-stats", required_argument, NULL, OPT_LAG_STATS},
	{"lsn-headers", required_argument, NULL, OPT_LSN_HEADERS},
	{"alias-delay", required_argument, NULL, OPT_ALIAS_DELAY},
	{"ready-delay", required_argument, NULL, OPT_READY_DELAY},
	{"keepalive-max", required_argument, NULL, OPT_KEEPALIVE_MAX},
	{"latency", required_argument, NULL, OPT_LATENCY},
	{"approximate", required_argument, NULL, OPT_APPROXIMATE},
	{"max-top-k", required_argument, NULL, OPT_MAX_TOP_K},
	{"small-limits", no_argument, NULL, OPT_SMALL_LIMITS},
	{"rate-limits", optional_argument, NULL, OPT_RATE_LIMITS},
	{"log-size", required_argument, NULL, OPT_LOG_SIZE},
	{"log-body-limit", required_argument, NULL, OPT_LOG_BODY},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"assume", required_argument, NULL, OPT_ASSUME},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
fail(const char *format, ...)
{
	va_list args;

	fputs("pinecone-local: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry \"pinecone-local --help\".\n", stderr);
	exit(2);
}

static int
integer(const char *option, const char *text, int low, int high)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < low || value > high)
		fail("invalid value for --%s: \"%s\" (an integer from %d to %d)", option, text, low, high);
	return (int) value;
}

/* One of two words */
static bool
choice(const char *option, const char *text, const char *yes, const char *no)
{
	if (strcmp(text, yes) != 0 && strcmp(text, no) != 0)
		fail("invalid value for --%s: \"%s\" (\"%s\" or \"%s\")", option, text, yes, no);
	return strcmp(text, yes) == 0;
}

static void
append_index(IndexOption o)
{
	settings.indexes = mem_resize(settings.indexes, sizeof(IndexOption) * (size_t) (settings.nindexes + 1));
	settings.indexes[settings.nindexes++] = o;
}

/* name:schema.json[:port=N]; false when it is not of that form */
static bool
add_document_index(const char *text)
{
	const char *colon = strchr(text, ':'), *port = strstr(text, ":port="), *end = port ? port : text + strlen(text);
	IndexOption o = {0};

	if (!colon || end - colon < 7 || memcmp(end - 5, ".json", 5) != 0)
		return false;
	o.name = mem_text((Str){text, (size_t) (colon - text)});
	if (!control_is_name(str_of(o.name)) || strlen(o.name) > 45)
		fail("invalid name of an index in --index \"%s\"", text);
	o.file = mem_text((Str){colon + 1, (size_t) (end - colon - 1)});
	if (port)
		o.port = integer("index", port + 6, 1, 65535);
	append_index(o);
	return true;
}

/* name=value */
static void
assume(const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || !fact_set((Str){text, (size_t) (equals - text)}, str_of(equals + 1), true))
		fail("invalid value for --assume: \"%s\" (NAME=VALUE of those that --help lists)", text);
}

/* name:dimension:metric[:sparse][:port=N] */
static void
add_index(const char *text)
{
	char *copy = mem_text(str_of(text)), *rest = copy;
	char *name = strsep(&rest, ":"), *dimension = strsep(&rest, ":"), *metric = strsep(&rest, ":"), *part;
	IndexOption o = {0};

	if (add_document_index(text))
	{
		free(copy);
		return;
	}
	if (!control_is_name(str_of(name)) || strlen(name) > 45)
		fail("invalid name of an index in --index \"%s\"", text);
	if (!metric || (strcmp(metric, "cosine") != 0 && strcmp(metric, "dotproduct") != 0 && strcmp(metric, "euclidean") != 0))
		fail("invalid --index \"%s\" (name:dimension:metric, metric being cosine, dotproduct or euclidean)", text);
	while ((part = strsep(&rest, ":")))
	{
		if (strcmp(part, "sparse") == 0)
			o.sparse = true;
		else if (strncmp(part, "port=", 5) == 0)
			o.port = integer("index", part + 5, 1, 65535);
		else
			fail("invalid part \"%s\" of --index \"%s\"", part, text);
	}
	if (o.sparse && strcmp(metric, "dotproduct") != 0)
		fail("a sparse index needs the metric dotproduct: --index \"%s\"", text);
	o.dimension = o.sparse ? 0 : integer("index", dimension, 1, MAX_DIMENSION);
	o.name = mem_text(str_of(name));
	o.metric = mem_text(str_of(metric));
	free(copy);
	append_index(o);
}

static void
add_key(char *key, KeyRights rights)
{
	if (!*key)
		fail("an API key must not be empty");
	settings.api_keys = mem_resize(settings.api_keys, sizeof(char *) * (size_t) (settings.napi_keys + 1));
	settings.key_rights = mem_resize(settings.key_rights, sizeof(KeyRights) * (size_t) (settings.napi_keys + 1));
	settings.key_rights[settings.napi_keys] = rights;
	settings.api_keys[settings.napi_keys++] = mem_text(str_of(key));
	/* Keys do not belong into the list of processes */
	memset(key, '*', strlen(key));
}

static void
set_region(const char *text)
{
	char *copy = mem_text(str_of(text));
	char *colon = strchr(copy, ':');

	if (!colon || colon == copy || !colon[1])
		fail("--region \"%s\" is not CLOUD:REGION", text);
	*colon = '\0';
	settings.cloud = copy;
	settings.region = colon + 1;
}

static void
add_load(const char *path)
{
	settings.loads = mem_resize(settings.loads, sizeof(char *) * (size_t) (settings.nloads + 1));
	settings.loads[settings.nloads++] = path;
}

/* For tests that meet them with few records.  The sizes leave room for one. */
static void
use_small_limits(void)
{
	sizes.top_k = 5;
	sizes.page = 3;
	sizes.fetch = 2;
	sizes.scan = 4;
	sizes.upsert = 3;
	sizes.delete_ids = 3;
	sizes.result = 24 << 10;
	sizes.upsert_body = 20 << 10;
	sizes.body = 32 << 10;
}

/* One option of the command line. A value that is not one ends the program. */
static void
take_option(int option, char *arg)
{
	char *end;

	switch (option)
	{
		case OPT_PORT:
			settings.port = integer("port", arg, 0, 65535);
			break;
		case OPT_PORT_FILE:
			settings.port_file = arg;
			break;
		case OPT_API_KEY:
			add_key(arg, KEY_ALL);
			break;
		case OPT_READ_ONLY_KEY:
			add_key(arg, KEY_READ_ONLY);
			break;
		case OPT_DATA_KEY:
			add_key(arg, KEY_DATA_ONLY);
			break;
		case OPT_LISTEN:
			settings.listen = arg;
			break;
		case OPT_HOST_NAME:
			settings.host_name = arg;
			break;
		case OPT_INDEX:
			add_index(arg);
			break;
		case OPT_REGION:
			set_region(arg);
			break;
		case OPT_INDEX_PORT_BASE:
			settings.index_port_base = integer("index-port-base", arg, 1, 65535);
			break;
		case OPT_LOAD:
			add_load(arg);
			break;
		case OPT_STORE:
			if (access(arg, F_OK) == 0)
				add_load(arg);
			settings.save = arg;
			break;
		case OPT_SAVE:
			settings.save = arg;
			break;
		case OPT_TLS_CERT:
			settings.tls_cert = arg;
			break;
		case OPT_TLS_KEY:
			settings.tls_key = arg;
			break;
		case OPT_NE_MISSING:
			filter_missing_matches = choice("ne-missing", arg, "match", "skip");
			break;
		case OPT_NULL_METADATA:
			metadata_drop_null = choice("null-metadata", arg, "drop", "reject");
			break;
		case OPT_NUMBER_STYLE:
			metadata_point_zero = choice("number-style", arg, "point-zero", "plain");
			break;
		case OPT_DEFAULT_KEY:
			settings.default_key_is_name = choice("default-namespace-key", arg, "__default__", "");
			break;
		case OPT_LAG:
			for (int i = 0; i < LAGS; i++)
				settings.lag_ms[i] = integer("lag", arg, 0, INT32_MAX);
			break;
		case OPT_LAG_SEARCH:
		case OPT_LAG_LIST:
		case OPT_LAG_FETCH:
		case OPT_LAG_STATS:
			settings.lag_ms[option - OPT_LAG_SEARCH] = integer("lag-...", arg, 0, INT32_MAX);
			break;
		case OPT_LSN_HEADERS:
			settings.lsn_headers = LSN_NEVER;
			while (lsn_headers_names[settings.lsn_headers] && strcmp(arg, lsn_headers_names[settings.lsn_headers]) != 0)
				settings.lsn_headers++;
			if (!lsn_headers_names[settings.lsn_headers])
				fail("invalid value for --lsn-headers: \"%s\" (never, queries or everywhere)", arg);
			break;
		case OPT_ALIAS_DELAY:
			alias_delay_ms = integer("alias-delay", arg, 0, INT32_MAX);
			break;
		case OPT_READY_DELAY:
			settings.ready_delay_ms = integer("ready-delay", arg, 0, INT32_MAX);
			break;
		case OPT_KEEPALIVE_MAX:
			settings.keepalive_max = integer("keepalive-max", arg, 1, INT32_MAX);
			break;
		case OPT_LATENCY:
			settings.latency_ms = integer("latency", arg, 0, INT32_MAX);
			break;
		case OPT_APPROXIMATE:
			settings.approximate = integer("approximate", arg, 0, INT32_MAX);
			break;
		case OPT_MAX_TOP_K:
			sizes.top_k = integer("max-top-k", arg, 1, 10000);
			break;
		case OPT_SMALL_LIMITS:
			use_small_limits();
			break;
		case OPT_RATE_LIMITS:
			settings.rate_limits = arg ? strtod(arg, &end) : 1;
			if (arg && (end == arg || *end || !(settings.rate_limits > 0)))
				fail("invalid value for --rate-limits: \"%s\" (a number above 0)", arg);
			break;
		case OPT_LOG_SIZE:
			settings.log_size = integer("log-size", arg, 0, 10000000);
			break;
		case OPT_LOG_BODY:
			settings.log_body_limit = (size_t) integer("log-body-limit", arg, 0, INT32_MAX);
			break;
		case OPT_THREADS:
			settings.threads = integer("threads", arg, 1, 64);
			break;
		case OPT_ASSUME:
			assume(arg);
			break;
		case OPT_HELP:
			options_help();
			exit(0);
		default:
			/* getopt_long has said what is wrong */
			fputs("Try \"pinecone-local --help\".\n", stderr);
			exit(2);
	}
}

void
options_read(int argc, char **argv)
{
	int option;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	settings.threads = cores < 2 ? 2 : cores > 8 ? 8 :
												   (int) cores;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		take_option(option, optarg);
	if (optind < argc)
		fail("unexpected argument \"%s\"", argv[optind]);
	if (settings.port < 0)
		fail("--port is missing");
	if (settings.napi_keys == 0)
		fail("--api-key is missing");
	if (!settings.tls_cert != !settings.tls_key)
		fail("--tls-cert and --tls-key go together");
}
