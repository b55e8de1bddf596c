/*
 * run_row.c
 *		Scan tuples from records: the columns that are wanted, distances made of
 *		scores, and what stands for a record's place.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "portability/instr_time.h"

#include "base/record_key.h"
#include "scan/places.h"
#include "scan/run_row.h"
#include "scan/score.h"

void
pinecone_run_set_distance(PineconeScanState *state, double distance, Datum *values, bool *isnull)
{
	for (int i = 0; i < state->nlayout; i++)
	{
		if (state->layout[i] > 0 || state->layout[i] == PINECONE_LAYOUT_ROW)
			continue;
		values[i] = Float8GetDatum(state->layout[i] == PINECONE_LAYOUT_NEGATED ? -distance : distance);
		isnull[i] = false;
	}
}

/* A row's distance: that of the score which the search gave it, or of its vector. */
static bool
find_distance(PineconeScanState *state, const PineconeRecord *record, double *distance)
{
	PineconeRun *run = state->run;

	if (!state->request->scored)
	{
		if (record->has_score)
			*distance = pinecone_score_to_distance(state->request->metric, record->score);
		return record->has_score;
	}
	return run->has_query && pinecone_score_distance(&run->query, record, distance);
}

static void
fill_row(PineconeScanState *state, const PineconeRecord *record, Datum *values, bool *isnull)
{
	PineconeRecord scored;
	double distance;

	if (state->request->scored)
	{
		scored = *record;
		record = &scored;
		pinecone_score_record(&scored, &state->run->query);
	}
	if (state->nlayout == 0)
	{
		pinecone_row_read(state->reader, record, values, isnull);
		return;
	}
	pinecone_row_read(state->reader, record, state->row_values, state->row_isnull);
	for (int i = 0; i < state->nlayout; i++)
	{
		AttrNumber attnum = state->layout[i];

		/* distances follow below */
		isnull[i] = attnum == PINECONE_LAYOUT_ROW ? false : attnum <= 0 || state->row_isnull[attnum - 1];
		if (attnum == PINECONE_LAYOUT_ROW)
			values[i] = heap_copy_tuple_as_datum(heap_form_tuple(state->row_desc, state->row_values,
																 state->row_isnull),
												 state->row_desc);
		else if (!isnull[i])
			values[i] = state->row_values[attnum - 1];
	}
	if (find_distance(state, record, &distance))
		pinecone_run_set_distance(state, distance, values, isnull);
}

ItemPointerData
pinecone_run_ctid(PineconeScanState *state, const PineconeRecord *record)
{
	ItemPointerData ctid = pinecone_record_ctid(state->table->relid, record->namespace_, record->id);

	if (state->request->want_ctid)
		pinecone_places_show(state->table->relid, ctid, record->id);
	return ctid;
}

void
pinecone_run_form_row(PineconeScanState *state, const PineconeRecord *record, Datum *values, bool *isnull)
{
	instr_time start;
	instr_time end;

	if (!state->run->counters->timing)
	{
		fill_row(state, record, values, isnull);
		return;
	}
	INSTR_TIME_SET_CURRENT(start);
	fill_row(state, record, values, isnull);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(state->run->counters->row_time, end, start);
}

void
pinecone_run_store_row(PineconeScanState *state, const PineconeRecord *record, TupleTableSlot *slot)
{
	pinecone_run_form_row(state, record, slot->tts_values, slot->tts_isnull);
	(void) ExecStoreVirtualTuple(slot);
	if (state->request->want_ctid)
		slot->tts_tid = pinecone_run_ctid(state, record);
}
