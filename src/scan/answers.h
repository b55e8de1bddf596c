/*
 * answers.h
 *		Asks for what a scan will want, and lets the scan adopt it.
 *
 * A read-ahead sets the parameters of an outer row to come and calls
 * pinecone_answers_ask(): a run of the scan begins, its requests are on their
 * way, and nobody waits.  When the scan is run with these parameters it adopts
 * the run it finds by the values of its expressions; when it finds none it
 * begins one of its own, as it would without a read-ahead.
 */
#ifndef PINECONE_ANSWERS_H
#define PINECONE_ANSWERS_H

#include "nodes/execnodes.h"

#include "client/vectors.h"
#include "scan/scan.h"

typedef struct PineconeAnswers PineconeAnswers;
typedef struct PineconeAnswer PineconeAnswer;

/*
 * For a scan that has begun; lives in the current memory context.  "varying" are
 * the parameters that differ from row to row.
 */
extern PineconeAnswers *pinecone_answers_create(ForeignScanState *node, const Bitmapset *varying);

/*
 * Ask what the scan would ask with its parameters as they are now.  The answer
 * is kept until it is released as often as it was asked for; NULL when it
 * cannot be asked for ahead.
 */
extern PineconeAnswer *pinecone_answers_ask(PineconeAnswers *ahead);
extern void pinecone_answers_release(PineconeAnswer *answer);

/* Are filters gathered? */
extern bool pinecone_answers_gathers_filters(PineconeAnswers *ahead);

/* Are requests gathered until there are enough for one, and how many ids are? */
extern bool pinecone_answers_gathers(PineconeAnswers *ahead);
extern int pinecone_answers_waiting(PineconeAnswers *ahead);

/* Send what has been gathered. */
extern void pinecone_answers_flush(PineconeAnswers *ahead);

/* Bytes an answer has had on average; 0 when nothing is known. */
extern double pinecone_answers_bytes(PineconeAnswers *ahead);

/* How many requests its server may be sent at once. */
extern int pinecone_answers_concurrency(PineconeAnswers *ahead);

/* Add what the answers have cost so far to the scan's counters. */
extern void pinecone_answers_settle(PineconeAnswers *ahead);

/* For the scan: adopt an answer that fits, read it, leave it. */
extern bool pinecone_answers_adopt(ForeignScanState *node);
extern TupleTableSlot *pinecone_answers_next(ForeignScanState *node);
extern void pinecone_answers_leave(PineconeScanState *state);

#endif /* PINECONE_ANSWERS_H */
