/*
 * outbox_table.h
 *		Finds the tables of the outbox, and makes rows of writes and back.
 */
#ifndef PINECONE_OUTBOX_TABLE_H
#define PINECONE_OUTBOX_TABLE_H

#include "access/htup.h"
#include "utils/relcache.h"

#include "pending/outbox.h"

/* Columns that pinecone_outbox and pinecone_outbox_dead have, and those of the latter alone */
typedef enum PineconeOutboxColumn
{
	PINECONE_OUTBOX_SEQ = 1,
	PINECONE_OUTBOX_TABLE,
	PINECONE_OUTBOX_WRITER,
	PINECONE_OUTBOX_NAMESPACE,
	PINECONE_OUTBOX_KIND,
	PINECONE_OUTBOX_ID,
	PINECONE_OUTBOX_DENSE,
	PINECONE_OUTBOX_SPARSE_INDICES,
	PINECONE_OUTBOX_SPARSE_VALUES,
	PINECONE_OUTBOX_METADATA,
	PINECONE_OUTBOX_EXTRA,
	PINECONE_OUTBOX_QUEUED_AT,
	PINECONE_OUTBOX_COLUMNS = PINECONE_OUTBOX_QUEUED_AT,
	PINECONE_OUTBOX_REASON,
	PINECONE_OUTBOX_FAILED_AT,
	PINECONE_OUTBOX_DEAD_COLUMNS = PINECONE_OUTBOX_FAILED_AT
} PineconeOutboxColumn;

/* One row */
typedef struct PineconeOutboxRow
{
	int64 seq;
	Oid relid;
	Oid userid;
	char *namespace_;
	const char *unreadable; /* why nobody can tell what the write is; NULL: it is what follows */
	PineconeWrite write;
	bool has_embed;
	PineconeOutboxEmbed embed;
	TimestampTz queued_at;
} PineconeOutboxRow;

/* Their OIDs; with "missing_ok" InvalidOid where the extension has not been created. */
extern Oid pinecone_outbox_extension(bool missing_ok);
extern Oid pinecone_outbox_relation(const char *name, bool missing_ok);

/*
 * A row in the current memory context, and what one says; it points into the tuple.
 * Rows that make no sense, as somebody may have put them there by hand, are
 * unreadable, and no error: others do not wait for them.
 */
extern HeapTuple pinecone_outbox_form(TupleDesc desc, const PineconeOutboxRow *row);
extern void pinecone_outbox_deform(TupleDesc desc, HeapTuple tuple, PineconeOutboxRow *row);

/* Insert a row, also into the indexes. */
extern void pinecone_outbox_insert(Relation rel, HeapTuple tuple);

/* The server of a foreign table, or InvalidOid when that is gone. */
extern Oid pinecone_outbox_server(Oid relid);

#endif /* PINECONE_OUTBOX_TABLE_H */
