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

/* Slices that an order takes before it has its records; searches for the values of a field */
#define REQUESTS_OF_ORDER 3
#define REQUESTS_OF_VALUE 2

typedef struct Expected
{
	double requests;
	double read_units;
	double bytes;
} Expected;

/* What is known of what is read */
typedef struct Known
{
	double namespaces; /* that are asked */
	double stored;	   /* records in them */
	double records;	   /* of them, those that the service returns */
	int dimension;
	double metadata; /* bytes of one's metadata */
	double record;	 /* bytes of a whole one in a reply */
	double match;	 /* of one of a search, as it is asked for */
} Known;

static PineconeStats *
stats_of(const PineconeScanState *state)
{
	Oid serverid = state->table->server->serverid;

	if (!pinecone_plan_has_mapping(state->userid, serverid))
		return NULL;
	return pinecone_session_known_stats(pinecone_session_get(serverid, state->userid));
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
	PineconeStats *stats = stats_of(state);
	Known known = {.namespaces = Max(1, list_length(namespaces))};

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

/* Whole namespaces, or as much of them as is wanted: ids, and then their records. */
static Expected
expect_list_fetch(const Known *known)
{
	Expected list = expect_list(known, known->records);
	double requests = ceil(known->records / PINECONE_FETCH_BATCH);

	return (Expected){list.requests + requests, list.read_units + Max(requests, known->records / PINECONE_RECORDS_PER_UNIT),
					  list.bytes + known->records * known->record};
}

static Expected
expect_filter(const Known *known)
{
	double bytes = known->records * known->record;
	double pages = Max(known->namespaces, ceil(bytes / PINECONE_REPLY_BYTES));

	return (Expected){pages, Max(pages, known->records / PINECONE_RECORDS_PER_UNIT), bytes};
}

/* A search that is read to its end is asked for again, with twice as many each time. */
static Expected
expect_query(const Known *known, bool limited)
{
	double first = limited ? known->records : Min(known->records, PINECONE_FIRST_TOP_K);
	double rounds = 1 + Max(0, ceil(log2(Min(known->records, PINECONE_MAX_TOP_K) / first)));
	double gb = known->stored / known->namespaces * (BYTES_OF_ID + known->metadata + known->dimension * STORED_NUMBER) / GB;
	double requests = known->namespaces * rounds;

	return (Expected){requests, requests * Max(LEAST_QUERY_UNITS, gb),
					  known->match * first * (exp2(rounds) - 1) * known->namespaces};
}

static Expected
expect(const PineconeScanState *state, const PineconeValues *values, const Known *known)
{
	const PineconeRequest *request = state->request;
	Expected values_of_field;

	/* the planner has reckoned it */
	if (request->way != PINECONE_WAY_PAGES)
		return (Expected){request->way_requests, request->way_units, request->way_bytes};
	switch (request->op)
	{
		case PINECONE_OP_FETCH:
			return expect_fetch(known, ids_named(request, values));
		case PINECONE_OP_LIST:
			return expect_list(known, known->records);
		case PINECONE_OP_LIST_FETCH:
			return expect_list_fetch(known);
		case PINECONE_OP_FILTER:
			return expect_filter(known);
		case PINECONE_OP_ORDERED:
			values_of_field = expect_filter(known);
			values_of_field.requests += REQUESTS_OF_ORDER;
			values_of_field.read_units += REQUESTS_OF_ORDER;
			return values_of_field;
		case PINECONE_OP_QUERY:
			return expect_query(known, pinecone_explain_request_rows(request, values) >= 0);
		case PINECONE_OP_COUNT:
			return (Expected){known->namespaces * Max(1, list_length(request->counts)), 0, 0};
		case PINECONE_OP_GROUPS:
			return (Expected){known->records * REQUESTS_OF_VALUE, known->records, known->records * known->record};
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
