/*
 * explain_expected.c
 *		Requests that a plan is likely to take, by the planner's numbers of rows and
 *		the sizes of pages and batches.
 */
#include "postgres.h"

#include <math.h>

#include "utils/array.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#include "admin/explain_expected.h"
#include "admin/explain_request.h"
#include "base/limits.h"

/* A record's bytes in an upsert, when nothing better is known */
#define BYTES_OF_METADATA 200
#define BYTES_OF_NUMBER 10.0
#define USUAL_DIMENSION 1024

/* An order of numbers, and the values of a field: what is asked besides */
#define ORDER_REQUESTS 5
#define GROUPS_REQUESTS 3

/* The way to an id */
#define WALK_REQUESTS 8

static double
pages(double n, double of_a_page)
{
	return Max(1, ceil(n / Max(of_a_page, 1)));
}

/* Ids that are looked up: those that are known, and else a row each. */
static double
count_ids(const PineconeRequest *request, const PineconeValues *values)
{
	double n = 0;
	ListCell *lc;

	foreach(lc, request->ids)
	{
		int number = lfirst_int(lc);

		if (values->placeholders != NULL && values->placeholders[number] != NULL)
			return Max(request->rows, 1);
		if (values->isnull[number])
			continue;
		if (OidIsValid(get_element_type(getBaseType(values->types[number]))))
			n += ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(values->values[number])),
								ARR_DIMS(DatumGetArrayTypeP(values->values[number])));
		else
			n++;
	}
	return n;
}

double
pinecone_explain_expected_reads(const PineconeScanState *state, const PineconeValues *values)
{
	const PineconeRequest *request = state->request;
	double limit = pinecone_explain_request_rows(request, values);
	double most = limit > 0 ? limit / Max(request->survive, 0.0001) : get_float8_infinity();
	double asked = Max(request->asked, 1);
	double listed = Min(request->listed, most) / asked;
	double walked = request->after >= 0 && limit > 0 ? WALK_REQUESTS : 0;
	double fetched = Min(request->id_quals != NIL ? request->rows : request->listed, most) / asked;

	switch (request->op)
	{
		case PINECONE_OP_STATS:
			return 1;
		case PINECONE_OP_COUNT:
			return asked * Max(list_length(request->counts), 1);
		case PINECONE_OP_FETCH:
			return asked * pages(count_ids(request, values), PINECONE_FETCH_BATCH);
		case PINECONE_OP_LIST:
			return asked * (walked + pages(listed, PINECONE_LIST_PAGE));
		case PINECONE_OP_LIST_FETCH:
			return asked * (walked + pages(listed, PINECONE_LIST_PAGE) + pages(fetched, PINECONE_FETCH_BATCH));
		case PINECONE_OP_FILTER:
			return asked * pages(Min(request->rows / Max(request->survive, 0.0001), most) / asked * request->record_bytes, PINECONE_REPLY_BYTES);
		case PINECONE_OP_ORDERED:
			return asked * ORDER_REQUESTS;
		case PINECONE_OP_GROUPS:
			return asked * (GROUPS_REQUESTS + (list_member_int(request->layout, PINECONE_LAYOUT_COUNT) ? request->rows : 0));
		default:
			return asked;
	}
}

double
pinecone_explain_expected_writes(const ModifyTableState *mtstate, const PineconeTable *table, bool by_record,
								 bool fetched)
{
	double rows = outerPlanState(mtstate)->plan->plan_rows;
	int dimension = USUAL_DIMENSION;
	double batch = PINECONE_DELETE_BATCH;

	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role == PINECONE_ROLE_VALUES && table->columns[i].typmod > 0)
			dimension = table->columns[i].typmod;
	}
	if (mtstate->operation != CMD_DELETE)
		batch = Min(table->batch_size, PINECONE_MAX_BODY / (BYTES_OF_METADATA + dimension * BYTES_OF_NUMBER));
	return (by_record ? rows : ceil(rows / Max(batch, 1))) +
		   (fetched ? ceil(rows / PINECONE_FETCH_BATCH) : 0);
}
