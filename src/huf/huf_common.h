/*
 * huf_common.h
 *		What the governance functions share: errors, parameters, compensated
 *		sums, scaling by powers of two, and arrays of doubles.
 */
#ifndef PINECONE_HUF_COMMON_H
#define PINECONE_HUF_COMMON_H

#include "postgres.h"

#include <float.h>
#include <math.h>

#include "fmgr.h"
#include "utils/array.h"
/* since PostgreSQL 16 the macros for variable-length values are apart */
#if __has_include("varatt.h")
#include "varatt.h"
#endif

/* How scores become masses */
typedef enum HufKind
{
	HUF_LINEAR,
	HUF_SOFTMAX,
} HufKind;

/*
 * Parameters of an aggregate.  They must not vary within a group: the first
 * row sets them, and transition and combine functions compare.
 */
#define HUF_MAX_PARAMS 4

typedef struct HufParams
{
	HufKind kind;
	double value[HUF_MAX_PARAMS]; /* unused ones are zero */
} HufParams;

/* One array of doubles with its NULLs, taken apart */
typedef struct HufArray
{
	int n;
	int lower; /* subscript of the first */
	int nonnull;
	double *value;
	bool *isnull;
} HufArray;

/*
 * A compensated sum.  The branch-free form of Neumaier's step: s holds the
 * rounded total, c what rounding took away.
 */
typedef struct HufSum
{
	double s;
	double c;
} HufSum;

static inline void
huf_sum_add(HufSum *sum, double x)
{
	double t = sum->s + x;
	double z = t - sum->s;

	sum->c += (sum->s - (t - z)) + (x - z);
	sum->s = t;
}

static inline void
huf_sum_merge(HufSum *sum, const HufSum *other)
{
	huf_sum_add(sum, other->s);
	sum->c += other->c;
}

static inline void
huf_sum_scale(HufSum *sum, double factor)
{
	sum->s *= factor;
	sum->c *= factor;
}

static inline double
huf_sum_value(const HufSum *sum)
{
	/* once the total has overflowed the correction is NaN, not a correction */
	return isinf(sum->s) ? sum->s : sum->s + sum->c;
}

/*
 * The power of two that brings a mass near 1.  The exponent is bounded so that
 * 2^-e is itself a double; the smallest denormal then scales to 2^-53, which
 * is all that the callers need.
 */
static inline int
huf_scale_exponent(double largest)
{
	int e;

	frexp(largest, &e);
	return Max(e, -1021);
}

/*
 * exp((s - max) / t), the softmax weight.  The difference is taken first,
 * because it is exact where it matters; only if it overflows are the two
 * divided one by one.
 */
static inline double
huf_softmax_exponent(double s, double max, double t)
{
	double d = s - max;

	return isinf(d) && !isinf(s) ? s / t - max / t : d / t;
}

extern void pinecone_huf_bad_param(const char *format, ...) pg_attribute_printf(1, 2) __attribute__((noreturn));
/* Where a negative mass was met decides what helps against it. */
typedef enum HufMassPlace
{
	HUF_MASS_OF_ROWS,		/* an aggregate over masses */
	HUF_MASS_OF_ROWS_KIND,	/* one that takes softmax shares as well */
	HUF_MASS_OF_SIDES,		/* a function of earlier and later masses */
	HUF_MASS_OF_ARRAY,		/* a function of an array */
	HUF_MASS_OF_ARRAY_KIND, /* one that takes softmax shares as well */
} HufMassPlace;
extern void pinecone_huf_negative_mass(double x, HufMassPlace place) __attribute__((noreturn));
extern void pinecone_huf_dim_mismatch(int expected, int found) __attribute__((noreturn));

/*
 * A kind is an enum in SQL, huf_kind, whose values are OIDs.  What the last one
 * stood for is kept in fn_extra; functions that use that otherwise cannot have
 * such an argument.
 */
typedef struct HufKindSeen
{
	Oid value;
	HufKind kind;
} HufKindSeen;

extern HufKind pinecone_huf_kind_look_up(FunctionCallInfo fcinfo, Oid value);

static inline HufKind
huf_kind_arg(FunctionCallInfo fcinfo, int arg)
{
	HufKindSeen *seen = (HufKindSeen *) fcinfo->flinfo->fn_extra;
	Oid value = PG_GETARG_OID(arg);

	return likely(seen != NULL && seen->value == value) ? seen->kind : pinecone_huf_kind_look_up(fcinfo, value);
}

extern double pinecone_huf_positive(const char *name, double value);
extern double pinecone_huf_fraction(const char *name, double value);
extern void pinecone_huf_check_params(const HufParams *expected, const HufParams *found);

extern MemoryContext pinecone_huf_aggregate_context(FunctionCallInfo fcinfo);
extern void *pinecone_huf_alloc_large(MemoryContext context, Size size);
extern void *pinecone_huf_realloc_large(void *memory, Size size);
extern void pinecone_huf_array(ArrayType *array, HufArray *out);
extern Datum pinecone_huf_array_datum(const HufArray *array);
extern void pinecone_huf_sort(double *value, int64 n);

/* Turn non-NULL masses or scores into scaled masses; see huf_common.c. */
typedef enum HufMassState
{
	HUF_MASS_OK,
	HUF_MASS_NAN,
	HUF_MASS_ZERO,
} HufMassState;

extern void pinecone_huf_products(const double *a, const double *b, double *product, int64 n);
extern HufMassState pinecone_huf_masses(double *value, int64 n, HufKind kind, double t, double *total);

#endif /* PINECONE_HUF_COMMON_H */
