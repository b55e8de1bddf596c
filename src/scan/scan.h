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

/*
 * Rows of a search that do not come as they are to be returned.
 */
typedef struct PineconeSearchRows
{
	Tuplesortstate *sort; /* NULL: no such rows */
	TupleTableSlot *in;	  /* their tuples have the distance and the ctid, too */
	TupleTableSlot *out;
	MemoryContext row_cxt;
	bool sorted;	 /* they are being returned */
	bool last;		 /* after them nothing comes */
	bool some;		 /* "distance" is set */
	double distance; /* of the last row that was returned as it came */

	/* Rows are collected until so many of them meet the local conditions */
	bool collecting;
	bool keep_all; /* outer rows with other conditions may share them */
	double wanted;
	double met;
} PineconeSearchRows;

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

	/* A search's rows that are sorted here: see run_search.h */
	PineconeSearchRows search;
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

/* Evaluate the query vector; it stays NULL when the value is. */
extern void pinecone_scan_evaluate_vector(ForeignScanState *node);

/*
 * A record as a scan tuple: its values, in the current memory context, what
 * takes the place of its distance, and where it is; or all of that in a slot.
 */
extern void pinecone_scan_form_row(PineconeScanState *state, const PineconeRecord *record,
								   Datum *values, bool *isnull);
extern void pinecone_scan_set_distance(PineconeScanState *state, double distance,
									   Datum *values, bool *isnull);
extern ItemPointerData pinecone_scan_ctid(PineconeScanState *state, const PineconeRecord *record);
extern void pinecone_scan_store_row(PineconeScanState *state, const PineconeRecord *record,
									TupleTableSlot *slot);

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
