/*
 * modify.h
 *		INSERT, COPY, UPDATE, DELETE and TRUNCATE.
 */
#ifndef PINECONE_MODIFY_H
#define PINECONE_MODIFY_H

#include "foreign/fdwapi.h"

#include "modify/sink.h"
#include "modify/statement.h"
#include "value/id.h"
#include "value/record_of_row.h"
#include "value/row.h"

typedef struct PineconeModify PineconeModify;

/* One buffered row: an UPDATE that needs the stored record, or an INSERT to be checked or merged */
typedef struct PineconeBufferedRow
{
	char *namespace_;
	char *id; /* of the record as it is, or is not to be */
	bool done;
	bool found;			   /* MERGED: is the record there? */
	HeapTuple row;		   /* UPDATE, MERGED: the new row */
	Bitmapset *assigned;   /* UPDATE: the columns that are set in it */
	PineconeRecord record; /* INSERT; MERGED: what has been written, where somebody looks */
} PineconeBufferedRow;

struct PineconeModify
{
	CmdType operation;
	PineconeTable *table;
	PineconeSession *session;
	PineconeStats *stats;
	PineconeWriter *writer;
	PineconeCounters counters;
	TupleDesc desc;
	int64 position;		 /* pending writes as of the statement's begin */
	Bitmapset *assigned; /* columns that an UPDATE sets */
	bool shows_rows;	 /* does anyone look at rows after they have been written? */
	bool skips_existing; /* INSERT: are rows left out whose records are there? */
	Bitmapset *merged;	 /* INSERT: the columns that are set in records that are there; NULL: all */
	bool watched;		 /* do triggers fire after they have been? */

	PlanState *node; /* whose instrument, when it has one, counts rows that were in conflict; or NULL */

	/* Junk columns of the plan's rows, or invalid */
	AttrNumber id_junk;
	AttrNumber namespace_junk;
	AttrNumber row_junk; /* the row as it was, where it is needed */

	/* Where writes go */
	PineconeStatement *statement; /* or NULL */
	PineconeSink *sink;
	char *writable;	   /* a namespace that is known to be no alias, or NULL */
	char *looked_at;   /* the namespace that must_replace is about, or NULL */
	bool must_replace; /* see pinecone_modify_must_replace() */

	/* Memory */
	MemoryContext cxt;	   /* lives as long as this */
	MemoryContext row_cxt; /* reset per row */

	/* Rows that wait for their stored records */
	MemoryContext buffer_cxt;
	MemoryContext flush_cxt; /* reset per row of the buffer */
	PineconeBufferedRow *buffer;
	int nbuffered;
	struct idset_hash *buffered_ids; /* by namespace and id; number: of the row */

	/* Records that the statement has dealt with, or NULL */
	struct idset_hash *inserted; /* on_duplicate 'error' */
	struct idset_hash *moved_to; /* by UPDATEs of the id or namespace */
	struct idset_hash *modified; /* by an UPDATE or DELETE with a join */
	bool joined;				 /* may a record be met more than once? */
	bool by_ctid;				 /* are rows told by their ctid? */
	HTAB *ctids;				 /* then: those modified so far */

	PineconeReader *reader; /* for RETURNING */
};

/* modify.c */

extern void pineconeBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
									   List *fdw_private, int subplan_index, int eflags);
extern TupleTableSlot *pineconeExecForeignInsert(EState *estate, ResultRelInfo *rri,
												 TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern TupleTableSlot *pineconeExecForeignUpdate(EState *estate, ResultRelInfo *rri,
												 TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern TupleTableSlot *pineconeExecForeignDelete(EState *estate, ResultRelInfo *rri,
												 TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern void pineconeEndForeignModify(EState *estate, ResultRelInfo *rri);
extern void pineconeBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri);
extern void pineconeEndForeignInsert(EState *estate, ResultRelInfo *rri);

/* skip_existing.c */
extern int pineconeGetForeignModifyBatchSize(ResultRelInfo *rri);
extern TupleTableSlot **pineconeExecForeignBatchInsert(EState *estate, ResultRelInfo *rri,
													   TupleTableSlot **slots,
													   TupleTableSlot **plan_slots, int *n);
extern int pinecone_modify_insert_new(ResultRelInfo *rri, EState *estate, TupleTableSlot **slots,
									  int n);

/* modify_direct.c */
extern void pineconeBeginDirectModify(ForeignScanState *node, int eflags);
extern TupleTableSlot *pineconeIterateDirectModify(ForeignScanState *node);
extern void pineconeEndDirectModify(ForeignScanState *node);

/* truncate.c */
extern void pineconeExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs);

/* modification.c */

/*
 * Tables with write_mode 'transactional' are written to as if it were 'immediate':
 * by who repeats what a rollback does not take back.  To be reset after errors.
 */
extern bool pinecone_modify_at_once;

/*
 * Begin to write to a table.  "deferred": under write_mode 'immediate' send
 * nothing before the sink finishes, and if "statement" is given not before the
 * last of its sinks does.
 */
extern PineconeModify *pinecone_modify_create(PineconeStatement *statement, PineconeTable *table,
											  Oid userid, CmdType operation,
											  const Bitmapset *assigned, bool deferred);

/*
 * Are records of the namespace to be written as a whole?  While the service
 * may not show a write by filter yet, that and an update of fields could not be
 * laid over what it shows.
 */
extern bool pinecone_modify_must_replace(PineconeModify *modify, const char *namespace_);

/* Delete a record, unless it is a new one by now. */
extern void pinecone_modify_delete(PineconeModify *modify, const char *namespace_, char *id);

/* written_namespace.c */

/* Nothing can be written through an alias of a namespace: say so before anything is sent. */
extern void pinecone_modify_refuse_alias(PineconeModify *modify, const char *namespace_);

/* The namespace that a value of the namespace column, or a row, is meant for. */
extern const char *pinecone_modify_namespace_of_value(PineconeModify *modify, Datum value,
													  bool isnull);
extern const char *pinecone_modify_namespace_of_row(PineconeModify *modify, const Datum *values,
													const bool *isnull);

/* stored_rows.c */

/* The sink's flush: write the rows that wait for their stored records. */
extern void pinecone_modify_flush(void *modify);

/* What tells records of all namespaces apart. */
extern char *pinecone_modify_record_key(const char *namespace_, const char *id);

/* Add a key to a set of the statement's; false: it is there already. */
extern bool pinecone_modify_remember(PineconeModify *modify, struct idset_hash **keys,
									 const char *key);

extern void pinecone_modify_refuse_duplicate(PineconeModify *modify, const char *id);

/* A place in the buffer for a row that concerns a record; may flush it first. */
extern PineconeBufferedRow *pinecone_modify_add_buffered(PineconeModify *modify,
														 const char *namespace_, const char *id);

/* EXPLAIN ANALYZE is to tell of so many rows whose records were there. */
extern void pinecone_modify_count_conflicts(PineconeModify *modify, int n);

/* No row may wait for the next when a trigger may fire before. */
extern void pinecone_modify_flush_watched(PineconeModify *modify);

/* merge_existing.c */

/*
 * A row of INSERT ... ON CONFLICT DO UPDATE that sets some columns.  Returns the
 * record as it is written, if somebody is to see it, and else NULL.
 */
extern const PineconeRecord *pinecone_modify_insert_merged(PineconeModify *modify, TupleTableSlot *slot,
														   const char *namespace_);

/* check_row.c */

/* For these: what PostgreSQL leaves to the wrapper to check of a row. */
extern void pinecone_modify_check_inserted(ResultRelInfo *rri, EState *estate,
										   TupleTableSlot *slot);

/* Policies alone, of an updated row. */
extern void pinecone_modify_check_policies(ResultRelInfo *rri, EState *estate,
										   TupleTableSlot *slot);

#endif /* PINECONE_MODIFY_H */
