/*
 * outbox.h
 *		Writes that wait in a table until they are delivered: write_mode 'outbox'.
 *
 * They are rows of the extension's table pinecone_outbox, so they commit and roll
 * back with the transaction.  Nobody's rights are looked at: who may write to the
 * foreign table may queue, and sees there what is queued.
 */
#ifndef PINECONE_OUTBOX_H
#define PINECONE_OUTBOX_H

#include "pending/pending.h"
#include "pending/pending_view.h"

/* A text whose vector is to be put into the record before it is sent */
typedef struct PineconeOutboxEmbed
{
	const char *model;
	const char *text;
	const char *input_type; /* "query" or "passage" */
	int dimension;			/* 0: the model's default */
} PineconeOutboxEmbed;

/* Register with the transaction manager. */
extern void pinecone_outbox_init(void);

/*
 * Queue a write to a namespace of a foreign table, to be delivered as a user.
 * Writes by filter cannot wait; "embed" may be NULL.
 */
extern void pinecone_outbox_add(Oid relid, Oid userid, const char *namespace_, const PineconeWrite *write,
								const PineconeOutboxEmbed *embed);

/* This transaction has put rows into the queue by itself: whoever delivers is to know when it commits. */
extern void pinecone_outbox_set_written(void);

/* ---- Reading ---- */

/*
 * What waits for a server's namespace, as the active snapshot shows it; with
 * "all" this command's own writes as well.  In the current memory context; NULL
 * when nothing waits, and when more does than is shown.
 */
extern PineconePendingView *pinecone_outbox_view(Oid serverid, const char *namespace_, bool all);

/* How many writes wait for a server's namespaces that a table shows; -1: more than are shown. */
extern double pinecone_outbox_count(const PineconeTable *table);

/* An error if more waits than is shown: what the table shows is not to be relied on. */
extern void pinecone_outbox_must_be_shown(const PineconeTable *table);

/* Do writes wait for the server, but none for a namespace of that name?  It may be an alias. */
extern bool pinecone_outbox_elsewhere(Oid serverid, const char *namespace_);

/* As pinecone_pending_add_namespaces(). */
extern struct PineconeNamespaceStats *
pinecone_outbox_add_namespaces(Oid serverid, struct PineconeNamespaceStats *namespaces, int *n);

#endif /* PINECONE_OUTBOX_H */
