/*
 * embed.c
 *		The vectors of rows that have texts for them: many texts a request, several
 *		requests at a time.
 *
 * A text that the model refuses makes its row a dead letter, and no other: what
 * has been refused as a whole is asked for in halves.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/limits.h"
#include "client/inference.h"
#include "outbox/round.h"

/* Rows whose texts go in one request */
typedef struct Texts
{
	PineconeCall *call;
	int rows[PINECONE_EMBED_BATCH]; /* their numbers in the chunk */
	int n;
} Texts;

typedef struct Embedding
{
	PineconeRound *round;
	PineconeOutboxRow *rows;
	const int *tags;
} Embedding;

static PineconeRoundRow *
row_of(const Embedding *embedding, int i)
{
	return &embedding->round->rows[embedding->tags[i]];
}

static bool
go_together(const Embedding *embedding, int a, int b)
{
	const PineconeOutboxEmbed *x = &embedding->rows[a].embed;
	const PineconeOutboxEmbed *y = &embedding->rows[b].embed;

	return row_of(embedding, a)->way->scope == row_of(embedding, b)->way->scope && strcmp(x->model, y->model) == 0 &&
		   strcmp(x->input_type, y->input_type) == 0 && x->dimension == y->dimension;
}

static void
start(Embedding *embedding, Texts *texts)
{
	const PineconeOutboxEmbed *first = &embedding->rows[texts->rows[0]].embed;
	PineconeEmbedder embedder = {first->model, first->input_type, first->dimension};
	char *strings[PINECONE_EMBED_BATCH];

	for (int i = 0; i < texts->n; i++)
		strings[i] = unconstify(char *, embedding->rows[texts->rows[i]].embed.text);
	texts->call = pinecone_inference_embed(row_of(embedding, texts->rows[0])->way->scope->session, NULL, &embedder,
										   strings, texts->n);
}

static void
tell_all(Embedding *embedding, const Texts *texts, PineconeSendOutcome outcome, const char *reason)
{
	for (int i = 0; i < texts->n; i++)
		pinecone_round_tell(embedding->round, embedding->tags[texts->rows[i]], outcome, reason);
}

static void finish(Embedding *embedding, Texts *texts);

static void
ask_in_halves(Embedding *embedding, const Texts *texts)
{
	Texts halves[2] = {0};

	for (int i = 0; i < texts->n; i++)
	{
		Texts *half = &halves[i < texts->n / 2 ? 0 : 1];

		half->rows[half->n++] = texts->rows[i];
	}
	for (int i = 0; i < 2; i++)
		start(embedding, &halves[i]);
	for (int i = 0; i < 2; i++)
		finish(embedding, &halves[i]);
}

/* Put the vectors into the records; or tell why there are none. */
static void
finish(Embedding *embedding, Texts *texts)
{
	PineconeEmbedding *vectors;

	pinecone_vectors_wait(texts->call);
	if (pinecone_vectors_failure(texts->call) != PINECONE_FAILURE_NONE)
	{
		if (!pinecone_vectors_is_refused(texts->call))
			tell_all(embedding, texts, PINECONE_SEND_FAILED, pinecone_vectors_reason(texts->call));
		else if (texts->n > 1)
			ask_in_halves(embedding, texts);
		else
			tell_all(embedding, texts, PINECONE_SEND_REFUSED, pinecone_vectors_reason(texts->call));
		pinecone_vectors_free(texts->call);
		return;
	}
	vectors = pinecone_inference_embeddings(texts->call, texts->n, NULL);
	for (int i = 0; i < texts->n; i++)
	{
		PineconeRecord *record = &embedding->rows[texts->rows[i]].write.record;

		if (vectors[i].indices != NULL)
			record->sparse = (PineconeSparse){vectors[i].n, vectors[i].indices, vectors[i].values};
		else
		{
			record->nvalues = vectors[i].n;
			record->values = vectors[i].values;
		}
	}
	pinecone_vectors_free(texts->call);
}

void
pinecone_round_embed(PineconeRound *round, PineconeOutboxRow *rows, const int *tags, int n)
{
	Embedding embedding = {round, rows, tags};
	Texts *all = palloc0(n * sizeof(Texts));
	int nall = 0;

	for (int i = 0; i < n; i++)
	{
		PineconeWay *way = round->rows[tags[i]].way;
		PineconeEmbedder embedder = {rows[i].embed.model, rows[i].embed.input_type, rows[i].embed.dimension};
		int at = 0;

		if (!rows[i].has_embed || way->refusal != NULL || way->scope->held)
			continue;
		if (!pinecone_embedder_is_valid(&embedder))
		{
			pinecone_round_tell(round, tags[i], PINECONE_SEND_REFUSED, "there is no such model or input type");
			continue;
		}
		while (at < nall && !(all[at].n < PINECONE_EMBED_BATCH && go_together(&embedding, all[at].rows[0], i)))
			at++;
		if (at == nall)
			nall++;
		all[at].rows[all[at].n++] = i;
	}
	for (int i = 0; i < nall; i++)
		start(&embedding, &all[i]);
	for (int i = 0; i < nall; i++)
		finish(&embedding, &all[i]);
}
