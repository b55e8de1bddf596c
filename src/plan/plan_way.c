/*
 * plan_way.c
 *		What the planner takes for the way that a scan's records are read.
 */
#include "postgres.h"

#include "access/sysattr.h"

#include "base/limits.h"
#include "base/setting.h"
#include "plan/paths.h"
#include "plan/plan_way.h"
#include "scan/field_width.h"

/* Are vectors, or metadata, among the columns that are used? */
static void
note_parts(PineconeTable *table, Bitmapset *used, PineconeReading *reading)
{
	bool all = bms_is_member(-FirstLowInvalidHeapAttributeNumber, used) || !pinecone_enable_columns;
	bool named = table->schema != NULL && !all; /* is it known what is asked for? */
	List *fields = NIL;

	for (int i = 0; i < table->ncolumns; i++)
	{
		PineconeColumn *column = &table->columns[i];

		if (column->role == PINECONE_ROLE_DROPPED ||
			(!all && !bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used)))
			continue;
		if (column->role == PINECONE_ROLE_VALUES || column->role == PINECONE_ROLE_SPARSE_VALUES)
			reading->want_values = true;
		if (column->role == PINECONE_ROLE_FIELD || column->role == PINECONE_ROLE_METADATA)
			reading->want_metadata = true;
		if (column->role == PINECONE_ROLE_METADATA)
			named = false;
		fields = lappend_int(fields, column->attnum);
	}
	reading->metadata_bytes = PINECONE_METADATA_BYTES;
	if (named)
		reading->metadata_bytes = pinecone_width_of_fields(table, fields, PINECONE_METADATA_BYTES);
}

/* What is known of reading a relation's namespaces, of one; false: nothing. */
static bool
describe(RelOptInfo *rel, Bitmapset *used, PineconeReading *reading)
{
	PineconePlanInfo *info = rel->fdw_private;

	memset(reading, 0, sizeof(*reading));
	if (info->session == NULL || info->stats == NULL || info->records <= 0)
		return false;
	reading->session = info->session;
	reading->records = reading->matches = info->records / Max(1, info->nnamespaces);
	reading->fetched = true;
	reading->countable = info->session->schema != NULL ||
						 (info->table->count_from_dry_run && !info->session->no_dry_run && !info->session->dry_run_refused);
	reading->may_sweep = true;
	reading->dimension = info->stats->dimension;
	note_parts(info->table, used, reading);
	return true;
}

/* Of all namespaces */
static void
multiply(const PineconePlanInfo *info, PineconeWayCost *cost)
{
	double namespaces = Max(1, info->nnamespaces);

	cost->requests *= namespaces;
	cost->bytes *= namespaces;
	cost->units *= namespaces;
}

bool
pinecone_plan_way(RelOptInfo *rel, Bitmapset *used, PineconeOperation op, double records, double limit,
				  bool ordered, PineconeWayCost *cost)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeReading reading;

	if (!describe(rel, used, &reading))
		return false;
	reading.matches = records / Max(1, info->nnamespaces);
	reading.limit = limit;
	reading.filtered = op == PINECONE_OP_FILTER;
	reading.ordered = ordered;
	reading.fetched = op != PINECONE_OP_LIST;
	*cost = pinecone_way_choose(&reading);
	multiply(info, cost);
	return true;
}

/* Are the ids that a condition names likely to be found by searches? */
static bool
finds_ids(RelOptInfo *rel, Bitmapset *used, PineconeWayCost *cost)
{
	PineconePlanInfo *info = rel->fdw_private;
	PineconeReading reading;

	if (!describe(rel, used, &reading) || !pinecone_way_finds_ids(&reading, info->nids, cost))
		return false;
	multiply(info, cost);
	return true;
}

Cost
pinecone_plan_way_cost(const PineconeWayCost *cost)
{
	return cost->rounds * PINECONE_REQUEST_COST +
		   Max(0, cost->requests - cost->rounds) * PINECONE_NEXT_REQUEST_COST + cost->bytes * PINECONE_BYTE_COST;
}

void
pinecone_plan_way_note(PlannerInfo *root, RelOptInfo *rel, Bitmapset *used, double records, PineconeRequest *request)
{
	PineconePlanInfo *info = rel->fdw_private;
	double limit = request->limit >= 0 && root->limit_tuples > 0 ? root->limit_tuples : 0;
	PineconeWayCost cost;

	request->matches = records;
	if (request->op == PINECONE_OP_FETCH)
	{
		if (!finds_ids(rel, used, &cost))
			return;
		request->matches = info->records;
	}
	else if ((request->op != PINECONE_OP_LIST && request->op != PINECONE_OP_LIST_FETCH && request->op != PINECONE_OP_FILTER) ||
			 request->prefix >= 0 || request->descending || pinecone_request_matches_words(request->filter) ||
			 !pinecone_plan_way(rel, used, request->op, records, limit, request->sorted, &cost))
		return;
	request->way = cost.way;
	request->way_requests = cost.requests;
	request->way_bytes = cost.bytes;
	request->way_units = cost.units;
	request->way_latency_us = info->session->latency_us;
}
