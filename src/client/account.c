/*
 * account.c
 *		Counts what calls cost, by what happens to them.
 *
 * Of a reply that nobody reads the read units are counted, too: they stand at its
 * end, which is looked at when it comes.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/setting.h"
#include "client/account.h"
#include "client/call.h"
#include "client/hosts.h"

/* Read units are looked for in so many bytes at the end of a reply; elsewhere they are counted when it is read. */
#define USAGE_BYTES 64

/* A commit's servers: of more it counts the first */
#define COMMIT_SERVERS 32

static struct
{
	TimestampTz at; /* when the client sent it */
	PineconeSpent spent;
} statement;

static struct
{
	bool runs;
	PineconeTime began;
	PineconeSpent before; /* of its statement */
	TimestampTz statement;
	int nservers;
	PineconeStatisticsEntry *servers[COMMIT_SERVERS];
} commit;

/* ---- The statement ---- */

static PineconeSpent *
spent(void)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (statement.at != now)
	{
		memset(&statement, 0, sizeof(statement));
		statement.at = now;
	}
	return &statement.spent;
}

const PineconeSpent *
pinecone_account_statement(void)
{
	return spent();
}

/* ---- Calls ---- */

/* An operation's name as one word. */
static const char *
word_of(const char *operation)
{
	static char word[64];

	strlcpy(word, operation, sizeof(word));
	for (char *p = word; *p != '\0'; p++)
	{
		if (*p == ' ')
			*p = '_';
	}
	return word;
}

static PineconeStatisticsEntry *
entry_of(PineconeSession *session, const char *operation, const char *namespace_)
{
	if (namespace_ != NULL && namespace_[0] == '\0')
		namespace_ = "__default__";
	return pinecone_statistics_entry(session->serverid, session->options->servername,
									 operation, namespace_);
}

static void
note_commit(PineconeCall *call)
{
	PineconeStatisticsEntry *entry = entry_of(call->session, "commit", NULL);

	for (int i = 0; i < commit.nservers; i++)
	{
		if (commit.servers[i] == entry)
			return;
	}
	if (entry == NULL || commit.nservers == COMMIT_SERVERS)
		return;
	pinecone_statistics_hold(entry);
	commit.servers[commit.nservers++] = entry;
}

void
pinecone_account_start(PineconeCall *call)
{
	PineconeStatisticsEntry *entry;

	if (commit.runs)
		note_commit(call);
	entry = call->counted = entry_of(call->session, call->operation, call->about);
	if (entry == NULL)
		return;
	pinecone_statistics_hold(entry);
	pinecone_statistics_count(entry, PINECONE_TALLY_CALLS, 1);
	pinecone_statistics_count(entry, PINECONE_TALLY_BATCH_ITEMS, call->batch);
	entry->sums.batch_max = Max(entry->sums.batch_max, call->batch);
	entry->sums.last_call = GetCurrentStatementStartTimestamp();
}

void
pinecone_account_request(PineconeCall *call)
{
	PineconeStatisticsEntry *entry = call->counted;
	uint64 bytes = strlen(call->path) + call->body_len;
	PineconeSpent *sum = spent();

	sum->usage.requests++;
	sum->bytes_sent += bytes;
	pinecone_statistics_count(entry, PINECONE_TALLY_REQUESTS, 1);
	pinecone_statistics_count(entry, PINECONE_TALLY_RETRIES, call->attempts > 1);
	pinecone_statistics_count(entry, PINECONE_TALLY_BYTES_SENT, bytes);
	if (commit.runs)
	{
		pinecone_statistics_count(entry, PINECONE_TALLY_COMMIT_REQUESTS, 1);
		pinecone_statistics_count(entry, PINECONE_TALLY_COMMIT_BYTES, bytes);
	}
}

/* ---- Replies ---- */

/* What a reply is metered for, as far as its end tells; -1: it does not */
static int64
units_at_end(const PineconeExchange *exchange)
{
	static const char *const names[] = {"\"readUnits\":", "\"read_units\":"};
	size_t len = Min(exchange->body_len, USAGE_BYTES);
	const char *end = exchange->body + exchange->body_len - len;

	for (int i = 0; i < lengthof(names); i++)
	{
		const char *found = memmem(end, len, names[i], strlen(names[i]));

		/* a reply is NUL-terminated */
		if (found != NULL)
			return Max(0, strtol(found + strlen(names[i]), NULL, 10));
	}
	return -1;
}

static PineconeTally
class_of(const PineconeCall *call)
{
	const PineconeExchange *exchange = call->exchange;

	switch (exchange->outcome)
	{
		case PINECONE_HTTP_ANSWERED:
			break;
		case PINECONE_HTTP_UNREACHABLE:
		case PINECONE_HTTP_UNRESOLVED:
		case PINECONE_HTTP_UNCONNECTED:
			return PINECONE_TALLY_UNREACHABLE;
		case PINECONE_HTTP_UNTRUSTED:
			return PINECONE_TALLY_UNTRUSTED;
		case PINECONE_HTTP_TIMED_OUT:
		case PINECONE_HTTP_LAPSED:
			return PINECONE_TALLY_TIMED_OUT;
		case PINECONE_HTTP_OVERSIZED:
			return PINECONE_TALLY_INVALID_REPLIES;
		default:
			return PINECONE_TALLY_DISCONNECTED;
	}
	switch (exchange->status)
	{
		case 401:
		case 403:
			return PINECONE_TALLY_KEY_REJECTED;
		case 404:
			return PINECONE_TALLY_NOT_FOUND;
		case 429:
			return pinecone_problem_is_quota(&call->problem) ? PINECONE_TALLY_QUOTA_EXCEEDED :
															   PINECONE_TALLY_RATE_LIMITED;
		case 408:
			return PINECONE_TALLY_SERVER_ERRORS;
		default:
			return exchange->status >= 500 ? PINECONE_TALLY_SERVER_ERRORS : PINECONE_TALLY_REJECTED;
	}
}

/* What a failure is remembered by; the key is not in it, nor what somebody else has answered. */
static void
note_error(PineconeCall *call)
{
	PineconeStatistics *sums = &call->counted->sums;
	const PineconeProblem *problem = &call->problem;

	sums->last_error_at = GetCurrentTimestamp();
	if (problem->invalid != NULL)
		strlcpy(sums->last_error, problem->invalid, sizeof(sums->last_error));
	else if (problem->status >= 300)
		snprintf(sums->last_error, sizeof(sums->last_error), "HTTP status %ld: %s", problem->status,
				 problem->message ? problem->message : "");
	else
		strlcpy(sums->last_error, problem->message ? problem->message : "", sizeof(sums->last_error));
}

static void
count_connection(PineconeStatisticsEntry *entry, const PineconeExchange *exchange)
{
	if (exchange->connected)
		pinecone_statistics_count(entry, PINECONE_TALLY_CONNECTIONS_OPENED, 1);
	else if (exchange->outcome == PINECONE_HTTP_ANSWERED)
		pinecone_statistics_count(entry, PINECONE_TALLY_CONNECTIONS_REUSED, 1);
	if (exchange->handshaken)
		pinecone_statistics_count(entry, PINECONE_TALLY_TLS_HANDSHAKES, 1);
}

static bool
is_good(const PineconeExchange *exchange)
{
	return exchange->outcome == PINECONE_HTTP_ANSWERED && exchange->status >= 200 && exchange->status < 300;
}

/* Searches, fetches and lists are; statistics, writes and the control plane are not. */
bool
pinecone_account_is_metered(const PineconeCall *call)
{
	return call->reads && is_good(call->exchange);
}

static void
log_slow(const PineconeCall *call)
{
	const PineconeExchange *exchange = call->exchange;
	const char *host = call->url ? call->session->options->control_host : pinecone_hosts_url(call);
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "Server \"%s\", host %s", call->session->options->servername, host ? host : "unknown");
	if (call->about)
		appendStringInfo(&buf, ", namespace \"%s\"", call->about);
	if (call->batch > 0)
		appendStringInfo(&buf, ", %s %d", call->want_scores ? "top_k" : "batch of", call->batch);
	if (exchange->outcome == PINECONE_HTTP_ANSWERED)
		appendStringInfo(&buf, ", HTTP status %ld, %zu bytes", exchange->status, exchange->body_len);
	else
		appendStringInfoString(&buf, ", no reply");
	if (call->attempts > 1)
		appendStringInfo(&buf, ", attempt %d", call->attempts);
	if (exchange->request_id[0])
		appendStringInfo(&buf, ", request id %s", exchange->request_id);
	/* a text of several statements may have a key in it */
	ereport(LOG_SERVER_ONLY,
			(errmsg("slow request to Pinecone: pinecone_%s took %.3f ms", word_of(call->operation),
					exchange->taken_us / 1000.0),
			 errdetail_internal("%s.", buf.data),
			 errhidestmt(true)));
	pfree(buf.data);
}

/* What a good reply costs, by its size and by what it says itself. */
static void
count_metered(PineconeCall *call)
{
	const PineconeExchange *exchange = call->exchange;
	int64 units = units_at_end(exchange);

	spent()->usage.egress_bytes += exchange->body_len;
	pinecone_statistics_count(call->counted, PINECONE_TALLY_EGRESS_BYTES, exchange->body_len);
	call->units_counted = units >= 0;
	if (units <= 0)
		return;
	spent()->usage.read_units += units;
	pinecone_statistics_count(call->counted, PINECONE_TALLY_READ_UNITS, units);
}

/* How long an attempt took, over which connection, and what came of it. */
static void
count_reply(PineconeCall *call, bool good)
{
	const PineconeExchange *exchange = call->exchange;
	PineconeStatisticsEntry *entry = call->counted;
	bool answered = exchange->outcome == PINECONE_HTTP_ANSWERED;

	pinecone_statistics_count(entry, PINECONE_TALLY_BYTES_RECEIVED, exchange->body ? exchange->body_len : 0);
	pinecone_statistics_wait(entry, exchange->taken_us);
	count_connection(entry, exchange);
	if (call->is_write && good)
		entry->sums.lsn_written = Max(entry->sums.lsn_written, exchange->request_lsn);
	entry->sums.lsn_seen = Max(entry->sums.lsn_seen, exchange->indexed_lsn);
	if (!good && !(call->may_be_none && answered && exchange->status < 429))
	{
		pinecone_statistics_count(entry, class_of(call), 1);
		note_error(call);
	}
	pinecone_statistics_flush_now_and_then(call->sent_at + exchange->taken_us);
}

void
pinecone_account_reply(PineconeCall *call)
{
	const PineconeExchange *exchange = call->exchange;

	call->units_counted = false;
	if (pinecone_account_is_metered(call))
		count_metered(call);
	if (call->counted != NULL)
		count_reply(call, is_good(exchange));
	if (pinecone_log_min_request_duration_ms >= 0 &&
		exchange->taken_us >= (int64) pinecone_log_min_request_duration_ms * 1000)
		log_slow(call);
}

void
pinecone_account_invalid(PineconeCall *call)
{
	if (call->counted == NULL)
		return;
	pinecone_statistics_count(call->counted, PINECONE_TALLY_INVALID_REPLIES, 1);
	note_error(call);
}

void
pinecone_account_fail(PineconeCall *call)
{
	pinecone_statistics_count(call->counted, PINECONE_TALLY_FAILED, 1);
}

void
pinecone_account_drop(PineconeCall *call)
{
	PineconeStatisticsEntry *entry = call->counted;

	call->counted = NULL;
	if (entry == NULL)
		return;
	if (call->listed)
	{
		pinecone_statistics_count(entry, PINECONE_TALLY_ABANDONED, 1);
		/* the transaction may have told all before */
		if (!IsTransactionState())
			pinecone_statistics_flush();
	}
	pinecone_statistics_release(entry);
}

void
pinecone_account_read(PineconeCall *call, uint64 records, uint64 read_units)
{
	spent()->usage.records += records;
	pinecone_statistics_count(call->counted, PINECONE_TALLY_RECORDS_READ, records);
	if (call->units_counted)
		return;
	spent()->usage.read_units += read_units;
	pinecone_statistics_count(call->counted, PINECONE_TALLY_READ_UNITS, read_units);
}

void
pinecone_account_write(PineconeCall *call, uint64 records)
{
	spent()->records_written += records;
	pinecone_statistics_count(call->counted, PINECONE_TALLY_RECORDS_WRITTEN, records);
	if (commit.runs)
		pinecone_statistics_count(call->counted, PINECONE_TALLY_COMMIT_RECORDS, records);
}

void
pinecone_account_cache(PineconeSession *session, const char *operation, const char *namespace_, bool hit)
{
	PineconeStatisticsEntry *entry = entry_of(session, operation, namespace_);

	pinecone_statistics_count(entry, hit ? PINECONE_TALLY_CACHE_HITS : PINECONE_TALLY_CACHE_MISSES, 1);
	if (entry != NULL)
		entry->sums.last_call = GetCurrentStatementStartTimestamp();
}

void
pinecone_account_rows(PineconeSession *session, const char *namespace_, uint64 rows)
{
	pinecone_statistics_count(entry_of(session, "scan", namespace_), PINECONE_TALLY_ROWS, rows);
}

/* ---- Commit ---- */

void
pinecone_account_begin_commit(void)
{
	commit.runs = true;
	commit.began = pinecone_clock_now();
	commit.before = *spent();
	commit.nservers = 0;
}

bool
pinecone_account_is_committing(void)
{
	return commit.runs;
}

PineconeSpent
pinecone_account_end_commit(bool good, double *ms)
{
	PineconeSpent now = *spent();
	int64 us = pinecone_clock_now() - commit.began;

	for (int i = 0; i < commit.nservers; i++)
	{
		PineconeStatisticsEntry *entry = commit.servers[i];

		pinecone_statistics_count(entry, PINECONE_TALLY_CALLS, 1);
		pinecone_statistics_count(entry, PINECONE_TALLY_FAILED, !good);
		pinecone_statistics_wait(entry, us);
		entry->sums.last_call = GetCurrentStatementStartTimestamp();
		pinecone_statistics_release(entry);
	}
	commit.runs = false;
	*ms = us / 1000.0;
	now.usage.requests -= commit.before.usage.requests;
	now.records_written -= commit.before.records_written;
	now.bytes_sent -= commit.before.bytes_sent;
	return now;
}
