/*
 * huf_buckets.c
 *		How many items cover a part of the total, in bounded memory.
 *
 * Masses are counted and summed in logarithmic buckets, which huf_tally.h
 * describes.  The answer is exact but for the bucket in which the target
 * falls, whose items are taken as equal.
 */
#include "postgres.h"

#include "libpq/pqformat.h"

#include "huf/huf_tally.h"

PG_FUNCTION_INFO_V1(pinecone_huf_buckets_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_buckets_remove);
PG_FUNCTION_INFO_V1(pinecone_huf_buckets_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_buckets_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_buckets_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_items_to_cover_approx);

#define BUCKETS_VERSION 1
#define DEFAULT_COVER 0.9

typedef struct Buckets
{
	double q;
	int64 n;   /* all items, those of mass 0 among them */
	int64 bad; /* NaN or infinite */
	int first; /* index of bucket[0] */
	int length;
	HufTally *bucket;
	MemoryContext context;
} Buckets;

static Buckets *
new_buckets(MemoryContext context, double q)
{
	Buckets *b = MemoryContextAllocZero(context, sizeof(Buckets));

	b->q = q;
	b->context = context;
	return b;
}

/* The bucket of an index, made if it is new. */
static HufTally *
find_bucket(Buckets *b, int index)
{
	if (b->length == 0 || index < b->first || index >= b->first + b->length)
	{
		/* beyond what is needed, as neighbours will follow: an octave, or part of what there is */
		int more = Max(32, b->length / 4);
		int first = Max(0, (b->length == 0 ? index : Min(index, b->first)) - more);
		int end = Min(HUF_TALLIES, (b->length == 0 ? index : Max(index, b->first + b->length - 1)) + more + 1);
		HufTally *grown;

		if (b->length > 0 && b->first < index)
			first = b->first;
		if (b->length > 0 && b->first + b->length > index)
			end = b->first + b->length;
		grown = MemoryContextAllocZero(b->context, sizeof(HufTally) * (end - first));
		if (b->length > 0)
		{
			memcpy(grown + (b->first - first), b->bucket, sizeof(HufTally) * b->length);
			pfree(b->bucket);
		}
		b->bucket = grown;
		b->first = first;
		b->length = end - first;
	}
	return b->bucket + (index - b->first);
}

/* Count a mass, or take it back. */
static void
count_mass(Buckets *b, double x, bool add)
{
	uint64 bits;
	uint64 mantissa;
	HufTally *bucket;

	if (x < 0)
		pinecone_huf_negative_mass(x, HUF_MASS_OF_ROWS);
	b->n += add ? 1 : -1;
	if (!isfinite(x))
	{
		b->bad += add ? 1 : -1;
		return;
	}
	if (x == 0)
		return;
	bits = huf_bits(x);
	mantissa = huf_mantissa(bits);
	bucket = find_bucket(b, bits >> HUF_TALLY_SHIFT);
	if (add)
		huf_tally_add(bucket, 1, mantissa, 0);
	else
	{
		bucket->n--;
		bucket->high -= bucket->low < mantissa;
		bucket->low -= mantissa;
	}
}

/* Transition of huf_items_to_cover_approx(x [, q]). */
Datum
pinecone_huf_buckets_accum(PG_FUNCTION_ARGS)
{
	Buckets *b = PG_ARGISNULL(0) ? NULL : (Buckets *) PG_GETARG_POINTER(0);
	double q = DEFAULT_COVER;

	if (PG_NARGS() > 2)
	{
		if (PG_ARGISNULL(2))
			pinecone_huf_bad_param("parameters of an aggregate must not be null");
		q = PG_GETARG_FLOAT8(2);
		if (!(q > 0 && q <= 1))
			pinecone_huf_bad_param("q must be greater than 0 and at most 1");
	}
	if (b == NULL)
		b = new_buckets(pinecone_huf_aggregate_context(fcinfo), q);
	else if (b->q != q)
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
	if (!PG_ARGISNULL(1))
		count_mass(b, PG_GETARG_FLOAT8(1), true);
	PG_RETURN_POINTER(b);
}

Datum
pinecone_huf_buckets_remove(PG_FUNCTION_ARGS)
{
	Buckets *b = (Buckets *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		count_mass(b, PG_GETARG_FLOAT8(1), false);
	PG_RETURN_POINTER(b);
}

Datum
pinecone_huf_buckets_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Buckets *b = PG_ARGISNULL(0) ? NULL : (Buckets *) PG_GETARG_POINTER(0);
	Buckets *other = PG_ARGISNULL(1) ? NULL : (Buckets *) PG_GETARG_POINTER(1);

	if (other != NULL)
	{
		if (b == NULL)
			b = new_buckets(context, other->q);
		if (b->q != other->q)
			pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
		b->n += other->n;
		b->bad += other->bad;
		for (int i = 0; i < other->length; i++)
		{
			HufTally *from = other->bucket + i;

			if (from->n > 0)
				huf_tally_add(find_bucket(b, other->first + i), from->n, from->low, from->high);
		}
	}
	if (b == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(b);
}

Datum
pinecone_huf_buckets_serialize(PG_FUNCTION_ARGS)
{
	Buckets *b = (Buckets *) PG_GETARG_POINTER(0);
	StringInfoData buf;
	int used = 0;

	pinecone_huf_aggregate_context(fcinfo);
	for (int i = 0; i < b->length; i++)
		used += b->bucket[i].n > 0;
	pq_begintypsend(&buf);
	pq_sendint8(&buf, BUCKETS_VERSION);
	pq_sendfloat8(&buf, b->q);
	pq_sendint64(&buf, b->n);
	pq_sendint64(&buf, b->bad);
	pq_sendint32(&buf, used);
	for (int i = 0; i < b->length; i++)
	{
		if (b->bucket[i].n == 0)
			continue;
		pq_sendint32(&buf, b->first + i);
		pq_sendint64(&buf, b->bucket[i].n);
		pq_sendint64(&buf, b->bucket[i].low);
		pq_sendint64(&buf, b->bucket[i].high);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
pinecone_huf_buckets_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf;
	Buckets *b;
	int used;

	pinecone_huf_aggregate_context(fcinfo);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buf) != BUCKETS_VERSION)
		elog(ERROR, "unexpected version of an aggregate state");
	b = new_buckets(CurrentMemoryContext, pq_getmsgfloat8(&buf));
	b->n = pq_getmsgint64(&buf);
	b->bad = pq_getmsgint64(&buf);
	used = pq_getmsgint(&buf, 4);
	for (int i = 0; i < used; i++)
	{
		int index = pq_getmsgint(&buf, 4);
		int64 n = pq_getmsgint64(&buf);
		uint64 low = pq_getmsgint64(&buf);
		uint64 high = pq_getmsgint64(&buf);

		if (index < 0 || index >= HUF_TALLIES)
			elog(ERROR, "aggregate state has an unexpected bucket");
		huf_tally_add(find_bucket(b, index), n, low, high);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(b);
}

/*
 * Walk the buckets from the largest masses down until the part is covered; of
 * the bucket where that happens, a share of its masses as if they were alike.
 */
Datum
pinecone_huf_items_to_cover_approx(PG_FUNCTION_ARGS)
{
	Buckets *b = PG_ARGISNULL(0) ? NULL : (Buckets *) PG_GETARG_POINTER(0);
	HufSum total = {0};
	HufSum prefix = {0};
	int64 k = 0;
	double target;
	int exponent;
	int top;

	if (b == NULL || b->n == 0 || b->bad > 0)
		PG_RETURN_NULL();
	for (top = b->length - 1; top >= 0 && b->bucket[top].n == 0; top--)
		;
	if (top < 0)
		PG_RETURN_INT64(0);
	exponent = huf_tally_exponent(b->first + top);
	for (int i = top; i >= 0; i--)
		if (b->bucket[i].n > 0)
			huf_sum_add(&total, huf_tally_sum(&b->bucket[i], b->first + i, exponent));
	target = huf_cover_target(b->q, huf_sum_value(&total));
	for (int i = top; i >= 0; i--)
	{
		double sum;
		double before = huf_sum_value(&prefix);

		if (b->bucket[i].n == 0)
			continue;
		if (before >= target)
			break;
		sum = huf_tally_sum(&b->bucket[i], b->first + i, exponent);
		huf_sum_add(&prefix, sum);
		if (huf_sum_value(&prefix) >= target)
		{
			double part = ceil((target - before) / sum * b->bucket[i].n);

			k += (int64) Min(Max(part, 1), b->bucket[i].n);
			break;
		}
		k += b->bucket[i].n;
	}
	PG_RETURN_INT64(k);
}
