/*
 * run_ids.c
 *		Which ids of a list are worth a fetch, and which need no list.
 *
 * The conditions are checked of rows as well, among the others: what this
 * transaction has written does not come by way of a list.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/setting.h"
#include "scan/places.h"
#include "scan/run_ids.h"
#include "scan/run_values.h"

static bool
is_wanted(void *context, const char *id)
{
	ForeignScanState *node = context;
	PineconeScanState *state = node->fdw_state;
	ExprContext *econtext = state->id_context;
	TupleTableSlot *slot = econtext->ecxt_scantuple;
	int place = state->table->id_attnum - 1;
	MemoryContext old;
	bool wanted = true;
	ListCell *lc;

	ResetExprContext(econtext);
	old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	slot->tts_values[place] = CStringGetTextDatum(id);
	slot->tts_isnull[place] = false;
	ExecStoreVirtualTuple(slot);
	foreach(lc, state->request->id_quals)
	{
		bool isnull;
		Datum result = ExecEvalExpr((ExprState *) list_nth(state->exprs, lfirst_int(lc)), econtext, &isnull);

		wanted = wanted && !isnull && DatumGetBool(result);
		if (!wanted)
			break;
	}
	ExecClearTuple(slot);
	MemoryContextSwitchTo(old);
	return wanted;
}

void
pinecone_run_ids_prepare(ForeignScanState *node, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;
	EState *estate = node->ss.ps.state;

	if (state->request->id_quals == NIL)
		return;
	if (state->id_context == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);

		state->id_context = CreateExprContext(estate);
		state->id_context->ecxt_scantuple =
			ExecInitExtraTupleSlot(estate, node->ss.ss_ScanTupleSlot->tts_tupleDescriptor, &TTSOpsVirtual);
		MemoryContextSwitchTo(old);
	}
	spec->wants_id = is_wanted;
	spec->wants_id_context = node;
}

/*
 * Rows are told by ctids: of those that this transaction was shown the ids are known.
 * As elsewhere the condition is checked of the rows.
 */
char **
pinecone_run_ids_shown(ForeignScanState *node, int *n)
{
	PineconeScanState *state = node->fdw_state;
	int number = state->request->place;
	Datum value;
	Datum *elements;
	bool *nulls;
	int nctids;
	ItemPointerData *ctids;

	if (number < 0 || !pinecone_enable_fetch || !pinecone_run_evaluate(node, number))
		return NULL;
	value = state->run->values.values[number];
	if (state->run->values.types[number] == TIDOID)
		return pinecone_places_ids(state->table->relid, (ItemPointer) DatumGetPointer(value), 1, n);

	deconstruct_array(DatumGetArrayTypeP(value), TIDOID, sizeof(ItemPointerData), false, TYPALIGN_SHORT, &elements, &nulls, &nctids);
	ctids = palloc(Max(1, nctids) * sizeof(ItemPointerData));
	for (int i = 0; i < nctids; i++)
	{
		if (nulls[i])
			return NULL;
		ctids[i] = *(ItemPointer) DatumGetPointer(elements[i]);
	}
	return pinecone_places_ids(state->table->relid, ctids, nctids, n);
}
