/*
 * session.h
 *		What a backend remembers about one server as one user: where it is, how
 *		to authenticate, and what its index looks like.
 */
#ifndef PINECONE_SESSION_H
#define PINECONE_SESSION_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "base/clock.h"
#include "base/governor.h"
#include "option/option_list.h"

struct PineconeStats;
struct PineconeNamespaceStats;
struct PineconeCounters;
struct PineconeProblem;
struct PineconeCall;

typedef struct PineconeSession
{
	/* Who and how */
	Oid mapping; /* user mapping */
	Oid serverid;
	uint32 server_hash; /* of the catalog entries, for invalidation */
	uint32 mapping_hash;
	bool stale;			  /* the catalog has changed: not for new statements */
	uint64 hosts_changes; /* of the settings that say where keys may go, when it was made */
	MemoryContext cxt;	  /* holds the session and everything of it */
	PineconeServerOptions *options;
	struct PineconeSession *next; /* in the list of former sessions */

	/* Where */
	char *base_url;				   /* scheme://host[:port]; NULL until resolved */
	char *former_url;			   /* the one before it, or NULL */
	uint64 host_hash;			   /* of base_url */
	int location;				   /* changes when the index is found elsewhere */
	struct PineconeCall *resolver; /* asks the control plane for it */
	PineconeTime resolved_at;
	bool old_describe;				   /* the control plane does not know the newest version */
	struct PineconeFailover *failover; /* of several hosts, or regions: see hosts.h; or NULL */

	/* What a document index declares; NULL for one of vectors, or as long as nobody knows */
	MemoryContext schema_cxt;
	struct PineconeSchema *schema;
	struct PineconeSchema *integrated; /* the text that an integrated index embeds: see wire/schema.h; or NULL */
	bool documents_found;			   /* a search has brought some */
	bool documents_probed;			   /* one was made to see whether it does */

	bool dry_run_refused; /* the key may not even pretend to write */

	/* How much at once */
	int calls;			  /* calls there are, the resolver included */
	int running;		  /* calls on the wire */
	double allowance;	  /* calls allowed on the wire, <= max_concurrency */
	PineconeTurns *turns; /* it has to send: see governor.h */
	bool paced;			  /* are there limits per second? */
	uint64 granted;		  /* requests that have succeeded */
	int64 latency_us;	  /* that a small request takes, about the least of late; 0: unknown */

	/* What this deployment has turned out not to do; 0, false: as documented */
	int max_top_k;
	int max_page[2]; /* of a list, and of a fetch by metadata */
	int max_fetch;	 /* ids */
	int max_upsert;	 /* records, and bytes of them */
	int max_upsert_bytes;
	int max_delete; /* ids */
	bool no_dry_run;
	bool http1_works; /* for large bodies; */
	bool no_http1;	  /* and has it turned out not to? */

	/* The index */
	MemoryContext stats_cxt;
	struct PineconeStats *stats;	 /* or NULL */
	int stats_location;				 /* where they are from */
	struct PineconeCall *stats_call; /* asks for them, or has failed to; or NULL */
	bool stats_taken;				 /* somebody has looked at what it brought */
	PineconeTime stats_asked_at;
	TimestampTz stats_asked_in;	 /* the statement that did, by its start */
	PineconeTime stats_retry_at; /* not to be asked again before; 0: as you like */
	PineconeTime stats_spent_at; /* those asked for then have served the run of their plan */
	uint64 count_statement;		 /* the statement that counts by them, */
	PineconeTime count_from;	 /* if they were not asked for earlier */

	/* Names that stand for namespaces: see alias.c */
	struct PineconeAliases *aliases; /* or NULL */

	uint32 warned_of; /* budgets of a month that it has been warned of, a bit each */
} PineconeSession;

/*
 * The session for a server and user, made on first use, and made anew after
 * ALTER SERVER and ALTER USER MAPPING; what runs then goes on with the session
 * that it has.  The pointer is good until the end of the transaction, and
 * longer while there are calls of it.
 */
extern PineconeSession *pinecone_session_get(Oid serverid, Oid userid);

/*
 * The same for what is only read, from the first host that answers if the server
 * has several: see hosts.h.
 */
extern PineconeSession *pinecone_session_get_reading(Oid serverid, Oid userid);

/* The same of a server that may name no index, for questions to its control plane. */
extern PineconeSession *pinecone_session_get_project(Oid serverid, Oid userid);

/* How many matches a search can bring, as far as is known */
extern int pinecone_session_top_k(const PineconeSession *session);

/* Those that there are, current ones, palloc'ed. */
extern List *pinecone_session_all(void);

/*
 * An index, known by its name at a control plane or by its URL (either may be
 * NULL), has been made, changed or removed: sessions of this backend know nothing
 * of it any more, nor do those of others that are yet to begin.
 */
extern void pinecone_session_forget_index(const char *control_host, const char *index, const char *base_url);

/*
 * A small request took so many microseconds.  It may have waited for its
 * connection, or for us to look: the least counts, and what is more only little
 * by little.
 */
static inline void
pinecone_session_note_latency(PineconeSession *session, int64 taken)
{
	if (session->latency_us == 0 || taken < session->latency_us)
		session->latency_us = Max(1, taken);
	else
		session->latency_us += Max(1, (Min(taken, session->latency_us * 4) - session->latency_us) / 32);
}

/* A service that answers later than that (in microseconds) is far away, whatever its address */
#define PINECONE_FAR_US 30000

/* Where so few requests of a kind are allowed per second, the first second too many is felt */
#define PINECONE_SCARCE_RATE 10

/*
 * How many requests of a kind may be sent per second; 0: as many as one likes.
 * A server on this machine need not have such limits.  What answers as late as
 * the service does may be a way to it, though, and of what is scarce the limit is
 * kept from the first request on, not from the first refusal.
 */
static inline double
pinecone_session_rate(const PineconeSession *session, PineconeRateKind kind)
{
	double limit = session->options->rates.limits[kind];

	return session->paced || (limit <= PINECONE_SCARCE_RATE && session->latency_us >= PINECONE_FAR_US) ? limit : 0;
}

/*
 * Metric, dimension and record counts of the index, from describe_index_stats.
 * Asked for again after pinecone_fdw.stats_ttl; where that fails or takes long,
 * what was known before stays good, and the failure is remembered for a while.
 * "fresh" asks now, and takes nothing older.  Where nothing is known, "try" gets
 * NULL, after a moment at most; else that is an error.
 */
extern struct PineconeStats *pinecone_session_stats(PineconeSession *session, bool fresh, bool try_only);

/*
 * The same, without waiting: what has been asked for ahead is taken if it has
 * been answered, old ones are better than none.
 */
extern struct PineconeStats *pinecone_session_known_stats(PineconeSession *session);

/*
 * The same as of the statement whose pins "counters" has, which are what it reads
 * and counts by: asked for once a statement, unless those do that were asked for
 * at a given time to make its plan (0: none were).  First begin, which does not
 * block; then wait for the result.
 */
extern void pinecone_session_begin_count(PineconeSession *session, struct PineconeCounters *counters,
										 PineconeTime planned_at);
extern bool pinecone_session_count_is_answered(PineconeSession *session);
extern struct PineconeStats *pinecone_session_count_stats(PineconeSession *session,
														  struct PineconeCounters *counters);

/*
 * Ask for these ahead, if they are out of date, so that several sessions' come
 * together.  Never blocks.
 */
extern void pinecone_session_refresh(PineconeSession *session);

/*
 * The same however recent they are; says whether a request was sent for it.  And
 * take the answer, if there is one: false while it is on its way.
 */
extern bool pinecone_session_ask_stats(PineconeSession *session);
extern bool pinecone_session_take_stats(PineconeSession *session);

/* What was asked for ahead is not wanted any more. */
extern void pinecone_session_drop_stats_call(PineconeSession *session);

/* Are they there, or asked for? */
extern bool pinecone_session_stats_ready(PineconeSession *session);

/*
 * For calls: make sure the session knows its base URL.  Returns true when it
 * does, false while the control plane is being asked; when that has failed,
 * *problem says why.  Never blocks.
 */
extern bool pinecone_session_locate(PineconeSession *session, struct PineconeProblem **problem);

/*
 * Ask one of the server's hosts what is there: NULL when that has to wait for
 * what the control plane says, or with *problem set.  The call belongs to the
 * session's memory.  And take note of its answer, when that has come.
 */
extern struct PineconeCall *pinecone_session_ask_host(PineconeSession *session, int number, struct PineconeProblem **problem);
extern void pinecone_session_note_host(PineconeSession *session, int number, struct PineconeCall *call);

/* Until when it is to be waited for, if a host is being asked that may be down; 0: as long as it takes */
extern PineconeTime pinecone_session_patience(const PineconeSession *session);

/* Wait until that is known, or has failed: who is to use it says so. */
extern void pinecone_session_wait_place(PineconeSession *session);

/*
 * Where the control plane of a server is; NULL, with *problem set, when it may
 * not be sent a key.
 */
extern char *pinecone_session_control_url(PineconeSession *session, struct PineconeProblem **problem);

/*
 * The index is no longer where a call was sent: ask the control plane again.
 * Returns whether there may be another answer.
 */
extern bool pinecone_session_forget_host(PineconeSession *session, int location);

/*
 * The namespaces of a table by those statistics, and the records of each, -1
 * where nobody knows; palloc'ed.
 */
extern struct PineconeNamespaceStats *pinecone_session_namespaces(PineconeSession *session,
																  PineconeTable *table,
																  struct PineconeStats *stats, int *n);

#endif /* PINECONE_SESSION_H */
