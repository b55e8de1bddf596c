/*
 * modify_direct.c
 *		UPDATE and DELETE of all records that match a filter, as one request.
 *
 * This is planned when the filter says exactly which rows are meant and the
 * values to set do not depend on the row.  Whether it is done so shows when
 * the values are known: a field set to NULL, or rows that this transaction has
 * written itself, are dealt with record by record.  What is deleted by its id,
 * unseen, comes this way as well: see delete_ids.c.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "modify/modify.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "pending/write_plane.h"
#include "plan/plan_modify.h"
#include "request/shippable.h"
#include "scan/run_values.h"
#include "scan/scan.h"
#include "scan/unmatched.h"

/* As many are modified one by one rather than waiting for the service */
#define FEW_MATCHES 1000

/* ---- Planning ---- */

/* The scan of the target, if it is all that feeds the modification. */
static ForeignScan *
target_scan(ModifyTable *plan, Index result_relation, int subplan_index)
{
	Plan *subplan = outerPlan(plan);

	if (IsA(subplan, Append))
	{
		Append *append = (Append *) subplan;

		if (subplan_index >= list_length(append->appendplans))
			return NULL;
		subplan = list_nth(append->appendplans, subplan_index);
	}
	if (!IsA(subplan, ForeignScan) ||
		((ForeignScan *) subplan)->scan.scanrelid != result_relation)
		return NULL;
	return (ForeignScan *) subplan;
}

/* Does the scan's request say exactly which records are meant? */
static bool
request_is_exact(ForeignScan *scan)
{
	PineconeRequest *request = pinecone_request_from_list(scan->fdw_private);

	return scan->scan.plan.qual == NIL && request->op == PINECONE_OP_FILTER &&
		   request->filter != NULL && request->ids == NIL && request->prefix < 0;
}

/* Can a column be set to a value for all records at once? */
static bool
assignment_is_direct(PineconeTable *table, AttrNumber attnum, Expr *value)
{
	PineconeColumn *column = pinecone_option_column(table, attnum);

	if (column == NULL || column->role != PINECONE_ROLE_FIELD)
		return false;
	if (IsA(value, Const) && ((Const *) value)->constisnull)
		return false;
	return !contain_var_clause((Node *) value) && !contain_subplans((Node *) value) &&
		   !contain_volatile_functions((Node *) value);
}

/* The assignments of an UPDATE; false when they depend on the row. */
static bool
direct_assignments(PlannerInfo *root, Index result_relation, PineconeTable *table, List **attnums,
				   List **values)
{
	List *targets;
	ListCell *lt;
	ListCell *la;

	get_translated_update_targetlist(root, result_relation, &targets, attnums);
	*values = NIL;
	forboth(lt, targets, la, *attnums)
	{
		Expr *value = lfirst_node(TargetEntry, lt)->expr;

		if (!assignment_is_direct(table, lfirst_int(la), value))
			return false;
		*values = lappend(*values, value);
	}
	return *values != NIL;
}

/* Could a row leave its partition by the assignments? */
static bool
touches_partition_key(Oid relid, List *attnums)
{
	Relation rel = table_open(relid, NoLock);
	Bitmapset *key = NULL;
	bool touched = false;
	ListCell *lc;

	if (rel->rd_rel->relispartition)
		pull_varattnos((Node *) RelationGetPartitionQual(rel), 1, &key);
	table_close(rel, NoLock);
	foreach(lc, attnums)
		touched = touched || bms_is_member(lfirst_int(lc) - FirstLowInvalidHeapAttributeNumber, key);
	return touched;
}

/*
 * Is a value of this type one that a column of integers can hold?  What equals
 * it then fits the column.
 */
static bool
integer_fits(Oid column, Oid value)
{
	switch (column)
	{
		case INT8OID:
			return value == INT8OID || value == INT4OID || value == INT2OID;
		case INT4OID:
			return value == INT4OID || value == INT2OID;
		default:
			return value == column; /* smallint, and days */
	}
}

/*
 * Does whatever meets a condition on a column fit it?  Not where a list may
 * contain what a text is to equal, nor where 2.5 is less than 3.
 */
static bool
matches_fit_column(PineconeTable *table, const PineconeCondition *condition, List *exprs)
{
	PineconeColumn *column = pinecone_option_column(table, condition->attnum);
	Oid type = InvalidOid;
	bool equals = false;

	if (getBaseType(column->typid) != column->typid)
		return false; /* a domain's conditions are its own */
	if (condition->value >= 0)
		type = getBaseType(exprType(list_nth(exprs, condition->value)));
	switch (condition->kind)
	{
		case PINECONE_COND_NOT_EXISTS:
			return true;
		case PINECONE_COND_IN:
			type = getBaseType(get_element_type(type));
			equals = true;
			break;
		case PINECONE_COND_NOT_DISTINCT:
			equals = true;
			break;
		case PINECONE_COND_COMPARE:
			equals = condition->compare == PINECONE_EQ;
			if (condition->compare == PINECONE_NE)
				return false;
			break;
		default:
			return false;
	}
	switch (pinecone_shippable_class(column))
	{
		case PINECONE_CLASS_NUMBER:
			return true;
		case PINECONE_CLASS_BOOL:
			return equals;
		case PINECONE_CLASS_INT:
			return equals && integer_fits(column->typid, type);
		default:
			return false;
	}
}

/*
 * The columns of a condition, and those whose values are known to fit in
 * whatever meets it.
 */
static void
classify_columns(PineconeTable *table, const PineconeCondition *condition, List *exprs,
				 Bitmapset **columns, Bitmapset **fitting)
{
	ListCell *lc;

	*columns = *fitting = NULL;
	if (condition->kind != PINECONE_COND_AND && condition->kind != PINECONE_COND_OR)
	{
		/* a condition on the metadata as a whole has none */
		if (condition->attnum <= 0)
			return;
		*columns = bms_make_singleton(condition->attnum);
		if (matches_fit_column(table, condition, exprs))
			*fitting = bms_copy(*columns);
		return;
	}
	foreach(lc, condition->args)
	{
		Bitmapset *arg_columns;
		Bitmapset *arg_fitting;

		classify_columns(table, lfirst(lc), exprs, &arg_columns, &arg_fitting);
		*columns = bms_join(*columns, arg_columns);
		if (condition->kind == PINECONE_COND_AND || lc == list_head(condition->args))
			*fitting = bms_join(*fitting, arg_fitting);
		else
			*fitting = bms_int_members(*fitting, arg_fitting);
	}
}

/*
 * May a record match although a value of it does not fit the condition's
 * column?  A SELECT that reads the column would end there.
 */
static bool
needs_check(PineconeTable *table, ForeignScan *scan)
{
	PineconeRequest *request = pinecone_request_from_list(scan->fdw_private);
	Bitmapset *columns;
	Bitmapset *fitting;

	/* under on_type_error 'null' what is exact is so for these, too */
	if (table->type_error_null)
		return false;
	classify_columns(table, request->filter, scan->fdw_exprs, &columns, &fitting);
	return !bms_is_subset(columns, fitting);
}

bool
pineconePlanDirectModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
						 int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(result_relation, root);
	ForeignScan *scan = target_scan(plan, result_relation, subplan_index);
	PineconeTable *table;
	List *attnums = NIL;
	List *values = NIL;
	bool by_ids;
	bool checked;

	if (scan == NULL || plan->returningLists != NIL || !pinecone_enable_direct_modify ||
		(plan->operation != CMD_UPDATE && plan->operation != CMD_DELETE))
		return false;
	table = pinecone_option_table(rte->relid);
	if (table->id_attnum == 0)
		return false;
	by_ids = pinecone_modify_may_delete_ids(table, plan, scan);
	if (!by_ids && (!request_is_exact(scan) ||
					(plan->operation == CMD_DELETE && !table->delete_by_filter)))
		return false;
	if (plan->operation == CMD_UPDATE &&
		(!direct_assignments(root, result_relation, table, &attnums, &values) ||
		 touches_partition_key(rte->relid, attnums)))
		return false;

	checked = !by_ids && needs_check(table, scan);
	scan->operation = plan->operation;
	scan->resultRelation = result_relation;
	scan->scan.plan.async_capable = false;
	scan->fdw_private = list_make5(scan->fdw_private, attnums,
								   makeInteger(list_length(scan->fdw_exprs)),
								   makeInteger(plan->canSetTag), makeInteger(checked));
	scan->fdw_exprs = list_concat(scan->fdw_exprs, values);
	return true;
}

/* ---- Execution ---- */

typedef struct DirectModify
{
	PineconeScanState *scan;
	PineconeModify *modify;
	CmdType operation;
	PineconeReader *reader; /* of what matching records are checked for, or NULL */
	List *attnums;
	int first_value;
	Datum *values; /* a row with the assigned columns */
	bool *isnull;
	bool any_null;
} DirectModify;

void
pineconeBeginDirectModify(ForeignScanState *node, int eflags)
{
	pineconeBeginForeignScan(node, eflags);
}

/* Evaluate the assigned values into a row. */
static void
evaluate_assignments(ForeignScanState *node, DirectModify *direct)
{
	ListCell *lc;

	foreach(lc, direct->attnums)
	{
		int number = direct->first_value + foreach_current_index(lc);
		int n = lfirst_int(lc) - 1;

		direct->isnull[n] = !pinecone_run_evaluate(node, number);
		direct->values[n] = direct->scan->run->values.values[number];
		direct->any_null = direct->any_null || direct->isnull[n];
	}
}

/* A record's id as a value of the id column. */
static void
set_id(DirectModify *direct, const char *id)
{
	PineconeTable *table = direct->modify->table;
	int n = table->id_attnum - 1;

	if (!pinecone_convert_id_datum(table->columns[n].typid, id, &direct->values[n]))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("cannot modify record \"%s\" of foreign table \"%s\": its id does not fit column \"%s\"",
						id, table->name, table->columns[n].name),
				 errhint("Declare the column as text, or leave such records out with a condition.")));
	direct->isnull[n] = false;
}

/* One record that matches: deleted, or written with the assigned values. */
static void
modify_record(DirectModify *direct, const char *namespace_, PineconeRecord *stored)
{
	PineconeModify *modify = direct->modify;
	PineconeWrite write = {PINECONE_WRITE_UPDATE};

	if (direct->operation == CMD_DELETE)
	{
		pinecone_modify_delete(modify, namespace_, stored->id);
		return;
	}
	set_id(direct, stored->id);
	if (pinecone_modify_must_replace(modify, namespace_) ||
		!pinecone_convert_set_metadata(modify->writer, direct->values, direct->isnull,
									   &write.record))
	{
		write.kind = PINECONE_WRITE_UPSERT;
		pinecone_convert_record(modify->writer, direct->values, direct->isnull, stored,
								&write.record);
	}
	pinecone_sink_write(modify->sink, namespace_, &write);
}

static Bitmapset *
condition_columns(const PineconeCondition *condition)
{
	Bitmapset *columns = condition->attnum > 0 ? bms_make_singleton(condition->attnum) : NULL;
	ListCell *lc;

	foreach(lc, condition->args)
		columns = bms_join(columns, condition_columns(lfirst(lc)));
	return columns;
}

/* Raise an error if what conditions look at does not fit its column. */
static void
check_record(DirectModify *direct, PineconeRecord *stored)
{
	PineconeScanState *scan = direct->scan;

	if (direct->reader != NULL)
		pinecone_convert_row(direct->reader, stored, scan->row_values, scan->row_isnull);
}

/* Read the records that match, and check each; returns how many they are. */
static double
check_matching(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeSourceSpec spec;
	PineconeSource *stream;
	PineconeRecord *stored;
	double n = 0;

	pinecone_run_fill_spec(node, PINECONE_OP_FILTER, &spec);
	spec.namespace_ = namespace_;
	spec.want_metadata = true;
	stream = pinecone_source_begin(&spec);
	while (pinecone_source_next(stream, true, &stored) == PINECONE_SOURCE_RECORD)
	{
		MemoryContext old = MemoryContextSwitchTo(direct->modify->row_cxt);

		MemoryContextReset(direct->modify->row_cxt);
		check_record(direct, stored);
		MemoryContextSwitchTo(old);
		n++;
	}
	pinecone_source_end(stream);
	return n;
}

/* Record by record; returns how many. */
static double
modify_records(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;
	PineconeSourceSpec spec;
	PineconeSource *stream;
	PineconeRecord *stored;
	double n = 0;

	pinecone_run_fill_spec(node, scan->run->filter.kind == PINECONE_FILTER_JSON ? PINECONE_OP_FILTER : PINECONE_OP_LIST_FETCH,
						   &spec);
	spec.namespace_ = namespace_;
	spec.want_values = direct->operation == CMD_UPDATE;
	spec.want_metadata = spec.want_values || direct->reader != NULL;
	if (spec.want_values)
		spec.fields = NULL;
	stream = pinecone_source_begin(&spec);
	while (pinecone_source_next(stream, true, &stored) == PINECONE_SOURCE_RECORD)
	{
		MemoryContext old = MemoryContextSwitchTo(direct->modify->row_cxt);

		MemoryContextReset(direct->modify->row_cxt);
		check_record(direct, stored);
		modify_record(direct, namespace_, stored);
		MemoryContextSwitchTo(old);
		n++;
	}
	pinecone_source_end(stream);
	return n;
}

/*
 * The filter for records that still differ from what is set; NULL when a list
 * is set, for a filter cannot compare lists.
 */
static char *
rest_filter(const char *filter, const PineconeRecord *set)
{
	Jsonb *fields = pinecone_pending_metadata(set);
	JsonbIterator *iterator = JsonbIteratorInit(&fields->root);
	JsonbIteratorToken token;
	JsonbValue value;
	StringInfoData buf;
	char *key = NULL;
	const char *separator = "";

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"$and\":[%s,{\"$or\":[", filter);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			StringInfoData name;

			initStringInfo(&name);
			escape_json(&name, pnstrdup(value.val.string.val, value.val.string.len));
			key = name.data;
		}
		else if (token == WJB_VALUE)
		{
			if (value.type == jbvBinary)
				return NULL;
			appendStringInfo(&buf, "%s{%s:{\"$exists\":false}},{%s:{\"$ne\":%s}}", separator, key, key,
							 JsonbToCString(NULL, &JsonbValueToJsonb(&value)->root, 0));
			separator = ",";
		}
	}
	appendStringInfoString(&buf, "]}]}");
	return buf.data;
}

/* How many records match, by a dry run. */
static double
count_matching(DirectModify *direct, const char *namespace_, const char *filter)
{
	PineconeSession *session = direct->modify->session;
	PineconeCall *call = pinecone_write_plane(session)->count(session, &direct->scan->counters,
															  namespace_, filter);
	double count = 0;

	pinecone_vectors_wait(call);
	if (pinecone_vectors_failure(call) != PINECONE_FAILURE_NO_NAMESPACE)
		count = pinecone_vectors_count_result(call);
	pinecone_vectors_free(call);
	return count;
}

/* As one request; returns how many records match, or -1 when it cannot be done. */
static double
modify_by_filter(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;
	PineconeModify *modify = direct->modify;
	PineconeWrite write = {PINECONE_WRITE_DELETE_FILTER};
	double count;

	write.filter = scan->run->filter.json;
	if (direct->operation == CMD_UPDATE)
	{
		write.kind = PINECONE_WRITE_UPDATE_FILTER;
		if (!pinecone_convert_set_fields(modify->writer, direct->values, direct->isnull,
										 &write.record))
			return -1;
		write.rest = rest_filter(write.filter, &write.record);
	}

	count = direct->reader != NULL ? check_matching(node, direct, namespace_) :
									 count_matching(direct, namespace_, write.filter);
	if (count > pinecone_write_plane(modify->session)->max_updated && direct->operation == CMD_UPDATE && write.rest == NULL)
		return -1;
	if (count > 0)
		pinecone_sink_write(modify->sink, namespace_, &write);
	return count;
}

/*
 * Are writes under way that the filter could match as well?  It is meant for
 * what there was when the statement began.
 */
static bool
has_other_writes(DirectModify *direct, const char *namespace_)
{
	PineconeModify *modify = direct->modify;

	return pinecone_sink_holds(modify->sink, namespace_) ||
		   pinecone_pending_waits(modify->session, namespace_);
}

/*
 * A filter is carried out on what searches show.  Where that lacks writes, a
 * few records are dealt with one by one; for many it is quicker to wait.
 */
static bool
filter_is_in_time(DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;

	if (pinecone_unseen_allows_filter(scan->session, namespace_, direct->operation == CMD_UPDATE))
		return true;
	if (count_matching(direct, namespace_, scan->run->filter.json) <= FEW_MATCHES)
		return false;
	pinecone_consistency_settle(scan->session, scan->table, namespace_);
	return true;
}

static double
modify_namespace(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;
	double count = -1;

	if (scan->request->ids != NIL)
	{
		scan->run->counters->namespaces++;
		return pinecone_modify_delete_ids(direct->modify, node, namespace_);
	}
	pinecone_consistency_wait(scan->session, scan->table, namespace_);
	if (scan->run->filter.kind == PINECONE_FILTER_NEVER)
		return 0;
	scan->run->counters->namespaces++;
	if (scan->run->filter.kind == PINECONE_FILTER_JSON && !direct->any_null &&
		!has_other_writes(direct, namespace_) && filter_is_in_time(direct, namespace_))
		count = modify_by_filter(node, direct, namespace_);
	return count < 0 ? modify_records(node, direct, namespace_) : count;
}

/* Nothing is sent before the rest of the statement has read what there was. */
static PineconeStatement *
shared_statement(EState *estate)
{
	return pinecone_count_result_relations(estate) > 1 ? pinecone_statement_of(estate) : NULL;
}

static double
execute(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PineconeScanState *scan = node->fdw_state;
	PineconeStatement *statement = shared_statement(node->ss.ps.state);
	PineconeTable *table = scan->table;
	DirectModify direct = {0};
	Bitmapset *assigned = NULL;
	double count = 0;
	ListCell *lc;

	direct.scan = scan;
	direct.operation = plan->operation;
	direct.attnums = list_nth(plan->fdw_private, PINECONE_DIRECT_ASSIGNED);
	direct.first_value = intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_FIRST_VALUE));
	if (intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_CHECKED)))
		direct.reader = pinecone_convert_reader(table, condition_columns(scan->request->filter));
	direct.values = palloc0(table->ncolumns * sizeof(Datum));
	direct.isnull = palloc(table->ncolumns * sizeof(bool));
	memset(direct.isnull, true, table->ncolumns * sizeof(bool));
	foreach(lc, direct.attnums)
		assigned = bms_add_member(assigned, lfirst_int(lc));
	direct.modify = pinecone_modify_create(statement, table, scan->userid, direct.operation,
										   assigned, true);

	pinecone_run_prepare(node);
	evaluate_assignments(node, &direct);
	for (int i = 0; i < scan->run->nnamespaces; i++)
		pinecone_modify_refuse_alias(direct.modify,
									 pinecone_option_plain_namespace(scan->run->namespaces[i].name));
	for (int i = 0; i < scan->run->nnamespaces; i++)
		count += modify_namespace(node, &direct,
								  pinecone_option_plain_namespace(scan->run->namespaces[i].name));
	if (count == 0)
		pinecone_unmatched_look(node);
	if (statement != NULL)
	{
		pinecone_statement_add(statement, direct.modify->sink);
		scan->modify = direct.modify;
	}
	else
		pinecone_sink_finish(direct.modify->sink);
	return count;
}

TupleTableSlot *
pineconeIterateDirectModify(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PineconeScanState *scan = node->fdw_state;
	EState *estate = node->ss.ps.state;

	if (!scan->run->done)
	{
		MemoryContext old = MemoryContextSwitchTo(scan->run->cxt);
		double count = execute(node);

		MemoryContextSwitchTo(old);
		scan->run->done = true;
		if (intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_SET_TAG)))
			estate->es_processed += count;
		if (node->ss.ps.instrument)
			node->ss.ps.instrument->tuplecount += count;
	}
	return ExecClearTuple(node->ss.ss_ScanTupleSlot);
}

void
pineconeEndDirectModify(ForeignScanState *node)
{
	PineconeScanState *scan = node->fdw_state;

	if (scan != NULL && scan->modify != NULL)
	{
		pinecone_sink_finish(scan->modify->sink);
		pinecone_statement_remove(scan->modify->statement, scan->modify->sink);
	}
	pineconeEndForeignScan(node);
}
