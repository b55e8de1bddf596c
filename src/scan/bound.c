/*
 * bound.c
 *		How far a search has to go: the conditions that end it.
 *
 * distance < r has its limit in it.  Of another condition it is only known that it
 * is true of the best distances, and from somewhere on of none.  Where that is, it
 * is asked itself, of values that close in on the place.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#include "scan/bound.h"
#include "scan/run_values.h"
#include "scan/score.h"

/* Nearer to 0 than this nothing is told apart */
#define NEAR 1e-15

typedef struct Question
{
	ForeignScanState *node;
	int number;	 /* of the condition */
	bool real;	 /* it is on a real */
	double sign; /* it is asked of values times this */
} Question;

static bool
holds(const Question *question, double value)
{
	PineconeScanState *state = question->node->fdw_state;
	ExprContext *econtext = question->node->ss.ps.ps_ExprContext;
	Datum result;
	bool isnull;

	value *= question->sign;
	econtext->caseValue_datum = question->real ? Float4GetDatum((float4) value) : Float8GetDatum(value);
	econtext->caseValue_isNull = false;
	result = ExecEvalExprSwitchContext(list_nth(state->exprs, question->number), econtext, &isnull);
	return !isnull && DatumGetBool(result);
}

/*
 * Of two sizes, which a condition tells apart, the one for which it is false when
 * they have come as close as can be; "near" is nearer to 0.
 */
static double
close_in(const Question *question, double near, double far, bool holds_near, double sign)
{
	for (;;)
	{
		double middle = sqrt(near) * sqrt(far);

		if (middle <= near || middle >= far)
			return holds_near ? far : near;
		if (holds(question, sign * middle) == holds_near)
			near = middle;
		else
			far = middle;
	}
}

/*
 * Above which value a condition is not true of any that is worse; infinite: it is
 * true of all.  False: it is true of none.  "least" is the best value there is.
 */
static bool
find_limit(const Question *question, double least, double greatest, double *limit)
{
	*limit = get_float8_infinity();
	if (holds(question, greatest))
		return true;
	/* NaN, as of a query vector that is zero, can be above the best */
	if (!holds(question, least))
	{
		*limit = least;
		return holds(question, get_float8_nan());
	}
	if (least >= 0 || holds(question, 0))
		*limit = holds(question, NEAR) ? close_in(question, NEAR, greatest, true, 1) : NEAR;
	else
		*limit = holds(question, -NEAR) ? 0 : -close_in(question, NEAR, -least, false, -1);
	return true;
}

static bool
begin_distance(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeRun *run = state->run;
	Question question = {node, request->bound, false, 1};

	run->bound = get_float8_infinity();
	if (request->bound < 0)
		return true;
	if (run->values.types[request->bound] == BOOLOID)
		return find_limit(&question, request->metric == PINECONE_METRIC_DOTPRODUCT ? -PINECONE_FAR : 0,
						  request->metric == PINECONE_METRIC_COSINE ? 2 : PINECONE_FAR, &run->bound);
	if (!pinecone_run_evaluate(node, request->bound))
		return false;
	run->bound = DatumGetFloat8(run->values.values[request->bound]);
	/* NaN sorts above every distance */
	if (isnan(run->bound))
		run->bound = get_float8_infinity();
	return true;
}

/* Scores that are best when they are high are asked for times -1. */
static bool
begin_score(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeRun *run = state->run;
	bool low = request->metric == PINECONE_METRIC_EUCLIDEAN;
	Question question = {node, request->score_bound, state->score_is_real, low ? 1 : -1};
	double end = request->metric == PINECONE_METRIC_COSINE ? PINECONE_MAX_COSINE : PINECONE_FAR;
	int number = request->score_bound;

	if (number < 0)
		return true;
	if (run->values.types[number] == BOOLOID)
	{
		bool any = find_limit(&question, low ? 0 : -end, end, &run->score_bound);

		run->score_bound *= question.sign;
		return any;
	}
	if (!pinecone_run_evaluate(node, number))
		return false;
	run->score_bound = run->values.types[number] == FLOAT4OID ? DatumGetFloat4(run->values.values[number]) :
																DatumGetFloat8(run->values.values[number]);
	return true;
}

bool
pinecone_bound_begin(ForeignScanState *node)
{
	return begin_distance(node) && begin_score(node);
}

/* Is a condition that scores meet up to some record met no more? */
static bool
is_beyond_score(PineconeScanState *state, double score)
{
	double bound = state->run->score_bound;

	/* as the column shows it */
	if (state->score_is_real)
		score = (float) score;
	switch (state->request->score_compare)
	{
		case PINECONE_LT:
			return !(score < bound);
		case PINECONE_LE:
			return !(score <= bound);
		case PINECONE_GT:
			return !(score > bound);
		default:
			return !(score >= bound);
	}
}

bool
pinecone_bound_is_beyond(PineconeScanState *state, const PineconeRecord *record,
						 double distance)
{
	return distance > state->run->bound ||
		   (state->request->score_bound >= 0 && is_beyond_score(state, record->score));
}

/* May a distance of 0, and with it a score of 0, meet the conditions?  Bounds on doubles are rounded there. */
bool
pinecone_bound_admits_zero(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	const Oid *types = state->run->values.types;
	Question distance = {node, request->bound, false, 1};
	Question score = {node, request->score_bound, state->score_is_real, 1};

	if (request->bound >= 0 && types[request->bound] == BOOLOID ? !holds(&distance, 0) :
																  state->run->bound < 0)
		return false;
	if (request->bound >= 0 && request->bound_is_strict && state->run->bound == 0)
		return false;
	if (request->score_bound < 0)
		return true;
	return types[request->score_bound] == BOOLOID ? holds(&score, 0) : !is_beyond_score(state, 0);
}
