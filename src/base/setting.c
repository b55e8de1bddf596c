/*
 * setting.c
 *		The GUCs of pinecone_fdw.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "base/setting_cost.h"

/* Where all limits are small, each listing is split */
#define WIDE_LISTING_RECORDS PINECONE_LIMIT(2000, 0)

bool pinecone_enable_filter = true;
bool pinecone_enable_knn = true;
bool pinecone_enable_limit = true;
bool pinecone_enable_fetch = true;
bool pinecone_enable_prefix = true;
bool pinecone_enable_sort = true;
bool pinecone_enable_aggregate = true;
bool pinecone_enable_count_searches = true;
bool pinecone_enable_groups = true;
bool pinecone_enable_order = true;
bool pinecone_enable_embed_ahead = true;
bool pinecone_enable_prune = true;
bool pinecone_enable_columns = true;
bool pinecone_enable_direct_modify = true;
bool pinecone_enable_wide_listing = true;
int pinecone_wide_listing_records = WIDE_LISTING_RECORDS;
int pinecone_wide_listing_extra = 250;
bool pinecone_enable_sweep = true;
bool pinecone_enable_metadata_pages = true;
int pinecone_sweep_records = 2000;
bool pinecone_enable_read_ahead = true;
bool pinecone_enable_gather = true;
bool pinecone_enable_keyset = true;
bool pinecone_enable_offset = true;
bool pinecone_enable_spellings = true;
bool pinecone_enable_cache = true;
int pinecone_read_ahead = 1000;
char *pinecone_allowed_hosts = NULL;
char *pinecone_allow_http_hosts = NULL;
bool pinecone_allow_loopback = true;
uint64 pinecone_hosts_changes = 0;
int pinecone_stats_ttl_ms = 60000;
int pinecone_idle_timeout_ms = 30000;
int pinecone_max_connections = 64;
int pinecone_prefetch_kb = 16384;
int pinecone_cache_memory_kb = 16384;
int pinecone_write_buffer_kb = 16384;
int pinecone_outbox_visible = 10000;
int pinecone_outbox_max_workers = 4;
int pinecone_outbox_naptime_s = 60;
int pinecone_unseen_writes_kb = 16384;
int pinecone_unseen_time_ms = 10000;
int pinecone_send_order = PINECONE_SEND_FIRST;

typedef struct Switch
{
	const char *name;
	const char *description;
	bool *variable;
} Switch;

static const Switch switches[] = {
	{"pinecone_fdw.enable_filter", "Sends conditions on metadata to Pinecone.", &pinecone_enable_filter},
	{"pinecone_fdw.enable_knn", "Searches Pinecone's index for ORDER BY distance and distance limits.", &pinecone_enable_knn},
	{"pinecone_fdw.enable_limit", "Sizes searches and pages by LIMIT.", &pinecone_enable_limit},
	{"pinecone_fdw.enable_fetch", "Looks records up by id.", &pinecone_enable_fetch},
	{"pinecone_fdw.enable_prefix", "Lists ids by prefix.", &pinecone_enable_prefix},
	{"pinecone_fdw.enable_sort", "Uses the order in which Pinecone lists ids.", &pinecone_enable_sort},
	{"pinecone_fdw.enable_aggregate", "Lets Pinecone count records.", &pinecone_enable_aggregate},
	{"pinecone_fdw.enable_count_searches", "Counts records by searches where dry runs of updates would have to wait for their turn.", &pinecone_enable_count_searches},
	{"pinecone_fdw.enable_groups", "Looks for the values of a field and counts them, rather than read all records.", &pinecone_enable_groups},
	{"pinecone_fdw.enable_embed_ahead", "Has the texts of many rows embedded together.", &pinecone_enable_embed_ahead},
	{"pinecone_fdw.enable_order", "Reads records in the order of a number, where few are wanted.", &pinecone_enable_order},
	{"pinecone_fdw.enable_prune", "Asks only the namespaces that conditions name.", &pinecone_enable_prune},
	{"pinecone_fdw.enable_columns", "Asks only for the parts of records that a query uses.", &pinecone_enable_columns},
	{"pinecone_fdw.enable_direct_modify", "Updates and deletes by a filter in one request.", &pinecone_enable_direct_modify},
	{"pinecone_fdw.enable_wide_listing", "Lists ids in several places at a time.", &pinecone_enable_wide_listing},
	{"pinecone_fdw.enable_sweep", "Reads namespaces by searches without vectors, as far as counts prove that nothing is missing.", &pinecone_enable_sweep},
	{"pinecone_fdw.enable_metadata_pages", "Reads namespaces by fetches by metadata with a filter that every record meets, as far as counts prove that nothing is missing.", &pinecone_enable_metadata_pages},
	{"pinecone_fdw.enable_spellings", "Searches for distances in other spellings than the operator's, such as 1 - distance.", &pinecone_enable_spellings},
	{"pinecone_fdw.enable_cache", "Answers what is asked again from memory, for tables with option cache_ttl.", &pinecone_enable_cache},
	{"pinecone_fdw.enable_read_ahead", "Asks for several rows of a nested loop at once.", &pinecone_enable_read_ahead},
	{"pinecone_fdw.enable_offset", "Counts the rows that OFFSET leaves out by their ids, without reading them.", &pinecone_enable_offset},
	{"pinecone_fdw.enable_keyset", "Begins a list of ids where a condition on them does, or at its end, if few are wanted.", &pinecone_enable_keyset},
	{"pinecone_fdw.enable_gather", "Asks for the values of several rows of a nested loop by one filter.", &pinecone_enable_gather},
};

/* A small one would not hold what is in it besides. */
static bool
check_memory(int *value, void **extra, GucSource source)
{
	if (*value == 0 || *value >= 256)
		return true;
	GUC_check_errdetail("It is 0, or 256 kB at least.");
	return false;
}

static void
assign_hosts(const char *value, void *extra)
{
	pinecone_hosts_changes++;
}

static void
assign_loopback(bool value, void *extra)
{
	pinecone_hosts_changes++;
}

typedef struct Number
{
	const char *name;
	const char *description;
	const char *more; /* or NULL */
	int *variable;
	int otherwise;
	int min;
	int max;
	int flags;
} Number;

static const Number numbers[] = {
	{"pinecone_fdw.stats_ttl", "How long the planner uses an index's statistics before asking again.",
	 NULL, &pinecone_stats_ttl_ms, 60000, 0, INT_MAX, GUC_UNIT_MS | GUC_EXPLAIN},
	{"pinecone_fdw.idle_connection_timeout", "How long connections stay open after a transaction that used them.",
	 "0 closes them at its end, -1 never.", &pinecone_idle_timeout_ms, 30000, -1, INT_MAX, GUC_UNIT_MS | GUC_EXPLAIN},
	{"pinecone_fdw.max_connections", "How many connections a session has at a time.",
	 "Over HTTP/2 many requests share one; else what is more waits for one.", &pinecone_max_connections, 64, 1, 1000, GUC_EXPLAIN},
	{"pinecone_fdw.prefetch", "How much a scan asks for ahead of its reader.",
	 NULL, &pinecone_prefetch_kb, 16384, 64, 1024 * 1024, GUC_UNIT_KB | GUC_EXPLAIN},
	{"pinecone_fdw.write_buffer", "How much of a transaction's writes waits for the commit in memory.",
	 "What is more waits in a temporary file.", &pinecone_write_buffer_kb, 16384, 64, 512 * 1024, GUC_UNIT_KB | GUC_EXPLAIN},
	{"pinecone_fdw.outbox_visible", "How many writes may wait in the outbox for reads to show them.",
	 "If there are more, none is shown.", &pinecone_outbox_visible, 10000, 0, 1000000, GUC_EXPLAIN},
	{"pinecone_fdw.wide_listing_records", "How many records a namespace has whose ids are listed in several places at a time.",
	 "0 splits every list that has more than a page.", &pinecone_wide_listing_records, WIDE_LISTING_RECORDS, 0, INT_MAX, GUC_EXPLAIN},
	{"pinecone_fdw.wide_listing_extra", "How many requests more this may take, in percent.",
	 NULL, &pinecone_wide_listing_extra, 250, 0, 10000, GUC_EXPLAIN},
	{"pinecone_fdw.sweep_records", "How many records a namespace has that may be read by searches without vectors.",
	 "0 reads any that way, wherever it can be done.", &pinecone_sweep_records, 2000, 0, INT_MAX, GUC_EXPLAIN},
	{"pinecone_fdw.read_ahead", "How many rows of a nested loop are asked for at once.",
	 "0 or 1 asks for each row alone.", &pinecone_read_ahead, 1000, 0, 10000, GUC_EXPLAIN},
};

typedef struct Hosts
{
	const char *name;
	const char *description;
	const char *more;
	char **variable;
	const char *otherwise;
} Hosts;

static const Hosts hosts[] = {
	{"pinecone_fdw.allowed_hosts", "Hosts that may be sent API keys.",
	 "Names and patterns such as \"*.pinecone.io\", separated by commas; for loopback see pinecone_fdw.allow_loopback.",
	 &pinecone_allowed_hosts, "*.pinecone.io"},
	{"pinecone_fdw.allow_http_hosts", "Hosts that may be talked to without TLS.",
	 "Names and patterns, separated by commas; for loopback see pinecone_fdw.allow_loopback.",
	 &pinecone_allow_http_hosts, ""},
};

static const struct config_enum_entry send_orders[] = {
	{"first", PINECONE_SEND_FIRST, false},
	{"last", PINECONE_SEND_LAST, false},
	{NULL, 0, false},
};

/*
 * For want of memory this may fail half way, and be called again: what has been
 * defined must not be a second time.
 */
void
pinecone_setting_init(void)
{
	static int nswitches = 0;
	static int nnumbers = 0;
	static int nhosts = 0;
	static int nunseen = 0;
	static int noutbox = 0;
	static bool cache = false;
	static bool loopback = false;
	static bool order = false;

	for (; nswitches < lengthof(switches); nswitches++)
	{
		const Switch *one = &switches[nswitches];

		DefineCustomBoolVariable(one->name, one->description, NULL, one->variable, true,
								 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	}
	for (; nnumbers < lengthof(numbers); nnumbers++)
	{
		const Number *one = &numbers[nnumbers];

		DefineCustomIntVariable(one->name, one->description, one->more, one->variable, one->otherwise,
								one->min, one->max, PGC_USERSET, one->flags, NULL, NULL, NULL);
	}
	for (; nhosts < lengthof(hosts); nhosts++)
	{
		const Hosts *one = &hosts[nhosts];

		DefineCustomStringVariable(one->name, one->description, one->more, one->variable, one->otherwise,
								   PGC_SUSET, 0, NULL, assign_hosts, NULL);
	}
	if (nunseen == 0)
	{
		DefineCustomIntVariable("pinecone_fdw.unseen_writes",
								"How much of what was written lately is kept until the service is sure to show it.",
								"All sessions share it; its size is what the first to write has set. With more, readers wait. 0 keeps nothing.",
								&pinecone_unseen_writes_kb, 16384, 0, 1024 * 1024, PGC_SUSET,
								GUC_UNIT_KB | GUC_EXPLAIN, check_memory, NULL, NULL);
		nunseen++;
	}
	if (nunseen == 1)
	{
		DefineCustomIntVariable("pinecone_fdw.unseen_time",
								"How long the service may take to show a write to all kinds of requests.",
								"Until then, and where searches tell how far they are until these show it, it is laid over what the service shows.",
								&pinecone_unseen_time_ms, 10000, 0, 3600 * 1000, PGC_SUSET,
								GUC_UNIT_MS | GUC_EXPLAIN, NULL, NULL, NULL);
		nunseen++;
	}
	if (noutbox == 0)
	{
		DefineCustomIntVariable("pinecone_fdw.outbox_workers",
								"How many workers may deliver from the outbox at a time, each in a database.",
								"They are there where the module is preloaded. 0: none.",
								&pinecone_outbox_max_workers, 4, 0, 32, PGC_SIGHUP, 0, NULL, NULL, NULL);
		noutbox++;
	}
	if (noutbox == 1)
	{
		DefineCustomIntVariable("pinecone_fdw.outbox_naptime",
								"How often each database is looked into for writes that nobody has told the workers of.",
								"Such are those that were restored, and prepared.",
								&pinecone_outbox_naptime_s, 60, 1, 86400, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
		noutbox++;
	}
	if (!cache)
		DefineCustomIntVariable("pinecone_fdw.cache_memory",
								"How much memory there is for replies that answer what is asked again.",
								"All sessions share it where the module is preloaded, else each has its own; its size is what the first to read such a table has set. 0 keeps nothing.",
								&pinecone_cache_memory_kb, 16384, 0, 1024 * 1024, PGC_SUSET,
								GUC_UNIT_KB, check_memory, NULL, NULL);
	cache = true;
	if (!loopback)
		DefineCustomBoolVariable("pinecone_fdw.allow_loopback",
								 "Lets servers be on this machine.",
								 "Turn it off where nothing local is used: who may make servers can talk to any service here.",
								 &pinecone_allow_loopback, true, PGC_SUSET, 0, NULL, assign_loopback, NULL);
	loopback = true;
	if (!order)
		DefineCustomEnumVariable("pinecone_fdw.send_order",
								 "Sends a transaction's writes before or after other servers commit.",
								 "Servers of postgres_fdw, and Citus' nodes. \"last\" needs pinecone_fdw to be the first of shared_preload_libraries.",
								 &pinecone_send_order, PINECONE_SEND_FIRST, send_orders, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	order = true;
	pinecone_setting_cost_init();
	MarkGUCPrefixReserved("pinecone_fdw");
}
