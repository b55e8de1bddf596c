/*
 * times.c
 *		Dates and times in metadata: ISO 8601 strings, or numbers since 1970.
 *
 * Every spelling of an instant is read.  Which one is written matters to
 * others: Pinecone compares strings, so a program that filters by the string
 * it would have written itself finds the record only if SQL spells alike.
 * JavaScript's toISOString(), of milliseconds and a Z, is the default;
 * Python's isoformat() and the shortest form can be had by option.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "value/times.h"

#define UNIX_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/* Microseconds that can be counted from 1970 as from 2000 without overflow */
#define MAX_EPOCH_TIMESTAMP INT64CONST(9000000000000000000)
#define MAX_WHOLE 9e18

/* ---- Reading ---- */

/* Exactly YYYY-MM-DD, for a day that exists. */
static bool
iso_date(const char *text, int len, DateADT *date)
{
	int year;
	int month;
	int day;
	int julian;
	int y,
		m,
		d;

	if (len != 10 || text[4] != '-' || text[7] != '-')
		return false;
	for (int i = 0; i < 10; i++)
	{
		if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9'))
			return false;
	}
	year = atoi(text);
	month = atoi(text + 5);
	day = atoi(text + 8);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	julian = date2j(year, month, day);
	j2date(julian, &y, &m, &d);
	if (y != year || m != month || d != day)
		return false;
	*date = julian - POSTGRES_EPOCH_JDATE;
	return true;
}

bool
pinecone_times_read_date(PineconeFormat format, const PineconeValue *value, Datum *datum)
{
	double unit = format == PINECONE_FORMAT_EPOCH_MS ? 86400000.0 : 86400.0;
	double days;
	DateADT date;

	if (!pinecone_format_is_epoch(format))
	{
		if (value->kind != PINECONE_VALUE_STRING || !iso_date(value->text, value->len, &date))
			return false;
		*datum = DateADTGetDatum(date);
		return true;
	}
	if (value->kind != PINECONE_VALUE_NUMBER)
		return false;
	days = floor(value->number / unit);
	if (days * unit != value->number)
		return false;
	days -= UNIX_EPOCH_DAYS;
	if (days < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE ||
		days >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return false;
	*datum = DateADTGetDatum((DateADT) days);
	return true;
}

/* Two digits of at most "most" at *text, which is moved behind them. */
static bool
two_digits(const char **text, int most)
{
	const char *p = *text;

	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9' ||
		(p[0] - '0') * 10 + (p[1] - '0') > most)
		return false;
	*text += 2;
	return true;
}

/* HH:MM[:SS[.ffffff]] */
static bool
skip_time_of_day(const char **text)
{
	if (!two_digits(text, 23) || *(*text)++ != ':' || !two_digits(text, 59))
		return false;
	if (**text != ':')
		return true;
	(*text)++;
	if (!two_digits(text, 59))
		return false;
	if (**text == '.')
	{
		size_t digits = strspn(*text + 1, "0123456789");

		if (digits == 0 || digits > 9)
			return false;
		*text += 1 + digits;
	}
	return true;
}

/* Z or +HH[[:]MM] */
static bool
skip_zone(const char **text)
{
	if (**text == 'Z')
	{
		(*text)++;
		return true;
	}
	if (**text != '+' && **text != '-')
		return false;
	(*text)++;
	if (!two_digits(text, 15))
		return false;
	if (**text == '\0')
		return true;
	if (**text == ':')
		(*text)++;
	return two_digits(text, 59);
}

/*
 * YYYY-MM-DD[T ]HH:MM[:SS[.ffffff]][Z|+HH[:MM]]: checked here, so that the
 * input function is not given what it would read in its own way, or refuse.
 */
static bool
timestamp_is_iso(const char *text, int len, bool with_zone)
{
	const char *p = text + 10;
	DateADT date;

	if (len < 10 || !iso_date(text, 10, &date))
		return false;
	if (*p == '\0')
		return true;
	if (*p != 'T' && *p != ' ')
		return false;
	p++;
	if (!skip_time_of_day(&p))
		return false;
	if (*p != '\0' && (!with_zone || !skip_zone(&p)))
		return false;
	return *p == '\0';
}

/* Seconds or milliseconds since 1970, of so many microseconds each. */
static bool
read_epoch(const PineconeValue *value, double unit, Datum *datum)
{
	double since_1970;
	double since_2000;
	Timestamp timestamp;

	if (value->kind != PINECONE_VALUE_NUMBER)
		return false;
	since_1970 = rint(value->number * unit);
	since_2000 = since_1970 - (double) UNIX_EPOCH_DAYS * USECS_PER_DAY;
	if (!(since_2000 >= (double) MIN_TIMESTAMP && since_2000 < (double) END_TIMESTAMP))
		return false;
	/* a double may hold the one to the microsecond, and not the other */
	timestamp = fabs(since_1970) < MAX_WHOLE ? (Timestamp) since_1970 - UNIX_EPOCH_DAYS * USECS_PER_DAY :
											   (Timestamp) since_2000;
	if (!IS_VALID_TIMESTAMP(timestamp))
		return false;
	*datum = TimestampGetDatum(timestamp);
	return true;
}

bool
pinecone_times_read(PineconeFormat format, bool with_zone, int32 typmod, const PineconeValue *value,
					Datum *datum)
{
	Timestamp rounded;

	if (!pinecone_format_is_epoch(format))
	{
		if (value->kind != PINECONE_VALUE_STRING ||
			!timestamp_is_iso(value->text, value->len, with_zone))
			return false;
		*datum = DirectFunctionCall3(with_zone ? timestamptz_in : timestamp_in,
									 CStringGetDatum(value->text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	else if (!read_epoch(value, format == PINECONE_FORMAT_EPOCH_MS ? 1e3 : 1e6, datum))
		return false;
	if (typmod < 0)
		return true;

	/* timestamp(p) holds what it need not round */
	rounded = DatumGetTimestamp(DirectFunctionCall2(timestamp_scale, *datum, Int32GetDatum(typmod)));
	return rounded == DatumGetTimestamp(*datum);
}

/* ---- Writing ---- */

static const char *
append_number(StringInfo buf, double number)
{
	char text[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, text);
	appendStringInfoString(buf, text);
	return NULL;
}

/* A quoted date; years that do not have four digits could not be read back. */
static const char *
append_iso_date(StringInfo buf, DateADT date)
{
	int year;
	int month;
	int day;

	if (DATE_NOT_FINITE(date))
		return "an infinite date cannot be stored";
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (year < 1 || year > 9999)
		return "only years from 1 to 9999 can be stored";
	appendStringInfo(buf, "\"%04d-%02d-%02d\"", year, month, day);
	return NULL;
}

/* Never less than the microseconds there are, which of iso_ms are none. */
static void
append_fraction(StringInfo buf, PineconeFormat format, bool with_zone, int microseconds)
{
	if (format == PINECONE_FORMAT_ISO_MS ||
		(format == PINECONE_FORMAT_ISO && with_zone && microseconds % 1000 == 0))
		appendStringInfo(buf, ".%03d", microseconds / 1000);
	else if (microseconds != 0)
	{
		appendStringInfo(buf, ".%06d", microseconds);
		while (format != PINECONE_FORMAT_ISO_PYTHON && !(format == PINECONE_FORMAT_ISO && with_zone) &&
			   buf->data[buf->len - 1] == '0')
			buf->data[--buf->len] = '\0';
	}
}

/* A timestamp with time zone is written in UTC. */
static const char *
append_iso_timestamp(StringInfo buf, PineconeFormat format, bool with_zone, Timestamp timestamp)
{
	struct pg_tm tm;
	fsec_t fraction;

	/* as timestamptz(3) would */
	if (format == PINECONE_FORMAT_ISO_MS)
		timestamp = DatumGetTimestamp(DirectFunctionCall2(timestamp_scale, TimestampGetDatum(timestamp), Int32GetDatum(3)));
	if (timestamp2tm(timestamp, NULL, &tm, &fraction, NULL, NULL) != 0 ||
		tm.tm_year < 1 || tm.tm_year > 9999)
		return "only years from 1 to 9999 can be stored";
	appendStringInfo(buf, "\"%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year, tm.tm_mon, tm.tm_mday,
					 tm.tm_hour, tm.tm_min, tm.tm_sec);
	append_fraction(buf, format, with_zone, (int) fraction);
	if (with_zone)
		appendStringInfoString(buf, format == PINECONE_FORMAT_ISO_PYTHON ? "+00:00" : "Z");
	appendStringInfoChar(buf, '"');
	return NULL;
}

static const char *
append_epoch(StringInfo buf, Timestamp timestamp, double unit)
{
	int64 microseconds;
	double number;

	if (timestamp > MAX_EPOCH_TIMESTAMP || timestamp < -MAX_EPOCH_TIMESTAMP)
		return "the time is beyond what a number can hold to the microsecond";
	microseconds = timestamp + UNIX_EPOCH_DAYS * USECS_PER_DAY;
	number = (double) microseconds / unit;
	if ((int64) (double) microseconds != microseconds ||
		rint(number * unit) != (double) microseconds)
		return "the time is beyond what a number can hold to the microsecond";
	return append_number(buf, number);
}

const char *
pinecone_times_append(StringInfo buf, PineconeFormat format, bool with_zone, Timestamp timestamp)
{
	if (TIMESTAMP_NOT_FINITE(timestamp))
		return "an infinite time cannot be stored";
	if (!pinecone_format_is_epoch(format))
		return append_iso_timestamp(buf, format, with_zone, timestamp);
	return append_epoch(buf, timestamp, format == PINECONE_FORMAT_EPOCH ? 1e6 : 1e3);
}

const char *
pinecone_times_append_date(StringInfo buf, PineconeFormat format, DateADT date)
{
	double days = (double) date + UNIX_EPOCH_DAYS;

	if (!pinecone_format_is_epoch(format))
		return append_iso_date(buf, date);
	if (DATE_NOT_FINITE(date))
		return "an infinite date cannot be stored";
	return append_number(buf, days * (format == PINECONE_FORMAT_EPOCH ? 86400.0 : 86400000.0));
}

/* The spelling of a stored time: of those that there are names for. */
static PineconeFormat
format_of(const char *text)
{
	size_t len = strlen(text);

	if (len > 6 && strcmp(text + len - 6, "+00:00") == 0)
		return PINECONE_FORMAT_ISO_PYTHON;
	return strchr(text, '.') != NULL ? PINECONE_FORMAT_ISO : PINECONE_FORMAT_ISO_SHORT;
}

const char *
pinecone_times_append_like(StringInfo buf, const char *stored, bool with_zone, Timestamp timestamp)
{
	PineconeValue value = {.kind = PINECONE_VALUE_STRING};
	Datum before;

	if (stored == NULL || stored[0] != '"' || strchr(stored, '\\') != NULL)
		return pinecone_times_append(buf, PINECONE_FORMAT_ISO, with_zone, timestamp);
	value.len = strlen(stored) - 2;
	value.text = pnstrdup(stored + 1, value.len);
	if (!pinecone_times_read(PINECONE_FORMAT_ISO, with_zone, -1, &value, &before))
		return pinecone_times_append(buf, PINECONE_FORMAT_ISO, with_zone, timestamp);
	if (DatumGetTimestamp(before) != timestamp)
		return pinecone_times_append(buf, format_of(value.text), with_zone, timestamp);
	appendStringInfoString(buf, stored);
	return NULL;
}

/*
 * With a time zone, the spelling is that of the format that would write the time so.
 * A time without seconds is one, too, but none that is written.
 */
PineconeTimeSpelling
pinecone_times_spelling(const char *text, int len)
{
	static const PineconeTimeSpelling spellings[] = {PINECONE_TIME_ISO, PINECONE_TIME_ISO_SHORT, PINECONE_TIME_ISO_PYTHON};
	static const PineconeFormat formats[] = {PINECONE_FORMAT_ISO, PINECONE_FORMAT_ISO_SHORT, PINECONE_FORMAT_ISO_PYTHON};
	PineconeValue value = {.kind = PINECONE_VALUE_STRING, .text = unconstify(char *, text), .len = len};
	DateADT date;
	Datum time;

	if (iso_date(text, len, &date))
		return PINECONE_TIME_DATE;
	if (timestamp_is_iso(text, len, false))
		return PINECONE_TIME_LOCAL;
	if (!pinecone_times_read(PINECONE_FORMAT_ISO, true, -1, &value, &time))
		return PINECONE_TIME_NONE;
	for (int i = 0; i < lengthof(spellings); i++)
	{
		StringInfoData buf;

		initStringInfo(&buf);
		if (append_iso_timestamp(&buf, formats[i], true, DatumGetTimestamp(time)) == NULL &&
			buf.len == len + 2 && strncmp(buf.data + 1, text, len) == 0)
			return spellings[i];
	}
	return PINECONE_TIME_OTHER;
}
