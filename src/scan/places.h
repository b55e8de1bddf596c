/*
 * places.h
 *		The records that a transaction has been shown with their ctids, so that what it
 *		then tells by ctid is looked up by id.
 */
#ifndef PINECONE_PLACES_H
#define PINECONE_PLACES_H

#include "storage/itemptr.h"

/* A record is shown with its ctid. */
extern void pinecone_places_show(Oid relid, ItemPointerData ctid, const char *id);

/*
 * The ids of the records that this transaction was shown with these ctids: an array of
 * "n", in bytewise order; NULL if it was not shown one of them, or two with the same.
 */
extern char **pinecone_places_ids(Oid relid, const ItemPointerData *ctids, int nctids, int *n);

#endif /* PINECONE_PLACES_H */
