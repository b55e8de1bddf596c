/*
 * allowed_host.h
 *		Which hosts may be talked to, and get an API key.
 */
#ifndef PINECONE_ALLOWED_HOST_H
#define PINECONE_ALLOWED_HOST_H

struct PineconeProblem;

/*
 * A host option, or a host from the control plane, as a base URL.  Returns NULL
 * with *refused set when the key may not be sent there.
 */
extern char *pinecone_allowed_url(const char *host, struct PineconeProblem **refused);

/* Is a URL's host this machine? */
extern bool pinecone_allowed_is_loopback(const char *url);

#endif /* PINECONE_ALLOWED_HOST_H */
