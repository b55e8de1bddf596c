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
 * There is no inverse transition: a reference that came from the largest mass
 * cannot be taken back, and subtraction would leave rounding behind.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "huf/huf_common.h"

PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_log);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_var);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_abs);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_accum_lse);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_deserialize);
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

#define MOMENTS_VERSION 1

/* Which sums an aggregate keeps besides Y and Q */
typedef enum Level
{
	LEVEL_BASIC,
	LEVEL_LOG, /* X */
	LEVEL_VAR, /* M2 */
} Level;

typedef struct Moments
{
	/* Settings */
	HufParams params; /* value[0] is the temperature */

	/* Counts */
	int64 n;
	int64 positive; /* items whose share is above 0 */
	bool nan;

	/* Reference */
	double limit;  /* linear: 2^exponent; softmax: the reference score */
	double factor; /* linear: 2^-exponent; softmax: 1 / t is not exact, unused */
	int exponent;

	/* Sums */
	HufSum y;
	HufSum q;
	HufSum x;
	double m2; /* sum of squared deviations of y from its mean */
	double largest;
	double top; /* softmax: the largest score, whose weight is "largest" */
} Moments;

/* Multiply all sums as the reference moves; log_factor is ln(factor). */
static void
rescale(Moments *m, double factor, double log_factor)
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
raise_exponent(Moments *m, int exponent)
{
	int g = m->exponent - exponent;

	rescale(m, ldexp(1, g), g * M_LN2);
	m->exponent = exponent;
	m->limit = ldexp(1, exponent);
	m->factor = ldexp(1, -exponent);
}

static pg_noinline void
raise_reference(Moments *m, double ref)
{
	if (m->positive > 0)
	{
		double g = huf_softmax_exponent(m->limit, ref, m->params.value[0]);

		rescale(m, exp(g), g);
	}
	m->limit = ref;
}

/* Add y to the sums; log_y is needed at LEVEL_LOG only. */
static inline void
add_item(Moments *m, double y, double log_y, Level level)
{
	m->n++;
	huf_sum_add(&m->y, y);
	if (level == LEVEL_VAR)
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
		return;
	}
	huf_sum_add(&m->q, y * y);
	if (level == LEVEL_LOG && y > 0)
		huf_sum_add(&m->x, y * log_y);
	if (y > m->largest)
		m->largest = y;
}

static pg_noinline void
add_odd_mass(Moments *m, double x)
{
	if (x < 0)
		pinecone_huf_negative_mass(x, HUF_MASS_OF_ROWS);
	m->n++;
	m->nan = true;
}

static inline void
add_mass(Moments *m, double x, Level level)
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
	add_item(m, y, level == LEVEL_LOG && y > 0 ? log(y) : 0, level);
}

static inline void
add_score(Moments *m, double s, Level level)
{
	double t = m->params.value[0];
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

static Moments *
new_moments(FunctionCallInfo fcinfo, HufParams params)
{
	Moments *m = MemoryContextAllocZero(pinecone_huf_aggregate_context(fcinfo), sizeof(Moments));

	m->params = params;
	m->limit = params.kind == HUF_LINEAR ? 0 : -INFINITY;
	m->factor = 1;
	m->exponent = -1021;
	return m;
}

/* The parameters of this row: kind and temperature, if they are given. */
static HufParams
row_params(FunctionCallInfo fcinfo)
{
	HufParams params = {HUF_LINEAR, {1}};

	if (PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		pinecone_huf_bad_param("parameters of an aggregate must not be null");
	params.kind = pinecone_huf_kind(PG_GETARG_TEXT_PP(2));
	if (PG_NARGS() > 3)
		params.value[0] = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(3));
	return params;
}

/*
 * Transition function of (x), (x, kind) and (x, kind, t).  With one argument
 * there is nothing to compare and a NULL row need not make a state.
 */
static inline Datum
accumulate(FunctionCallInfo fcinfo, Level level)
{
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);

	if (PG_NARGS() == 2)
	{
		if (PG_ARGISNULL(1))
		{
			if (m == NULL)
				PG_RETURN_NULL();
			PG_RETURN_POINTER(m);
		}
		if (m == NULL)
			m = new_moments(fcinfo, (HufParams){HUF_LINEAR, {1}});
		add_mass(m, PG_GETARG_FLOAT8(1), level);
		PG_RETURN_POINTER(m);
	}
	else
	{
		HufParams params = row_params(fcinfo);

		if (m == NULL)
			m = new_moments(fcinfo, params);
		else
			pinecone_huf_check_params(&m->params, &params);
		if (PG_ARGISNULL(1))
			PG_RETURN_POINTER(m);
		if (params.kind == HUF_LINEAR)
			add_mass(m, PG_GETARG_FLOAT8(1), level);
		else
			add_score(m, PG_GETARG_FLOAT8(1), level);
		PG_RETURN_POINTER(m);
	}
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

/* Transition function of huf_mean_abs(x). */
Datum
pinecone_huf_moments_accum_abs(PG_FUNCTION_ARGS)
{
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		if (m == NULL)
			m = new_moments(fcinfo, (HufParams){HUF_LINEAR, {1}});
		add_mass(m, fabs(PG_GETARG_FLOAT8(1)), LEVEL_BASIC);
	}
	if (m == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(m);
}

/* Transition function of huf_lse(score) and huf_lse(score, t). */
Datum
pinecone_huf_moments_accum_lse(PG_FUNCTION_ARGS)
{
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);
	HufParams params = {HUF_SOFTMAX, {1}};

	if (PG_NARGS() > 2)
	{
		if (PG_ARGISNULL(2))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
		params.value[0] = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(2));
	}
	if (m == NULL)
		m = new_moments(fcinfo, params);
	else
		pinecone_huf_check_params(&m->params, &params);
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
mean_difference(const Moments *a, const Moments *b)
{
	double left = a->y.s * b->n;
	double right = b->y.s * a->n;
	double rest = fma(a->y.s, b->n, -left) - fma(b->y.s, a->n, -right);

	rest += a->y.c * b->n - b->y.c * a->n;
	return ((left - right) + rest) / a->n / b->n;
}

/* Add another state's items; "other" is used up. */
static void
merge(Moments *m, Moments *other)
{
	pinecone_huf_check_params(&m->params, &other->params);
	m->nan |= other->nan;
	if (other->positive > 0)
	{
		m->top = m->positive > 0 ? Max(m->top, other->top) : other->top;
		if (m->params.kind == HUF_LINEAR)
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
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);
	Moments *other = PG_ARGISNULL(1) ? NULL : (Moments *) PG_GETARG_POINTER(1);

	if (other != NULL)
	{
		if (m == NULL)
		{
			m = MemoryContextAlloc(context, sizeof(Moments));
			*m = *other;
		}
		else
		{
			Moments copy = *other;

			merge(m, &copy);
		}
	}
	if (m == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(m);
}

static void
send_sum(StringInfo buf, const HufSum *sum)
{
	pq_sendfloat8(buf, sum->s);
	pq_sendfloat8(buf, sum->c);
}

static void
receive_sum(StringInfo buf, HufSum *sum)
{
	sum->s = pq_getmsgfloat8(buf);
	sum->c = pq_getmsgfloat8(buf);
}

Datum
pinecone_huf_moments_serialize(PG_FUNCTION_ARGS)
{
	Moments *m = (Moments *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	pinecone_huf_aggregate_context(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint8(&buf, MOMENTS_VERSION);
	pq_sendint8(&buf, m->params.kind);
	pq_sendint8(&buf, m->nan);
	pq_sendfloat8(&buf, m->params.value[0]);
	pq_sendint64(&buf, m->n);
	pq_sendint64(&buf, m->positive);
	pq_sendfloat8(&buf, m->limit);
	pq_sendint32(&buf, m->exponent);
	send_sum(&buf, &m->y);
	send_sum(&buf, &m->q);
	send_sum(&buf, &m->x);
	pq_sendfloat8(&buf, m->m2);
	pq_sendfloat8(&buf, m->largest);
	pq_sendfloat8(&buf, m->top);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
pinecone_huf_moments_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Moments *m = palloc0(sizeof(Moments));
	StringInfoData buf;

	pinecone_huf_aggregate_context(fcinfo);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buf) != MOMENTS_VERSION)
		elog(ERROR, "unexpected version of an aggregate state");
	m->params.kind = pq_getmsgbyte(&buf);
	m->nan = pq_getmsgbyte(&buf);
	m->params.value[0] = pq_getmsgfloat8(&buf);
	m->n = pq_getmsgint64(&buf);
	m->positive = pq_getmsgint64(&buf);
	m->limit = pq_getmsgfloat8(&buf);
	m->exponent = (int32) pq_getmsgint(&buf, 4);
	m->factor = m->positive > 0 && m->params.kind == HUF_LINEAR ? ldexp(1, -m->exponent) : 1;
	receive_sum(&buf, &m->y);
	receive_sum(&buf, &m->q);
	receive_sum(&buf, &m->x);
	m->m2 = pq_getmsgfloat8(&buf);
	m->largest = pq_getmsgfloat8(&buf);
	m->top = pq_getmsgfloat8(&buf);
	pq_getmsgend(&buf);
	pfree(buf.data);
	PG_RETURN_POINTER(m);
}

/*
 * What a final function finds: no rows or nothing with mass (NULL), an input
 * that was not finite (NaN), or sums to work with.
 */
static Moments *
finished(FunctionCallInfo fcinfo, bool *nan)
{
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);

	*nan = m != NULL && m->nan;
	if (m == NULL || m->n == 0 || (m->positive == 0 && !m->nan))
		return NULL;
	return m;
}

#define FINISH(m) \
	bool nan; \
	Moments *m = finished(fcinfo, &nan); \
	if (m == NULL) \
		PG_RETURN_NULL(); \
	if (nan) \
	PG_RETURN_FLOAT8(NAN)

static double
clamp(double x, double lo, double hi)
{
	return Min(Max(x, lo), hi);
}

/* Total mass; 0 is a valid total. */
Datum
pinecone_huf_mass(PG_FUNCTION_ARGS)
{
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);

	if (m == NULL || m->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(m->nan ? NAN : m->positive == 0 ? 0 :
													   ldexp(huf_sum_value(&m->y), m->exponent));
}

Datum
pinecone_huf_mean_abs(PG_FUNCTION_ARGS)
{
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);

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
	Moments *m = PG_ARGISNULL(0) ? NULL : (Moments *) PG_GETARG_POINTER(0);
	double others;

	if (m == NULL || m->n == 0)
		PG_RETURN_NULL();
	if (m->nan)
		PG_RETURN_FLOAT8(NAN);
	if (m->positive == 0)
		PG_RETURN_FLOAT8(-INFINITY);
	others = (m->y.s - m->largest) + m->y.c;
	PG_RETURN_FLOAT8(m->top + m->params.value[0] * log1p(Max(others, 0) / m->largest));
}

static double
effective_number(const Moments *m)
{
	double y = huf_sum_value(&m->y);

	return clamp(y * y / huf_sum_value(&m->q), 1, m->positive);
}

Datum
pinecone_huf_hhi(PG_FUNCTION_ARGS)
{
	double y;

	FINISH(m);
	y = huf_sum_value(&m->y);
	PG_RETURN_FLOAT8(clamp(huf_sum_value(&m->q) / (y * y), 1.0 / m->positive, 1));
}

Datum
pinecone_huf_neff_hhi(PG_FUNCTION_ARGS)
{
	FINISH(m);
	PG_RETURN_FLOAT8(effective_number(m));
}

static double
entropy(const Moments *m)
{
	double y = huf_sum_value(&m->y);

	return clamp(log(y) - huf_sum_value(&m->x) / y, 0, log(m->positive));
}

Datum
pinecone_huf_entropy(PG_FUNCTION_ARGS)
{
	FINISH(m);
	PG_RETURN_FLOAT8(entropy(m));
}

Datum
pinecone_huf_neff_entropy(PG_FUNCTION_ARGS)
{
	FINISH(m);
	PG_RETURN_FLOAT8(clamp(exp(entropy(m)), 1, m->positive));
}

Datum
pinecone_huf_evenness(PG_FUNCTION_ARGS)
{
	FINISH(m);
	if (m->positive < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(entropy(m) / log(m->positive));
}

Datum
pinecone_huf_top_share(PG_FUNCTION_ARGS)
{
	FINISH(m);
	PG_RETURN_FLOAT8(Min(m->largest / huf_sum_value(&m->y), 1));
}

/* Population variance of the shares around 1/n. */
Datum
pinecone_huf_rho_var(PG_FUNCTION_ARGS)
{
	double y;

	FINISH(m);
	y = huf_sum_value(&m->y);
	PG_RETURN_FLOAT8(m->m2 / y / y / m->n);
}
