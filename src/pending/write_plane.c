/*
 * write_plane.c
 *		The data planes that writes go to, and the one place that chooses.
 */
#include "postgres.h"

#include "base/limits.h"
#include "client/documents.h"
#include "client/records.h"
#include "pending/write_plane.h"
#include "wire/schema.h"

static void
append_record(PineconeSession *session, StringInfo buf, const PineconeRecord *record)
{
	pinecone_vectors_append_record(buf, record);
}

#define VECTORS \
	.update_batch = 1, .upsert_batch = PINECONE_UPSERT_BATCH, .delete_batch = PINECONE_DELETE_BATCH, \
	.max_body = PINECONE_MAX_BODY, .max_updated = PINECONE_MAX_UPDATED, .open_body = pinecone_vectors_open_upsert, \
	.append_record = append_record, \
	.upsert = pinecone_vectors_upsert, .update = pinecone_vectors_update, \
	.update_by_filter = pinecone_vectors_update_by_filter, .delete_ids = pinecone_vectors_delete_ids, \
	.delete_by_filter = pinecone_vectors_delete_by_filter, .delete_all = pinecone_vectors_delete_all, \
	.count = pinecone_vectors_count

static const PineconeWritePlane vectors = {VECTORS};

/* With a model for those that bring no vector */
static const PineconeWritePlane integrated = {
	VECTORS,
	.embed_batch = PINECONE_EMBEDDED_UPSERT_BATCH,
	.append_embedded = pinecone_records_append,
	.upsert_embedded = pinecone_records_upsert,
};

#define DOCUMENTS(batch) \
	.update_batch = batch, .upsert_batch = batch, .delete_batch = PINECONE_DELETE_BATCH, \
	.max_body = PINECONE_MAX_BODY, .max_updated = PINECONE_MAX_UPDATED, \
	.open_body = pinecone_documents_open, .append_record = pinecone_documents_append, .append_update = pinecone_documents_append_change, \
	.upsert = pinecone_documents_upsert, .update_many = pinecone_documents_update, \
	.update_by_filter = pinecone_documents_update_by_filter, \
	.delete_ids = pinecone_documents_delete_ids, \
	.delete_by_filter = pinecone_documents_delete_by_filter, \
	.delete_all = pinecone_documents_delete_all, .count = pinecone_documents_count

static const PineconeWritePlane documents = {DOCUMENTS(PINECONE_UPSERT_BATCH)};

/* Where the service embeds texts, its models take so many at a time */
static const PineconeWritePlane embedded_documents = {DOCUMENTS(PINECONE_EMBEDDED_UPSERT_BATCH)};

const PineconeWritePlane *
pinecone_write_plane(const PineconeSession *session)
{
	if (session->schema == NULL)
		return session->integrated ? &integrated : &vectors;
	return session->schema->embeds ? &embedded_documents : &documents;
}

PineconeCall *
pinecone_write_plane_start(const PineconeWritePlane *plane, PineconeSession *session,
						   PineconeCounters *counters, const char *namespace_,
						   const PineconeWrite *write)
{
	switch (write->kind)
	{
		case PINECONE_WRITE_UPDATE:
			return plane->update(session, counters, namespace_, &write->record);
		case PINECONE_WRITE_UPDATE_FILTER:
			return plane->update_by_filter(session, counters, namespace_, write->filter,
										   write->record.metadata);
		case PINECONE_WRITE_DELETE_FILTER:
			return plane->delete_by_filter(session, counters, namespace_, write->filter);
		case PINECONE_WRITE_DELETE_ALL:
			return plane->delete_all(session, counters, namespace_);
		default:
			elog(ERROR, "unexpected kind of write: %d", (int) write->kind);
	}
}
