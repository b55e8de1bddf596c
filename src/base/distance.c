/*
 * distance.c
 *		Distances between vectors, and the SQL functions on real[] behind the
 *		operators <->, <#> and <=>.
 *
 * The loops sum in float4, in as many lanes as the processor has: the
 * Makefile lets the compiler reorder float addition in this file.  A sum that
 * leaves the range where float4 is precise is computed again in float8, so
 * that very small and very large vectors have distances too.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "base/distance.h"

/*
 * Have the loops compiled twice and the better one chosen when the module is
 * loaded, where that is possible: the attribute needs ifuncs, thus glibc, and
 * clang's bitcode for JIT inlining cannot carry them.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && \
	!defined(__clang__) && !defined(__FMA__)
#define TARGET_CLONES __attribute__((target_clones("default", "fma")))
#else
#define TARGET_CLONES
#endif

/* Below this, terms that count may have been rounded away as subnormal */
#define SMALLEST_SUM 1e-28f

PG_FUNCTION_INFO_V1(pinecone_l2_distance);
PG_FUNCTION_INFO_V1(pinecone_cosine_distance);
PG_FUNCTION_INFO_V1(pinecone_negative_inner_product);

TARGET_CLONES static float
sum_squared_differences(int n, const float *a, const float *b)
{
	float sum = 0;

	for (int i = 0; i < n; i++)
	{
		float diff = a[i] - b[i];

		sum += diff * diff;
	}
	return sum;
}

TARGET_CLONES static float
sum_products(int n, const float *a, const float *b)
{
	float sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

TARGET_CLONES static void
sum_products_and_squares(int n, const float *a, const float *b, float sums[3])
{
	float product = 0;
	float square_a = 0;
	float square_b = 0;

	for (int i = 0; i < n; i++)
	{
		product += a[i] * b[i];
		square_a += a[i] * a[i];
		square_b += b[i] * b[i];
	}
	sums[0] = product;
	sums[1] = square_a;
	sums[2] = square_b;
}

/* Is a sum of squares what it should be?  False for NaN as well. */
static inline bool
is_precise(float sum)
{
	return sum >= SMALLEST_SUM && sum <= FLT_MAX;
}

double
pinecone_distance_square(int n, const float *a)
{
	float sum = sum_products(n, a, a);
	double exact = 0;

	if (is_precise(sum))
		return sum;

	for (int i = 0; i < n; i++)
		exact += (double) a[i] * (double) a[i];
	return exact;
}

double
pinecone_distance_l2(int n, const float *a, const float *b)
{
	float sum = sum_squared_differences(n, a, b);
	double exact = 0;

	if (is_precise(sum))
		return sqrt((double) sum);

	for (int i = 0; i < n; i++)
	{
		double diff = (double) a[i] - (double) b[i];

		exact += diff * diff;
	}
	return sqrt(exact);
}

double
pinecone_distance_negative_inner_product(int n, const float *a, const float *b)
{
	float sum = sum_products(n, a, b);
	double exact = 0;

	if (isfinite(sum))
		return -(double) sum;

	for (int i = 0; i < n; i++)
		exact += (double) a[i] * (double) b[i];
	return -exact;
}

double
pinecone_distance_cosine(int n, const float *a, const float *b)
{
	float sums[3];
	double product;
	double square_a;
	double square_b;
	double similarity;

	sum_products_and_squares(n, a, b, sums);
	product = sums[0];
	square_a = sums[1];
	square_b = sums[2];

	if (!isfinite(sums[0]) || !is_precise(sums[1]) || !is_precise(sums[2]))
	{
		product = square_a = square_b = 0;
		for (int i = 0; i < n; i++)
		{
			product += (double) a[i] * (double) b[i];
			square_a += (double) a[i] * (double) a[i];
			square_b += (double) b[i] * (double) b[i];
		}
	}

	/* NaN when either is zero.  The squares are float4's: no overflow here. */
	similarity = product / sqrt(square_a * square_b);

	/* Rounding can carry it past the ends; NaN passes both tests */
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;
	return 1 - similarity;
}

/* Numbers of other types as float4, in new memory. */
static const float *
to_floats(ArrayType *array, int n)
{
	Oid type = ARR_ELEMTYPE(array);
	float *floats = palloc(sizeof(float) * Max(n, 1));
	int16 typlen;
	bool typbyval;
	char typalign;
	Datum *values;
	bool *nulls;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		switch (type)
		{
			case FLOAT8OID:
				floats[i] = DatumGetFloat4(DirectFunctionCall1(dtof, values[i]));
				break;
			case INT2OID:
				floats[i] = DatumGetInt16(values[i]);
				break;
			case INT4OID:
				floats[i] = DatumGetInt32(values[i]);
				break;
			case INT8OID:
				floats[i] = DatumGetInt64(values[i]);
				break;
			case NUMERICOID:
				floats[i] = DatumGetFloat4(DirectFunctionCall1(numeric_float4, values[i]));
				break;
			default:
				elog(ERROR, "unexpected element type: %u", type);
		}
	}
	pfree(values);
	pfree(nulls);
	return floats;
}

/* The elements of a vector argument, which may be the argument's own memory. */
static const float *
vector_argument(FunctionCallInfo fcinfo, int argno, int *n)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argno);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("vector must be a one-dimensional array, not one with %d dimensions",
						ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("vector must not contain null elements")));

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return ARR_ELEMTYPE(array) == FLOAT4OID ? (const float *) ARR_DATA_PTR(array) : to_floats(array, *n);
}

static Datum
distance_of_arguments(FunctionCallInfo fcinfo,
					  double (*distance)(int n, const float *a, const float *b))
{
	int n;
	int other_n;
	const float *a = vector_argument(fcinfo, 0, &n);
	const float *b = vector_argument(fcinfo, 1, &other_n);

	if (n != other_n)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different real[] dimensions %d and %d", n, other_n)));

	PG_RETURN_FLOAT8(distance(n, a, b));
}

Datum
pinecone_l2_distance(PG_FUNCTION_ARGS)
{
	return distance_of_arguments(fcinfo, pinecone_distance_l2);
}

Datum
pinecone_cosine_distance(PG_FUNCTION_ARGS)
{
	return distance_of_arguments(fcinfo, pinecone_distance_cosine);
}

Datum
pinecone_negative_inner_product(PG_FUNCTION_ARGS)
{
	return distance_of_arguments(fcinfo, pinecone_distance_negative_inner_product);
}
