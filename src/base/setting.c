/*
 * setting.c
 *		The GUCs of pinecone_fdw.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "base/compat.h"
#include "base/setting.h"

bool pinecone_enable_filter = true;
bool pinecone_enable_knn = true;
bool pinecone_enable_limit = true;
bool pinecone_enable_fetch = true;
bool pinecone_enable_prefix = true;
bool pinecone_enable_sort = true;
bool pinecone_enable_aggregate = true;
bool pinecone_enable_prune = true;
bool pinecone_enable_columns = true;
bool pinecone_enable_direct_modify = true;
bool pinecone_enable_read_ahead = true;
int pinecone_read_ahead = 1000;
char *pinecone_allowed_hosts = NULL;
char *pinecone_allow_http_hosts = NULL;
uint64 pinecone_hosts_changes = 0;
int pinecone_stats_ttl_ms = 60000;
int pinecone_prefetch_kb = 16384;
int pinecone_write_buffer_kb = 16384;

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
	{"pinecone_fdw.enable_prune", "Asks only the namespaces that conditions name.", &pinecone_enable_prune},
	{"pinecone_fdw.enable_columns", "Asks only for the parts of records that a query uses.", &pinecone_enable_columns},
	{"pinecone_fdw.enable_direct_modify", "Updates and deletes by a filter in one request.", &pinecone_enable_direct_modify},
	{"pinecone_fdw.enable_read_ahead", "Asks for several rows of a nested loop at once.", &pinecone_enable_read_ahead},
};

static void
assign_hosts(const char *value, void *extra)
{
	pinecone_hosts_changes++;
}

void
pinecone_setting_init(void)
{
	for (int i = 0; i < lengthof(switches); i++)
		DefineCustomBoolVariable(switches[i].name, switches[i].description, NULL,
								 switches[i].variable, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);

	DefineCustomStringVariable("pinecone_fdw.allowed_hosts",
							   "Hosts that may be sent API keys.",
							   "Names and patterns such as \"*.pinecone.io\", separated by commas. Loopback is always allowed.",
							   &pinecone_allowed_hosts, "*.pinecone.io", PGC_SUSET, 0, NULL, assign_hosts, NULL);
	DefineCustomStringVariable("pinecone_fdw.allow_http_hosts",
							   "Hosts that may be talked to without TLS.",
							   "Names and patterns, separated by commas. Loopback is always allowed.",
							   &pinecone_allow_http_hosts, "", PGC_SUSET, 0, NULL, assign_hosts, NULL);
	DefineCustomIntVariable("pinecone_fdw.stats_ttl",
							"How long the planner uses an index's statistics before asking again.",
							NULL, &pinecone_stats_ttl_ms, 60000, 0, INT_MAX, PGC_USERSET,
							GUC_UNIT_MS | GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomIntVariable("pinecone_fdw.prefetch",
							"How much a scan asks for ahead of its reader.",
							NULL, &pinecone_prefetch_kb, 16384, 64, 1024 * 1024, PGC_USERSET,
							GUC_UNIT_KB | GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomIntVariable("pinecone_fdw.write_buffer",
							"How much of a transaction's writes waits for the commit in memory.",
							"What is more waits in a temporary file.",
							&pinecone_write_buffer_kb, 16384, 64, 512 * 1024, PGC_USERSET,
							GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("pinecone_fdw.read_ahead",
							"How many rows of a nested loop are asked for at once.",
							"0 or 1 asks for each row alone.",
							&pinecone_read_ahead, 1000, 0, 10000, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	MarkGUCPrefixReserved("pinecone_fdw");
}
