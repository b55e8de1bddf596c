/*
 * host_board.h
 *		Which of the hosts of a server answer, as all backends of the cluster have
 *		found, and what is there.
 */
#ifndef PINECONE_HOST_BOARD_H
#define PINECONE_HOST_BOARD_H

#include "datatype/timestamp.h"

#include "base/clock.h"

/* What an index is like, as far as hosts with the same data must be alike */
typedef struct PineconeShape
{
	bool known;
	int metric;
	int dimension;
	bool sparse;
} PineconeShape;

/* What is known of a host */
typedef struct PineconeHostState
{
	bool tried;			   /* it has answered, or failed to */
	bool down;			   /* it failed last */
	TimestampTz since;	   /* when that began */
	PineconeTime asked_at; /* in vain, last */
	uint64 answered;	   /* requests */
	uint64 failures;	   /* times it was found down */
	char reason[160];
	PineconeShape shape;
} PineconeHostState;

/* A host of a server of this database, by the server's OID and the host's text */
extern uint64 pinecone_host_key(Oid serverid, const char *host);

extern PineconeHostState pinecone_host_state(uint64 key);
extern bool pinecone_host_is_down(uint64 key);

/* It has failed, for that reason; true: nobody has known. */
extern bool pinecone_host_note_failure(uint64 key, const char *reason);

/* It has answered; true: it was down until now. */
extern bool pinecone_host_note_answer(uint64 key);

extern void pinecone_host_note_shape(uint64 key, const PineconeShape *shape);

/*
 * Has one that is down been left alone for so many ms?  Then this backend may ask
 * it, and nobody else for as long.
 */
extern bool pinecone_host_claim(uint64 key, int retry_ms);

#endif /* PINECONE_HOST_BOARD_H */
