/*
 * huf_profile.c
 *		What the hits of a namespace amount to, all of it in one pass: counts,
 *		mass, concentration, the histogram of the scores.
 *
 * huf_take() wants eight figures of each namespace, and eight aggregates would
 * each fetch their own state from memory for each row.  This one keeps them
 * together.  How many items cover nine tenths is told from logarithmic buckets,
 * eight to the octave, whose items are taken as equal.
 *
 * A profile is the state as bytes, so that profiles can be merged later.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "libpq/pqformat.h"

#include "huf/huf_common.h"

PG_FUNCTION_INFO_V1(pinecone_huf_profile_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_profile_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_profile_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_profile_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_profile_final);
PG_FUNCTION_INFO_V1(pinecone_huf_profile_merge_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_profile_read);

#define PROFILE_VERSION 1
#define MAX_EDGES 32
#define COVER 0.9
/* a bucket is the exponent and three bits of the mantissa */
#define BUCKET_SHIFT 49
#define BUCKETS (0x7ff << 3)
#define READ_COLUMNS 8
#define SMALLEST_SHIFT (-1021)

typedef struct Bucket
{
	int64 n;
	double sum;
} Bucket;

/* What each row touches is together, for there may be thousands of these */
typedef struct Profile
{
	int64 rows;
	int64 n;		/* rows with a finite score */
	int64 negative; /* of them, with one below 0 */
	/* sums of masses times unit = 2^-shift, and of their squares, lest they exceed a double; the largest mass is at most 2^shift */
	HufSum mass;
	double squares;
	double unit;
	/* softmax of the scores: the largest, and sums of exp(s - largest) and its square */
	double largest;
	double weight;
	double weight2;
	/* masses above 0 */
	Bucket *bucket;
	int first; /* index of bucket[0] */
	int length;
	int shift;
	int nedges;
	uint64 edges;				/* tells lists of edges apart */
	int64 count[MAX_EDGES + 1]; /* scores between edges */
	double edge[MAX_EDGES];
	MemoryContext context;
} Profile;

static uint64
edges_hash(const double *edge, int nedges)
{
	uint64 hash = nedges;

	for (int i = 0; i < nedges; i++)
	{
		uint64 bits;

		memcpy(&bits, &edge[i], sizeof(bits));
		hash = (hash ^ bits) * UINT64CONST(0x9E3779B97F4A7C15);
		hash ^= hash >> 29;
	}
	return hash;
}

static Profile *
new_profile(MemoryContext context, const double *edge, int nedges)
{
	Profile *p = MemoryContextAllocZero(context, sizeof(Profile));

	p->context = context;
	p->shift = SMALLEST_SHIFT;
	p->unit = ldexp(1, -p->shift);
	p->nedges = nedges;
	p->edges = edges_hash(edge, nedges);
	if (nedges > 0)
		memcpy(p->edge, edge, sizeof(double) * nedges);
	return p;
}

/* The bucket of an index, made if it is new. */
static Bucket *
find_bucket(Profile *p, int index)
{
	if (p->length == 0 || index < p->first || index >= p->first + p->length)
	{
		/* neighbours will follow: an octave more than is needed */
		int first = p->length == 0 ? index - 8 : Min(index - 8, p->first);
		int end = p->length == 0 ? index + 9 : Max(index + 9, p->first + p->length);
		Bucket *grown;

		first = Max(first, 0);
		end = Min(end, BUCKETS);
		grown = MemoryContextAllocZero(p->context, sizeof(Bucket) * (end - first));
		if (p->length > 0)
		{
			memcpy(grown + (p->first - first), p->bucket, sizeof(Bucket) * p->length);
			pfree(p->bucket);
		}
		p->bucket = grown;
		p->first = first;
		p->length = end - first;
	}
	return p->bucket + (index - p->first);
}

static inline int
bucket_index(double x)
{
	uint64 bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits >> BUCKET_SHIFT;
}

/* The power of two below the masses of a bucket, by which they are divided there. */
static inline int
bucket_exponent(int index)
{
	return Max(index >> 3, 1) - 1023;
}

/* Let masses up to 2^shift be squared. */
static void
raise_shift(Profile *p, int shift)
{
	huf_sum_scale(&p->mass, ldexp(1, p->shift - shift));
	p->squares = ldexp(p->squares, 2 * (p->shift - shift));
	p->shift = shift;
	p->unit = ldexp(1, -shift);
}

/* Bring the softmax sums to another largest score. */
static void
raise_largest(Profile *p, double largest)
{
	double f = exp(p->largest - largest);

	p->weight *= f;
	p->weight2 *= f * f;
	p->largest = largest;
}

/*
 * Add one hit to all that a profile counts. Masses are kept in units of a power
 * of two that grows with the largest, so that the sum of squares cannot
 * overflow.
 */
static void
count_hit(Profile *p, double score, double mass, const double *edge)
{
	int bin = 0;
	double w;
	double m;

	if (!(mass >= 0) && !isnan(mass))
		pinecone_huf_negative_mass(mass, HUF_MASS_OF_ROWS);
	if (!isfinite(mass))
		pinecone_huf_bad_param("the mass of a finite score must be finite");
	if (p->n == 0)
		p->largest = score;
	else if (score > p->largest)
		raise_largest(p, score);
	w = exp(score - p->largest);
	p->weight += w;
	p->weight2 += w * w;
	p->n++;
	p->negative += score < 0;
	m = mass * p->unit;
	if (m > 1)
	{
		raise_shift(p, huf_scale_exponent(mass));
		m = mass * p->unit;
	}
	huf_sum_add(&p->mass, m);
	p->squares += m * m;
	while (bin < p->nedges && score >= edge[bin])
		bin++;
	p->count[bin]++;
	if (mass > 0)
	{
		int index = bucket_index(mass);
		Bucket *b = find_bucket(p, index);

		b->n++;
		b->sum += ldexp(mass, -bucket_exponent(index));
	}
}

/* Add another's counts to a profile's: as if its hits had been counted here. */
static void
merge_profile(Profile *p, const Profile *other)
{
	if (p->nedges != other->nedges || memcmp(p->edge, other->edge, sizeof(double) * p->nedges) != 0)
		pinecone_huf_bad_param("profiles have different edges");
	p->rows += other->rows;
	if (other->n == 0)
		return;
	if (p->n == 0)
		p->largest = other->largest;
	else if (other->largest > p->largest)
		raise_largest(p, other->largest);
	{
		double f = exp(other->largest - p->largest);

		p->weight += other->weight * f;
		p->weight2 += other->weight2 * f * f;
	}
	p->n += other->n;
	p->negative += other->negative;
	if (other->shift > p->shift)
		raise_shift(p, other->shift);
	{
		HufSum mass = other->mass;

		huf_sum_scale(&mass, ldexp(1, other->shift - p->shift));
		huf_sum_merge(&p->mass, &mass);
		p->squares += ldexp(other->squares, 2 * (other->shift - p->shift));
	}
	for (int i = 0; i <= p->nedges; i++)
		p->count[i] += other->count[i];
	for (int i = 0; i < other->length; i++)
	{
		if (other->bucket[i].n > 0)
		{
			Bucket *b = find_bucket(p, other->first + i);

			b->n += other->bucket[i].n;
			b->sum += other->bucket[i].sum;
		}
	}
}

/* The edges of a row, which must be those of the rows before it. */
static int
read_edges(FunctionCallInfo fcinfo, int arg, const double **edge)
{
	ArrayType *array;
	int n;

	*edge = NULL;
	if (PG_ARGISNULL(arg))
		return 0;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	*edge = (const double *) ARR_DATA_PTR(array);
	if (ARR_NDIM(array) != 1 || array_contains_nulls(array) || n > MAX_EDGES)
		pinecone_huf_bad_param("edges must be a list of 1 to %d numbers", MAX_EDGES);
	return n;
}

Datum
pinecone_huf_profile_accum(PG_FUNCTION_ARGS)
{
	Profile *p = PG_ARGISNULL(0) ? NULL : (Profile *) PG_GETARG_POINTER(0);
	const double *edge;
	int nedges = read_edges(fcinfo, 3, &edge);

	if (p == NULL)
	{
		for (int i = 0; i < nedges; i++)
			if (!isfinite(edge[i]) || (i > 0 && edge[i] <= edge[i - 1]))
				pinecone_huf_bad_param("edges must be finite and ascending");
		p = new_profile(pinecone_huf_aggregate_context(fcinfo), edge, nedges);
	}
	else if (p->nedges != nedges || p->edges != edges_hash(edge, nedges))
		pinecone_huf_bad_param("parameters of an aggregate must not vary within a group");
	p->rows++;
	if (!PG_ARGISNULL(1) && isfinite(PG_GETARG_FLOAT8(1)))
	{
		if (PG_ARGISNULL(2))
			pinecone_huf_bad_param("a hit with a score must have a mass");
		count_hit(p, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), edge);
	}
	PG_RETURN_POINTER(p);
}

Datum
pinecone_huf_profile_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Profile *p = PG_ARGISNULL(0) ? NULL : (Profile *) PG_GETARG_POINTER(0);
	Profile *other = PG_ARGISNULL(1) ? NULL : (Profile *) PG_GETARG_POINTER(1);

	if (other != NULL)
	{
		if (p == NULL)
			p = new_profile(context, other->edge, other->nedges);
		merge_profile(p, other);
	}
	if (p == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(p);
}

static bytea *
profile_bytes(const Profile *p)
{
	StringInfoData buf;
	int used = 0;

	for (int i = 0; i < p->length; i++)
		used += p->bucket[i].n > 0;
	pq_begintypsend(&buf);
	pq_sendint8(&buf, PROFILE_VERSION);
	pq_sendint64(&buf, p->rows);
	pq_sendint64(&buf, p->n);
	pq_sendint64(&buf, p->negative);
	pq_sendfloat8(&buf, p->mass.s);
	pq_sendfloat8(&buf, p->mass.c);
	pq_sendfloat8(&buf, p->squares);
	pq_sendint32(&buf, p->shift);
	pq_sendfloat8(&buf, p->largest);
	pq_sendfloat8(&buf, p->weight);
	pq_sendfloat8(&buf, p->weight2);
	pq_sendint32(&buf, p->nedges);
	for (int i = 0; i < p->nedges; i++)
		pq_sendfloat8(&buf, p->edge[i]);
	for (int i = 0; i <= p->nedges; i++)
		pq_sendint64(&buf, p->count[i]);
	pq_sendint32(&buf, used);
	for (int i = 0; i < p->length; i++)
	{
		if (p->bucket[i].n == 0)
			continue;
		pq_sendint32(&buf, p->first + i);
		pq_sendint64(&buf, p->bucket[i].n);
		pq_sendfloat8(&buf, p->bucket[i].sum);
	}
	return pq_endtypsend(&buf);
}

/* The profile in bytes, which anybody may have made. */
static Profile *
profile_of_bytes(bytea *bytes)
{
	StringInfoData buf;
	Profile *p = new_profile(CurrentMemoryContext, NULL, 0);
	int used;

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buf) != PROFILE_VERSION)
		pinecone_huf_bad_param("not a profile, or one of another version");
	p->rows = pq_getmsgint64(&buf);
	p->n = pq_getmsgint64(&buf);
	p->negative = pq_getmsgint64(&buf);
	p->mass.s = pq_getmsgfloat8(&buf);
	p->mass.c = pq_getmsgfloat8(&buf);
	p->squares = pq_getmsgfloat8(&buf);
	p->shift = (int) pq_getmsgint(&buf, 4);
	if (p->shift < SMALLEST_SHIFT || p->shift > 1024)
		pinecone_huf_bad_param("not a profile");
	p->unit = ldexp(1, -p->shift);
	p->largest = pq_getmsgfloat8(&buf);
	p->weight = pq_getmsgfloat8(&buf);
	p->weight2 = pq_getmsgfloat8(&buf);
	p->nedges = pq_getmsgint(&buf, 4);
	if (p->nedges < 0 || p->nedges > MAX_EDGES)
		pinecone_huf_bad_param("not a profile");
	for (int i = 0; i < p->nedges; i++)
		p->edge[i] = pq_getmsgfloat8(&buf);
	p->edges = edges_hash(p->edge, p->nedges);
	for (int i = 0; i <= p->nedges; i++)
		p->count[i] = pq_getmsgint64(&buf);
	used = pq_getmsgint(&buf, 4);
	for (int i = 0; i < used; i++)
	{
		int index = pq_getmsgint(&buf, 4);
		Bucket *b;

		if (index < 0 || index >= BUCKETS)
			pinecone_huf_bad_param("not a profile");
		b = find_bucket(p, index);
		b->n = pq_getmsgint64(&buf);
		b->sum = pq_getmsgfloat8(&buf);
	}
	pq_getmsgend(&buf);
	return p;
}

Datum
pinecone_huf_profile_serialize(PG_FUNCTION_ARGS)
{
	pinecone_huf_aggregate_context(fcinfo);
	PG_RETURN_BYTEA_P(profile_bytes((Profile *) PG_GETARG_POINTER(0)));
}

Datum
pinecone_huf_profile_deserialize(PG_FUNCTION_ARGS)
{
	pinecone_huf_aggregate_context(fcinfo);
	PG_RETURN_POINTER(profile_of_bytes(PG_GETARG_BYTEA_PP(0)));
}

Datum
pinecone_huf_profile_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(profile_bytes((Profile *) PG_GETARG_POINTER(0)));
}

/* Transition of huf_profile_merge(). */
Datum
pinecone_huf_profile_merge_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	Profile *p = PG_ARGISNULL(0) ? NULL : (Profile *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		Profile *other = profile_of_bytes(PG_GETARG_BYTEA_PP(1));

		if (p == NULL)
			p = new_profile(context, other->edge, other->nedges);
		merge_profile(p, other);
		if (other->bucket != NULL)
			pfree(other->bucket);
		pfree(other);
	}
	if (p == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(p);
}

/* The masses of a bucket together, in units of those of the top one. */
static double
bucket_sum(const Profile *p, int i, int top)
{
	return ldexp(p->bucket[i].sum, bucket_exponent(p->first + i) - bucket_exponent(p->first + top));
}

/* How many items cover nine tenths of the mass. */
static int64
items_to_cover(const Profile *p)
{
	HufSum total = {0};
	double target;
	double before = 0;
	int64 k = 0;
	int top;

	for (top = p->length - 1; top > 0 && p->bucket[top].n == 0; top--)
		;
	for (int i = 0; i <= top && i < p->length; i++)
		huf_sum_add(&total, bucket_sum(p, i, top));
	/* less what rounding may add to it */
	target = COVER * huf_sum_value(&total) * (1 - 1e-12);
	for (int i = top; i >= 0 && before < target; i--)
	{
		const Bucket *b = &p->bucket[i];
		double sum;

		if (b->n == 0)
			continue;
		sum = bucket_sum(p, i, top);
		if (before + sum >= target)
		{
			double part = ceil((target - before) / sum * b->n);

			return k + (int64) Min(Max(part, 1), b->n);
		}
		before += sum;
		k += b->n;
	}
	return k;
}

/* The figures of a profile, as a row. */
Datum
pinecone_huf_profile_read(PG_FUNCTION_ARGS)
{
	Profile *p = profile_of_bytes(PG_GETARG_BYTEA_PP(0));
	TupleDesc desc;
	Datum value[READ_COLUMNS];
	bool isnull[READ_COLUMNS] = {false};
	double scaled = huf_sum_value(&p->mass);
	double mass = ldexp(scaled, p->shift);
	double variance;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != READ_COLUMNS)
		elog(ERROR, "unexpected result type");
	variance = p->n > 0 ? p->weight2 / (p->weight * p->weight) / p->n - 1.0 / ((double) p->n * p->n) : 0;
	value[0] = Int64GetDatum(p->rows);
	value[1] = Int64GetDatum(p->n);
	value[2] = Int64GetDatum(p->negative);
	value[3] = Float8GetDatum(mass);
	value[4] = Float8GetDatum(scaled * scaled / p->squares);
	isnull[4] = !(p->squares > 0);
	value[5] = Int64GetDatum(items_to_cover(p));
	isnull[5] = p->n == 0;
	value[6] = Float8GetDatum(Max(variance, 0));
	isnull[6] = p->n == 0;
	value[7] = (Datum) 0;
	isnull[7] = p->nedges == 0 || p->n == 0;
	if (!isnull[7])
	{
		Datum count[MAX_EDGES + 1];

		for (int i = 0; i <= p->nedges; i++)
			count[i] = Int64GetDatum(p->count[i]);
		value[7] = PointerGetDatum(construct_array(count, p->nedges + 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), value, isnull)));
}
