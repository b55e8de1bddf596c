/*
 * batch.h
 *		Writes that are sent as one request: no id is in a batch twice.
 */
#ifndef PINECONE_BATCH_H
#define PINECONE_BATCH_H

#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "client/vectors.h"
#include "wire/write.h"

struct idset_hash;

typedef struct PineconeBatchItem
{
	const char *id;
	int start; /* of its text in the batch's; length 0: superseded */
	int len;
	int64 tag; /* what its write is called by who watches: see send.h */
} PineconeBatchItem;

typedef struct PineconeBatch
{
	dlist_node node;
	MemoryContext cxt;
	PineconeWriteKind kind;
	char separator;		 /* between items: a line break where Pinecone embeds their texts */
	StringInfoData text; /* of upserts: the request's body, as far as there is of it */
	int opening;		 /* bytes of it before the items */
	int superseded;		 /* bytes of items that are not sent */
	int nitems;
	int live; /* items that are sent */
	int size;
	PineconeBatchItem *items;
	struct idset_hash *ids;
	PineconeWrite *whole;	/* a write to the whole namespace, */
	int64 tag;				/* and what it is called */
	StringInfoData written; /* all of it, for the time until the service shows it */
	PineconeCall *call;
	bool confirmed; /* has been applied */
} PineconeBatch;

/* An empty one, in a memory context of its own; upserts may need so much text. */
extern PineconeBatch *pinecone_batch_create(MemoryContext parent, PineconeWriteKind kind,
											int text_size);

/* Add an item; an earlier one of the same id is superseded. */
extern void pinecone_batch_add(PineconeBatch *batch, const char *id, int start, int len, int64 tag);

/* The item of an id that is there already, or NULL. */
extern PineconeBatchItem *pinecone_batch_item(const PineconeBatch *batch, const char *id);

/* Keep the write for the time until the service shows it, if such are kept. */
extern void pinecone_batch_keep(PineconeBatch *batch, const PineconeWrite *write);

/* Has the batch, if there is one, an item of that id? */
extern bool pinecone_batch_has(const PineconeBatch *batch, const char *id);

/* Drop superseded items and their texts. */
extern void pinecone_batch_compact(PineconeBatch *batch);

/* A batch, compacted, as batches of so many items at most, made below "parent". */
extern List *pinecone_batch_split(const PineconeBatch *batch, MemoryContext parent, int most);

#endif /* PINECONE_BATCH_H */
