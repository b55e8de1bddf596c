/*
 * option_hosts.h
 *		Lists of hosts that have the same data, and of regions.
 */
#ifndef PINECONE_OPTION_HOSTS_H
#define PINECONE_OPTION_HOSTS_H

/* More than there are copies of anything */
#define PINECONE_MAX_HOSTS 16

/* A region, with or without the cloud that it is in */
typedef struct PineconeRegion
{
	char *cloud; /* or NULL: any, or not known */
	char *name;
} PineconeRegion;

typedef struct PineconeRegions
{
	int n;
	PineconeRegion *regions;
} PineconeRegions;

/* In the order in which they are tried */
typedef struct PineconeHosts
{
	int n;
	char *hosts[PINECONE_MAX_HOSTS];			/* the first is NULL where the index's name leads to it */
	PineconeRegion regions[PINECONE_MAX_HOSTS]; /* as the option says; name NULL: it does not */
} PineconeHosts;

/* Is a host of the form that options and answers may have? */
extern bool pinecone_option_host_is_valid(const char *host);

/* Is each of them, by itself, what the option may hold?  Else an error. */
extern void pinecone_hosts_validate(const char *option, const char *value);

/*
 * All hosts of a server: that of "host", or of the index, comes first, then those
 * of the list (NULL: there is none).  Raises an error where one comes twice.
 */
extern PineconeHosts *pinecone_hosts_parse(const char *option, const char *value, const char *host, bool by_index);

/* "us-east-1, aws:eu-west-1"; raises an error when it is none. */
extern PineconeRegions *pinecone_regions_parse(const char *option, const char *value);

/* A region as text, palloc'ed */
extern char *pinecone_region_text(const PineconeRegion *region);

/* A host without the scheme that goes without saying */
extern const char *pinecone_host_plain(const char *host);

#endif /* PINECONE_OPTION_HOSTS_H */
