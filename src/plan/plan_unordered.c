/*
 * plan_unordered.c
 *		Orders that nobody sees: of subqueries whose rows are counted.
 *
 * Frameworks count the rows of a query by putting it into FROM as it is.  Its ORDER
 * BY keeps PostgreSQL from seeing through it; without it, the service can count.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"

#include "base/setting.h"
#include "option/column_type.h"
#include "plan/paths.h"

static bool
depends_on_order(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Aggref))
		return ((Aggref *) node)->aggfnoid != F_COUNT_ && ((Aggref *) node)->aggfnoid != F_COUNT_ANY;
	return expression_tree_walker(node, depends_on_order, context);
}

/* The only subquery, or common table expression read once, in FROM; or NULL. */
static Query *
only_subquery(Query *query)
{
	RangeTblRef *ref;
	RangeTblEntry *rte;
	ListCell *lc;

	if (query->jointree == NULL || list_length(query->jointree->fromlist) != 1)
		return NULL;
	ref = linitial(query->jointree->fromlist);
	if (!IsA(ref, RangeTblRef))
		return NULL;
	rte = rt_fetch(ref->rtindex, query->rtable);
	if (rte->rtekind == RTE_SUBQUERY)
		return rte->subquery;
	if (rte->rtekind != RTE_CTE || rte->ctelevelsup != 0 || rte->self_reference)
		return NULL;
	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) == 0 && cte->cterefcount == 1 && !cte->cterecursive &&
			cte->ctematerialized != CTEMaterializeAlways)
			return (Query *) cte->ctequery;
	}
	return NULL;
}

/* Does a query take its rows as they are, perhaps some of them, but for their order? */
static bool
is_plain(Query *query)
{
	return query->commandType == CMD_SELECT && query->setOperations == NULL && !query->hasAggs &&
		   !query->hasWindowFuncs && !query->hasTargetSRFs && query->groupClause == NIL &&
		   query->groupingSets == NIL && query->distinctClause == NIL && query->limitCount == NULL &&
		   query->limitOffset == NULL && query->rowMarks == NIL && query->havingQual == NULL;
}

static bool
has_own_table(Query *query)
{
	ListCell *lc;

	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_FOREIGN_TABLE &&
			GetFdwRoutineByRelId(rte->relid)->GetForeignRelSize == pineconeGetForeignRelSize)
			return true;
		if (rte->rtekind == RTE_SUBQUERY && has_own_table(rte->subquery))
			return true;
	}
	return false;
}

/* A function of two jsonb that makes a number is a distance of sparse vectors. */
static bool
is_sparse_distance(Node *node)
{
	List *args = IsA(node, OpExpr)	 ? ((OpExpr *) node)->args :
				 IsA(node, FuncExpr) ? ((FuncExpr *) node)->args :
									   NIL;

	return list_length(args) == 2 && exprType(node) == FLOAT8OID && exprType(linitial(args)) == JSONBOID &&
		   exprType(lsecond(args)) == JSONBOID;
}

static bool
has_vector(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (is_sparse_distance(node))
		return true;
	if (IsA(node, Var) && (pinecone_column_type_is_vector(exprType(node)) || pinecone_column_type_is_sparsevec(exprType(node))))
		return true;
	return expression_tree_walker(node, has_vector, context);
}

/* An order by distance is seen after all: it makes scores, and bounds a search. */
static bool
sorts_by_distance(Query *query)
{
	ListCell *lc;

	foreach(lc, query->sortClause)
	{
		if (has_vector(get_sortgroupclause_expr(lfirst(lc), query->targetList), NULL))
			return true;
	}
	return false;
}

static void
forget_order(Query *query)
{
	List *kept = NIL;
	ListCell *lc;

	query->sortClause = NIL;
	/* what was there to sort by alone */
	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst(lc);

		entry->ressortgroupref = 0;
		if (!entry->resjunk)
			kept = lappend(kept, entry);
	}
	query->targetList = kept;
}

static void
look_at(Query *query)
{
	if (!query->hasAggs || query->hasWindowFuncs || depends_on_order((Node *) query->targetList, NULL) ||
		depends_on_order(query->havingQual, NULL))
		return;
	for (query = only_subquery(query); query != NULL && is_plain(query) && has_own_table(query); query = only_subquery(query))
	{
		if (sorts_by_distance(query))
			break;
		if (query->sortClause != NIL)
			forget_order(query);
	}
}

static bool
walk(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		look_at((Query *) node);
		return query_tree_walker((Query *) node, walk, context, 0);
	}
	return expression_tree_walker(node, walk, context);
}

void
pinecone_plan_unordered(Query *query)
{
	if (pinecone_enable_aggregate)
		(void) walk((Node *) query, NULL);
}
