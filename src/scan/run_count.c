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
count_records(ForeignScanState *node, const char *namespace_, const PineconeFilter *filter)
{
	PineconeSourceSpec spec;

	pinecone_run_fill_spec(node, filter->kind == PINECONE_FILTER_JSON ? PINECONE_OP_FILTER : PINECONE_OP_LIST,
						   &spec);
	spec.filter = filter->kind == PINECONE_FILTER_JSON ? filter->json : NULL;
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

/* The filter of what is counted, with that of the request. */
static PineconeFilter
count_filter(ForeignScanState *node, const PineconeCount *count)
{
	PineconeScanState *state = node->fdw_state;
	PineconeCondition both = {.kind = PINECONE_COND_AND, .value = -1};

	if (count->filter == NULL)
		return state->run->filter;
	pinecone_run_evaluate_condition(node, count->filter);
	both.args = state->request->filter ? list_make2(state->request->filter, count->filter) : list_make1(count->filter);
	return pinecone_filter_render(state->table, &both, &state->run->values);
}

/* Does anybody look at a count?  The first one tells which groups there are. */
static bool
is_looked_at(PineconeScanState *state, int place)
{
	if (place == 0 && state->request->grouped)
		return true;
	for (int i = 0; i < state->nlayout; i++)
	{
		if (state->layout[i] == PINECONE_LAYOUT_COUNT - place)
			return true;
	}
	return false;
}

/* Count now, or ask.  Returns true where statistics are to tell. */
static bool
start_count(ForeignScanState *node, PineconeNamespaceStats *namespace_, const char *own, int place, double *count,
			PineconeCall **call)
{
	PineconeScanState *state = node->fdw_state;
	PineconeFilter *filter = &state->run->count_filters[place];
	const char *name = pinecone_option_plain_namespace(namespace_->name);

	*count = 0;
	if (filter->kind == PINECONE_FILTER_NEVER || !is_looked_at(state, place))
		return false;
	if (pinecone_pending_view(state->session, state->table, own, state->position) != NULL ||
		(filter->kind == PINECONE_FILTER_JSON && state->session->dry_run_refused))
	{
		state->counts_read = true;
		*count = count_records(node, name, filter);
	}
	/* a dry run is a write, which no alias takes */
	else if (filter->kind == PINECONE_FILTER_JSON)
		*call = pinecone_vectors_count(state->session, state->run->counters,
									   pinecone_pins_resolve(state->run->counters->pins, state->session, name),
									   filter->json);
	/* the statistics that named it may have been asked for just now */
	else if (state->all_known && namespace_->records >= 0)
		*count = namespace_->records;
	else
	{
		*count = -1;
		return true;
	}
	return false;
}

void
pinecone_count_start(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	int ncounts = list_length(state->request->counts);
	bool dry_runs = false;
	bool any = false;

	if (run->filter.kind == PINECONE_FILTER_NEVER)
	{
		run->nnamespaces = 0;
		return;
	}
	run->count_filters = palloc(ncounts * sizeof(PineconeFilter));
	for (int i = 0; i < ncounts; i++)
	{
		run->count_filters[i] = count_filter(node, list_nth(state->request->counts, i));
		dry_runs = dry_runs || run->count_filters[i].kind == PINECONE_FILTER_JSON;
	}
	run->counts = palloc0(Max(run->nnamespaces, 1) * ncounts * sizeof(double));
	run->count_calls = palloc0(Max(run->nnamespaces, 1) * ncounts * sizeof(PineconeCall *));
	for (int i = 0; i < run->nnamespaces; i++)
	{
		const char *own = pinecone_source_own_name(state->session, run->counters, state->table,
												   pinecone_option_plain_namespace(run->namespaces[i].name),
												   state->position);

		pinecone_consistency_wait(state->session, run->counters, state->table, own);
		for (int j = 0; j < ncounts; j++)
			any |= start_count(node, &run->namespaces[i], own, j, &run->counts[i * ncounts + j],
							   &run->count_calls[i * ncounts + j]);
	}
	if (dry_runs)
		run->counters->namespaces += run->nnamespaces;
	if (any)
		pinecone_session_begin_count(state->session, run->counters, state->request->planned_at);
	run->counts_stats = any;
}

/* Has everything that was sent been answered? */
static bool
is_answered(PineconeScanState *state)
{
	if (state->run->counts_stats && !pinecone_session_count_is_answered(state->session))
		return false;
	for (int i = 0; i < state->run->nnamespaces * list_length(state->request->counts); i++)
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
take_count(ForeignScanState *node, PineconeCall *call, const char *namespace_, const PineconeFilter *filter)
{
	PineconeScanState *state = node->fdw_state;
	double count;

	pinecone_vectors_wait(call);
	/* made an alias just now, or the service does not tell what it stands for */
	if (pinecone_vectors_failure(call) == PINECONE_FAILURE_ALIAS)
		return count_records(node, namespace_, filter);
	if (pinecone_vectors_failure(call) != PINECONE_FAILURE_FORBIDDEN)
		return pinecone_vectors_count_result(call);
	count = count_records(node, namespace_, filter);
	pinecone_count_note_refused(state);
	return count;
}

static void
take_counts(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	int ncounts = list_length(state->request->counts);

	if (run->counts_stats)
		(void) pinecone_session_count_stats(state->session, run->counters);

	for (int i = 0; i < run->nnamespaces * ncounts; i++)
	{
		const char *name = run->namespaces[i / ncounts].name;

		if (run->count_calls[i])
		{
			run->counts[i] = take_count(node, run->count_calls[i], pinecone_option_plain_namespace(name),
										&run->count_filters[i % ncounts]);
			pinecone_vectors_free(run->count_calls[i]);
			run->count_calls[i] = NULL;
		}
		else if (run->counts_stats && run->counts[i] < 0)
		{
			run->counts[i] = pinecone_stats_records(state->session->stats, name);
			if (run->counts[i] < 0)
				run->counts[i] = count_unlisted(node, name);
		}
	}
	run->counted = true;
}

static TupleTableSlot *
store_counts(PineconeScanState *state, TupleTableSlot *slot, const char *namespace_, const double *counts)
{
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		int place = PINECONE_LAYOUT_COUNT - state->layout[i];
		PineconeCount *count;

		slot->tts_isnull[i] = false;
		if (state->layout[i] > 0)
		{
			slot->tts_values[i] = pinecone_run_namespace_datum(state->table, namespace_);
			continue;
		}
		count = list_nth(state->request->counts, place);
		slot->tts_isnull[i] = count->factor != 0 && counts[place] == 0;
		slot->tts_values[i] = Int64GetDatum((int64) counts[place] * (count->factor != 0 ? count->factor : 1));
	}
	return ExecStoreVirtualTuple(slot);
}

/* The single row of counts. */
static TupleTableSlot *
count_row(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	int ncounts = list_length(state->request->counts);
	double *sums = palloc0(ncounts * sizeof(double));

	for (int i = 0; i < state->run->nnamespaces * ncounts; i++)
		sums[i % ncounts] += state->run->counts[i];
	state->run->done = true;
	if (sums[0] == 0 && is_looked_at(state, 0))
		pinecone_unmatched_look(node);
	return store_counts(state, slot, "", sums);
}

/* The next row of counts by namespace: none for one without records. */
static TupleTableSlot *
count_row_by_namespace(PineconeScanState *state, TupleTableSlot *slot)
{
	PineconeRun *run = state->run;
	int ncounts = list_length(state->request->counts);

	while (run->next_count < run->nnamespaces)
	{
		int next = run->next_count++;

		if (run->counts[next * ncounts] > 0)
			return store_counts(state, slot, run->namespaces[next].name, &run->counts[next * ncounts]);
	}
	run->done = true;
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
