/*
 * alloc.c
 *		Chunks with poisoned ends: see alloc.h.
 */
#define FUZZ_ALLOC_ITSELF
#include "alloc.h"

#include <sanitizer/asan_interface.h>

/* Bytes behind a chunk that nobody may touch */
#define REDZONE 16

typedef struct Poisoned
{
	char *start;
	size_t size;
} Poisoned;

static Poisoned *poisoned;
static size_t npoisoned;
static size_t poisoned_size;

static void
poison(char *start, size_t size)
{
	if (npoisoned == poisoned_size)
	{
		poisoned_size = Max(poisoned_size * 2, 1024);
		poisoned = realloc(poisoned, poisoned_size * sizeof(Poisoned));
	}
	poisoned[npoisoned].start = start;
	poisoned[npoisoned++].size = size;
	ASAN_POISON_MEMORY_REGION(start, size);
}

void
fuzz_unpoison(void)
{
	for (size_t i = 0; i < npoisoned; i++)
		ASAN_UNPOISON_MEMORY_REGION(poisoned[i].start, poisoned[i].size);
	npoisoned = 0;
}

void *
fuzz_palloc(Size size)
{
	char *chunk = palloc(size + REDZONE);

	ASAN_UNPOISON_MEMORY_REGION(chunk, size + REDZONE);
	poison(chunk + size, REDZONE);
	return chunk;
}

void *
fuzz_palloc0(Size size)
{
	void *chunk = fuzz_palloc(size);

	memset(chunk, 0, size);
	return chunk;
}

/* Always moved: what still points to the old place is found out. */
void *
fuzz_repalloc(void *chunk, Size size)
{
	Size space = GetMemoryChunkSpace(chunk);
	MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(chunk));
	char *moved = fuzz_palloc(size);
	Size n = 0;

	/* what is poisoned was not asked for */
	while (n < Min(size, space) && !__asan_address_is_poisoned((char *) chunk + n))
		n++;
	memcpy(moved, chunk, n);
	MemoryContextSwitchTo(caller);
	fuzz_pfree(chunk);
	return moved;
}

/* The memory comes back with its context; until then nobody may look at it. */
void
fuzz_pfree(void *chunk)
{
	if (GetMemoryChunkContext(chunk) == TopMemoryContext)
		pfree(chunk);
	else
	{
		if (__asan_address_is_poisoned(chunk))
			abort();
		poison(chunk, 1);
	}
}

char *
fuzz_pnstrdup(const char *text, Size len)
{
	char *copy;

	len = strnlen(text, len);
	copy = fuzz_palloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
fuzz_pstrdup(const char *text)
{
	return fuzz_pnstrdup(text, strlen(text));
}
