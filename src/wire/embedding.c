/*
 * embedding.c
 *		Reads the replies of a model that makes vectors.
 */
#include "postgres.h"

#include "wire/embedding.h"
#include "wire/scanner.h"

static bool
read_embedding(PineconeScanner *s, PineconeEmbedding *e)
{
	const char *key;
	size_t len;
	bool first = true;
	int nindices = 0;

	if (!pinecone_scanner_expect(s, '{', "an embedding is not an object"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool ok;

		if (pinecone_scanner_key_is(key, len, "values") || pinecone_scanner_key_is(key, len, "sparse_values"))
			ok = pinecone_scanner_read_floats(s, &e->values, &e->n);
		else if (pinecone_scanner_key_is(key, len, "sparse_indices"))
			ok = pinecone_scanner_read_indices(s, &e->indices, &nindices);
		else
			ok = pinecone_scanner_skip_value(s);
		if (!ok)
			return false;
	}
	if (s->reason == NULL && e->indices == NULL && e->n == 0)
		return pinecone_scanner_fail(s, "an embedding has no values");
	if (s->reason == NULL && e->indices != NULL && e->n != nindices)
		return pinecone_scanner_fail(s, "a sparse embedding has not as many values as indices");
	return s->reason == NULL;
}

static bool
read_embeddings(PineconeScanner *s, int expected, PineconeEmbedding *embeddings, int *n)
{
	bool first = true;

	if (!pinecone_scanner_expect(s, '[', "the embeddings are not an array"))
		return false;
	while (pinecone_scanner_next_element(s, &first))
	{
		if (*n == expected)
			return pinecone_scanner_fail(s, "there are more embeddings than texts");
		if (!read_embedding(s, &embeddings[*n]))
			return false;
		if ((embeddings[*n].indices == NULL) != (embeddings[0].indices == NULL) ||
			(embeddings[*n].indices == NULL && embeddings[*n].n != embeddings[0].n))
			return pinecone_scanner_fail(s, "the embeddings are not of one kind");
		(*n)++;
	}
	return s->reason == NULL;
}

bool
pinecone_decode_embeddings(const char *body, size_t len, int expected,
						   PineconeEmbedding **embeddings, const char **reason)
{
	PineconeScanner s = {.p = body, .end = body + len, .valid = body};
	const char *key;
	size_t key_len;
	bool first = true;
	int n = 0;

	*embeddings = palloc0(Max(expected, 1) * sizeof(PineconeEmbedding));
	if (pinecone_scanner_expect(&s, '{', "the reply is not a JSON object"))
	{
		while (pinecone_scanner_next_key(&s, &first, &key, &key_len))
		{
			if (pinecone_scanner_key_is(key, key_len, "data") ? !read_embeddings(&s, expected, *embeddings, &n) :
																!pinecone_scanner_skip_value(&s))
				break;
		}
	}
	pinecone_scanner_skip_space(&s);
	if (s.reason == NULL && s.p != s.end)
		pinecone_scanner_fail(&s, "something follows the reply's end");
	if (s.reason == NULL && n != expected)
		pinecone_scanner_fail(&s, "there are fewer embeddings than texts");
	*reason = s.reason;
	return s.reason == NULL;
}
