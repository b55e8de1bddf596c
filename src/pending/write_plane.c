/*
 * write_plane.c
 *		The data planes that writes go to, and the one place that chooses.
 */
#include "postgres.h"

#include "base/limits.h"
#include "pending/write_plane.h"

static const PineconeWritePlane vectors = {
	.upsert_batch = PINECONE_UPSERT_BATCH,
	.delete_batch = PINECONE_DELETE_BATCH,
	.max_body = PINECONE_MAX_BODY,
	.max_updated = PINECONE_MAX_UPDATED,
	.append_record = pinecone_vectors_append_record,
	.upsert = pinecone_vectors_upsert,
	.update = pinecone_vectors_update,
	.update_by_filter = pinecone_vectors_update_by_filter,
	.delete_ids = pinecone_vectors_delete_ids,
	.delete_by_filter = pinecone_vectors_delete_by_filter,
	.delete_all = pinecone_vectors_delete_all,
	.count = pinecone_vectors_count,
};

const PineconeWritePlane *
pinecone_write_plane(const PineconeSession *session)
{
	return &vectors;
}
