/*
 * plan_namespace.c
 *		Estimates of a table that spans namespaces: how many of them a scan
 *		asks, and how many records those have.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "client/alias.h"
#include "plan/paths.h"

/* Rows assumed when the service does not tell. */
#define DEFAULT_ROWS 1000

double
pinecone_plan_count_values(PineconeTranslate *cxt, List *numbers)
{
	double n = 0;
	ListCell *lc;

	foreach(lc, numbers)
	{
		Expr *expr = list_nth(cxt->exprs, lfirst_int(lc));

		n += OidIsValid(get_element_type(exprType((Node *) expr))) ?
				 pinecone_array_length(cxt->root, (Node *) expr) :
				 1;
	}
	return n;
}

/* How many namespaces a clause names, if it is one that names any; else 0. */
static double
namespaces_named(PineconeTranslate *cxt, Expr *clause)
{
	List *names;

	return pinecone_translate_namespace(cxt, clause, &names) ?
			   pinecone_plan_count_values(cxt, names) :
			   0;
}

/*
 * The records of a namespace.  One that statistics do not have may be new, or
 * an alias: what ANALYZE has found is the best guess then.
 */
static double
known_or_assumed(RelOptInfo *rel, PineconePlanInfo *info, double records)
{
	if (records >= 0)
		return records;
	return rel->tuples > 0 && info->table->namespace_attnum == 0 ? rel->tuples : DEFAULT_ROWS;
}

/*
 * The records in the namespaces that a value names.  Which they are is known
 * only of constants; others are taken for average ones.
 */
static double
records_named(PlannerInfo *root, RelOptInfo *rel, Expr *value)
{
	PineconePlanInfo *info = rel->fdw_private;
	Const *constant = (Const *) value;
	bool is_array = OidIsValid(get_element_type(exprType((Node *) value)));
	double records = 0;
	Datum *names;
	bool *nulls;
	int n = 1;

	if (!IsA(value, Const) || info->stats == NULL)
		return (is_array ? pinecone_array_length(root, (Node *) value) : 1) * rel->tuples /
			   Max(info->nall, 1);
	if (constant->constisnull)
		return 0;
	names = &constant->constvalue;
	nulls = &constant->constisnull;
	if (is_array)
		deconstruct_array(DatumGetArrayTypeP(constant->constvalue), TEXTOID, -1, false,
						  TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			records += known_or_assumed(rel, info,
										pinecone_alias_records(info->session, info->stats,
															   pinecone_option_plain_namespace(TextDatumGetCString(names[i]))));
	}
	return records;
}

/*
 * Tell the planner how selective a condition on the namespace is: the service
 * knows, and pg_statistic can be out of date or empty.
 */
static void
set_selectivity(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *rinfo)
{
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	double records = 0;
	List *names;
	ListCell *lc;

	(void) pinecone_translate_namespace(&cxt, rinfo->clause, &names);
	foreach(lc, names)
		records += records_named(root, rel, list_nth(cxt.exprs, lfirst_int(lc)));
	rinfo->norm_selec = Min(1, records / Max(rel->tuples, 1));
}

/* Records in all of the table's namespaces, which are counted on the way. */
static double
records_in_table(RelOptInfo *rel, PineconePlanInfo *info)
{
	PineconeNamespaceStats *namespaces;
	double records = 0;

	info->nall = Max(1, info->table->nnamespaces);
	if (info->stats == NULL)
		return rel->tuples > 0 ? rel->tuples : DEFAULT_ROWS;
	namespaces = pinecone_session_namespaces(info->session, info->table, info->stats, &info->nall);
	for (int i = 0; i < info->nall; i++)
		records += known_or_assumed(rel, info, namespaces[i].records);
	return records;
}

void
pinecone_plan_namespaces(PlannerInfo *root, RelOptInfo *rel)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	double share = 1;
	ListCell *lc;

	rel->tuples = clamp_row_est(records_in_table(rel, info));
	info->nnamespaces = Max(1, info->nall);
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst(lc);
		double n = namespaces_named(&cxt, rinfo->clause);

		if (n > 0)
		{
			set_selectivity(root, rel, rinfo);
			share *= rinfo->norm_selec;
			info->nnamespaces = Min(info->nnamespaces, n);
		}
	}
	info->records = clamp_row_est(rel->tuples * share);
}

double
pinecone_plan_namespaces_asked(PlannerInfo *root, RelOptInfo *rel, Relids required_outer)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	ParamPathInfo *param = get_baserel_parampathinfo(root, rel, required_outer);
	double namespaces = info->nnamespaces;
	ListCell *lc;

	foreach(lc, param ? param->ppi_clauses : NIL)
	{
		double n = namespaces_named(&cxt, lfirst_node(RestrictInfo, lc)->clause);

		if (n > 0)
			namespaces = Min(namespaces, n);
	}
	return namespaces;
}

double
pinecone_plan_pruned_rows(PlannerInfo *root, RelOptInfo *rel, List *join_clauses,
						  double namespaces)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeTranslate cxt = pinecone_plan_translate(root, rel);
	List *others = list_copy(rel->baserestrictinfo);
	ListCell *lc;

	foreach(lc, join_clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);

		if (namespaces_named(&cxt, rinfo->clause) == 0)
			others = lappend(others, rinfo);
	}
	return clamp_row_est(rel->tuples * namespaces / info->nnamespaces *
						 clauselist_selectivity(root, others, rel->relid, JOIN_INNER, NULL));
}
