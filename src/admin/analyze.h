/*
 * analyze.h
 *		The two callbacks of ANALYZE: whether a table can be sampled, and rows
 *		taken at random from all of its namespaces.
 */
#ifndef PINECONE_ANALYZE_H
#define PINECONE_ANALYZE_H

#include "foreign/fdwapi.h"

extern bool pineconeAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
										BlockNumber *totalpages);

#endif /* PINECONE_ANALYZE_H */
