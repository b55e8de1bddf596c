/*
 * overlay.h
 *		Records as the transaction will leave them: what Pinecone holds with the
 *		transaction's own pending writes laid over it.
 */
#ifndef PINECONE_OVERLAY_H
#define PINECONE_OVERLAY_H

#include "pending/pending.h"
#include "scan/source.h"

/* The view is in the current memory context, or in one that lives longer. */
extern PineconeSource *pinecone_overlay_begin(const PineconeSourceSpec *spec,
											  PineconePendingView *view);

#endif /* PINECONE_OVERLAY_H */
