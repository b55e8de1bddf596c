/*
 * plan_info.c
 *		What planning files share about a relation.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/syscache.h"

#include "base/setting.h"
#include "plan/plan_info.h"

PineconeTime pinecone_plan_began = 0;

PineconeTranslate
pinecone_plan_translate(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = {0};

	cxt.root = root;
	cxt.varno = rel->relid;
	cxt.table = ((PineconePlanInfo *) rel->fdw_private)->table;
	return cxt;
}

bool
pinecone_plan_has_mapping(Oid userid, Oid serverid)
{
	return SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(userid),
								 ObjectIdGetDatum(serverid)) ||
		   SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
								 ObjectIdGetDatum(serverid));
}

bool
pinecone_plan_is_about_namespace(RelOptInfo *rel, Expr *clause)
{
	PineconeTable *table = ((PineconePlanInfo *) rel->fdw_private)->table;
	AttrNumber attnum = table->namespace_attnum;
	Bitmapset *used = NULL;

	if (!pinecone_translate_may_prune(table) || contain_volatile_functions((Node *) clause) ||
		contain_subplans((Node *) clause))
		return false;
	pull_varattnos((Node *) clause, rel->relid, &used);
	return bms_equal(used, bms_make_singleton(attnum - FirstLowInvalidHeapAttributeNumber));
}

static bool
contains_exec_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC;
	return expression_tree_walker(node, contains_exec_param, context);
}

bool
pinecone_plan_is_about_id(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *rinfo)
{
	PineconePlanInfo *info = rel->fdw_private;
	AttrNumber attnum = info->table->id_attnum;
	Node *clause = (Node *) rinfo->clause;
	Bitmapset *used = NULL;

	/* an id of another type may not fit its column; conditions of others come first */
	if (attnum == 0 || info->table->columns[attnum - 1].typid != TEXTOID || rinfo->pseudoconstant ||
		!pinecone_enable_columns ||
		(rinfo->security_level > rel->baserestrict_min_security && !rinfo->leakproof) ||
		contain_volatile_functions(clause) || contain_subplans(clause) ||
		contains_exec_param(clause, NULL))
		return false;
	/* such rows have a layout of their own */
	if (info->searched && info->search.rounds)
		return false;
	pull_varattnos(clause, rel->relid, &used);
	return bms_equal(used, bms_make_singleton(attnum - FirstLowInvalidHeapAttributeNumber));
}

bool
pineconeIsForeignPathAsyncCapable(ForeignPath *path)
{
	PineconePlanInfo *info = path->path.parent->fdw_private;

	PineconeOperation op = intVal(list_nth(path->fdw_private, PATH_OP));

	/* these are asked for step by step */
	return info->table->async_capable && op != PINECONE_OP_GROUPS && op != PINECONE_OP_ORDERED;
}

bool
pinecone_plan_may_count(const PineconePlanInfo *info)
{
	/* of documents there are no dry runs */
	return info->session != NULL && info->stats != NULL && info->table->schema == NULL &&
		   info->table->count_from_dry_run &&
		   !info->session->dry_run_refused && !info->session->no_dry_run;
}

Bitmapset *
pinecone_plan_columns_used(RelOptInfo *rel)
{
	Bitmapset *used = NULL;
	ListCell *lc;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	foreach(lc, rel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, rel->relid, &used);
	return used;
}
