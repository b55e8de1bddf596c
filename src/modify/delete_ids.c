/*
 * delete_ids.c
 *		DELETE of given ids, without looking which of them are there.
 *
 * Where nobody asks for the rows the only thing that looking tells is their
 * number.  Option "verify_deletes" set to false does without: then the ids are
 * counted.  So this is for statements whose ids are what they delete: one
 * namespace, and no id that may be met twice or that the column could not show.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

#include "modify/modify.h"
#include "scan/run_values.h"
#include "scan/scan.h"

/* ---- Planning ---- */

/* Is there one namespace at most that is asked? */
static bool
has_one_namespace(const PineconeTable *table, const PineconeRequest *request, List *exprs)
{
	ListCell *lc;

	if (table->namespace_attnum == 0)
		return true;
	foreach(lc, request->namespaces)
	{
		List *numbers = lfirst(lc);

		if (list_length(numbers) == 1 &&
			!OidIsValid(get_element_type(getBaseType(exprType(list_nth(exprs, linitial_int(numbers)))))))
			return true;
	}
	return false;
}

bool
pinecone_modify_may_delete_ids(PineconeTable *table, ModifyTable *plan, ForeignScan *scan)
{
	PineconeRequest *request = pinecone_request_from_list(scan->fdw_private);
	PineconeColumn *id = pinecone_option_column(table, table->id_attnum);

	/* a partition or child could hold what the next one does */
	if (table->verify_deletes || plan->operation != CMD_DELETE ||
		list_length(plan->resultRelations) != 1)
		return false;
	/* a record whose id does not fit is an error, or is not found */
	if (getBaseType(id->typid) != id->typid || id->typmod >= 0)
		return false;
	return scan->scan.plan.qual == NIL && request->op == PINECONE_OP_FETCH &&
		   request->filter == NULL && request->prefix < 0 && request->namespace_quals == NIL &&
		   has_one_namespace(table, request, scan->fdw_exprs);
}

/* ---- Execution ---- */

double
pinecone_modify_delete_ids(PineconeModify *modify, ForeignScanState *node, const char *namespace_)
{
	PineconeScanState *scan = node->fdw_state;
	char **ids;
	int n;

	pinecone_run_evaluate_all(node, scan->request->ids);
	ids = pinecone_run_ids(scan->request, &scan->run->values, &n);
	for (int i = 0; i < n; i++)
		pinecone_modify_delete(modify, namespace_, ids[i]);
	return n;
}
