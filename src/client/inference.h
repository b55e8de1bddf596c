/*
 * inference.h
 *		Pinecone's models: texts become vectors, documents are ranked.
 *
 * Texts are in the server's encoding.  Requests go to the server's control host,
 * with its user's key.  A call is waited for and freed as those of vectors.h.
 */
#ifndef PINECONE_INFERENCE_H
#define PINECONE_INFERENCE_H

#include "client/session.h"
#include "client/vectors.h"
#include "wire/embedding.h"

/* How texts are embedded. */
typedef struct PineconeEmbedder
{
	const char *model;
	const char *input_type; /* "query" or "passage" */
	int dimension;			/* 0: the model's default */
} PineconeEmbedder;

/* Is it one that can be asked?  Of models the service alone knows. */
static inline bool
pinecone_embedder_is_valid(const PineconeEmbedder *embedder)
{
	return embedder->model[0] != '\0' && embedder->dimension >= 0 &&
		   (strcmp(embedder->input_type, "query") == 0 || strcmp(embedder->input_type, "passage") == 0);
}

/* Up to PINECONE_EMBED_BATCH texts.  A text too long for the model is refused, not cut. */
extern PineconeCall *pinecone_inference_embed(PineconeSession *session, PineconeCounters *counters,
											  const PineconeEmbedder *embedder, char *const *texts, int n);

/*
 * The embeddings of a call for n texts, in the current memory context; waits for
 * it.  A failure is raised as an error, with "note" added to its detail (or NULL).
 */
extern PineconeEmbedding *pinecone_inference_embeddings(PineconeCall *call, int n, const char *note);

/* The same, but NULL where the service has refused the texts; other failures are errors. */
extern PineconeEmbedding *pinecone_inference_try_embeddings(PineconeCall *call, int n);

/*
 * Rank documents, a JSON array of objects in UTF-8, by one of their fields.  top_n
 * of 0: all.
 */
extern PineconeCall *pinecone_inference_rerank(PineconeSession *session, const char *model, const char *query,
											   const char *documents, const char *field, int top_n);

/* Describe the models there are. */
extern PineconeCall *pinecone_inference_models(PineconeSession *session);

/* Wait for one of these two; a failure is an error. */
extern void pinecone_inference_wait(PineconeCall *call);

#endif /* PINECONE_INFERENCE_H */
