/*
 * huf_drift.c
 *		Drift between two snapshots: aggregates over (earlier, later) masses,
 *		one row per namespace, item or bin.
 *
 * Both sides are normalised here, so masses, counts or shares may be given.
 * The totals are known only at the end, so all rows are kept; there are as
 * many as there are namespaces.
 */
#include "postgres.h"

#include "huf/huf_drift.h"
#include "huf/huf_rows.h"

PG_FUNCTION_INFO_V1(pinecone_huf_drift_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_tv);
PG_FUNCTION_INFO_V1(pinecone_huf_coherence);
PG_FUNCTION_INFO_V1(pinecone_huf_coherence_rms);
PG_FUNCTION_INFO_V1(pinecone_huf_linf);
PG_FUNCTION_INFO_V1(pinecone_huf_mean_abs_gap);
PG_FUNCTION_INFO_V1(pinecone_huf_js);
PG_FUNCTION_INFO_V1(pinecone_huf_js_distance);
PG_FUNCTION_INFO_V1(pinecone_huf_hellinger);
PG_FUNCTION_INFO_V1(pinecone_huf_kl);
PG_FUNCTION_INFO_V1(pinecone_huf_psi);
PG_FUNCTION_INFO_V1(pinecone_huf_entropy_shift);
PG_FUNCTION_INFO_V1(pinecone_huf_global_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_global_objective);

#define DEFAULT_EPS 1e-6
#define DEFAULT_GAMMA 0.05

#define PARAM_EPS 0
#define PARAM_GAMMA 0
#define PARAM_NORMALISE 1

/* Shares of both sides, or the reason why there are none */
typedef struct Sides
{
	HufMassState state;
	int64 n;
	double *p; /* earlier */
	double *q; /* later */
	double eps;
	const HufRows *rows; /* the masses */
} Sides;

double
pinecone_huf_check_eps(double eps)
{
	if (!(eps >= 0 && eps < 1))
		pinecone_huf_bad_param("eps must be at least 0 and less than 1");
	return eps;
}

/* Transition of the functions of (prev, cur) and (prev, cur, eps). */
Datum
pinecone_huf_drift_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR, {DEFAULT_EPS}};
	HufRows *rows;

	if (PG_NARGS() > 3)
	{
		if (PG_ARGISNULL(3))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
		params.value[PARAM_EPS] = pinecone_huf_check_eps(PG_GETARG_FLOAT8(3));
	}
	rows = pinecone_huf_rows_prepare(fcinfo, 2, &params);
	if (!PG_ARGISNULL(1) || !PG_ARGISNULL(2))
	{
		/* a namespace that one side lacks has no mass there */
		double prev = PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);
		double cur = PG_ARGISNULL(2) ? 0 : PG_GETARG_FLOAT8(2);
		double *row;

		if (prev < 0 || cur < 0)
			pinecone_huf_negative_mass(prev < 0 ? prev : cur, HUF_MASS_OF_SIDES);
		row = pinecone_huf_rows_append(rows);
		row[0] = prev;
		row[1] = cur;
	}
	PG_RETURN_POINTER(rows);
}

static HufMassState
normalise(double *mass, int64 n)
{
	double total = 0;
	HufMassState state = pinecone_huf_masses(mass, n, HUF_LINEAR, 1, &total);

	if (state == HUF_MASS_OK)
		for (int64 i = 0; i < n; i++)
			mass[i] /= total;
	return state;
}

static Sides
load_sides(FunctionCallInfo fcinfo)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	Sides s = {HUF_MASS_ZERO};
	HufMassState later;

	if (rows == NULL || rows->n == 0)
		return s;
	s.rows = rows;
	s.n = rows->n;
	s.eps = rows->params.value[PARAM_EPS];
	s.p = pinecone_huf_rows_column(rows, 0);
	s.q = pinecone_huf_rows_column(rows, 1);
	s.state = normalise(s.p, s.n);
	later = normalise(s.q, s.n);
	if (later == HUF_MASS_NAN || s.state == HUF_MASS_OK)
		s.state = later;
	return s;
}

#define LOAD_SIDES(s) \
	Sides s = load_sides(fcinfo); \
	if (s.state == HUF_MASS_ZERO) \
		PG_RETURN_NULL(); \
	if (s.state == HUF_MASS_NAN) \
	PG_RETURN_FLOAT8(NAN)

static double
clamp01(double x)
{
	return Min(Max(x, 0), 1);
}

static double
total_gap(const Sides *s)
{
	HufSum sum = {0};

	for (int64 i = 0; i < s->n; i++)
		huf_sum_add(&sum, fabs(s->p[i] - s->q[i]));
	return Min(huf_sum_value(&sum), 2);
}

/* Total variation. */
Datum
pinecone_huf_tv(PG_FUNCTION_ARGS)
{
	LOAD_SIDES(s);
	PG_RETURN_FLOAT8(total_gap(&s) / 2);
}

Datum
pinecone_huf_coherence(PG_FUNCTION_ARGS)
{
	LOAD_SIDES(s);
	PG_RETURN_FLOAT8(1 - total_gap(&s) / 2);
}

Datum
pinecone_huf_mean_abs_gap(PG_FUNCTION_ARGS)
{
	LOAD_SIDES(s);
	PG_RETURN_FLOAT8(total_gap(&s) / s.n);
}

Datum
pinecone_huf_coherence_rms(PG_FUNCTION_ARGS)
{
	HufSum sum = {0};

	LOAD_SIDES(s);
	for (int64 i = 0; i < s.n; i++)
		huf_sum_add(&sum, (s.p[i] - s.q[i]) * (s.p[i] - s.q[i]));
	PG_RETURN_FLOAT8(clamp01(1 - sqrt(huf_sum_value(&sum) / s.n)));
}

Datum
pinecone_huf_linf(PG_FUNCTION_ARGS)
{
	double largest = 0;

	LOAD_SIDES(s);
	for (int64 i = 0; i < s.n; i++)
		largest = Max(largest, fabs(s.p[i] - s.q[i]));
	PG_RETURN_FLOAT8(largest);
}

/*
 * ((1+d) ln(1+d) + (1-d) ln(1-d)) / 2 for d within -1 and 1.  Near 0 the
 * logarithms cancel, so there it is the series sum d^2k / (2k (2k-1)).
 */
static double
js_kernel(double d)
{
	double d2 = d * d;

	if (d2 < 0.01)
		return d2 * (1.0 / 2 + d2 * (1.0 / 12 + d2 * (1.0 / 30 + d2 * (1.0 / 56 + d2 * (1.0 / 90 + d2 * (1.0 / 132 + d2 * (1.0 / 182 + d2 / 240)))))));
	return ((d > -1 ? (1 + d) * log1p(d) : 0) + (d < 1 ? (1 - d) * log1p(-d) : 0)) / 2;
}

/* Jensen-Shannon divergence, between 0 and ln 2. */
static double
js_divergence(const Sides *s)
{
	HufSum sum = {0};

	for (int64 i = 0; i < s->n; i++)
	{
		double both = s->p[i] + s->q[i];

		if (both > 0)
			huf_sum_add(&sum, both * js_kernel((s->p[i] - s->q[i]) / both));
	}
	return Min(Max(huf_sum_value(&sum), 0), 2 * M_LN2) / 2;
}

Datum
pinecone_huf_js(PG_FUNCTION_ARGS)
{
	LOAD_SIDES(s);
	PG_RETURN_FLOAT8(js_divergence(&s));
}

Datum
pinecone_huf_js_distance(PG_FUNCTION_ARGS)
{
	LOAD_SIDES(s);
	PG_RETURN_FLOAT8(clamp01(sqrt(js_divergence(&s) / M_LN2)));
}

Datum
pinecone_huf_hellinger(PG_FUNCTION_ARGS)
{
	HufSum sum = {0};

	LOAD_SIDES(s);
	for (int64 i = 0; i < s.n; i++)
	{
		double root = sqrt(s.p[i]) + sqrt(s.q[i]);

		if (root > 0)
		{
			/* the difference of the roots, without cancellation */
			double d = (s.p[i] - s.q[i]) / root;

			huf_sum_add(&sum, d * d);
		}
	}
	PG_RETURN_FLOAT8(clamp01(sqrt(huf_sum_value(&sum) / 2)));
}

/* Raise shares below eps to eps and normalise again. */
static void
smooth(double *share, int64 n, double eps)
{
	bool changed = false;

	for (int64 i = 0; i < n; i++)
	{
		changed |= share[i] < eps;
		share[i] = Max(share[i], eps);
	}
	if (changed)
		normalise(share, n);
}

/* ln(q / p) of two positive shares. */
static double
log_ratio(double q, double p)
{
	if (q > p / 2 && q < p * 2)
		return log1p((q - p) / p);
	/* a ratio of denormals may overflow, the logarithms do not */
	return log(q) - log(p);
}

/*
 * q ln(q/p) - q + p, which is never negative.  The added terms vanish in the
 * sum over all rows; near q = p what is left is a series in u = (p - q) / q.
 */
static double
kl_term(double q, double p)
{
	double u;

	if (q == 0)
		return p;
	if (p == 0)
		return INFINITY;
	u = (p - q) / q;
	if (fabs(u) < 0.05)
	{
		/* u - ln(1 + u) = sum (-u)^k / k from k = 2 */
		double term = 0;

		for (int k = 12; k >= 2; k--)
			term = 1.0 / k - u * term;
		return q * u * u * term;
	}
	return q * log_ratio(q, p) - q + p;
}

/* (q - p) ln(q/p), infinite if one of them is 0. */
static double
psi_term(double q, double p)
{
	if (p == q)
		return 0;
	if (p == 0 || q == 0)
		return INFINITY;
	return (q - p) * log_ratio(q, p);
}

double
pinecone_huf_psi_sum(double *p, double *q, int64 n, double eps)
{
	HufSum sum = {0};

	smooth(p, n, eps);
	smooth(q, n, eps);
	for (int64 i = 0; i < n; i++)
		huf_sum_add(&sum, psi_term(q[i], p[i]));
	return Max(huf_sum_value(&sum), 0);
}

/*
 * Logarithms of shares that a double has no digits for: denormal, or 0 where
 * the mass is not.  They follow from the masses, and matter only if eps lets
 * such shares through.
 */
typedef struct TinyShares
{
	const Sides *sides;
	double log_total[2];
} TinyShares;

static double
log_total(const Sides *s, int side, const double *share)
{
	int64 top = 0;

	for (int64 i = 1; i < s->n; i++)
		if (share[i] > share[top])
			top = i;
	return log(huf_row(s->rows, top)[side]) - log(share[top]);
}

static TinyShares
find_tiny_shares(const Sides *s)
{
	TinyShares tiny = {s, {log_total(s, 0, s->p), log_total(s, 1, s->q)}};

	return tiny;
}

static double
log_share(const TinyShares *tiny, int side, int64 i)
{
	const Sides *s = tiny->sides;
	double share = (side == 0 ? s->p : s->q)[i];

	if (share >= DBL_MIN)
		return log(share);
	return Max(log(huf_row(s->rows, i)[side]) - tiny->log_total[side], log(s->eps));
}

/* ln(q / p) of row i where one of them is tiny; 0 if both are 0. */
static double
tiny_log_ratio(const TinyShares *tiny, int64 i)
{
	double p = log_share(tiny, 0, i);
	double q = log_share(tiny, 1, i);

	return p == q ? 0 : q - p;
}

/* Kullback-Leibler divergence of later from earlier. */
Datum
pinecone_huf_kl(PG_FUNCTION_ARGS)
{
	HufSum sum = {0};
	TinyShares tiny;

	LOAD_SIDES(s);
	tiny = find_tiny_shares(&s);
	if (s.eps >= DBL_MIN)
	{
		smooth(s.p, s.n, s.eps);
		smooth(s.q, s.n, s.eps);
	}
	for (int64 i = 0; i < s.n; i++)
	{
		double p = s.p[i];
		double q = s.q[i];

		if (p >= DBL_MIN)
			huf_sum_add(&sum, kl_term(q, p));
		else
		{
			double ratio = tiny_log_ratio(&tiny, i);

			if (ratio == INFINITY)
				PG_RETURN_FLOAT8(ratio);
			huf_sum_add(&sum, q > 0 ? q * ratio - q + p : p);
		}
	}
	PG_RETURN_FLOAT8(Max(huf_sum_value(&sum), 0));
}

/* Population stability index. */
Datum
pinecone_huf_psi(PG_FUNCTION_ARGS)
{
	HufSum sum = {0};
	TinyShares tiny;

	LOAD_SIDES(s);
	if (s.eps >= DBL_MIN)
		PG_RETURN_FLOAT8(pinecone_huf_psi_sum(s.p, s.q, s.n, s.eps));
	tiny = find_tiny_shares(&s);
	for (int64 i = 0; i < s.n; i++)
	{
		double p = s.p[i];
		double q = s.q[i];

		if (p >= DBL_MIN && q >= DBL_MIN)
			huf_sum_add(&sum, psi_term(q, p));
		else
		{
			double ratio = tiny_log_ratio(&tiny, i);

			if (isinf(ratio))
				PG_RETURN_FLOAT8(INFINITY);
			huf_sum_add(&sum, (q - p) * ratio);
		}
	}
	PG_RETURN_FLOAT8(Max(huf_sum_value(&sum), 0));
}

/* (H(later) - H(earlier)) / ln n. */
Datum
pinecone_huf_entropy_shift(PG_FUNCTION_ARGS)
{
	HufSum sum = {0};

	LOAD_SIDES(s);
	if (s.n < 2)
		PG_RETURN_NULL();
	for (int64 i = 0; i < s.n; i++)
	{
		if (s.p[i] > 0)
			huf_sum_add(&sum, s.p[i] * log(s.p[i]));
		if (s.q[i] > 0)
			huf_sum_add(&sum, -s.q[i] * log(s.q[i]));
	}
	PG_RETURN_FLOAT8(Min(Max(huf_sum_value(&sum) / log(s.n), -1), 1));
}

/*
 * Transition of huf_global_objective(activity, mass, objective [, gamma
 * [, normalise]]).  A row with a NULL is skipped.
 */
Datum
pinecone_huf_global_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR, {DEFAULT_GAMMA, 0}};
	HufRows *rows;

	for (int i = 4; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
	if (PG_NARGS() > 4)
	{
		double gamma = PG_GETARG_FLOAT8(4);

		if (!(gamma >= 0 && gamma <= DBL_MAX))
			pinecone_huf_bad_param("gamma must be finite and not negative");
		params.value[PARAM_GAMMA] = gamma;
	}
	if (PG_NARGS() > 5)
		params.value[PARAM_NORMALISE] = PG_GETARG_BOOL(5);
	rows = pinecone_huf_rows_prepare(fcinfo, 3, &params);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		double activity = PG_GETARG_FLOAT8(1);
		double mass = PG_GETARG_FLOAT8(2);
		double *row;

		if (!isnan(activity))
			pinecone_huf_fraction("activity", activity);
		if (mass < 0)
			pinecone_huf_negative_mass(mass, HUF_MASS_OF_ROWS);
		row = pinecone_huf_rows_append(rows);
		row[0] = activity;
		row[1] = mass;
		row[2] = PG_GETARG_FLOAT8(3);
	}
	PG_RETURN_POINTER(rows);
}

/*
 * Mean of J weighted by activity and mass; false if no weight is above 0.  The
 * weights are not made of shares, which underflow where a product need not.
 */
static bool
weighted_mean(const HufRows *rows, double *mean)
{
	double *weight = pinecone_huf_rows_column(rows, 0);
	HufSum weighted = {0};
	HufSum total = {0};

	pinecone_huf_products(weight, pinecone_huf_rows_column(rows, 1), weight, rows->n);
	for (int64 i = 0; i < rows->n; i++)
	{
		huf_sum_add(&weighted, weight[i] * huf_row(rows, i)[2]);
		huf_sum_add(&total, weight[i]);
	}
	if (huf_sum_value(&total) == 0)
		return false;
	*mean = huf_sum_value(&weighted) / huf_sum_value(&total);
	return true;
}

/* sum A w J / (1 or sum A w) + gamma * sample variance of w, w the shares. */
Datum
pinecone_huf_global_objective(PG_FUNCTION_ARGS)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	double *share;
	HufMassState state;
	HufSum weighted = {0};
	HufSum square = {0};
	double sum;
	double variance;

	if (rows == NULL || rows->n == 0)
		PG_RETURN_NULL();
	share = pinecone_huf_rows_column(rows, 1);
	state = normalise(share, rows->n);
	for (int64 i = 0; i < rows->n; i++)
		if (!isfinite(huf_row(rows, i)[0]) || !isfinite(huf_row(rows, i)[2]))
			state = HUF_MASS_NAN;
	if (state == HUF_MASS_NAN)
		PG_RETURN_FLOAT8(NAN);
	if (state == HUF_MASS_ZERO)
		PG_RETURN_NULL();
	for (int64 i = 0; i < rows->n; i++)
	{
		const double *row = huf_row(rows, i);
		double d = share[i] - 1.0 / rows->n;

		huf_sum_add(&weighted, row[0] * share[i] * row[2]);
		huf_sum_add(&square, d * d);
	}
	sum = huf_sum_value(&weighted);
	if (rows->params.value[PARAM_NORMALISE] != 0 && !weighted_mean(rows, &sum))
		PG_RETURN_NULL();
	variance = rows->n > 1 ? huf_sum_value(&square) / (rows->n - 1) : 0;
	PG_RETURN_FLOAT8(sum + rows->params.value[PARAM_GAMMA] * variance);
}
