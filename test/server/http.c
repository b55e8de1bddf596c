/*
 * http.c
 *		Taking requests in and sending replies, faults included.
 *
 * Every connection has a thread of its own, so that a slow one keeps nobody
 * waiting: added latency and faults simply sleep.
 */
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

#define MAX_UPLOAD (64 * 1024 * 1024)
#define MAX_URL 16384

typedef struct Incoming
{
	char *raw;
	Buffer body;
	bool started;
} Incoming;

static unsigned long request_counter = 0;

/* ---- Replies ---- */

static void
set_error(Reply *reply, int status, const char *type)
{
	reply->status = status;
	reply->type = type;
	reply->body.len = 0;
}

void
reply_rpc_error(Reply *reply, int status, int code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	set_error(reply, status, "application/json");
	buffer_format(&reply->body, "{\"code\":%d,\"message\":", code);
	buffer_string(&reply->body, text);
	buffer_text(&reply->body, ",\"details\":[]}");
}

void
reply_control_error(Reply *reply, int status, const char *code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	set_error(reply, status, "application/json");
	buffer_format(&reply->body, "{\"error\":{\"code\":\"%s\",\"message\":", code);
	buffer_string(&reply->body, text);
	buffer_format(&reply->body, "},\"status\":%d}", status);
}

void
reply_plain_error(Reply *reply, int status, const char *text)
{
	set_error(reply, status, "text/plain");
	buffer_text(&reply->body, text);
}

const char *
query_parameter(Request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void
sleep_ms(int ms)
{
	if (ms > 0)
		usleep((useconds_t) ms * 1000);
}

/* A body that arrives slowly, or never wholly. */
typedef struct SlowBody
{
	char *data;
	size_t len;
	size_t cut;					/* bytes after which the connection ends */
	int delay_ms;				/* before every piece */
} SlowBody;

static ssize_t
read_slow_body(void *cls, uint64_t pos, char *buf, size_t max)
{
	SlowBody *slow = cls;
	size_t n = slow->cut - pos;

	if (pos >= slow->cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (slow->delay_ms > 0)
	{
		sleep_ms(slow->delay_ms);
		n = n < 64 ? n : 64;
	}
	n = n < max ? n : max;
	memcpy(buf, slow->data + pos, n);
	return n;
}

static void
free_slow_body(void *cls)
{
	SlowBody *slow = cls;

	free(slow->data);
	free(slow);
}

static struct MHD_Response *
slow_response(Reply *reply, const Fault *fault)
{
	SlowBody *slow = calloc(1, sizeof(SlowBody));

	slow->data = reply->body.data ? reply->body.data : calloc(1, 1);
	slow->len = reply->body.len;
	slow->cut = fault->kind == FAULT_TRUNCATE ? slow->len / 2 : slow->len;
	slow->delay_ms = fault->kind == FAULT_DRIP ? (fault->delay_ms ? fault->delay_ms : 100) : 0;
	return MHD_create_response_from_callback(slow->len, 65536, read_slow_body, slow, free_slow_body);
}

static void
add_header_number(struct MHD_Response *response, const char *name, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long) number);
	MHD_add_response_header(response, name, text);
}

static void
add_retry_after(struct MHD_Response *response, int seconds)
{
	char text[64];
	time_t when = time(NULL) - seconds;
	struct tm tm;

	if (seconds > 0)
		add_header_number(response, "Retry-After", seconds);
	if (seconds < 0)
	{
		gmtime_r(&when, &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		MHD_add_response_header(response, "Retry-After", text);
	}
}

static enum MHD_Result
send_reply(Request *request, Reply *reply, const Fault *fault)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	unsigned long number = __atomic_add_fetch(&request_counter, 1, __ATOMIC_RELAXED);

	if (fault->kind == FAULT_TRUNCATE || fault->kind == FAULT_DRIP)
		response = slow_response(reply, fault);
	else
		response = MHD_create_response_from_buffer(reply->body.len, reply->body.data ? reply->body.data : (void *) "",
												   reply->body.data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type",
							fault->kind == FAULT_CONTENT_TYPE ? "text/html" : reply->type);
	if (request->index)
	{
		add_header_number(response, "x-pinecone-request-id", 1000000000L + number);
		add_header_number(response, "x-pinecone-request-latency-ms", 1);
		MHD_add_response_header(response, "server", "envoy");
	}
	if (reply->request_lsn >= 0)
		add_header_number(response, "x-pinecone-request-lsn", reply->request_lsn);
	if (reply->indexed_lsn >= 0)
		add_header_number(response, "x-pinecone-max-indexed-lsn", reply->indexed_lsn);
	add_retry_after(response, reply->retry_after);
	if (keepalive_max > 0 && number % keepalive_max == 0)
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(request->connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- Requests ---- */

static int
key_of(struct MHD_Connection *connection)
{
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Api-Key");

	for (int i = 0; given && i < napi_keys; i++)
	{
		if (strcmp(given, api_keys[i]) == 0)
			return i;
	}
	return -1;
}

/* yyyy-mm as a number */
static int
version_of(struct MHD_Connection *connection)
{
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Pinecone-Api-Version");
	int year, month;

	return given && sscanf(given, "%d-%d", &year, &month) == 2 ? year * 100 + month : 0;
}

static void
apply_fault(Reply *reply, const Fault *fault)
{
	if (fault->kind == FAULT_STATUS)
	{
		reply_rpc_error(reply, fault->status, fault->status == 429 ? 8 : 14, "fault on order");
		reply->retry_after = fault->retry_after;
	}
	else if (fault->kind == FAULT_GARBAGE)
	{
		reply->body.len = 0;
		reply->status = 200;
		buffer_text(&reply->body, "\x01\xff{{garbage");
	}
	else
		return;
	if (fault->body)
	{
		reply->body.len = 0;
		buffer_text(&reply->body, fault->body);
	}
}

static void
answer(Request *request, Reply *reply)
{
	if (strlen(request->raw) > MAX_URL)
		reply_plain_error(reply, 414, "URI Too Long");
	else if (request->key < 0 && napi_keys > 0)
		reply_plain_error(reply, 401, "Invalid API Key");
	else if (request->index)
		answer_data(request, reply);
	else
		answer_control(request, reply);
}

static enum MHD_Result
serve(Request *request)
{
	Reply reply = {.status = 200, .type = "application/json", .request_lsn = -1, .indexed_lsn = -1};
	Fault fault = {0};
	int64_t start = now_ms();
	enum MHD_Result result;

	if (strncmp(request->path, "/_local/", 8) == 0)
	{
		answer_local(request, &reply);
		return send_reply(request, &reply, &fault);
	}
	request->key = key_of(request->connection);
	request->version = version_of(request->connection);
	fault = take_fault(request);
	sleep_ms(settings.latency_ms);
	if (fault.kind == FAULT_DELAY)
		sleep_ms(fault.delay_ms);
	if (fault.kind == FAULT_CLOSE)
	{
		log_request(request, 0, now_ms() - start);
		return MHD_NO;
	}
	if (fault.kind != FAULT_STATUS && fault.kind != FAULT_GARBAGE)
		answer(request, &reply);
	apply_fault(&reply, &fault);
	log_request(request, reply.status, now_ms() - start);
	if (fault.kind == FAULT_CLOSE_AFTER)
	{
		free(reply.body.data);
		return MHD_NO;
	}
	result = send_reply(request, &reply, &fault);
	return result;
}

static void *
note_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	Incoming *incoming = calloc(1, sizeof(Incoming));

	(void) cls;
	(void) connection;
	incoming->raw = strdup(uri);
	return incoming;
}

static void
request_done(void *cls, struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	Incoming *incoming = *con_cls;

	(void) cls;
	(void) connection;
	(void) code;
	if (incoming)
	{
		free(incoming->raw);
		free(incoming->body.data);
		free(incoming);
	}
	*con_cls = NULL;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *data, size_t *size, void **con_cls)
{
	Incoming *incoming = *con_cls;
	Request request = {0};
	enum MHD_Result result;

	(void) version;
	if (!incoming->started)
	{
		incoming->started = true;
		return MHD_YES;
	}
	if (*size > 0)
	{
		if (incoming->body.len + *size > MAX_UPLOAD)
			return MHD_NO;
		buffer_append(&incoming->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	request.index = cls;
	request.method = method;
	request.path = (char *) url;
	request.raw = incoming->raw;
	request.body = incoming->body;
	request.connection = connection;
	request.key = -1;
	result = serve(&request);
	json_object_put(request.json);
	return result;
}

struct MHD_Daemon *
http_listen(int port, Index *index, int *actual)
{
	struct sockaddr_in address = {0};
	struct MHD_Daemon *daemon;
	const union MHD_DaemonInfo *info;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, tls_cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, tls_key},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;

	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	daemon = MHD_start_daemon(flags | (use_tls ? MHD_USE_TLS : 0), port, NULL, NULL, handle, index,
							  MHD_OPTION_SOCK_ADDR, (struct sockaddr *) &address,
							  MHD_OPTION_URI_LOG_CALLBACK, note_uri, NULL,
							  MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL,
							  MHD_OPTION_CONNECTION_LIMIT, 2000u,
							  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) 256 * 1024,
							  MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
							  MHD_OPTION_ARRAY, use_tls ? tls : none,
							  MHD_OPTION_END);
	if (daemon == NULL)
		return NULL;
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	*actual = info ? info->port : port;
	return daemon;
}

void
http_stop(struct MHD_Daemon *daemon)
{
	MHD_stop_daemon(daemon);
}
