/*
 * translate_distance.c
 *		SQL expressions as vector searches.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"

#include "base/setting.h"
#include "option/column_type.h"
#include "plan/translate_expr.h"

/*
 * A cast between real[] and pgvector's vector keeps the vector.  One to halfvec
 * rounds it, which those who write it do for a smaller index: the index that
 * there is measures the vector as it is stored.
 */
static Node *
strip_vector_casts(Node *node)
{
	node = strip_implicit_coercions(node);
	while (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL &&
		   pinecone_column_type_is_vector(exprType(node)) &&
		   pinecone_column_type_is_vector(exprType(linitial(((FuncExpr *) node)->args))))
		node = strip_implicit_coercions(linitial(((FuncExpr *) node)->args));
	if (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	/* float8 holds any float4 */
	if (IsA(node, ArrayCoerceExpr) && exprType(node) == FLOAT8ARRAYOID &&
		exprType((Node *) ((ArrayCoerceExpr *) node)->arg) == FLOAT4ARRAYOID)
		node = (Node *) ((ArrayCoerceExpr *) node)->arg;
	return node;
}

/* A query vector in float8, as clients like to send them, is compared in float4. */
static Expr *
as_vector(PineconeTranslate *cxt, Node *query)
{
	if (exprType(query) != FLOAT8ARRAYOID)
		return (Expr *) query;
	query = coerce_to_target_type(NULL, query, FLOAT8ARRAYOID, FLOAT4ARRAYOID, -1,
								  COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	return (Expr *) eval_const_expressions(cxt->root, query);
}

typedef struct Spelling
{
	const char *name;
	PineconeMetric metric;
	bool negated;
} Spelling;

/* pgvector's operators, and ours for arrays and sparse vectors */
static const Spelling operators[] = {
	{"<=>", PINECONE_METRIC_COSINE},
	{"<->", PINECONE_METRIC_EUCLIDEAN},
	{"<#>", PINECONE_METRIC_DOTPRODUCT},
	{NULL},
};

/* The functions behind them, under their documented names */
static const Spelling functions[] = {
	{"cosine_distance", PINECONE_METRIC_COSINE},
	{"l2_distance", PINECONE_METRIC_EUCLIDEAN},
	{"inner_product", PINECONE_METRIC_DOTPRODUCT, true},
	{"vector_negative_inner_product", PINECONE_METRIC_DOTPRODUCT},
	{"halfvec_negative_inner_product", PINECONE_METRIC_DOTPRODUCT},
	{"sparsevec_negative_inner_product", PINECONE_METRIC_DOTPRODUCT},
	{NULL},
};
static const Spelling own_functions[] = {
	{"pinecone_cosine_distance", PINECONE_METRIC_COSINE},
	{"pinecone_l2_distance", PINECONE_METRIC_EUCLIDEAN},
	{"pinecone_negative_inner_product", PINECONE_METRIC_DOTPRODUCT},
	{"pinecone_array_cosine_distance", PINECONE_METRIC_COSINE},
	{"pinecone_array_l2_distance", PINECONE_METRIC_EUCLIDEAN},
	{"pinecone_array_negative_inner_product", PINECONE_METRIC_DOTPRODUCT},
	{"pinecone_sparse_negative_inner_product", PINECONE_METRIC_DOTPRODUCT},
	{NULL},
};

/* Which distance an operator or a function of two vectors, dense or sparse ones, computes, or NULL. */
static const Spelling *
spelling_of(Oid classid, Oid oid, Oid left, Oid right, bool sparse)
{
	bool ours = sparse ? left == JSONBOID : left == FLOAT4ARRAYOID || left == FLOAT8ARRAYOID;
	bool theirs = sparse ? pinecone_column_type_is_sparsevec(left) : pinecone_column_type_is_vector(left);
	const Spelling *spelling = operators;
	Oid extension;
	char *name;

	if (left != right || !(ours || theirs))
		return NULL;

	/* ours for arrays, pgvector's for its own type; nobody else's */
	extension = getExtensionOfObject(classid, oid);
	if (!OidIsValid(extension) || extension != get_extension_oid(ours ? "pinecone_fdw" : "vector", true))
		return NULL;

	name = classid == OperatorRelationId ? get_opname(oid) : get_func_name(oid);
	if (classid == ProcedureRelationId)
		spelling = ours ? own_functions : functions;
	for (; name != NULL && spelling->name != NULL; spelling++)
	{
		if (strcmp(name, spelling->name) == 0)
			return spelling;
	}
	return NULL;
}

/* The vector column of that kind, or NULL. */
static PineconeColumn *
match_vector(PineconeTranslate *cxt, Node *node, bool sparse)
{
	if (sparse)
		return pinecone_translate_column(cxt, strip_implicit_coercions(node), PINECONE_ROLE_SPARSE_VALUES);
	return pinecone_translate_column(cxt, strip_vector_casts(node), PINECONE_ROLE_VALUES);
}

/* The operands of an operator or a function, as far as these are looked at. */
static List *
operands(Expr *expr)
{
	if (IsA(expr, OpExpr))
		return ((OpExpr *) expr)->args;
	if (IsA(expr, FuncExpr) && pinecone_enable_spellings)
		return ((FuncExpr *) expr)->args;
	return NIL;
}

/*
 * Match an operator or function with a vector column on one side and a value on
 * the other; which side does not matter, all distances are symmetric.
 */
static bool
match_distance(PineconeTranslate *cxt, Expr *expr, PineconeDistance *distance, bool sparse)
{
	List *args = operands(expr);
	const Spelling *spelling;
	Node *left;
	Node *right;

	if (list_length(args) != 2)
		return false;
	left = linitial(args);
	right = lsecond(args);
	if (match_vector(cxt, left, sparse) == NULL)
	{
		Node *swap = left;

		left = right;
		right = swap;
	}
	if (match_vector(cxt, left, sparse) == NULL || !pinecone_translate_is_value(cxt, (Expr *) right))
		return false;
	spelling = spelling_of(IsA(expr, OpExpr) ? OperatorRelationId : ProcedureRelationId,
						   IsA(expr, OpExpr) ? ((OpExpr *) expr)->opno : ((FuncExpr *) expr)->funcid,
						   exprType(linitial(args)), exprType(lsecond(args)), sparse);
	/* sparse vectors have one product alone */
	if (spelling == NULL || (sparse && spelling->metric != PINECONE_METRIC_DOTPRODUCT))
		return false;
	memset(distance, 0, sizeof(*distance));
	distance->expr = expr;
	distance->metric = spelling->metric;
	distance->negated = spelling->negated;
	if (sparse)
		distance->sparse = (Expr *) right;
	else
	{
		distance->query = as_vector(cxt, right);
		distance->rounds = pinecone_column_type_is_halfvec(getBaseType(match_vector(cxt, left, false)->typid)) ||
						   pinecone_column_type_is_halfvec(exprType(linitial(args)));
	}
	return true;
}

/* pinecone_hybrid_distance(dense, sparse, alpha) */
static bool
match_hybrid(PineconeTranslate *cxt, Expr *expr, PineconeDistance *distance)
{
	FuncExpr *call = (FuncExpr *) expr;
	PineconeDistance sparse;

	if (!IsA(expr, FuncExpr) || list_length(call->args) != 3 ||
		!pinecone_translate_is_own_function(call->funcid, "pinecone_hybrid_distance") ||
		!pinecone_translate_is_value(cxt, lthird(call->args)) ||
		!match_distance(cxt, linitial(call->args), distance, false) ||
		distance->metric != PINECONE_METRIC_DOTPRODUCT || distance->negated ||
		!match_distance(cxt, lsecond(call->args), &sparse, true) || sparse.negated)
		return false;
	distance->expr = expr;
	distance->sparse = sparse.sparse;
	distance->alpha = lthird(call->args);
	return true;
}

bool
pinecone_translate_distance(PineconeTranslate *cxt, Expr *expr, PineconeDistance *distance)
{
	return match_distance(cxt, expr, distance, false) || match_distance(cxt, expr, distance, true) ||
		   match_hybrid(cxt, expr, distance);
}

/* The query that an InitPlan of this query level gives a parameter's value by, or NULL. */
static Query *
query_of_param(PlannerInfo *root, Expr *expr)
{
	Param *param = (Param *) expr;
	ListCell *lc;

	if (!IsA(expr, Param) || param->paramkind != PARAM_EXEC)
		return NULL;
	foreach(lc, root->init_plans)
	{
		SubPlan *subplan = lfirst(lc);

		if (subplan->subLinkType == EXPR_SUBLINK && list_length(subplan->setParam) == 1 &&
			linitial_int(subplan->setParam) == param->paramid)
			return ((PlannerInfo *) list_nth(root->glob->subroots, subplan->plan_id - 1))->parse;
	}
	return NULL;
}

/* (SELECT ...), written twice, has one value. */
static bool
same_value(PlannerInfo *root, Expr *a, Expr *b)
{
	Query *query;

	if (equal(a, b))
		return true;
	if (a == NULL || b == NULL)
		return false;
	query = query_of_param(root, a);
	return query != NULL && equal(query, query_of_param(root, b)) &&
		   !contain_volatile_functions((Node *) query);
}

bool
pinecone_translate_same_distance(PlannerInfo *root, const PineconeDistance *a, const PineconeDistance *b)
{
	return a->metric == b->metric && same_value(root, a->query, b->query) &&
		   same_value(root, a->sparse, b->sparse) && same_value(root, a->alpha, b->alpha);
}
