/*
 * huf_cover.c
 *		Concentration aggregates that need all masses: how many items cover a
 *		part of the total, and the Gini coefficient.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "huf_rows.h"

PG_FUNCTION_INFO_V1(pinecone_huf_cover_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_gini_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_items_to_cover);
PG_FUNCTION_INFO_V1(pinecone_huf_gini);

#define PARAM_T 0
#define PARAM_Q 1

#define DEFAULT_COVER 0.9

/*
 * How far a prefix may fall short of its target, as a part of the total: ten
 * masses of 0.1 reach 0.9 with nine of them, though not in binary arithmetic.
 */
#define COVER_TOLERANCE 1e-12

static void
refuse_null_param(FunctionCallInfo fcinfo, int from)
{
	for (int i = from; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
}

static Datum
accumulate(FunctionCallInfo fcinfo, const HufParams *params)
{
	HufRows *rows = pinecone_huf_rows_prepare(fcinfo, 1, params);

	if (!PG_ARGISNULL(1))
	{
		double x = PG_GETARG_FLOAT8(1);

		if (params->kind == HUF_LINEAR && x < 0)
			pinecone_huf_negative_mass(x);
		*pinecone_huf_rows_append(rows) = x;
	}
	PG_RETURN_POINTER(rows);
}

/* Transition of huf_items_to_cover(x [, q [, kind [, t]]]). */
Datum
pinecone_huf_cover_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR, {1, DEFAULT_COVER}};
	int nargs = PG_NARGS();

	refuse_null_param(fcinfo, 2);
	if (nargs > 2)
	{
		double q = PG_GETARG_FLOAT8(2);

		if (!(q > 0 && q <= 1))
			pinecone_huf_bad_param("q must be greater than 0 and at most 1");
		params.value[PARAM_Q] = q;
	}
	if (nargs > 3)
		params.kind = pinecone_huf_kind(PG_GETARG_TEXT_PP(3));
	if (nargs > 4)
		params.value[PARAM_T] = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(4));
	return accumulate(fcinfo, &params);
}

/* Transition of huf_gini(x [, kind [, t]]). */
Datum
pinecone_huf_gini_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR, {1}};
	int nargs = PG_NARGS();

	refuse_null_param(fcinfo, 2);
	if (nargs > 2)
		params.kind = pinecone_huf_kind(PG_GETARG_TEXT_PP(2));
	if (nargs > 3)
		params.value[PARAM_T] = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(3));
	return accumulate(fcinfo, &params);
}

/*
 * Sorting many masses would cost more than reading them did.  Bit patterns of
 * masses order as they do: sum them by the leading bits, and only the bucket
 * in which the target falls has to be sorted.
 */
#define SELECT_SHIFT 46
#define SELECT_BUCKETS (1 << (63 - SELECT_SHIFT))

typedef struct SelectBucket
{
	HufSum sum;
	int64 n;
} SelectBucket;

static inline int
select_bucket(double mass)
{
	uint64 bits;

	memcpy(&bits, &mass, sizeof(bits));
	return bits >> SELECT_SHIFT;
}

/* How many of the masses, taken largest first, lift the prefix to the target. */
static int64
cover_sorted(double *mass, int64 n, HufSum prefix, double target)
{
	int64 k = 0;

	pinecone_huf_sort(mass, n);
	while (k < n && huf_sum_value(&prefix) < target)
		huf_sum_add(&prefix, mass[n - ++k]);
	return k;
}

/*
 * The same for many masses, given as value times factor: no copy is made of
 * them but for those in the bucket.
 */
static int64
cover_selected(const double *value, int64 n, double factor, double q)
{
	SelectBucket *bucket = palloc0(sizeof(SelectBucket) * SELECT_BUCKETS);
	double *inside;
	int64 ninside = 0;
	HufSum total = {0};
	HufSum prefix = {0};
	double target;
	int64 k = 0;
	int at;

	for (int64 i = 0; i < n; i++)
	{
		double mass = value[i] * factor + 0.0;
		SelectBucket *b = &bucket[select_bucket(mass)];

		huf_sum_add(&b->sum, mass);
		b->n++;
	}
	for (int i = 0; i < SELECT_BUCKETS; i++)
		huf_sum_merge(&total, &bucket[i].sum);
	target = (q - COVER_TOLERANCE) * huf_sum_value(&total);
	for (at = SELECT_BUCKETS - 1; at > 0; at--)
	{
		HufSum next = prefix;

		huf_sum_merge(&next, &bucket[at].sum);
		if (huf_sum_value(&next) >= target)
			break;
		prefix = next;
		k += bucket[at].n;
	}
	inside = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(bucket[at].n, 1));
	for (int64 i = 0; i < n; i++)
	{
		double mass = value[i] * factor + 0.0;

		if (select_bucket(mass) == at)
			inside[ninside++] = mass;
	}
	k += cover_sorted(inside, ninside, prefix, target);
	pfree(inside);
	pfree(bucket);
	return k;
}

/* The smallest number of items whose masses reach q of the total. */
Datum
pinecone_huf_items_to_cover(PG_FUNCTION_ARGS)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	HufMassState state;
	double q;
	double *mass;
	double total;
	int64 k = 0;

	if (rows == NULL || rows->n == 0)
		PG_RETURN_NULL();
	q = rows->params.value[PARAM_Q];
	if (rows->params.kind == HUF_LINEAR && rows->n >= SELECT_BUCKETS)
	{
		double largest;

		state = pinecone_huf_largest_mass(huf_row(rows, 0), rows->n, &largest);
		if (state == HUF_MASS_OK)
			k = cover_selected(huf_row(rows, 0), rows->n, ldexp(1, -huf_scale_exponent(largest)), q);
	}
	else
	{
		mass = pinecone_huf_rows_column(rows, 0);
		state = pinecone_huf_masses(mass, rows->n, rows->params.kind, rows->params.value[PARAM_T], &total);
		if (state == HUF_MASS_OK)
			k = cover_sorted(mass, rows->n, (HufSum){0}, (q - COVER_TOLERANCE) * total);
		pfree(mass);
	}
	if (state == HUF_MASS_NAN || (state == HUF_MASS_ZERO && rows->params.kind == HUF_SOFTMAX))
		PG_RETURN_NULL();
	PG_RETURN_INT64(k);
}

/* Gini coefficient: sum (2i - n - 1) share_(i) / n over ascending shares. */
Datum
pinecone_huf_gini(PG_FUNCTION_ARGS)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	double *mass;
	double total;
	HufSum sum = {0};
	double gini;
	int64 n;

	if (rows == NULL || rows->n == 0)
		PG_RETURN_NULL();
	n = rows->n;
	mass = pinecone_huf_rows_column(rows, 0);
	switch (pinecone_huf_masses(mass, n, rows->params.kind, rows->params.value[PARAM_T], &total))
	{
		case HUF_MASS_NAN:
			pfree(mass);
			PG_RETURN_FLOAT8(NAN);
		case HUF_MASS_ZERO:
			pfree(mass);
			PG_RETURN_NULL();
		case HUF_MASS_OK:
			break;
	}
	pinecone_huf_sort(mass, n);
	/* pairs from both ends: (x_(n-i) - x_(i)) has no cancellation to lose */
	for (int64 i = 0; i < n / 2; i++)
		huf_sum_add(&sum, (n - 1 - 2 * i) * (mass[n - 1 - i] - mass[i]));
	pfree(mass);
	gini = huf_sum_value(&sum) / total / n;
	PG_RETURN_FLOAT8(Min(gini, (n - 1.0) / n));
}
