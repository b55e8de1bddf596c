/*
 * plan_scan.c
 *		From a chosen path to the plan of a foreign scan: what is sent, what is
 *		checked here, and which columns the rows carry.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/heap.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"

#include "base/compat.h"
#include "base/setting.h"
#include "client/schema_table.h"
#include "plan/paths.h"
#include "plan/plan_way.h"

typedef struct PlanContext
{
	PlannerInfo *root;
	RelOptInfo *rel;	/* the base relation */
	PathTarget *target; /* what the scan will emit */
	PineconePlanInfo *info;
	PineconeTranslate translate;
	PineconeRequest *request;
	Expr *lead;				  /* what leads the path, see paths.h */
	List *conditions;		  /* of PineconeCondition: to be sent */
	List *local;			  /* clauses to be checked here */
	List *decided;			  /* those of them that choose namespaces or ids, or end a search */
	List *sent;				  /* clauses sent and not checked here */
	PineconeDistance *search; /* what distances in the layout are, or NULL */
	Var *row;				  /* the whole row, as one column of the layout, or NULL */
} PlanContext;

/* ---- What is sent, and what is checked here ---- */

static bool
operation_takes_filter(PineconeOperation op)
{
	return op == PINECONE_OP_QUERY || op == PINECONE_OP_FILTER || op == PINECONE_OP_COUNT ||
		   op == PINECONE_OP_GROUPS || op == PINECONE_OP_ORDERED;
}

static void
place_as_filter(PlanContext *cxt, Expr *clause)
{
	PineconeCondition *condition;
	PineconeExactness exactness = pinecone_translate_clause(&cxt->translate, clause, &condition);
	Expr *rest = exactness == PINECONE_SUPERSET ? pinecone_translate_has_text(&cxt->translate, clause) : NULL;

	if (exactness != PINECONE_LOCAL)
		cxt->conditions = lappend(cxt->conditions, condition);
	if (exactness == PINECONE_EXACT)
		cxt->sent = lappend(cxt->sent, clause);
	else
		cxt->local = lappend(cxt->local, rest ? rest : clause);
}

/* A bound on the distance that is searched by tells where to stop. */
static void
place_bound(PlanContext *cxt, Expr *clause)
{
	PineconeDistance distance;
	PineconeCompare compare;
	int bound;

	if (pinecone_translate_bound(&cxt->translate, clause, &distance, &bound))
	{
		if (!pinecone_translate_same_distance(cxt->root, &distance, cxt->search))
			return;
		cxt->decided = lappend(cxt->decided, clause);
		if (cxt->request->bound >= 0)
			return;
		cxt->request->bound = bound;
		cxt->request->bound_is_strict = distance.strict;
	}
	else if (pinecone_translate_score_bound(&cxt->translate, clause, cxt->request->metric, &bound,
											&compare))
	{
		cxt->decided = lappend(cxt->decided, clause);
		if (cxt->request->score_bound >= 0)
			return;
		cxt->request->score_bound = bound;
		cxt->request->score_compare = compare;
	}
}

/* A clause that names ids or a prefix: an id may not fit its column, and be NULL. */
static void
place_id_clause(PlanContext *cxt, Expr *clause, bool exact)
{
	PineconeTable *table = cxt->info->table;
	Oid typid = table->columns[table->id_attnum - 1].typid;

	if (exact && (!table->type_error_null || typid == TEXTOID || typid == UUIDOID ||
				  typid == INT4OID || typid == INT8OID))
		cxt->sent = lappend(cxt->sent, clause);
	else
		cxt->local = lappend(cxt->local, clause);
}

/*
 * Decide about one condition: sent as what the operation is about (ids, prefix,
 * words, namespaces) or as part of its filter, checked here, or both.
 */
static void
place_clause(PlanContext *cxt, Expr *clause)
{
	PineconeRequest *request = cxt->request;
	bool leads = cxt->lead != NULL && equal(clause, cxt->lead);

	List *names;

	if (leads && cxt->info->text != NULL)
		cxt->sent = lappend(cxt->sent, clause);
	else if (pinecone_translate_namespace(&cxt->translate, clause, &names))
	{
		request->namespaces = lappend(request->namespaces, names);
		cxt->sent = lappend(cxt->sent, clause);
	}
	else if (pinecone_plan_is_about_namespace(cxt->rel, clause))
	{
		/* checked before a namespace is asked; and of rows, as any */
		request->namespace_quals =
			lappend_int(request->namespace_quals,
						pinecone_translate_add_expr(&cxt->translate, clause));
		cxt->decided = lappend(cxt->decided, clause);
		cxt->local = lappend(cxt->local, clause);
	}
	else if (leads && request->op == PINECONE_OP_FETCH)
	{
		if (!pinecone_translate_id(&cxt->translate, clause, &request->ids))
			elog(ERROR, "clause does not name ids");
		place_id_clause(cxt, clause, true);
	}
	else if (leads && (request->op == PINECONE_OP_LIST || request->op == PINECONE_OP_LIST_FETCH))
	{
		bool exact;

		if (!pinecone_translate_prefix(&cxt->translate, clause, &request->prefix,
									   &request->prefix_is_like, &exact))
			elog(ERROR, "clause does not give a prefix");
		place_id_clause(cxt, clause, exact);
	}
	else if (operation_takes_filter(request->op))
	{
		if (cxt->search != NULL)
			place_bound(cxt, clause);
		place_as_filter(cxt, clause);
	}
	else
		cxt->local = lappend(cxt->local, clause);
}

/* Each condition to where it is looked at; then what several of them say together. */
static void
place_clauses(PlanContext *cxt, List *scan_clauses)
{
	PineconeRequest *request = cxt->request;
	ListCell *lc;

	foreach(lc, scan_clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		/* constant conditions are checked once, above the scan */
		if (rinfo->pseudoconstant)
			continue;
		place_clause(cxt, rinfo->clause);
		if (request->op == PINECONE_OP_LIST_FETCH && pinecone_plan_is_about_id(cxt->root, cxt->rel, rinfo) &&
			list_member_ptr(cxt->local, rinfo->clause))
		{
			request->id_quals = lappend_int(request->id_quals,
											pinecone_translate_add_expr(&cxt->translate, rinfo->clause));
			cxt->decided = lappend(cxt->decided, rinfo->clause);
		}
	}

	if ((request->op == PINECONE_OP_LIST || request->op == PINECONE_OP_LIST_FETCH) && request->prefix < 0 &&
		!pinecone_translate_id_range(&cxt->translate, cxt->local, &request->prefix, &request->prefix_high))
		request->prefix = request->prefix_high = -1;
	if ((request->op == PINECONE_OP_LIST || request->op == PINECONE_OP_LIST_FETCH) && request->sorted &&
		pinecone_enable_keyset)
	{
		(void) pinecone_translate_id_after(&cxt->translate, cxt->local, &request->after);
		if (request->descending)
			(void) pinecone_translate_id_before(&cxt->translate, cxt->local, &request->before);
	}
	if (request->op == PINECONE_OP_LIST || request->op == PINECONE_OP_LIST_FETCH)
		(void) pinecone_translate_place(&cxt->translate, cxt->local, &request->place);
	if (operation_takes_filter(request->op))
		cxt->conditions = list_concat(cxt->conditions, pinecone_translate_days(&cxt->translate, cxt->local));
	if (list_length(cxt->conditions) == 1)
		cxt->request->filter = linitial(cxt->conditions);
	else if (cxt->conditions != NIL)
	{
		cxt->request->filter = palloc0(sizeof(PineconeCondition));
		cxt->request->filter->kind = PINECONE_COND_AND;
		cxt->request->filter->value = -1;
		cxt->request->filter->args = cxt->conditions;
	}
}

/* ---- Searches ---- */

/* What distances are measured to */
static void
place_query(PlanContext *cxt, const PineconeDistance *search)
{
	PineconeRequest *request = cxt->request;

	request->metric = search->metric;
	if (search->query != NULL)
		request->vector = pinecone_translate_add_expr(&cxt->translate, search->query);
	if (search->sparse != NULL)
		request->sparse = pinecone_translate_add_expr(&cxt->translate, search->sparse);
	if (search->alpha != NULL)
		request->alpha = pinecone_translate_add_expr(&cxt->translate, search->alpha);
}

static void
plan_search(PlanContext *cxt, bool sorted)
{
	PineconeDistance *search = palloc0(sizeof(PineconeDistance));
	Expr *id;

	if (!pinecone_translate_distance(&cxt->translate, cxt->lead, search))
		elog(ERROR, "expression is not a distance");
	cxt->search = search;
	place_query(cxt, search);
	if (search->query == NULL && cxt->info->table->schema == NULL && cxt->info->stats != NULL && !cxt->info->stats->sparse)
		cxt->request->zeros = cxt->info->stats->dimension;
	/*
	 * Documents are searched by what the request holds.  A record of an index of inner
	 * products may have a sparse vector, which a search by its id goes by, too.
	 */
	id = cxt->info->table->schema || search->metric == PINECONE_METRIC_DOTPRODUCT ?
			 NULL :
			 pinecone_plan_stored_query(cxt->root, cxt->rel, search->query);
	if (id != NULL)
		cxt->request->vector_id = pinecone_translate_add_expr(&cxt->translate, id);
}

/* The column of scores, or 0. */
static AttrNumber
score_column(PineconeTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role == PINECONE_ROLE_SCORE)
			return table->columns[i].attnum;
	}
	return 0;
}

/*
 * Scores of rows that no search brings are computed from their vectors, where
 * the relation is under a search and somebody looks at them.
 */
static void
plan_score(PlanContext *cxt, Bitmapset *used)
{
	PineconePlanInfo *info = cxt->info;
	PineconeRequest *request = cxt->request;
	AttrNumber score = score_column(info->table);

	request->no_search = info->no_search;
	request->lacks_score = info->lacks_score;
	if (info->other_metric != PINECONE_METRIC_UNKNOWN)
	{
		request->other_metric = info->other_metric;
		request->metric = info->stats->metric;
	}
	if (request->op == PINECONE_OP_QUERY || !info->searched ||
		(!cxt->search && (score == 0 || !bms_is_member(score - FirstLowInvalidHeapAttributeNumber, used))))
		return;
	request->scored = request->want_values = true;
	place_query(cxt, &info->search);
}

/* ---- Columns ---- */

typedef struct UsedColumns
{
	Index varno;
	PlanContext *cxt;	/* with a search: distances are filled from scores, and */
	List *distances;	/* their column is not needed; they are listed here */
	Bitmapset *attnums; /* FirstLowInvalidHeapAttributeNumber-based */
} UsedColumns;

/* Is an expression the distance that is searched by, however it is spelled? */
static bool
is_searched(PlanContext *cxt, Node *node, PineconeDistance *distance)
{
	return (IsA(node, OpExpr) || IsA(node, FuncExpr)) &&
		   pinecone_translate_distance(&cxt->translate, (Expr *) node, distance) &&
		   pinecone_translate_same_distance(cxt->root, distance, cxt->search);
}

static bool
collect_columns(Node *node, UsedColumns *used)
{
	PineconeDistance distance;

	if (node == NULL)
		return false;
	if (used->cxt != NULL && is_searched(used->cxt, node, &distance))
	{
		used->distances = list_append_unique(used->distances, distance.expr);
		return false;
	}
	if (IsA(node, Var))
	{
		Var *var = (Var *) node;

		if (var->varno == used->varno && var->varlevelsup == 0)
			used->attnums = bms_add_member(used->attnums,
										   var->varattno - FirstLowInvalidHeapAttributeNumber);
		return false;
	}
	return expression_tree_walker(node, collect_columns, (void *) used);
}

/*
 * Is the scan part of an UPDATE or DELETE?  That hits what a SELECT returns that
 * reads the columns of its conditions, and ends where such a SELECT would.
 */
static bool
is_modifying(PlannerInfo *root)
{
	for (; root != NULL; root = root->parent_root)
	{
		if (root->parse->commandType == CMD_UPDATE || root->parse->commandType == CMD_DELETE)
			return true;
	}
	return false;
}

static Bitmapset *
add_condition_columns(Bitmapset *used, const PineconeCondition *condition)
{
	ListCell *lc;

	if (condition == NULL)
		return used;
	if (condition->attnum > 0)
		used = bms_add_member(used, condition->attnum - FirstLowInvalidHeapAttributeNumber);
	foreach(lc, condition->args)
		used = add_condition_columns(used, lfirst(lc));
	return used;
}

/*
 * Columns that the plan above and the local conditions use.
 */
static Bitmapset *
used_columns(PlanContext *cxt, bool with_distance)
{
	UsedColumns used = {cxt->rel->relid, with_distance ? cxt : NULL};

	(void) collect_columns((Node *) cxt->target->exprs, &used);
	(void) collect_columns((Node *) cxt->local, &used);
	return is_modifying(cxt->root) ? add_condition_columns(used.attnums, cxt->request->filter) :
									 used.attnums;
}

/* Are the whole row or system columns among them? */
static bool
uses_whole_row(Bitmapset *used)
{
	return bms_next_member(used, -1) >= 0 &&
		   bms_next_member(used, -1) <= -FirstLowInvalidHeapAttributeNumber;
}

void
pinecone_plan_check_system_columns(const PineconeTable *table, const Bitmapset *used)
{
	int i = -1;

	/* a record has its table and something like a place */
	while ((i = bms_next_member(used, i)) >= 0 && i < -FirstLowInvalidHeapAttributeNumber)
	{
		AttrNumber attnum = i + FirstLowInvalidHeapAttributeNumber;

		if (attnum != SelfItemPointerAttributeNumber && attnum != TableOidAttributeNumber)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("foreign table \"%s\" has no system column \"%s\"", table->name,
							NameStr(SystemAttributeDefinition(attnum)->attname)),
					 errhint("Records have no versions. Their id tells them apart, and \"ctid\" stands for it.")));
	}
}

/* Which columns are to be filled, and which parts of a record they need. */
static void
plan_columns(PlanContext *cxt, Bitmapset *used)
{
	PineconeRequest *request = cxt->request;
	PineconeTable *table = cxt->info->table;
	bool all = bms_is_member(-FirstLowInvalidHeapAttributeNumber, used) ||
			   !pinecone_enable_columns;

	pinecone_plan_check_system_columns(table, used);
	request->want_ctid = bms_is_member(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber, used);
	for (int i = 0; i < table->ncolumns; i++)
	{
		PineconeColumn *column = &table->columns[i];

		if (column->role == PINECONE_ROLE_DROPPED ||
			(!all && !bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used)))
			continue;
		request->wanted = lappend_int(request->wanted, column->attnum);
		if (column->role == PINECONE_ROLE_VALUES || column->role == PINECONE_ROLE_SPARSE_VALUES)
			request->want_values = true;
		if (column->role == PINECONE_ROLE_FIELD || column->role == PINECONE_ROLE_METADATA)
			request->want_metadata = true;
	}
}

/* Scan tuples of the wanted columns and the distance, in each of its spellings. */
static List *
plan_layout(PlanContext *cxt)
{
	UsedColumns used = {cxt->rel->relid, cxt};
	PineconeRequest *request = cxt->request;
	PineconeTable *table = cxt->info->table;
	List *entries = NIL;
	ListCell *lc;

	foreach(lc, request->wanted)
	{
		PineconeColumn *column = pinecone_option_column(table, lfirst_int(lc));
		Var *var = makeVar(cxt->rel->relid, column->attnum, column->typid, column->typmod,
						   column->collation, 0);

		entries = lappend(entries, makeTargetEntry((Expr *) var, list_length(entries) + 1,
												   NULL, false));
		request->layout = lappend_int(request->layout, column->attnum);
	}
	used.distances = list_make1(cxt->search->expr);
	(void) collect_columns((Node *) cxt->target->exprs, &used);
	(void) collect_columns((Node *) cxt->local, &used);
	foreach(lc, used.distances)
	{
		PineconeDistance distance;

		if (!is_searched(cxt, lfirst(lc), &distance))
			elog(ERROR, "expression is not a distance");
		entries = lappend(entries, makeTargetEntry((Expr *) copyObject(distance.expr),
												   list_length(entries) + 1, NULL, false));
		request->layout = lappend_int(request->layout, distance.negated ? PINECONE_LAYOUT_NEGATED :
																		  PINECONE_LAYOUT_DISTANCE);
	}
	if (cxt->row != NULL)
	{
		entries = lappend(entries, makeTargetEntry((Expr *) copyObject(cxt->row),
												   list_length(entries) + 1, NULL, false));
		request->layout = lappend_int(request->layout, PINECONE_LAYOUT_ROW);
	}
	return entries;
}

/* Would a target list ask for columns that scan tuples of this layout lack? */
static bool
tlist_exceeds_layout(PlanContext *cxt, List *tlist)
{
	UsedColumns used = {cxt->rel->relid, cxt};
	int i = -1;

	(void) collect_columns((Node *) tlist, &used);
	while ((i = bms_next_member(used.attnums, i)) >= 0)
	{
		AttrNumber attnum = i + FirstLowInvalidHeapAttributeNumber;

		if (attnum == 0 ? cxt->row == NULL : !list_member_int(cxt->request->wanted, attnum))
			return true;
	}
	return false;
}

/*
 * The distance that the rows of any path show as the index measures it, because
 * SQL would round the vectors before: then it is the same whichever path brings them.
 */
static PineconeDistance *
rounding_distance(PlanContext *cxt)
{
	UsedColumns used = {cxt->rel->relid, cxt};

	if (!cxt->info->searched || !cxt->info->search.rounds)
		return NULL;
	cxt->search = &cxt->info->search;
	(void) collect_columns((Node *) cxt->target->exprs, &used);
	(void) collect_columns((Node *) cxt->local, &used);
	return used.distances == NIL ? NULL : cxt->search;
}

/*
 * The whole row, where an UPDATE or DELETE hands it on, and what it hits hangs on
 * a distance that is in no column.
 */
static Var *
whole_row(PlanContext *cxt)
{
	List *vars = pull_var_clause((Node *) cxt->target->exprs, PVC_RECURSE_PLACEHOLDERS);
	Var *row = NULL;
	ListCell *lc;

	if (!cxt->info->searched || !cxt->info->search.rounds ||
		!pinecone_plan_rows_stay(cxt->root, cxt->rel->relid))
		return NULL;
	foreach(lc, vars)
	{
		Var *var = lfirst(lc);

		if (var->varno != cxt->rel->relid || var->varattno > 0)
			continue;
		if (var->varattno < 0 || (row != NULL && !equal(row, var)))
			return NULL;
		row = var;
	}
	return row;
}

/*
 * Can scan tuples be of a layout of their own?  Not if they are to hold the
 * whole row; nor if a Result for conditions on no table builds the path's target
 * from them, which below set-returning functions is made of columns.
 */
static bool
can_have_layout(PlanContext *cxt, Bitmapset *used)
{
	return pinecone_enable_columns && (cxt->row != NULL || !uses_whole_row(used)) &&
		   !(cxt->root->parse->hasTargetSRFs && cxt->root->hasPseudoConstantQuals);
}

/*
 * Output for a node that takes what it gets: the relation's target, or if that
 * holds set-returning functions, which such a node evaluates, what they need.
 */
static List *
plan_output(PlanContext *cxt, List *entries)
{
	PathTarget *target = cxt->target;

	return expression_returns_set((Node *) target->exprs) ? copyObject(entries) :
															make_tlist_from_pathtarget(target);
}

/* ---- The plan ---- */

static bool
has_expressions(PathTarget *target)
{
	ListCell *lc;

	foreach(lc, target->exprs)
	{
		if (!IsA(lfirst(lc), Var))
			return true;
	}
	return false;
}

/*
 * What the scan will emit.  Most often the relation's target has become that by
 * now, and a node above is given up for it; but for min() and max() it is the
 * path that has been given another target.
 */
static PathTarget *
scan_target(RelOptInfo *rel, Path *path)
{
	return !has_expressions(rel->reltarget) && has_expressions(path->pathtarget) ? path->pathtarget :
																				   rel->reltarget;
}

/*
 * Make a request of the path's operation and the scan's conditions, then decide
 * on columns: those that are read of records, and for a search those computed
 * from its scores, in which case the scan returns a row of its own layout.
 */
ForeignScan *
pineconeGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path,
					   List *tlist, List *scan_clauses, Plan *outer_plan)
{
	PlanContext cxt = {0};
	PineconeRequest *request = palloc0(sizeof(PineconeRequest));
	bool sorted = intVal(list_nth(path->fdw_private, PATH_SORTED));
	Bitmapset *used;
	List *entries = NIL;

	cxt.root = root;
	cxt.info = rel->fdw_private;
	cxt.rel = cxt.info->rel;
	cxt.target = scan_target(cxt.rel, &path->path);
	cxt.translate = pinecone_plan_translate(root, cxt.rel);
	cxt.request = request;
	cxt.lead = list_nth(path->fdw_private, PATH_LEAD);

	request->op = intVal(list_nth(path->fdw_private, PATH_OP));
	request->prefix = request->prefix_high = request->place = request->after = request->before = request->vector = request->sparse = request->alpha = request->vector_id =
		request->bound = request->score_bound = request->limit = request->offset = -1;
	request->schema = cxt.info->session ? pinecone_schema_hash(cxt.info->session, cxt.info->table, request->op == PINECONE_OP_QUERY && cxt.info->text != NULL) : 0;
	request->sorted = sorted;
	request->planned_at = cxt.info->planned_at;
	request->metric_assumed = cxt.info->metric_assumed && request->op == PINECONE_OP_QUERY;
	request->rows = path->path.rows;
	request->survive = 1;

	if (request->op == PINECONE_OP_STATS || request->op == PINECONE_OP_COUNT ||
		request->op == PINECONE_OP_GROUPS)
	{
		if (tlist == NIL)
			tlist = make_tlist_from_pathtarget(path->path.pathtarget);
		request->grouped = sorted;
		request->sorted = false;
		place_clauses(&cxt, cxt.rel->baserestrictinfo);
		if (request->op == PINECONE_OP_GROUPS)
			return pinecone_plan_groups_scan(cxt.rel, path, request, &cxt.translate, tlist, outer_plan);
		return pinecone_plan_count_scan(rel, path, request, &cxt.translate, tlist);
	}

	if (sorted && (request->op == PINECONE_OP_LIST || request->op == PINECONE_OP_LIST_FETCH))
		request->descending = !pinecone_pathkey_ascends(linitial_node(PathKey, path->path.pathkeys));
	if (request->op == PINECONE_OP_ORDERED)
	{
		List *order = list_nth(path->fdw_private, PATH_GROUPS);

		request->group = linitial_int(order);
		request->descending = lsecond_int(order);
		request->nulls_first = lthird_int(order);
	}
	if (request->op == PINECONE_OP_QUERY && cxt.info->text != NULL)
	{
		/* scores are likenesses: the higher the better */
		(void) pinecone_translate_text(&cxt.translate, cxt.info->text, &request->clauses);
		request->metric = PINECONE_METRIC_DOTPRODUCT;
	}
	else if (request->op == PINECONE_OP_QUERY)
		plan_search(&cxt, sorted);
	place_clauses(&cxt, scan_clauses);
	/* an order that a join may have a use for need not be the query's */
	pinecone_plan_limit(root, &cxt.translate, request,
						sorted && root->query_pathkeys != NIL && linitial(path->path.pathkeys) == linitial(root->query_pathkeys));
	if (cxt.local != NIL)
		request->survive = clauselist_selectivity(root, list_difference_ptr(cxt.local, cxt.decided), cxt.rel->relid, JOIN_INNER, NULL);

	used = used_columns(&cxt, false);
	cxt.row = whole_row(&cxt);
	if (cxt.search == NULL && cxt.info->text == NULL && can_have_layout(&cxt, used))
		cxt.search = rounding_distance(&cxt);
	plan_score(&cxt, used);
	if (cxt.search != NULL && can_have_layout(&cxt, used))
	{
		/* the distance comes from the score, and its column may go */
		plan_columns(&cxt, pinecone_plan_read_columns(root, cxt.rel, used_columns(&cxt, true)));
		entries = plan_layout(&cxt);
		if (tlist_exceeds_layout(&cxt, tlist))
			tlist = plan_output(&cxt, entries);
	}
	else
		plan_columns(&cxt, pinecone_plan_read_columns(root, cxt.rel, used));

	pinecone_plan_way_note(root, cxt.rel, used, pinecone_plan_sent_records(root, cxt.rel), request);

	/*
	 * Conditions sent and not checked here are checked all the same when a
	 * locked row has changed, which happens only to rows in full.
	 */
	return make_foreignscan(tlist, cxt.local, cxt.rel->relid, cxt.translate.exprs,
							pinecone_request_to_list(request), entries,
							entries == NIL ? cxt.sent : NIL, outer_plan);
}
