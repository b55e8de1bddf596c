/*
 * listing.h
 *		The ids of a namespace, or those with a prefix, page by page.
 *
 * A listing is complete, and no id comes twice, whatever is written meanwhile:
 * an id that is there throughout comes once.  It may ask for many pages at a
 * time; where it does, and where it cannot, is its own affair.  A listing in
 * order brings ids in bytewise order.
 */
#ifndef PINECONE_LISTING_H
#define PINECONE_LISTING_H

#include "scan/source.h"

typedef struct PineconeListing PineconeListing;

/*
 * Nothing is asked for before the first pinecone_listing_advance().  "spec" must
 * live as long as the listing, which belongs to the current memory context.
 */
extern PineconeListing *pinecone_listing_begin(const PineconeSourceSpec *spec);

/*
 * Move it on.  The reader wants so many ids more than it has taken, 0: none
 * for now; one that lists widely may have more ready all the same.  Never
 * blocks.
 */
extern void pinecone_listing_advance(PineconeListing *listing, double wanted);

/*
 * A page that has come, or NULL; its memory is the caller's to free as *cxt,
 * below "parent".  *location tells where the index was found.  A page may be
 * empty.
 */
extern PineconePage *pinecone_listing_take(PineconeListing *listing, MemoryContext parent,
										   MemoryContext *cxt, int *location);

/* Has everything been taken? */
extern bool pinecone_listing_done(PineconeListing *listing);

/* Does it list in several places at a time? */
extern bool pinecone_listing_is_wide(PineconeListing *listing);

/* The calls that it waits for, at most PINECONE_LISTING_CALLS. */
extern int pinecone_listing_calls(PineconeListing *listing, PineconeCall **calls);

#endif /* PINECONE_LISTING_H */
