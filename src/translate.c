/*
 * translate.c
 *		SQL expressions as metadata conditions, id lookups and vector searches.
 *
 * Clauses are brought to negation normal form on the way down: "negated"
 * asks for the condition under which the expression is false.  A row whose
 * condition is NULL is wanted in neither case, so that every leaf states
 * presence of the field where the SQL operator would.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "convert.h"
#include "setting.h"
#include "translate.h"

static PineconeExactness translate_node(PineconeTranslate *cxt, Node *node, bool negated,
										PineconeCondition **condition);

static PineconeCondition *
make_condition(PineconeConditionKind kind, AttrNumber attnum)
{
	PineconeCondition *condition = palloc0(sizeof(PineconeCondition));

	condition->kind = kind;
	condition->attnum = attnum;
	condition->value = -1;
	return condition;
}

int
pinecone_translate_add_expr(PineconeTranslate *cxt, Expr *expr)
{
	ListCell *lc;

	foreach(lc, cxt->exprs)
	{
		if (equal(lfirst(lc), expr))
			return foreach_current_index(lc);
	}
	cxt->exprs = lappend(cxt->exprs, expr);
	return list_length(cxt->exprs) - 1;
}

bool
pinecone_translate_is_value(PineconeTranslate *cxt, Expr *expr)
{
	return !bms_is_member(cxt->varno, pull_varnos(cxt->root, (Node *) expr)) &&
		   !contain_volatile_functions((Node *) expr) &&
		   !expression_returns_set((Node *) expr);
}

/* ---- Columns ---- */

/* Casts between numeric types that keep every value they are given here. */
static bool
cast_keeps_value(Oid funcid)
{
	switch (funcid)
	{
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_FLOAT4_INT2:
		case F_FLOAT8_INT2:
		case F_FLOAT8_INT4:
		case F_FLOAT8_INT8:
		case F_FLOAT8_FLOAT4:
		case F_FLOAT8_NUMERIC:
		case F_NUMERIC_INT2:
		case F_NUMERIC_INT4:
		case F_NUMERIC_INT8:
			return true;
		default:
			return false;
	}
}

static Node *
strip_casts(Node *node)
{
	for (;;)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, FuncExpr) && list_length(((FuncExpr *) node)->args) == 1 &&
				 cast_keeps_value(((FuncExpr *) node)->funcid))
			node = linitial(((FuncExpr *) node)->args);
		else
			return node;
	}
}

/* The column of our table that a node is, casts that change nothing aside. */
static PineconeColumn *
match_column(PineconeTranslate *cxt, Node *node, PineconeRole role)
{
	PineconeColumn *column;
	Var *var;

	node = strip_casts(node);
	if (!IsA(node, Var))
		return NULL;
	var = (Var *) node;
	if (var->varno != cxt->varno || var->varlevelsup != 0 || var->varattno <= 0)
		return NULL;
	column = pinecone_option_column(cxt->table, var->varattno);
	return column != NULL && column->role == role ? column : NULL;
}

/* The metadata key of "metadata -> 'key'" or "metadata ->> 'key'", or NULL. */
static char *
match_metadata_key(PineconeTranslate *cxt, Node *node, Oid funcid)
{
	OpExpr *op = (OpExpr *) node;
	Const *key;
	char *name;

	if (!IsA(node, OpExpr) || get_opcode(op->opno) != funcid ||
		match_column(cxt, linitial(op->args), PINECONE_ROLE_METADATA) == NULL)
		return NULL;
	key = lsecond(op->args);
	if (!IsA(key, Const) || key->constisnull)
		return NULL;
	name = TextDatumGetCString(key->constvalue);
	/* '$' would read as an operator; no stored key starts with it */
	return name[0] == '$' ? NULL : name;
}

/* ---- Operators ---- */

/* Which comparison a built-in operator is; false when it is none. */
static bool
compare_of_operator(Oid opno, PineconeCompare *compare)
{
	static const struct
	{
		const char *name;
		PineconeCompare compare;
	} names[] = {
		{"=", PINECONE_EQ},
		{"<>", PINECONE_NE},
		{"<", PINECONE_LT},
		{"<=", PINECONE_LE},
		{">", PINECONE_GT},
		{">=", PINECONE_GE},
	};
	char *name;

	if (opno >= FirstGenbkiObjectId || (name = get_opname(opno)) == NULL)
		return false;
	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(names[i].name, name) == 0)
		{
			*compare = names[i].compare;
			return true;
		}
	}
	return false;
}

static PineconeCompare
commute_compare(PineconeCompare compare)
{
	switch (compare)
	{
		case PINECONE_LT:
			return PINECONE_GT;
		case PINECONE_LE:
			return PINECONE_GE;
		case PINECONE_GT:
			return PINECONE_LT;
		case PINECONE_GE:
			return PINECONE_LE;
		default:
			return compare;
	}
}

static PineconeCompare
negate_compare(PineconeCompare compare)
{
	static const PineconeCompare negations[] = {
		[PINECONE_EQ] = PINECONE_NE,
		[PINECONE_NE] = PINECONE_EQ,
		[PINECONE_LT] = PINECONE_GE,
		[PINECONE_GE] = PINECONE_LT,
		[PINECONE_GT] = PINECONE_LE,
		[PINECONE_LE] = PINECONE_GT,
	};

	return negations[compare];
}

/* Can a value of this type be compared with the column by its own rules? */
static bool
value_type_fits(const PineconeColumn *column, Oid valtype)
{
	Oid coltype = getBaseType(column->typid);

	valtype = getBaseType(valtype);
	switch (pinecone_shippable_class(column))
	{
		case PINECONE_CLASS_TEXT:
			return valtype == TEXTOID || valtype == VARCHAROID;
		case PINECONE_CLASS_INT:
		case PINECONE_CLASS_NUMBER:
		case PINECONE_CLASS_FLOAT4:
			if (coltype == DATEOID)
				return valtype == DATEOID;
			return valtype == INT2OID || valtype == INT4OID || valtype == INT8OID ||
				   valtype == FLOAT4OID || valtype == FLOAT8OID || valtype == NUMERICOID;
		default:
			return valtype == coltype;
	}
}

static bool
collation_is_bytewise(Oid collation)
{
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

/* A leaf on a metadata column, classified. */
static PineconeExactness
column_leaf(PineconeTranslate *cxt, PineconeColumn *column, PineconeConditionKind kind,
			PineconeCompare compare, Expr *value, PineconeCondition **condition)
{
	PineconeExactness exactness =
		pinecone_shippable_condition(column, kind, compare, cxt->table->type_error_null);

	if (exactness == PINECONE_LOCAL)
		return PINECONE_LOCAL;
	*condition = make_condition(kind, column->attnum);
	(*condition)->compare = compare;
	if (value != NULL)
		(*condition)->value = pinecone_translate_add_expr(cxt, value);
	return exactness;
}

/* A leaf on the metadata object: some of it names a key, some has a value. */
static PineconeExactness
metadata_leaf(PineconeTranslate *cxt, PineconeConditionKind kind, char *key, Expr *value,
			  PineconeCondition **condition)
{
	*condition = make_condition(kind, 0);
	(*condition)->key = key;
	if (value != NULL)
		(*condition)->value = pinecone_translate_add_expr(cxt, value);
	return pinecone_shippable_metadata(kind);
}

/* metadata @> x, metadata ? 'k', metadata ?| keys, metadata ?& keys */
static PineconeExactness
translate_metadata_op(PineconeTranslate *cxt, OpExpr *op, bool negated,
					  PineconeCondition **condition)
{
	Expr *left = linitial(op->args);
	Expr *right = lsecond(op->args);
	PineconeConditionKind kind;

	switch (get_opcode(op->opno))
	{
		case F_JSONB_CONTAINED:
			{
				Expr *swap = left;

				left = right;
				right = swap;
			}
			kind = PINECONE_COND_JSON_CONTAINS;
			break;
		case F_JSONB_CONTAINS:
			kind = PINECONE_COND_JSON_CONTAINS;
			break;
		case F_JSONB_EXISTS_ANY:
			kind = PINECONE_COND_KEYS_ANY;
			break;
		case F_JSONB_EXISTS_ALL:
			kind = PINECONE_COND_KEYS_ALL;
			break;
		case F_JSONB_EXISTS:
			{
				char *key;

				if (!IsA(right, Const) || ((Const *) right)->constisnull ||
					match_column(cxt, (Node *) left, PINECONE_ROLE_METADATA) == NULL)
					return PINECONE_LOCAL;
				key = TextDatumGetCString(((Const *) right)->constvalue);
				if (key[0] == '$')
					return PINECONE_LOCAL;
				return metadata_leaf(cxt, negated ? PINECONE_COND_NOT_EXISTS : PINECONE_COND_EXISTS,
									 key, NULL, condition);
			}
		default:
			return PINECONE_LOCAL;
	}

	if (negated || match_column(cxt, (Node *) left, PINECONE_ROLE_METADATA) == NULL ||
		!pinecone_translate_is_value(cxt, right))
		return PINECONE_LOCAL;
	return metadata_leaf(cxt, kind, NULL, right, condition);
}

/* text[] column @> array, && array */
static PineconeExactness
translate_list_op(PineconeTranslate *cxt, OpExpr *op, PineconeCondition **condition)
{
	Expr *left = linitial(op->args);
	Expr *right = lsecond(op->args);
	Oid funcid = get_opcode(op->opno);
	PineconeColumn *column;

	if (funcid == F_ARRAYCONTAINED ||
		(funcid == F_ARRAYOVERLAP && match_column(cxt, (Node *) left, PINECONE_ROLE_FIELD) == NULL))
	{
		Expr *swap = left;

		left = right;
		right = swap;
	}
	else if (funcid != F_ARRAYCONTAINS && funcid != F_ARRAYOVERLAP)
		return PINECONE_LOCAL;

	column = match_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (column == NULL || pinecone_shippable_class(column) != PINECONE_CLASS_LIST ||
		!pinecone_translate_is_value(cxt, right) || !collation_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;
	return column_leaf(cxt, column,
					   funcid == F_ARRAYOVERLAP ? PINECONE_COND_OVERLAPS : PINECONE_COND_CONTAINS,
					   PINECONE_EQ, right, condition);
}

/* metadata ->> 'k' = x, metadata ->> 'k' <> x, metadata -> 'k' = x */
static PineconeExactness
translate_json_compare(PineconeTranslate *cxt, OpExpr *op, Expr *left, Expr *right,
					   PineconeCompare compare, PineconeCondition **condition)
{
	char *key = match_metadata_key(cxt, strip_casts((Node *) left), F_JSONB_OBJECT_FIELD_TEXT);

	if (key == NULL || exprType((Node *) right) != TEXTOID ||
		!collation_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;
	if (compare == PINECONE_EQ)
		return metadata_leaf(cxt, PINECONE_COND_JSON_TEXT, key, right, condition);
	/* any other comparison needs the field to be there */
	metadata_leaf(cxt, PINECONE_COND_EXISTS, key, NULL, condition);
	return PINECONE_SUPERSET;
}

static PineconeExactness
translate_op(PineconeTranslate *cxt, OpExpr *op, bool negated, PineconeCondition **condition)
{
	PineconeCompare compare;
	PineconeColumn *column;
	PineconeExactness exactness;
	Expr *left;
	Expr *right;

	if (list_length(op->args) != 2)
		return PINECONE_LOCAL;
	if (!compare_of_operator(op->opno, &compare))
	{
		exactness = translate_metadata_op(cxt, op, negated, condition);
		if (exactness != PINECONE_LOCAL || negated)
			return exactness;
		return translate_list_op(cxt, op, condition);
	}

	left = linitial(op->args);
	right = lsecond(op->args);
	if (pinecone_translate_is_value(cxt, left))
	{
		Expr *swap = left;

		left = right;
		right = swap;
		compare = commute_compare(compare);
	}
	if (!pinecone_translate_is_value(cxt, right))
		return PINECONE_LOCAL;
	if (negated)
		compare = negate_compare(compare);

	column = match_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (column == NULL)
		return translate_json_compare(cxt, op, left, right, compare, condition);
	if (!value_type_fits(column, exprType((Node *) right)) ||
		!collation_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;
	return column_leaf(cxt, column, PINECONE_COND_COMPARE, compare, right, condition);
}

/* column = ANY (array), column <> ALL (array), value = ANY (list column) */
static PineconeExactness
translate_array_op(PineconeTranslate *cxt, ScalarArrayOpExpr *op, bool negated,
				   PineconeCondition **condition)
{
	Expr *left = linitial(op->args);
	Expr *right = lsecond(op->args);
	PineconeCompare compare;
	PineconeColumn *column;
	char *key;

	if (!compare_of_operator(op->opno, &compare) || !collation_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;

	column = match_column(cxt, (Node *) right, PINECONE_ROLE_FIELD);
	if (column != NULL)
	{
		if (negated || !op->useOr || compare != PINECONE_EQ ||
			exprType((Node *) left) != TEXTOID ||
			pinecone_shippable_class(column) != PINECONE_CLASS_LIST ||
			!pinecone_translate_is_value(cxt, left))
			return PINECONE_LOCAL;
		return column_leaf(cxt, column, PINECONE_COND_ELEMENT, PINECONE_EQ, left, condition);
	}

	/* Only these two: = ANY and <> ALL */
	if (op->useOr ? compare != PINECONE_EQ : compare != PINECONE_NE)
		return PINECONE_LOCAL;
	if (!pinecone_translate_is_value(cxt, right))
		return PINECONE_LOCAL;

	key = match_metadata_key(cxt, strip_casts((Node *) left), F_JSONB_OBJECT_FIELD_TEXT);
	if (key != NULL)
	{
		if (op->useOr == negated || get_element_type(exprType((Node *) right)) != TEXTOID)
			return PINECONE_LOCAL;
		return metadata_leaf(cxt, PINECONE_COND_JSON_TEXT_IN, key, right, condition);
	}

	column = match_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (column == NULL ||
		!value_type_fits(column, get_element_type(exprType((Node *) right))))
		return PINECONE_LOCAL;
	return column_leaf(cxt, column,
					   op->useOr != negated ? PINECONE_COND_IN : PINECONE_COND_NOT_IN,
					   op->useOr != negated ? PINECONE_EQ : PINECONE_NE,
					   right, condition);
}

static PineconeExactness
translate_distinct(PineconeTranslate *cxt, DistinctExpr *op, bool negated,
				   PineconeCondition **condition)
{
	Expr *left = linitial(op->args);
	Expr *right = lsecond(op->args);
	PineconeCompare compare;
	PineconeColumn *column;

	/* a DistinctExpr carries the type's = operator */
	if (!compare_of_operator(op->opno, &compare) || !collation_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;
	if (pinecone_translate_is_value(cxt, left))
	{
		Expr *swap = left;

		left = right;
		right = swap;
	}
	column = match_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (column == NULL || !pinecone_translate_is_value(cxt, right) ||
		!value_type_fits(column, exprType((Node *) right)))
		return PINECONE_LOCAL;
	return column_leaf(cxt, column,
					   negated ? PINECONE_COND_NOT_DISTINCT : PINECONE_COND_DISTINCT,
					   negated ? PINECONE_EQ : PINECONE_NE,
					   right, condition);
}

static PineconeExactness
translate_null_test(PineconeTranslate *cxt, NullTest *test, bool negated,
					PineconeCondition **condition)
{
	bool is_null = (test->nulltesttype == IS_NULL) != negated;
	PineconeConditionKind kind = is_null ? PINECONE_COND_NOT_EXISTS : PINECONE_COND_EXISTS;
	PineconeColumn *column;
	char *key;

	if (test->argisrow)
		return PINECONE_LOCAL;
	column = match_column(cxt, (Node *) test->arg, PINECONE_ROLE_FIELD);
	if (column != NULL)
		return column_leaf(cxt, column, kind, PINECONE_EQ, NULL, condition);

	key = match_metadata_key(cxt, (Node *) test->arg, F_JSONB_OBJECT_FIELD_TEXT);
	if (key == NULL)
		key = match_metadata_key(cxt, (Node *) test->arg, F_JSONB_OBJECT_FIELD);
	if (key != NULL)
		return metadata_leaf(cxt, kind, key, NULL, condition);
	return PINECONE_LOCAL;
}

/* A boolean column as a condition: true, or (negated) false. */
static PineconeExactness
translate_bool_column(PineconeTranslate *cxt, PineconeColumn *column, bool value,
					  PineconeCondition **condition)
{
	if (pinecone_shippable_class(column) != PINECONE_CLASS_BOOL)
		return PINECONE_LOCAL;
	return column_leaf(cxt, column, PINECONE_COND_COMPARE, PINECONE_EQ,
					   (Expr *) makeBoolConst(value, false), condition);
}

static PineconeExactness
translate_boolean_test(PineconeTranslate *cxt, BooleanTest *test, bool negated,
					   PineconeCondition **condition)
{
	PineconeColumn *column = match_column(cxt, (Node *) test->arg, PINECONE_ROLE_FIELD);
	BoolTestType type = test->booltesttype;

	if (negated)
	{
		static const BoolTestType negations[] = {
			[IS_TRUE] = IS_NOT_TRUE,
			[IS_NOT_TRUE] = IS_TRUE,
			[IS_FALSE] = IS_NOT_FALSE,
			[IS_NOT_FALSE] = IS_FALSE,
			[IS_UNKNOWN] = IS_NOT_UNKNOWN,
			[IS_NOT_UNKNOWN] = IS_UNKNOWN,
		};

		type = negations[type];
	}

	switch (type)
	{
		case IS_TRUE:
			return translate_node(cxt, (Node *) test->arg, false, condition);
		case IS_FALSE:
			return translate_node(cxt, (Node *) test->arg, true, condition);
		case IS_NOT_TRUE:
		case IS_NOT_FALSE:
			if (column == NULL || pinecone_shippable_class(column) != PINECONE_CLASS_BOOL)
				return PINECONE_LOCAL;
			return column_leaf(cxt, column, PINECONE_COND_DISTINCT, PINECONE_NE,
							   (Expr *) makeBoolConst(type == IS_NOT_TRUE, false), condition);
		case IS_UNKNOWN:
		case IS_NOT_UNKNOWN:
			if (column == NULL)
				return PINECONE_LOCAL;
			return column_leaf(cxt, column,
							   type == IS_UNKNOWN ? PINECONE_COND_NOT_EXISTS : PINECONE_COND_EXISTS,
							   PINECONE_EQ, NULL, condition);
	}
	return PINECONE_LOCAL;
}

/*
 * Arms of an AND may stay behind: what remains is a superset.  An arm of an OR
 * may not.
 */
static PineconeExactness
translate_bool(PineconeTranslate *cxt, BoolExpr *expr, bool negated, PineconeCondition **condition)
{
	bool is_and = (expr->boolop == AND_EXPR) != negated;
	PineconeExactness weakest = PINECONE_EXACT;
	List *args = NIL;
	ListCell *lc;

	if (expr->boolop == NOT_EXPR)
		return translate_node(cxt, linitial(expr->args), !negated, condition);

	foreach(lc, expr->args)
	{
		PineconeCondition *arg;
		PineconeExactness exactness = translate_node(cxt, lfirst(lc), negated, &arg);

		if (exactness == PINECONE_LOCAL)
		{
			if (!is_and)
				return PINECONE_LOCAL;
			exactness = PINECONE_SUPERSET;
		}
		else
			args = lappend(args, arg);
		weakest = Min(weakest, exactness);
	}
	if (args == NIL)
		return PINECONE_LOCAL;
	*condition = make_condition(is_and ? PINECONE_COND_AND : PINECONE_COND_OR, 0);
	(*condition)->args = args;
	return weakest;
}

/* Is this function of our extension, by that name? */
static bool
is_own_function(Oid funcid, const char *name)
{
	char *actual = get_func_name(funcid);

	return actual != NULL && strcmp(actual, name) == 0 &&
		   getExtensionOfObject(ProcedureRelationId, funcid) ==
			   get_extension_oid("pinecone_fdw", true);
}

static PineconeExactness
translate_function(PineconeTranslate *cxt, FuncExpr *func, bool negated,
				   PineconeCondition **condition)
{
	if (negated || list_length(func->args) != 2 ||
		match_column(cxt, linitial(func->args), PINECONE_ROLE_METADATA) == NULL ||
		!pinecone_translate_is_value(cxt, lsecond(func->args)) ||
		!is_own_function(func->funcid, "pinecone_match"))
		return PINECONE_LOCAL;
	return metadata_leaf(cxt, PINECONE_COND_RAW, NULL, lsecond(func->args), condition);
}

static PineconeExactness
translate_node(PineconeTranslate *cxt, Node *node, bool negated, PineconeCondition **condition)
{
	PineconeColumn *column;

	switch (nodeTag(node))
	{
		case T_BoolExpr:
			return translate_bool(cxt, (BoolExpr *) node, negated, condition);
		case T_OpExpr:
			return translate_op(cxt, (OpExpr *) node, negated, condition);
		case T_ScalarArrayOpExpr:
			return translate_array_op(cxt, (ScalarArrayOpExpr *) node, negated, condition);
		case T_DistinctExpr:
			return translate_distinct(cxt, (DistinctExpr *) node, negated, condition);
		case T_NullTest:
			return translate_null_test(cxt, (NullTest *) node, negated, condition);
		case T_BooleanTest:
			return translate_boolean_test(cxt, (BooleanTest *) node, negated, condition);
		case T_FuncExpr:
			return translate_function(cxt, (FuncExpr *) node, negated, condition);
		case T_Var:
		case T_RelabelType:
			column = match_column(cxt, node, PINECONE_ROLE_FIELD);
			return column == NULL ? PINECONE_LOCAL :
									translate_bool_column(cxt, column, !negated, condition);
		default:
			return PINECONE_LOCAL;
	}
}

PineconeExactness
pinecone_translate_clause(PineconeTranslate *cxt, Expr *clause, PineconeCondition **condition)
{
	if (!pinecone_enable_filter)
		return PINECONE_LOCAL;
	return translate_node(cxt, (Node *) clause, false, condition);
}

/* ---- Ids ---- */

/*
 * column = value or column = ANY (array), for a column of the given role:
 * the value, or NULL.
 */
static Expr *
match_equality(PineconeTranslate *cxt, Expr *clause, PineconeRole role)
{
	PineconeCompare compare;
	Expr *left;
	Expr *right;
	Oid type;

	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		OpExpr *op = (OpExpr *) clause;

		if (!compare_of_operator(op->opno, &compare) || compare != PINECONE_EQ ||
			!collation_is_bytewise(op->inputcollid))
			return NULL;
		left = linitial(op->args);
		right = lsecond(op->args);
		if (match_column(cxt, (Node *) left, role) == NULL)
		{
			left = lsecond(op->args);
			right = linitial(op->args);
		}
		type = exprType((Node *) right);
	}
	else if (IsA(clause, ScalarArrayOpExpr))
	{
		ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) clause;

		if (!op->useOr || !compare_of_operator(op->opno, &compare) || compare != PINECONE_EQ ||
			!collation_is_bytewise(op->inputcollid))
			return NULL;
		left = linitial(op->args);
		right = lsecond(op->args);
		type = get_element_type(exprType((Node *) right));
	}
	else
		return NULL;

	type = getBaseType(type);
	if ((type != TEXTOID && type != VARCHAROID) ||
		match_column(cxt, (Node *) left, role) == NULL ||
		!pinecone_translate_is_value(cxt, right))
		return NULL;
	return right;
}

/*
 * Equalities of a column of the given role, or ORs of them: the numbers of
 * the values.
 */
static bool
translate_equalities(PineconeTranslate *cxt, Expr *clause, PineconeRole role, List **numbers)
{
	List *clauses = is_orclause(clause) ? ((BoolExpr *) clause)->args : list_make1(clause);
	List *found = NIL;
	ListCell *lc;

	foreach(lc, clauses)
	{
		Expr *value = match_equality(cxt, lfirst(lc), role);

		if (value == NULL)
			return false;
		found = lappend(found, value);
	}

	*numbers = NIL;
	foreach(lc, found)
		*numbers = lappend_int(*numbers, pinecone_translate_add_expr(cxt, lfirst(lc)));
	return true;
}

bool
pinecone_translate_id(PineconeTranslate *cxt, Expr *clause, List **ids)
{
	return pinecone_enable_fetch && translate_equalities(cxt, clause, PINECONE_ROLE_ID, ids);
}

bool
pinecone_translate_namespace(PineconeTranslate *cxt, Expr *clause, List **names)
{
	return pinecone_enable_prune && cxt->table->namespace_attnum > 0 &&
		   translate_equalities(cxt, clause, PINECONE_ROLE_NAMESPACE, names);
}

/* Is a LIKE pattern a plain prefix followed by a single %? */
static bool
like_is_plain_prefix(const char *pattern)
{
	size_t len = strlen(pattern);

	return len > 0 && pattern[len - 1] == '%' && strcspn(pattern, "%_\\") == len - 1;
}

bool
pinecone_translate_prefix(PineconeTranslate *cxt, Expr *clause, int *prefix, bool *is_like,
						  bool *exact)
{
	Expr *left;
	Expr *right;
	Oid funcid;
	Oid collation;

	if (!pinecone_enable_prefix)
		return false;
	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		funcid = get_opcode(((OpExpr *) clause)->opno);
		left = linitial(((OpExpr *) clause)->args);
		right = lsecond(((OpExpr *) clause)->args);
		collation = ((OpExpr *) clause)->inputcollid;
	}
	else if (IsA(clause, FuncExpr) && list_length(((FuncExpr *) clause)->args) == 2)
	{
		funcid = ((FuncExpr *) clause)->funcid;
		left = linitial(((FuncExpr *) clause)->args);
		right = lsecond(((FuncExpr *) clause)->args);
		collation = ((FuncExpr *) clause)->inputcollid;
	}
	else
		return false;

	if ((funcid != F_TEXTLIKE && funcid != F_STARTS_WITH) ||
		match_column(cxt, (Node *) left, PINECONE_ROLE_ID) == NULL ||
		!pinecone_translate_is_value(cxt, right) || !collation_is_bytewise(collation))
		return false;

	*is_like = funcid == F_TEXTLIKE;
	*exact = !*is_like;
	if (*is_like && IsA(right, Const) && !((Const *) right)->constisnull)
	{
		char *pattern = TextDatumGetCString(((Const *) right)->constvalue);

		/* nothing to gain without a fixed beginning */
		if (pattern[0] == '%' || pattern[0] == '_')
			return false;
		*exact = like_is_plain_prefix(pattern);
	}
	*prefix = pinecone_translate_add_expr(cxt, right);
	return true;
}

/* ---- Distances ---- */

/* A cast between real[] and pgvector's vector keeps the vector. */
static Node *
strip_vector_casts(Node *node)
{
	node = strip_implicit_coercions(node);
	while (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL &&
		   pinecone_convert_is_vector_type(exprType(node)) &&
		   pinecone_convert_is_vector_type(exprType(linitial(((FuncExpr *) node)->args))))
		node = linitial(((FuncExpr *) node)->args);
	if (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
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
	char *name;

	op_input_types(opno, &left, &right);
	if (left != right || !pinecone_convert_is_vector_type(left))
		return PINECONE_METRIC_UNKNOWN;

	/* ours for real[], pgvector's for its own type; nobody else's */
	extension = getExtensionOfObject(OperatorRelationId, opno);
	if (!OidIsValid(extension) ||
		extension != get_extension_oid(left == FLOAT4ARRAYOID ? "pinecone_fdw" : "vector", true))
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
	return match_column(cxt, strip_vector_casts(node), PINECONE_ROLE_VALUES);
}

bool
pinecone_translate_distance(PineconeTranslate *cxt, Expr *expr, PineconeDistance *distance)
{
	OpExpr *op = (OpExpr *) expr;
	Node *left;
	Node *right;

	if (!pinecone_enable_knn || !IsA(expr, OpExpr) || list_length(op->args) != 2)
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
	distance->query = (Expr *) right;
	return distance->metric != PINECONE_METRIC_UNKNOWN;
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
		!compare_of_operator(op->opno, &compare))
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (!pinecone_translate_distance(cxt, left, distance))
	{
		Expr *swap = left;

		left = right;
		right = swap;
		compare = commute_compare(compare);
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
