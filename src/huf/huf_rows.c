/*
 * huf_rows.c
 *		The aggregate state that keeps all rows, each a few doubles.
 *
 * Some statistics need every value at the end: they sort, or their totals are
 * known only then.  Such states merge by concatenation, and since a moving
 * frame drops rows in the order in which they came, they have an inverse too.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/parallel.h"
#include "executor/nodeAgg.h"
#include "nodes/execnodes.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#include "huf/huf_rows.h"

PG_FUNCTION_INFO_V1(pinecone_huf_rows_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_remove);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_remove_pair);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_remove_sample);

#define ROWS_VERSION 2

/* Before the values in a serialized state: all of it eight-byte words */
typedef struct RowsHeader
{
	uint64 version;
	uint64 kind;
	uint64 width;
	uint64 n;
	uint64 bytes; /* of a value: 8, or 4 where all of them fit */
	double param[HUF_MAX_PARAMS];
} RowsHeader;

/*
 * Values are kept behind room for what goes before them in a serialized
 * state: from its length word on, such a block is one, and is not copied to
 * become one.  States pass between processes of one server, so numbers are as
 * the machine has them.
 */
typedef struct RowsBlock
{
	int32 unused; /* the header is aligned, hence its length word is not at the start */
	int32 vl_len_;
	RowsHeader header;
	double value[FLEXIBLE_ARRAY_MEMBER];
} RowsBlock;

#define BLOCK_OF(rows) ((RowsBlock *) ((char *) (rows)->value - offsetof(RowsBlock, value)))
#define BLOCK_SIZE(rows) (offsetof(RowsBlock, value) + sizeof(double) * (rows)->capacity * (rows)->width)

/* A copy of fewer bytes than this costs too little to be avoided. */
#define MANY_BYTES (128 * 1024)

/* What a tuple may hold beside large states */
#define TUPLE_RESERVE (1024 * 1024)

HufRows *
pinecone_huf_rows_create(MemoryContext context, int width, const HufParams *params)
{
	HufRows *rows = MemoryContextAllocZero(context, sizeof(HufRows));

	rows->params = *params;
	rows->width = width;
	rows->context = context;
	return rows;
}

/* Make room for more rows at the end. */
static void
reserve(HufRows *rows, int64 more)
{
	int64 needed = rows->n + more;
	RowsBlock *block;

	if (rows->head + needed <= rows->capacity)
		return;
	if (rows->head >= needed)
	{
		Assert(rows->value != NULL);
		/* more than half of the queue has been taken: move down instead */
		memmove(rows->value, rows->value + rows->head * rows->width,
				sizeof(double) * rows->n * rows->width);
		rows->head = 0;
		return;
	}
	needed += rows->head;
	rows->capacity = Max(Max(8, needed), rows->capacity * 2);
	if (rows->value == NULL)
		block = pinecone_huf_alloc_large(rows->context, BLOCK_SIZE(rows));
	else
		block = pinecone_huf_realloc_large(BLOCK_OF(rows), BLOCK_SIZE(rows));
	rows->value = block->value;
}

/* Add a row and return where its values go. */
double *
pinecone_huf_rows_append(HufRows *rows)
{
	if (unlikely(rows->head + rows->n == rows->capacity))
		reserve(rows, 1);
	return rows->value + (rows->head + rows->n++) * rows->width;
}

/* How many rows there are, those of other states among them. */
int64
pinecone_huf_rows_count(const HufRows *rows)
{
	int64 n = rows->n;

	for (const HufPart *lent = rows->lent; lent != NULL; lent = lent->next)
		n += lent->n;
	return n;
}

/* Copy the rows of other states, so that all are in one array. */
static void
gather(HufRows *rows)
{
	reserve(rows, pinecone_huf_rows_count(rows) - rows->n);
	for (const HufPart *lent = rows->lent; lent != NULL; lent = lent->next)
	{
		memcpy(rows->value + (rows->head + rows->n) * rows->width, lent->value,
			   sizeof(double) * lent->n * rows->width);
		rows->n += lent->n;
	}
	rows->lent = NULL;
}

/* The state in an argument, or NULL, where some rows may be those of other states. */
HufRows *
pinecone_huf_rows_arg_apart(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : (HufRows *) PG_GETARG_POINTER(arg);
}

/* The state in a transition or final function's argument, or NULL. */
HufRows *
pinecone_huf_rows_arg(FunctionCallInfo fcinfo, int arg)
{
	HufRows *rows = pinecone_huf_rows_arg_apart(fcinfo, arg);

	if (rows != NULL && rows->lent != NULL)
		gather(rows);
	return rows;
}

/*
 * The state for a transition function, made for the first row.  Parameters are
 * checked on every row, also on those that are skipped.
 */
HufRows *
pinecone_huf_rows_prepare(FunctionCallInfo fcinfo, int width, const HufParams *params)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);

	if (rows == NULL)
		return pinecone_huf_rows_create(pinecone_huf_aggregate_context(fcinfo), width, params);
	pinecone_huf_check_params(&rows->params, params);
	return rows;
}

/* A copy of one column, for a final function to scale and sort. */
double *
pinecone_huf_rows_column(const HufRows *rows, int column)
{
	int64 n = pinecone_huf_rows_count(rows);
	double *copy = pinecone_huf_alloc_large(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	double *to = copy;
	HufPart own = huf_rows_parts(rows);

	for (const HufPart *part = &own; part != NULL; part = part->next)
	{
		if (rows->width == 1 && part->n > 0)
			memcpy(to, part->value, sizeof(double) * part->n);
		else
			for (int64 i = 0; i < part->n; i++)
				to[i] = part->value[i * rows->width + column];
		to += part->n;
	}
	return copy;
}

/*
 * Append all rows of a state that came from a serialization function.  Rows
 * that last are not copied.
 */
static void
append_packed(HufRows *rows, const HufRows *other)
{
	double *to;

	if (other->n == 0)
		return;
	if (other->lasting)
	{
		HufPart *lent = MemoryContextAlloc(rows->context, sizeof(HufPart));

		/* those are a block's, and aligned */
		lent->value = (const double *) other->packed;
		lent->n = other->n;
		lent->next = rows->lent;
		rows->lent = lent;
		return;
	}
	reserve(rows, other->n);
	to = rows->value + (rows->head + rows->n) * rows->width;
	if (!other->narrow)
		memcpy(to, other->packed, sizeof(double) * other->n * other->width);
	else
		for (int64 i = 0; i < other->n * other->width; i++)
		{
			float single;

			memcpy(&single, other->packed + sizeof(single) * i, sizeof(single));
			to[i] = single;
		}
	rows->n += other->n;
}

Datum
pinecone_huf_rows_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	HufRows *rows = pinecone_huf_rows_arg_apart(fcinfo, 0);
	HufRows *other = pinecone_huf_rows_arg_apart(fcinfo, 1);

	if (other != NULL)
	{
		if (rows == NULL)
			rows = pinecone_huf_rows_create(context, other->width, &other->params);
		pinecone_huf_check_params(&rows->params, &other->params);
		if (rows->width != other->width)
			pinecone_huf_dim_mismatch(rows->width - 1, other->width - 1);
		/* what is combined has been passed between processes, or could have been */
		if (other->packed == NULL)
			elog(ERROR, "aggregate state has not been serialized");
		append_packed(rows, other);
	}
	if (rows == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(rows);
}

/*
 * A serialized state that was not copied: an expanded object, which is written
 * out where a tuple is formed, for the queue between two processes say.
 */
typedef struct RowsObject
{
	ExpandedObjectHeader header;
	const struct varlena *flat;
	int64 count; /* values */
	bool narrow; /* to be written as single precision */
} RowsObject;

static Size
object_size(ExpandedObjectHeader *header)
{
	RowsObject *object = (RowsObject *) header;

	return VARSIZE(object->flat) - (object->narrow ? (sizeof(double) - sizeof(float)) * object->count : 0);
}

static void
object_flatten(ExpandedObjectHeader *header, void *result, Size size)
{
	RowsObject *object = (RowsObject *) header;
	RowsHeader narrow;
	const double *value;
	char *out = result;

	if (!object->narrow)
	{
		memcpy(result, object->flat, size);
		return;
	}
	memcpy(&narrow, VARDATA(object->flat), sizeof(narrow));
	narrow.bytes = sizeof(float);
	value = (const double *) (VARDATA(object->flat) + sizeof(narrow));
	SET_VARSIZE(out, size);
	memcpy(VARDATA(out), &narrow, sizeof(narrow));
	out = VARDATA(out) + sizeof(narrow);
	for (int64 i = 0; i < object->count; i++)
	{
		float single = (float) value[i];

		memcpy(out + sizeof(single) * i, &single, sizeof(single));
	}
}

static const ExpandedObjectMethods object_methods = {object_size, object_flatten};

/* Does single precision hold all values?  Integers and scores of type real do. */
static bool
all_single(const double *value, int64 count)
{
	int64 i = 0;

	while (i < count && (double) (float) value[i] == value[i])
		i++;
	return i == count;
}

static Datum
object_datum(const struct varlena *flat, const double *value, int64 count)
{
	RowsObject *object = palloc(sizeof(RowsObject));
	void *pointer = palloc(EXPANDED_POINTER_SIZE);

	EOH_init_header(&object->header, &object_methods, CurrentMemoryContext);
	object->flat = flat;
	object->count = count;
	object->narrow = all_single(value, count);
	/* before PostgreSQL 16, what is not a chunk of the current context would be copied */
	memcpy(pointer, DatumGetPointer(EOHPGetRODatum(&object->header)), EXPANDED_POINTER_SIZE);
	return PointerGetDatum(pointer);
}

/*
 * Will the rows outlast the tuple that the serialized state is in?
 *
 * They do in a process that takes part in the work of its own parallel
 * workers, if there are no groups: what reads the tuple is in the same
 * process, and the state goes when the plan ends or starts again.
 */
static bool
rows_last(FunctionCallInfo fcinfo)
{
	AggState *agg;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, AggState))
		return false;
	agg = (AggState *) fcinfo->context;
	return !IsParallelWorker() && agg->ss.ps.state->es_query_dsa != NULL && agg->aggstrategy == AGG_PLAIN;
}

static Datum
indirect_datum(struct varlena *flat)
{
	struct varlena *pointer = palloc(INDIRECT_POINTER_SIZE);
	varatt_indirect indirect = {flat};

	SET_VARTAG_EXTERNAL(pointer, VARTAG_INDIRECT);
	memcpy(VARDATA_EXTERNAL(pointer), &indirect, sizeof(indirect));
	return PointerGetDatum(pointer);
}

/*
 * Refuse a state that is too large for a tuple, which holds all states of a
 * group and like any value in memory is limited to 1 GB.
 */
static void
check_size(FunctionCallInfo fcinfo, int64 n, Size size)
{
	int states = 1;

	if (fcinfo->context != NULL && IsA(fcinfo->context, AggState))
	{
		AggState *agg = (AggState *) fcinfo->context;

		states = 0;
		for (int i = 0; i < agg->numaggs; i++)
			states += agg->pertrans[agg->peragg[i].transno].serialfn_oid == fcinfo->flinfo->fn_oid;
	}
	if (size > (MaxAllocSize - TUPLE_RESERVE) / Max(states, 1))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("aggregate state of %lld rows is too large to pass between processes", (long long) n),
				 errhint("Set max_parallel_workers_per_gather to 0 and enable_partitionwise_aggregate to off for this query.")));
}

/* The state as bytes, which stay where they are. */
Datum
pinecone_huf_rows_serialize(PG_FUNCTION_ARGS)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	Size size = VARHDRSZ + sizeof(RowsHeader) + sizeof(double) * rows->n * rows->width;
	struct varlena *flat;
	RowsBlock *block;

	pinecone_huf_aggregate_context(fcinfo);
	check_size(fcinfo, rows->n, size);
	if (rows->value == NULL)
		reserve(rows, 1);
	Assert(rows->head == 0);
	block = BLOCK_OF(rows);
	block->header.version = ROWS_VERSION;
	block->header.kind = rows->params.kind;
	block->header.width = rows->width;
	block->header.n = rows->n;
	block->header.bytes = sizeof(double);
	memcpy(block->header.param, rows->params.value, sizeof(block->header.param));
	flat = (struct varlena *) &block->vl_len_;
	SET_VARSIZE(flat, size);
	if (size >= MANY_BYTES && rows_last(fcinfo))
		return indirect_datum(flat);
	return object_datum(flat, rows->value, rows->n * rows->width);
}

/* The bytes of a serialized state; *lasting says whether they outlast the call. */
static const struct varlena *
serialized_bytes(FunctionCallInfo fcinfo, bool *lasting)
{
	struct varlena *raw = (struct varlena *) PG_GETARG_POINTER(0);

	*lasting = VARATT_IS_EXTERNAL_INDIRECT(raw);
	if (*lasting)
	{
		varatt_indirect indirect;

		VARATT_EXTERNAL_GET_POINTER(indirect, raw);
		return indirect.pointer;
	}
	if (VARATT_IS_EXTERNAL_EXPANDED(raw))
	{
		ExpandedObjectHeader *object = DatumGetEOHP(PointerGetDatum(raw));

		if (object->eoh_methods == &object_methods)
			return ((RowsObject *) object)->flat;
	}
	return PG_GETARG_BYTEA_PP(0);
}

Datum
pinecone_huf_rows_deserialize(PG_FUNCTION_ARGS)
{
	bool lasting;
	const struct varlena *bytes = serialized_bytes(fcinfo, &lasting);
	const char *in = VARDATA_ANY(bytes);
	Size size = VARSIZE_ANY_EXHDR(bytes);
	RowsHeader header;
	HufParams params;
	HufRows *rows;

	if (size < sizeof(header))
		elog(ERROR, "aggregate state is too short");
	memcpy(&header, in, sizeof(header));
	if (header.version != ROWS_VERSION)
		elog(ERROR, "unexpected version of an aggregate state");
	params.kind = header.kind;
	memcpy(params.value, header.param, sizeof(params.value));
	rows = pinecone_huf_rows_create(CurrentMemoryContext, header.width, &params);
	rows->n = header.n;
	rows->narrow = header.bytes == sizeof(float);
	if (size - sizeof(header) != header.bytes * rows->width * rows->n)
		elog(ERROR, "aggregate state has an unexpected size");
	/* the combine function, which is next, reads the rows from there */
	rows->packed = in + sizeof(header);
	rows->lasting = lasting;
	PG_RETURN_POINTER(rows);
}

static Datum
remove_first(FunctionCallInfo fcinfo, bool skipped)
{
	HufRows *rows = (HufRows *) PG_GETARG_POINTER(0);

	pinecone_huf_aggregate_context(fcinfo);
	if (!skipped)
	{
		Assert(rows->n > 0);
		rows->head++;
		rows->n--;
	}
	PG_RETURN_POINTER(rows);
}

/* Inverse transition where a row counts if its value is not NULL. */
Datum
pinecone_huf_rows_remove(PG_FUNCTION_ARGS)
{
	return remove_first(fcinfo, PG_ARGISNULL(1));
}

/* Inverse transition where a row counts if either value is not NULL. */
Datum
pinecone_huf_rows_remove_pair(PG_FUNCTION_ARGS)
{
	return remove_first(fcinfo, PG_ARGISNULL(1) && PG_ARGISNULL(2));
}

/* Inverse transition where a row counts if both values are not NULL. */
Datum
pinecone_huf_rows_remove_sample(PG_FUNCTION_ARGS)
{
	return remove_first(fcinfo, PG_ARGISNULL(1) || PG_ARGISNULL(2));
}
