/*
 * setting_cost.c
 *		The GUCs about what requests cost: statistics, logs, budgets.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/setting.h"
#include "base/setting_cost.h"
#include "base/statistics.h"

int pinecone_log_min_request_duration_ms = -1;
bool pinecone_audit = false;
int pinecone_report_commit = PINECONE_REPORT_OFF;
int pinecone_month_warning = 80;

#define KB 1024.0
#define MB (1024 * 1024.0)

PineconeBudget pinecone_budgets[PINECONE_BUDGETS] = {
	{"pinecone_fdw.max_requests", "The most requests that a statement may send.", "requests",
	 PINECONE_BUDGET_REQUESTS, 0, 1, -1},
	{"pinecone_fdw.max_read_units", "The most read units that a statement may cost.", "read units",
	 PINECONE_BUDGET_READ_UNITS, 0, 1, -1},
	{"pinecone_fdw.max_egress", "The most bytes of replies that a statement may have sent to it.", "egress",
	 PINECONE_BUDGET_EGRESS, GUC_UNIT_KB, KB, -1},
	{"pinecone_fdw.max_rows", "The most records that a statement may fetch.", "rows",
	 PINECONE_BUDGET_ROWS, 0, 1, -1},
	{"pinecone_fdw.max_month_requests", "The most requests that a server may be sent in a month.", "requests",
	 PINECONE_BUDGET_REQUESTS, 0, 1, -1},
	{"pinecone_fdw.max_month_read_units", "The most read units that a server may cost in a month.", "read units",
	 PINECONE_BUDGET_READ_UNITS, 0, 1, -1},
	{"pinecone_fdw.max_month_egress", "The most bytes of replies that a server may send in a month.", "egress",
	 PINECONE_BUDGET_EGRESS, GUC_UNIT_MB, MB, -1},
	{"pinecone_fdw.max_month_rows", "The most records that may be fetched from a server in a month.", "rows",
	 PINECONE_BUDGET_ROWS, 0, 1, -1},
};

static const struct config_enum_entry reports[] = {
	{"off", PINECONE_REPORT_OFF, false},
	{"notice", PINECONE_REPORT_NOTICE, false},
	{"log", PINECONE_REPORT_LOG, false},
	{NULL, 0, false},
};

/* A budget of nothing would be another way to say that a server is not to be used. */
static bool
check_budget(int *value, void **extra, GucSource source)
{
	if (*value != 0)
		return true;
	GUC_check_errdetail("A budget is -1, for none, or 1 at least.");
	return false;
}

static void
define_budget(PineconeBudget *budget, bool month)
{
	DefineCustomIntVariable(budget->name, budget->description,
							month ? "-1 sets no limit. Beyond it, requests are errors until the month, in UTC, is over." :
									"-1 sets no limit. When it is reached, the next request is an error.",
							&budget->value, -1, -1, INT_MAX, PGC_SUSET, budget->flags | GUC_EXPLAIN,
							check_budget, NULL, NULL);
}

static void
define_entries(void)
{
	/* after the server has started nobody could set it */
	if (process_shared_preload_libraries_in_progress)
		DefineCustomIntVariable("pinecone_fdw.statistics_max", "How many entries the shared statistics have.",
								"What is more is folded into sums.", &pinecone_statistics_max, 2000, 100,
								100000, PGC_POSTMASTER, 0, NULL, NULL, NULL);
}

static void
define_statistics(void)
{
	DefineCustomBoolVariable("pinecone_fdw.statistics", "Counts what requests cost.", NULL,
							 &pinecone_statistics_enabled, true, PGC_SUSET, 0, NULL, NULL, NULL);
}

static void
define_log(void)
{
	DefineCustomIntVariable("pinecone_fdw.log_min_request_duration", "Logs requests that take so long.",
							"0 logs all of them, -1 none.", &pinecone_log_min_request_duration_ms, -1, -1,
							INT_MAX, PGC_SUSET, GUC_UNIT_MS | GUC_EXPLAIN, NULL, NULL, NULL);
}

static void
define_audit(void)
{
	DefineCustomBoolVariable("pinecone_fdw.audit", "Logs every write before it is sent.", NULL,
							 &pinecone_audit, false, PGC_SUSET, 0, NULL, NULL, NULL);
}

static void
define_report(void)
{
	DefineCustomEnumVariable("pinecone_fdw.report_commit", "Tells what a commit has sent, and how long that took.",
							 NULL, &pinecone_report_commit, PINECONE_REPORT_OFF, reports, PGC_USERSET, 0,
							 NULL, NULL, NULL);
}

static void
define_warning(void)
{
	DefineCustomIntVariable("pinecone_fdw.month_warning", "The share of a month's budget at which to warn, in percent.",
							"0 never warns.", &pinecone_month_warning, 80, 0, 100, PGC_SUSET, 0, NULL, NULL, NULL);
}

void
pinecone_setting_cost_init(void)
{
	static void (*const steps[])(void) = {
		define_entries,
		define_statistics,
		define_log,
		define_audit,
		define_report,
		define_warning,
	};
	static int nsteps = 0;
	static int nbudgets = 0;

	for (; nsteps < lengthof(steps); nsteps++)
		steps[nsteps]();
	for (; nbudgets < PINECONE_BUDGETS; nbudgets++)
		define_budget(&pinecone_budgets[nbudgets], nbudgets >= PINECONE_BUDGET_MONTH);
}
