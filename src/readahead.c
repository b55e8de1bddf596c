/*
 * readahead.c
 *		A custom scan over the outer side of a nested loop that has the inner
 *		side's requests started before the loop comes to them.
 *
 * The loop is PostgreSQL's own and knows nothing of this: it takes rows from
 * here as it would from the plan below.  But this node holds rows back, sets
 * the loop's parameters to each, as the loop itself will, and has the foreign
 * scans below the loop's inner side ask (ahead.h).  By the time the loop comes
 * to a row the answer is on its way or there.
 *
 * A node has no pointer to its parent, so loops and read-aheads are introduced
 * to each other when the executor has started.  One that has not been, as in an
 * EvalPlanQual recheck, passes rows through.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "ahead.h"
#include "compat.h"
#include "readahead.h"
#include "setting.h"

/*
 * Rows to begin with, unless all will be wanted: each of them costs a search,
 * or all of them one fetch.
 */
#define FIRST_SEARCHES 4
#define FIRST_IDS 16

/* Rows that one fetch brings at most (API 2025-10). */
#define FETCH_ROWS 100

/* Parameters remembered as being in a cache, before all are forgotten. */
#define MAX_CACHED 100000

/* A foreign scan below the loop's inner side. */
typedef struct Served
{
	PineconeAhead *ahead;
	PineconeCounters *counters;
	PlanState *cache; /* Memoize between the loop and the scan, or NULL */
} Served;

/* An outer row read ahead. */
typedef struct Row
{
	MinimalTuple tuple;
	PineconeAnswer **answers; /* for each scan, or NULL */
} Row;

typedef struct ReadAheadState
{
	CustomScanState css;

	/* Who is served */
	NestLoopState *loop; /* NULL: nobody, rows are passed through */
	int nscans;
	Served *scans;
	bool gathers; /* some gather ids for fetches */
	bool eager;

	/* Parameters asked for already, by hash; what Memoize has, it keeps */
	HTAB *cached;
	uint64 evictions; /* of all caches when they were last looked at */

	/* Rows: a ring */
	MemoryContext rows_cxt;
	Row *rows;
	int capacity;
	int first;
	int nrows;
	Size bytes;
	Row current; /* the one the loop works on; tuple NULL: none */
	bool exhausted;
	double given; /* rows handed to the loop since the last rescan */

	/* For EXPLAIN */
	int most_rows;
} ReadAheadState;

static ExecutorStart_hook_type previous_ExecutorStart = NULL;

/* Counts the nodes begun in this backend: has a plan any? */
static uint64 nodes_begun = 0;

static PlanState *
child_state(ReadAheadState *state)
{
	return linitial(state->css.custom_ps);
}

/* ---- Begin ---- */

static void
begin_read_ahead(CustomScanState *node, EState *estate, int eflags)
{
	ReadAheadState *state = (ReadAheadState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	node->custom_ps = list_make1(ExecInitNode(linitial(plan->custom_plans), estate, eflags));
	state->eager = intVal(list_nth(plan->custom_private, READ_AHEAD_EAGER));
	nodes_begun++;
}

/* ---- Introductions ---- */

typedef struct ParamsUsed
{
	Bitmapset *ids;
	bool has_subplan;
} ParamsUsed;

static bool
collect_params(Node *node, ParamsUsed *used)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		used->ids = bms_add_member(used->ids, ((Param *) node)->paramid);
	if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
		used->has_subplan = true;
	return expression_tree_walker(node, collect_params, (void *) used);
}

/* The set of parameters asked for, by hash. */
static HTAB *
new_cached(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = ctl.entrysize = sizeof(uint64);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("pinecone read-ahead", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

typedef struct Introduction
{
	ReadAheadState *state;
	Bitmapset *set_by_loop;
	Bitmapset *known; /* the same and those set further out */
	PlanState *cache; /* the Memoize that the search is below, or NULL */
} Introduction;

/* Does the loop, and nothing between it and the scan, tell what this asks? */
static bool
scan_is_served(ForeignScanState *node, Introduction *intro)
{
	PineconeScanState *scan = node->fdw_state;
	ParamsUsed used = {0};

	if (((ForeignScan *) node->ss.ps.plan)->operation != CMD_SELECT ||
		node->fdwroutine->IterateForeignScan != pineconeIterateForeignScan || scan == NULL ||
		scan->ahead != NULL)
		return false;
	(void) collect_params((Node *) ((ForeignScan *) node->ss.ps.plan)->fdw_exprs, &used);
	return !used.has_subplan && bms_overlap(used.ids, intro->set_by_loop) &&
		   bms_is_subset(used.ids, intro->known);
}

static void
add_scan(ReadAheadState *state, ForeignScanState *node, PlanState *cache)
{
	Served *scan;

	state->scans = state->scans == NULL ?
					   palloc(sizeof(Served)) :
					   repalloc(state->scans, (state->nscans + 1) * sizeof(Served));
	scan = &state->scans[state->nscans++];
	scan->ahead = pinecone_ahead_create(node);
	scan->counters = &((PineconeScanState *) node->fdw_state)->counters;
	scan->cache = cache;
	state->gathers |= pinecone_ahead_gathers(scan->ahead);
	if (cache != NULL && state->cached == NULL)
		state->cached = new_cached();
}

static bool
find_scans(PlanState *node, Introduction *intro)
{
	ReadAheadState *state = intro->state;

	if (node == NULL)
		return false;
	if (IsA(node, ForeignScanState) && scan_is_served((ForeignScanState *) node, intro))
	{
		add_scan(state, (ForeignScanState *) node, intro->cache);
		return false;
	}
	if (pinecone_is_memoize(node))
	{
		PlanState *outer_cache = intro->cache;

		intro->cache = node;
		(void) planstate_tree_walker(node, find_scans, (void *) intro);
		intro->cache = outer_cache;
		return false;
	}
	return planstate_tree_walker(node, find_scans, (void *) intro);
}

static void
introduce(ReadAheadState *state, NestLoopState *loop)
{
	NestLoop *plan = (NestLoop *) loop->js.ps.plan;
	EState *estate = loop->js.ps.state;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	Introduction intro = {state, NULL, NULL, NULL};
	ListCell *lc;

	foreach(lc, plan->nestParams)
		intro.set_by_loop = bms_add_member(intro.set_by_loop,
										   lfirst_node(NestLoopParam, lc)->paramno);
	intro.known = bms_union(intro.set_by_loop, plan->join.plan.extParam);
	foreach(lc, plan->join.plan.initPlan)
	{
		ListCell *lc2;

		foreach(lc2, lfirst_node(SubPlan, lc)->setParam)
			intro.known = bms_add_member(intro.known, lfirst_int(lc2));
	}
	(void) find_scans(innerPlanState(loop), &intro);

	if (state->nscans > 0)
	{
		state->loop = loop;
		state->capacity = pinecone_read_ahead;
		state->rows_cxt = AllocSetContextCreate(estate->es_query_cxt, "pinecone read-ahead",
												ALLOCSET_DEFAULT_SIZES);
		state->rows = palloc0(state->capacity * sizeof(Row));
	}
	MemoryContextSwitchTo(old);
}

static bool
is_read_ahead(PlanState *node)
{
	return node != NULL && IsA(node, CustomScanState) &&
		   ((CustomScan *) node->plan)->methods == &pinecone_readahead_methods;
}

static bool
introduce_all(PlanState *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, NestLoopState) && is_read_ahead(outerPlanState(node)))
		introduce((ReadAheadState *) outerPlanState(node), (NestLoopState *) node);
	return planstate_tree_walker(node, introduce_all, arg);
}

static void
start_executor(QueryDesc *query, int eflags)
{
	uint64 before = nodes_begun;

	if (previous_ExecutorStart)
		previous_ExecutorStart(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (nodes_begun != before && query->planstate != NULL && pinecone_read_ahead > 1)
		(void) introduce_all(query->planstate, NULL);
}

/* ---- Reading ahead ---- */

static void
set_loop_parameters(ReadAheadState *state, TupleTableSlot *slot)
{
	ParamExecData *params = state->css.ss.ps.state->es_param_exec_vals;
	ListCell *lc;

	foreach(lc, ((NestLoop *) state->loop->js.ps.plan)->nestParams)
	{
		NestLoopParam *param = lfirst(lc);

		params[param->paramno].value = slot_getattr(slot, param->paramval->varattno,
													&params[param->paramno].isnull);
	}
}

/* The parameters as they are now, to be put back. */
static ParamExecData *
save_loop_parameters(ReadAheadState *state)
{
	ParamExecData *params = state->css.ss.ps.state->es_param_exec_vals;
	List *nest_params = ((NestLoop *) state->loop->js.ps.plan)->nestParams;
	ParamExecData *saved = palloc(list_length(nest_params) * sizeof(ParamExecData));
	ListCell *lc;

	foreach(lc, nest_params)
		saved[foreach_current_index(lc)] = params[lfirst_node(NestLoopParam, lc)->paramno];
	return saved;
}

static void
restore_loop_parameters(ReadAheadState *state, ParamExecData *saved)
{
	ParamExecData *params = state->css.ss.ps.state->es_param_exec_vals;
	ListCell *lc;

	foreach(lc, ((NestLoop *) state->loop->js.ps.plan)->nestParams)
		params[lfirst_node(NestLoopParam, lc)->paramno] = saved[foreach_current_index(lc)];
	pfree(saved);
}

static void
drop_row(ReadAheadState *state, Row *row)
{
	if (row->tuple == NULL)
		return;
	for (int i = 0; i < state->nscans; i++)
	{
		if (row->answers[i])
			pinecone_ahead_release(row->answers[i]);
	}
	pfree(row->answers);
	pfree(row->tuple);
	row->tuple = NULL;
}

/* ---- Caches on the inner side ---- */

static void
forget_cached(ReadAheadState *state)
{
	HASH_SEQ_STATUS status;
	uint64 *key;

	if (state->cached == NULL)
		return;
	hash_seq_init(&status, state->cached);
	while ((key = hash_seq_search(&status)) != NULL)
		(void) hash_search(state->cached, key, HASH_REMOVE, NULL);
}

static uint64
hash_of_parameters(ReadAheadState *state, TupleTableSlot *slot)
{
	uint64 hash = 0;
	ListCell *lc;

	foreach(lc, ((NestLoop *) state->loop->js.ps.plan)->nestParams)
	{
		AttrNumber attnum = lfirst_node(NestLoopParam, lc)->paramval->varattno;
		Form_pg_attribute att = TupleDescAttr(slot->tts_tupleDescriptor, attnum - 1);
		bool isnull;
		Datum value = slot_getattr(slot, attnum, &isnull);
		uint64 one = 0;

		if (!isnull && att->attbyval)
			one = DatumGetUInt64(hash_any_extended((unsigned char *) &value, sizeof(value), 1));
		else if (!isnull && att->attlen == -1)
		{
			struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

			one = DatumGetUInt64(hash_any_extended((unsigned char *) VARDATA_ANY(packed),
												   VARSIZE_ANY_EXHDR(packed), 1));
			if ((Pointer) packed != DatumGetPointer(value))
				pfree(packed);
		}
		else if (!isnull)
			one = DatumGetUInt64(hash_any_extended((unsigned char *) DatumGetPointer(value),
												   datumGetSize(value, false, att->attlen), 1));
		hash = hash_combine64(hash, one);
	}
	return hash;
}

/*
 * Will a row's answers come from a cache?  What has been asked for once does,
 * unless the cache has had to drop something.  A wrong guess costs a request
 * that overlaps with no other, or one too many.
 */
static bool
row_is_cached(ReadAheadState *state, TupleTableSlot *slot)
{
	uint64 hash;
	uint64 evictions = 0;
	bool found;

	if (state->cached == NULL)
		return false;
	for (int i = 0; i < state->nscans; i++)
	{
		if (state->scans[i].cache != NULL)
			evictions += pinecone_memoize_evictions(state->scans[i].cache);
	}
	if (evictions != state->evictions || hash_get_num_entries(state->cached) >= MAX_CACHED)
		forget_cached(state);
	state->evictions = evictions;
	hash = hash_of_parameters(state, slot);
	(void) hash_search(state->cached, &hash, HASH_ENTER, &found);
	return found;
}

/* ---- Rows ---- */

/* Read one row and ask for it. */
static bool
read_row(ReadAheadState *state)
{
	TupleTableSlot *slot = ExecProcNode(child_state(state));
	MemoryContext old;
	Row *row;
	bool cached;

	if (TupIsNull(slot))
	{
		state->exhausted = true;
		return false;
	}
	old = MemoryContextSwitchTo(state->rows_cxt);
	row = &state->rows[(state->first + state->nrows) % state->capacity];
	row->tuple = ExecCopySlotMinimalTuple(slot);
	row->answers = palloc0(state->nscans * sizeof(PineconeAnswer *));
	MemoryContextSwitchTo(old);
	state->nrows++;
	state->bytes += row->tuple->t_len;

	set_loop_parameters(state, slot);
	cached = row_is_cached(state, slot);
	for (int i = 0; i < state->nscans; i++)
	{
		if (!cached || state->scans[i].cache == NULL)
			row->answers[i] = pinecone_ahead_ask(state->scans[i].ahead);
	}
	return true;
}

/* How many rows are to be read ahead, by how many have been wanted so far. */
static int
rows_wanted(ReadAheadState *state)
{
	double first = state->eager	  ? state->capacity :
				   state->gathers ? FIRST_IDS :
									FIRST_SEARCHES;
	double wanted = Min(Max(first, 2 * state->given), state->capacity);

	for (int i = 0; i < state->nscans; i++)
	{
		PineconeAhead *ahead = state->scans[i].ahead;
		double bytes = pinecone_ahead_answer_bytes(ahead);

		/* what is on the wire, and as much again that has arrived */
		if (!pinecone_ahead_gathers(ahead))
			wanted = Min(wanted, 2 * pinecone_ahead_concurrency(ahead));
		if (bytes > 0)
			wanted = Min(wanted, pinecone_prefetch_kb * 1024.0 / bytes);
	}
	return Max(1, (int) wanted);
}

/* Ids gathered for the next fetch, by the scan that has the most. */
static int
ids_waiting(ReadAheadState *state)
{
	int most = 0;

	for (int i = 0; i < state->nscans; i++)
		most = Max(most, pinecone_ahead_waiting(state->scans[i].ahead));
	return most;
}

static void
read_ahead(ReadAheadState *state)
{
	int wanted = rows_wanted(state);
	int room = wanted - state->nrows;
	int full = FETCH_ROWS * Max(1, room / FETCH_ROWS);
	ParamExecData *saved;

	if (state->exhausted || room <= 0)
		return;
	/* where ids are gathered, wait until they make a full fetch */
	if (state->gathers && state->nrows > 0 && room < FETCH_ROWS)
		return;

	saved = save_loop_parameters(state);
	while (state->nrows < wanted && state->bytes < work_mem * (Size) 1024 && read_row(state))
	{
		if (state->gathers && ids_waiting(state) >= full)
			break;
	}
	for (int i = 0; i < state->nscans; i++)
		pinecone_ahead_flush(state->scans[i].ahead);
	restore_loop_parameters(state, saved);
	state->most_rows = Max(state->most_rows, state->nrows);
}

/* ---- Execute ---- */

static TupleTableSlot *
next_row(ReadAheadState *state)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;

	drop_row(state, &state->current);
	read_ahead(state);
	if (state->nrows == 0 && !state->exhausted)
	{
		/* a single row that is larger than work_mem */
		ParamExecData *saved = save_loop_parameters(state);

		(void) read_row(state);
		restore_loop_parameters(state, saved);
	}
	if (state->nrows == 0)
		return ExecClearTuple(slot);

	state->current = state->rows[state->first];
	state->first = (state->first + 1) % state->capacity;
	state->nrows--;
	state->given++;
	state->bytes -= state->current.tuple->t_len;
	ExecForceStoreMinimalTuple(state->current.tuple, slot, false);
	return slot;
}

static TupleTableSlot *
execute_read_ahead(CustomScanState *node)
{
	ReadAheadState *state = (ReadAheadState *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	TupleTableSlot *slot;

	CHECK_FOR_INTERRUPTS();
	slot = state->loop != NULL ? next_row(state) : ExecProcNode(child_state(state));
	if (TupIsNull(slot) || node->ss.ps.ps_ProjInfo == NULL)
		return slot;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	return ExecProject(node->ss.ps.ps_ProjInfo);
}

/* ---- Rescan and end ---- */

static void
drop_rows(ReadAheadState *state)
{
	if (state->loop == NULL)
		return;
	ExecClearTuple(state->css.ss.ss_ScanTupleSlot);
	drop_row(state, &state->current);
	while (state->nrows > 0)
	{
		drop_row(state, &state->rows[state->first]);
		state->first = (state->first + 1) % state->capacity;
		state->nrows--;
	}
	state->bytes = 0;
	state->exhausted = false;
	state->given = 0;
}

static void
rescan_read_ahead(CustomScanState *node)
{
	ReadAheadState *state = (ReadAheadState *) node;
	PlanState *child = child_state(state);

	drop_rows(state);
	forget_cached(state);
	if (node->ss.ps.chgParam != NULL)
		UpdateChangedParamSet(child, node->ss.ps.chgParam);
	if (child->chgParam == NULL)
		ExecReScan(child);
}

static void
end_read_ahead(CustomScanState *node)
{
	ReadAheadState *state = (ReadAheadState *) node;

	drop_rows(state);
	ExecEndNode(child_state(state));
}

/* ---- Explain ---- */

static void
explain_read_ahead(CustomScanState *node, List *ancestors, ExplainState *es)
{
	ReadAheadState *state = (ReadAheadState *) node;
	PineconeCounters sum = {0};
	uint64 fetches = 0;

	ExplainPropertyInteger("Batch", "rows", state->loop ? state->capacity : 1, es);
	if (!es->analyze)
		return;
	for (int i = 0; i < state->nscans; i++)
	{
		PineconeCounters *counters = state->scans[i].counters;

		pinecone_ahead_settle(state->scans[i].ahead);
		sum.requests += counters->requests;
		sum.peak_in_flight = Max(sum.peak_in_flight, counters->peak_in_flight);
		sum.ids_fetched += counters->ids_fetched;
		if (counters->ids_fetched > 0)
			fetches += counters->requests;
	}
	ExplainPropertyInteger("Most Rows Ahead", NULL, state->most_rows, es);
	ExplainPropertyUInteger("Requests", NULL, sum.requests, es);
	if (sum.ids_fetched > 0)
		ExplainPropertyFloat("Ids Per Request", NULL, (double) sum.ids_fetched / fetches, 1, es);
	ExplainPropertyInteger("Peak In Flight", NULL, sum.peak_in_flight, es);
}

static const CustomExecMethods exec_methods = {
	.CustomName = PINECONE_READAHEAD_NAME,
	.BeginCustomScan = begin_read_ahead,
	.ExecCustomScan = execute_read_ahead,
	.EndCustomScan = end_read_ahead,
	.ReScanCustomScan = rescan_read_ahead,
	.ExplainCustomScan = explain_read_ahead,
};

static Node *
create_state(CustomScan *plan)
{
	ReadAheadState *state = palloc0(sizeof(ReadAheadState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

const CustomScanMethods pinecone_readahead_methods = {
	.CustomName = PINECONE_READAHEAD_NAME,
	.CreateCustomScanState = create_state,
};

void
pinecone_readahead_init(void)
{
	RegisterCustomScanMethods(&pinecone_readahead_methods);
	previous_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
}
