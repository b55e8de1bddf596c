/*
 * statistics_file.c
 *		Writes statistics to a file when the server ends, and reads them when it starts.
 *
 * The file is there only while the server is not: whoever crashes finds none,
 * and a copy of a running server has none.
 */
#include "postgres.h"

#include <unistd.h>

#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "base/statistics_file.h"

#define MAGIC 0x50534654

typedef struct Header
{
	uint32 magic;
	uint32 form;
	uint64 size;
	pg_crc32c sum; /* of the block */
} Header;

static pg_crc32c
sum_of(const void *block, size_t size)
{
	pg_crc32c sum;

	INIT_CRC32C(sum);
	COMP_CRC32C(sum, block, size);
	FIN_CRC32C(sum);
	return sum;
}

void
pinecone_statistics_file_write(const char *path, uint32 form, const void *block, size_t size)
{
	Header header;
	char *temporary = psprintf("%s.tmp", path);
	FILE *file = AllocateFile(temporary, PG_BINARY_W);
	bool good;

	memset(&header, 0, sizeof(header));
	header.magic = MAGIC;
	header.form = form;
	header.size = size;
	header.sum = sum_of(block, size);
	good = file != NULL && fwrite(&header, sizeof(header), 1, file) == 1 &&
		   fwrite(block, size, 1, file) == 1;
	if (file != NULL && FreeFile(file) != 0)
		good = false;
	if (!good)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", temporary)));
		unlink(temporary);
	}
	else
		(void) durable_rename(temporary, path, LOG);
	pfree(temporary);
}

/* More than any table has */
#define MAX_SIZE ((uint64) 1024 * 1024 * 1024)

static void *
read_block(FILE *file, uint32 form, size_t *size)
{
	Header header;
	void *block;

	if (fread(&header, sizeof(header), 1, file) != 1 || header.magic != MAGIC ||
		header.form != form || header.size == 0 || header.size > MAX_SIZE)
		return NULL;
	block = MemoryContextAllocExtended(CurrentMemoryContext, header.size, MCXT_ALLOC_HUGE);
	if (fread(block, header.size, 1, file) == 1 && fgetc(file) == EOF &&
		EQ_CRC32C(sum_of(block, header.size), header.sum))
	{
		*size = header.size;
		return block;
	}
	pfree(block);
	return NULL;
}

void *
pinecone_statistics_file_read(const char *path, uint32 form, size_t *size)
{
	FILE *file = AllocateFile(path, PG_BINARY_R);
	void *block;

	if (file == NULL)
		return NULL;
	block = read_block(file, form, size);
	FreeFile(file);
	unlink(path);
	if (block == NULL)
		ereport(LOG,
				(errmsg("ignoring statistics in file \"%s\"", path),
				 errdetail("It is damaged, or of another version of pinecone_fdw.")));
	return block;
}
