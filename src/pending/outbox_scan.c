/*
 * outbox_scan.c
 *		Reads the queue by its index on table and place: which tables it has, by a
 *		look behind the rows of each, and then the rows of those that are wanted,
 *		merged.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "pending/outbox_scan.h"
#include "pending/outbox_table.h"

/* The rows of one table */
typedef struct Stream
{
	SysScanDesc scan;
	HeapTuple tuple; /* the next one, or NULL */
	int64 seq;
	struct Stream *next;
} Stream;

struct PineconeOutboxScan
{
	Relation rel;
	Relation index;
	Snapshot snapshot;
	Stream *streams;
	Stream *last; /* whose tuple was returned, or NULL */
};

static SysScanDesc
scan_tables(PineconeOutboxScan *scan, StrategyNumber strategy, RegProcedure comparison, Oid relid)
{
	ScanKeyData key;

	ScanKeyInit(&key, PINECONE_OUTBOX_TABLE, strategy, comparison, ObjectIdGetDatum(relid));
	return systable_beginscan_ordered(scan->rel, scan->index, scan->snapshot, 1, &key);
}

static Datum
value_of(PineconeOutboxScan *scan, HeapTuple tuple, PineconeOutboxColumn column)
{
	bool isnull;

	return heap_getattr(tuple, column, RelationGetDescr(scan->rel), &isnull);
}

/* The first table behind that one that has rows, or InvalidOid. */
static Oid
table_after(PineconeOutboxScan *scan, Oid relid)
{
	SysScanDesc tables = scan_tables(scan, BTGreaterStrategyNumber, F_OIDGT, relid);
	HeapTuple tuple = systable_getnext_ordered(tables, ForwardScanDirection);
	Oid next = tuple != NULL ? DatumGetObjectId(value_of(scan, tuple, PINECONE_OUTBOX_TABLE)) : InvalidOid;

	systable_endscan_ordered(tables);
	return next;
}

static void
advance(PineconeOutboxScan *scan, Stream *stream)
{
	stream->tuple = systable_getnext_ordered(stream->scan, ForwardScanDirection);
	if (stream->tuple != NULL)
		stream->seq = DatumGetInt64(value_of(scan, stream->tuple, PINECONE_OUTBOX_SEQ));
}

PineconeOutboxScan *
pinecone_outbox_scan_begin(Relation rel, Snapshot snapshot, PineconeOutboxWanted wanted, void *arg)
{
	PineconeOutboxScan *scan = palloc0(sizeof(PineconeOutboxScan));

	scan->rel = rel;
	scan->snapshot = snapshot;
	scan->index = index_open(pinecone_outbox_relation("pinecone_outbox_tables", false), AccessShareLock);
	for (Oid relid = table_after(scan, InvalidOid); OidIsValid(relid); relid = table_after(scan, relid))
	{
		Stream *stream;

		if (!wanted(arg, relid))
			continue;
		stream = palloc0(sizeof(Stream));
		stream->scan = scan_tables(scan, BTEqualStrategyNumber, F_OIDEQ, relid);
		advance(scan, stream);
		stream->next = scan->streams;
		scan->streams = stream;
	}
	return scan;
}

HeapTuple
pinecone_outbox_scan_next(PineconeOutboxScan *scan)
{
	Stream *first = NULL;

	if (scan->last != NULL)
		advance(scan, scan->last);
	for (Stream *stream = scan->streams; stream != NULL; stream = stream->next)
	{
		if (stream->tuple != NULL && (first == NULL || stream->seq < first->seq))
			first = stream;
	}
	scan->last = first;
	return first != NULL ? first->tuple : NULL;
}

void
pinecone_outbox_scan_end(PineconeOutboxScan *scan)
{
	for (Stream *stream = scan->streams; stream != NULL; stream = stream->next)
		systable_endscan_ordered(stream->scan);
	index_close(scan->index, AccessShareLock);
}
