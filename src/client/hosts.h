/*
 * hosts.h
 *		Which of a server's hosts a session talks to: the first that answers.
 *
 * Reads go to the first in the order of the options.  One that fails, within its
 * own time-outs and after its retries, is left alone for a while, by all backends
 * of the cluster; the next takes its place.  Writes, and what is read for them,
 * stay with the first, and so fail when it does, unless failover_writes is set.
 *
 * A statement is answered by one host: a call moves to another one only as long
 * as no reply has come (client/bound.h).
 */
#ifndef PINECONE_HOSTS_H
#define PINECONE_HOSTS_H

#include "base/host_board.h"
#include "client/problem.h"
#include "client/session.h"
#include "option/option_hosts.h"
#include "wire/stats.h"

struct PineconeCall;

typedef struct PineconeFailover
{
	bool roams; /* does it go to another host when one fails? */
	int n;
	int number;						 /* of the host in use */
	uint64 keys[PINECONE_MAX_HOSTS]; /* see host_board.h */
	char *urls[PINECONE_MAX_HOSTS];	 /* as far as they are known */
	uint32 written;					 /* those that this session has written to, a bit each */
	uint32 alike;					 /* those whose index was found to be like the first's, a bit each */
	uint32 fresh;					 /* those that were asked for that by this session */
	bool described;					 /* the control plane has said what it knows of the first */
	PineconeTime describe_until;	 /* another host waits no longer for that */
	bool is_news;					 /* that one does not answer was found here, and has not been told */

	/* A question to another host: does it answer, and what is there? */
	struct PineconeCall *probe;
	int probed;
	PineconeTime patience_until; /* nobody waits longer for it */
	PineconeTime refused_at;	 /* when it has failed last */

	/* Of regions: a list of indexes, which is asked for where nothing else tells */
	struct PineconeCall *lister;
	uint32 allowed; /* hosts that were found to be where they may be */
} PineconeFailover;

/* For a session of a server with several hosts, or with regions; else NULL. */
extern PineconeFailover *pinecone_hosts_create(const PineconeServerOptions *options, bool roams);

/* Are there several hosts? */
static inline bool
pinecone_hosts_are_several(const PineconeSession *session)
{
	return session->options->hosts->n > 1;
}

/* While set, what is read comes from the first hosts alone: it is to be compared, and written. */
extern bool pinecone_hosts_first_only;

/* Is a failure one of the host, and not of what it was asked? */
extern bool pinecone_hosts_is_failure(const PineconeProblem *problem);

/* Turn to the first host that is not known to be down, if there may be another one than now. */
extern void pinecone_hosts_turn(PineconeSession *session);

/*
 * A call is about to be sent: may it be, where the session is?  False, with its
 * problem noted, when its statement has been answered from elsewhere.
 */
extern bool pinecone_hosts_may_ask(struct PineconeCall *call);

/* It was answered well: false, with its problem noted, as above. */
extern bool pinecone_hosts_take_answer(struct PineconeCall *call);

/*
 * It has failed for good, though a repeat might help if it had any left: is there
 * another host to ask instead?
 */
extern bool pinecone_hosts_move(struct PineconeCall *call, bool retryable);

/* Nobody knows where the first host is, for that reason: is there another one? */
extern bool pinecone_hosts_pass_over(PineconeSession *session, const PineconeProblem *problem);

/* A host has answered the question what is there, or has failed to. */
extern void pinecone_hosts_note_answer(PineconeSession *session, int number);
extern void pinecone_hosts_note_failure(PineconeSession *session, int number, const PineconeProblem *problem);

/* What there is, where a host is; an error if that is not what the first has. */
extern void pinecone_hosts_note_stats(PineconeSession *session, const PineconeStats *stats);
extern void pinecone_hosts_note_shape(PineconeSession *session, int number, const PineconeStats *stats);

/* Has a host another index than the first?  Then in what, palloc'ed; else NULL. */
extern char *pinecone_hosts_difference(PineconeSession *session, int number);
extern PineconeProblem *pinecone_hosts_unlike(PineconeSession *session, int number, const char *difference);

/* Where a call went, or NULL */
extern const char *pinecone_hosts_url(const struct PineconeCall *call);

/* What an error has to say besides, or NULL */
extern const char *pinecone_hosts_remark(const struct PineconeCall *call);

/* The host's name, for messages */
extern const char *pinecone_hosts_name(const PineconeSession *session, int number);

#endif /* PINECONE_HOSTS_H */
