/*
 * vector.c
 *		Vectors of real[], pgvector's vector, halfvec and sparsevec.
 *
 * pgvector is optional: the layout of its types is written down here.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/distance.h"
#include "option/column_type.h"
#include "value/half.h"
#include "value/pgvector.h"
#include "value/vector.h"

/* pgvector's limits */
#define MAX_SPARSE_ELEMENTS 16000

/* The floats of an array; NULL with *reason set when it is no vector. */
static const float *
array_floats(ArrayType *array, int *n, const char **reason)
{
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1)
		*reason = "a vector must be a one-dimensional array";
	else if (array_contains_nulls(array))
		*reason = "a vector must not contain nulls";
	else
		return (const float *) ARR_DATA_PTR(array);
	return NULL;
}

static const float *
half_floats(HalfVector *vector, int *n)
{
	float *floats = palloc(Max(vector->dim, 1) * sizeof(float));

	*n = vector->dim;
	for (int i = 0; i < vector->dim; i++)
		floats[i] = pinecone_half_to_float(vector->x[i]);
	return floats;
}

const float *
pinecone_vector_check(Datum value, Oid typid, int *n, const char **reason)
{
	const float *floats;

	if (typid == FLOAT4ARRAYOID)
		floats = array_floats(DatumGetArrayTypeP(value), n, reason);
	else if (pinecone_column_type_is_halfvec(typid))
		floats = half_floats((HalfVector *) PG_DETOAST_DATUM(value), n);
	else
	{
		Vector *vector = (Vector *) PG_DETOAST_DATUM(value);

		*n = vector->dim;
		floats = vector->x;
	}
	if (floats == NULL || isfinite(pinecone_distance_square(*n, floats)))
		return floats;
	for (int i = 0; i < *n; i++)
	{
		if (!isfinite(floats[i]))
		{
			*reason = isnan(floats[i]) ? "NaN not allowed in vector" :
										 "infinite value not allowed in vector";
			break;
		}
	}
	return NULL;
}

const float *
pinecone_vector_floats(Datum value, Oid typid, int *n)
{
	const char *reason = NULL;
	const float *floats = pinecone_vector_check(value, typid, n, &reason);

	if (floats == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s", reason)));
	return floats;
}

Datum
pinecone_vector_datum(Oid typid, int n, const float *values)
{
	if (typid == FLOAT4ARRAYOID)
	{
		Size size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(float);
		ArrayType *array = palloc0(size);

		if (n == 0)
			return PointerGetDatum(construct_empty_array(FLOAT4OID));
		SET_VARSIZE(array, size);
		array->ndim = 1;
		array->dataoffset = 0;
		array->elemtype = FLOAT4OID;
		ARR_DIMS(array)
		[0] = n;
		ARR_LBOUND(array)
		[0] = 1;
		memcpy(ARR_DATA_PTR(array), values, n * sizeof(float));
		return PointerGetDatum(array);
	}
	else
	{
		Size size = offsetof(Vector, x) + n * sizeof(float);
		Vector *vector = palloc(size);

		SET_VARSIZE(vector, size);
		vector->dim = n;
		vector->unused = 0;
		memcpy(vector->x, values, n * sizeof(float));
		return PointerGetDatum(vector);
	}
}

bool
pinecone_vector_half_datum(int n, const float *values, Datum *datum)
{
	Size size = offsetof(HalfVector, x) + n * sizeof(uint16);
	HalfVector *vector = palloc(size);

	SET_VARSIZE(vector, size);
	vector->dim = n;
	vector->unused = 0;
	for (int i = 0; i < n; i++)
	{
		vector->x[i] = pinecone_half_from_float(values[i]);
		if ((vector->x[i] & 0x7FFF) == PINECONE_HALF_INFINITY)
			return false;
	}
	*datum = PointerGetDatum(vector);
	return true;
}

typedef struct SparseElement
{
	uint32 index;
	float value;
} SparseElement;

static int
compare_elements(const void *a, const void *b)
{
	uint32 x = ((const SparseElement *) a)->index;
	uint32 y = ((const SparseElement *) b)->index;

	return (x > y) - (x < y);
}

bool
pinecone_vector_sparse_datum(const PineconeSparse *sparse, int32 typmod, Datum *datum)
{
	SparseElement *elements = palloc(Max(sparse->n, 1) * sizeof(SparseElement));
	SparseVector *vector;
	float *values;
	int dimensions;
	Size size;
	int n = 0;

	/* sparsevec holds no zeros */
	for (int i = 0; i < sparse->n; i++)
	{
		if (sparse->values[i] == 0)
			continue;
		elements[n].index = sparse->indices[i];
		elements[n].value = sparse->values[i];
		n++;
	}
	qsort(elements, n, sizeof(SparseElement), compare_elements);
	/* without a length that of all, lest one record's cannot be compared with another's */
	dimensions = typmod > 0 ? typmod : PINECONE_MAX_SPARSE_DIMENSIONS;
	if (n > MAX_SPARSE_ELEMENTS || (n > 0 && elements[n - 1].index >= dimensions))
		return false;

	size = offsetof(SparseVector, indices) + n * (sizeof(int32) + sizeof(float));
	vector = palloc0(size);
	SET_VARSIZE(vector, size);
	vector->dim = dimensions;
	vector->nnz = n;
	values = (float *) (vector->indices + n);
	for (int i = 0; i < n; i++)
	{
		vector->indices[i] = (int32) elements[i].index;
		values[i] = elements[i].value;
	}
	*datum = PointerGetDatum(vector);
	return true;
}

void
pinecone_vector_sparse(Datum value, PineconeSparse *sparse)
{
	SparseVector *vector = (SparseVector *) PG_DETOAST_DATUM(value);

	sparse->n = vector->nnz;
	sparse->indices = (uint32 *) vector->indices;
	sparse->values = (float *) (vector->indices + vector->nnz);
}

int
pinecone_vector_sparse_dimensions(Datum value)
{
	return ((SparseVector *) PG_DETOAST_DATUM(value))->dim;
}
