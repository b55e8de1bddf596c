/*
 * compat.c
 *		Differences between PostgreSQL majors that take more than a macro.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "utils/builtins.h"
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
