/*
 * unseen.h
 *		What has been written, and the service may not show yet, as a change to
 *		what it shows.
 */
#ifndef PINECONE_UNSEEN_H
#define PINECONE_UNSEEN_H

#include "pending/pending_view.h"

/*
 * The view of a namespace's writes that were confirmed and that the service
 * may not show, in the current memory context; NULL when there are none.
 */
extern PineconePendingView *pinecone_unseen_view(PineconeSession *session, const char *namespace_);

/* How many writes that is of.  Asks nobody. */
extern double pinecone_unseen_count(PineconeSession *session, const char *namespace_);

/*
 * Has the index unseen writes, but none to a namespace of that name?  Then the
 * name may be an alias of one that has.
 */
extern bool pinecone_unseen_elsewhere(PineconeSession *session, const char *namespace_);

/*
 * Is there something that cannot be laid over what the service shows: writes
 * dropped for want of memory, made with another key, or such that applying
 * them twice could give something else; or with "all" anything unseen?  Then up to where the namespace has to
 * be indexed (-1: not known), and how many milliseconds there are to wait in
 * any case.
 */
extern bool pinecone_unseen_must_wait(PineconeSession *session, const char *namespace_, bool all,
									  int64 *lsn, int64 *ms);

/*
 * May a write by filter be sent, which is carried out on what searches show?
 * Not when that lacks writes, or could not be told afterwards from what comes
 * of applying them once more.  May ask the service how far it is.
 */
extern bool pinecone_unseen_allows_filter(PineconeSession *session, const char *namespace_,
										  bool is_update);

/* A namespace has been deleted, and with it what was written to it until now. */
extern void pinecone_unseen_note_deleted(PineconeSession *session, const char *namespace_);

/*
 * Does the service show everything that this cluster has written to a namespace,
 * or (at > 0) did it at some time not long ago?  If that is not known, it did not.
 */
extern bool pinecone_unseen_is_settled(PineconeSession *session, const char *namespace_,
									   PineconeTime at);

/* The sequence number of the last write that searches are not known to show, or -1. */
extern int64 pinecone_unseen_last_lsn(PineconeSession *session, const char *namespace_);

/* A search's reply has told how far a namespace is indexed (-1: it has not). */
extern void pinecone_unseen_note_indexed(PineconeSession *session, const char *namespace_,
										 int64 lsn);

/* As pinecone_pending_add_namespaces(). */
extern struct PineconeNamespaceStats *
pinecone_unseen_add_namespaces(PineconeSession *session, struct PineconeNamespaceStats *namespaces,
							   int *n);

#endif /* PINECONE_UNSEEN_H */
