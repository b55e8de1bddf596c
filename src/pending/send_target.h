/*
 * send_target.h
 *		What is on its way, by the namespaces that it goes to: send.c's own.
 */
#ifndef PINECONE_SEND_TARGET_H
#define PINECONE_SEND_TARGET_H

#include "base/idset.h"
#include "pending/batch.h"
#include "pending/send.h"
#include "pending/write_plane.h"

typedef struct PineconeTarget
{
	PineconeSession *session;
	Oid userid; /* who writes */
	const PineconeWritePlane *plane;
	PineconeCounters *counters;
	char *namespace_;
	int batch_size;
	int embed_batch;  /* of texts that the service embeds */
	int update_batch; /* where the plane takes many in one request */
	int concurrency;
	struct PineconeTarget *twin; /* a ring: the same namespace as other users, or itself */

	/* Batches */
	PineconeBatch *upserts;	  /* open, or NULL */
	PineconeBatch *texts;	  /* open, or NULL: upserts whose texts the service embeds */
	PineconeBatch *updates;	  /* open, or NULL: of documents */
	PineconeBatch *deletions; /* open, or NULL */
	dlist_head sent;
	int nsent;
	int text_size; /* of the last batch of upserts: the next may need as much */

	double applied; /* writes, of batches that are done with */
	bool failed;	/* nothing more is sent: see pinecone_send_watch() */
} PineconeTarget;

struct PineconeSend
{
	MemoryContext cxt;
	int ntargets;
	int size;
	PineconeTarget **targets;
	idset_hash *numbers; /* of targets: by session, user and namespace; the first by server and that */
	double open_bytes;
	int unlooked; /* bytes added since the network was looked after */
	bool reported;

	/* Who is told what becomes of each write, or NULL */
	PineconeSendTold told;
	PineconeSendMerged merged;
	PineconeSendMay may;
	void *told_arg;
};

/*
 * The open batch that an upsert, or an update of a document, belongs to; how many
 * writes it takes; and an empty one to put in its place.
 */
extern PineconeBatch **pinecone_target_open_batch(PineconeTarget *target, const PineconeWrite *write);
extern int pinecone_target_batch_size(const PineconeTarget *target, PineconeBatch *const *open);
extern PineconeBatch *pinecone_target_new_batch(PineconeSend *send, PineconeTarget *target,
												PineconeBatch *const *open, PineconeWriteKind kind);

/* A target has failed, for who watches: so have all of its session, and those of its namespace. */
extern void pinecone_target_set_failed(PineconeSend *send, PineconeTarget *target);

/* What has been applied of all targets' writes, and what may have been, in sentences. */
extern char *pinecone_target_progress(PineconeSend *send);

#endif /* PINECONE_SEND_TARGET_H */
