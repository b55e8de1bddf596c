/*
 * mirror_worker.h
 *		Background workers deliver mirrors, too.
 */
#ifndef PINECONE_MIRROR_WORKER_H
#define PINECONE_MIRROR_WORKER_H

/* Once in each process. */
extern void pinecone_mirror_worker_init(void);

#endif /* PINECONE_MIRROR_WORKER_H */
