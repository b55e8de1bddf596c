/*
 * plan_no_search.c
 *		Why a distance in a query is no search.
 *
 * Looked for when there is none: in what the query orders by first, and in its
 * conditions.  EXPLAIN says it in a line, because such a query reads all there is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/plan_no_search.h"
#include "plan/translate_expr.h"

typedef struct Look
{
	PlannerInfo *root;
	RelOptInfo *rel;
	PineconeNoSearch found; /* of a distance in what was looked at */
	PineconeRole role;		/* of the vectors that are looked for */
} Look;

/* The other side of an operator or a function on our vectors, or NULL. */
static Node *
query_of(Look *look, List *args)
{
	PineconeTranslate cxt = pinecone_plan_translate(look->root, look->rel);
	ListCell *lc;

	foreach(lc, args)
	{
		Node *side = lfirst(lc);

		while (IsA(side, FuncExpr) && ((FuncExpr *) side)->args != NIL &&
			   ((FuncExpr *) side)->funcformat != COERCE_EXPLICIT_CALL)
			side = linitial(((FuncExpr *) side)->args);
		if (IsA(side, ArrayCoerceExpr))
			side = (Node *) ((ArrayCoerceExpr *) side)->arg;
		if (pinecone_translate_column(&cxt, side, look->role) != NULL)
			return lfirst(lc) == linitial(args) ? lsecond(args) : linitial(args);
	}
	return NULL;
}

/* Is a node a distance, and what is wrong with it? */
static bool
look_at(Node *node, void *context)
{
	Look *look = context;
	List *args = NIL;
	Node *query;

	if (node == NULL)
		return false;
	if (IsA(node, OpExpr))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr))
		args = ((FuncExpr *) node)->args;
	if (list_length(args) != 2 || exprType(node) != FLOAT8OID ||
		(query = query_of(look, args)) == NULL)
		return expression_tree_walker(node, look_at, context);
	if (bms_is_member(look->rel->relid, pull_varnos(look->root, query)))
		look->found = PINECONE_NO_SEARCH_OWN_COLUMNS;
	else if (contain_volatile_functions(query))
		look->found = PINECONE_NO_SEARCH_VOLATILE;
	else if (!bms_is_empty(pull_varnos(look->root, query)))
		look->found = PINECONE_NO_SEARCH_JOINED;
	else
	{
		PineconeTranslate cxt = pinecone_plan_translate(look->root, look->rel);
		PineconeDistance distance;

		if (look->role == PINECONE_ROLE_SPARSE_VALUES)
			look->found = PINECONE_NO_SEARCH_SPARSE;
		else
			look->found = pinecone_translate_distance(&cxt, (Expr *) node, &distance) ?
							  PINECONE_NO_SEARCH_ORDER :
							  PINECONE_NO_SEARCH_FUNCTION;
	}
	return true;
}

/* What an expression is, instead of a distance that is searched by. */
static PineconeNoSearch
look_for(PlannerInfo *root, RelOptInfo *rel, Node *node)
{
	Look dense = {root, rel, PINECONE_NO_SEARCH_UNSAID, PINECONE_ROLE_VALUES};
	Look sparse = {root, rel, PINECONE_NO_SEARCH_UNSAID, PINECONE_ROLE_SPARSE_VALUES};

	(void) look_at(node, &dense);
	(void) look_at(node, &sparse);
	if (dense.found == PINECONE_NO_SEARCH_ORDER && sparse.found == PINECONE_NO_SEARCH_SPARSE)
		return PINECONE_NO_SEARCH_SUM;
	return dense.found != PINECONE_NO_SEARCH_UNSAID ? dense.found : sparse.found;
}

static PineconeNoSearch
why_not_ordered(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeNoSearch found = PINECONE_NO_SEARCH_UNSAID;
	PathKey *pathkey;
	ListCell *lc;

	if (root->query_pathkeys == NIL)
		return PINECONE_NO_SEARCH_UNSAID;
	pathkey = linitial(root->query_pathkeys);
	foreach(lc, pinecone_class_members(pathkey->pk_eclass, rel))
	{
		found = look_for(root, rel, (Node *) ((EquivalenceMember *) lfirst(lc))->em_expr);
		if (found != PINECONE_NO_SEARCH_UNSAID)
			break;
	}
	return found;
}

PineconeNoSearch
pinecone_plan_why_no_search(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeNoSearch found = why_not_ordered(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		if (found != PINECONE_NO_SEARCH_UNSAID)
			break;
		/* the far side of a bound is none, and needs no explanation */
		found = look_for(root, rel, (Node *) lfirst_node(RestrictInfo, lc)->clause);
		if (found == PINECONE_NO_SEARCH_ORDER)
			found = PINECONE_NO_SEARCH_UNSAID;
	}
	return found;
}
