/*
 * written.h
 *		When namespaces were written to by this cluster, and how far searches
 *		have told that they are indexed: what says whether a reply still holds.
 *
 * Shared by all backends, whether the module is preloaded or not.
 */
#ifndef PINECONE_WRITTEN_H
#define PINECONE_WRITTEN_H

#include "base/clock.h"

/* In the place of a name: any namespace of the host. */
#define PINECONE_ANY_NAMESPACE "\001"

/* Likewise: all of them at once, as when the index is deleted. */
#define PINECONE_ALL_NAMESPACES "\002"

/*
 * Can it be known at all?  Not where memory cannot be shared: then others' writes
 * stay unknown, and no reply may be kept.
 */
extern bool pinecone_written_is_known(void);

/* What stands for a name; never 0. */
extern uint64 pinecone_written_name(const char *namespace_);

/*
 * A write to a namespace has ended, and has been applied, or may have been.  The
 * sequence number that its reply told, or -1.
 */
extern void pinecone_written_note(uint64 host, const char *namespace_, int64 lsn);

/*
 * The number of writes there have been, to whatever; and has a namespace been
 * written to since there were so many?
 */
extern uint64 pinecone_written_count(void);
extern bool pinecone_written_since(uint64 host, uint64 name, uint64 count);

/*
 * Does the reply to what was asked at that time show all that had been written to
 * the namespace?  The sequence number that it told, or -1: then it goes by time,
 * as pending/unseen.c has it.
 */
extern bool pinecone_written_is_shown(uint64 host, uint64 name, PineconeTime asked_at, int64 lsn);

/* From when on replies of all kinds show what has been written to the namespace; 0: from ever. */
extern PineconeTime pinecone_written_shown_from(uint64 host, uint64 name);

/*
 * What has been told last of a name: the namespace that answers to it, up to where
 * that is indexed (-1: not told), and when that was asked.
 */
typedef struct PineconeTold
{
	uint64 target; /* 0: nothing is known */
	int64 lsn;
	PineconeTime asked_at;
} PineconeTold;

extern void pinecone_told_note(uint64 host, uint64 name, const PineconeTold *told);
extern PineconeTold pinecone_told(uint64 host, uint64 name);

#endif /* PINECONE_WRITTEN_H */
