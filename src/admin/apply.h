/*
 * apply.h
 *		Rows of a source, written to a foreign table, or deleted there if the source
 *		has no such rows: a batch at a time.
 */
#ifndef PINECONE_APPLY_H
#define PINECONE_APPLY_H

#include "utils/palloc.h"
#include "utils/snapshot.h"

#include "admin/compared.h"

/* An id of a batch, and what the source had of it when it was looked at last */
typedef struct PineconeApplyRow
{
	char *id;
	char *namespace_; /* or NULL */
	bool wanted;	  /* to be applied */
	bool present;
	char *digests; /* as text; of those that are present, if asked for */
} PineconeApplyRow;

typedef struct PineconeApply
{
	PineconeCompared *compared;
	MemoryContext cxt; /* of the batch: reset it for the next */

	/* Statements: $1 ids, $2 those as texts, $3 namespaces */
	char *look; /* with digests */
	char *see;	/* without */
	char *upsert;

	/* The batch, in "cxt" */
	int nrows;
	PineconeApplyRow *rows;

	/* Figures */
	int64 written;
	int64 deleted;
} PineconeApply;

/* By SPI, in its memory context. */
extern PineconeApply *pinecone_apply_begin(PineconeCompared *compared);

/* The same of one that has its memory: its statements, in the current memory context. */
extern void pinecone_apply_prepare(PineconeApply *apply);

/* The tables that the source reads, partitions included: a list of OIDs */
extern List *pinecone_apply_tables(const PineconeApply *apply);

/* The error for an id of which the source has several rows */
extern void pinecone_apply_refuse_twice(const char *id);

/*
 * See what the source has of the rows that are wanted; with "again" those of which
 * it has what it had before are wanted no more, which takes digests.  Returns how
 * many are wanted.  To be called in "cxt", as the next one.
 */
extern int pinecone_apply_look(PineconeApply *apply, Snapshot snapshot, bool digests, bool again);

/* Write or delete the rows that are wanted, by the same snapshot. */
extern void pinecone_apply_wanted(PineconeApply *apply, Snapshot snapshot);

#endif /* PINECONE_APPLY_H */
