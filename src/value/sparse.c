/*
 * sparse.c
 *		Sparse vectors are read, looked at, sorted and multiplied.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "value/sparse.h"

/* ---- jsonb ---- */

static JsonbValue *
find_list(Jsonb *object, const char *name)
{
	JsonbValue key;
	JsonbValue *list = NULL;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	if (JB_ROOT_IS_OBJECT(object))
		list = findJsonbValueFromContainer(&object->root, JB_FOBJECT, &key);
	return list != NULL && list->type == jbvBinary && JsonContainerIsArray(list->val.binary.data) ? list : NULL;
}

static bool
find_number(JsonbValue *list, int i, double *number)
{
	JsonbValue *element = getIthJsonbValueFromContainer(list->val.binary.data, i);

	if (element->type != jbvNumeric)
		return false;
	*number = strtod(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(element->val.numeric))), NULL);
	return true;
}

const char *
pinecone_sparse_from_jsonb(Jsonb *object, PineconeSparse *sparse)
{
	JsonbValue *indices = find_list(object, "indices");
	JsonbValue *values = find_list(object, "values");
	int n;

	if (indices == NULL || values == NULL)
		return "a sparse vector is an object of two lists, \"indices\" and \"values\"";
	n = JsonContainerSize(indices->val.binary.data);
	if (n != JsonContainerSize(values->val.binary.data))
		return "a sparse vector has as many indices as values";
	sparse->n = n;
	sparse->indices = palloc(Max(n, 1) * sizeof(uint32));
	sparse->values = palloc(Max(n, 1) * sizeof(float));
	for (int i = 0; i < n; i++)
	{
		double index;
		double value;

		if (!find_number(indices, i, &index) || !find_number(values, i, &value))
			return "a sparse vector consists of numbers";
		if (!(index >= 0 && index <= PG_UINT32_MAX && index == floor(index)))
			return psprintf("indices of a sparse vector are integers from 0 to %u", PG_UINT32_MAX);
		sparse->indices[i] = (uint32) index;
		sparse->values[i] = (float) value;
	}
	return NULL;
}

Datum
pinecone_sparse_to_jsonb(const PineconeSparse *sparse)
{
	StringInfoData buf;
	char number[FLOAT_SHORTEST_DECIMAL_LEN];

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"indices\":[");
	for (int i = 0; i < sparse->n; i++)
		appendStringInfo(&buf, "%s%u", i > 0 ? "," : "", sparse->indices[i]);
	appendStringInfoString(&buf, "],\"values\":[");
	for (int i = 0; i < sparse->n; i++)
	{
		float_to_shortest_decimal_buf(sparse->values[i], number);
		appendStringInfo(&buf, "%s%s", i > 0 ? "," : "", number);
	}
	appendStringInfoString(&buf, "]}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* ---- Order ---- */

typedef struct Element
{
	uint32 index;
	float value;
} Element;

static int
compare_elements(const void *a, const void *b)
{
	uint32 x = ((const Element *) a)->index;
	uint32 y = ((const Element *) b)->index;

	return (x > y) - (x < y);
}

void
pinecone_sparse_sort(PineconeSparse *sparse)
{
	Element *elements = palloc(Max(sparse->n, 1) * sizeof(Element));
	uint32 *indices = palloc(Max(sparse->n, 1) * sizeof(uint32));
	float *values = palloc(Max(sparse->n, 1) * sizeof(float));

	for (int i = 0; i < sparse->n; i++)
	{
		elements[i].index = sparse->indices[i];
		elements[i].value = sparse->values[i];
	}
	qsort(elements, sparse->n, sizeof(Element), compare_elements);
	for (int i = 0; i < sparse->n; i++)
	{
		indices[i] = elements[i].index;
		values[i] = elements[i].value;
	}
	sparse->indices = indices;
	sparse->values = values;
	pfree(elements);
}

const char *
pinecone_sparse_fault(const PineconeSparse *sparse, const char *whose, int most)
{
	PineconeSparse sorted = *sparse;

	if (sparse->n > most)
		return psprintf("%s has %d values, more than the %d it can have", whose, sparse->n, most);
	pinecone_sparse_sort(&sorted);
	for (int i = 0; i < sorted.n; i++)
	{
		if (i > 0 && sorted.indices[i] == sorted.indices[i - 1])
			return psprintf("index %u occurs twice in %s", sorted.indices[i], whose);
		if (!isfinite(sorted.values[i]))
			return psprintf("a value of %s is not finite", whose);
	}
	pfree(sorted.indices);
	pfree(sorted.values);
	return NULL;
}

/* ---- Products ---- */

float
pinecone_sparse_product(const PineconeSparse *a, const PineconeSparse *b)
{
	float product = 0;

	for (int i = 0; i < b->n; i++)
	{
		int low = 0;
		int high = a->n;

		while (low < high)
		{
			int middle = low + (high - low) / 2;

			if (a->indices[middle] < b->indices[i])
				low = middle + 1;
			else
				high = middle;
		}
		if (low < a->n && a->indices[low] == b->indices[i])
			product += a->values[low] * b->values[i];
	}
	return product;
}
