/*
 * huf_cycle.c
 *		One governance cycle over a list of hits: normalise, exclude what is
 *		below a threshold, renormalise, account.
 *
 * Nothing disappears: a row that carries no mass, because its score is NULL or
 * not finite, stays in the list with the reason.  Hits are identified by
 * namespace and id together, compared byte by byte.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "huf/huf_cycle.h"

/* What a row without a namespace is called */
#define NO_NAMESPACE "Global"

static char *
required_text(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		pinecone_huf_bad_param("%s must not be null", name);
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static HufMode
parse_mode(const char *name)
{
	if (strcmp(name, "global") == 0)
		return HUF_MODE_GLOBAL;
	if (strcmp(name, "local") == 0)
		return HUF_MODE_LOCAL;
	if (strcmp(name, "dual") == 0)
		return HUF_MODE_DUAL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid mode: \"%s\"", name),
			 errhint("Valid modes are \"global\", \"local\" and \"dual\".")));
}

/* Read all settings but tau, which may be one number or a list. */
void
pinecone_huf_cycle_settings(FunctionCallInfo fcinfo, HufSettings *settings)
{
	char *frame;

	settings->mode = parse_mode(required_text(fcinfo, HUF_ARG_MODE, "mode"));
	settings->has_tau_local = !PG_ARGISNULL(HUF_ARG_TAU_LOCAL);
	settings->tau_local = 0;
	if (settings->has_tau_local != (settings->mode == HUF_MODE_DUAL))
		pinecone_huf_bad_param(settings->has_tau_local ? "tau_local is used in mode \"dual\" only" : "mode \"dual\" needs tau_local");
	if (settings->has_tau_local)
		settings->tau_local = pinecone_huf_fraction("tau_local", PG_GETARG_FLOAT8(HUF_ARG_TAU_LOCAL));
	if (PG_ARGISNULL(HUF_ARG_KIND) || PG_ARGISNULL(HUF_ARG_T))
		pinecone_huf_bad_param("kind and temperature must not be null");
	settings->kind = huf_kind_arg(fcinfo, HUF_ARG_KIND);
	settings->t = pinecone_huf_positive("temperature", PG_GETARG_FLOAT8(HUF_ARG_T));
	frame = required_text(fcinfo, HUF_ARG_FRAME, "frame");
	settings->energy = strcmp(frame, "energy") == 0;
	if (!settings->energy && strcmp(frame, "mass") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid frame: \"%s\"", frame),
				 errhint("Valid frames are \"mass\" and \"energy\".")));
}

const char *
pinecone_huf_cycle_mode(const HufCycle *cycle)
{
	switch (cycle->settings.mode)
	{
		case HUF_MODE_LOCAL:
			return "local";
		case HUF_MODE_DUAL:
			return "dual";
		case HUF_MODE_GLOBAL:
			break;
	}
	return "global";
}

/* The reason code of an excluded hit, NULL if it was kept. */
const char *
pinecone_huf_cycle_reason(const HufCycle *cycle, const HufHit *hit)
{
	switch (hit->reason)
	{
		case HUF_NULL_SCORE:
			return "null_score";
		case HUF_NOT_FINITE:
			return "not_finite";
		case HUF_ZERO_TOTAL:
			return "zero_total";
		case HUF_BELOW_TAU:
			return cycle->settings.mode == HUF_MODE_GLOBAL ? "below_tau_global" : cycle->settings.mode == HUF_MODE_LOCAL ? "below_tau_local" :
																														   "below_tau_both";
		case HUF_KEPT:
			break;
	}
	return NULL;
}

static int
compare_text(const text *a, const text *b)
{
	int la;
	int lb;
	int order;

	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	la = VARSIZE_ANY_EXHDR(a);
	lb = VARSIZE_ANY_EXHDR(b);
	order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(la, lb));
	return order != 0 ? order : la - lb;
}

static int
compare_identity(const void *a, const void *b)
{
	const HufHit *x = *(HufHit *const *) a;
	const HufHit *y = *(HufHit *const *) b;
	int order = compare_text(x->namespace, y->namespace);

	CHECK_FOR_INTERRUPTS(); /* sorting can take long */
	return order != 0 ? order : compare_text(x->id, y->id);
}

/* ALTER TYPE may change a type of ours; then it is not what we read. */
static void
check_hit_type(TupleDesc desc)
{
	static const Oid expected[] = {TEXTOID, TEXTOID, FLOAT8OID};
	bool same = desc->natts == lengthof(expected);

	for (int i = 0; same && i < desc->natts; i++)
		same = TupleDescAttr(desc, i)->atttypid == expected[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type huf_hit is not (namespace text, id text, score double precision)")));
}

/* Take the array of hits apart. */
static void
read_hits(HufCycle *cycle, ArrayType *array)
{
	Oid type = ARR_ELEMTYPE(array);
	int16 length;
	bool byval;
	char align;
	Datum *datum;
	bool *isnull;
	TupleDesc desc;

	get_typlenbyvalalign(type, &length, &byval, &align);
	deconstruct_array(array, type, length, byval, align, &datum, &isnull, &cycle->n);
	cycle->hit = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(HufHit) * Max(cycle->n, 1));
	memset(cycle->hit, 0, sizeof(HufHit) * cycle->n);
	desc = lookup_rowtype_tupdesc(type, -1);
	check_hit_type(desc);
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];
		HeapTupleHeader header;
		HeapTupleData tuple;
		Datum column[3];
		bool null[3];

		if (isnull[i])
			pinecone_huf_bad_param("a hit must not be null");
		header = DatumGetHeapTupleHeader(datum[i]);
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		ItemPointerSetInvalid(&tuple.t_self);
		tuple.t_tableOid = InvalidOid;
		tuple.t_data = header;
		heap_deform_tuple(&tuple, desc, column, null);
		if (null[1])
			pinecone_huf_bad_param("the id of a hit must not be null");
		CHECK_FOR_INTERRUPTS();
		hit->namespace = null[0] ? NULL : DatumGetTextPP(column[0]);
		hit->id = DatumGetTextPP(column[1]);
		hit->has_score = !null[2];
		hit->score = null[2] ? 0 : DatumGetFloat8(column[2]);
	}
	ReleaseTupleDesc(desc);
}

/* Group the hits by namespace, and refuse one that is there twice. */
static void
find_regimes(HufCycle *cycle)
{
	HufHit **sorted = palloc_extended(sizeof(HufHit *) * Max(cycle->n, 1), MCXT_ALLOC_HUGE);
	text *unnamed = cstring_to_text(NO_NAMESPACE);
	bool has_unnamed = false;

	for (int i = 0; i < cycle->n; i++)
		sorted[i] = &cycle->hit[i];
	qsort(sorted, cycle->n, sizeof(HufHit *), compare_identity);
	cycle->regime = palloc_extended(sizeof(HufRegime) * Max(cycle->n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = sorted[i];
		HufHit *before = i > 0 ? sorted[i - 1] : NULL;

		if (before != NULL && compare_identity(&hit, &before) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("hit \"%s\" appears twice in namespace \"%s\"", text_to_cstring(hit->id),
							text_to_cstring(hit->namespace ? hit->namespace : unnamed)),
					 errhint("Group the hits by namespace and id first.")));
		if (before == NULL || compare_text(hit->namespace, before->namespace) != 0)
		{
			has_unnamed |= hit->namespace == NULL;
			/* one name must not stand for two namespaces in a report */
			if (has_unnamed && hit->namespace != NULL && compare_text(hit->namespace, unnamed) == 0)
				pinecone_huf_bad_param("namespace \"%s\" cannot be told from hits without a namespace",
									   NO_NAMESPACE);
			cycle->regime[cycle->nregimes++].name = hit->namespace ? hit->namespace : unnamed;
		}
		hit->regime = cycle->nregimes - 1;
	}
	pfree(sorted);
}

/*
 * The share of a mass in a total, for comparison with a threshold.  A total
 * that is rounded first can put each of n equal masses below 1/n; one that is
 * not can put 0.07 below 0.07 among decimals that add up to 1.  The greater of
 * both, which differ in the last digit at most, keeps either.
 */
static double
share_of(double mass, const HufSum *total)
{
	double part = mass / total->s;

	part += (fma(-part, total->s, mass) - part * total->c) / total->s;
	return Max(part, mass / huf_sum_value(total));
}

/* Linear shares are of masses. */
static void
refuse_negative(const HufCycle *cycle, const HufHit *hit)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("mass must not be negative: %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(hit->score)))),
			 errdetail("It is the score of hit \"%s\" in namespace \"%s\".", text_to_cstring(hit->id),
					   text_to_cstring(cycle->regime[hit->regime].name)),
			 errhint("Use kind => 'softmax', or give the hit a score of 0.")));
}

/* Masses and shares before exclusion. */
static void
compute_shares(HufCycle *cycle)
{
	double *value = palloc_extended(sizeof(double) * Max(cycle->n, 1), MCXT_ALLOC_HUGE);
	int64 n = 0;
	double total = 0;
	HufSum sum = {0};

	/* a negative mass wins over all else, so look at every score first */
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];

		if (cycle->settings.kind == HUF_LINEAR && hit->has_score && hit->score < 0)
			refuse_negative(cycle, hit);
		hit->massive = hit->has_score && isfinite(hit->score);
		if (hit->massive)
			value[n++] = hit->score;
	}
	cycle->has_total = pinecone_huf_masses(value, n, cycle->settings.kind, cycle->settings.t, &total) == HUF_MASS_OK;

	n = 0;
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];

		if (!hit->massive)
			continue;
		if (cycle->has_total)
			hit->scaled = cycle->settings.energy ? value[n] * value[n] : value[n];
		hit->mass = cycle->settings.kind == HUF_LINEAR ? hit->score + 0.0 : value[n];
		n++;
		huf_sum_add(&sum, hit->scaled);
		huf_sum_add(&cycle->regime[hit->regime].scaled, hit->scaled);
	}
	pfree(value);
	cycle->total = huf_sum_value(&sum);
	if (!cycle->has_total)
		return;
	for (int r = 0; r < cycle->nregimes; r++)
		cycle->regime[r].rho = huf_sum_value(&cycle->regime[r].scaled) / cycle->total;
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];
		const HufSum *regime = &cycle->regime[hit->regime].scaled;

		if (!hit->massive)
			continue;
		hit->rho = share_of(hit->scaled, &sum);
		hit->local = regime->s == 0 ? 0 : share_of(hit->scaled, regime);
	}
}

/* Read the hits and compute their shares. */
HufCycle *
pinecone_huf_cycle_load(FunctionCallInfo fcinfo, const HufSettings *settings)
{
	HufCycle *cycle = palloc0(sizeof(HufCycle));

	cycle->settings = *settings;
	if (!PG_ARGISNULL(HUF_ARG_HITS))
		read_hits(cycle, PG_GETARG_ARRAYTYPE_P(HUF_ARG_HITS));
	find_regimes(cycle);
	compute_shares(cycle);
	return cycle;
}

static bool
below(const HufCycle *cycle, const HufHit *hit, double tau)
{
	switch (cycle->settings.mode)
	{
		case HUF_MODE_LOCAL:
			return hit->local < tau;
		case HUF_MODE_DUAL:
			return hit->rho < tau && hit->local < cycle->settings.tau_local;
		case HUF_MODE_GLOBAL:
			break;
	}
	return hit->rho < tau;
}

/* Largest share first, then by name: the order of the active set. */
static int
compare_rank(const void *a, const void *b)
{
	const HufHit *x = *(HufHit *const *) a;
	const HufHit *y = *(HufHit *const *) b;

	CHECK_FOR_INTERRUPTS(); /* sorting can take long */
	if (x->rho_post != y->rho_post)
		return x->rho_post < y->rho_post ? 1 : -1;
	if (x->regime != y->regime)
		return x->regime - y->regime;
	return compare_text(x->id, y->id);
}

/*
 * Exclude what is below tau and share out what is left.  Can be called again
 * with another tau.
 */
void
pinecone_huf_cycle_exclude(HufCycle *cycle, double tau)
{
	HufSum kept = {0};
	HufSum discarded = {0};
	double rest;

	cycle->settings.tau = tau;
	cycle->active = 0;
	for (int r = 0; r < cycle->nregimes; r++)
	{
		cycle->regime[r].kept = (HufSum){0};
		cycle->regime[r].lost = (HufSum){0};
		cycle->regime[r].unity = (HufSum){0};
		cycle->regime[r].active = 0;
	}
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];
		HufRegime *regime = &cycle->regime[hit->regime];

		hit->rank = 0;
		if (!hit->has_score)
			hit->reason = HUF_NULL_SCORE;
		else if (!hit->massive)
			hit->reason = HUF_NOT_FINITE;
		else if (!cycle->has_total)
			hit->reason = HUF_ZERO_TOTAL;
		else if (below(cycle, hit, tau))
		{
			hit->reason = HUF_BELOW_TAU;
			huf_sum_add(&discarded, hit->scaled);
			huf_sum_add(&regime->lost, hit->scaled);
		}
		else
		{
			hit->reason = HUF_KEPT;
			cycle->active++;
			regime->active++;
			huf_sum_add(&kept, hit->scaled);
			huf_sum_add(&regime->kept, hit->scaled);
		}
	}
	rest = huf_sum_value(&kept);
	cycle->valid = rest > 0;
	cycle->discarded = !cycle->has_total ? 0 : rest == 0 ? 1 :
														   huf_sum_value(&discarded) / cycle->total;
	for (int r = 0; r < cycle->nregimes; r++)
	{
		HufRegime *regime = &cycle->regime[r];

		regime->rho_post = cycle->valid ? huf_sum_value(&regime->kept) / rest : 0;
		regime->discarded = cycle->has_total ? huf_sum_value(&regime->lost) / cycle->total : 0;
	}
	if (cycle->ranked != NULL)
		pfree(cycle->ranked);
	cycle->ranked = palloc_extended(sizeof(HufHit *) * Max(cycle->active, 1), MCXT_ALLOC_HUGE);
	cycle->active = 0;
	for (int i = 0; i < cycle->n; i++)
	{
		HufHit *hit = &cycle->hit[i];
		double regime = huf_sum_value(&cycle->regime[hit->regime].kept);

		if (hit->reason != HUF_KEPT || !cycle->valid)
			continue;
		hit->rho_post = hit->scaled / rest;
		hit->local_post = regime == 0 ? 0 : hit->scaled / regime;
		huf_sum_add(&cycle->regime[hit->regime].unity, hit->local_post);
		cycle->ranked[cycle->active++] = hit;
	}
	qsort(cycle->ranked, cycle->active, sizeof(HufHit *), compare_rank);
	for (int64 k = 0; k < cycle->active; k++)
		cycle->ranked[k]->rank = k + 1;
	CHECK_FOR_INTERRUPTS();
}

/* The whole cycle with the settings in a function's arguments. */
HufCycle *
pinecone_huf_cycle_run(FunctionCallInfo fcinfo)
{
	HufSettings settings = {0};
	HufCycle *cycle;

	pinecone_huf_cycle_settings(fcinfo, &settings);
	if (PG_ARGISNULL(HUF_ARG_TAU))
		pinecone_huf_bad_param("tau must not be null");
	settings.tau = pinecone_huf_fraction("tau", PG_GETARG_FLOAT8(HUF_ARG_TAU));
	cycle = pinecone_huf_cycle_load(fcinfo, &settings);
	pinecone_huf_cycle_exclude(cycle, settings.tau);
	return cycle;
}
