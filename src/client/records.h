/*
 * records.h
 *		The operations on integrated indexes, which are indexes of vectors besides:
 *		records whose text Pinecone embeds, and searches by words.
 */
#ifndef PINECONE_RECORDS_H
#define PINECONE_RECORDS_H

#include "client/vectors.h"

extern PineconeCall *pinecone_records_search(PineconeSession *session, PineconeCounters *counters,
											 const PineconeSearch *search);

/* The body is what pinecone_records_append() makes, with line breaks between, and must stay until the call is over. */
extern void pinecone_records_append(StringInfo buf, const PineconeRecord *record);
extern PineconeCall *pinecone_records_upsert(PineconeSession *session, PineconeCounters *counters,
											 const char *namespace_, StringInfo body, int nrecords);

#endif /* PINECONE_RECORDS_H */
