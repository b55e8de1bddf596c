/*
 * unmatched.h
 *		For who has found that no record meets the run's filter.
 */
#ifndef PINECONE_UNMATCHED_H
#define PINECONE_UNMATCHED_H

#include "scan/scan.h"

/* Warn, once a session, of columns that miss their field by its spelling. */
extern void pinecone_unmatched_look(ForeignScanState *node);

#endif /* PINECONE_UNMATCHED_H */
