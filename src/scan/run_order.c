/*
 * run_order.c
 *		Rows in the order of a number, a slice of its range at a time.
 *
 * The numbers are divided into slices, from the near end on: the first is cut so
 * that it has about as many records as are wanted, each further one is larger,
 * and the last one is all that is left.  A slice is read by a filter and sorted here.  As
 * slices lie side by side, and each is read to its end, the order and the rows
 * are right wherever the cuts are; counts and samples only decide where, and may
 * be wrong.  Where they cannot be had, all is one slice.
 *
 * More records than are wanted may have one number.  That is a slice of its own,
 * whose rows come as they are read.
 *
 * Records without the field are read before or after, as the order wants it.  Those
 * whose value is no number are in no slice.  At the end of the numbers it is
 * counted whether there are such; then the field's records are read until one
 * raises its error.
 */
#include "postgres.h"

#include <math.h>

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "pending/pending.h"
#include "scan/number_slice.h"
#include "scan/run_order.h"
#include "scan/run_row.h"
#include "scan/run_values.h"
#include "scan/unmatched.h"

/* Rows of the first slice where nobody says how many are wanted; the next ones grow */
#define FIRST_SLICE 100
#define SLICE_GROWTH 4

typedef enum OrderStage
{
	STAGE_MISSING, /* records without the field */
	STAGE_NUMBERS,
	STAGE_MISFITS,
	STAGE_END
} OrderStage;

typedef struct PineconeOrder
{
	PineconeColumn *column;
	OrderStage stage;
	PineconeSlice slice; /* the last one that was begun */
	bool begun;
	bool is_last; /* it was all that was left */
	double wanted;
	PineconeLook *look; /* at the first one, asked for when the run begins; or NULL */

	/* What is read at the moment */
	PineconeFanout *stream; /* or NULL */
	MemoryContext stream_cxt;
	Tuplesortstate *sort; /* rows of a slice; or NULL */
	TupleTableSlot *row;
	MemoryContext row_cxt;
} PineconeOrder;

void
pinecone_order_start(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeOrder *order = palloc0(sizeof(PineconeOrder));
	TupleDesc desc = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	double infinite = state->request->descending ? -INFINITY : INFINITY;

	run->order = order;
	if (run->begun_ahead)
	{
		run->given_up = true;
		return;
	}
	order->column = pinecone_option_column(state->table, state->request->group);
	order->stage = state->request->nulls_first ? STAGE_MISSING : STAGE_NUMBERS;
	order->slice.near = -infinite;
	order->slice.far = infinite;
	order->wanted = pinecone_run_evaluate_row_limit(node);
	if (order->wanted <= 0)
		order->wanted = FIRST_SLICE;
	order->stream_cxt = AllocSetContextCreate(run->cxt, "pinecone slice", ALLOCSET_DEFAULT_SIZES);
	order->row_cxt = AllocSetContextCreate(run->cxt, "pinecone row", ALLOCSET_DEFAULT_SIZES);
	order->row = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	if (order->stage == STAGE_NUMBERS)
		order->look = pinecone_slice_look(node, &order->slice);
}

/* ---- Reading ---- */

static void
begin_stream(ForeignScanState *node, PineconeFilter filter, double row_limit)
{
	PineconeScanState *state = node->fdw_state;
	PineconeOrder *order = state->run->order;
	MemoryContext old;
	PineconeSourceSpec *spec;

	MemoryContextReset(order->stream_cxt);
	if (filter.kind == PINECONE_FILTER_NEVER)
		return;
	old = MemoryContextSwitchTo(order->stream_cxt);
	spec = palloc(sizeof(PineconeSourceSpec));
	pinecone_run_fill_spec(node, PINECONE_OP_FILTER, spec);
	spec->ordered = false;
	spec->filter = pstrdup(filter.json);
	spec->row_limit = row_limit;
	/* slices are about as large as that */
	spec->expected = 2 * order->wanted;
	order->stream = pinecone_fanout_begin(spec, state->run->namespaces, state->run->nnamespaces, PINECONE_FANOUT_ANY);
	MemoryContextSwitchTo(old);
}

static void
end_stream(PineconeOrder *order)
{
	if (order->stream != NULL)
		pinecone_fanout_end(order->stream);
	order->stream = NULL;
}

/* The row of a record, in the scan's slot; NULL at the end of what is read. */
static TupleTableSlot *
next_read(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeOrder *order = state->run->order;
	PineconeRecord *record;

	if (order->stream == NULL)
		return NULL;
	if (pinecone_fanout_next(order->stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		ExecClearTuple(slot);
		pinecone_run_store_row(state, record, slot);
		state->run->found_any = true;
		return slot;
	}
	end_stream(order);
	return NULL;
}

/* ---- Slices ---- */

/* Read and sort what the stream brings. */
static void
sort_stream(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeOrder *order = state->run->order;
	TypeCacheEntry *type = lookup_type_cache(getBaseType(order->column->typid), TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	AttrNumber key = order->column->attnum;
	Oid operator_ = state->request->descending ? type->gt_opr : type->lt_opr;
	Oid collation = InvalidOid;
	bool nulls_first = state->request->nulls_first;
	MemoryContext outer = MemoryContextSwitchTo(state->run->cxt);

	order->sort = tuplesort_begin_heap(slot->tts_tupleDescriptor, 1, &key, &operator_, &collation, &nulls_first,
									   work_mem, NULL, PINECONE_TUPLESORT_ONCE);
	MemoryContextSwitchTo(outer);
	for (;;)
	{
		MemoryContext old;
		TupleTableSlot *row;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(order->row_cxt);
		old = MemoryContextSwitchTo(order->row_cxt);
		row = next_read(node, slot);
		MemoryContextSwitchTo(old);
		if (row == NULL)
			break;
		tuplesort_puttupleslot(order->sort, row);
		ExecClearTuple(slot);
	}
	tuplesort_performsort(order->sort);
}

static void
end_sort(PineconeOrder *order)
{
	if (order->sort == NULL)
		return;
	ExecClearTuple(order->row);
	tuplesort_end(order->sort);
	order->sort = NULL;
}

static TupleTableSlot *
next_sorted(PineconeOrder *order, TupleTableSlot *slot)
{
	int natts = slot->tts_tupleDescriptor->natts;

	if (!tuplesort_gettupleslot(order->sort, true, false, order->row, NULL))
		return NULL;
	ExecClearTuple(slot);
	slot_getallattrs(order->row);
	memcpy(slot->tts_values, order->row->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, order->row->tts_isnull, natts * sizeof(bool));
	return ExecStoreVirtualTuple(slot);
}

/* Begin the slice after the last one. */
static void
begin_slice(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeOrder *order = state->run->order;
	PineconeSlice *slice = &order->slice;
	MemoryContext old;

	MemoryContextReset(order->stream_cxt);
	old = MemoryContextSwitchTo(order->stream_cxt);
	if (slice->far_open)
	{
		/* what was left out of it: many with one number */
		slice->single = true;
		slice->far_open = false;
	}
	else
	{
		if (order->begun)
			slice->near = slice->far;
		slice->single = false;
		slice->far = state->request->descending ? -INFINITY : INFINITY;
		pinecone_slice_cut(node, slice, order->wanted, order->look);
		order->look = NULL;
		order->wanted *= SLICE_GROWTH;
	}
	order->begun = true;
	order->is_last = isinf(slice->far);
	state->slices++;
	MemoryContextSwitchTo(old);
	begin_stream(node, pinecone_slice_filter(node, slice), slice->single ? pinecone_run_evaluate_row_limit(node) : 0);
	if (!slice->single)
		sort_stream(node, slot);
}

/* ---- What is no number ---- */

/* Has anything been written that counts do not show? */
static bool
has_writes(PineconeScanState *state)
{
	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		const char *own = pinecone_source_own_name(state->session, state->run->counters, state->table,
												   pinecone_option_plain_namespace(state->run->namespaces[i].name),
												   state->position);

		if (pinecone_pending_view(state->session, state->table, own, state->position) != NULL)
			return true;
	}
	return false;
}

/*
 * Do all records that have the field have a number?  If not, or if nobody tells,
 * they are read for the error that one of them raises.
 */
static void
look_for_misfits(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeOrder *order = state->run->order;
	PineconeSlice all = {-INFINITY, INFINITY};
	PineconeFilter exists = pinecone_filter_both(state->run->filter, pinecone_filter_exists(order->column->field, true));
	double records;

	if (state->request->descending)
		all = (PineconeSlice){INFINITY, -INFINITY};
	if (!has_writes(state))
	{
		records = pinecone_slice_count(node, exists);
		if (records >= 0 && records == pinecone_slice_count(node, pinecone_slice_filter(node, &all)))
			return;
	}
	begin_stream(node, exists, 0);
	for (;;)
	{
		MemoryContext old = MemoryContextSwitchTo(order->row_cxt);
		TupleTableSlot *row = next_read(node, slot);

		MemoryContextSwitchTo(old);
		if (row == NULL)
			break;
		ExecClearTuple(slot);
		MemoryContextReset(order->row_cxt);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- Rows ---- */

/*
 * Go through the stages: records without the field, slices of numbers in their
 * order, records whose value is no number; NULLs come first or last as was
 * asked.
 */
TupleTableSlot *
pinecone_order_next(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeOrder *order = state->run->order;
	TupleTableSlot *row = NULL;

	for (;;)
	{
		if (order->sort != NULL)
		{
			if ((row = next_sorted(order, slot)) != NULL)
				return row;
			end_sort(order);
		}
		else if ((row = next_read(node, slot)) != NULL)
			return row;
		CHECK_FOR_INTERRUPTS();
		switch (order->stage)
		{
			case STAGE_MISSING:
				begin_stream(node, pinecone_filter_both(state->run->filter, pinecone_filter_exists(order->column->field, false)),
							 pinecone_run_evaluate_row_limit(node));
				order->stage = state->request->nulls_first ? STAGE_NUMBERS : STAGE_END;
				break;
			case STAGE_NUMBERS:
				if (order->is_last)
					order->stage = STAGE_MISFITS;
				else
					begin_slice(node, slot);
				break;
			case STAGE_MISFITS:
				look_for_misfits(node, slot);
				order->stage = state->request->nulls_first ? STAGE_END : STAGE_MISSING;
				break;
			case STAGE_END:
				state->run->done = true;
				if (!state->run->found_any)
					pinecone_unmatched_look(node);
				return ExecClearTuple(slot);
		}
	}
}

void
pinecone_order_end(PineconeRun *run)
{
	if (run->order == NULL || run->order->row == NULL)
		return;
	end_sort(run->order);
	ExecDropSingleTupleTableSlot(run->order->row);
}
