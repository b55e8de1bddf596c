/*
 * hooks.c
 *		Hooks into the planner and the executor: all that there are.
 *
 * Each calls what was hooked in before, or the standard function, and a
 * function of ours.  Which comes first is said at each.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "optimizer/paths.h"

#include "base/compat.h"
#include "hooks.h"
#include "modify/modify.h"
#include "plan/paths.h"
#include "scan/readahead.h"
#include "scan/start_together.h"

static set_rel_pathlist_hook_type next_set_rel_pathlist = NULL;
static set_join_pathlist_hook_type next_set_join_pathlist = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;
static ExecutorFinish_hook_type next_executor_finish = NULL;

/* ---- Planner: ours last, for it looks at the paths that there are ---- */

static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (next_set_rel_pathlist != NULL)
		next_set_rel_pathlist(root, rel, rti, rte);
	pinecone_plan_append(root, rel, rte);
}

static void
set_join_pathlist(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel,
				  RelOptInfo *innerrel, JoinType jointype, JoinPathExtraData *extra)
{
	if (next_set_join_pathlist != NULL)
		next_set_join_pathlist(root, joinrel, outerrel, innerrel, jointype, extra);
	pinecone_plan_readaheads(root, joinrel, outerrel, innerrel, jointype, extra);
}

/* ---- Executor ---- */

/* Ours afterwards: it looks at the nodes that have been made. */
static void
executor_start(QueryDesc *query, int eflags)
{
	uint64 begun = pinecone_readahead_begun();

	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	pinecone_readahead_introduce(query, begun);
}

/* Ours before: the first scan that runs starts others. */
static void
executor_run(PINECONE_EXECUTOR_RUN_ARGS)
{
	pinecone_start_together_find(queryDesc, count == 0 && ScanDirectionIsForward(direction));
	if (next_executor_run != NULL)
		next_executor_run(PINECONE_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(PINECONE_EXECUTOR_RUN_PASS);
}

/* Ours before: triggers see the rows that the statement has written. */
static void
executor_finish(QueryDesc *query)
{
	pinecone_modify_before_triggers(query->estate);
	if (next_executor_finish != NULL)
		next_executor_finish(query);
	else
		standard_ExecutorFinish(query);
}

void
pinecone_hooks_install(void)
{
	RegisterCustomScanMethods(&pinecone_readahead_methods);

	next_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	next_set_join_pathlist = set_join_pathlist_hook;
	set_join_pathlist_hook = set_join_pathlist;
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = executor_finish;
}
