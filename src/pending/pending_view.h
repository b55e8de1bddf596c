/*
 * pending_view.h
 *		From a log, an index; from that, at a position of the log, the view of one
 *		namespace.
 */
#ifndef PINECONE_PENDING_VIEW_H
#define PINECONE_PENDING_VIEW_H

#include "pending/pending_log.h"

typedef struct PineconePendingIndex PineconePendingIndex;

/* An index of a log, in the current memory context, which is the log's. */
extern PineconePendingIndex *pinecone_pending_index_create(PineconePendingLog *log);

/* The log is about to be taken back to an earlier size. */
extern void pinecone_pending_index_truncate(PineconePendingIndex *index, int64 size);

/*
 * A namespace, by its place in the log, as the log was at a size; NULL when
 * nothing waited for it.
 */
extern PineconePendingView *pinecone_pending_index_view(PineconePendingIndex *index, int place,
														int64 position);

/* The first laid over the second; either may be NULL. */
extern PineconePendingView *pinecone_pending_view_over(PineconePendingView *view,
													   PineconePendingView *below);

/*
 * Do a namespace's writes, applied to what some of them have been applied to
 * already, give the same again?
 */
extern bool pinecone_pending_index_is_repeatable(PineconePendingIndex *index, int place);

/* Would they, with an update or deletion by filter added? */
extern bool pinecone_pending_index_takes_filter(PineconePendingIndex *index, int place,
												bool is_update);

/* How many writes wait for a namespace. */
extern double pinecone_pending_index_count(PineconePendingIndex *index, int place);

#endif /* PINECONE_PENDING_VIEW_H */
