/*
 * worker.h
 *		Background workers that deliver from the outbox: a launcher for the cluster,
 *		and as many workers as pinecone_fdw.outbox_workers says, each in a database.
 */
#ifndef PINECONE_WORKER_H
#define PINECONE_WORKER_H

#include "outbox/deliver.h"

/*
 * What else workers deliver, for so many milliseconds at most, outside of any
 * transaction; it adds to what "delivery" says.
 */
extern void (*pinecone_worker_also)(int max_ms, PineconeDelivery *delivery);

/* While libraries are preloaded: have the launcher started. */
extern void pinecone_worker_register(void);

#endif /* PINECONE_WORKER_H */
