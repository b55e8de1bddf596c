/*
 * run_count.c
 *		Scans whose rows are counts: count(*) answered by the service.
 *
 * Without a filter index statistics tell the records of all namespaces at
 * once.  With one each namespace is asked, by a dry run of an update.  A
 * namespace that this transaction has written to is read, and counted here.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "client/alias.h"
#include "client/session.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "scan/run_count.h"
#include "scan/run_values.h"
#include "scan/unmatched.h"

/* Count by reading: what this transaction has written counts as well. */
static double
count_records(ForeignScanState *node, const char *namespace_)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSourceSpec spec;

	pinecone_run_fill_spec(node, pinecone_run_reading(state->run, PINECONE_OP_LIST), &spec);
	spec.namespace_ = namespace_;
	return pinecone_source_read(&spec, NULL, NULL);
}

/*
 * Count what no listing has: nothing, an alias, or a namespace that is new.  An
 * alias's target answers, and names itself; its records are listed.
 */
static double
count_unlisted(ForeignScanState *node, const char *name)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSourceSpec spec;
	PineconeSource *stream;
	PineconeRecord *record;
	double count = 0;

	pinecone_run_fill_spec(node, PINECONE_OP_LIST, &spec);
	spec.namespace_ = name;
	spec.row_limit = 1; /* most often, more is not needed */
	stream = pinecone_source_begin(&spec);
	while (pinecone_source_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		const char *target = pinecone_pins_target(state->run->counters->pins, state->session, name);

		if (count == 0 && target != NULL && pinecone_stats_records(state->session->stats, target) > 0)
		{
			count = pinecone_stats_records(state->session->stats, target);
			break;
		}
		count++;
	}
	pinecone_source_end(stream);
	return count;
}

void
pinecone_count_start(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	bool any = false;

	if (state->run->filter.kind == PINECONE_FILTER_NEVER)
	{
		state->run->nnamespaces = 0;
		return;
	}
	state->run->count_calls = palloc0(Max(state->run->nnamespaces, 1) * sizeof(PineconeCall *));
	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		PineconeNamespaceStats *counted = &state->run->namespaces[i];
		const char *name = pinecone_option_plain_namespace(counted->name);
		const char *own = pinecone_source_own_name(state->session, state->run->counters, state->table, name,
												   state->position);

		pinecone_consistency_wait(state->session, state->table, own);
		if (pinecone_pending_view(state->session, own, state->position) != NULL ||
			(state->run->filter.kind == PINECONE_FILTER_JSON && state->session->dry_run_refused))
		{
			counted->records = count_records(node, name);
			continue;
		}
		/* a dry run is a write, which no alias takes */
		if (state->run->filter.kind == PINECONE_FILTER_JSON)
			state->run->count_calls[i] = pinecone_vectors_count(state->session, state->run->counters,
																pinecone_pins_resolve(state->run->counters->pins,
																					  state->session, name),
																state->run->filter.json);
		else if (!state->all_known || counted->records < 0)
		{
			/* else the statistics that named it were asked for just now */
			counted->records = -1;
			any = true;
		}
	}
	if (state->run->filter.kind == PINECONE_FILTER_JSON)
		state->run->counters->namespaces += state->run->nnamespaces;
	else if (any)
	{
		pinecone_session_begin_count(state->session, state->run->counters, state->request->planned_at);
		state->run->counts_stats = true;
	}
}

/* Has everything that was sent been answered? */
static bool
is_answered(PineconeScanState *state)
{
	if (state->run->counts_stats && !pinecone_session_count_is_answered(state->session))
		return false;
	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		if (state->run->count_calls[i] && !pinecone_vectors_ready(state->run->count_calls[i]))
			return false;
	}
	return true;
}

void
pinecone_count_note_refused(PineconeScanState *state)
{
	if (!state->session->dry_run_refused)
		ereport(NOTICE,
				(errmsg("the API key may not count by a dry run of an update: matching records are read instead"),
				 errhint("Set option \"count_from_dry_run\" of foreign table \"%s\" or of its server to false.",
						 state->table->name)));
	state->session->dry_run_refused = true;
}

/* Then matching records are read and counted, in this session from now on. */
static double
take_count(ForeignScanState *node, PineconeCall *call, const char *namespace_)
{
	PineconeScanState *state = node->fdw_state;
	double count;

	pinecone_vectors_wait(call);
	/* made an alias just now, or the service does not tell what it stands for */
	if (pinecone_vectors_failure(call) == PINECONE_FAILURE_ALIAS)
		return count_records(node, namespace_);
	if (pinecone_vectors_failure(call) != PINECONE_FAILURE_FORBIDDEN)
		return pinecone_vectors_count_result(call);
	count = count_records(node, namespace_);
	pinecone_count_note_refused(state);
	return count;
}

static void
take_counts(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state->run->counts_stats)
		(void) pinecone_session_count_stats(state->session, state->run->counters);

	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		PineconeNamespaceStats *counted = &state->run->namespaces[i];

		if (state->run->count_calls[i])
		{
			counted->records = take_count(node, state->run->count_calls[i],
										  pinecone_option_plain_namespace(counted->name));
			pinecone_vectors_free(state->run->count_calls[i]);
			state->run->count_calls[i] = NULL;
		}
		else if (state->run->counts_stats && counted->records < 0)
		{
			counted->records = pinecone_stats_records(state->session->stats, counted->name);
			if (counted->records < 0)
				counted->records = count_unlisted(node, counted->name);
		}
	}
	state->run->counted = true;
}

static TupleTableSlot *
store_count(PineconeScanState *state, TupleTableSlot *slot, const char *namespace_, double count)
{
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_values[i] = state->layout[i] == PINECONE_LAYOUT_COUNT ?
								  Int64GetDatum((int64) count) :
								  CStringGetTextDatum(namespace_);
		slot->tts_isnull[i] = false;
	}
	return ExecStoreVirtualTuple(slot);
}

/* The single row of count(*). */
static TupleTableSlot *
count_row(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	double count = 0;

	for (int i = 0; i < state->run->nnamespaces; i++)
		count += state->run->namespaces[i].records;
	state->run->done = true;
	if (count == 0)
		pinecone_unmatched_look(node);
	return store_count(state, slot, "", count);
}

/* The next row of count(*) by namespace: none for one without records. */
static TupleTableSlot *
count_row_by_namespace(PineconeScanState *state, TupleTableSlot *slot)
{
	while (state->run->next_count < state->run->nnamespaces)
	{
		PineconeNamespaceStats *counted = &state->run->namespaces[state->run->next_count++];

		if (counted->records > 0)
			return store_count(state, slot, counted->name, counted->records);
	}
	state->run->done = true;
	return slot;
}

TupleTableSlot *
pinecone_count_next(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;

	if (!state->run->counted)
	{
		if (state->no_wait && !is_answered(state))
		{
			state->pending = true;
			return slot;
		}
		take_counts(node);
	}
	return state->request->grouped ? count_row_by_namespace(state, slot) : count_row(node, slot);
}
