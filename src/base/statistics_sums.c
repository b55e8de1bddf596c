/*
 * statistics_sums.c
 *		Adds up what was counted, and tells where latencies lie.
 *
 * A latency goes into the bucket of its size: four for each power of two of
 * microseconds, so that what a bucket says is at most an eighth off.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"

#include "base/statistics.h"

/* Below so many us all have one bucket each */
#define EXACT 8

static int
bucket_of(uint64 us)
{
	int power;
	int bucket;

	if (us < EXACT)
		return (int) us;
	power = pg_leftmost_one_pos64(us);
	/* the two bits behind the first */
	bucket = EXACT + (power - 3) * 4 + (int) ((us >> (power - 2)) & 3);
	return Min(bucket, PINECONE_LATENCY_BUCKETS - 1);
}

/* The middle of a bucket, in us. */
static double
middle_of(int bucket)
{
	int power;
	double start;

	if (bucket < EXACT)
		return bucket;
	power = (bucket - EXACT) / 4 + 3;
	start = ldexp(4 + (bucket - EXACT) % 4, power - 2);
	return start + ldexp(0.5, power - 2);
}

double
pinecone_statistics_quantile(const PineconeStatistics *sums, double share)
{
	double wanted = share * sums->waits;
	double seen = 0;

	for (int i = 0; i < PINECONE_LATENCY_BUCKETS && sums->waits > 0; i++)
	{
		seen += sums->latencies[i];
		/* no middle is further out than what there was */
		if (seen >= wanted && sums->latencies[i] > 0)
			return Min(Max(middle_of(i), sums->wait_min), sums->wait_max) / 1000.0;
	}
	return -1;
}

void
pinecone_statistics_wait(PineconeStatisticsEntry *entry, int64 us)
{
	uint64 waited = Max(us, 0);
	PineconeStatistics *sums;
	int bucket;

	if (entry == NULL)
		return;
	sums = &entry->sums;
	sums->waits++;
	sums->wait_min = Min(sums->wait_min, waited);
	sums->wait_max = Max(sums->wait_max, waited);
	bucket = bucket_of(waited);
	sums->latencies[bucket]++;
	sums->first_latency = Min(sums->first_latency, bucket);
	sums->end_latency = Max(sums->end_latency, bucket + 1);
	sums->counts[PINECONE_TALLY_WAIT_US] += waited;
}

/* The last error's text is of no time, and stays. */
void
pinecone_statistics_clear(PineconeStatistics *sums)
{
	memset(sums->counts, 0, sizeof(sums->counts));
	for (int i = sums->first_latency; i < sums->end_latency; i++)
		sums->latencies[i] = 0;
	sums->first_latency = PINECONE_LATENCY_BUCKETS;
	sums->end_latency = 0;
	sums->batch_max = sums->waits = sums->wait_max = 0;
	sums->wait_min = PG_UINT64_MAX;
	sums->lsn_written = sums->lsn_seen = -1;
	sums->last_call = sums->last_error_at = 0;
}

void
pinecone_statistics_init_sums(PineconeStatistics *sums)
{
	memset(sums, 0, sizeof(*sums));
	pinecone_statistics_clear(sums);
}

void
pinecone_statistics_add(PineconeStatistics *to, const PineconeStatistics *from)
{
	for (int i = 0; i < PINECONE_TALLIES; i++)
		to->counts[i] += from->counts[i];
	for (int i = from->first_latency; i < from->end_latency; i++)
		to->latencies[i] += from->latencies[i];
	to->first_latency = Min(to->first_latency, from->first_latency);
	to->end_latency = Max(to->end_latency, from->end_latency);
	to->batch_max = Max(to->batch_max, from->batch_max);
	to->waits += from->waits;
	to->wait_min = Min(to->wait_min, from->wait_min);
	to->wait_max = Max(to->wait_max, from->wait_max);
	to->lsn_written = Max(to->lsn_written, from->lsn_written);
	to->lsn_seen = Max(to->lsn_seen, from->lsn_seen);
	to->last_call = Max(to->last_call, from->last_call);
	if (from->last_error_at > to->last_error_at)
	{
		to->last_error_at = from->last_error_at;
		memcpy(to->last_error, from->last_error, sizeof(to->last_error));
	}
}
