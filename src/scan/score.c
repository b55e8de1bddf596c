/*
 * score.c
 *		Scores and the distances that they stand for (API 2025-10).
 */
#include "postgres.h"

#include <math.h>

#include "base/distance.h"
#include "scan/score.h"
#include "value/sparse.h"

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
			return 0.0 - score; /* 0, not -0 */
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
			return 0.0 - distance;
		default:
			elog(ERROR, "unexpected metric: %d", (int) metric);
	}
}

static double
dense_distance(const PineconeQueryVector *query, const PineconeRecord *record)
{
	int n = query->nvalues;

	switch (query->metric)
	{
		case PINECONE_METRIC_COSINE:
			return pinecone_distance_cosine(n, record->values, query->values);
		case PINECONE_METRIC_EUCLIDEAN:
			return pinecone_distance_l2(n, record->values, query->values);
		case PINECONE_METRIC_DOTPRODUCT:
			return pinecone_distance_negative_inner_product(n, record->values, query->values);
		default:
			elog(ERROR, "unexpected metric: %d", (int) query->metric);
	}
}

bool
pinecone_score_distance(const PineconeQueryVector *query, const PineconeRecord *record, double *distance)
{
	bool dense = query->kind != PINECONE_SPARSE && query->values != NULL && query->nvalues > 0 &&
				 record->nvalues == query->nvalues;
	bool sparse = query->kind != PINECONE_DENSE && query->has_sparse && record->sparse.n > 0;

	*distance = dense ? dense_distance(query, record) : 0;
	if (sparse)
		*distance -= pinecone_sparse_product(&query->sparse, &record->sparse);
	return dense || sparse;
}

void
pinecone_score_record(PineconeRecord *record, const PineconeQueryVector *query)
{
	double distance;
	double score;

	record->has_score = false;
	if (!pinecone_score_distance(query, record, &distance))
		return;
	score = distance_to_score(query->metric, distance);
	/* a service's are float32 */
	record->score = (float) score;
	record->has_score = !isnan(score);
}
