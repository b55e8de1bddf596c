/*
 * huf_twosample.c
 *		Exact two-sample statistics of scores: Kolmogorov-Smirnov and W1.
 *
 * A row is a value and the side it belongs to: false for the earlier sample,
 * true for the later.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "huf/huf_rows.h"
#include "huf/huf_twosample.h"

PG_FUNCTION_INFO_V1(pinecone_huf_sample_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_ks);
PG_FUNCTION_INFO_V1(pinecone_huf_w1);

/* Transition of the functions of (x, later). */
Datum
pinecone_huf_sample_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR};
	HufRows *rows = pinecone_huf_rows_prepare(fcinfo, 2, &params);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		double *row = pinecone_huf_rows_append(rows);

		row[0] = PG_GETARG_FLOAT8(1);
		row[1] = PG_GETARG_BOOL(2);
	}
	PG_RETURN_POINTER(rows);
}

/*
 * Walk the two sorted samples together.  Returns the largest difference of
 * their distribution functions, and the area between them in *area.
 */
double
pinecone_huf_compare_sorted(const double *a, int64 na, const double *b, int64 nb, double *area)
{
	HufSum sum = {0};
	double largest = 0;
	int64 i = 0;
	int64 j = 0;
	double x = Min(a[0], b[0]);

	while (i < na || j < nb)
	{
		double gap;
		double next;

		CHECK_FOR_INTERRUPTS();
		while (i < na && a[i] <= x)
			i++;
		while (j < nb && b[j] <= x)
			j++;
		/* one division, of a difference that is exact for any sample in reach */
		gap = fabs((double) i * nb - (double) j * na) / ((double) na * nb);
		largest = Max(largest, gap);
		if (i == na && j == nb)
			break;
		next = i == na ? b[j] : j == nb ? a[i] :
										  Min(a[i], b[j]);
		/* halves, because two large values may be farther apart than a double reaches */
		huf_sum_add(&sum, isinf(next - x) ? gap * (next / 2 - x / 2) * 2 : gap * (next - x));
		x = next;
	}
	*area = huf_sum_value(&sum);
	return Min(largest, 1);
}

/* Compare the samples of a state; false for NULL. */
static bool
compare(FunctionCallInfo fcinfo, double *ks, double *w1)
{
	HufRows *rows = pinecone_huf_rows_arg_apart(fcinfo, 0);
	int64 count = rows == NULL ? 0 : pinecone_huf_rows_count(rows);
	double *side[2];
	int64 n[2] = {0, 0};
	bool finite = true;
	HufPart own;

	if (count == 0)
		return false;
	for (int s = 0; s < 2; s++)
		side[s] = pinecone_huf_alloc_large(CurrentMemoryContext, sizeof(double) * count);
	own = huf_rows_parts(rows);
	for (const HufPart *part = &own; part != NULL; part = part->next)
		for (int64 i = 0; i < part->n; i++)
		{
			const double *row = part->value + 2 * i;
			int s = row[1] != 0;

			side[s][n[s]++] = row[0];
			finite &= isfinite(row[0]) != 0;
		}
	if (n[0] == 0 || n[1] == 0)
		return false;
	*ks = *w1 = NAN;
	if (finite)
	{
		pinecone_huf_sort(side[0], n[0]);
		pinecone_huf_sort(side[1], n[1]);
		*ks = pinecone_huf_compare_sorted(side[0], n[0], side[1], n[1], w1);
	}
	pfree(side[0]);
	pfree(side[1]);
	return true;
}

Datum
pinecone_huf_ks(PG_FUNCTION_ARGS)
{
	double ks;
	double w1;

	if (!compare(fcinfo, &ks, &w1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ks);
}

Datum
pinecone_huf_w1(PG_FUNCTION_ARGS)
{
	double ks;
	double w1;

	if (!compare(fcinfo, &ks, &w1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(w1);
}
