/*
 * outbox_table.c
 *		The tables of the outbox, and their rows as writes.
 *
 * All that a row has is readable text and numbers, so that a dump can be restored
 * elsewhere.  Tables and users are told by regclass and regrole, which pg_dump
 * writes as names and pg_upgrade keeps.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "pending/outbox_table.h"
#include "value/json_text.h"

/* ---- Where the tables are ---- */

Oid
pinecone_outbox_extension(bool missing_ok)
{
	return get_extension_oid("pinecone_fdw", missing_ok);
}

Oid
pinecone_outbox_relation(const char *name, bool missing_ok)
{
	Oid extension = pinecone_outbox_extension(true);
	Oid relid = OidIsValid(extension) ? get_relname_relid(name, pinecone_extension_schema(extension)) : InvalidOid;

	if (!OidIsValid(relid) && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table \"%s\" of extension \"pinecone_fdw\"", name),
				 errhint("Create the extension in this database, or update it.")));
	return relid;
}

Oid
pinecone_outbox_server(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(relid));
	Oid serverid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	serverid = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftserver;
	ReleaseSysCache(tuple);
	return serverid;
}

/* ---- A write as a row ---- */

static char
kind_letter(PineconeWriteKind kind)
{
	switch (kind)
	{
		case PINECONE_WRITE_UPSERT:
			return 'u';
		case PINECONE_WRITE_UPDATE:
			return 'p';
		case PINECONE_WRITE_DELETE:
			return 'd';
		case PINECONE_WRITE_DELETE_ALL:
			return 'a';
		default:
			elog(ERROR, "a write of kind %d cannot wait in the outbox", (int) kind);
	}
}

/* False where it stands for none. */
static bool
kind_of_letter(char letter, PineconeWriteKind *kind)
{
	switch (letter)
	{
		case 'u':
			*kind = PINECONE_WRITE_UPSERT;
			return true;
		case 'p':
			*kind = PINECONE_WRITE_UPDATE;
			return true;
		case 'd':
			*kind = PINECONE_WRITE_DELETE;
			return true;
		case 'a':
			*kind = PINECONE_WRITE_DELETE_ALL;
			return true;
		default:
			return false;
	}
}

/* An array of n fixed-width values without NULLs, in one piece. */
static Datum
array_of(const void *values, int n, int width, Oid type)
{
	Size size = ARR_OVERHEAD_NONULLS(1) + (Size) n * width;
	ArrayType *array = palloc0(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = type;
	ARR_DIMS(array)
	[0] = n;
	ARR_LBOUND(array)
	[0] = 1;
	memcpy(ARR_DATA_PTR(array), values, (Size) n * width);
	return PointerGetDatum(array);
}

static Datum
text_of_utf8(char *json, int len)
{
	return CStringGetTextDatum(pinecone_json_to_server(pnstrdup(json, len), len));
}

static void
add_member(StringInfo buf, const char *name, const char *text)
{
	if (text == NULL)
		return;
	appendStringInfo(buf, "%s\"%s\":", buf->len > 1 ? "," : "", name);
	escape_json(buf, text);
}

/* What few writes have, or NULL. */
static char *
extra_of(const PineconeOutboxRow *row)
{
	const PineconeWrite *write = &row->write;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	if (write->removed)
		add_member(&buf, "removed", pinecone_json_to_server(pstrdup(write->removed), strlen(write->removed)));
	if (write->documents)
		add_member(&buf, "documents", "");
	if (write->drop_values)
		add_member(&buf, "drop_values", "");
	if (write->drop_sparse)
		add_member(&buf, "drop_sparse", "");
	if (row->has_embed)
	{
		add_member(&buf, "model", row->embed.model);
		add_member(&buf, "text", row->embed.text);
		add_member(&buf, "input_type", row->embed.input_type);
		add_member(&buf, "dimension", psprintf("%d", row->embed.dimension));
	}
	appendStringInfoChar(&buf, '}');
	return buf.len > 2 ? buf.data : NULL;
}

/* A row of the queue: what the write lacks is NULL. */
HeapTuple
pinecone_outbox_form(TupleDesc desc, const PineconeOutboxRow *row)
{
	Datum values[PINECONE_OUTBOX_COLUMNS] = {0};
	bool isnull[PINECONE_OUTBOX_COLUMNS] = {0};
	const PineconeRecord *record = &row->write.record;
	char *extra = extra_of(row);

#define SET(column, wanted, value) \
	do \
	{ \
		isnull[(column) -1] = !(wanted); \
		if (wanted) \
			values[(column) -1] = (value); \
	} \
	while (0)

	SET(PINECONE_OUTBOX_SEQ, true, Int64GetDatum(row->seq));
	SET(PINECONE_OUTBOX_TABLE, true, ObjectIdGetDatum(row->relid));
	SET(PINECONE_OUTBOX_WRITER, true, ObjectIdGetDatum(row->userid));
	SET(PINECONE_OUTBOX_NAMESPACE, true, CStringGetTextDatum(row->namespace_));
	SET(PINECONE_OUTBOX_KIND, true, CharGetDatum(kind_letter(row->write.kind)));
	SET(PINECONE_OUTBOX_ID, record->id != NULL, CStringGetTextDatum(record->id));
	SET(PINECONE_OUTBOX_DENSE, record->nvalues > 0,
		array_of(record->values, record->nvalues, sizeof(float), FLOAT4OID));
	SET(PINECONE_OUTBOX_SPARSE_INDICES, record->sparse.n > 0, (Datum) 0);
	SET(PINECONE_OUTBOX_SPARSE_VALUES, record->sparse.n > 0,
		array_of(record->sparse.values, record->sparse.n, sizeof(float), FLOAT4OID));
	SET(PINECONE_OUTBOX_METADATA, record->metadata != NULL,
		text_of_utf8(record->metadata, record->metadata_len));
	SET(PINECONE_OUTBOX_EXTRA, extra != NULL, DirectFunctionCall1(jsonb_in, CStringGetDatum(extra)));
	SET(PINECONE_OUTBOX_QUEUED_AT, true, TimestampTzGetDatum(row->queued_at));
#undef SET
	if (record->sparse.n > 0)
	{
		/* an index goes to 2^32 - 1 */
		int64 *indices = palloc(record->sparse.n * sizeof(int64));

		for (int i = 0; i < record->sparse.n; i++)
			indices[i] = record->sparse.indices[i];
		values[PINECONE_OUTBOX_SPARSE_INDICES - 1] = array_of(indices, record->sparse.n, sizeof(int64), INT8OID);
	}
	return heap_form_tuple(desc, values, isnull);
}

/* ---- And back ---- */

static bool
read_dense(PineconeRecord *record, Datum values)
{
	ArrayType *array = DatumGetArrayTypeP(values);

	record->nvalues = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	record->values = (float *) ARR_DATA_PTR(array);
	return !ARR_HASNULL(array);
}

static bool
read_sparse(PineconeSparse *sparse, Datum indices, Datum values)
{
	ArrayType *numbers = DatumGetArrayTypeP(indices);
	ArrayType *floats = DatumGetArrayTypeP(values);
	int64 *wide = (int64 *) ARR_DATA_PTR(numbers);
	int n = ArrayGetNItems(ARR_NDIM(floats), ARR_DIMS(floats));

	if (ArrayGetNItems(ARR_NDIM(numbers), ARR_DIMS(numbers)) != n || ARR_HASNULL(numbers) || ARR_HASNULL(floats))
		return false;
	sparse->n = n;
	sparse->values = (float *) ARR_DATA_PTR(floats);
	sparse->indices = palloc(Max(n, 1) * sizeof(uint32));
	for (int i = 0; i < n; i++)
	{
		if (wide[i] < 0 || wide[i] > PG_UINT32_MAX)
			return false;
		sparse->indices[i] = (uint32) wide[i];
	}
	return true;
}

static bool
read_metadata(PineconeRecord *record, char *text)
{
	if (text[strspn(text, " \t\r\n")] != '{' || !pinecone_json_text_is_valid(text, strlen(text), false))
		return false;
	record->metadata = pinecone_json_from_server(text);
	record->metadata_len = strlen(record->metadata);
	return true;
}

/* A member of an object as text, or NULL. */
static char *
member_of(Jsonb *object, const char *name)
{
	JsonbValue key = {.type = jbvString};
	JsonbValue *value;

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	value = findJsonbValueFromContainer(&object->root, JB_FOBJECT, &key);
	return value != NULL && value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : NULL;
}

static bool
read_extra(PineconeOutboxRow *row, Jsonb *extra)
{
	PineconeWrite *write = &row->write;
	char *removed = member_of(extra, "removed");
	char *dimension = member_of(extra, "dimension");

	write->removed = removed ? pinecone_json_from_server(removed) : NULL;
	write->documents = member_of(extra, "documents") != NULL;
	write->drop_values = member_of(extra, "drop_values") != NULL;
	write->drop_sparse = member_of(extra, "drop_sparse") != NULL;
	row->embed.model = member_of(extra, "model");
	row->embed.text = member_of(extra, "text");
	row->embed.input_type = member_of(extra, "input_type");
	row->embed.dimension = dimension ? atoi(dimension) : 0;
	row->has_embed = row->embed.model != NULL && row->embed.text != NULL && row->embed.input_type != NULL;
	return JB_ROOT_IS_OBJECT(extra) && (dimension == NULL || strspn(dimension, "0123456789") == strlen(dimension));
}

/* Reads what a row says of its write; says why not, if it makes no sense. */
static const char *
read_write(PineconeOutboxRow *row, const Datum *values, const bool *isnull)
{
	PineconeRecord *record = &row->write.record;

#define VALUE(column) values[(column) -1]
#define HAS(column) (!isnull[(column) -1])

	if (!kind_of_letter(DatumGetChar(VALUE(PINECONE_OUTBOX_KIND)), &row->write.kind))
		return "its kind is none";
	if (strlen(row->namespace_) > PINECONE_MAX_NAMESPACE)
		return "no namespace has its name";
	if (HAS(PINECONE_OUTBOX_ID))
	{
		record->id = TextDatumGetCString(VALUE(PINECONE_OUTBOX_ID));
		record->idlen = strlen(record->id);
		if (record->idlen == 0 || record->idlen > PINECONE_MAX_ID)
			return "no record can have its id";
	}
	else if (pinecone_write_has_id(row->write.kind))
		return "it has no id";
	if (HAS(PINECONE_OUTBOX_DENSE) && !read_dense(record, VALUE(PINECONE_OUTBOX_DENSE)))
		return "its vector has a NULL";
	if (HAS(PINECONE_OUTBOX_SPARSE_INDICES) != HAS(PINECONE_OUTBOX_SPARSE_VALUES) ||
		(HAS(PINECONE_OUTBOX_SPARSE_INDICES) &&
		 !read_sparse(&record->sparse, VALUE(PINECONE_OUTBOX_SPARSE_INDICES), VALUE(PINECONE_OUTBOX_SPARSE_VALUES))))
		return "its sparse vector is none";
	if (HAS(PINECONE_OUTBOX_METADATA) && !read_metadata(record, TextDatumGetCString(VALUE(PINECONE_OUTBOX_METADATA))))
		return "its metadata is no JSON object";
	if (HAS(PINECONE_OUTBOX_EXTRA) && !read_extra(row, DatumGetJsonbP(VALUE(PINECONE_OUTBOX_EXTRA))))
		return "what it has as \"extra\" makes no sense";
	return NULL;
}

void
pinecone_outbox_deform(TupleDesc desc, HeapTuple tuple, PineconeOutboxRow *row)
{
	Datum values[PINECONE_OUTBOX_DEAD_COLUMNS];
	bool isnull[PINECONE_OUTBOX_DEAD_COLUMNS];

	memset(row, 0, sizeof(*row));
	heap_deform_tuple(tuple, desc, values, isnull);
	row->seq = DatumGetInt64(VALUE(PINECONE_OUTBOX_SEQ));
	row->relid = DatumGetObjectId(VALUE(PINECONE_OUTBOX_TABLE));
	row->userid = DatumGetObjectId(VALUE(PINECONE_OUTBOX_WRITER));
	row->namespace_ = TextDatumGetCString(VALUE(PINECONE_OUTBOX_NAMESPACE));
	row->queued_at = DatumGetTimestampTz(VALUE(PINECONE_OUTBOX_QUEUED_AT));
	row->unreadable = read_write(row, values, isnull);
#undef VALUE
#undef HAS
}

/* ---- Inserting ---- */

/* What an index has of a row that is in the table. */
static void
insert_into_index(Relation rel, Relation index, TupleTableSlot *slot)
{
	IndexInfo *info = BuildIndexInfo(index);
	Datum values[INDEX_MAX_KEYS];
	bool isnull[INDEX_MAX_KEYS];

	if (info->ii_Expressions != NIL || info->ii_Predicate != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" of table \"%s\" has an expression or a condition",
						RelationGetRelationName(index), RelationGetRelationName(rel)),
				 errhint("Drop the index.")));
	FormIndexDatum(info, slot, NULL, values, isnull);
	(void) index_insert(index, values, isnull, &slot->tts_tid, rel,
						index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
}

void
pinecone_outbox_insert(Relation rel, HeapTuple tuple)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	bool snapshot = !ActiveSnapshotSet();
	ListCell *lc;

	/* values that are stored apart ask for one */
	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	heap_insert(rel, tuple, GetCurrentCommandId(true), 0, NULL);
	ExecStoreHeapTuple(tuple, slot, false);
	foreach(lc, RelationGetIndexList(rel))
	{
		Relation index = index_open(lfirst_oid(lc), RowExclusiveLock);

		insert_into_index(rel, index, slot);
		index_close(index, RowExclusiveLock);
	}
	ExecDropSingleTupleTableSlot(slot);
	if (snapshot)
		PopActiveSnapshot();
}
