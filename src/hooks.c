/*
 * hooks.c
 *		Hooks into the planner and the executor: all that there are.
 *
 * Each calls what was hooked in before, or the standard function, and a
 * function of ours.  Which comes first is said at each.
 *
 * A module that is preloaded may insist on hooks that nobody has taken, as
 * Citus does.  So while libraries are preloaded we take none but those for
 * shared memory, and the others when memory is made, which is after that: ours
 * are the same, whatever the order of libraries.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "storage/ipc.h"
#include "tcop/utility.h"

#include "base/compat.h"
#include "base/statistics_shared.h"
#include "hooks.h"
#include "modify/statement.h"
#include "outbox/database.h"
#include "pending/outbox_wake.h"
#include "pending/pending.h"
#include "plan/paths.h"
#include "plan/plan_info.h"
#include "plan/plan_label.h"
#include "scan/embed_ahead.h"
#include "scan/embedded.h"
#include "scan/readahead.h"
#include "scan/start_together.h"

/* The arguments of a utility hook */
#define PINECONE_UTILITY_ARGS \
	PlannedStmt *pstmt, const char *query_string, bool read_only_tree, ProcessUtilityContext context, \
		ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *completion
#define PINECONE_UTILITY_PASS pstmt, query_string, read_only_tree, context, params, env, dest, completion

static planner_hook_type next_planner = NULL;
static set_rel_pathlist_hook_type next_set_rel_pathlist = NULL;
static set_join_pathlist_hook_type next_set_join_pathlist = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;
static ExecutorFinish_hook_type next_executor_finish = NULL;
static ProcessUtility_hook_type next_process_utility = NULL;

/* ---- A plan that is complete: ours first, for others read it ---- */

#ifdef PINECONE_PLANNER_SHUTDOWN

static planner_shutdown_hook_type next_planner_shutdown = NULL;
static planner_shutdown_hook_type later_planner_shutdown = NULL; /* ends in next */

static void
planner_shutdown(PlannerGlobal *glob, Query *parse, const char *query_string, PlannedStmt *stmt)
{
	pinecone_plan_labels_add(glob, stmt);
	if (next_planner_shutdown != NULL)
		next_planner_shutdown(glob, parse, query_string, stmt);
}

/* In front of modules that were loaded after this one. */
static void
planner_shutdown_first(PlannerGlobal *glob, Query *parse, const char *query_string, PlannedStmt *stmt)
{
	pinecone_plan_labels_add(glob, stmt);
	if (later_planner_shutdown != NULL)
		later_planner_shutdown(glob, parse, query_string, stmt);
}

/*
 * They call their own hook before ours, and one that has a place in their
 * chain cannot be moved; but a second one can be put in front of them, once.
 */
static void
come_first_at_shutdown(void)
{
	if (planner_shutdown_hook == planner_shutdown || later_planner_shutdown != NULL)
		return;
	later_planner_shutdown = planner_shutdown_hook;
	planner_shutdown_hook = planner_shutdown_first;
}

static void
hook_planner_shutdown(void)
{
	next_planner_shutdown = planner_shutdown_hook;
	planner_shutdown_hook = planner_shutdown;
}

#else

#define come_first_at_shutdown() ((void) 0)
#define hook_planner_shutdown() ((void) 0)

#endif

/* ---- Planner: ours before, to bring statements to a form that can be planned; and after, for what plans tell ---- */

static PlannedStmt *
plan_statement(PINECONE_PLANNER_ARGS)
{
	PineconeTime outer_began = pinecone_plan_began;
	bool outer_offset = pinecone_plan_has_offset;
	PlannedStmt *stmt;

	pinecone_plan_began = pinecone_clock_now();
	pinecone_plan_has_offset = false;
	pinecone_plan_conflicts(parse);
	pinecone_plan_one_rows(parse);
	pinecone_plan_unordered(parse);
	stmt = next_planner != NULL ? next_planner(PINECONE_PLANNER_PASS) :
								  standard_planner(PINECONE_PLANNER_PASS);
	pinecone_plan_offsets(stmt);
	pinecone_plan_began = outer_began;
	pinecone_plan_has_offset = outer_offset;
	return stmt;
}

/* ---- Paths: ours last, for it looks at those that there are ---- */

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
	come_first_at_shutdown();
	pinecone_plan_readaheads(root, joinrel, outerrel, innerrel, jointype, extra);
}

/* ---- Executor ---- */

/* Ours before, for it changes the plan, and afterwards, for it looks at the nodes that have been made. */
static void
executor_start(QueryDesc *query, int eflags)
{
	uint64 begun = pinecone_readahead_begun();

	query->plannedstmt = pinecone_plan_embed_ahead(query->plannedstmt, eflags);
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
	pinecone_embedded_note_run(queryDesc->estate->es_query_cxt, count == 0);
	if (next_executor_run != NULL)
		next_executor_run(PINECONE_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(PINECONE_EXECUTOR_RUN_PASS);
}

/* Ours before: triggers see the rows that the statement has written. */
static void
executor_finish(QueryDesc *query)
{
	pinecone_statement_before_triggers(query->estate);
	if (next_executor_finish != NULL)
		next_executor_finish(query);
	else
		standard_ExecutorFinish(query);
	/* the statement may have brought another wrapper into the transaction */
	pinecone_pending_come_first();
}

/* ---- Utility statements: ours before, for it makes room, and afterwards, for it tells of what was committed ---- */

static void
run_next_utility(PINECONE_UTILITY_ARGS)
{
	if (next_process_utility != NULL)
		next_process_utility(PINECONE_UTILITY_PASS);
	else
		standard_ProcessUtility(PINECONE_UTILITY_PASS);
}

/* While no worker is in a database. */
static void
run_utility_alone(Oid dbid, PINECONE_UTILITY_ARGS)
{
	pinecone_outbox_close(dbid);
	PG_TRY();
	{
		run_next_utility(PINECONE_UTILITY_PASS);
	}
	PG_FINALLY();
	{
		pinecone_outbox_open(dbid);
	}
	PG_END_TRY();
}

static void
run_utility(PINECONE_UTILITY_ARGS)
{
	Oid dbid = pinecone_database_of(pstmt->utilityStmt);
	bool commits_prepared = IsA(pstmt->utilityStmt, TransactionStmt) &&
							((TransactionStmt *) pstmt->utilityStmt)->kind == TRANS_STMT_COMMIT_PREPARED;

	if (OidIsValid(dbid))
		run_utility_alone(dbid, PINECONE_UTILITY_PASS);
	else
		run_next_utility(PINECONE_UTILITY_PASS);
	if (commits_prepared)
		pinecone_outbox_wake(MyDatabaseId);
}

/* ---- Shared memory, while libraries are preloaded: in any order ---- */

static shmem_startup_hook_type next_shmem_startup = NULL;

static void install(void);

static void
make_shared_memory(void)
{
	if (next_shmem_startup != NULL)
		next_shmem_startup();
	pinecone_statistics_make_memory();
	pinecone_outbox_make_memory();
	install();
}

#ifdef PINECONE_SHMEM_REQUEST_HOOK

static shmem_request_hook_type next_shmem_request = NULL;

static void
request_shared_memory(void)
{
	if (next_shmem_request != NULL)
		next_shmem_request();
	pinecone_statistics_request_memory();
	pinecone_outbox_request_memory();
}

static void
hook_shmem_request(void)
{
	next_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shared_memory;
}

#else

#define hook_shmem_request() (pinecone_statistics_request_memory(), pinecone_outbox_request_memory())

#endif

static void
hook_shared_memory(void)
{
	if (!pinecone_statistics_preloading())
		return;
	hook_shmem_request();
	next_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = make_shared_memory;
}

/* Take all hooks but those for shared memory; memory is made again after a crash. */
static void
install(void)
{
	static bool done = false;

	if (done)
		return;
	done = true;
	next_planner = planner_hook;
	planner_hook = plan_statement;
	next_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	next_set_join_pathlist = set_join_pathlist_hook;
	set_join_pathlist_hook = set_join_pathlist;
	hook_planner_shutdown();
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = executor_finish;
	if (pinecone_outbox_workers != NULL)
	{
		next_process_utility = ProcessUtility_hook;
		ProcessUtility_hook = run_utility;
	}
}

void
pinecone_hooks_install(void)
{
	hook_shared_memory();
	RegisterCustomScanMethods(&pinecone_readahead_methods);
	RegisterCustomScanMethods(&pinecone_embed_ahead_methods);
	if (!pinecone_statistics_preloading())
		install();
}
