/*
 * region.h
 *		Where a host is, and whether a server's option "allowed_regions" lets it be
 *		there.
 */
#ifndef PINECONE_REGION_H
#define PINECONE_REGION_H

#include "client/problem.h"
#include "client/session.h"
#include "option/option_hosts.h"
#include "wire/stats.h"

typedef enum PineconeRegionAnswer
{
	PINECONE_REGION_ALLOWED,
	PINECONE_REGION_REFUSED, /* *problem says why */
	PINECONE_REGION_UNKNOWN	 /* the control plane may know it */
} PineconeRegionAnswer;

/* By what the option, or the host's own name, says of one of the server's hosts */
extern PineconeRegionAnswer pinecone_region_by_name(const PineconeServerOptions *options, int number,
													PineconeProblem **problem);

/* By what the control plane says */
extern PineconeRegionAnswer pinecone_region_by_place(const PineconeServerOptions *options, const char *host,
													 const PineconePlace *place, PineconeProblem **problem);

/* That of a host among those of a list; NULL: it is not in there */
extern const PineconePlace *pinecone_region_find(const char *host, const PineconePlace *places, int n);

/* May an index be made there? */
extern bool pinecone_region_is_allowed(const PineconeServerOptions *options, const PineconeRegion *region);

/* Where it is, as text; NULL: nobody knows */
extern char *pinecone_region_of_host(const PineconeServerOptions *options, int number);

/* Texts go to models, and nobody knows where these run. */
extern PineconeProblem *pinecone_region_of_models(const PineconeServerOptions *options);

/* Nobody knows where a host is, for that reason, and so nothing is sent there. */
extern PineconeProblem *pinecone_region_unknown(const char *host, const char *reason);

#endif /* PINECONE_REGION_H */
