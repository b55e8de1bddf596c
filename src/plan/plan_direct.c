/*
 * plan_direct.c
 *		Which UPDATEs and DELETEs go as one request, or by their ids alone.
 *
 * One request does when the filter says exactly which rows are meant and the
 * values to set do not depend on the row, or are the metadata with some fields
 * set.  All rows are those of a filter that every record meets.  Ids do where nobody asks for the rows,
 * under option "verify_deletes" set to false, and if they are what is deleted: one
 * namespace, and no id that may be met twice or that the column could not show.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "option/option_list.h"
#include "plan/plan_info.h"
#include "plan/plan_modify.h"
#include "request/request.h"
#include "request/shippable.h"

/* ---- By a filter ---- */

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
		   request->filter != NULL && request->ids == NIL && request->prefix < 0 &&
		   !pinecone_request_matches_words(request->filter);
}

/*
 * Does the scan bring all records, and can a filter say so?  It is "has the field,
 * or has it not"; whether that is all of them is looked at when it runs.
 */
static bool
request_is_everything(PineconeTable *table, ForeignScan *scan)
{
	PineconeRequest *request = pinecone_request_from_list(scan->fdw_private);

	return (request->op == PINECONE_OP_LIST || request->op == PINECONE_OP_LIST_FETCH) &&
		   scan->scan.plan.qual == NIL && request->prefix < 0 && request->namespace_quals == NIL &&
		   table->schema == NULL && table->namespace_attnum == 0 && table->count_from_dry_run;
}

/* Make it such a filter. */
static void
ask_by_filter(PineconeTable *table, ForeignScan *scan)
{
	PineconeRequest *request = pinecone_request_from_list(scan->fdw_private);

	request->op = PINECONE_OP_FILTER;
	request->filter = palloc0(sizeof(PineconeCondition));
	request->filter->kind = PINECONE_COND_OR;
	request->filter->value = -1;
	for (int i = 0; i < 2; i++)
	{
		PineconeCondition *part = palloc0(sizeof(PineconeCondition));

		part->kind = i == 0 ? PINECONE_COND_EXISTS : PINECONE_COND_NOT_EXISTS;
		part->key = "id";
		part->value = -1;
		request->filter->args = lappend(request->filter->args, part);
	}
	scan->fdw_private = pinecone_request_to_list(request);
}

/* Can a column be set to a value for all records at once? */
static bool
assignment_is_direct(PineconeTable *table, AttrNumber attnum, Expr *value)
{
	PineconeColumn *column = pinecone_option_column(table, attnum);

	/* what the schema of a document index declares is set by id */
	if (column == NULL || column->role != PINECONE_ROLE_FIELD || column->declared)
		return false;
	if (IsA(value, Const) && ((Const *) value)->constisnull)
		return false;
	return !contain_var_clause((Node *) value) && !contain_subplans((Node *) value) &&
		   !contain_volatile_functions((Node *) value);
}

/* Can an object be laid over the metadata by setting its fields? */
static bool
sets_fields(Jsonb *object)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue value;
	int n = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		return false;
	(void) JsonbIteratorNext(&it, &value, false);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		/* null is left out of what is written, and an object cannot be */
		if (token == WJB_VALUE &&
			(value.type == jbvNull || (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))))
			return false;
		n += token == WJB_KEY;
	}
	return n > 0;
}

static bool
is_jsonb(Expr *expr)
{
	return IsA(expr, Const) && ((Const *) expr)->consttype == JSONBOID && !((Const *) expr)->constisnull;
}

/* The object of jsonb_set(metadata, '{key}', value), or NULL. */
static Expr *
object_of_set(List *args)
{
	Const *path = lsecond(args);
	Datum *names;
	bool *nulls;
	int n;
	JsonbValue key = {.type = jbvString};
	JsonbValue value;
	PineconeJsonbState state = {0};

	if (!IsA(path, Const) || path->constisnull || !is_jsonb(lthird(args)) || !IsA(lfourth(args), Const) ||
		((Const *) lfourth(args))->constisnull || !DatumGetBool(((Const *) lfourth(args))->constvalue))
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(path->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	if (n != 1 || nulls[0])
		return NULL;
	key.val.string.val = TextDatumGetCString(names[0]);
	key.val.string.len = strlen(key.val.string.val);
	pinecone_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	pinecone_push_jsonb(&state, WJB_KEY, &key);
	JsonbToJsonbValue(DatumGetJsonbP(((Const *) lthird(args))->constvalue), &value);
	if (value.type == jbvBinary && value.val.binary.data->header & JB_FSCALAR)
		(void) JsonbExtractScalar(value.val.binary.data, &value);
	pinecone_push_jsonb(&state, WJB_VALUE, &value);
	pinecone_push_jsonb(&state, WJB_END_OBJECT, NULL);
	return (Expr *) makeConst(JSONBOID, -1, InvalidOid, -1, JsonbPGetDatum(JsonbValueToJsonb(state.result)),
							  false, false);
}

/* The object of "metadata || object", also as jsonb_set(), if fields are all that it sets; or NULL. */
static Expr *
laid_over_metadata(PineconeTable *table, Index result_relation, Expr *value)
{
	Oid funcid = IsA(value, OpExpr) ? get_opcode(((OpExpr *) value)->opno) : IsA(value, FuncExpr) ? ((FuncExpr *) value)->funcid :
																									InvalidOid;
	List *args = IsA(value, OpExpr) ? ((OpExpr *) value)->args : IsA(value, FuncExpr) ? ((FuncExpr *) value)->args :
																						NIL;
	Expr *object = NULL;
	Var *var;

	if (funcid != F_JSONB_CONCAT && funcid != F_JSONB_SET)
		return NULL;
	var = linitial(args);
	if (!IsA(var, Var) || var->varno != result_relation || var->varattno != table->metadata_attnum)
		return NULL;
	if (funcid == F_JSONB_SET)
		object = object_of_set(args);
	else if (is_jsonb(lsecond(args)))
		object = lsecond(args);
	return object != NULL && sets_fields(DatumGetJsonbP(((Const *) object)->constvalue)) ? object : NULL;
}

/* The assignments of an UPDATE; false when they depend on the row. */
static bool
direct_assignments(PlannerInfo *root, Index result_relation, PineconeTable *table, List **attnums,
				   List **values)
{
	List *targets;
	ListCell *lt;
	ListCell *la;

	/* of SET (a, b) = (SELECT ...) the columns have parameters, and the subquery is elsewhere in the list */
	if (contain_subplans((Node *) root->processed_tlist))
		return false;
	get_translated_update_targetlist(root, result_relation, &targets, attnums);
	*values = NIL;
	forboth(lt, targets, la, *attnums)
	{
		Expr *value = lfirst_node(TargetEntry, lt)->expr;
		Expr *object = NULL;

		/* documents are made anew for that, and what does not fit reads as NULL */
		if (table->schema == NULL && !table->type_error_null && table->metadata_attnum > 0 && lfirst_int(la) == table->metadata_attnum)
			object = laid_over_metadata(table, result_relation, value);
		if (object != NULL)
			value = object;
		else if (!assignment_is_direct(table, lfirst_int(la), value))
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
		case NUMERICOID:
			return false; /* numeric(p,s); a numeric may have more digits */
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

/* ---- By ids ---- */

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

/* May a DELETE or UPDATE go by the scan's ids alone? */
static bool
may_go_by_ids(PineconeTable *table, ModifyTable *plan, ForeignScan *scan)
{
	PineconeRequest *request = pinecone_request_from_list(scan->fdw_private);
	PineconeColumn *id = pinecone_option_column(table, table->id_attnum);

	if (plan->operation == CMD_DELETE ? table->verify_deletes : table->verify_updates)
		return false;
	/* a partition or child could hold what the next one does */
	if (list_length(plan->resultRelations) != 1)
		return false;
	/* a record whose id does not fit is an error, or is not found */
	if (getBaseType(id->typid) != id->typid || id->typmod >= 0)
		return false;
	return scan->scan.plan.qual == NIL && request->op == PINECONE_OP_FETCH &&
		   request->filter == NULL && request->prefix < 0 && request->namespace_quals == NIL &&
		   has_one_namespace(table, request, scan->fdw_exprs);
}

/* ---- The plan ---- */

/* One request by a filter, or writes of ids: where the scan is all that feeds the modification, and says it all. */
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
	bool everything;
	bool checked;

	if (scan == NULL || plan->returningLists != NIL || !pinecone_enable_direct_modify ||
		(plan->operation != CMD_UPDATE && plan->operation != CMD_DELETE))
		return false;
	table = ((PineconePlanInfo *) find_base_rel(root, result_relation)->fdw_private)->table;
	if (table->id_attnum == 0)
		return false;
	by_ids = may_go_by_ids(table, plan, scan);
	everything = plan->operation == CMD_UPDATE && request_is_everything(table, scan);
	if (!by_ids && ((!request_is_exact(scan) && !everything) ||
					(plan->operation == CMD_DELETE && !table->delete_by_filter)))
		return false;
	if (plan->operation == CMD_UPDATE &&
		(!direct_assignments(root, result_relation, table, &attnums, &values) ||
		 touches_partition_key(rte->relid, attnums)))
		return false;

	if (everything)
		ask_by_filter(table, scan);
	checked = !by_ids && needs_check(table, scan);
	scan->operation = plan->operation;
	scan->resultRelation = result_relation;
	scan->scan.plan.async_capable = false;
	scan->fdw_private = list_make5(scan->fdw_private, attnums,
								   makeInteger(list_length(scan->fdw_exprs)),
								   makeInteger(plan->canSetTag), makeInteger(checked));
	scan->fdw_private = lappend(scan->fdw_private, makeInteger(everything));
	scan->fdw_exprs = list_concat(scan->fdw_exprs, values);
	return true;
}
