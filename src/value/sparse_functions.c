/*
 * sparse_functions.c
 *		SQL functions on sparse vectors as jsonb, and the distance that is made of a
 *		dense one and a sparse one.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "value/sparse.h"

PG_FUNCTION_INFO_V1(pinecone_sparse);
PG_FUNCTION_INFO_V1(pinecone_sparse_of_text);
PG_FUNCTION_INFO_V1(pinecone_sparse_text);
PG_FUNCTION_INFO_V1(pinecone_sparse_negative_inner_product);
PG_FUNCTION_INFO_V1(pinecone_hybrid_distance);

static void
refuse(const char *reason)
{
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s", reason)));
}

static void
check(const PineconeSparse *sparse)
{
	if (sparse->n == 0)
		refuse("the sparse vector has no values");
	refuse(pinecone_sparse_fault(sparse, "the sparse vector", PINECONE_MAX_DOCUMENT_SPARSE));
}

/* ---- One of two arrays ---- */

static ArrayType *
array_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	ArrayType *array;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" of pinecone_sparse() must not be NULL", name)));
	array = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" of pinecone_sparse() must be a one-dimensional array without NULLs", name)));
	return array;
}

Datum
pinecone_sparse(PG_FUNCTION_ARGS)
{
	ArrayType *indices = array_argument(fcinfo, 0, "indices");
	ArrayType *values = array_argument(fcinfo, 1, "values");
	const int64 *places = (const int64 *) ARR_DATA_PTR(indices);
	PineconeSparse sparse;

	sparse.n = ArrayGetNItems(ARR_NDIM(indices), ARR_DIMS(indices));
	if (sparse.n != ArrayGetNItems(ARR_NDIM(values), ARR_DIMS(values)))
		refuse("a sparse vector has as many indices as values");
	sparse.values = (float *) ARR_DATA_PTR(values);
	sparse.indices = palloc(Max(sparse.n, 1) * sizeof(uint32));
	for (int i = 0; i < sparse.n; i++)
	{
		if (places[i] < 0 || places[i] > PG_UINT32_MAX)
			refuse(psprintf("indices of a sparse vector are integers from 0 to %u", PG_UINT32_MAX));
		sparse.indices[i] = (uint32) places[i];
	}
	check(&sparse);
	PG_RETURN_DATUM(pinecone_sparse_to_jsonb(&sparse));
}

/* ---- pgvector's text ---- */

/* {4:0.5,12:1}/2000, whose indices count from 1 */
Datum
pinecone_sparse_of_text(PG_FUNCTION_ARGS)
{
	char *written = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int most = 1;
	PineconeSparse sparse = {0};
	char *p = written;
	char *end;
	long long last = 0; /* index */

	for (char *c = written; *c != '\0'; c++)
		most += *c == ',';
	sparse.indices = palloc(most * sizeof(uint32));
	sparse.values = palloc(most * sizeof(float));
	while (*p == (sparse.n == 0 ? '{' : ','))
	{
		long long index = strtoll(p + 1, &end, 10);

		if (end == p + 1 || *end != ':' || index < 1 || index - 1 > PG_UINT32_MAX)
			break;
		sparse.indices[sparse.n] = (uint32) (index - 1);
		sparse.values[sparse.n] = strtof(end + 1, &p);
		if (p == end + 1)
		{
			p = end;
			break;
		}
		sparse.n++;
		last = Max(last, index);
	}
	if (strncmp(p, "{}", 2) == 0)
		p++;
	if (p[0] != '}' || p[1] != '/' || p[2] == '\0' || p[2 + strspn(p + 2, "0123456789")] != '\0')
		refuse("the text of a sparsevec is {index:value,...}/dimensions");
	if (strtoll(p + 2, NULL, 10) < last)
		refuse(psprintf("index %lld of the sparse vector is beyond its dimensions", last));
	check(&sparse);
	PG_RETURN_DATUM(pinecone_sparse_to_jsonb(&sparse));
}

static PineconeSparse sparse_argument(FunctionCallInfo fcinfo, int n);

Datum
pinecone_sparse_text(PG_FUNCTION_ARGS)
{
	PineconeSparse sparse = sparse_argument(fcinfo, 0);
	int64 dimensions = PG_GETARG_INT32(1);
	char number[FLOAT_SHORTEST_DECIMAL_LEN];
	StringInfoData buf;

	pinecone_sparse_sort(&sparse);
	if (sparse.indices[sparse.n - 1] >= dimensions)
		refuse(psprintf("index %u of the sparse vector is beyond its " INT64_FORMAT " dimensions",
						sparse.indices[sparse.n - 1], dimensions));
	initStringInfo(&buf);
	for (int i = 0; i < sparse.n; i++)
	{
		float_to_shortest_decimal_buf(sparse.values[i], number);
		appendStringInfo(&buf, "%s%u:%s", i > 0 ? "," : "{", sparse.indices[i] + 1, number);
	}
	appendStringInfo(&buf, "}/" INT64_FORMAT, dimensions);
	PG_RETURN_TEXT_P(cstring_to_text(buf.data));
}

/* ---- Distances ---- */

static PineconeSparse
sparse_argument(FunctionCallInfo fcinfo, int n)
{
	PineconeSparse sparse;

	refuse(pinecone_sparse_from_jsonb(PG_GETARG_JSONB_P(n), &sparse));
	check(&sparse);
	return sparse;
}

Datum
pinecone_sparse_negative_inner_product(PG_FUNCTION_ARGS)
{
	PineconeSparse a = sparse_argument(fcinfo, 0);
	PineconeSparse b = sparse_argument(fcinfo, 1);

	pinecone_sparse_sort(&a);
	/* 0 is nobody's -0 */
	PG_RETURN_FLOAT8(0.0 - (double) pinecone_sparse_product(&a, &b));
}

/* What a record lacks adds nothing, as in the service's score. */
Datum
pinecone_hybrid_distance(PG_FUNCTION_ARGS)
{
	double dense = PG_ARGISNULL(0) ? 0 : PG_GETARG_FLOAT8(0);
	double sparse = PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);
	double alpha = pinecone_sparse_check_alpha(PG_ARGISNULL(2), PG_ARGISNULL(2) ? 0 : PG_GETARG_FLOAT8(2));

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(alpha * dense + (1 - alpha) * sparse);
}

double
pinecone_sparse_check_alpha(bool isnull, double alpha)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"alpha\" of pinecone_hybrid_distance() must not be NULL")));
	if (!(alpha >= 0 && alpha <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"alpha\" of pinecone_hybrid_distance() must be between 0 and 1, not %g", alpha)));
	return alpha;
}
