/*
 * spool.c
 *		A log of bytes: in memory to begin with, in a temporary file when it
 *		outgrows pinecone_fdw.write_buffer.
 *
 * The log is the file's file_size bytes followed by what is in memory.  All of
 * what the file is to hold is written when it outgrows memory, so that a full
 * disk shows then, and never when the file is closed.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "base/setting.h"
#include "base/spool.h"

/* The file is read in pieces of this size. */
#define PAGE_SIZE 65536

struct PineconeSpool
{
	MemoryContext cxt;
	ResourceOwner owner; /* of the file; NULL: there will be none */
	StringInfoData tail; /* what is not in the file */
	File file;			 /* 0: none */
	int64 file_size;	 /* bytes of the log in it */

	/* What was read of it last */
	char *page;
	int64 page_start;
	int page_len;
};

PineconeSpool *
pinecone_spool_create(ResourceOwner owner)
{
	PineconeSpool *spool = palloc0(sizeof(PineconeSpool));

	spool->cxt = CurrentMemoryContext;
	spool->owner = owner;
	initStringInfo(&spool->tail);
	return spool;
}

int64
pinecone_spool_size(const PineconeSpool *spool)
{
	return spool->file_size + spool->tail.len;
}

static void
create_file(PineconeSpool *spool)
{
	ResourceOwner owner = CurrentResourceOwner;

	if (spool->page == NULL)
		spool->page = MemoryContextAlloc(spool->cxt, PAGE_SIZE);
	CurrentResourceOwner = spool->owner;
	PG_TRY();
	{
		spool->file = OpenTemporaryFile(false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
}

/* Nothing has changed if this raises an error. */
static void
move_to_file(PineconeSpool *spool)
{
	int done = 0;

	if (spool->file == 0)
		create_file(spool);
	while (done < spool->tail.len)
	{
		int n = FileWrite(spool->file, spool->tail.data + done, spool->tail.len - done,
						  spool->file_size + done, PG_WAIT_EXTENSION);

		if (n <= 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to the temporary file of pending writes: %m")));
		done += n;
	}
	spool->file_size += spool->tail.len;
	resetStringInfo(&spool->tail);
}

void
pinecone_spool_append(PineconeSpool *spool, const char *data, int len)
{
	appendBinaryStringInfo(&spool->tail, data, len);
	if (spool->owner != NULL && spool->tail.len > pinecone_write_buffer_kb * 1024L)
		move_to_file(spool);
}

void
pinecone_spool_truncate(PineconeSpool *spool, int64 size)
{
	Assert(size >= 0 && size <= pinecone_spool_size(spool));
	if (size >= spool->file_size)
	{
		spool->tail.len = size - spool->file_size;
		spool->tail.data[spool->tail.len] = '\0';
		return;
	}
	resetStringInfo(&spool->tail);
	spool->file_size = size;
	spool->page_len = 0;
	/* if the disk does not get its room back now, then at the end */
	(void) FileTruncate(spool->file, size, PG_WAIT_EXTENSION);
}

/* Have a page that begins with what is at an offset of the file. */
static void
read_page(PineconeSpool *spool, int64 offset)
{
	int wanted = (int) Min(PAGE_SIZE, spool->file_size - offset);

	spool->page_len = 0;
	while (spool->page_len < wanted)
	{
		int n = FileRead(spool->file, spool->page + spool->page_len, wanted - spool->page_len,
						 offset + spool->page_len, PG_WAIT_EXTENSION);

		if (n <= 0)
		{
			spool->page_len = 0;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read the temporary file of pending writes")));
		}
		spool->page_len += n;
	}
	spool->page_start = offset;
}

void
pinecone_spool_read(PineconeSpool *spool, int64 offset, char *data, int len)
{
	Assert(offset >= 0 && offset + len <= pinecone_spool_size(spool));
	while (len > 0 && offset < spool->file_size)
	{
		int part;

		if (offset < spool->page_start || offset >= spool->page_start + spool->page_len)
			read_page(spool, offset);
		part = (int) Min(len, spool->page_start + spool->page_len - offset);
		memcpy(data, spool->page + (offset - spool->page_start), part);
		offset += part;
		data += part;
		len -= part;
	}
	if (len > 0)
		memcpy(data, spool->tail.data + (offset - spool->file_size), len);
}

void
pinecone_spool_close(PineconeSpool *spool)
{
	if (spool->file != 0)
		FileClose(spool->file);
	spool->file = 0;
}
