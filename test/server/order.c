/*
 * order.c
 *		The records of a namespace in order of their ids.
 *
 * Chunks of pointers, a two-level B-tree: inserting moves half a chunk at
 * most, and a million ids are some thousands of chunks.
 */
#include "order.h"

#include <stdlib.h>

#define CHUNK 512

typedef struct Chunk
{
	uint32_t count;
	Record *records[CHUNK];
} Chunk;

struct Ordered
{
	Chunk **chunks;
	uint32_t count, size;
};

Ordered *
order_new(void)
{
	return mem_zero(sizeof(Ordered));
}

void
order_free(Ordered *order)
{
	for (uint32_t i = 0; i < order->count; i++)
		free(order->chunks[i]);
	free(order->chunks);
	free(order);
}

/* The last chunk that begins at or before id (the first one if none does). */
static uint32_t
find_chunk(const Ordered *order, Str id)
{
	uint32_t low = 0, high = order->count;

	/* Ids often come in order */
	if (high > 0 && str_compare(order->chunks[high - 1]->records[0]->id, id) <= 0)
		return high - 1;
	while (high - low > 1)
	{
		uint32_t middle = (low + high) / 2;

		if (str_compare(order->chunks[middle]->records[0]->id, id) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first place in a chunk with an id not less than this. */
static uint32_t
find_place(const Chunk *chunk, Str id)
{
	uint32_t low = 0, high = chunk->count;

	if (high > 0 && str_compare(chunk->records[high - 1]->id, id) < 0)
		return high;
	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (str_compare(chunk->records[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static Chunk *
add_chunk(Ordered *order, uint32_t at)
{
	Chunk *chunk = mem_alloc(sizeof(Chunk));

	if (order->count == order->size)
	{
		order->size = order->size ? order->size * 2 : 4;
		order->chunks = mem_resize(order->chunks, order->size * sizeof(Chunk *));
	}
	memmove(order->chunks + at + 1, order->chunks + at, (order->count - at) * sizeof(Chunk *));
	order->chunks[at] = chunk;
	order->count++;
	chunk->count = 0;
	return chunk;
}

void
order_insert(Ordered *order, Record *record)
{
	uint32_t c = order->count ? find_chunk(order, record->id) : 0;
	Chunk *chunk = order->count ? order->chunks[c] : add_chunk(order, 0);
	uint32_t at = find_place(chunk, record->id);

	if (chunk->count == CHUNK)
	{
		Chunk *right = add_chunk(order, c + 1);
		/* At the end of all, leave the full chunk full */
		uint32_t keep = at == CHUNK && c + 2 == order->count ? CHUNK : CHUNK / 2;

		right->count = CHUNK - keep;
		memcpy(right->records, chunk->records + keep, right->count * sizeof(Record *));
		chunk->count = keep;
		if (at > keep || keep == CHUNK)
		{
			chunk = right;
			at -= keep;
		}
	}
	memmove(chunk->records + at + 1, chunk->records + at, (chunk->count - at) * sizeof(Record *));
	chunk->records[at] = record;
	chunk->count++;
}

void
order_replace(Ordered *order, Record *record)
{
	Chunk *chunk = order->chunks[find_chunk(order, record->id)];

	chunk->records[find_place(chunk, record->id)] = record;
}

void
order_remove(Ordered *order, const Record *record)
{
	uint32_t c = find_chunk(order, record->id);
	Chunk *chunk = order->chunks[c];
	uint32_t at = find_place(chunk, record->id);

	chunk->count--;
	memmove(chunk->records + at, chunk->records + at + 1, (chunk->count - at) * sizeof(Record *));
	if (chunk->count == 0)
	{
		free(chunk);
		order->count--;
		memmove(order->chunks + c, order->chunks + c + 1, (order->count - c) * sizeof(Chunk *));
	}
}

Cursor
namespace_cursor(const Namespace *ns, Str id, bool after)
{
	Cursor c = {.order = ns->order};

	if (ns->order->count > 0)
	{
		c.chunk = find_chunk(ns->order, id);
		c.at = find_place(ns->order->chunks[c.chunk], id);
		if (after && c.at < ns->order->chunks[c.chunk]->count &&
			str_equal(ns->order->chunks[c.chunk]->records[c.at]->id, id))
			c.at++;
	}
	return c;
}

Record *
cursor_next(Cursor *c)
{
	while (c->chunk < c->order->count)
	{
		const Chunk *chunk = c->order->chunks[c->chunk];

		if (c->at < chunk->count)
			return chunk->records[c->at++];
		c->chunk++;
		c->at = 0;
	}
	return NULL;
}
