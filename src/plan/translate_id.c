/*
 * translate_id.c
 *		SQL expressions as lookups by id, namespaces to ask, and prefixes of ids.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/translate_expr.h"

/* Is a value of that type equal to the column's where it is spelled alike? */
static bool
value_type_fits(Oid coltype, Oid valtype)
{
	switch (coltype)
	{
		case UUIDOID:
			return valtype == UUIDOID;
		case INT4OID:
		case INT8OID:
			return valtype == INT2OID || valtype == INT4OID || valtype == INT8OID;
		default:
			return valtype == TEXTOID || valtype == VARCHAROID;
	}
}

/* Values, or arrays of them, as the text that ids are. */
static Expr *
as_text(PineconeTranslate *cxt, Expr *value)
{
	bool is_array = OidIsValid(get_element_type(getBaseType(exprType((Node *) value))));
	CoerceViaIO *text = makeNode(CoerceViaIO);

	text->arg = value;
	text->resulttype = is_array ? TEXTARRAYOID : TEXTOID;
	text->resultcollid = DEFAULT_COLLATION_OID;
	text->coerceformat = COERCE_EXPLICIT_CAST;
	text->location = -1;
	return (Expr *) eval_const_expressions(cxt->root, (Node *) text);
}

/*
 * column = value or column = ANY (array), for a column of the given role:
 * the value, or NULL.
 */
static Expr *
match_equality(PineconeTranslate *cxt, Expr *clause, PineconeRole role)
{
	PineconeCompare compare;
	PineconeColumn *column;
	Expr *left;
	Expr *right;
	Oid type;

	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		OpExpr *op = (OpExpr *) clause;

		if (!pinecone_translate_compare(op->opno, &compare) || compare != PINECONE_EQ ||
			!pinecone_translate_is_bytewise(op->inputcollid))
			return NULL;
		left = linitial(op->args);
		right = lsecond(op->args);
		if (pinecone_translate_column(cxt, (Node *) left, role) == NULL)
		{
			left = lsecond(op->args);
			right = linitial(op->args);
		}
		type = exprType((Node *) right);
	}
	else if (IsA(clause, ScalarArrayOpExpr))
	{
		ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) clause;

		if (!op->useOr || !pinecone_translate_compare(op->opno, &compare) || compare != PINECONE_EQ ||
			!pinecone_translate_is_bytewise(op->inputcollid))
			return NULL;
		left = linitial(op->args);
		right = lsecond(op->args);
		type = get_element_type(exprType((Node *) right));
	}
	else
		return NULL;

	type = getBaseType(type);
	column = pinecone_translate_column(cxt, (Node *) left, role);
	if (column == NULL || !value_type_fits(getBaseType(column->typid), type) ||
		!pinecone_translate_is_value(cxt, right))
		return NULL;
	return type == TEXTOID || type == VARCHAROID ? right : as_text(cxt, right);
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
pinecone_translate_names_fit(const PineconeColumn *column)
{
	return column->typid == TEXTOID || (column->typid == VARCHAROID && column->typmod < 0);
}

bool
pinecone_translate_may_prune(const PineconeTable *table)
{
	const PineconeColumn *column = table->namespace_attnum > 0 ? &table->columns[table->namespace_attnum - 1] : NULL;

	/* whether a name is NULL by on_type_error is told by its length, and by what a domain says of a row */
	return pinecone_enable_prune && column != NULL &&
		   (!table->type_error_null || getBaseType(column->typid) == column->typid);
}

bool
pinecone_translate_namespace(PineconeTranslate *cxt, Expr *clause, List **names)
{
	return pinecone_translate_may_prune(cxt->table) &&
		   translate_equalities(cxt, clause, PINECONE_ROLE_NAMESPACE, names);
}

/* Is a LIKE pattern a plain prefix followed by a single %? */
static bool
like_is_plain_prefix(const char *pattern)
{
	size_t len = strlen(pattern);

	return len > 0 && pattern[len - 1] == '%' && strcspn(pattern, "%_\\") == len - 1;
}

/*
 * Match id LIKE value and starts_with(id, value). A pattern that is more than a
 * plain prefix is listed by its beginning, and checked again (*exact is false).
 */
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
		pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_ID) == NULL ||
		!pinecone_translate_is_value(cxt, right) || !pinecone_translate_is_bytewise(collation))
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

/* ---- Ranges ---- */

/* The value that a clause compares ids with in bytewise order, or NULL. */
static Expr *
match_id_bound(PineconeTranslate *cxt, Expr *clause, PineconeCompare *compare)
{
	OpExpr *op = (OpExpr *) clause;
	Expr *left;
	Expr *right;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 ||
		!pinecone_translate_compare(op->opno, compare) || !pinecone_collation_is_c(op->inputcollid))
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (pinecone_translate_is_value(cxt, left))
	{
		Expr *swap = left;

		left = right;
		right = swap;
		*compare = pinecone_translate_commute(*compare);
	}
	if (pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_ID) == NULL ||
		exprType((Node *) left) != TEXTOID || exprType((Node *) right) != TEXTOID ||
		!pinecone_translate_is_value(cxt, right))
		return NULL;
	return right;
}

bool
pinecone_translate_id_range(PineconeTranslate *cxt, List *clauses, int *low, int *high)
{
	Expr *ends[2] = {NULL, NULL};
	ListCell *lc;

	if (!pinecone_enable_prefix)
		return false;
	foreach(lc, clauses)
	{
		PineconeCompare compare;
		Expr *value = match_id_bound(cxt, lfirst(lc), &compare);

		if (value == NULL || compare == PINECONE_EQ || compare == PINECONE_NE)
			continue;
		ends[compare == PINECONE_LT || compare == PINECONE_LE] = value;
	}
	if (ends[0] == NULL || ends[1] == NULL)
		return false;
	*low = pinecone_translate_add_expr(cxt, ends[0]);
	*high = pinecone_translate_add_expr(cxt, ends[1]);
	return true;
}

/* The first value that an id is compared with by one of two operators */
static bool
translate_end(PineconeTranslate *cxt, List *clauses, PineconeCompare one, PineconeCompare other, int *end)
{
	ListCell *lc;

	foreach(lc, clauses)
	{
		PineconeCompare compare;
		Expr *value = match_id_bound(cxt, lfirst(lc), &compare);

		if (value == NULL || (compare != one && compare != other))
			continue;
		*end = pinecone_translate_add_expr(cxt, value);
		return true;
	}
	return false;
}

bool
pinecone_translate_id_after(PineconeTranslate *cxt, List *clauses, int *low)
{
	return translate_end(cxt, clauses, PINECONE_GT, PINECONE_GE, low);
}

bool
pinecone_translate_id_before(PineconeTranslate *cxt, List *clauses, int *high)
{
	return translate_end(cxt, clauses, PINECONE_LT, PINECONE_LE, high);
}

/* ---- Places ---- */

static bool
is_ctid(PineconeTranslate *cxt, Node *node)
{
	Var *var = (Var *) node;

	return IsA(node, Var) && var->varno == cxt->varno && var->varlevelsup == 0 &&
		   var->varattno == SelfItemPointerAttributeNumber;
}

/* What a clause has the ctid equal, or NULL. */
static Expr *
match_place(PineconeTranslate *cxt, Expr *clause)
{
	List *args;
	Expr *value;

	if (IsA(clause, OpExpr) && ((OpExpr *) clause)->opno == TIDEqualOperator)
		args = ((OpExpr *) clause)->args;
	else if (IsA(clause, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) clause)->useOr && ((ScalarArrayOpExpr *) clause)->opno == TIDEqualOperator)
		args = ((ScalarArrayOpExpr *) clause)->args;
	else
		return NULL;
	if (is_ctid(cxt, linitial(args)))
		value = lsecond(args);
	else if (IsA(clause, OpExpr) && is_ctid(cxt, lsecond(args)))
		value = linitial(args);
	else
		return NULL;
	return pinecone_translate_is_value(cxt, value) ? value : NULL;
}

bool
pinecone_translate_place(PineconeTranslate *cxt, List *clauses, int *place)
{
	ListCell *lc;

	foreach(lc, clauses)
	{
		Expr *value = match_place(cxt, lfirst(lc));

		if (value == NULL)
			continue;
		*place = pinecone_translate_add_expr(cxt, value);
		return true;
	}
	return false;
}
