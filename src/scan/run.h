/*
 * run.h
 *		A run is what a scan does between two rescans: begin, next, end.
 *
 * A scan has a run of its own; a read-ahead begins more of them before the scan
 * comes to them (answers.h).  Which one the functions here mean is told by the
 * scan state's "run".
 */
#ifndef PINECONE_RUN_H
#define PINECONE_RUN_H

#include "nodes/execnodes.h"
#include "utils/tuplesort.h"

#include "request/filter.h"
#include "scan/fanout.h"

/* Rows of a search that do not come as they are to be returned: see search_rows.h. */
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

	/* Records without overlap with a sparse query vector */
	PineconeFanout *rest;	  /* NULL: they are not read */
	Tuplesortstate *behind;	  /* rows that come after all of those; or NULL */
	PineconeRecord *unranked; /* what the search brought last, and was not returned; or NULL */

	/* Rows are collected until so many of them meet the local conditions */
	bool collecting;
	bool keep_all; /* outer rows with other conditions may share them */
	double wanted;
	double met;
} PineconeSearchRows;

typedef struct PineconeRun
{
	MemoryContext cxt;			/* reset when it ends */
	PineconeCounters *counters; /* the scan's, or its own if it was begun ahead */
	bool started;
	bool done;

	/* What is asked */
	PineconeValues values; /* of the request's expressions */
	PineconeFilter filter;
	PineconeNamespaceStats *namespaces; /* asked */
	int nnamespaces;

	/* Records */
	PineconeFanout *stream;
	bool found_any;
	double skip; /* rows to come that OFFSET leaves out */

	/* A search */
	PineconeQueryVector query;
	bool has_query; /* it is known, and not NULL */
	double bound;	/* greatest distance wanted; infinite: any */
	double score_bound;
	bool unchecked; /* statistics have not come that tell whether the index fits */
	PineconeSearchRows search;

	/* Counting, in place of records: see run_count.h */
	bool counts_stats;			   /* statistics are asked for */
	PineconeFilter *count_filters; /* of what is counted, the request's filter among it */
	double *counts;				   /* by namespace and, within it, by what is counted */
	PineconeCall **count_calls;	   /* likewise, NULL when counted already */
	bool counted;
	int next_count; /* namespace to return next */

	struct PineconeOrder *order;   /* slices of an order: see run_order.h */
	struct PineconeGroups *groups; /* likewise: see run_groups.h */

	/* Begun ahead: it neither waits nor raises errors before it is read */
	bool begun_ahead;
	bool given_up;					 /* it could not keep to that */
	struct PineconePooled *pool;	 /* gathers its fetches; or NULL */
	struct PineconeGathered *gather; /* likewise its filters, */
	const Bitmapset *varying;		 /* which differ in the values of these expressions */
} PineconeRun;

/* Open the session, choose namespaces, render the filter: what begins any run. */
extern void pinecone_run_prepare(ForeignScanState *node);

/*
 * Begin, unless it has begun: its first requests are on their way when this
 * returns.
 */
extern void pinecone_run_begin(ForeignScanState *node);

/*
 * The next row in the slot, which is empty; it stays empty at the end, or when
 * the scan does not want to wait and would have to (its "pending").
 */
extern TupleTableSlot *pinecone_run_next(ForeignScanState *node, TupleTableSlot *slot);

/* Forget it, as if it had never begun. */
extern void pinecone_run_end(PineconeRun *run);

/*
 * The namespaces to ask: those that conditions name and the table has.  Only
 * when neither names any are all asked, and asked for.
 */
extern void pinecone_run_choose_namespaces(ForeignScanState *node);

/* A namespace as a value of the table's column, where rows are made of no records; an error if it does not fit. */
extern Datum pinecone_run_namespace_datum(const PineconeTable *table, const char *name);

/* Does EXPLAIN want to know where time goes? */
extern bool pinecone_run_is_timed(ForeignScanState *node);

#endif /* PINECONE_RUN_H */
