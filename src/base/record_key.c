/*
 * record_key.c
 *		Hash tables by record, and ctids.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "base/record_key.h"

static uint32
hash_key(const void *key, Size keysize)
{
	const PineconeRecordKey *k = key;

	return hash_combine(hash_bytes((const unsigned char *) k->namespace_, strlen(k->namespace_)),
						hash_bytes((const unsigned char *) k->id, strlen(k->id)));
}

static int
match_key(const void *a, const void *b, Size keysize)
{
	const PineconeRecordKey *x = a;
	const PineconeRecordKey *y = b;

	return strcmp(x->id, y->id) != 0 || strcmp(x->namespace_, y->namespace_) != 0;
}

HTAB *
pinecone_record_key_table(const char *name, Size entrysize)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(PineconeRecordKey);
	ctl.entrysize = entrysize;
	ctl.hcxt = CurrentMemoryContext;
	ctl.hash = hash_key;
	ctl.match = match_key;
	return hash_create(name, 256, &ctl, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

ItemPointerData
pinecone_record_ctid(Oid relid, const char *namespace_, const char *id)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) id, strlen(id),
									  hash_bytes_extended((const unsigned char *) namespace_,
														  strlen(namespace_), relid));
	ItemPointerData ctid;

	/* neither the invalid block nor the invalid offset, which stand for no place */
	ItemPointerSet(&ctid, (BlockNumber) ((hash >> 16) % InvalidBlockNumber),
				   (OffsetNumber) (1 + (hash & 0xFFFF) % 0xFFFF));
	return ctid;
}
