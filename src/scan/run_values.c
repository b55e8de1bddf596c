/*
 * run_values.c
 *		The values that the expressions of a request have in one run.
 *
 * Whatever is sent is made of them: ids, a prefix, how many rows, a filter.
 * EXPLAIN makes the same of those that are known to it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "base/setting.h"
#include "client/schema_table.h"
#include "scan/field_width.h"
#include "scan/run_values.h"
#include "scan/scan.h"
#include "wire/schema.h"

/* For the size of replies, while the index's is not known: a common one */
#define ASSUMED_DIMENSION 1536

/* ---- Evaluating ---- */

/*
 * Evaluate one of the request's expressions; it stays valid for the run.
 * Returns false for NULL.
 */
bool
pinecone_run_evaluate(ForeignScanState *node, int number)
{
	PineconeScanState *state = node->fdw_state;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	PineconeValues *values = &state->run->values;
	int16 typlen;
	bool typbyval;

	values->values[number] = ExecEvalExprSwitchContext(list_nth(state->exprs, number), econtext,
													   &values->isnull[number]);
	if (values->isnull[number])
		return false;
	get_typlenbyval(values->types[number], &typlen, &typbyval);
	if (!typbyval)
	{
		MemoryContext old = MemoryContextSwitchTo(state->run->cxt);

		values->values[number] = typlen == -1 ?
									 PointerGetDatum(PG_DETOAST_DATUM_COPY(values->values[number])) :
									 datumCopy(values->values[number], typbyval, typlen);
		MemoryContextSwitchTo(old);
	}
	return true;
}

void
pinecone_run_evaluate_condition(ForeignScanState *node, const PineconeCondition *condition)
{
	ListCell *lc;

	if (condition == NULL)
		return;
	if (condition->value >= 0)
		(void) pinecone_run_evaluate(node, condition->value);
	foreach(lc, condition->args)
		pinecone_run_evaluate_condition(node, lfirst(lc));
}

bool
pinecone_run_id_is_possible(const char *id)
{
	size_t len = strlen(id);

	if (len < 1 || len > 512)
		return false;
	for (const char *p = id; *p; p++)
	{
		if ((unsigned char) *p > 127)
			return false;
	}
	return true;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * What a column is to equal, by x and ANY (array): distinct, possible names,
 * in order.
 */
static char **
distinct_names(List *numbers, const PineconeValues *values, bool (*is_possible)(const char *name),
			   int *nids)
{
	List *found = NIL;
	char **ids;
	int n = 0;
	ListCell *lc;

	foreach(lc, numbers)
	{
		int number = lfirst_int(lc);
		Datum *elements = &values->values[number];
		bool *nulls = &values->isnull[number];
		int nelements = 1;

		if (values->isnull[number])
			continue;
		if (OidIsValid(get_element_type(getBaseType(values->types[number]))))
			deconstruct_array(DatumGetArrayTypeP(values->values[number]), TEXTOID, -1, false,
							  TYPALIGN_INT, &elements, &nulls, &nelements);
		for (int i = 0; i < nelements; i++)
		{
			char *id;

			if (nulls[i])
				continue;
			id = TextDatumGetCString(elements[i]);
			if (is_possible(id))
				found = lappend(found, id);
		}
	}

	ids = palloc(Max(list_length(found), 1) * sizeof(char *));
	foreach(lc, found)
		ids[n++] = lfirst(lc);
	qsort(ids, n, sizeof(char *), compare_ids);
	*nids = 0;
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || strcmp(ids[i], ids[i - 1]) != 0)
			ids[(*nids)++] = ids[i];
	}
	return ids;
}

char **
pinecone_run_ids(const PineconeRequest *request, const PineconeValues *values, int *nids)
{
	return distinct_names(request->ids, values, pinecone_run_id_is_possible, nids);
}

void
pinecone_run_evaluate_all(ForeignScanState *node, List *numbers)
{
	ListCell *lc;

	foreach(lc, numbers)
		(void) pinecone_run_evaluate(node, lfirst_int(lc));
}

char **
pinecone_run_evaluate_names(ForeignScanState *node, List *numbers,
							bool (*is_possible)(const char *name), int *n)
{
	PineconeScanState *state = node->fdw_state;

	pinecone_run_evaluate_all(node, numbers);
	return distinct_names(numbers, &state->run->values, is_possible, n);
}

/* The fixed beginning of a LIKE pattern. */
static char *
like_prefix(const char *pattern)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (const char *p = pattern; *p && *p != '%' && *p != '_'; p++)
	{
		if (*p == '\\' && *++p == '\0')
			break;
		appendStringInfoChar(&buf, *p);
	}
	return buf.data;
}

/* What lies between two ids begins with what they have in common. */
static void
cut_to_common(char *low, const char *high)
{
	int n = 0;

	while (low[n] != '\0' && low[n] == high[n])
		n++;
	low[n] = '\0';
}

bool
pinecone_run_prefix(const PineconeRequest *request, const PineconeValues *values,
					const char **prefix)
{
	char *wanted;

	*prefix = NULL;
	if (request->prefix < 0)
		return true;
	if (values->isnull[request->prefix])
		return false;
	wanted = TextDatumGetCString(values->values[request->prefix]);
	if (request->prefix_is_like)
		wanted = like_prefix(wanted);
	if (request->prefix_high >= 0)
	{
		if (values->isnull[request->prefix_high])
			return false;
		cut_to_common(wanted, TextDatumGetCString(values->values[request->prefix_high]));
	}
	if (wanted[0] == '\0')
		return true;
	*prefix = wanted;
	return pinecone_run_id_is_possible(wanted);
}

double
pinecone_run_evaluate_count(ForeignScanState *node, int number)
{
	PineconeScanState *state = node->fdw_state;

	if (number < 0 || !pinecone_run_evaluate(node, number))
		return -1;
	return Max(0, DatumGetInt64(state->run->values.values[number]));
}

/*
 * Enough rows are asked for that some survive the local conditions.  The
 * planner's estimate of these can be far too low, and a search can still grow,
 * so that it is believed within bounds.
 */
double
pinecone_run_row_limit(const PineconeRequest *request, double limit, double offset)
{
	double rows;

	if (!pinecone_enable_limit || limit < 0)
		return 0;
	rows = Max(1, limit + Max(0, offset));
	return Min(ceil(rows / Max(request->survive, 0.0001)), 10 * rows + 100);
}

/* The rows to ask for on account of LIMIT and OFFSET, or 0 for all. */
double
pinecone_run_evaluate_row_limit(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	double limit = pinecone_run_evaluate_count(node, state->request->limit);
	double offset = pinecone_run_evaluate_count(node, state->request->offset);

	if (state->drained)
		return 0;
	return pinecone_run_row_limit(state->request, limit, offset);
}

bool
pinecone_run_is_gradual(const PineconeRequest *request, double row_limit)
{
	return pinecone_enable_limit && row_limit <= 0 && request->begins > 0;
}

int
pinecone_run_top_k(const PineconeRequest *request, double row_limit, bool gradual)
{
	double top_k;

	if (row_limit > 0)
		top_k = row_limit;
	else if (gradual)
		top_k = request->begins;
	else if (request->bound >= 0 || request->score_bound >= 0)
		top_k = PINECONE_FIRST_TOP_K;
	else
		top_k = PINECONE_MAX_TOP_K;
	return (int) Min(top_k, PINECONE_MAX_TOP_K);
}

/* ---- Sources ---- */

void
pinecone_run_check_schema(PineconeScanState *state)
{
	if (state->session->base_url == NULL ||
		pinecone_schema_hash(state->session, state->table, state->request->clauses != NIL) == state->request->schema)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("the index of foreign table \"%s\" is of another kind, or has other fields, than when the query was planned",
					state->table->name),
			 errhint("Repeat the statement.")));
}

/* The vectors that distances are measured of. */
static void
project_measured(PineconeScanState *state, PineconeProjection *fields)
{
	const PineconeSchema *schema = state->table->schema;

	if (state->request->vector >= 0 && schema->dense != NULL)
		pinecone_schema_project(fields, schema->dense->name);
	if (state->request->sparse >= 0 && schema->sparse != NULL)
		pinecone_schema_project(fields, schema->sparse->name);
}

/*
 * The fields of documents that the wanted columns show, with one at least for
 * fetches, which bring all of them otherwise.  NULL: nobody can name them.
 */
const PineconeProjection *
pinecone_run_projection(PineconeScanState *state, PineconeOperation op)
{
	PineconeTable *table = state->table;
	PineconeProjection *fields;
	ListCell *lc;

	if (table->schema == NULL)
		return NULL;
	fields = palloc0(sizeof(PineconeProjection));
	foreach(lc, state->request->wanted)
	{
		PineconeColumn *column = pinecone_option_column(table, lfirst_int(lc));
		const PineconeSchemaField *field;

		if (column == NULL)
			continue;
		if (column->role == PINECONE_ROLE_METADATA)
			return NULL;
		if (column->role != PINECONE_ROLE_FIELD && column->role != PINECONE_ROLE_VALUES &&
			column->role != PINECONE_ROLE_SPARSE_VALUES)
			continue;
		/* what is not stored may not be asked for */
		field = pinecone_schema_field(table->schema, column->field);
		if (field != NULL ? field->stored : !column->declared)
			pinecone_schema_project(fields, column->field);
	}
	if (state->request->scored)
		project_measured(state, fields);
	for (int i = 0; op != PINECONE_OP_QUERY && fields->n == 0 && i < table->ncolumns; i++)
	{
		if (table->columns[i].role == PINECONE_ROLE_FIELD && !table->columns[i].declared)
			pinecone_schema_project(fields, table->columns[i].field);
	}
	return fields;
}

void
pinecone_run_want_vectors(ForeignScanState *node, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;
	PineconeProjection *fields;

	spec->want_values = true;
	if (spec->fields == NULL || state->table->schema == NULL)
		return;
	fields = palloc0(sizeof(PineconeProjection));
	for (int i = 0; i < spec->fields->n; i++)
		pinecone_schema_project(fields, spec->fields->names[i]);
	project_measured(state, fields);
	spec->fields = fields;
}

void
pinecone_run_fill_spec(ForeignScanState *node, PineconeOperation op, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;
	bool asks_little = op == PINECONE_OP_QUERY || op == PINECONE_OP_FETCH;
	PineconeStats *stats = pinecone_session_known_stats(state->session);

	if (stats == NULL && !(asks_little && pinecone_session_stats_ready(state->session)))
		stats = pinecone_session_stats(state->session, false, true);
	pinecone_run_check_schema(state);
	memset(spec, 0, sizeof(*spec));
	spec->session = state->session;
	spec->counters = state->run->counters;
	spec->op = op;
	spec->own_writes = state->table;
	spec->position = state->position;
	spec->sharers = Max(state->nasync, state->run == &state->own_run && state->group ? state->group->nscans : 0);
	spec->dimension = stats ? stats->dimension : asks_little ? ASSUMED_DIMENSION :
															   0;
	spec->query.metric = state->request->metric;
	spec->want_values = state->request->want_values;
	spec->want_metadata = state->request->want_metadata;
	spec->pool = state->run->pool;
	spec->may_dry_run = state->table->count_from_dry_run || state->table->schema != NULL;
	spec->fields = pinecone_run_projection(state, op);
	if (spec->fields != NULL && !asks_little)
		spec->metadata_bytes = pinecone_width_of_fields(state->table, state->request->wanted, PINECONE_METADATA_BYTES);
	spec->expected = state->request->matches;
	spec->ordered = state->request->sorted && state->request->op != PINECONE_OP_QUERY;
	if (state->run->filter.kind == PINECONE_FILTER_JSON)
	{
		spec->filter = state->run->filter.json;
		spec->words = pinecone_request_matches_words(state->request->filter);
	}
}

PineconeOperation
pinecone_run_reading(const PineconeRun *run, PineconeOperation listed)
{
	return run->filter.kind == PINECONE_FILTER_JSON ? PINECONE_OP_FILTER : listed;
}
