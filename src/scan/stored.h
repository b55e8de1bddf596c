/*
 * stored.h
 *		What Pinecone holds, as a source of records.
 */
#ifndef PINECONE_STORED_H
#define PINECONE_STORED_H

#include "scan/source.h"

extern PineconeSource *pinecone_stored_begin(const PineconeSourceSpec *spec);

#endif /* PINECONE_STORED_H */
