/*
 * sweep.h
 *		All records of a namespace, or those that meet a filter, by searches
 *		or by pages of what meets a filter that all meet.
 *
 * A search brings so many matches and no more, and an approximate one fewer than
 * there are.  So the records are divided into parts by filters, each small
 * enough for a search; and what came is all there is only if as many different
 * records came as were counted meanwhile.  A sweep brings no record twice.  At
 * its end it says whether it was complete.  If not, what it has not brought has
 * to be found in another way; nothing that it has brought is wrong.
 */
#ifndef PINECONE_SWEEP_H
#define PINECONE_SWEEP_H

#include "base/idmarks.h"
#include "scan/source.h"

/* Searches at a time */
#define PINECONE_SWEEP_SEARCHES 32

typedef struct PineconeSweep PineconeSweep;

/*
 * Nothing is asked for before the first pinecone_sweep_advance().  About so many
 * records are expected (-1: nobody knows), whose matches have so many bytes, with
 * their vectors if "values".
 * With a limit the first search is for that many.  "spec" must live as long as
 * the sweep, which belongs to the current memory context.
 */
extern PineconeSweep *pinecone_sweep_begin(const PineconeSourceSpec *spec, double records,
										   double match_bytes, bool values);

/* The same by fetches by metadata, which bring vectors as well; without a filter. */
extern PineconeSweep *pinecone_sweep_begin_pages(const PineconeSourceSpec *spec, double records,
												 double record_bytes);

/*
 * Move it on, never blocking.  The reader wants so many records more than it has
 * taken; nothing new is searched for where these have come.
 */
extern void pinecone_sweep_advance(PineconeSweep *sweep, double wanted);

/*
 * Records that have come, or NULL; their memory is the caller's to free as *cxt,
 * below "parent".  *location tells where the index was found.
 */
extern PineconePage *pinecone_sweep_take(PineconeSweep *sweep, MemoryContext parent,
										 MemoryContext *cxt, int *location);

/* Has everything that it brings been taken?  And was that all there is? */
extern bool pinecone_sweep_done(PineconeSweep *sweep);
extern bool pinecone_sweep_is_complete(const PineconeSweep *sweep);

/* Has it brought that record? */
extern bool pinecone_sweep_seen(const PineconeSweep *sweep, const char *id);

/* That record has come before, in another way: it is not to be brought, and counts as if it had been. */
extern void pinecone_sweep_note_come(PineconeSweep *sweep, const PineconeMark *mark);

/* Leave out of a page the records that it has brought. */
extern void pinecone_sweep_drop_seen(const PineconeSweep *sweep, PineconePage *page);

/* The calls that it waits for, at most PINECONE_SWEEP_SEARCHES and 27 more. */
extern int pinecone_sweep_calls(PineconeSweep *sweep, PineconeCall **calls);

/* Can what a sweep is to bring be counted? */
extern bool pinecone_sweep_can_count(const PineconeSourceSpec *spec);

/* Has a sweep of that namespace, for all or for a few, come to nothing not long ago? */
extern bool pinecone_sweep_has_failed(const PineconeSession *session, const char *namespace_,
									  bool limited);

#endif /* PINECONE_SWEEP_H */
