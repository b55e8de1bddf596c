/*
 * shared.c
 *		Areas of memory that all backends of the cluster share.
 *
 * Each is a pinned segment of dynamic shared memory, so that nothing has to be
 * preloaded.  Its handle is in a small file beside PostgreSQL's own, with the
 * time at which the server was started: handles mean nothing to the next
 * server.  After a crash the segment has gone, and the next who asks makes
 * another one.
 *
 * Readers ask with every statement whether somebody has made an area.  So one
 * small segment that everybody makes, the board, says which there are.
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/dsm.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/shared.h"

/* Another one whenever what is in the area changes its form */
#define MAGIC UINT64CONST(0x50494e45434f4e02)

static const char *const handle_files[PINECONE_SHARED_KINDS] = {
	[PINECONE_SHARED_WRITES] = "pg_dynshmem/pinecone_fdw.handle",
	[PINECONE_SHARED_TURNS] = "pg_dynshmem/pinecone_fdw.turns",
	[PINECONE_SHARED_LEARNED] = "pg_dynshmem/pinecone_fdw.learned",
	[PINECONE_SHARED_WRITTEN] = "pg_dynshmem/pinecone_fdw.written",
	[PINECONE_SHARED_KEPT] = "pg_dynshmem/pinecone_fdw.kept",
	[PINECONE_SHARED_BOARD] = "pg_dynshmem/pinecone_fdw.board",
	[PINECONE_SHARED_HOSTS] = "pg_dynshmem/pinecone_fdw.hosts",
};

static PineconeShared *areas[PINECONE_SHARED_KINDS];

typedef struct Board
{
	PineconeShared shared;
	pg_atomic_uint32 made; /* a bit for each kind that is in shared memory */
} Board;

static void
use_area(PineconeSharedKind kind, void *address)
{
	areas[kind] = address;
	pinecone_register_tranche(areas[kind]->tranche, "pinecone_fdw");
}

/* In memory that is all zeros */
static void
make_area(PineconeSharedKind kind, void *address, Size size, bool is_own)
{
	PineconeShared *made = address;

	made->size = size;
	made->is_own = is_own;
	made->tranche = pinecone_new_tranche("pinecone_fdw");
	LWLockInitialize(&made->lock, made->tranche);
	made->magic = MAGIC + kind;
}

/* ---- The file ---- */

static bool
read_handle(PineconeSharedKind kind, dsm_handle *handle)
{
	FILE *file = AllocateFile(handle_files[kind], "r");
	int64 start = 0;
	bool good;

	if (file == NULL)
		return false;
	good = fscanf(file, "%u " INT64_FORMAT, handle, &start) == 2 && start == PgStartTime;
	FreeFile(file);
	return good;
}

static bool
write_handle(PineconeSharedKind kind, dsm_handle handle)
{
	FILE *file = AllocateFile(handle_files[kind], "w");
	bool good;

	if (file == NULL)
		return false;
	good = fprintf(file, "%u " INT64_FORMAT "\n", handle, (int64) PgStartTime) > 0;
	return FreeFile(file) == 0 && good;
}

/* ---- The segment ---- */

/* The segment that someone has made. */
static bool
attach(PineconeSharedKind kind)
{
	dsm_handle handle;
	dsm_segment *segment;
	PineconeShared *address;

	if (!read_handle(kind, &handle))
		return false;
	segment = dsm_attach(handle);
	if (segment == NULL)
		return false;
	address = dsm_segment_address(segment);
	if (dsm_segment_map_length(segment) < sizeof(PineconeShared) || address->magic != MAGIC + kind)
	{
		dsm_detach(segment);
		return false;
	}
	dsm_pin_mapping(segment);
	use_area(kind, address);
	return true;
}

static bool
create_segment(PineconeSharedKind kind, Size size)
{
	dsm_segment *segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);

	if (segment == NULL)
		return false;
	if (!write_handle(kind, dsm_segment_handle(segment)))
	{
		dsm_detach(segment);
		return false;
	}
	make_area(kind, dsm_segment_address(segment), size, false);
	dsm_pin_segment(segment);
	dsm_pin_mapping(segment);
	use_area(kind, dsm_segment_address(segment));
	return true;
}

/* Where shared memory is short, that is no reason to fail. */
static bool
attach_or_create(PineconeSharedKind kind, Size size)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		done = attach(kind) || create_segment(kind, size);
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

/* Under the lock; never fails. */
static void
find_or_make(PineconeSharedKind kind, Size size)
{
	void *own;

	if (areas[kind] != NULL || attach_or_create(kind, size))
		return;
	own = MemoryContextAllocExtended(TopMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	make_area(kind, own, size, true);
	use_area(kind, own);
}

static Board *
find_board(void)
{
	if (areas[PINECONE_SHARED_BOARD] == NULL)
	{
		LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
		find_or_make(PINECONE_SHARED_BOARD, sizeof(Board));
		LWLockRelease(AddinShmemInitLock);
	}
	return (Board *) areas[PINECONE_SHARED_BOARD];
}

PineconeShared *
pinecone_shared_area(PineconeSharedKind kind, Size size)
{
	Board *board;

	if (areas[kind] != NULL)
		return areas[kind];
	board = find_board();
	/* a board of one's own knows nothing of the others */
	if (size == 0 && !board->shared.is_own && (pg_atomic_read_u32(&board->made) & (1 << kind)) == 0)
		return NULL;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	if (size == 0)
		(void) attach(kind);
	else
	{
		find_or_make(kind, size);
		if (!areas[kind]->is_own)
			(void) pg_atomic_fetch_or_u32(&board->made, 1 << kind);
	}
	LWLockRelease(AddinShmemInitLock);
	return areas[kind];
}
