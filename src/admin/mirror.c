/*
 * mirror.c
 *		Mirrors are made, ended, and looked up.
 *
 * Tables and triggers are the extension's: its owner makes and reads them, for
 * users who may do what they ask for with the tables that they name.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "admin/argument.h"
#include "admin/mirror.h"
#include "base/compat.h"
#include "pending/outbox_table.h"

PG_FUNCTION_INFO_V1(pinecone_mirror);
PG_FUNCTION_INFO_V1(pinecone_unmirror);
PG_FUNCTION_INFO_V1(pinecone_mirror_retry);
PG_FUNCTION_INFO_V1(pinecone_mirror_source);

/* ---- Our tables ---- */

static Oid
owner_of_relation(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "there is no relation with OID %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* A name for another, in SQL. */
static char *
put_name(const char *sql, const char *stand_in, const char *name)
{
	return TextDatumGetCString(DirectFunctionCall3Coll(replace_text, C_COLLATION_OID, CStringGetTextDatum(sql),
													   CStringGetTextDatum(stand_in), CStringGetTextDatum(name)));
}

static char *
our_schema(void)
{
	return get_namespace_name(get_rel_namespace(pinecone_outbox_relation("pinecone_mirrors", false)));
}

static Oid
our_trigger_function(void)
{
	return LookupFuncName(list_make2(makeString(our_schema()), makeString("pinecone_mirror_note")), 0, NULL, false);
}

/*
 * Execute a statement as the owner of our tables.  Others may be able to create
 * what they like in the schema that these are in, even an operator that fits better
 * than PostgreSQL's: so that schema is not on the path.
 */
static void
execute_as_owner(const char *sql, int nargs, const Oid *types, const Datum *values, const char *nulls, int expected)
{
	MemoryContext old = CurrentMemoryContext;
	int nest = NewGUCNestLevel();
	Oid userid;
	int sec;
	int result;

	GetUserIdAndSecContext(&userid, &sec);
	SetUserIdAndSecContext(owner_of_relation(pinecone_outbox_relation("pinecone_mirrors", false)), sec | SECURITY_LOCAL_USERID_CHANGE);
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute_with_args(sql, nargs, (Oid *) types, (Datum *) values, nulls, false, 0);
	MemoryContextSwitchTo(old);
	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(userid, sec);
}

void
pinecone_mirror_execute(const char *sql, int nargs, const Oid *types, const Datum *values,
						const char *nulls, int expected)
{
	char *text = put_name(sql, "@x@", quote_identifier(our_schema()));

	if (strstr(text, "@note@") != NULL)
		text = put_name(text, "@note@", psprintf("%u", our_trigger_function()));
	execute_as_owner(text, nargs, types, values, nulls, expected);
}

static char *
quoted_name(Oid relid)
{
	char *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of the mirror is gone"),
				 errhint("Call pinecone_unmirror().")));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name);
}

/* The values of a row that SPI returned */
static Datum
value_of(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

static char *
text_of(int column)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

PineconeMirror *
pinecone_mirror_read(int number, bool lock)
{
	Oid types[] = {INT4OID};
	Datum values[] = {Int32GetDatum(number)};
	PineconeMirror *mirror;
	bool isnull;

	pinecone_mirror_execute(psprintf("SELECT foreign_table, source, owner, id_column, selected, condition, filling, filled_to, "
									 "coalesce(retry_at > clock_timestamp(), false) FROM @x@.pinecone_mirrors WHERE mirror = $1%s",
									 lock ? " FOR NO KEY UPDATE SKIP LOCKED" : ""),
							1, types, values, NULL, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return NULL;
	mirror = palloc0(sizeof(PineconeMirror));
	mirror->number = number;
	mirror->foreign_table = DatumGetObjectId(value_of(1, &isnull));
	mirror->source = DatumGetObjectId(value_of(2, &isnull));
	mirror->owner = DatumGetObjectId(value_of(3, &isnull));
	mirror->id_column = text_of(4);
	if (get_rel_name(mirror->source) != NULL)
		mirror->query = psprintf("SELECT %s FROM %s s WHERE %s", text_of(5), quoted_name(mirror->source), text_of(6));
	mirror->filling = DatumGetBool(value_of(7, &isnull));
	mirror->filled_to = text_of(8);
	mirror->waits = DatumGetBool(value_of(9, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return mirror;
}

/* The number of a table's mirror, or 0 */
static int
number_of(Oid foreign_table)
{
	Oid types[] = {OIDOID};
	Datum values[] = {ObjectIdGetDatum(foreign_table)};
	bool isnull;

	pinecone_mirror_execute("SELECT mirror FROM @x@.pinecone_mirrors WHERE foreign_table = $1", 1, types, values, NULL, SPI_OK_SELECT);
	return SPI_processed == 0 ? 0 : DatumGetInt32(value_of(1, &isnull));
}

/* The mirror that an argument names, which the user may act as the owner of */
static PineconeMirror *
mirror_of_argument(FunctionCallInfo fcinfo, int n)
{
	Oid relid;
	PineconeMirror *mirror;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL", "foreign_table")));
	relid = PG_GETARG_OID(n);
	mirror = pinecone_mirror_read(number_of(relid), false);
	if (mirror == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("\"%s\" is not mirrored to", get_rel_name(relid) ? get_rel_name(relid) : "(none)"),
				 errhint("pinecone_mirror() makes a mirror; the view pinecone_mirror_status has those that there are.")));
	if (!has_privs_of_role(GetUserId(), mirror->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of the mirror"),
				 errdetail("It belongs to role \"%s\".", GetUserNameFromId(mirror->owner, false))));
	return mirror;
}

/* ---- Making ---- */

static void
check_rights(const PineconeMirrorWanted *wanted)
{
	const AclMode rights[] = {ACL_SELECT, ACL_INSERT, ACL_DELETE, ACL_TRUNCATE};

	if (!has_privs_of_role(GetUserId(), owner_of_relation(wanted->source)))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(wanted->source));
	for (int i = 0; i < lengthof(rights); i++)
	{
		AclResult right = pg_class_aclcheck(wanted->foreign_table, GetUserId(), rights[i]);

		if (right != ACLCHECK_OK)
			aclcheck_error(right, OBJECT_FOREIGN_TABLE, get_rel_name(wanted->foreign_table));
	}
}

/*
 * Rows are looked up by id, and the id has to tell them apart: that may be by more
 * columns where it is partitioned, or by the namespace.
 */
static void
check_index(const PineconeMirrorWanted *wanted)
{
	Oid types[] = {OIDOID, INT2OID};
	Datum values[] = {ObjectIdGetDatum(wanted->source), Int16GetDatum(get_attnum(wanted->source, wanted->id_column))};
	bool isnull;

	pinecone_mirror_execute(
		"SELECT count(*) > 0, coalesce(bool_or(indisunique AND indimmediate), false) FROM pg_index WHERE indrelid = $1 AND indisvalid AND indpred IS NULL AND indkey[0] = $2",
		2, types, values, NULL, SPI_OK_SELECT);
	if (!DatumGetBool(value_of(1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no index that begins with column \"%s\"", get_rel_name(wanted->source), wanted->id_column),
				 errhint("Rows are looked up by it: make it the primary key, or CREATE UNIQUE INDEX.")));
	if (!DatumGetBool(value_of(2, &isnull)))
		ereport(NOTICE,
				(errmsg("no unique index of table \"%s\" begins with column \"%s\"", get_rel_name(wanted->source), wanted->id_column),
				 errdetail("Rows of the same id cannot be delivered: there is one record of an id.")));
}

/* A number that no trigger has: those of a schema that was restored without data have no mirror. */
static int
insert_mirror(const PineconeMirrorWanted *wanted, bool fill)
{
	Oid types[] = {OIDOID, OIDOID, OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};
	Datum values[] = {ObjectIdGetDatum(wanted->foreign_table), ObjectIdGetDatum(wanted->source), ObjectIdGetDatum(GetUserId()),
					  CStringGetTextDatum(wanted->id_column),
					  wanted->namespace_column ? CStringGetTextDatum(wanted->namespace_column) : (Datum) 0,
					  CStringGetTextDatum(wanted->selected), CStringGetTextDatum(wanted->condition), BoolGetDatum(fill)};
	bool isnull;

	pinecone_mirror_execute("LOCK TABLE @x@.pinecone_mirrors IN SHARE ROW EXCLUSIVE MODE", 0, NULL, NULL, NULL, SPI_OK_UTILITY);
	if (number_of(wanted->foreign_table) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("foreign table \"%s\" is mirrored to already", get_rel_name(wanted->foreign_table)),
				 errhint("Rows of several tables need a namespace each; pinecone_unmirror() ends a mirror.")));
	pinecone_mirror_execute(
		"INSERT INTO @x@.pinecone_mirrors (mirror, foreign_table, source, owner, id_column, namespace_column, selected, condition, filling) "
		"SELECT coalesce(max(n), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 FROM "
		"(SELECT mirror FROM @x@.pinecone_mirrors UNION ALL SELECT substring(tgname FROM '^pinecone_mirror_([0-9]+)')::integer "
		"FROM pg_trigger WHERE tgfoid = @note@) AS taken (n) RETURNING mirror",
		8, types, values, wanted->namespace_column ? NULL : "    n   ", SPI_OK_INSERT_RETURNING);
	return DatumGetInt32(value_of(1, &isnull));
}

/* A trigger fires where rows are replicated, too. */
static void
create_trigger(Oid relid, const char *name, const char *when, const char *arguments)
{
	char *table = quoted_name(relid);

	execute_as_owner(psprintf("CREATE TRIGGER %s AFTER %s EXECUTE FUNCTION %s.pinecone_mirror_note(%s)", name, psprintf(when, table),
							  quote_identifier(our_schema()), arguments),
					 0, NULL, NULL, NULL, SPI_OK_UTILITY);
}

static void
create_triggers(const PineconeMirrorWanted *wanted, int number)
{
	char *name = psprintf("pinecone_mirror_%d", number);
	List *tables = find_all_inheritors(wanted->source, NoLock, NULL);
	StringInfoData arguments;
	ListCell *lc;

	initStringInfo(&arguments);
	appendStringInfo(&arguments, "'%d', %s, %s", number, quote_literal_cstr(wanted->id_column),
					 quote_literal_cstr(wanted->namespace_column ? wanted->namespace_column : ""));
	foreach(lc, wanted->columns)
		appendStringInfo(&arguments, ", %s", quote_literal_cstr(lfirst(lc)));
	create_trigger(wanted->source, name, "INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW", arguments.data);
	foreach(lc, tables)
	{
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_FOREIGN_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("table \"%s\" cannot be mirrored", get_rel_name(wanted->source)),
					 errdetail("Its partition \"%s\" is a foreign table.", get_rel_name(lfirst_oid(lc)))));
		create_trigger(lfirst_oid(lc), psprintf("%s_truncate", name), "TRUNCATE ON %s", arguments.data);
		execute_as_owner(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s, ENABLE ALWAYS TRIGGER %s_truncate", quoted_name(lfirst_oid(lc)), name, name),
						 0, NULL, NULL, NULL, SPI_OK_UTILITY);
	}
}

/* All of a number: of the source, its partitions, and those that have been detached since */
static void
drop_triggers(int number)
{
	Oid types[] = {INT4OID};
	Datum values[] = {Int32GetDatum(number)};
	List *statements = NIL;
	ListCell *lc;

	pinecone_mirror_execute("SELECT format('DROP TRIGGER IF EXISTS %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger "
							"WHERE tgname IN ('pinecone_mirror_' || $1, 'pinecone_mirror_' || $1 || '_truncate') "
							"AND tgfoid = @note@ AND tgparentid = 0 ORDER BY tgrelid, tgname",
							1, types, values, NULL, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
		statements = lappend(statements, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	foreach(lc, statements)
		execute_as_owner(lfirst(lc), 0, NULL, NULL, NULL, SPI_OK_UTILITY);
}

/* Those of the source that have no mirror, and what they have noted */
static void
drop_orphans(Oid source)
{
	Oid types[] = {OIDOID, INT4OID};
	Datum values[] = {ObjectIdGetDatum(source), (Datum) 0};
	List *numbers = NIL;
	ListCell *lc;

	pinecone_mirror_execute("SELECT DISTINCT substring(tgname FROM '^pinecone_mirror_([0-9]+)$')::integer AS n FROM pg_trigger "
							"WHERE tgrelid = $1 AND tgfoid = @note@ AND tgname ~ '^pinecone_mirror_[0-9]+$' AND tgparentid = 0 "
							"AND NOT EXISTS (SELECT FROM @x@.pinecone_mirrors WHERE tgname = 'pinecone_mirror_' || mirror)",
							1, types, values, NULL, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		numbers = lappend_int(numbers, DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	foreach(lc, numbers)
	{
		values[1] = Int32GetDatum(lfirst_int(lc));
		drop_triggers(lfirst_int(lc));
		pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_changes WHERE mirror = $2", 2, types, values, NULL, SPI_OK_DELETE);
	}
}

Datum
pinecone_mirror(PG_FUNCTION_ARGS)
{
	PineconeMirrorWanted wanted = {0};
	char *embedding = PG_ARGISNULL(4) ? NULL : pinecone_argument_text(fcinfo, 4, "embedding");
	char *filter = PG_ARGISNULL(5) ? NULL : pinecone_argument_text(fcinfo, 5, "filter");
	bool fill = pinecone_argument_bool(fcinfo, 6, "fill");
	int number;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL", "source")));
	wanted.source = PG_GETARG_OID(0);
	wanted.foreign_table = pinecone_argument_table(fcinfo, 1, "foreign_table");
	wanted.id_column = PG_ARGISNULL(2) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(2)));
	LockRelationOid(wanted.source, AccessShareLock);
	check_rights(&wanted);
	pinecone_mirror_define(&wanted, PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3), embedding, filter);
	SPI_connect();
	check_index(&wanted);
	number = insert_mirror(&wanted, fill);
	drop_orphans(wanted.source);
	create_triggers(&wanted, number);
	SPI_finish();
	PG_RETURN_VOID();
}

/* ---- Ending ---- */

Datum
pinecone_unmirror(PG_FUNCTION_ARGS)
{
	Oid types[] = {INT4OID};
	Datum values[1];
	PineconeMirror *mirror;
	int64 waiting;

	SPI_connect();
	mirror = mirror_of_argument(fcinfo, 0);
	values[0] = Int32GetDatum(mirror->number);
	/* first what a delivery under way has locked: it is still to read the source, which is then locked against all */
	pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirrors WHERE mirror = $1", 1, types, values, NULL, SPI_OK_DELETE);
	drop_triggers(mirror->number);
	pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_dead WHERE mirror = $1", 1, types, values, NULL, SPI_OK_DELETE);
	pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_changes WHERE mirror = $1", 1, types, values, NULL, SPI_OK_DELETE);
	waiting = SPI_processed;
	SPI_finish();
	PG_RETURN_INT64(waiting);
}

/* ---- What could not be delivered ---- */

Datum
pinecone_mirror_retry(PG_FUNCTION_ARGS)
{
	Oid types[] = {INT4OID, TEXTOID};
	char *id = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool drop = pinecone_argument_bool(fcinfo, 2, "drop");
	Datum values[2];
	PineconeMirror *mirror;
	int64 n;

	SPI_connect();
	mirror = mirror_of_argument(fcinfo, 0);
	values[0] = Int32GetDatum(mirror->number);
	values[1] = id ? CStringGetTextDatum(id) : (Datum) 0;
	if (drop)
		pinecone_mirror_execute("DELETE FROM @x@.pinecone_mirror_dead WHERE mirror = $1 AND ($2 IS NULL OR id = $2)",
								2, types, values, id ? NULL : " n", SPI_OK_DELETE);
	else
		pinecone_mirror_execute(
			"WITH d AS (DELETE FROM @x@.pinecone_mirror_dead WHERE mirror = $1 AND ($2 IS NULL OR id = $2) RETURNING *) "
			"INSERT INTO @x@.pinecone_mirror_changes (mirror, kind, namespace, id, noted_at) SELECT mirror, 'r', namespace, id, now() FROM d",
			2, types, values, id ? NULL : " n", SPI_OK_INSERT);
	n = SPI_processed;
	SPI_finish();
	PG_RETURN_INT64(n);
}

Datum
pinecone_mirror_source(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	PineconeMirror *mirror;
	text *query;

	SPI_connect();
	mirror = mirror_of_argument(fcinfo, 0);
	quoted_name(mirror->source);
	MemoryContextSwitchTo(caller);
	query = cstring_to_text(mirror->query);
	SPI_finish();
	PG_RETURN_TEXT_P(query);
}
