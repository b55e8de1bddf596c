/*
 * expected.c
 *		Estimates of what a scan asks for, by the planner's rows and the index's statistics.
 *
 * They are for telling 10 requests from 10,000 before anything is sent.  What
 * there are no statistics of is taken to be as large as the planner takes it to
 * be.  Prices are Pinecone's: a read unit for each 10 records that are fetched,
 * for each list, and for each GB of a namespace that is searched.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#include "admin/expected.h"
#include "admin/explain_request.h"
#include "base/limits.h"
#include "plan/plan_info.h"
#include "scan/way.h"

/* Bytes of a reply, when nothing better is known: a record's id and what else it has, all its metadata, a number */
#define BYTES_OF_ID 40
#define BYTES_OF_METADATA 200
#define BYTES_OF_NUMBER 10.0

/* What a field has besides its name and value */
#define BYTES_OF_FIELD 4

/* What a namespace is billed by: 4 bytes a number */
#define STORED_NUMBER 4
#define GB 1e9
#define LEAST_QUERY_UNITS 0.25

/* What shows how an order's numbers are spread: a search, and a count */
#define REQUESTS_OF_ORDER 2

/* Lists that find where the ids after some id begin */
#define REQUESTS_OF_WALK 7

/* Lists that prove where the last id is, after a search that shows where it may be */
#define REQUESTS_OF_DESCENT 450

/* A search for the values of a field, the count of all records or of those without a value, and of those without the field */
#define REQUESTS_OF_GROUPS 3

typedef struct Expected
{
	double requests;
	double read_units;
	double bytes;
} Expected;

/* What is known of what is read */
typedef struct Known
{
	PineconeSession *session; /* or NULL */
	double namespaces;		  /* that are asked */
	double stored;			  /* records in them */
	double records;			  /* of them, those that the service returns */
	int dimension;
	double metadata; /* bytes of one's metadata */
	double record;	 /* bytes of a whole one in a reply */
	double match;	 /* of one of a search, as it is asked for */
} Known;

static PineconeSession *
session_of(const PineconeScanState *state)
{
	Oid serverid = state->table->server->serverid;

	return pinecone_plan_has_mapping(state->userid, serverid) ? pinecone_session_get_reading(serverid, state->userid) : NULL;
}

static int
dimension_of(const PineconeTable *table, const PineconeStats *stats)
{
	if (stats != NULL)
		return stats->dimension;
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role == PINECONE_ROLE_VALUES && table->columns[i].typmod > 0)
			return table->columns[i].typmod;
	}
	return 0;
}

/* Bytes of the fields that the table has columns for, by ANALYZE if it has been; or of all of the metadata. */
static double
metadata_of(const PineconeTable *table)
{
	double fields = 0;
	double all = table->metadata_attnum > 0 ? BYTES_OF_METADATA : 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];
		int32 width;

		if (column->role != PINECONE_ROLE_FIELD && column->role != PINECONE_ROLE_METADATA)
			continue;
		width = get_attavgwidth(table->relid, column->attnum);
		if (column->role == PINECONE_ROLE_METADATA)
			all = width > 0 ? width : all;
		else
			fields += strlen(column->field) + BYTES_OF_FIELD + (width > 0 ? width : get_typavgwidth(column->typid, column->typmod));
	}
	return Max(fields, all);
}

static double
stored_in(const PineconeStats *stats, List *namespaces)
{
	double records = 0;
	ListCell *lc;

	foreach(lc, namespaces)
		records += Max(0, pinecone_stats_records(stats, pinecone_option_plain_namespace(strVal(lfirst(lc)))));
	return records;
}

/* Rows that are read: those wanted, and for each as many as local conditions drop. */
static double
records_of(const PineconeScanState *state, const PineconeValues *values)
{
	const PineconeRequest *request = state->request;
	double survive = Min(Max(request->survive, 1e-6), 1);
	double records = request->rows / survive;
	double limit = pinecone_explain_request_rows(request, values);

	if (limit >= 0)
		records = Min(records, Max(1, limit / survive));
	return Max(records, 1);
}

static Known
find_known(const PineconeScanState *state, const PineconeValues *values, List *namespaces)
{
	const PineconeRequest *request = state->request;
	PineconeSession *session = session_of(state);
	PineconeStats *stats = session ? pinecone_session_known_stats(session) : NULL;
	Known known = {session, .namespaces = Max(1, list_length(namespaces))};

	if (namespaces == NIL && request->namespaces == NIL && stats != NULL)
		known.namespaces = Max(1, stats->nnamespaces);
	known.records = records_of(state, values);
	known.stored = stats == NULL	 ? known.records :
				   namespaces != NIL ? stored_in(stats, namespaces) :
									   stats->records;
	known.dimension = dimension_of(state->table, stats);
	known.metadata = metadata_of(state->table);
	known.record = BYTES_OF_ID + known.metadata + known.dimension * BYTES_OF_NUMBER;
	known.match = BYTES_OF_ID + (request->want_metadata ? known.metadata : 0) +
				  (request->want_values ? known.dimension * BYTES_OF_NUMBER : 0);
	return known;
}

/* ---- Operations ---- */

/* How many ids the plan names: of an array that is not known yet, one. */
static double
ids_named(const PineconeRequest *request, const PineconeValues *values)
{
	double n = 0;
	ListCell *lc;

	foreach(lc, request->ids)
	{
		int number = lfirst_int(lc);
		bool is_array = OidIsValid(get_element_type(getBaseType(values->types[number])));

		if (values->placeholders[number] == NULL && is_array && !values->isnull[number])
		{
			ArrayType *array = DatumGetArrayTypeP(values->values[number]);

			n += ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		}
		else
			n++;
	}
	return Max(n, 1);
}

static Expected
expect_fetch(const Known *known, double ids)
{
	double most = ids * known->namespaces;
	double requests = known->namespaces * ceil(ids / PINECONE_FETCH_BATCH);

	return (Expected){requests, Max(requests, most / PINECONE_RECORDS_PER_UNIT), Min(most, Max(known->records, 1)) * known->record};
}

static Expected
expect_list(const Known *known, double ids)
{
	double pages = Max(known->namespaces, ceil(ids / PINECONE_LIST_PAGE));

	return (Expected){pages, pages, ids * BYTES_OF_ID};
}

/* Whole namespaces, or as much of them as is wanted: ids, and then the records of those that are looked at. */
static Expected
expect_list_fetch(const Known *known, double skipped)
{
	Expected list = expect_list(known, known->records);
	double fetched = Max(0, known->records - skipped);
	double requests = ceil(fetched / PINECONE_FETCH_BATCH);

	return (Expected){list.requests + requests, list.read_units + Max(requests, fetched / PINECONE_RECORDS_PER_UNIT),
					  list.bytes + fetched * known->record};
}

/* What the planner has reckoned, which knows nothing of rows that are not looked at */
static Expected
expect_way(const PineconeScanState *state, const Known *known, double skipped)
{
	const PineconeRequest *request = state->request;
	PineconeReading reading = {.session = known->session, .dimension = known->dimension, .metadata_bytes = PINECONE_METADATA_BYTES};
	PineconeWayCost cost = {request->way, .requests = request->way_requests, .bytes = request->way_bytes, .units = request->way_units};

	if (skipped > 0 && request->op == PINECONE_OP_LIST_FETCH && request->way == PINECONE_WAY_IDS_ORDERED && known->session != NULL)
		pinecone_way_leave_out(&reading, skipped, &cost);
	return (Expected){cost.requests, cost.units, cost.bytes};
}

static Expected
expect_filter(const Known *known)
{
	double bytes = known->records * known->record;
	double pages = Max(known->namespaces, ceil(bytes / PINECONE_REPLY_BYTES));

	return (Expected){pages, Max(pages, known->records / PINECONE_RECORDS_PER_UNIT), bytes};
}

/* Of one */
static double
search_units(const Known *known)
{
	double gb = known->stored / known->namespaces * (BYTES_OF_ID + known->metadata + known->dimension * STORED_NUMBER) / GB;

	return Max(LEAST_QUERY_UNITS, gb);
}

/* A search that is read to its end is asked for again, with twice as many each time. */
static Expected
expect_query(const Known *known, bool limited)
{
	double first = limited ? known->records : Min(known->records, PINECONE_FIRST_TOP_K);
	double rounds = 1 + Max(0, ceil(log2(Min(known->records, PINECONE_MAX_TOP_K) / first)));
	double requests = known->namespaces * rounds;

	return (Expected){requests, requests * search_units(known),
					  known->match * first * (exp2(rounds) - 1) * known->namespaces};
}

/* Records in the order of a number: how these are spread, in each namespace, and those that are wanted */
static Expected
expect_order(const Known *known)
{
	Expected expected = expect_filter(known);

	expected.requests += known->namespaces * REQUESTS_OF_ORDER;
	expected.read_units += known->namespaces * search_units(known);
	return expected;
}

/* Is it known how many records each value has? */
static bool
counts_values(const PineconeScanState *state)
{
	for (int i = 0; i < state->nlayout; i++)
	{
		if (state->layout[i] == PINECONE_LAYOUT_COUNT || state->layout[i] == PINECONE_LAYOUT_NOT_NULL ||
			state->layout[i] <= PINECONE_LAYOUT_FILTERED)
			return state->request->grouped;
	}
	return false;
}

/*
 * The values of a field, and a count of each, by a search or a dry run; the same
 * with each filter of a count.
 */
static Expected
expect_groups(const PineconeScanState *state, const Known *known)
{
	const PineconeRequest *request = state->request;
	double values = request->rows / (request->group_namespaces ? known->namespaces : 1);
	double counts = counts_values(state) ? values : 0;
	double parts = known->namespaces * (1 + list_length(request->counts));
	double requests = counts + (request->grouped ? REQUESTS_OF_GROUPS : REQUESTS_OF_GROUPS - 1);
	double rate = known->session ? pinecone_session_rate(known->session, PINECONE_RATE_UPDATE_BY_METADATA) : 0;
	double searches = 1;

	if (counts > 0 && request->group_searches > 0 && rate > 0 && counts > rate)
		searches += counts + 1;
	if (known->records >= PINECONE_MOST_TOLD)
		requests += ceil(known->records / PINECONE_COUNTED_OF_PART);
	return (Expected){parts * requests, parts * searches * search_units(known), parts * searches * known->match};
}

/* Are ids after one looked for where they are?  As run.c decides. */
static bool
walks(const PineconeScanState *state, const PineconeValues *values, const Known *known)
{
	double rows = pinecone_explain_request_rows(state->request, values);

	return state->request->after >= 0 && rows >= 0 && rows <= PINECONE_WALK_MOST_IDS && known->namespaces == 1 &&
		   known->stored > 2 * PINECONE_WALK_MOST_IDS && state->table->schema == NULL;
}

static Expected
expect(const PineconeScanState *state, const PineconeValues *values, const Known *known)
{
	const PineconeRequest *request = state->request;
	double skipped = pinecone_explain_request_skipped(request, values);
	Expected list;
	double walk;

	if (request->way != PINECONE_WAY_PAGES)
		return expect_way(state, known, skipped);
	switch (request->op)
	{
		case PINECONE_OP_FETCH:
			return expect_fetch(known, ids_named(request, values));
		case PINECONE_OP_LIST:
		case PINECONE_OP_LIST_FETCH:
			list = request->op == PINECONE_OP_LIST ? expect_list(known, known->records) : expect_list_fetch(known, skipped);
			walk = request->descending		   ? 1 + (request->before < 0 ? REQUESTS_OF_DESCENT : REQUESTS_OF_WALK) :
				   walks(state, values, known) ? REQUESTS_OF_WALK :
												 0;
			return (Expected){list.requests + walk, list.read_units + walk, list.bytes};
		case PINECONE_OP_FILTER:
			return expect_filter(known);
		case PINECONE_OP_ORDERED:
			return expect_order(known);
		case PINECONE_OP_QUERY:
			return expect_query(known, pinecone_explain_request_rows(request, values) >= 0);
		case PINECONE_OP_COUNT:
			return (Expected){known->namespaces * Max(1, list_length(request->counts)), 0, 0};
		case PINECONE_OP_GROUPS:
			return expect_groups(state, known);
		case PINECONE_OP_STATS:
		default:
			return (Expected){1, 0, 0};
	}
}

void
pinecone_expected_explain(const PineconeScanState *state, const PineconeValues *values,
						  List *namespaces, ExplainState *es)
{
	Known known;
	Expected expected;

	if (!es->costs)
		return;
	known = find_known(state, values, namespaces);
	expected = expect(state, values, &known);
	ExplainPropertyFloat("Pinecone Expected Requests", NULL, expected.requests, 0, es);
	ExplainPropertyFloat("Pinecone Expected Read Units", NULL, ceil(expected.read_units), 0, es);
	ExplainPropertyFloat("Pinecone Expected Bytes", NULL, expected.bytes, 0, es);
}
