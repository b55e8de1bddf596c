/*
 * plan_cost.c
 *		What requests cost, and what comes with them.
 */
#include "postgres.h"

#include <math.h>

#include "plan/plan_cost.h"

Cost
pinecone_cost_list(double records)
{
	return PINECONE_REQUEST_COST * (1 + records / 100) + records * 20 * PINECONE_BYTE_COST;
}

Cost
pinecone_cost_fetch(const PineconePlanInfo *info, double records)
{
	return PINECONE_REQUEST_COST + floor(records / 100) * PINECONE_NEXT_REQUEST_COST +
		   records * info->record_bytes * PINECONE_BYTE_COST;
}

Cost
pinecone_cost_filter(const PineconePlanInfo *info, double records)
{
	return PINECONE_FILTER_REQUEST_COST + records * pinecone_cost_filter_record(info);
}

Cost
pinecone_cost_filter_request(const PineconePlanInfo *info)
{
	double limit = info->session ? pinecone_session_rate(info->session, PINECONE_RATE_FETCH_BY_METADATA) : 0;

	return Max(PINECONE_FILTER_REQUEST_COST, limit > 0 ? PINECONE_SECOND_COST / limit : 0);
}

Cost
pinecone_cost_filter_record(const PineconePlanInfo *info)
{
	return info->record_bytes * (PINECONE_FILTER_REQUEST_COST / (3 * 1024 * 1024) + PINECONE_BYTE_COST);
}
