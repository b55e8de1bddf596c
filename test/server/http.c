/*
 * http.c
 *		HTTP: connections, requests in, replies out.
 *
 * One daemon of libmicrohttpd with a few threads serves all ports; a thread of
 * ours accepts and says which index a connection is for.  A thread that serves
 * never waits: long work goes to the pool and delays to the clock, while the
 * connection is suspended.
 */
#include "http.h"

#include "fault.h"
#include "listen.h"
#include "log.h"
#include "pool.h"
#include "settings.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What is read of a body that is too long anyway */
#define BODY_KEPT (8u << 20)

typedef struct Exchange Exchange;

typedef struct Connection
{
	Index *index;
	int requests;
	Exchange *begun; /* of which only the first line has come */
} Connection;

typedef enum State
{
	STATE_NEW,
	STATE_BODY,	   /* receiving it */
	STATE_WORKING, /* suspended, a task is on it */
	STATE_ANSWERED,
	STATE_DELAYED, /* suspended, or just woken up */
	STATE_SENT,
} State;

struct Exchange
{
	Request request;
	struct MHD_Connection *mhd;
	Connection *connection;
	State state;
	Fault fault;
	uint64_t log_number;
	/* Sending piece by piece */
	size_t sent;
	bool waited;
};

static struct MHD_Daemon *daemon_;
static char *tls_cert, *tls_key;

/* ---- A request comes in ---- */

static void
free_exchange(Exchange *ex)
{
	Request *r = &ex->request;

	free((char *) r->uri.s);
	buffer_free(&r->body);
	buffer_free(&r->reply.body);
	arena_free(&r->arena);
	free(ex);
}

/* The library ends no exchange whose headers it refuses. */
static void
drop_begun(Connection *c)
{
	if (c && c->begun)
	{
		free_exchange(c->begun);
		c->begun = NULL;
	}
}

static void *
begin_exchange(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	Exchange *ex = mem_zero(sizeof(Exchange));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const char *question;

	(void) cls;
	ex->mhd = mhd;
	ex->connection = info ? info->socket_context : NULL;
	drop_begun(ex->connection);
	if (ex->connection)
		ex->connection->begun = ex;
	ex->request.uri = (Str){mem_text(str_of(uri)), strlen(uri)};
	/*
	 * Hide the parameters from libmicrohttpd, whose buffer this is: it would
	 * keep a record of each in the connection's memory, and when a few thousand
	 * fill that, the client waits for an answer in vain.
	 */
	if ((question = strchr(uri, '?')))
		((char *) (uintptr_t) question)[1] = '\0';
	ex->request.start_us = now_us();
	ex->request.start_wall_us = wall_us();
	return ex;
}

static void
end_exchange(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	Exchange *ex = *context;
	Request *r;

	(void) cls;
	(void) mhd;
	(void) code;
	if (!ex)
		return;
	r = &ex->request;
	if (ex->state != STATE_SENT)
		log_end(ex->log_number, 0, now_us() - r->start_us);
	if (ex->connection && ex->connection->begun == ex)
		ex->connection->begun = NULL;
	free_exchange(ex);
	*context = NULL;
}

static const char *
header(Exchange *ex, const char *name)
{
	return MHD_lookup_connection_value(ex->mhd, MHD_HEADER_KIND, name);
}

/* Path and parameters of the URI; false when its escapes are wrong. */
static bool
split_uri(Request *r)
{
	const char *question = memchr(r->uri.s, '?', r->uri.len);
	size_t at, n = 0;

	r->path = (Str){r->uri.s, question ? (size_t) (question - r->uri.s) : r->uri.len};
	r->query = question ? (Str){question + 1, r->uri.len - r->path.len - 1} : STR("");
	for (size_t i = 0; i < r->query.len; i++)
		n += r->query.s[i] == '&';
	r->params = arena_alloc(&r->arena, sizeof(Param) * (n + 1));
	for (at = 0; at < r->query.len;)
	{
		const char *end = memchr(r->query.s + at, '&', r->query.len - at);
		Str part = {r->query.s + at, end ? (size_t) (end - r->query.s) - at : r->query.len - at};
		const char *equals = part.len ? memchr(part.s, '=', part.len) : NULL;
		Str name = {part.s, equals ? (size_t) (equals - part.s) : part.len};
		Str value = equals ? (Str){equals + 1, part.len - name.len - 1} : STR("");
		Param *p = &r->params[r->nparams];

		at += part.len + 1;
		if (part.len == 0)
			continue;
		if (!url_decode(&r->arena, name, true, &p->name) || !url_decode(&r->arena, value, true, &p->value))
			return false;
		r->nparams++;
	}
	return true;
}

static int
find_key(const char *key)
{
	for (int i = 0; key && i < settings.napi_keys; i++)
	{
		if (strcmp(settings.api_keys[i], key) == 0)
			return i;
	}
	return -1;
}

static bool
ends_with(Str s, const char *end)
{
	return s.len >= strlen(end) && memcmp(s.s + s.len - strlen(end), end, strlen(end)) == 0;
}

/* May the request's key do that?  A dry run of an update is an update. */
static bool
is_permitted(const Request *r)
{
	static const char *const writes[] = {"/vectors/upsert", "/vectors/update", "/vectors/delete", "/bulk/imports"};
	KeyRights rights = settings.key_rights[r->key_number];

	if (rights == KEY_ALL)
		return true;
	if (r->index == NULL)
		return rights == KEY_READ_ONLY && strcmp(r->method, "GET") == 0;
	if (rights == KEY_DATA_ONLY)
		return true;
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
	{
		if (str_is(r->path, writes[i]))
			return false;
	}
	/* documents and records */
	if (r->error_response)
		return ends_with(r->path, "/search") || ends_with(r->path, "/fetch") || ends_with(r->path, "/list");
	/* namespaces and their aliases */
	return strcmp(r->method, "GET") == 0 || r->path.len < 10 || memcmp(r->path.s, "/namespace", 10) != 0;
}

/* ---- It is answered ---- */

static enum MHD_Result send_reply(Exchange *ex);
static enum MHD_Result finish(Exchange *ex);

static void
resume(void *arg)
{
	Exchange *ex = arg;

	MHD_resume_connection(ex->mhd);
}

static void
work(void *arg)
{
	Exchange *ex = arg;

	respond(&ex->request);
	ex->state = STATE_ANSWERED;
	MHD_resume_connection(ex->mhd);
}

/* Everything is there: answer now, or on a thread that may take long. */
static enum MHD_Result
process(Exchange *ex)
{
	Request *r = &ex->request;
	bool good = split_uri(r);
	bool local = r->path.len >= 8 && memcmp(r->path.s, "/_local/", 8) == 0;

	r->index = ex->connection ? ex->connection->index : NULL;
	r->error_response = r->index && path_has_error_response(r->path);
	r->api_key = metrics_is_path(r) ? metrics_key(header(ex, "Authorization")) : header(ex, "Api-Key");
	r->version = header(ex, "X-Pinecone-Api-Version");
	r->user_agent = header(ex, MHD_HTTP_HEADER_USER_AGENT);
	r->content_type = header(ex, MHD_HTTP_HEADER_CONTENT_TYPE);
	r->key_number = find_key(r->api_key);
	r->id = random_u64();
	r->reply.retry_after = -1;
	if (r->index && r->index->gone)
		return MHD_NO;
	if (local)
	{
		local_respond(r);
		return send_reply(ex);
	}
	ex->log_number = log_begin(r);
	ex->fault = fault_take(r);
	if (ex->fault.kind == FAULT_STATUS || ex->fault.kind == FAULT_CLOSE)
		return finish(ex);
	if (r->uri.len > URL_LIMIT)
		reply_text(r, 414, "text/plain", "URI Too Long");
	else if (r->key_number < 0 && metrics_is_path(r))
		reply_control_error(r, 401, "UNAUTHENTICATED", "Invalid API key");
	else if (r->key_number < 0)
		reply_text(r, 401, "text/plain; charset=UTF-8", r->api_key ? "Invalid API Key" : "Unauthorized");
	else if (!is_permitted(r))
		reply_text(r, 403, "text/plain; charset=UTF-8", "Forbidden");
	else if (!good)
		reply_invalid(r, "Invalid percent escape in the query string");
	else if (!respond(r))
	{
		/* From here on the other thread may be faster than this one */
		r->as_task = true;
		ex->state = STATE_WORKING;
		MHD_suspend_connection(ex->mhd);
		pool_submit(work, ex);
		return MHD_YES;
	}
	return finish(ex);
}

/* What a status that was ordered says when no body was. */
static void
default_error(Request *r, int status)
{
	static const struct
	{
		int status, code;
		const char *name, *message;
	} errors[] = {
		{400, 3, "INVALID_ARGUMENT", "Bad request"},
		{402, 9, "PAYMENT_REQUIRED", "Request failed. Pay all past due invoices to lift restrictions on your account."},
		{403, 7, "FORBIDDEN", "Forbidden"},
		{404, 5, "NOT_FOUND", "Not found"},
		{408, 4, "DEADLINE_EXCEEDED", "Request timeout"},
		{409, 6, "ALREADY_EXISTS", "Resource already exists"},
		{412, 9, "FAILED_PRECONDITION", "Failed precondition"},
		{429, 8, "RESOURCE_EXHAUSTED", "Request failed. You've reached a rate limit. Pace your requests."},
		{500, 13, "UNKNOWN", "Internal server error"},
		{501, 12, "UNIMPLEMENTED", "Not implemented"},
		{502, 14, "UNKNOWN", "Bad gateway"},
		{503, 14, "UNAVAILABLE", "Service unavailable"},
		{504, 4, "DEADLINE_EXCEEDED", "Gateway timeout"},
	};
	size_t i = 0;

	if (status == 401)
	{
		reply_text(r, 401, "text/plain; charset=UTF-8", "Invalid API Key");
		return;
	}
	while (i < sizeof(errors) / sizeof(errors[0]) && errors[i].status != status)
		i++;
	if (i == sizeof(errors) / sizeof(errors[0]))
		i = 8;
	if (r->index && !r->error_response)
		reply_rpc_error(r, status, errors[i].code, "%s", errors[i].message);
	else
		reply_control_error(r, status, errors[i].name, "%s", errors[i].message);
}

static void
apply_fault(Exchange *ex)
{
	Request *r = &ex->request;
	Fault *f = &ex->fault;
	static const char garbage[] = "\x1f\x8b{\"vectors\":[\x00\xff\xfe}} not JSON at all <html>";

	if (f->kind == FAULT_STATUS)
	{
		default_error(r, f->status);
		r->reply.retry_after = f->retry_after;
	}
	if (f->kind == FAULT_GARBAGE && !f->has_body)
	{
		r->reply.body.len = 0;
		buffer_add(&r->reply.body, garbage, sizeof(garbage) - 1);
	}
	if (f->has_body)
	{
		r->reply.body.len = 0;
		buffer_add_str(&r->reply.body, f->body);
	}
	if (f->kind != FAULT_STATUS && f->status)
		r->reply.status = f->status;
	if (f->content_type)
		r->reply.type = f->content_type;
	else if (f->kind == FAULT_CONTENT_TYPE)
		r->reply.type = "text/html; charset=utf-8";
}

/* The answer is there; it may have to be spoilt, and to wait. */
static enum MHD_Result
finish(Exchange *ex)
{
	int delay_ms = settings.latency_ms + ex->fault.delay_ms;

	metrics_note(&ex->request);
	apply_fault(ex);
	ex->state = STATE_DELAYED;
	if (delay_ms == 0)
		return send_reply(ex);
	MHD_suspend_connection(ex->mhd);
	timer_add(now_us() + (int64_t) delay_ms * 1000, resume, ex);
	return MHD_YES;
}

/* ---- The answer goes out ---- */

/* A part of the body, then the end of the connection. */
static ssize_t
send_part(void *cls, uint64_t position, char *out, size_t max)
{
	Exchange *ex = cls;
	size_t len = ex->request.reply.body.len;
	size_t part = ex->fault.bytes >= 0 && (size_t) ex->fault.bytes < len ? (size_t) ex->fault.bytes : len / 2;
	size_t n = part - (size_t) position < max ? part - (size_t) position : max;

	if (n == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	memcpy(out, ex->request.reply.body.data + position, n);
	return (ssize_t) n;
}

/* A piece of the body; before the next one the connection sleeps. */
static ssize_t
send_drop(void *cls, uint64_t position, char *out, size_t max)
{
	Exchange *ex = cls;
	size_t left = ex->request.reply.body.len - (size_t) position;
	size_t n = ex->fault.bytes > 0 ? (size_t) ex->fault.bytes : 16;

	if (left == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!ex->waited)
	{
		ex->waited = true;
		MHD_suspend_connection(ex->mhd);
		timer_add(now_us() + (int64_t) ex->fault.interval_ms * 1000, resume, ex);
		return 0;
	}
	ex->waited = false;
	n = n < left ? n : left;
	n = n < max ? n : max;
	memcpy(out, ex->request.reply.body.data + position, n);
	return (ssize_t) n;
}

static void
add_number(struct MHD_Response *response, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
	MHD_add_response_header(response, name, text);
}

static void
add_headers(Exchange *ex, struct MHD_Response *response)
{
	Request *r = &ex->request;
	uint64_t ms = (uint64_t) (now_us() - r->start_us) / 1000;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->reply.type ? r->reply.type : "application/json");
	add_number(response, "x-pinecone-request-id", r->id);
	if (r->reply.retry_after >= 0)
		add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, (uint64_t) r->reply.retry_after);
	if (r->index)
	{
		add_number(response, "x-pinecone-request-latency-ms", ms);
		add_number(response, "x-pinecone-response-duration-ms", ms);
		add_number(response, "x-envoy-upstream-service-time", ms);
		if (r->reply.has_request_lsn)
			add_number(response, "x-pinecone-request-lsn", r->reply.request_lsn);
		if (r->reply.has_indexed_lsn)
			add_number(response, "x-pinecone-max-indexed-lsn", r->reply.indexed_lsn);
		if (r->reply.status < 300)
			MHD_add_response_header(response, "grpc-status", "0");
		MHD_add_response_header(response, MHD_HTTP_HEADER_SERVER, "envoy");
	}
	else
		MHD_add_response_header(response, MHD_HTTP_HEADER_SERVER, "Google Frontend");
	if (settings.keepalive_max > 0 && ex->connection && ++ex->connection->requests >= settings.keepalive_max)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result
send_reply(Exchange *ex)
{
	Request *r = &ex->request;
	Buffer *b = &r->reply.body;
	struct MHD_Response *response;
	enum MHD_Result result;

	/* Log before sending, for the client may look at once */
	if (ex->fault.kind == FAULT_CLOSE || ex->fault.kind == FAULT_CLOSE_AFTER)
		return MHD_NO;
	if (r->reply.status == 0)
		r->reply.status = 200;
	log_end(ex->log_number, r->reply.status, now_us() - r->start_us);
	ex->state = STATE_SENT;
	if (ex->fault.kind == FAULT_TRUNCATE)
		response = MHD_create_response_from_callback(b->len, 64 * 1024, send_part, ex, NULL);
	else if (ex->fault.kind == FAULT_DRIP)
		response = MHD_create_response_from_callback(b->len, 64 * 1024, send_drop, ex, NULL);
	else
	{
		response = MHD_create_response_from_buffer(b->len, b->data, MHD_RESPMEM_MUST_FREE);
		*b = (Buffer){0};
	}
	if (!response)
		return MHD_NO;
	add_headers(ex, response);
	result = MHD_queue_response(ex->mhd, (unsigned) r->reply.status, response);
	MHD_destroy_response(response);
	return result;
}

static void
take_body(Request *r, const char *data, size_t size)
{
	r->body_bytes += size;
	if (r->body.len < BODY_KEPT)
		buffer_add(&r->body, data, size);
}

/*
 * libmicrohttpd calls this for the head of a request, for each part of its body,
 * at the end of that, and again when a reply that was put off is due.
 */
static enum MHD_Result
handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
	   const char *data, size_t *size, void **context)
{
	Exchange *ex = *context;
	const char *length;

	(void) cls;
	(void) mhd;
	(void) url;
	(void) version;
	switch (ex->state)
	{
		case STATE_NEW:
			if (ex->connection)
				ex->connection->begun = NULL;
			ex->request.method = method;
			ex->state = STATE_BODY;
			if ((length = header(ex, MHD_HTTP_HEADER_CONTENT_LENGTH)))
			{
				size_t n = strtoul(length, NULL, 10);

				buffer_reserve(&ex->request.body, n < BODY_KEPT ? n : BODY_KEPT);
			}
			return MHD_YES;
		case STATE_BODY:
			if (*size > 0)
			{
				take_body(&ex->request, data, *size);
				*size = 0;
				return MHD_YES;
			}
			return process(ex);
		case STATE_ANSWERED:
			return finish(ex);
		case STATE_DELAYED:
			return send_reply(ex);
		default:
			return MHD_YES;
	}
}

/* ---- Connections ---- */

static void
notify_connection(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	Connection *c;

	(void) cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

		c = mem_zero(sizeof(Connection));
		c->index = listen_take_index(info->connect_fd);
		*context = c;
		return;
	}
	c = *context;
	if (c)
	{
		drop_begun(c);
		index_release(c->index);
		free(c);
		listen_note_closed();
	}
	*context = NULL;
}

static char *
read_file(const char *path)
{
	Buffer b = {0};
	FILE *file = fopen(path, "r");
	char part[4096];
	size_t n;

	if (!file)
		return NULL;
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buffer_add(&b, part, n);
	fclose(file);
	buffer_add_char(&b, '\0');
	return b.data;
}

static bool
add_connection(int fd, const struct sockaddr *address, unsigned len)
{
	return MHD_add_connection(daemon_, fd, address, len) == MHD_YES;
}

bool
http_start(void)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET;
	struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};

	if (settings.tls_cert)
	{
		const char *failed = NULL;

		if (!(tls_cert = read_file(settings.tls_cert)))
			failed = settings.tls_cert;
		else if (!(tls_key = read_file(settings.tls_key)))
			failed = settings.tls_key;
		if (failed)
		{
			fprintf(stderr, "pinecone-local: could not read \"%s\"\n", failed);
			return false;
		}
		flags |= MHD_USE_TLS;
		tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls_cert};
		tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls_key};
	}
	daemon_ = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL,
							   MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, NULL,
							   MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL,
							   MHD_OPTION_NOTIFY_CONNECTION, notify_connection, NULL,
							   MHD_OPTION_THREAD_POOL_SIZE, (unsigned) settings.threads,
							   MHD_OPTION_CONNECTION_LIMIT, 4096u,
							   MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) 192 * 1024,
							   MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t) 64 * 1024,
							   MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!daemon_)
	{
		fputs("pinecone-local: could not start the HTTP server (is the certificate or key wrong?)\n", stderr);
		return false;
	}
	return listen_start(add_connection);
}

void
http_stop(void)
{
	listen_stop();
	timer_stop();
	pool_stop();
	MHD_stop_daemon(daemon_);
	listen_end();
	free(tls_cert);
	free(tls_key);
}
