/*
 * huf_embedding_sample.c
 *		Two-sample statistics of embeddings: energy distance, RBF maximum mean
 *		discrepancy, sliced Wasserstein distance.
 *
 * The first two compare all pairs of vectors, so they are for samples: their
 * time grows with the square of the rows.  A row of the state is the side it
 * belongs to, then the vector (or its projections on fixed directions).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "huf/huf_rows.h"
#include "huf/huf_sketch.h"
#include "huf/huf_twosample.h"

PG_FUNCTION_INFO_V1(pinecone_huf_vectors_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_mmd_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_slices_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_energy_distance);
PG_FUNCTION_INFO_V1(pinecone_huf_mmd_rbf);
PG_FUNCTION_INFO_V1(pinecone_huf_sliced_w1);

#define PARAM_GAMMA 0
#define PARAM_SLICES 0
#define PARAM_DIM 1

#define DEFAULT_SLICES 32
#define MAX_SLICES 10000

/*
 * In a moving frame a state must exist from the first row on, even if that is
 * skipped.  It learns its width from the first vector.  Elsewhere there is no
 * state without a vector, so that those which are combined have their width.
 */
static bool
needs_state(FunctionCallInfo fcinfo)
{
	return AggCheckCallContext(fcinfo, NULL) == AGG_CONTEXT_WINDOW;
}

/* Append a row with the side and the components. */
static Datum
accumulate(FunctionCallInfo fcinfo, const HufParams *params)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);

	if (rows != NULL)
		pinecone_huf_check_params(&rows->params, params);
	else if (needs_state(fcinfo))
		rows = pinecone_huf_rows_create(pinecone_huf_aggregate_context(fcinfo), 0, params);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		HufEmbedding e;
		double *row;

		pinecone_huf_embedding_arg(fcinfo, 1, &e);
		if (rows == NULL)
			rows = pinecone_huf_rows_create(pinecone_huf_aggregate_context(fcinfo), e.dim + 1, params);
		if (rows->width == 0)
			rows->width = e.dim + 1;
		if (rows->width != e.dim + 1)
			pinecone_huf_dim_mismatch(rows->width - 1, e.dim);
		row = pinecone_huf_rows_append(rows);
		row[0] = PG_GETARG_BOOL(2);
		for (int i = 0; i < e.dim; i++)
			row[i + 1] = huf_component(&e, i);
		pinecone_huf_embedding_release(&e);
	}
	if (rows == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(rows);
}

/* Transition of huf_energy_distance(v, later). */
Datum
pinecone_huf_vectors_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR};

	return accumulate(fcinfo, &params);
}

/* Transition of huf_mmd_rbf(v, later, gamma). */
Datum
pinecone_huf_mmd_accum(PG_FUNCTION_ARGS)
{
	HufParams params = {HUF_LINEAR};

	if (PG_ARGISNULL(3))
		pinecone_huf_bad_param("parameters of an aggregate must not be null");
	params.value[PARAM_GAMMA] = pinecone_huf_positive("gamma", PG_GETARG_FLOAT8(3));
	return accumulate(fcinfo, &params);
}

/* SplitMix64, so that the directions are the same everywhere and for ever. */
static uint64
next_random(uint64 *state)
{
	uint64 z = (*state += UINT64CONST(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static double
next_uniform(uint64 *state)
{
	/* within (0, 1), because it goes into a logarithm */
	return ((next_random(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* The directions: unit vectors from normal deviates, with a fixed seed. */
static double *
make_directions(MemoryContext context, int slices, int dim)
{
	double *direction = MemoryContextAllocHuge(context, sizeof(double) * slices * dim);
	uint64 state = 0;

	for (int slice = 0; slice < slices; slice++)
	{
		double *at = direction + (Size) slice * dim;
		double length = 0;

		for (int i = 0; i < dim; i++)
		{
			/* Box and Muller; the second deviate of a pair is not used */
			double radius = sqrt(-2 * log(next_uniform(&state)));

			at[i] = radius * cos(2 * M_PI * next_uniform(&state));
			length += at[i] * at[i];
		}
		for (int i = 0; i < dim; i++)
			at[i] /= sqrt(length);
	}
	return direction;
}

/* The state of huf_sliced_w1: rows of projections, and the directions. */
typedef struct Slices
{
	HufRows rows; /* first, so that it serves the functions of HufRows */
	double *direction;
} Slices;

static Slices *
new_slices(FunctionCallInfo fcinfo, int slices)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Slices *s = MemoryContextAllocZero(context, sizeof(Slices));

	s->rows.params.value[PARAM_SLICES] = slices;
	s->rows.width = slices + 1;
	s->rows.context = context;
	return s;
}

/* Transition of huf_sliced_w1(v, later [, slices]). */
Datum
pinecone_huf_slices_accum(PG_FUNCTION_ARGS)
{
	Slices *s = PG_ARGISNULL(0) ? NULL : (Slices *) PG_GETARG_POINTER(0);
	int slices = DEFAULT_SLICES;

	if (PG_NARGS() > 3)
	{
		if (PG_ARGISNULL(3))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
		slices = PG_GETARG_INT32(3);
		if (slices < 1 || slices > MAX_SLICES)
			pinecone_huf_bad_param("slices must be between 1 and %d", MAX_SLICES);
	}
	if (s != NULL && s->rows.params.value[PARAM_SLICES] != slices)
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
	if (s == NULL && needs_state(fcinfo))
		s = new_slices(fcinfo, slices);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		HufEmbedding e;
		double *row;

		pinecone_huf_embedding_arg(fcinfo, 1, &e);
		if (s == NULL)
			s = new_slices(fcinfo, slices);
		if (s->direction == NULL)
		{
			s->rows.params.value[PARAM_DIM] = e.dim;
			s->direction = make_directions(s->rows.context, slices, e.dim);
		}
		if (s->rows.params.value[PARAM_DIM] != e.dim)
			pinecone_huf_dim_mismatch((int) s->rows.params.value[PARAM_DIM], e.dim);
		row = pinecone_huf_rows_append(&s->rows);
		row[0] = PG_GETARG_BOOL(2);
		for (int slice = 0; slice < slices; slice++)
		{
			const double *direction = s->direction + (Size) slice * e.dim;
			double sum = 0;

			for (int i = 0; i < e.dim; i++)
				sum += huf_component(&e, i) * direction[i];
			row[slice + 1] = sum;
		}
		pinecone_huf_embedding_release(&e);
	}
	if (s == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(s);
}

/*
 * Row numbers of both sides.  Returns false where the result is NULL, and sets
 * *finite to false where it is NaN.
 */
static bool
split_sides(const HufRows *rows, int64 *side[2], int64 count[2], bool *finite)
{
	count[0] = count[1] = 0;
	*finite = true;
	if (rows == NULL || rows->n == 0)
		return false;
	for (int s = 0; s < 2; s++)
		side[s] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * rows->n);
	for (int64 i = 0; i < rows->n; i++)
	{
		const double *row = huf_row(rows, i);
		int s = row[0] != 0;

		side[s][count[s]++] = i;
		for (int k = 1; k < rows->width; k++)
			*finite &= isfinite(row[k]) != 0;
	}
	return count[0] > 0 && count[1] > 0;
}

static double
squared_distance(const HufRows *rows, int64 i, int64 j, double factor)
{
	const double *a = huf_row(rows, i) + 1;
	const double *b = huf_row(rows, j) + 1;
	double sum = 0;

	for (int k = 0; k < rows->width - 1; k++)
	{
		double d = a[k] * factor - b[k] * factor;

		sum += d * d;
	}
	return sum;
}

/* A function of the squared distance; the distance itself may be measured in any unit. */
typedef struct Kernel
{
	double (*function)(double squared, double gamma);
	int sign; /* of 2 E k(X,Y) - E k(X,X') - E k(Y,Y') */
	bool scales;
} Kernel;

static double
distance_kernel(double squared, double gamma)
{
	return sqrt(squared);
}

static double
rbf_kernel(double squared, double gamma)
{
	return exp(-gamma * squared);
}

/* Mean of the kernel over all pairs, those of a row with itself among them. */
static double
mean_kernel(const HufRows *rows, const int64 *a, int64 na, const int64 *b, int64 nb, const Kernel *kernel, double factor)
{
	double gamma = rows->params.value[PARAM_GAMMA];
	HufSum sum = {0};

	for (int64 i = 0; i < na; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 j = 0; j < nb; j++)
			huf_sum_add(&sum, kernel->function(squared_distance(rows, a[i], b[j], factor), gamma));
	}
	return huf_sum_value(&sum) / na / nb;
}

/* The power of two that measures the largest component; 0 if all are zero. */
static int
largest_exponent(const HufRows *rows)
{
	double largest = 0;

	for (int64 i = 0; i < rows->n; i++)
		for (int k = 1; k < rows->width; k++)
			largest = Max(largest, fabs(huf_row(rows, i)[k]));
	return largest == 0 ? 0 : huf_scale_exponent(largest);
}

/* 2 E k(X,Y) - E k(X,X') - E k(Y,Y'), for energy; the opposite sign for MMD. */
static Datum
kernel_statistic(FunctionCallInfo fcinfo, const Kernel *kernel)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	int64 *side[2];
	int64 count[2];
	bool finite;
	int exponent;
	double factor;
	double cross;
	double own;

	if (!split_sides(rows, side, count, &finite))
		PG_RETURN_NULL();
	if (!finite)
		PG_RETURN_FLOAT8(NAN);
	exponent = kernel->scales ? largest_exponent(rows) : 0;
	factor = ldexp(1, -exponent);
	cross = mean_kernel(rows, side[0], count[0], side[1], count[1], kernel, factor);
	own = mean_kernel(rows, side[0], count[0], side[0], count[0], kernel, factor) +
		  mean_kernel(rows, side[1], count[1], side[1], count[1], kernel, factor);
	PG_RETURN_FLOAT8(ldexp(Max(kernel->sign * (2 * cross - own), 0), exponent));
}

Datum
pinecone_huf_energy_distance(PG_FUNCTION_ARGS)
{
	static const Kernel energy = {distance_kernel, 1, true};

	return kernel_statistic(fcinfo, &energy);
}

Datum
pinecone_huf_mmd_rbf(PG_FUNCTION_ARGS)
{
	static const Kernel rbf = {rbf_kernel, -1, false};

	return kernel_statistic(fcinfo, &rbf);
}

/* Mean over the directions of the distance between the projected samples. */
Datum
pinecone_huf_sliced_w1(PG_FUNCTION_ARGS)
{
	HufRows *rows = pinecone_huf_rows_arg(fcinfo, 0);
	int64 *side[2];
	int64 count[2];
	double *value[2];
	bool finite;
	HufSum sum = {0};

	if (!split_sides(rows, side, count, &finite))
		PG_RETURN_NULL();
	if (!finite)
		PG_RETURN_FLOAT8(NAN);
	for (int s = 0; s < 2; s++)
		value[s] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * count[s]);
	for (int slice = 1; slice < rows->width; slice++)
	{
		double area;

		CHECK_FOR_INTERRUPTS();
		for (int s = 0; s < 2; s++)
		{
			for (int64 i = 0; i < count[s]; i++)
				value[s][i] = huf_row(rows, side[s][i])[slice];
			pinecone_huf_sort(value[s], count[s]);
		}
		pinecone_huf_compare_sorted(value[0], count[0], value[1], count[1], &area);
		huf_sum_add(&sum, area);
	}
	PG_RETURN_FLOAT8(huf_sum_value(&sum) / (rows->width - 1));
}
