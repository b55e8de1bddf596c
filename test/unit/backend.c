/*
 * backend.c
 *		What PostgreSQL's backend offers to decoders, in the few lines that
 *		their tests need: on malloc, so that sanitizers see every access.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"

#include "backend.h"

static void **blocks;
static size_t nblocks;
static size_t blocks_size;

static void *
remember(void *block)
{
	if (block == NULL)
		abort();
	if (nblocks == blocks_size)
	{
		blocks_size = Max(blocks_size * 2, 1024);
		blocks = realloc(blocks, blocks_size * sizeof(void *));
	}
	return blocks[nblocks++] = block;
}

void
backend_free_all(void)
{
	for (size_t i = 0; i < nblocks; i++)
		free(blocks[i]);
	free(blocks);
	blocks = NULL;
	nblocks = 0;
	blocks_size = 0;
}

void *
palloc(Size size)
{
	return remember(malloc(Max(size, 1)));
}

void *
palloc0(Size size)
{
	return remember(calloc(1, Max(size, 1)));
}

void *
repalloc(void *block, Size size)
{
	for (size_t i = nblocks; i-- > 0;)
	{
		if (blocks[i] == block)
			return blocks[i] = realloc(block, Max(size, 1));
	}
	abort();
}

char *
pnstrdup(const char *text, Size len)
{
	char *copy = palloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
pg_any_to_server(const char *text, int len, int encoding)
{
	return unconstify(char *, text);
}

int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

bool
pg_verify_mbstr(int encoding, const char *text, int len, bool no_error)
{
	return pg_encoding_verifymbstr(encoding, text, len) == len;
}

/* Of an encoding other than UTF-8 there is no question here. */
Oid
FindDefaultConversionProc(int32 from, int32 to)
{
	abort();
}

int
pg_do_encoding_conversion_buf(Oid proc, int from, int to, unsigned char *text, int len,
							  unsigned char *result, int size, bool no_error)
{
	abort();
}
