/*
 * filter_number.c
 *		Conditions on numbers, and on times that are stored as numbers, as filters.
 *
 * What is stored is a float64; what it is compared with need not be one.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "request/filter_part.h"

/* 2^63, which no bigint reaches */
#define INT8_RANGE 9223372036854775808.0

#define UNIX_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/*
 * A value as the nearest float64, and how that compares with the value
 * itself: so that comparing stored float64s with the value can be expressed
 * as comparing them with the float64, exactly.
 */
typedef struct NearestDouble
{
	double number; /* may be infinite or NaN */
	int order;	   /* sign of number - value */
} NearestDouble;

static NearestDouble
nearest_of_int(int64 value)
{
	NearestDouble nearest = {(double) value, 0};

	if (nearest.number >= INT8_RANGE)
		nearest.order = 1;
	else if ((int64) nearest.number != value)
		nearest.order = (int64) nearest.number > value ? 1 : -1;
	return nearest;
}

/*
 * Numeric columns hold the shortest decimal of the stored float64, so that is
 * what the value is compared with; integer columns hold the float64 itself.
 */
static NearestDouble
nearest_of_numeric(Datum value, bool integers)
{
	NearestDouble nearest = {0, 0};
	Numeric numeric = DatumGetNumeric(value);
	Datum held;

	if (numeric_is_nan(numeric))
	{
		nearest.number = NAN;
		return nearest;
	}
	nearest.number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	if (isinf(nearest.number))
	{
		if (!numeric_is_inf(numeric))
			nearest.order = nearest.number > 0 ? 1 : -1;
		return nearest;
	}
	if (integers && nearest.number >= -INT8_RANGE && nearest.number < INT8_RANGE)
		held = DirectFunctionCall1(int8_numeric, Int64GetDatum((int64) rint(nearest.number)));
	else
		held = DirectFunctionCall3(numeric_in, CStringGetDatum(json_number(nearest.number)),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	nearest.order = DatumGetInt32(DirectFunctionCall2(numeric_cmp, held, value));
	return nearest;
}

static NearestDouble
nearest_of_date(DateADT date, PineconeFormat format)
{
	NearestDouble nearest = {0, 0};

	if (DATE_IS_NOBEGIN(date))
		nearest.number = -INFINITY;
	else if (DATE_IS_NOEND(date))
		nearest.number = INFINITY;
	else
		nearest.number = ((double) date + UNIX_EPOCH_DAYS) * SECS_PER_DAY *
						 (format == PINECONE_FORMAT_EPOCH_MS ? 1000.0 : 1.0);
	return nearest;
}

static bool
is_integer_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static NearestDouble
nearest_double(const PineconeColumn *column, Datum value, Oid type)
{
	NearestDouble nearest = {0, 0};

	switch (type)
	{
		case INT2OID:
			return nearest_of_int(DatumGetInt16(value));
		case INT4OID:
			return nearest_of_int(DatumGetInt32(value));
		case INT8OID:
			return nearest_of_int(DatumGetInt64(value));
		case FLOAT4OID:
			nearest.number = DatumGetFloat4(value);
			return nearest;
		case FLOAT8OID:
			nearest.number = DatumGetFloat8(value);
			return nearest;
		case NUMERICOID:
			return nearest_of_numeric(value, is_integer_type(getBaseType(column->typid)));
		case DATEOID:
			return nearest_of_date(DatumGetDateADT(value), column->format);
		default:
			elog(ERROR, "unexpected type %u of a number", type);
	}
}

bool
pinecone_filter_exact_number(const PineconeColumn *column, Datum value, Oid type, double *number)
{
	NearestDouble nearest = nearest_double(column, value, type);

	*number = nearest.number;
	return nearest.order == 0 && isfinite(nearest.number);
}

/* field <compare> bound; a bound beyond all numbers decides by itself */
static PineconeFilter
range_filter(const char *field, PineconeCompare compare, double bound)
{
	static const char *const ops[] = {
		[PINECONE_LT] = "$lt",
		[PINECONE_LE] = "$lte",
		[PINECONE_GT] = "$gt",
		[PINECONE_GE] = "$gte",
	};
	bool below = compare == PINECONE_LT || compare == PINECONE_LE;

	/* PostgreSQL sorts NaN above infinity; $gte takes numbers alone, $exists would not */
	if (isnan(bound) || isinf(bound))
		return below == (isnan(bound) || bound > 0) ?
				   field_filter(field, "$gte", json_number(-DBL_MAX)) :
				   filter_never;
	return field_filter(field, ops[compare], json_number(bound));
}

PineconeFilter
pinecone_filter_compare_number(const PineconeColumn *column, PineconeCompare compare, Datum datum, Oid type)
{
	NearestDouble value = nearest_double(column, datum, type);

	if (value.order > 0) /* no float64 in [value, number) */
		compare = compare == PINECONE_LT || compare == PINECONE_LE ? PINECONE_LT : PINECONE_GE;
	else if (value.order < 0) /* none in (number, value] */
		compare = compare == PINECONE_LT || compare == PINECONE_LE ? PINECONE_LE : PINECONE_GT;
	return range_filter(column->field, compare, value.number);
}

/* low <= field <= high as far as the comparison asks for either end */
static PineconeFilter
interval_filter(const char *field, PineconeCompare compare, double low, double high)
{
	PineconeFilter above = range_filter(field, PINECONE_GE, low);
	PineconeFilter below = range_filter(field, PINECONE_LE, high);

	switch (compare)
	{
		case PINECONE_LT:
		case PINECONE_LE:
			return below;
		case PINECONE_GT:
		case PINECONE_GE:
			return above;
		default:
			return join_two(above, below, true);
	}
}

/*
 * real columns round what is stored, so that a whole interval of float64s
 * reads as one value: ask for a little more.
 */
PineconeFilter
pinecone_filter_compare_float4(const PineconeColumn *column, PineconeCompare compare, Datum datum, Oid type)
{
	double value = nearest_double(column, datum, type).number;
	float rounded = (float) value;

	if (compare == PINECONE_EQ && !isfinite(rounded))
		return filter_never;
	if (isnan(rounded))
		return range_filter(column->field, compare, value);
	return interval_filter(column->field, compare, nextafterf(rounded, -INFINITY),
						   nextafterf(rounded, INFINITY));
}

/* Times as numbers are rounded to microseconds when read; likewise. */
PineconeFilter
pinecone_filter_compare_epoch(const PineconeColumn *column, PineconeCompare compare, int64 timestamp)
{
	double scale = column->format == PINECONE_FORMAT_EPOCH_MS ? 1e3 : 1e6;
	double microseconds;
	int64 since_1970;

	if (TIMESTAMP_NOT_FINITE(timestamp))
	{
		if (compare == PINECONE_EQ)
			return filter_never;
		return range_filter(column->field, compare, TIMESTAMP_IS_NOEND(timestamp) ? INFINITY : -INFINITY);
	}
	/* rounded once, as what is stored was */
	if (pg_add_s64_overflow(timestamp, UNIX_EPOCH_DAYS * USECS_PER_DAY, &since_1970))
		since_1970 = PG_INT64_MAX;
	microseconds = (double) since_1970;
	return interval_filter(column->field, compare,
						   nextafter((microseconds - 1) / scale, -INFINITY),
						   nextafter((microseconds + 1) / scale, INFINITY));
}

PineconeFilter
pinecone_filter_numbers(const char *field, double low, bool low_open, double high, bool high_open)
{
	PineconeFilter above = range_filter(field, low_open ? PINECONE_GT : PINECONE_GE, low);
	PineconeFilter below = range_filter(field, high_open ? PINECONE_LT : PINECONE_LE, high);

	if (isinf(high))
		return above;
	return isinf(low) ? below : join_two(above, below, true);
}
