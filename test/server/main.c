/*
 * main.c
 *		pinecone-local's command line, and /_local/settings and /_local/save.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

Settings settings = {.ne_matches_missing = true, .default_key = ""};
char *api_keys[16];
int napi_keys = 0;
bool use_tls = false;
char *tls_cert = NULL;
char *tls_key = NULL;
int keepalive_max = 0;
int control_port = 0;

static char *save_file = NULL;

static const char help[] =
	"pinecone-local: a Pinecone-compatible server for development and tests\n"
	"\n"
	"Usage: pinecone-local --port N --api-key KEY [OPTION...]\n"
	"\n"
	"  --port N              port of the control plane; 0 picks a free one\n"
	"  --port-file FILE      write that port to FILE once listening\n"
	"  --api-key KEY         a key to accept; may be repeated (none: any key)\n"
	"  --index NAME:DIMENSION:METRIC[:sparse][:port=N]\n"
	"                        create an index; METRIC is cosine, dotproduct or\n"
	"                        euclidean; DIMENSION is 0 for a sparse one\n"
	"  --load FILE           load records from JSONL, a line each:\n"
	"                        {\"index\":..., \"namespace\":..., \"id\":..., \"values\":[...],\n"
	"                        \"sparseValues\":{...}, \"metadata\":{...}}; indexes that\n"
	"                        do not exist are created with metric cosine\n"
	"  --save FILE           where /_local/save writes, and the end of the server\n"
	"  --tls-cert FILE       serve HTTPS with this PEM certificate\n"
	"  --tls-key FILE        and this PEM key\n"
	"  --ne-missing match|skip\n"
	"                        does $ne/$nin match records lacking the field?\n"
	"  --default-namespace-key KEY\n"
	"                        name of the default namespace in statistics:\n"
	"                        '' or __default__\n"
	"  --lag MS              writes become visible after so long\n"
	"  --latency MS          added to every request\n"
	"  --ready-delay MS      new indexes are ready after so long\n"
	"  --keepalive-max N     close a connection after about every Nth request\n"
	"  --help                this text\n"
	"\n"
	"Each index listens on a port of its own; all on the loopback interface.\n"
	"\n"
	"For tests, on every port, without a key:\n"
	"  GET /_local/requests            the requests so far; ?count=1 counts them by path\n"
	"  DELETE /_local/requests         forget them\n"
	"  POST /_local/faults             order a fault: {\"path\": exact, or a prefix and *,\n"
	"                                  \"method\", \"index\", \"count\" (-1: forever), \"skip\",\n"
	"                                  \"kind\": status|delay|truncate|close|close_after|\n"
	"                                  garbage|content_type|drip, \"status\", \"retry_after\"\n"
	"                                  (seconds; negative: as a date), \"delay_ms\", \"body\"}\n"
	"  GET, DELETE /_local/faults      show them, drop them\n"
	"  POST /_local/settings           {\"lag\", \"latency\", \"ready_delay\", \"ne_missing\",\n"
	"                                  \"default_namespace_key\"}\n"
	"  POST /_local/save               write all records to --save's file\n";

static void
fail(const char *message, const char *what)
{
	fprintf(stderr, "pinecone-local: %s%s%s\n", message, what ? ": " : "", what ? what : "");
	exit(2);
}

static int
parse_number(const char *name, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 0 || value > 100000000)
		fail("not a number", name);
	return (int) value;
}

static char *
read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	Buffer buf = {0};
	char chunk[4096];
	size_t n;

	if (in == NULL)
		fail(strerror(errno), path);
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buffer_append(&buf, chunk, n);
	fclose(in);
	return buf.data ? buf.data : strdup("");
}

static bool
set_ne_missing(const char *value)
{
	if (strcmp(value, "match") != 0 && strcmp(value, "skip") != 0)
		return false;
	settings.ne_matches_missing = strcmp(value, "match") == 0;
	return true;
}

static bool
set_default_key(const char *value)
{
	if (value[0] != '\0' && strcmp(value, "__default__") != 0)
		return false;
	strcpy(settings.default_key, value);
	return true;
}

/* NAME:DIMENSION:METRIC[:sparse][:port=N] */
static void
create_index_from_text(const char *text)
{
	char *copy = strdup(text);
	char *name = strtok(copy, ":");
	char *dimension = strtok(NULL, ":");
	char *metric_text = strtok(NULL, ":");
	char *rest;
	bool sparse = false;
	int port = 0;
	Metric metric;

	if (!name || !dimension || !metric_text || !metric_by_name(metric_text, &metric))
		fail("not an index", text);
	while ((rest = strtok(NULL, ":")) != NULL)
	{
		if (strcmp(rest, "sparse") == 0)
			sparse = true;
		else if (strncmp(rest, "port=", 5) == 0)
			port = parse_number("port", rest + 5);
		else
			fail("not an index", text);
	}
	if (index_create(name, parse_number("dimension", dimension), metric, sparse, port) == NULL)
		fail("cannot listen for index", text);
	free(copy);
}

/* Indexes that a file names and that are not there yet. */
static void
create_loaded_indexes(const char *file)
{
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;

	if (in == NULL)
		fail(strerror(errno), file);
	while (getline(&line, &size, in) > 0)
	{
		char name[64] = "";
		const char *found = strstr(line, "\"index\":");
		struct json_object *json, *value;

		if (found == NULL)
			continue;
		if (sscanf(found, "\"index\": \"%63[^\"]\"", name) != 1)
			sscanf(found, "\"index\":\"%63[^\"]\"", name);
		if (name[0] == '\0' || index_find(name))
			continue;
		json = json_tokener_parse(line);
		if (json && json_object_object_get_ex(json, "values", &value))
			index_create(name, (int) json_object_array_length(value), COSINE, false, 0);
		json_object_put(json);
	}
	free(line);
	fclose(in);
}

static bool
save_all(void)
{
	FILE *out;
	bool ok = true;

	if (save_file == NULL)
		return false;
	out = fopen(save_file, "w");
	if (out == NULL)
		return false;
	fclose(out);
	for (Index *index = indexes; index && ok; index = index->next)
	{
		char part[4096];

		if (index->deleted)
			continue;
		snprintf(part, sizeof(part), "%s.part", save_file);
		pthread_rwlock_rdlock(&index->lock);
		ok = save_index(index, part);
		pthread_rwlock_unlock(&index->lock);
		if (ok)
		{
			FILE *from = fopen(part, "r");
			FILE *to = fopen(save_file, "a");
			char chunk[65536];
			size_t n;

			while (from && to && (n = fread(chunk, 1, sizeof(chunk), from)) > 0)
				ok = ok && fwrite(chunk, 1, n, to) == n;
			if (from)
				fclose(from);
			ok = to && fclose(to) == 0 && ok;
		}
		remove(part);
	}
	return ok;
}

static void
answer_settings(Request *request, Reply *reply)
{
	struct json_object *json = request->body.data ? json_tokener_parse(request->body.data) : NULL;
	bool ok = json != NULL && json_object_is_type(json, json_type_object);

	if (ok)
	{
		json_object_object_foreach(json, key, value)
		{
			if (strcmp(key, "lag") == 0)
				settings.lag_ms = json_object_get_int(value);
			else if (strcmp(key, "latency") == 0)
				settings.latency_ms = json_object_get_int(value);
			else if (strcmp(key, "ready_delay") == 0)
				settings.ready_delay_ms = json_object_get_int(value);
			else if (strcmp(key, "ne_missing") == 0)
				ok = ok && set_ne_missing(json_object_get_string(value));
			else if (strcmp(key, "default_namespace_key") == 0)
				ok = ok && set_default_key(json_object_get_string(value));
			else
				ok = false;
		}
	}
	json_object_put(json);
	if (ok)
		buffer_text(&reply->body, "{}");
	else
		reply_rpc_error(reply, 400, 3, "unknown or invalid setting");
}

void
answer_local(Request *request, Reply *reply)
{
	const char *name = request->path + strlen("/_local/");

	if (strcmp(name, "requests") == 0)
		answer_log(request, reply);
	else if (strcmp(name, "faults") == 0)
		answer_faults(request, reply);
	else if (strcmp(name, "settings") == 0)
		answer_settings(request, reply);
	else if (strcmp(name, "save") == 0 && save_all())
		buffer_text(&reply->body, "{}");
	else
		reply_rpc_error(reply, 404, 5, "no such thing: %s", name);
}

enum
{
	OPT_PORT = 1,
	OPT_PORT_FILE,
	OPT_API_KEY,
	OPT_INDEX,
	OPT_LOAD,
	OPT_SAVE,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_NE_MISSING,
	OPT_DEFAULT_KEY,
	OPT_LAG,
	OPT_LATENCY,
	OPT_READY_DELAY,
	OPT_KEEPALIVE_MAX,
	OPT_HELP
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, OPT_PORT},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"api-key", required_argument, NULL, OPT_API_KEY},
	{"index", required_argument, NULL, OPT_INDEX},
	{"load", required_argument, NULL, OPT_LOAD},
	{"save", required_argument, NULL, OPT_SAVE},
	{"tls-cert", required_argument, NULL, OPT_TLS_CERT},
	{"tls-key", required_argument, NULL, OPT_TLS_KEY},
	{"ne-missing", required_argument, NULL, OPT_NE_MISSING},
	{"default-namespace-key", required_argument, NULL, OPT_DEFAULT_KEY},
	{"lag", required_argument, NULL, OPT_LAG},
	{"latency", required_argument, NULL, OPT_LATENCY},
	{"ready-delay", required_argument, NULL, OPT_READY_DELAY},
	{"keepalive-max", required_argument, NULL, OPT_KEEPALIVE_MAX},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

int
main(int argc, char **argv)
{
	const char *index_texts[256];
	const char *load_files[64];
	const char *port_file = NULL;
	struct MHD_Daemon *daemon;
	int nindexes = 0, nloads = 0, port = -1, option, signal_number;
	sigset_t signals;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
	{
		switch (option)
		{
			case OPT_PORT:
				port = parse_number("--port", optarg);
				break;
			case OPT_PORT_FILE:
				port_file = optarg;
				break;
			case OPT_API_KEY:
				if (napi_keys < 16)
					api_keys[napi_keys++] = optarg;
				break;
			case OPT_INDEX:
				if (nindexes < 256)
					index_texts[nindexes++] = optarg;
				break;
			case OPT_LOAD:
				if (nloads < 64)
					load_files[nloads++] = optarg;
				break;
			case OPT_SAVE:
				save_file = optarg;
				break;
			case OPT_TLS_CERT:
				tls_cert = read_file(optarg);
				break;
			case OPT_TLS_KEY:
				tls_key = read_file(optarg);
				break;
			case OPT_NE_MISSING:
				if (!set_ne_missing(optarg))
					fail("--ne-missing is match or skip", NULL);
				break;
			case OPT_DEFAULT_KEY:
				if (!set_default_key(optarg))
					fail("--default-namespace-key is '' or __default__", NULL);
				break;
			case OPT_LAG:
				settings.lag_ms = parse_number("--lag", optarg);
				break;
			case OPT_LATENCY:
				settings.latency_ms = parse_number("--latency", optarg);
				break;
			case OPT_READY_DELAY:
				settings.ready_delay_ms = parse_number("--ready-delay", optarg);
				break;
			case OPT_KEEPALIVE_MAX:
				keepalive_max = parse_number("--keepalive-max", optarg);
				break;
			case OPT_HELP:
				fputs(help, stdout);
				return 0;
			default:
				return 2;
		}
	}
	if (port < 0 || optind < argc)
		fail("--port is needed; see --help", optind < argc ? argv[optind] : NULL);
	use_tls = tls_cert != NULL && tls_key != NULL;
	if (!use_tls && (tls_cert || tls_key))
		fail("--tls-cert and --tls-key belong together", NULL);

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	for (int i = 0; i < nindexes; i++)
		create_index_from_text(index_texts[i]);
	for (int i = 0; i < nloads; i++)
	{
		create_loaded_indexes(load_files[i]);
		if (!load_index(NULL, load_files[i]))
			return 1;
	}
	daemon = http_listen(port, NULL, &control_port);
	if (daemon == NULL)
		fail("cannot listen", strerror(errno));
	if (port_file)
	{
		char part[4096];
		FILE *out;

		snprintf(part, sizeof(part), "%s.part", port_file);
		out = fopen(part, "w");
		if (out == NULL)
			fail(strerror(errno), port_file);
		fprintf(out, "%d\n", control_port);
		fclose(out);
		rename(part, port_file);
	}
	sigwait(&signals, &signal_number);
	if (save_file)
		save_all();
	return 0;
}
