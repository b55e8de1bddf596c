/*
 * number_slice.c
 *		Where to cut a range of a field's numbers.
 *
 * A dry run counts the records of the range, and a search brings some of them,
 * whose numbers tell how the others are spread; then the same of the part that is
 * on the near side, until it is small enough.  Searches of 500 divide a range by
 * some hundreds, so that two rounds do for a few rows of a million.
 *
 * Where few dry runs are allowed a second, statistics tell how many records there
 * are to begin with, and then what share of a sample the part had.  What a search
 * does not fill has no more than it brought.  All of it is good enough for a cut.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "miscadmin.h"

#include "base/limits.h"
#include "client/alias.h"
#include "scan/number_slice.h"
#include "scan/run_count.h"
#include "wire/stats.h"

/* Records that show how numbers are spread; fewer where their metadata is large */
#define SAMPLE 1000
#define SMALL_SAMPLE 25

#define MAX_ROUNDS 6

/* Of a slice that is thought to bring no more than so many bytes nothing more is asked */
#define SMALL_SLICE_BYTES (256 * 1024)
#define BYTES_PER_VALUE 11

struct PineconeLook
{
	/* On its way: by namespace */
	PineconeCall **searches;
	PineconeCall **counts; /* or NULL */
	int top_k;
	double expected; /* records that are thought to be there; -1: nobody knows */

	/* What came of it */
	double records; /* -1: nobody tells */
	int came;
	bool filled; /* a search has brought as many as it was asked for */
	double *numbers;
	int nnumbers;
	bool too_large;
};

/* ---- Filters ---- */

PineconeFilter
pinecone_slice_filter(ForeignScanState *node, const PineconeSlice *slice)
{
	PineconeScanState *state = node->fdw_state;
	const char *field = pinecone_option_column(state->table, state->request->group)->field;
	PineconeFilter numbers;

	if (slice->single)
		numbers = pinecone_filter_numbers(field, slice->far, false, slice->far, false);
	else if (state->request->descending)
		numbers = pinecone_filter_numbers(field, slice->far, slice->far_open, slice->near, true);
	else
		numbers = pinecone_filter_numbers(field, slice->near, true, slice->far, slice->far_open);
	return pinecone_filter_both(state->run->filter, numbers);
}

/* ---- Counts and samples ---- */

static PineconeCall *
send_count(PineconeScanState *state, const char *name, PineconeFilter filter)
{
	return pinecone_vectors_count(state->session, state->run->counters,
								  pinecone_pins_resolve(state->run->counters->pins, state->session, name),
								  filter.json);
}

/* Records of which a search is to bring some */
static int
sample_size(const PineconeSession *session, int wanted)
{
	return Min(wanted, pinecone_session_top_k(session));
}

static PineconeCall *
send_search(PineconeScanState *state, const char *name, PineconeFilter filter, int dimension, int top_k,
			int round)
{
	PineconeSearch search = {.namespace_ = name, .filter = filter.json, .include_metadata = true, .top_k = top_k};
	float *vector = palloc(dimension * sizeof(float));
	PineconeCall *call;

	/* any direction will do */
	for (int i = 0; i < dimension; i++)
		vector[i] = hash_bytes_uint32(i * MAX_ROUNDS + round) & 1 ? 1 : -1;
	search.values = vector;
	search.nvalues = dimension;
	call = pinecone_vectors_query(state->session, state->run->counters, &search);
	pfree(vector);
	return call;
}

/* What a dry run says, or -1; the call is freed. */
static double
take_count(PineconeScanState *state, PineconeCall *call)
{
	double count = -1;

	pinecone_vectors_wait(call);
	switch (pinecone_vectors_failure(call))
	{
		case PINECONE_FAILURE_NO_NAMESPACE:
			count = 0;
			break;
		case PINECONE_FAILURE_FORBIDDEN:
			pinecone_count_note_refused(state);
			break;
		case PINECONE_FAILURE_ALIAS:
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
			break;
		default:
			count = pinecone_vectors_count_result(call);
			break;
	}
	pinecone_vectors_free(call);
	return count;
}

/* Ask each namespace for a count; NULL: nobody may. */
static PineconeCall **
send_counts(PineconeScanState *state, PineconeFilter filter)
{
	int n = state->run->nnamespaces;
	PineconeCall **calls = palloc(Max(n, 1) * sizeof(PineconeCall *));

	if (state->session->dry_run_refused || state->session->no_dry_run)
		return NULL;
	for (int i = 0; i < n; i++)
		calls[i] = send_count(state, pinecone_option_plain_namespace(state->run->namespaces[i].name), filter);
	return calls;
}

/* Their sum; -1: nobody tells. */
static double
take_counts(PineconeScanState *state, PineconeCall **calls)
{
	double records = 0;

	if (calls == NULL)
		return -1;
	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		double count = take_count(state, calls[i]);

		records = count < 0 || records < 0 ? -1 : records + count;
	}
	pfree(calls);
	return records;
}

double
pinecone_slice_count(ForeignScanState *node, PineconeFilter filter)
{
	PineconeScanState *state = node->fdw_state;

	return filter.kind == PINECONE_FILTER_NEVER ? 0 : take_counts(state, send_counts(state, filter));
}

/* The number that a record has in the field; NaN: none. */
static double
number_of(const PineconeRecord *record, const char *field)
{
	PineconeFields *fields = pinecone_vectors_metadata_fields(record);

	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name != NULL && strcmp(fields->fields[i].name, field) == 0 &&
			fields->fields[i].value.kind == PINECONE_VALUE_NUMBER)
			return fields->fields[i].value.number;
	}
	return NAN;
}

static void
take_sample(PineconeScanState *state, PineconeLook *look, PineconeCall *call, int top_k)
{
	const char *field = pinecone_option_column(state->table, state->request->group)->field;
	PineconePage *page;

	pinecone_vectors_wait(call);
	switch (pinecone_vectors_failure(call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
			look->too_large = true;
			break;
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
			look->filled = true;
			break;
		default:
			page = pinecone_vectors_page(call);
			look->came += page->nrecords;
			look->filled |= page->nrecords >= top_k;
			look->numbers = look->numbers ? repalloc(look->numbers, (look->nnumbers + page->nrecords + 1) * sizeof(double)) :
											palloc((page->nrecords + 1) * sizeof(double));
			for (int i = 0; i < page->nrecords; i++)
			{
				double number = number_of(&page->records[i], field);

				if (!isnan(number))
					look->numbers[look->nnumbers++] = number;
			}
			break;
	}
	pinecone_vectors_free(call);
}

static int
compare_numbers(const void *a, const void *b, void *descending)
{
	double one = *(const double *) a;
	double other = *(const double *) b;
	int order = one < other ? -1 : one > other;

	return *(bool *) descending ? -order : order;
}

/*
 * Ask for some of a slice's numbers, and how many records it has, unless so many
 * are thought to be there (-1: nobody knows).
 */
static PineconeLook *
send_look(ForeignScanState *node, const PineconeSlice *slice, int dimension, int top_k, int round, double expected)
{
	PineconeScanState *state = node->fdw_state;
	PineconeFilter filter = pinecone_slice_filter(node, slice);
	PineconeLook *look = palloc0(sizeof(PineconeLook));
	int n = state->run->nnamespaces;

	look->top_k = sample_size(state->session, top_k);
	look->expected = expected;
	look->searches = palloc(Max(n, 1) * sizeof(PineconeCall *));
	look->counts = expected < 0 ? send_counts(state, filter) : NULL;
	for (int i = 0; i < n; i++)
		look->searches[i] = send_search(state, pinecone_option_plain_namespace(state->run->namespaces[i].name), filter,
										dimension, look->top_k, round);
	return look;
}

/* Take what has been asked for, the numbers in order. */
static void
take_look(ForeignScanState *node, PineconeLook *look)
{
	PineconeScanState *state = node->fdw_state;

	for (int i = 0; i < state->run->nnamespaces; i++)
		take_sample(state, look, look->searches[i], look->top_k);
	if (look->expected < 0)
		look->records = take_counts(state, look->counts);
	else
		look->records = look->filled ? Max(look->expected, look->came) : look->came;
	if (look->nnumbers > 0)
		qsort_arg(look->numbers, look->nnumbers, sizeof(double), compare_numbers, &state->request->descending);
}

/* How many records there are, where statistics can tell and dry runs are scarce; else -1. */
static double
expect_records(PineconeScanState *state, const PineconeStats *stats, const PineconeSlice *slice)
{
	double records = 0;

	if (pinecone_session_rate(state->session, PINECONE_RATE_UPDATE_BY_METADATA) <= 0 ||
		state->run->filter.kind != PINECONE_FILTER_ALWAYS || !isinf(slice->near))
		return -1;
	for (int i = 0; i < state->run->nnamespaces; i++)
		records += Max(0, pinecone_stats_records(stats, pinecone_option_plain_namespace(state->run->namespaces[i].name)));
	return records;
}

/* ---- Cutting ---- */

/* Statistics, where searches and dry runs can tell where to cut; else NULL */
static PineconeStats *
stats_to_cut_by(PineconeScanState *state)
{
	PineconeStats *stats = pinecone_session_stats(state->session, false, true);

	return stats != NULL && stats->dimension > 0 && !state->session->dry_run_refused && !state->session->no_dry_run ? stats : NULL;
}

PineconeLook *
pinecone_slice_look(ForeignScanState *node, const PineconeSlice *slice)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats = stats_to_cut_by(state);

	return stats == NULL ? NULL : send_look(node, slice, stats->dimension, SAMPLE, 0, expect_records(state, stats, slice));
}

/* Records that are read rather than cut once more */
static double
small_enough(const PineconeStats *stats, double wanted)
{
	return Max(2 * wanted + 10, SMALL_SLICE_BYTES / (stats->dimension * BYTES_PER_VALUE + PINECONE_METADATA_BYTES));
}

/*
 * Bisect by samples: a dry run counts the slice's records, and a search shows
 * some of their numbers, from which the next cut is chosen. A cut need not be
 * good; what lies beyond it is read later.
 */
void
pinecone_slice_cut(ForeignScanState *node, PineconeSlice *slice, double wanted, PineconeLook *look)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats = stats_to_cut_by(state);
	PineconeSlice part = *slice;
	int top_k = SAMPLE;
	double expected;

	if (stats == NULL)
		return;
	expected = expect_records(state, stats, slice);
	for (int round = 0; round < MAX_ROUNDS; round++)
	{
		double cut;
		double left;
		int place;

		CHECK_FOR_INTERRUPTS();
		if (look == NULL)
			look = send_look(node, &part, stats->dimension, top_k, round, expected);
		take_look(node, look);
		if (look->records < 0)
			return;
		if (look->too_large && top_k > SMALL_SAMPLE)
		{
			top_k = SMALL_SAMPLE;
			look = NULL;
			continue;
		}
		/* small enough; or nothing tells where to cut */
		if (look->records <= 2 * wanted + 10 || look->nnumbers == 0)
			break;
		place = (int) Min(ceil(look->nnumbers * 1.2 * wanted / look->records) + 2, look->nnumbers);
		cut = look->numbers[place - 1];
		if (cut == part.far && !part.far_open)
		{
			/*
			 * More records than are wanted have this one number, or are before it:
			 * these first, and then those with that number, in whatever order.
			 */
			part.far_open = true;
			break;
		}
		part.far = cut;
		part.far_open = false;
		while (place < look->nnumbers && look->numbers[place] == cut)
			place++;
		left = look->records * place / look->nnumbers;
		/* these were all that there are, or few are left */
		if (look->nnumbers >= look->records || left <= small_enough(stats, wanted))
			break;
		/* from now on the sample's share tells, where dry runs are scarce */
		if (pinecone_session_rate(state->session, PINECONE_RATE_UPDATE_BY_METADATA) > 0)
			expected = left;
		look = NULL;
	}
	*slice = part;
}
