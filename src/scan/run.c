/*
 * run.c
 *		One run of a scan, from its first row to its last.
 *
 * A run evaluates the request's expressions, opens a source of records and
 * turns each into a scan tuple.  Those of searches are search_rows.c's.  Counts are
 * runs, too, and groups: see run_count.c and run_groups.c.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/memory.h"
#include "client/alias.h"
#include "pending/unseen.h"
#include "request/filter_key.h"
#include "scan/bound.h"
#include "scan/run.h"
#include "scan/run_count.h"
#include "scan/run_groups.h"
#include "scan/run_ids.h"
#include "scan/run_order.h"
#include "scan/run_row.h"
#include "scan/run_values.h"
#include "scan/run_vector.h"
#include "scan/run_words.h"
#include "scan/scan.h"
#include "scan/score.h"
#include "scan/search_rows.h"
#include "scan/unmatched.h"

static bool
is_count(const PineconeScanState *state)
{
	return state->request->op == PINECONE_OP_STATS || state->request->op == PINECONE_OP_COUNT;
}

/* ---- Begin ---- */

/*
 * Check the plan and the query vector against the index, before the network
 * is asked.  What was cached may be out of date, so ask again before saying no.
 * In a run begun ahead of time that must wait: then it returns false, as where
 * the metric was assumed when the query was planned, and is another one.
 */
static bool
check_search(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	for (int attempt = 0;; attempt++)
	{
		PineconeStats *stats = attempt == 0 ? pinecone_session_known_stats(state->session) : NULL;
		bool metric_fits;
		bool dimension_fits;

		if (stats == NULL)
			stats = pinecone_session_stats(state->session, attempt > 0, false);
		metric_fits = pinecone_request_fits(state->table->schema, stats, state->request->metric,
											state->request->vector >= 0, state->request->sparse >= 0);
		dimension_fits = state->run->query.values == NULL || stats->dimension == state->run->query.nvalues;

		if (state->request->metric_assumed && !metric_fits)
			return false;
		if (metric_fits && dimension_fits)
			return true;
		if (state->run->begun_ahead)
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
				 errmsg("expected %d dimensions, not %d", stats->dimension, state->run->query.nvalues),
				 errdetail("The query vector does not fit the index of foreign table \"%s\".",
						   state->table->name)));
	}
}

/* A search by words; by none there is nothing to find. */
static void
start_text_search(ForeignScanState *node, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;

	if (!pinecone_run_words_fill(node, spec))
	{
		state->run->done = true;
		return;
	}
	spec->row_limit = pinecone_run_evaluate_row_limit(node);
	spec->gradual = !state->drained && pinecone_run_is_gradual(state->request, spec->row_limit);
	spec->top_k = pinecone_run_top_k(state->request, spec->row_limit, spec->gradual);
	state->run->stream = pinecone_fanout_begin(spec, state->run->namespaces, state->run->nnamespaces,
											   PINECONE_FANOUT_HIGH_SCORE);
	pinecone_search_decide_collecting(node);
}

/*
 * Evaluate the query vector, or the id of the record that has it, and open a
 * search over the run's namespaces. It returns without one where no search can
 * answer: then all is read and sorted here.
 */
static void
start_search(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeSourceSpec spec;

	if (!pinecone_bound_begin(node))
	{
		state->run->done = true;
		return;
	}
	pinecone_run_fill_spec(node, PINECONE_OP_QUERY, &spec);
	if (request->clauses != NIL)
	{
		start_text_search(node, &spec);
		return;
	}
	if (request->vector_id >= 0)
	{
		if (pinecone_run_evaluate(node, request->vector_id))
			spec.query_id = TextDatumGetCString(state->run->values.values[request->vector_id]);
		if (spec.query_id != NULL && !pinecone_run_id_is_possible(spec.query_id))
			spec.query_id = NULL;
	}
	else
		pinecone_run_evaluate_vector(node);
	state->run->unchecked = request->metric_assumed &&
							pinecone_session_known_stats(state->session) == NULL;
	if (!state->run->unchecked && !check_search(node))
	{
		state->run->given_up = !state->request->metric_assumed;
		return;
	}

	/* without a usable query vector only an exhaustive search will do */
	if (spec.query_id == NULL &&
		!(state->run->has_query && pinecone_run_can_search(&state->run->query)))
		return;
	if (spec.query_id == NULL)
	{
		spec.query = state->run->query;
		pinecone_run_complete_vector(&spec.query, request->zeros > 0 && state->session->stats != NULL ?
													  state->session->stats->dimension :
													  request->zeros);
	}
	spec.row_limit = pinecone_run_evaluate_row_limit(node);
	spec.gradual = !state->drained && pinecone_run_is_gradual(request, spec.row_limit);
	spec.top_k = pinecone_run_top_k(request, spec.row_limit, spec.gradual);
	state->run->stream = pinecone_fanout_begin(&spec, state->run->namespaces, state->run->nnamespaces,
											   request->metric == PINECONE_METRIC_EUCLIDEAN ?
												   PINECONE_FANOUT_LOW_SCORE :
												   PINECONE_FANOUT_HIGH_SCORE);
	pinecone_search_decide_collecting(node);
}

/*
 * A search has been sent beside the question what index it is.  If that measures
 * another distance, everything is read and sorted here.
 */
static void
check_late(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	state->run->unchecked = false;
	if (check_search(node) || state->run->stream == NULL)
		return;
	pinecone_fanout_end(state->run->stream);
	state->run->stream = NULL;
	state->run->search.collecting = false;
}

/*
 * Have a filter go with those of other rows, if it differs from them in the values
 * of a field alone.  Of very many namespaces not all are asked at a time.
 */
static void
gather_filter(PineconeScanState *state, PineconeSourceSpec *spec)
{
	PineconeRun *run = state->run;
	PineconeFilterKey *key;

	if (run->gather == NULL || run->nnamespaces > state->session->options->max_concurrency)
		return;
	key = palloc(sizeof(PineconeFilterKey));
	if (!pinecone_filter_key_make(state->table, state->request->filter, &run->values, run->varying, key))
		return;
	spec->gather = run->gather;
	spec->key = key;
}

/* The id that a list is to begin or end with, as far as that is of use to it; or NULL. */
static const char *
bound_of(ForeignScanState *node, const PineconeSourceSpec *spec, int number)
{
	PineconeScanState *state = node->fdw_state;
	size_t least = spec->prefix ? strlen(spec->prefix) : 0;
	const char *id;

	if (number < 0 || !pinecone_run_evaluate(node, number))
		return NULL;
	id = TextDatumGetCString(state->run->values.values[number]);
	return pinecone_run_id_is_possible(id) && strlen(id) > least &&
				   (least == 0 || strncmp(id, spec->prefix, least) == 0) ?
			   id :
			   NULL;
}

/*
 * Of the ids that come after one, in order, a few are wanted: they are not looked
 * for from the beginning.  Small namespaces are as quickly listed.  What is to come
 * in the opposite order is looked for from its end, whatever is known.
 */
static void
begin_after(ForeignScanState *node, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;

	spec->descending = state->request->descending;
	if (spec->descending)
		spec->before = bound_of(node, spec, state->request->before);
	else if (spec->row_limit <= 0 || spec->row_limit > PINECONE_WALK_MOST_IDS ||
			 state->run->nnamespaces != 1 || state->table->schema != NULL ||
			 (state->run->namespaces[0].records >= 0 &&
			  state->run->namespaces[0].records <= 2 * PINECONE_WALK_MOST_IDS))
		return;
	spec->after = bound_of(node, spec, state->request->after);
}

/* A run that reads records by their ids, their order or their metadata. */
static void
start_read(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeOperation op = request->op;
	PineconeSourceSpec spec;
	char **shown;
	int nshown;

	if (request->scored)
	{
		pinecone_run_evaluate_vector(node);
		if (!check_search(node))
		{
			state->run->given_up = true;
			return;
		}
	}

	/* a filter that every record meets is no filter */
	if (op == PINECONE_OP_FILTER && state->run->filter.kind == PINECONE_FILTER_ALWAYS)
		op = PINECONE_OP_LIST_FETCH;

	shown = pinecone_run_ids_shown(node, &nshown);
	if (shown != NULL)
		op = PINECONE_OP_FETCH;
	pinecone_run_fill_spec(node, op, &spec);
	if (shown != NULL)
	{
		spec.ids = shown;
		spec.nids = nshown;
		state->run->done = nshown == 0;
	}
	else if (op == PINECONE_OP_FETCH)
	{
		pinecone_run_evaluate_all(node, request->ids);
		spec.ids = pinecone_run_ids(request, &state->run->values, &spec.nids);
		spec.may_find_ids = true;
		state->run->done = spec.nids == 0;
	}
	else
	{
		if (request->prefix >= 0)
			(void) pinecone_run_evaluate(node, request->prefix);
		if (request->prefix_high >= 0)
			(void) pinecone_run_evaluate(node, request->prefix_high);
		if (!pinecone_run_prefix(request, &state->run->values, &spec.prefix))
			state->run->done = true;
		if (op == PINECONE_OP_LIST_FETCH)
			pinecone_run_ids_prepare(node, &spec);
		if (op == PINECONE_OP_FILTER && !state->run->done)
			gather_filter(state, &spec);
	}
	spec.row_limit = pinecone_run_evaluate_row_limit(node);
	if (op == PINECONE_OP_LIST || op == PINECONE_OP_LIST_FETCH)
		begin_after(node, &spec);
	if (request->skips)
		state->run->skip = pinecone_run_evaluate_count(node, request->offset);
	/* which rows they are is known of one namespace alone, and where a list is all there is to them */
	if (op == PINECONE_OP_LIST_FETCH && state->run->nnamespaces == 1 && spec.wants_id == NULL && !state->run->begun_ahead)
		spec.skip = state->run->skip;
	if (!state->run->done)
		state->run->stream = pinecone_fanout_begin(&spec, state->run->namespaces, state->run->nnamespaces,
												   request->sorted ? PINECONE_FANOUT_ID :
																	 PINECONE_FANOUT_ANY);
}

bool
pinecone_run_is_timed(ForeignScanState *node)
{
	return node->ss.ps.instrument != NULL && pinecone_needs_timer(node->ss.ps.instrument);
}

/* Confirmed writes that are laid over what the service shows, for EXPLAIN ANALYZE. */
static void
count_unseen(PineconeScanState *state)
{
	double n = 0;

	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		const char *name = pinecone_option_plain_namespace(state->run->namespaces[i].name);
		const char *target = pinecone_alias_known(state->session, name);

		n += pinecone_unseen_count(state->session, target ? target : name);
	}
	state->unseen = Max(state->unseen, n);
}

void
pinecone_run_prepare(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	MemoryContext old;

	if (state->run->started)
		return;
	state->run->started = true;
	state->run->counters->timing = pinecone_run_is_timed(node);
	pinecone_scan_find_session(state);
	pinecone_run_check_schema(state);
	old = MemoryContextSwitchTo(state->run->cxt);
	pinecone_run_choose_namespaces(node);
	if (node->ss.ps.instrument != NULL)
		count_unseen(state);
	pinecone_run_evaluate_condition(node, state->request->filter);
	state->run->filter = pinecone_filter_render(state->table, state->request->filter, &state->run->values);
	MemoryContextSwitchTo(old);
}

void
pinecone_run_begin(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	MemoryContext old;

	if (run->started)
		return;
	pinecone_run_prepare(node);
	old = MemoryContextSwitchTo(run->cxt);
	if (is_count(state))
		pinecone_count_start(node);
	else if (state->request->op == PINECONE_OP_GROUPS)
		pinecone_groups_start(node);
	else if (state->request->op == PINECONE_OP_ORDERED && run->filter.kind != PINECONE_FILTER_NEVER && run->nnamespaces > 0)
		pinecone_order_start(node);
	else if (run->filter.kind == PINECONE_FILTER_NEVER || run->nnamespaces == 0)
		run->done = true;
	else if (state->request->op == PINECONE_OP_QUERY)
		start_search(node);
	else
		start_read(node);
	MemoryContextSwitchTo(old);
}

/* ---- Rows ---- */

TupleTableSlot *
pinecone_run_next(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeRecord *record;

	if (run->done)
		return slot;
	if (is_count(state))
		return pinecone_count_next(node, slot);
	if (state->request->op == PINECONE_OP_GROUPS)
		return pinecone_groups_next(node, slot);
	if (state->request->op == PINECONE_OP_ORDERED)
		return pinecone_order_next(node, slot);
	if (run->unchecked)
		check_late(node);
	if (state->request->op == PINECONE_OP_QUERY)
		return pinecone_search_next(node, slot);
	switch (pinecone_fanout_next(run->stream, !state->no_wait, &record))
	{
		case PINECONE_SOURCE_RECORD:
			run->found_any = true;
			if (run->skip-- > 0)
				return ExecStoreAllNullTuple(slot);
			pinecone_run_store_row(state, record, slot);
			break;
		case PINECONE_SOURCE_PENDING:
			state->pending = true;
			break;
		default:
			run->done = true;
			if (!run->found_any)
				pinecone_unmatched_look(node);
			break;
	}
	return slot;
}

/* ---- End ---- */

void
pinecone_run_end(PineconeRun *run)
{
	PineconeRun empty = {0};
	bool many;

	if (!run->started)
		return;
	pinecone_search_end(run);
	pinecone_order_end(run);
	many = run->stream != NULL && pinecone_fanout_is_wide(run->stream);
	empty.cxt = run->cxt;
	empty.counters = run->counters;
	empty.values = run->values;
	empty.pool = run->pool;
	empty.gather = run->gather;
	empty.varying = run->varying;
	empty.begun_ahead = run->begun_ahead;
	pinecone_memory_reset(run->cxt, many);
	*run = empty;
}
