/*
 * database.c
 *		DROP, ALTER and CREATE DATABASE ask that nobody is connected to a database.
 *		PostgreSQL does not end background workers for that, so this module does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "outbox/database.h"

static const char *
template_of(const CreatedbStmt *statement)
{
	ListCell *lc;

	foreach(lc, statement->options)
	{
		DefElem *option = lfirst(lc);

		if (strcmp(option->defname, "template") == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return "template1";
}

static const char *
name_in(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			return ((DropdbStmt *) statement)->dbname;
		case T_AlterDatabaseStmt:
			return ((AlterDatabaseStmt *) statement)->dbname;
		case T_CreatedbStmt:
			return template_of((CreatedbStmt *) statement);
		case T_RenameStmt:
			return ((RenameStmt *) statement)->renameType == OBJECT_DATABASE ? ((RenameStmt *) statement)->subname : NULL;
		default:
			return NULL;
	}
}

Oid
pinecone_database_of(Node *statement)
{
	const char *name = name_in(statement);
	Oid dbid = name != NULL ? get_database_oid(name, true) : InvalidOid;
	HeapTuple tuple;
	bool allowed;

	if (!OidIsValid(dbid) || dbid == MyDatabaseId)
		return InvalidOid;
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(dbid));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	allowed = has_privs_of_role(GetUserId(), ((Form_pg_database) GETSTRUCT(tuple))->datdba) ||
			  (IsA(statement, CreatedbStmt) && ((Form_pg_database) GETSTRUCT(tuple))->datistemplate);
	ReleaseSysCache(tuple);
	return allowed ? dbid : InvalidOid;
}
