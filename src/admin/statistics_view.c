/*
 * statistics_view.c
 *		The rows of pinecone_fdw_stats and pinecone_fdw_usage.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "admin/rows.h"
#include "base/setting.h"
#include "base/statistics_shared.h"

PG_FUNCTION_INFO_V1(pinecone_fdw_stats_rows);
PG_FUNCTION_INFO_V1(pinecone_fdw_stats_reset);
PG_FUNCTION_INFO_V1(pinecone_fdw_usage_rows);

/* Rows that are being returned: admin/rows.h */
typedef struct Rows
{
	PineconeRows made;
	bool all; /* may the user see those of others? */
} Rows;

static void
begin_rows(FunctionCallInfo fcinfo, Rows *rows)
{
	pinecone_rows_begin(&rows->made, fcinfo);
	rows->all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

static void
add_value(Rows *rows, Datum value, bool isnull)
{
	pinecone_row_put(&rows->made, value, isnull);
}

static void
add_oid(Rows *rows, Oid oid)
{
	add_value(rows, ObjectIdGetDatum(oid), !OidIsValid(oid));
}

static void
add_number(Rows *rows, uint64 number)
{
	add_value(rows, Int64GetDatum((int64) Min(number, PG_INT64_MAX)), false);
}

/* Milliseconds; negative: there are none */
static void
add_ms(Rows *rows, double ms)
{
	add_value(rows, Float8GetDatum(ms), ms < 0);
}

static void
add_time(Rows *rows, TimestampTz time)
{
	add_value(rows, TimestampTzGetDatum(time), time == 0);
}

static void
replace_high_bits(char *text)
{
	for (char *p = text; *p; p++)
		*p = IS_HIGHBIT_SET(*p) ? '?' : *p;
}

/*
 * A name in UTF-8, of this database or of another one, whose encoding may have
 * more letters.  What cannot be shown here is replaced.
 */
static void
add_name(Rows *rows, const char *text, Oid dbid, bool isnull)
{
	char *copy = pstrdup(text);

	if (GetDatabaseEncoding() == PG_UTF8 && !pg_verify_mbstr(PG_UTF8, copy, strlen(copy), true))
		replace_high_bits(copy);
	else if (GetDatabaseEncoding() != PG_UTF8 && dbid == MyDatabaseId)
		copy = pg_any_to_server(copy, strlen(copy), PG_UTF8);
	else if (GetDatabaseEncoding() != PG_UTF8)
		replace_high_bits(copy);
	add_value(rows, CStringGetTextDatum(copy), isnull);
}

/* A message, as somebody else wrote it. */
static void
add_message(Rows *rows, const char *text, bool isnull)
{
	char *copy = pstrdup(text);

	if (!pg_verify_mbstr(GetDatabaseEncoding(), copy, strlen(copy), true))
		replace_high_bits(copy);
	add_value(rows, CStringGetTextDatum(copy), isnull);
}

/* ---- pinecone_fdw_stats ---- */

static void
add_statistics(const PineconeStatisticsKey *key, const PineconeStatistics *sums, uint64 folded, void *arg)
{
	Rows *rows = arg;

	if (!rows->all &&
		(!OidIsValid(key->id.userid) || !has_privs_of_role(GetUserId(), key->id.userid)))
		return;
	add_oid(rows, key->id.dbid);
	add_oid(rows, key->id.userid);
	add_oid(rows, key->id.serverid);
	add_name(rows, key->server, key->id.dbid, !OidIsValid(key->id.serverid));
	add_name(rows, key->operation, key->id.dbid, false);
	add_name(rows, key->namespace_, key->id.dbid, key->id.namespace_ == 0);
	for (int i = 0; i < PINECONE_TALLIES; i++)
	{
		if (i == PINECONE_TALLY_WAIT_US)
			add_ms(rows, sums->counts[i] / 1000.0);
		else
			add_number(rows, sums->counts[i]);
	}
	add_number(rows, sums->batch_max);
	add_ms(rows, sums->waits > 0 ? sums->wait_min / 1000.0 : -1);
	add_ms(rows, sums->waits > 0 ? sums->wait_max / 1000.0 : -1);
	add_ms(rows, pinecone_statistics_quantile(sums, 0.5));
	add_ms(rows, pinecone_statistics_quantile(sums, 0.95));
	add_ms(rows, pinecone_statistics_quantile(sums, 0.99));
	add_value(rows, Int64GetDatum(sums->lsn_written), sums->lsn_written < 0);
	add_value(rows, Int64GetDatum(sums->lsn_seen), sums->lsn_seen < 0);
	add_time(rows, sums->last_call);
	add_message(rows, sums->last_error, sums->last_error_at == 0);
	add_time(rows, sums->last_error_at);
	add_number(rows, folded);
	pinecone_row_end(&rows->made);
}

Datum
pinecone_fdw_stats_rows(PG_FUNCTION_ARGS)
{
	Rows rows;

	begin_rows(fcinfo, &rows);
	pinecone_statistics_show(add_statistics, &rows);
	return (Datum) 0;
}

Datum
pinecone_fdw_stats_reset(PG_FUNCTION_ARGS)
{
	pinecone_statistics_reset();
	PG_RETURN_VOID();
}

/* ---- pinecone_fdw_usage ---- */

static void
add_month(const PineconeMonth *month, void *arg)
{
	Rows *rows = arg;

	add_oid(rows, month->dbid);
	add_oid(rows, month->serverid);
	add_name(rows, month->server, month->dbid, false);
	add_value(rows, DateADTGetDatum(date2j(month->month / 12, month->month % 12 + 1, 1) - POSTGRES_EPOCH_JDATE), false);
	add_number(rows, month->usage.requests);
	add_number(rows, month->usage.read_units);
	add_number(rows, month->usage.egress_bytes);
	add_number(rows, month->usage.records);
	for (int i = PINECONE_BUDGET_MONTH; i < PINECONE_BUDGETS; i++)
		add_value(rows, Int64GetDatum((int64) (pinecone_budgets[i].value * pinecone_budgets[i].unit)),
				  pinecone_budgets[i].value < 0);
	pinecone_row_end(&rows->made);
}

Datum
pinecone_fdw_usage_rows(PG_FUNCTION_ARGS)
{
	Rows rows;

	begin_rows(fcinfo, &rows);
	pinecone_statistics_flush();
	if (rows.all)
		pinecone_statistics_shared_months(add_month, &rows);
	return (Datum) 0;
}
