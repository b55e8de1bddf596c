/*
 * plan_limit.c
 *		How many rows a scan is likely to be asked for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"

#include "base/compat.h"
#include "base/limits.h"
#include "plan/paths.h"

/*
 * Do window functions take rows as they come, so that LIMIT above them is one of
 * rows below?  Those of one window that is ordered as the rows are, and ends at the
 * current row or its peers.
 */
static bool
windows_take_rows(const Query *parse, bool sorted)
{
	const WindowClause *first;
	ListCell *lc;

	if (!parse->hasWindowFuncs)
		return true;
	first = linitial(parse->windowClause);
	foreach(lc, parse->windowClause)
	{
		const WindowClause *window = lfirst(lc);

		if (window->partitionClause != NIL || window->orderClause == NIL || !equal(window->orderClause, first->orderClause) ||
			(window->frameOptions & (FRAMEOPTION_END_UNBOUNDED_FOLLOWING | FRAMEOPTION_END_OFFSET_FOLLOWING)))
			return false;
	}
	return sorted && (parse->sortClause == NIL || equal(parse->sortClause, first->orderClause));
}

double
pinecone_plan_ranked_rows(PlannerInfo *root)
{
	Query *parse = root->parse;
	Const *limit = (Const *) (parse->hasWindowFuncs && windows_take_rows(parse, true) ? pinecone_window_limit(parse) : NULL);

	return limit ? DatumGetInt64(limit->constvalue) + PINECONE_FIRST_TOP_K : 0;
}

/*
 * Expressions that are known when the scan runs will do.  A cursor, and a subquery
 * whose rows are limited above it, is read from its beginning, and who reads it may
 * stop anywhere.
 */
void
pinecone_plan_limit(PlannerInfo *root, PineconeTranslate *cxt, PineconeRequest *request, bool sorted)
{
	Query *parse = root->parse;
	Node *limits[] = {parse->limitCount, parse->limitOffset};
	int *numbers[] = {&request->limit, &request->offset};

	request->all = parse->limitCount == NULL && root->tuple_fraction <= 0;
	/* a condition on a rank is one on how many rows there are, but for peers */
	if (limits[0] == NULL && parse->hasWindowFuncs)
		limits[0] = pinecone_window_limit(parse);
	/* a rank is not known before its peers are; to ask for some more costs little */
	if (limits[1] == NULL && parse->hasWindowFuncs)
		limits[1] = (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(PINECONE_FIRST_TOP_K), false, FLOAT8PASSBYVAL);
	/* EXISTS wants to see one row */
	if (limits[0] == NULL && root->tuple_fraction == 1 && bms_membership(root->all_baserels) == BMS_SINGLETON)
		limits[0] = (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(1), false, FLOAT8PASSBYVAL);
	if (parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->hasAggs || !windows_take_rows(parse, sorted) || parse->hasTargetSRFs ||
		parse->setOperations != NULL || parse->distinctClause != NIL ||
		(parse->sortClause != NIL && !sorted))
		return;
	if (limits[0] == NULL && root->tuple_fraction > 0)
		request->begins = (int) Min(PINECONE_MAX_TOP_K, Max(PINECONE_FIRST_TOP_K, root->tuple_fraction < 1 ? 0 : root->tuple_fraction));
	if (limits[0] == NULL)
		return;
	for (int i = 0; i < lengthof(limits); i++)
	{
		if (limits[i] != NULL && exprType(limits[i]) == INT8OID &&
			pinecone_translate_is_value(cxt, (Expr *) limits[i]))
			*numbers[i] = pinecone_translate_add_expr(cxt, (Expr *) limits[i]);
	}
	if (request->offset >= 0)
		pinecone_plan_has_offset = true;
}
