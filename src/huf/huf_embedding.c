/*
 * huf_embedding.c
 *		Reading embeddings, and adding them to a sketch.
 *
 * They are arrays, of whose elements the array itself tells the type: where an
 * aggregate runs in parts on several servers, its call may not.  pgvector has a
 * cast from its type to real[].
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"

#include "huf/huf_sketch.h"

static void
check_dimensions(int dim)
{
	if (dim < 1 || dim > HUF_MAX_DIMENSIONS)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("embedding must have 1 to %d dimensions, not %d", HUF_MAX_DIMENSIONS, dim)));
}

/* Detoast the embedding in an argument of type real[] or float8[]. */
void
pinecone_huf_embedding_arg(FunctionCallInfo fcinfo, int arg, HufEmbedding *e)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(arg));
	ArrayType *array = (ArrayType *) pg_detoast_datum(raw);

	e->copy = (struct varlena *) array == raw ? NULL : (struct varlena *) array;
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("embedding must be a one-dimensional array")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("embedding must not contain nulls")));
	e->dim = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	e->single = ARR_ELEMTYPE(array) == FLOAT4OID ? (const float *) ARR_DATA_PTR(array) : NULL;
	e->wide = e->single == NULL ? (const double *) ARR_DATA_PTR(array) : NULL;
	check_dimensions(e->dim);
}

void
pinecone_huf_embedding_release(HufEmbedding *e)
{
	if (e->copy != NULL)
		pfree(e->copy);
}

/*
 * The loops over components.  They are written for the vectoriser, which at
 * the usual -O2 leaves such loops alone; so they ask for it, and where the
 * loader can choose, for a version with wider registers too.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("default", "fma")))
#else
#define VECTORISED
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("O3", "fp-contract=off")
#endif

/* Four numbers at a time; the compiler splits them where registers are smaller. */
typedef double Four __attribute__((vector_size(4 * sizeof(double))));
typedef float FourFloat __attribute__((vector_size(4 * sizeof(float)), aligned(4), may_alias));
typedef double FourDouble __attribute__((vector_size(4 * sizeof(double)), aligned(8), may_alias));

/* Many running sums, because a single one would wait for each addition. */
#define SQUARED_NORM(type, four, name) \
	VECTORISED static double \
	name(const type *x, int dim) \
	{ \
		Four lane[4] = {{0}}; \
		double sum = 0; \
		int i = 0; \
\
		for (; i + 16 <= dim; i += 16) \
			for (int k = 0; k < 4; k++) \
			{ \
				Four c = __builtin_convertvector(*(const four *) (x + i + 4 * k), Four); \
\
				lane[k] += c * c; \
			} \
		for (; i < dim; i++) \
			sum += (double) x[i] * x[i]; \
		lane[0] = (lane[0] + lane[1]) + (lane[2] + lane[3]); \
		return sum + ((lane[0][0] + lane[0][1]) + (lane[0][2] + lane[0][3])); \
	}

#define ADD_ALL(type, name) \
	VECTORISED static void \
	name(double *restrict unit, double *restrict mean, double *restrict m2, const double *restrict origin, \
		 const type *restrict x, int dim, double inverse_norm, double inverse_n) \
	{ \
		for (int i = 0; i < dim; i++) \
		{ \
			double c = x[i] - origin[i]; \
			double delta = c - mean[i]; \
\
			unit[i] += x[i] * inverse_norm; \
			mean[i] += delta * inverse_n; \
			m2[i] += delta * (c - mean[i]); \
		} \
	}

#define ADD_DIRECTION(type, name) \
	VECTORISED static void \
	name(double *restrict unit, const type *restrict x, int dim, double inverse_norm) \
	{ \
		for (int i = 0; i < dim; i++) \
			unit[i] += x[i] * inverse_norm; \
	}

SQUARED_NORM(float, FourFloat, squared_norm_single)
SQUARED_NORM(double, FourDouble, squared_norm_wide)
ADD_ALL(float, add_all_single)
ADD_ALL(double, add_all_wide)
ADD_DIRECTION(float, add_direction_single)
ADD_DIRECTION(double, add_direction_wide)

/* Merge means and squared deviations (Chan, Golub and LeVeque). */
VECTORISED static void
merge_rows(double *restrict unit, double *restrict mean, double *restrict m2, const double *restrict from,
		   int dim, double part, double weight)
{
	const double *restrict origin = m2 + dim;

	for (int i = 0; i < dim; i++)
	{
		double delta = (from[3 * (Size) dim + i] - origin[i]) + (from[dim + i] - mean[i]);

		unit[i] += from[i];
		mean[i] += delta * part;
		m2[i] += from[2 * (Size) dim + i] + delta * delta * weight;
	}
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

HufSketch *
pinecone_huf_sketch_create(MemoryContext context, int dim, int rows)
{
	Size size = HUF_SKETCH_SIZE(dim, rows);
	HufSketch *s = MemoryContextAllocZero(context, size);

	SET_VARSIZE(s, size);
	s->version = HUF_SKETCH_VERSION;
	s->rows = rows;
	s->dim = dim;
	return s;
}

/*
 * Add the direction of a vector whose squared norm is no use: zero, or beyond
 * what a double holds.  Scaled by its largest component, it has a norm.
 */
static bool
add_scaled_direction(HufSketch *s, const double *x)
{
	double largest = 0;
	double factor;
	HufSum sum = {0};
	double norm;

	for (int i = 0; i < s->dim; i++)
	{
		if (!isfinite(x[i]))
		{
			/* no direction to speak of; let NaN show that */
			for (int k = 0; k < s->dim; k++)
				s->value[k] = NAN;
			return true;
		}
		largest = Max(largest, fabs(x[i]));
	}
	if (largest == 0)
		return false;
	factor = ldexp(1, -huf_scale_exponent(largest));
	for (int i = 0; i < s->dim; i++)
		huf_sum_add(&sum, (x[i] * factor) * (x[i] * factor));
	norm = sqrt(huf_sum_value(&sum));
	for (int i = 0; i < s->dim; i++)
		s->value[i] += x[i] * factor / norm;
	return true;
}

/*
 * The origin of a mean.  Components may be large and close together; measured
 * from one of them, their mean and deviations do not suffer from rounding.
 * Beyond this limit a difference might overflow where the mean does not.
 */
#define MAX_ORIGIN 1e290

static void
set_origin(HufSketch *s, const HufEmbedding *e)
{
	double *origin = s->value + 3 * (Size) s->dim;

	for (int i = 0; i < s->dim; i++)
		origin[i] = fabs(huf_component(e, i)) <= MAX_ORIGIN ? huf_component(e, i) : 0;
}

/*
 * Move the origin to the mean, of which rounding then leaves a small rest:
 * were the origin an outlier, the mean of ever more vectors would lose digits.
 */
void
pinecone_huf_sketch_recentre(HufSketch *s)
{
	double *mean = s->value + s->dim;
	double *origin = s->value + 3 * (Size) s->dim;

	if (s->rows != HUF_SKETCH_STATE)
		return;
	for (int i = 0; i < s->dim; i++)
	{
		double to = origin[i] + mean[i];
		double moved = to - origin[i];

		if (!(fabs(to) <= MAX_ORIGIN))
			continue;
		mean[i] = (origin[i] - (to - moved)) + (mean[i] - moved);
		origin[i] = to;
	}
}

/* A stored sketch as a state. */
HufSketch *
pinecone_huf_sketch_load(const HufSketch *stored)
{
	HufSketch *s = pinecone_huf_sketch_create(CurrentMemoryContext, stored->dim, HUF_SKETCH_STATE);

	s->n = stored->n;
	s->units = stored->units;
	memcpy(s->value, stored->value, sizeof(double) * HUF_SKETCH_STORED * (Size) s->dim);
	pinecone_huf_sketch_recentre(s);
	return s;
}

/* A state as a sketch to be stored. */
HufSketch *
pinecone_huf_sketch_store(const HufSketch *s)
{
	HufSketch *stored = pinecone_huf_sketch_create(CurrentMemoryContext, s->dim, HUF_SKETCH_STORED);
	double *mean = stored->value + s->dim;
	const double *origin = s->value + 3 * (Size) s->dim;

	stored->n = s->n;
	stored->units = s->units;
	memcpy(stored->value, s->value, sizeof(double) * HUF_SKETCH_STORED * (Size) s->dim);
	for (int i = 0; i < s->dim; i++)
		mean[i] += origin[i];
	return stored;
}

/*
 * Add a vector of very large components to the means: differences of two of
 * them may overflow where the mean does not.  One that is not finite has no
 * mean at all, and an infinite one would pass for a result.
 */
static void
add_scaled_mean(HufSketch *s, const double *x)
{
	double *mean = s->value + s->dim;
	double *m2 = mean + s->dim;
	const double *origin = m2 + s->dim;

	for (int i = 0; i < s->dim; i++)
	{
		double c = isfinite(x[i]) ? x[i] - origin[i] : NAN;
		double delta = c - mean[i];

		mean[i] += isinf(delta) ? c / s->n - mean[i] / s->n : delta / s->n;
		m2[i] += delta * (c - mean[i]);
	}
}

/* Add an embedding to a sketch. */
void
pinecone_huf_sketch_add(HufSketch *s, const HufEmbedding *e)
{
	double *unit = s->value;
	double *mean = s->value + s->dim;
	double *m2 = mean + s->dim;
	double norm2;
	double inverse_norm;

	if (e->dim != s->dim)
		pinecone_huf_dim_mismatch(s->dim, e->dim);
	if (s->n++ == 0 && s->rows == HUF_SKETCH_STATE)
		set_origin(s, e);
	norm2 = e->single != NULL ? squared_norm_single(e->single, e->dim) : squared_norm_wide(e->wide, e->dim);
	if (unlikely(!(norm2 > 1e-280 && norm2 < 1e280)))
	{
		double *wide = palloc(sizeof(double) * e->dim);

		for (int i = 0; i < e->dim; i++)
			wide[i] = huf_component(e, i);
		s->units += add_scaled_direction(s, wide);
		if (s->rows == HUF_SKETCH_STATE)
			add_scaled_mean(s, wide);
		pfree(wide);
		return;
	}

	inverse_norm = 1 / sqrt(norm2);
	s->units++;
	if (s->rows == HUF_SKETCH_STATE)
	{
		if (e->single != NULL)
			add_all_single(unit, mean, m2, m2 + s->dim, e->single, e->dim, inverse_norm, 1.0 / s->n);
		else
			add_all_wide(unit, mean, m2, m2 + s->dim, e->wide, e->dim, inverse_norm, 1.0 / s->n);
	}
	else
	{
		if (e->single != NULL)
			add_direction_single(unit, e->single, e->dim, inverse_norm);
		else
			add_direction_wide(unit, e->wide, e->dim, inverse_norm);
	}
}

/*
 * The same where means differ by more than a double holds.  Their mean is one
 * all the same, the squared deviation is not.
 */
static void
merge_far_rows(double *unit, double *mean, double *m2, const double *from, int dim, double part, double weight)
{
	for (int i = 0; i < dim; i++)
	{
		double other = from[dim + i] + (from[3 * (Size) dim + i] - m2[dim + i]);
		double delta = other - mean[i];

		unit[i] += from[i];
		mean[i] = isinf(delta) ? (mean[i] - mean[i] * part) + other * part : mean[i] + delta * part;
		m2[i] += from[2 * (Size) dim + i] + delta * delta * weight;
	}
}

static bool
means_far_apart(const HufSketch *a, const HufSketch *b)
{
	bool far = false;

	for (int i = 0; i < a->dim; i++)
		far |= isinf(huf_sketch_mean(a)[i] - huf_sketch_mean(b)[i]);
	return far;
}

/* Add all that another sketch has seen. */
void
pinecone_huf_sketch_merge(HufSketch *s, const HufSketch *other)
{
	int64 n;
	double part;

	if (s->dim != other->dim)
		pinecone_huf_dim_mismatch(s->dim, other->dim);
	Assert(s->rows == other->rows);
	if (other->n == 0)
		return;
	/* only a sketch made up by hand counts that many, but it may */
	if (pg_add_s64_overflow(s->n, other->n, &n))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many embeddings for a huf_sketch")));
	part = (double) other->n / n;
	if (s->rows == HUF_SKETCH_STATE)
	{
		(means_far_apart(s, other) ? merge_far_rows : merge_rows)(
			s->value, s->value + s->dim, s->value + 2 * (Size) s->dim, other->value, s->dim,
			part, s->n * part);
	}
	else
		for (int i = 0; i < s->dim; i++)
			s->value[i] += other->value[i];
	s->n = n;
	s->units += other->units;
	pinecone_huf_sketch_recentre(s);
}
