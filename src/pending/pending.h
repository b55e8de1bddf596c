/*
 * pending.h
 *		Adds writes to the transaction, and reads them back as its own statements
 *		are to see them.
 *
 * Under write_mode 'transactional' statements add writes here.  They are sent
 * just before the local commit; a rollback, also to a savepoint, drops them.
 */
#ifndef PINECONE_PENDING_H
#define PINECONE_PENDING_H

#include "client/session.h"
#include "option/option_list.h"
#include "utils/jsonb.h"
#include "wire/write.h"

/* Register with the transaction manager. */
extern void pinecone_pending_init(void);

/*
 * Whoever has just become part of the transaction commits after it has been
 * sent: call this whenever a statement ends.
 */
extern void pinecone_pending_come_first(void);

/* Who writes */
typedef struct PineconeAuthor
{
	Oid userid; /* whose user mapping it is: of a view, not who runs the statement */
	Oid runner; /* and who that is */
} PineconeAuthor;

/* Number of the namespace of that name, for pinecone_pending_add(). */
extern int pinecone_pending_target(PineconeSession *session, const PineconeAuthor *author,
								   const PineconeTable *table, const char *namespace_);

/* Keep a write until commit. */
extern void pinecone_pending_add(int target, const PineconeWrite *write);

/* Do writes wait for that namespace? */
/* Is there a write of this transaction to the server that has not been sent? */
extern bool pinecone_pending_is_written(Oid serverid);

extern bool pinecone_pending_waits(PineconeSession *session, const char *namespace_);

/* ---- Reading them back ---- */

/*
 * The writes that wait for one namespace, as a change to what the service
 * shows of it; and before these, those that have been sent and that it may not
 * show yet
 */
typedef struct PineconePendingView PineconePendingView;

/*
 * What has been written until now: a statement takes note when it begins, and
 * sees no later writes.  PINECONE_PENDING_ALL stands for whatever there is.
 */
extern int64 pinecone_pending_position(void);
#define PINECONE_PENDING_ALL PG_INT64_MAX

/*
 * The view of a namespace as it would be if the transaction had written no more
 * than that, or NULL when nothing waits for it and all that has been sent is
 * shown.  What waits in the outbox is in the views of tables that write there;
 * "table" may be NULL.  In the current memory context.
 */
extern PineconePendingView *pinecone_pending_view(PineconeSession *session, const PineconeTable *table,
												  const char *namespace_, int64 position);

/* How many writes wait for a table's namespaces. */
extern double pinecone_pending_count(const PineconeTable *table);

/*
 * Namespaces of a table, to which those are added that only pending writes
 * know; sorted, palloc'ed.
 */
extern struct PineconeNamespaceStats *
pinecone_pending_add_namespaces(PineconeSession *session, const PineconeTable *table,
								struct PineconeNamespaceStats *namespaces, int *n);

/* Will nothing be left of what Pinecone holds? */
extern bool pinecone_pending_is_emptied(PineconePendingView *view);

/* What becomes of one id */
typedef enum PineconePendingFate
{
	PINECONE_PENDING_UNTOUCHED, /* nothing that names it */
	PINECONE_PENDING_CHANGED,	/* the stored record with fields set */
	PINECONE_PENDING_REPLACED	/* written or deleted, whatever is stored */
} PineconePendingFate;

extern PineconePendingFate pinecone_pending_fate(PineconePendingView *view, const char *id);

/*
 * The record of an id as this transaction will leave it, from what Pinecone
 * holds (NULL: nothing).  False when there will be none.  The result is in the
 * current memory context, and may share what "stored" points to.
 */
extern bool pinecone_pending_apply(PineconePendingView *view, const char *id,
								   const PineconeRecord *stored, PineconeRecord *result);

/* Are there writes to all records that match a filter, and ones that update? */
extern bool pinecone_pending_has_filters(PineconePendingView *view);
extern bool pinecone_pending_has_filter_updates(PineconePendingView *view);

/* Are there updates that change dense vectors?  So does no update of a record, only of a document. */
extern bool pinecone_pending_changes_vectors(PineconePendingView *view);

/*
 * Of an integrated index: are there records of this transaction, not of what is below,
 * whose vectors are still to be made?  And: such ones are to be as the service shows
 * them; false where all else is to be gone, so that nothing of the view can be used.
 */
extern bool pinecone_pending_has_bare(PineconePendingView *view);
extern bool pinecone_pending_pass_bare(PineconePendingView *view);

/* The ids that are named, in the current memory context, sorted bytewise. */
extern char **pinecone_pending_ids(PineconePendingView *view, int *n);

/* A record's metadata as jsonb, in the current memory context; NULL: none. */
extern Jsonb *pinecone_pending_metadata(const PineconeRecord *record);

#endif /* PINECONE_PENDING_H */
