/*
 * run_groups.c
 *		The values of a field, and how many records have each, told by searches
 *		and counts rather than by reading all records.
 *
 * Searches propose values: each asks for records that have the field and none
 * of the values known so far, wherever they lie.  Dry runs of updates count.
 * Why the result is that of reading everything:
 *
 * - Nothing is missed.  A last dry run counts the records that have the field
 *   and none of the known values: that is 0, or the search goes on.  So it does
 *   not matter that searches are approximate, nor which records they bring.
 * - Nothing is made up.  A value is one that a record has shown, and where
 *   records are counted one whose own count is not 0.
 * - Nothing is counted twice.  A record has one number or boolean.  But $eq and
 *   $in find a list of strings by each of its elements, and so where the field
 *   may hold strings, the counts of the values have to add up to that of the
 *   records that have the field.  What adds up though a value is in a list is a
 *   list of one known value and nothing else that is known: no filter tells it
 *   from the string, and it counts as what WHERE field = 'x' would find.  Where
 *   nothing is counted (DISTINCT), so does any list with a known value that no
 *   search has shown.  docs/queries.md says so to those who have such fields.
 * - NULL is where the field is absent, $exists being the same in all readings;
 *   $nin always goes together with it.
 * - A value that does not fit its column, a list among them, is found as any
 *   other is, and says that rows have to be read: which it is, an error or
 *   NULL, is left to that.
 * - What is believed is the view of dry runs alone, the one that a filtered
 *   count(*) goes by.  Where this transaction or this cluster has written what
 *   the service may not show yet, where the name is an alias, or where the key
 *   may not count, rows are read.
 *
 * Rows are read by the plan below this one.  It starts when this has given up,
 * and before then nothing is returned.  To find that out takes a few requests:
 * values that are about as many as the records that show them are many, and what
 * counting them would cost more than is worth while is not begun.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "client/alias.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "request/shippable.h"
#include "scan/field_part.h"
#include "scan/run_groups.h"
#include "scan/run_values.h"
#include "value/lookalike.h"

/* ---- Groups ---- */

/* By namespace, if these are told apart, and by value. */
static int
compare_groups(const void *a, const void *b, void *by_namespace)
{
	const PineconeFieldGroup *one = a;
	const PineconeFieldGroup *other = b;
	int order = *(bool *) by_namespace ? strcmp(one->namespace_, other->namespace_) : 0;

	if (order == 0)
		order = strcmp(one->value ? one->value->key : "", other->value ? other->value->key : "");
	return order;
}

static void
add_group(PineconeGroups *groups, const PineconeFieldPart *part, const PineconeFieldValue *value, double count)
{
	groups->groups[groups->ngroups++] = (PineconeFieldGroup){value, part->shown, count};
}

/* Make one of groups that are alike, of several namespaces. */
static void
merge_groups(PineconeGroups *groups, bool by_namespace)
{
	int n = 0;

	qsort_arg(groups->groups, groups->ngroups, sizeof(PineconeFieldGroup), compare_groups, &by_namespace);
	for (int i = 0; i < groups->ngroups; i++)
	{
		if (n > 0 && compare_groups(&groups->groups[n - 1], &groups->groups[i], &by_namespace) == 0)
			groups->groups[n - 1].count += groups->groups[i].count;
		else
			groups->groups[n++] = groups->groups[i];
	}
	groups->ngroups = n;
}

static void
collect_groups(PineconeScanState *state)
{
	PineconeGroups *groups = state->run->groups;
	int most = 1;

	for (int i = 0; i < groups->nnamespaces; i++)
		most += groups->parts[i].n + 1;
	groups->groups = palloc(most * sizeof(PineconeFieldGroup));
	for (int i = 0; i < groups->nnamespaces; i++)
	{
		PineconeFieldPart *part = &groups->parts[i];

		for (int j = 0; j < part->n; j++)
		{
			if (!groups->want_counts || part->values[j].count.records > 0)
				add_group(groups, part, &part->values[j], part->values[j].count.records);
		}
		if (state->request->grouped && part->missing.records > 0)
			add_group(groups, part, NULL, part->missing.records);
	}
	merge_groups(groups, state->request->group_namespaces);
	state->groups = groups->ngroups;
}

/* No record has the field: one is looked at for another that is spelled alike. */
static void
look_at_one(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSourceSpec spec;
	PineconeSource *source;
	PineconeRecord *record;

	if (!pinecone_lookalike_is_new(state->table))
		return;
	pinecone_run_fill_spec(node, PINECONE_OP_LIST_FETCH, &spec);
	spec.namespace_ = state->run->groups->parts[0].name;
	spec.filter = NULL;
	spec.row_limit = 1;
	spec.want_metadata = true;
	source = pinecone_source_begin(&spec);
	if (pinecone_source_next(source, true, &record) == PINECONE_SOURCE_RECORD)
		pinecone_row_read(state->run->groups->reader, record, state->row_values, state->row_isnull);
	pinecone_source_end(source);
}

static bool
all_complete(const PineconeGroups *groups)
{
	for (int i = 0; i < groups->nparts; i++)
	{
		if (!groups->parts[i].complete)
			return false;
	}
	return true;
}

static const PineconeFieldValue *
find_value(const PineconeFieldPart *part, const char *key)
{
	for (int i = 0; i < part->n; i++)
	{
		if (strcmp(part->values[i].key, key) == 0)
			return &part->values[i];
	}
	return NULL;
}

/* Of the values with a filter, are there no more than without? */
static void
compare_parts(PineconeGroups *groups)
{
	for (int i = groups->nnamespaces; i < groups->nparts && groups->given_up == NULL; i++)
	{
		const PineconeFieldPart *part = &groups->parts[i];
		const PineconeFieldPart *all = &groups->parts[i % groups->nnamespaces];

		for (int j = 0; j < part->n; j++)
		{
			const PineconeFieldValue *value = find_value(all, part->values[j].key);

			if (part->values[j].count.records > (value ? value->count.records : 0))
				pinecone_field_give_up(groups, "counts do not add up: records change");
		}
		if (part->missing.records > all->missing.records)
			pinecone_field_give_up(groups, "counts do not add up: records change");
	}
}

/* Ask until everything is known, or it is known that it will not be. */
static void
find_groups(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;

	while (groups->given_up == NULL && !all_complete(groups))
	{
		for (int i = 0; i < groups->nparts && groups->given_up == NULL; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!groups->parts[i].complete)
				pinecone_field_advance(node, &groups->parts[i]);
		}
	}
	for (int i = 0; i < groups->nparts && groups->given_up == NULL; i++)
		pinecone_field_take_counts(state, &groups->parts[i]);
	if (groups->given_up == NULL)
		compare_parts(groups);
	if (groups->given_up != NULL)
		return;
	collect_groups(state);
	Assert(groups->ngroups == 0 || groups->groups != NULL);
	if (groups->nparts > 0 && (groups->ngroups == 0 || (groups->ngroups == 1 && groups->groups[0].value == NULL)))
		look_at_one(node);
}

/* ---- The run ---- */

/* What is to be found out, and what filters are made with: the run's values and one more. */
static PineconeGroups *
create_groups(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = palloc0(sizeof(PineconeGroups));
	int n = state->run->values.n;
	PineconeTypeClass class;
	ListCell *lc;

	foreach(lc, state->request->counts)
		pinecone_run_evaluate_condition(node, ((PineconeCount *) lfirst(lc))->filter);
	groups->column = pinecone_option_column(state->table, state->request->group);
	groups->elemtype = getBaseType(groups->column->typid);
	groups->reader = pinecone_row_reader(state->table, bms_make_singleton(groups->column->attnum));
	pinecone_row_read_null(groups->reader, NULL);

	groups->values.n = n + 1;
	groups->values.types = palloc0((n + 1) * sizeof(Oid));
	groups->values.values = palloc0((n + 1) * sizeof(Datum));
	groups->values.isnull = palloc0((n + 1) * sizeof(bool));
	memcpy(groups->values.types, state->run->values.types, n * sizeof(Oid));
	memcpy(groups->values.values, state->run->values.values, n * sizeof(Datum));
	memcpy(groups->values.isnull, state->run->values.isnull, n * sizeof(bool));
	groups->leaf.compare = PINECONE_EQ;
	groups->leaf.attnum = groups->column->attnum;
	groups->leaf.value = n;

	class = pinecone_shippable_class(groups->column);
	for (int i = 0; i < state->nlayout; i++)
		groups->want_exists |= state->layout[i] == PINECONE_LAYOUT_COUNT ||
							   state->layout[i] == PINECONE_LAYOUT_NOT_NULL ||
							   state->layout[i] <= PINECONE_LAYOUT_FILTERED;
	groups->want_missing = state->request->grouped || groups->want_exists;
	/* whether there are such booleans is told by how many */
	groups->want_counts = (state->request->grouped && groups->want_exists) || class == PINECONE_CLASS_BOOL;
	if (state->request->grouped &&
		(class == PINECONE_CLASS_BOOL || class == PINECONE_CLASS_INT || class == PINECONE_CLASS_NUMBER))
		groups->want_exists = false;
	return groups;
}

/* Can the namespace be told by asking the service alone? */
static bool
is_plain(ForeignScanState *node, const char *name)
{
	PineconeScanState *state = node->fdw_state;
	const char *own = pinecone_source_own_name(state->session, state->run->counters, state->table, name,
											   state->position);

	pinecone_consistency_wait(state->session, state->run->counters, state->table, own);
	if (pinecone_pending_view(state->session, state->table, own, state->position) != NULL)
		pinecone_field_give_up(state->run->groups, "the service may not show yet what was written");
	else if (strcmp(pinecone_pins_resolve(state->run->counters->pins, state->session, name), name) != 0)
		pinecone_field_give_up(state->run->groups, "the namespace's name is an alias");
	return state->run->groups->given_up == NULL;
}

/* A part for each of the namespaces, and with each filter of a count. */
static void
make_parts(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeGroups *groups = run->groups;
	int nfilters = list_length(state->request->counts);

	groups->parts = palloc0(Max(run->nnamespaces * (1 + nfilters), 1) * sizeof(PineconeFieldPart));
	for (int i = 0; i < run->nnamespaces && groups->given_up == NULL; i++)
	{
		groups->parts[i].shown = run->namespaces[i].name;
		groups->parts[i].name = pinecone_option_plain_namespace(run->namespaces[i].name);
		if (is_plain(node, groups->parts[i].name))
			groups->nparts++;
	}
	groups->nnamespaces = groups->nparts;
	for (int i = 0; i < nfilters; i++)
	{
		for (int j = 0; j < groups->nnamespaces; j++)
		{
			groups->parts[groups->nparts] = groups->parts[j];
			groups->parts[groups->nparts++].condition = ((PineconeCount *) list_nth(state->request->counts, i))->filter;
		}
	}
}

void
pinecone_groups_start(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeGroups *groups = create_groups(node);

	run->groups = groups;
	state->groups_given_up = NULL;
	if (run->begun_ahead)
	{
		run->given_up = true;
		return;
	}
	if (run->filter.kind == PINECONE_FILTER_NEVER)
		return;
	if (state->session->dry_run_refused)
		pinecone_field_give_up(groups, "the API key may not count by dry runs");
	make_parts(node);
	for (int i = 0; i < groups->nparts && groups->given_up == NULL; i++)
		pinecone_field_begin(node, &groups->parts[i]);
	run->counters->namespaces += groups->nnamespaces;
}

/* What is under way is not wanted any more. */
static void
drop_calls(PineconeGroups *groups)
{
	for (int i = 0; i < groups->nparts; i++)
	{
		PineconeFieldPart *part = &groups->parts[i];

		pinecone_vectors_free(part->search);
		pinecone_vectors_free(part->page);
		pinecone_vectors_free(part->rest);
		pinecone_vectors_free(part->exists);
		pinecone_vectors_free(part->missing.call);
		pinecone_vectors_free(part->total);
		pinecone_vectors_free(part->small);
		pinecone_field_drop_proof(part);
		for (int j = 0; j < part->n; j++)
			pinecone_vectors_free(part->values[j].count.call);
	}
	groups->nparts = 0;
}

/*
 * A row of the plan below, whose columns are the same.  Nodes expect to run in
 * the query's memory, where a sort keeps its rows until it is at its end; this
 * is called in memory that lasts for a row.
 */
static TupleTableSlot *
row_of_plan_below(ForeignScanState *node, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	TupleTableSlot *row = ExecProcNode(outerPlanState(node));
	int n = slot->tts_tupleDescriptor->natts;

	MemoryContextSwitchTo(old);
	if (TupIsNull(row))
	{
		((PineconeScanState *) node->fdw_state)->run->done = true;
		return slot;
	}
	slot_getallattrs(row);
	memcpy(slot->tts_values, row->tts_values, n * sizeof(Datum));
	memcpy(slot->tts_isnull, row->tts_isnull, n * sizeof(bool));
	return ExecStoreVirtualTuple(slot);
}

/* How many records of a group meet a filter of a count besides */
static double
filtered_count(PineconeScanState *state, const PineconeFieldGroup *group, int place)
{
	PineconeGroups *groups = state->run->groups;
	double count = 0;

	for (int i = 0; i < groups->nnamespaces; i++)
	{
		PineconeFieldPart *part = &groups->parts[(1 + place) * groups->nnamespaces + i];

		if (state->request->group_namespaces && strcmp(part->shown, group->namespace_) != 0)
			continue;
		if (group->value == NULL)
			count += part->missing.records;
		else
		{
			const PineconeFieldValue *value = find_value(part, group->value->key);

			count += value ? value->count.records : 0;
		}
	}
	return count;
}

static TupleTableSlot *
store_group(PineconeScanState *state, TupleTableSlot *slot, const PineconeFieldGroup *group)
{
	for (int i = 0; i < state->nlayout; i++)
	{
		slot->tts_isnull[i] = false;
		if (state->layout[i] == PINECONE_LAYOUT_COUNT)
			slot->tts_values[i] = Int64GetDatum((int64) group->count);
		else if (state->layout[i] <= PINECONE_LAYOUT_FILTERED)
			slot->tts_values[i] = Int64GetDatum((int64) filtered_count(state, group, PINECONE_LAYOUT_FILTERED - state->layout[i]));
		else if (state->layout[i] == PINECONE_LAYOUT_NOT_NULL)
			slot->tts_values[i] = Int64GetDatum(group->value ? (int64) group->count : 0);
		else if (state->layout[i] == state->request->group)
		{
			slot->tts_isnull[i] = group->value == NULL;
			slot->tts_values[i] = group->value ? group->value->datum : (Datum) 0;
		}
		else
			slot->tts_values[i] = pinecone_run_namespace_datum(state->table, group->namespace_);
	}
	return ExecStoreVirtualTuple(slot);
}

/* The single row of count(DISTINCT field), and of other counts with it. */
static TupleTableSlot *
store_distinct_count(PineconeScanState *state, TupleTableSlot *slot)
{
	PineconeGroups *groups = state->run->groups;
	double exists = 0;
	double missing = 0;

	for (int i = 0; i < groups->nnamespaces; i++)
	{
		exists += groups->parts[i].nexists;
		missing += groups->parts[i].missing.records;
	}
	for (int i = 0; i < state->nlayout; i++)
	{
		slot->tts_isnull[i] = false;
		slot->tts_values[i] = Int64GetDatum(state->layout[i] == PINECONE_LAYOUT_DISTINCT ? groups->ngroups :
											state->layout[i] == PINECONE_LAYOUT_COUNT	 ? (int64) (exists + missing) :
																						   (int64) exists);
	}
	state->run->done = true;
	return ExecStoreVirtualTuple(slot);
}

TupleTableSlot *
pinecone_groups_next(ForeignScanState *node, TupleTableSlot *slot)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;

	if (groups->groups == NULL && groups->given_up == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->run->cxt);

		find_groups(node);
		if (groups->given_up != NULL)
			drop_calls(groups);
		MemoryContextSwitchTo(old);
	}
	state->groups_given_up = groups->given_up;
	state->count_searches = groups->searches;
	if (groups->given_up != NULL)
		return row_of_plan_below(node, slot);
	if (!state->request->grouped)
		return store_distinct_count(state, slot);
	if (groups->next < groups->ngroups)
	{
		Assert(groups->groups != NULL);
		return store_group(state, slot, &groups->groups[groups->next++]);
	}
	state->run->done = true;
	return slot;
}
