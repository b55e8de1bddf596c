/*
 * shared.h
 *		An area of memory that all backends of the cluster share, whether the
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
	LWLock lock;
} PineconeShared;

/*
 * The area: zeros behind its beginning when it is new.  Without "create" NULL
 * where nobody has made it yet.  Where memory cannot be shared it is this
 * backend's own.
 */
extern PineconeShared *pinecone_shared_area(bool create);

#endif /* PINECONE_SHARED_H */
