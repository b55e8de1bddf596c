/*
 * huf_rows.c
 *		The aggregate state that keeps all rows, each a few doubles.
 *
 * Some statistics need every value at the end: they sort, or their totals are
 * known only then.  Such states merge by concatenation, and since a moving
 * frame drops rows in the order in which they came, they have an inverse too.
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "huf_rows.h"

PG_FUNCTION_INFO_V1(pinecone_huf_rows_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_remove);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_remove_pair);
PG_FUNCTION_INFO_V1(pinecone_huf_rows_remove_sample);

#define ROWS_VERSION 1

/* Before the values in a serialized state: all of it eight-byte words */
typedef struct RowsHeader
{
	uint64 version;
	uint64 kind;
	uint64 width;
	uint64 n;
	uint64 param[HUF_MAX_PARAMS];
} RowsHeader;

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

	if (rows->head + needed <= rows->capacity)
		return;
	if (rows->head >= needed)
	{
		/* more than half of the queue has been taken: move down instead */
		memmove(rows->value, rows->value + rows->head * rows->width,
				sizeof(double) * rows->n * rows->width);
		rows->head = 0;
		return;
	}
	needed += rows->head;
	rows->capacity = Max(Max(8, needed), rows->capacity * 2);
	if (rows->value == NULL)
		rows->value = pinecone_huf_alloc_large(rows->context, sizeof(double) * rows->capacity * rows->width);
	else
		rows->value = pinecone_huf_realloc_large(rows->value, sizeof(double) * rows->capacity * rows->width);
}

/* Add a row and return where its values go. */
double *
pinecone_huf_rows_append(HufRows *rows)
{
	if (unlikely(rows->head + rows->n == rows->capacity))
		reserve(rows, 1);
	return rows->value + (rows->head + rows->n++) * rows->width;
}

/* The state in a transition or final function's argument, or NULL. */
HufRows *
pinecone_huf_rows_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : (HufRows *) PG_GETARG_POINTER(arg);
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
	double *copy = pinecone_huf_alloc_large(CurrentMemoryContext, sizeof(double) * Max(rows->n, 1));

	if (rows->width == 1)
		memcpy(copy, huf_row(rows, 0), sizeof(double) * rows->n);
	else
		for (int64 i = 0; i < rows->n; i++)
			copy[i] = huf_row(rows, i)[column];
	return copy;
}

static uint64
double_bits(double x)
{
	uint64 bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static double
bits_double(uint64 bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/*
 * Append all rows of another state.  A state that came from another process
 * is still packed, which saves a copy of it.
 */
static void
append_rows(HufRows *rows, const HufRows *other)
{
	int64 count = other->n * other->width;
	double *to;

	reserve(rows, other->n);
	to = rows->value + (rows->head + rows->n) * rows->width;
	if (other->packed == NULL)
		memcpy(to, huf_row(other, 0), sizeof(double) * count);
	else
		for (int64 i = 0; i < count; i++)
		{
			uint64 word;

			memcpy(&word, other->packed + sizeof(word) * i, sizeof(word));
			to[i] = bits_double(pg_ntoh64(word));
		}
	rows->n += other->n;
}

Datum
pinecone_huf_rows_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	HufRows *other = pinecone_huf_rows_arg(fcinfo, 1);

	if (other != NULL)
	{
		if (rows == NULL)
			rows = pinecone_huf_rows_create(context, other->width, &other->params);
		pinecone_huf_check_params(&rows->params, &other->params);
		if (rows->width != other->width)
			pinecone_huf_dim_mismatch(rows->width - 1, other->width - 1);
		if (other->n > 0)
			append_rows(rows, other);
	}
	if (rows == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(rows);
}

/* The state as bytes, in network byte order. */
Datum
pinecone_huf_rows_serialize(PG_FUNCTION_ARGS)
{
	HufRows *rows = (HufRows *) PG_GETARG_POINTER(0);
	int64 count = rows->n * rows->width;
	Size size = VARHDRSZ + sizeof(RowsHeader) + sizeof(double) * count;
	bytea *bytes;
	RowsHeader header;
	char *out;

	pinecone_huf_aggregate_context(fcinfo);
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("aggregate state of %lld rows is too large to pass between processes",
						(long long) rows->n),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
	bytes = pinecone_huf_alloc_large(CurrentMemoryContext, size);
	SET_VARSIZE(bytes, size);
	header.version = pg_hton64(ROWS_VERSION);
	header.kind = pg_hton64((uint64) rows->params.kind);
	header.width = pg_hton64((uint64) rows->width);
	header.n = pg_hton64((uint64) rows->n);
	for (int i = 0; i < HUF_MAX_PARAMS; i++)
		header.param[i] = pg_hton64(double_bits(rows->params.value[i]));
	out = VARDATA(bytes);
	memcpy(out, &header, sizeof(header));
	out += sizeof(header);
	for (int64 i = 0; i < count; i++, out += sizeof(uint64))
	{
		uint64 word = pg_hton64(double_bits(huf_row(rows, 0)[i]));

		memcpy(out, &word, sizeof(word));
	}
	PG_RETURN_BYTEA_P(bytes);
}

Datum
pinecone_huf_rows_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	const char *in = VARDATA_ANY(bytes);
	Size size = VARSIZE_ANY_EXHDR(bytes);
	RowsHeader header;
	HufParams params;
	HufRows *rows;

	if (size < sizeof(header))
		elog(ERROR, "aggregate state is too short");
	memcpy(&header, in, sizeof(header));
	if (pg_ntoh64(header.version) != ROWS_VERSION)
		elog(ERROR, "unexpected version of an aggregate state");
	params.kind = pg_ntoh64(header.kind);
	for (int i = 0; i < HUF_MAX_PARAMS; i++)
		params.value[i] = bits_double(pg_ntoh64(header.param[i]));
	rows = pinecone_huf_rows_create(CurrentMemoryContext, pg_ntoh64(header.width), &params);
	rows->n = pg_ntoh64(header.n);
	if (size - sizeof(header) != sizeof(double) * rows->width * rows->n)
		elog(ERROR, "aggregate state has an unexpected size");
	/* the combine function, which is next, reads the rows from there */
	rows->packed = in + sizeof(header);
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
