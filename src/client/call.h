/*
 * call.h
 *		What the functions that start requests and those that read replies share:
 *		the call itself, its states, and how to move all calls on.
 *
 * What vectors.c's functions and session.c's resolving of index names have in
 * common.  Calls queue while their session has as many on the wire as it may.
 */
#ifndef PINECONE_CALL_H
#define PINECONE_CALL_H

#include "lib/ilist.h"

#include "base/clock.h"
#include "client/http.h"
#include "client/poll.h"
#include "client/problem.h"
#include "client/vectors.h"

/* Seconds; a longer Retry-After is not waited for. */
#define PINECONE_MAX_RETRY_AFTER 60.0

typedef enum PineconeCallState
{
	PINECONE_CALL_QUEUED,
	PINECONE_CALL_RUNNING,
	PINECONE_CALL_BACKING_OFF,
	PINECONE_CALL_SUCCEEDED,
	PINECONE_CALL_FAILED
} PineconeCallState;

struct PineconeCall
{
	dlist_node node; /* in the list of unfinished calls */
	bool listed;
	MemoryContext cxt; /* holds the call and everything of it */
	MemoryContextCallback cleanup;
	PineconeSession *session;
	PineconeCounters *counters;
	PineconeCallState state;

	/* The request */
	const char *operation; /* for messages */
	const char *method;
	char *path; /* with its query string */
	char *url;	/* of the control plane, with its path; else NULL */
	char *body;
	int body_len;
	bool lines; /* it is records, one a line, and nothing else; a reply to that is empty */
	char *api_key;
	const char *api_version; /* that the operation needs; NULL: the server's */
	bool control_plane;
	bool is_write;
	bool large_reply;
	bool continues; /* what an earlier reply of the same host has begun */
	bool single_attempt;
	bool once;		  /* done twice it is something else: not again once it may have been applied */
	bool told_apart;  /* the answer to a repeat is another one: libcurl must not repeat it by itself */
	bool want_values; /* decode vectors */
	PineconeRateKind rate_kind;
	const char *rate_namespace; /* or NULL where all of an index are counted together */
	double rate_amount;			/* of what the kind is limited by besides */
	int expected;				/* records that an upsert must confirm, or 0 */

	/* What it costs: see account.h */
	char *about;		/* the namespace, in the database's encoding; or NULL */
	int batch;			/* records, ids or matches asked about; 0: no such number */
	bool reads;			/* its reply is metered */
	bool may_be_none;	/* that something is not there is an answer, too */
	bool units_counted; /* those of its reply */
	struct PineconeStatisticsEntry *counted;

	/* Of documents: the fields that hold vectors, in UTF-8, or NULL */
	bool documents;
	char *dense;
	char *sparse;
	int dimension; /* of the dense ones */

	struct PineconeCaching *caching; /* may memory answer it?  See cache.h; or NULL */

	/* What the records of a reply must have */
	bool want_scores;
	const char *namespace_; /* in UTF-8, or NULL when it does not matter */
	const char *prefix;		/* or NULL */

	/* Progress */
	int attempts;
	int host_number;		 /* of the server's: where it went; see hosts.h */
	uint32 hosts_tried;		 /* a bit for each that has failed it */
	int location;			 /* of the session when it was sent: where it went */
	bool relocated;			 /* it was not found where the index was */
	int new_keys;			 /* keys it took after one was refused */
	int refusals;			 /* attempts that a rate limit refused */
	PineconeTime refused_at; /* since when nothing has been granted; 0: never refused */
	uint64 granted_then;	 /* what the session had been granted by then */
	PineconeTime retry_at;
	PineconeTime sent_at;
	PineconeTime turn_at; /* queued, but not to go before this; 0: at once */
	MemoryContext attempt_cxt;
	PineconeExchange *exchange;
	bool http1;			/* the attempt goes over HTTP/1.1 */
	bool http1_failed;	/* one that did had no connection, or lost it */
	bool maybe_applied; /* an attempt may have reached the service */
	PineconeProblem problem;
	const char *note; /* what an error's detail adds, or NULL */
};

/*
 * A call in a context of its own below the current one.  Starting it puts it
 * in the queue; pinecone_call_advance() takes it from there.
 */
extern PineconeCall *pinecone_call_create(PineconeSession *session, PineconeCounters *counters,
										  const char *operation, const char *method);
extern void pinecone_call_start(PineconeCall *call);

/* No attempt after the one that is on the wire, if any. */
extern void pinecone_call_stop(PineconeCall *call);

/* Move all calls on without blocking; whose time it takes (or NULL). */
extern void pinecone_call_advance(PineconeCounters *counters);

extern bool pinecone_call_finished(const PineconeCall *call);

/* Wait until one of them has finished; returns its number. */
extern int pinecone_call_wait_any(PineconeCall **calls, int ncalls);

/* Sleep until any call may have moved on, or until then (0: as long as that takes). */
extern void pinecone_call_wait_a_moment(PineconeTime end);

/* Wait for one until then at most; returns whether it has finished. */
extern bool pinecone_call_wait_until(PineconeCall *call, PineconeTime end);

/* What is a wait for calls for? */
extern PineconeWait pinecone_call_waits_for(void);

/* Milliseconds after which calls may move on by themselves; -1: never. */
extern long pinecone_call_timeout(void);

/*
 * The body of a successful reply cannot be read: ask again if that is allowed.
 * Returns false when the call has failed for good.
 */
extern bool pinecone_call_reject(PineconeCall *call, const char *reason);

#endif /* PINECONE_CALL_H */
