/*
 * exhaustive.c
 *		Everything the filter matches is read, what the search has returned is
 *		left out, and the rest is sorted by distance.
 *
 * For what a search cannot bring: rows beyond its cap, or all of them when
 * there is no usable query vector.  Distances are NULL without a query vector.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "scan/exhaustive.h"
#include "scan/run_row.h"
#include "scan/run_values.h"
#include "scan/score.h"

void
pinecone_exhaustive_begin(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	TupleDesc scan_desc = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	TupleDesc desc = CreateTemplateTupleDesc(scan_desc->natts + 2);
	AttrNumber keys[] = {scan_desc->natts + 1};
	Oid operators[] = {Float8LessOperator};
	Oid collations[] = {InvalidOid};
	bool nulls_first[] = {false};
	PineconeSourceSpec spec;
	PineconeFanout *stream;
	PineconeRecord *record;
	TupleTableSlot *slot;
	MemoryContext row_cxt;

	for (int i = 1; i <= scan_desc->natts; i++)
		TupleDescCopyEntry(desc, i, scan_desc, i);
	TupleDescInitEntry(desc, keys[0], "distance", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, keys[0] + 1, "ctid", TIDOID, -1, 0);
	pinecone_finish_tuple_desc(desc);
	state->exhaustive = true;
	state->run->sort = tuplesort_begin_heap(desc, 1, keys, operators, collations, nulls_first,
											work_mem, NULL, PINECONE_TUPLESORT_ONCE);
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	state->run->sort_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	row_cxt = AllocSetContextCreate(state->run->cxt, "pinecone row", ALLOCSET_DEFAULT_SIZES);

	pinecone_run_fill_spec(node, state->run->filter.kind == PINECONE_FILTER_JSON ? PINECONE_OP_FILTER : PINECONE_OP_LIST_FETCH, &spec);
	spec.want_values = true;
	stream = pinecone_fanout_begin(&spec, state->run->namespaces, state->run->nnamespaces,
								   PINECONE_FANOUT_ANY);
	while (pinecone_fanout_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		ItemPointerData ctid;
		MemoryContext old;

		if (state->run->stream && pinecone_fanout_seen(state->run->stream, record))
			continue;
		MemoryContextReset(row_cxt);
		old = MemoryContextSwitchTo(row_cxt);
		ExecClearTuple(slot);
		pinecone_score_record(record, request->metric, state->run->vector ? state->run->nvalues : 0, state->run->vector);
		pinecone_run_form_row(state, record, slot->tts_values, slot->tts_isnull);
		ctid = pinecone_run_ctid(state, record);
		slot->tts_values[scan_desc->natts + 1] = PointerGetDatum(&ctid);
		slot->tts_isnull[scan_desc->natts + 1] = !request->want_ctid;
		slot->tts_isnull[scan_desc->natts] = true;
		if (state->run->vector != NULL && record->nvalues == state->run->nvalues)
		{
			double distance = pinecone_score_distance(request->metric, state->run->nvalues,
													  record->values, state->run->vector);

			slot->tts_values[scan_desc->natts] = Float8GetDatum(distance);
			slot->tts_isnull[scan_desc->natts] = false;
			pinecone_run_set_distance(state, distance, slot->tts_values, slot->tts_isnull);
		}
		ExecStoreVirtualTuple(slot);
		MemoryContextSwitchTo(old);
		tuplesort_puttupleslot(state->run->sort, slot);
	}
	pinecone_fanout_end(stream);
	ExecDropSingleTupleTableSlot(slot);
	tuplesort_performsort(state->run->sort);
}

bool
pinecone_exhaustive_next(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	int natts = slot->tts_tupleDescriptor->natts;

	if (!tuplesort_gettupleslot(state->run->sort, true, false, state->run->sort_slot, NULL))
		return false;
	slot_getallattrs(state->run->sort_slot);
	memcpy(slot->tts_values, state->run->sort_slot->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, state->run->sort_slot->tts_isnull, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	if (state->request->want_ctid)
		slot->tts_tid = *(ItemPointer) DatumGetPointer(state->run->sort_slot->tts_values[natts + 1]);
	return true;
}

void
pinecone_exhaustive_end(PineconeRun *run)
{
	if (run->sort_slot)
		ExecDropSingleTupleTableSlot(run->sort_slot);
	if (run->sort)
		tuplesort_end(run->sort);
}
