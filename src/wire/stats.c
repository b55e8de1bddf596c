/*
 * stats.c
 *		Looking things up in index statistics.
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
