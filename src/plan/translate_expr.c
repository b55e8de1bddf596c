/*
 * translate_expr.c
 *		What all translations look at: values, columns, comparisons.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "plan/translate_expr.h"

/* ---- Values ---- */

int
pinecone_translate_add_expr(PineconeTranslate *cxt, Expr *expr)
{
	ListCell *lc;

	foreach(lc, cxt->exprs)
	{
		if (equal(lfirst(lc), expr))
			return foreach_current_index(lc);
	}
	cxt->exprs = lappend(cxt->exprs, expr);
	return list_length(cxt->exprs) - 1;
}

bool
pinecone_translate_is_value(PineconeTranslate *cxt, Expr *expr)
{
	return !bms_is_member(cxt->varno, pull_varnos(cxt->root, (Node *) expr)) &&
		   !contain_volatile_functions((Node *) expr) &&
		   !expression_returns_set((Node *) expr);
}

/* ---- Columns ---- */

/* Casts between numeric types that keep every value they are given here. */
static bool
cast_keeps_value(Oid funcid)
{
	switch (funcid)
	{
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_FLOAT4_INT2:
		case F_FLOAT8_INT2:
		case F_FLOAT8_INT4:
		case F_FLOAT8_INT8:
		case F_FLOAT8_FLOAT4:
		case F_FLOAT8_NUMERIC:
		case F_NUMERIC_INT2:
		case F_NUMERIC_INT4:
		case F_NUMERIC_INT8:
			return true;
		default:
			return false;
	}
}

Node *
pinecone_translate_strip_casts(Node *node)
{
	for (;;)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, FuncExpr) && list_length(((FuncExpr *) node)->args) == 1 &&
				 cast_keeps_value(((FuncExpr *) node)->funcid))
			node = linitial(((FuncExpr *) node)->args);
		else
			return node;
	}
}

PineconeColumn *
pinecone_translate_column(PineconeTranslate *cxt, Node *node, PineconeRole role)
{
	PineconeColumn *column;
	Var *var;

	node = pinecone_translate_strip_casts(node);
	if (!IsA(node, Var))
		return NULL;
	var = (Var *) node;
	if (var->varno != cxt->varno || var->varlevelsup != 0 || var->varattno <= 0)
		return NULL;
	column = pinecone_option_column(cxt->table, var->varattno);
	return column != NULL && column->role == role ? column : NULL;
}

/* ---- Operators ---- */

bool
pinecone_translate_compare(Oid opno, PineconeCompare *compare)
{
	static const struct
	{
		const char *name;
		PineconeCompare compare;
	} names[] = {
		{"=", PINECONE_EQ},
		{"<>", PINECONE_NE},
		{"<", PINECONE_LT},
		{"<=", PINECONE_LE},
		{">", PINECONE_GT},
		{">=", PINECONE_GE},
	};
	char *name;

	if (opno >= FirstGenbkiObjectId || (name = get_opname(opno)) == NULL)
		return false;
	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(names[i].name, name) == 0)
		{
			*compare = names[i].compare;
			return true;
		}
	}
	return false;
}

PineconeCompare
pinecone_translate_commute(PineconeCompare compare)
{
	switch (compare)
	{
		case PINECONE_LT:
			return PINECONE_GT;
		case PINECONE_LE:
			return PINECONE_GE;
		case PINECONE_GT:
			return PINECONE_LT;
		case PINECONE_GE:
			return PINECONE_LE;
		default:
			return compare;
	}
}

bool
pinecone_translate_is_bytewise(Oid collation)
{
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

/* ---- Functions ---- */

bool
pinecone_translate_is_own_function(Oid funcid, const char *name)
{
	char *actual = get_func_name(funcid);

	return actual != NULL && strcmp(actual, name) == 0 &&
		   getExtensionOfObject(ProcedureRelationId, funcid) ==
			   get_extension_oid("pinecone_fdw", true);
}
