/*
 * shared.h
 *		Areas of memory that all backends of the cluster share, whether the
 *		module is preloaded or not.
 */
#ifndef PINECONE_SHARED_H
#define PINECONE_SHARED_H

#include "storage/lwlock.h"

/* What the area begins with. */
typedef struct PineconeShared
{
	uint64 magic;
	Size size;	 /* of all of it */
	int tranche; /* of the lock */
	bool is_own; /* it could not be shared: this backend's alone */
	LWLock lock;
} PineconeShared;

typedef enum PineconeSharedKind
{
	PINECONE_SHARED_WRITES,	 /* confirmed: see pending/confirmed.h */
	PINECONE_SHARED_TURNS,	 /* of requests: see governor.h */
	PINECONE_SHARED_LEARNED, /* from replies: see client/learned.h */
	PINECONE_SHARED_WRITTEN, /* when: see client/written.h */
	PINECONE_SHARED_KEPT,	 /* replies: see client/kept.h */
	PINECONE_SHARED_BOARD,	 /* which of the others there are: shared.c's own */
	PINECONE_SHARED_HOSTS,	 /* which of a server's answer: see host_board.h */
	PINECONE_SHARED_KINDS
} PineconeSharedKind;

/*
 * An area: zeros behind its beginning when it is new.  Without a size NULL where
 * nobody has made it yet; else it is made of that size.  Where memory cannot be
 * shared it is this backend's own.
 */
extern PineconeShared *pinecone_shared_area(PineconeSharedKind kind, Size size);

#endif /* PINECONE_SHARED_H */
