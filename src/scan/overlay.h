/*
 * overlay.h
 *		Records as the transaction will leave them: what Pinecone holds with the
 *		transaction's own pending writes laid over it.
 */
#ifndef PINECONE_OVERLAY_H
#define PINECONE_OVERLAY_H

#include "pending/pending.h"
#include "scan/stored.h"

typedef struct PineconeOverlay PineconeOverlay;

/*
 * For stored.c: as the functions of the same names there.  The overlay lives
 * in the current memory context.
 */
extern PineconeOverlay *pinecone_overlay_begin(const PineconeStoredSpec *spec,
											   PineconePendingView *view);
extern PineconeStoredStatus pinecone_overlay_next(PineconeOverlay *overlay, bool wait,
												  PineconeRecord **record);
extern bool pinecone_overlay_seen(PineconeOverlay *overlay, const char *id);
extern int pinecone_overlay_calls(PineconeOverlay *overlay, PineconeCall **calls);
extern int pinecone_overlay_top_k(PineconeOverlay *overlay);

#endif /* PINECONE_OVERLAY_H */
