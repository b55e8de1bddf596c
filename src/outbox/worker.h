/*
 * worker.h
 *		Background workers that deliver from the outbox: a launcher for the cluster,
 *		and as many workers as pinecone_fdw.outbox_workers says, each in a database.
 */
#ifndef PINECONE_WORKER_H
#define PINECONE_WORKER_H

/* While libraries are preloaded: have the launcher started. */
extern void pinecone_worker_register(void);

#endif /* PINECONE_WORKER_H */
