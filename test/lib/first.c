/*
 * first.c
 *		A library to be preloaded that insists on hooks which nobody has taken, and
 *		takes them.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "optimizer/planner.h"
#include "tcop/utility.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static ExecutorEnd_hook_type next_executor_end = NULL;

static void
executor_start(QueryDesc *query, int eflags)
{
	standard_ExecutorStart(query, eflags);
}

static void
executor_end(QueryDesc *query)
{
	if (next_executor_end != NULL)
		next_executor_end(query);
	else
		standard_ExecutorEnd(query);
}

void
_PG_init(void)
{
	if (planner_hook != NULL || ProcessUtility_hook != NULL || ExecutorStart_hook != NULL ||
		ExecutorRun_hook != NULL || ExecutorFinish_hook != NULL || ExecutorEnd_hook != NULL)
		ereport(ERROR, (errmsg("this library has to be loaded first")));
	ExecutorStart_hook = executor_start;
	next_executor_end = ExecutorEnd_hook;
	ExecutorEnd_hook = executor_end;
}
