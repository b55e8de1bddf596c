/*
 * outbox_functions.c
 *		The outbox's SQL functions.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/limits.h"
#include "base/ours.h"
#include "outbox/round.h"
#include "value/metadata_of_columns.h"
#include "value/sparse.h"

PG_FUNCTION_INFO_V1(pinecone_deliver);
PG_FUNCTION_INFO_V1(pinecone_outbox_put);
PG_FUNCTION_INFO_V1(pinecone_outbox_delete);
PG_FUNCTION_INFO_V1(pinecone_outbox_delete_all);
PG_FUNCTION_INFO_V1(pinecone_outbox_retry);
PG_FUNCTION_INFO_V1(pinecone_outbox_drop);

/* Rows of a round when nobody says how many */
#define ROUND_ROWS 50000

static Oid
queue(void)
{
	return pinecone_outbox_relation("pinecone_outbox", false);
}

static char *
name_of(const char *name)
{
	Oid relid = pinecone_outbox_relation(name, false);

	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name);
}

static void
execute(const char *query, int nargs, Oid *types, Datum *values, const char *nulls)
{
	int result = SPI_execute_with_args(query, nargs, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

/* ---- Delivering ---- */

static int64
count_waiting(void)
{
	PineconeOwner owner;
	int64 count;
	bool isnull;

	pinecone_owner_begin(&owner, queue());
	execute(psprintf("SELECT pg_catalog.count(*) FROM %s", name_of("pinecone_outbox")), 0, NULL, NULL, NULL);
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	pinecone_owner_end(&owner);
	return count;
}

Datum
pinecone_deliver(PG_FUNCTION_ARGS)
{
	PineconeDelivery delivery;
	TupleDesc desc;
	Datum values[3];
	bool isnull[3] = {false, false, false};
	int64 most = PG_ARGISNULL(0) ? ROUND_ROWS : PG_GETARG_INT64(0);

	if (most < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be at least 1")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	pinecone_deliver_round(most, 0, &delivery);
	values[0] = Int64GetDatum(delivery.delivered);
	values[1] = Int64GetDatum(delivery.dead);
	values[2] = Int64GetDatum(count_waiting());
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, isnull)));
}

/* ---- Queueing ---- */

static void
check_writable(const PineconeTable *table, bool allowed, const char *option)
{
	if (!allowed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow this write", table->name),
				 errhint("Its option \"%s\", or that of its server, is false.", option)));
}

/* The table of the first argument, which the user must be allowed to write to. */
static PineconeTable *
table_of(FunctionCallInfo fcinfo, AclMode mode)
{
	PineconeTable *table;
	char *name;
	Oid relid;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("foreign_table must not be NULL")));
	relid = PG_GETARG_OID(0);
	/* it may neither change nor go before this transaction ends; a stronger lock cannot be had on a standby */
	LockRelationOid(relid, AccessShareLock);
	name = get_rel_name(relid);
	if (name == NULL || get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE || !pinecone_ours_is(GetFdwRoutineByRelId(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table of Pinecone", name ? name : "(none)")));
	if (pg_class_aclcheck(relid, GetUserId(), mode) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, name);
	table = pinecone_option_table(relid);
	check_writable(table, table->updatable, "updatable");
	return table;
}

static const char *
namespace_of(FunctionCallInfo fcinfo, const PineconeTable *table)
{
	const char *name = PG_ARGISNULL(1) ? table->namespace_ : text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("namespace must not be NULL"),
				 errdetail("Foreign table \"%s\" has a column that tells the namespace.", table->name)));
	name = pinecone_option_plain_namespace(name);
	if (!pinecone_option_namespace_is_valid(name) && name[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no namespace can be called \"%s\"", name)));
	if (!pinecone_option_has_namespace(table, name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("foreign table \"%s\" does not show namespace \"%s\"", table->name, name)));
	return name;
}

static void
set_id(FunctionCallInfo fcinfo, PineconeWrite *write)
{
	char *id;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be NULL")));
	id = text_to_cstring(PG_GETARG_TEXT_PP(2));
	write->record.id = id;
	write->record.idlen = strlen(id);
	if (write->record.idlen == 0 || write->record.idlen > PINECONE_MAX_ID)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("an id has 1 to 512 bytes, not %d", write->record.idlen)));
	for (char *p = id; *p; p++)
	{
		if ((unsigned char) *p > 127)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("an id can contain nothing but ASCII characters")));
	}
}

static void
set_sparse(Jsonb *object, PineconeSparse *sparse)
{
	const char *fault = pinecone_sparse_from_jsonb(object, sparse);

	if (fault == NULL)
		fault = pinecone_sparse_fault(sparse, "the sparse vector", Max(PINECONE_MAX_SPARSE, PINECONE_MAX_DOCUMENT_SPARSE));
	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s", fault)));
}

static void
set_metadata(Jsonb *object, PineconeRecord *record)
{
	PineconeMetadata metadata = {0};
	const char *reason = pinecone_metadata_add_object(&metadata, object);

	if (reason == NULL)
		reason = pinecone_metadata_finish(&metadata, &record->metadata, &record->metadata_len);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot store record \"%s\": %s", record->id, reason)));
}

static void
set_dense(ArrayType *array, PineconeRecord *record)
{
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a vector is an array of one dimension without NULLs")));
	record->nvalues = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	record->values = (float *) ARR_DATA_PTR(array);
	for (int i = 0; i < record->nvalues; i++)
	{
		if (isnan(record->values[i]) || isinf(record->values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("a vector must not have NaN or infinity")));
	}
}

static bool
read_embed(FunctionCallInfo fcinfo, PineconeOutboxEmbed *embed)
{
	if (PG_ARGISNULL(6) && PG_ARGISNULL(7))
		return false;
	if (PG_ARGISNULL(6) || PG_ARGISNULL(7) || PG_ARGISNULL(8) || !PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a text to be embedded needs model, source and input_type, and comes in place of a vector")));
	embed->model = text_to_cstring(PG_GETARG_TEXT_PP(6));
	embed->text = text_to_cstring(PG_GETARG_TEXT_PP(7));
	embed->input_type = text_to_cstring(PG_GETARG_TEXT_PP(8));
	embed->dimension = PG_ARGISNULL(9) ? 0 : PG_GETARG_INT32(9);
	return true;
}

Datum
pinecone_outbox_put(PG_FUNCTION_ARGS)
{
	PineconeTable *table = table_of(fcinfo, ACL_INSERT);
	const char *namespace_ = namespace_of(fcinfo, table);
	PineconeWrite write = {PINECONE_WRITE_UPSERT};
	PineconeOutboxEmbed embed;
	bool embeds = read_embed(fcinfo, &embed);

	set_id(fcinfo, &write);
	if (!PG_ARGISNULL(3))
		set_dense(PG_GETARG_ARRAYTYPE_P(3), &write.record);
	if (!PG_ARGISNULL(4))
		set_sparse(PG_GETARG_JSONB_P(4), &write.record.sparse);
	if (!PG_ARGISNULL(5))
		set_metadata(PG_GETARG_JSONB_P(5), &write.record);
	pinecone_outbox_add(table->relid, GetUserId(), namespace_, &write, embeds ? &embed : NULL);
	PG_RETURN_VOID();
}

Datum
pinecone_outbox_delete(PG_FUNCTION_ARGS)
{
	PineconeTable *table = table_of(fcinfo, ACL_DELETE);
	const char *namespace_ = namespace_of(fcinfo, table);
	PineconeWrite write = {PINECONE_WRITE_DELETE};

	set_id(fcinfo, &write);
	pinecone_outbox_add(table->relid, GetUserId(), namespace_, &write, NULL);
	PG_RETURN_VOID();
}

Datum
pinecone_outbox_delete_all(PG_FUNCTION_ARGS)
{
	PineconeTable *table = table_of(fcinfo, ACL_TRUNCATE);
	PineconeWrite write = {PINECONE_WRITE_DELETE_ALL};

	check_writable(table, table->truncatable, "truncatable");
	pinecone_outbox_add(table->relid, GetUserId(), namespace_of(fcinfo, table), &write, NULL);
	PG_RETURN_VOID();
}

/* ---- Dead letters ---- */

/*
 * Delete dead letters, one or all, that are the user's own, or for who owns the
 * outbox anyone's; and put them back into the queue if they are to be retried.
 */
static int64
take_dead(FunctionCallInfo fcinfo, bool retry)
{
	PineconeOwner owner;
	Oid types[2] = {INT8OID, OIDOID};
	Datum values[2] = {PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0), ObjectIdGetDatum(GetUserId())};
	char nulls[] = "  ";
	bool isnull;
	int64 n;
	char *taken;

	nulls[0] = PG_ARGISNULL(0) ? 'n' : ' ';
	/* a later write of the record may be on its way, which makes this one pointless */
	pinecone_deliver_lock();
	pinecone_owner_begin(&owner, queue());
	taken = psprintf("WITH taken AS (DELETE FROM %s d WHERE ($1 IS NULL OR d.seq = $1)"
					 " AND (pg_catalog.pg_has_role($2, d.writer::oid, 'USAGE') OR pg_catalog.pg_has_role($2,"
					 " (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = %u), 'USAGE')) RETURNING *)",
					 name_of("pinecone_outbox_dead"), queue());
	if (retry)
		taken = psprintf("%s, queued AS (INSERT INTO %s SELECT seq, foreign_table, writer, namespace, kind, id, dense,"
						 " sparse_indices, sparse_values, metadata, extra, queued_at FROM taken)",
						 taken, name_of("pinecone_outbox"));
	execute(psprintf("%s SELECT pg_catalog.count(*) FROM taken", taken), 2, types, values, nulls);
	n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	pinecone_owner_end(&owner);
	if (retry && n > 0)
		pinecone_outbox_set_written();
	return n;
}

Datum
pinecone_outbox_retry(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(take_dead(fcinfo, true));
}

Datum
pinecone_outbox_drop(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(take_dead(fcinfo, false));
}
