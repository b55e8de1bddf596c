/*
 * embedded.c
 *		Texts that a statement has embedded, or is having embedded.
 *
 * Embeddings are kept in two generations.  When the younger one has grown to its
 * share of the memory, it becomes the older one, and the older one is dropped;
 * what is on its way belongs to neither.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/idset.h"
#include "base/limits.h"
#include "base/per_statement.h"
#include "scan/embedded.h"

/* A statement keeps this much at least, in bytes: more than is ever on its way */
#define LEAST_MEMORY (32 * 1024 * 1024)

/* Requests on their way, at most */
#define MAX_BATCHES 8

/* Texts of a request: what the service takes, well within */
#define MAX_BATCH_BYTES (1024 * 1024)

/* A request, or one that is being filled. */
typedef struct Batch
{
	MemoryContext cxt;
	PineconeSession *session;
	PineconeEmbedder embedder;
	int n;
	Size bytes;
	char *texts[PINECONE_EMBED_BATCH];
	char *keys[PINECONE_EMBED_BATCH];
	PineconeCall *call; /* NULL: not sent */
} Batch;

typedef struct Generation
{
	MemoryContext cxt;
	idset_hash *known; /* number: the place of a PineconeEmbedding * */
	Size bytes;
} Generation;

struct PineconeEmbedded
{
	PineconePerStatement statement;
	MemoryContext cxt;
	Generation young;
	Generation old;
	List *batches;			  /* in the order they were begun */
	idset_hash *asked;		  /* keys in these */
	MemoryContext answer_cxt; /* holds what was returned last, where it is not kept */
	PineconeCounters counters;
	uint64 texts;
	double row;
	bool runs_to_end;
};

static dlist_head statements = DLIST_STATIC_INIT(statements);

/* ---- A statement's ---- */

static Generation
new_generation(PineconeEmbedded *embedded)
{
	Generation generation = {0};

	generation.cxt = AllocSetContextCreate(embedded->cxt, "pinecone embeddings", ALLOCSET_DEFAULT_SIZES);
	generation.known = idset_create(generation.cxt, 64, NULL);
	return generation;
}

PineconeEmbedded *
pinecone_embedded_of(MemoryContext statement)
{
	PineconeEmbedded *embedded = pinecone_per_statement_of(&statements, statement, sizeof(PineconeEmbedded));

	if (embedded->answer_cxt != NULL) /* the last that is made */
		return embedded;
	embedded->cxt = AllocSetContextCreate(statement, "pinecone embedded", ALLOCSET_SMALL_SIZES);
	embedded->young = new_generation(embedded);
	embedded->old = new_generation(embedded);
	embedded->asked = idset_create(embedded->cxt, 256, NULL);
	embedded->answer_cxt = AllocSetContextCreate(embedded->cxt, "pinecone embedding", ALLOCSET_SMALL_SIZES);
	return embedded;
}

void
pinecone_embedded_note_run(MemoryContext statement, bool to_end)
{
	PineconeEmbedded *embedded = pinecone_per_statement_find(&statements, statement);

	if (embedded != NULL)
		embedded->runs_to_end = to_end;
}

bool
pinecone_embedded_runs_to_end(const PineconeEmbedded *embedded)
{
	return embedded->runs_to_end;
}

/* ---- What is known ---- */

/* Nothing in it but the text holds a control character. */
static char *
key_of(const PineconeEmbedWhat *what)
{
	return psprintf("%u\x01%u\x01%s\x01%s\x01%d\x01%s", what->serverid, GetUserId(), what->embedder.model,
					what->embedder.input_type, what->embedder.dimension, what->text);
}

static const PineconeEmbedding *
find(Generation *generation, const char *key)
{
	PineconeIdEntry *entry = idset_lookup(generation->known, key);

	return entry == NULL ? NULL : (const PineconeEmbedding *) (uintptr_t) entry->number;
}

static void
keep(PineconeEmbedded *embedded, const char *key, const PineconeEmbedding *embedding)
{
	Generation *young = &embedded->young;
	Size limit = Max((Size) work_mem * 1024, LEAST_MEMORY) / 2;
	Size bytes = sizeof(PineconeEmbedding) + embedding->n * 2 * sizeof(float) + strlen(key);
	PineconeEmbedding *copy;
	MemoryContext old;
	bool found;

	if (young->bytes > 0 && young->bytes + bytes > limit)
	{
		MemoryContextDelete(embedded->old.cxt);
		embedded->old = *young;
		*young = new_generation(embedded);
	}
	old = MemoryContextSwitchTo(young->cxt);
	copy = palloc(sizeof(PineconeEmbedding));
	*copy = *embedding;
	copy->values = palloc(Max(embedding->n, 1) * sizeof(float));
	memcpy(copy->values, embedding->values, embedding->n * sizeof(float));
	if (embedding->indices != NULL)
	{
		copy->indices = palloc(Max(embedding->n, 1) * sizeof(uint32));
		memcpy(copy->indices, embedding->indices, embedding->n * sizeof(uint32));
	}
	idset_insert(young->known, pstrdup(key), &found)->number = (int64) (uintptr_t) copy;
	MemoryContextSwitchTo(old);
	young->bytes += bytes;
}

/* ---- Batches ---- */

static Batch *
open_batch(PineconeEmbedded *embedded, const PineconeEmbedWhat *what)
{
	PineconeSession *session = pinecone_session_get_project(what->serverid, GetUserId());
	MemoryContext cxt;
	MemoryContext old;
	Batch *batch;
	ListCell *lc;

	foreach(lc, embedded->batches)
	{
		batch = lfirst(lc);
		if (batch->call == NULL && batch->session == session && batch->embedder.dimension == what->embedder.dimension &&
			strcmp(batch->embedder.model, what->embedder.model) == 0 &&
			strcmp(batch->embedder.input_type, what->embedder.input_type) == 0)
			return batch;
	}
	cxt = AllocSetContextCreate(embedded->cxt, "pinecone embedding batch", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	batch = palloc0(sizeof(Batch));
	batch->cxt = cxt;
	batch->session = session;
	batch->embedder = what->embedder;
	batch->embedder.model = pstrdup(what->embedder.model);
	batch->embedder.input_type = pstrdup(what->embedder.input_type);
	MemoryContextSwitchTo(embedded->cxt);
	embedded->batches = lappend(embedded->batches, batch);
	MemoryContextSwitchTo(old);
	return batch;
}

static void
send_batch(PineconeEmbedded *embedded, Batch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	batch->call = pinecone_inference_embed(batch->session, &embedded->counters, &batch->embedder, batch->texts, batch->n);
	MemoryContextSwitchTo(old);
	embedded->texts += batch->n;
}

/*
 * Take a batch's reply.  Texts that were refused are known no more than before, for
 * the one that is to blame is found when it is asked for alone.
 */
static void
take_batch(PineconeEmbedded *embedded, Batch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);
	PineconeEmbedding *embeddings = pinecone_inference_try_embeddings(batch->call, batch->n);

	MemoryContextSwitchTo(old);
	for (int i = 0; i < batch->n; i++)
	{
		idset_delete(embedded->asked, batch->keys[i]);
		if (embeddings != NULL)
			keep(embedded, batch->keys[i], &embeddings[i]);
	}
	embedded->batches = list_delete_ptr(embedded->batches, batch);
	MemoryContextDelete(batch->cxt);
}

/* Make room for one more on its way: the oldest has waited longest. */
static void
make_room(PineconeEmbedded *embedded)
{
	int sent = 0;
	Batch *first = NULL;
	ListCell *lc;

	foreach(lc, embedded->batches)
	{
		Batch *batch = lfirst(lc);

		if (batch->call == NULL)
			continue;
		sent++;
		if (first == NULL)
			first = batch;
	}
	if (sent >= MAX_BATCHES)
		take_batch(embedded, first);
}

void
pinecone_embedded_flush(PineconeEmbedded *embedded)
{
	List *batches = list_copy(embedded->batches);
	ListCell *lc;

	foreach(lc, batches)
	{
		Batch *batch = lfirst(lc);

		/* one of those that were sent may have made room, and be gone */
		if (list_member_ptr(embedded->batches, batch) && batch->call == NULL)
		{
			make_room(embedded);
			send_batch(embedded, batch);
		}
	}
	list_free(batches);
}

void
pinecone_embedded_ask(PineconeEmbedded *embedded, const PineconeEmbedWhat *what)
{
	char *key = key_of(what);
	Size bytes = strlen(what->text);
	Batch *batch;
	bool found;

	/* what is no request, the service refuses, is asked for when its row comes */
	if (bytes == 0 || idset_lookup(embedded->asked, key) != NULL || find(&embedded->young, key) != NULL ||
		find(&embedded->old, key) != NULL)
	{
		pfree(key);
		return;
	}
	batch = open_batch(embedded, what);
	if (batch->n > 0 && batch->bytes + bytes > MAX_BATCH_BYTES)
	{
		make_room(embedded);
		send_batch(embedded, batch);
		batch = open_batch(embedded, what);
	}
	batch->texts[batch->n] = MemoryContextStrdup(batch->cxt, what->text);
	batch->keys[batch->n] = MemoryContextStrdup(batch->cxt, key);
	batch->bytes += bytes;
	idset_insert(embedded->asked, batch->keys[batch->n], &found)->number = (int64) (uintptr_t) batch;
	batch->n++;
	pfree(key);
	if (batch->n == PINECONE_EMBED_BATCH)
	{
		make_room(embedded);
		send_batch(embedded, batch);
	}
}

/* ---- One ---- */

/* What was not asked ahead, or refused along with others: the error is this text's. */
static const PineconeEmbedding *
ask_alone(PineconeEmbedded *embedded, const PineconeEmbedWhat *what, const char *key, const char *note)
{
	char *text = unconstify(char *, what->text);
	MemoryContext old;
	PineconeCall *call;
	PineconeEmbedding *embedding;

	MemoryContextReset(embedded->answer_cxt);
	old = MemoryContextSwitchTo(embedded->answer_cxt);
	call = pinecone_inference_embed(pinecone_session_get_project(what->serverid, GetUserId()), &embedded->counters,
									&what->embedder, &text, 1);
	embedded->texts++;
	embedding = pinecone_inference_embeddings(call, 1, note);
	MemoryContextSwitchTo(old);
	keep(embedded, key, embedding);
	return find(&embedded->young, key);
}

const PineconeEmbedding *
pinecone_embedded_get(PineconeEmbedded *embedded, const PineconeEmbedWhat *what, const char *note)
{
	char *key = key_of(what);
	PineconeIdEntry *asked = idset_lookup(embedded->asked, key);
	const PineconeEmbedding *embedding;

	if (asked != NULL)
	{
		Batch *batch = (Batch *) (uintptr_t) asked->number;

		if (batch->call == NULL)
			send_batch(embedded, batch);
		take_batch(embedded, batch);
	}
	embedding = find(&embedded->young, key);
	if (embedding == NULL)
		embedding = find(&embedded->old, key);
	if (embedding == NULL)
		embedding = ask_alone(embedded, what, key, note);
	pfree(key);
	return embedding;
}

void
pinecone_embedded_set_row(PineconeEmbedded *embedded, double row)
{
	embedded->row = row;
}

double
pinecone_embedded_row(const PineconeEmbedded *embedded)
{
	return embedded->row;
}

const PineconeCounters *
pinecone_embedded_cost(const PineconeEmbedded *embedded, uint64 *texts)
{
	*texts = embedded->texts;
	return &embedded->counters;
}
