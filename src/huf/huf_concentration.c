/*
 * huf_concentration.c
 *		Concentration aggregates that need all masses: how many items cover a
 *		part of the total, and the Gini coefficient.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "huf/huf_rows.h"
#include "huf/huf_tally.h"

PG_FUNCTION_INFO_V1(pinecone_huf_cover_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_gini_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_items_to_cover);
PG_FUNCTION_INFO_V1(pinecone_huf_gini);

#define PARAM_T 0
#define PARAM_Q 1

#define DEFAULT_COVER 0.9

static void
refuse_null_param(FunctionCallInfo fcinfo, int from)
{
	for (int i = from; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
}

static Datum
append(HufRows *rows, FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(1))
	{
		double x = PG_GETARG_FLOAT8(1);

		if (x < 0 && rows->params.kind == HUF_LINEAR)
			pinecone_huf_negative_mass(x, HUF_MASS_OF_ROWS_KIND);
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

	if (nargs == 2 && !PG_ARGISNULL(0))
		return append((HufRows *) PG_GETARG_POINTER(0), fcinfo);
	refuse_null_param(fcinfo, 2);
	if (nargs > 2)
	{
		double q = PG_GETARG_FLOAT8(2);

		if (!(q > 0 && q <= 1))
			pinecone_huf_bad_param("q must be greater than 0 and at most 1");
		params.value[PARAM_Q] = q;
	}
	if (nargs > 3)
		params.kind = huf_kind_arg(fcinfo, 3);
	if (nargs > 4)
		params.value[PARAM_T] = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(4));
	return append(pinecone_huf_rows_prepare(fcinfo, 1, &params), fcinfo);
}

/* Transition of huf_gini(x [, kind [, t]]). */
Datum
pinecone_huf_gini_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR, {1}};
	int nargs = PG_NARGS();

	if (nargs == 2 && !PG_ARGISNULL(0))
		return append((HufRows *) PG_GETARG_POINTER(0), fcinfo);
	refuse_null_param(fcinfo, 2);
	if (nargs > 2)
		params.kind = huf_kind_arg(fcinfo, 2);
	if (nargs > 3)
		params.value[PARAM_T] = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(3));
	return append(pinecone_huf_rows_prepare(fcinfo, 1, &params), fcinfo);
}

/*
 * Sorting many masses would cost more than reading them did.  They are counted
 * and summed in buckets instead, and only the bucket in which the target falls
 * is sorted.
 */
#define MANY_MASSES 100000

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

/* Count masses in their buckets; false if one of them is NaN or infinite. */
static bool
tally_masses(HufTally *tally, const double *value, int64 n)
{
	bool bad = false;

	for (int64 i = 0; i < n; i++)
	{
		uint64 bits = huf_bits(value[i] + 0.0); /* no -0.0 */
		uint64 index = bits >> HUF_TALLY_SHIFT;

		if (unlikely(index >= HUF_TALLIES))
			bad = true;
		else
			huf_tally_add(&tally[index], 1, huf_mantissa(bits), 0);
	}
	return !bad;
}

/* Copy the masses of a bucket, scaled; returns where the next go. */
static double *
select_masses(double *to, const double *value, int64 n, int bucket, double factor)
{
	for (int64 i = 0; i < n; i++)
	{
		double mass = value[i] + 0.0;

		if (huf_bits(mass) >> HUF_TALLY_SHIFT == bucket)
			*to++ = mass * factor;
	}
	return to;
}

/*
 * The same for many masses that are not negative, without a copy of them but
 * for those in the bucket.  False if one is NaN or infinite.
 */
static bool
cover_selected(const HufRows *rows, double q, int64 *k)
{
	HufTally *tally = palloc0(sizeof(HufTally) * HUF_TALLIES);
	double *inside;
	double *end;
	HufSum total = {0};
	HufSum prefix = {0};
	double target;
	double factor;
	HufPart own = huf_rows_parts(rows);
	bool good = true;
	int top = HUF_TALLIES - 1;
	int exponent;
	int at;

	*k = 0;
	for (const HufPart *part = &own; part != NULL; part = part->next)
		good &= tally_masses(tally, part->value, part->n);
	if (!good)
		return false;
	while (top > 0 && tally[top].n == 0)
		top--;
	exponent = huf_tally_exponent(top);
	for (int i = top; i >= 0; i--)
		if (tally[i].n > 0)
			huf_sum_add(&total, huf_tally_sum(&tally[i], i, exponent));
	target = huf_cover_target(q, huf_sum_value(&total));
	for (at = top; at > 0; at--)
	{
		HufSum next = prefix;

		if (tally[at].n == 0)
			continue;
		huf_sum_add(&next, huf_tally_sum(&tally[at], at, exponent));
		if (huf_sum_value(&next) >= target)
			break;
		prefix = next;
		*k += tally[at].n;
	}
	inside = pinecone_huf_alloc_large(CurrentMemoryContext, sizeof(double) * Max(tally[at].n, 1));
	factor = huf_tally_factor(exponent);
	end = inside;
	for (const HufPart *part = &own; part != NULL; part = part->next)
		end = select_masses(end, part->value, part->n, at, factor);
	*k += cover_sorted(inside, end - inside, prefix, target);
	pfree(inside);
	pfree(tally);
	return true;
}

/* The smallest number of items whose masses reach q of the total. */
Datum
pinecone_huf_items_to_cover(PG_FUNCTION_ARGS)
{
	HufRows *rows = pinecone_huf_rows_arg_apart(fcinfo, 0);
	int64 n = rows == NULL ? 0 : pinecone_huf_rows_count(rows);
	HufMassState state;
	double q;
	double *mass;
	double total;
	int64 k = 0;

	if (n == 0)
		PG_RETURN_NULL();
	q = rows->params.value[PARAM_Q];
	if (rows->params.kind == HUF_LINEAR && n >= MANY_MASSES)
	{
		/* the transition function has refused negative masses */
		state = cover_selected(rows, q, &k) ? HUF_MASS_OK : HUF_MASS_NAN;
	}
	else
	{
		mass = pinecone_huf_rows_column(rows, 0);
		state = pinecone_huf_masses(mass, n, rows->params.kind, rows->params.value[PARAM_T], &total);
		if (state == HUF_MASS_OK)
			k = cover_sorted(mass, n, (HufSum){0}, huf_cover_target(q, total));
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
	HufRows *rows = pinecone_huf_rows_arg_apart(fcinfo, 0);
	int64 n = rows == NULL ? 0 : pinecone_huf_rows_count(rows);
	double *mass;
	double total;
	HufSum sum = {0};
	double gini;

	if (n == 0)
		PG_RETURN_NULL();
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
