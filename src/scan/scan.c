/*
 * scan.c
 *		Begin, iterate, rescan and end a foreign scan.
 *
 * A run of a scan evaluates the request plan's expressions, opens a stream of
 * records and turns each into a scan tuple.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/distance.h"
#include "base/memory.h"
#include "base/record_key.h"
#include "base/setting.h"
#include "client/alias.h"
#include "client/session.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "scan/answers.h"
#include "scan/run_count.h"
#include "scan/run_search.h"
#include "scan/run_values.h"
#include "scan/scan.h"
#include "scan/score.h"

/* ---- Begin ---- */

/* The foreign table scanned, or counted by an aggregate without one of its own. */
static Oid
scanned_table(ForeignScan *plan, EState *estate)
{
	int rtindex = plan->scan.scanrelid;

	if (rtindex == 0)
		rtindex = bms_next_member(pinecone_plan_base_relids(plan), -1);
	return exec_rt_fetch(rtindex, estate)->relid;
}

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
	state->position = pinecone_pending_position();
	state->counters.pins = pinecone_pins_of(estate->es_query_cxt);
	state->pending_before = pinecone_pending_count(state->table);
	state->run_cxt = AllocSetContextCreate(estate->es_query_cxt, "pinecone scan",
										   ALLOCSET_DEFAULT_SIZES);

	state->exprs = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	state->values.n = list_length(state->exprs);
	state->values.values = palloc0(Max(state->values.n, 1) * sizeof(Datum));
	state->values.isnull = palloc0(Max(state->values.n, 1) * sizeof(bool));
	state->values.types = palloc0(Max(state->values.n, 1) * sizeof(Oid));
	foreach(lc, plan->fdw_exprs)
		state->values.types[foreach_current_index(lc)] = exprType(lfirst(lc));

	foreach(lc, state->request->wanted)
		wanted = bms_add_member(wanted, lfirst_int(lc));
	for (int i = 0; i < state->table->ncolumns; i++)
	{
		PineconeColumn *column = &state->table->columns[i];

		if (column->role == PINECONE_ROLE_SCORE)
			state->score_is_real = getBaseType(column->typid) == FLOAT4OID;
	}
	state->reader = pinecone_convert_reader(state->table, wanted);
	state->row_values = palloc0(Max(state->table->ncolumns, 1) * sizeof(Datum));
	state->row_isnull = palloc0(Max(state->table->ncolumns, 1) * sizeof(bool));

	state->nlayout = list_length(state->request->layout);
	state->layout = palloc(Max(state->nlayout, 1) * sizeof(AttrNumber));
	foreach(lc, state->request->layout)
		state->layout[foreach_current_index(lc)] = lfirst_int(lc);
}

/* ---- Rows ---- */

void
pinecone_scan_set_distance(PineconeScanState *state, double distance, Datum *values, bool *isnull)
{
	for (int i = 0; i < state->nlayout; i++)
	{
		if (state->layout[i] == PINECONE_LAYOUT_DISTANCE)
		{
			values[i] = Float8GetDatum(distance);
			isnull[i] = false;
		}
	}
}

static void
fill_row(PineconeScanState *state, const PineconeRecord *record, Datum *values, bool *isnull)
{
	PineconeRecord scored;

	if (state->request->scored)
	{
		scored = *record;
		record = &scored;
		pinecone_score_record(&scored, state->request->metric, state->nvalues, state->vector);
	}
	if (state->nlayout == 0)
	{
		pinecone_convert_row(state->reader, record, values, isnull);
		return;
	}
	pinecone_convert_row(state->reader, record, state->row_values, state->row_isnull);
	for (int i = 0; i < state->nlayout; i++)
	{
		AttrNumber attnum = state->layout[i];

		isnull[i] = attnum == PINECONE_LAYOUT_DISTANCE || state->row_isnull[attnum - 1];
		if (!isnull[i])
			values[i] = state->row_values[attnum - 1];
	}
	if (record->has_score)
		pinecone_scan_set_distance(state, pinecone_score_to_distance(state->request->metric, record->score),
								   values, isnull);
}

ItemPointerData
pinecone_scan_ctid(PineconeScanState *state, const PineconeRecord *record)
{
	return pinecone_record_ctid(state->table->relid, record->namespace_, record->id);
}

void
pinecone_scan_form_row(PineconeScanState *state, const PineconeRecord *record, Datum *values, bool *isnull)
{
	instr_time start;
	instr_time end;

	if (!state->counters.timing)
	{
		fill_row(state, record, values, isnull);
		return;
	}
	INSTR_TIME_SET_CURRENT(start);
	fill_row(state, record, values, isnull);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(state->counters.row_time, end, start);
}

void
pinecone_scan_store_row(PineconeScanState *state, const PineconeRecord *record, TupleTableSlot *slot)
{
	pinecone_scan_form_row(state, record, slot->tts_values, slot->tts_isnull);
	(void) ExecStoreVirtualTuple(slot);
	if (state->request->want_ctid)
		slot->tts_tid = pinecone_scan_ctid(state, record);
}

/* ---- Starting a run ---- */

void
pinecone_scan_fill_spec(ForeignScanState *node, PineconeOperation op, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats = pinecone_session_stats(state->session, false, true);

	memset(spec, 0, sizeof(*spec));
	spec->session = state->session;
	spec->counters = &state->counters;
	spec->op = op;
	spec->own_writes = state->table;
	spec->position = state->position;
	spec->sharers = Max(state->nasync, state->group ? state->group->nscans : 0);
	spec->dimension = stats ? stats->dimension : 0;
	spec->want_values = state->request->want_values;
	spec->want_metadata = state->request->want_metadata;
	spec->pool = state->pool;
	spec->may_dry_run = state->table->count_from_dry_run;
	spec->ordered = state->request->sorted && state->request->op != PINECONE_OP_QUERY;
	if (state->filter.kind == PINECONE_FILTER_JSON)
		spec->filter = state->filter.json;
}

void
pinecone_scan_evaluate_vector(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	int number = state->request->vector;
	MemoryContext old;

	if (!pinecone_run_evaluate(node, number))
		return;
	old = MemoryContextSwitchTo(state->run_cxt);
	state->vector = pinecone_convert_vector(state->values.values[number],
											getBaseType(state->values.types[number]),
											&state->nvalues);
	MemoryContextSwitchTo(old);
}

/*
 * Check the plan and the query vector against the index, before the network
 * is asked.  What was cached may be out of date, so ask again before saying no.
 * In a run begun ahead of time that must wait: then it returns false.
 */
static bool
check_search(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	for (int attempt = 0;; attempt++)
	{
		PineconeStats *stats = pinecone_session_stats(state->session, attempt > 0, false);
		bool metric_fits = stats->metric == state->request->metric;
		bool dimension_fits = state->vector == NULL || stats->dimension == state->nvalues;

		if (metric_fits && dimension_fits)
			return true;
		if (state->begun_ahead)
			return false;
		if (attempt == 0)
			continue;
		if (!metric_fits)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("the index of foreign table \"%s\" has another metric than when the query was planned",
							state->table->name),
					 errhint("Plan the query again, for example with DISCARD PLANS.")));
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d dimensions, not %d", stats->dimension, state->nvalues),
				 errdetail("The query vector does not fit the index of foreign table \"%s\".",
						   state->table->name)));
	}
}

static void
start_search(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeSourceSpec spec;

	state->bound = get_float8_infinity();
	if (request->bound >= 0)
	{
		if (!pinecone_run_evaluate(node, request->bound))
		{
			state->done = true;
			return;
		}
		state->bound = DatumGetFloat8(state->values.values[request->bound]);
		/* NaN sorts above every distance */
		if (isnan(state->bound))
			state->bound = get_float8_infinity();
	}

	if (request->score_bound >= 0 && !pinecone_run_evaluate(node, request->score_bound))
	{
		state->done = true;
		return;
	}

	pinecone_scan_fill_spec(node, PINECONE_OP_QUERY, &spec);
	if (request->vector_id >= 0)
	{
		if (pinecone_run_evaluate(node, request->vector_id))
			spec.query_id = TextDatumGetCString(state->values.values[request->vector_id]);
		if (spec.query_id != NULL && !pinecone_run_id_is_possible(spec.query_id))
			spec.query_id = NULL;
	}
	else
		pinecone_scan_evaluate_vector(node);
	if (!check_search(node))
	{
		state->given_up = true;
		return;
	}

	/* without a usable query vector only an exhaustive search will do */
	if (spec.query_id == NULL &&
		!pinecone_run_can_search(request->metric, state->vector, state->nvalues))
		return;
	spec.nvalues = state->nvalues;
	spec.values = state->vector;
	spec.row_limit = pinecone_run_evaluate_row_limit(node);
	spec.top_k = pinecone_run_top_k(request, spec.row_limit);
	state->stream = pinecone_fanout_begin(&spec, state->namespaces, state->nnamespaces,
										  request->metric == PINECONE_METRIC_EUCLIDEAN ?
											  PINECONE_FANOUT_LOW_SCORE :
											  PINECONE_FANOUT_HIGH_SCORE);
	pinecone_search_decide_collecting(node);
}

/* A run that reads records by their ids, their order or their metadata. */
static void
start_read(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeOperation op = request->op;
	PineconeSourceSpec spec;

	if (request->scored)
	{
		pinecone_scan_evaluate_vector(node);
		if (!check_search(node))
		{
			state->given_up = true;
			return;
		}
	}

	/* a filter that every record meets is no filter */
	if (op == PINECONE_OP_FILTER && state->filter.kind == PINECONE_FILTER_ALWAYS)
		op = PINECONE_OP_LIST_FETCH;

	pinecone_scan_fill_spec(node, op, &spec);
	if (op == PINECONE_OP_FETCH)
	{
		pinecone_run_evaluate_all(node, request->ids);
		spec.ids = pinecone_run_ids(request, &state->values, &spec.nids);
		state->done = spec.nids == 0;
	}
	else
	{
		if (request->prefix >= 0)
			(void) pinecone_run_evaluate(node, request->prefix);
		if (!pinecone_run_prefix(request, &state->values, &spec.prefix))
			state->done = true;
	}
	spec.row_limit = pinecone_run_evaluate_row_limit(node);
	if (!state->done)
		state->stream = pinecone_fanout_begin(&spec, state->namespaces, state->nnamespaces,
											  request->sorted ? PINECONE_FANOUT_ID :
																PINECONE_FANOUT_ANY);
}

bool
pinecone_scan_is_timed(ForeignScanState *node)
{
	return node->ss.ps.instrument != NULL && pinecone_needs_timer(node->ss.ps.instrument);
}

void
pinecone_scan_prepare(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	MemoryContext old;

	if (state->started)
		return;
	state->started = true;
	state->counters.timing = pinecone_scan_is_timed(node);
	if (state->session == NULL)
		state->session = pinecone_session_get(state->table->server->serverid, state->userid);
	old = MemoryContextSwitchTo(state->run_cxt);
	pinecone_scan_choose_namespaces(node);
	pinecone_run_evaluate_condition(node, state->request->filter);
	state->filter = pinecone_filter_render(state->table, state->request->filter, &state->values);
	MemoryContextSwitchTo(old);
}

void
pinecone_scan_ask_ahead(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state->session == NULL)
		state->session = pinecone_session_get(state->table->server->serverid, state->userid);
	pinecone_session_refresh(state->session);
}

void
pinecone_scan_start(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	MemoryContext old;

	if (state->started || state->answer != NULL ||
		(state->ahead != NULL && pinecone_answers_adopt(node)))
		return;
	pinecone_scan_prepare(node);
	old = MemoryContextSwitchTo(state->run_cxt);
	if (state->request->op == PINECONE_OP_STATS || state->request->op == PINECONE_OP_COUNT)
		pinecone_count_start(node);
	else if (state->filter.kind == PINECONE_FILTER_NEVER || state->nnamespaces == 0)
		state->done = true;
	else if (state->request->op == PINECONE_OP_QUERY)
		start_search(node);
	else
		start_read(node);
	MemoryContextSwitchTo(old);
}

/* ---- Iterate ---- */

TupleTableSlot *
pineconeIterateForeignScan(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	PineconeSourceStatus status;
	PineconeRecord *record;

	ExecClearTuple(slot);
	state->pending = false;
	if (!state->started && state->answer == NULL)
	{
		if (state->group != NULL)
			pinecone_start_together_start(state->group);
		pinecone_scan_start(node);
	}
	if (state->answer != NULL)
		return pinecone_answers_next(node);
	if (state->done)
		return slot;
	if (state->request->op == PINECONE_OP_STATS || state->request->op == PINECONE_OP_COUNT)
		return pinecone_count_next(node, slot);

	if (state->request->op == PINECONE_OP_QUERY)
		return pinecone_search_next(node, slot);

	status = pinecone_fanout_next(state->stream, !state->no_wait, &record);
	if (status == PINECONE_SOURCE_PENDING)
		state->pending = true;
	else if (status == PINECONE_SOURCE_RECORD)
		pinecone_scan_store_row(state, record, slot);
	else
		state->done = true;
	return slot;
}

/* ---- Rescan and end ---- */

void
pinecone_scan_clear_run(PineconeScanState *state)
{
	state->started = false;
	state->done = false;
	state->found_any = false;
	state->pending = false;
	state->stream = NULL;
	state->stats_call = NULL;
	state->count_calls = NULL;
	state->counted = false;
	state->next_count = 0;
	state->vector = NULL;
	state->nvalues = 0;
	memset(&state->search, 0, sizeof(state->search));
}

void
pinecone_scan_end_run(PineconeScanState *state)
{
	bool many;

	if (!state->started)
		return;
	many = state->stream != NULL && pinecone_fanout_is_wide(state->stream);
	pinecone_search_end(state);
	pinecone_scan_clear_run(state);
	pinecone_memory_reset(state->run_cxt, many);
}

void
pineconeReScanForeignScan(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state->answer != NULL)
		pinecone_answers_leave(state);
	pinecone_scan_end_run(state);
}

void
pineconeEndForeignScan(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state == NULL)
		return;
	if (state->answer != NULL)
		pinecone_answers_leave(state);
	pinecone_scan_end_run(state);
}
