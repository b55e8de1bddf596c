/*
 * translate.c
 *		SQL expressions as metadata conditions.
 *
 * Clauses are brought to negation normal form on the way down: "negated"
 * asks for the condition under which the expression is false.  A row whose
 * condition is NULL is wanted in neither case, so that every leaf states
 * presence of the field where the SQL operator would.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/setting.h"
#include "plan/translate_expr.h"
#include "wire/schema.h"

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

/* ---- Columns ---- */

/* The only element of a constant text[], or NULL. */
static Const *
only_element(Node *node)
{
	Const *array = (Const *) node;
	Datum *elements;
	bool *nulls;
	int n;

	if (!IsA(node, Const) || array->constisnull || array->consttype != TEXTARRAYOID)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(array->constvalue), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	return n == 1 ? makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, elements[0], nulls[0], false) : NULL;
}

/* What of the metadata a node takes a field of, and the field's name; or NULL. */
static Const *
match_path(Node *node, bool as_text, Node **object)
{
	Oid funcid = InvalidOid;
	List *args = NIL;

	if (IsA(node, OpExpr))
	{
		funcid = get_opcode(((OpExpr *) node)->opno);
		args = ((OpExpr *) node)->args;
	}
	else if (IsA(node, FuncExpr))
	{
		funcid = ((FuncExpr *) node)->funcid;
		args = ((FuncExpr *) node)->args;
	}
	else if (IsA(node, SubscriptingRef) && !as_text)
	{
		SubscriptingRef *ref = (SubscriptingRef *) node;

		if (ref->refcontainertype != JSONBOID || list_length(ref->refupperindexpr) != 1 ||
			ref->reflowerindexpr != NIL || ref->refassgnexpr != NULL ||
			!IsA(linitial(ref->refupperindexpr), Const) || exprType(linitial(ref->refupperindexpr)) != TEXTOID)
			return NULL;
		*object = (Node *) ref->refexpr;
		return linitial(ref->refupperindexpr);
	}
	if (list_length(args) != 2)
		return NULL;
	*object = linitial(args);
	/* metadata is an object, so that an element's number is a name as well */
	if (funcid == (as_text ? F_JSONB_EXTRACT_PATH_TEXT : F_JSONB_EXTRACT_PATH))
		return only_element(lsecond(args));
	if (funcid == (as_text ? F_JSONB_OBJECT_FIELD_TEXT : F_JSONB_OBJECT_FIELD) && IsA(lsecond(args), Const))
		return lsecond(args);
	return NULL;
}

/*
 * The key of "metadata -> 'key'", or as text "metadata ->> 'key'", in any
 * spelling, or NULL.
 */
static char *
match_metadata_key(PineconeTranslate *cxt, Node *node, bool as_text)
{
	Node *object;
	Const *key = match_path(node, as_text, &object);
	char *name;

	if (key == NULL || key->constisnull ||
		pinecone_translate_column(cxt, object, PINECONE_ROLE_METADATA) == NULL)
		return NULL;
	name = TextDatumGetCString(key->constvalue);
	/* '$' would read as an operator; no stored key starts with it */
	return name[0] == '$' ? NULL : name;
}

/* ---- Operators ---- */

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

/* A leaf on a metadata column, classified. */
static PineconeExactness
column_leaf(PineconeTranslate *cxt, PineconeColumn *column, PineconeConditionKind kind,
			PineconeCompare compare, Expr *value, PineconeCondition **condition)
{
	Oid valtype = value ? exprType((Node *) value) : InvalidOid;
	Oid elmtype = value ? get_element_type(getBaseType(valtype)) : InvalidOid;
	PineconeExactness exactness =
		pinecone_shippable_condition(column, kind, compare, OidIsValid(elmtype) ? elmtype : valtype,
									 cxt->table->type_error_null);

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
	return pinecone_shippable_metadata(cxt->table, kind, key);
}

static bool
is_empty_object(Expr *expr)
{
	Const *value = (Const *) expr;
	Jsonb *object;

	if (!IsA(expr, Const) || value->constisnull || value->consttype != JSONBOID)
		return false;
	object = DatumGetJsonbP(value->constvalue);
	return JB_ROOT_IS_OBJECT(object) && JB_ROOT_COUNT(object) == 0;
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
				char *key = match_metadata_key(cxt, (Node *) left, false);

				/* metadata -> 'tags' ? 'x': a string, or a list that has it */
				if (key != NULL && !negated && pinecone_translate_is_value(cxt, right))
				{
					(void) metadata_leaf(cxt, PINECONE_COND_ELEMENT, key, right, condition);
					return PINECONE_SUPERSET;
				}
				if (!IsA(right, Const) || ((Const *) right)->constisnull ||
					pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_METADATA) == NULL)
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

	if (negated || pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_METADATA) == NULL ||
		!pinecone_translate_is_value(cxt, right))
		return PINECONE_LOCAL;
	if (kind == PINECONE_COND_JSON_CONTAINS && is_empty_object(right))
	{
		/* every object contains it */
		*condition = make_condition(PINECONE_COND_AND, 0);
		return cxt->table->type_error_null ? PINECONE_SUPERSET : PINECONE_EXACT;
	}
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
		(funcid == F_ARRAYOVERLAP && pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_FIELD) == NULL))
	{
		Expr *swap = left;

		left = right;
		right = swap;
	}
	else if (funcid != F_ARRAYCONTAINS && funcid != F_ARRAYOVERLAP)
		return PINECONE_LOCAL;

	column = pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (column == NULL || pinecone_shippable_class(column) != PINECONE_CLASS_LIST ||
		!pinecone_translate_is_value(cxt, right) || !pinecone_translate_is_bytewise(op->inputcollid))
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
	char *key = match_metadata_key(cxt, pinecone_translate_strip_casts((Node *) left), true);

	bool as_text = key != NULL;

	if (!as_text)
		key = match_metadata_key(cxt, (Node *) left, false);
	if (key == NULL || exprType((Node *) right) != (as_text ? TEXTOID : JSONBOID) ||
		(as_text && !pinecone_translate_is_bytewise(op->inputcollid)))
		return PINECONE_LOCAL;
	if (compare == PINECONE_EQ)
		return metadata_leaf(cxt, as_text ? PINECONE_COND_JSON_TEXT : PINECONE_COND_JSON_EQUAL, key, right, condition);
	/* any other comparison needs the field to be there */
	return metadata_leaf(cxt, PINECONE_COND_EXISTS, key, NULL, condition) == PINECONE_LOCAL ?
			   PINECONE_LOCAL :
			   PINECONE_SUPERSET;
}

/*
 * A comparison with one side a value: of a column, of the metadata, or of a
 * field in it. Which side is which does not matter, and a negation turns the
 * operator.
 */
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
	if (!pinecone_translate_compare(op->opno, &compare))
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
		compare = pinecone_translate_commute(compare);
	}
	if (!pinecone_translate_is_value(cxt, right))
		return PINECONE_LOCAL;
	if (negated)
		compare = negate_compare(compare);

	column = pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (exprType((Node *) right) == JSONBOID && compare == PINECONE_EQ && column != NULL &&
		column->typid == JSONBOID && column->format != PINECONE_FORMAT_JSON)
	{
		*condition = make_condition(PINECONE_COND_JSON_EQUAL, column->attnum);
		(*condition)->value = pinecone_translate_add_expr(cxt, right);
		return PINECONE_SUPERSET;
	}
	/* what equals an object contains it */
	if (exprType((Node *) right) == JSONBOID && compare == PINECONE_EQ &&
		pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_METADATA) != NULL)
		return metadata_leaf(cxt, PINECONE_COND_JSON_CONTAINS, NULL, right, condition);
	if (column == NULL)
		return translate_json_compare(cxt, op, left, right, compare, condition);
	if (!value_type_fits(column, exprType((Node *) right)) ||
		!pinecone_translate_is_bytewise(op->inputcollid))
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

	if (!pinecone_translate_compare(op->opno, &compare) || !pinecone_translate_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;

	column = pinecone_translate_column(cxt, (Node *) right, PINECONE_ROLE_FIELD);
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

	key = match_metadata_key(cxt, pinecone_translate_strip_casts((Node *) left), true);
	if (key != NULL)
	{
		if (op->useOr == negated || get_element_type(exprType((Node *) right)) != TEXTOID)
			return PINECONE_LOCAL;
		return metadata_leaf(cxt, PINECONE_COND_JSON_TEXT_IN, key, right, condition);
	}

	column = pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
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
	if (!pinecone_translate_compare(op->opno, &compare) || !pinecone_translate_is_bytewise(op->inputcollid))
		return PINECONE_LOCAL;
	if (pinecone_translate_is_value(cxt, left))
	{
		Expr *swap = left;

		left = right;
		right = swap;
	}
	column = pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
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
	column = pinecone_translate_column(cxt, (Node *) test->arg, PINECONE_ROLE_FIELD);
	if (column != NULL)
		return column_leaf(cxt, column, kind, PINECONE_EQ, NULL, condition);

	key = match_metadata_key(cxt, (Node *) test->arg, true);
	if (key == NULL)
		key = match_metadata_key(cxt, (Node *) test->arg, false);
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

/*
 * IS [NOT] TRUE, FALSE and UNKNOWN. A negation is another test; IS TRUE and IS
 * FALSE are what is tested, as conditions take NULL for false.
 */
static PineconeExactness
translate_boolean_test(PineconeTranslate *cxt, BooleanTest *test, bool negated,
					   PineconeCondition **condition)
{
	PineconeColumn *column = pinecone_translate_column(cxt, (Node *) test->arg, PINECONE_ROLE_FIELD);
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

static PineconeExactness
translate_function(PineconeTranslate *cxt, FuncExpr *func, bool negated,
				   PineconeCondition **condition)
{
	if (list_length(func->args) == 2 && exprType(lsecond(func->args)) == TEXTOID)
		return !negated && pinecone_translate_words(cxt, (Node *) func, condition) ? PINECONE_EXACT : PINECONE_LOCAL;
	if (negated || list_length(func->args) != 2)
		return PINECONE_LOCAL;
	if (pinecone_translate_column(cxt, linitial(func->args), PINECONE_ROLE_ID) != NULL &&
		pinecone_translate_is_value(cxt, lsecond(func->args)) &&
		pinecone_translate_is_own_function(func->funcid, "pinecone_match_record"))
	{
		*condition = make_condition(PINECONE_COND_RECORD, 0);
		(*condition)->value = pinecone_translate_add_expr(cxt, lsecond(func->args));
		return PINECONE_EXACT;
	}
	if (pinecone_translate_column(cxt, linitial(func->args), PINECONE_ROLE_METADATA) == NULL ||
		!pinecone_translate_is_value(cxt, lsecond(func->args)) ||
		!pinecone_translate_is_own_function(func->funcid, "pinecone_match"))
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
			column = pinecone_translate_column(cxt, node, PINECONE_ROLE_FIELD);
			return column == NULL ? PINECONE_LOCAL :
									translate_bool_column(cxt, column, !negated, condition);
		default:
			return PINECONE_LOCAL;
	}
}

PineconeExactness
pinecone_translate_clause(PineconeTranslate *cxt, Expr *clause, PineconeCondition **condition)
{
	if (!pinecone_enable_filter || cxt->table->filters_doubted)
		return PINECONE_LOCAL;
	if (pinecone_translate_no_words(cxt, clause, condition))
		return PINECONE_SUPERSET;
	return translate_node(cxt, (Node *) clause, false, condition);
}
