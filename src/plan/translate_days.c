/*
 * translate_days.c
 *		Ranges of dates that are kept as strings.
 *
 * Pinecone compares strings for equality alone, but between two days there are
 * not many: they are named, when they are known.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "base/setting.h"
#include "plan/translate_expr.h"

/* column >= day and so on, of a column of dates in strings; or NULL */
static PineconeCondition *
match_end(PineconeTranslate *cxt, Expr *clause)
{
	OpExpr *op = (OpExpr *) clause;
	PineconeCondition *condition;
	PineconeCompare compare;
	PineconeColumn *column;
	Expr *left;
	Expr *right;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 ||
		!pinecone_translate_compare(op->opno, &compare))
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (pinecone_translate_is_value(cxt, left))
	{
		Expr *swap = left;

		left = right;
		right = swap;
		compare = pinecone_translate_commute(compare);
	}
	column = pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_FIELD);
	if (column == NULL || pinecone_shippable_class(column) != PINECONE_CLASS_ISO_DATE ||
		compare == PINECONE_EQ || compare == PINECONE_NE ||
		exprType((Node *) right) != DATEOID || !pinecone_translate_is_value(cxt, right))
		return NULL;
	condition = palloc0(sizeof(PineconeCondition));
	condition->kind = PINECONE_COND_COMPARE;
	condition->attnum = column->attnum;
	condition->compare = compare;
	condition->value = pinecone_translate_add_expr(cxt, right);
	return condition;
}

static bool
is_lower(const PineconeCondition *end)
{
	return end->compare == PINECONE_GT || end->compare == PINECONE_GE;
}

/* One end of a range has been found: is the other one among the rest? */
static PineconeCondition *
find_other_end(PineconeTranslate *cxt, const PineconeCondition *end, List *clauses, int from)
{
	for (int i = from; i < list_length(clauses); i++)
	{
		PineconeCondition *other = match_end(cxt, list_nth(clauses, i));

		if (other != NULL && other->attnum == end->attnum && is_lower(other) != is_lower(end))
			return other;
	}
	return NULL;
}

List *
pinecone_translate_days(PineconeTranslate *cxt, List *clauses)
{
	Bitmapset *found = NULL;
	List *result = NIL;

	if (!pinecone_enable_filter)
		return NIL;
	for (int i = 0; i < list_length(clauses); i++)
	{
		PineconeCondition *end = match_end(cxt, list_nth(clauses, i));
		PineconeCondition *other = end == NULL ? NULL : find_other_end(cxt, end, clauses, i + 1);
		PineconeCondition *days;

		if (other == NULL || bms_is_member(end->attnum, found))
			continue;
		found = bms_add_member(found, end->attnum);
		days = palloc0(sizeof(PineconeCondition));
		days->kind = PINECONE_COND_DAYS;
		days->attnum = end->attnum;
		days->value = -1;
		days->args = is_lower(end) ? list_make2(end, other) : list_make2(other, end);
		result = lappend(result, days);
	}
	return result;
}
