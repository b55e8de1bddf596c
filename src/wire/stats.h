/*
 * stats.h
 *		What the service tells of an index and of its namespaces.
 */
#ifndef PINECONE_STATS_H
#define PINECONE_STATS_H

#include "base/clock.h"

typedef enum PineconeMetric
{
	PINECONE_METRIC_UNKNOWN,
	PINECONE_METRIC_COSINE,
	PINECONE_METRIC_DOTPRODUCT,
	PINECONE_METRIC_EUCLIDEAN
} PineconeMetric;

/* As the API calls it; NULL: unknown */
extern const char *pinecone_metric_name(PineconeMetric metric);
extern PineconeMetric pinecone_metric_by_name(const char *name);

typedef struct PineconeNamespaceStats
{
	char *name; /* "" for the default namespace */
	double records;
} PineconeNamespaceStats;

/* describe_index_stats; kept with the session, see pinecone_session_stats(). */
typedef struct PineconeStats
{
	PineconeMetric metric;
	bool sparse;   /* a sparse index */
	int dimension; /* 0 for a sparse index */
	double records;
	int nnamespaces;
	PineconeNamespaceStats *namespaces; /* sorted by name, bytewise */
	PineconeTime fetched_at;			/* 0: out of date, whatever the time */
} PineconeStats;

/* GET /namespaces */
typedef struct PineconeNamespaceInfo
{
	char *name; /* "" for the default namespace */
	double records;
	int nfields; /* declared or indexed metadata fields */
	char **fields;
} PineconeNamespaceInfo;

/* A name that stands for a namespace when something is read (API 2026-07) */
typedef struct PineconeAlias
{
	char *name;
	char *target; /* "" for the default namespace */
} PineconeAlias;

/* Where an index is, as its description says; NULL: it does not say */
typedef struct PineconePlace
{
	char *host;
	char *private_host;
	char *cloud;
	char *region;
	char *environment; /* of pods, or of one's own cloud */
} PineconePlace;

/*
 * Records in one namespace by statistics; -1 when they do not have it,
 * which need not mean that it is empty: it may be an alias, or new.
 */
extern double pinecone_stats_records(const PineconeStats *stats, const char *namespace_);

#endif /* PINECONE_STATS_H */
