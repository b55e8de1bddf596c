/*
 * score.c
 *		Scores and the distances that they stand for (API 2025-10).
 */
#include "postgres.h"

#include <math.h>

#include "base/distance.h"
#include "scan/score.h"

/* The service's float32 can carry it past the ends. */
static double
within(PineconeMetric metric, double score)
{
	switch (metric)
	{
		case PINECONE_METRIC_COSINE:
			return Min(Max(score, -1.0), 1.0);
		case PINECONE_METRIC_EUCLIDEAN:
			return Max(score, 0.0);
		default:
			return score;
	}
}

void
pinecone_score_limit(PineconePage *page, PineconeMetric metric)
{
	for (int i = 0; i < page->nrecords; i++)
		page->records[i].score = within(metric, page->records[i].score);
}

double
pinecone_score_to_distance(PineconeMetric metric, double score)
{
	score = within(metric, score);
	switch (metric)
	{
		case PINECONE_METRIC_COSINE:
			return 1.0 - score;
		case PINECONE_METRIC_EUCLIDEAN:
			return sqrt(score); /* the score is the squared distance */
		case PINECONE_METRIC_DOTPRODUCT:
			return -score;
		default:
			elog(ERROR, "unexpected metric: %d", (int) metric);
	}
}

static double
distance_to_score(PineconeMetric metric, double distance)
{
	switch (metric)
	{
		case PINECONE_METRIC_COSINE:
			return 1.0 - distance;
		case PINECONE_METRIC_EUCLIDEAN:
			return distance * distance;
		case PINECONE_METRIC_DOTPRODUCT:
			return -distance;
		default:
			elog(ERROR, "unexpected metric: %d", (int) metric);
	}
}

double
pinecone_score_distance(PineconeMetric metric, int n, const float *a, const float *b)
{
	switch (metric)
	{
		case PINECONE_METRIC_COSINE:
			return pinecone_distance_cosine(n, a, b);
		case PINECONE_METRIC_EUCLIDEAN:
			return pinecone_distance_l2(n, a, b);
		case PINECONE_METRIC_DOTPRODUCT:
			return pinecone_distance_negative_inner_product(n, a, b);
		default:
			elog(ERROR, "unexpected metric: %d", (int) metric);
	}
}

void
pinecone_score_record(PineconeRecord *record, PineconeMetric metric, int n, const float *vector)
{
	double score;

	record->has_score = false;
	if (n == 0 || record->nvalues != n)
		return;
	score = distance_to_score(metric, pinecone_score_distance(metric, n, record->values, vector));
	/* a service's are float32 */
	record->score = (float) score;
	record->has_score = !isnan(score);
}
