/*
 * http.h
 *		HTTP exchanges, several in flight.  Knows nothing of Pinecone.
 */
#ifndef PINECONE_HTTP_H
#define PINECONE_HTTP_H

typedef enum PineconeHttpOutcome
{
	PINECONE_HTTP_RUNNING,
	PINECONE_HTTP_ANSWERED,	   /* a complete reply of any status */
	PINECONE_HTTP_UNREACHABLE, /* no connection: nothing was sent */
	PINECONE_HTTP_UNRESOLVED,  /* the same, but for want of addresses in time */
	PINECONE_HTTP_UNCONNECTED, /* the same, but for want of a connection in time */
	PINECONE_HTTP_UNTRUSTED,   /* TLS: the certificate was refused */
	PINECONE_HTTP_TIMED_OUT,   /* no complete reply in time */
	PINECONE_HTTP_LAPSED,	   /* the same, but for want of a reader: we were busy */
	PINECONE_HTTP_BROKEN,	   /* the connection ended before the reply did */
	PINECONE_HTTP_OVERSIZED,   /* a reply larger than any can be */
	PINECONE_HTTP_OUT_OF_MEMORY
} PineconeHttpOutcome;

typedef struct PineconeHttpRequest
{
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	const char *body;			/* or NULL; must live as long as the exchange */
	size_t body_len;
	const char *ca; /* certificate authorities (PEM), or NULL for the system's */
	size_t ca_len;
	int connect_timeout_ms;
	int timeout_ms;
	bool large_reply; /* expect megabytes */
	bool http1;		  /* not over HTTP/2, and so over a connection of its own */
	bool alone;		  /* over a new connection, closed after it; libcurl does not send it again by itself */
} PineconeHttpRequest;

typedef struct PineconeExchange
{
	PineconeHttpOutcome outcome;
	bool sent;		  /* has any of the request gone out? */
	bool in_tls;	  /* it failed for want of trust, or of TLS at all */
	bool connected;	  /* over a connection made for it */
	bool handshaken;  /* which took a TLS handshake */
	int64 taken_us;	  /* from its start to its end, as far as we looked */
	char reason[256]; /* the library's own words when it failed */

	/* The reply */
	long status;
	char content_type[64];
	char *body; /* NUL-terminated, never NULL when answered; a
								 * few bytes behind the NUL may be read */
	size_t body_len;
	double retry_after; /* seconds, or -1 */
	char request_id[128];
	int64 request_lsn; /* -1: not given */
	int64 indexed_lsn;
} PineconeExchange;

/*
 * Start an exchange; it belongs to the current memory context, whose reset
 * cancels it.  Returns at once.
 */
extern PineconeExchange *pinecone_http_start(const PineconeHttpRequest *request);

/* Move all exchanges on without blocking.  Returns whether any has finished. */
extern bool pinecone_http_advance(void);

/* Milliseconds until exchanges are to be moved on by themselves; -1: never */
extern long pinecone_http_timeout(void);

/*
 * Nothing is likely to run for a while: unless something does, connections are
 * closed, and the memory kept for further exchanges is given back.
 */
extern void pinecone_http_rest(void);

#endif /* PINECONE_HTTP_H */
