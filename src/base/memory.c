/*
 * memory.c
 *		What a run of a scan held, and a backend need not go on to hold.
 *
 * malloc gives back what is free at the end of its memory alone.  After a search
 * of a thousand namespaces that is next to nothing: above the records lies what
 * libcurl allocated meanwhile, for connections that stay.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "utils/memutils.h"

#include "base/memory.h"

/* Giving back takes a millisecond or so */
#define MUCH ((Size) 8 * 1024 * 1024)

void
pinecone_memory_reset(MemoryContext cxt, bool many)
{
	bool much = many || MemoryContextMemAllocated(cxt, true) >= MUCH;

	MemoryContextReset(cxt);
	if (much)
		pinecone_memory_trim();
}

void
pinecone_memory_trim(void)
{
#ifdef __GLIBC__
	(void) malloc_trim(0);
#endif
}

void
pinecone_memory_report(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory")));
}
