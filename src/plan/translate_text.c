/*
 * translate_text.c
 *		SQL expressions as searches by words, or by the meaning of words.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

#include "plan/translate_expr.h"
#include "wire/schema.h"

/* Of an integrated index: the text that it embeds, by its meaning. */
static bool
integrated_kind(Oid funcid, const PineconeSchemaField *field, PineconeColumn *column, PineconeClauseKind *kind)
{
	if (!column->embedded)
		return false;
	if (pinecone_translate_is_own_function(funcid, "pinecone_search_reranked"))
		*kind = PINECONE_CLAUSE_RERANKED;
	/* which way the scores of distances go is not certain */
	else if (pinecone_translate_is_own_function(funcid, "pinecone_search_meaning") &&
			 field->metric != PINECONE_METRIC_EUCLIDEAN)
		*kind = PINECONE_CLAUSE_EMBED;
	else
		return false;
	return true;
}

/* A column's text can be searched in that way: which kind of clause is it? */
static bool
clause_kind(PineconeTranslate *cxt, Oid funcid, PineconeColumn *column, PineconeClauseKind *kind)
{
	const PineconeSchemaField *field = pinecone_schema_field(cxt->table->schema, column->field);

	if (cxt->table->integrated != NULL)
		return integrated_kind(funcid, &cxt->table->integrated->fields[0], column, kind);
	if (pinecone_translate_is_own_function(funcid, "pinecone_search_query"))
	{
		*kind = PINECONE_CLAUSE_QUERY_STRING;
		return cxt->table->schema->texts;
	}
	if (field == NULL)
		return false;
	if (pinecone_translate_is_own_function(funcid, "pinecone_search"))
	{
		*kind = PINECONE_CLAUSE_TEXT;
		return field->full_text;
	}
	if (!pinecone_translate_is_own_function(funcid, "pinecone_search_meaning"))
		return false;
	if (field->embed && field->metric != PINECONE_METRIC_EUCLIDEAN)
		*kind = PINECONE_CLAUSE_EMBED;
	else if (field->sparse_embed)
		*kind = PINECONE_CLAUSE_SPARSE_EMBED;
	else
		return false;
	return true;
}

static PineconeColumn *
searched_column(PineconeTranslate *cxt, Node *node)
{
	PineconeColumn *column = pinecone_translate_column(cxt, node, PINECONE_ROLE_FIELD);

	return column ? column : pinecone_translate_column(cxt, node, PINECONE_ROLE_ID);
}

/* column @@@ words, and the functions like it */
static bool
translate_one(PineconeTranslate *cxt, Node *node, List **clauses)
{
	PineconeColumn *column;
	PineconeClauseKind kind;
	List *clause;
	List *args;
	Oid funcid;

	if (IsA(node, OpExpr))
	{
		args = ((OpExpr *) node)->args;
		funcid = get_opcode(((OpExpr *) node)->opno);
	}
	else if (IsA(node, FuncExpr))
	{
		args = ((FuncExpr *) node)->args;
		funcid = ((FuncExpr *) node)->funcid;
	}
	else
		return false;
	if (list_length(args) < 2 || exprType(lsecond(args)) != TEXTOID)
		return false;
	column = searched_column(cxt, linitial(args));
	if (column == NULL || !clause_kind(cxt, funcid, column, &kind) ||
		list_length(args) != (kind == PINECONE_CLAUSE_RERANKED ? 5 : 2))
		return false;
	for (int i = 1; i < list_length(args); i++)
	{
		if (!pinecone_translate_is_value(cxt, list_nth(args, i)))
			return false;
	}
	clause = list_make2_int(kind, column->attnum);
	for (int i = 1; i < list_length(args); i++)
		clause = lappend_int(clause, pinecone_translate_add_expr(cxt, list_nth(args, i)));
	*clauses = lappend(*clauses, clause);
	return true;
}

/* Clauses of words add their scores; one of a meaning stands alone. */
static bool
go_together(List *clauses)
{
	ListCell *lc;

	foreach(lc, clauses)
	{
		if (list_length(clauses) > 1 && linitial_int(lfirst(lc)) >= PINECONE_CLAUSE_EMBED)
			return false;
	}
	return true;
}

bool
pinecone_translate_text(PineconeTranslate *cxt, Expr *clause, List **clauses)
{
	BoolExpr *either = (BoolExpr *) clause;
	ListCell *lc;

	*clauses = NIL;
	if (cxt->table->schema == NULL && cxt->table->integrated == NULL)
		return false;
	if (!IsA(clause, BoolExpr) || either->boolop != OR_EXPR)
		return translate_one(cxt, (Node *) clause, clauses);
	foreach(lc, either->args)
	{
		if (!translate_one(cxt, lfirst(lc), clauses))
			return false;
	}
	return go_together(*clauses);
}

/* ---- Conditions on words ---- */

bool
pinecone_translate_words(PineconeTranslate *cxt, Node *node, PineconeCondition **condition)
{
	static const struct
	{
		const char *name;
		PineconeConditionKind kind;
	} names[] = {
		{"pinecone_match_phrase", PINECONE_COND_MATCH_PHRASE},
		{"pinecone_match_all", PINECONE_COND_MATCH_ALL},
		{"pinecone_match_any", PINECONE_COND_MATCH_ANY},
	};
	FuncExpr *func = (FuncExpr *) node;
	PineconeColumn *column;
	const PineconeSchemaField *field;

	if (!IsA(node, FuncExpr) || list_length(func->args) != 2)
		return false;
	column = pinecone_translate_column(cxt, linitial(func->args), PINECONE_ROLE_FIELD);
	if (column == NULL || !pinecone_translate_is_value(cxt, lsecond(func->args)))
		return false;
	field = pinecone_schema_field(cxt->table->schema, column->field);
	if (field == NULL || !field->full_text)
		return false;
	for (int i = 0; i < lengthof(names); i++)
	{
		if (!pinecone_translate_is_own_function(func->funcid, names[i].name))
			continue;
		*condition = palloc0(sizeof(PineconeCondition));
		(*condition)->kind = names[i].kind;
		(*condition)->attnum = column->attnum;
		(*condition)->value = pinecone_translate_add_expr(cxt, lsecond(func->args));
		return true;
	}
	return false;
}

/*
 * Of documents without the text nobody knows for certain whether $not brings them;
 * SQL's NOT does not, as a NULL has no words and does not lack them either.  Where
 * the clause stands by itself that can be seen here: is there a text?  Below OR it
 * cannot, for then it matters which of the conditions has brought a document.
 */
bool
pinecone_translate_no_words(PineconeTranslate *cxt, Expr *clause, PineconeCondition **condition)
{
	if (!is_notclause(clause) || !pinecone_translate_words(cxt, (Node *) get_notclausearg(clause), condition))
		return false;
	(*condition)->compare = PINECONE_NE;
	return true;
}

Expr *
pinecone_translate_has_text(PineconeTranslate *cxt, Expr *clause)
{
	PineconeCondition *condition;
	NullTest *test;

	if (!pinecone_translate_no_words(cxt, clause, &condition))
		return NULL;
	test = makeNode(NullTest);
	test->arg = linitial(((FuncExpr *) get_notclausearg(clause))->args);
	test->nulltesttype = IS_NOT_NULL;
	test->location = -1;
	return (Expr *) test;
}
