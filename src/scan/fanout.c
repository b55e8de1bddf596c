/*
 * fanout.c
 *		The records of one operation on several namespaces.
 *
 * Each namespace has a stream of its own.  In no particular order, a window of
 * streams is open at a time: as many as their records are thought to fit the
 * budget of a scan, so that a thousand small namespaces are asked at once as
 * far as requests may be, and a few large ones one after the other.  In order,
 * all are open, because the next record may come from any; how much a search
 * asks each for then depends on how many there are.
 */
#include "postgres.h"

#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/record_key.h"
#include "base/setting.h"
#include "scan/fanout.h"
#include "scan/gathered_ids.h"
#include "scan/gathered_values.h"

/* Bytes that a record takes here, when nothing better is known */
#define BYTES_PER_ID 64
#define BYTES_PER_METADATA 600
#define BYTES_PER_VALUE sizeof(float)

/* Records of a namespace that nobody has counted */
#define UNKNOWN_RECORDS 1000

/* Give the streams that are not read a chance to go on, every so many records */
#define POLL_INTERVAL 100

/* So many namespaces at once take megabytes */
#define WIDE 256

typedef struct Source
{
	const char *namespace_;
	double records;			/* expected */
	PineconeSource *stream; /* NULL: not begun, or ended */
	PineconeRecord *head;	/* read, and not returned; or NULL */
	int returned;			/* records, if there is a most */
	bool done;				/* nothing more comes of it, though there may be more */
} Source;

struct PineconeFanout
{
	PineconeSourceSpec spec;
	PineconeFanoutOrder order;
	MemoryContext cxt;

	int nsources;
	Source *sources;
	int begun; /* sources from here on have not been asked */

	/* The window of open streams, when the order does not matter */
	int nopen;
	int *open; /* numbers of sources */
	double open_records;
	double returned;

	/* The merge: all sources that have a head */
	binaryheap *heap;
	bool merging; /* the heap is filled */
	bool capped;  /* what comes next may be something that a search cannot bring */

	Source *taken; /* whose head was returned by the last call */
	int top_k;
	HTAB *seen; /* of a merge: what has been returned */
};

/* ---- What has been returned ---- */

/*
 * Remember a record that a merge of searches returns: should one of them end
 * at its cap, everything is read, and this is not to come again.
 */
static void
remember(PineconeFanout *fanout, const PineconeRecord *record)
{
	PineconeRecordKey key;
	MemoryContext old = MemoryContextSwitchTo(fanout->cxt);

	if (fanout->seen == NULL)
		fanout->seen = pinecone_record_key_table("pinecone records returned", sizeof(PineconeRecordKey));
	key.namespace_ = record->namespace_; /* the source's */
	key.id = pstrdup(record->id);
	(void) hash_search(fanout->seen, &key, HASH_ENTER, NULL);
	MemoryContextSwitchTo(old);
}

bool
pinecone_fanout_seen(PineconeFanout *fanout, const PineconeRecord *record)
{
	PineconeRecordKey key = {record->namespace_, record->id};

	if (fanout->nsources == 1)
		return fanout->sources[0].stream != NULL &&
			   pinecone_source_seen(fanout->sources[0].stream, record->id);
	return fanout->seen != NULL && hash_search(fanout->seen, &key, HASH_FIND, NULL) != NULL;
}

/* ---- Streams ---- */

static bool
is_search_merge(PineconeFanout *fanout)
{
	return fanout->order == PINECONE_FANOUT_HIGH_SCORE ||
		   fanout->order == PINECONE_FANOUT_LOW_SCORE;
}

/* Bytes of a record in memory, for sizing. */
static double
record_bytes(const PineconeSourceSpec *spec)
{
	double bytes = BYTES_PER_ID;
	bool whole = spec->op != PINECONE_OP_LIST && spec->op != PINECONE_OP_QUERY &&
				 (spec->session->schema == NULL || spec->fields == NULL);

	if (whole || spec->want_metadata)
		bytes += BYTES_PER_METADATA;
	if (whole || spec->want_values)
		bytes += (double) spec->dimension * BYTES_PER_VALUE;
	return bytes;
}

/* Bytes that may be held or on their way. */
static double
budget(PineconeFanout *fanout)
{
	return pinecone_prefetch_kb * 1024.0 / Max(1, fanout->spec.sharers);
}

static void
begin_source(PineconeFanout *fanout, Source *source)
{
	MemoryContext old = MemoryContextSwitchTo(fanout->cxt);
	PineconeSourceSpec spec = fanout->spec;

	/* the source, and so its records, keep the name that was asked for */
	spec.namespace_ = pinecone_option_plain_namespace(source->namespace_);
	if (spec.most > 0)
		spec.row_limit = spec.most;
	if (spec.op == PINECONE_OP_FETCH && spec.pool != NULL)
		source->stream = pinecone_gathered_ids_begin(&spec);
	else if (spec.gather != NULL)
		source->stream = pinecone_gathered_values_begin(&spec);
	else
		source->stream = pinecone_source_begin(&spec);
	if (spec.counters)
		spec.counters->namespaces++;
	MemoryContextSwitchTo(old);
}

/* Has a source returned as many records as are wanted of each? */
static bool
has_returned_enough(PineconeFanout *fanout, Source *source)
{
	return fanout->spec.most > 0 && source->returned >= fanout->spec.most;
}

/*
 * Read a source's next record into its head, if it is there.  Returns what the
 * stream says.
 */
static PineconeSourceStatus
poll_source(PineconeFanout *fanout, Source *source, bool wait)
{
	PineconeSourceStatus status = PINECONE_SOURCE_END;

	if (!has_returned_enough(fanout, source))
		status = pinecone_source_next(source->stream, wait, &source->head);
	if (status != PINECONE_SOURCE_RECORD)
		source->head = NULL;
	else
		source->head->namespace_ = source->namespace_;
	if (fanout->spec.op == PINECONE_OP_QUERY)
		fanout->top_k = Max(fanout->top_k, pinecone_source_top_k(source->stream));
	if (status == PINECONE_SOURCE_END || status == PINECONE_SOURCE_CAPPED)
		source->done = true;
	if (status == PINECONE_SOURCE_CAPPED)
		fanout->capped = true;
	/* a single search is asked later what it has returned */
	if (source->done && fanout->nsources > 1)
	{
		pinecone_source_end(source->stream);
		source->stream = NULL;
	}
	return status;
}

/*
 * Wait until one of the sources that wait for the network can go on, and let
 * it.
 */
static void
wait_for_sources(PineconeFanout *fanout, Source **waiting, int n)
{
	PineconeCall **calls;
	int *owners;
	int ncalls = 0;
	int ready = -1;

	if (n == 1)
	{
		(void) poll_source(fanout, waiting[0], true);
		return;
	}
	calls = palloc(n * PINECONE_SOURCE_CALLS * sizeof(PineconeCall *));
	owners = palloc(n * PINECONE_SOURCE_CALLS * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		int found = pinecone_source_calls(waiting[i]->stream, calls + ncalls);

		/* one that was begun a moment ago can have been answered already */
		if (found == 0)
			ready = i;
		for (int j = 0; j < found; j++)
			owners[ncalls++] = i;
	}
	if (ready < 0)
		ready = owners[pinecone_vectors_wait_any(calls, ncalls)];
	pfree(calls);
	pfree(owners);
	(void) poll_source(fanout, waiting[ready], false);
}

/* ---- In any order ---- */

/* May another stream be opened? */
static bool
window_has_room(PineconeFanout *fanout)
{
	const PineconeSourceSpec *spec = &fanout->spec;
	double limit = spec->row_limit - fanout->returned;

	if (fanout->nopen == 0)
		return true;
	if (fanout->nopen >= spec->session->options->max_concurrency)
		return false;
	/* what is open is likely to be enough for a LIMIT */
	if (spec->row_limit > 0 && limit > 0 && spec->filter == NULL && spec->prefix == NULL &&
		spec->op != PINECONE_OP_FETCH && fanout->open_records >= limit)
		return false;
	return (fanout->open_records + fanout->sources[fanout->begun].records) *
			   record_bytes(spec) <=
		   budget(fanout);
}

static void
open_more(PineconeFanout *fanout)
{
	while (fanout->begun < fanout->nsources && window_has_room(fanout))
	{
		Source *source = &fanout->sources[fanout->begun];

		begin_source(fanout, source);
		fanout->open[fanout->nopen++] = fanout->begun++;
		fanout->open_records += source->records;
	}
}

/* The streams that have ended leave the window. */
static void
close_ended(PineconeFanout *fanout)
{
	int n = 0;

	for (int i = 0; i < fanout->nopen; i++)
	{
		Source *source = &fanout->sources[fanout->open[i]];

		if (!source->done)
			fanout->open[n++] = fanout->open[i];
		else
			fanout->open_records -= source->records;
	}
	fanout->nopen = n;
}

/* Let all open streams that have nothing to read go on. */
static void
poll_open(PineconeFanout *fanout)
{
	for (int i = 0; i < fanout->nopen; i++)
	{
		Source *source = &fanout->sources[fanout->open[i]];

		if (source->head == NULL && !source->done)
			(void) poll_source(fanout, source, false);
	}
	close_ended(fanout);
	open_more(fanout);
}

/* An open source that has something to read, or NULL. */
static Source *
readable_source(PineconeFanout *fanout)
{
	for (int i = 0; i < fanout->nopen; i++)
	{
		Source *source = &fanout->sources[fanout->open[i]];

		if (source->head != NULL)
			return source;
	}
	return NULL;
}

/*
 * Return a record of whichever source has one, staying with the same source
 * while it has: taking turns would make every one of them hold a page.
 */
static PineconeSourceStatus
next_in_any_order(PineconeFanout *fanout, bool wait, PineconeRecord **record)
{
	Source *source = fanout->taken;

	/* stay with a source for as long as it does not have to be waited for */
	fanout->taken = NULL;
	if (source != NULL)
	{
		source->head = NULL;
		if (poll_source(fanout, source, false) != PINECONE_SOURCE_RECORD)
			source = NULL;
		if (((int64) fanout->returned) % POLL_INTERVAL == 0)
			poll_open(fanout);
	}
	while (source == NULL)
	{
		source = readable_source(fanout);
		if (source != NULL)
			break;
		poll_open(fanout);
		source = readable_source(fanout);
		if (source != NULL)
			break;
		if (fanout->nopen == 0)
			return PINECONE_SOURCE_END;
		if (!wait)
			return PINECONE_SOURCE_PENDING;
		{
			Source **waiting = palloc(fanout->nopen * sizeof(Source *));

			for (int i = 0; i < fanout->nopen; i++)
				waiting[i] = &fanout->sources[fanout->open[i]];
			wait_for_sources(fanout, waiting, fanout->nopen);
			pfree(waiting);
			close_ended(fanout);
			open_more(fanout);
		}
	}
	fanout->taken = source;
	fanout->returned++;
	source->returned++;
	*record = source->head;
	return PINECONE_SOURCE_RECORD;
}

/* ---- In order ---- */

/* The heap's first element is the one that compares greatest. */
static int
compare_heads(Datum a, Datum b, void *arg)
{
	PineconeFanout *fanout = arg;
	Source *x = (Source *) DatumGetPointer(a);
	Source *y = (Source *) DatumGetPointer(b);
	double x_score = x->head->score;
	double y_score = y->head->score;

	if (fanout->order == PINECONE_FANOUT_ID)
	{
		int order = strcmp(x->head->id, y->head->id);

		if (order != 0)
			return -order;
	}
	else if (x_score != y_score)
		return (x_score > y_score) == (fanout->order == PINECONE_FANOUT_HIGH_SCORE) ? 1 : -1;
	/* ties go by namespace, so that answers repeat */
	return x < y ? 1 : -1;
}

/*
 * Read the first record of every source.  Returns false when it would have to
 * wait and may not.
 */
static bool
fill_heap(PineconeFanout *fanout, bool wait)
{
	Source **waiting = palloc(fanout->nsources * sizeof(Source *));
	int n = 0;

	for (int i = 0; i < fanout->nsources; i++)
	{
		Source *source = &fanout->sources[i];

		if (source->head == NULL && !source->done &&
			poll_source(fanout, source, false) == PINECONE_SOURCE_PENDING)
			waiting[n++] = source;
	}
	while (n > 0 && wait)
	{
		int left = 0;

		wait_for_sources(fanout, waiting, n);
		for (int i = 0; i < n; i++)
		{
			if (waiting[i]->head == NULL && !waiting[i]->done)
				waiting[left++] = waiting[i];
		}
		n = left;
	}
	pfree(waiting);
	if (n > 0)
		return false;

	for (int i = 0; i < fanout->nsources; i++)
	{
		if (fanout->sources[i].head != NULL)
			binaryheap_add_unordered(fanout->heap, PointerGetDatum(&fanout->sources[i]));
	}
	binaryheap_build(fanout->heap);
	fanout->merging = true;
	return true;
}

static PineconeSourceStatus
next_in_order(PineconeFanout *fanout, bool wait, PineconeRecord **record)
{
	if (fanout->capped)
		return PINECONE_SOURCE_CAPPED;
	if (!fanout->merging)
	{
		if (!fill_heap(fanout, wait))
			return PINECONE_SOURCE_PENDING;
	}
	else if (fanout->taken != NULL)
	{
		/* its place in the heap depends on what comes next from it */
		switch (poll_source(fanout, fanout->taken, wait))
		{
			case PINECONE_SOURCE_RECORD:
				binaryheap_replace_first(fanout->heap, PointerGetDatum(fanout->taken));
				break;
			case PINECONE_SOURCE_END:
				(void) binaryheap_remove_first(fanout->heap);
				break;
			case PINECONE_SOURCE_CAPPED:
				break;
			case PINECONE_SOURCE_PENDING:
				return PINECONE_SOURCE_PENDING;
		}
		fanout->taken = NULL;
	}
	if (fanout->capped)
		return PINECONE_SOURCE_CAPPED;
	if (binaryheap_empty(fanout->heap))
		return PINECONE_SOURCE_END;
	fanout->taken = (Source *) DatumGetPointer(binaryheap_first(fanout->heap));
	*record = fanout->taken->head;
	if (is_search_merge(fanout) && fanout->nsources > 1)
		remember(fanout, *record);
	return PINECONE_SOURCE_RECORD;
}

/*
 * How many neighbours to ask each of many namespaces for.  Together they are
 * to fit the budget; a search that turns out to be short of them grows.
 */
static int
share_of_top_k(PineconeFanout *fanout)
{
	double share = budget(fanout) / (fanout->nsources * record_bytes(&fanout->spec));

	return Max(1, (int) Min(share, fanout->spec.top_k));
}

/* ---- The fan-out ---- */

/*
 * Open the sources of the namespaces. In any order, some at a time, the others
 * as these end; in order all, since the first record may be any one's.
 */
PineconeFanout *
pinecone_fanout_begin(const PineconeSourceSpec *spec, const PineconeNamespaceStats *namespaces,
					  int nnamespaces, PineconeFanoutOrder order)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone fan-out",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconeFanout *fanout = palloc0(sizeof(PineconeFanout));

	fanout->spec = *spec;
	fanout->order = order;
	fanout->cxt = cxt;
	fanout->nsources = nnamespaces;
	fanout->sources = palloc0(Max(nnamespaces, 1) * sizeof(Source));
	for (int i = 0; i < nnamespaces; i++)
	{
		Source *source = &fanout->sources[i];

		source->namespace_ = namespaces[i].name;
		source->records = namespaces[i].records < 0 ? UNKNOWN_RECORDS : namespaces[i].records;
		if (spec->op == PINECONE_OP_FETCH)
			source->records = spec->nids;
		if (spec->gather != NULL)
			source->records = 1;
		if (spec->most > 0)
			source->records = Min(source->records, spec->most);
	}

	if (order == PINECONE_FANOUT_ANY)
	{
		fanout->open = palloc(Max(nnamespaces, 1) * sizeof(int));
		open_more(fanout);
	}
	else
	{
		fanout->heap = binaryheap_allocate(Max(nnamespaces, 1), compare_heads, fanout);
		if (spec->op == PINECONE_OP_QUERY && nnamespaces > 1)
			fanout->spec.top_k = share_of_top_k(fanout);
		fanout->spec.sharers = Max(1, spec->sharers) * Max(1, nnamespaces);
		for (int i = 0; i < nnamespaces; i++)
			begin_source(fanout, &fanout->sources[i]);
		fanout->begun = nnamespaces;
	}
	MemoryContextSwitchTo(old);
	return fanout;
}

PineconeSourceStatus
pinecone_fanout_next(PineconeFanout *fanout, bool wait, PineconeRecord **record)
{
	if (fanout->order == PINECONE_FANOUT_ANY)
		return next_in_any_order(fanout, wait, record);
	return next_in_order(fanout, wait, record);
}

bool
pinecone_fanout_ready(PineconeFanout *fanout)
{
	PineconeCall *calls[PINECONE_SOURCE_CALLS];
	bool waits = false;

	for (int i = 0; i < fanout->nsources; i++)
	{
		Source *source = &fanout->sources[i];
		int n;

		if (source->stream == NULL || source->done || source->head != NULL)
			continue;
		n = pinecone_source_calls(source->stream, calls);
		for (int j = 0; j < n; j++)
		{
			if (pinecone_vectors_finished(calls[j]))
				return true;
		}
		if (n == 0)
			return true;
		waits = true;
	}
	return !waits;
}

bool
pinecone_fanout_passes_over(PineconeFanout *fanout)
{
	for (int i = 0; i < fanout->begun; i++)
	{
		Source *source = &fanout->sources[i];

		if (source->stream != NULL && source->stream->kind->passes_over)
			return true;
	}
	return false;
}

int
pinecone_fanout_top_k(PineconeFanout *fanout)
{
	return fanout->top_k;
}

bool
pinecone_fanout_is_wide(PineconeFanout *fanout)
{
	return fanout->nsources >= WIDE;
}

void
pinecone_fanout_end(PineconeFanout *fanout)
{
	MemoryContextDelete(fanout->cxt);
}
