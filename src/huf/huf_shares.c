/*
 * huf_shares.c
 *		Shares of an array of scores, and the damping objective over one.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "huf/huf_common.h"

PG_FUNCTION_INFO_V1(pinecone_huf_nonneg);
PG_FUNCTION_INFO_V1(pinecone_huf_share);
PG_FUNCTION_INFO_V1(pinecone_huf_softmax);
PG_FUNCTION_INFO_V1(pinecone_huf_activity_share);
PG_FUNCTION_INFO_V1(pinecone_huf_damping_coherence);
PG_FUNCTION_INFO_V1(pinecone_huf_objective);
PG_FUNCTION_INFO_V1(pinecone_huf_objective_penalty);
PG_FUNCTION_INFO_V1(pinecone_huf_alpha_star);
PG_FUNCTION_INFO_V1(pinecone_huf_alpha_coupled);
PG_FUNCTION_INFO_V1(pinecone_huf_erosion);

/* Make scores non-negative: cut them off at 0, or shift the least to 0. */
Datum
pinecone_huf_nonneg(PG_FUNCTION_ARGS)
{
	char *mode = text_to_cstring(PG_GETARG_TEXT_PP(1));
	HufArray a;
	double least = 0;

	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(0), &a);
	if (strcmp(mode, "clip") != 0 && strcmp(mode, "shift") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid mode: \"%s\"", mode),
				 errhint("Valid modes are \"clip\" and \"shift\".")));
	if (a.nonnull == 0)
		PG_RETURN_NULL();
	if (mode[0] == 's')
		for (int i = 0; i < a.n; i++)
			if (a.value[i] < least)
				least = a.value[i];
	for (int i = 0; i < a.n; i++)
	{
		if (mode[0] == 's')
			a.value[i] = a.value[i] - least + 0.0; /* no -0.0 */
		else if (a.value[i] <= 0)
			a.value[i] = 0; /* -0.0 too */
	}
	PG_RETURN_DATUM(pinecone_huf_array_datum(&a));
}

/*
 * The non-NULL elements of an array as masses, NULLs squeezed out.
 * The number of them is a->nonnull.
 */
static double *
squeeze(const HufArray *a)
{
	double *value = palloc(sizeof(double) * Max(a->n, 1));
	int n = 0;

	for (int i = 0; i < a->n; i++)
		if (!a->isnull[i])
			value[n++] = a->value[i];
	return value;
}

/* Replace the elements of an array by their shares; false if undefined. */
static bool
array_shares(HufArray *a, HufKind kind, double t)
{
	double *mass = squeeze(a);
	double total = 0;
	HufMassState state = pinecone_huf_masses(mass, a->nonnull, kind, t, &total);
	int n = 0;

	if (state == HUF_MASS_ZERO)
		return false;
	for (int i = 0; i < a->n; i++)
		if (!a->isnull[i])
			a->value[i] = state == HUF_MASS_NAN ? NAN : mass[n++] / total;
	return true;
}

/* Linear shares of masses. */
Datum
pinecone_huf_share(PG_FUNCTION_ARGS)
{
	HufArray a;

	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(0), &a);
	if (!array_shares(&a, HUF_LINEAR, 1))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(pinecone_huf_array_datum(&a));
}

/* Softmax shares of scores. */
Datum
pinecone_huf_softmax(PG_FUNCTION_ARGS)
{
	double t = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(1));
	HufArray a;

	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(0), &a);
	if (!array_shares(&a, HUF_SOFTMAX, t))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(pinecone_huf_array_datum(&a));
}

/*
 * Shares of masses weighted by activity.  An element that is NULL on either
 * side is NULL in the result.
 */
Datum
pinecone_huf_activity_share(PG_FUNCTION_ARGS)
{
	HufArray mass;
	HufArray activity;
	bool finite = true;

	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(0), &mass);
	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(1), &activity);
	if (mass.n != activity.n)
		pinecone_huf_bad_param("masses and activities must have the same length");
	for (int i = 0; i < mass.n; i++)
	{
		if (!activity.isnull[i] && !isnan(activity.value[i]))
			pinecone_huf_fraction("activity", activity.value[i]);
		if (activity.isnull[i] && !mass.isnull[i])
		{
			mass.isnull[i] = true;
			mass.nonnull--;
		}
		if (mass.isnull[i])
			mass.value[i] = activity.value[i] = 0;
		if (mass.value[i] < 0)
			pinecone_huf_negative_mass(mass.value[i], HUF_MASS_OF_ARRAY);
		finite &= isfinite(mass.value[i]) && isfinite(activity.value[i]);
	}
	if (finite)
		pinecone_huf_products(mass.value, activity.value, mass.value, mass.n);
	else
		for (int i = 0; i < mass.n; i++)
			mass.value[i] = NAN;
	if (!array_shares(&mass, HUF_LINEAR, 1))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(pinecone_huf_array_datum(&mass));
}

/*
 * Mean absolute value, NaN if a score is not finite.  Scaled, so that it
 * cannot overflow: the mean of doubles is one.
 */
static double
mean_absolute(const double *value, int n)
{
	double *mass = palloc(sizeof(double) * Max(n, 1));
	double largest = 0;
	double total = 0;
	HufMassState state;

	for (int i = 0; i < n; i++)
	{
		mass[i] = fabs(value[i]);
		largest = Max(largest, mass[i]);
	}
	state = pinecone_huf_masses(mass, n, HUF_LINEAR, 1, &total);
	if (state == HUF_MASS_NAN)
		return NAN;
	if (state == HUF_MASS_ZERO)
		return 0;
	return ldexp(total / n, huf_scale_exponent(largest));
}

/* The mean of tiny scores may round to 0 where the scores are not 0. */
static bool
all_zero(const HufArray *a)
{
	for (int i = 0; i < a->n; i++)
		if (a->value[i] != 0)
			return false;
	return true;
}

/* 1 - C(alpha) = |1 - alpha| * mean |s| */
static double
damping_loss(double alpha, double mean)
{
	/* alpha = 1 damps nothing, whatever the mean; 0 * NaN must stay NaN */
	return fabs(1 - alpha) * mean;
}

/* Population variance of the local softmax shares of alpha * s. */
static double
damped_share_variance(const double *score, int n, double alpha)
{
	double *mass = palloc(sizeof(double) * Max(n, 1));
	double total = 0;
	HufSum sum = {0};

	for (int i = 0; i < n; i++)
	{
		mass[i] = alpha * score[i];
		if (!isfinite(mass[i]))
			return NAN;
	}
	if (pinecone_huf_masses(mass, n, HUF_SOFTMAX, 1, &total) != HUF_MASS_OK)
		return NAN;
	for (int i = 0; i < n; i++)
	{
		double d = mass[i] / total - 1.0 / n;

		huf_sum_add(&sum, d * d);
	}
	return huf_sum_value(&sum) / n;
}

/* The note's damping coherence: C(alpha) = 1 - |1 - alpha| * mean |s|. */
Datum
pinecone_huf_damping_coherence(PG_FUNCTION_ARGS)
{
	double alpha = PG_GETARG_FLOAT8(0);
	HufArray a;

	if (isinf(alpha))
		pinecone_huf_bad_param("alpha must be finite");
	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(1), &a);
	if (a.nonnull == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(1 - damping_loss(alpha, mean_absolute(squeeze(&a), a.nonnull)));
}

static double
check_weight(const char *name, double value)
{
	if (!(value >= 0 && value <= DBL_MAX))
		pinecone_huf_bad_param("%s must be finite and not negative", name);
	return value;
}

/* J without its last term; false if there are no scores. */
static bool
objective_base(double alpha, ArrayType *scores, double lambda, double *j)
{
	HufArray a;
	double *score;
	double mean;

	if (isinf(alpha))
		pinecone_huf_bad_param("alpha must be finite");
	check_weight("lambda", lambda);
	pinecone_huf_array(scores, &a);
	if (a.nonnull == 0)
		return false;
	score = squeeze(&a);
	mean = mean_absolute(score, a.nonnull);
	*j = isnan(mean) ? NAN : damping_loss(alpha, mean) + lambda * damped_share_variance(score, a.nonnull, alpha);
	return true;
}

/* J(alpha) = (1 - C) + lambda * Var(softmax(alpha s)) + mu * (1 - A). */
Datum
pinecone_huf_objective(PG_FUNCTION_ARGS)
{
	double activity = PG_GETARG_FLOAT8(2);
	double mu = check_weight("mu", PG_GETARG_FLOAT8(4));
	double j;

	pinecone_huf_fraction("activity", activity);
	if (!objective_base(PG_GETARG_FLOAT8(0), PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_FLOAT8(3), &j))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(j + mu * (1 - activity));
}

/* The same with any penalty in place of mu * (1 - A). */
Datum
pinecone_huf_objective_penalty(PG_FUNCTION_ARGS)
{
	double penalty = check_weight("penalty", PG_GETARG_FLOAT8(2));
	double j;

	if (!objective_base(PG_GETARG_FLOAT8(0), PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_FLOAT8(3), &j))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(j + penalty);
}

/*
 * The minimiser of J over [lo, hi].
 *
 * For lambda below 1/2 the first term of J always outweighs the second, so
 * J falls towards alpha = 1 from both sides: the answer is the point of the
 * box nearest to 1, and needs no search.
 */
Datum
pinecone_huf_alpha_star(PG_FUNCTION_ARGS)
{
	double lambda = PG_GETARG_FLOAT8(1);
	double lo = PG_GETARG_FLOAT8(2);
	double hi = PG_GETARG_FLOAT8(3);
	HufArray a;
	double mean;

	if (!(lambda >= 0 && lambda < 0.5))
		pinecone_huf_bad_param("lambda must be at least 0 and less than 0.5");
	if (!(lo <= hi))
		pinecone_huf_bad_param("lo must not be greater than hi");
	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(0), &a);
	if (a.nonnull == 0)
		PG_RETURN_NULL();
	mean = mean_absolute(squeeze(&a), a.nonnull);
	if (isnan(mean))
		PG_RETURN_FLOAT8(mean);
	if (mean == 0 && all_zero(&a))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(Min(Max(1, lo), hi));
}

/* The minimiser of (1 - alpha)^2 m + mu (1 - A) alpha^2. */
Datum
pinecone_huf_alpha_coupled(PG_FUNCTION_ARGS)
{
	double activity = PG_GETARG_FLOAT8(1);
	double mu = check_weight("mu", PG_GETARG_FLOAT8(2));
	double pull = mu * (1 - pinecone_huf_fraction("activity", activity));
	HufArray a;
	double mean;

	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(0), &a);
	if (a.nonnull == 0)
		PG_RETURN_NULL();
	mean = mean_absolute(squeeze(&a), a.nonnull);
	if (isnan(mean))
		PG_RETURN_FLOAT8(mean);
	if (pull == 0)
	{
		if (all_zero(&a))
			PG_RETURN_NULL();
		PG_RETURN_FLOAT8(1);
	}
	/* the sum of two large doubles may overflow where their ratio does not */
	if (isinf(mean + pull))
		PG_RETURN_FLOAT8((mean / 2) / (mean / 2 + pull / 2));
	PG_RETURN_FLOAT8(mean / (mean + pull));
}

/* Relative change of one share: (later - earlier) / earlier. */
Datum
pinecone_huf_erosion(PG_FUNCTION_ARGS)
{
	double earlier = PG_GETARG_FLOAT8(0);
	double later = PG_GETARG_FLOAT8(1);

	if (earlier < 0 || later < 0)
		pinecone_huf_negative_mass(earlier < 0 ? earlier : later, HUF_MASS_OF_SIDES);
	if (isnan(earlier) || isnan(later) || isinf(earlier) || isinf(later))
		PG_RETURN_FLOAT8(NAN);
	if (earlier == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((later - earlier) / earlier);
}
