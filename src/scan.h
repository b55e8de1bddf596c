/*
 * scan.h
 *		The state of a foreign scan, shared by those who run and explain it.
 */
#ifndef PINECONE_SCAN_H
#define PINECONE_SCAN_H

#include "nodes/execnodes.h"
#include "utils/tuplesort.h"

#include "convert.h"
#include "fanout.h"
#include "filter.h"
#include "request.h"

typedef struct PineconeScanState
{
	PineconeRequest *request;
	PineconeTable *table;
	PineconeSession *session; /* NULL until the scan runs */
	Oid userid;
	PineconeCounters counters;

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
	int next_count; /* namespace to count next */
	PineconeFilter filter;
	int nvalues; /* query vector */
	const float *vector;
	double bound; /* greatest distance wanted; infinite: any */
	int top_k;	  /* last asked for, for EXPLAIN */

	/* Exhaustive search: all the rows a search could not reach, sorted here */
	Tuplesortstate *sort;
	TupleTableSlot *sort_slot;
	bool exhaustive; /* for EXPLAIN */

	/* Rows */
	PineconeReader *reader;
	int nlayout;		/* scan tuple columns */
	AttrNumber *layout; /* what each holds */
	Datum *row_values;	/* a row of the table */
	bool *row_isnull;
} PineconeScanState;

extern void pineconeBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pineconeIterateForeignScan(ForeignScanState *node);
extern void pineconeReScanForeignScan(ForeignScanState *node);
extern void pineconeEndForeignScan(ForeignScanState *node);

/*
 * For those who read the scan's records without it: open the session and
 * render the filter; describe a stream; evaluate one of its expressions, which
 * then stays valid for the run, false for NULL.
 */
extern void pinecone_scan_prepare(ForeignScanState *node);
extern void pinecone_scan_fill_spec(ForeignScanState *node, PineconeOperation op,
									PineconeStreamSpec *spec);
extern bool pinecone_scan_evaluate(ForeignScanState *node, int number);

/* The distance a search's score stands for. */
extern double pinecone_scan_distance(PineconeMetric metric, double score);

#endif /* PINECONE_SCAN_H */
