/*
 * settings.h
 *		What can be chosen on the command line, and some of it at run time.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "store.h"
#include "util.h"

#include <stdatomic.h>

typedef struct IndexOption
{
	char *name;
	int dimension;
	char *metric;
	char *file; /* with the schema, or NULL */
	bool sparse;
	int port;
} IndexOption;

/* Which replies tell log sequence numbers */
typedef enum LsnHeaders
{
	LSN_NEVER,
	LSN_QUERIES, /* those of queries, and of writes */
	LSN_EVERYWHERE,
} LsnHeaders;

/* What a key may do, besides reading */
typedef enum KeyRights
{
	KEY_ALL,
	KEY_READ_ONLY, /* nothing, on either plane */
	KEY_DATA_ONLY, /* write, but not a thing on the control plane */
} KeyRights;

typedef struct Settings
{
	/* Serving */
	const char *listen;
	const char *cloud; /* of indexes that do not say where they are */
	const char *region;
	const char *host_name; /* in the answers; NULL: listen, or "localhost" with TLS */
	int port;
	const char *port_file;
	int index_port_base;
	const char *tls_cert, *tls_key;
	int keepalive_max; /* 0: no limit */
	int threads;

	/* Keys */
	char **api_keys;
	KeyRights *key_rights; /* of each */
	int napi_keys;

	/* Contents */
	IndexOption *indexes;
	int nindexes;
	const char **loads;
	int nloads;
	const char *save;

	/* Behaviour; the first two take effect after loading */
	int lag_ms[LAGS];
	double rate_limits;
	_Atomic LsnHeaders lsn_headers;
	_Atomic int latency_ms;
	_Atomic int ready_delay_ms;
	_Atomic bool default_key_is_name; /* "__default__" in stats, not "" */
	_Atomic size_t log_body_limit;
	_Atomic int approximate; /* seed; 0: searches are exact */
	_Atomic int log_size;
} Settings;

extern Settings settings;

/* What a request, or its reply, may have */
typedef struct Sizes
{
	_Atomic int top_k; /* matches of a query */
	int page;		   /* ids or names of a list */
	int fetch;		   /* ids of a fetch */
	int scan;		   /* records of a page of a fetch by metadata */
	int upsert;		   /* records of an upsert */
	int delete_ids;	   /* ids of a delete */
	size_t result;	   /* bytes of a reply's body */
	size_t upsert_body;
	size_t body; /* of any other request */
} Sizes;

extern Sizes sizes;

extern const char *const lsn_headers_names[]; /* ends with NULL */

static inline const char *
settings_default_key(void)
{
	return settings.default_key_is_name ? "__default__" : "";
}

/* Ends the program with a message and status 2 when an option is wrong */
extern void options_help(void);
extern void options_read(int argc, char **argv);

#endif
