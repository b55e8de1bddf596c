/*
 * plan_groups.c
 *		DISTINCT, count(DISTINCT) and GROUP BY with count(*), also FILTER (WHERE
 *		...), of a field of few values, without reading records: see
 *		scan/run_groups.c.
 *
 * The path has PostgreSQL's own below it, an aggregate of the rows, which is
 * run where the values turn out to be many or cannot be told for sure.  Nothing
 * is returned before that is known.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "plan/paths.h"

/* Values that a field is taken to have where ANALYZE has not looked: to try costs little */
#define ASSUMED_VALUES 20

/* Bytes of an id that a search brings */
#define BYTES_PER_ID 50

/* Bytes of the records that searches bring to find values */
#define SAMPLE_COST 12.5

typedef struct GroupQuery
{
	PlannerInfo *root;
	RelOptInfo *rel;
	PineconePlanInfo *info;
	List *clauses;		   /* of GROUP BY or DISTINCT */
	PineconeColumn *field; /* grouped by */
	Var *var;
	bool by_namespace;
	bool counts; /* are records counted, value by value? */
	int filters; /* counts of those that meet a condition besides */
	PathTarget *components;
} GroupQuery;

/* ---- What is asked ---- */

/* Do values of the field compare as Pinecone's do, so that each can be asked for? */
static bool
field_has_groups(const GroupQuery *query, const PineconeColumn *column)
{
	if (column == NULL || column->role != PINECONE_ROLE_FIELD ||
		(OidIsValid(column->collation) && !get_collation_isdeterministic(column->collation)))
		return false;
	/* what is read is what is stored: numbers that are rounded are not */
	return pinecone_shippable_condition(column, PINECONE_COND_IN, PINECONE_EQ, column->typid,
										query->info->table->type_error_null) == PINECONE_EXACT;
}

/* Take a column for the one that is grouped by; there may be one. */
static bool
take_field(GroupQuery *query, Expr *expr)
{
	PineconeColumn *column = pinecone_plan_plain_column(expr, query->rel, query->info->table);

	if (!field_has_groups(query, column) || (query->field != NULL && query->field != column))
		return false;
	query->field = column;
	query->var = (Var *) expr;
	return true;
}

static bool
is_field(const GroupQuery *query, Expr *expr)
{
	return query->field != NULL &&
		   pinecone_plan_plain_column(expr, query->rel, query->info->table) == query->field;
}

/* GROUP BY, or DISTINCT: the field, and perhaps the namespace */
static bool
take_clauses(GroupQuery *query, PathTarget *target)
{
	ListCell *lc;

	foreach(lc, query->clauses)
	{
		SortGroupClause *clause = lfirst(lc);
		Expr *expr = NULL;
		ListCell *lc2;

		if (!clause->hashable)
			return false;
		foreach(lc2, target->exprs)
		{
			if (get_pathtarget_sortgroupref(target, foreach_current_index(lc2)) == clause->tleSortGroupRef)
				expr = lfirst(lc2);
		}
		if (expr == NULL)
			return false;
		if (pinecone_plan_is_namespace(expr, query->rel, query->info->table))
			query->by_namespace = true;
		else if (!take_field(query, expr))
			return false;
	}
	return true;
}

/* count(DISTINCT field), without groups */
static bool
is_distinct_count(GroupQuery *query, Aggref *agg)
{
	return query->clauses == NIL && agg->aggfnoid == F_COUNT_ANY && agg->aggsplit == AGGSPLIT_SIMPLE &&
		   agg->agglevelsup == 0 && list_length(agg->aggdistinct) == 1 && agg->aggfilter == NULL &&
		   take_field(query, linitial_node(TargetEntry, agg->args)->expr);
}

/* count(field) */
static bool
counts_field(const GroupQuery *query, Aggref *agg)
{
	return agg->aggfnoid == F_COUNT_ANY && agg->agglevelsup == 0 && agg->aggdistinct == NIL &&
		   agg->aggorder == NIL && agg->aggfilter == NULL &&
		   (agg->aggsplit == AGGSPLIT_SIMPLE || agg->aggsplit == AGGSPLIT_INITIAL_SERIAL) &&
		   is_field(query, linitial_node(TargetEntry, agg->args)->expr);
}

/* count(*) FILTER (WHERE ...), by value */
static bool
counts_filtered(const GroupQuery *query, Aggref *agg)
{
	PineconeTranslate cxt = pinecone_plan_translate(query->root, query->rel);
	PineconeCount count;

	return query->clauses != NIL && agg->aggfilter != NULL &&
		   pinecone_plan_translate_count(&cxt, agg, query->rel, &count) && count.factor == 0;
}

/* Everything that the target and HAVING are made of: is it known how to tell? */
static bool
take_components(GroupQuery *query, PathTarget *target, Node *having)
{
	List *parts = list_concat(pull_var_clause((Node *) target->exprs,
											  PVC_INCLUDE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS),
							  pull_var_clause(having, PVC_INCLUDE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS));
	ListCell *lc;

	query->components = create_empty_pathtarget();
	/* count(DISTINCT field) says what the field is */
	foreach(lc, parts)
	{
		if (IsA(lfirst(lc), Aggref) && ((Aggref *) lfirst(lc))->aggdistinct != NIL &&
			!is_distinct_count(query, lfirst(lc)))
			return false;
	}
	if (query->field == NULL)
		return false;
	foreach(lc, parts)
	{
		Expr *expr = lfirst(lc);

		if (IsA(expr, Aggref) && ((Aggref *) expr)->aggdistinct == NIL)
		{
			if (!pinecone_plan_counts_rows((Aggref *) expr, query->rel, query->info->table) &&
				!counts_field(query, (Aggref *) expr))
			{
				if (!counts_filtered(query, (Aggref *) expr))
					return false;
				query->filters++;
			}
			query->counts = true;
		}
		else if (IsA(expr, Var) && !(query->clauses != NIL && is_field(query, expr)) &&
				 !(query->by_namespace && pinecone_plan_is_namespace(expr, query->rel, query->info->table)))
			return false;
		else if (!IsA(expr, Var) && !IsA(expr, Aggref))
			return false;
		add_new_column_to_pathtarget(query->components, copyObject(expr));
	}
	/* a query may want to know no more than that there are groups */
	if (query->components->exprs == NIL)
		add_new_column_to_pathtarget(query->components, (Expr *) copyObject(query->var));
	set_pathtarget_cost_width(query->root, query->components);
	return true;
}

/* ---- What it costs ---- */

/* How many values, NULL aside: a guess where nobody has looked (*guessed). */
static double
estimate_values(GroupQuery *query, bool *guessed)
{
	VariableStatData data;

	examine_variable(query->root, (Node *) query->var, 0, &data);
	(void) get_variable_numdistinct(&data, guessed);
	ReleaseVariableStats(data);
	if (*guessed)
		return ASSUMED_VALUES;
	return estimate_num_groups(query->root, list_make1(query->var), query->rel->rows, NULL, NULL);
}

/* How many requests of a kind go at once, without a wait; 0: all. */
static double
rate_of(const PineconePlanInfo *info, PineconeRateKind kind)
{
	return pinecone_session_rate(info->session, kind);
}

/* One request among many of its kind: several are in flight, and each takes its turn. */
static Cost
request_cost(const PineconePlanInfo *info, PineconeRateKind kind)
{
	double limit = rate_of(info, kind);

	return Max(PINECONE_NEXT_REQUEST_COST, limit > 0 ? PINECONE_SECOND_COST / limit : 0);
}

/* So many of them, the first of which need not wait */
static Cost
requests_cost(const PineconePlanInfo *info, PineconeRateKind kind, double n)
{
	return Max(0, n - rate_of(info, kind)) * request_cost(info, kind) + n * PINECONE_NEXT_REQUEST_COST;
}

/* How many are to be had for a cost */
static int
requests_for(const PineconePlanInfo *info, PineconeRateKind kind, Cost cost)
{
	return (int) Max(0, Min(10000, cost / (request_cost(info, kind) + PINECONE_NEXT_REQUEST_COST) + rate_of(info, kind)));
}

/* May records be counted by searches for their ids, and in part: what comes of that? */
static bool
may_search(const GroupQuery *query, Cost *bytes)
{
	PineconePlanInfo *info = query->info;

	*bytes = query->rel->rows * BYTES_PER_ID * PINECONE_BYTE_COST;
	return pinecone_enable_count_searches && query->counts && query->clauses != NIL && info->stats != NULL &&
		   info->stats->dimension > 0 && !info->stats->sparse &&
		   (pinecone_sweep_records == 0 || rate_of(info, PINECONE_RATE_UPDATE_BY_METADATA) > 0);
}

/* Dry runs that the counts of searches are held against, where one does not tell */
static Cost
proof_cost(const GroupQuery *query, double values)
{
	const PineconePlanInfo *info = query->info;
	double records = query->rel->rows / Max(1, info->nnamespaces);

	if (records < PINECONE_MOST_TOLD)
		return 0;
	return requests_cost(info, PINECONE_RATE_UPDATE_BY_METADATA,
						 records / PINECONE_COUNTED_OF_PART + 2 + Min(values, records / PINECONE_MAX_TOP_K)) *
		   (1 + query->filters);
}

static void
add_groups_path(GroupQuery *query, RelOptInfo *output_rel, PathTarget *target, Node *having, Path *instead)
{
	PineconePlanInfo *info = query->info;
	bool guessed;
	double values = estimate_values(query, &guessed);
	/* each namespace has an allowance of its own */
	double asked = (query->counts && query->clauses != NIL ? values + 3 : 3) * (1 + query->filters);
	double others = info->nnamespaces - 1;
	Cost fixed = 3 * PINECONE_REQUEST_COST +
				 info->nnamespaces * (SAMPLE_COST + 2 * PINECONE_NEXT_REQUEST_COST);
	Cost cost = requests_cost(info, PINECONE_RATE_UPDATE_BY_METADATA, asked) + others * asked * PINECONE_NEXT_REQUEST_COST;
	Cost worth = instead->total_cost / 2 - fixed;
	Cost bytes;
	int dry_runs = requests_for(info, PINECONE_RATE_UPDATE_BY_METADATA, worth);
	int searches = 0;
	double rows = query->clauses == NIL ? 1 : clamp_row_est(values * (query->by_namespace ? info->nnamespaces : 1));
	List *private;

	if (may_search(query, &bytes))
	{
		cost = Min(cost, requests_cost(info, PINECONE_RATE_QUERY, (values + 1) * (1 + query->filters)) + bytes +
							 others * (values + 1) * PINECONE_NEXT_REQUEST_COST +
							 proof_cost(query, values));
		searches = requests_for(info, PINECONE_RATE_QUERY, worth - bytes);
	}
	/* it would be begun, and given up */
	if (!guessed && dry_runs < asked && searches < (values + 1) * (1 + query->filters))
		return;
	private = list_make5(makeInteger(PINECONE_OP_GROUPS), NULL, makeInteger(query->clauses != NIL), having,
						 list_make4_int(query->field->attnum, query->by_namespace,
										dry_runs, searches));
	cost += fixed + rows * cpu_tuple_cost;
	add_path(output_rel, (Path *) pinecone_create_upper_path(query->root, output_rel, target, rows, cost, cost,
															 instead, private));
}

/*
 * The same by reading rows.  Keys that a condition makes constant are not
 * grouped by, as the input need not have them as such; and where PostgreSQL has
 * chosen that the input of a DISTINCT aggregate is sorted, the aggregate does
 * not sort it.
 */
static Path *
aggregate_of_rows(GroupQuery *query, UpperRelationKind stage, RelOptInfo *output_rel, Node *having)
{
	PlannerInfo *root = query->root;
	AggSplit split = stage == UPPERREL_PARTIAL_GROUP_AGG ? AGGSPLIT_INITIAL_SERIAL : AGGSPLIT_SIMPLE;
	List *keys = stage == UPPERREL_DISTINCT ? pinecone_distinct_keys(root) : pinecone_group_keys(root);
	Path *rows = query->rel->cheapest_total_path;
	AggClauseCosts costs;
	bool guessed;

	MemSet(&costs, 0, sizeof(costs));
	if (stage != UPPERREL_DISTINCT)
		get_agg_clause_costs(root, split, &costs);
	if (query->clauses == NIL && !pathkeys_contained_in(root->group_pathkeys, rows->pathkeys))
		rows = (Path *) create_sort_path(root, output_rel, rows, root->group_pathkeys, -1);
	return (Path *) create_agg_path(root, output_rel, rows, query->components,
									query->clauses == NIL ? AGG_PLAIN : AGG_HASHED, split,
									keys, (List *) having,
									stage == UPPERREL_DISTINCT ? NULL : &costs,
									query->clauses == NIL ? 1 : estimate_values(query, &guessed));
}

bool
pinecone_plan_groups(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
					 RelOptInfo *output_rel, PathTarget *target, Node *having)
{
	Query *parse = root->parse;
	GroupQuery query = {root, input_rel, input_rel->fdw_private};
	bool filtered;

	query.clauses = stage == UPPERREL_DISTINCT ? parse->distinctClause : parse->groupClause;
	if (!pinecone_enable_groups || parse->groupingSets != NIL || parse->hasTargetSRFs ||
		(stage == UPPERREL_DISTINCT &&
		 (parse->hasAggs || parse->groupClause != NIL || parse->hasWindowFuncs || parse->hasDistinctOn)) ||
		!pinecone_plan_may_count(query.info) || !bms_is_empty(input_rel->lateral_relids) ||
		!take_clauses(&query, target) || !take_components(&query, target, having) ||
		!pinecone_plan_conditions_are_exact(root, input_rel, &filtered) ||
		contain_subplans(having) || input_rel->cheapest_total_path == NULL ||
		input_rel->cheapest_total_path->param_info != NULL)
		return false;
	add_groups_path(&query, output_rel, target, having,
					aggregate_of_rows(&query, stage, output_rel, having));
	return true;
}

/* ---- The plan ---- */

/* What an aggregate of groups counts */
static int
counted_of_groups(Aggref *agg, RelOptInfo *rel, PineconeTranslate *translate, PineconeRequest *request)
{
	Var *arg;

	if (agg->aggfilter != NULL)
	{
		PineconeCount *count = palloc(sizeof(PineconeCount));

		if (!pinecone_plan_translate_count(translate, agg, rel, count))
			elog(ERROR, "aggregate does not count rows");
		request->counts = lappend(request->counts, count);
		return PINECONE_LAYOUT_FILTERED - (list_length(request->counts) - 1);
	}
	if (agg->args == NIL)
		return PINECONE_LAYOUT_COUNT;
	arg = (Var *) linitial_node(TargetEntry, agg->args)->expr;
	if (!IsA(arg, Var) || arg->varno != rel->relid || arg->varattno != request->group)
		return PINECONE_LAYOUT_COUNT;
	return agg->aggdistinct != NIL ? PINECONE_LAYOUT_DISTINCT : PINECONE_LAYOUT_NOT_NULL;
}

ForeignScan *
pinecone_plan_groups_scan(RelOptInfo *rel, ForeignPath *path, PineconeRequest *request,
						  PineconeTranslate *translate, List *tlist, Plan *instead)
{
	List *groups = list_nth(path->fdw_private, PATH_GROUPS);
	List *entries = NIL;
	ListCell *lc;

	request->group = linitial_int(groups);
	request->group_namespaces = lsecond_int(groups);
	request->group_budget = lthird_int(groups);
	request->group_searches = lfourth_int(groups);
	foreach(lc, instead->targetlist)
	{
		Expr *expr = lfirst_node(TargetEntry, lc)->expr;

		entries = lappend(entries, makeTargetEntry(copyObject(expr), list_length(entries) + 1, NULL, false));
		request->layout = lappend_int(request->layout,
									  IsA(expr, Var) ?
										  ((Var *) expr)->varattno :
										  counted_of_groups((Aggref *) expr, rel, translate, request));
	}
	return make_foreignscan(tlist, list_nth(path->fdw_private, PATH_HAVING), 0, translate->exprs,
							pinecone_request_to_list(request), entries, NIL, instead);
}
