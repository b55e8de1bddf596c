/*
 * server.h
 *		pinecone-local: a Pinecone-compatible server for development and tests.
 *
 * main.c reads the command line; http.c takes requests in and sends replies;
 * control.c answers the control plane, data.c the data plane of an index;
 * store.c keeps records, upsert.c reads them, query.c searches them, filter.c
 * evaluates metadata filters; fault.c injects failures and log.c remembers
 * requests, both for tests.
 */
#ifndef SERVER_H
#define SERVER_H

#include <json-c/json.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Settings, changeable at run time through /_local/settings ---- */

typedef struct Settings
{
	bool ne_matches_missing;		/* $ne and $nin on a missing field */
	char default_key[16];			/* the default namespace's name in statistics */
	int lag_ms;						/* until writes are visible */
	int latency_ms;					/* added to every request */
	int ready_delay_ms;				/* until a new index is ready */
} Settings;

extern Settings settings;
extern char *api_keys[16];
extern int napi_keys;
extern bool use_tls;
extern char *tls_cert;
extern char *tls_key;
extern int keepalive_max;
extern int control_port;

/* ---- A growing text ---- */

typedef struct Buffer
{
	char *data;
	size_t len;
	size_t size;
} Buffer;

extern void buffer_append(Buffer *buf, const char *data, size_t len);
extern void buffer_text(Buffer *buf, const char *text);
extern void buffer_format(Buffer *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void buffer_string(Buffer *buf, const char *text); /* as a JSON string */
extern void buffer_number(Buffer *buf, double number);	  /* shortest float64 */
extern void buffer_float(Buffer *buf, float number);	  /* shortest float32 */

/* ---- Requests and replies ---- */

typedef struct Index Index;

typedef struct Request
{
	Index *index;				/* NULL on the control plane's port */
	const char *method;
	char *path;					/* decoded, without the query string */
	char *raw;					/* as it came, with it */
	Buffer body;
	struct MHD_Connection *connection;
	struct json_object *json;	/* parsed body, or NULL */
	int key;					/* which API key was given, or -1 */
	int version;				/* of the API as yyyymm, 0 when not given */
} Request;

typedef struct Reply
{
	int status;
	const char *type;			/* content type */
	Buffer body;
	int64_t request_lsn;		/* -1: none */
	int64_t indexed_lsn;
	int retry_after;			/* seconds; 0: none, negative: as a date */
} Reply;

/* The three shapes of an error's body */
extern void reply_rpc_error(Reply *reply, int status, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
extern void reply_control_error(Reply *reply, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
extern void reply_plain_error(Reply *reply, int status, const char *text);

extern const char *query_parameter(Request *request, const char *name);

extern struct MHD_Daemon *http_listen(int port, Index *index, int *actual);
extern void http_stop(struct MHD_Daemon *daemon);

/* ---- Records ---- */

typedef enum Metric
{
	COSINE,
	DOTPRODUCT,
	EUCLIDEAN
} Metric;

typedef struct Record
{
	char *id;
	float *values;				/* dimension floats, or NULL */
	double norm;
	int nsparse;
	uint32_t *indices;			/* ascending */
	float *sparse;
	struct json_object *metadata; /* or NULL */
	char *json;					/* the record as a fetch returns it */
	size_t json_len;
	size_t id_json_len;			/* {"id":"..." at its beginning */
	size_t metadata_at;			/* offset of ,"metadata": in it; json_len - 1: none */
	size_t place;				/* in the namespace's array */
	struct Record *next;		/* in its hash chain */
} Record;

typedef struct Namespace
{
	char *name;
	Record **records;
	size_t nrecords;
	size_t size;
	bool sorted;				/* records are in order of their ids */
	Record **buckets;
	size_t nbuckets;
	int64_t lsn;				/* of the last write */
	int64_t indexed_lsn;		/* of the last visible write */
	struct json_object *schema;	/* declared fields, or NULL */
	struct Namespace *next;		/* in order of the names */
} Namespace;

/* A write that is not visible yet */
typedef struct PendingWrite
{
	int64_t due_ms;
	int64_t lsn;
	char *path;
	char *body;
	size_t body_len;
	struct PendingWrite *next;
} PendingWrite;

struct Index
{
	char *name;
	int dimension;				/* 0 for a sparse index */
	Metric metric;
	bool sparse;
	int port;
	struct MHD_Daemon *daemon;
	pthread_rwlock_t lock;
	pthread_mutex_t sort_lock;
	Namespace *namespaces;
	PendingWrite *pending;
	int64_t ready_at_ms;
	bool deleted;
	bool deletion_protection;
	struct json_object *tags;
	struct json_object *spec;
	Index *next;
};

extern Index *indexes;
extern pthread_mutex_t indexes_lock;

extern int64_t now_ms(void);
extern const char *metric_name(Metric metric);
extern bool metric_by_name(const char *name, Metric *metric);

extern Index *index_create(const char *name, int dimension, Metric metric, bool sparse, int port);
extern Index *index_find(const char *name);

extern Namespace *namespace_find(Index *index, const char *name);
extern Namespace *namespace_get(Index *index, const char *name); /* creates it */
extern void namespace_drop(Index *index, const char *name);
extern void namespace_sort(Index *index, Namespace *ns);
extern Record *record_find(Namespace *ns, const char *id);
extern void record_put(Namespace *ns, Record *record);	/* replaces */
extern bool record_delete(Namespace *ns, const char *id);
extern void record_free(Record *record);
extern void record_render(Record *record, int dimension);

extern bool save_index(Index *index, const char *file);
extern bool load_index(Index *index, const char *file);

/* Parse the elements of an upsert's "vectors"; false with the reply set. */
extern bool parse_upsert(Index *index, const char *body, size_t len, Reply *reply,
						 Record ***records, int *nrecords, char **namespace_name);
extern bool check_metadata(struct json_object *metadata, Reply *reply);

/* ---- Filters and searches ---- */

/* Is the filter well-formed?  Sets the reply's error when not. */
extern bool filter_check(struct json_object *filter, Reply *reply);
extern bool filter_match(struct json_object *filter, struct json_object *metadata);

typedef struct Hit
{
	Record *record;
	float score;
} Hit;

typedef struct Search
{
	const float *values;		/* or NULL */
	int nsparse;
	const uint32_t *indices;
	const float *sparse;
	struct json_object *filter; /* or NULL */
	int top_k;
} Search;

/* Best first; returns how many. */
extern int search_namespace(Index *index, Namespace *ns, const Search *search, Hit *hits);

/* ---- Planes ---- */

extern void answer_control(Request *request, Reply *reply);
extern void answer_data(Request *request, Reply *reply);
extern void answer_local(Request *request, Reply *reply);
extern void apply_pending(Index *index);

/* ---- Faults and the log ---- */

typedef enum FaultKind
{
	FAULT_NONE,
	FAULT_STATUS,
	FAULT_DELAY,
	FAULT_TRUNCATE,
	FAULT_CLOSE,
	FAULT_CLOSE_AFTER,
	FAULT_GARBAGE,
	FAULT_CONTENT_TYPE,
	FAULT_DRIP
} FaultKind;

typedef struct Fault
{
	FaultKind kind;
	char kind_name[16];
	char path[256];				/* a prefix when it ends with '*' */
	char method[8];				/* "" for any */
	char index[64];
	int count;					/* times left; -1: forever */
	int skip;
	int status;
	int retry_after;
	int delay_ms;
	char *body;
	struct Fault *next;
} Fault;

extern Fault take_fault(Request *request);
extern void answer_faults(Request *request, Reply *reply);
extern void log_request(Request *request, int status, int64_t took_ms);
extern void answer_log(Request *request, Reply *reply);

#endif /* SERVER_H */
