/*
 * huf_histogram.c
 *		Aggregates over counts in fixed bins: they need little memory however
 *		many rows there are, merge exactly and can take rows back exactly.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "libpq/pqformat.h"

#include "huf/huf_common.h"
#include "huf/huf_drift.h"

PG_FUNCTION_INFO_V1(pinecone_huf_histogram_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_histogram_remove);
PG_FUNCTION_INFO_V1(pinecone_huf_psi_binned_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_psi_binned_remove);
PG_FUNCTION_INFO_V1(pinecone_huf_bins_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_bins_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_bins_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_histogram);
PG_FUNCTION_INFO_V1(pinecone_huf_histogram_merge);
PG_FUNCTION_INFO_V1(pinecone_huf_psi_binned);

#define BINS_VERSION 1
#define DEFAULT_EPS 1e-6
#define MAX_EDGES 100000

/* Counts of one or two samples between edges */
typedef struct Bins
{
	double eps;
	int nedges;
	double *edge;	 /* ascending */
	int64 *count[2]; /* nedges + 1 each: earlier, later */
	int64 bad[2];	 /* values that are NaN or infinite */
} Bins;

static Bins *
new_bins(MemoryContext context, const double *edge, int nedges, double eps)
{
	Bins *bins = MemoryContextAllocZero(context, sizeof(Bins));

	bins->eps = eps;
	bins->nedges = nedges;
	bins->edge = MemoryContextAlloc(context, sizeof(double) * nedges);
	memcpy(bins->edge, edge, sizeof(double) * nedges);
	for (int side = 0; side < 2; side++)
		bins->count[side] = MemoryContextAllocZero(context, sizeof(int64) * (nedges + 1));
	return bins;
}

static void
check_edges(ArrayType *array)
{
	const double *edge = (const double *) ARR_DATA_PTR(array);
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array) || n > MAX_EDGES)
		pinecone_huf_bad_param("edges must be a list of 1 to %d numbers", MAX_EDGES);
	for (int i = 0; i < n; i++)
		if (!isfinite(edge[i]) || (i > 0 && !(edge[i - 1] < edge[i])))
			pinecone_huf_bad_param("edges must be finite and strictly increasing");
}

/* The state of a transition function; edges and eps as on the first row. */
static Bins *
prepare(FunctionCallInfo fcinfo, int edges_arg)
{
	Bins *bins = PG_ARGISNULL(0) ? NULL : (Bins *) PG_GETARG_POINTER(0);
	double eps = DEFAULT_EPS;
	ArrayType *edges;
	const double *edge;
	int n;

	if (PG_ARGISNULL(edges_arg) || (PG_NARGS() > edges_arg + 1 && PG_ARGISNULL(edges_arg + 1)))
		pinecone_huf_bad_param("parameters of an aggregate must not be null");
	if (PG_NARGS() > edges_arg + 1)
		eps = pinecone_huf_check_eps(PG_GETARG_FLOAT8(edges_arg + 1));
	edges = PG_GETARG_ARRAYTYPE_P(edges_arg);
	edge = (const double *) ARR_DATA_PTR(edges);
	n = ArrayGetNItems(ARR_NDIM(edges), ARR_DIMS(edges));
	if (bins == NULL)
	{
		check_edges(edges);
		bins = new_bins(pinecone_huf_aggregate_context(fcinfo), edge, n, eps);
	}
	else if (n != bins->nedges || array_contains_nulls(edges) || eps != bins->eps ||
			 memcmp(edge, bins->edge, sizeof(double) * n) != 0)
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
	PG_FREE_IF_COPY(edges, edges_arg);
	return bins;
}

/* Count a value, or take it back. */
static void
count_value(Bins *bins, int side, double x, int by)
{
	int lo = 0;
	int hi = bins->nedges;

	if (!isfinite(x))
	{
		bins->bad[side] += by;
		return;
	}
	/* the number of edges at or below x: bins are closed on the left */
	while (lo < hi)
	{
		int mid = lo + (hi - lo) / 2;

		if (x < bins->edge[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	bins->count[side][lo] += by;
}

/* Transition of huf_histogram(x, edges). */
Datum
pinecone_huf_histogram_accum(PG_FUNCTION_ARGS)
{
	Bins *bins = prepare(fcinfo, 2);

	if (!PG_ARGISNULL(1))
		count_value(bins, 0, PG_GETARG_FLOAT8(1), 1);
	PG_RETURN_POINTER(bins);
}

Datum
pinecone_huf_histogram_remove(PG_FUNCTION_ARGS)
{
	Bins *bins = (Bins *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		count_value(bins, 0, PG_GETARG_FLOAT8(1), -1);
	PG_RETURN_POINTER(bins);
}

/* Transition of huf_psi_binned(x, later, edges [, eps]). */
Datum
pinecone_huf_psi_binned_accum(PG_FUNCTION_ARGS)
{
	Bins *bins = prepare(fcinfo, 3);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		count_value(bins, PG_GETARG_BOOL(2), PG_GETARG_FLOAT8(1), 1);
	PG_RETURN_POINTER(bins);
}

Datum
pinecone_huf_psi_binned_remove(PG_FUNCTION_ARGS)
{
	Bins *bins = (Bins *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		count_value(bins, PG_GETARG_BOOL(2), PG_GETARG_FLOAT8(1), -1);
	PG_RETURN_POINTER(bins);
}

Datum
pinecone_huf_bins_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Bins *bins = PG_ARGISNULL(0) ? NULL : (Bins *) PG_GETARG_POINTER(0);
	Bins *other = PG_ARGISNULL(1) ? NULL : (Bins *) PG_GETARG_POINTER(1);

	if (other != NULL)
	{
		if (bins == NULL)
			bins = new_bins(context, other->edge, other->nedges, other->eps);
		if (bins->nedges != other->nedges || bins->eps != other->eps ||
			memcmp(bins->edge, other->edge, sizeof(double) * bins->nedges) != 0)
			pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
		for (int side = 0; side < 2; side++)
			for (int i = 0; i <= bins->nedges; i++)
				bins->count[side][i] += other->count[side][i];
		for (int side = 0; side < 2; side++)
			bins->bad[side] += other->bad[side];
	}
	if (bins == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(bins);
}

Datum
pinecone_huf_bins_serialize(PG_FUNCTION_ARGS)
{
	Bins *bins = (Bins *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	pinecone_huf_aggregate_context(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint8(&buf, BINS_VERSION);
	pq_sendint32(&buf, bins->nedges);
	pq_sendfloat8(&buf, bins->eps);
	for (int side = 0; side < 2; side++)
		pq_sendint64(&buf, bins->bad[side]);
	for (int i = 0; i < bins->nedges; i++)
		pq_sendfloat8(&buf, bins->edge[i]);
	for (int side = 0; side < 2; side++)
		for (int i = 0; i <= bins->nedges; i++)
			pq_sendint64(&buf, bins->count[side][i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
pinecone_huf_bins_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf;
	Bins *bins;
	double eps;
	double *edge;
	int n;
	int64 bad[2];

	pinecone_huf_aggregate_context(fcinfo);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buf) != BINS_VERSION)
		elog(ERROR, "unexpected version of an aggregate state");
	n = pq_getmsgint(&buf, 4);
	eps = pq_getmsgfloat8(&buf);
	for (int side = 0; side < 2; side++)
		bad[side] = pq_getmsgint64(&buf);
	if (n < 1 || n > MAX_EDGES)
		elog(ERROR, "aggregate state has an unexpected size");
	edge = palloc(sizeof(double) * n);
	for (int i = 0; i < n; i++)
		edge[i] = pq_getmsgfloat8(&buf);
	bins = new_bins(CurrentMemoryContext, edge, n, eps);
	memcpy(bins->bad, bad, sizeof(bad));
	for (int side = 0; side < 2; side++)
		for (int i = 0; i <= n; i++)
			bins->count[side][i] = pq_getmsgint64(&buf);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(bins);
}

static int64
total_count(const Bins *bins, int side)
{
	int64 total = 0;

	for (int i = 0; i <= bins->nedges; i++)
		total += bins->count[side][i];
	return total;
}

/* The counts, below the first edge to above the last. */
Datum
pinecone_huf_histogram(PG_FUNCTION_ARGS)
{
	Bins *bins = PG_ARGISNULL(0) ? NULL : (Bins *) PG_GETARG_POINTER(0);
	Datum *count;

	if (bins == NULL || bins->bad[0] > 0 || total_count(bins, 0) == 0)
		PG_RETURN_NULL();
	count = palloc(sizeof(Datum) * (bins->nedges + 1));
	for (int i = 0; i <= bins->nedges; i++)
		count[i] = Int64GetDatum(bins->count[0][i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(count, bins->nedges + 1, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The counts of a histogram, of which none may be missing. */
static int64 *
counts_of(ArrayType *array, int *n)
{
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		pinecone_huf_bad_param("a histogram must be a list of counts");
	return (int64 *) ARR_DATA_PTR(array);
}

/*
 * Transition and combine function of huf_histogram_merge(): the sum of two
 * histograms.  In an aggregate the first is its state, and changed where it is.
 */
Datum
pinecone_huf_histogram_merge(PG_FUNCTION_ARGS)
{
	bool aggregate = AggCheckCallContext(fcinfo, NULL) != 0;
	ArrayType *total = aggregate ? PG_GETARG_ARRAYTYPE_P(0) : PG_GETARG_ARRAYTYPE_P_COPY(0);
	ArrayType *more = PG_GETARG_ARRAYTYPE_P(1);
	int n;
	int n_more;
	int64 *count = counts_of(total, &n);
	int64 *add = counts_of(more, &n_more);

	if (n != n_more)
		pinecone_huf_bad_param("histograms of %d and of %d bins cannot be added", n, n_more);
	for (int i = 0; i < n; i++)
	{
		if (count[i] < 0 || add[i] < 0)
			pinecone_huf_bad_param("a histogram must be a list of counts");
		if (pg_add_s64_overflow(count[i], add[i], &count[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("bigint out of range")));
	}
	PG_FREE_IF_COPY(more, 1);
	PG_RETURN_ARRAYTYPE_P(total);
}

/* Population stability index of the binned samples. */
Datum
pinecone_huf_psi_binned(PG_FUNCTION_ARGS)
{
	Bins *bins = PG_ARGISNULL(0) ? NULL : (Bins *) PG_GETARG_POINTER(0);
	double *share[2];
	int64 total[2];

	if (bins == NULL)
		PG_RETURN_NULL();
	for (int side = 0; side < 2; side++)
	{
		total[side] = total_count(bins, side);
		if (total[side] == 0 && bins->bad[side] == 0)
			PG_RETURN_NULL();
	}
	if (bins->bad[0] > 0 || bins->bad[1] > 0)
		PG_RETURN_FLOAT8(NAN);
	for (int side = 0; side < 2; side++)
	{
		share[side] = palloc(sizeof(double) * (bins->nedges + 1));
		for (int i = 0; i <= bins->nedges; i++)
			share[side][i] = (double) bins->count[side][i] / total[side];
	}
	PG_RETURN_FLOAT8(pinecone_huf_psi_sum(share[0], share[1], bins->nedges + 1, bins->eps));
}
