/*
 * scan.h
 *		The state of a foreign scan, shared by those who run and explain it.
 */
#ifndef PINECONE_SCAN_H
#define PINECONE_SCAN_H

#include "nodes/execnodes.h"
#include "utils/tuplesort.h"

#include "request/filter.h"
#include "request/request.h"
#include "scan/fanout.h"
#include "scan/start_together.h"
#include "value/row.h"

typedef struct PineconeScanState
{
	PineconeRequest *request;
	PineconeTable *table;
	PineconeSession *session; /* NULL until the scan runs */
	Oid userid;
	PineconeCounters counters;
	int64 position;		   /* pending writes as of the statement's begin */
	double pending_before; /* and how many are to the table, for EXPLAIN */

	/* Run-time values */
	List *exprs; /* of ExprState */
	PineconeValues values;

	/* Namespaces there are, when the table spans all; asked for once */
	bool all_known;
	PineconeNamespaceStats *all;
	int nall;

	/* One run: from the first row to the end or the next rescan */
	MemoryContext run_cxt; /* reset per run */
	bool started;
	bool done;
	bool found_any;
	PineconeFanout *stream; /* of the namespaces asked */
	PineconeNamespaceStats *namespaces;
	int nnamespaces;

	/* Counting, in place of a stream */
	PineconeCall *stats_call;	/* for all namespaces */
	PineconeCall **count_calls; /* by namespace, NULL when counted already */
	bool counted;
	int next_count; /* namespace to return next */
	PineconeFilter filter;
	int nvalues; /* query vector */
	const float *vector;
	double bound;		/* greatest distance wanted; infinite: any */
	bool score_is_real; /* the type of the column of scores */
	int top_k;			/* last asked for, for EXPLAIN */

	/* Side by side with others: see start_together.c, async.c */
	PineconeScanGroup *group; /* or NULL */
	bool drained;			  /* all rows are going to be read, even if only the
								 * first are wanted in the end */
	uint32 asked;			  /* rows asked for by such an Append */
	int nasync;				  /* scans below an asynchronous Append, or 0 */
	bool no_wait;			  /* an empty slot does not have to be the end: */
	bool pending;			  /* it was because of this */
	instr_time since;		  /* when it began to be pending */

	/* Exhaustive search: all the rows a search could not reach, sorted here */
	Tuplesortstate *sort;
	TupleTableSlot *sort_slot;
	bool exhaustive; /* for EXPLAIN */

	/* A direct modification that sends with the rest of its statement, or NULL */
	struct PineconeModify *modify;

	/* Rows */
	PineconeReader *reader;
	int nlayout;		/* scan tuple columns */
	AttrNumber *layout; /* what each holds */
	Datum *row_values;	/* a row of the table */
	bool *row_isnull;

	/* Below a read-ahead, see answers.h */
	struct PineconeAnswers *ahead; /* NULL: there is none */
	struct PineconeAnswer *answer; /* what this run reads instead, or NULL */
	struct PineconePooled *pool;   /* in a run begun ahead: gathers fetches */
	bool begun_ahead;			   /* this is one; it neither waits nor raises
									* errors before it is read */
	bool given_up;				   /* it could not keep to that */
} PineconeScanState;

extern void pineconeBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pineconeIterateForeignScan(ForeignScanState *node);
extern void pineconeReScanForeignScan(ForeignScanState *node);
extern void pineconeEndForeignScan(ForeignScanState *node);

/*
 * For those who read the scan's records without it: open the session and
 * render the filter; describe a source.
 */
extern void pinecone_scan_prepare(ForeignScanState *node);
extern void pinecone_scan_fill_spec(ForeignScanState *node, PineconeOperation op,
									PineconeSourceSpec *spec);

/* Does EXPLAIN want to know where time goes? */
extern bool pinecone_scan_is_timed(ForeignScanState *node);

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

/*
 * The namespaces to ask: those that conditions name and the table has.  Only
 * when neither names any are all asked, and asked for.
 */
extern void pinecone_scan_choose_namespaces(ForeignScanState *node);

/* What is remembered of a run, as it is before one starts. */
extern void pinecone_scan_clear_run(PineconeScanState *state);

/* Forget the run, if there is one. */
extern void pinecone_scan_end_run(PineconeScanState *state);

#endif /* PINECONE_SCAN_H */
