/*
 * readahead.c
 *		A custom scan over the outer side of a nested loop that has the inner
 *		side's requests started before the loop comes to them.
 *
 * The loop is PostgreSQL's own and knows nothing of this: it takes rows from
 * here as it would from the plan below.  But this node holds rows back, sets
 * the loop's parameters to each, as the loop itself will, and has the foreign
 * scans below the loop's inner side ask (answers.h).  By the time the loop comes
 * to a row the answer is on its way or there.
 *
 * A node has no pointer to its parent, so loops and read-aheads are introduced
 * to each other when the executor has started.  One that has not been, as in an
 * EvalPlanQual recheck, passes rows through.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "scan/explain_spent.h"
#include "scan/inner_scans.h"
#include "scan/readahead.h"

/* An outer row read ahead. */
typedef struct Row
{
	MinimalTuple tuple;
	PineconeAnswer **answers;
} Row;

typedef struct ReadAheadState
{
	CustomScanState css;

	/* Who is served */
	PineconeInnerScans *served; /* NULL: nobody, rows are passed through */
	bool eager;

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

static void
introduce(ReadAheadState *state, NestLoopState *loop)
{
	EState *estate = loop->js.ps.state;

	state->served = pinecone_inner_scans_find(loop);
	if (state->served == NULL)
		return;
	state->capacity = pinecone_read_ahead;
	state->rows_cxt = AllocSetContextCreate(estate->es_query_cxt, "pinecone read-ahead",
											ALLOCSET_DEFAULT_SIZES);
	state->rows = MemoryContextAllocZero(state->rows_cxt, state->capacity * sizeof(Row));
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

uint64
pinecone_readahead_begun(void)
{
	return nodes_begun;
}

void
pinecone_readahead_introduce(QueryDesc *query, uint64 begun_before)
{
	if (nodes_begun != begun_before && query->planstate != NULL && pinecone_read_ahead > 1)
		(void) introduce_all(query->planstate, NULL);
}

/* ---- Reading ahead ---- */

static void
drop_row(ReadAheadState *state, Row *row)
{
	if (row->tuple == NULL)
		return;
	pinecone_inner_scans_release(state->served, row->answers);
	pfree(row->tuple);
	row->tuple = NULL;
}

/* Read one row and ask for it. */
static bool
read_row(ReadAheadState *state)
{
	TupleTableSlot *slot = ExecProcNode(child_state(state));
	MemoryContext old;
	Row *row;

	if (TupIsNull(slot))
	{
		state->exhausted = true;
		return false;
	}
	old = MemoryContextSwitchTo(state->rows_cxt);
	row = &state->rows[(state->first + state->nrows) % state->capacity];
	row->tuple = ExecCopySlotMinimalTuple(slot);
	row->answers = pinecone_inner_scans_ask(state->served, slot);
	MemoryContextSwitchTo(old);
	state->nrows++;
	state->bytes += row->tuple->t_len;
	return true;
}

/* How many rows are to be read ahead, by how many have been wanted so far. */
static int
rows_wanted(ReadAheadState *state)
{
	double first = state->eager								   ? state->capacity :
				   pinecone_inner_scans_gathers(state->served) ? PINECONE_FIRST_IDS :
																 PINECONE_FIRST_SEARCHES;
	double wanted = Min(Max(first, 2 * state->given), state->capacity);

	return Max(1, (int) Min(wanted, pinecone_inner_scans_most_rows(state->served)));
}

static void
read_ahead(ReadAheadState *state)
{
	int wanted = rows_wanted(state);
	int room = wanted - state->nrows;
	int full = PINECONE_FETCH_BATCH * Max(1, room / PINECONE_FETCH_BATCH);
	bool gathers = pinecone_inner_scans_gathers(state->served);
	bool filters = pinecone_inner_scans_gathers_filters(state->served);

	if (state->exhausted || room <= 0)
		return;
	/* where ids are gathered, wait until they make a full fetch; of filters few may be sent a second */
	if (gathers && state->nrows > 0 && room < (filters ? Max(PINECONE_FETCH_BATCH, state->capacity / 4) : PINECONE_FETCH_BATCH))
		return;

	while (state->nrows < wanted && state->bytes < work_mem * (Size) 1024 && read_row(state))
	{
		if (gathers && !filters && pinecone_inner_scans_waiting(state->served) >= full)
			break;
	}
	pinecone_inner_scans_flush(state->served);
	state->most_rows = Max(state->most_rows, state->nrows);
}

/* ---- Execute ---- */

static TupleTableSlot *
next_row(ReadAheadState *state)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;

	drop_row(state, &state->current);
	read_ahead(state);
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
	slot = state->served != NULL ? next_row(state) : ExecProcNode(child_state(state));
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
	if (state->served == NULL)
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
	if (state->served != NULL)
		pinecone_inner_scans_rescan(state->served);
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
	PineconeCounters cost;
	double ids_per_request;

	ExplainPropertyInteger("Batch", "rows", state->served ? state->capacity : 1, es);
	if (state->served != NULL && pinecone_inner_scans_gathers_filters(state->served))
		ExplainPropertyText("Gathers", "filters", es);
	if (!es->analyze || state->served == NULL)
		return;
	pinecone_inner_scans_cost(state->served, &cost, &ids_per_request);
	ExplainPropertyInteger("Most Rows Ahead", NULL, state->most_rows, es);
	pinecone_explain_spent(&cost, es);
	if (ids_per_request > 0)
		ExplainPropertyFloat("Ids Per Request", NULL, ids_per_request, 1, es);
	if (cost.gathers > 0)
		ExplainPropertyFloat("Rows Per Filter", NULL, (double) cost.rows_gathered / cost.gathers, 1, es);
	if (!es->verbose)
		ExplainPropertyInteger("Peak In Flight", NULL, cost.peak_in_flight, es);
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
