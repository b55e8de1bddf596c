/*
 * explain.c
 *		What EXPLAIN shows of foreign scans and of writes: the operation, what is sent with
 *		it, and with ANALYZE what it cost.
 *
 * Values known when the plan is made are shown as they are sent; others stand
 * as the expression that will give them.  Keys are never near.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "admin/expected.h"
#include "admin/explain.h"
#include "admin/explain_request.h"
#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "client/alias.h"
#include "client/bound.h"
#include "client/hosts.h"
#include "modify/modify.h"
#include "pending/pending.h"
#include "plan/plan_modify.h"
#include "request/filter.h"
#include "scan/explain_spent.h"
#include "scan/run_values.h"
#include "scan/run_words.h"
#include "scan/scan.h"
#include "scan/way.h"

/* Longer texts are abbreviated */
#define MAX_SHOWN 4096

static char *
deparse(ForeignScanState *node, ExplainState *es, List *ancestors, Expr *expr)
{
	List *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);

	return deparse_expression((Node *) expr, context, false, false);
}

/*
 * The values of the request's expressions as far as they are known without
 * running the scan: constants.
 */
static PineconeValues
known_values(ForeignScanState *node, ExplainState *es, List *ancestors)
{
	List *exprs = ((ForeignScan *) node->ss.ps.plan)->fdw_exprs;
	PineconeValues values = {0};
	int n = Max(list_length(exprs), 1);
	ListCell *lc;

	values.n = list_length(exprs);
	values.types = palloc0(n * sizeof(Oid));
	values.values = palloc0(n * sizeof(Datum));
	values.isnull = palloc0(n * sizeof(bool));
	values.placeholders = palloc0(n * sizeof(char *));
	foreach(lc, exprs)
	{
		int i = foreach_current_index(lc);
		Const *value = lfirst(lc);

		values.types[i] = exprType(lfirst(lc));
		if (IsA(value, Const))
		{
			values.values[i] = value->constvalue;
			values.isnull[i] = value->constisnull;
		}
		else
			values.placeholders[i] = psprintf("<%s>", deparse(node, es, ancestors, lfirst(lc)));
	}
	return values;
}

static char *
abbreviate(char *text)
{
	if (strlen(text) <= MAX_SHOWN)
		return text;
	return psprintf("%s...", pnstrdup(text, pg_mbcliplen(text, strlen(text), MAX_SHOWN)));
}

static void
append_namespace(StringInfo buf, const char *name)
{
	name = pinecone_option_plain_namespace(name);
	appendStringInfo(buf, "%s%s", buf->len > 0 ? ", " : "", name[0] ? name : "(default)");
}

/* What names of namespaces stand for, as far as that is known. */
static void
explain_aliases(PineconeScanState *state, List *names, ExplainState *es)
{
	StringInfoData buf;
	ListCell *lc;

	if (state->session == NULL)
		return;
	initStringInfo(&buf);
	foreach(lc, names)
	{
		const char *name = strVal(lfirst(lc));
		const char *target = pinecone_pins_target(state->counters.pins, state->session, name);

		if (target == NULL)
			target = pinecone_alias_known(state->session, name);
		if (target != NULL && strcmp(target, pinecone_option_plain_namespace(name)) != 0)
			appendStringInfo(&buf, "%s%s = %s", buf.len > 0 ? ", " : "", name,
							 target[0] ? target : "(default)");
	}
	if (buf.len > 0)
		ExplainPropertyText("Pinecone Alias", abbreviate(buf.data), es);
}

/* The namespaces of a text or text[] value, added to a list. */
static List *
add_namespaces(List *names, const PineconeValues *values, int number)
{
	Datum *elements = &values->values[number];
	bool *nulls = &values->isnull[number];
	int n = 1;

	if (!nulls[0] && OidIsValid(get_element_type(getBaseType(values->types[number]))))
		deconstruct_array(DatumGetArrayTypeP(elements[0]), TEXTOID, -1, false, TYPALIGN_INT,
						  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			names = lappend(names, makeString(TextDatumGetCString(elements[i])));
	}
	return names;
}

/*
 * What conditions prune the namespaces to, or else the table's: those that are
 * known, which are returned, and expressions for others.
 */
static List *
explain_namespaces(ForeignScanState *node, const PineconeValues *values, ExplainState *es)
{
	PineconeScanState *state = node->fdw_state;
	PineconeTable *table = state->table;
	bool all = table->namespace_attnum > 0 && table->namespaces == NULL;
	List *known = NIL;
	StringInfoData buf;
	StringInfoData unknown;
	ListCell *lc;
	ListCell *lc2;

	initStringInfo(&buf);
	initStringInfo(&unknown);
	Assert(table->nnamespaces == 0 || table->namespaces != NULL);
	for (int i = 0; i < table->nnamespaces; i++)
		known = lappend(known, makeString(table->namespaces[i]));
	if (table->namespace_attnum == 0)
		known = list_make1(makeString(table->namespace_));
	foreach(lc, state->request->namespaces)
	{
		List *names = NIL;
		bool is_known = true;

		foreach(lc2, (List *) lfirst(lc))
			is_known = is_known && values->placeholders[lfirst_int(lc2)] == NULL;
		foreach(lc2, (List *) lfirst(lc))
		{
			if (is_known)
				names = add_namespaces(names, values, lfirst_int(lc2));
			else
				appendStringInfo(&unknown, "%s%s", unknown.len == 0 ? "" : lc2 == list_head(lfirst(lc)) ? " and " :
																										  ", ",
								 pinecone_explain_request_value(values, lfirst_int(lc2)));
		}
		if (is_known)
			known = all ? names : list_intersection(known, names);
		all = all && !is_known;
	}
	foreach(lc, known)
		append_namespace(&buf, strVal(lfirst(lc)));
	if (!all && known == NIL)
		appendStringInfoString(&buf, "none");
	if (unknown.len > 0)
		appendStringInfo(&buf, "%s%s", buf.len > 0 ? " and " : "", unknown.data);
	ExplainPropertyText(table->namespace_attnum > 0 ? "Pinecone Namespaces" : "Pinecone Namespace",
						buf.len > 0 ? abbreviate(buf.data) : "all", es);
	explain_aliases(state, known, es);
	return known;
}

/* Conditions that are asked of what namespaces, or records, are called. */
static void
explain_quals(const char *label, List *quals, ForeignScanState *node, ExplainState *es, List *ancestors)
{
	List *exprs = ((ForeignScan *) node->ss.ps.plan)->fdw_exprs;
	StringInfoData buf;
	ListCell *lc;

	if (quals == NIL)
		return;
	initStringInfo(&buf);
	foreach(lc, quals)
		appendStringInfo(&buf, "%s%s", buf.len > 0 ? " AND " : "",
						 deparse(node, es, ancestors, list_nth(exprs, lfirst_int(lc))));
	ExplainPropertyText(label, abbreviate(buf.data), es);
}

static void
explain_records(PineconeScanState *state, const PineconeValues *values,
				const PineconeFilter *filter, ExplainState *es)
{
	PineconeRequest *request = state->request;

	if (request->filter != NULL)
		ExplainPropertyText("Pinecone Filter",
							filter->kind == PINECONE_FILTER_NEVER  ? "matches no record" :
							filter->kind == PINECONE_FILTER_ALWAYS ? "matches every record" :
																	 abbreviate(filter->json),
							es);
	if (request->ids != NIL)
	{
		StringInfoData buf;
		ListCell *lc;

		initStringInfo(&buf);
		foreach(lc, request->ids)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "", pinecone_explain_request_value(values, lfirst_int(lc)));
		ExplainPropertyText("Pinecone Ids", abbreviate(buf.data), es);
	}
	if (request->place >= 0)
		ExplainPropertyText("Pinecone Lookup", "by id, of a ctid that the transaction has been shown", es);
	if (request->after >= 0 && request->limit >= 0)
		ExplainPropertyText("Pinecone Ids From", abbreviate(pinecone_explain_request_value(values, request->after)), es);
	if (request->descending && request->op != PINECONE_OP_ORDERED)
		ExplainPropertyText("Pinecone Order", "id DESC", es);
	if (request->before >= 0)
		ExplainPropertyText("Pinecone Ids To", abbreviate(pinecone_explain_request_value(values, request->before)), es);
	if (request->prefix_high >= 0)
		ExplainPropertyText("Pinecone Id Range",
							abbreviate(psprintf("%s to %s", pinecone_explain_request_value(values, request->prefix),
												pinecone_explain_request_value(values, request->prefix_high))),
							es);
	else if (request->prefix >= 0)
		ExplainPropertyText(request->prefix_is_like ? "Pinecone Id Pattern" : "Pinecone Id Prefix",
							abbreviate(pinecone_explain_request_value(values, request->prefix)), es);
}

/* The conditions of counts that have their own. */
static void
explain_counts(PineconeScanState *state, const PineconeValues *values, ExplainState *es)
{
	List *filters = NIL;
	ListCell *lc;

	foreach(lc, state->request->counts)
	{
		PineconeCount *count = lfirst(lc);
		PineconeFilter filter;

		if (count->filter == NULL)
			continue;
		filter = pinecone_filter_render(state->table, count->filter, values);
		filters = lappend(filters, filter.kind == PINECONE_FILTER_NEVER	 ? "matches no record" :
								   filter.kind == PINECONE_FILTER_ALWAYS ? "matches every record" :
																		   abbreviate(filter.json));
	}
	if (filters != NIL)
		ExplainPropertyList("Pinecone Count Filters", filters, es);
}

static const char *
metric_text(PineconeMetric metric)
{
	const char *name = pinecone_metric_name(metric);

	return name ? name : "unknown";
}

/* LIMIT and OFFSET: a number for programs, as soon as it is one. */
static void
explain_limit(const char *label, const PineconeRequest *request, const PineconeValues *values,
			  ExplainState *es)
{
	char *limit = pinecone_explain_request_limit(request, values);
	double rows = pinecone_explain_request_rows(request, values);

	if (limit == NULL)
		return;
	if (rows >= 0 && es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat(label, NULL, rows, 0, es);
	else
		ExplainPropertyText(label, limit, es);
}

/* A bound's value, or a condition on what is bound, which is named so. */
static const char *
bound_text(const PineconeValues *values, int number, const char *name)
{
	static const char placeholder[] = "CASE_TEST_EXPR";
	const char *text = pinecone_explain_request_value(values, number);
	const char *place = strstr(text, placeholder);

	if (place == NULL || values->types[number] != BOOLOID)
		return text;
	return psprintf("%.*s%s%s", (int) (place - text), text, name, place + strlen(placeholder));
}

static void
explain_search(PineconeScanState *state, const PineconeValues *values, ExplainState *es)
{
	PineconeRequest *request = state->request;

	if (request->clauses != NIL)
	{
		PineconeSearch search = {0};

		pinecone_run_words(state->table, request, values, &search);
		ExplainPropertyText("Pinecone Text Search", search.clauses ? abbreviate((char *) search.clauses) : "for no words", es);
		if (search.rerank != NULL)
			ExplainPropertyText("Pinecone Rerank", abbreviate(psprintf("%s candidates, {%s}", search.candidates, search.rerank)), es);
	}
	else
		ExplainPropertyText("Pinecone Metric", metric_text(request->metric), es);
	if (request->vector_id >= 0)
		ExplainPropertyText("Pinecone Query Id", pinecone_explain_request_value(values, request->vector_id), es);
	if (request->bound >= 0)
		ExplainPropertyText("Pinecone Distance Bound", bound_text(values, request->bound, "distance"), es);
	if (request->score_bound >= 0)
		ExplainPropertyText("Pinecone Score Bound", bound_text(values, request->score_bound, "score"), es);
	explain_limit("Pinecone Top K", request, values, es);
}

/* Why a distance of the query's is no search, and what stands in for one. */
static void
explain_no_search(PineconeScanState *state, ExplainState *es)
{
	static const char *const operators[] = {
		[PINECONE_METRIC_COSINE] = "<=>",
		[PINECONE_METRIC_EUCLIDEAN] = "<->",
		[PINECONE_METRIC_DOTPRODUCT] = "<#>",
	};
	static const char *const reasons[] = {
		[PINECONE_NO_SEARCH_VOLATILE] = "the query vector is of a VOLATILE function; make it STABLE, or write (SELECT ...)",
		[PINECONE_NO_SEARCH_JOINED] = "the query vector is another table's; take it from (SELECT ...) or search in LATERAL",
		[PINECONE_NO_SEARCH_OWN_COLUMNS] = "the distance is between columns of the row",
		[PINECONE_NO_SEARCH_FUNCTION] = "that is no distance of <=>, <-> or <#>",
		[PINECONE_NO_SEARCH_SPARSE] = "of sparse vectors <#> alone is measured, by sparse indexes, dense ones of dotproduct, and documents with such a field",
		[PINECONE_NO_SEARCH_SUM] = "the distances of the dense and the sparse vector are one search as pinecone_hybrid_distance(), of an index of vectors",
		[PINECONE_NO_SEARCH_ORDER] = "rows are ordered by something else than the distance, nearest first",
	};
	PineconeRequest *request = state->request;

	if (request->scored)
		ExplainPropertyText("Pinecone Score", "computed from vectors", es);
	if (request->no_search != PINECONE_NO_SEARCH_UNSAID)
		ExplainPropertyText("Pinecone Search", psprintf("none: %s", reasons[request->no_search]), es);
	if (request->other_metric != PINECONE_METRIC_UNKNOWN)
		ExplainPropertyText("Pinecone Search",
							psprintf("none: the index measures %s, which is %s, not %s",
									 metric_text(request->metric), operators[request->metric],
									 operators[request->other_metric]),
							es);
}

/* By what requests it is thought to be read, and what that goes by. */
static void
explain_way(const PineconeRequest *request, ExplainState *es)
{
	if (request->way == PINECONE_WAY_PAGES)
		return;
	ExplainPropertyText("Pinecone Way", pinecone_way_name(request->way), es);
	if (!es->costs)
		return;
	ExplainPropertyFloat("Assumed Records", NULL, request->matches, 0, es);
	ExplainPropertyFloat("Assumed Latency", "ms", request->way_latency_us / 1000, 1, es);
}

/* What goes over the wire first. */
static void
explain_request(PineconeScanState *state, const PineconeValues *values,
				const PineconeFilter *filter, ExplainState *es)
{
	char *body;
	char *request = pinecone_explain_request_request(state, values, filter, &body);

	if (request != NULL)
		ExplainPropertyText("Pinecone Request", abbreviate(request), es);
	if (body != NULL)
		ExplainPropertyText("Pinecone Body", abbreviate(body), es);
}

/* Of a server with several: which has answered */
static void
explain_host(PineconeScanState *state, ExplainState *es)
{
	int number;

	if (state->session == NULL || !pinecone_hosts_are_several(state->session))
		return;
	number = pinecone_bound_number(state->counters.bound, state->session);
	if (number >= 0 || !state->session->failover->roams)
		ExplainPropertyText("Pinecone Host", pinecone_hosts_name(state->session, Max(0, number)), es);
}

static void
explain_counters(PineconeScanState *state, ExplainState *es)
{
	PineconeCounters *counters = &state->counters;

	explain_host(state, es);
	if (state->request->op == PINECONE_OP_QUERY && state->top_k > 0)
		ExplainPropertyInteger("Last Top K", NULL, state->top_k, es);
	if (state->request->op == PINECONE_OP_ORDERED)
		ExplainPropertyInteger("Pinecone Slices", NULL, state->slices, es);
	if (state->request->op == PINECONE_OP_GROUPS)
	{
		if (state->groups_given_up == NULL)
			ExplainPropertyInteger("Pinecone Groups", NULL, state->groups, es);
		else
			ExplainPropertyText("Pinecone Groups", psprintf("the plan below has run: %s", state->groups_given_up), es);
		if (state->count_searches > 0)
			ExplainPropertyInteger("Count Searches", NULL, state->count_searches, es);
	}
	if (state->counts_read)
		ExplainPropertyText("Read And Counted", "what the service may not count yet, or not for this key", es);
	if (state->exhaustive)
		ExplainPropertyText("Exhaustive Search", "yes", es);
	if (state->read_rest)
		ExplainPropertyText("Without Overlap", "read until there were enough", es);
	if (state->table->namespace_attnum > 0)
		ExplainPropertyUInteger("Namespaces Asked", NULL, counters->namespaces, es);
	pinecone_explain_spent(counters, es);
}

/*
 * Earlier writes of this transaction that wait for its commit, and with ANALYZE
 * committed ones that the service may not show yet; a scan shows their effect.
 */
static void
explain_pending(const PineconeScanState *state, ExplainState *es)
{
	if (state->pending_before > 0)
		ExplainPropertyFloat("Pinecone Pending Writes", NULL, state->pending_before, 0, es);
	if (state->queued_before < 0)
		ExplainPropertyText("Pinecone Queued Writes",
							psprintf("more than %d, not shown", pinecone_outbox_visible), es);
	else if (state->queued_before > 0)
		ExplainPropertyFloat("Pinecone Queued Writes", NULL, state->queued_before, 0, es);
	if (state->unseen > 0)
		ExplainPropertyFloat("Pinecone Unseen Writes", NULL, state->unseen, 0, es);
}

void
pineconeExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeValues values = known_values(node, es, NIL);
	PineconeFilter filter = pinecone_filter_render(state->table, request->filter, &values);
	List *namespaces;

	ExplainPropertyText("Pinecone Operation", pinecone_request_operation_name(request->op), es);
	namespaces = explain_namespaces(node, &values, es);
	explain_quals("Pinecone Namespace Filter", request->namespace_quals, node, es, NIL);
	explain_quals("Pinecone Id Filter", request->id_quals, node, es, NIL);
	explain_records(state, &values, &filter, es);
	explain_counts(state, &values, es);
	if (request->op == PINECONE_OP_GROUPS)
		ExplainPropertyText("Pinecone Group Field",
							pinecone_option_column(state->table, request->group)->field, es);
	if (request->op == PINECONE_OP_ORDERED)
		ExplainPropertyText("Pinecone Order",
							psprintf("%s%s%s", pinecone_option_column(state->table, request->group)->field,
									 request->descending ? " DESC" : "", request->nulls_first ? " NULLS FIRST" : ""),
							es);
	if (request->op == PINECONE_OP_QUERY)
		explain_search(state, &values, es);
	else
		explain_limit("Pinecone Row Limit", request, &values, es);
	if (request->skips && request->op == PINECONE_OP_LIST_FETCH)
		ExplainPropertyText("Pinecone Offset", "rows that it leaves out are only counted", es);
	explain_no_search(state, es);
	explain_way(request, es);
	pinecone_expected_explain(state, &values, namespaces, es);
	if (es->verbose)
		explain_request(state, &values, &filter, es);
	explain_pending(state, es);
	if (es->analyze)
		explain_counters(state, es);
}

/* ---- Writes ---- */

/* A record's bytes in an upsert, when nothing better is known */
#define BYTES_OF_ID 20
#define BYTES_OF_METADATA 200
#define BYTES_OF_NUMBER 10.0
#define USUAL_DIMENSION 1024

static void
explain_write(const PineconeTable *table, const char *operation, ExplainState *es)
{
	ExplainPropertyText("Pinecone Operation", operation, es);
	ExplainPropertyText("Pinecone Writes", table->transactional ? "sent at commit" : table->outbox ? "queued in the outbox" :
																									 "sent at once",
						es);
}

/*
 * How many requests the writes of a statement are likely to take, with those that
 * fetch what it writes over.
 */
static void
explain_expected(ModifyTableState *mtstate, const PineconeTable *table, bool by_record, bool fetched,
				 ExplainState *es)
{
	double rows = outerPlanState(mtstate)->plan->plan_rows;
	int dimension = USUAL_DIMENSION;
	double batch = PINECONE_DELETE_BATCH;

	if (!es->costs)
		return;
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].role == PINECONE_ROLE_VALUES && table->columns[i].typmod > 0)
			dimension = table->columns[i].typmod;
	}
	if (mtstate->operation != CMD_DELETE)
		batch = Min(table->batch_size, PINECONE_MAX_BODY / (BYTES_OF_METADATA + dimension * BYTES_OF_NUMBER));
	ExplainPropertyFloat("Pinecone Expected Requests", NULL,
						 (by_record ? rows : ceil(rows / Max(batch, 1))) +
							 (fetched ? ceil(rows / PINECONE_FETCH_BATCH) : 0),
						 0, es);
	ExplainPropertyFloat("Pinecone Expected Read Units", NULL, fetched ? ceil(rows / PINECONE_RECORDS_PER_UNIT) : 0, 0, es);
	ExplainPropertyFloat("Pinecone Expected Bytes", NULL,
						 rows * (mtstate->operation == CMD_DELETE ? BYTES_OF_ID : BYTES_OF_METADATA + dimension * BYTES_OF_NUMBER), 0, es);
}

/* What an UPDATE of these columns needs. */
static const char *
update_operation(PineconeTable *table, List *assigned)
{
	ListCell *lc;

	foreach(lc, assigned)
	{
		PineconeColumn *column = pinecone_option_column(table, lfirst_int(lc));

		if (column == NULL || column->role != PINECONE_ROLE_FIELD)
			return "fetch and upsert";
	}
	if (table->update_records)
		return "fetch and upsert, or update a few";
	return "update, or fetch and upsert where a field becomes NULL";
}

void
pineconeExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
							 int subplan_index, ExplainState *es)
{
	PineconeTable *table = pinecone_option_table(RelationGetRelid(rri->ri_RelationDesc));

	OnConflictAction conflict = ((ModifyTable *) mtstate->ps.plan)->onConflictAction;
	bool looks = table->duplicate_error || conflict == ONCONFLICT_NOTHING;
	const char *operation;

	if (mtstate->operation == CMD_INSERT)
		operation = conflict == ONCONFLICT_UPDATE ? "fetch and upsert" :
					looks						  ? "fetch, and upsert if there is none" :
													"upsert";
	else if (mtstate->operation == CMD_DELETE)
		operation = "delete";
	else
		operation = update_operation(table, list_nth(fdw_private, PINECONE_MODIFY_ASSIGNED));
	explain_write(table, operation, es);
	explain_expected(mtstate, table, strncmp(operation, "update", 6) == 0,
					 strncmp(operation, "fetch", 5) == 0, es);
	if (es->analyze && rri->ri_FdwState != NULL)
		pinecone_explain_spent(&((PineconeModify *) rri->ri_FdwState)->counters, es);
}

/* The values that an UPDATE by filter sets. */
static void
explain_assignments(ForeignScanState *node, PineconeTable *table, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	int first = intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_FIRST_VALUE));
	StringInfoData buf;
	ListCell *lc;

	initStringInfo(&buf);
	foreach(lc, (List *) list_nth(plan->fdw_private, PINECONE_DIRECT_ASSIGNED))
	{
		PineconeColumn *column = pinecone_option_column(table, lfirst_int(lc));
		Expr *value = list_nth(plan->fdw_exprs, first + foreach_current_index(lc));

		if (column->role == PINECONE_ROLE_METADATA)
			appendStringInfo(&buf, "%s%s || %s", buf.len > 0 ? ", " : "", column->name, deparse(node, es, NIL, value));
		else
			appendStringInfo(&buf, "%s%s = %s", buf.len > 0 ? ", " : "", column->field,
							 deparse(node, es, NIL, value));
	}
	ExplainPropertyText("Pinecone Set", abbreviate(buf.data), es);
}

void
pineconeExplainDirectModify(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PineconeScanState *state = node->fdw_state;
	PineconeValues values = known_values(node, es, NIL);
	PineconeFilter filter = pinecone_filter_render(state->table, state->request->filter, &values);

	explain_write(state->table,
				  psprintf("%s by %s", plan->operation == CMD_UPDATE ? "update" : "delete",
						   state->request->ids != NIL ? "id, without a look" : "metadata"),
				  es);
	explain_namespaces(node, &values, es);
	explain_records(state, &values, &filter, es);
	if (plan->operation == CMD_UPDATE)
		explain_assignments(node, state->table, es);
	explain_pending(state, es);
	if (es->analyze)
		explain_counters(state, es);
}
