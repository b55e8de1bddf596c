/*
 * request.c
 *		The request plan's copyable form.
 *
 * fdw_private must survive copyObject() and plan caching, so a request is
 * flattened into lists of Integer, String and Const nodes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"

#include "base/compat.h"
#include "request/request.h"

static List *
condition_to_list(const PineconeCondition *condition)
{
	List *args = NIL;
	ListCell *lc;

	if (condition == NULL)
		return NIL;
	foreach(lc, condition->args)
		args = lappend(args, condition_to_list(lfirst(lc)));

	return list_make4(list_make4_int(condition->kind, condition->compare, condition->attnum,
									 condition->value),
					  makeInteger(condition->key != NULL),
					  makeString(condition->key ? condition->key : pstrdup("")),
					  args);
}

static PineconeCondition *
condition_from_list(List *list)
{
	PineconeCondition *condition;
	List *numbers;
	ListCell *lc;

	if (list == NIL)
		return NULL;
	condition = palloc0(sizeof(PineconeCondition));
	numbers = linitial(list);
	condition->kind = linitial_int(numbers);
	condition->compare = lsecond_int(numbers);
	condition->attnum = lthird_int(numbers);
	condition->value = lfourth_int(numbers);
	if (intVal(lsecond(list)))
		condition->key = strVal(lthird(list));
	foreach(lc, (List *) lfourth(list))
		condition->args = lappend(condition->args, condition_from_list(lfirst(lc)));
	return condition;
}

static List *
counts_to_list(List *counts)
{
	List *result = NIL;
	ListCell *lc;

	foreach(lc, counts)
	{
		PineconeCount *count = lfirst(lc);

		result = lappend(result, list_make2(condition_to_list(count->filter), makeInteger(count->factor)));
	}
	return result;
}

static List *
counts_from_list(List *list)
{
	List *result = NIL;
	ListCell *lc;

	foreach(lc, list)
	{
		PineconeCount *count = palloc0(sizeof(PineconeCount));

		count->filter = condition_from_list(linitial(lfirst(lc)));
		count->factor = intVal(lsecond((List *) lfirst(lc)));
		result = lappend(result, count);
	}
	return result;
}

/* The places of a request's integers; keep both functions below in step. */
enum RequestNumber
{
	NUM_OP,
	NUM_PREFIX,
	NUM_PREFIX_IS_LIKE,
	NUM_PREFIX_HIGH,
	NUM_PLACE,
	NUM_AFTER,
	NUM_BEFORE,
	NUM_METRIC,
	NUM_VECTOR,
	NUM_SPARSE,
	NUM_ALPHA,
	NUM_ZEROS,
	NUM_VECTOR_ID,
	NUM_BOUND,
	NUM_BOUND_IS_STRICT,
	NUM_SCORE_BOUND,
	NUM_SCORE_COMPARE,
	NUM_SCORED,
	NUM_OTHER_METRIC,
	NUM_NO_SEARCH,
	NUM_LACKS_SCORE,
	NUM_LIMIT,
	NUM_OFFSET,
	NUM_WANT_VALUES,
	NUM_WANT_METADATA,
	NUM_WANT_CTID,
	NUM_ALL,
	NUM_BEGINS,
	NUM_SORTED,
	NUM_GROUPED,
	NUM_METRIC_ASSUMED,
	NUM_SCHEMA,
	NUM_GROUP,
	NUM_GROUP_NAMESPACES,
	NUM_GROUP_BUDGET,
	NUM_GROUP_SEARCHES,
	NUM_DESCENDING,
	NUM_NULLS_FIRST,
	NUM_SKIPS,
	NUM_COUNT
};

/* A number that need not be whole, as a node: no text, which every execution would have to read. */
static Node *
number_node(double number)
{
	return (Node *) makeConst(FLOAT8OID, -1, InvalidOid, sizeof(float8), Float8GetDatum(number), false, FLOAT8PASSBYVAL);
}

static double
number_of(const void *node)
{
	return DatumGetFloat8(((const Const *) node)->constvalue);
}

static List *
way_to_list(const PineconeRequest *request)
{
	return lappend(list_make5(makeInteger(request->way), number_node(request->matches),
							  number_node(request->way_requests),
							  number_node(request->way_bytes),
							  number_node(request->way_latency_us)),
				   number_node(request->way_units));
}

static void
way_from_list(PineconeRequest *request, List *list)
{
	request->way = intVal(linitial(list));
	request->matches = number_of(lsecond(list));
	request->way_requests = number_of(lthird(list));
	request->way_bytes = number_of(lfourth(list));
	request->way_latency_us = number_of(list_nth(list, 4));
	request->way_units = number_of(list_nth(list, 5));
}

/*
 * A plan can be copied only as lists of nodes. Numbers come first, by their
 * place in the enum above; what is not a number follows.
 */
List *
pinecone_request_to_list(const PineconeRequest *request)
{
	int numbers[NUM_COUNT];
	List *list = NIL;

	numbers[NUM_OP] = request->op;
	numbers[NUM_PREFIX] = request->prefix;
	numbers[NUM_PREFIX_IS_LIKE] = request->prefix_is_like;
	numbers[NUM_PREFIX_HIGH] = request->prefix_high;
	numbers[NUM_PLACE] = request->place;
	numbers[NUM_AFTER] = request->after;
	numbers[NUM_BEFORE] = request->before;
	numbers[NUM_METRIC] = request->metric;
	numbers[NUM_VECTOR] = request->vector;
	numbers[NUM_SPARSE] = request->sparse;
	numbers[NUM_ALPHA] = request->alpha;
	numbers[NUM_ZEROS] = request->zeros;
	numbers[NUM_VECTOR_ID] = request->vector_id;
	numbers[NUM_BOUND] = request->bound;
	numbers[NUM_BOUND_IS_STRICT] = request->bound_is_strict;
	numbers[NUM_SCORE_BOUND] = request->score_bound;
	numbers[NUM_SCORE_COMPARE] = request->score_compare;
	numbers[NUM_SCORED] = request->scored;
	numbers[NUM_NO_SEARCH] = request->no_search;
	numbers[NUM_LACKS_SCORE] = request->lacks_score;
	numbers[NUM_OTHER_METRIC] = request->other_metric;
	numbers[NUM_LIMIT] = request->limit;
	numbers[NUM_OFFSET] = request->offset;
	numbers[NUM_WANT_VALUES] = request->want_values;
	numbers[NUM_WANT_METADATA] = request->want_metadata;
	numbers[NUM_WANT_CTID] = request->want_ctid;
	numbers[NUM_ALL] = request->all;
	numbers[NUM_BEGINS] = request->begins;
	numbers[NUM_SORTED] = request->sorted;
	numbers[NUM_GROUPED] = request->grouped;
	numbers[NUM_METRIC_ASSUMED] = request->metric_assumed;
	numbers[NUM_SCHEMA] = (int) request->schema;
	numbers[NUM_GROUP] = request->group;
	numbers[NUM_GROUP_NAMESPACES] = request->group_namespaces;
	numbers[NUM_GROUP_BUDGET] = request->group_budget;
	numbers[NUM_GROUP_SEARCHES] = request->group_searches;
	numbers[NUM_DESCENDING] = request->descending;
	numbers[NUM_NULLS_FIRST] = request->nulls_first;
	numbers[NUM_SKIPS] = request->skips;

	for (int i = 0; i < NUM_COUNT; i++)
		list = lappend_int(list, numbers[i]);

	return lappend(lappend(list_make5(list,
									  condition_to_list(request->filter),
									  list_copy(request->ids),
									  list_copy(request->wanted),
									  list_copy(request->layout)),
						   lappend(list_make5(number_node(request->survive),
											  number_node(request->rows),
											  copyObject(request->namespaces),
											  list_copy(request->namespace_quals),
											  list_make3(list_copy(request->id_quals), copyObject(request->clauses), way_to_list(request))),
								   makeString(psprintf(INT64_FORMAT, request->planned_at)))),
				   counts_to_list(request->counts));
}

void
pinecone_request_mark_skips(List *list)
{
	lfirst_int(list_nth_cell((List *) linitial(list), NUM_SKIPS)) = true;
}

/* The reverse, in the same order. Lists stay the plan's own. */
PineconeRequest *
pinecone_request_from_list(List *list)
{
	PineconeRequest *request = palloc0(sizeof(PineconeRequest));
	List *numbers = linitial(list);
	List *rest = list_nth(list, 5);

	Assert(list_length(numbers) == NUM_COUNT);
	request->op = list_nth_int(numbers, NUM_OP);
	request->prefix = list_nth_int(numbers, NUM_PREFIX);
	request->prefix_is_like = list_nth_int(numbers, NUM_PREFIX_IS_LIKE);
	request->prefix_high = list_nth_int(numbers, NUM_PREFIX_HIGH);
	request->place = list_nth_int(numbers, NUM_PLACE);
	request->after = list_nth_int(numbers, NUM_AFTER);
	request->before = list_nth_int(numbers, NUM_BEFORE);
	request->metric = list_nth_int(numbers, NUM_METRIC);
	request->vector = list_nth_int(numbers, NUM_VECTOR);
	request->sparse = list_nth_int(numbers, NUM_SPARSE);
	request->alpha = list_nth_int(numbers, NUM_ALPHA);
	request->zeros = list_nth_int(numbers, NUM_ZEROS);
	request->vector_id = list_nth_int(numbers, NUM_VECTOR_ID);
	request->bound = list_nth_int(numbers, NUM_BOUND);
	request->bound_is_strict = list_nth_int(numbers, NUM_BOUND_IS_STRICT);
	request->score_bound = list_nth_int(numbers, NUM_SCORE_BOUND);
	request->score_compare = list_nth_int(numbers, NUM_SCORE_COMPARE);
	request->scored = list_nth_int(numbers, NUM_SCORED);
	request->no_search = list_nth_int(numbers, NUM_NO_SEARCH);
	request->lacks_score = list_nth_int(numbers, NUM_LACKS_SCORE);
	request->other_metric = list_nth_int(numbers, NUM_OTHER_METRIC);
	request->limit = list_nth_int(numbers, NUM_LIMIT);
	request->offset = list_nth_int(numbers, NUM_OFFSET);
	request->want_values = list_nth_int(numbers, NUM_WANT_VALUES);
	request->want_metadata = list_nth_int(numbers, NUM_WANT_METADATA);
	request->want_ctid = list_nth_int(numbers, NUM_WANT_CTID);
	request->all = list_nth_int(numbers, NUM_ALL);
	request->begins = list_nth_int(numbers, NUM_BEGINS);
	request->sorted = list_nth_int(numbers, NUM_SORTED);
	request->grouped = list_nth_int(numbers, NUM_GROUPED);
	request->metric_assumed = list_nth_int(numbers, NUM_METRIC_ASSUMED);
	request->schema = (uint32) list_nth_int(numbers, NUM_SCHEMA);
	request->group = list_nth_int(numbers, NUM_GROUP);
	request->group_namespaces = list_nth_int(numbers, NUM_GROUP_NAMESPACES);
	request->group_budget = list_nth_int(numbers, NUM_GROUP_BUDGET);
	request->group_searches = list_nth_int(numbers, NUM_GROUP_SEARCHES);
	request->descending = list_nth_int(numbers, NUM_DESCENDING);
	request->nulls_first = list_nth_int(numbers, NUM_NULLS_FIRST);
	request->skips = list_nth_int(numbers, NUM_SKIPS);

	request->filter = condition_from_list(lsecond(list));
	request->ids = lthird(list);
	request->wanted = lfourth(list);
	request->layout = list_nth(list, 4);
	request->survive = number_of(linitial(rest));
	request->rows = number_of(lsecond(rest));
	request->namespaces = lthird(rest);
	request->namespace_quals = lfourth(rest);
	request->id_quals = linitial(list_nth(rest, 4));
	request->clauses = lsecond(list_nth(rest, 4));
	way_from_list(request, lthird(list_nth(rest, 4)));
	request->planned_at = strtoi64(strVal(list_nth(rest, 5)), NULL, 10);
	request->counts = counts_from_list(list_nth(list, 6));
	return request;
}

/*
 * Dense indexes of inner products hold sparse vectors besides.  Documents are searched
 * by one vector at a time.
 */
bool
pinecone_request_fits(const PineconeSchema *schema, const PineconeStats *stats, PineconeMetric metric,
					  bool dense, bool sparse)
{
	if (!sparse)
		return stats->metric == metric && !stats->sparse;
	if (schema != NULL)
		return !dense && schema->sparse != NULL && schema->sparse->kind == PINECONE_SCHEMA_SPARSE;
	return stats->metric == PINECONE_METRIC_DOTPRODUCT && !(dense && stats->sparse);
}

bool
pinecone_request_matches_words(const PineconeCondition *condition)
{
	ListCell *lc;

	if (condition == NULL)
		return false;
	if (condition->kind == PINECONE_COND_MATCH_PHRASE || condition->kind == PINECONE_COND_MATCH_ALL ||
		condition->kind == PINECONE_COND_MATCH_ANY)
		return true;
	foreach(lc, condition->args)
	{
		if (pinecone_request_matches_words(lfirst(lc)))
			return true;
	}
	return false;
}

bool
pinecone_request_needs_sending(const PineconeCondition *condition)
{
	ListCell *lc;

	if (pinecone_request_matches_words(condition) || condition->kind == PINECONE_COND_RECORD)
		return true;
	foreach(lc, condition->args)
	{
		if (pinecone_request_needs_sending(lfirst(lc)))
			return true;
	}
	return false;
}

const char *
pinecone_request_operation_name(PineconeOperation op)
{
	switch (op)
	{
		case PINECONE_OP_FETCH:
			return "fetch";
		case PINECONE_OP_QUERY:
			return "query";
		case PINECONE_OP_LIST:
			return "list";
		case PINECONE_OP_LIST_FETCH:
			return "list and fetch";
		case PINECONE_OP_FILTER:
			return "fetch by metadata";
		case PINECONE_OP_STATS:
			return "describe index stats";
		case PINECONE_OP_COUNT:
			return "count by update dry run";
		case PINECONE_OP_ORDERED:
			return "fetch by metadata, in order";
		case PINECONE_OP_GROUPS:
			return "search for values, and count by update dry runs";
	}
	elog(ERROR, "unrecognized Pinecone operation: %d", (int) op);
}

Bitmapset *
pinecone_request_columns(const PineconeCondition *condition)
{
	Bitmapset *columns = condition->attnum > 0 ? bms_make_singleton(condition->attnum) : NULL;
	ListCell *lc;

	foreach(lc, condition->args)
		columns = bms_join(columns, pinecone_request_columns(lfirst(lc)));
	return columns;
}
