/*
 * compat.c
 *		Differences between PostgreSQL majors that take more than a macro.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"

#if PG_VERSION_NUM >= 170000

static bool
locale_is_c(int cache, HeapTuple tuple, AttrNumber attnum)
{
	bool isnull;
	Datum value = SysCacheGetAttr(cache, tuple, attnum, &isnull);
	char *locale = isnull ? NULL : TextDatumGetCString(value);

	return locale != NULL && (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0);
}

/* Does the database's own collation compare bytewise? */
static bool
database_is_c(void)
{
	HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	bool result = false;
	char provider;

	if (!HeapTupleIsValid(tuple))
		return false;
	provider = ((Form_pg_database) GETSTRUCT(tuple))->datlocprovider;
	/* the builtin provider's locales differ in other things than order */
	if (provider == COLLPROVIDER_BUILTIN)
		result = true;
	else if (provider == COLLPROVIDER_LIBC)
		result = locale_is_c(DATABASEOID, tuple, Anum_pg_database_datcollate);
	ReleaseSysCache(tuple);
	return result;
}

/* Does a collation compare bytewise?  False when it is not known. */
bool
pinecone_collation_is_c(Oid collation)
{
	HeapTuple tuple;
	bool result = false;
	char provider;

	if (collation == DEFAULT_COLLATION_OID)
		return database_is_c();
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		return false;
	provider = ((Form_pg_collation) GETSTRUCT(tuple))->collprovider;
	if (provider == COLLPROVIDER_BUILTIN)
		result = true;
	else if (provider == COLLPROVIDER_LIBC)
		result = locale_is_c(COLLOID, tuple, Anum_pg_collation_collcollate);
	ReleaseSysCache(tuple);
	return result;
}

#endif

#if PG_VERSION_NUM >= 180000

/* The members of an equivalence class, with those of one base relation's own. */
List *
pinecone_class_members(EquivalenceClass *ec, RelOptInfo *rel)
{
	if (ec->ec_childmembers == NULL || rel->relid >= ec->ec_childmembers_size)
		return ec->ec_members;
	return list_concat_copy(ec->ec_members, ec->ec_childmembers[rel->relid]);
}

#endif

#if PG_VERSION_NUM >= 150000

/* How many rows a condition on a window function lets through that compares with this, peers aside; or NULL. */
static Node *
limit_of_value(Const *value)
{
	int64 limit;

	if (!IsA(value, Const) || value->constisnull)
		return NULL;
	switch (value->consttype)
	{
		case INT2OID:
			limit = DatumGetInt16(value->constvalue);
			break;
		case INT4OID:
			limit = DatumGetInt32(value->constvalue);
			break;
		case INT8OID:
			limit = DatumGetInt64(value->constvalue);
			break;
		default:
			return NULL;
	}
	/* it takes one more to see that there are enough */
	limit = Min(Max(limit, 0), PG_INT32_MAX) + 1;
	return (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(limit), false, FLOAT8PASSBYVAL);
}

#if PG_VERSION_NUM >= 170000

/* The first condition of a query on a window function: what it compares with, or NULL. */
static Expr *
window_condition_value(Query *parse)
{
	ListCell *lc;

	foreach(lc, parse->targetList)
	{
		WindowFunc *func = (WindowFunc *) lfirst_node(TargetEntry, lc)->expr;

		if (IsA(func, WindowFunc) && func->runCondition != NIL)
			return linitial_node(WindowFuncRunCondition, func->runCondition)->arg;
	}
	return NULL;
}

#else

static Expr *
window_condition_value(Query *parse)
{
	ListCell *lc;

	foreach(lc, parse->windowClause)
	{
		List *conditions = lfirst_node(WindowClause, lc)->runCondition;
		OpExpr *op = conditions != NIL ? linitial(conditions) : NULL;

		if (op != NULL && IsA(op, OpExpr) && list_length(op->args) == 2)
			return IsA(linitial(op->args), Const) ? linitial(op->args) : lsecond(op->args);
		if (op != NULL)
			return NULL;
	}
	return NULL;
}

#endif

/*
 * Where the query is given up once a window function says so, like rank() <= 3: so
 * many rows, or NULL.  PG15 added these conditions; PG17 keeps them with the function.
 */
Node *
pinecone_window_limit(Query *parse)
{
	Expr *value = window_condition_value(parse);

	return value != NULL ? limit_of_value((Const *) value) : NULL;
}

#endif

/* PostgreSQL has it for others since 16. */
Oid
pinecone_extension_schema(Oid extension)
{
	Relation rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	Oid schema = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return schema;
}
