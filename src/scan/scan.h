/*
 * scan.h
 *		The state of a foreign scan, shared by those who run and explain it.
 */
#ifndef PINECONE_SCAN_H
#define PINECONE_SCAN_H

#include "nodes/execnodes.h"

#include "request/request.h"
#include "scan/run.h"
#include "scan/start_together.h"
#include "value/row.h"

typedef struct PineconeScanState
{
	PineconeRequest *request;
	PineconeTable *table;
	PineconeSession *session; /* NULL until the scan runs */
	bool to_write;			  /* are its rows to be changed? */
	Oid userid;
	PineconeCounters counters;
	uint64 rows;		   /* returned, and not yet counted in the statistics */
	int64 position;		   /* pending writes as of the statement's begin */
	double pending_before; /* and how many are to the table, for EXPLAIN */
	double queued_before;  /* likewise of the outbox; -1: too many to be shown */
	double unseen;		   /* the most that the service may not have shown a run, likewise */

	List *exprs;			 /* of ExprState: what a run evaluates */
	ExprContext *id_context; /* for conditions on the id alone, or NULL */

	/* Namespaces there are, when the table spans all; asked for once */
	bool all_known;
	PineconeNamespaceStats *all;
	int nall;

	/* From the first row to the end or the next rescan */
	PineconeRun own_run;
	PineconeRun *run; /* this, or while a read-ahead is at work an answer's */

	/* For EXPLAIN, and of the table */
	int top_k;					 /* last asked for */
	bool exhaustive;			 /* was there an exhaustive search? */
	bool read_rest;				 /* were records read that a sparse search does not bring? */
	int slices;					 /* of an order */
	int groups;					 /* values of a field that were found */
	const char *groups_given_up; /* why the plan below has run instead, or NULL */
	int count_searches;			 /* GROUPS: in place of dry runs */
	bool counts_read;			 /* of counts: some were read, for what is written may not be counted */
	bool score_is_real;			 /* the type of the column of scores */

	/* Side by side with others: see start_together.c, async.c */
	PineconeScanGroup *group; /* or NULL */
	bool drained;			  /* all rows are going to be read, even if only the
								 * first are wanted in the end */
	uint32 asked;			  /* rows asked for by such an Append */
	int nasync;				  /* scans below an asynchronous Append, or 0 */
	bool no_wait;			  /* an empty slot does not have to be the end: */
	bool pending;			  /* it was because of this */
	instr_time since;		  /* when it began to be pending */

	/* A direct modification that sends with the rest of its statement, or NULL */
	struct PineconeModify *modify;

	/* Rows */
	PineconeReader *reader;
	int nlayout;		/* scan tuple columns */
	AttrNumber *layout; /* what each holds */
	TupleDesc row_desc; /* of a whole row in one of them, or NULL */
	Datum *row_values;	/* a row of the table */
	bool *row_isnull;

	/* Below a read-ahead, see answers.h */
	struct PineconeAnswers *ahead; /* NULL: there is none */
	struct PineconeAnswer *answer; /* what is read instead of a run of its own, or NULL */
} PineconeScanState;

extern void pineconeBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pineconeIterateForeignScan(ForeignScanState *node);
extern void pineconeReScanForeignScan(ForeignScanState *node);
extern void pineconeEndForeignScan(ForeignScanState *node);

/* The session that it reads through, if it has none yet. */
extern void pinecone_scan_find_session(PineconeScanState *state);

/*
 * Ask for what starting a run needs to know, without waiting for it: call this
 * for all of the scans that are to start together.
 */
extern void pinecone_scan_ask_ahead(ForeignScanState *node);

/*
 * Start the run that the next row would start: its first requests are on their
 * way when this returns.  Nothing happens when it has been started.
 */
extern void pinecone_scan_start(ForeignScanState *node);

#endif /* PINECONE_SCAN_H */
