/*
 * documents.h
 *		The operations of vectors.h on document indexes: vectors.c passes them on
 *		by the schema that the session knows.
 */
#ifndef PINECONE_DOCUMENTS_H
#define PINECONE_DOCUMENTS_H

#include "client/vectors.h"
#include "wire/write.h"

extern PineconeCall *pinecone_documents_search(PineconeSession *session, PineconeCounters *counters,
											   const PineconeSearch *search);
extern PineconeCall *pinecone_documents_fetch(PineconeSession *session, PineconeCounters *counters,
											  const char *namespace_, char *const *ids, int nids,
											  const PineconeProjection *fields, bool want_values);
extern PineconeCall *pinecone_documents_fetch_by_filter(PineconeSession *session,
														PineconeCounters *counters,
														const char *namespace_, const char *filter,
														int limit, const char *token,
														const PineconeProjection *fields,
														bool want_values);
extern PineconeCall *pinecone_documents_list(PineconeSession *session, PineconeCounters *counters,
											 const char *namespace_, const char *prefix, int limit,
											 const char *token);
/* How many match: a page of them, without anything that is large. */
extern PineconeCall *pinecone_documents_count(PineconeSession *session, PineconeCounters *counters,
											  const char *namespace_, const char *filter);

/* Writes, likewise; changes by id are many in a request, as upserts are. */
extern void pinecone_documents_open(StringInfo body, const char *namespace_);
extern void pinecone_documents_append(PineconeSession *session, StringInfo buf,
									  const PineconeRecord *record);
extern void pinecone_documents_append_change(PineconeSession *session, StringInfo buf,
											 const PineconeWrite *write);
extern PineconeCall *pinecone_documents_upsert(PineconeSession *session, PineconeCounters *counters,
											   const char *namespace_, StringInfo body, int ndocuments);
extern PineconeCall *pinecone_documents_update(PineconeSession *session, PineconeCounters *counters,
											   const char *namespace_, StringInfo body, int nchanges);
extern PineconeCall *pinecone_documents_update_by_filter(PineconeSession *session,
														 PineconeCounters *counters,
														 const char *namespace_, const char *filter,
														 const char *set_fields);
extern PineconeCall *pinecone_documents_delete_ids(PineconeSession *session,
												   PineconeCounters *counters,
												   const char *namespace_, char *const *ids, int nids);
extern PineconeCall *pinecone_documents_delete_by_filter(PineconeSession *session,
														 PineconeCounters *counters,
														 const char *namespace_, const char *filter);
extern PineconeCall *pinecone_documents_delete_all(PineconeSession *session,
												   PineconeCounters *counters,
												   const char *namespace_);

#endif /* PINECONE_DOCUMENTS_H */
