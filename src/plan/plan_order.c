/*
 * plan_order.c
 *		ORDER BY a number with LIMIT, min() and max(): records come in the order of
 *		the field, a slice of its range at a time (scan/run_order.c).
 *
 * PostgreSQL makes a LIMIT 1 in that order of min() and max() by itself, and an
 * incremental sort where more columns follow.  Reading all records that way is
 * dearer than listing and sorting them, so that it is for those who want few.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/paths.h"

/* Bytes of the records that searches bring to see how numbers are spread */
#define SAMPLE_COST 25.0

/* Is what the column shows in the order of the numbers stored? */
static bool
is_number(const PineconeColumn *column)
{
	switch (pinecone_shippable_class(column))
	{
		case PINECONE_CLASS_INT:
		case PINECONE_CLASS_NUMBER:
		case PINECONE_CLASS_FLOAT4:
		case PINECONE_CLASS_EPOCH:
			return true;
		default:
			return false;
	}
}

/* The field whose order a path key is, as its type sorts by default; or NULL. */
static PineconeColumn *
ordered_column(RelOptInfo *rel, PathKey *pathkey)
{
	PineconePlanInfo *info = rel->fdw_private;
	ListCell *lc;

	if (pathkey->pk_eclass->ec_has_volatile)
		return NULL;
	foreach(lc, pinecone_class_members(pathkey->pk_eclass, rel))
	{
		EquivalenceMember *em = lfirst(lc);
		Expr *expr = em->em_expr;
		PineconeColumn *column;

		if (em->em_is_const || !bms_equal(em->em_relids, rel->relids))
			continue;
		while (IsA(expr, RelabelType))
			expr = ((RelabelType *) expr)->arg;
		column = pinecone_plan_plain_column(expr, rel, info->table);
		if (column != NULL && column->role == PINECONE_ROLE_FIELD && is_number(column) &&
			lookup_type_cache(getBaseType(column->typid), TYPECACHE_BTREE_OPFAMILY)->btree_opf == pathkey->pk_opfamily)
			return column;
	}
	return NULL;
}

/* An expectation of few rows: nobody else has a use for the order. */
static bool
few_are_wanted(PlannerInfo *root)
{
	return root->query_pathkeys != NIL && (root->limit_tuples > 0 || root->tuple_fraction > 0);
}

/* Does a condition say that the field is there? */
static bool
is_not_null(RelOptInfo *rel, const PineconeColumn *column)
{
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		NullTest *test = (NullTest *) lfirst_node(RestrictInfo, lc)->clause;

		if (IsA(test, NullTest) && test->nulltesttype == IS_NOT_NULL &&
			pinecone_plan_plain_column(test->arg, rel, ((PineconePlanInfo *) rel->fdw_private)->table) == column)
			return true;
	}
	return false;
}

void
pinecone_plan_order(PlannerInfo *root, RelOptInfo *rel, Bitmapset *used, Cost all)
{
	PineconePlanInfo *info = rel->fdw_private;
	PathKey *pathkey;
	PineconeColumn *column;
	Cost startup;

	/* what does not fit would have to be sorted in among the NULLs; under a search rows have scores */
	if (!pinecone_enable_order || info->searched || !few_are_wanted(root) || info->table->type_error_null ||
		!pinecone_plan_may_count(info) || !bms_is_empty(rel->lateral_relids) ||
		bms_is_member(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber, used))
		return;
	pathkey = linitial(root->query_pathkeys);
	column = ordered_column(rel, pathkey);
	if (column == NULL)
		return;
	/* two looks at how numbers are spread, and a fetch */
	startup = 3 * PINECONE_REQUEST_COST + SAMPLE_COST + info->nnamespaces * 4 * PINECONE_NEXT_REQUEST_COST;
	add_path(rel, (Path *) pinecone_create_scan_path(root, rel, rel->rows, startup, startup + 2 * all,
													 list_make1(pathkey), NULL,
													 list_make5(makeInteger(PINECONE_OP_ORDERED), NULL, makeInteger(true), NULL,
																list_make3_int(column->attnum, !pinecone_pathkey_ascends(pathkey),
																			   pathkey->pk_nulls_first && !is_not_null(rel, column)))));
}
