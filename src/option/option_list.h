/*
 * option_list.h
 *		Options of servers, user mappings, foreign tables and columns, read
 *		into typed structs.
 */
#ifndef PINECONE_OPTION_LIST_H
#define PINECONE_OPTION_LIST_H

#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "base/rate_limits.h"

typedef struct PineconeServerOptions
{
	Oid serverid;
	char *servername;

	/* Where: host, or index resolved through control_host */
	char *host;								 /* as given, scheme optional, or NULL */
	char *index;							 /* or NULL */
	char *control_host;						 /* never NULL; default api.pinecone.io */
	struct PineconeHosts *hosts;			 /* all of them: see option_hosts.h */
	int hosts_retry_ms;						 /* how long one that failed is left alone */
	bool failover_writes;					 /* may others than the first be written to? */
	struct PineconeRegions *allowed_regions; /* where they must be; NULL: anywhere */
	char *api_version;
	char *schema;		 /* of a document index, as its description has it; or NULL */
	char *ca_file;		 /* PEM bundle, or NULL for the system's */
	char *write_cluster; /* the cluster that writes, by its name; NULL: any */

	/* How */
	int connect_timeout_ms;
	int request_timeout_ms;
	int max_retries;
	int max_concurrency; /* requests in flight per server and user */
	PineconeRateLimits rates;
} PineconeServerOptions;

typedef enum PineconeRole
{
	PINECONE_ROLE_DROPPED, /* dropped column: always NULL */
	PINECONE_ROLE_ID,
	PINECONE_ROLE_VALUES,
	PINECONE_ROLE_SPARSE_VALUES,
	PINECONE_ROLE_SCORE,
	PINECONE_ROLE_METADATA,
	PINECONE_ROLE_NAMESPACE,
	PINECONE_ROLE_TEXT, /* said of a column; read as a field, which is_text */
	PINECONE_ROLE_FIELD
} PineconeRole;

typedef enum PineconeFormat
{
	PINECONE_FORMAT_ISO,		/* times as ISO 8601 strings, as JavaScript writes them */
	PINECONE_FORMAT_ISO_MS,		/* and never more than milliseconds */
	PINECONE_FORMAT_ISO_SHORT,	/* as short as can be */
	PINECONE_FORMAT_ISO_PYTHON, /* as Python writes them */
	PINECONE_FORMAT_AS_STORED,	/* a value that stays keeps its spelling, a new one takes it over */
	PINECONE_FORMAT_EPOCH,		/* seconds, a number */
	PINECONE_FORMAT_EPOCH_MS,	/* milliseconds, a number */
	PINECONE_FORMAT_JSON		/* not of times: JSON in a string */
} PineconeFormat;

static inline bool
pinecone_format_is_epoch(PineconeFormat format)
{
	return format == PINECONE_FORMAT_EPOCH || format == PINECONE_FORMAT_EPOCH_MS;
}

typedef struct PineconeColumn
{
	AttrNumber attnum;
	char *name; /* SQL name, for messages */
	PineconeRole role;
	char *field;	  /* metadata key, for PINECONE_ROLE_FIELD; of documents any field's name */
	bool field_given; /* by options */
	bool role_given;
	bool declared; /* by the schema of a document index: not metadata */
	bool is_text;  /* the records' text: it has no place in the metadata column */
	bool embedded; /* the text that an integrated index makes its vectors of; metadata all the same */
	PineconeFormat format;
	Oid typid; /* as declared (a domain stays a domain) */
	int32 typmod;
	Oid collation;
} PineconeColumn;

typedef struct PineconeTable
{
	Oid relid;
	char *name;
	PineconeServerOptions *server;
	struct PineconeSchema *schema;	   /* of a document index: see schema_table.h; or NULL */
	struct PineconeSchema *integrated; /* the text that an integrated index embeds, likewise */
	bool filters_doubted;			   /* its filters may find nothing though there is something */

	/* Which records: of one namespace; of several, if there is a column for it */
	char *namespace_;  /* "" is the default namespace; NULL: several */
	char **namespaces; /* option "namespaces": sorted, distinct; NULL: all */
	int nnamespaces;

	/* Behaviour */
	bool type_error_null;	 /* on_type_error 'null' */
	bool count_from_stats;	 /* plain count(*) may be answered by stats */
	bool count_from_dry_run; /* filtered count(*) by an update dry run */
	bool async_capable;		 /* may run concurrently with others */
	int cache_ttl_ms;		 /* how long replies may answer again; 0: not at all */
	int cache_size_kb;		 /* and how much of memory they may take up */

	/* Reading one's own writes */
	bool session_consistency;
	int consistency_timeout_ms;
	bool consistency_warning; /* no error when it takes longer */

	/* Writing */
	bool updatable;
	bool truncatable;
	bool transactional;	   /* write_mode: send at commit, not at once; */
	bool outbox;		   /* or leave it to the outbox */
	bool duplicate_error;  /* INSERT of an id that is there is an error */
	bool update_records;   /* UPDATE sends whole records */
	bool delete_by_filter; /* may DELETE be one request? */
	bool verify_deletes;   /* must DELETE by id look first? */
	bool verify_updates;   /* must UPDATE of fields by id? */
	int batch_size;		   /* records of an upsert */
	int write_concurrency; /* batches in flight */

	/* Columns, by attnum - 1 */
	int ncolumns;
	PineconeColumn *columns;
	AttrNumber id_attnum; /* 0 when the table has no such column */
	AttrNumber values_attnum;
	AttrNumber sparse_attnum;
	AttrNumber score_attnum;
	AttrNumber metadata_attnum;
	AttrNumber text_attnum;
	char *text_field;			 /* of that column, or NULL */
	bool text_key_given;		 /* by options */
	AttrNumber namespace_attnum; /* not 0: the table spans namespaces */
} PineconeTable;

/*
 * The credentials of a user mapping.  The key is read from the
 * mapping's api_key, or from api_key_file (re-read when the file changed).
 * Raises an error when there is none.  Palloc'ed in the current context.
 *
 * "again", when the key has been refused, reads a file even if it looks the
 * same, and returns NULL instead of raising an error.
 */
extern char *pinecone_option_api_key(Oid mappingid, bool again);

extern PineconeServerOptions *pinecone_option_server(Oid serverid);

/* Where a server's writes go, in words: they are the same for as long as that is.  Palloc'ed. */
extern char *pinecone_option_where(const PineconeServerOptions *options);

/*
 * Options of a foreign table that say how it is written to, and those of its
 * server, without its columns: the table need not be locked.
 */
extern PineconeTable *pinecone_option_read_writing(Oid relid);

/* Options and columns of a foreign table, which the caller has locked; everything palloc'ed. */
extern PineconeTable *pinecone_option_read_table(Oid relid);

/*
 * The same, shared with others, so not to be changed; it stays as it is until
 * the current memory context is reset.
 */
extern PineconeTable *pinecone_option_table(Oid relid);

/* Can a namespace be called so? */
extern bool pinecone_option_namespace_is_valid(const char *name);

/* What is asked for by a name: the default namespace is "", or __default__. */
extern const char *pinecone_option_plain_namespace(const char *name);

/* Does the table show that namespace? */
extern bool pinecone_option_has_namespace(const PineconeTable *table, const char *name);

/* The column of that number, or NULL when it is dropped or a system column. */
extern PineconeColumn *pinecone_option_column(PineconeTable *table, AttrNumber attnum);

#endif /* PINECONE_OPTION_LIST_H */
