/*
 * mirror_definition.c
 *		What is mirrored: a query of a mirror's source, made of the names and
 *		expressions that pinecone_mirror() is given.
 *
 * Expressions are kept as PostgreSQL prints them with nothing but pg_catalog in
 * the search path: they mean the same to whoever delivers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "admin/mirror.h"
#include "base/compat.h"
#include "option/option_list.h"

/* A definition while it is made */
typedef struct Definition
{
	PineconeMirrorWanted *wanted;
	const PineconeTable *table;
	StringInfoData selected;
	StringInfoData condition;
	Bitmapset *used; /* attribute numbers, as pull_varattnos() has them */
	bool has_vector;
} Definition;

/* ---- The tables ---- */

static void
check_source(Oid source)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(source));
	Form_pg_class class;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table with OID %u", source)));
	class = (Form_pg_class) GETSTRUCT(tuple);
	if (class->relkind != RELKIND_RELATION && class->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be mirrored", NameStr(class->relname)),
				 errdetail("Tables and partitioned tables have triggers that tell of every change.")));
	if (class->relpersistence != RELPERSISTENCE_PERMANENT)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" cannot be mirrored", NameStr(class->relname)),
				 errdetail("It is temporary or unlogged: its rows can be gone without a change to it.")));
	if (class->relkind == RELKIND_RELATION && has_subclass(source) && find_inheritance_children(source, NoLock) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" cannot be mirrored", NameStr(class->relname)),
				 errdetail("Other tables inherit from it, and have no triggers of it."),
				 errhint("Partitioned tables can be mirrored.")));
	ReleaseSysCache(tuple);
}

/* Ids are noted as the column's type prints them, which has to be how the foreign table prints them, too. */
static void
check_id(const Definition *definition)
{
	const PineconeMirrorWanted *wanted = definition->wanted;
	const PineconeTable *table = definition->table;
	AttrNumber attnum = get_attnum(wanted->source, wanted->id_column);
	Oid there = getBaseType(table->columns[table->id_attnum - 1].typid);
	Oid here;

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist", wanted->id_column, get_rel_name(wanted->source)),
				 errhint("Argument \"id\" is the name of the column that tells rows apart.")));
	here = getBaseType(get_atttype(wanted->source, attnum));
	if (here != INT2OID && here != INT4OID && here != INT8OID && here != UUIDOID && here != TEXTOID && here != VARCHAROID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" cannot be the id of a mirror", wanted->id_column, get_rel_name(wanted->source)),
				 errdetail("It has type %s; it can be of text, varchar, integers or uuid.", format_type_be(here)),
				 errhint("A generated column can make a text of several columns.")));
	if (there != TEXTOID && ((here == TEXTOID || here == VARCHAROID) || (there == UUIDOID) != (here == UUIDOID)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of foreign table \"%s\" cannot hold ids of type %s",
						table->columns[table->id_attnum - 1].name, table->name, format_type_be(here)),
				 errhint("Declare it as text.")));
}

/* ---- Expressions ---- */

static Query *
parse_expression(const Definition *definition, const char *text, const char *what)
{
	char *sql = psprintf("SELECT (%s\n) FROM %s s", text,
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(definition->wanted->source)),
													get_rel_name(definition->wanted->source)));
	List *parsed = pg_parse_query(sql);
	Query *query;

	if (list_length(parsed) != 1 || !IsA(linitial_node(RawStmt, parsed)->stmt, SelectStmt))
		goto bad;
	query = pinecone_parse_analyze(linitial_node(RawStmt, parsed), sql);
	if (list_length(query->targetList) != 1 || list_length(query->rtable) != 1 || query->jointree->quals != NULL ||
		query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs || query->hasSubLinks || query->cteList != NIL ||
		query->sortClause != NIL || query->groupClause != NIL || query->limitCount != NULL || query->setOperations != NULL)
		goto bad;
	return query;

bad:
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("%s is not an expression over a row: %s", what, text),
			 errhint("Subqueries and aggregates are not: a change to what they read would not be seen.")));
}

/* The expression, its names qualified; the columns that it reads are noted. */
static char *
print_expression(Definition *definition, Node *expr)
{
	Oid source = definition->wanted->source;
	int nest = NewGUCNestLevel();
	char *text;

	pull_varattnos(expr, 1, &definition->used);
	set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	text = deparse_expression(expr, deparse_context_for("s", source), true, false);
	AtEOXact_GUC(false, nest);
	return text;
}

static void
add_column(Definition *definition, const char *expression, const char *name, const char *what)
{
	Query *query = parse_expression(definition, expression, what);

	appendStringInfo(&definition->selected, "%s%s AS %s", definition->selected.len > 0 ? ", " : "",
					 print_expression(definition, (Node *) linitial_node(TargetEntry, query->targetList)->expr), quote_identifier(name));
}

static const PineconeColumn *
column_named(const PineconeTable *table, const char *name)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];

		if (column->role != PINECONE_ROLE_DROPPED && column->role != PINECONE_ROLE_SCORE && strcmp(column->name, name) == 0)
			return column;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("foreign table \"%s\" has no column \"%s\" to be written", table->name, name)));
}

static bool
is_vector(const PineconeColumn *column)
{
	return column->role == PINECONE_ROLE_VALUES || column->role == PINECONE_ROLE_SPARSE_VALUES;
}

/* A column of the foreign table, by an expression or by the source's column of its name. */
static void
add_value(Definition *definition, const PineconeColumn *column, const char *expression)
{
	definition->has_vector |= is_vector(column);
	add_column(definition, expression ? expression : psprintf("s.%s", quote_identifier(column->name)), column->name,
			   psprintf("column \"%s\"", column->name));
}

/* "name", or "name = expression" */
static void
add_given(Definition *definition, char *given)
{
	char *sign = strchr(given, '=');
	char *name = given;
	int len;

	if (sign != NULL)
		*sign++ = '\0';
	name += strspn(name, " \t\n");
	len = strlen(name);
	while (len > 0 && strchr(" \t\n", name[len - 1]) != NULL)
		name[--len] = '\0';
	add_value(definition, column_named(definition->table, name), sign);
}

/* The columns of the foreign table, but for id, namespace and what "embedding" gives */
static void
add_values(Definition *definition, ArrayType *columns, const char *embedding)
{
	const PineconeTable *table = definition->table;

	if (columns != NULL)
	{
		Datum *values;
		bool *nulls;
		int n;

		deconstruct_array(columns, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("argument \"%s\" must not contain NULL", "columns")));
			add_given(definition, TextDatumGetCString(values[i]));
		}
	}
	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];
		bool is_dense = column->role == PINECONE_ROLE_VALUES;

		if (column->role == PINECONE_ROLE_DROPPED || column->role == PINECONE_ROLE_SCORE || column->role == PINECONE_ROLE_ID ||
			column->role == PINECONE_ROLE_NAMESPACE)
			continue;
		if (is_dense && embedding != NULL)
			add_value(definition, column, embedding);
		else if ((columns == NULL || (is_dense && !definition->has_vector)) && get_attnum(definition->wanted->source, column->name) > 0)
			add_value(definition, column, NULL);
	}
}

/* ---- Which rows ---- */

static void
add_filter(Definition *definition, const char *filter)
{
	Query *query = parse_expression(definition, filter, "argument \"filter\"");
	Node *expr = (Node *) linitial_node(TargetEntry, query->targetList)->expr;

	if (exprType(expr) != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("argument \"filter\" must be boolean, not of type %s", format_type_be(exprType(expr)))));
	if (contain_mutable_functions(expr))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("argument \"filter\" must be immutable"),
				 errdetail("Rows would come and go without a change to them.")));
	appendStringInfo(&definition->condition, " AND (%s)", print_expression(definition, expr));
}

/* A vector that is a column may be NULL for a while: such a row is no record yet. */
static void
leave_out_without_vector(Definition *definition, const char *embedding)
{
	const PineconeTable *table = definition->table;
	Node *expr;

	if (table->values_attnum == 0 || !definition->has_vector || table->sparse_attnum != 0)
		return;
	if (embedding == NULL)
	{
		const char *name = table->columns[table->values_attnum - 1].name;

		if (get_attnum(definition->wanted->source, name) > 0)
			appendStringInfo(&definition->condition, " AND s.%s IS NOT NULL", quote_identifier(name));
		return;
	}
	expr = (Node *) linitial_node(TargetEntry, parse_expression(definition, embedding, "argument \"embedding\"")->targetList)->expr;
	if (IsA(expr, Var))
		appendStringInfo(&definition->condition, " AND (%s) IS NOT NULL", print_expression(definition, expr));
}

/* Virtual columns (PostgreSQL 18) are computed when they are read: no trigger sees what they are, or were. */
static bool
is_virtual(Oid source, AttrNumber attnum)
{
	return get_attgenerated(source, attnum) == 'v';
}

/* The names of the columns that were read; NIL if all matter, as of the row as a whole */
static List *
used_columns(const Definition *definition)
{
	List *names = NIL;
	int i = -1;

	while ((i = bms_next_member(definition->used, i)) >= 0)
	{
		int attnum = i + FirstLowInvalidHeapAttributeNumber;

		if (attnum <= 0 || is_virtual(definition->wanted->source, attnum))
			return NIL;
		names = lappend(names, get_attname(definition->wanted->source, attnum, false));
	}
	return names;
}

/* First the tables and the id, then column after column of the list, then the condition; what they read is noted. */
void
pinecone_mirror_define(PineconeMirrorWanted *wanted, ArrayType *columns, const char *embedding, const char *filter)
{
	Definition definition = {.wanted = wanted, .table = pinecone_option_read_table(wanted->foreign_table)};
	const PineconeTable *table = definition.table;

	check_source(wanted->source);
	if (table->id_attnum == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("foreign table \"%s\" has no column of ids", table->name)));
	if (embedding != NULL && table->values_attnum == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("foreign table \"%s\" has no column of vectors", table->name)));
	if (wanted->id_column == NULL)
		wanted->id_column = table->columns[table->id_attnum - 1].name;
	check_id(&definition);

	initStringInfo(&definition.selected);
	initStringInfo(&definition.condition);
	add_column(&definition, psprintf("s.%s", quote_identifier(wanted->id_column)), table->columns[table->id_attnum - 1].name,
			   "argument \"id\"");
	if (table->namespace_attnum > 0)
	{
		wanted->namespace_column = table->columns[table->namespace_attnum - 1].name;
		add_column(&definition, psprintf("s.%s", quote_identifier(wanted->namespace_column)), wanted->namespace_column, "the namespace");
		if (is_virtual(wanted->source, get_attnum(wanted->source, wanted->namespace_column)))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("column \"%s\" of table \"%s\" cannot be the namespace of a mirror", wanted->namespace_column,
							get_rel_name(wanted->source)),
					 errdetail("It is a virtual generated column; a stored one can be.")));
	}
	add_values(&definition, columns, embedding);
	if (!definition.has_vector && (table->values_attnum > 0 || table->sparse_attnum > 0))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column for the vectors of foreign table \"%s\"", get_rel_name(wanted->source), table->name),
				 errhint("Argument \"embedding\" is an expression that gives them.")));
	appendStringInfo(&definition.condition, "s.%s IS NOT NULL", quote_identifier(wanted->id_column));
	if (wanted->namespace_column != NULL)
		appendStringInfo(&definition.condition, " AND s.%s IS NOT NULL", quote_identifier(wanted->namespace_column));
	leave_out_without_vector(&definition, embedding);
	if (filter != NULL)
		add_filter(&definition, filter);
	wanted->selected = definition.selected.data;
	wanted->condition = definition.condition.data;
	wanted->columns = used_columns(&definition);
}
