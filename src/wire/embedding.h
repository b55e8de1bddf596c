/*
 * embedding.h
 *		Vectors that a model has made of texts.
 */
#ifndef PINECONE_EMBEDDING_H
#define PINECONE_EMBEDDING_H

/* Dense: n values.  Sparse: n values, each with its index. */
typedef struct PineconeEmbedding
{
	int n;
	float *values;
	uint32 *indices; /* or NULL */
} PineconeEmbedding;

/*
 * The reply to a request to embed as many texts as "expected": one embedding a
 * text, in their order, all of one kind, in memory of the current context.  Never
 * raises an error over what the body holds: false, and why.  The body ends as
 * decode.h says.
 */
extern bool pinecone_decode_embeddings(const char *body, size_t len, int expected,
									   PineconeEmbedding **embeddings, const char **reason);

#endif /* PINECONE_EMBEDDING_H */
