/*
 * search_rows.c
 *		The rows of a search: returned as they come, or collected and sorted first.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "scan/bound.h"
#include "scan/run_row.h"
#include "scan/run_values.h"
#include "scan/run_vector.h"
#include "scan/score.h"
#include "scan/search_rows.h"
#include "scan/unmatched.h"

/* ---- Rows that are sorted here ---- */

/* What rows are formed in, and come out of a sort in. */
static void
make_slots(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSearchRows *rows = &state->run->search;
	TupleDesc scan_desc = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	int natts = scan_desc->natts;
	MemoryContext old;
	TupleDesc desc;

	if (rows->in != NULL)
		return;
	old = MemoryContextSwitchTo(state->run->cxt);
	desc = CreateTemplateTupleDesc(natts + 2);
	for (int i = 1; i <= natts; i++)
		TupleDescCopyEntry(desc, i, scan_desc, i);
	TupleDescInitEntry(desc, natts + 1, "distance", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, natts + 2, "ctid", TIDOID, -1, 0);
	pinecone_finish_tuple_desc(desc);
	rows->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	rows->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	rows->row_cxt = AllocSetContextCreate(state->run->cxt, "pinecone row", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
}

/* A sort by the distance, NULL last. */
static Tuplesortstate *
begin_tuplesort(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	AttrNumber keys[] = {node->ss.ss_ScanTupleSlot->tts_tupleDescriptor->natts + 1};
	Oid operators[] = {Float8LessOperator};
	Oid collations[] = {InvalidOid};
	bool nulls_first[] = {false};
	MemoryContext old = MemoryContextSwitchTo(state->run->cxt);
	Tuplesortstate *sort;

	make_slots(node);
	sort = tuplesort_begin_heap(state->run->search.in->tts_tupleDescriptor, 1, keys, operators, collations,
								nulls_first, work_mem, NULL, PINECONE_TUPLESORT_ONCE);
	MemoryContextSwitchTo(old);
	return sort;
}

static void
begin_sort(ForeignScanState *node)
{
	PineconeSearchRows *rows = &((PineconeScanState *) node->fdw_state)->run->search;

	rows->sort = begin_tuplesort(node);
	rows->sorted = false;
}

static void
end_sort(PineconeSearchRows *rows)
{
	if (rows->sort == NULL)
		return;
	ExecClearTuple(rows->out);
	tuplesort_end(rows->sort);
	rows->sort = NULL;
	rows->sorted = false;
}

static void
sort_rows(PineconeScanState *state)
{
	tuplesort_performsort(state->run->search.sort);
	state->run->search.sorted = true;
}

/*
 * Form the row of a record in the slot for the sort.  Its distance is that of the
 * score that the search gave it, or else that of its vector, or NULL.
 */
static void
fill_sort_slot(ForeignScanState *node, PineconeRecord *record, bool of_search)
{
	PineconeScanState *state = node->fdw_state;
	PineconeMetric metric = state->request->metric;
	TupleTableSlot *slot = state->run->search.in;
	int place = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor->natts;
	double distance;
	ItemPointer ctid;
	MemoryContext old;

	ExecClearTuple(slot);
	MemoryContextReset(state->run->search.row_cxt);
	old = MemoryContextSwitchTo(state->run->search.row_cxt);
	if (!of_search)
		pinecone_score_record(record, &state->run->query);
	pinecone_run_form_row(state, record, slot->tts_values, slot->tts_isnull);
	slot->tts_isnull[place] = false;
	if (of_search)
		slot->tts_values[place] = Float8GetDatum(pinecone_score_to_distance(metric, record->score));
	else if (state->run->has_query && pinecone_score_distance(&state->run->query, record, &distance))
	{
		slot->tts_values[place] = Float8GetDatum(distance);
		pinecone_run_set_distance(state, distance, slot->tts_values, slot->tts_isnull);
	}
	else
		slot->tts_isnull[place] = true;
	ctid = palloc(sizeof(ItemPointerData));
	*ctid = pinecone_run_ctid(state, record);
	slot->tts_values[place + 1] = PointerGetDatum(ctid);
	slot->tts_isnull[place + 1] = !state->request->want_ctid;
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(old);
}

/* Show a row of the sort in the scan's slot. */
static void
show_sorted_row(ForeignScanState *node, TupleTableSlot *from, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	int natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	slot_getallattrs(from);
	memcpy(slot->tts_values, from->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, from->tts_isnull, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	if (state->request->want_ctid)
		slot->tts_tid = *(ItemPointer) DatumGetPointer(from->tts_values[natts + 1]);
}

static bool
next_sorted_row(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeSearchRows *rows = &((PineconeScanState *) node->fdw_state)->run->search;

	if (!tuplesort_gettupleslot(rows->sort, true, false, rows->out, NULL))
		return false;
	show_sorted_row(node, rows->out, slot);
	return true;
}

/* ---- Sparse searches ---- */

/*
 * A sparse search brings those records alone that have an index in common with the query
 * vector.  The others are at distance 0, which is behind all others as long as products
 * are positive; those that lack a sparse vector are at none, and last.  As many as are
 * wanted are read once the search has brought what it has.
 */
static bool
is_sparse(const PineconeRun *run)
{
	return run->query.kind == PINECONE_SPARSE && run->has_query;
}

/* Is that the end of what a sparse search is needed for?  A dense index brings all records, in the end. */
static bool
ends_ranked(PineconeRun *run, const PineconeRecord *record)
{
	MemoryContext old;

	if (!is_sparse(run) || record->score > 0)
		return false;
	old = MemoryContextSwitchTo(run->cxt);
	run->search.unranked = pinecone_record_copy(record);
	MemoryContextSwitchTo(old);
	return true;
}

/* Are records without overlap wanted? */
static bool
wants_rest(ForeignScanState *node)
{
	return is_sparse(((PineconeScanState *) node->fdw_state)->run) && pinecone_bound_admits_zero(node);
}

static void
begin_rest(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeSearchRows *rows = &run->search;
	MemoryContext old = MemoryContextSwitchTo(run->cxt);
	PineconeSourceSpec spec;

	pinecone_run_fill_spec(node, pinecone_run_reading(run, PINECONE_OP_LIST_FETCH), &spec);
	pinecone_run_want_vectors(node, &spec);
	/* among them are those that have been found */
	spec.row_limit = pinecone_run_evaluate_row_limit(node);
	rows->rest = pinecone_fanout_begin(&spec, run->namespaces, run->nnamespaces, PINECONE_FANOUT_ANY);
	state->read_rest = true;
	MemoryContextSwitchTo(old);
}

/* Has the search returned a record? */
static bool
was_found(PineconeRun *run, const PineconeRecord *record)
{
	const PineconeRecord *last = run->search.unranked;

	if (last != NULL && strcmp(last->id, record->id) == 0 &&
		(last->namespace_ == NULL || record->namespace_ == NULL || strcmp(last->namespace_, record->namespace_) == 0))
		return false;
	return pinecone_fanout_seen(run->stream, record);
}

/* ---- Collecting ---- */

/* Are there more records than searches bring, or more namespaces than one? */
static bool
is_beyond_cap(PineconeScanState *state)
{
	int ceiling = state->session->max_top_k;

	return state->run->nnamespaces > 1 ||
		   (state->run->nnamespaces == 1 &&
			state->run->namespaces[0].records > (ceiling > 0 ? ceiling : PINECONE_MAX_TOP_K));
}

void
pinecone_search_decide_collecting(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	List *quals = node->ss.ps.plan->qual;
	double limit = pinecone_run_evaluate_count(node, request->limit);
	double offset = pinecone_run_evaluate_count(node, request->offset);
	bool limited = pinecone_enable_limit && !state->drained && limit >= 0;
	bool bounded = request->bound >= 0 || request->score_bound >= 0;
	bool may_grow = quals != NIL || state->run->nnamespaces > 1 || bounded ||
					pinecone_fanout_passes_over(state->run->stream) || is_sparse(state->run);

	/* conditions are evaluated twice */
	if (!request->sorted || contain_volatile_functions((Node *) quals))
		return;
	if (limited ? !may_grow : !bounded && !(request->all && is_beyond_cap(state)))
		return;
	state->run->search.collecting = true;
	state->run->search.keep_all = state->run->begun_ahead;
	state->run->search.wanted = limited ? Max(1, limit + Max(0, offset)) : get_float8_infinity();
}

/* Does the row in the scan's slot meet the local conditions? */
static bool
meets_conditions(ForeignScanState *node, TupleTableSlot *slot)
{
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	TupleTableSlot *old = econtext->ecxt_scantuple;
	bool result;

	if (node->ss.ps.qual == NULL)
		return true;
	econtext->ecxt_scantuple = slot;
	result = ExecQual(node->ss.ps.qual, econtext);
	econtext->ecxt_scantuple = old;
	ResetExprContext(econtext);
	return result;
}

/* Keep a row for later, unless the scan would not return it anyway. */
static void
keep_row(ForeignScanState *node, PineconeRecord *record, TupleTableSlot *slot, bool of_search)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSearchRows *rows = &state->run->search;

	if (rows->sort == NULL)
		begin_sort(node);
	fill_sort_slot(node, record, of_search);
	if (rows->collecting)
	{
		bool met;

		show_sorted_row(node, rows->in, slot);
		met = meets_conditions(node, slot);
		ExecClearTuple(slot);
		if (met)
			rows->met++;
		else if (!rows->keep_all)
		{
			InstrCountFiltered1(node, 1);
			return;
		}
	}
	tuplesort_puttupleslot(rows->sort, rows->in);
}

/* ---- Exhaustive search ---- */

/*
 * Read everything the filter matches, leave out what the search has returned, and
 * add it to the rows that are sorted here.
 */
static void
search_exhaustively(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSourceSpec spec;
	PineconeFanout *stream;
	PineconeRecord *record;
	MemoryContext old = MemoryContextSwitchTo(state->run->cxt);

	state->exhaustive = true;
	if (!state->run->has_query)
		pinecone_run_evaluate_vector(node);
	if (state->run->search.sort == NULL)
		begin_sort(node);
	pinecone_run_fill_spec(node, pinecone_run_reading(state->run, PINECONE_OP_LIST_FETCH), &spec);
	pinecone_run_want_vectors(node, &spec);
	stream = pinecone_fanout_begin(&spec, state->run->namespaces, state->run->nnamespaces,
								   PINECONE_FANOUT_ANY);
	while (pinecone_fanout_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		if (state->run->stream && pinecone_fanout_seen(state->run->stream, record))
			continue;
		fill_sort_slot(node, record, false);
		tuplesort_puttupleslot(state->run->search.sort, state->run->search.in);
	}
	pinecone_fanout_end(stream);
	MemoryContextSwitchTo(old);
}

/*
 * A search has brought all it can.  Is there more that it cannot?  Either it
 * is at its cap, or it went by the vector of a record that is not there: then
 * the query vector is NULL, and SQL wants every row.
 */
static bool
is_incomplete(ForeignScanState *node, PineconeSourceStatus status)
{
	PineconeScanState *state = node->fdw_state;

	if (status == PINECONE_SOURCE_CAPPED && state->request->clauses != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more documents match the search in foreign table \"%s\" than Pinecone shows",
						state->table->name),
				 errdetail("A search brings %d documents at most, and there is no other way to the rest.",
						   pinecone_fanout_top_k(state->run->stream)),
				 errhint("Add a LIMIT, or conditions that leave fewer.")));
	if (status == PINECONE_SOURCE_CAPPED)
		return true;
	if (state->request->vector_id >= 0 && !state->run->found_any)
	{
		pinecone_run_evaluate_vector(node);
		return !state->run->has_query;
	}
	return false;
}

/* ---- Records without overlap ---- */

/*
 * The next of them, in the sort's slot: at distance 0, or before that if the search has
 * missed it.  What is behind waits until there are no others.
 */
static bool
read_rest(ForeignScanState *node, PineconeRecord **record)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeSearchRows *rows = &run->search;
	double distance;

	while (pinecone_fanout_next(rows->rest, true, record) == PINECONE_SOURCE_RECORD)
	{
		if (was_found(run, *record))
			continue;
		if (pinecone_score_distance(&run->query, *record, &distance) && distance <= 0)
			return true;
		if (rows->behind == NULL)
			rows->behind = begin_tuplesort(node);
		fill_sort_slot(node, *record, false);
		tuplesort_puttupleslot(rows->behind, rows->in);
	}
	pinecone_fanout_end(rows->rest);
	rows->rest = NULL;
	return false;
}

/*
 * Go on with them: true if there is a row in the slot, false if there are rows in the sort,
 * or none at all.
 */
static bool
next_of_rest(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSearchRows *rows = &state->run->search;
	PineconeRecord *record;

	/* matches that came late are before them */
	if (!rows->collecting && rows->sort != NULL)
	{
		sort_rows(state);
		return false;
	}
	while (read_rest(node, &record))
	{
		state->run->found_any = true;
		CHECK_FOR_INTERRUPTS();
		if (!rows->collecting)
		{
			make_slots(node);
			fill_sort_slot(node, record, false);
			show_sorted_row(node, rows->in, slot);
			return true;
		}
		keep_row(node, record, slot, false);
		if (rows->met >= rows->wanted)
			break;
	}
	rows->collecting = false;
	if (rows->sort != NULL)
		sort_rows(state);
	return false;
}

/* All have come: what is behind them is next, and last. */
static void
turn_to_behind(PineconeSearchRows *rows)
{
	rows->sort = rows->behind;
	rows->behind = NULL;
	if (rows->sort != NULL)
	{
		tuplesort_performsort(rows->sort);
		rows->sorted = true;
	}
}

/* ---- The next row ---- */

/*
 * Returns rows as the search brings them, best first.  Rows that are collected, or
 * come late, go into a sort; so does all that an exhaustive search finds.  What is
 * in the sort is returned once there is enough of it, or when nothing else comes.
 */
TupleTableSlot *
pinecone_search_next(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSearchRows *rows = &state->run->search;

	for (;;)
	{
		PineconeSourceStatus status = PINECONE_SOURCE_CAPPED;
		PineconeRecord *record;
		double distance;

		if (rows->sorted)
		{
			if (next_sorted_row(node, slot))
				return slot;
			end_sort(rows);
		}
		if (rows->rest != NULL)
		{
			if (next_of_rest(node, slot))
				return slot;
			continue;
		}
		if (rows->behind != NULL)
		{
			turn_to_behind(rows);
			continue;
		}
		if (rows->last)
		{
			state->run->done = true;
			if (!state->run->found_any)
				pinecone_unmatched_look(node);
			return ExecClearTuple(slot);
		}

		CHECK_FOR_INTERRUPTS();
		if (state->run->stream != NULL)
		{
			status = pinecone_fanout_next(state->run->stream, !state->no_wait, &record);
			state->top_k = pinecone_fanout_top_k(state->run->stream);
		}
		if (status == PINECONE_SOURCE_PENDING)
		{
			state->pending = true;
			return ExecClearTuple(slot);
		}
		if (status != PINECONE_SOURCE_RECORD)
		{
			rows->last = true;
			if (is_incomplete(node, status))
				search_exhaustively(node);
			else if (wants_rest(node))
			{
				begin_rest(node);
				continue;
			}
		}
		else
		{
			state->run->found_any = true;
			distance = pinecone_score_to_distance(state->request->metric, record->score);
			if (ends_ranked(state->run, record))
			{
				rows->last = true;
				if (wants_rest(node))
				{
					begin_rest(node);
					continue;
				}
			}
			else if (pinecone_bound_is_beyond(state, record, distance))
				rows->last = true;
			else if (rows->collecting || (rows->some && distance < rows->distance))
			{
				keep_row(node, record, slot, true);
				/* what comes after the collected rows is behind all of them */
				rows->distance = rows->some ? Max(rows->distance, distance) : distance;
				rows->some = true;
				if (!rows->collecting || rows->met < rows->wanted)
					continue;
			}
			else
			{
				rows->some = true;
				rows->distance = distance;
				pinecone_run_store_row(state, record, slot);
				return slot;
			}
		}
		rows->collecting = false;
		if (rows->sort != NULL)
			sort_rows(state);
	}
}

void
pinecone_search_end(PineconeRun *run)
{
	end_sort(&run->search);
	if (run->search.behind != NULL)
		tuplesort_end(run->search.behind);
	run->search.behind = NULL;
	if (run->search.in != NULL)
	{
		ExecDropSingleTupleTableSlot(run->search.in);
		ExecDropSingleTupleTableSlot(run->search.out);
	}
}
