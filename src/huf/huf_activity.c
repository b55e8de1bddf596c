/*
 * huf_activity.c
 *		How recently a namespace was updated, as a score between 0 and 1.
 *
 * The score decays exponentially with age: exp(-k * days).  Times are compared
 * in microseconds, never as intervals with months.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "utils/timestamp.h"

#include "huf/huf_common.h"

#define SECONDS_PER_DAY 86400.0
#define DEFAULT_RATE 0.2
#define DEFAULT_MISSING 0.5

PG_FUNCTION_INFO_V1(pinecone_huf_activity);
PG_FUNCTION_INFO_V1(pinecone_huf_activity_now);
PG_FUNCTION_INFO_V1(pinecone_huf_activity_age);
PG_FUNCTION_INFO_V1(pinecone_huf_activity_tier);
PG_FUNCTION_INFO_V1(pinecone_huf_activity_tier_at);

static double
decay(double age_seconds, double k)
{
	double days = age_seconds / SECONDS_PER_DAY;

	if (isnan(days))
		return days;
	/* k = 0 means that age does not matter, not even an infinite one */
	if (days <= 0 || k == 0)
		return 1;
	return exp(-k * days);
}

static double
check_rate(double k)
{
	if (!(k >= 0))
		pinecone_huf_bad_param("decay rate must not be negative or NaN");
	return k;
}

/* Seconds between two timestamps, either of which may be infinite. */
static double
age_between(TimestampTz last_update, TimestampTz as_of)
{
	int64 age;

	if (TIMESTAMP_NOT_FINITE(last_update) || TIMESTAMP_NOT_FINITE(as_of))
	{
		double from = TIMESTAMP_IS_NOBEGIN(last_update) ? -INFINITY : TIMESTAMP_IS_NOEND(last_update) ? INFINITY :
																										0;
		double to = TIMESTAMP_IS_NOBEGIN(as_of) ? -INFINITY : TIMESTAMP_IS_NOEND(as_of) ? INFINITY :
																						  0;

		return to - from;
	}
	/* the ends of the timestamp range are farther apart than an int64 */
	if (pg_sub_s64_overflow(as_of, last_update, &age))
		return ((double) as_of - (double) last_update) / 1e6;
	return age / 1e6;
}

/* Activity at a given time; NULL for an unknown time gives "missing". */
Datum
pinecone_huf_activity(PG_FUNCTION_ARGS)
{
	double k;
	double missing;

	if (PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	k = check_rate(PG_GETARG_FLOAT8(2));
	missing = pinecone_huf_fraction("missing", PG_GETARG_FLOAT8(3));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_FLOAT8(missing);
	PG_RETURN_FLOAT8(decay(age_between(PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_TIMESTAMPTZ(1)), k));
}

/* Activity at the start of the transaction. */
Datum
pinecone_huf_activity_now(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(DEFAULT_MISSING);
	PG_RETURN_FLOAT8(decay(age_between(PG_GETARG_TIMESTAMPTZ(0), GetCurrentTransactionStartTimestamp()),
						   DEFAULT_RATE));
}

/* Activity for an age in seconds. */
Datum
pinecone_huf_activity_age(PG_FUNCTION_ARGS)
{
	double k;
	double missing;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	k = check_rate(PG_GETARG_FLOAT8(1));
	missing = pinecone_huf_fraction("missing", PG_GETARG_FLOAT8(2));
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(missing);
	PG_RETURN_FLOAT8(decay(PG_GETARG_FLOAT8(0), k));
}

/*
 * Activity as a step function of age.  An age on an edge belongs to the older
 * tier, except that 30 days exactly is not yet "more than 30 days".
 */
static double
tier(double age_seconds)
{
	const double hour = 3600e6;
	const double day = 24 * hour;
	/* whole microseconds, as a fraction of a day has no exact edge */
	double age = rint(age_seconds * 1e6);

	if (isnan(age))
		return age;
	return age < hour ? 1.0 : age < day	  ? 0.8 :
						  age < 7 * day	  ? 0.5 :
						  age <= 30 * day ? 0.2 :
											0.05;
}

/*
 * The tier of an age in seconds.  Between 0 and 1 second it would always be the
 * first, and what is there is rather an activity score that was taken for an age.
 */
Datum
pinecone_huf_activity_tier(PG_FUNCTION_ARGS)
{
	double missing;
	double age;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	missing = pinecone_huf_fraction("missing", PG_GETARG_FLOAT8(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(missing);
	age = PG_GETARG_FLOAT8(0);
	if (age > 0 && age < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%g is no age in seconds, but looks like an activity score", age),
				 errhint("Give the two times: huf_activity_tier(last_update, as_of).")));
	PG_RETURN_FLOAT8(tier(age));
}

/* The tier at a given time. */
Datum
pinecone_huf_activity_tier_at(PG_FUNCTION_ARGS)
{
	double missing;

	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	missing = pinecone_huf_fraction("missing", PG_GETARG_FLOAT8(2));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_FLOAT8(missing);
	PG_RETURN_FLOAT8(tier(age_between(PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_TIMESTAMPTZ(1))));
}
