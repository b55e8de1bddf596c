/*
 * analyze.c
 *		ANALYZE: a random sample of a table's records.
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

#include "admin/analyze.h"
#include "base/compat.h"
#include "client/schema_table.h"
#include "client/session.h"
#include "client/vectors.h"
#include "option/option_list.h"
#include "pending/pending.h"
#include "scan/fanout.h"
#include "scan/source.h"
#include "value/row.h"

/* A guess at a record's metadata, for the table's size */
#define METADATA_BYTES 200

/* Fetches of several namespaces at once have at most so many ids */
#define MAX_IDS_AT_ONCE 3200

/* Ids drawn from a table's namespaces */
typedef struct SampleId
{
	const char *namespace_;
	char *id;
} SampleId;

typedef struct IdSample
{
	int nids;
	SampleId *ids;
	double listed; /* ids there were */
} IdSample;

/* Rows formed from the records of those ids */
typedef struct SampleRow
{
	const char *namespace_;
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
begin_spec(PineconeSourceSpec *spec, PineconeSession *session, PineconeOperation op)
{
	PineconeStats *stats = pinecone_session_stats(session, false, true);

	memset(spec, 0, sizeof(*spec));
	spec->session = session;
	spec->op = op;
	spec->position = PINECONE_PENDING_ALL;
	spec->dimension = stats ? stats->dimension : 0;
}

/* ---- Drawing ids ---- */

/* Put an id into a place of the reservoir, in place of what it held. */
static void
keep_id(IdSample *sample, int place, const PineconeRecord *record)
{
	if (place < sample->nids)
		pfree(sample->ids[place].id);
	else
		sample->nids++;
	sample->ids[place].namespace_ = record->namespace_;
	sample->ids[place].id = pstrdup(record->id);
}

static void
shuffle(IdSample *sample)
{
	for (int i = sample->nids - 1; i > 0; i--)
	{
		int j = (int) (pinecone_random_double() * (i + 1));
		SampleId id = sample->ids[i];

		sample->ids[i] = sample->ids[j];
		sample->ids[j] = id;
	}
}

/* List the namespaces, keeping at most "most" of their ids. */
static void
draw_ids(PineconeSession *session, const PineconeTable *table, const PineconeNamespaceStats *namespaces, int n, int most,
		 IdSample *sample)
{
	ReservoirStateData reservoir;
	PineconeSourceSpec spec;
	PineconeFanout *stream;
	PineconeRecord *record;
	double skip = -1;

	sample->nids = 0;
	sample->listed = 0;
	sample->ids = palloc(most * sizeof(SampleId));
	begin_spec(&spec, session, PINECONE_OP_LIST);
	spec.may_dry_run = table->count_from_dry_run;
	reservoir_init_selection_state(&reservoir, most);
	stream = pinecone_fanout_begin(&spec, namespaces, n, PINECONE_FANOUT_ANY);
	while (pinecone_fanout_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		CHECK_FOR_INTERRUPTS();
		if (sample->nids < most)
			keep_id(sample, sample->nids, record);
		else
		{
			if (skip < 0)
				skip = reservoir_get_next_S(&reservoir, sample->listed, most);
			if (skip <= 0)
				keep_id(sample, (int) (pinecone_random_double() * most), record);
			skip--;
		}
		sample->listed++;
	}
	pinecone_fanout_end(stream);
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
	sample->reader = pinecone_row_reader(table, wanted);
	/* a value that does not fit must not cost the estimates of all others */
	pinecone_row_read_null(sample->reader, NULL);
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

	pinecone_row_read(sample->reader, record, sample->values, sample->isnull);
	MemoryContextSwitchTo(old);
	row->namespace_ = record->namespace_;
	row->id = pstrdup(record->id);
	row->tuple = heap_form_tuple(sample->desc, sample->values, sample->isnull);
	sample->bytes += row->tuple->t_len + record->idlen;
	MemoryContextReset(sample->row_cxt);
}

static int
compare_ids(const void *a, const void *b)
{
	const SampleId *x = a;
	const SampleId *y = b;

	return strcmp(x->namespace_, y->namespace_);
}

/*
 * Ids of several namespaces are fetched by namespace.  As the rows read before
 * memory runs out would then be those of the first, the sample is cut down to
 * what is likely to fit while it is in random order still.
 */
static void
group_by_namespace(PineconeSession *session, IdSample *ids)
{
	double width = METADATA_BYTES + session->stats->dimension * sizeof(float);
	double most = Max(1, maintenance_work_mem * 1024.0 / width);

	ids->nids = (int) Min(ids->nids, most);
	qsort(ids->ids, ids->nids, sizeof(SampleId), compare_ids);
}

/* Start to fetch those ids from *next on that are in the same namespace. */
static PineconeSource *
begin_fetch(PineconeSession *session, PineconeTable *table, IdSample *ids, int *next)
{
	SampleId *first = &ids->ids[*next];
	PineconeSourceSpec spec;

	begin_spec(&spec, session, PINECONE_OP_FETCH);
	spec.namespace_ = first->namespace_;
	while (*next < ids->nids && strcmp(ids->ids[*next].namespace_, spec.namespace_) == 0)
	{
		(*next)++;
		spec.nids++;
	}
	spec.ids = palloc(spec.nids * sizeof(char *));
	for (int i = 0; i < spec.nids; i++)
		spec.ids[i] = first[i].id;
	spec.want_values = table->values_attnum != 0 || table->sparse_attnum != 0;
	spec.want_metadata = true;
	return pinecone_source_begin(&spec);
}

/* Read a fetch's records, as far as they fit into memory. */
static void
read_stream(PineconeSource *stream, const char *namespace_, RowSample *sample)
{
	Size most = (Size) maintenance_work_mem * 1024;
	PineconeRecord *record;

	while (sample->bytes < most &&
		   pinecone_source_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		CHECK_FOR_INTERRUPTS();
		record->namespace_ = namespace_;
		add_row(sample, record);
	}
	pinecone_source_end(stream);
}

/* Fetch the records of the ids, those of some namespaces at a time. */
static void
read_rows(PineconeSession *session, PineconeTable *table, IdSample *ids, RowSample *sample)
{
	int next = 0;

	while (next < ids->nids)
	{
		List *streams = NIL;
		int first = next;
		int read = next;
		ListCell *lc;

		while (next < ids->nids && next - first < MAX_IDS_AT_ONCE)
			streams = lappend(streams, begin_fetch(session, table, ids, &next));
		foreach(lc, streams)
		{
			const char *namespace_ = ids->ids[read].namespace_;

			while (read < next && strcmp(ids->ids[read].namespace_, namespace_) == 0)
				read++;
			read_stream(lfirst(lc), namespace_, sample);
		}
		list_free(streams);
	}
}

static int
compare_rows(const void *a, const void *b)
{
	const SampleRow *x = a;
	const SampleRow *y = b;
	int order = strcmp(x->namespace_, y->namespace_);

	return order != 0 ? order : strcmp(x->id, y->id);
}

static int
acquire_sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows,
					double *totalrows, double *totaldeadrows)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(relation));
	PineconeSession *session = pinecone_session_get(table->server->serverid,
													relation->rd_rel->relowner);
	int n;
	/* pineconeAnalyzeForeignTable() has asked for them */
	PineconeNamespaceStats *namespaces =
		pinecone_session_namespaces(session, table, pinecone_session_stats(session, false, false), &n);
	IdSample ids;
	RowSample sample;

	table = pinecone_schema_table(session, table);

	draw_ids(session, table, namespaces, n, targrows, &ids);
	begin_rows(&sample, table, RelationGetDescr(relation), ids.nids);
	if (n > 1)
		group_by_namespace(session, &ids);
	read_rows(session, table, &ids, &sample);

	/* in the order of a scan, which is what the columns' correlation is about */
	qsort(sample.rows, sample.nrows, sizeof(SampleRow), compare_rows);
	for (int i = 0; i < sample.nrows; i++)
		rows[i] = sample.rows[i].tuple;
	*totalrows = ids.listed;
	*totaldeadrows = 0;
	ereport(elevel,
			n == 1 ?
				errmsg("\"%s\": namespace \"%s\" has %.0f records; %d in sample",
					   table->name, namespaces[0].name, ids.listed, sample.nrows) :
				errmsg("\"%s\": %d namespaces have %.0f records; %d in sample",
					   table->name, n, ids.listed, sample.nrows));
	if (pinecone_row_misfits(sample.reader) > 0)
		ereport(elevel,
				errmsg("\"%s\": " INT64_FORMAT " values of the sample do not fit their columns and count as NULL",
					   table->name, pinecone_row_misfits(sample.reader)));
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
	int n;
	PineconeNamespaceStats *namespaces = pinecone_session_namespaces(session, table, stats, &n);
	double records = 0;
	double width = METADATA_BYTES + stats->dimension * sizeof(float);

	for (int i = 0; i < n; i++)
		records += Max(namespaces[i].records, 0);
	*func = acquire_sample_rows;
	*totalpages = (BlockNumber) Min(1 + records * width / BLCKSZ, (double) MaxBlockNumber);
	return true;
}
