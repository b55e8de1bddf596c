/*
 * huf_common.c
 *		What the governance functions share.
 *
 * These functions are arithmetic over PostgreSQL types and nothing else: they
 * work on any table, foreign or local.  The rules they all follow: a NULL row
 * or element is skipped; a negative mass is an error, while NaN and infinity
 * give NaN; a ratio never overflows because an intermediate did.
 */
#include "postgres.h"

#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "huf/huf_common.h"

#define LARGE_ALLOCATION ((Size) 8 * 1024 * 1024)

/* Raise "invalid parameter value" with a message of the caller's. */
void
pinecone_huf_bad_param(const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message)));
}

void
pinecone_huf_negative_mass(double x, HufMassPlace place)
{
	static const char *const hints[] = {
		[HUF_MASS_OF_ROWS] = "Leave such rows out, or take greatest(x, 0); of scores that can be negative, as cosines can, exp(score / t) is a mass.",
		[HUF_MASS_OF_ROWS_KIND] = "Leave such rows out, take greatest(x, 0), or use kind 'softmax', which takes any scores.",
		[HUF_MASS_OF_SIDES] = "Compare shares of masses that are not negative: of greatest(score, 0), or softmax shares.",
		[HUF_MASS_OF_ARRAY] = "Clip or shift the array with huf_nonneg.",
		[HUF_MASS_OF_ARRAY_KIND] = "Clip or shift the array with huf_nonneg, or use kind 'softmax'.",
	};
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(x, digits);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("mass must not be negative: %s", digits),
			 errhint("%s", hints[place])));
}

void
pinecone_huf_dim_mismatch(int expected, int found)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("expected %d dimensions, not %d", expected, found)));
}

PG_FUNCTION_INFO_V1(pinecone_huf_kind);

/* The labels of huf_kind, by HufKind */
static const char *const kind_labels[] = {[HUF_LINEAR] = "linear", [HUF_SOFTMAX] = "softmax"};

/* What a value of the enum huf_kind stands for; noted for the next row. */
HufKind
pinecone_huf_kind_look_up(FunctionCallInfo fcinfo, Oid value)
{
	HufKindSeen *seen = (HufKindSeen *) fcinfo->flinfo->fn_extra;
	HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	HufKind kind;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	kind = strcmp(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel), kind_labels[HUF_SOFTMAX]) == 0 ? HUF_SOFTMAX : HUF_LINEAR;
	ReleaseSysCache(tuple);
	if (seen == NULL)
		seen = fcinfo->flinfo->fn_extra = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(HufKindSeen));
	seen->value = value;
	seen->kind = kind;
	return kind;
}

/* huf_kind(text): the implicit cast, by which kinds may be texts. */
Datum
pinecone_huf_kind(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid type = get_func_rettype(fcinfo->flinfo->fn_oid);

	for (int i = 0; i < lengthof(kind_labels); i++)
	{
		if (strcmp(name, kind_labels[i]) == 0)
			PG_RETURN_OID(GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type), CStringGetDatum(name)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid kind of share: \"%.*s\"", pg_mbcliplen(name, strlen(name), 64), name),
			 errhint("Valid kinds are \"linear\" and \"softmax\".")));
}

/* A parameter that must be finite and greater than 0. */
double
pinecone_huf_positive(const char *name, double value)
{
	if (!(value > 0 && value <= DBL_MAX))
		pinecone_huf_bad_param("%s must be finite and greater than 0", name);
	return value;
}

/* A parameter that must be within 0 and 1. */
double
pinecone_huf_fraction(const char *name, double value)
{
	if (!(value >= 0 && value <= 1))
		pinecone_huf_bad_param("%s must be between 0 and 1", name);
	return value;
}

static bool
same_params(const HufParams *a, const HufParams *b)
{
	if (a->kind != b->kind)
		return false;
	for (int i = 0; i < HUF_MAX_PARAMS; i++)
		if (a->value[i] != b->value[i])
			return false;
	return true;
}

void
pinecone_huf_check_params(const HufParams *expected, const HufParams *found)
{
	if (!same_params(expected, found))
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
}

/* Where the state of the running aggregate lives. */
MemoryContext
pinecone_huf_aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate support function called outside an aggregate");
	return context;
}

/*
 * Memory that is filled once from end to end.  Page by page the kernel takes
 * longer to provide it than we take to fill it, so ask for large pages.
 */
static void *
advise_large(void *memory, Size size)
{
#ifdef MADV_HUGEPAGE
	if (size >= LARGE_ALLOCATION)
	{
		uintptr_t page = sysconf(_SC_PAGESIZE);
		uintptr_t from = (uintptr_t) memory & ~(page - 1);

		/* advice: if it is not taken, nothing is lost */
		(void) madvise((void *) from, ((uintptr_t) memory + size - from + page - 1) & ~(page - 1), MADV_HUGEPAGE);
	}
#endif
	return memory;
}

void *
pinecone_huf_alloc_large(MemoryContext context, Size size)
{
	return advise_large(MemoryContextAllocHuge(context, size), size);
}

void *
pinecone_huf_realloc_large(void *memory, Size size)
{
	return advise_large(repalloc_huge(memory, size), size);
}

/* Take a one-dimensional float8[] apart. */
void
pinecone_huf_array(ArrayType *array, HufArray *out)
{
	Datum *datums;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array must have one dimension, not %d", ARR_NDIM(array))));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &datums, &out->isnull, &out->n);
	out->value = palloc(sizeof(double) * Max(out->n, 1));
	out->nonnull = 0;
	out->lower = out->n > 0 ? ARR_LBOUND(array)[0] : 1;
	for (int i = 0; i < out->n; i++)
	{
		out->value[i] = out->isnull[i] ? 0 : DatumGetFloat8(datums[i]);
		out->nonnull += !out->isnull[i];
	}
	pfree(datums);
}

/* Put one together again. */
Datum
pinecone_huf_array_datum(const HufArray *array)
{
	Datum *datums = palloc(sizeof(Datum) * Max(array->n, 1));
	int lower = array->lower;
	int n = array->n;

	for (int i = 0; i < n; i++)
		datums[i] = Float8GetDatum(array->value[i]);
	return PointerGetDatum(construct_md_array(datums, array->isnull, 1, &n, &lower, FLOAT8OID,
											  sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Rows after which a long loop looks whether it is to end */
#define INTERRUPT_ROWS (1 << 20)

/* A double's bits as a number that orders as the double does, and back. */
static inline uint64
order_bits(uint64 bits)
{
	return bits >> 63 ? ~bits : bits | UINT64CONST(1) << 63;
}

static inline uint64
unorder_bits(uint64 bits)
{
	return bits >> 63 ? bits & ~(UINT64CONST(1) << 63) : ~bits;
}

/* One pass: by eleven bits; false if all keys agree in them. */
static bool
radix_pass(const uint64 *from, uint64 *to, int64 n, int shift)
{
	int64 count[2048] = {0};
	int64 place = 0;

	for (int64 start = 0; start < n; start += INTERRUPT_ROWS)
	{
		int64 end = Min(n, start + INTERRUPT_ROWS);

		for (int64 i = start; i < end; i++)
			count[(from[i] >> shift) & 2047]++;
		CHECK_FOR_INTERRUPTS();
	}
	if (count[(from[0] >> shift) & 2047] == n)
		return false;
	for (int b = 0; b < 2048; b++)
	{
		int64 here = count[b];

		count[b] = place;
		place += here;
	}
	for (int64 start = 0; start < n; start += INTERRUPT_ROWS)
	{
		int64 end = Min(n, start + INTERRUPT_ROWS);

		for (int64 i = start; i < end; i++)
			to[count[(from[i] >> shift) & 2047]++] = from[i];
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/*
 * Sort numbers, ascending, by eleven bits a pass; returns where they are then.
 * Doubles can be sorted so by their bit patterns, which order as they do, but
 * for the sign.
 */
static uint64 *
radix_sort(uint64 *key, uint64 *spare, int64 n)
{
	uint64 *from = key;
	uint64 *to = spare;

	for (int shift = 0; shift < 64; shift += 11)
	{
		uint64 *swap = from;

		if (!radix_pass(from, to, n, shift))
			continue;
		from = to;
		to = swap;
	}
	return from;
}

/* Sort doubles, none of them NaN, ascending.  However many, it can be cancelled. */
void
pinecone_huf_sort(double *value, int64 n)
{
	uint64 *key = (uint64 *) value;
	uint64 *spare;
	uint64 *sorted;
	bool negative = false;

	for (int64 i = 0; i < n; i++)
	{
		value[i] += 0.0; /* -0.0 becomes 0.0, so that bit patterns order */
		negative |= value[i] < 0;
	}
	if (n < 2000)
	{
		qsort(value, n, sizeof(double), compare_doubles);
		return;
	}
	spare = pinecone_huf_alloc_large(CurrentMemoryContext, sizeof(uint64) * n);
	for (int64 i = 0; negative && i < n; i++)
		key[i] = order_bits(key[i]);
	sorted = radix_sort(key, spare, n);
	for (int64 i = 0; negative && i < n; i++)
		sorted[i] = unorder_bits(sorted[i]);
	if (sorted != key)
		memcpy(key, sorted, sizeof(uint64) * n);
	pfree(spare);
}

/* The largest of some masses; says also whether they make shares. */
static HufMassState
largest_mass(const double *value, int64 n, double *largest)
{
	bool bad = false;

	*largest = 0;
	for (int64 i = 0; i < n; i++)
	{
		double x = value[i];

		if (x < 0)
			pinecone_huf_negative_mass(x, HUF_MASS_OF_ARRAY_KIND);
		if (x > *largest)
			*largest = x;
		bad |= isnan(x);
	}
	if (bad || isinf(*largest))
		return HUF_MASS_NAN;
	return *largest == 0 ? HUF_MASS_ZERO : HUF_MASS_OK;
}

/* The same of scores, where -Infinity is a masked item. */
static HufMassState
largest_score(const double *value, int64 n, double *largest)
{
	*largest = -INFINITY;
	for (int64 i = 0; i < n; i++)
	{
		if (isnan(value[i]) || value[i] == INFINITY)
			return HUF_MASS_NAN;
		*largest = Max(*largest, value[i]);
	}
	return isinf(*largest) ? HUF_MASS_ZERO : HUF_MASS_OK;
}

/*
 * Products of finite numbers, in units of a power of two near the largest, so
 * that they do not all underflow.
 */
void
pinecone_huf_products(const double *a, const double *b, double *product, int64 n)
{
	int *exponent = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);
	int largest = INT_MIN;

	for (int64 i = 0; i < n; i++)
	{
		int ea;
		int eb;

		product[i] = frexp(a[i], &ea) * frexp(b[i], &eb);
		exponent[i] = ea + eb;
		if (product[i] != 0)
			largest = Max(largest, exponent[i]);
	}
	for (int64 i = 0; i < n; i++)
		if (product[i] != 0)
			product[i] = ldexp(product[i], exponent[i] - largest);
	pfree(exponent);
}

/*
 * Turn scores into masses, in place and scaled by a power of two (linear) or
 * relative to the largest (softmax), and compute their total.  A masked item
 * (-Infinity under softmax) gets mass 0.  The caller divides by the total; on
 * HUF_MASS_NAN and HUF_MASS_ZERO the values are not to be used.
 */
HufMassState
pinecone_huf_masses(double *value, int64 n, HufKind kind, double t, double *total)
{
	HufSum sum = {0};
	double largest;
	HufMassState state = kind == HUF_LINEAR ? largest_mass(value, n, &largest) : largest_score(value, n, &largest);

	if (state != HUF_MASS_OK)
		return state;
	if (kind == HUF_LINEAR)
	{
		double factor = ldexp(1, -huf_scale_exponent(largest));

		for (int64 i = 0; i < n; i++)
			value[i] = value[i] * factor + 0.0; /* no -0.0 among the shares */
	}
	else
	{
		for (int64 i = 0; i < n; i++)
			value[i] = exp(huf_softmax_exponent(value[i], largest, t));
	}
	for (int64 i = 0; i < n; i++)
		huf_sum_add(&sum, value[i]);
	*total = huf_sum_value(&sum);
	return HUF_MASS_OK;
}
