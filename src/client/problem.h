/*
 * problem.h
 *		Why a call failed, for those who try again and for error.c.
 */
#ifndef PINECONE_PROBLEM_H
#define PINECONE_PROBLEM_H

#include "client/http.h"

struct PineconeCall;

typedef struct PineconeProblem
{
	PineconeHttpOutcome outcome;
	long status;		 /* HTTP status when answered */
	int code;			 /* gRPC code of the body, or 0 */
	char *message;		 /* the service's or libcurl's own words, or NULL */
	char *reason;		 /* the service's word for it in the body's details, or NULL */
	char *request_id;	 /* or NULL */
	char *host;			 /* where it was sent, if that was to the index; or NULL */
	const char *invalid; /* what is wrong with a reply's body, or NULL */
	bool host_refused;	 /* the host may not be talked to; message says why */
	bool moved;			 /* the same, and that is no matter of rights: see hosts.h */
	bool in_lookup;		 /* it got no further than to the host's name, */
	bool in_tls;		 /* or than to TLS */
	const char *remedy;	 /* and this what may be done */
	double retry_after;	 /* s that the service wants to be left alone; or -1 */
	int attempts;
	const char *operation; /* what failed, if it was not the call itself but one it needs */
} PineconeProblem;

/* Is a quota used up that waiting does not bring back? */
extern bool pinecone_problem_is_quota(const PineconeProblem *problem);

/* Note why an attempt failed, or what is wrong with the reply to one that did not. */
extern void pinecone_problem_note(struct PineconeCall *call);
extern void pinecone_problem_note_invalid(struct PineconeCall *call, const char *reason);

/* A host may not be talked to, for the reason that the message says. */
extern PineconeProblem *pinecone_problem_refusal(char *message, const char *remedy);

/* A call fails for the reason that another did; it outlives the other. */
extern void pinecone_problem_copy(PineconeProblem *to, const PineconeProblem *from,
								  MemoryContext cxt);

#endif /* PINECONE_PROBLEM_H */
