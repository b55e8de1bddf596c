/*
 * run_ids.h
 *		Conditions that look at nothing but the id are asked of ids, so that only
 *		records that meet them are fetched.
 */
#ifndef PINECONE_RUN_IDS_H
#define PINECONE_RUN_IDS_H

#include "scan/scan.h"

/* Have ids looked at, where the scan's request has such conditions. */
extern void pinecone_run_ids_prepare(ForeignScanState *node, PineconeSourceSpec *spec);

/* The ids, distinct and in order, of the ctids that rows are to have; NULL where they are not known, or none are named. */
extern char **pinecone_run_ids_shown(ForeignScanState *node, int *n);

#endif /* PINECONE_RUN_IDS_H */
