/*
 * analyze.c
 *		ANALYZE of foreign tables.
 *
 * All ids are listed, a random sample of them is kept, and the records of the
 * sample are fetched: a true sample at the price of a list request per hundred
 * records.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

#include "analyze.h"
#include "compat.h"
#include "convert.h"
#include "session.h"
#include "stream.h"

typedef struct SampleContext
{
	PineconeTable *table;
	PineconeSession *session;
	PineconeStats *stats;
} SampleContext;

static void
begin_sample(Relation relation, SampleContext *cxt)
{
	cxt->table = pinecone_option_table(RelationGetRelid(relation));
	cxt->session = pinecone_session_get(cxt->table->server->serverid, GetUserId());
	cxt->stats = pinecone_session_stats(cxt->session, true, false);
}

static PineconeStreamSpec
stream_spec(const SampleContext *cxt, PineconeOperation op)
{
	PineconeStreamSpec spec = {0};

	spec.session = cxt->session;
	spec.op = op;
	spec.namespace_ = cxt->table->namespace_;
	spec.dimension = cxt->stats->dimension;
	spec.want_values = true;
	spec.want_metadata = true;
	return spec;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* A random sample of the namespace's ids, and how many there are. */
static int
sample_ids(const SampleContext *cxt, char **ids, int most, double *total)
{
	PineconeStreamSpec spec = stream_spec(cxt, PINECONE_OP_LIST);
	PineconeStream *stream = pinecone_stream_begin(&spec);
	PineconeRecord *record;
	ReservoirStateData state;
	double		seen = 0;
	double		skip = -1;
	int			n = 0;

	reservoir_init_selection_state(&state, most);
	while (pinecone_stream_next(stream, true, &record) == PINECONE_STREAM_RECORD)
	{
		CHECK_FOR_INTERRUPTS();
		if (n < most)
			ids[n++] = pstrdup(record->id);
		else
		{
			if (skip < 0)
				skip = reservoir_get_next_S(&state, seen, most);
			if (skip <= 0)
			{
				int			i = (int) (most * sampler_random_fract(pinecone_sampler_state(&state)));

				pfree(ids[i]);
				ids[i] = pstrdup(record->id);
			}
			skip -= 1;
		}
		seen++;
	}
	pinecone_stream_end(stream);
	qsort(ids, n, sizeof(char *), compare_ids);
	*total = seen;
	return n;
}

static int
acquire_sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows,
					double *totalrows, double *totaldeadrows)
{
	TupleDesc	desc = RelationGetDescr(relation);
	SampleContext cxt;
	PineconeStreamSpec spec;
	PineconeStream *stream;
	PineconeReader *reader;
	PineconeRecord *record;
	Bitmapset  *wanted = NULL;
	char	  **ids = palloc(targrows * sizeof(char *));
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *isnull = palloc0(desc->natts * sizeof(bool));
	MemoryContext row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone row",
												  ALLOCSET_DEFAULT_SIZES);
	int			nids;
	int			nrows = 0;

	*totaldeadrows = 0;
	begin_sample(relation, &cxt);
	nids = sample_ids(&cxt, ids, targrows, totalrows);
	if (nids == 0)
		return 0;

	wanted = bms_add_range(NULL, 1, cxt.table->ncolumns);
	reader = pinecone_convert_reader(cxt.table, wanted);
	spec = stream_spec(&cxt, PINECONE_OP_FETCH);
	spec.ids = ids;
	spec.nids = nids;
	stream = pinecone_stream_begin(&spec);
	while (nrows < targrows &&
		   pinecone_stream_next(stream, true, &record) == PINECONE_STREAM_RECORD)
	{
		MemoryContext old = MemoryContextSwitchTo(row_cxt);

		CHECK_FOR_INTERRUPTS();
		pinecone_convert_row(reader, record, values, isnull);
		MemoryContextSwitchTo(old);
		rows[nrows++] = heap_form_tuple(desc, values, isnull);
		MemoryContextReset(row_cxt);
	}
	pinecone_stream_end(stream);

	ereport(elevel,
			(errmsg("\"%s\": listed %.0f records, %d rows in sample",
					RelationGetRelationName(relation), *totalrows, nrows)));
	return nrows;
}

bool
pineconeAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	SampleContext cxt;
	double		bytes;

	begin_sample(relation, &cxt);
	bytes = pinecone_session_namespace_records(cxt.stats, cxt.table->namespace_) *
		(cxt.stats->dimension * sizeof(float) + 200);
	*totalpages = (BlockNumber) Min(bytes / BLCKSZ + 1, (double) MaxBlockNumber);
	*func = acquire_sample_rows;
	return true;
}
