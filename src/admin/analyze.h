/*
 * analyze.h
 *		ANALYZE: a random sample of a namespace's records.
 */
#ifndef PINECONE_ANALYZE_H
#define PINECONE_ANALYZE_H

#include "foreign/fdwapi.h"

extern bool pineconeAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
										BlockNumber *totalpages);

#endif /* PINECONE_ANALYZE_H */
