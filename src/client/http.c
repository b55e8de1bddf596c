/*
 * http.c
 *		HTTP exchanges, several in flight; the only user of libcurl.
 *
 * One curl multi handle per backend.  It tells us its sockets and its timer;
 * the sockets are gathered in an epoll descriptor, so that a wait needs only
 * that descriptor and the latch.  Connections stay open in the multi handle
 * and are shared by all exchanges with a host; their sockets stay in the epoll
 * set between exchanges, which saves two system calls for each.
 *
 * libcurl's memory is malloc'ed and tied to the exchange's memory context by a
 * reset callback.  Nothing raises an error inside a libcurl callback.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "client/http.h"

/* No reply is larger: Pinecone's own limit is 4 MB, and lists are small. */
#define MAX_BODY ((size_t) 64 * 1024 * 1024)

/* Behind a body: its NUL, and what a decoder may read in one go. */
#define BODY_PADDING 64
#define MAX_IDLE_CONNECTIONS 64
#define MAX_SPARE_HANDLES 64
#define LARGE_BUFFER (256L * 1024)

/* Less than what libcurl takes for long, which is 1 MB */
#define LONG_BODY 500000

/*
 * Memory of large bodies is kept for the next ones, so many bytes of it:
 * fresh memory from the system costs about as much as receiving into it.
 */
#define MAX_SPARE_BODIES 8
#define MAX_SPARE_BYTES ((size_t) 4 * 1024 * 1024)

/* An exchange with what libcurl holds for it. */
typedef struct Transfer
{
	PineconeExchange exchange; /* first, so that one is the other */
	MemoryContextCallback cleanup;
	CURL *easy; /* NULL once ended */
	struct curl_slist *headers;
	bool added;		  /* to the multi handle */
	size_t body_size; /* allocated */
	bool oversized;
	bool out_of_memory;
	TimestampTz started_at;
	int64 started_unattended; /* of unattended, at that time */
	int connect_timeout_ms;
	int timeout_ms;
	char error[CURL_ERROR_SIZE];
} Transfer;

typedef struct SpareBody
{
	char *data; /* malloc'ed */
	size_t size;
} SpareBody;

/* What is known of a file descriptor, by its number. */
typedef struct Watch
{
	uint32 events; /* in the epoll set for these; 0: not in it */
	bool wanted;   /* libcurl waits for them, too */
	bool stays;	   /* we shall be told when it is closed */
} Watch;

static CURLM *multi = NULL;
static Watch *watches = NULL; /* malloc'ed */
static int nwatches = 0;
static int nregistered = 0; /* in the epoll set */
static int nwanted = 0;
static int last_wanted = -1; /* the last descriptor asked for */
static bool woken = false;	 /* a sleep has ended because of a socket */
static int epoll_fd = -1;
static int alarm_fd = -1;		 /* a timer among what epoll_fd waits for */
static bool alarm_set = false;	 /* it has been set, and not been seen to ring */
static TimestampTz timer_at = 0; /* when libcurl wants to be called; 0: never */
static CURL *spare_handles[MAX_SPARE_HANDLES];
static int nspare_handles = 0;
static SpareBody spare_bodies[MAX_SPARE_BODIES];
static int nspare_bodies = 0;
static size_t spare_bytes = 0; /* the sum of their sizes */

/*
 * Microseconds in which nobody moved the exchanges on: an open cursor may not be
 * read from for an hour.  libcurl's timeouts run on in the meantime.
 */
static int64 unattended = 0;
static TimestampTz attended_at = 0; /* the last time somebody did; 0: never */
static bool attended_elsewhere = false;

static WaitEventSet *wait_set = NULL;
static uint32 wait_event = 0;

/* ---- libcurl's callbacks: these must not raise errors ---- */

static Watch *
find_watch(int fd)
{
	if (fd >= nwatches)
	{
		int n = Max(fd + 1, 64);
		Watch *larger = realloc(watches, n * sizeof(Watch));

		if (larger == NULL)
			return NULL;
		memset(larger + nwatches, 0, (n - nwatches) * sizeof(Watch));
		watches = larger;
		nwatches = n;
	}
	return &watches[fd];
}

/* Have a descriptor in the epoll set for these events; for none, out of it. */
static bool
set_events(Watch *watch, int fd, uint32 events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};
	int op = watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	int other = watch->events == 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (watch->events == events)
		return true;
	if (events == 0)
		(void) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(epoll_fd, op, fd, &event) < 0 &&
			 epoll_ctl(epoll_fd, other, fd, &event) < 0)
		return false;
	nregistered += (events != 0) - (watch->events != 0);
	watch->events = events;
	return true;
}

static void
set_wanted(Watch *watch, bool wanted)
{
	nwanted += wanted - watch->wanted;
	watch->wanted = wanted;
}

static int
socket_callback(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
	Watch *watch = find_watch(fd);
	uint32 events = 0;

	if (watch == NULL)
		return -1;
	if (what == CURL_POLL_REMOVE)
	{
		set_wanted(watch, false);
		if (!watch->stays)
			(void) set_events(watch, fd, 0);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	set_wanted(watch, true);
	last_wanted = fd;
	return set_events(watch, fd, events) ? 0 : -1;
}

static curl_socket_t
open_callback(void *userp, curlsocktype purpose, struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	Watch *watch = fd < 0 ? NULL : find_watch(fd);

	if (watch == NULL)
	{
		if (fd >= 0)
			close(fd);
		return CURL_SOCKET_BAD;
	}
	watch->stays = true;
	return fd;
}

static int
close_callback(void *userp, curl_socket_t fd)
{
	Watch *watch = find_watch(fd);

	if (watch != NULL)
	{
		set_wanted(watch, false);
		(void) set_events(watch, fd, 0);
		watch->stays = false;
	}
	return close(fd);
}

/*
 * Before a wait: a connection that nobody uses must not end it, again and
 * again, by being closed at the other end.  While some are in use,
 * pinecone_http_advance() sees to that.
 */
static void
forget_idle(void)
{
	if (nwanted > 0 || nregistered == 0)
		return;
	for (int fd = 0; fd < nwatches; fd++)
		(void) set_events(&watches[fd], fd, 0);
}

static int
timer_callback(CURLM *handle, long timeout_ms, void *userp)
{
	timer_at = timeout_ms < 0 ? 0 :
								TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
	return 0;
}

/* The smallest memory kept that is large enough, or else the largest. */
static void
take_spare_body(Transfer *transfer, size_t wanted)
{
	SpareBody *best = NULL;

	for (int i = 0; i < nspare_bodies; i++)
	{
		SpareBody *spare = &spare_bodies[i];

		if (best == NULL || (best->size < wanted ? spare->size > best->size :
												   spare->size >= wanted && spare->size < best->size))
			best = spare;
	}
	if (best == NULL)
		return;
	transfer->exchange.body = best->data;
	transfer->body_size = best->size;
	spare_bytes -= best->size;
	*best = spare_bodies[--nspare_bodies];
}

static void
keep_body(char *data, size_t size)
{
	if (size < LARGE_BUFFER || nspare_bodies == MAX_SPARE_BODIES ||
		spare_bytes + size > MAX_SPARE_BYTES)
	{
		free(data);
		return;
	}
	spare_bodies[nspare_bodies++] = (SpareBody){data, size};
	spare_bytes += size;
}

/* Make room for a body of so many bytes. */
static bool
grow_body(Transfer *transfer, size_t needed)
{
	PineconeExchange *exchange = &transfer->exchange;
	size_t wanted = Max(needed, transfer->body_size * 2);
	curl_off_t announced = -1;
	char *body;

	if (exchange->body == NULL)
	{
		if (curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced) == CURLE_OK &&
			announced > 0 && (size_t) announced < MAX_BODY)
			wanted = Max(wanted, (size_t) announced + BODY_PADDING);
		if (wanted >= LARGE_BUFFER)
			take_spare_body(transfer, wanted);
		if (transfer->body_size >= wanted)
			return true;
	}
	body = realloc(exchange->body, wanted);
	if (body == NULL)
		return false;
	exchange->body = body;
	transfer->body_size = wanted;
	return true;
}

static size_t
body_callback(char *data, size_t size, size_t n, void *userp)
{
	Transfer *transfer = userp;
	PineconeExchange *exchange = &transfer->exchange;
	size_t len = size * n;
	size_t needed = exchange->body_len + len + BODY_PADDING;

	if (needed > MAX_BODY)
	{
		transfer->oversized = true;
		return 0;
	}
	if (needed > transfer->body_size && !grow_body(transfer, needed))
	{
		transfer->out_of_memory = true;
		return 0;
	}
	memcpy(exchange->body + exchange->body_len, data, len);
	exchange->body_len += len;
	exchange->body[exchange->body_len] = '\0';
	return len;
}

/* The value of a header line of that name, copied; false when it is another. */
static bool
header_value(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t namelen = strlen(name);
	size_t n = 0;

	if (len <= namelen || line[namelen] != ':' || pg_strncasecmp(line, name, namelen) != 0)
		return false;
	line += namelen + 1;
	len -= namelen + 1;
	for (size_t i = 0; i < len && n + 1 < size; i++)
	{
		if ((unsigned char) line[i] > ' ' && (unsigned char) line[i] < 127)
			value[n++] = line[i];
	}
	value[n] = '\0';
	return true;
}

static size_t
header_callback(char *line, size_t size, size_t n, void *userp)
{
	PineconeExchange *exchange = &((Transfer *) userp)->exchange;
	size_t len = size * n;
	char value[64];

	if (header_value(line, len, "x-pinecone-request-lsn", value, sizeof(value)))
		exchange->request_lsn = strtoll(value, NULL, 10);
	else if (header_value(line, len, "x-pinecone-max-indexed-lsn", value, sizeof(value)))
		exchange->indexed_lsn = strtoll(value, NULL, 10);
	else if (header_value(line, len, "x-pinecone-request-id", exchange->request_id,
						  sizeof(exchange->request_id)))
		/* taken */;
	else if (exchange->request_id[0] == '\0')
		(void) header_value(line, len, "x-request-id", exchange->request_id,
							sizeof(exchange->request_id));
	return len;
}

/* ---- Starting and ending ---- */

static void
initialize(void)
{
	if (multi != NULL)
		return;
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not initialize libcurl")));
	if (epoll_fd < 0)
	{
		if (!AcquireExternalFD())
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not reserve a file descriptor: %m")));
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		if (epoll_fd < 0)
		{
			ReleaseExternalFD();
			ereport(ERROR,
					(errcode_for_socket_access(),
					 errmsg("could not create an epoll descriptor: %m")));
		}
	}
	multi = curl_multi_init();
	if (multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_callback);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) MAX_IDLE_CONNECTIONS);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	wait_event = pinecone_wait_event_new("PineconeRequest");

	/* kept for the backend's life: a wait is a single system call */
	wait_set = pinecone_create_wait_event_set(TopMemoryContext, 3);
	AddWaitEventToSet(wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	if (IsUnderPostmaster)
		AddWaitEventToSet(wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(wait_set, WL_SOCKET_READABLE, epoll_fd, NULL, NULL);
}

/* Cancel it if it runs, and free what libcurl holds for it. */
static void
release_transfer(void *arg)
{
	Transfer *transfer = arg;
	PineconeExchange *exchange = &transfer->exchange;

	if (transfer->easy)
	{
		if (transfer->added)
			curl_multi_remove_handle(multi, transfer->easy);
		if (nspare_handles < MAX_SPARE_HANDLES)
		{
			curl_easy_reset(transfer->easy);
			spare_handles[nspare_handles++] = transfer->easy;
		}
		else
			curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
	if (transfer->headers)
		curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	if (exchange->body)
		keep_body(exchange->body, transfer->body_size);
	exchange->body = NULL;
	exchange->body_len = 0;
	transfer->body_size = 0;
}

static void
append_header(Transfer *transfer, const char *header)
{
	struct curl_slist *list = curl_slist_append(transfer->headers, header);

	if (list == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	transfer->headers = list;
}

static void
append_headers(Transfer *transfer, const PineconeHttpRequest *request)
{
	for (const char *const *header = request->headers; *header; header++)
		append_header(transfer, *header);
	/* libcurl would have a long body announced, and wait for the go-ahead */
	if (request->body_len > LONG_BODY)
		append_header(transfer, "Expect:");
}

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
	SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	SET(CURLOPT_USERAGENT, request->user_agent);
	SET(CURLOPT_WRITEFUNCTION, body_callback);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_callback);
	SET(CURLOPT_CLOSESOCKETFUNCTION, close_callback);
	SET(CURLOPT_HEADERFUNCTION, header_callback);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) request->connect_timeout_ms);
	SET(CURLOPT_TIMEOUT_MS, (long) request->timeout_ms);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	if (tls)
	{
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
		SET(CURLOPT_PIPEWAIT, 1L);
		if (request->ca_file)
			SET(CURLOPT_CAINFO, request->ca_file);
	}
	else
	{
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
		SET(CURLOPT_PROXY, ""); /* plain HTTP stays on this machine */
	}


	/*
	 * A hint.  libcurl 7.88 refuses it for a handle that has been used for
	 * HTTP/2, because that keeps its buffer.
	 */
	if (request->large_reply)
		(void) curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, LARGE_BUFFER);
	if (request->body)
	{
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

PineconeExchange *
pinecone_http_start(const PineconeHttpRequest *request)
{
	Transfer *transfer;
	CURLMcode code;

	initialize();
	transfer = palloc0(sizeof(Transfer));
	transfer->exchange.retry_after = -1;
	transfer->exchange.request_lsn = -1;
	transfer->exchange.indexed_lsn = -1;
	transfer->cleanup.func = release_transfer;
	transfer->cleanup.arg = transfer;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &transfer->cleanup);

	transfer->easy = nspare_handles > 0 ? spare_handles[--nspare_handles] : curl_easy_init();
	if (transfer->easy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	transfer->connect_timeout_ms = request->connect_timeout_ms;
	transfer->timeout_ms = request->timeout_ms;
	transfer->started_at = GetCurrentTimestamp();
	transfer->started_unattended = unattended;
	append_headers(transfer, request);
	set_options(transfer, request);
	code = curl_multi_add_handle(multi, transfer->easy);
	if (code != CURLM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not start an HTTP request: %s", curl_multi_strerror(code))));
	transfer->added = true;
	return &transfer->exchange;
}

/* ---- Moving on ---- */

/*
 * libcurl resolves names in threads, which inherit the signals that are blocked
 * as they are made.  All have to be: PostgreSQL's handlers belong to the main
 * thread.
 */
static void
block_signals(sigset_t *old)
{
	static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
	sigset_t all;

	sigfillset(&all);
	for (int i = 0; i < lengthof(synchronous); i++)
		sigdelset(&all, synchronous[i]);
	pthread_sigmask(SIG_BLOCK, &all, old);
}

static void
restore_signals(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* Did it time out only because we were not there to read? */
static bool
time_ran_out_unattended(Transfer *transfer, bool connected)
{
	int64 timeout = connected ? transfer->timeout_ms :
								Min(transfer->connect_timeout_ms, transfer->timeout_ms);
	int64 missed = unattended - transfer->started_unattended;

	return missed > 0 &&
		   GetCurrentTimestamp() - transfer->started_at - missed < timeout * 1000;
}

static PineconeHttpOutcome
outcome_of(Transfer *transfer, CURLcode code)
{
	long connects = 0;
	curl_off_t sent = 0;

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
			return PINECONE_HTTP_UNREACHABLE;
		case CURLE_OPERATION_TIMEDOUT:
			/* connected at all? */
			curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
			curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
			if (time_ran_out_unattended(transfer, sent > 0))
				return PINECONE_HTTP_LAPSED;
			return connects == 0 && sent == 0 ? PINECONE_HTTP_UNREACHABLE : PINECONE_HTTP_TIMED_OUT;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_ISSUER_ERROR:
			return PINECONE_HTTP_UNTRUSTED;
		case CURLE_SSL_CONNECT_ERROR:
			/* a handshake that broke off; a certificate refused is another code */
			return PINECONE_HTTP_UNREACHABLE;
		case CURLE_OUT_OF_MEMORY:
			return PINECONE_HTTP_OUT_OF_MEMORY;
		default:
			return PINECONE_HTTP_BROKEN;
	}
}

static void
finish_transfer(Transfer *transfer, CURLcode code)
{
	PineconeExchange *exchange = &transfer->exchange;
	curl_off_t retry_after = 0;
	long request_size = 0;

	exchange->outcome = outcome_of(transfer, code);
	/* libcurl connects anew when a kept connection dies under a request */
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_size);
	exchange->sent = request_size > 0;
	if (code != CURLE_OK)
		strlcpy(exchange->reason,
				transfer->error[0] ? transfer->error : curl_easy_strerror(code),
				sizeof(exchange->reason));
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &exchange->status);
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK &&
		retry_after > 0)
		exchange->retry_after = (double) retry_after;
	if (exchange->outcome == PINECONE_HTTP_ANSWERED && exchange->body == NULL)
	{
		exchange->body = calloc(1, BODY_PADDING);
		if (exchange->body == NULL)
			exchange->outcome = PINECONE_HTTP_OUT_OF_MEMORY;
	}
	curl_multi_remove_handle(multi, transfer->easy);
	transfer->added = false;
}

/* Let libcurl act on the sockets that are ready. */
static void
advance_sockets(void)
{
	struct epoll_event events[32];
	int running;
	int n;

	if (nwanted == 0 && !alarm_set)
		return;
	if (woken && !alarm_set && nregistered == 1 && watches[last_wanted].events == EPOLLIN)
	{
		/* no need to ask which one it is */
		woken = false;
		curl_multi_socket_action(multi, last_wanted, CURL_CSELECT_IN, &running);
		return;
	}
	woken = false;
	n = epoll_wait(epoll_fd, events, lengthof(events), 0);
	for (int i = 0; i < n; i++)
	{
		int fd = events[i].data.fd;
		int mask = 0;

		if (fd == alarm_fd)
		{
			uint64 rings;

			(void) !read(alarm_fd, &rings, sizeof(rings));
			alarm_set = false;
			continue;
		}
		if (!watches[fd].wanted)
		{
			/* closed at the other end: libcurl will find out */
			(void) set_events(&watches[fd], fd, 0);
			continue;
		}
		if (events[i].events & EPOLLIN)
			mask |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			mask |= CURL_CSELECT_OUT;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			mask |= CURL_CSELECT_ERR;
		curl_multi_socket_action(multi, fd, mask, &running);
	}
}

bool
pinecone_http_advance(void)
{
	sigset_t signals;
	CURLMsg *message;
	int running;
	int left;
	bool finished = false;

	if (multi == NULL)
		return false;
	if (attended_at != 0 && !attended_elsewhere)
		unattended += Max(0, GetCurrentTimestamp() - attended_at);
	attended_elsewhere = false;
	block_signals(&signals);
	advance_sockets();
	if (timer_at != 0 && GetCurrentTimestamp() >= timer_at)
	{
		timer_at = 0;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	restore_signals(&signals);
	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		char *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish_transfer((Transfer *) transfer, message->data.result);
		finished = true;
	}
	attended_at = GetCurrentTimestamp();
	return finished;
}

int
pinecone_http_socket(void)
{
	initialize();
	forget_idle();
	attended_elsewhere = true; /* somebody is going to wait on it */
	return epoll_fd;
}

/* Milliseconds until exchanges are to be moved on by themselves; -1: never. */
static long
timer_timeout(void)
{
	if (timer_at == 0)
		return -1;
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), timer_at);
}

void
pinecone_http_alarm(long timeout_ms)
{
	struct itimerspec when = {0};
	struct epoll_event event = {.events = EPOLLIN};
	long timer = timer_timeout();

	initialize();
	if (alarm_fd < 0)
	{
		int fd = -1;

		if (AcquireExternalFD())
		{
			fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
			event.data.fd = fd;
			if (fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
			{
				close(fd);
				fd = -1;
			}
			if (fd < 0)
				ReleaseExternalFD();
		}
		if (fd < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not create a timer descriptor: %m")));
		alarm_fd = fd;
	}

	if (timer >= 0)
		timeout_ms = Min(timeout_ms, timer);
	when.it_value.tv_sec = timeout_ms / 1000;
	/* a time of zero would turn it off */
	when.it_value.tv_nsec = Max(1, timeout_ms % 1000 * 1000000);
	alarm_set = true;
	if (timerfd_settime(alarm_fd, 0, &when, NULL) < 0)
		elog(ERROR, "could not set a timer: %m");
}

/* An alarm is for who waits otherwise; rung and unseen it would end our sleep. */
static void
silence_alarm(void)
{
	struct itimerspec never = {0};

	if (alarm_set)
		(void) timerfd_settime(alarm_fd, 0, &never, NULL);
	alarm_set = false;
}

void
pinecone_http_sleep(long timeout_ms)
{
	long timer = timer_timeout();
	WaitEvent event;

	if (timer >= 0 && (timeout_ms < 0 || timer < timeout_ms))
		timeout_ms = timer;
	if (timeout_ms != 0)
	{
		forget_idle();
		silence_alarm();
		woken = WaitEventSetWait(wait_set, timeout_ms, &event, 1, wait_event) > 0 &&
				(event.events & WL_SOCKET_READABLE) != 0;
		ResetLatch(MyLatch);
		attended_at = GetCurrentTimestamp();
	}
	CHECK_FOR_INTERRUPTS();
}
