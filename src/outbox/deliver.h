/*
 * deliver.h
 *		Delivers what waits in the outbox, in rounds.
 *
 * A round is a part of a transaction: it sends what waits, in order, and takes
 * what has been applied out of the queue.  If the transaction ends otherwise than
 * by a commit, the same is sent again, in the same order.
 */
#ifndef PINECONE_DELIVER_H
#define PINECONE_DELIVER_H

#include "datatype/timestamp.h"

typedef struct PineconeDelivery
{
	int64 delivered;
	int64 dead;		  /* refused for good */
	bool more;		  /* it has stopped before the end of the queue */
	TimestampTz next; /* when what has failed is to be tried again; 0: nothing has */
} PineconeDelivery;

/*
 * One round, of so many rows at most, that reads the queue for so many
 * milliseconds at most (0: no matter how long).  One at a time in a database:
 * waits for others.  Errors are of this database; what the service says is in
 * pinecone_outbox_state.  pinecone_deliver_lock() waits for others alone.
 */
extern void pinecone_deliver_lock(void);
extern void pinecone_deliver_round(int64 max_rows, int max_ms, PineconeDelivery *delivery);

#endif /* PINECONE_DELIVER_H */
