/*
 * huf_touch.c
 *		The yardstick of the sketch benchmark: an aggregate that detoasts a real[]
 *		and adds up its elements, and does nothing else.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(huf_touch);

Datum
huf_touch(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	const float *x = (const float *) ARR_DATA_PTR(array);
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double a = 0, b = 0, c = 0, d = 0;
	int i = 0;

	for (; i + 4 <= n; i += 4)
	{
		a += x[i];
		b += x[i + 1];
		c += x[i + 2];
		d += x[i + 3];
	}
	for (; i < n; i++)
		a += x[i];
	PG_FREE_IF_COPY(array, 1);
	PG_RETURN_FLOAT8(PG_GETARG_FLOAT8(0) + ((a + b) + (c + d)));
}
