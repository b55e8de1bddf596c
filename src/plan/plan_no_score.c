/*
 * plan_no_score.c
 *		A WARNING where a query relies on a score that is NULL, for want of a search;
 *		for who would not see it the scan makes it an error (scan/lacks_score.c).
 *
 * Expressions are looked at as they stand in the query, with a relation's columns
 * known by its own number and by those of the tables it is a partition of.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/timestamp.h"

#include "plan/plan_no_search.h"

/* A column, as pairs of numbers: of a relation, and of the attribute there. */
typedef List ColumnNumbers;

/* ---- Columns ---- */

static ColumnNumbers *
column_numbers(PlannerInfo *root, Index relid, AttrNumber attnum)
{
	ColumnNumbers *numbers = NIL;

	while (attnum > 0)
	{
		AppendRelInfo *appinfo = root->append_rel_array ? root->append_rel_array[relid] : NULL;
		AttrNumber parent = 0;
		ListCell *lc;

		numbers = lappend_int(lappend_int(numbers, relid), attnum);
		if (appinfo == NULL)
			break;
		foreach(lc, appinfo->translated_vars)
		{
			Var *var = lfirst(lc);

			if (var != NULL && IsA(var, Var) && var->varno == relid && var->varattno == attnum)
				parent = foreach_current_index(lc) + 1;
		}
		relid = appinfo->parent_relid;
		attnum = parent;
	}
	return numbers;
}

static bool
is_column(Node *node, ColumnNumbers *column)
{
	Var *var = (Var *) node;

	if (node == NULL || !IsA(node, Var) || var->varlevelsup != 0)
		return false;
	for (int i = 0; i < list_length(column); i += 2)
	{
		if (var->varno == list_nth_int(column, i) && var->varattno == list_nth_int(column, i + 1))
			return true;
	}
	return false;
}

static bool
contains_column(Node *node, void *column)
{
	return is_column(node, column) ||
		   (node != NULL && expression_tree_walker(node, contains_column, column));
}

/* What is below casts of any kind. */
static Node *
below_casts(Node *node)
{
	for (;;)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, CoerceViaIO))
			node = (Node *) ((CoerceViaIO *) node)->arg;
		else if (IsA(node, ArrayCoerceExpr))
			node = (Node *) ((ArrayCoerceExpr *) node)->arg;
		else if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL)
			node = linitial(((FuncExpr *) node)->args);
		else
			return node;
	}
}

/* ---- Where the query looks ---- */

/* What rows are sorted by: by the query, and for its window functions. */
static List *
sort_expressions(Query *parse)
{
	List *clauses = list_copy(parse->sortClause);
	List *result = NIL;
	ListCell *lc;

	foreach(lc, parse->windowClause)
		clauses = list_concat(clauses, lfirst_node(WindowClause, lc)->orderClause);
	foreach(lc, clauses)
		result = lappend(result, get_sortgroupclause_expr(lfirst(lc), parse->targetList));
	return result;
}

static List *
conditions_on(RelOptInfo *rel)
{
	List *result = NIL;
	ListCell *lc;

	foreach(lc, list_concat_copy(rel->baserestrictinfo, rel->joininfo))
		result = lappend(result, lfirst_node(RestrictInfo, lc)->clause);
	return result;
}

/* ---- Who relies on the score ---- */

/* Is there an operator or function of two arguments, the vector one of them, that could be a distance? */
static bool
contains_distance(Node *node, void *values)
{
	List *args = NIL;
	ListCell *lc;

	if (node == NULL)
		return false;
	if (IsA(node, OpExpr))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr))
		args = ((FuncExpr *) node)->args;
	if (list_length(args) == 2 && exprType(node) == FLOAT8OID)
	{
		foreach(lc, args)
		{
			if (is_column(below_casts(lfirst(lc)), values))
				return true;
		}
	}
	return expression_tree_walker(node, contains_distance, values);
}

static bool
any_contains(List *expressions, ColumnNumbers *column)
{
	ListCell *lc;

	foreach(lc, expressions)
	{
		if (contains_column(lfirst(lc), column))
			return true;
	}
	return false;
}

/* Whoever asks whether it is NULL knows that it may be. */
static bool
conditions_look_at(List *conditions, ColumnNumbers *score)
{
	ListCell *lc;

	foreach(lc, conditions)
	{
		NullTest *test = lfirst(lc);

		if (contains_column((Node *) test, score) &&
			!(IsA(test, NullTest) && test->nulltesttype == IS_NULL && is_column((Node *) test->arg, score)))
			return true;
	}
	return false;
}

/*
 * Is the score part of what a column of the result is made of?  As it stands it
 * shows that it is NULL, except to who has written an order by distance.
 */
static bool
result_needs(List *targets, ColumnNumbers *score, bool has_distance)
{
	ListCell *lc;

	foreach(lc, targets)
	{
		TargetEntry *entry = lfirst(lc);

		if (!entry->resjunk && contains_column((Node *) entry->expr, score) &&
			(has_distance || !is_column(below_casts((Node *) entry->expr), score)))
			return true;
	}
	return false;
}

/* Say so once a statement. */
static void
warn(PineconePlanInfo *info)
{
	static TimestampTz warned_at = 0;

	if (warned_at == GetCurrentStatementStartTimestamp())
		return;
	warned_at = GetCurrentStatementStartTimestamp();
	ereport(WARNING,
			(errmsg("the score of rows of foreign table \"%s\" is NULL", info->table->name),
			 errdetail("The query has no search: it neither orders them by a distance that the index measures, nor bounds one."),
			 errhint("ORDER BY a distance of the vector column; the score is that search's then.")));
}

void
pinecone_plan_warn_of_no_score(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	Query *parse = root->parse;
	List *sorts = sort_expressions(parse);
	List *conditions = conditions_on(rel);
	ColumnNumbers *score = column_numbers(root, rel->relid, info->table->score_attnum);
	ColumnNumbers *values = list_concat(column_numbers(root, rel->relid, info->table->values_attnum),
										column_numbers(root, rel->relid, info->table->sparse_attnum));
	bool has_distance = contains_distance((Node *) sorts, values) || contains_distance((Node *) conditions, values);

	if (score == NIL)
		return;
	info->lacks_score = any_contains(sorts, score) || contains_column(parse->havingQual, score) ||
						conditions_look_at(conditions, score);
	if (info->lacks_score || result_needs(parse->targetList, score, has_distance))
		warn(info);
}
