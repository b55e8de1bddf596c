/*
 * http.c
 *		HTTP exchanges, several in flight; the only user of libcurl.
 *
 * One curl multi handle per backend.  It tells us its sockets and its timer,
 * which are waited for in poll.c.  Connections stay open in the multi handle and
 * are shared by all exchanges with a host.  Names are looked up beforehand, in
 * dns_lookup.c, since libcurl cannot be interrupted while it does that.
 *
 * libcurl's memory is malloc'ed and tied to the exchange's memory context by a
 * reset callback.  Nothing raises an error inside a libcurl callback.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/memory.h"
#include "base/setting.h"
#include "base/signals.h"
#include "client/deadline.h"
#include "client/dns_lookup.h"
#include "client/http.h"
#include "client/idle.h"
#include "client/poll.h"
#include "client/reply.h"
#include "client/route.h"

#define MAX_SPARE_HANDLES 64
#define LARGE_BUFFER (256L * 1024)
#define USUAL_BUFFER (16L * 1024)
#define USUAL_UPLOAD_BUFFER (64L * 1024)
#define SMALL_BUFFER (16L * 1024)

/* Less than what libcurl takes for long, which is 1 MB */
#define LONG_BODY 500000

/* An exchange with what libcurl holds for it. */
typedef struct Transfer
{
	PineconeExchange exchange; /* first, so that one is the other */
	MemoryContextCallback cleanup;
	dlist_node node; /* in the list of those that run */
	bool listed;
	CURL *easy; /* NULL once ended */
	struct curl_slist *headers;
	struct curl_slist *addresses; /* of the names on its route */
	PineconeRoute route;
	bool added; /* to the multi handle: it was not before the addresses were known */
	PineconeBody body;
	bool oversized;
	bool out_of_memory;
	PineconeDeadline deadline;
	char error[CURL_ERROR_SIZE];
} Transfer;

typedef struct Http
{
	CURLM *multi;
	int max_connections;   /* that it knows of */
	dlist_head transfers;  /* that run */
	int nlookups;		   /* of them, still without addresses */
	PineconeTime timer_at; /* when libcurl wants to be called; 0: never */

	CURL *spare_handles[MAX_SPARE_HANDLES];
	int nspare_handles;
} Http;

/* NULL until all of it is there, and when libcurl's part has become useless */
static Http *http = NULL;

/* Has one ended since pinecone_http_advance() was called last? */
static bool any_ended = false;

/* ---- libcurl's callbacks: these must not raise errors ---- */

static int
socket_callback(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
	if (what == CURL_POLL_REMOVE)
	{
		pinecone_poll_unwant(fd);
		return 0;
	}
	return pinecone_poll_want(fd, ((what & CURL_POLL_IN) ? PINECONE_POLL_IN : 0) |
									  ((what & CURL_POLL_OUT) ? PINECONE_POLL_OUT : 0)) ?
			   0 :
			   -1;
}

static curl_socket_t
open_callback(void *userp, curlsocktype purpose, struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	if (fd >= 0 && !pinecone_poll_opened(fd))
	{
		close(fd);
		fd = -1;
	}
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int
close_callback(void *userp, curl_socket_t fd)
{
	pinecone_idle_end();
	pinecone_poll_closed(fd);
	return close(fd);
}

static int
timer_callback(CURLM *handle, long timeout_ms, void *userp)
{
	Http *owner = userp;

	owner->timer_at = timeout_ms < 0 ? 0 : pinecone_clock_after_ms(pinecone_clock_now(), timeout_ms);
	return 0;
}

static size_t
body_callback(char *data, size_t size, size_t n, void *userp)
{
	Transfer *transfer = userp;
	curl_off_t announced = -1;
	size_t len = size * n;

	if (transfer->body.len + len > PINECONE_MAX_REPLY)
	{
		transfer->oversized = true;
		return 0;
	}
	if (transfer->body.data == NULL)
		(void) curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	if (!pinecone_body_append(&transfer->body, data, len, announced))
	{
		transfer->out_of_memory = true;
		return 0;
	}
	return len;
}

static size_t
header_callback(char *line, size_t size, size_t n, void *userp)
{
	pinecone_reply_take_header(&((Transfer *) userp)->exchange, line, size * n);
	return size * n;
}

/* ---- Starting and ending ---- */

/* All of it or nothing: an error here leaves the next attempt to begin anew. */
static void
initialize(void)
{
	static bool curl_is_ready = false;
	Http *made;

	if (http != NULL)
		return;
	pinecone_poll_initialize();
	if (!curl_is_ready && curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not initialize libcurl")));
	curl_is_ready = true;
	made = MemoryContextAllocZero(TopMemoryContext, sizeof(Http));
	dlist_init(&made->transfers);
	made->multi = curl_multi_init();
	if (made->multi == NULL)
	{
		pfree(made);
		pinecone_memory_report();
	}
	curl_multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
	curl_multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, timer_callback);
	curl_multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
	curl_multi_setopt(made->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	http = made;
}

/* The setting may have changed. */
static void
limit_connections(void)
{
	if (http->max_connections == pinecone_max_connections)
		return;
	http->max_connections = pinecone_max_connections;
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long) pinecone_max_connections);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) pinecone_max_connections);
}

/* It runs no more: libcurl has nothing to do with it. */
static void
detach_transfer(Transfer *transfer)
{
	if (!transfer->listed)
		return;
	if (transfer->added)
		curl_multi_remove_handle(http->multi, transfer->easy);
	else
		http->nlookups--;
	transfer->added = false;
	dlist_delete(&transfer->node);
	transfer->listed = false;
}

/* What libcurl holds for it, which may be a lot more than the body. */
static void
release_handle(Transfer *transfer)
{
	if (transfer->easy)
	{
		if (http != NULL && http->nspare_handles < MAX_SPARE_HANDLES)
		{
			curl_easy_reset(transfer->easy);
			http->spare_handles[http->nspare_handles++] = transfer->easy;
		}
		else
			curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->addresses);
	transfer->headers = NULL;
	transfer->addresses = NULL;
}

/* Cancel it if it runs, and free all. */
static void
release_transfer(void *arg)
{
	Transfer *transfer = arg;
	PineconeExchange *exchange = &transfer->exchange;

	detach_transfer(transfer);
	release_handle(transfer);
	pinecone_body_free(&transfer->body);
	exchange->body = NULL;
	exchange->body_len = 0;
}

static void
append_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		pinecone_memory_report();
	*list = longer;
}

static void
append_headers(Transfer *transfer, const PineconeHttpRequest *request)
{
	for (const char *const *header = request->headers; *header; header++)
		append_line(&transfer->headers, *header);
	/* libcurl would have a long body announced, and wait for the go-ahead */
	if (request->body_len > LONG_BODY)
		append_line(&transfer->headers, "Expect:");
}

/* All about an exchange. Handles are used again: what one sets each has to set. */
static void
set_options(Transfer *transfer, const PineconeHttpRequest *request)
{
	CURL *easy = transfer->easy;
	bool tls = strncmp(request->url, "https:", 6) == 0;
	CURLcode code = CURLE_OK;

#define SET(option, value) \
	do \
	{ \
		if (code == CURLE_OK) \
			code = curl_easy_setopt(easy, option, value); \
	} \
	while (0)

	SET(CURLOPT_URL, request->url);
	/* said twice, for libcurl 7.88 forgets a query that it has no memory for */
	if (strchr(request->url, '?') != NULL)
		SET(CURLOPT_REQUEST_TARGET, pinecone_route_target(request->url));
	SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	SET(CURLOPT_WRITEFUNCTION, body_callback);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_callback);
	SET(CURLOPT_CLOSESOCKETFUNCTION, close_callback);
	SET(CURLOPT_HEADERFUNCTION, header_callback);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	if (tls)
	{
		SET(CURLOPT_HTTP_VERSION, (long) (request->http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
		SET(CURLOPT_PIPEWAIT, request->http1 ? 0L : 1L);
		if (request->ca)
		{
			struct curl_blob blob = {(void *) request->ca, request->ca_len, CURL_BLOB_COPY};

			SET(CURLOPT_CAINFO_BLOB, &blob);
			SET(CURLOPT_CAPATH, NULL);
		}
	}
	else
	{
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
		SET(CURLOPT_PROXY, ""); /* plain HTTP stays on this machine */
	}
	/* a kept connection that turns out dead is followed by another one, and the request sent again */
	SET(CURLOPT_FRESH_CONNECT, request->alone ? 1L : 0L);
	SET(CURLOPT_FORBID_REUSE, request->alone ? 1L : 0L);

	/*
	 * Sizes are said even where they are the usual ones: libcurl 7.88 that has no memory while
	 * it resets a handle leaves them at 0, and says nothing.  It refuses this one for a handle
	 * that was used for HTTP/2, which keeps its buffer.
	 */
	(void) curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, request->large_reply ? LARGE_BUFFER : USUAL_BUFFER);
	if (request->body)
	{
		/* newer ones have a buffer for all of a request, and keep it */
		SET(CURLOPT_UPLOAD_BUFFERSIZE, request->body_len < SMALL_BUFFER / 2 ? SMALL_BUFFER : USUAL_UPLOAD_BUFFER);
		SET(CURLOPT_POSTFIELDS, request->body);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
	}
	if (strcmp(request->method, request->body ? "POST" : "GET") != 0)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
#undef SET

	if (code != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not set up an HTTP request: %s", curl_easy_strerror(code))));
}

static void begin_transfer(Transfer *transfer);

PineconeExchange *
pinecone_http_start(const PineconeHttpRequest *request)
{
	Transfer *transfer;

	initialize();
	limit_connections();
	pinecone_idle_end();
	transfer = palloc0(sizeof(Transfer));
	transfer->exchange.retry_after = -1;
	transfer->exchange.request_lsn = -1;
	transfer->exchange.indexed_lsn = -1;
	transfer->cleanup.func = release_transfer;
	transfer->cleanup.arg = transfer;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &transfer->cleanup);

	/* one that was used for HTTP/2 keeps its buffer, which may be less than libcurl 7.88 writes here */
	transfer->easy = http->nspare_handles > 0 && !request->http1 ? http->spare_handles[--http->nspare_handles] :
																   curl_easy_init();
	if (transfer->easy == NULL)
		pinecone_memory_report();
	pinecone_deadline_begin(&transfer->deadline, request->connect_timeout_ms, request->timeout_ms);
	append_headers(transfer, request);
	set_options(transfer, request);
	pinecone_route_find(request->url, &transfer->route);
	dlist_push_tail(&http->transfers, &transfer->node);
	transfer->listed = true;
	http->nlookups++;
	begin_transfer(transfer);
	if (transfer->listed)
		pinecone_deadline_note(&transfer->deadline, transfer->added);
	return &transfer->exchange;
}

/* ---- Moving on ---- */

/* Has libcurl come so far that it has sent of the request?  8.22 has a PRETRANSFER_TIME of failed handshakes, too. */
static bool
is_connected(Transfer *transfer)
{
	long request_size = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_size);
	return request_size > 0;
}

static PineconeHttpOutcome
outcome_of_timeout(Transfer *transfer)
{
	bool connected = transfer->added && is_connected(transfer);

	if (pinecone_deadline_has_lapsed(&transfer->deadline, connected))
		return PINECONE_HTTP_LAPSED;
	if (connected)
		return PINECONE_HTTP_TIMED_OUT;
	return transfer->added ? PINECONE_HTTP_UNCONNECTED : PINECONE_HTTP_UNRESOLVED;
}

static PineconeHttpOutcome
outcome_of(Transfer *transfer, CURLcode code)
{
	if (transfer->oversized)
		return PINECONE_HTTP_OVERSIZED;
	if (transfer->out_of_memory)
		return PINECONE_HTTP_OUT_OF_MEMORY;
	switch (code)
	{
		case CURLE_OK:
			return PINECONE_HTTP_ANSWERED;
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_CONNECT:
		case CURLE_SSL_CONNECT_ERROR: /* a handshake that broke off; a certificate refused is another code */
			return PINECONE_HTTP_UNREACHABLE;
		case CURLE_OPERATION_TIMEDOUT:
			return outcome_of_timeout(transfer);
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_ISSUER_ERROR:
			return PINECONE_HTTP_UNTRUSTED;
		case CURLE_OUT_OF_MEMORY:
			return PINECONE_HTTP_OUT_OF_MEMORY;
		default:
			return PINECONE_HTTP_BROKEN;
	}
}

/* An exchange is over; why, if "reason" is given, or else in libcurl's words. */
static void
finish_transfer(Transfer *transfer, CURLcode code, const char *reason)
{
	PineconeExchange *exchange = &transfer->exchange;
	curl_off_t retry_after = 0;
	curl_off_t handshake = 0;
	long connects = 0;

	exchange->outcome = outcome_of(transfer, code);
	exchange->in_tls = code == CURLE_SSL_CONNECT_ERROR || exchange->outcome == PINECONE_HTTP_UNTRUSTED;
	exchange->sent = is_connected(transfer);
	/* libcurl connects anew when a kept connection dies under a request */
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
	exchange->connected = connects > 0;
	exchange->handshaken = connects > 0 && handshake > 0;
	exchange->taken_us = pinecone_deadline_taken(&transfer->deadline);
	if (reason == NULL)
		reason = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
	if (code != CURLE_OK)
		strlcpy(exchange->reason, reason, sizeof(exchange->reason));
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &exchange->status);
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK &&
		retry_after > 0)
		exchange->retry_after = (double) retry_after;
	/* an answer has a body, be it empty */
	if (exchange->outcome == PINECONE_HTTP_ANSWERED && transfer->body.data == NULL &&
		!pinecone_body_append(&transfer->body, "", 0, -1))
		exchange->outcome = PINECONE_HTTP_OUT_OF_MEMORY;
	exchange->body = transfer->body.data;
	exchange->body_len = transfer->body.len;
	if (exchange->outcome == PINECONE_HTTP_UNREACHABLE || exchange->outcome == PINECONE_HTTP_UNCONNECTED)
		pinecone_route_forget(&transfer->route);
	detach_transfer(transfer);
	/* the body may be read much later, along with those of many others */
	release_handle(transfer);
	any_ended = true;
}

/* Nothing runs any more: the next exchange begins anew. */
static void
end_libcurl(void)
{
	for (int i = 0; i < http->nspare_handles; i++)
		curl_easy_cleanup(http->spare_handles[i]);
	curl_multi_cleanup(http->multi);
	pfree(http);
	http = NULL;
	pinecone_deadline_forget();
}

void
pinecone_http_rest(void)
{
	if (http != NULL && dlist_is_empty(&http->transfers))
		end_libcurl();
	pinecone_body_free_spares();
	pinecone_memory_trim();
}

/*
 * Something has failed inside libcurl, most likely for want of memory.  It does
 * not say which exchange it was, and may not go on with any: all of them end, and
 * the next one begins anew.
 */
static void
give_up_all(CURLMcode code)
{
	while (!dlist_is_empty(&http->transfers))
	{
		Transfer *transfer = dlist_container(Transfer, node, dlist_head_node(&http->transfers));

		finish_transfer(transfer, code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_SEND_ERROR,
						curl_multi_strerror(code));
	}
	end_libcurl();
}

/* Let libcurl go on with an exchange if its addresses are known. */
static void
begin_transfer(Transfer *transfer)
{
	PineconeDeadline *deadline = &transfer->deadline;
	char *lines[PINECONE_ROUTE_NAMES];
	const char *failed;
	CURLMcode code;
	int n;

	if (!pinecone_route_addresses(&transfer->route, deadline->started_at, lines, &n, &failed))
	{
		if (failed != NULL)
			finish_transfer(transfer, CURLE_COULDNT_RESOLVE_HOST, failed);
		return;
	}
	for (int i = 0; i < n; i++)
		append_line(&transfer->addresses, lines[i]);
	if (transfer->addresses != NULL)
		curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->addresses);
	curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS,
					 pinecone_deadline_ms_left(deadline, deadline->connect_timeout_ms));
	curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS,
					 pinecone_deadline_ms_left(deadline, deadline->timeout_ms));
	code = curl_multi_add_handle(http->multi, transfer->easy);
	if (code != CURLM_OK)
	{
		give_up_all(code);
		return;
	}
	transfer->added = true;
	http->nlookups--;
}

/* Go on with those whose addresses have come, or are not to. */
static void
advance_lookups(void)
{
	dlist_mutable_iter iter;

	(void) pinecone_address_advance();
	if (http->nlookups == 0)
		return;
	dlist_foreach_modify(iter, &http->transfers)
	{
		Transfer *transfer = dlist_container(Transfer, node, iter.cur);

		if (transfer->added)
			continue;
		begin_transfer(transfer);
		if (http == NULL)
			return;
	}
}

/* Let libcurl act on the sockets that are ready, and on its timer. */
static CURLMcode
advance_sockets(void)
{
	PineconePollEvent ready[32];
	int n = pinecone_poll_ready(ready, lengthof(ready));
	CURLMcode code = CURLM_OK;
	sigset_t signals;
	int running;

	if (n == 0 && (http->timer_at == 0 || pinecone_clock_now() < http->timer_at))
		return CURLM_OK;
	pinecone_signals_block(&signals);
	for (int i = 0; i < n && code == CURLM_OK; i++)
	{
		int mask = ((ready[i].events & PINECONE_POLL_IN) ? CURL_CSELECT_IN : 0) |
				   ((ready[i].events & PINECONE_POLL_OUT) ? CURL_CSELECT_OUT : 0) |
				   ((ready[i].events & PINECONE_POLL_ERROR) ? CURL_CSELECT_ERR : 0);

		code = curl_multi_socket_action(http->multi, ready[i].fd, mask, &running);
	}
	if (code == CURLM_OK && http->timer_at != 0 && pinecone_clock_now() >= http->timer_at)
	{
		http->timer_at = 0;
		code = curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	pinecone_signals_restore(&signals);
	return code;
}

/* Take note of those that have come to an end. */
static void
take_finished(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		char *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish_transfer((Transfer *) transfer, message->data.result, NULL);
	}
}

/* End those whose time is over, whatever libcurl thinks of it. */
static void
end_overdue(void)
{
	dlist_mutable_iter iter;

	if (!pinecone_deadline_any_over())
		return;
	dlist_foreach_modify(iter, &http->transfers)
	{
		Transfer *transfer = dlist_container(Transfer, node, iter.cur);

		if (!pinecone_deadline_is_over(&transfer->deadline, transfer->added))
			pinecone_deadline_note(&transfer->deadline, transfer->added);
		else
			finish_transfer(transfer, CURLE_OPERATION_TIMEDOUT,
							transfer->added ? NULL :
											  psprintf("Resolving %s timed out after %d ms", transfer->route.names[0],
													   pinecone_deadline_connect_ms(&transfer->deadline)));
	}
}

static void
advance_all(void)
{
	CURLMcode code;

	pinecone_deadline_attend();
	advance_lookups();
	if (http == NULL)
		return;
	code = advance_sockets();
	take_finished();
	if (code != CURLM_OK)
	{
		give_up_all(code);
		return;
	}
	end_overdue();
	pinecone_deadline_attended();
}

bool
pinecone_http_advance(void)
{
	bool ended;

	if (http != NULL)
		advance_all();
	ended = any_ended;
	any_ended = false;
	return ended;
}

long
pinecone_http_timeout(void)
{
	if (any_ended)
		return 0;
	return http == NULL ? -1 : pinecone_deadline_timeout(http->timer_at);
}
