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

#include "base/idmarks.h"
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

/* Of an id that is kept to be sorted */
#define BYTES_PER_KEPT_ID 40

/* Nearer than so many ms, listing side by side and sweeping for ids gain nothing */
#define FAR_MS 2.0

/* It has to be so much faster to be worth its unknowns */
#define WORTH_SHARE 0.8

/* More read units than these times those of pages are not worth any time */
#define MOST_UNITS 1.0

/* Where ids have to be listed besides: so few read units are worth so much time */
#define SPARED_UNITS 0.5
#define SPARED_MS 1.2

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

/*
 * Requests of a kind that may be sent a second, 0: any number.  What is near need
 * not have such limits; but where it has, the one on fetches by metadata would cost
 * more than is to be gained by them.
 */
static double
rate_of(const PineconeReading *reading, PineconeRateKind kind)
{
	return kind == PINECONE_RATE_FETCH_BY_METADATA ? reading->session->options->rates.limits[kind] :
													 pinecone_session_rate(reading->session, kind);
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

/* Does the reader want no more than there is? */
static bool
is_limited(const PineconeReading *reading)
{
	return reading->limit > 0 && reading->limit < (reading->filtered ? reading->matches : reading->records);
}

/* Bytes of a record that is fetched: of documents what is asked for */
static double
record_bytes(const PineconeReading *reading)
{
	if (reading->session->schema != NULL)
		return BYTES_PER_RECORD + (reading->want_values ? reading->dimension * BYTES_PER_VALUE : 0) +
			   (reading->want_metadata ? reading->metadata_bytes : 0);
	return BYTES_PER_RECORD + reading->dimension * BYTES_PER_VALUE + reading->metadata_bytes;
}

static double
fetch_size(const PineconeReading *reading)
{
	double ids = reading->session->schema != NULL ? PINECONE_DOCUMENTS_FETCH : PINECONE_FETCH_QUERY / (BYTES_PER_ID + 5.0);

	return Max(1, Min(Min(ids, (double) PINECONE_WIDE_FETCH_BATCH), PINECONE_REPLY_BYTES / record_bytes(reading)));
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

/* Fetches by metadata, one page after the other, or of several parts at a time */
static PineconeWayCost
cost_of_metadata(const PineconeReading *reading, PineconeWay way)
{
	PineconeWayCost cost = {way};
	double n = wanted(reading);

	double wide = way == PINECONE_WAY_METADATA && !is_limited(reading) && reading->session->schema == NULL ?
					  Max(1, pinecone_prefetch_kb * 1024.0 / PINECONE_REPLY_BYTES) :
					  1;

	cost.bytes = n * record_bytes(reading);
	cost.requests = cost.rounds = ceil(Max(1, Max(n / PINECONE_FILTER_PAGE, cost.bytes / PINECONE_REPLY_BYTES)));
	cost.units = Max(cost.requests, n / 10);
	/* side by side parts are not quite full */
	if (cost.requests > 1 && wide > 1)
	{
		cost.requests = ceil(1.5 * cost.requests) + 1;
		cost.rounds = ceil(cost.requests / wide) + 1;
	}
	cost.ms = time_of(reading, cost.requests, cost.rounds, PINECONE_RATE_FETCH_BY_METADATA) + transfer_ms(cost.bytes);
	return cost;
}

/* Lists of ids */
static void
add_list(const PineconeReading *reading, PineconeWayCost *cost, double n)
{
	double pages = ceil(Max(1, n / PINECONE_LIST_PAGE));
	bool wide = pinecone_enable_wide_listing && latency_ms(reading) >= FAR_MS && reading->session->schema == NULL &&
				n >= pinecone_wide_listing_records && reading->session->options->max_concurrency > 1;
	double requests = wide ? 1.3 * pages : pages;
	/* some pages go before it is known where to divide, and the longest part decides */
	double rounds = wide ? Min(pages, 6 + pages / 20) : pages;

	cost->requests += requests;
	cost->units += requests;
	cost->rounds += rounds;
	cost->bytes += n * BYTES_PER_ID;
	cost->ms += time_of(reading, requests, rounds, PINECONE_RATE_LIST);
}

static PineconeWayCost
cost_of_pages(const PineconeReading *reading)
{
	PineconeWayCost cost = {PINECONE_WAY_PAGES};
	double n = wanted(reading);

	if (reading->filtered)
		return cost_of_metadata(reading, PINECONE_WAY_PAGES);
	add_list(reading, &cost, n);
	if (reading->fetched)
		add_fetches(reading, &cost, Max(0, n - reading->skip));
	cost.ms += transfer_ms(cost.bytes);
	return cost;
}

static PineconeWayCost
cost_of_sweep(const PineconeReading *reading, PineconeWay way)
{
	PineconeWayCost cost = {way};
	bool bodies = reading->want_metadata && way != PINECONE_WAY_IDS_SWEPT;
	double match_bytes = BYTES_PER_RECORD + (bodies ? reading->metadata_bytes : 0) +
						 (way == PINECONE_WAY_VALUES_SWEPT ? reading->dimension * BYTES_PER_VALUE : 0);
	double width = Max(1, pinecone_prefetch_kb * 1024.0 / PINECONE_REPLY_BYTES);
	double capacity = Min((double) PINECONE_MAX_TOP_K, PINECONE_REPLY_BYTES / match_bytes);
	double n = wanted(reading);
	double parts = n <= capacity ? 1 : ceil(n / (capacity * FILLED)) + 1;
	double each = LEAST_UNITS + reading->records * (reading->dimension * STORED_BYTES_PER_VALUE + reading->metadata_bytes) / METERED_BYTES;

	/* counts, statistics, and a search that shows how to divide */
	cost.requests = parts + (is_limited(reading) ? 0 : 2);
	/* what is too much for one count is counted part by part, as another one shows */
	if (!is_limited(reading) && reading->session->schema == NULL && reading->records >= PINECONE_COUNTED_AT_ONCE)
		cost.requests += 1 + ceil(reading->records / PINECONE_COUNTED_OF_PART);
	cost.rounds = parts > 1 ? 1 + ceil(parts / width) : 1;
	cost.bytes = n * match_bytes;
	cost.units = each * parts;
	cost.ms = time_of(reading, parts, cost.rounds, PINECONE_RATE_QUERY);
	if (way == PINECONE_WAY_IDS_SWEPT)
		add_fetches(reading, &cost, n);
	if (reading->uncounted && !is_limited(reading))
		add_list(reading, &cost, n);
	cost.ms += transfer_ms(cost.bytes);
	return cost;
}

/* All ids, whatever the limit, and records of as many as are wanted */
static PineconeWayCost
cost_of_ordered_ids(const PineconeReading *reading)
{
	PineconeReading ids = *reading;
	PineconeWayCost cost;

	ids.limit = 0;
	ids.want_metadata = ids.want_values = ids.fetched = false;
	cost = cost_of_sweep(&ids, PINECONE_WAY_SWEEP);
	cost.way = PINECONE_WAY_IDS_ORDERED;
	if (reading->fetched)
		add_fetches(reading, &cost, Max(0, wanted(reading) - reading->skip));
	return cost;
}

/* Are the records few enough to be counted, and their ids to be remembered? */
static bool
may_be_counted(const PineconeReading *reading)
{
	double bytes = PINECONE_BYTES_PER_MARK + (reading->ordered && !reading->tail ? BYTES_PER_KEPT_ID : 0);

	if (reading->records < PINECONE_COUNTED_AT_ONCE)
		return true;
	return reading->records <= PINECONE_MOST_SWEPT && reading->records * bytes <= pinecone_prefetch_kb * 1024.0;
}

/* What holds of each way but page by page */
static bool
may_be_proved(const PineconeReading *reading)
{
	if (!reading->may_sweep || (reading->ordered && (reading->filtered || !reading->countable)))
		return false;
	/* searches then save fetches, and nothing else */
	if (reading->uncounted && (reading->ordered || reading->filtered || !reading->fetched))
		return false;
	if (is_forced())
		return true;
	return !reading->failed && reading->records >= pinecone_sweep_records &&
		   ((is_limited(reading) && !reading->ordered) || reading->uncounted || (reading->countable && may_be_counted(reading)));
}

static bool
may_sweep(const PineconeReading *reading)
{
	const PineconeStats *stats = reading->session->stats;

	if (!pinecone_enable_sweep || reading->session->schema != NULL || stats == NULL || stats->sparse ||
		stats->dimension <= 0)
		return false;
	/* to have the ids a moment earlier is no gain where all is near */
	return is_forced() || (!reading->want_values && reading->fetched) || latency_ms(reading) >= FAR_MS;
}

/* Vectors of a vector index come whether they are wanted or not. */
static bool
may_page_metadata(const PineconeReading *reading)
{
	if (!pinecone_enable_metadata_pages || reading->filtered)
		return false;
	if (reading->session->schema != NULL)
		return true;
	return reading->fetched && (latency_ms(reading) >= FAR_MS || is_forced());
}

/* Is a way better than the best so far, which may be page by page? */
static bool
is_better(const PineconeReading *reading, const PineconeWayCost *way, const PineconeWayCost *best,
		  const PineconeWayCost *pages)
{
	/* ids are listed in any case; what is spared is fetches, of vectors that nobody wants */
	if (reading->uncounted && !is_limited(reading))
		return way->units <= pages->units * SPARED_UNITS && way->ms <= pages->ms * SPARED_MS;
	return way->ms < best->ms * (best->way == PINECONE_WAY_PAGES ? WORTH_SHARE : 1) &&
		   way->units <= pages->units * MOST_UNITS;
}

PineconeWayCost
pinecone_way_choose(const PineconeReading *reading)
{
	PineconeWayCost pages = cost_of_pages(reading);
	PineconeWayCost best = pages;
	PineconeWayCost others[4];
	int n = 0;

	if (!may_be_proved(reading))
		return pages;
	if (reading->ordered)
	{
		if (may_sweep(reading))
			others[n++] = cost_of_ordered_ids(reading);
	}
	else if (may_sweep(reading) && !reading->want_values)
		others[n++] = cost_of_sweep(reading, PINECONE_WAY_SWEEP);
	else if (may_sweep(reading))
		others[n++] = cost_of_sweep(reading, PINECONE_WAY_VALUES_SWEPT);
	/* what meets a condition when it is found need not when it is fetched */
	if (may_sweep(reading) && reading->want_values && !reading->filtered && !reading->ordered && !reading->uncounted)
		others[n++] = cost_of_sweep(reading, PINECONE_WAY_IDS_SWEPT);
	if (may_page_metadata(reading) && !reading->ordered && !reading->uncounted)
		others[n++] = cost_of_metadata(reading, PINECONE_WAY_METADATA);
	for (int i = 0; i < n; i++)
	{
		if (is_forced() ? best.way == PINECONE_WAY_PAGES : is_better(reading, &others[i], &best, &pages))
			best = others[i];
	}
	return best;
}

bool
pinecone_way_finds_ids(const PineconeReading *reading, double ids, PineconeWayCost *cost)
{
	PineconeWayCost fetches = {PINECONE_WAY_PAGES};

	if (ids < 2 || reading->want_values || reading->ordered || reading->uncounted || !may_be_proved(reading) || !may_sweep(reading))
		return false;
	add_fetches(reading, &fetches, ids);
	fetches.ms += transfer_ms(fetches.bytes);
	*cost = cost_of_sweep(reading, PINECONE_WAY_SWEEP);
	if (is_forced())
		return true;
	if (cost->units > fetches.units * MOST_UNITS || cost->bytes > fetches.bytes)
		return false;
	return cost->ms < fetches.ms * WORTH_SHARE || (cost->ms < fetches.ms && cost->requests <= fetches.requests);
}

void
pinecone_way_leave_out(const PineconeReading *reading, double n, PineconeWayCost *cost)
{
	PineconeWayCost fetches = {cost->way};

	add_fetches(reading, &fetches, n);
	cost->requests = Max(1, cost->requests - fetches.requests);
	cost->bytes = Max(0, cost->bytes - fetches.bytes);
	cost->units = Max(1, cost->units - fetches.units);
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
		case PINECONE_WAY_VALUES_SWEPT:
			return "searches";
		case PINECONE_WAY_METADATA:
			return "pages of a filter that all records meet";
		case PINECONE_WAY_IDS_ORDERED:
			return "ids by searches, sorted";
		default:
			return "page by page";
	}
}
