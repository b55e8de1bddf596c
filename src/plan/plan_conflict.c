/*
 * plan_conflict.c
 *		INSERT ... ON CONFLICT, as far as Pinecone has such a thing.
 *
 * PostgreSQL looks for a unique index of the conflict's columns and finds none,
 * because foreign tables have none.  But an id is unique in its namespace: so a
 * conflict over the id is brought to a form that needs no index before the
 * planner looks.  DO UPDATE that sets every column to what was to be inserted
 * is what an INSERT is anyway; one that sets some of them so stays one, and like
 * DO NOTHING does not say over what.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "plan/paths.h"

static void
refuse(PineconeTable *table, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("this form of ON CONFLICT is not supported for foreign table \"%s\"", table->name),
			 errdetail("%s", detail),
			 errhint("ON CONFLICT takes DO NOTHING, and DO UPDATE that sets columns to EXCLUDED's. INSERT without it replaces a record of the same id, and UPDATE changes what is there.")));
}

/* Is the conflict one of ids, and of namespaces where there are several? */
static bool
is_about_ids(PineconeTable *table, OnConflictExpr *conflict)
{
	Bitmapset *named = NULL;
	Bitmapset *key = bms_make_singleton(table->id_attnum);
	ListCell *lc;

	if (table->namespace_attnum > 0)
		key = bms_add_member(key, table->namespace_attnum);
	if (OidIsValid(conflict->constraint) || conflict->arbiterWhere != NULL || table->id_attnum == 0)
		return false;
	foreach(lc, conflict->arbiterElems)
	{
		Var *var = (Var *) ((InferenceElem *) lfirst(lc))->expr;

		if (!IsA(var, Var) || var->varattno <= 0)
			return false;
		named = bms_add_member(named, var->varattno);
	}
	return bms_equal(named, key);
}

/* Is a column set to what was to be inserted? */
static bool
is_set_to_excluded(OnConflictExpr *conflict, AttrNumber attnum)
{
	ListCell *lc;

	foreach(lc, conflict->onConflictSet)
	{
		TargetEntry *entry = lfirst(lc);
		Var *var = (Var *) entry->expr;

		if (entry->resno == attnum && !entry->resjunk)
			return IsA(var, Var) && var->varno == conflict->exclRelIndex &&
				   var->varattno == attnum && var->varlevelsup == 0;
	}
	return false;
}

static bool
is_set(OnConflictExpr *conflict, AttrNumber attnum)
{
	ListCell *lc;

	foreach(lc, conflict->onConflictSet)
	{
		if (lfirst_node(TargetEntry, lc)->resno == attnum)
			return true;
	}
	return false;
}

/* Refuse what sets a column to anything else.  Are all set that an INSERT sets? */
static bool
check_update(PineconeTable *table, OnConflictExpr *conflict)
{
	bool all = true;

	if (conflict->onConflictWhere != NULL)
		refuse(table, "It has a condition.");
	if (table->duplicate_error)
		refuse(table, "The table's option \"on_duplicate\" is \"error\".");
	for (int i = 0; i < table->ncolumns; i++)
	{
		PineconeColumn *column = &table->columns[i];
		bool is_key = column->role == PINECONE_ROLE_ID || column->role == PINECONE_ROLE_NAMESPACE;

		if (column->role == PINECONE_ROLE_DROPPED || column->role == PINECONE_ROLE_SCORE ||
			get_attgenerated(table->relid, column->attnum) != '\0' ||
			(is_key && !is_set(conflict, column->attnum)))
			continue;
		if (!is_set(conflict, column->attnum))
			all = false;
		else if (!is_set_to_excluded(conflict, column->attnum))
			refuse(table, psprintf("Column \"%s\" is not set to EXCLUDED.%s.", column->name,
								   quote_identifier(column->name)));
	}
	return all;
}

/* A stored value made of some columns would be made of the row that was to be inserted, not of what comes of it. */
static void
check_generated(PineconeTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role != PINECONE_ROLE_DROPPED && get_attgenerated(table->relid, table->columns[i].attnum) == ATTRIBUTE_GENERATED_STORED)
			refuse(table, psprintf("Not every column is set, and column \"%s\" is generated.", table->columns[i].name));
	}
}

/* Rows are inserted, be they there or not: triggers for UPDATE would not fire, and nobody would know. */
static void
check_triggers(PineconeTable *table)
{
	Relation rel = table_open(table->relid, NoLock);
	TriggerDesc *desc = rel->trigdesc;

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
	{
		const Trigger *trigger = &desc->triggers[i];

		if (TRIGGER_FOR_UPDATE(trigger->tgtype) && trigger->tgenabled != TRIGGER_DISABLED)
			refuse(table, psprintf("Trigger \"%s\" is for UPDATE, and would not fire.", trigger->tgname));
	}
	table_close(rel, NoLock);
}

/* Does RETURNING ask for OLD?  PostgreSQL has it of the rows that it found itself. */
static bool
asks_for_old(Node *node, void *context)
{
	Index level = *(Index *) context;

	if (node == NULL)
		return false;
	if (pinecone_is_old(node, level))
		return true;
	if (IsA(node, Query))
	{
		level++;
		return query_tree_walker((Query *) node, asks_for_old, &level, 0);
	}
	return expression_tree_walker(node, asks_for_old, context);
}

static void
adapt(Query *query)
{
	Index level = 0;

	OnConflictExpr *conflict = query->onConflict;
	RangeTblEntry *rte = rt_fetch(query->resultRelation, query->rtable);
	PineconeTable *table;

	if (rte->relkind != RELKIND_FOREIGN_TABLE ||
		GetFdwRoutineByRelId(rte->relid)->GetForeignRelSize != pineconeGetForeignRelSize)
		return;
	table = pinecone_option_table(rte->relid);
	if (conflict->arbiterElems == NIL && !OidIsValid(conflict->constraint))
		return;
	if (!is_about_ids(table, conflict))
		refuse(table, table->namespace_attnum > 0 ? "A conflict can be one of id and namespace." :
													"A conflict can be one of the id.");
	if (conflict->action == ONCONFLICT_UPDATE)
	{
		if (asks_for_old((Node *) query->returningList, &level))
			refuse(table, "RETURNING asks for OLD, and it does not see what is there.");
		check_triggers(table);
		if (check_update(table, conflict))
			query->onConflict = NULL;
		else
		{
			check_generated(table);
			conflict->arbiterElems = NIL;
		}
	}
	else if (conflict->action == ONCONFLICT_NOTHING)
		conflict->arbiterElems = NIL;
	else
		refuse(table, "It asks for what is there.");
}

void
pinecone_plan_conflicts(Query *query)
{
	ListCell *lc;

	if (query->commandType == CMD_INSERT && query->onConflict != NULL)
		adapt(query);
	/* statements that modify are nowhere else below the top */
	if (!query->hasModifyingCTE)
		return;
	foreach(lc, query->cteList)
		pinecone_plan_conflicts((Query *) lfirst_node(CommonTableExpr, lc)->ctequery);
}
