/*
 * inner_scans.c
 *		The foreign scans below a nested loop's inner side whose requests the
 *		loop's parameters decide, and which of them an outer row will run.
 *
 * A scan is served when the expressions of its request depend on the loop's
 * parameters, and otherwise on such as are set further out: what is set
 * between loop and scan is not known before its time.
 *
 * Not every row runs every scan.  Between the loop and a scan there may be
 * gates: an Append that leaves out the partitions a row does not need, or that
 * may find enough in the first, a Result with a condition, a cache.  Nothing
 * is asked ahead that a gate will keep from running.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/ours.h"
#include "base/setting.h"
#include "scan/inner_scans.h"

/* Parameters remembered as being in a cache, before all are forgotten. */
#define MAX_CACHED 100000

/* What stands between the loop and a scan. */
typedef struct Gate
{
	struct Gate *above; /* or NULL */
	PlanState *node;	/* Append, MergeAppend, Result or Memoize */
	int child;			/* of an Append: the way to the scan */
	bool first_only;	/* of an Append: others may not be needed */
} Gate;

typedef struct ServedScan
{
	PineconeAnswers *ahead;
	PineconeScanState *state;
	Gate *gates;
} ServedScan;

struct PineconeInnerScans
{
	NestLoopState *loop;
	List *nest_params; /* the loop's: of NestLoopParam */
	int nscans;
	ServedScan *scans;
	bool gathers;
	MemoryContext row_cxt; /* for what is needed to ask for a row */
	ParamExecData *saved;  /* room for the loop's parameters */

	/* Parameters asked for already, by hash; what a Memoize has, it keeps */
	List *caches; /* of PlanState */
	HTAB *cached;
	uint64 evictions; /* of all caches when they were last looked at */
};

/* ---- Finding the scans ---- */

typedef struct Search
{
	PineconeInnerScans *served;
	Bitmapset *set_by_loop;
	Bitmapset *known; /* the same and those set further out */
	Gate *gates;	  /* above the node looked at */
	bool drained;	  /* its rows will be read to the end */
	bool hopeless;	  /* a gate above depends on what is not known */
} Search;

typedef struct ParamsUsed
{
	Bitmapset *ids;
	bool has_subplan;
} ParamsUsed;

static bool
collect_params(Node *node, ParamsUsed *used)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		used->ids = bms_add_member(used->ids, ((Param *) node)->paramid);
	if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
		used->has_subplan = true;
	return expression_tree_walker(node, collect_params, (void *) used);
}

static bool find_scans(PlanState *node, Search *search);

static Gate *
new_gate(Search *search, PlanState *node)
{
	Gate *gate = palloc0(sizeof(Gate));

	gate->above = search->gates;
	gate->node = node;
	return gate;
}

/* The set of parameters asked for, by hash. */
static HTAB *
new_cached(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = ctl.entrysize = sizeof(uint64);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("pinecone read-ahead", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Does the loop, and nothing between it and the scan, decide what this asks? */
static bool
scan_is_served(ForeignScanState *node, Search *search)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	ParamsUsed used = {0};

	if (search->hopeless || plan->operation != CMD_SELECT ||
		!pinecone_ours_is(node->fdwroutine) ||
		node->fdw_state == NULL || ((PineconeScanState *) node->fdw_state)->ahead != NULL ||
		((PineconeScanState *) node->fdw_state)->request->op == PINECONE_OP_GROUPS ||
		((PineconeScanState *) node->fdw_state)->request->op == PINECONE_OP_ORDERED)
		return false;
	(void) collect_params((Node *) plan->fdw_exprs, &used);
	return !used.has_subplan && bms_overlap(used.ids, search->set_by_loop) &&
		   bms_is_subset(used.ids, search->known);
}

static void
add_scan(ForeignScanState *node, Search *search)
{
	PineconeInnerScans *served = search->served;
	ServedScan *scan;

	served->scans = served->scans == NULL ?
						palloc(sizeof(ServedScan)) :
						repalloc(served->scans, (served->nscans + 1) * sizeof(ServedScan));
	scan = &served->scans[served->nscans++];
	scan->ahead = pinecone_answers_create(node, search->set_by_loop);
	scan->state = node->fdw_state;
	scan->gates = search->gates;
	served->gathers |= pinecone_answers_gathers(scan->ahead);
}

/*
 * Below an Append that prunes its children as it runs there are scans that a
 * row does not need; which, the parameters of the pruning tell.
 */
static void
find_scans_in_children(PlanState *node, PlanState **children, int n,
					   PartitionPruneState *prune, bool first_only, Search *search)
{
	Search below = *search;
	bool prunes = prune != NULL && prune->do_exec_prune;

	below.hopeless |= prunes && !bms_is_subset(prune->execparamids, search->known);
	for (int i = 0; i < n; i++)
	{
		if (prunes || first_only)
		{
			below.gates = new_gate(search, node);
			below.gates->child = i;
			below.gates->first_only = first_only;
		}
		(void) find_scans(children[i], &below);
	}
}

/* A Result may have a condition that keeps all below it from running. */
static void
find_scans_in_result(ResultState *node, Search *search)
{
	Search below = *search;
	ParamsUsed used = {0};

	(void) collect_params(((Result *) node->ps.plan)->resconstantqual, &used);
	below.hopeless |= used.has_subplan || !bms_is_subset(used.ids, search->known);
	if (node->resconstantqual != NULL)
		below.gates = new_gate(search, &node->ps);
	(void) planstate_tree_walker(&node->ps, find_scans, (void *) &below);
}

static void
find_scans_in_cache(PlanState *node, Search *search)
{
	Search below = *search;

	below.gates = new_gate(search, node);
	below.drained = false; /* a cache reads no more than it is asked for */
	search->served->caches = lappend(search->served->caches, node);
	(void) planstate_tree_walker(node, find_scans, (void *) &below);
}

/* Will a node read its input to the end, once it reads it? */
static bool
drains_input(PlanState *node, bool drained)
{
	switch (nodeTag(node))
	{
		case T_SortState:
		case T_HashState:
			return true;
		case T_AggState:
			return drained || ((Agg *) node->plan)->aggstrategy == AGG_PLAIN ||
				   ((Agg *) node->plan)->aggstrategy == AGG_HASHED;
		case T_LimitState:
		case T_WindowAggState:
			return false;
		case T_NestLoopState:
		case T_HashJoinState:
		case T_MergeJoinState:
			return drained && !((JoinState *) node)->single_match;
		default:
			return drained;
	}
}

/*
 * Walk down a plan to the scans that could be served ahead. On the way it
 * collects gates, nodes that may keep what is below them from running, and
 * whether what is below will be read to its end.
 */
static bool
find_scans(PlanState *node, Search *search)
{
	bool drained = search->drained;

	if (node == NULL)
		return false;
	check_stack_depth();
	if (IsA(node, ForeignScanState))
	{
		if (scan_is_served((ForeignScanState *) node, search))
			add_scan((ForeignScanState *) node, search);
	}
	else if (IsA(node, AppendState))
	{
		AppendState *append = (AppendState *) node;

		/* asynchronous children are all asked as soon as one is */
		find_scans_in_children(node, append->appendplans, append->as_nplans,
							   append->as_prune_state,
							   !drained && append->as_nasyncplans == 0, search);
	}
	else if (IsA(node, MergeAppendState))
	{
		MergeAppendState *append = (MergeAppendState *) node;

		find_scans_in_children(node, append->mergeplans, append->ms_nplans,
							   append->ms_prune_state, false, search);
	}
	else if (IsA(node, ResultState))
		find_scans_in_result((ResultState *) node, search);
	else if (IsA(node, MemoizeState))
		find_scans_in_cache(node, search);
	else
	{
		search->drained = drains_input(node, drained);
		(void) planstate_tree_walker(node, find_scans, (void *) search);
		search->drained = drained;
	}
	return false;
}

/* The parameters that are set while the loop runs, by it or further out. */
static Bitmapset *
known_parameters(NestLoop *plan, Bitmapset *set_by_loop)
{
	Bitmapset *known = bms_union(set_by_loop, plan->join.plan.extParam);
	ListCell *lc;
	ListCell *lc2;

	foreach(lc, plan->join.plan.initPlan)
	{
		foreach(lc2, lfirst_node(SubPlan, lc)->setParam)
			known = bms_add_member(known, lfirst_int(lc2));
	}
	return known;
}

PineconeInnerScans *
pinecone_inner_scans_find(NestLoopState *loop)
{
	NestLoop *plan = (NestLoop *) loop->js.ps.plan;
	MemoryContext old = MemoryContextSwitchTo(loop->js.ps.state->es_query_cxt);
	PineconeInnerScans *served = palloc0(sizeof(PineconeInnerScans));
	Search search = {0};
	ListCell *lc;

	served->loop = loop;
	served->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone read-ahead row",
											ALLOCSET_DEFAULT_SIZES);
	served->nest_params = plan->nestParams;
	served->saved = palloc(Max(list_length(plan->nestParams), 1) * sizeof(ParamExecData));
	foreach(lc, plan->nestParams)
		search.set_by_loop = bms_add_member(search.set_by_loop,
											lfirst_node(NestLoopParam, lc)->paramno);
	search.served = served;
	search.known = known_parameters(plan, search.set_by_loop);
	search.drained = (loop->js.jointype == JOIN_INNER || loop->js.jointype == JOIN_LEFT) &&
					 !loop->js.single_match;
	(void) find_scans(innerPlanState(loop), &search);
	if (served->caches != NIL)
		served->cached = new_cached();
	MemoryContextSwitchTo(old);
	return served->nscans > 0 ? served : NULL;
}

/* ---- Caches ---- */

static void
forget_cached(PineconeInnerScans *served)
{
	HASH_SEQ_STATUS status;
	uint64 *key;

	if (served->cached == NULL)
		return;
	hash_seq_init(&status, served->cached);
	while ((key = hash_seq_search(&status)) != NULL)
		(void) hash_search(served->cached, key, HASH_REMOVE, NULL);
}

static uint64
hash_of_parameters(PineconeInnerScans *served, TupleTableSlot *slot)
{
	uint64 hash = 0;
	ListCell *lc;

	foreach(lc, served->nest_params)
	{
		AttrNumber attnum = lfirst_node(NestLoopParam, lc)->paramval->varattno;
		Form_pg_attribute att = TupleDescAttr(slot->tts_tupleDescriptor, attnum - 1);
		bool isnull;
		Datum value = slot_getattr(slot, attnum, &isnull);
		uint64 one = 0;

		if (!isnull && att->attbyval)
			one = DatumGetUInt64(hash_any_extended((unsigned char *) &value, sizeof(value), 1));
		else if (!isnull && att->attlen == -1)
		{
			struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

			one = DatumGetUInt64(hash_any_extended((unsigned char *) VARDATA_ANY(packed),
												   VARSIZE_ANY_EXHDR(packed), 1));
			if ((Pointer) packed != DatumGetPointer(value))
				pfree(packed);
		}
		else if (!isnull)
			one = DatumGetUInt64(hash_any_extended((unsigned char *) DatumGetPointer(value),
												   datumGetSize(value, false, att->attlen), 1));
		hash = hash_combine64(hash, one);
	}
	return hash;
}

/*
 * Will a row's answers come from a cache?  What has been asked for once does,
 * unless the cache has had to drop something.  A wrong guess costs a request
 * that overlaps with no other, or one too many.
 */
static bool
row_is_cached(PineconeInnerScans *served, TupleTableSlot *slot)
{
	uint64 hash;
	uint64 evictions = 0;
	bool found;
	ListCell *lc;

	if (served->cached == NULL)
		return false;
	foreach(lc, served->caches)
		evictions += pinecone_memoize_evictions(lfirst(lc));
	if (evictions != served->evictions || hash_get_num_entries(served->cached) >= MAX_CACHED)
		forget_cached(served);
	served->evictions = evictions;
	hash = hash_of_parameters(served, slot);
	(void) hash_search(served->cached, &hash, HASH_ENTER, &found);
	return found;
}

/* ---- Gates ---- */

/* Will a row come through a gate?  The parameters are set to it. */
static bool
gate_is_open(Gate *gate, bool cached)
{
	PartitionPruneState *prune;
	Bitmapset *valid = NULL;

	if (IsA(gate->node, MemoizeState))
		return !cached;
	if (IsA(gate->node, ResultState))
	{
		ResultState *result = (ResultState *) gate->node;

		return ExecQual(result->resconstantqual, result->ps.ps_ExprContext);
	}
	prune = IsA(gate->node, AppendState) ? ((AppendState *) gate->node)->as_prune_state :
										   ((MergeAppendState *) gate->node)->ms_prune_state;
	if (prune == NULL || !prune->do_exec_prune)
		return gate->child == 0;
	valid = pinecone_find_matching_subplans(prune);
	if (gate->first_only)
		return bms_next_member(valid, -1) == gate->child;
	return bms_is_member(gate->child, valid);
}

static bool
gates_are_open(Gate *gate, bool cached)
{
	for (; gate != NULL; gate = gate->above)
	{
		if (!gate_is_open(gate, cached))
			return false;
	}
	return true;
}

/* ---- Asking ---- */

static void
set_parameters(PineconeInnerScans *served, TupleTableSlot *row)
{
	ParamExecData *params = served->loop->js.ps.state->es_param_exec_vals;
	ListCell *lc;

	foreach(lc, served->nest_params)
	{
		NestLoopParam *param = lfirst(lc);
		ParamExecData *set = &params[param->paramno];

		served->saved[foreach_current_index(lc)] = *set;
		set->value = slot_getattr(row, param->paramval->varattno, &set->isnull);
	}
}

static void
restore_parameters(PineconeInnerScans *served)
{
	ParamExecData *params = served->loop->js.ps.state->es_param_exec_vals;
	ListCell *lc;

	foreach(lc, served->nest_params)
		params[lfirst_node(NestLoopParam, lc)->paramno] = served->saved[foreach_current_index(lc)];
}

PineconeAnswer **
pinecone_inner_scans_ask(PineconeInnerScans *served, TupleTableSlot *row)
{
	PineconeAnswer **answers = palloc0(served->nscans * sizeof(PineconeAnswer *));
	MemoryContext old = MemoryContextSwitchTo(served->row_cxt);
	bool cached = row_is_cached(served, row);

	set_parameters(served, row);
	for (int i = 0; i < served->nscans; i++)
	{
		if (gates_are_open(served->scans[i].gates, cached))
			answers[i] = pinecone_answers_ask(served->scans[i].ahead);
	}
	restore_parameters(served);
	MemoryContextSwitchTo(old);
	MemoryContextReset(served->row_cxt);
	return answers;
}

void
pinecone_inner_scans_release(PineconeInnerScans *served, PineconeAnswer **answers)
{
	for (int i = 0; i < served->nscans; i++)
	{
		if (answers[i])
			pinecone_answers_release(answers[i]);
	}
	pfree(answers);
}

bool
pinecone_inner_scans_gathers(PineconeInnerScans *served)
{
	return served->gathers;
}

bool
pinecone_inner_scans_gathers_filters(PineconeInnerScans *served)
{
	for (int i = 0; i < served->nscans; i++)
	{
		if (pinecone_answers_gathers_filters(served->scans[i].ahead))
			return true;
	}
	return false;
}

int
pinecone_inner_scans_waiting(PineconeInnerScans *served)
{
	int most = 0;

	for (int i = 0; i < served->nscans; i++)
		most = Max(most, pinecone_answers_waiting(served->scans[i].ahead));
	return most;
}

void
pinecone_inner_scans_flush(PineconeInnerScans *served)
{
	for (int i = 0; i < served->nscans; i++)
		pinecone_answers_flush(served->scans[i].ahead);
}

double
pinecone_inner_scans_most_rows(PineconeInnerScans *served)
{
	double most = get_float8_infinity();

	for (int i = 0; i < served->nscans; i++)
	{
		PineconeAnswers *ahead = served->scans[i].ahead;
		double bytes = pinecone_answers_bytes(ahead);

		/* what is on the wire, and as much again that has arrived */
		if (!pinecone_answers_gathers(ahead))
			most = Min(most, 2 * pinecone_answers_concurrency(ahead));
		if (bytes > 0)
			most = Min(most, pinecone_prefetch_kb * 1024.0 / (bytes * served->nscans));
	}
	return most;
}

void
pinecone_inner_scans_rescan(PineconeInnerScans *served)
{
	forget_cached(served);
}

void
pinecone_inner_scans_cost(PineconeInnerScans *served, PineconeCounters *cost, double *ids_per_request)
{
	uint64 fetches = 0;

	memset(cost, 0, sizeof(*cost));
	for (int i = 0; i < served->nscans; i++)
	{
		PineconeCounters *counters = &served->scans[i].state->counters;

		pinecone_answers_settle(served->scans[i].ahead);
		pinecone_counters_add(cost, counters);
		if (counters->ids_fetched > 0)
			fetches += counters->requests;
	}
	*ids_per_request = fetches > 0 ? (double) cost->ids_fetched / fetches : 0;
}
