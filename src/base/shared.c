/*
 * shared.c
 *		An area of memory that all backends of the cluster share.
 *
 * It is a pinned segment of dynamic shared memory, so that nothing has to be
 * preloaded.  Its handle is in a small file beside PostgreSQL's own, with the
 * time at which the server was started: handles mean nothing to the next
 * server.  After a crash the segment has gone, and the next who asks makes
 * another one.
 */
#include "postgres.h"

#include <unistd.h>

#include "storage/dsm.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/setting.h"
#include "base/shared.h"

/* Another one whenever what is in the area changes its form */
#define MAGIC UINT64CONST(0x50494e45434f4e01)

#define HANDLE_FILE "pg_dynshmem/pinecone_fdw.handle"

static PineconeShared *area = NULL;

static void
use_area(void *address)
{
	area = address;
	pinecone_register_tranche(area->tranche, "pinecone_fdw");
}

/* In memory that is all zeros */
static void
make_area(void *address, Size size)
{
	PineconeShared *made = address;

	made->size = size;
	made->tranche = pinecone_new_tranche("pinecone_fdw");
	LWLockInitialize(&made->lock, made->tranche);
	made->magic = MAGIC;
}

/* ---- The file ---- */

static bool
read_handle(dsm_handle *handle)
{
	FILE *file = AllocateFile(HANDLE_FILE, "r");
	int64 start = 0;
	bool good;

	if (file == NULL)
		return false;
	good = fscanf(file, "%u " INT64_FORMAT, handle, &start) == 2 && start == PgStartTime;
	FreeFile(file);
	return good;
}

static bool
write_handle(dsm_handle handle)
{
	FILE *file = AllocateFile(HANDLE_FILE, "w");
	bool good;

	if (file == NULL)
		return false;
	good = fprintf(file, "%u " INT64_FORMAT "\n", handle, (int64) PgStartTime) > 0;
	return FreeFile(file) == 0 && good;
}

/* ---- The segment ---- */

/* The segment that someone has made. */
static bool
attach(void)
{
	dsm_handle handle;
	dsm_segment *segment;
	PineconeShared *address;

	if (!read_handle(&handle))
		return false;
	segment = dsm_attach(handle);
	if (segment == NULL)
		return false;
	address = dsm_segment_address(segment);
	if (dsm_segment_map_length(segment) < sizeof(PineconeShared) || address->magic != MAGIC)
	{
		dsm_detach(segment);
		return false;
	}
	dsm_pin_mapping(segment);
	use_area(address);
	return true;
}

static bool
create_segment(void)
{
	Size size = (Size) pinecone_unseen_writes_kb * 1024;
	dsm_segment *segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);

	if (segment == NULL)
		return false;
	if (!write_handle(dsm_segment_handle(segment)))
	{
		dsm_detach(segment);
		return false;
	}
	make_area(dsm_segment_address(segment), size);
	dsm_pin_segment(segment);
	dsm_pin_mapping(segment);
	use_area(dsm_segment_address(segment));
	return true;
}

/* Where shared memory is short, that is no reason to fail. */
static bool
attach_or_create(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		done = attach() || create_segment();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_INSUFFICIENT_RESOURCES)
			PG_RE_THROW();
		FlushErrorState();
		FreeErrorData(error);
	}
	PG_END_TRY();
	return done;
}

PineconeShared *
pinecone_shared_area(bool create)
{
	if (area != NULL)
		return area;
	/* readers need not do more than look */
	if (!create && access(HANDLE_FILE, F_OK) != 0)
		return NULL;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	if (create)
	{
		if (!attach_or_create())
		{
			Size size = (Size) pinecone_unseen_writes_kb * 1024;
			void *own = MemoryContextAllocExtended(TopMemoryContext, size,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

			make_area(own, size);
			use_area(own);
		}
	}
	else
		(void) attach();
	LWLockRelease(AddinShmemInitLock);
	return area;
}
