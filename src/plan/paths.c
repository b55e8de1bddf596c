/*
 * paths.c
 *		Estimates, paths and plans of foreign scans.
 *
 * Each path stands for one operation.  Its fdw_private says which, and what
 * the operation is led by: the clause with the ids or the prefix, the distance
 * to order by.  The plan then sends what filters it can along with it and
 * keeps the rest as local conditions.
 *
 * LIMIT is not pushed as a path of its own.  The scan is told how many rows it
 * is likely to be asked for and starts with that many; the Limit node above
 * stops it, or asks for more.  So a join, a local condition or DISTINCT in
 * between cannot make an answer short.
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "client/schema_table.h"
#include "plan/paths.h"
#include "plan/plan_way.h"
#include "plan/translate_expr.h"
#include "scan/source.h"

#define REQUEST_COST PINECONE_REQUEST_COST
#define NEXT_REQUEST_COST PINECONE_NEXT_REQUEST_COST
#define BYTE_COST PINECONE_BYTE_COST
#define METADATA_WIDTH 200 /* bytes, when nothing is known */

/* Who bounds a distance wants what is near: so many records, where a third would be more. */
#define NEAR_RECORDS 1000

/* In the order of ids, records of at most so many namespaces are merged. */
#define MAX_MERGED_RECORDS 8


/* ---- Estimates ---- */

/* How many ids a clause names, if it is one that names ids; else 0. */
static double
ids_named(PineconeTranslate *cxt, Expr *clause)
{
	List *ids;

	return pinecone_translate_id(cxt, clause, &ids) ? pinecone_plan_count_values(cxt, ids) : 0;
}

/*
 * PostgreSQL takes a comparison of which it knows nothing to hold for a third of
 * the rows.  A search that turns out to go further costs little more than one, so
 * that a low guess is the better one; it goes where PostgreSQL keeps its own.
 */
static void
guess_bounds(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		PineconeDistance distance;
		PineconeCompare compare;
		int bound;

		if (info->stats != NULL && pinecone_enable_knn && !rinfo->pseudoconstant &&
			(pinecone_translate_bound(&cxt, rinfo->clause, &distance, &bound) ?
				 distance.metric == info->stats->metric || distance.sparse != NULL :
				 pinecone_translate_score_bound(&cxt, rinfo->clause, info->stats->metric, &bound, &compare)))
			rinfo->norm_selec = Min(DEFAULT_INEQ_SEL, NEAR_RECORDS / Max(rel->tuples, 1));
	}
}

/*
 * Learn the table's options, schema and statistics, and estimate its rows. The
 * first table of a query that lacks statistics has those of all asked for, side
 * by side.
 */
void
pineconeGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PineconePlanInfo *info = palloc0(sizeof(PineconePlanInfo));
	PineconeTranslate cxt;
	ListCell *lc;

	rel->fdw_private = info;
	info->rel = rel;
	info->table = pinecone_option_table(relid);
	info->userid = pinecone_plan_user(root, rel);

	/*
	 * Planning goes on without statistics, and without a user mapping: EXPLAIN
	 * needs neither, and running will say what is wrong.
	 */
	if (pinecone_plan_has_mapping(info->userid, info->table->server->serverid))
	{
		info->session = pinecone_session_get_reading(info->table->server->serverid, info->userid);
		if (!pinecone_session_stats_ready(info->session))
			pinecone_plan_refresh_all(root);
		pinecone_plan_find_stats(root, rel);
		info->table = pinecone_schema_table(info->session, info->table);
	}
	info->record_bytes = METADATA_WIDTH + (info->stats ? info->stats->dimension * 12.0 : 0);

	pinecone_plan_namespaces(root, rel);
	guess_bounds(root, rel);
	set_baserel_size_estimates(root, rel);

	/* An id names one record of a namespace at most. */
	cxt = pinecone_plan_translate(root, rel);
	foreach(lc, rel->baserestrictinfo)
	{
		double n = ids_named(&cxt, lfirst_node(RestrictInfo, lc)->clause);

		if (n > 0)
			rel->rows = clamp_row_est(Min(rel->rows, n * info->nnamespaces));
	}
}

/* ---- Paths ---- */

/* Add a path for an operation that costs so much until its first and last row. */
static void
add_operation_path(PlannerInfo *root, RelOptInfo *rel, PineconeOperation op, Node *lead,
				   double rows, Cost startup_cost, Cost total_cost, List *pathkeys,
				   Relids required_outer)
{
	List *private = list_make3(makeInteger(op), lead, makeInteger(pathkeys != NIL));
	double namespaces = pinecone_plan_namespaces_asked(root, rel, required_outer);

	/* the first request costs in full, and others go out with it */
	total_cost += (namespaces - 1) * NEXT_REQUEST_COST * (op == PINECONE_OP_LIST_FETCH ? 2 : 1);
	if (op == PINECONE_OP_QUERY)
		startup_cost += (namespaces - 1) * NEXT_REQUEST_COST;
	/* local conditions and the target list are evaluated per row */
	total_cost += rel->baserestrictcost.startup +
				  rows * (cpu_tuple_cost + rel->baserestrictcost.per_tuple);
	add_path(rel, (Path *) pinecone_create_scan_path(root, rel, rows, startup_cost, total_cost,
													 pathkeys, required_outer, private));
}

/* Records left by those of the clauses that can be sent as a filter. */
static double
filtered_records(PlannerInfo *root, RelOptInfo *rel, List *clauses, bool *any)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	List *sent = NIL;
	List *pruned = NIL;
	List *rest = NIL;
	List *days;
	ListCell *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);
		PineconeCondition *condition;
		List *names;

		if (pinecone_translate_namespace(&cxt, rinfo->clause, &names))
			pruned = lappend(pruned, rinfo);
		else if (!rinfo->pseudoconstant &&
				 pinecone_translate_clause(&cxt, rinfo->clause, &condition) != PINECONE_LOCAL)
			sent = lappend(sent, rinfo);
		else
			rest = lappend(rest, rinfo->clause);
	}
	/* ranges of days are sent as a whole */
	days = pinecone_translate_days(&cxt, rest);
	foreach(lc, days == NIL ? NIL : clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);

		List *others = list_difference_ptr(rest, list_make1(rinfo->clause));

		if (list_length(pinecone_translate_days(&cxt, others)) < list_length(days))
			sent = lappend(sent, rinfo);
	}
	*any = sent != NIL;
	sent = list_concat(sent, pruned);
	return clamp_row_est(rel->tuples * clauselist_selectivity(root, sent, rel->relid, JOIN_INNER, NULL));
}

/* Everything, in no order, by searches where these are thought to take less. */
static void
add_sweep_path(PlannerInfo *root, RelOptInfo *rel, PineconeOperation op)
{
	PineconeWayCost cost;

	if (pinecone_plan_way(rel, pinecone_plan_columns_used(rel), op, rel->tuples, 0, false, &cost) &&
		cost.way != PINECONE_WAY_PAGES)
		add_operation_path(root, rel, op, NULL, rel->rows, REQUEST_COST, pinecone_plan_way_cost(&cost), NIL,
						   rel->lateral_relids);
}

/* Everything, or what begins with a prefix. */
static void
add_list_paths(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	List *pathkeys = pinecone_plan_id_order(root, rel);
	double records = info->records;
	double fetched;
	PineconeOperation op;
	List *about_id = NIL;
	List *clauses = extract_actual_clauses(rel->baserestrictinfo, false);
	int low;
	int high;
	RestrictInfo *prefix = pinecone_plan_prefix(root, rel);
	Node *lead = prefix ? (Node *) prefix->clause : NULL;
	ListCell *lc;

	if (prefix != NULL)
		records = clamp_row_est(records * clause_selectivity(root, (Node *) prefix, 0, JOIN_INNER, NULL));
	else if (pinecone_translate_id_range(&cxt, clauses, &low, &high))
		records = clamp_row_est(records * clauselist_selectivity(root, rel->baserestrictinfo, rel->relid, JOIN_INNER, NULL));

	/* what the list decides is not fetched */
	fetched = records;
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);

		if ((Node *) rinfo->clause != lead && pinecone_plan_is_about_id(root, rel, rinfo))
			about_id = lappend(about_id, rinfo);
	}
	if (about_id != NIL)
		fetched = clamp_row_est(records * clauselist_selectivity(root, about_id, rel->relid, JOIN_INNER, NULL));

	op = pinecone_plan_only_ids(rel, info->table) ? PINECONE_OP_LIST : PINECONE_OP_LIST_FETCH;
	if (lead == NULL && records == info->records)
		add_sweep_path(root, rel, op);
	if (op == PINECONE_OP_LIST)
		add_operation_path(root, rel, PINECONE_OP_LIST, lead, rel->rows, REQUEST_COST,
						   pinecone_cost_list(records), pathkeys, rel->lateral_relids);
	else
		add_operation_path(root, rel, PINECONE_OP_LIST_FETCH, lead, rel->rows, 2 * REQUEST_COST,
						   pinecone_cost_list(records) + pinecone_cost_fetch(info, fetched),
						   info->nnamespaces > MAX_MERGED_RECORDS ? NIL : pathkeys,
						   rel->lateral_relids);
}

static void
add_fetch_path(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);
		double n = ids_named(&cxt, rinfo->clause);

		if (n > 0)
		{
			((PineconePlanInfo *) rel->fdw_private)->nids = n;
			add_operation_path(root, rel, PINECONE_OP_FETCH, (Node *) rinfo->clause, rel->rows,
							   REQUEST_COST, pinecone_cost_fetch(rel->fdw_private, n), NIL,
							   rel->lateral_relids);
			return;
		}
	}
}

static void
add_filter_path(PlannerInfo *root, RelOptInfo *rel)
{
	bool any;
	double records = filtered_records(root, rel, rel->baserestrictinfo, &any);

	PineconeWayCost way;
	Cost cost = pinecone_cost_filter(rel->fdw_private, records);

	if (any && pinecone_plan_way(rel, pinecone_plan_columns_used(rel), PINECONE_OP_FILTER, records, 0, false, &way) &&
		way.way != PINECONE_WAY_PAGES)
		cost = Min(cost, pinecone_plan_way_cost(&way));
	if (any)
		add_operation_path(root, rel, PINECONE_OP_FILTER, NULL, rel->rows, REQUEST_COST, cost, NIL,
						   rel->lateral_relids);
}

double
pinecone_plan_sent_records(PlannerInfo *root, RelOptInfo *rel)
{
	bool any;

	return filtered_records(root, rel, rel->baserestrictinfo, &any);
}

/* ---- Nearest neighbours ---- */

static void
add_search_path(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	List *pathkeys = NIL;
	double cap = PINECONE_MAX_TOP_K * info->nnamespaces;
	double ranked = pinecone_plan_ranked_rows(root);
	double records;
	Cost startup = REQUEST_COST;
	Cost total;
	bool any;
	bool all = root->parse->limitCount == NULL && root->tuple_fraction <= 0;

	if (!pinecone_enable_knn || !info->searchable)
		return;
	if (info->ordered)
		pathkeys = list_make1(linitial(root->query_pathkeys));
	records = filtered_records(root, rel, rel->baserestrictinfo, &any);
	/* nobody reads on once a rank is too great, which PostgreSQL's costs do not know */
	if (ranked > 0 && pathkeys != NIL)
		records = Min(records, ranked * Max(records, 1) / Max(rel->rows, 1));
	total = startup + Min(records, cap) * 200 * BYTE_COST;
	/* a bound, as far as it is known to select, ends the search before */
	if (pinecone_plan_has_bound(root, rel) ? rel->rows > cap : records > cap)
	{
		/* beyond the cap everything is read and sorted here */
		Cost exhaustive = any ? pinecone_cost_filter(info, records) :
								pinecone_cost_list(records) + pinecone_cost_fetch(info, records);

		total += exhaustive + records * log2(records) * cpu_operator_cost;
		if (root->limit_tuples > cap || (all && !pinecone_plan_has_bound(root, rel)))
			startup = total;
	}
	else if (all && ranked <= 0 && !pinecone_plan_has_bound(root, rel))
		startup = total; /* one reply has all of them */
	add_operation_path(root, rel, PINECONE_OP_QUERY, (Node *) info->search.expr, rel->rows, startup,
					   total, pathkeys, rel->lateral_relids);
}

/* ---- Parameterised paths ---- */

/* Is this a join clause that an id lookup, pruning or a filter can use? */
static bool
join_clause_is_usable(PineconeTranslate *cxt, Expr *clause)
{
	PineconeCondition *condition;
	List *values;

	return pinecone_translate_id(cxt, clause, &values) ||
		   pinecone_translate_namespace(cxt, clause, &values) ||
		   pinecone_translate_clause(cxt, clause, &condition) != PINECONE_LOCAL;
}

/* Is it a column, or made of the metadata and so perhaps a field of it? */
static bool
member_is_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *em,
				 void *arg)
{
	PineconeColumn *column = arg;
	Expr *expr = em->em_expr;

	if (column->role == PINECONE_ROLE_METADATA)
	{
		Bitmapset *used = NULL;

		pull_varattnos((Node *) expr, rel->relid, &used);
		return bms_equal(em->em_relids, rel->relids) &&
			   bms_equal(used, bms_make_singleton(column->attnum - FirstLowInvalidHeapAttributeNumber));
	}
	while (IsA(expr, RelabelType))
		expr = ((RelabelType *) expr)->arg;
	return IsA(expr, Var) && ((Var *) expr)->varno == rel->relid &&
		   ((Var *) expr)->varattno == column->attnum;
}

/* The parameterisations under which some join clause can be sent. */
static List *
useful_parameterisations(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTable *table = ((PineconePlanInfo *) rel->fdw_private)->table;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	List *clauses = NIL;
	List *result = NIL;
	ListCell *lc;

	foreach(lc, rel->joininfo)
	{
		if (join_clause_is_movable_to(lfirst(lc), rel))
			clauses = lappend(clauses, lfirst(lc));
	}
	for (int i = 0; rel->has_eclass_joins && i < table->ncolumns; i++)
	{
		PineconeColumn *column = &table->columns[i];

		if (column->role == PINECONE_ROLE_ID || column->role == PINECONE_ROLE_FIELD ||
			column->role == PINECONE_ROLE_METADATA || column->role == PINECONE_ROLE_NAMESPACE)
			clauses = list_concat(clauses,
								  generate_implied_equalities_for_column(root, rel, member_is_column,
																		 column,
																		 rel->lateral_referencers));
	}

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);
		Relids required_outer;

		if (!join_clause_is_usable(&cxt, rinfo->clause))
			continue;
		required_outer = bms_union(rinfo->clause_relids, rel->lateral_relids);
		required_outer = bms_del_member(required_outer, rel->relid);
		if (bms_is_empty(required_outer) || bms_overlap(required_outer, rel->lateral_referencers))
			continue;
		result = list_append_unique_ptr(result, get_baserel_parampathinfo(root, rel, required_outer));
	}
	return result;
}

/* Everything in the namespaces that outer rows name. */
static void
add_pruned_list_path(PlannerInfo *root, RelOptInfo *rel, ParamPathInfo *param, double namespaces)
{
	PineconePlanInfo *info = rel->fdw_private;
	double records = clamp_row_est(rel->tuples * namespaces / Max(1, info->nall));

	if (pinecone_plan_only_ids(rel, info->table))
		add_operation_path(root, rel, PINECONE_OP_LIST, NULL, param->ppi_rows, REQUEST_COST,
						   pinecone_cost_list(records), NIL, param->ppi_req_outer);
	else
		add_operation_path(root, rel, PINECONE_OP_LIST_FETCH, NULL, param->ppi_rows,
						   2 * REQUEST_COST, pinecone_cost_list(records) + pinecone_cost_fetch(info, records), NIL,
						   param->ppi_req_outer);
}

/*
 * For each set of outer relations worth it: lookups by id if their rows give
 * ids, else a filter on what they give, else a listing of the namespaces they
 * name.
 */
static void
add_parameterised_paths(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	ListCell *lc;

	foreach(lc, useful_parameterisations(root, rel))
	{
		ParamPathInfo *param = lfirst(lc);
		PineconeTranslate cxt = pinecone_plan_translate(root, rel);
		Node *lead = NULL;
		double n = 0;
		double namespaces = pinecone_plan_namespaces_asked(root, rel, param->ppi_req_outer);
		double records;
		bool any;
		ListCell *lc2;

		if (namespaces < info->nnamespaces)
			param->ppi_rows = pinecone_plan_pruned_rows(root, rel, param->ppi_clauses, namespaces);
		/* ids may be constant, and the namespace an outer row's */
		foreach(lc2, namespaces < info->nnamespaces ?
						 list_concat_copy(param->ppi_clauses, rel->baserestrictinfo) :
						 param->ppi_clauses)
		{
			RestrictInfo *rinfo = lfirst(lc2);

			n = ids_named(&cxt, rinfo->clause);
			if (n > 0)
			{
				lead = (Node *) rinfo->clause;
				break;
			}
		}
		if (lead != NULL)
		{
			param->ppi_rows = clamp_row_est(Min(param->ppi_rows, n * namespaces));
			add_operation_path(root, rel, PINECONE_OP_FETCH, lead, param->ppi_rows, REQUEST_COST,
							   pinecone_cost_fetch(info, n), NIL, param->ppi_req_outer);
			continue;
		}
		records = filtered_records(root, rel,
								   list_concat_copy(rel->baserestrictinfo, param->ppi_clauses),
								   &any);
		if (any)
			add_operation_path(root, rel, PINECONE_OP_FILTER, NULL, param->ppi_rows, REQUEST_COST,
							   pinecone_cost_filter(info, records) - PINECONE_FILTER_REQUEST_COST + pinecone_cost_filter_request(info),
							   NIL, param->ppi_req_outer);
		else
			add_pruned_list_path(root, rel, param, namespaces);
	}
}

/* ---- Searches by words ---- */

/* Conditions that nobody but Pinecone can evaluate. */
static void
find_words(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		Expr *clause = lfirst_node(RestrictInfo, lc)->clause;
		PineconeCondition *condition;
		List *clauses;

		if (info->text == NULL && pinecone_translate_text(&cxt, clause, &clauses))
			info->text = clause;
		else if (pinecone_translate_clause(&cxt, clause, &condition) != PINECONE_LOCAL)
			info->words = info->words || pinecone_request_needs_sending(condition);
	}
}

/* Rows come by score, which is what such a search gives them. */
static List *
score_pathkeys(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	PathKey *pathkey;
	ListCell *lc;

	if (root->query_pathkeys == NIL)
		return NIL;
	pathkey = linitial(root->query_pathkeys);
	if (pinecone_pathkey_ascends(pathkey))
		return NIL;
	foreach(lc, pinecone_class_members(pathkey->pk_eclass, rel))
	{
		EquivalenceMember *em = lfirst(lc);

		if (bms_equal(em->em_relids, rel->relids) && IsA(em->em_expr, Var) &&
			pinecone_translate_column(&cxt, (Node *) em->em_expr, PINECONE_ROLE_SCORE) != NULL)
			return list_make1(pathkey);
	}
	return NIL;
}

static void
add_text_path(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;

	add_operation_path(root, rel, PINECONE_OP_QUERY, (Node *) info->text, rel->rows, REQUEST_COST,
					   REQUEST_COST + rel->rows * 200 * BYTE_COST, score_pathkeys(root, rel),
					   rel->lateral_relids);
}

void
pineconeGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PineconePlanInfo *info = rel->fdw_private;
	bool any;

	find_words(root, rel);
	if (info->text != NULL)
	{
		add_text_path(root, rel);
		return;
	}
	pinecone_plan_find_search(root, rel);
	if (info->words)
	{
		add_filter_path(root, rel);
		add_search_path(root, rel);
		return;
	}
	add_list_paths(root, rel);
	pinecone_plan_descent(root, rel);
	add_fetch_path(root, rel);
	add_filter_path(root, rel);
	add_search_path(root, rel);
	pinecone_plan_order(root, rel, pinecone_plan_columns_used(rel), pinecone_cost_filter(rel->fdw_private, filtered_records(root, rel, rel->baserestrictinfo, &any)));
	add_parameterised_paths(root, rel);
}
