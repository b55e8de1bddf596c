/*
 * idmarks.c
 *		Marks of record ids: two hashes, each begun by chance.
 */
#include "postgres.h"

#include "base/idmarks.h"

static uint64 seeds[2];

PineconeMark
pinecone_mark_of(const char *id)
{
	int len = strlen(id);
	uint64 first;

	if (seeds[0] == 0 && !pg_strong_random(seeds, sizeof(seeds)))
		elog(ERROR, "could not obtain random numbers");
	first = hash_bytes_extended((const unsigned char *) id, len, seeds[0]);
	return (PineconeMark){{(uint32) first, (uint32) (first >> 32),
						   (uint32) hash_bytes_extended((const unsigned char *) id, len, seeds[1])}};
}
