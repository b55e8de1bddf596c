/*
 * indexed.c
 *		How far a namespace is indexed.
 *
 * A write's reply carries a log sequence number, and a query's reply the one
 * up to which the namespace is indexed (API 2025-10, headers
 * x-pinecone-request-lsn and x-pinecone-max-indexed-lsn).  So this is a search
 * for anything.
 */
#include "postgres.h"

#include "client/vectors.h"
#include "pending/indexed.h"
#include "wire/message.h"

/* Documents without dense vectors are searched by something else that they have. */
static char *
any_clause(const PineconeSchema *schema)
{
	const PineconeSchemaField *field = &schema->fields[0];
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "[{\"type\":\"%s\",\"fields\":[",
					 field->kind == PINECONE_SCHEMA_SPARSE ? "sparse_vector" :
					 field->full_text					   ? "text" :
					 field->embed						   ? "embed" :
															 "sparse_embed");
	pinecone_message_append_string(&buf, field->name);
	appendStringInfoString(&buf, field->kind == PINECONE_SCHEMA_SPARSE ?
									 "],\"sparse_values\":{\"indices\":[0],\"values\":[1]}}]" :
									 "],\"query\":\"a\"}]");
	return buf.data;
}

/*
 * Search for anything, with values of the kind that the index takes. -1 where
 * the reply has no LSN, or, with try_only, where it failed.
 */
int64
pinecone_indexed_lsn(PineconeSession *session, const char *namespace_, bool try_only)
{
	PineconeStats *stats = pinecone_session_stats(session, false, try_only);
	PineconeSearch search = {0};
	PineconeCall *call;
	uint32 index = 0;
	float one = 1;
	float *vector;
	int64 lsn = -1;

	if (stats == NULL)
		return -1;
	vector = palloc0(Max(stats->dimension, 1) * sizeof(float));
	search.namespace_ = namespace_;
	search.top_k = 1;
	if (session->schema != NULL && session->schema->dense == NULL)
		search.clauses = any_clause(session->schema);
	else if (stats->sparse)
	{
		search.sparse.n = 1;
		search.sparse.indices = &index;
		search.sparse.values = &one;
	}
	else
	{
		vector[0] = 1;
		search.nvalues = stats->dimension;
		search.values = vector;
	}
	call = pinecone_vectors_query(session, NULL, &search);
	if (try_only)
		pinecone_vectors_wait(call);
	else
		(void) pinecone_vectors_page(call);
	if (pinecone_vectors_failure(call) == PINECONE_FAILURE_NONE)
		lsn = pinecone_vectors_indexed_lsn(call);
	pinecone_vectors_free(call);
	pfree(vector);
	return lsn;
}
