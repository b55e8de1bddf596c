/*
 * stats.c
 *		Looking things up in index statistics, and the names of metrics.
 */
#include "postgres.h"

#include "option/option_list.h"
#include "wire/stats.h"

const char *
pinecone_metric_name(PineconeMetric metric)
{
	switch (metric)
	{
		case PINECONE_METRIC_COSINE:
			return "cosine";
		case PINECONE_METRIC_DOTPRODUCT:
			return "dotproduct";
		case PINECONE_METRIC_EUCLIDEAN:
			return "euclidean";
		default:
			return NULL;
	}
}

PineconeMetric
pinecone_metric_by_name(const char *name)
{
	for (PineconeMetric metric = PINECONE_METRIC_COSINE; name != NULL && metric <= PINECONE_METRIC_EUCLIDEAN; metric++)
	{
		if (strcmp(name, pinecone_metric_name(metric)) == 0)
			return metric;
	}
	return PINECONE_METRIC_UNKNOWN;
}

double
pinecone_stats_records(const PineconeStats *stats, const char *namespace_)
{
	int low = 0;
	int high = stats->nnamespaces;

	namespace_ = pinecone_option_plain_namespace(namespace_);
	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(stats->namespaces[middle].name, namespace_);

		if (order == 0)
			return stats->namespaces[middle].records;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}
