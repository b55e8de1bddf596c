/*
 * huf_moments.c
 *		Concentration aggregates whose state has a fixed size.
 *
 * Every one of them follows from a few sums over y, the mass of an item
 * relative to a reference: Y = sum y, Q = sum y^2, X = sum y ln y.  Linear
 * masses are measured in a power of two above the largest mass, so y < 1 and
 * nothing overflows; softmax weights in exp(ref / t) with ref just above the
 * largest score.  When a larger mass arrives the sums move to a new reference.
 *
 * The state is of a type of its own, huf_moments, and not "internal": so it can
 * go from one server to another.  In an aggregate it is changed where it is.
 *
 * There is no inverse transition: a reference that came from the largest mass
 * cannot be taken back, and subtraction would leave rounding behind.
 */
#include "postgres.h"

#include "nodes/execnodes.h"

#include "huf/huf_common.h"
#include "huf/huf_moments.h"

PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_log);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_var);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_all);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_abs);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_lse);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_count);
PG_FUNCTION_INFO_V1(pinecone_huf_mass);
PG_FUNCTION_INFO_V1(pinecone_huf_mean_abs);
PG_FUNCTION_INFO_V1(pinecone_huf_lse);
PG_FUNCTION_INFO_V1(pinecone_huf_hhi);
PG_FUNCTION_INFO_V1(pinecone_huf_neff_hhi);
PG_FUNCTION_INFO_V1(pinecone_huf_entropy);
PG_FUNCTION_INFO_V1(pinecone_huf_neff_entropy);
PG_FUNCTION_INFO_V1(pinecone_huf_evenness);
PG_FUNCTION_INFO_V1(pinecone_huf_top_share);
PG_FUNCTION_INFO_V1(pinecone_huf_rho_var);

/* Which sums an aggregate keeps besides Y and Q */
typedef enum Level
{
	LEVEL_BASIC,
	LEVEL_LOG, /* X */
	LEVEL_VAR, /* M2, and not Q */
	LEVEL_ALL, /* all of them, for huf_moments() */
} Level;

/* Multiply all sums as the reference moves; log_factor is ln(factor). */
static void
rescale(HufMoments *m, double factor, double log_factor)
{
	if (m->positive == 0)
		return;
	if (factor == 0)
	{
		/* the old masses vanish beside the new one */
		m->y = m->q = m->x = (HufSum){0};
		m->m2 = m->largest = 0;
		return;
	}
	huf_sum_add(&m->x, log_factor * m->y.s);
	m->x.c += log_factor * m->y.c;
	huf_sum_scale(&m->x, factor);
	huf_sum_scale(&m->y, factor);
	huf_sum_scale(&m->q, factor * factor);
	m->m2 *= factor * factor;
	m->largest *= factor;
}

static pg_noinline void
raise_exponent(HufMoments *m, int exponent)
{
	int g = m->exponent - exponent;

	rescale(m, ldexp(1, g), g * M_LN2);
	m->exponent = exponent;
	m->limit = ldexp(1, exponent);
	m->factor = ldexp(1, -exponent);
}

static pg_noinline void
raise_reference(HufMoments *m, double ref)
{
	if (m->positive > 0)
	{
		double g = huf_softmax_exponent(m->limit, ref, m->t);

		rescale(m, exp(g), g);
	}
	m->limit = ref;
}

/* Add y to the sums; log_y is needed at LEVEL_LOG only. */
static pg_attribute_always_inline void
add_item(HufMoments *m, double y, double log_y, Level level)
{
	m->n++;
	m->missing |= level == LEVEL_BASIC ? HUF_NO_LOGS | HUF_NO_M2 :
				  level == LEVEL_LOG   ? HUF_NO_M2 :
				  level == LEVEL_VAR   ? HUF_NO_SQUARES | HUF_NO_LOGS :
										 0;
	huf_sum_add(&m->y, y);
	if (level >= LEVEL_VAR)
	{
		/*
		 * The step of Youngs and Cramer, as in float8_accum; but when shares
		 * are nearly equal the difference must not come from rounded products.
		 */
		if (m->n > 1)
		{
			double d = fma(y, m->n, -m->y.s) - m->y.c;

			m->m2 += d * d / ((double) m->n * (m->n - 1));
		}
		if (level == LEVEL_VAR)
			return;
	}
	huf_sum_add(&m->q, y * y);
	if ((level == LEVEL_LOG || level == LEVEL_ALL) && y > 0)
		huf_sum_add(&m->x, y * log_y);
	if (y > m->largest)
		m->largest = y;
}

static pg_noinline void
add_odd_mass(HufMoments *m, double x)
{
	if (x < 0)
		pinecone_huf_negative_mass(x, HUF_MASS_OF_ROWS);
	m->n++;
	m->nan = true;
}

static pg_attribute_always_inline void
add_mass(HufMoments *m, double x, Level level)
{
	double y;

	if (unlikely(!(x >= 0 && x <= DBL_MAX)))
	{
		add_odd_mass(m, x);
		return;
	}
	if (unlikely(x >= m->limit) && x > 0)
		raise_exponent(m, huf_scale_exponent(x));
	m->positive += x > 0;
	y = x * m->factor;
	add_item(m, y, (level == LEVEL_LOG || level == LEVEL_ALL) && y > 0 ? log(y) : 0, level);
}

static inline void
add_score(HufMoments *m, double s, Level level)
{
	double t = m->t;
	double z;

	if (unlikely(isnan(s) || s == INFINITY))
	{
		m->n++;
		m->nan = true;
		return;
	}
	if (s == -INFINITY)
	{
		/* masked: no weight, but it counts */
		add_item(m, 0, 0, level);
		return;
	}
	if (s > m->limit || m->positive == 0)
	{
		/* one step of headroom, so that an ascending column rarely gets here */
		double ref = s + t;

		raise_reference(m, isfinite(ref) && (ref - s) <= 2 * t ? ref : s);
	}
	if (s > m->top || m->positive == 0)
		m->top = s;
	m->positive++;
	z = huf_softmax_exponent(s, m->limit, t);
	add_item(m, exp(z), z, level);
}

/* What a transition function changes that was not called by an aggregate. */
static pg_noinline HufMoments *
copy_state(FunctionCallInfo fcinfo)
{
	HufMoments *copy = palloc(sizeof(HufMoments));

	if (PG_ARGISNULL(0))
		pinecone_huf_moments_clear(copy);
	else
		*copy = *PG_GETARG_MOMENTS(0);
	return copy;
}

/*
 * The state that a transition function may change: in an aggregate the one it
 * was given, which belongs to the aggregate.
 */
static pg_attribute_always_inline HufMoments *
own_state(FunctionCallInfo fcinfo)
{
	if (likely(!PG_ARGISNULL(0) && fcinfo->context != NULL &&
			   (IsA(fcinfo->context, AggState) || IsA(fcinfo->context, WindowAggState))))
		return PG_GETARG_MOMENTS(0);
	return copy_state(fcinfo);
}

static pg_noinline void
set_params(HufMoments *m, HufKind kind, double t)
{
	if (m->fixed || m->n > 0)
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
	m->fixed = true;
	m->kind = kind;
	m->t = t;
	m->limit = kind == HUF_LINEAR ? 0 : -INFINITY;
}

/* The first row sets the parameters, the others have to have the same. */
static inline void
check_params(HufMoments *m, HufKind kind, double t)
{
	if (unlikely(!m->fixed || m->kind != kind || m->t != t))
		set_params(m, kind, t);
}

/* Transition function of (x), (x, kind) and (x, kind, t). */
static pg_attribute_always_inline Datum
accumulate(FunctionCallInfo fcinfo, Level level)
{
	HufMoments *m = own_state(fcinfo);

	if (PG_NARGS() == 2)
	{
		if (!PG_ARGISNULL(1))
			add_mass(m, PG_GETARG_FLOAT8(1), level);
		PG_RETURN_POINTER(m);
	}
	if (PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		pinecone_huf_bad_param("parameters of an aggregate must not be null");
	check_params(m, huf_kind_arg(fcinfo, 2),
				 PG_NARGS() > 3 ? pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(3)) : 1);
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(m);
	if (m->kind == HUF_LINEAR)
		add_mass(m, PG_GETARG_FLOAT8(1), level);
	else
		add_score(m, PG_GETARG_FLOAT8(1), level);
	PG_RETURN_POINTER(m);
}

Datum
pinecone_huf_moments_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, LEVEL_BASIC);
}

Datum
pinecone_huf_moments_accum_log(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, LEVEL_LOG);
}

Datum
pinecone_huf_moments_accum_var(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, LEVEL_VAR);
}

/* Transition function of huf_moments(), whose states tell everything. */
Datum
pinecone_huf_moments_accum_all(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, LEVEL_ALL);
}

/* Transition function of huf_mean_abs(x). */
Datum
pinecone_huf_moments_accum_abs(PG_FUNCTION_ARGS)
{
	HufMoments *m = own_state(fcinfo);

	if (!PG_ARGISNULL(1))
		add_mass(m, fabs(PG_GETARG_FLOAT8(1)), LEVEL_BASIC);
	PG_RETURN_POINTER(m);
}

/* Transition function of huf_lse(score) and huf_lse(score, t). */
Datum
pinecone_huf_moments_accum_lse(PG_FUNCTION_ARGS)
{
	HufMoments *m = own_state(fcinfo);
	double t = 1;

	if (PG_NARGS() > 2)
	{
		if (PG_ARGISNULL(2))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
		t = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(2));
	}
	check_params(m, HUF_SOFTMAX, t);
	if (!PG_ARGISNULL(1))
		add_score(m, PG_GETARG_FLOAT8(1), LEVEL_BASIC);
	PG_RETURN_POINTER(m);
}

/*
 * The difference of the mean y of two states with the same reference.  The
 * products are taken with their rounding errors, for the means may be nearly
 * equal.
 */
static double
mean_difference(const HufMoments *a, const HufMoments *b)
{
	double left = a->y.s * b->n;
	double right = b->y.s * a->n;
	double rest = fma(a->y.s, b->n, -left) - fma(b->y.s, a->n, -right);

	rest += a->y.c * b->n - b->y.c * a->n;
	return ((left - right) + rest) / a->n / b->n;
}

/* Add another state's items; "other" is used up. */
static void
merge(HufMoments *m, HufMoments *other)
{
	if (!m->fixed && m->n == 0)
	{
		*m = *other;
		return;
	}
	if (!other->fixed && other->n == 0)
		return;
	if (m->fixed != other->fixed || m->kind != other->kind || m->t != other->t)
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
	m->nan |= other->nan;
	m->missing |= other->missing;
	if (other->positive > 0)
	{
		m->top = m->positive > 0 ? Max(m->top, other->top) : other->top;
		if (m->kind == HUF_LINEAR)
		{
			int exponent = Max(m->exponent, other->exponent);

			raise_exponent(m, exponent);
			raise_exponent(other, exponent);
		}
		else
		{
			double ref = Max(m->limit, other->limit);

			raise_reference(m, ref);
			raise_reference(other, ref);
		}
	}
	if (m->n > 0 && other->n > 0)
	{
		double d = mean_difference(m, other);

		m->m2 += other->m2 + d * d * ((double) m->n / (m->n + other->n)) * other->n;
	}
	else
		m->m2 += other->m2;
	huf_sum_merge(&m->y, &other->y);
	huf_sum_merge(&m->q, &other->q);
	huf_sum_merge(&m->x, &other->x);
	m->largest = Max(m->largest, other->largest);
	m->n += other->n;
	m->positive += other->positive;
}

Datum
pinecone_huf_moments_combine(PG_FUNCTION_ARGS)
{
	HufMoments *m = own_state(fcinfo);

	if (!PG_ARGISNULL(1))
	{
		HufMoments copy = *PG_GETARG_MOMENTS(1);

		merge(m, &copy);
	}
	PG_RETURN_POINTER(m);
}

/*
 * What a final function finds: no rows or nothing with mass (NULL), an input
 * that was not finite (NaN), or sums to work with.
 */
static const HufMoments *
finished(FunctionCallInfo fcinfo, bool *nan)
{
	const HufMoments *m = PG_ARGISNULL(0) ? NULL : PG_GETARG_MOMENTS(0);

	*nan = m != NULL && m->nan;
	if (m == NULL || m->n == 0 || (m->positive == 0 && !m->nan))
		return NULL;
	return m;
}

#define FINISH(m) \
	bool nan; \
	const HufMoments *m = finished(fcinfo, &nan); \
	if (m == NULL) \
		PG_RETURN_NULL(); \
	if (nan) \
	PG_RETURN_FLOAT8(NAN)

static double
clamp(double x, double lo, double hi)
{
	return Min(Max(x, lo), hi);
}

/* How many items there are, those of no mass among them. */
Datum
pinecone_huf_moments_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_MOMENTS(0)->n);
}

/* A state by itself may have been made for something else. */
static void
need(const HufMoments *m, int missing)
{
	if (m->missing & missing)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this huf_moments has not all sums that are needed"),
				 errhint("Make it with huf_moments().")));
}

/* It may be of the other kind. */
static void
refuse_kind(const HufMoments *m, HufKind refused, const char *what)
{
	if (m->kind == refused && m->n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not defined for kind \"%s\"", what, refused == HUF_LINEAR ? "linear" : "softmax")));
}

/* Total mass; 0 is a valid total. */
Datum
pinecone_huf_mass(PG_FUNCTION_ARGS)
{
	const HufMoments *m = PG_ARGISNULL(0) ? NULL : PG_GETARG_MOMENTS(0);

	if (m == NULL || m->n == 0)
		PG_RETURN_NULL();
	refuse_kind(m, HUF_SOFTMAX, "a total mass");
	PG_RETURN_FLOAT8(m->nan ? NAN : m->positive == 0 ? 0 :
													   ldexp(huf_sum_value(&m->y), m->exponent));
}

Datum
pinecone_huf_mean_abs(PG_FUNCTION_ARGS)
{
	const HufMoments *m = PG_ARGISNULL(0) ? NULL : PG_GETARG_MOMENTS(0);

	if (m == NULL || m->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(m->nan ? NAN : m->positive == 0 ? 0 :
													   ldexp(huf_sum_value(&m->y) / m->n, m->exponent));
}

/*
 * t * ln(sum exp(s / t)); of masked items alone, -Infinity.  What the others
 * add is measured from the largest score: from the reference, a large t would
 * cancel again and leave rounding.
 */
Datum
pinecone_huf_lse(PG_FUNCTION_ARGS)
{
	const HufMoments *m = PG_ARGISNULL(0) ? NULL : PG_GETARG_MOMENTS(0);
	double others;

	if (m == NULL || m->n == 0)
		PG_RETURN_NULL();
	refuse_kind(m, HUF_LINEAR, "a log-sum-exp");
	need(m, HUF_NO_SQUARES);
	if (m->nan)
		PG_RETURN_FLOAT8(NAN);
	if (m->positive == 0)
		PG_RETURN_FLOAT8(-INFINITY);
	others = (m->y.s - m->largest) + m->y.c;
	PG_RETURN_FLOAT8(m->top + m->t * log1p(Max(others, 0) / m->largest));
}

static double
effective_number(const HufMoments *m)
{
	double y = huf_sum_value(&m->y);

	return clamp(y * y / huf_sum_value(&m->q), 1, m->positive);
}

Datum
pinecone_huf_hhi(PG_FUNCTION_ARGS)
{
	double y;

	FINISH(m);
	need(m, HUF_NO_SQUARES);
	y = huf_sum_value(&m->y);
	PG_RETURN_FLOAT8(clamp(huf_sum_value(&m->q) / (y * y), 1.0 / m->positive, 1));
}

Datum
pinecone_huf_neff_hhi(PG_FUNCTION_ARGS)
{
	FINISH(m);
	need(m, HUF_NO_SQUARES);
	PG_RETURN_FLOAT8(effective_number(m));
}

static double
entropy(const HufMoments *m)
{
	double y = huf_sum_value(&m->y);

	return clamp(log(y) - huf_sum_value(&m->x) / y, 0, log(m->positive));
}

Datum
pinecone_huf_entropy(PG_FUNCTION_ARGS)
{
	FINISH(m);
	need(m, HUF_NO_LOGS);
	PG_RETURN_FLOAT8(entropy(m));
}

Datum
pinecone_huf_neff_entropy(PG_FUNCTION_ARGS)
{
	FINISH(m);
	need(m, HUF_NO_LOGS);
	PG_RETURN_FLOAT8(clamp(exp(entropy(m)), 1, m->positive));
}

Datum
pinecone_huf_evenness(PG_FUNCTION_ARGS)
{
	FINISH(m);
	need(m, HUF_NO_LOGS);
	if (m->positive < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(entropy(m) / log(m->positive));
}

Datum
pinecone_huf_top_share(PG_FUNCTION_ARGS)
{
	FINISH(m);
	need(m, HUF_NO_SQUARES);
	PG_RETURN_FLOAT8(Min(m->largest / huf_sum_value(&m->y), 1));
}

/* Population variance of the shares around 1/n. */
Datum
pinecone_huf_rho_var(PG_FUNCTION_ARGS)
{
	double y;

	FINISH(m);
	need(m, HUF_NO_M2);
	y = huf_sum_value(&m->y);
	PG_RETURN_FLOAT8(m->m2 / y / y / m->n);
}
