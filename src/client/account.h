/*
 * account.h
 *		What calls cost: counted, held against budgets, and logged where it took long.
 *
 * call.c tells when something happens to a call.  A cache of results, which makes
 * no calls where it can, tells so itself.
 */
#ifndef PINECONE_ACCOUNT_H
#define PINECONE_ACCOUNT_H

#include "base/statistics.h"

struct PineconeCall;
struct PineconeSession;

/* A call is about to queue; a request of it goes out; that has ended; and so has the call. */
extern void pinecone_account_start(struct PineconeCall *call);
extern void pinecone_account_request(struct PineconeCall *call);
extern void pinecone_account_reply(struct PineconeCall *call);
extern void pinecone_account_invalid(struct PineconeCall *call);
extern void pinecone_account_fail(struct PineconeCall *call);

/* Has an attempt had a reply that Pinecone meters as egress? */
extern bool pinecone_account_is_metered(const struct PineconeCall *call);

/* Its memory goes away, whatever it was doing. */
extern void pinecone_account_drop(struct PineconeCall *call);

/* A reply has brought records; a write of so many is confirmed. */
extern void pinecone_account_read(struct PineconeCall *call, uint64 records, uint64 read_units);
extern void pinecone_account_write(struct PineconeCall *call, uint64 records);

/*
 * A cache of results had an answer, or had not and a call follows.  "operation"
 * is called as the call is: "query", "fetch by metadata".
 */
extern void pinecone_account_cache(struct PineconeSession *session, const char *operation,
								   const char *namespace_, bool hit);

/* A scan of a namespace (NULL: of several) has ended, and returned so many rows. */
extern void pinecone_account_rows(struct PineconeSession *session, const char *namespace_, uint64 rows);

/* ---- Of the statement that the client has sent ---- */

typedef struct PineconeSpent
{
	PineconeUsage usage;
	uint64 records_written;
	uint64 bytes_sent;
} PineconeSpent;

extern const PineconeSpent *pinecone_account_statement(void);

/* ---- Of a commit ---- */

/*
 * What is asked for from here on is asked for by a commit, until it is over.
 * The end says what that was, and counts it; whether it went well or not.
 */
extern void pinecone_account_begin_commit(void);
extern bool pinecone_account_is_committing(void);
extern PineconeSpent pinecone_account_end_commit(bool good, double *ms);

#endif /* PINECONE_ACCOUNT_H */
