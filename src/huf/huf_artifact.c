/*
 * huf_artifact.c
 *		The reports of a governance cycle, as rows: every hit, the coherence map,
 *		the active set, the discard log, the trace, the error budget, and the
 *		stability of the result over a range of thresholds.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "huf/huf_cycle.h"

PG_FUNCTION_INFO_V1(pinecone_huf_cycle);
PG_FUNCTION_INFO_V1(pinecone_huf_coherence_map);
PG_FUNCTION_INFO_V1(pinecone_huf_active_set);
PG_FUNCTION_INFO_V1(pinecone_huf_discard_log);
PG_FUNCTION_INFO_V1(pinecone_huf_trace_json);
PG_FUNCTION_INFO_V1(pinecone_huf_error_budget);
PG_FUNCTION_INFO_V1(pinecone_huf_stability);
PG_FUNCTION_INFO_V1(pinecone_huf_jsonl);

#define MAX_COLUMNS 16

/* Regimes whose ranks the stability report compares */
#define STABILITY_REGIMES 25

/* A row under construction: columns are appended in order */
typedef struct Row
{
	Tuplestorestate *store;
	TupleDesc desc;
	int column;
	Datum value[MAX_COLUMNS];
	bool isnull[MAX_COLUMNS];
} Row;

static void
begin_rows(FunctionCallInfo fcinfo, Row *row)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (info == NULL || !IsA(info, ReturnSetInfo) || !(info->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &row->desc) != TYPEFUNC_COMPOSITE)
	{
		/* a set of text is a set of rows with one column */
		row->desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(row->desc, 1, "line", TEXTOID, -1, 0);
		pinecone_finish_tuple_desc(row->desc);
	}
	row->desc = CreateTupleDescCopy(row->desc);
	row->store = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	MemoryContextSwitchTo(old);
	info->returnMode = SFRM_Materialize;
	info->setResult = row->store;
	info->setDesc = row->desc;
	row->column = 0;
}

static void
put(Row *row, Datum value, bool isnull)
{
	Assert(row->column < MAX_COLUMNS);
	row->value[row->column] = value;
	row->isnull[row->column++] = isnull;
}

static void
put_double(Row *row, double x, bool known)
{
	put(row, Float8GetDatum(x), !known);
}

static void
put_text(Row *row, const text *value)
{
	put(row, PointerGetDatum(value), value == NULL);
}

static void
put_string(Row *row, const char *value)
{
	put(row, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

static void
put_count(Row *row, int64 n)
{
	put(row, Int64GetDatum(n), false);
}

static void
put_bool(Row *row, bool value)
{
	put(row, BoolGetDatum(value), false);
}

/* An argument as it came, of the type of the column. */
static void
put_arg(Row *row, FunctionCallInfo fcinfo, int arg)
{
	put(row, PG_GETARG_DATUM(arg), PG_ARGISNULL(arg));
}

static void
end_row(Row *row)
{
	if (row->column != row->desc->natts)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("result type has %d columns, not %d", row->desc->natts, row->column)));
	tuplestore_putvalues(row->store, row->desc, row->value, row->isnull);
	row->column = 0;
}

static const text *
regime_name(const HufCycle *cycle, const HufHit *hit)
{
	return cycle->regime[hit->regime].name;
}

static void
put_discarded(Row *row, const HufCycle *cycle)
{
	put_double(row, cycle->discarded, cycle->has_total);
}

/* All hits in the order in which they came. */
Datum
pinecone_huf_cycle(PG_FUNCTION_ARGS)
{
	HufCycle *cycle = pinecone_huf_cycle_run(fcinfo);
	Row row;

	begin_rows(fcinfo, &row);
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];
		bool shared = hit->massive && cycle->has_total;
		bool kept = hit->rank > 0;

		put_count(&row, i + 1);
		put_text(&row, regime_name(cycle, hit));
		put_text(&row, hit->id);
		put_double(&row, hit->score, hit->has_score);
		put_double(&row, hit->mass, hit->massive);
		put_double(&row, hit->rho, shared);
		put_double(&row, hit->local, shared);
		put_bool(&row, kept);
		put_string(&row, pinecone_huf_cycle_reason(cycle, hit));
		put_double(&row, hit->rho_post, kept);
		put_double(&row, hit->local_post, kept);
		put(&row, Int64GetDatum(hit->rank), !kept);
		put_discarded(&row, cycle);
		put_bool(&row, cycle->valid);
		end_row(&row);
	}
	return (Datum) 0;
}

static int
compare_regime(const void *a, const void *b)
{
	const HufRegime *x = *(HufRegime *const *) a;
	const HufRegime *y = *(HufRegime *const *) b;

	CHECK_FOR_INTERRUPTS(); /* sorting can take long */
	if (x->rho != y->rho)
		return x->rho < y->rho ? 1 : -1;
	return x < y ? -1 : x > y;
}

/* Regimes by share before exclusion, largest first. */
Datum
pinecone_huf_coherence_map(PG_FUNCTION_ARGS)
{
	HufCycle *cycle = pinecone_huf_cycle_run(fcinfo);
	HufRegime **sorted = palloc(sizeof(HufRegime *) * Max(cycle->nregimes, 1));
	Row row;

	for (int r = 0; r < cycle->nregimes; r++)
		sorted[r] = &cycle->regime[r];
	qsort(sorted, cycle->nregimes, sizeof(HufRegime *), compare_regime);
	begin_rows(fcinfo, &row);
	for (int r = 0; r < cycle->nregimes; r++)
	{
		HufRegime *regime = sorted[r];
		bool left = cycle->valid && huf_sum_value(&regime->kept) > 0;
		double unity = huf_sum_value(&regime->unity);

		put_text(&row, regime->name);
		put_double(&row, regime->rho, cycle->has_total);
		put_double(&row, regime->rho_post, cycle->valid);
		put_double(&row, regime->discarded, cycle->has_total);
		put_double(&row, unity, left);
		put(&row, BoolGetDatum(fabs(unity - 1) <= 1e-12), !left);
		put_discarded(&row, cycle);
		end_row(&row);
	}
	return (Datum) 0;
}

/* The hits that are kept, largest share first. */
Datum
pinecone_huf_active_set(PG_FUNCTION_ARGS)
{
	HufCycle *cycle = pinecone_huf_cycle_run(fcinfo);
	Row row;

	begin_rows(fcinfo, &row);
	for (int64 k = 0; k < cycle->active; k++)
	{
		HufHit *hit = cycle->ranked[k];

		put_count(&row, k + 1);
		put_text(&row, hit->id);
		put_text(&row, regime_name(cycle, hit));
		put_double(&row, hit->rho_post, true);
		put_double(&row, hit->rho, true);
		put_double(&row, hit->local, true);
		put_double(&row, hit->local_post, true);
		put_double(&row, hit->score, true);
		put_double(&row, cycle->settings.tau, true);
		put_string(&row, pinecone_huf_cycle_mode(cycle));
		end_row(&row);
	}
	return (Datum) 0;
}

static void
append_double(StringInfo buf, double x, bool known)
{
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!known || !isfinite(x))
		appendStringInfoString(buf, "null");
	else
	{
		double_to_shortest_decimal_buf(x, digits);
		appendStringInfoString(buf, digits);
	}
}

/* The settings of a cycle as JSON. */
static Datum
settings_json(const HufCycle *cycle)
{
	const HufSettings *settings = &cycle->settings;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"tau\": ");
	append_double(&buf, settings->tau, true);
	appendStringInfo(&buf, ", \"mode\": \"%s\", \"tau_local\": ", pinecone_huf_cycle_mode(cycle));
	append_double(&buf, settings->tau_local, settings->has_tau_local);
	appendStringInfo(&buf, ", \"kind\": \"%s\", \"t\": ", settings->kind == HUF_LINEAR ? "linear" : "softmax");
	append_double(&buf, settings->t, settings->kind == HUF_SOFTMAX);
	appendStringInfo(&buf, ", \"frame\": \"%s\"}", settings->energy ? "energy" : "mass");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/*
 * What was excluded, and on whose authority: first the rows that carry no
 * mass, then those below the threshold, each in the order in which they came.
 */
Datum
pinecone_huf_discard_log(PG_FUNCTION_ARGS)
{
	HufCycle *cycle = pinecone_huf_cycle_run(fcinfo);
	Datum settings = settings_json(cycle);
	Row row;

	begin_rows(fcinfo, &row);
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < cycle->n; i++)
		{
			HufHit *hit = &cycle->hit[i];
			bool rejected = hit->reason == HUF_NULL_SCORE || hit->reason == HUF_NOT_FINITE;

			if (hit->reason == HUF_KEPT || rejected != (pass == 0))
				continue;
			put_arg(&row, fcinfo, HUF_ARG_OTHER);	  /* run_id */
			put_arg(&row, fcinfo, HUF_ARG_OTHER + 1); /* as_of */
			put_text(&row, regime_name(cycle, hit));
			put_text(&row, hit->id);
			put_double(&row, hit->score, hit->has_score);
			put_double(&row, hit->mass, hit->massive);
			put_double(&row, hit->rho, hit->massive && cycle->has_total);
			put_double(&row, hit->local, hit->massive && cycle->has_total);
			put_double(&row, cycle->settings.tau, true);
			put_double(&row, cycle->settings.tau_local, cycle->settings.has_tau_local);
			put_string(&row, pinecone_huf_cycle_mode(cycle));
			put_string(&row, pinecone_huf_cycle_reason(cycle, hit));
			put_arg(&row, fcinfo, HUF_ARG_OTHER + 2); /* source_relation */
			put_arg(&row, fcinfo, HUF_ARG_OTHER + 3); /* snapshot_lsn */
			put_arg(&row, fcinfo, HUF_ARG_OTHER + 4); /* method */
			put(&row, settings, false);
			end_row(&row);
		}
	}
	return (Datum) 0;
}

static void
append_json_text(StringInfo buf, const text *value)
{
	if (value == NULL)
		appendStringInfoString(buf, "null");
	else
		escape_json(buf, text_to_cstring(value));
}

/* The active set as lines of JSON. */
Datum
pinecone_huf_trace_json(PG_FUNCTION_ARGS)
{
	HufCycle *cycle = pinecone_huf_cycle_run(fcinfo);
	text *inputs = PG_ARGISNULL(HUF_ARG_OTHER) ? NULL : PG_GETARG_TEXT_PP(HUF_ARG_OTHER);
	text *method = PG_ARGISNULL(HUF_ARG_OTHER + 1) ? NULL : PG_GETARG_TEXT_PP(HUF_ARG_OTHER + 1);
	StringInfoData buf;
	Row row;

	initStringInfo(&buf);
	begin_rows(fcinfo, &row);
	for (int64 k = 0; k < cycle->active; k++)
	{
		HufHit *hit = cycle->ranked[k];

		resetStringInfo(&buf);
		appendStringInfoString(&buf, "{\"item_id\":");
		append_json_text(&buf, hit->id);
		appendStringInfoString(&buf, ",\"regime_path\":[");
		append_json_text(&buf, regime_name(cycle, hit));
		appendStringInfoString(&buf, "],\"rho_global_post\":");
		append_double(&buf, hit->rho_post, true);
		appendStringInfoString(&buf, ",\"inputs_ref\":");
		append_json_text(&buf, inputs);
		appendStringInfoString(&buf, ",\"method_ref\":");
		append_json_text(&buf, method);
		appendStringInfoString(&buf, ",\"discarded_budget_global\":");
		append_double(&buf, cycle->discarded, cycle->has_total);
		appendStringInfoChar(&buf, '}');
		put_string(&row, buf.data);
		end_row(&row);
	}
	return (Datum) 0;
}

/*
 * One row: the part discarded, and total variation between the shares before
 * and after as measured (in exact arithmetic the same number).
 */
Datum
pinecone_huf_error_budget(PG_FUNCTION_ARGS)
{
	HufCycle *cycle = pinecone_huf_cycle_run(fcinfo);
	HufSum gap = {0};
	Row row;

	for (int i = 0; i < cycle->n; i++)
		huf_sum_add(&gap, fabs(cycle->hit[i].rho - (cycle->hit[i].rank > 0 ? cycle->hit[i].rho_post : 0)));
	begin_rows(fcinfo, &row);
	put_string(&row, "discarded_share");
	put_discarded(&row, cycle);
	put_string(&row, cycle->settings.energy ? "energy" : "mass");
	put_string(&row, cycle->valid ? "total_variation_over_elements" : NULL);
	put_double(&row, huf_sum_value(&gap) / 2, cycle->valid);
	end_row(&row);
	return (Datum) 0;
}

/* Average ranks of the values; returns false if they are all the same. */
static bool
average_ranks(const double *value, int n, double *rank)
{
	bool vary = false;

	for (int i = 0; i < n; i++)
	{
		int less = 0;
		int equal = 0;

		for (int j = 0; j < n; j++)
		{
			less += value[j] < value[i];
			equal += value[j] == value[i];
		}
		rank[i] = less + (equal + 1) / 2.0;
		vary |= equal < n;
	}
	return vary;
}

/* Spearman correlation; 0 where a side is constant. */
static double
spearman(const double *a, const double *b, int n)
{
	double ra[STABILITY_REGIMES];
	double rb[STABILITY_REGIMES];
	double mean = (n + 1) / 2.0;
	double ab = 0;
	double aa = 0;
	double bb = 0;

	if (!average_ranks(a, n, ra) || !average_ranks(b, n, rb))
		return 0;
	for (int i = 0; i < n; i++)
	{
		ab += (ra[i] - mean) * (rb[i] - mean);
		aa += (ra[i] - mean) * (ra[i] - mean);
		bb += (rb[i] - mean) * (rb[i] - mean);
	}
	/* halves of integers: the sums are exact, equal ranks give exactly 1 */
	return ab / sqrt(aa * bb);
}

static int
compare_regime_post(const void *a, const void *b)
{
	const HufRegime *x = *(HufRegime *const *) a;
	const HufRegime *y = *(HufRegime *const *) b;

	CHECK_FOR_INTERRUPTS(); /* sorting can take long */
	if (x->rho_post != y->rho_post)
		return x->rho_post < y->rho_post ? 1 : -1;
	return x < y ? -1 : x > y;
}

static int64
count_near(const HufCycle *cycle, double tau)
{
	int64 near = 0;

	for (int i = 0; cycle->has_total && i < cycle->n; i++)
	{
		const HufHit *hit = &cycle->hit[i];
		double share = cycle->settings.mode == HUF_MODE_LOCAL ? hit->local : hit->rho;

		near += hit->massive && share >= 0.9 * tau && share <= 1.1 * tau;
	}
	return near;
}

/*
 * The cycle at each of several thresholds, compared with the first: which
 * hits are kept (Jaccard), and how the largest regimes rank (Spearman, on the
 * shares after exclusion, those before do not depend on the threshold).
 */
Datum
pinecone_huf_stability(PG_FUNCTION_ARGS)
{
	HufSettings settings = {0};
	HufCycle *cycle;
	HufArray taus;
	bool *baseline;
	HufRegime **top;
	double top_baseline[STABILITY_REGIMES];
	int ntop;
	bool baseline_valid = false;
	int64 baseline_active = 0;
	Row row;

	pinecone_huf_cycle_settings(fcinfo, &settings);
	if (PG_ARGISNULL(HUF_ARG_TAU))
		pinecone_huf_bad_param("tau must not be null");
	pinecone_huf_array(PG_GETARG_ARRAYTYPE_P(HUF_ARG_TAU), &taus);
	if (taus.n < 3 || taus.nonnull < taus.n)
		pinecone_huf_bad_param("tau must be a list of at least 3 thresholds");
	for (int i = 0; i < taus.n; i++)
		pinecone_huf_fraction("tau", taus.value[i]);
	cycle = pinecone_huf_cycle_load(fcinfo, &settings);
	baseline = palloc_extended(Max(cycle->n, 1), MCXT_ALLOC_HUGE);
	top = palloc(sizeof(HufRegime *) * Max(cycle->nregimes, 1));
	ntop = Min(cycle->nregimes, STABILITY_REGIMES);

	begin_rows(fcinfo, &row);
	for (int i = 0; i < taus.n; i++)
	{
		double top_here[STABILITY_REGIMES];
		int64 common = 0;
		int64 either;

		pinecone_huf_cycle_exclude(cycle, taus.value[i]);
		if (i == 0)
		{
			baseline_valid = cycle->valid;
			baseline_active = cycle->active;
			for (int h = 0; h < cycle->n; h++)
				baseline[h] = cycle->hit[h].rank > 0;
			for (int r = 0; r < cycle->nregimes; r++)
				top[r] = &cycle->regime[r];
			qsort(top, cycle->nregimes, sizeof(HufRegime *), compare_regime_post);
			for (int r = 0; r < ntop; r++)
				top_baseline[r] = top[r]->rho_post;
		}
		for (int r = 0; r < ntop; r++)
			top_here[r] = top[r]->rho_post;
		for (int h = 0; h < cycle->n; h++)
			common += baseline[h] && cycle->hit[h].rank > 0;
		either = baseline_active + cycle->active - common;

		put_double(&row, taus.value[i], true);
		put_count(&row, cycle->active);
		put_discarded(&row, cycle);
		put_double(&row, either == 0 ? 1 : (double) common / either, true);
		put_double(&row, baseline_valid && cycle->valid ? spearman(top_baseline, top_here, ntop) : 0, true);
		put_count(&row, count_near(cycle, taus.value[i]));
		put_bool(&row, !cycle->valid);
		end_row(&row);
	}
	return (Datum) 0;
}

/* Is this a number that JSON does not have: NaN or an infinity? */
static bool
no_json_number(Oid type, Datum value)
{
	switch (type)
	{
		case FLOAT8OID:
			return !isfinite(DatumGetFloat8(value));
		case FLOAT4OID:
			return !isfinite(DatumGetFloat4(value));
		case NUMERICOID:
			/* NaN, and since PostgreSQL 14 infinity: words in place of digits */
			return strpbrk(DatumGetCString(DirectFunctionCall1(numeric_out, value)), "NI") != NULL;
		default:
			return false;
	}
}

static bool clean_value(Oid type, Datum *value);

/* A copy of a row with NULL for such numbers. */
static Datum
clean_row(HeapTupleHeader header)
{
	TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	Datum *value = palloc(sizeof(Datum) * desc->natts);
	bool *isnull = palloc(sizeof(bool) * desc->natts);
	Datum row;

	check_stack_depth();
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, value, isnull);
	for (int i = 0; i < desc->natts; i++)
		if (!isnull[i])
			isnull[i] = !clean_value(TupleDescAttr(desc, i)->atttypid, &value[i]);
	row = heap_copy_tuple_as_datum(heap_form_tuple(desc, value, isnull), desc);
	ReleaseTupleDesc(desc);
	return row;
}

/* The same of an array. */
static Datum
clean_array(ArrayType *array)
{
	Oid type = ARR_ELEMTYPE(array);
	int16 length;
	bool byval;
	char align;
	Datum *value;
	bool *isnull;
	int n;

	get_typlenbyvalalign(type, &length, &byval, &align);
	deconstruct_array(array, type, length, byval, align, &value, &isnull, &n);
	for (int i = 0; i < n; i++)
		if (!isnull[i])
			isnull[i] = !clean_value(type, &value[i]);
	return PointerGetDatum(construct_md_array(value, isnull, ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array),
											  type, length, byval, align));
}

/* The same of a value, in place; false if it becomes NULL itself. */
static bool
clean_value(Oid type, Datum *value)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	if (no_json_number(base, *value))
		return false;
	if (type_is_rowtype(base))
		*value = clean_row(DatumGetHeapTupleHeader(*value));
	else if (OidIsValid(element))
	{
		Oid number = getBaseType(element);

		if (number == FLOAT8OID || number == FLOAT4OID || number == NUMERICOID || type_is_rowtype(number))
			*value = clean_array(DatumGetArrayTypeP(*value));
	}
	return true;
}

/*
 * A row as one line of JSON.  Numbers that JSON does not have, NaN and the
 * infinities, become null; row_to_json would make them strings.
 */
Datum
pinecone_huf_jsonl(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(DirectFunctionCall1(row_to_json, clean_row(PG_GETARG_HEAPTUPLEHEADER(0))));
}
