/*
 * plan_one_row.c
 *		Query vectors that come from a relation of one row.
 *
 * FROM docs, q ORDER BY docs.embedding <=> q.e searches by a value, where q can
 * only have one row; but to PostgreSQL it is a join whose rows are to be sorted.
 * So q.e is made (SELECT e FROM q), before anything is planned.  The join stays:
 * without a row in q there is no result.
 *
 * What is read twice now is a common table expression, which is computed once, or
 * a row found by a unique key.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "option/column_type.h"
#include "plan/paths.h"
#include "plan/translate_expr.h"

/* ---- Has it one row at most? ---- */

static PineconeTable *
own_table(RangeTblEntry *rte)
{
	if (rte->rtekind != RTE_RELATION || rte->relkind != RELKIND_FOREIGN_TABLE ||
		GetFdwRoutineByRelId(rte->relid)->GetForeignRelSize != pineconeGetForeignRelSize)
		return NULL;
	return pinecone_option_table(rte->relid);
}

/* Is there a condition column = value, by an operator that says so for the index? */
static bool
equals_value(List *quals, Index varno, AttrNumber attnum, Oid opfamily, Oid collation)
{
	ListCell *lc;

	foreach(lc, quals)
	{
		OpExpr *op = lfirst(lc);
		Node *left;
		Node *right;

		if (!IsA(op, OpExpr) || list_length(op->args) != 2)
			continue;
		left = linitial(op->args);
		right = lsecond(op->args);
		if (!IsA(left, Var))
		{
			Node *swap = left;

			left = right;
			right = swap;
		}
		if (IsA(left, RelabelType))
			left = (Node *) ((RelabelType *) left)->arg;
		if (IsA(left, Var) && ((Var *) left)->varno == varno && ((Var *) left)->varlevelsup == 0 &&
			((Var *) left)->varattno == attnum && !contain_vars_of_level(right, 0) &&
			!contain_volatile_functions(right) && op->inputcollid == collation &&
			(OidIsValid(opfamily) ? get_op_opfamily_strategy(op->opno, opfamily) == BTEqualStrategyNumber :
									strcmp(get_opname(op->opno), "=") == 0))
			return true;
	}
	return false;
}

/* Do conditions name one entry of a unique index? */
static bool
names_one_entry(Relation index, List *quals, Index varno)
{
	if (!index->rd_index->indisunique || !index->rd_index->indisvalid || !index->rd_index->indimmediate ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
	{
		AttrNumber attnum = index->rd_index->indkey.values[i];

		if (attnum <= 0 || !equals_value(quals, varno, attnum, index->rd_opfamily[i], index->rd_indcollation[i]))
			return false;
	}
	return true;
}

static bool
relation_has_one_row(RangeTblEntry *rte, List *quals, Index varno)
{
	PineconeTable *table = own_table(rte);
	bool found = false;
	Relation rel;
	List *indexes;
	ListCell *lc;

	if (rte->securityQuals != NIL || rte->tablesample != NULL)
		return false;
	if (table != NULL)
	{
		Oid collation = table->id_attnum > 0 ? pinecone_option_column(table, table->id_attnum)->collation : InvalidOid;

		/* ids are unique by their bytes */
		return table->id_attnum > 0 && table->namespace_attnum == 0 && pinecone_translate_is_bytewise(collation) &&
			   equals_value(quals, varno, table->id_attnum, InvalidOid, collation);
	}
	if (rte->relkind != RELKIND_RELATION || has_subclass(rte->relid))
		return false;
	rel = table_open(rte->relid, NoLock);
	indexes = RelationGetIndexList(rel);
	foreach(lc, indexes)
	{
		Relation index = index_open(lfirst_oid(lc), AccessShareLock);

		found = found || names_one_entry(index, quals, varno);
		index_close(index, AccessShareLock);
	}
	table_close(rel, NoLock);
	return found;
}

/* The conditions that are ANDed in a FROM. */
static List *
conditions(Node *quals)
{
	List *result = NIL;
	ListCell *lc;

	if (quals == NULL)
		return NIL;
	if (!is_andclause(quals))
		return list_make1(quals);
	foreach(lc, ((BoolExpr *) quals)->args)
		result = list_concat(result, conditions(lfirst(lc)));
	return result;
}

static bool
query_has_one_row(Query *query)
{
	Const *limit = (Const *) eval_const_expressions(NULL, query->limitCount);
	RangeTblRef *ref;
	RangeTblEntry *rte;

	if (query->commandType != CMD_SELECT || query->setOperations != NULL || query->rowMarks != NIL)
		return false;
	if (limit != NULL && IsA(limit, Const) && !limit->constisnull && limit->consttype == INT8OID &&
		DatumGetInt64(limit->constvalue) <= 1 && query->limitOption == LIMIT_OPTION_COUNT)
		return true;
	/* several sets have a row each at the least */
	if (query->hasTargetSRFs || query->groupingSets != NIL)
		return false;
	if (query->hasAggs && query->groupClause == NIL)
		return true;
	if (query->jointree->fromlist == NIL)
		return true;
	ref = linitial(query->jointree->fromlist);
	if (list_length(query->jointree->fromlist) != 1 || !IsA(ref, RangeTblRef))
		return false;
	rte = rt_fetch(ref->rtindex, query->rtable);
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return relation_has_one_row(rte, conditions(query->jointree->quals), ref->rtindex);
		case RTE_SUBQUERY:
			return query_has_one_row(rte->subquery);
		case RTE_VALUES:
			return list_length(rte->values_lists) == 1;
		case RTE_RESULT:
			return true;
		default:
			return false;
	}
}

/* ---- Taking vectors from it ---- */

typedef struct Rewrite
{
	Query *query;
	List *quals;	   /* that are ANDed in the query's FROM */
	Bitmapset *inner;  /* relations joined without being made NULL */
	Bitmapset *ours;   /* of those: foreign tables */
	Bitmapset *single; /* of those: with one row, from which something was taken */
} Rewrite;

static CommonTableExpr *
find_cte(Query *query, RangeTblEntry *rte)
{
	ListCell *lc;

	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			return cte;
	}
	return NULL;
}

/* A subquery in FROM becomes a common table expression, which can be read twice. */
static void
make_cte(Query *query, RangeTblEntry *rte)
{
	CommonTableExpr *cte = makeNode(CommonTableExpr);
	ListCell *lc;

	cte->ctename = psprintf("pinecone query vector %d", list_length(query->cteList) + 1);
	cte->ctematerialized = CTEMaterializeAlways;
	cte->ctequery = (Node *) rte->subquery;
	cte->location = -1;
	cte->cterefcount = 1;
	foreach(lc, rte->subquery->targetList)
	{
		TargetEntry *entry = lfirst(lc);

		if (entry->resjunk)
			continue;
		cte->ctecolnames = lappend(cte->ctecolnames, makeString(pstrdup(entry->resname ? entry->resname : "?")));
		cte->ctecoltypes = lappend_oid(cte->ctecoltypes, exprType((Node *) entry->expr));
		cte->ctecoltypmods = lappend_int(cte->ctecoltypmods, exprTypmod((Node *) entry->expr));
		cte->ctecolcollations = lappend_oid(cte->ctecolcollations, exprCollation((Node *) entry->expr));
	}
	query->cteList = lappend(query->cteList, cte);
	rte->rtekind = RTE_CTE;
	rte->subquery = NULL;
	rte->ctename = pstrdup(cte->ctename);
	rte->ctelevelsup = 0;
	rte->self_reference = false;
	rte->coltypes = list_copy(cte->ctecoltypes);
	rte->coltypmods = list_copy(cte->ctecoltypmods);
	rte->colcollations = list_copy(cte->ctecolcollations);
}

/* A function in FROM that returns a vector stands for it, unless calls of it may differ. */
static bool
is_vector_function(RangeTblEntry *rte)
{
	Node *call = linitial_node(RangeTblFunction, rte->functions)->funcexpr;

	return list_length(rte->functions) == 1 && !rte->funcordinality && !expression_returns_set(call) &&
		   pinecone_column_type_is_vector(exprType(call)) && !contain_volatile_functions(call) &&
		   !checkExprHasSubLink(call);
}

static bool
has_one_row(Rewrite *rewrite, Index varno)
{
	RangeTblEntry *rte = rt_fetch(varno, rewrite->query->rtable);
	CommonTableExpr *cte;

	if (!bms_is_member(varno, rewrite->inner) || rte->lateral)
		return false;
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return relation_has_one_row(rte, rewrite->quals, varno);
		case RTE_SUBQUERY:
			return !rte->security_barrier && !pinecone_is_view(rte) && query_has_one_row(rte->subquery);
		case RTE_FUNCTION:
			return is_vector_function(rte);
		case RTE_CTE:
			cte = rte->ctelevelsup == 0 && !rte->self_reference ? find_cte(rewrite->query, rte) : NULL;
			return cte != NULL && !cte->cterecursive && IsA(cte->ctequery, Query) &&
				   query_has_one_row((Query *) cte->ctequery);
		default:
			return false;
	}
}

/* The conditions on a relation alone, as of a query of which it is the first. */
static Node *
own_conditions(Rewrite *rewrite, Index varno)
{
	List *own = NIL;
	ListCell *lc;

	foreach(lc, rewrite->quals)
	{
		Node *qual = lfirst(lc);

		if (bms_is_subset(pull_varnos(NULL, qual), bms_make_singleton(varno)) &&
			!contain_volatile_functions(qual) && !checkExprHasSubLink(qual))
			own = lappend(own, copyObject(qual));
	}
	ChangeVarNodes((Node *) own, varno, 1, 0);
	/* parameters of outer queries are one level further out */
	IncrementVarSublevelsUp((Node *) own, 1, 1);
	return own == NIL ? NULL : (Node *) make_ands_explicit(own);
}

/* SELECT what FROM the relation: a query inside of the one that is rewritten. */
static Query *
select_from(Rewrite *rewrite, Index varno, Expr *what)
{
	RangeTblEntry *rte = rt_fetch(varno, rewrite->query->rtable);
	Query *query = makeNode(Query);
	RangeTblRef *ref = makeNode(RangeTblRef);
	RangeTblEntry *copy;

	if (rte->rtekind == RTE_SUBQUERY)
		make_cte(rewrite->query, rte);
	copy = copyObject(rte);
	if (copy->rtekind == RTE_CTE)
	{
		copy->ctelevelsup++;
		find_cte(rewrite->query, rte)->cterefcount++;
	}
	else
		pinecone_copy_permission(query, copy, rewrite->query, rte);
	ref->rtindex = 1;
	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->rtable = list_make1(copy);
	query->jointree = makeFromExpr(list_make1(ref), rte->rtekind == RTE_RELATION ? own_conditions(rewrite, varno) : NULL);
	query->targetList = list_make1(makeTargetEntry(what, 1, "vector", false));
	rewrite->single = bms_add_member(rewrite->single, varno);
	return query;
}

/* Vars of relations with one row become sub-selects. */
static Node *
take_vector(Node *node, void *context)
{
	Rewrite *rewrite = context;
	Var *var = (Var *) node;
	RangeTblEntry *rte;
	SubLink *link;
	Var *column;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Var) || var->varlevelsup != 0)
		return expression_tree_mutator(node, take_vector, context);
	rte = rt_fetch(var->varno, rewrite->query->rtable);
	if (rte->rtekind == RTE_FUNCTION)
		return copyObject(linitial_node(RangeTblFunction, rte->functions)->funcexpr);
	column = makeVar(1, var->varattno, var->vartype, var->vartypmod, var->varcollid, 0);
	link = makeNode(SubLink);
	link->subLinkType = EXPR_SUBLINK;
	link->subselect = (Node *) select_from(rewrite, var->varno, (Expr *) column);
	link->location = -1;
	rewrite->query->hasSubLinks = true;
	return (Node *) link;
}

/* Is this a vector of a foreign table of ours, casts aside? */
static bool
is_our_vector(Rewrite *rewrite, Node *node)
{
	Var *var;
	PineconeTable *table;

	while (IsA(node, FuncExpr) && list_length(((FuncExpr *) node)->args) >= 1 &&
		   ((FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL)
		node = linitial(((FuncExpr *) node)->args);
	if (IsA(node, ArrayCoerceExpr))
		node = (Node *) ((ArrayCoerceExpr *) node)->arg;
	var = (Var *) node;
	if (!IsA(node, Var) || var->varlevelsup != 0 || !bms_is_member(var->varno, rewrite->ours))
		return false;
	table = pinecone_option_table(rt_fetch(var->varno, rewrite->query->rtable)->relid);
	return var->varattno > 0 && (var->varattno == table->values_attnum || var->varattno == table->sparse_attnum);
}

/* Is a query vector made of columns of relations with one row, and of some? */
static bool
is_of_one_row(Rewrite *rewrite, Node *query)
{
	Bitmapset *varnos = pull_varnos(NULL, query);
	int varno = -1;

	if (bms_is_empty(varnos) || checkExprHasSubLink(query) || contain_volatile_functions(query))
		return false;
	while ((varno = bms_next_member(varnos, varno)) >= 0)
	{
		if (!has_one_row(rewrite, varno))
			return false;
	}
	return true;
}

/* Distances whose query vector is such a relation's take it from there. */
static Node *
rewrite_distances(Node *node, void *context)
{
	Rewrite *rewrite = context;
	List *args = NIL;

	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return node;
	if (IsA(node, OpExpr))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr))
		args = ((FuncExpr *) node)->args;
	if (list_length(args) == 2 && exprType(node) == FLOAT8OID)
	{
		Node *sides[] = {linitial(args), lsecond(args)};

		for (int i = 0; i < 2; i++)
		{
			if (!is_our_vector(rewrite, sides[i]) || !is_of_one_row(rewrite, sides[1 - i]))
				continue;
			node = copyObject(node);
			args = IsA(node, OpExpr) ? ((OpExpr *) node)->args : ((FuncExpr *) node)->args;
			lfirst(list_nth_cell(args, 1 - i)) = take_vector(sides[1 - i], rewrite);
			return node;
		}
	}
	return expression_tree_mutator(node, rewrite_distances, context);
}

/* ---- A query ---- */

/* Relations that FROM joins without making any of their rows NULL; their conditions. */
static void
collect_inner(Rewrite *rewrite, Node *node)
{
	if (IsA(node, RangeTblRef))
	{
		Index varno = ((RangeTblRef *) node)->rtindex;

		rewrite->inner = bms_add_member(rewrite->inner, varno);
		if (own_table(rt_fetch(varno, rewrite->query->rtable)) != NULL)
			rewrite->ours = bms_add_member(rewrite->ours, varno);
	}
	else if (IsA(node, FromExpr))
	{
		ListCell *lc;

		foreach(lc, ((FromExpr *) node)->fromlist)
			collect_inner(rewrite, lfirst(lc));
		rewrite->quals = list_concat(rewrite->quals, conditions(((FromExpr *) node)->quals));
	}
	else if (((JoinExpr *) node)->jointype == JOIN_INNER)
	{
		collect_inner(rewrite, ((JoinExpr *) node)->larg);
		collect_inner(rewrite, ((JoinExpr *) node)->rarg);
		rewrite->quals = list_concat(rewrite->quals, conditions(((JoinExpr *) node)->quals));
	}
}

/* Where no row is, there is no query vector either, and nothing needs to be searched. */
static void
add_existence(Rewrite *rewrite)
{
	FromExpr *from = rewrite->query->jointree;
	int varno = -1;

	while ((varno = bms_next_member(rewrite->single, varno)) >= 0)
	{
		SubLink *link = makeNode(SubLink);

		link->subLinkType = EXISTS_SUBLINK;
		link->subselect = (Node *) select_from(rewrite, varno, (Expr *) makeBoolConst(true, false));
		link->location = -1;
		from->quals = make_and_qual(from->quals, (Node *) link);
	}
}

static void
rewrite_query(Query *query)
{
	Rewrite rewrite = {query};

	if (query->commandType != CMD_SELECT || query->hasAggs || query->groupClause != NIL ||
		query->groupingSets != NIL || query->hasRecursive || query->jointree == NULL ||
		query->rowMarks != NIL || list_length(query->rtable) < 2)
		return;
	collect_inner(&rewrite, (Node *) query->jointree);
	if (rewrite.ours == NULL)
		return;
	query->targetList = (List *) rewrite_distances((Node *) query->targetList, &rewrite);
	query->jointree->quals = rewrite_distances(query->jointree->quals, &rewrite);
	add_existence(&rewrite);
}

static bool
walk(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		/* those below first: this one may be about to read them twice */
		(void) query_tree_walker((Query *) node, walk, context, 0);
		rewrite_query((Query *) node);
		return false;
	}
	return expression_tree_walker(node, walk, context);
}

void
pinecone_plan_one_rows(Query *query)
{
	if (pinecone_enable_spellings)
		(void) walk((Node *) query, NULL);
}
