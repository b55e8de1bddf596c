/*
 * scan.c
 *		Begin, iterate, rescan and end a foreign scan.
 *
 * What a scan does from one rescan to the next is a run (run.c), be it its own
 * or an answer that a read-ahead has asked for (answers.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "client/account.h"
#include "client/alias.h"
#include "client/bound.h"
#include "client/cache.h"
#include "client/schema_table.h"
#include "option/option_hosts.h"
#include "pending/outbox.h"
#include "pending/pending.h"
#include "scan/answers.h"
#include "scan/lacks_score.h"
#include "scan/run_values.h"
#include "scan/scan.h"

/* The foreign table scanned, or counted by an aggregate without one of its own. */
static Oid
scanned_table(ForeignScan *plan, EState *estate)
{
	int rtindex = plan->scan.scanrelid;

	if (rtindex == 0)
		rtindex = bms_next_member(pinecone_plan_base_relids(plan), -1);
	return exec_rt_fetch(rtindex, estate)->relid;
}

/* Are the rows read to be changed, or locked against changes?  Then as they are now. */
static bool
reads_to_write(ForeignScan *plan, EState *estate)
{
	ListCell *lc;

	if (pinecone_is_result_relation(estate, plan->scan.scanrelid))
		return true;
	foreach(lc, estate->es_plannedstmt->rowMarks)
	{
		PlanRowMark *mark = lfirst(lc);

		if (mark->rti == plan->scan.scanrelid && mark->strength != LCS_NONE)
			return true;
	}
	return false;
}

/*
 * Columns of a document index are what its schema says; one that has another by
 * now than the plan was made for needs another plan.
 */
static void
bind_table(PineconeScanState *state, int eflags)
{
	bool explains = (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;

	if (state->request->schema == 0)
		return;
	pinecone_scan_find_session(state);
	if (state->session->schema == NULL && state->session->integrated == NULL && !explains)
		(void) pinecone_session_stats(state->session, false, false);
	if (!explains)
		pinecone_run_check_schema(state);
	state->table = pinecone_schema_table(state->session, state->table);
}

/* A whole row's descriptor, by the type that the plan gives it. */
static TupleDesc
row_descriptor(ForeignScanState *node, TargetEntry *entry)
{
	TupleDesc desc = CreateTupleDescCopy(RelationGetDescr(node->ss.ss_currentRelation));

	desc->tdtypeid = exprType((Node *) entry->expr);
	desc->tdtypmod = -1;
	return BlessTupleDesc(desc);
}

/*
 * Set up what lasts for all runs of the scan. Nothing is sent before the first
 * row is asked for (see start_together.c for what is begun earlier).
 */
void
pineconeBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState *estate = node->ss.ps.state;
	PineconeScanState *state = palloc0(sizeof(PineconeScanState));
	Bitmapset *wanted = NULL;
	ListCell *lc;

	node->fdw_state = state;
	/* a direct modification has more in there */
	state->request = pinecone_request_from_list(plan->operation == CMD_SELECT ?
													plan->fdw_private :
													linitial(plan->fdw_private));
	state->table = pinecone_option_table(scanned_table(plan, estate));
	state->userid = pinecone_scan_user(plan, estate);
	if (state->request->lacks_score && (eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		pinecone_lacks_score_refuse(state->table);
	state->to_write = reads_to_write(plan, estate);
	bind_table(state, eflags);
	state->position = pinecone_pending_position();
	state->counters.pins = pinecone_pins_of(estate->es_query_cxt);
	if (state->table->server->hosts->n > 1)
		state->counters.bound = pinecone_bound_of(estate->es_query_cxt);
	state->counters.shows_own = state->table->session_consistency;
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && !state->to_write)
		state->counters.cache = pinecone_cache_policy(state->table);
	state->pending_before = pinecone_pending_count(state->table);
	state->queued_before = state->table->outbox ? pinecone_outbox_count(state->table) : 0;
	state->run = &state->own_run;
	state->run->counters = &state->counters;
	state->run->cxt = AllocSetContextCreate(estate->es_query_cxt, "pinecone scan",
											ALLOCSET_DEFAULT_SIZES);

	state->exprs = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	state->run->values.n = list_length(state->exprs);
	state->run->values.values = palloc0(Max(state->run->values.n, 1) * sizeof(Datum));
	state->run->values.isnull = palloc0(Max(state->run->values.n, 1) * sizeof(bool));
	state->run->values.types = palloc0(Max(state->run->values.n, 1) * sizeof(Oid));
	foreach(lc, plan->fdw_exprs)
		state->run->values.types[foreach_current_index(lc)] = exprType(lfirst(lc));

	foreach(lc, state->request->wanted)
		wanted = bms_add_member(wanted, lfirst_int(lc));
	for (int i = 0; i < state->table->ncolumns; i++)
	{
		PineconeColumn *column = &state->table->columns[i];

		if (column->role == PINECONE_ROLE_SCORE)
			state->score_is_real = getBaseType(column->typid) == FLOAT4OID;
	}
	state->reader = pinecone_row_reader(state->table, wanted);
	state->row_values = palloc0(Max(state->table->ncolumns, 1) * sizeof(Datum));
	state->row_isnull = palloc0(Max(state->table->ncolumns, 1) * sizeof(bool));

	state->nlayout = list_length(state->request->layout);
	state->layout = palloc(Max(state->nlayout, 1) * sizeof(AttrNumber));
	foreach(lc, state->request->layout)
	{
		state->layout[foreach_current_index(lc)] = lfirst_int(lc);
		if (lfirst_int(lc) == PINECONE_LAYOUT_ROW)
			state->row_desc = row_descriptor(node, list_nth(plan->fdw_scan_tlist, foreach_current_index(lc)));
	}
}

TupleTableSlot *
pineconeIterateForeignScan(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	state->pending = false;
	if (!state->run->started && state->answer == NULL)
	{
		if (state->group != NULL)
			pinecone_start_together_start(state->group);
		pinecone_scan_start(node);
	}
	slot = state->answer != NULL ? pinecone_answers_next(node) : pinecone_run_next(node, slot);
	state->rows += !TupIsNull(slot);
	return slot;
}

/* Once a run, and not for each row. */
static void
count_rows(PineconeScanState *state)
{
	if (state->rows > 0 && state->session != NULL)
		pinecone_account_rows(state->session, state->table->namespace_attnum > 0 ? NULL : state->table->namespace_, state->rows);
	state->rows = 0;
}

void
pineconeReScanForeignScan(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state->answer != NULL)
		pinecone_answers_leave(state);
	pinecone_run_end(state->run);
	count_rows(state);
}

void
pineconeEndForeignScan(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state == NULL)
		return;
	if (state->answer != NULL)
		pinecone_answers_leave(state);
	pinecone_run_end(state->run);
	count_rows(state);
}
