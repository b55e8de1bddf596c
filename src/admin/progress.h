/*
 * progress.h
 *		Operations that take a while: what is told while they go on, and what an
 *		error that cuts one off says of its state.
 */
#ifndef PINECONE_PROGRESS_H
#define PINECONE_PROGRESS_H

#include "admin/index_description.h"
#include "client/session.h"

typedef struct PineconeProgress
{
	ErrorContextCallback context;
	const char *what;	  /* as in "creation of index "x"" */
	const char *repeat;	  /* how to go on, a sentence */
	const char *sent;	  /* what is known when a request is on its way; or NULL */
	const char *accepted; /* and when it has been accepted: its state, "" before that is known; or NULL */
	PineconeTime told_at; /* the last NOTICE; 0: none */
	char told[64];		  /* the state that it told of */
	PineconeTime started_at;
} PineconeProgress;

/* From here to its end every error says in its context how far it has come. */
extern void pinecone_progress_begin(PineconeProgress *progress, const char *what, const char *repeat);
extern void pinecone_progress_end(PineconeProgress *progress);

/*
 * A request goes out, which may be carried out from now on; and its answer is
 * there.  Before, it is logged where writes are: "delete_index" of an "index".
 */
extern void pinecone_progress_send(PineconeProgress *progress, const PineconeSession *session,
								   const char *operation, const char *kind, const char *name);
extern void pinecone_progress_answered(PineconeProgress *progress);

/* The service has accepted it, and will be asked how far it is. */
extern void pinecone_progress_wait(PineconeProgress *progress);

/* It goes on at the service: a NOTICE where the state is new, or after some time. */
extern void pinecone_progress_accept(PineconeProgress *progress, const char *state);

/* Sleep for a moment, less when it is asked for the first time; interruptible. */
extern void pinecone_progress_sleep(PineconeProgress *progress, PineconeTime end);

/* Wait until an index is ready: for so many ms, then that is an error. */
extern void pinecone_progress_await_ready(PineconeProgress *progress, PineconeSession *session, const char *name,
										  int64 most_ms, PineconeIndexDescription *index);

/* Wait until it is gone. */
extern void pinecone_progress_await_gone(PineconeProgress *progress, PineconeSession *session, const char *name,
										 int64 most_ms);

#endif /* PINECONE_PROGRESS_H */
