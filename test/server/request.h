/*
 * request.h
 *		A request and its reply, between http.c and those who answer.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "json.h"
#include "store.h"

struct MHD_Connection;

#define BODY_LIMIT (4u << 20) /* bytes of a request to the control plane */
#define URL_LIMIT 16384

/* Codes of gRPC, in the bodies of the data plane's errors */
typedef enum RpcCode
{
	RPC_INVALID_ARGUMENT = 3,
	RPC_NOT_FOUND = 5,
	RPC_ALREADY_EXISTS = 6,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_OUT_OF_RANGE = 11,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
} RpcCode;

typedef struct Param
{
	Str name, value; /* decoded */
} Param;

typedef struct Reply
{
	int status;
	const char *type;
	Buffer body;
	/* Log sequence numbers, when has_... */
	bool has_request_lsn, has_indexed_lsn;
	uint64_t request_lsn, indexed_lsn;
	size_t forgotten; /* bytes of a body that got too long */
	int retry_after;  /* seconds; -1 for no such header */
} Reply;

typedef struct Request
{
	/* What was asked */
	Index *index; /* NULL on the control plane's port */
	const char *method;
	Str uri;   /* as sent */
	Str path;  /* as sent */
	Str query; /* as sent */
	Param *params;
	int nparams;
	Buffer body;
	size_t body_bytes; /* also of what was too much to keep */
	const char *api_key, *version, *user_agent, *content_type;
	int key_number; /* which of the accepted ones; -1 for none */
	uint64_t id;
	int64_t start_us, start_wall_us;

	Arena arena;
	Reply reply;
	bool as_task;		 /* running on a thread of the pool already */
	bool error_response; /* errors of the data plane look like the control plane's */
} Request;

/*
 * Answer a request.  False: it is long work, call again on a thread of the pool
 * (with as_task set).
 */
extern bool respond(Request *r);

/* The body that the caller puts together; content type JSON, status 200 */
static inline Buffer *
reply_body(Request *r)
{
	return &r->reply.body;
}

extern void reply_text(Request *r, int status, const char *type, const char *text);
/* Errors of the data plane, of the control plane; these return true like respond */
extern bool reply_rpc_error(Request *r, int status, RpcCode code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
extern bool reply_control_error(Request *r, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
extern bool reply_invalid(Request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern bool reply_not_json(Request *r, const char *error);
/* Of documents and records they have another shape: does a path speak of these? */
extern bool path_has_error_response(Str path);
/*
 * Replies beyond the limit are errors that say how long they would have been:
 * forget what is too much while it is put together, and make the error.
 */
extern void reply_forget_excess(Request *r);
extern bool reply_limit_result(Request *r);

/* A parameter of the query string; NULL when there is none */
extern const Param *request_param(const Request *r, const char *name);
/* Decode percent escapes into the arena; false when one is wrong */
extern bool url_decode(Arena *arena, Str text, bool plus_is_space, Str *out);

/* A key of the API in camel case, or written in snake case */
extern bool key_is(Str key, const char *name);

/* Answering: one function a module */
extern bool data_respond(Request *r);
extern bool local_respond(Request *r);

/* absent.c: what this server does not have; false: it is nothing of that */
extern bool absent_control(Request *r);
extern bool absent_data(Request *r);

/*
 * metrics.c: the service's own figures, for Prometheus.  These paths take the key
 * as a bearer's; what else is asked of an index is counted.
 */
extern bool metrics_is_path(const Request *r);
extern const char *metrics_key(const char *authorization);
extern void metrics_note(const Request *r);
extern bool metrics_respond(Request *r);

/* records.c: integrated indexes */
extern bool records_respond(Request *r, Str namespace, Str operation);

/* write.c, namespace.c: parts of the data plane */
extern bool write_upsert(Request *r);
extern bool write_update(Request *r);
extern bool write_delete(Request *r);
extern bool namespaces_respond(Request *r);
/* Make one, with a schema (or NULL), as when it is loaded */
extern bool namespaces_load(Request *r, Str name, const JsonValue *schema);

/*
 * Shared readers of the data plane.  False: the reply holds the error, or the
 * reader does when it is not JSON.  A body that fails ends in bad_body.
 */
extern bool bad_body(Request *r, const JsonReader *j);
extern bool unknown_field(Request *r, Str key);
/* An optional value: null counts as none */
extern bool is_null(JsonReader *j);
extern bool read_filter(Request *r, JsonReader *j, struct Filter **filter);
extern bool read_namespace(Request *r, JsonReader *j, Str *name);
extern bool check_namespace(Request *r, Str name);
extern bool check_id(Request *r, Str id);
extern bool check_filter_schema(Request *r, const Namespace *ns, const struct Filter *filter);
extern Sparse *read_sparse(Request *r, JsonReader *j, const char **error);
/* Numbers of an array into memory that lasts until the thread's next call */
extern float *read_floats(JsonReader *j, int *count);
extern bool check_page_params(Request *r, int max, int *limit, Str *prefix, Str *token);

/* Tokens of paging: bound to what they continue */
extern void token_write(Buffer *b, uint64_t scope, Str last);
extern bool token_read(Request *r, Str token, uint64_t scope, Str *last);

/* A page of names that are sorted, with their number in all */
typedef struct Listing
{
	int limit;
	Str prefix, token, last;
	uint64_t scope;
	int n, total;
	bool more;
	Str previous;
} Listing;

/* "salt" tells lists apart: a token of one is none for another */
extern bool listing_begin(Request *r, int max, uint64_t salt, Listing *l);
/* Is the next one, sorted by "key", on the page?  Then it is to be written now */
extern bool listing_takes(Buffer *b, Listing *l, Str name, Str key);
/* What follows the last one; names must still be there */
extern void listing_end(Buffer *b, const Listing *l);

#endif
