/*
 * analyze.c
 *		ANALYZE: a random sample of a namespace's records.
 *
 * Pinecone has no random sample to offer, but lists ids cheaply: all ids are
 * listed, a reservoir keeps as many as ANALYZE wants, and only those records
 * are fetched.  They are fetched in random order, so that those read before
 * memory runs out are a random sample as well.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

#include "analyze.h"
#include "api.h"
#include "compat.h"
#include "convert.h"
#include "option.h"
#include "session.h"
#include "stream.h"

/* A guess at a record's metadata, for the table's size */
#define METADATA_BYTES 200

/* Ids drawn from a namespace */
typedef struct IdSample
{
	int nids;
	char **ids;
	double listed; /* ids there were */
} IdSample;

/* Rows formed from the records of those ids */
typedef struct SampleRow
{
	char *id;
	HeapTuple tuple;
} SampleRow;

typedef struct RowSample
{
	TupleDesc desc;
	PineconeReader *reader;
	MemoryContext row_cxt; /* reset for each row */
	Datum *values;
	bool *isnull;
	SampleRow *rows;
	int nrows;
	Size bytes;
} RowSample;

static void
begin_spec(PineconeStreamSpec *spec, PineconeSession *session, PineconeTable *table,
		   PineconeOperation op)
{
	PineconeStats *stats = pinecone_session_stats(session, false, true);

	memset(spec, 0, sizeof(*spec));
	spec->session = session;
	spec->op = op;
	spec->namespace_ = table->namespace_;
	spec->dimension = stats ? stats->dimension : 0;
}

/* ---- Drawing ids ---- */

/* Put an id into a place of the reservoir, in place of what it held. */
static void
keep_id(IdSample *sample, int place, const char *id)
{
	if (place < sample->nids)
		pfree(sample->ids[place]);
	else
		sample->nids++;
	sample->ids[place] = pstrdup(id);
}

static void
shuffle(IdSample *sample)
{
	for (int i = sample->nids - 1; i > 0; i--)
	{
		int j = (int) (pinecone_random_double() * (i + 1));
		char *id = sample->ids[i];

		sample->ids[i] = sample->ids[j];
		sample->ids[j] = id;
	}
}

/* List a namespace, keeping at most "most" of its ids. */
static void
draw_ids(PineconeSession *session, PineconeTable *table, int most, IdSample *sample)
{
	ReservoirStateData reservoir;
	PineconeStreamSpec spec;
	PineconeStream *stream;
	PineconeRecord *record;
	double skip = -1;

	sample->nids = 0;
	sample->listed = 0;
	sample->ids = palloc(most * sizeof(char *));
	begin_spec(&spec, session, table, PINECONE_OP_LIST);
	reservoir_init_selection_state(&reservoir, most);
	stream = pinecone_stream_begin(&spec);
	while (pinecone_stream_next(stream, true, &record) == PINECONE_STREAM_RECORD)
	{
		CHECK_FOR_INTERRUPTS();
		if (sample->nids < most)
			keep_id(sample, sample->nids, record->id);
		else
		{
			if (skip < 0)
				skip = reservoir_get_next_S(&reservoir, sample->listed, most);
			if (skip <= 0)
				keep_id(sample, (int) (pinecone_random_double() * most), record->id);
			skip--;
		}
		sample->listed++;
	}
	pinecone_stream_end(stream);
	shuffle(sample);
}

/* ---- Reading their records ---- */

static void
begin_rows(RowSample *sample, PineconeTable *table, TupleDesc desc, int most)
{
	Bitmapset *wanted = NULL;

	for (int i = 1; i <= table->ncolumns; i++)
		wanted = bms_add_member(wanted, i);
	sample->desc = desc;
	sample->reader = pinecone_convert_reader(table, wanted);
	sample->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone sample row",
											ALLOCSET_DEFAULT_SIZES);
	sample->values = palloc(Max(desc->natts, 1) * sizeof(Datum));
	sample->isnull = palloc(Max(desc->natts, 1) * sizeof(bool));
	sample->rows = palloc(Max(most, 1) * sizeof(SampleRow));
	sample->nrows = 0;
	sample->bytes = 0;
}

static void
add_row(RowSample *sample, PineconeRecord *record)
{
	SampleRow *row = &sample->rows[sample->nrows++];
	MemoryContext old = MemoryContextSwitchTo(sample->row_cxt);

	pinecone_convert_row(sample->reader, record, sample->values, sample->isnull);
	MemoryContextSwitchTo(old);
	row->id = pstrdup(record->id);
	row->tuple = heap_form_tuple(sample->desc, sample->values, sample->isnull);
	sample->bytes += row->tuple->t_len + record->idlen;
	MemoryContextReset(sample->row_cxt);
}

/* Fetch the records of the ids, as far as they fit into memory. */
static void
read_rows(PineconeSession *session, PineconeTable *table, IdSample *ids, RowSample *sample)
{
	Size most = (Size) maintenance_work_mem * 1024;
	PineconeStreamSpec spec;
	PineconeStream *stream;
	PineconeRecord *record;

	if (ids->nids == 0)
		return;
	begin_spec(&spec, session, table, PINECONE_OP_FETCH);
	spec.ids = ids->ids;
	spec.nids = ids->nids;
	spec.want_values = table->values_attnum != 0 || table->sparse_attnum != 0;
	spec.want_metadata = true;
	stream = pinecone_stream_begin(&spec);
	while (sample->bytes < most &&
		   pinecone_stream_next(stream, true, &record) == PINECONE_STREAM_RECORD)
	{
		CHECK_FOR_INTERRUPTS();
		add_row(sample, record);
	}
	pinecone_stream_end(stream);
}

static int
compare_rows(const void *a, const void *b)
{
	return strcmp(((const SampleRow *) a)->id, ((const SampleRow *) b)->id);
}

static int
acquire_sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows,
					double *totalrows, double *totaldeadrows)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(relation));
	PineconeSession *session = pinecone_session_get(table->server->serverid,
													relation->rd_rel->relowner);
	IdSample ids;
	RowSample sample;

	draw_ids(session, table, targrows, &ids);
	begin_rows(&sample, table, RelationGetDescr(relation), ids.nids);
	read_rows(session, table, &ids, &sample);

	/* in the order of a scan, which is what the columns' correlation is about */
	qsort(sample.rows, sample.nrows, sizeof(SampleRow), compare_rows);
	for (int i = 0; i < sample.nrows; i++)
		rows[i] = sample.rows[i].tuple;
	*totalrows = ids.listed;
	*totaldeadrows = 0;
	ereport(elevel,
			(errmsg("\"%s\": namespace \"%s\" has %.0f records; %d in sample",
					table->name, table->namespace_, ids.listed, sample.nrows)));
	return sample.nrows;
}

bool
pineconeAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
							BlockNumber *totalpages)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(relation));
	PineconeSession *session = pinecone_session_get(table->server->serverid,
													relation->rd_rel->relowner);
	PineconeStats *stats = pinecone_session_stats(session, true, false);
	double records = pinecone_session_namespace_records(stats, table->namespace_);
	double width = METADATA_BYTES + stats->dimension * sizeof(float);

	*func = acquire_sample_rows;
	*totalpages = (BlockNumber) Min(1 + records * width / BLCKSZ, (double) MaxBlockNumber);
	return true;
}
