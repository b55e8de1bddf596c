/*
 * way.c
 *		What ways of reading a namespace take, by what is known of it.
 *
 * Time is what counts: of requests that wait for each other, of those that a limit
 * per second lets through, and of bytes.  It need not be exact, only tell apart
 * ways of which one takes several times as long.  What costs more read units than
 * page by page is not chosen.
 */
#include "postgres.h"

#include <math.h>

#include "base/limits.h"
#include "base/setting.h"
#include "scan/way.h"
#include "wire/stats.h"

/* Bytes of a reply for a number of a vector, for what a record has besides, for an id */
#define BYTES_PER_VALUE 11
#define BYTES_PER_RECORD 100
#define BYTES_PER_ID 30

/* ms of a request besides waiting, and bytes that come in a ms */
#define REQUEST_MS 0.15
#define BYTES_PER_MS 200000.0

/* Nearer than so many ms, listing side by side and sweeping for ids gain nothing */
#define FAR_MS 2.0

/* It has to be so much faster to be worth its unknowns */
#define WORTH_SHARE 0.8

/* More read units than these times those of pages are not worth any time */
#define MOST_UNITS 1.0

/* A part has so much of what a search can bring, requests for what turns out otherwise */
#define FILLED 0.5

/* A search is metered by the bytes of its namespace, and has never been more than this besides */
#define STORED_BYTES_PER_VALUE 4
#define METERED_BYTES 1e9
#define LEAST_UNITS 5

static double
latency_ms(const PineconeReading *reading)
{
	return Max(reading->session->latency_us / 1000.0, REQUEST_MS);
}

static bool
is_forced(void)
{
	return pinecone_sweep_records == 0;
}

static double
rate_of(const PineconeReading *reading, PineconeRateKind kind)
{
	return reading->session->paced ? reading->session->options->rates.limits[kind] : 0;
}

/* ms for requests of a kind, of which some come one after the other. */
static double
time_of(const PineconeReading *reading, double requests, double rounds, PineconeRateKind kind)
{
	double width = Max(1, reading->session->options->max_concurrency);
	double ms = Max(rounds, requests / width) * latency_ms(reading) + requests * REQUEST_MS;
	double rate = rate_of(reading, kind);

	return rate > 0 ? Max(ms, (requests - rate) / rate * 1000) : ms;
}

static double
wanted(const PineconeReading *reading)
{
	double n = reading->filtered ? reading->matches : reading->records;

	return reading->limit > 0 && reading->limit < n ? reading->limit : n;
}

/* Bytes of a record that is fetched */
static double
record_bytes(const PineconeReading *reading)
{
	return BYTES_PER_RECORD + reading->dimension * BYTES_PER_VALUE + reading->metadata_bytes;
}

static double
fetch_size(const PineconeReading *reading)
{
	return Max(1, Min((double) PINECONE_WIDE_FETCH_BATCH, PINECONE_REPLY_BYTES / record_bytes(reading)));
}

static void
add_fetches(const PineconeReading *reading, PineconeWayCost *cost, double n)
{
	double requests = ceil(n / fetch_size(reading));
	double fit = Max(2, Min(32, pinecone_prefetch_kb * 1024.0 / (fetch_size(reading) * record_bytes(reading))));

	cost->requests += requests;
	cost->rounds += ceil(requests / fit);
	cost->bytes += n * record_bytes(reading);
	cost->units += Max(requests, n / 10);
	cost->ms += time_of(reading, requests, ceil(requests / fit), PINECONE_RATE_FETCH);
}

static double
transfer_ms(double bytes)
{
	return bytes / BYTES_PER_MS;
}

/* Fetches by metadata, one page after the other */
static PineconeWayCost
filter_pages(const PineconeReading *reading)
{
	PineconeWayCost cost = {PINECONE_WAY_PAGES};
	double n = wanted(reading);

	cost.bytes = n * record_bytes(reading);
	cost.requests = cost.rounds = ceil(Max(1, Max(n / PINECONE_FILTER_PAGE, cost.bytes / PINECONE_REPLY_BYTES)));
	cost.units = Max(cost.requests, n / 10);
	cost.ms = time_of(reading, cost.requests, cost.rounds, PINECONE_RATE_FETCH_BY_METADATA) + transfer_ms(cost.bytes);
	return cost;
}

PineconeWayCost
pinecone_way_pages(const PineconeReading *reading)
{
	PineconeWayCost cost = {PINECONE_WAY_PAGES};
	double n = wanted(reading);
	double pages = ceil(Max(1, n / PINECONE_LIST_PAGE));
	bool wide = pinecone_enable_wide_listing && latency_ms(reading) >= FAR_MS && reading->session->schema == NULL &&
				n >= pinecone_wide_listing_records && reading->session->options->max_concurrency > 1;

	if (reading->filtered)
		return filter_pages(reading);
	cost.requests = cost.units = wide ? 1.3 * pages : pages;
	/* some pages go before it is known where to divide, and the longest part decides */
	cost.rounds = wide ? Min(pages, 6 + pages / 20) : pages;
	cost.bytes = n * BYTES_PER_ID;
	cost.ms = time_of(reading, cost.requests, cost.rounds, PINECONE_RATE_LIST);
	if (reading->fetched)
		add_fetches(reading, &cost, n);
	cost.ms += transfer_ms(cost.bytes);
	return cost;
}

PineconeWayCost
pinecone_way_sweep(const PineconeReading *reading)
{
	PineconeWayCost cost = {reading->want_values ? PINECONE_WAY_IDS_SWEPT : PINECONE_WAY_SWEEP};
	bool bodies = reading->want_metadata && !reading->want_values;
	double match_bytes = BYTES_PER_RECORD + (bodies ? reading->metadata_bytes : 0);
	double capacity = Min((double) PINECONE_MAX_TOP_K, PINECONE_REPLY_BYTES / match_bytes);
	double n = wanted(reading);
	bool limited = reading->limit > 0 && reading->limit < (reading->filtered ? reading->matches : reading->records);
	double parts = n <= capacity ? 1 : ceil(n / (capacity * FILLED)) + 1;
	double each = LEAST_UNITS + reading->records * (reading->dimension * STORED_BYTES_PER_VALUE + reading->metadata_bytes) / METERED_BYTES;

	/* counts, statistics, and a search that shows how to divide */
	cost.requests = parts + (limited ? 0 : 2);
	cost.rounds = parts > 1 ? 2 : 1;
	cost.bytes = n * match_bytes;
	cost.units = each * parts;
	cost.ms = time_of(reading, parts, cost.rounds, PINECONE_RATE_QUERY);
	if (reading->want_values)
		add_fetches(reading, &cost, n);
	cost.ms += transfer_ms(cost.bytes);
	return cost;
}

/* Can and may there be searches? */
static bool
may_sweep(const PineconeReading *reading)
{
	const PineconeStats *stats = reading->session->stats;

	if (!pinecone_enable_sweep || !reading->may_sweep || reading->ordered || reading->session->schema != NULL ||
		stats == NULL || stats->sparse || stats->dimension <= 0 || (reading->filtered && reading->want_values))
		return false;
	if (is_forced())
		return true;
	if (reading->failed || reading->records < pinecone_sweep_records || reading->records >= PINECONE_MAX_UPDATED * 0.95)
		return false;
	/* to have the ids a moment earlier is no gain where all is near */
	if ((reading->want_values || !reading->fetched) && latency_ms(reading) < FAR_MS)
		return false;
	return true;
}

PineconeWayCost
pinecone_way_choose(const PineconeReading *reading)
{
	PineconeWayCost pages = pinecone_way_pages(reading);
	PineconeWayCost sweep;
	double n = reading->filtered ? reading->matches : reading->records;

	if (!may_sweep(reading))
		return pages;
	sweep = pinecone_way_sweep(reading);
	if (is_forced())
		return sweep;
	/* all of it has to be counted */
	if (!(reading->limit > 0 && reading->limit < n) && !reading->countable)
		return pages;
	if (sweep.ms > pages.ms * WORTH_SHARE || sweep.units > pages.units * MOST_UNITS)
		return pages;
	return sweep;
}

const char *
pinecone_way_name(PineconeWay way)
{
	switch (way)
	{
		case PINECONE_WAY_SWEEP:
			return "searches without vectors";
		case PINECONE_WAY_IDS_SWEPT:
			return "ids by searches, then fetches";
		default:
			return "page by page";
	}
}
