/*
 * spool.c
 *		A log of bytes: in memory to begin with, in a temporary file when it
 *		outgrows pinecone_fdw.write_buffer.
 *
 * The log is the file's first file_size bytes followed by what is in memory.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#include "base/setting.h"
#include "base/spool.h"

struct PineconeSpool
{
	MemoryContext cxt;
	ResourceOwner owner; /* of the file; NULL: there will be none */
	StringInfoData tail; /* what is not in the file */
	BufFile *file;		 /* or NULL */
	int64 file_size;	 /* bytes of the log in it; older ones may follow */
	int64 file_position; /* where the next read or write would go */
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
seek(PineconeSpool *spool, int64 offset)
{
	if (spool->file_position == offset)
		return;
	if (BufFileSeek(spool->file, 0, (off_t) offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in the temporary file of pending writes")));
	spool->file_position = offset;
}

static void
create_file(PineconeSpool *spool)
{
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext old = MemoryContextSwitchTo(spool->cxt);

	CurrentResourceOwner = spool->owner;
	PG_TRY();
	{
		spool->file = BufFileCreateTemp(false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
}

static void
move_to_file(PineconeSpool *spool)
{
	if (spool->file == NULL)
		create_file(spool);
	seek(spool, spool->file_size);
	/* until it has succeeded, where the file stands is unknown */
	spool->file_position = -1;
	BufFileWrite(spool->file, spool->tail.data, spool->tail.len);
	spool->file_size += spool->tail.len;
	spool->file_position = spool->file_size;
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
}

void
pinecone_spool_read(PineconeSpool *spool, int64 offset, char *data, int len)
{
	Assert(offset >= 0 && offset + len <= pinecone_spool_size(spool));
	if (offset < spool->file_size)
	{
		int part = (int) Min(len, spool->file_size - offset);

		seek(spool, offset);
		spool->file_position = -1;
		if (BufFileRead(spool->file, data, part) != (size_t) part)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read the temporary file of pending writes")));
		spool->file_position = offset + part;
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
	if (spool->file)
		BufFileClose(spool->file);
	spool->file = NULL;
}
