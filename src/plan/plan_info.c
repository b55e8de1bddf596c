/*
 * plan_info.c
 *		What planning files share about a relation.
 */
#include "postgres.h"

#include "utils/syscache.h"

#include "plan/plan_info.h"

PineconeTime pinecone_plan_began = 0;

PineconeTranslate
pinecone_plan_translate(PlannerInfo *root, RelOptInfo *rel)
{
	PineconeTranslate cxt = {0};

	cxt.root = root;
	cxt.varno = rel->relid;
	cxt.table = ((PineconePlanInfo *) rel->fdw_private)->table;
	return cxt;
}

bool
pinecone_plan_has_mapping(Oid userid, Oid serverid)
{
	return SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(userid),
								 ObjectIdGetDatum(serverid)) ||
		   SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
								 ObjectIdGetDatum(serverid));
}

bool
pineconeIsForeignPathAsyncCapable(ForeignPath *path)
{
	PineconePlanInfo *info = path->path.parent->fdw_private;

	return info->table->async_capable;
}
