/*
 * setting.h
 *		Variables of the settings pinecone_fdw.*, each with its unit.
 */
#ifndef PINECONE_SETTING_H
#define PINECONE_SETTING_H

/* Pushdown switches, for diagnosis and exact instead of approximate answers */
extern bool pinecone_enable_filter;			/* metadata filters */
extern bool pinecone_enable_knn;			/* searches for ORDER BY distance, distance < r */
extern bool pinecone_enable_limit;			/* LIMIT sizes searches and pages */
extern bool pinecone_enable_fetch;			/* id = x, id = ANY(...) */
extern bool pinecone_enable_prefix;			/* id LIKE 'p%' */
extern bool pinecone_enable_sort;			/* ORDER BY id COLLATE "C" */
extern bool pinecone_enable_aggregate;		/* count(*) */
extern bool pinecone_enable_order;			/* ORDER BY a number, min(), max() */
extern bool pinecone_enable_embed_ahead;	/* pinecone_embed() of many rows */
extern bool pinecone_enable_count_searches; /* counts by searches where dry runs would wait for their turn */
extern bool pinecone_enable_groups;			/* DISTINCT, GROUP BY of a field with few values */
extern bool pinecone_enable_direct_modify;	/* UPDATE and DELETE by filter */
extern bool pinecone_enable_prune;			/* namespace = x asks that one alone */
extern bool pinecone_enable_columns;		/* asking for only what the query uses */

/* Scans */
extern bool pinecone_enable_wide_listing;	/* ids are listed in several places at a time */
extern int pinecone_wide_listing_records;	/* of a namespace that has so many; 0: always, for tests */
extern int pinecone_wide_listing_extra;		/* for so many requests more, % */
extern bool pinecone_enable_sweep;			/* what no vector is wanted of is searched for in parts */
extern bool pinecone_enable_metadata_pages; /* pages of a filter that all records meet */
extern int pinecone_sweep_records;			/* in a namespace that has so many; 0: always, for tests */

/* Joins */
extern bool pinecone_enable_spellings;
extern bool pinecone_enable_read_ahead;
extern bool pinecone_enable_gather;
extern bool pinecone_enable_offset;
extern bool pinecone_enable_keyset;
extern int pinecone_read_ahead; /* outer rows of a nested loop to ask for at once */

/* Security */
extern char *pinecone_allowed_hosts;	/* superuser; host patterns, comma-separated */
extern char *pinecone_allow_http_hosts; /* superuser; where http:// may go besides
										 * loopback; host patterns */
extern bool pinecone_allow_loopback;	/* superuser; this machine, be it not on those lists */
extern uint64 pinecone_hosts_changes;	/* how often these were set */

/* Transport */
extern int pinecone_stats_ttl_ms;	 /* how long index statistics stay fresh */
extern int pinecone_idle_timeout_ms; /* how long unused connections stay open; -1: for ever */
extern int pinecone_max_connections; /* of a backend to all hosts */
extern int pinecone_prefetch_kb;	 /* reply bytes a scan keeps in flight */

/* Answers from memory */
extern bool pinecone_enable_cache;
extern int pinecone_cache_memory_kb; /* superuser; 0: there are none */

/* Transactions */
extern int pinecone_write_buffer_kb; /* pending writes kept in memory */

/* The outbox */
extern int pinecone_outbox_visible;		/* reads show so many queued writes, or none */
extern int pinecone_outbox_max_workers; /* that deliver, each in a database; of the cluster */
extern int pinecone_outbox_naptime_s;	/* they look into every database so often; of the cluster */

/* Writes that the service may not show yet */
extern int pinecone_unseen_writes_kb; /* superuser; 0: none are kept */
/* Whether writes are sent before others commit, or after */
typedef enum PineconeSendOrder
{
	PINECONE_SEND_FIRST,
	PINECONE_SEND_LAST,
} PineconeSendOrder;

extern int pinecone_send_order;
extern int pinecone_unseen_time_ms; /* superuser; they are kept at least so long */

/* Statistics: see also statistics.h */
extern int pinecone_log_min_request_duration_ms; /* superuser; slower requests are logged; -1: none */
extern bool pinecone_audit;						 /* superuser; writes are logged */
extern int pinecone_report_commit;				 /* what COMMIT has sent: as a NOTICE, in the log, or not */

typedef enum PineconeReport
{
	PINECONE_REPORT_OFF,
	PINECONE_REPORT_NOTICE,
	PINECONE_REPORT_LOG
} PineconeReport;

/* Budgets: superuser; those of a statement, and then the same of a month */
typedef enum PineconeBudgetKind
{
	PINECONE_BUDGET_REQUESTS,
	PINECONE_BUDGET_READ_UNITS,
	PINECONE_BUDGET_EGRESS,
	PINECONE_BUDGET_ROWS
} PineconeBudgetKind;

typedef struct PineconeBudget
{
	const char *name;
	const char *description;
	const char *of; /* what is spent, for messages */
	PineconeBudgetKind kind;
	int flags;
	double unit;
	int value; /* -1: none */
} PineconeBudget;

#define PINECONE_BUDGET_MONTH 4 /* the first of a month */
#define PINECONE_BUDGETS 8
extern PineconeBudget pinecone_budgets[PINECONE_BUDGETS];
extern int pinecone_month_warning; /* superuser; %; 0: no warning */

extern void pinecone_setting_init(void);

#endif /* PINECONE_SETTING_H */
