/*
 * plan_ids.c
 *		The order of ids, up and down, and scans that want no more than ids.
 *
 * Down is for those who want few of very many: a list goes up, so that where the
 * last ones are has to be found out (scan/id_descent.c).  The end is proved by
 * asking for each byte that an id might have there, some hundreds of lists,
 * however many records there are.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "plan/paths.h"

/* pg_opfamily's text_ops for btree */
#define TEXT_BTREE_FAMILY 1994

/* In the order of ids, at most so many namespaces are merged. */
#define MAX_MERGED_IDS 32

/* Lists that prove where the end is: one after the other, and altogether; what each costs, and is billed */
#define DESCENT_ROUNDS 10
#define DESCENT_LISTS 450
#define DESCENT_LIST_COST (3 * PINECONE_NEXT_REQUEST_COST)

bool
pinecone_plan_only_ids(RelOptInfo *rel, PineconeTable *table)
{
	Bitmapset *used = pinecone_plan_columns_used(rel);
	int i = -1;

	if (!pinecone_enable_columns)
		return false;
	while ((i = bms_next_member(used, i)) >= 0)
	{
		int attnum = i + FirstLowInvalidHeapAttributeNumber;

		if (attnum == 0 ||
			(attnum > 0 && attnum != table->id_attnum && attnum != table->namespace_attnum))
			return false;
	}
	return true;
}

/*
 * Does an equivalence class hold the id column, ordered bytewise?  An id that
 * does not fit may be NULL, whose place is another.
 */
static bool
class_is_bytewise_id(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec)
{
	PineconeTable *table = ((PineconePlanInfo *) rel->fdw_private)->table;
	ListCell *lc;

	if (ec->ec_has_volatile || !list_member_oid(ec->ec_opfamilies, TEXT_BTREE_FAMILY) ||
		!pinecone_collation_is_c(ec->ec_collation))
		return false;
	foreach(lc, pinecone_class_members(ec, rel))
	{
		EquivalenceMember *em = lfirst(lc);
		Expr *expr = em->em_expr;

		while (IsA(expr, RelabelType))
			expr = ((RelabelType *) expr)->arg;
		if (bms_equal(em->em_relids, rel->relids) && IsA(expr, Var) &&
			((Var *) expr)->varno == rel->relid &&
			((Var *) expr)->varattno == table->id_attnum && table->id_attnum > 0)
			return !table->type_error_null || pinecone_translate_names_fit(&table->columns[table->id_attnum - 1]);
	}
	return false;
}

List *
pinecone_plan_id_order(PlannerInfo *root, RelOptInfo *rel)
{
	ListCell *lc;

	/* each namespace has that order; to merge them all have to be read at once */
	if (!pinecone_enable_sort ||
		((PineconePlanInfo *) rel->fdw_private)->nnamespaces > MAX_MERGED_IDS)
		return NIL;
	if (root->query_pathkeys != NIL)
	{
		PathKey *pathkey = linitial(root->query_pathkeys);

		if (pinecone_pathkey_ascends(pathkey) &&
			class_is_bytewise_id(root, rel, pathkey->pk_eclass))
			return list_make1(pathkey);
	}
	/* a merge join is one with others */
	foreach(lc, bms_membership(root->all_baserels) == BMS_MULTIPLE ? root->eq_classes : NIL)
	{
		EquivalenceClass *ec = lfirst(lc);

		if (class_is_bytewise_id(root, rel, ec))
			return list_make1(make_canonical_pathkey(root, ec, TEXT_BTREE_FAMILY,
													 BTLessStrategyNumber, false));
	}
	return NIL;
}

RestrictInfo *
pinecone_plan_prefix(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ListCell *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);
		int prefix;
		bool is_like;
		bool exact;

		if (pinecone_translate_prefix(&cxt, rinfo->clause, &prefix, &is_like, &exact))
			return rinfo;
	}
	return NULL;
}

/* Ids that are looked at for one row: conditions that say where they are leave none out. */
static double
ids_for_row(PlannerInfo *root, RelOptInfo *rel, const Node *prefix)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	List *others = NIL;
	ListCell *lc;
	int bound;

	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);
		List *clause = list_make1(rinfo->clause);

		if ((Node *) rinfo->clause != prefix && !pinecone_translate_id_after(&cxt, clause, &bound) &&
			!pinecone_translate_id_before(&cxt, clause, &bound))
			others = lappend(others, rinfo);
	}
	return 1 / Max(clauselist_selectivity(root, others, rel->relid, JOIN_INNER, NULL), 1e-6);
}

/* Are ids of that relation walked to, and is it known where they may be? */
static bool
may_descend(PlannerInfo *root, RelOptInfo *rel, double wanted)
{
	const PineconePlanInfo *info = rel->fdw_private;

	return pinecone_enable_keyset && pinecone_enable_sort && info->stats != NULL && info->stats->dimension > 0 && !info->stats->sparse &&
		   info->session->schema == NULL && info->nnamespaces == 1 && info->table->namespace_attnum <= 0 &&
		   bms_is_empty(rel->lateral_relids) &&
		   !bms_is_member(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber, pinecone_plan_columns_used(rel)) &&
		   root->limit_tuples > 0 && wanted <= PINECONE_WALK_MOST_IDS &&
		   info->records > 2 * PINECONE_WALK_MOST_IDS;
}

void
pinecone_plan_descent(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	bool ids = pinecone_plan_only_ids(rel, info->table);
	RestrictInfo *rinfo = pinecone_plan_prefix(root, rel);
	Node *prefix = rinfo ? (Node *) rinfo->clause : NULL;
	PathKey *pathkey;
	Cost startup;

	if (root->query_pathkeys == NIL || !may_descend(root, rel, root->limit_tuples * ids_for_row(root, rel, prefix)))
		return;
	pathkey = linitial(root->query_pathkeys);
	if (pinecone_pathkey_ascends(pathkey) || !class_is_bytewise_id(root, rel, pathkey->pk_eclass))
		return;
	startup = DESCENT_ROUNDS * PINECONE_REQUEST_COST + DESCENT_LISTS * DESCENT_LIST_COST +
			  (ids ? 0 : PINECONE_REQUEST_COST);
	/* what comes after those that are wanted is listed and fetched as ever */
	add_path(rel, (Path *) pinecone_create_scan_path(root, rel, rel->rows, startup,
													 startup + pinecone_cost_list(info->records) + (ids ? 0 : pinecone_cost_fetch(info, info->records)),
													 list_make1(pathkey), NULL,
													 list_make3(makeInteger(ids ? PINECONE_OP_LIST : PINECONE_OP_LIST_FETCH),
																prefix, makeInteger(true))));
}
