/*
 * field_values.c
 *		Looks for the values of a field in one namespace, and counts them, by
 *		searches and dry runs; see run_groups.c for why they are all.
 *
 * A round is a search for records that have none of the known values, and then a
 * dry run that counts what is left.  When the last search has shown each value
 * repeatedly, more are not expected, and the values are counted along with that.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "base/limits.h"
#include "request/shippable.h"
#include "scan/field_values.h"
#include "scan/run_count.h"

/* Records that a search, and a fetch by metadata, are asked for to find values */
#define SEARCHED 500
#define FETCHED 20

/* So many times values are looked for in a namespace, and no more of them kept. */
#define MAX_ROUNDS 12
#define MAX_VALUES 2000

/* ---- Filters ---- */

/* The run's filter, and a condition on the field, with its value if it takes one. */
static PineconeFilter
filter_with(ForeignScanState *node, PineconeConditionKind kind, Oid type, Datum value, bool alone)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	PineconeCondition both = {.kind = PINECONE_COND_AND, .value = -1};

	groups->leaf.kind = kind;
	groups->values.types[groups->values.n - 1] = type;
	groups->values.values[groups->values.n - 1] = value;
	both.args = alone || state->request->filter == NULL ?
					list_make1(&groups->leaf) :
					list_make2(state->request->filter, &groups->leaf);
	return pinecone_filter_render(state->table, &both, &groups->values);
}

/* Records that have the field, and none of the known values */
static PineconeFilter
rest_filter(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	Datum *elements;
	int16 typlen;
	bool typbyval;
	char typalign;

	if (part->n == 0)
		return filter_with(node, PINECONE_COND_EXISTS, groups->elemtype, (Datum) 0, false);
	elements = palloc(part->n * sizeof(Datum));
	for (int i = 0; i < part->n; i++)
		elements[i] = part->values[i].datum;
	get_typlenbyvalalign(groups->elemtype, &typlen, &typbyval, &typalign);
	return filter_with(node, PINECONE_COND_NOT_IN, get_array_type(groups->elemtype),
					   PointerGetDatum(construct_array(elements, part->n, groups->elemtype,
													   typlen, typbyval, typalign)),
					   false);
}

static PineconeFilter
value_filter(ForeignScanState *node, Datum value, bool alone)
{
	PineconeScanState *state = node->fdw_state;

	return filter_with(node, PINECONE_COND_COMPARE, state->run->groups->elemtype, value, alone);
}

/* ---- Asking ---- */

void
pinecone_field_give_up(PineconeGroups *groups, const char *why)
{
	if (groups->given_up == NULL)
		groups->given_up = why;
}

/* A filter that no record meets needs no request. */
static PineconeCall *
send_count(ForeignScanState *node, PineconeFieldPart *part, PineconeFilter filter)
{
	PineconeScanState *state = node->fdw_state;

	if (filter.kind == PINECONE_FILTER_NEVER)
		return NULL;
	state->run->groups->dry_runs++;
	return pinecone_vectors_count(state->session, state->run->counters, part->name, filter.json);
}

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
	search.top_k = Min(SEARCHED, PINECONE_MAX_TOP_K);
	if (state->session->max_top_k > 0)
		search.top_k = Min(search.top_k, state->session->max_top_k);
	vector = palloc(stats->dimension * sizeof(float));
	for (int i = 0; i < stats->dimension; i++)
		vector[i] = hash_bytes_uint32(i * MAX_ROUNDS + part->rounds) & 1 ? 1 : -1;
	search.values = vector;
	search.nvalues = stats->dimension;
	part->search = pinecone_vectors_query(state->session, state->run->counters, &search);
	pfree(vector);
}

/* Count the values that have not been, if that is worth while. */
static void
send_value_counts(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	int uncounted = 0;

	for (int i = 0; i < part->n; i++)
		uncounted += !part->values[i].counted;
	if (groups->dry_runs + uncounted > state->request->group_budget)
	{
		pinecone_field_give_up(groups, "too many values to count each");
		return;
	}
	for (int i = 0; i < part->n; i++)
	{
		PineconeFieldValue *value = &part->values[i];

		if (!value->counted)
			value->call = send_count(node, part, value_filter(node, value->datum, false));
		value->counted = true;
	}
}

/* ---- Answers ---- */

/* A failure that reading the rows does not run into: then that is done. */
static bool
is_refused(PineconeScanState *state, PineconeCall *call)
{
	PineconeGroups *groups = state->run->groups;

	switch (pinecone_vectors_failure(call))
	{
		case PINECONE_FAILURE_FORBIDDEN:
			pinecone_count_note_refused(state);
			pinecone_field_give_up(groups, "the API key may not count by dry runs");
			return true;
		case PINECONE_FAILURE_ALIAS:
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
			pinecone_field_give_up(groups, "the service does not count by dry runs");
			return true;
		default:
			return false;
	}
}

/* Take a dry run's count; *call becomes NULL. */
static double
take_count(PineconeScanState *state, PineconeCall **call)
{
	double count = 0;

	if (*call == NULL)
		return 0;
	pinecone_vectors_wait(*call);
	if (pinecone_vectors_failure(*call) != PINECONE_FAILURE_NO_NAMESPACE && !is_refused(state, *call))
		count = pinecone_vectors_count_result(*call);
	pinecone_vectors_free(*call);
	*call = NULL;
	return count;
}

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
		filter = value_filter(node, state->row_values[attnum - 1], true);
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
						 value_filter(node, BoolGetDatum(i == 0), true).json);
	part->sure = true;
}

void
pinecone_field_begin(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;

	if (pinecone_shippable_class(groups->column) == PINECONE_CLASS_BOOL)
	{
		add_booleans(node, part);
		part->rest = send_count(node, part, rest_filter(node, part));
		/* or whether they are there */
		send_value_counts(node, part);
	}
	else
		send_search(node, part, rest_filter(node, part));
	if (groups->want_missing)
		part->missing = send_count(node, part, filter_with(node, PINECONE_COND_NOT_EXISTS, groups->elemtype, (Datum) 0, false));
	if (groups->want_exists)
		part->exists = send_count(node, part, filter_with(node, PINECONE_COND_EXISTS, groups->elemtype, (Datum) 0, false));
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
		bool searched = part->search != NULL;

		if (take_records(node, part) == 0 && part->rounds > 0 && groups->given_up == NULL)
		{
			/* there are values that have not come */
			if (!searched)
				pinecone_field_give_up(groups, "records that are counted do not come");
			part->no_search = true;
		}
		if (groups->given_up != NULL)
			return;
		part->rest = send_count(node, part, rest_filter(node, part));
		if (groups->want_counts && part->sure && part->n > 0)
			send_value_counts(node, part);
		return;
	}
	rest = take_count(state, &part->rest);
	if (groups->given_up != NULL)
		return;
	part->complete = rest == 0;
	if (part->complete)
	{
		if (groups->want_counts)
			send_value_counts(node, part);
		return;
	}
	if (++part->rounds >= MAX_ROUNDS || pinecone_shippable_class(groups->column) == PINECONE_CLASS_BOOL)
		pinecone_field_give_up(groups, "values that counts show do not come");
	else
		send_search(node, part, rest_filter(node, part));
}

void
pinecone_field_take_counts(PineconeScanState *state, PineconeFieldPart *part)
{
	PineconeGroups *groups = state->run->groups;
	double sum = 0;

	part->nmissing = take_count(state, &part->missing);
	part->nexists = take_count(state, &part->exists);
	for (int i = 0; i < part->n; i++)
	{
		part->values[i].count = take_count(state, &part->values[i].call);
		sum += part->values[i].count;
	}
	if (groups->want_counts && groups->want_exists && sum != part->nexists)
		pinecone_field_give_up(groups, "counts do not add up: there are lists, or records change");
}
