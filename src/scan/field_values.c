/*
 * field_values.c
 *		Looks for the values of a field in one namespace, and counts them, by
 *		searches and dry runs; see run_groups.c for why they are all.
 *
 * A round is a search for records that have none of the known values, and then a
 * dry run that counts what is left.  When the last search has shown each value
 * repeatedly, more are not expected, and the values are counted along with that.
 *
 * Where dry runs would have to wait for their turn, one counts all records at the
 * beginning, and what is left is what the values' counts do not add up to.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "base/limits.h"
#include "request/shippable.h"
#include "scan/field_part.h"

/* Records that a search, and a fetch by metadata, are asked for to find values */
#define SEARCHED 500
#define FETCHED 20

/* So many times values are looked for in a namespace, and no more of them kept. */
#define MAX_ROUNDS 12
#define MAX_VALUES 2000

/* ---- Asking ---- */

/* Any direction will do; others bring other records. */
static void
send_search(ForeignScanState *node, PineconeFieldPart *part, PineconeFilter filter)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats = pinecone_session_stats(state->session, false, true);
	PineconeSearch search = {.namespace_ = part->name, .filter = filter.json, .include_metadata = true};
	float *vector;

	if (filter.kind == PINECONE_FILTER_NEVER)
		return;
	if (stats == NULL || stats->dimension == 0)
		part->no_search = true;
	if (part->no_search)
	{
		int limit = Min(FETCHED, PINECONE_FILTER_PAGE);

		if (state->session->max_page[1] > 0)
			limit = Min(limit, state->session->max_page[1]);
		part->page = pinecone_vectors_fetch_by_metadata(state->session, state->run->counters, part->name,
														filter.json, limit, NULL, NULL, false);
		return;
	}
	search.top_k = Min(SEARCHED, pinecone_session_top_k(state->session));
	vector = palloc(stats->dimension * sizeof(float));
	for (int i = 0; i < stats->dimension; i++)
		vector[i] = hash_bytes_uint32(i * MAX_ROUNDS + part->rounds) & 1 ? 1 : -1;
	search.values = vector;
	search.nvalues = stats->dimension;
	part->search = pinecone_vectors_query(state->session, state->run->counters, &search);
	pfree(vector);
}

/* ---- Answers ---- */

/* The value with that key, which is added if it is new; or NULL when there are too many. */
static PineconeFieldValue *
add_value(PineconeGroups *groups, PineconeFieldPart *part, Datum datum, const char *key)
{
	int16 typlen;
	bool typbyval;

	for (int i = 0; i < part->n; i++)
	{
		if (strcmp(part->values[i].key, key) == 0)
			return &part->values[i];
	}
	if (part->n >= MAX_VALUES)
		return NULL;
	if (part->n == part->size)
	{
		part->size = Max(32, part->size * 2);
		part->values = part->values ? repalloc(part->values, part->size * sizeof(PineconeFieldValue)) :
									  palloc(part->size * sizeof(PineconeFieldValue));
	}
	memset(&part->values[part->n], 0, sizeof(PineconeFieldValue));
	get_typlenbyval(groups->elemtype, &typlen, &typbyval);
	part->values[part->n].datum = datumCopy(datum, typbyval, typlen);
	part->values[part->n].key = pstrdup(key);
	return &part->values[part->n++];
}

/* Take the values that records show.  Returns how many are new. */
static int
take_values(ForeignScanState *node, PineconeFieldPart *part, PineconePage *page)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	int known = part->n;
	int once = 0;
	int *shown = palloc0(MAX_VALUES * sizeof(int));

	for (int i = 0; i < page->nrecords && groups->given_up == NULL; i++)
	{
		AttrNumber attnum = groups->column->attnum;
		PineconeFilter filter;
		PineconeFieldValue *value;

		pinecone_row_read(groups->reader, &page->records[i], state->row_values, state->row_isnull);
		if (pinecone_row_misfits(groups->reader) > 0)
			pinecone_field_give_up(groups, "a value does not fit its column");
		if (state->row_isnull[attnum - 1])
			continue;
		filter = pinecone_field_value_filter(node, NULL, state->row_values[attnum - 1]);
		if (filter.kind != PINECONE_FILTER_JSON)
		{
			pinecone_field_give_up(groups, "a value cannot be asked for");
			break;
		}
		value = add_value(groups, part, state->row_values[attnum - 1], filter.json);
		if (value == NULL)
			pinecone_field_give_up(groups, "too many values");
		else
			shown[value - part->values]++;
	}
	for (int i = known; i < part->n; i++)
		once += shown[i] == 1;
	part->sure = once == 0;
	/* most of what comes is new: there is no end to it */
	if (page->nrecords >= 2 * FETCHED && 2 * (part->n - known) > page->nrecords)
		pinecone_field_give_up(groups, "too many values");
	return part->n - known;
}

/* What was searched for, or fetched.  Returns how many values are new. */
static int
take_records(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeCall *call = part->search ? part->search : part->page;
	int n = 0;

	if (call == NULL)
		return 0;
	pinecone_vectors_wait(call);
	switch (pinecone_vectors_failure(call))
	{
			/* fewer records at a time may do */
		case PINECONE_FAILURE_TOO_LARGE:
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
			if (call == part->page)
				pinecone_field_give_up(state->run->groups, "the service does not bring records by metadata");
			part->no_search = true;
			break;
		default:
			n = take_values(node, part, pinecone_vectors_page(call));
			break;
	}
	pinecone_vectors_free(call);
	part->search = part->page = NULL;
	return n;
}

/* ---- One round after the other ---- */

/* Booleans need not be looked for. */
static void
add_booleans(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;

	for (int i = 0; i < 2; i++)
		(void) add_value(state->run->groups, part, BoolGetDatum(i == 0),
						 pinecone_field_value_filter(node, NULL, BoolGetDatum(i == 0)).json);
	part->sure = true;
}

void
pinecone_field_begin(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;

	part->by_total = pinecone_field_counts_by_total(node);
	part->ntotal = -1;
	if (pinecone_field_all_filter(node, part).kind == PINECONE_FILTER_NEVER)
	{
		part->complete = true;
		return;
	}
	if (pinecone_shippable_class(groups->column) == PINECONE_CLASS_BOOL)
	{
		add_booleans(node, part);
		part->rest = pinecone_field_send_count(node, part, pinecone_field_rest_filter(node, part));
		/* or whether they are there */
		pinecone_field_ask_counts(node, part);
	}
	else
		send_search(node, part, pinecone_field_rest_filter(node, part));
	if (part->by_total)
		part->total = pinecone_field_send_count(node, part, pinecone_field_all_filter(node, part));
	else
		pinecone_field_ask_sums(node, part);
}

/* Search for more values; when that has been done for too long, give up. */
static void
search_again(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;

	if (++part->rounds >= MAX_ROUNDS || pinecone_shippable_class(groups->column) == PINECONE_CLASS_BOOL)
		pinecone_field_give_up(groups, "values that counts show do not come");
	else
		send_search(node, part, pinecone_field_rest_filter(node, part));
}

/* There are values that have not come: another way brings records, or nothing does. */
static void
search_otherwise(PineconeGroups *groups, PineconeFieldPart *part, bool searched)
{
	if (!searched)
		pinecone_field_give_up(groups, "records that are counted do not come");
	part->no_search = true;
}

/*
 * So many new values have been found.  Count, if these are thought to be all, or
 * search on: the sum of the counts tells whether they were.
 */
static void
go_on_to_total(ForeignScanState *node, PineconeFieldPart *part, int n, bool searched)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;

	if (n == 0 && part->short_of_values)
		search_otherwise(groups, part, searched);
	if (groups->given_up != NULL)
		return;
	if (n == 0 ? !part->short_of_values : part->sure)
		pinecone_field_ask_counts(node, part);
	else
		search_again(node, part);
}

/* Likewise where a dry run is to tell whether there are others. */
static void
go_on_to_rest(ForeignScanState *node, PineconeFieldPart *part, int n, bool searched)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;

	if (n == 0 && part->rounds > 0)
		search_otherwise(groups, part, searched);
	if (groups->given_up != NULL)
		return;
	part->rest = pinecone_field_send_count(node, part, pinecone_field_rest_filter(node, part));
	if (groups->want_counts && part->sure && part->n > 0)
		pinecone_field_ask_counts(node, part);
}

/* Take the records that show values. */
static void
take_found(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;
	bool searched = part->search != NULL;
	int n = take_records(node, part);

	if (groups->given_up == NULL && part->total != NULL)
		pinecone_field_take_total(node, part);
	if (groups->given_up != NULL)
		return;
	if (part->by_total)
		go_on_to_total(node, part, n, searched);
	else
		go_on_to_rest(node, part, n, searched);
}

/* Take the counts that are held against a total. */
static void
take_sum(ForeignScanState *node, PineconeFieldPart *part)
{
	switch (pinecone_field_sum(node, part))
	{
		case PINECONE_FIELD_SUM_ALL:
			part->complete = true;
			break;
		case PINECONE_FIELD_SUM_LESS:
			part->counting = false;
			part->rest = pinecone_field_send_count(node, part, pinecone_field_rest_filter(node, part));
			break;
		case PINECONE_FIELD_SUM_UNKNOWN:
			break;
	}
}

/* Look at what has come, and ask for what is wanted next. */
void
pinecone_field_advance(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	double rest;

	if (part->search != NULL || part->page != NULL)
	{
		take_found(node, part);
		return;
	}
	if (part->by_total && part->counting)
	{
		take_sum(node, part);
		return;
	}
	rest = pinecone_field_take_count(state, &part->rest);
	if (groups->given_up != NULL)
		return;
	if (part->by_total && rest == 0)
	{
		pinecone_field_count_anew(node, part);
		return;
	}
	part->short_of_values = rest > 0;
	part->complete = rest == 0;
	if (!part->complete)
		search_again(node, part);
	else if (groups->want_counts)
		pinecone_field_ask_counts(node, part);
}

static double
sum_of(const PineconeFieldPart *part)
{
	double sum = 0;

	for (int i = 0; i < part->n; i++)
		sum += part->values[i].count.records;
	return sum;
}

void
pinecone_field_take_counts(PineconeScanState *state, PineconeFieldPart *part)
{
	PineconeGroups *groups = state->run->groups;
	double sum = 0;

	if (part->by_total)
	{
		part->nexists = part->ntotal - part->missing.records;
		if (part->many)
			part->nexists = sum_of(part);
		return;
	}
	part->missing.records = pinecone_field_take_count(state, &part->missing.call);
	part->nexists = pinecone_field_take_count(state, &part->exists);
	for (int i = 0; i < part->n; i++)
	{
		PineconeFieldCount *count = &part->values[i].count;

		count->records = pinecone_field_take_count(state, &count->call);
		sum += count->records;
	}
	if (groups->want_counts && groups->want_exists && sum != part->nexists)
		pinecone_field_give_up(groups, "counts do not add up: there are lists, or records change");
}
