/*
 * write_plane.h
 *		How writes are put to an index: the operations of its data plane, and how
 *		much each carries.
 */
#ifndef PINECONE_WRITE_PLANE_H
#define PINECONE_WRITE_PLANE_H

#include "client/vectors.h"
#include "wire/write.h"

typedef struct PineconeWritePlane
{
	/* How much a request carries */
	int upsert_batch;
	int delete_batch;
	int max_body;	 /* bytes */
	int max_updated; /* records, by a filter */

	/*
	 * What a body of many begins with; a record as text, of which several follow,
	 * with commas between; and what ends the body and sends it.  The body is the
	 * caller's, and stays as it is until the call is over.
	 */
	void (*open_body)(StringInfo body, const char *namespace_);
	void (*append_record)(PineconeSession *session, StringInfo buf, const PineconeRecord *record);
	PineconeCall *(*upsert)(PineconeSession *session, PineconeCounters *counters,
							const char *namespace_, StringInfo body, int nrecords);

	/* The same of records whose text Pinecone embeds, line breaks between, and no opening; NULL: there are none */
	int embed_batch;
	void (*append_embedded)(StringInfo buf, const PineconeRecord *record);
	PineconeCall *(*upsert_embedded)(PineconeSession *session, PineconeCounters *counters,
									 const char *namespace_, StringInfo body, int nrecords);

	/*
	 * The rest of what a PineconeWrite may be.  Updates by id are as the one or the
	 * other: one at a time, or as text, many in a body.
	 */
	int update_batch;
	void (*append_update)(PineconeSession *session, StringInfo buf, const PineconeWrite *write);
	PineconeCall *(*update_many)(PineconeSession *session, PineconeCounters *counters,
								 const char *namespace_, StringInfo body, int nupdates);
	PineconeCall *(*update)(PineconeSession *session, PineconeCounters *counters,
							const char *namespace_, const PineconeRecord *record);
	PineconeCall *(*update_by_filter)(PineconeSession *session, PineconeCounters *counters,
									  const char *namespace_, const char *filter,
									  const char *set_metadata);
	PineconeCall *(*delete_ids)(PineconeSession *session, PineconeCounters *counters,
								const char *namespace_, char *const *ids, int nids);
	PineconeCall *(*delete_by_filter)(PineconeSession *session, PineconeCounters *counters,
									  const char *namespace_, const char *filter);
	PineconeCall *(*delete_all)(PineconeSession *session, PineconeCounters *counters,
								const char *namespace_);

	/* How many records match a filter: what an update by filter has left. */
	PineconeCall *(*count)(PineconeSession *session, PineconeCounters *counters,
						   const char *namespace_, const char *filter);
} PineconeWritePlane;

/* A write that is a request of its own. */
extern PineconeCall *pinecone_write_plane_start(const PineconeWritePlane *plane,
												PineconeSession *session,
												PineconeCounters *counters, const char *namespace_,
												const PineconeWrite *write);

/* The one of a session's index. */
extern const PineconeWritePlane *pinecone_write_plane(const PineconeSession *session);

#endif /* PINECONE_WRITE_PLANE_H */
