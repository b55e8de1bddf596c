/*
 * huf_sketch_stat.c
 *		What a sketch tells: coherence of one set of embeddings, drift between two.
 *
 * The statistics of one sketch serve as final functions of aggregates too, on
 * a state that may hold directions alone.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "huf/huf_rows.h"
#include "huf/huf_sketch.h"

PG_FUNCTION_INFO_V1(pinecone_huf_sketch_dims);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_count);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_centroid);
PG_FUNCTION_INFO_V1(pinecone_huf_mrl);
PG_FUNCTION_INFO_V1(pinecone_huf_pairwise_cos);
PG_FUNCTION_INFO_V1(pinecone_huf_dispersion);
PG_FUNCTION_INFO_V1(pinecone_huf_kappa);
PG_FUNCTION_INFO_V1(pinecone_huf_mrl_final);
PG_FUNCTION_INFO_V1(pinecone_huf_pairwise_cos_final);
PG_FUNCTION_INFO_V1(pinecone_huf_dispersion_final);
PG_FUNCTION_INFO_V1(pinecone_huf_kappa_final);
PG_FUNCTION_INFO_V1(pinecone_huf_centroid_cos_drift);
PG_FUNCTION_INFO_V1(pinecone_huf_centroid_l2_drift);
PG_FUNCTION_INFO_V1(pinecone_huf_l2_unbiased);
PG_FUNCTION_INFO_V1(pinecone_huf_shift_p);
PG_FUNCTION_INFO_V1(pinecone_huf_frechet_diag);
PG_FUNCTION_INFO_V1(pinecone_huf_between_cos_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_between_cos_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_between_cos_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_between_cos_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_between_cos_final);

/* A mean direction shorter than this is noise */
#define NO_DIRECTION 1e-12

/* A resultant length within this of 1 is 1: rounding leaves no more digits */
#define LENGTH_TOLERANCE (4 * DBL_EPSILON)

static double
clamp(double x, double lo, double hi)
{
	/* not Min and Max, which would turn NaN into a bound */
	return x < lo ? lo : x > hi ? hi :
								  x;
}

static double
squared_length(const double *x, int dim)
{
	HufSum sum = {0};

	for (int i = 0; i < dim; i++)
		huf_sum_add(&sum, x[i] * x[i]);
	return huf_sum_value(&sum);
}

/* Mean resultant length; the sketch has directions. */
static double
resultant_length(const HufSketch *s)
{
	if (s->units == 1)
		return isnan(s->value[0]) ? NAN : 1;
	return clamp(sqrt(squared_length(huf_sketch_units(s), s->dim)) / s->units, 0, 1);
}

Datum
pinecone_huf_sketch_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_SKETCH(0)->dim);
}

Datum
pinecone_huf_sketch_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_SKETCH(0)->n);
}

Datum
pinecone_huf_sketch_centroid(PG_FUNCTION_ARGS)
{
	HufSketch *s = PG_GETARG_SKETCH(0);
	Datum *mean = palloc(sizeof(Datum) * s->dim);

	for (int i = 0; i < s->dim; i++)
		mean[i] = Float8GetDatum(huf_sketch_mean(s)[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(mean, s->dim, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The statistics of one sketch: false stands for NULL. */
typedef bool (*Statistic)(const HufSketch *s, double *result);

static bool
mrl(const HufSketch *s, double *result)
{
	if (s->units == 0)
		return false;
	*result = resultant_length(s);
	return true;
}

static bool
pairwise_cos(const HufSketch *s, double *result)
{
	double n = s->units;

	if (s->units < 2)
		return false;
	*result = clamp((squared_length(huf_sketch_units(s), s->dim) - n) / (n * (n - 1)), -1 / (n - 1), 1);
	return true;
}

static bool
dispersion(const HufSketch *s, double *result)
{
	HufSum sum = {0};

	for (int i = 0; i < s->dim; i++)
		huf_sum_add(&sum, huf_sketch_m2(s)[i]);
	*result = huf_sum_value(&sum) / s->n;
	return true;
}

static bool
kappa(const HufSketch *s, double *result)
{
	double r;

	if (!mrl(s, &r))
		return false;
	if (r >= 1 - LENGTH_TOLERANCE)
		*result = INFINITY;
	else
		*result = r * (s->dim - r * r) / ((1 - r) * (1 + r));
	return true;
}

static Datum
sketch_statistic(FunctionCallInfo fcinfo, Statistic statistic)
{
	double result;

	if (!statistic(PG_GETARG_SKETCH(0), &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

static Datum
state_statistic(FunctionCallInfo fcinfo, Statistic statistic)
{
	double result;

	if (PG_ARGISNULL(0) ||
		!statistic(pinecone_huf_sketch_whole((HufSketchState *) PG_GETARG_POINTER(0)), &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

Datum
pinecone_huf_mrl(PG_FUNCTION_ARGS)
{
	return sketch_statistic(fcinfo, mrl);
}

Datum
pinecone_huf_pairwise_cos(PG_FUNCTION_ARGS)
{
	return sketch_statistic(fcinfo, pairwise_cos);
}

Datum
pinecone_huf_dispersion(PG_FUNCTION_ARGS)
{
	return sketch_statistic(fcinfo, dispersion);
}

Datum
pinecone_huf_kappa(PG_FUNCTION_ARGS)
{
	return sketch_statistic(fcinfo, kappa);
}

Datum
pinecone_huf_mrl_final(PG_FUNCTION_ARGS)
{
	return state_statistic(fcinfo, mrl);
}

Datum
pinecone_huf_pairwise_cos_final(PG_FUNCTION_ARGS)
{
	return state_statistic(fcinfo, pairwise_cos);
}

Datum
pinecone_huf_dispersion_final(PG_FUNCTION_ARGS)
{
	return state_statistic(fcinfo, dispersion);
}

Datum
pinecone_huf_kappa_final(PG_FUNCTION_ARGS)
{
	return state_statistic(fcinfo, kappa);
}

static void
two_sketches(FunctionCallInfo fcinfo, HufSketch **a, HufSketch **b)
{
	*a = PG_GETARG_SKETCH(0);
	*b = PG_GETARG_SKETCH(1);
	if ((*a)->dim != (*b)->dim)
		pinecone_huf_dim_mismatch((*a)->dim, (*b)->dim);
}

/* Squared distance of the centroids. */
static double
squared_shift(const HufSketch *a, const HufSketch *b)
{
	HufSum sum = {0};

	for (int i = 0; i < a->dim; i++)
	{
		double d = huf_sketch_mean(a)[i] - huf_sketch_mean(b)[i];

		huf_sum_add(&sum, d * d);
	}
	return huf_sum_value(&sum);
}

/*
 * 1 - cosine of the two mean directions, as half the squared distance of two
 * unit vectors: the direct form rounds to 0 for small angles.
 */
Datum
pinecone_huf_centroid_cos_drift(PG_FUNCTION_ARGS)
{
	HufSketch *a;
	HufSketch *b;
	double length_a;
	double length_b;
	HufSum sum = {0};

	two_sketches(fcinfo, &a, &b);
	if (a->units == 0 || b->units == 0)
		PG_RETURN_NULL();
	length_a = sqrt(squared_length(huf_sketch_units(a), a->dim));
	length_b = sqrt(squared_length(huf_sketch_units(b), b->dim));
	if (length_a < NO_DIRECTION * a->units || length_b < NO_DIRECTION * b->units)
		PG_RETURN_NULL();
	for (int i = 0; i < a->dim; i++)
	{
		double d = huf_sketch_units(a)[i] / length_a - huf_sketch_units(b)[i] / length_b;

		huf_sum_add(&sum, d * d);
	}
	PG_RETURN_FLOAT8(clamp(huf_sum_value(&sum) / 2, 0, 2));
}

/* Distance of the centroids; scaled, as a square may overflow where it does not. */
Datum
pinecone_huf_centroid_l2_drift(PG_FUNCTION_ARGS)
{
	HufSketch *a;
	HufSketch *b;
	double squared;
	double largest = 0;
	double factor;
	HufSum sum = {0};

	two_sketches(fcinfo, &a, &b);
	squared = squared_shift(a, b);
	if (isnan(squared) || (squared > 1e-280 && squared < 1e280))
		PG_RETURN_FLOAT8(sqrt(squared));
	for (int i = 0; i < a->dim; i++)
		largest = Max(largest, fabs(huf_sketch_mean(a)[i] - huf_sketch_mean(b)[i]));
	if (largest == 0 || isinf(largest))
		PG_RETURN_FLOAT8(largest);
	factor = ldexp(1, -huf_scale_exponent(largest));
	for (int i = 0; i < a->dim; i++)
	{
		double d = (huf_sketch_mean(a)[i] - huf_sketch_mean(b)[i]) * factor;

		huf_sum_add(&sum, d * d);
	}
	PG_RETURN_FLOAT8(ldexp(sqrt(huf_sum_value(&sum)), huf_scale_exponent(largest)));
}

/* Squared shift less what chance alone would give; may be negative. */
Datum
pinecone_huf_l2_unbiased(PG_FUNCTION_ARGS)
{
	HufSketch *a;
	HufSketch *b;
	double spread_a;
	double spread_b;

	two_sketches(fcinfo, &a, &b);
	if (a->n < 2 || b->n < 2)
		PG_RETURN_NULL();
	dispersion(a, &spread_a);
	dispersion(b, &spread_b);
	PG_RETURN_FLOAT8(squared_shift(a, b) - spread_a / (a->n - 1.0) - spread_b / (b->n - 1.0));
}

/*
 * How likely chance alone moves centroids as far apart as these, at most.
 *
 * Without change, the squared shift over its expectation is about a weighted
 * sum of chi-squares of one degree each, with weights that add up to 1: the
 * shares of the variance along its principal directions, which a sketch does
 * not know.  But above 1.5365 the tail is longest when all the variance is in
 * one direction (Szekely and Bakirov 2003), so chi-square with one degree
 * bounds it.  Below, nothing is claimed.
 */
Datum
pinecone_huf_shift_p(PG_FUNCTION_ARGS)
{
	const double bound_from = 1.5365;
	HufSketch *a;
	HufSketch *b;
	double spread_a;
	double spread_b;
	double expected;
	double ratio;

	two_sketches(fcinfo, &a, &b);
	if (a->n < 2 || b->n < 2)
		PG_RETURN_NULL();
	dispersion(a, &spread_a);
	dispersion(b, &spread_b);
	expected = spread_a / (a->n - 1.0) + spread_b / (b->n - 1.0);
	ratio = squared_shift(a, b);
	if (ratio > 0)
		ratio /= expected; /* infinite if nothing varies and yet it moved */
	if (isnan(ratio))
		PG_RETURN_FLOAT8(ratio);
	PG_RETURN_FLOAT8(ratio < bound_from ? 1.0 : erfc(sqrt(ratio / 2)));
}

/* Squared Frechet distance of two normal distributions, per dimension. */
Datum
pinecone_huf_frechet_diag(PG_FUNCTION_ARGS)
{
	HufSketch *a;
	HufSketch *b;
	HufSum sum = {0};

	two_sketches(fcinfo, &a, &b);
	for (int i = 0; i < a->dim; i++)
	{
		double d = sqrt(huf_sketch_m2(a)[i] / a->n) - sqrt(huf_sketch_m2(b)[i] / b->n);

		huf_sum_add(&sum, d * d);
	}
	PG_RETURN_FLOAT8(squared_shift(a, b) + huf_sum_value(&sum));
}

/*
 * Mean cosine between vectors of different groups, one sketch per group:
 * (|sum U_g|^2 - sum |U_g|^2) / (N^2 - sum n_g^2).  Half of each difference is
 * a sum over pairs of groups, and kept as one: with a large group and a small
 * one the difference would cancel.
 */
typedef struct Between
{
	int dim;
	int64 groups;
	double n;	  /* sum n_g */
	double pairs; /* sum n_g n_h over g < h */
	HufSum dots;  /* sum U_g U_h */
	double sum[FLEXIBLE_ARRAY_MEMBER];
} Between;

#define BETWEEN_SIZE(dim) (offsetof(Between, sum) + sizeof(double) * (dim))

/* Add groups to the pairs and the sums: n vectors with the sum of directions u. */
static void
add_between(Between *b, double n, const double *u)
{
	b->pairs += b->n * n;
	b->n += n;
	for (int i = 0; i < b->dim; i++)
	{
		huf_sum_add(&b->dots, b->sum[i] * u[i]);
		b->sum[i] += u[i];
	}
}

Datum
pinecone_huf_between_cos_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Between *b = PG_ARGISNULL(0) ? NULL : (Between *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		HufSketch *s = PG_GETARG_SKETCH(1);

		if (b == NULL)
		{
			b = MemoryContextAllocZero(context, BETWEEN_SIZE(s->dim));
			b->dim = s->dim;
		}
		if (b->dim != s->dim)
			pinecone_huf_dim_mismatch(b->dim, s->dim);
		if (s->units > 0)
		{
			b->groups++;
			add_between(b, s->units, huf_sketch_units(s));
		}
		PG_FREE_IF_COPY(s, 1);
	}
	if (b == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(b);
}

Datum
pinecone_huf_between_cos_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Between *b = PG_ARGISNULL(0) ? NULL : (Between *) PG_GETARG_POINTER(0);
	Between *other = PG_ARGISNULL(1) ? NULL : (Between *) PG_GETARG_POINTER(1);

	if (other != NULL && b == NULL)
	{
		b = MemoryContextAlloc(context, BETWEEN_SIZE(other->dim));
		memcpy(b, other, BETWEEN_SIZE(other->dim));
	}
	else if (other != NULL)
	{
		if (b->dim != other->dim)
			pinecone_huf_dim_mismatch(b->dim, other->dim);
		b->groups += other->groups;
		b->pairs += other->pairs;
		huf_sum_merge(&b->dots, &other->dots);
		add_between(b, other->n, other->sum);
	}
	if (b == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(b);
}

/* Between processes of one server the struct itself will do. */
Datum
pinecone_huf_between_cos_serialize(PG_FUNCTION_ARGS)
{
	Between *b = (Between *) PG_GETARG_POINTER(0);
	bytea *bytes = palloc(VARHDRSZ + BETWEEN_SIZE(b->dim));

	pinecone_huf_aggregate_context(fcinfo);
	SET_VARSIZE(bytes, VARHDRSZ + BETWEEN_SIZE(b->dim));
	memcpy(VARDATA(bytes), b, BETWEEN_SIZE(b->dim));
	PG_RETURN_BYTEA_P(bytes);
}

Datum
pinecone_huf_between_cos_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Between *b = palloc(VARSIZE_ANY_EXHDR(bytes));

	pinecone_huf_aggregate_context(fcinfo);
	memcpy(b, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_POINTER(b);
}

Datum
pinecone_huf_between_cos_final(PG_FUNCTION_ARGS)
{
	Between *b = PG_ARGISNULL(0) ? NULL : (Between *) PG_GETARG_POINTER(0);

	if (b == NULL || b->groups < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clamp(huf_sum_value(&b->dots) / b->pairs, -1, 1));
}
