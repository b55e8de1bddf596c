/*
 * translate_distance.c
 *		SQL expressions as vector searches.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"

#include "option/column_type.h"
#include "plan/translate_expr.h"
#include "value/row.h"

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

/* The metric whose distance an operator on two vectors computes. */
static PineconeMetric
metric_of_operator(Oid opno)
{
	static const struct
	{
		const char *name;
		PineconeMetric metric;
	} names[] = {
		{"<=>", PINECONE_METRIC_COSINE},
		{"<->", PINECONE_METRIC_EUCLIDEAN},
		{"<#>", PINECONE_METRIC_DOTPRODUCT},
	};
	Oid left;
	Oid right;
	Oid extension;
	bool ours;
	char *name;

	op_input_types(opno, &left, &right);
	ours = left == FLOAT4ARRAYOID || left == FLOAT8ARRAYOID;
	if (left != right || !(ours || pinecone_column_type_is_vector(left)))
		return PINECONE_METRIC_UNKNOWN;

	/* ours for arrays, pgvector's for its own type; nobody else's */
	extension = getExtensionOfObject(OperatorRelationId, opno);
	if (!OidIsValid(extension) || extension != get_extension_oid(ours ? "pinecone_fdw" : "vector", true))
		return PINECONE_METRIC_UNKNOWN;

	name = get_opname(opno);
	for (int i = 0; name != NULL && i < lengthof(names); i++)
	{
		if (strcmp(name, names[i].name) == 0)
			return names[i].metric;
	}
	return PINECONE_METRIC_UNKNOWN;
}

/* The dense vector column, or NULL. */
static PineconeColumn *
match_vector(PineconeTranslate *cxt, Node *node)
{
	return pinecone_translate_column(cxt, strip_vector_casts(node), PINECONE_ROLE_VALUES);
}

bool
pinecone_translate_distance(PineconeTranslate *cxt, Expr *expr, PineconeDistance *distance)
{
	OpExpr *op = (OpExpr *) expr;
	Node *left;
	Node *right;

	if (!IsA(expr, OpExpr) || list_length(op->args) != 2)
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (match_vector(cxt, left) == NULL)
	{
		Node *swap = left;

		left = right;
		right = swap;
	}
	if (match_vector(cxt, left) == NULL || !pinecone_translate_is_value(cxt, (Expr *) right))
		return false;
	distance->metric = metric_of_operator(op->opno);
	distance->op = op;
	if (distance->metric == PINECONE_METRIC_UNKNOWN)
		return false;
	distance->query = as_vector(cxt, right);
	distance->rounds = pinecone_column_type_is_halfvec(getBaseType(match_vector(cxt, left)->typid)) ||
					   pinecone_column_type_is_halfvec(exprType(linitial(op->args)));
	return true;
}

bool
pinecone_translate_bound(PineconeTranslate *cxt, Expr *clause, PineconeDistance *distance,
						 int *bound, bool *inclusive)
{
	OpExpr *op = (OpExpr *) clause;
	PineconeCompare compare;
	Expr *left;
	Expr *right;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 ||
		!pinecone_translate_compare(op->opno, &compare))
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (!pinecone_translate_distance(cxt, left, distance))
	{
		Expr *swap = left;

		left = right;
		right = swap;
		compare = pinecone_translate_commute(compare);
		if (!pinecone_translate_distance(cxt, left, distance))
			return false;
	}
	if ((compare != PINECONE_LT && compare != PINECONE_LE) ||
		exprType((Node *) right) != FLOAT8OID || !pinecone_translate_is_value(cxt, right))
		return false;
	*inclusive = compare == PINECONE_LE;
	*bound = pinecone_translate_add_expr(cxt, right);
	return true;
}

bool
pinecone_translate_score_bound(PineconeTranslate *cxt, Expr *clause, PineconeMetric metric,
							   int *bound, PineconeCompare *compare)
{
	OpExpr *op = (OpExpr *) clause;
	bool low = metric == PINECONE_METRIC_EUCLIDEAN;
	Expr *left;
	Expr *right;
	Oid type;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 ||
		!pinecone_translate_compare(op->opno, compare))
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_SCORE) == NULL)
	{
		Expr *swap = left;

		left = right;
		right = swap;
		*compare = pinecone_translate_commute(*compare);
		if (pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_SCORE) == NULL)
			return false;
	}
	/* the other side of a bound is where the search begins */
	if (low ? *compare != PINECONE_LT && *compare != PINECONE_LE :
			  *compare != PINECONE_GT && *compare != PINECONE_GE)
		return false;
	type = exprType((Node *) right);
	if ((type != FLOAT8OID && type != FLOAT4OID) || !pinecone_translate_is_value(cxt, right))
		return false;
	*bound = pinecone_translate_add_expr(cxt, right);
	return true;
}
