/*
 * vectors.h
 *		Pinecone's operations, one function each, as calls that run in the
 *		background while their starter goes on.
 *
 * A call is started by one of the functions below and finishes by itself,
 * including its retries; pinecone_vectors_ready() looks, pinecone_vectors_wait()
 * waits.  At most max_concurrency calls of a session are on the wire; the
 * others queue.  A call belongs to the memory context it was started in:
 * resetting that context cancels it.
 */
#ifndef PINECONE_VECTORS_H
#define PINECONE_VECTORS_H

#include "lib/stringinfo.h"
#include "portability/instr_time.h"

#include "client/session.h"
#include "wire/record.h"
#include "wire/search.h"
#include "wire/stats.h"

/* What a statement's calls cost, for EXPLAIN ANALYZE, and what they keep to. */
typedef struct PineconeCounters
{
	struct PineconePins *pins;				 /* what names stand for: see alias.h; or NULL */
	const struct PineconeCachePolicy *cache; /* what may be answered from memory: see cache.h; or NULL */
	struct PineconeBound *bound;			 /* the host that answers: see bound.h; or NULL */
	bool shows_own;							 /* it has to be the one that this session has written to */

	uint64 requests; /* HTTP requests sent, retries included */
	uint64 retries;
	uint64 bytes_sent;	   /* request bodies and URLs */
	uint64 bytes_received; /* reply bodies */
	uint64 egress_bytes;   /* of them, those that are metered */
	uint64 read_units;
	uint64 ids_fetched;	   /* ids asked for by fetch requests */
	uint64 rows_gathered;  /* of joins, whose filters went together; */
	uint64 gathers;		   /* as so many */
	uint64 namespaces;	   /* asked, each time */
	uint64 short_searches; /* that brought fewer matches than there are */
	uint64 cache_hits;	   /* replies from memory, */
	uint64 cache_misses;   /* and what was not there */
	int peak_in_flight;

	/* Of sweeps: searches, and why one was not complete, or NULL */
	uint64 swept_parts;
	const char *sweep_failure;

	/* Where the time goes, if "timing" */
	bool timing;
	instr_time wait_time;	  /* asleep until the network has something */
	instr_time transfer_time; /* sending requests, receiving replies */
	instr_time decode_time;	  /* parsing replies */
	instr_time row_time;	  /* forming tuples */
	instr_time unseen_time;	  /* until the service shows writes that cannot be laid over what it shows */
} PineconeCounters;

/* Start counting anew, the same things. */
static inline void
pinecone_counters_reset(PineconeCounters *counters)
{
	struct PineconePins *pins = counters->pins;
	const struct PineconeCachePolicy *cache = counters->cache;
	struct PineconeBound *bound = counters->bound;
	bool shows_own = counters->shows_own;
	bool timing = counters->timing;

	memset(counters, 0, sizeof(*counters));
	counters->pins = pins;
	counters->cache = cache;
	counters->bound = bound;
	counters->shows_own = shows_own;
	counters->timing = timing;
}

/* Add what has been counted elsewhere. */
static inline void
pinecone_counters_add(PineconeCounters *sum, const PineconeCounters *part)
{
	sum->requests += part->requests;
	sum->retries += part->retries;
	sum->bytes_sent += part->bytes_sent;
	sum->bytes_received += part->bytes_received;
	sum->egress_bytes += part->egress_bytes;
	sum->read_units += part->read_units;
	sum->ids_fetched += part->ids_fetched;
	sum->swept_parts += part->swept_parts;
	if (part->sweep_failure != NULL)
		sum->sweep_failure = part->sweep_failure;
	sum->rows_gathered += part->rows_gathered;
	sum->gathers += part->gathers;
	sum->namespaces += part->namespaces;
	sum->short_searches += part->short_searches;
	sum->cache_hits += part->cache_hits;
	sum->cache_misses += part->cache_misses;
	sum->peak_in_flight = Max(sum->peak_in_flight, part->peak_in_flight);
	INSTR_TIME_ADD(sum->wait_time, part->wait_time);
	INSTR_TIME_ADD(sum->transfer_time, part->transfer_time);
	INSTR_TIME_ADD(sum->decode_time, part->decode_time);
	INSTR_TIME_ADD(sum->row_time, part->row_time);
	INSTR_TIME_ADD(sum->unseen_time, part->unseen_time);
}

typedef struct PineconeCall PineconeCall;

/*
 * Start a call.  "counters" may be NULL; else it must live as long as the
 * call.  Arguments are copied into the request before these return.  Fetches
 * bring vectors whether wanted or not; "want_values" says if to decode them.  Of
 * a document index they bring the fields asked for, with NULL all.
 */
extern PineconeCall *pinecone_vectors_query(PineconeSession *session, PineconeCounters *counters,
											const PineconeSearch *search);
extern PineconeCall *pinecone_vectors_fetch(PineconeSession *session, PineconeCounters *counters,
											const char *namespace_, char *const *ids, int nids,
											const PineconeProjection *fields, bool want_values);
/*
 * How many ids a fetch may have at most, where requests are what counts or
 * where they are not; and how many of these fit one, whose URL's length is limited.
 */
extern int pinecone_vectors_max_fetch(const PineconeSession *session, bool many);
extern int pinecone_vectors_fetch_batch(const PineconeSession *session, char *const *ids, int nids, int most);
extern PineconeCall *pinecone_vectors_fetch_by_metadata(PineconeSession *session, PineconeCounters *counters,
														const char *namespace_, const char *filter,
														int limit, const char *token,
														const PineconeProjection *fields,
														bool want_values);
extern PineconeCall *pinecone_vectors_list(PineconeSession *session, PineconeCounters *counters,
										   const char *namespace_, const char *prefix,
										   int limit, const char *token);
extern PineconeCall *pinecone_vectors_stats(PineconeSession *session, PineconeCounters *counters);
extern PineconeCall *pinecone_vectors_stats_try(PineconeSession *session, bool single_attempt);

/* How many records match: an update by filter with dryRun. */
extern PineconeCall *pinecone_vectors_count(PineconeSession *session, PineconeCounters *counters,
											const char *namespace_, const char *filter);
extern PineconeCall *pinecone_vectors_list_namespaces(PineconeSession *session, PineconeCounters *counters,
													  const char *token);

/*
 * Writes.  The body of an upsert is written where the caller wants it, who cuts
 * it by size: opened, and then records, with commas between.  It is ended here,
 * and must stay until the call is over.
 */
extern void pinecone_vectors_open_upsert(StringInfo body, const char *namespace_);
extern void pinecone_vectors_append_record(StringInfo buf, const PineconeRecord *record);
extern PineconeCall *pinecone_vectors_upsert(PineconeSession *session, PineconeCounters *counters,
											 const char *namespace_, StringInfo body, int nrecords);

/* values, sparse and set_metadata: whichever is given */
extern PineconeCall *pinecone_vectors_update(PineconeSession *session, PineconeCounters *counters,
											 const char *namespace_, const PineconeRecord *record);
extern PineconeCall *pinecone_vectors_update_by_filter(PineconeSession *session, PineconeCounters *counters,
													   const char *namespace_, const char *filter,
													   const char *set_metadata);
extern PineconeCall *pinecone_vectors_delete_ids(PineconeSession *session, PineconeCounters *counters,
												 const char *namespace_, char *const *ids, int nids);
extern PineconeCall *pinecone_vectors_delete_by_filter(PineconeSession *session, PineconeCounters *counters,
													   const char *namespace_, const char *filter);
extern PineconeCall *pinecone_vectors_delete_all(PineconeSession *session, PineconeCounters *counters,
												 const char *namespace_);

/* Has the call finished, well or badly?  Moves the network on, never blocks. */
extern bool pinecone_vectors_ready(PineconeCall *call);

/* The same without moving the network on; and that for all calls. */
extern bool pinecone_vectors_finished(const PineconeCall *call);
extern void pinecone_vectors_advance(void);

/* Has it not been sent, because others are on the wire or it is not its turn? */
extern bool pinecone_vectors_is_queued(const PineconeCall *call);

/* Wait until the call has finished; interruptible. */
extern void pinecone_vectors_wait(PineconeCall *call);

/* Wait until one of them has finished; returns its number. */
extern int pinecone_vectors_wait_any(PineconeCall **calls, int ncalls);

/*
 * A descriptor that becomes readable when calls may have moved on, for a
 * WaitEventSet of someone else's.  The alarm makes sure that it does before
 * such a wait, within so many milliseconds.  Then pinecone_vectors_ready() tells.
 */
extern int pinecone_vectors_socket(void);
extern void pinecone_vectors_alarm(long timeout_ms);

/*
 * Where a call that succeeded found the index: compare with what another has,
 * or with the session's "stats_location".
 */
extern int pinecone_vectors_location(PineconeCall *call);

/* Cancel if it runs, and free.  NULL is allowed. */
extern void pinecone_vectors_free(PineconeCall *call);

/*
 * Why a call failed, without raising: what the caller can do something about.
 * PINECONE_FAILURE_NONE when it succeeded.  The call must have finished.
 */
typedef enum PineconeFailure
{
	PINECONE_FAILURE_NONE,
	PINECONE_FAILURE_TOO_LARGE,	   /* the reply would exceed the service's limit */
	PINECONE_FAILURE_NO_NAMESPACE, /* writes to a namespace that never existed */
	PINECONE_FAILURE_ALIAS,		   /* writes, dry runs among them, to an alias */
	PINECONE_FAILURE_UNSUPPORTED,  /* this kind of index has no such operation */
	PINECONE_FAILURE_FORBIDDEN,	   /* the key may not do that */
	PINECONE_FAILURE_REJECTED,	   /* 4xx: final */
	PINECONE_FAILURE_OTHER
} PineconeFailure;
extern PineconeFailure pinecone_vectors_failure(PineconeCall *call);

/*
 * Has the service refused what it was sent, so that to send it again is of no use?
 * And why a call has failed, in a line.
 */
extern bool pinecone_vectors_is_refused(PineconeCall *call);
extern char *pinecone_vectors_reason(PineconeCall *call);

/*
 * A call that asked for so many was rejected.  If that was for the number, whose
 * name is given in lower case, the greatest that may be asked for; else 0.  One
 * that is not told is guessed at half of it, if "guess" is set.
 */
extern int pinecone_vectors_ceiling(PineconeCall *call, const char *name, int asked, bool guess);

/* A write that has been started: might it have been applied by now? */
extern bool pinecone_vectors_may_be_applied(const PineconeCall *call);

/* Not to be sent, or sent again; what is on the wire still comes back. */
extern void pinecone_vectors_stop(PineconeCall *call);

/* Something for the detail of a failed call's error to add. */
extern void pinecone_vectors_set_note(PineconeCall *call, const char *note);

/* Raise the error of a failed call; elevel as in ereport. */
extern void pinecone_vectors_report(PineconeCall *call, int elevel);

/*
 * The results: wait, raise an error if the call failed, decode into the
 * current memory context.
 */
extern PineconePage *pinecone_vectors_page(PineconeCall *call); /* query, fetch, fetch_by_metadata, list */
extern PineconeStats *pinecone_vectors_stats_result(PineconeCall *call);
extern PineconeStats *pinecone_vectors_stats_try_result(PineconeCall *call); /* NULL rather than an error */
extern double pinecone_vectors_count_result(PineconeCall *call);			 /* count, update_by_filter */
extern PineconeNamespaceInfo *pinecone_vectors_namespaces_result(PineconeCall *call, int *n, char **next_token);

/*
 * A write that has succeeded: does its reply confirm all of it?  If not it is
 * sent again, or fails for good, and this returns false.
 */
extern bool pinecone_vectors_confirm(PineconeCall *call);

/*
 * Log sequence numbers of the reply's headers; -1 when absent.  How far a
 * namespace is indexed only searches tell: what another call says of that need
 * not be what searches, or itself, have shown.
 */
extern int64 pinecone_vectors_request_lsn(PineconeCall *call);
extern int64 pinecone_vectors_indexed_lsn(PineconeCall *call);

/* Split a record's metadata into fields (current memory context). */
extern PineconeFields *pinecone_vectors_metadata_fields(const PineconeRecord *record);

#endif /* PINECONE_VECTORS_H */
