/*
 * plan_cost.h
 *		Costs of requests, in units of a sequential page read.
 */
#ifndef PINECONE_PLAN_COST_H
#define PINECONE_PLAN_COST_H

#include "plan/plan_info.h"

/*
 * A request that is waited for takes tens of milliseconds; what else it costs is
 * small beside that.  Low enough for a scan of tens of thousands of records not to
 * be taken for hard work that JIT compilation would ease.
 */
#define PINECONE_REQUEST_COST 25.0
#define PINECONE_NEXT_REQUEST_COST 2.5							   /* one of several in flight */
#define PINECONE_SECOND_COST (20 * PINECONE_REQUEST_COST)		   /* of a wait, if a request takes 50 ms */
#define PINECONE_FILTER_REQUEST_COST (1.5 * PINECONE_REQUEST_COST) /* slower than by id */
#define PINECONE_BYTE_COST 0.000125								   /* transfer and decoding */

/* Ids, page by page; so many records by their ids, or by a filter */
extern Cost pinecone_cost_list(double records);
extern Cost pinecone_cost_fetch(const PineconePlanInfo *info, double records);
extern Cost pinecone_cost_filter(const PineconePlanInfo *info, double records);

/*
 * A fetch by metadata: what one costs where many follow each other, of which few
 * may be sent a second; and what each record adds.
 */
extern Cost pinecone_cost_filter_request(const PineconePlanInfo *info);
extern Cost pinecone_cost_filter_record(const PineconePlanInfo *info);

#endif /* PINECONE_PLAN_COST_H */
